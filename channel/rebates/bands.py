"""Tiers: from a base to what it earns, by a named method. Everything is an exact fraction; nothing is rounded here.

Two bands, 10 % to 1,000 and 25 % to 2,500, on 2,000 of sales pay four different sums, by the choice of the method:

>>> bands = (Step(Fraction(0), Fraction(1000), rate=Fraction(1, 10)), Step(Fraction(1000), Fraction(2500), rate=Fraction(1, 4)))
>>> methods: tuple[Bands, ...] = ("marginal", "retroactive", "rolling", "total")
>>> [str(earn(method, bands, Fraction(2000), Fraction(2000), Fraction(0)).earned) for method in methods]
['350', '500', '600', '700']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from channel.rebates.programme import Bands, Programme
from channel.rebates.values import ZERO

Top = Literal["continue", "cap", "nothing"]


@dataclass(frozen=True, slots=True)
class Step:
    """A tier in exact fractions; `end` None is open. One of the four ways of giving is set."""

    start: Fraction
    end: Fraction | None
    rate: Fraction | None = None
    per_unit: Fraction | None = None
    amount: Fraction | None = None
    size: Fraction | None = None
    goods: Fraction | None = None
    """Units of goods for each full `goods_per`; once where that is absent."""
    goods_per: Fraction | None = None
    goods_value: Fraction = ZERO

    def gives(self) -> Fraction:
        """The figure that a falling scale is judged by."""
        return next((value for value in (self.rate, self.per_unit, self.amount, self.goods) if value is not None), ZERO)


@dataclass(frozen=True, slots=True)
class Part:
    """What one tier contributed: `on` (amount, units or steps) times `by`."""

    tier: int
    on: Fraction
    by: Fraction
    earned: Fraction
    units: bool = False
    """Paid by the unit; else by the amount."""


@dataclass(frozen=True, slots=True)
class Earned:
    """What a base earns and why. `tier` is the reached tier's place, None below the first."""

    earned: Fraction
    tier: int | None
    parts: tuple[Part, ...] = ()
    to_next: Fraction | None = None
    """How much of what the tiers are read on is missing to the next tier; None at the top."""
    goods: Fraction = ZERO
    """Units of goods given."""


def steps(programme: Programme, scale: Fraction = Fraction(1)) -> tuple[Step, ...]:
    """The programme's tiers, each ending where it says or where the next begins; thresholds times `scale` (a period partly covered)."""
    tiers = programme.tiers
    ends = [tier.to if tier.to is not None else after.from_ for tier, after in pairwise(tiers)] + [tier.to for tier in tiers[-1:]]
    return tuple(
        Step(
            Fraction(tier.from_) * scale,
            Fraction(end) * scale if end is not None else None,
            rate=_exact(tier.rate),
            per_unit=_exact(tier.per_unit),
            amount=_exact(tier.amount),
            size=_exact(tier.step),
            goods=_exact(tier.goods.quantity) if tier.goods else None,
            goods_per=_exact(tier.goods.per) if tier.goods else None,
            goods_value=Fraction(tier.goods.unit_value or 0) if tier.goods else ZERO,
        )
        for tier, end in zip(tiers, ends, strict=True)
    )


def _exact(value: Decimal | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def reached(tiers: Sequence[Step], value: Fraction, *, above: bool = False) -> int | None:
    """The place of the highest tier that `value` reaches; `above`: it has to pass `from`, not only reach it."""
    place = None
    for at, tier in enumerate(tiers):
        if value > tier.start or (value == tier.start and not above):
            place = at
    return place


def earn(
    method: Bands,
    tiers: Sequence[Step],
    value: Fraction,
    amount: Fraction,
    quantity: Fraction,
    *,
    above: bool = False,
    top: Top | None = None,
    start: Literal["whole", "above_from", "above_first"] | Fraction = "whole",
    negative: bool = False,
) -> Earned:
    """What a base earns.

    value: what the tiers are read on. amount, quantity: what a rate and an amount per unit pay on (the same base in money and in units).
    Bands cut `value`; the same proportion of amount and quantity falls into each band. start: the part above the reached tier's
    `from`, or above the first tier's, or above a given value, instead of the whole.
    negative: a base below zero is rated by the first tier, if that begins at 0.
    A base of zero earns nothing, whatever is fixed: sold and returned is as if it had never been.
    """
    if value == 0 or not tiers:
        return Earned(ZERO, None, to_next=tiers[0].start if tiers and tiers[0].start > 0 else None)
    if value < 0:
        return (
            _below_zero(tiers[0], amount, quantity)
            if negative and tiers[0].start == 0
            else Earned(ZERO, None, to_next=tiers[0].start - value)
        )
    tiers, value, amount, quantity, over = _at_the_top(tiers, value, amount, quantity, above=above, top=top)
    place = None if over else reached(tiers, value, above=above)
    if place is None:
        return Earned(ZERO, None, to_next=None if over else tiers[0].start - value)
    if start != "whole":
        origin = min(start, value) if isinstance(start, Fraction) else tiers[place if start == "above_from" else 0].start
        amount, quantity = amount * (value - origin) / value, quantity * (value - origin) / value
    to_next = tiers[place + 1].start - value if place + 1 < len(tiers) else None
    if tiers[place].goods is not None:
        return _goods(tiers[place], place, value, to_next)
    parts = tuple(_parts(method, tiers, place, value, amount, quantity))
    return Earned(sum((part.earned for part in parts), ZERO), place, parts, to_next)


def _below_zero(first: Step, amount: Fraction, quantity: Fraction) -> Earned:
    if first.rate is None and first.per_unit is None:
        return Earned(ZERO, None)
    parts = tuple(_pay([first], 0, amount, quantity))
    return Earned(sum((part.earned for part in parts), ZERO), 0, parts)


def _at_the_top(
    tiers: Sequence[Step], value: Fraction, amount: Fraction, quantity: Fraction, *, above: bool, top: Top | None
) -> tuple[Sequence[Step], Fraction, Fraction, Fraction, bool]:
    end = tiers[-1].end
    if end is None or value < end or (above and value == end):
        return tiers, value, amount, quantity, False
    if top == "cap":
        return tiers, end, amount * end / value, quantity * end / value, False
    if top == "nothing":
        return tiers, value, amount, quantity, True
    return [*tiers[:-1], replace(tiers[-1], end=None)], value, amount, quantity, False


def _parts(method: Bands, tiers: Sequence[Step], place: int, value: Fraction, amount: Fraction, quantity: Fraction) -> list[Part]:
    every = range(place + 1)
    match method:
        case "retroactive" | "per_unit":
            return _pay(tiers, place, amount, quantity)
        case "marginal" | "per_unit_marginal":
            return [part for at in every for part in _pay(tiers, at, *_slice(tiers[at], value, amount, quantity))]
        case "rolling":
            return [part for at in every for part in _pay(tiers, at, *_up_to(tiers[at], value, amount, quantity))]
        case "total":
            return [part for at in every for part in _pay(tiers, at, amount, quantity)]
        case "fixed":
            return [_lump(tiers, place)]
        case "fixed_each":
            return [_lump(tiers, at) for at in every]
        case "increment":
            return [_full_steps(tiers, place, value)]
        case "linear":
            return [_on_the_line(tiers, place, value, amount, quantity)]


def _full_steps(tiers: Sequence[Step], place: int, value: Fraction) -> Part:
    tier = tiers[place]
    count = Fraction((value - tier.start) // (tier.size or Fraction(1)))
    return Part(place, count, tier.amount or ZERO, count * (tier.amount or ZERO))


def _pay(tiers: Sequence[Step], at: int, amount: Fraction, quantity: Fraction) -> list[Part]:
    tier, parts = tiers[at], []
    if tier.rate is not None:
        parts.append(Part(at, amount, tier.rate, amount * tier.rate))
    if tier.per_unit is not None:
        parts.append(Part(at, quantity, tier.per_unit, quantity * tier.per_unit, units=True))
    return parts


def _lump(tiers: Sequence[Step], at: int) -> Part:
    return Part(at, Fraction(1), tiers[at].amount or ZERO, tiers[at].amount or ZERO)


def _slice(tier: Step, value: Fraction, amount: Fraction, quantity: Fraction) -> tuple[Fraction, Fraction]:
    """The part of the base inside a tier."""
    end = value if tier.end is None else min(value, tier.end)
    return amount * (end - tier.start) / value, quantity * (end - tier.start) / value


def _up_to(tier: Step, value: Fraction, amount: Fraction, quantity: Fraction) -> tuple[Fraction, Fraction]:
    end = value if tier.end is None else min(value, tier.end)
    return amount * end / value, quantity * end / value


def _on_the_line(tiers: Sequence[Step], place: int, value: Fraction, amount: Fraction, quantity: Fraction) -> Part:
    here = tiers[place]
    by = here.gives()
    if place + 1 < len(tiers):
        after = tiers[place + 1]
        by += (after.gives() - by) * (value - here.start) / (after.start - here.start)
    on = Fraction(1) if here.amount is not None else quantity if here.per_unit is not None else amount
    return Part(place, on, by, on * by, units=here.per_unit is not None)


def _goods(tier: Step, place: int, value: Fraction, to_next: Fraction | None) -> Earned:
    times = Fraction(value // tier.goods_per) if tier.goods_per else Fraction(1)
    units = times * (tier.goods or ZERO)
    worth = units * tier.goods_value
    return Earned(worth, place, (Part(place, units, tier.goods_value, worth),), to_next, units)

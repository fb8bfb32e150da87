"""What stock dealers need: restock suggestions, stock-out warnings, and transfers from dealers nearby that have too much.

The pace is what was sold a day in a window up to the cut-off. Days of cover = stock / pace. Where the cover is shorter than the lead
time the dealer runs dry before goods ordered today arrive: that is the warning, and only another dealer can help in time.

>>> pace(Decimal(180), 90)
Fraction(2, 1)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from canonical.rounding import exact_rounded

ZERO: Final = Fraction(0)
LEAST_DAYS: Final = 14
"""A product that is new has its pace from so many days at least: one good day is no pace."""
Date = date
Place = tuple[str, str]
"""Dealer and product."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A dealer's stock of a product, counted at the end of a day, and how it is supplied."""

    dealer: str
    product: str
    quantity: Decimal
    lead_days: int
    """From order to arrival."""
    cover_days: int
    """Days of sales that should lie there when goods arrive: the target level is (lead + cover) days."""
    region: str = ""
    """GB/T 2260: the longer the common beginning, the nearer."""
    on_order: Decimal = Decimal(0)
    restock_at: Decimal | None = None
    """Threshold: at or below it goods are ordered, whatever the pace. The sales of the lead time are a threshold anyway."""
    multiple: Decimal = Decimal(1)
    """Goods come in whole packs of so many."""
    date: Date | None = None
    """Day of the count; absent: the cut-off."""


@dataclass(frozen=True, slots=True)
class SellOut:
    """What a dealer sold on a day, or took back."""

    dealer: str
    product: str
    date: Date
    quantity: Decimal
    returned: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Goods proposed to go from one dealer to another."""

    giver: str
    taker: str
    product: str
    quantity: int
    common: int
    """Digits of the region that both have in common: 6 same district, 4 city, 2 province."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What a dealer should do about a product, and from which figures."""

    holding: Holding
    on_hand: Fraction
    """The count less what was sold since."""
    pace: Fraction
    """Units a day."""
    cover_days: Fraction | None
    """None: nothing is being sold, so it lasts."""
    out_on: Date | None
    """The day on which it runs dry at this pace."""
    warning: bool
    restock: Fraction
    """Whole packs up to the target level, less what comes already and what is to come from others."""
    why: str
    """at_threshold, enough, no_sales."""
    incoming: tuple[Transfer, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Advice for each holding, the transfers, and what is sold where nobody gave a count."""

    advice: tuple[Advice, ...]
    transfers: tuple[Transfer, ...]
    uncounted: tuple[Place, ...]


@dataclass(slots=True)
class _State:
    holding: Holding
    on_hand: Fraction
    pace: Fraction
    spare: int = 0
    incoming: list[Transfer] = field(default_factory=list)

    @property
    def dry_in(self) -> Fraction | None:
        return self.on_hand / self.pace if self.pace else None

    @property
    def target(self) -> Fraction:
        return self.pace * (self.holding.lead_days + self.holding.cover_days)


def pace(quantity: Decimal, days: int) -> Fraction:
    """Units a day; never below zero."""
    return max(ZERO, Fraction(quantity) / days)


def advise(holdings: Iterable[Holding], sales: Iterable[SellOut], as_of: date, window_days: int = 90) -> Plan:
    """The plan for a cut-off. Each unit that a dealer can spare is promised once, first to whom runs dry first."""
    sold: dict[Place, list[SellOut]] = defaultdict(list)
    for sale in sales:
        if sale.date <= as_of:
            sold[sale.dealer, sale.product].append(sale)
    ordered = sorted(holdings, key=lambda one: (one.product, one.dealer))
    states = [_state(one, sold.get((one.dealer, one.product), ()), as_of, window_days) for one in ordered]
    transfers = _transfers(states)
    counted = {(one.dealer, one.product) for one in ordered}
    return Plan(
        tuple(_advice(state, as_of) for state in states), tuple(transfers), tuple(sorted(place for place in sold if place not in counted))
    )


def _state(holding: Holding, sales: Sequence[SellOut], as_of: date, window_days: int) -> _State:
    begins = as_of - timedelta(days=window_days - 1)
    inside = [sale for sale in sales if sale.date >= begins]
    net = sum((sale.quantity - sale.returned for sale in inside), Decimal(0))
    first = min((sale.date for sale in sales), default=as_of)
    days = min(window_days, max(LEAST_DAYS, (as_of - first).days + 1))
    since = sum((sale.quantity - sale.returned for sale in sales if sale.date > (holding.date or as_of)), Decimal(0))
    return _State(holding, max(ZERO, Fraction(holding.quantity - since)), pace(net, days))


def _short(state: _State) -> int:
    """Whole units that are missing until goods ordered today arrive."""
    return max(0, _up(state.pace * state.holding.lead_days - state.on_hand))


def _transfers(states: Sequence[_State]) -> list[Transfer]:
    by_product: dict[str, list[_State]] = defaultdict(list)
    for state in states:
        state.spare = max(0, _down(state.on_hand - max(state.target, Fraction(state.holding.restock_at or 0))))
        by_product[state.holding.product].append(state)
    found = []
    for _, group in sorted(by_product.items()):
        for taker in sorted((one for one in group if _short(one)), key=lambda one: (one.dry_in or ZERO, one.holding.dealer)):
            missing = _short(taker)
            for giver in sorted((one for one in group if one.spare and one is not taker), key=lambda one: _nearness(one, taker)):
                quantity = min(missing, giver.spare)
                if not quantity:
                    break
                common = _common(giver.holding.region, taker.holding.region)
                transfer = Transfer(giver.holding.dealer, taker.holding.dealer, taker.holding.product, quantity, common)
                giver.spare -= quantity
                missing -= quantity
                taker.incoming.append(transfer)
                found.append(transfer)
    return found


def _nearness(giver: _State, taker: _State) -> tuple[int, int, str]:
    return -_common(giver.holding.region, taker.holding.region), -giver.spare, giver.holding.dealer


def _common(one: str, other: str) -> int:
    """Digits that two regions have in common from the beginning, by whole levels of two digits."""
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return same - same % 2


def _advice(state: _State, as_of: date) -> Advice:
    holding, cover = state.holding, state.dry_in
    moved = sum(one.quantity for one in state.incoming)
    there = state.on_hand + Fraction(holding.on_order) + moved
    threshold = max(Fraction(holding.restock_at or 0), state.pace * holding.lead_days)
    low = there <= threshold and (state.pace > ZERO or holding.restock_at is not None)
    packs = max(1, _up((max(state.target, threshold) - there) / Fraction(holding.multiple))) if low else 0
    why = "at_threshold" if low else "enough" if state.pace else "no_sales"
    return Advice(
        holding=holding,
        on_hand=state.on_hand,
        pace=state.pace,
        cover_days=cover,
        out_on=_out_on(as_of, cover),
        warning=cover is not None and cover < holding.lead_days,
        restock=packs * Fraction(holding.multiple),
        why=why,
        incoming=tuple(state.incoming),
    )


def _out_on(as_of: date, cover: Fraction | None) -> date | None:
    """The day on which the last unit goes; None where it lasts longer than can be told."""
    if cover is None or cover > 3650:
        return None
    return as_of + timedelta(days=_down(cover))


def _up(value: Fraction) -> int:
    return int(exact_rounded(value, 0, "ceiling"))


def _down(value: Fraction) -> int:
    return int(exact_rounded(value, 0, "floor"))

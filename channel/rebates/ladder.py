"""A programme as a straight line per tier, `fixed + rate x base`, in whole numbers: a set engine can rate millions of cells by it.

Most programmes are that: a reached tier decides one line. :func:`obstacle` says why another is not; it is then reckoned line by line.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from channel.rebates.bands import steps
from channel.rebates.counted import Filter
from channel.rebates.programme import Programme
from channel.rebates.selecting import FIELDS
from channel.rebates.values import ZERO

SCALE: Final = 10_000
"""Amounts and quantities are counted in ten-thousandths."""
LINEAR: Final = ("retroactive", "marginal", "rolling", "total", "fixed", "fixed_each")


@dataclass(frozen=True, slots=True)
class Rung:
    """What a base from `start` on earns: `(fixed + rate x base) / denominator`, in ten-thousandths of the currency; whole numbers."""

    tier: int
    start: int
    """In ten-thousandths."""
    fixed: int
    rate: int
    denominator: int


def obstacle(programme: Programme) -> str:
    """Why sums by dealer, scope and period do not suffice to rate the programme by a line per tier; empty when they do."""
    base, grouping, limits = programme.base, programme.grouping, programme.limits
    reasons = {
        "a method that is no line per tier": programme.method not in LINEAR,
        "tiers read on other than the amount": base.measure != "amount" or programme.part != "whole",
        "payments as base": base.event == "payment" or base.paid_invoices_only,
        "returns in the period of the sale": base.returns_in != "return_period",
        "weights or units": bool(base.weights) or base.unit is not None,
        "other currencies": programme.fx is not None,
        "tiers read on other lines than those that pay": programme.tier_scope is not None,
        "groups of dealers": grouping.group != "none",
        "a reading for each line": "line" in grouping.by or "dealer" not in grouping.by,
        "gates": bool(programme.gates),
        "bounds": any((limits.cap, limits.floor, limits.guarantee, limits.budget)),
        "what earlier programmes gave": programme.stacking is not None
        and (programme.stacking.base != "gross" or programme.stacking.mode != "together"),
        "prorated or annualised thresholds": programme.calendar.prorate != "none" or programme.calendar.annualise != "none",
        "a rounding of its own": programme.rounds_together
        or programme.rounding.mode != "half_up"
        or programme.rounding.shares != "largest_remainder",
        "a negative rebate": programme.settlement.negative != "zero",
        "a top that ends": programme.above_top not in (None, "continue"),
        "a tier that is passed": programme.boundary == "above",
        "goods or amounts per unit": any(tier.goods is not None or tier.per_unit is not None for tier in programme.tiers),
        "thresholds finer than a ten-thousandth": any(_whole(tier.from_) is None for tier in programme.tiers),
        "members for some of the time": bool(programme.participants.members),
        "customers that it is passed on to": programme.pass_through is not None,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def rungs(programme: Programme) -> tuple[Rung, ...]:
    """The programme's lines, lowest first. Only for a programme without obstacle."""
    found = []
    made = steps(programme)
    for place, step in enumerate(made):
        rate, fixed = ZERO, ZERO
        match programme.method:
            case "retroactive":
                rate = step.rate or ZERO
            case "total":
                rate = sum((one.rate or ZERO for one in made[: place + 1]), ZERO)
            case "fixed":
                fixed = step.amount or ZERO
            case "fixed_each":
                fixed = sum((one.amount or ZERO for one in made[: place + 1]), ZERO)
            case "marginal":
                rate = step.rate or ZERO
                below = sum(((one.rate or ZERO) * ((one.end or ZERO) - one.start) for one in made[:place]), ZERO)
                fixed = below - rate * step.start
            case _:  # rolling
                rate = step.rate or ZERO
                fixed = sum(((one.rate or ZERO) * (one.end or ZERO) for one in made[:place]), ZERO)
        bottom = (rate * 1).denominator * (fixed * SCALE).denominator
        found.append(Rung(place + 1, int(step.start * SCALE), int(fixed * SCALE * bottom), int(rate * bottom), bottom))
    return tuple(found)


def _whole(value: Decimal) -> int | None:
    scaled = Fraction(value) * SCALE
    return scaled.numerator if scaled.denominator == 1 else None


def named(condition: Filter) -> list[tuple[str, tuple[str, ...]]]:
    """The conditions of a filter that are written: column and values, attributes among them."""
    found = [(column, tuple(getattr(condition, name))) for name, column in FIELDS.items() if getattr(condition, name)]
    return found + [(name, tuple(values)) for name, values in condition.attributes.items()]

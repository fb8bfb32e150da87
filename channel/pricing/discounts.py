"""手工折扣 as it is kept with a quote: what hands took off each line of a priced cart, why, and who."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from channel.pricing.pricing import Priced


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount that a person gave: why, in code and words, and who. `amount` is what it took off, before rounding."""

    line: str
    item: str
    reason: str
    text: str
    by: str
    amount: Decimal


def discounts_of(priced: Priced) -> tuple[Discount, ...]:
    """Every discount by hand in a priced cart, by line; one of the whole order is each line's share of it."""
    return tuple(
        Discount(line.id, line.item, step.rule.removeprefix("manual/"), step.note, step.who, step.amount_before - step.amount_after)
        for line in priced.lines
        for step in line.steps
        if step.rung == "manual" and step.who and step.amount_before is not None
    )

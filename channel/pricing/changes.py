"""What two versions of prices make of the same questions: which items cost a dealer something else, from when, before and after.

A pure comparison: every item is priced by itself, for the least quantity that is sold, as of each day on which something may change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from channel.pricing.asking import Ask, AskLine
from channel.pricing.compiled import Prices
from channel.pricing.pricing import price

ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a unit after all rules, without what is taken off by hand."""

    unit_price: Decimal
    currency: str
    side: str


@dataclass(frozen=True, slots=True)
class Change:
    """One item whose price changes. None: there is no price."""

    item: str
    name: str
    unit: str
    since: date
    before: Price | None
    after: Price | None


@dataclass(frozen=True, slots=True)
class Buyer:
    """For whom: the question without its lines."""

    dealer: str
    company: str
    currency: str | None


def changes(before: Prices, after: Prices, buyer: Buyer, items: Mapping[str, Sequence[date]]) -> list[Change]:
    """The changes of some items; by item, the days to look at, from the first on. An item that neither version sells is left out."""
    found = []
    for item, days in sorted(items.items()):
        known = after.items.get(item) or before.items.get(item)
        for day in sorted(days) if known is not None else ():
            then, now = of(before, buyer, item, day), of(after, buyer, item, day)
            if then != now and known is not None:
                found.append(Change(item, known.name, known.unit, day, then, now))
                break
    return found


def of(prices: Prices, buyer: Buyer, item: str, day: date) -> Price | None:
    """What a unit costs on a day, bought in the least quantity; None where there is no price."""
    ask = question(prices, buyer, item, day)
    if ask is None:
        return None
    made = price(prices, ask)
    line = made.lines[0] if made.lines else None
    if line is None or made.refused or line.unit_price is None:
        return None
    return Price(line.unit_price, made.currency, line.side)


def question(prices: Prices, buyer: Buyer, item: str, day: date) -> Ask | None:
    """The question what the least quantity of an item costs on a day; None for an item that is not sold."""
    known = prices.items.get(item)
    if known is None:
        return None
    return Ask.model_construct(
        dealer=buyer.dealer, company=buyer.company, date=day, currency=buyer.currency, role="dealer", alternatives=False,
        lines=(AskLine.model_construct(id="1", item=item, quantity=_least(known.moq, known.multiple), unit=""),),
    )  # fmt: skip


def _least(moq: Decimal | None, multiple: Decimal | None) -> Decimal:
    least = moq or ONE
    if not multiple:
        return least
    return -(-least // multiple) * multiple


def days_of(today: date, bounds: Iterable[date]) -> list[date]:
    """Today, and each later day on which something begins or ends."""
    return sorted({today, *(day for day in bounds if day > today)})

"""Where a price list asks less than it asked before: per item what a unit cost on an earlier day, what it costs now, and since when.

Compared is the price that is found (of the buyer's list, grade or contract), before discounts: a promotion that ends again is no fall of a
price. Special project prices do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from canonical.rounding import half_up
from channel.pricing.changes import Buyer, question
from channel.pricing.compiled import Prices
from channel.pricing.pricing import WIDE, price


@dataclass(frozen=True, slots=True)
class Fall:
    """One item whose price falls. Prices without tax, of a base unit, in `currency`; `on`: the first day of the new one."""

    item: str
    on: date
    old: Decimal
    new: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a list asks for a base unit, without tax."""

    net: Decimal
    currency: str


def falls(before: Prices, last: date, after: Prices, buyer: Buyer, items: Mapping[str, Sequence[date]]) -> list[Fall]:
    """Every fall since a day. `before`, `last`: the prices and the day that were looked at last; by item, the days to look at now.

    An item that had no price, or has one in another currency now, has not fallen.
    """
    found = []
    for item, days in sorted(items.items()):
        old = found_price(before, buyer, item, last)
        for day in sorted(days):
            new = found_price(after, buyer, item, day)
            if new is None or old is None or new.currency != old.currency:
                old = new
                continue
            if new.net < old.net:
                found.append(Fall(item, day, old.net, new.net, new.currency))
            old = new
    return found


def found_price(prices: Prices, buyer: Buyer, item: str, day: date) -> Found | None:
    """What is found for an item on a day, bought in the least quantity; None where no list has a price.

    Rounds: to the decimals of a unit price.
    """
    ask = question(prices, buyer, item, day)
    made = price(prices, ask) if ask is not None else None
    line = made.lines[0] if made is not None and made.lines else None
    if made is None or ask is None or line is None or line.base_unit is None or line.price_kind == "deal":
        return None
    with localcontext(WIDE):
        unit = line.base_unit * line.priced_units / line.per / ask.lines[0].quantity
        net = unit if line.side == "excluded" else unit / (1 + line.tax_rate)
        return Found(half_up(net, prices.settings.unit_places), made.currency)

"""At which other quantity the price of a line would fall: the next step of a scale or threshold, or what a special price still covers."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any, Final

from channel.pricing.compiled import Prices
from channel.pricing.model import Item
from channel.pricing.pricing import WIDE, Priced, price
from channel.pricing.result import Line
from channel.pricing.scales import Steps

MOST: Final = 2
"""So many other quantities are tried for a line."""
ONE: Final = Decimal(1)


def alternatives(priced: Priced, line: Line) -> list[dict[str, Any]]:
    """Quantities of the line's unit at which its unit price is lower, with that price; the rest of the cart stays as it is.

    Only rules that look at one line: `alone` is told; else the whole cart is priced again.
    """
    prices, ask = priced.prices, priced.ask
    if line.refusal is not None or line.unit_price is None:
        return []
    item = prices.items[line.item]
    factor = ONE if line.unit == item.unit else item.units[line.unit]
    found = []
    with localcontext(WIDE):
        wanted = _quantities(priced, line, item, factor)
    at = next(place for place, one in enumerate(priced.lines) if one is line)
    for quantity in wanted:
        other = ask.lines[at].model_copy(update={"quantity": quantity, "id": line.id})
        lines = tuple(other if place == at else one for place, one in enumerate(ask.lines)) if prices.whole_cart else (other,)
        again = price(prices, ask.model_copy(update={"lines": lines, "manual": ask.manual if prices.whole_cart else None}))
        made = next(one for one in again.lines if one.id == line.id)
        if made.unit_price is not None and made.refusal is None and made.unit_price < line.unit_price:
            found.append(
                {"quantity": quantity, "unit": line.unit, "unit_price": made.unit_price, "price_kind": made.price_kind, "side": made.side}
            )
    return found


def _quantities(priced: Priced, line: Line, item: Item, factor: Decimal) -> list[Decimal]:
    """The nearest quantities, in the line's unit, where a rule changes; what a special price has left first."""
    base = line.quantity * factor
    more: set[Decimal] = set()
    for steps in _scales(priced.prices, priced, line, item):
        start = steps.next_start(base)
        if start is not None:
            more.add(start + (item.multiple or ONE) if steps.inclusive else start)
    for rule in priced.prices.rules_for(item.id, item.line, priced.ask.dealer):
        least = rule.spec.when.min_quantity
        if least is not None and least > base:
            more.add(least)
    pack = item.multiple or ONE
    found = []
    for quantity in sorted(more):
        whole = (quantity / pack).to_integral_value(ROUND_CEILING) * pack
        found.append((whole / factor).to_integral_value(ROUND_CEILING))
    return [*_left(priced, line, item, factor), *[one for one in dict.fromkeys(found) if one > line.quantity][:MOST]]


def _left(priced: Priced, line: Line, item: Item, factor: Decimal) -> list[Decimal]:
    """What a special price still covers, in whole units of the line and whole packs."""
    used_up = {one.rule for one in line.tried if one.reason == "used_up"}
    pack = item.multiple or ONE
    left = []
    for deal in priced.prices.rules.deal_prices:
        for one in deal.items:
            if deal.id in used_up and one.item == item.id and one.ceiling is not None and one.ceiling > one.consumed:
                packs = ((one.ceiling - one.consumed) / pack).to_integral_value(ROUND_FLOOR) * pack
                left.append((packs / factor).to_integral_value(ROUND_FLOOR))
    return [one for one in left if 0 < one < line.quantity]


def _scales(prices: Prices, priced: Priced, line: Line, item: Item) -> list[Steps]:
    kept = {step.rule for step in line.steps} | {one.rule for one in line.tried}
    found = [
        rule.steps for rule in prices.rules_for(item.id, item.line, priced.ask.dealer) if rule.steps is not None and rule.spec.id in kept
    ]
    if line.record is not None and line.record.steps is not None:
        found.append(line.record.steps)
    return [steps for steps in found if steps.by == "quantity" and not steps.accumulated]

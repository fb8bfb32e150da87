"""At which other quantity the price of a line would fall: the next step of a scale or threshold, or what a special price still covers."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any, Final

from channel.pricing.asking import Ask
from channel.pricing.compiled import Prices
from channel.pricing.model import DealPrice, DealPriceItem, Item
from channel.pricing.pricing import WIDE, Priced, price
from channel.pricing.result import Line
from channel.pricing.scales import Steps
from channel.pricing.state import covers

MOST: Final = 2
"""So many other quantities are tried for a line."""
WHOLE: Final = 5
"""Carts of so many lines are priced again whole where rules look at more than one line."""
ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)


def alternatives(priced: Priced, line: Line) -> list[dict[str, Any]]:
    """Quantities of the line's unit at which its unit price is lower, with that price; the rest of the cart stays as it is.

    Where rules look at more than one line, a cart of up to `WHOLE` lines is priced again whole. In a larger one the line is priced by
    itself, before and after, and what is told is marked `alone`.
    """
    prices, ask = priced.prices, priced.ask
    if line.refusal is not None or line.unit_price is None:
        return []
    item = prices.items[line.item]
    factor = item.factor(line.unit)
    with localcontext(WIDE):
        wanted = _quantities(priced, line, item, factor)
    if not wanted:
        return []
    at = next(place for place, one in enumerate(priced.lines) if one is line)
    alone = prices.whole_cart and len(ask.lines) > WHOLE
    now = _again(prices, ask, at, line, line.quantity, alone=True).unit_price if alone else line.unit_price
    found = []
    for quantity in wanted:
        made = _again(prices, ask, at, line, quantity, alone=alone or not prices.whole_cart)
        if made.unit_price is not None and now is not None and made.unit_price < now:
            told = {
                "quantity": quantity,
                "unit": line.unit,
                "unit_price": made.unit_price,
                "price_kind": made.price_kind,
                "side": made.side,
            }
            found.append({**told, **({"alone": True} if alone else {})})
    return found


def _again(prices: Prices, ask: Ask, at: int, line: Line, quantity: Decimal, *, alone: bool) -> Line:
    """The line, priced anew with another quantity: by itself, or with the rest of its cart."""
    other = ask.lines[at].model_copy(update={"quantity": quantity, "id": line.id})
    lines = (other,) if alone else tuple(other if place == at else one for place, one in enumerate(ask.lines))
    again = price(prices, ask.model_copy(update={"lines": lines, "manual": None if alone else ask.manual}))
    return again.lines[0 if alone else at]


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
            if deal.id not in used_up or one.item != item.id:
                continue
            rest = _rest(priced, deal, one)
            if rest > 0:
                packs = (rest / pack).to_integral_value(ROUND_FLOOR) * pack
                left.append((packs / factor).to_integral_value(ROUND_FLOOR))
    return [one for one in left if 0 < one < line.quantity]


def _rest(priced: Priced, deal: DealPrice, one: DealPriceItem) -> Decimal:
    """What the lines of the cart leave of an item of a special price, in base units, by its own ceiling and by that of all items."""
    left = []
    if one.ceiling is not None:
        left.append(one.ceiling - one.consumed - priced.taken.get((deal.id, one.item), ZERO))
    if deal.ceiling_amount is not None and one.price:
        left.append(covers(deal.ceiling_amount - deal.consumed_amount - priced.spent.get(deal.id, ZERO), one.price))
    return min(left, default=ZERO)


def _scales(prices: Prices, priced: Priced, line: Line, item: Item) -> list[Steps]:
    kept = {step.rule for step in line.steps} | {one.rule for one in line.tried}
    found = [
        rule.steps for rule in prices.rules_for(item.id, item.line, priced.ask.dealer) if rule.steps is not None and rule.spec.id in kept
    ]
    if line.record is not None and line.record.steps is not None:
        found.append(line.record.steps)
    return [steps for steps in found if steps.by == "quantity" and not steps.accumulated]

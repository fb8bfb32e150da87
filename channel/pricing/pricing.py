"""The one call: price a cart. A pure function of the rules and the question: no clock, no database, no locale, no float.

Rounds: unit price to `settings.unit_places`, line = round(unit x quantity) to the currency's places, tax per line; half away from
zero, by `canonical.rounding`. Gross is net + tax on every line and in the totals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from functools import cached_property, partial
from typing import Final

from canonical.rounding import allocate, half_up
from channel.pricing.asking import Ask, AskLine, Manual
from channel.pricing.compiled import Prices
from channel.pricing.determining import determine
from channel.pricing.errors import BadPricing, Mistake
from channel.pricing.result import Charge, Gift, Line, Refusal, Step
from channel.pricing.state import Question, State, other_side
from channel.pricing.waterfall import Waterfall

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
WIDE: Final = Context(prec=60)


@dataclass
class Priced:
    """A priced cart, whole: with cost. What a role may see of it is `views.view`."""

    prices: Prices
    ask: Ask
    currency: str
    lines: list[Line]
    charges: list[Charge] = field(default_factory=list)
    gifts: list[Gift] = field(default_factory=list)
    refusal: Refusal | None = None
    net: Decimal = ZERO
    tax: Decimal = ZERO
    gross: Decimal = ZERO
    taken: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    """By special price and item, the base units that the lines have of it."""
    spent: Mapping[str, Decimal] = field(default_factory=dict)
    """By special price with a ceiling of money, what the lines have of that."""

    @property
    def refused(self) -> bool:
        """True when the cart or one of its lines has no price."""
        return self.refusal is not None or any(line.refusal is not None for line in self.lines)

    @cached_property
    def hash(self) -> str:
        """Pins an approval: of rules, question and every amount; not of the asker's role, and of no cost."""
        asked = self.ask.model_dump_json(exclude={"role", "asker_dealer", "alternatives", "past"})
        parts = [self.prices.content_hash, asked]
        for line in self.lines:
            parts.append(f"{line.id} {line.unit_price} {line.net} {line.tax} {line.gross} {line.refusal.code if line.refusal else ''}")
            parts += [f"{step.rung} {step.rule} {step.version} {step.amount_after}" for step in line.steps]
        parts += [f"{one.rule} {one.net} {one.tax}" for one in self.charges] + [
            f"{one.rule} {one.item} {one.quantity}" for one in self.gifts
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def price(prices: Prices, ask: Ask) -> Priced:
    """Price a cart.

    Units: quantities in each line's unit; amounts in the cart's currency; days are business days (Asia/Shanghai).
    Raises: BadPricing for an unknown item or dealer, a line id that stands twice, a reason that is no code.
    What has no price is a refusal in the answer, never a zero.
    """
    with localcontext(WIDE):
        return _price(prices, ask)


def _price(prices: Prices, ask: Ask) -> Priced:
    known(prices, ask)
    question = Question(prices, ask)
    result = Priced(prices, ask, question.currency, [], taken=question.taken, spent=question.spent)
    if ask.role in prices.settings.dealer_roles and ask.asker_dealer and ask.asker_dealer != ask.dealer:
        result.refusal = Refusal("not-yours", {}, "ask for your own prices")
        return result
    states = [_state(prices, line, at) for at, line in enumerate(ask.lines, 1)]
    cart = _sums(states)
    for state in states:
        if state.refusal is None:
            _minimum(state)
        if state.refusal is None:
            determine(question, state, cart)
            state.base_total = state.rung_total = state.total
            if state.refusal is None and prices.needs_list:
                state.list_total = _list_total(question, state, cart)
    priced = [state for state in states if state.refusal is None]
    waterfall = Waterfall(question, priced, cart)
    waterfall.run()
    result.charges, result.gifts, result.refusal = waterfall.charges, waterfall.gifts, waterfall.refusal
    for state in priced:
        _small_order(question, state)
        if state.total < 0:
            state.refusal = Refusal("below-zero", {"item": state.item.id}, "lower the discounts")
    result.lines = [_line(question, state, cart) for state in states]
    _amounts(result, waterfall, [(state, line) for state, line in zip(states, result.lines, strict=True) if state.refusal is None])
    return result


def known(prices: Prices, ask: Ask) -> None:
    """Check the names that the question uses. Raises: BadPricing with every mistake."""
    mistakes = []
    if ask.dealer and ask.dealer not in prices.dealers:
        mistakes.append(Mistake("ask.dealer", f"there is no dealer {ask.dealer!r}", "name one under dealers"))
    seen: set[str] = set()
    for at, line in enumerate(ask.lines):
        if line.item not in prices.items:
            mistakes.append(Mistake(f"ask.lines.{at}.item", f"there is no item {line.item!r}", "name one under items"))
        name = line.id or str(at + 1)
        if name in seen:
            mistakes.append(Mistake(f"ask.lines.{at}.id", f"line {name!r} stands twice", "give each line a number of its own"))
        seen.add(name)
        if line.manual is not None:
            _reason(prices, line.manual, f"ask.lines.{at}.manual.reason", mistakes)
    if ask.manual is not None:
        _reason(prices, ask.manual, "ask.manual.reason", mistakes)
    if "manual" not in prices.rungs and (ask.manual is not None or any(line.manual is not None for line in ask.lines)):
        mistakes.append(
            Mistake("ask", "a discount by hand, and no rung `manual` in settings.waterfall", "add the rung, or use one of your rules")
        )
    if ask.manual is not None and ask.manual.price is not None:
        mistakes.append(Mistake("ask.manual.price", "an order has no unit price", "write percent or amount"))
    if mistakes:
        raise BadPricing(mistakes)


def _reason(prices: Prices, manual: Manual, where: str, mistakes: list[Mistake]) -> None:
    codes = prices.settings.reasons
    if codes and manual.reason not in codes:
        mistakes.append(Mistake(where, f"there is no reason {manual.reason!r}", f"use one of {', '.join(sorted(codes))}"))


def _state(prices: Prices, line: AskLine, at: int) -> State:
    item = prices.items[line.item]
    unit = line.unit or item.unit
    rate = line.tax_rate if line.tax_rate is not None else item.tax_rate if item.tax_rate is not None else prices.settings.tax_rate
    factor = ONE if unit == item.unit else item.units.get(unit)
    state = State(line, item, factor or ONE, rate)
    state.id = line.id or str(at)
    if factor is None:
        state.refusal = Refusal("unknown-unit", {"item": item.id, "unit": unit}, f"use one of {', '.join([item.unit, *item.units])}")
    return state


def _sums(states: Sequence[State]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {"order": ZERO}
    for state in states:
        for name in (f"item:{state.item.id}", f"line:{state.item.line}", "order"):
            sums[name] = sums.get(name, ZERO) + state.quantity
    return sums


def _minimum(state: State) -> None:
    """最小起订量 and pack multiple: a typed refusal, or later a fee."""
    item = state.item
    if item.moq is not None and state.quantity < item.moq and item.small_order == "refuse":
        facts = {"item": item.id, "minimum": str(item.moq), "unit": item.unit}
        state.refusal = Refusal("below-minimum", facts, f"order at least {item.moq} {item.unit}")
    elif item.multiple is not None and state.quantity % item.multiple:
        more = (state.quantity // item.multiple + 1) * item.multiple
        facts = {"item": item.id, "multiple": str(item.multiple), "unit": item.unit}
        state.refusal = Refusal("not-a-multiple", facts, f"order {more} {item.unit}")


def _small_order(question: Question, state: State) -> None:
    item = state.item
    if item.moq is None or state.quantity >= item.moq or not item.small_order_fee:
        return
    rate = question.prices.rate(question.prices.settings.currency, question.currency, question.day)
    if rate is None:
        state.refusal = Refusal("no-rate", {"item": item.id}, "add a rate for the day")
        return
    fee = item.small_order_fee / rate[0] if rate[1] else item.small_order_fee * rate[0]
    after = state.total + fee
    state.steps.append(
        Step("freight", f"small-order/{item.id}", "1", "amount", str(fee), state.total,
             after, "", f"below {item.moq} {item.unit}")
    )  # fmt: skip
    state.total, state.by_unit = after, False


def _list_total(question: Question, state: State, cart: dict[str, Decimal]) -> Decimal:
    """标准价 of the line, on the side of its own price; without one its base price."""
    if state.kind == "standard":
        return state.base_total
    with localcontext(WIDE):
        probe = State(state.ask, state.item, state.factor, state.tax_rate)
        determine(question, probe, cart, only="standard")
        if probe.refusal is not None:
            return state.base_total
        return probe.total if probe.side == state.side else other_side(probe.total, probe.side, state.tax_rate)


def _line(question: Question, state: State, cart: dict[str, Decimal]) -> Line:
    made = Line(state.id, state.item.id, state.ask.quantity, state.ask.unit or state.item.unit, steps=state.steps, tried=state.tried)
    made.refusal, made.tax_rate = state.refusal, state.tax_rate
    if state.refusal is None:
        made.price_kind, made.side, made.record = state.kind, state.side, state.record
        made.per, made.priced_units = state.per, state.price_unit_quantity
        made.base_unit, made.listing = state.unit_of(state.base_total), partial(_list_total, question, state, cart)
    return made


def _amounts(result: Priced, waterfall: Waterfall, lines: list[tuple[State, Line]]) -> None:
    places, settings = waterfall.places, result.prices.settings
    exact: dict[tuple[str, Decimal], list[tuple[State, Line, Decimal]]] = {}
    for state, line in lines:
        line.unit_price, line.unit_price_exact = state.unit_price(settings.unit_places), state.by_unit
        amount = state.amount_at(line.unit_price)
        if settings.rounding == "total":
            exact.setdefault((state.side, state.tax_rate), []).append((state, line, amount))
        else:
            _tax(state, line, half_up(amount, places), places)
    for (side, rate), group in exact.items():
        _total_first(side, rate, group, places)
    for state, line in lines:
        _last_steps(state, line, f"half_up {places} places, {settings.rounding}")
    nothing = half_up(ZERO, places)
    parts: list[Line | Charge] = [*(line for _, line in lines), *result.charges]
    result.net = sum((one.net for one in parts if one.net is not None), nothing)
    result.tax = sum((one.tax for one in parts if one.tax is not None), nothing)
    result.gross = sum((one.gross for one in parts if one.gross is not None), nothing)


def _tax(state: State, line: Line, amount: Decimal, places: int) -> None:
    """Net, tax and gross of a line from its amount on the side that was entered; that side stays exact."""
    rate = state.tax_rate
    if state.side == "included":
        line.gross, line.net = amount, half_up(amount / (ONE + rate), places)
        line.tax = line.gross - line.net
        line.tax_difference = line.tax - half_up(line.net * rate, places)
    else:
        line.net, line.tax, line.tax_difference = amount, half_up(amount * rate, places), half_up(ZERO, places)
        line.gross = line.net + line.tax


def _total_first(side: str, rate: Decimal, group: list[tuple[State, Line, Decimal]], places: int) -> None:
    """Round the total of all lines with one side and rate, and share it out to them by largest remainder."""
    weights = [amount for _, _, amount in group]
    whole = sum(weights, ZERO)
    if not whole:
        for state, line, _ in group:
            _tax(state, line, ZERO.scaleb(-places), places)
        return
    entered = half_up(whole, places)
    derived = half_up(other_side(whole, side, rate), places)
    for (_, line, _), own, other in zip(group, allocate(entered, weights, places), allocate(derived, weights, places), strict=True):
        line.net, line.gross = (other, own) if side == "included" else (own, other)
        line.tax = line.gross - line.net


def _last_steps(state: State, line: Line, rounding: str) -> None:
    net, tax, gross = line.net or ZERO, line.tax or ZERO, line.gross or ZERO
    entered = gross if state.side == "included" else net
    state.steps.append(Step("net", "rounding", "1", "round", "", state.total, entered, rounding))
    other = net if state.side == "included" else gross
    state.steps.append(Step("tax", f"tax/{state.tax_rate}", "1", "tax", str(tax), entered, other, rounding))

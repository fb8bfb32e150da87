"""What one adjustment makes of a line: whether it holds, what it measures, and the amount afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from channel.pricing.compiled import Rule
from channel.pricing.parts import Tier
from channel.pricing.state import Question, State, known, round_by, size_of, told

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
HUNDRED: Final = Decimal(100)
OPERATION: Final = {of: f"percent_of_{of}" for of in ("running", "base", "list", "rung")}
OPEN_AFTER_FINAL: Final = ("manual", "freight")
"""Rungs that may still change a final price."""


@dataclass(slots=True)
class Effect:
    """The line's amount after a rule, and how it came about."""

    total: Decimal
    by_unit: bool
    operation: str
    value: str
    rounding: str = ""


def unmet(question: Question, state: State, rule: Rule, facts: dict[str, str]) -> tuple[str, str]:
    """Why a rule is not about this line at all; two empty texts when it may be. What depends on amounts is `out_of_bounds`."""
    spec = rule.spec
    if rule.always and not state.final:
        return "", ""
    if not known(rule.recorded_at, question.known_at):
        return "not_yet_known", ""
    if question.day < rule.start:
        return "not_yet_valid", f"from {rule.start}"
    if question.day >= rule.end:
        return "expired", f"until {rule.end}"
    if missing := _condition(question, state, rule, facts):
        return "requirement_failed", missing
    if spec.unit and spec.unit != state.item.unit and spec.unit not in state.item.units:
        return "wrong_unit", spec.unit
    if state.final and spec.rung not in OPEN_AFTER_FINAL:
        return "final_price", state.kind
    return "", ""


def _condition(question: Question, state: State, rule: Rule, facts: dict[str, str]) -> str:
    """The first condition that does not hold; empty when all do."""
    for name, allowed in rule.conditions:
        if facts[name] not in allowed:
            return name
    when, ask = rule.spec.when, question.ask
    if facts["item"] in when.not_items:
        return "not_items"
    if when.regions and not any(ask.ship_to.startswith(region) for region in when.regions):
        return "region"
    for name, wanted, brought in (("terms", when.terms, ask.terms), ("coupon", when.coupons, ask.coupons)):
        if wanted and not set(wanted) & set(brought):
            return name
    return question.registered(state.item) if when.registered else ""


class Measured:
    """Sums over the lines that a rule measures together, as they stood when the rung began."""

    __slots__ = ("quantity", "states", "value")

    def __init__(self, states: Sequence[State]) -> None:
        self.states = states
        if len(states) == 1:
            self.quantity, self.value = states[0].quantity, states[0].rung_total
        else:
            self.quantity = sum((one.quantity for one in states), ZERO)
            self.value = sum((one.rung_total for one in states), ZERO)

    def by(self, what: str) -> Decimal:
        """The figure a scale asks for."""
        if what in ("weight", "volume"):
            return sum((one.quantity * size_of(one.item, what) for one in self.states), ZERO)
        return self.quantity if what == "quantity" else self.value


def out_of_bounds(question: Question, rule: Rule, measured: Measured, cart: dict[str, Decimal]) -> tuple[str, str]:
    """Why a rule does not hold for these amounts; two empty texts when it does."""
    if not rule.bounded:
        return "", ""
    rate = _rate(question, rule) if rule.money else (ONE, False)
    if rate is None:
        return "no_rate", rule.spec.currency or question.prices.settings.currency
    when = rule.spec.when
    for name, value, least, below in (
        ("quantity", measured.quantity, when.min_quantity, when.max_quantity),
        ("value", measured.value, _money(when.min_value, rate), _money(when.max_value, rate)),
    ):
        if least is not None and value < least:
            return "below_scale", f"min_{name} {_plain(least)}"
        if below is not None and value >= below:
            return "above_scale", f"max_{name} {_plain(below)}"
    for item, quantity in when.with_items.items():
        if cart.get(f"item:{item}", ZERO) < quantity:
            return "requirement_failed", f"with {quantity} of {item}"
    if unknown := _unsized(rule, measured):
        return "requirement_failed", unknown
    steps = rule.steps
    if steps is not None and steps.method != "range":
        found = steps.find(_on_scale(question, rule, measured) + _before(question, rule))
        if isinstance(found, str):
            return found, f"{steps.by} {_plain(measured.by(steps.by))}"
    return "", ""


def _unsized(rule: Rule, measured: Measured) -> str:
    """An item whose weight or volume the rule needs and nobody said; empty when all are known."""
    spec = rule.spec
    asked = (spec.per, spec.every_by if spec.every is not None else "", rule.steps.by if rule.steps else "")
    for what in ("weight", "volume"):
        if what in asked:
            bare = next((one.item.id for one in measured.states if not size_of(one.item, what)), "")
            if bare:
                return f"{bare} has no {what}"
    return ""


def effect(question: Question, state: State, rule: Rule, total: Decimal, measured: Measured) -> Effect:
    """The line's amount after the rule, starting from `total`. Rounds: only as the rule itself says."""
    spec, steps = rule.spec, rule.steps
    if rule.fraction is not None:
        of = rule.of
        made = Effect(total + reference(state, of, total) * rule.fraction, True, OPERATION[of], rule.told)
    elif spec.at_least is not None:
        least = _in_currency(question, rule, spec.at_least)
        made = Effect(max(total, least), False, "at_least", _plain(least))
    elif steps is None:
        amount = spec.amount
        if amount is not None and spec.every is not None:
            amount *= _on_scale(question, rule, measured, spec.every_by) // spec.every
        made = _flat(question, state, rule, total, spec.percent, amount, spec.fixed_price, spec.per, measured)
    elif steps.method == "range":
        made = _by_parts(question, state, rule, total, measured)
    else:
        tier = steps.find(_on_scale(question, rule, measured) + _before(question, rule))
        assert not isinstance(tier, str)  # noqa: S101  out_of_bounds looked
        fixed = tier.fixed_price if tier.fixed_price is not None else tier.price
        if steps.method == "block" and fixed is not None:
            made = Effect(_in_currency(question, rule, fixed), False, "fixed_price", f"{fixed} for all")
        else:
            per = "line" if steps.method == "block" else spec.per
            made = _flat(question, state, rule, total, tier.percent, tier.amount, fixed, per, measured)
            made.operation = f"scale_{made.operation}"
    if spec.most is not None:
        most = _in_currency(question, rule, spec.most)
        if abs(made.total - total) > most:
            made.total, made.by_unit = total + (most if made.total > total else -most), False
            made.value += f", no more than {_plain(most)}"
    if spec.round is not None and made.by_unit and state.by_unit:
        unit = round_by(state.unit_of(made.total), spec.round)
        made.total, made.rounding = unit * state.price_unit_quantity / state.per, told(spec.round)
    return made


def _flat(
    question: Question,
    state: State,
    rule: Rule,
    total: Decimal,
    percent: Decimal | None,
    amount: Decimal | None,
    fixed: Decimal | None,
    per: str,
    measured: Measured,
) -> Effect:
    sign = 1 if rule.spec.surcharge else -1
    if percent is not None:
        of = rule.of
        whole = reference(state, of, total)
        return Effect(total + sign * whole * percent / HUNDRED, True, OPERATION[of], f"{_plain(percent * sign)}%")
    if fixed is not None:
        price = _in_currency(question, rule, fixed)
        return Effect(price * _units(state, rule), True, "fixed_price", _plain(price))
    money = _in_currency(question, rule, amount or ZERO)
    if per == "unit":
        return Effect(total + sign * money * _units(state, rule), True, "amount", _plain(money * sign))
    by_unit = per in ("weight", "volume")
    times = _sized(state, rule, per, measured) if by_unit else ONE
    return Effect(total + sign * money * times, by_unit, "amount", f"{_plain(money * sign)} per {per}")


def _sized(state: State, rule: Rule, per: str, measured: Measured) -> Decimal:
    """Weight or volume of the line, or of all that an order rule is about."""
    return measured.by(per) if rule.spec.scope == "order" else state.quantity * size_of(state.item, per)


def _units(state: State, rule: Rule) -> Decimal:
    """How many units a rule's amounts are for: base units of the item, or those that the rule names."""
    unit = rule.spec.unit
    return state.quantity if not unit or unit == state.item.unit else state.quantity / state.item.units[unit]


def _by_parts(question: Question, state: State, rule: Rule, total: Decimal, measured: Measured) -> Effect:
    """Each part at its own step; a line that is measured with others gets the average of the parts, in proportion."""
    steps = rule.steps
    assert steps is not None  # noqa: S101  the caller looked
    size = _on_scale(question, rule, measured)
    parts = steps.parts(_before(question, rule), size)
    sign = 1 if rule.spec.surcharge else -1
    value = " + ".join(f"{_plain(part)}: {_of(tier)}" for part, tier in parts)
    if not size:
        return Effect(total, True, "scale_range", value)
    of = rule.of
    whole = reference(state, of, total)
    after = total
    for part, tier in parts:
        share = part / size
        if tier.percent is not None:
            after += sign * whole * share * tier.percent / HUNDRED
        elif tier.amount is not None:
            times = _sized(state, rule, rule.spec.per, measured) if rule.spec.per in ("weight", "volume") else _units(state, rule)
            after += sign * _in_currency(question, rule, tier.amount) * times * share
        else:
            fixed = tier.fixed_price if tier.fixed_price is not None else tier.price or ZERO
            after += (_in_currency(question, rule, fixed) * _units(state, rule) - whole) * share
        after += sign * tier.flat
    return Effect(after, False, "scale_range", value)


def reference(state: State, of: str, running: Decimal) -> Decimal:
    """What a percent is of."""
    if of == "running":
        return running
    return state.base_total if of == "base" else state.list_total if of == "list" else state.rung_total


def _of(tier: Tier) -> str:
    if tier.percent is not None:
        return f"{_plain(tier.percent)}%"
    if tier.amount is not None:
        return _plain(tier.amount)
    return f"= {tier.fixed_price if tier.fixed_price is not None else tier.price}"


def _on_scale(question: Question, rule: Rule, measured: Measured, by: str = "") -> Decimal:
    """What a rule's scale measures; a value in the rule's own currency."""
    by = by or (rule.steps.by if rule.steps else "quantity")
    size = measured.by(by)
    if by != "value":
        return size
    rate = _rate(question, rule)
    assert rate is not None  # noqa: S101  out_of_bounds looked
    return size * rate[0] if rate[1] else size / rate[0]


def _before(question: Question, rule: Rule) -> Decimal:
    """What was bought before, for a scale that accumulates."""
    name = rule.steps.accumulated if rule.steps else ""
    return question.ask.accumulated.get(name, ZERO) if name else ZERO


def _rate(question: Question, rule: Rule) -> tuple[Decimal, bool] | None:
    return question.prices.rate(rule.spec.currency or question.prices.settings.currency, question.currency, question.day)


def _money(amount: Decimal | None, rate: tuple[Decimal, bool]) -> Decimal | None:
    return None if amount is None else amount / rate[0] if rate[1] else amount * rate[0]


def _in_currency(question: Question, rule: Rule, amount: Decimal) -> Decimal:
    if (rule.spec.currency or question.prices.settings.currency) == question.currency:
        return amount
    rate = _rate(question, rule)
    assert rate is not None  # noqa: S101  out_of_bounds looked
    return amount / rate[0] if rate[1] else amount * rate[0]


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"

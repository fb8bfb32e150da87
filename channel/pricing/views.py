"""What a role may see of a priced cart. Cost and margin are absent for others, not null: in the answer, its trace and its refusals.

A dealer sees own rungs, and no rule that is about other dealers; whether an approval is needed, and not where the limits lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, Final

from canonical.rounding import half_up
from channel.pricing.alternatives import alternatives
from channel.pricing.asking import Ask
from channel.pricing.authority import Verdict, allowed, cost_of, judge, same_deal
from channel.pricing.compiled import Prices
from channel.pricing.pricing import WIDE, Priced, price
from channel.pricing.result import REFUSALS, Line, Refusal, Step, Tried
from channel.pricing.state import other_side

ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)
SHOWN: Final = 6
"""Most decimals of a unit price in a rung."""


def answer(prices: Prices, ask: Ask) -> dict[str, Any]:
    """Price a cart and say what the asker's role may see: prices, rungs, approval, alternatives, and for cost roles the profit.

    Raises: BadPricing.
    """
    priced = price(prices, ask)
    return view(priced, judge(priced))


@dataclass(frozen=True, slots=True)
class Sight:
    """What an asker may see, where that is known from its key and not from the role it names."""

    dealer: bool
    costs: bool


def view(priced: Priced, verdict: Verdict, *, sight: Sight | None = None) -> dict[str, Any]:
    """The part of a priced cart that the asker's role, or `sight`, may see. Decimals stay decimals."""
    with localcontext(WIDE):
        ask, settings = priced.ask, priced.prices.settings
        dealer = sight.dealer if sight else ask.role in settings.dealer_roles
        costs = (sight.costs if sight else ask.role in settings.cost_roles) and not dealer
        told: dict[str, Any] = {
            "hash": priced.hash,
            "status": "refused" if priced.refused else "priced",
            "currency": priced.currency,
            "date": ask.date,
            "rules": settings.version,
            "dealer": ask.dealer,
            **{name: value for name, value in (("customer", ask.customer), ("project", ask.project), ("deal", ask.deal)) if value},
            "net": priced.net,
            "tax": priced.tax,
            "gross": priced.gross,
            "lines": [_line(priced, line, verdict.deal_size, dealer=dealer) for line in priced.lines],
            "charges": [
                {name: getattr(one, name) for name in ("rule", "version", "name", "net", "tax_rate", "tax", "gross")}
                for one in priced.charges
            ],
            "free_goods": [
                {name: getattr(one, name) for name in ("rule", "version", "for_line", "item", "quantity", "unit", "within")}
                | ({"name": item.name} if (item := priced.prices.items.get(one.item)) and item.name else {})
                for one in priced.gifts
            ],
            "approval": _approval(verdict, dealer=dealer, costs=costs),
        }
        if priced.refusal is not None:
            told["refusal"] = _refusal(priced.refusal)
        if costs:
            told["profit"] = profit(priced)
        return told


def profit(priced: Priced) -> dict[str, Any]:
    """利润测算 for the approver: cost and margin of lines and whole, before and after the rebate expected; and the last prices."""
    with localcontext(WIDE):
        dealer = priced.prices.dealers.get(priced.ask.dealer)
        rebate = dealer.expected_rebate if dealer and dealer.expected_rebate is not None else ZERO
        rows, whole_cost, whole_net = [], ZERO, ZERO
        known = True
        for line in priced.lines:
            if line.net is None:
                continue
            cost = cost_of(priced, line)
            known = known and cost is not None
            whole_cost, whole_net = whole_cost + (cost or ZERO), whole_net + line.net
            floor = line.record.floor if line.record else None
            rows.append(
                {"line": line.id, **_margin(priced, line.net, cost, rebate), **({"floor_price": floor} if floor is not None else {})}
            )
        total = _margin(priced, whole_net, whole_cost if known else None, rebate)
        return {**total, "expected_rebate": rebate, "lines": rows, "last_prices": _last_prices(priced)}


def _margin(priced: Priced, net: Decimal, cost: Decimal | None, rebate: Decimal) -> dict[str, Any]:
    """Figures of a margin; without a cost there is none, and it is not told as zero."""
    if cost is None:
        return {"net": net, "cost": None}
    places = priced.prices.places(priced.currency)
    after = net - net * rebate / HUNDRED
    return {
        "net": net,
        "cost": half_up(cost, places),
        "margin": half_up(net - cost, places),
        "margin_percent": half_up((net - cost) * HUNDRED / net, 2) if net else None,
        "margin_after_rebate": half_up(after - cost, places),
        "margin_after_rebate_percent": half_up((after - cost) * HUNDRED / after, 2) if after else None,
    }


def _last_prices(priced: Priced) -> list[dict[str, Any]]:
    items = {line.item for line in priced.lines}
    rows = [
        {
            "item": line.item,
            "on": past.on,
            "quote": past.id,
            "unit_price": line.unit_price,
            "same_deal": same_deal(priced.ask, past, priced.prices.settings.split_days),
        }
        for past in sorted(priced.ask.past, key=lambda one: one.on, reverse=True)
        for line in past.lines
        if line.item in items and line.unit_price is not None
    ]
    return rows[:5]


def _line(priced: Priced, line: Line, size: Decimal, *, dealer: bool) -> dict[str, Any]:
    item = priced.prices.items[line.item]
    told: dict[str, Any] = {"id": line.id, "item": line.item}
    told |= {name: getattr(item, name) for name in ("name", "brand", "model") if getattr(item, name)}
    told |= {"quantity": line.quantity, "unit": line.unit}
    if item.moq is not None:
        told["minimum_quantity"] = item.moq
    if item.multiple is not None:
        told["multiple"] = item.multiple
    if item.lead_time is not None:
        told["lead_time"] = {"days": item.lead_time.days, "source": item.lead_time.source, "as_of": item.lead_time.as_of}
    if line.refusal is not None:
        told["refusal"] = _refusal(line.refusal)
    else:
        told |= _prices(priced, line)
        if priced.ask.alternatives:
            told["alternatives"] = alternatives(priced, line)
        if (span := allowed(priced, line, size)) is not None:
            places = priced.prices.settings.unit_places
            told["allowed"] = {"lowest": half_up(span[0], places), "highest": half_up(span[1], places)}
    told["waterfall"] = [_step(step, line) for step in line.steps]
    told["not_used"] = [_tried(one) for one in line.tried if not (dealer and one.about_others)]
    return told


def _prices(priced: Priced, line: Line) -> dict[str, Any]:
    places = priced.prices.settings.unit_places
    unit = ZERO if line.unit_price is None else line.unit_price
    other = half_up(other_side(unit, line.side, line.tax_rate), places)
    listed, net = line.list_net or ZERO, line.net or ZERO
    off = half_up(listed, priced.prices.places(priced.currency)) - net
    return {
        "price_kind": line.price_kind,
        "tax_side": line.side,
        "list_price": _shown(line.list_unit),
        "base_price": _shown(line.base_unit),
        "unit_price": unit,
        **({"per": line.per} if line.per != 1 else {}),
        "unit_price_exact": line.unit_price_exact,
        "unit_price_net": other if line.side == "included" else unit,
        "unit_price_gross": unit if line.side == "included" else other,
        "tax_rate": line.tax_rate,
        "net": line.net,
        "tax": line.tax,
        "gross": line.gross,
        "tax_difference": line.tax_difference,
        "discount": off,
        "discount_percent": half_up(off * HUNDRED / listed, 2) if listed else None,
    }


def _shown(value: Decimal | None) -> Decimal | None:
    """For reading: at most six decimals, no trailing zeros, and no exponent (1000, not 1E+3)."""
    if value is None:
        return None
    text = str(value)  # cheaper than its tuple, and every rung comes here
    _, _, decimals = text.partition(".")
    exponent = "E" in text
    if len(decimals) <= SHOWN and not exponent and decimals[-1:] != "0":
        return value
    if exponent or len(decimals) > SHOWN:
        value = half_up(value, SHOWN)
        _, _, decimals = str(value).partition(".")
    return value.normalize() if decimals.strip("0") else value.to_integral_value()


def _step(step: Step, line: Line) -> dict[str, Any]:
    told: dict[str, Any] = {
        "rung": step.rung,
        "rule": step.rule,
        "version": step.version,
        "operation": step.operation,
        "value": step.value,
        "before": None if step.amount_before is None else _shown(step.amount_before * line.per / line.priced_units),
        "after": _shown(step.amount_after * line.per / line.priced_units),
        "amount_before": _shown(step.amount_before),
        "amount_after": _shown(step.amount_after),
    }
    for name in ("rounding", "note", "who"):
        if value := getattr(step, name):
            told[name] = value
    return told


def _tried(one: Tried) -> dict[str, Any]:
    told = {"rung": one.rung, "rule": one.rule, "version": one.version, "reason": one.reason}
    return told | ({"detail": one.detail} if one.detail else {})


def _refusal(one: Refusal) -> dict[str, Any]:
    zh, en = REFUSALS[one.code]
    return {"code": f"pricing/{one.code}", "what": en, "zh": zh, "facts": one.facts, "next_step": one.next_step}


def _approval(verdict: Verdict, *, dealer: bool, costs: bool) -> Mapping[str, Any]:
    """A dealer learns whether it needs more than its own role; a seller also whose; only cost roles learn that the margin was the reason.

    What nobody may grant a dealer sees as what needs an approval: the price at which the one becomes the other would tell the cost.
    """
    if dealer:
        return {"result": "auto" if verdict.result == "auto" else "approval"}
    told: dict[str, Any] = {
        "result": verdict.result,
        "level": verdict.level,
        "role": verdict.role,
        "deal_size": half_up(verdict.deal_size, 2),
    }
    told["needs"] = [
        {"subject": one.subject, "level": one.level, **({"band": one.band} if one.band else {}),
         "why": one.why if costs or one.why != "margin" else "limits"}
        for one in verdict.needs
    ]  # fmt: skip
    return told

"""What a question about prices is answered with: rungs, rules tried and not used, refusals, totals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from channel.pricing.records import Record

REFUSALS: dict[str, tuple[str, str]] = {
    "no-price": ("没有找到价格", "No price was found"),
    "no-rate": ("没有汇率", "A rate of exchange is missing"),
    "below-minimum": ("低于最小起订量", "Less than the minimum order quantity"),
    "not-a-multiple": ("不是包装的整数倍", "No multiple of the pack"),
    "unknown-unit": ("没有这个单位", "The item is not sold in this unit"),
    "outside-territory": ("超出授权区域", "Shipped outside of the territory"),
    "over-ceiling": ("超过特批价数量", "More than the special price covers"),
    "mixed-tax-sides": ("含税与未税混用", "A rule for the whole order meets lines with and without tax"),
    "below-zero": ("价格低于零", "The discounts take more than the price"),
    "not-yours": ("不是您的价格", "Another dealer's prices"),
}
"""Typed refusals: code, and the words in Chinese and English."""


@dataclass(slots=True)
class Step:
    """One rule at one rung. The amounts are those of the line, on its side, not yet rounded unless `rounding` says so."""

    rung: str
    rule: str
    version: str
    operation: str
    """base, percent_of_running, percent_of_base, percent_of_list, percent_of_rung, amount, fixed_price, scale, share, round, tax"""
    value: str
    amount_before: Decimal | None
    amount_after: Decimal
    rounding: str = ""
    note: str = ""
    who: str = ""


@dataclass(slots=True)
class Tried:
    """A rule that was looked at and not used, and why."""

    rung: str
    rule: str
    version: str
    reason: str
    """not_found, expired, not_yet_valid, not_yet_known, superseded, below_scale, above_scale, requirement_failed, used_up, not_approved,
    fenced, no_rate, wrong_unit, beaten, excluded, final_price, not_lower, not_higher"""
    detail: str = ""
    about_others: bool = False
    """Would tell one dealer about another: left out of a dealer's answer."""


@dataclass(slots=True)
class Refusal:
    """Why a line, or the cart, has no price."""

    code: str
    facts: dict[str, str] = field(default_factory=dict)
    next_step: str = ""


@dataclass(slots=True)
class Line:
    """One line, priced or refused. Amounts in the cart's currency."""

    id: str
    item: str
    quantity: Decimal
    unit: str
    price_kind: str = ""
    side: str = ""
    """The side that was entered (included 含税, excluded 未税): exact; the other is derived."""
    base_unit: Decimal | None = None
    unit_price: Decimal | None = None
    """Net of discounts, on `side`, for `per` units."""
    per: Decimal = Decimal(1)
    priced_units: Decimal = Decimal(1)
    """The quantity in the unit that the price is for: unit price = amount x per / priced units."""
    unit_price_exact: bool = True
    """False when the amount is not unit price x quantity (a range, a share of an order's discount)."""
    tax_rate: Decimal = Decimal(0)
    net: Decimal | None = None
    tax: Decimal | None = None
    gross: Decimal | None = None
    tax_difference: Decimal = Decimal(0)
    steps: list[Step] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    refusal: Refusal | None = None
    record: Record | None = None
    """Where the base price was kept."""
    listing: Callable[[], Decimal] | None = None
    """Looks the standard price up; None for a refused line. Asked when somebody wants to know: a price does not need it."""
    list_total: Decimal | None = None

    @property
    def list_amount(self) -> Decimal | None:
        """The line at standard price, on its side; at its base price where it has no standard price."""
        if self.list_total is None and self.listing is not None:
            self.list_total = self.listing()
        return self.list_total

    @property
    def list_unit(self) -> Decimal | None:
        """Standard price of the unit that the line is priced in."""
        amount = self.list_amount
        return None if amount is None else amount * self.per / self.priced_units

    @property
    def list_net(self) -> Decimal | None:
        """At standard price without tax: what a total discount is measured from."""
        amount = self.list_amount
        return amount if amount is None or self.side == "excluded" else amount / (1 + self.tax_rate)


@dataclass(slots=True)
class Charge:
    """A charge beside the lines, such as freight."""

    rule: str
    version: str
    name: str
    net: Decimal
    tax_rate: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(slots=True)
class Gift:
    """赠品. On top of the order; its list value is told for the tax decision, which is another document's."""

    rule: str
    version: str
    for_line: str
    item: str
    quantity: Decimal
    unit: str
    within: bool

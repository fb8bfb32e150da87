"""What a programme counts: who takes part, which lines, which event and measure, over which periods, and whose sales read together."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from channel.rebates.values import Code, Number, Span, Strict

Event = Literal["order", "delivery", "invoice", "payment", "sell_out"]
"""订单, 发货, 开票, 回款, 终端销售: which business event makes a line count, and whose date puts it into a period."""
Measure = Literal["amount", "quantity"]
Dimension = Literal["dealer", "product_line", "product", "brand", "region", "channel", "customer", "company", "project", "document", "line"]
Period = Literal["month", "quarter", "half", "year", "life", "custom"]
Reduction = Literal["return", "credit", "price_change"]


class Filter(Strict):
    """Which lines are meant. Every condition that is written must hold; of a list, one value is enough.

    Regions are GB/T 2260 codes and match by their beginning: 31 means all of Shanghai. `attributes` names further columns of the facts.
    """

    products: tuple[Code, ...] = ()
    product_lines: tuple[Code, ...] = ()
    brands: tuple[Code, ...] = ()
    regions: tuple[Code, ...] = ()
    channels: tuple[Code, ...] = ()
    customers: tuple[Code, ...] = ()
    companies: tuple[Code, ...] = ()
    projects: tuple[Code, ...] = ()
    price_kinds: tuple[Code, ...] = ()
    attributes: dict[str, tuple[Code, ...]] = Field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """True when nothing is asked."""
        return not any(getattr(self, name) for name in type(self).model_fields)


class Scope(Filter):
    """The lines that a programme is about (适用范围); `exclude` takes out every line that has one of its values."""

    exclude: Filter = Filter()


class Membership(Span):
    """A dealer who takes part for some of the time."""

    dealer: Code


class Participants(Strict):
    """Who takes part (参与方): all dealers, or those named or described. Every description that is written must hold."""

    all: bool = False
    dealers: tuple[Code, ...] = ()
    members: tuple[Membership, ...] = ()
    grades: tuple[Code, ...] = ()
    regions: tuple[Code, ...] = ()
    channels: tuple[Code, ...] = ()
    exclude: tuple[Code, ...] = ()
    """Dealers who never take part."""

    @model_validator(mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if value == "all":
            return {"all": True}
        return {"dealers": value} if isinstance(value, list) else value


class Weight(Filter):
    """Lines that count more or less than their amount when the tier is read (考核系数). Pay is not weighted unless `pay` says so."""

    weight: Number
    pay: bool = False


class Base(Strict):
    """What is counted (计算基数).

    measure: what the tiers are read on. A rate always pays on the amount, an amount per unit always on the quantity.
    tax: whether the amount counted is without tax (不含税) or with it (含税).
    net_of: which kinds of negative line lower the base; none of them counts if it is not named.
    returns_in: return_period puts a return where it happened, original_period where the sale was (that period is rated again).
    """

    event: Event
    measure: Measure
    tax: Literal["exclusive", "inclusive"]
    net_of: tuple[Reduction, ...]
    returns_in: Literal["return_period", "original_period"] = "return_period"
    paid_invoices_only: bool = False
    """Only lines of invoices that are paid in full at the cut-off."""
    exclude_price_kinds: tuple[Code, ...] = ()
    unit: Code | None = None
    units: dict[str, Number] = Field(default_factory=dict)
    """How many of `unit` another unit is: `{箱: 12}`."""
    weights: tuple[Weight, ...] = ()

    @field_validator("net_of", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        words = {"returns": "return", "credits": "credit", "price_changes": "price_change"}
        if value in (None, "nothing", "none"):
            return ()
        value = [value] if isinstance(value, str) else value
        return [words.get(item, item) if isinstance(item, str) else item for item in value] if isinstance(value, list) else value


class NamedPeriod(Span):
    """A period of our own: first day included, last day not."""

    name: str = Field(min_length=1, max_length=60)


class Calendar(Strict):
    """The periods that tiers are read over and money is settled by (考核周期), in business days (Asia/Shanghai).

    fiscal_start: the month that a year begins with. prorate: a period that the programme or the dealer only partly covers lowers its
    thresholds and targets by days or by months; `none` leaves them whole. annualise: `months` reads the tier on what the months run
    so far would make in a full period (a forecast; the rate found pays on what was really sold).
    settle: how often a part is paid while the period runs; empty: once, after the period.
    late_days: facts that arrive up to so many days after the period's end still belong to its statement. pay_day: days after the end.
    """

    period: Period
    fiscal_start: int = Field(default=1, ge=1, le=12)
    periods: tuple[NamedPeriod, ...] = ()
    prorate: Literal["none", "days", "months"] = "none"
    annualise: Literal["none", "months"] = "none"
    settle: Literal["month", "quarter", "half", "year"] | None = None
    late_days: int = Field(default=0, ge=0, le=366)
    pay_day: int | None = Field(default=None, ge=0, le=366)


class Grouping(Strict):
    """Whose sales are read together for a tier, and to whom it pays.

    by: one tier reading for each combination (`dealer`, or `dealer` x `product_line`, or each `document`).
    group: `parent` reads the tier on a dealer and all dealers under it together; `all` on all participants together.
    pays: each member on its own sales (member), or the head of the group on all (head).
    """

    by: tuple[Dimension, ...] = ("dealer",)
    group: Literal["none", "parent", "all"] = "none"
    pays: Literal["member", "head"] = "member"

"""A rebate programme (返利政策) as a finance person writes it: one file, one version, nothing left to guess.

The file format with an example of every field is docs/rebates.md. `check` in channel.rebates.checking says whether a programme is
clear enough to be published; these models only hold what is written, and refuse a field they do not know.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from canonical.rounding import Mode
from canonical.values import BadValue
from channel.rebates.values import Code, Currency, Day, Name, Number, Rate, Share, Span, Strict

Event = Literal["order", "delivery", "invoice", "payment", "sell_out"]
"""订单, 发货, 开票, 回款, 终端销售: which business event makes a line count, and whose date puts it into a period."""
Measure = Literal["amount", "quantity"]
Bands = Literal[
    "retroactive", "marginal", "rolling", "total", "fixed", "fixed_each", "per_unit", "per_unit_marginal", "linear", "increment"
]
Method = Literal[
    "retroactive", "marginal", "rolling", "total", "fixed", "fixed_each", "per_unit", "per_unit_marginal", "linear", "increment",
    "growth", "target", "mix",
]  # fmt: skip
"""The named ways from base to rebate. The first ten say how tiers apply; growth, target and mix say what the tiers are read on and name
one of the first ten as their `bands`.

retroactive (追溯, all units): the reached tier's rate on the whole. marginal (超额累进, D365 stepped): each tier's rate on its own part.
rolling (D365): every reached tier's rate on the sales up to that tier's end. total (D365): every reached tier's rate on the whole.
fixed: the reached tier's amount. fixed_each: the amounts of all reached tiers. per_unit: the reached tier's amount for every unit.
per_unit_marginal: each tier's amount for the units inside it. linear: rate or amount between two points on the straight line between
them. increment: the reached tier's amount for each full step above its `from`.
"""
Direction = Literal["at_least", "above"]
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


class Goods(Strict):
    """Goods as rebate (货返): `quantity` of `product` for each full `per` of the base; without `per` once."""

    product: Code
    quantity: Number
    per: Number | None = None
    unit_value: Number | None = None
    """What one unit is worth in the programme's currency; the rebate's value is quantity x unit value. Absent: worth is not money here."""


class Tier(Strict):
    """A step (档): from `from` up to but without `to`; the last one may be open.

    It gives a rate, an amount per unit or both of these, an amount, or goods.

    from, to: in what the tiers are read on; shares (achievement, growth in percent, mix) as `80 %` or 0.8.
    """

    from_: Rate = Field(alias="from")
    to: Rate | None = None
    rate: Rate | None = None
    per_unit: Number | None = None
    amount: Number | None = None
    step: Number | None = Field(default=None, gt=0)
    """Size of a step for the method `increment`."""
    goods: Goods | None = None
    name: Name | None = None

    @property
    def gives(self) -> tuple[str, ...]:
        """Which of the four ways of giving are written."""
        return tuple(name for name in ("rate", "per_unit", "amount", "goods") if getattr(self, name) is not None)


PaysOn = Literal["whole", "increment", "above_from", "above_first", "above", "focus"]
"""whole: all of the base. increment: the part above the baseline or target. above_from: the part above the reached tier's `from`.
above_first: the part above the first tier's `from`. above: the part above `pays_above`. focus: the lines in the mix's focus."""


class Growth(Strict):
    """Growth over a baseline (同比增长).

    tier_on: `percent` (growth / baseline) or `amount` (base - baseline, in the base's measure).
    no_baseline: what a dealer without baseline, or with one of zero, gets: nothing, or what the first tier gives on the whole.
    """

    tier_on: Literal["percent", "amount"]
    pays_on: Literal["increment", "whole", "above_from"]
    bands: Bands
    baseline: Literal["same_period_last_year", "previous_period", "given"]
    no_baseline: Literal["nothing", "first_tier"] = "nothing"


class Target(Strict):
    """Achievement of a target (目标达成率): base / target.

    Targets are given as facts of kind `target`, or here: `each` for every dealer, `dealers` for one. They are per period.
    """

    pays_on: Literal["whole", "increment", "above_from"]
    bands: Bands
    each: Number | None = None
    dealers: dict[str, Number] = Field(default_factory=dict)


class Mix(Strict):
    """The make-up of the base (产品组合).

    tier_on: `share` of the focus in the base, `amount` or `quantity` of the focus, or `count` of different values of `count_of`.
    """

    focus: Filter = Filter()
    tier_on: Literal["share", "amount", "quantity", "count"]
    count_of: Literal["product", "product_line", "brand"] = "product_line"
    pays_on: Literal["whole", "focus"]
    bands: Bands


class GateShare(Strict):
    """How much is paid for a gate's value in `[from, to)`."""

    from_: Rate = Field(alias="from")
    to: Rate | None = None
    share: Share


class Gate(Strict):
    """A condition of being paid (门槛). What is earned stays; what is not paid is lost, or held until the condition is met.

    kind: collection (回款率: paid by cut-off on invoices due by cut-off / those invoices), target (达成率), minimum_amount,
    minimum_quantity, overdue_amount, overdue_share (逾期), complaints (投诉), mix_share, mix_amount, mix_quantity, mix_count (of
    `focus`), measure (a named figure that comes as facts).
    at_least / at_most: the condition. scale: shares by value instead. otherwise: what happens if it is not met.
    of: whose invoices, `scope` (the lines of this programme) or `all` of the dealer. invoices: of the period (usual for
    collection) or `all` up to the cut-off (usual for overdue). target, targets: for a target gate, for everybody or by dealer.
    """

    kind: Literal[
        "collection", "target", "minimum_amount", "minimum_quantity", "overdue_amount", "overdue_share", "complaints",
        "mix_share", "mix_amount", "mix_quantity", "mix_count", "measure",
    ]  # fmt: skip
    at_least: Rate | None = None
    at_most: Rate | None = None
    scale: tuple[GateShare, ...] = ()
    otherwise: Literal["zero", "share", "hold"] | None = None
    share: Share | None = None
    of: Literal["scope", "all"] = "all"
    invoices: Literal["period", "all"] | None = None
    focus: Filter = Filter()
    count_of: Literal["product", "product_line", "brand"] = "product_line"
    measure: Code | None = None
    target: Number | None = None
    targets: dict[str, Number] = Field(default_factory=dict)
    grace_days: int = Field(default=0, ge=0, le=366)
    """Overdue starts so many days after the due date."""
    no_value: Literal["pass", "fail"] = "pass"
    """What a missing figure (nothing due, no target) means."""
    name: Name | None = None


class Cap(Strict):
    """An upper bound (封顶): an amount, a share of the base, or both (the lower one), per period, fiscal year or whole life."""

    amount: Number | None = Field(default=None, ge=0)
    rate: Rate | None = Field(default=None, ge=0)
    per: Literal["period", "year", "life"] = "period"


class Guarantee(Strict):
    """A guaranteed minimum (保底) per period: the shortfall is paid on top. cumulative: what was earned above it earlier lowers it."""

    amount: Number = Field(gt=0)
    cumulative: bool = False


class Budget(Strict):
    """What all dealers together may get (总预算). first_come: as tiers were reached, then by dealer. pro_rata: all alike."""

    amount: Number = Field(gt=0)
    per: Literal["period", "life"] = "period"
    share: Literal["first_come", "pro_rata"]


class Limits(Strict):
    """Bounds of what is paid, applied after stacking and gates and before rounding."""

    cap: Cap | None = None
    floor: Number | None = Field(default=None, ge=0)
    """Least amount for a dealer who reached a tier and passed every gate."""
    guarantee: Guarantee | None = None
    budget: Budget | None = None


class Stacking(Strict):
    """What happens where several programmes touch the same line (叠加).

    order: lower runs first. base: `gross` counts the line whole; `net_of_earlier` takes off what earlier programmes gave for it.
    lowers_later: whether what this one gives is taken off for later ones. mode: `together`; `exclusive` skips lines for which an earlier
    programme gave something; `best_of` pays only the best programme of the `group` for each dealer and period.
    """

    order: int = Field(ge=0, le=100_000)
    base: Literal["gross", "net_of_earlier"]
    lowers_later: bool = True
    mode: Literal["together", "exclusive", "best_of"] = "together"
    group: Code | None = None


class Accrual(Strict):
    """What is booked before it is settled (预提): cumulative, so a changed view catches up in one step.

    by: `rate` (a rate of our own on the base so far), `earned` (what the method gives today), `expected` (the tier that
    `expected_base` would reach, on the base so far). rates: a rate from a day on; the one in force at the cut-off counts for all.
    """

    by: Literal["rate", "earned", "expected"]
    rate: Rate | None = None
    rates: tuple[AccrualRate, ...] = ()
    expected_base: Number | None = None
    expected: tuple[AccrualBase, ...] = ()


class AccrualRate(Strict):
    """A rate in force from a day on."""

    from_: Day = Field(alias="from")
    rate: Rate


class AccrualBase(Strict):
    """The base that is expected for the whole period, as seen from a day on."""

    from_: Day = Field(alias="from")
    base: Number


class Settlement(Strict):
    """How it is paid and taken back.

    ways: credit_note (红字), offset (抵扣), cash (现金), goods (货返), fund_pool; the first is the usual one.
    claw_back: whether later returns may make a settlement negative. If not, what is too much is carried and set against later ones.
    negative: a negative rebate (returns above sales) is allowed, zero, or carried to the next period.
    """

    ways: tuple[Literal["credit_note", "offset", "cash", "goods", "fund_pool"], ...] = ("credit_note",)
    claw_back: bool = True
    negative: Literal["allowed", "zero", "carried"] = "zero"
    tax_rate: Share | None = None
    """VAT inside a payout with tax; the statement then shows the part without tax."""


class Rounding(Strict):
    """Once per payable, in the currency's smallest unit. shares: how lines get their part.

    per: `result` rounds each dealer x scope x period; `dealer` rounds a dealer's period as a whole and shares that out over its
    scopes. Absent: `dealer` where tiers are read by line or document, which are no payables, else `result`.
    """

    places: int = Field(default=2, ge=0, le=6)
    mode: Mode = "half_up"
    shares: Literal["largest_remainder", "last_line"] = "largest_remainder"
    per: Literal["result", "dealer"] | None = None


class Fx(Strict):
    """Other currencies: converted by the rate of the event's day, of the period's last day, or a fixed one. rates: from a day on."""

    date: Literal["event", "period_end", "fixed"]
    rates: tuple[FxRate, ...]


class FxRate(Strict):
    """One unit of `currency` is `rate` units of the programme's currency, from a day on."""

    currency: Currency
    rate: Number = Field(gt=0)
    from_: Day | None = Field(default=None, alias="from")


class PassThrough(Strict):
    """What a dealer hands on to the second level (二级): `rate` of what it receives, by the second level's own base. Units as the base."""

    rate: Share
    by: Literal["amount", "quantity"] = "amount"


class Versioned(Strict):
    """A programme of any kind, by its code and version. Once published it never changes; a change is a new version."""

    programme: Code
    version: int = Field(ge=1, le=100_000)

    @property
    def key(self) -> str:
        """Code and version: `pumps-2026@3`."""
        return f"{self.programme}@{self.version}"

    @property
    def hash(self) -> str:
        """A fingerprint of everything that is written in it; results name it."""
        said = json.dumps(self.model_dump(mode="json", by_alias=True), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()


class Programme(Versioned):
    """One version of a rebate programme. Once published it never changes; a change is a new version."""

    type: Literal["rebate"] = "rebate"
    name: Name
    note: str = ""
    currency: Currency
    valid: Span
    participants: Participants
    scope: Scope = Scope()
    tier_scope: Scope | None = None
    """Lines that the tier is read on, where they are other than those that pay."""
    base: Base
    calendar: Calendar
    grouping: Grouping = Grouping()
    method: Method
    pays_on: Literal["whole", "above_from", "above_first", "above"] = "whole"
    pays_above: Number | None = Field(default=None, ge=0)
    growth: Growth | None = None
    target: Target | None = None
    mix: Mix | None = None
    boundary: Direction | None = None
    """at_least: `[from, to)`, reaching `from` exactly is enough. above: `(from, to]`, one has to pass it."""
    above_top: Literal["continue", "cap", "nothing"] | None = None
    """If the last tier has a `to`: beyond it the tier goes on, the base counts only up to it, or nothing is given."""
    allow_falling: bool = False
    tiers: Annotated[tuple[Tier, ...], Field(max_length=500)] = ()
    gates: tuple[Gate, ...] = ()
    limits: Limits = Limits()
    stacking: Stacking | None = None
    accrual: Accrual | None = None
    settlement: Settlement = Settlement()
    rounding: Rounding = Rounding()
    fx: Fx | None = None
    pass_through: PassThrough | None = None

    @model_validator(mode="after")
    def _one_block(self) -> Self:
        for block in ("growth", "target", "mix"):
            if (getattr(self, block) is not None) != (self.method == block):
                raise BadValue(f"the part `{block}` and the method {self.method} do not go together")
        return self

    @property
    def bands(self) -> Bands:
        """How the tiers apply, whatever they are read on."""
        block = self.growth or self.target or self.mix
        return block.bands if block is not None else self.method  # type: ignore[return-value] # the validator: no block, a band method

    @property
    def part(self) -> PaysOn:
        """Which part of the base the reward is on."""
        block = self.growth or self.target or self.mix
        return block.pays_on if block is not None else self.pays_on

    @property
    def rounds_together(self) -> bool:
        """True when a dealer's period is rounded as a whole and shared out over its results."""
        return (self.rounding.per or ("dealer" if {"line", "document"} & set(self.grouping.by) else "result")) == "dealer"


Accrual.model_rebuild()
Fx.model_rebuild()

"""How what is earned becomes money: gates, limits, stacking, accrual, settlement, rounding, other currencies, the second level."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, Literal

from pydantic import Field

from canonical.rounding import Mode
from channel.rebates.counted import Filter
from channel.rebates.values import Code, Currency, Day, Name, Number, Rate, Share, Strict

BY_MEMO: Final = frozenset(("credit_note", "cash"))
"""Ways of settlement that become a memo in the ERP; the others stay on the dealer's account until an order uses them."""


def unsaid(value: Any) -> bool:
    """A field that came later than the first published programmes is left out of their fingerprint."""
    return value is None


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
    expires_days, expires_on: until when money on the dealer's account can be used; by the ways that stay there.
    """

    ways: tuple[Literal["credit_note", "offset", "cash", "goods", "fund_pool"], ...] = ("credit_note",)
    claw_back: bool = True
    negative: Literal["allowed", "zero", "carried"] = "zero"
    tax_rate: Share | None = None
    """VAT inside a payout with tax; the statement then shows the part without tax."""
    expires_days: int | None = Field(default=None, ge=1, le=3660, exclude_if=unsaid)
    """What stays on the dealer's account can be used for so many days after the day it was settled on."""
    expires_on: Day | None = Field(default=None, exclude_if=unsaid)
    """The last day on which what stays on the dealer's account can be used."""

    @property
    def by_memo(self) -> bool:
        """True when the usual way is a memo in the ERP; otherwise the money stays on the dealer's account until an order uses it."""
        return self.ways[0] in BY_MEMO

    def last_day(self, settled_on: date) -> date | None:
        """The last business day on which what was settled on a day can be used; None: it does not expire."""
        return self.expires_on if self.expires_days is None else settled_on + timedelta(days=self.expires_days)


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


Accrual.model_rebuild()
Fx.model_rebuild()

"""A rebate programme (返利政策) as a finance person writes it: one file, one version, nothing left to guess.

Every field is on docs/rebates-programme.md. `check` in channel.rebates.checking says whether a programme is
clear enough to be published; these models only hold what is written, and refuse a field they do not know.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from canonical.values import BadValue
from channel.rebates.counted import Base, Calendar, Filter, Grouping, Participants, Scope
from channel.rebates.payment import Accrual, Fx, Gate, Limits, PassThrough, Rounding, Settlement, Stacking
from channel.rebates.values import Code, Currency, Name, Number, Rate, Span, Strict

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

"""Discounts, surcharges, fixed prices and gifts as a pricing file says them: when each holds, what it does, and what excludes what.

Days are business days (Asia/Shanghai); a validity is half-open, as in :mod:`channel.pricing.model`.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from channel.pricing.parts import ZERO, By, Mode, Rounding, Scale, Strict
from channel.pricing.words import Currency, Day, Kinds, Moment, Money, Percent, Positive, Rate, Rung, Text, Texts, Whole, described

EFFECTS = ("percent", "amount", "fixed_price", "at_least", "scale", "free")
"""What an adjustment does: one of these."""


class When(Strict):
    """What must hold for a rule. Lists mean one of them; an empty condition holds for everything."""

    items: Texts = described("Items.", default=())
    lines: Texts = described("Product lines.", default=())
    categories: Texts = described("Categories.", default=())
    brands: Texts = described("Brands.", default=())
    not_items: Texts = described("Not these items.", default=())
    dealers: Texts = described("Dealers.", default=())
    grades: Texts = described("Dealer grades.", default=())
    channels: Texts = described("Channel types.", default=())
    customers: Texts = described("End customers.", default=())
    companies: Texts = described("Selling companies.", default=())
    regions: Texts = described("Ship-to regions, prefixes.", default=())
    projects: Texts = described("Registered projects.", default=())
    price_kinds: Kinds = described("Price kinds of the base price.", default=())
    currencies: Texts = described("Currencies of the cart.", default=())
    terms: Texts = described("工程条款 and payment terms that the cart asks for.", default=())
    coupons: Texts = described("Coupons that the cart brings.", default=())
    registered: bool = described("Only with a live registration.", default=False)
    min_quantity: Money | None = described(
        "Base units of the line (of all matching lines with scope group or order), at least.", default=None
    )
    max_quantity: Money | None = described("Below this.", default=None)
    min_value: Money | None = described(
        "Amount of the line when the rung begins (of all matching lines with scope group or order), at least.", default=None
    )
    max_value: Money | None = described("Below this.", default=None)
    with_items: dict[str, Positive] = described("Other items in the cart with their least quantity, e.g. {A: 2}.", default_factory=dict)

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        for what, least, below in (("quantity", self.min_quantity, self.max_quantity), ("value", self.min_value, self.max_value)):
            if least is not None and below is not None and below <= least:
                raise ValueError(f"no {what} is at least {least} and below {below} | max_{what} is above min_{what}")
        return self


class Free(Strict):
    """赠品: goods given along."""

    item: str = described("What; else the same item.", default="")
    quantity: Positive = described("How many.")
    for_each: Positive | None = described("For each so many bought; without it once.", default=None)
    method: Literal["full", "proportional", "exact"] = described(
        "With `for_each`: full: for each so many in full. proportional: in proportion. exact: only when nothing is left over.",
        default="full",
    )
    round: Rounding | None = described("Rounding of a proportional quantity; else down to whole ones.", default=None)
    after: Money = described("Counting begins after so many.", default=ZERO)
    most: Positive | None = described("No more than this.", default=None)
    within: bool = described("The free ones are part of the quantity ordered (内含), not on top (外加).", default=False)

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.for_each is None and (self.method != "full" or self.after):
            raise ValueError("nothing says for how many | add for_each")
        if self.round is not None and self.method != "proportional":
            raise ValueError("only a proportional quantity has to be rounded | add method: proportional, or leave round out")
        return self


class Adjustment(Strict):
    """A discount, surcharge, price, minimum or gift at one rung. Exactly one of percent, amount, fixed_price, at_least, scale, free."""

    id: Text = described("Number.")
    version: Text = described("Version.", default="1")
    name: str = described("For people.", default="")
    rung: Rung = described("Where in the waterfall: agreement, volume, promotion, project, manual, freight, or one of yours.")
    mode: Mode = described("exclusive, best, compound (of what is left), original (of the base price, added), always.", default="compound")
    group: str = described("Exclusion group; else all of its rung.", default="")
    order: Whole = described("Lower goes first, and wins among exclusive ones.", default=0)
    when: When = described("Conditions.", default_factory=When)
    scope: Literal["line", "group", "order"] = described(
        "line; group: measured over all matching lines together; order: one amount, shared out to them. `per: order` says order too.",
        default="line",
    )
    percent: Percent | None = described("Percent off; with surcharge: on top.", default=None)
    amount: Money | None = described("Amount off, `per` unit, line or order.", default=None)
    fixed_price: Money | None = described("Price of a unit instead of the one so far.", default=None)
    at_least: Money | None = described(
        "A minimum value: brings the line (with scope order: all matching lines together) up to this amount.", default=None
    )
    scale: Scale | None = described("阶梯.", default=None)
    free: Free | None = described("赠品.", default=None)
    per: Literal["unit", "line", "order", "weight", "volume"] = described(
        "What the amount is for: a unit, a kg (weight), a m³ (volume), the line, the order. With scope order: order, when not said.",
        default="unit",
    )
    unit: str = described("Unit that its amounts and fixed prices are for; else the item's base unit.", default="")
    share_by: By = described("With scope order: what the lines share the amount by; by quantity where that is nothing.", default="value")
    of: Literal["running", "base", "list", "rung"] | None = described(
        "Percent of: price so far, base price, standard price, price when the rung began; else as the mode says.",
        default=None,
    )
    surcharge: bool = described("Adds instead of taking off.", default=False)
    separate: bool = described("freight: a charge of its own beside the lines, with its own tax.", default=False)
    tax_rate: Rate | None = described("Tax rate of a separate charge.", default=None)
    only_if_lower: bool = described("Not used when it would raise the price.", default=False)
    only_if_higher: bool = described("Only used when it raises the price: with fixed_price a lowest price.", default=False)
    every: Positive | None = described(
        "The amount counts once for every so many in full (每满减); with amount per line or order.", default=None
    )
    every_by: By = described("What `every` counts.", default="quantity")
    most: Money | None = described("Takes off (or adds) no more than this, on the line or the order.", default=None)
    currency: Currency | None = described("Currency of its amounts; else `settings.currency`.", default=None)
    round: Rounding | None = described("Rounding of the unit price after it.", default=None)
    valid_from: Day | None = described("First day.", default=None)
    valid_to: Day | None = described("Day after the last.", default=None)
    recorded_at: Moment | None = described("When it became known.", default=None)

    @model_validator(mode="before")
    @classmethod
    def _of_order(cls, told: Any) -> Any:
        """An amount per order is one of the order, and the other way round, where only one of the two is said."""
        if isinstance(told, dict):
            if told.get("per") == "order" and "scope" not in told:
                return {**told, "scope": "order"}
            if told.get("scope") == "order" and "per" not in told:
                return {**told, "per": "order"}
        return told

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in EFFECTS if getattr(self, name) is not None]
        if len(given) != 1:
            told = "says no effect" if not given else f"says {' and '.join(given)}"
            raise ValueError(f"{self.id} {told} | write exactly one of {', '.join(EFFECTS)}")
        if self.scope == "order" and (self.fixed_price is not None or self.free is not None or self.unit):
            raise ValueError(f"{self.id}: an order has no unit, no unit price and no gift of its own | use scope line or group")
        if self.per == "order" and self.scope != "order":
            raise ValueError(f"{self.id}: an amount per order for each {self.scope} | write scope: order, or per: line")
        graduated = self.scale is not None and self.scale.method == "range" and any(tier.amount is not None for tier in self.scale.tiers)
        if graduated and self.per in ("line", "order"):
            raise ValueError(f"{self.id}: a range takes its amounts off each unit of a part | add per: unit, or use method: point")
        if self.share_by != "value" and (self.scope != "order" or self.separate):
            raise ValueError(f"{self.id}: nothing is shared out | only scope: order in the lines has share_by")
        if self.every is not None and (self.amount is None or self.per == "unit"):
            raise ValueError(
                f"{self.id}: only an amount per line or order can count for every so many | write amount and per: line or per: order"
            )
        if self.tax_rate is not None and not self.separate:
            raise ValueError(f"{self.id}: what stands in the lines has their tax | add separate: true, or leave tax_rate out")
        if self.separate and not (self.scope == "order" and (self.surcharge or self.at_least is not None)):
            raise ValueError(f"{self.id}: only a surcharge of the order can stand by itself | add scope: order and surcharge: true")
        return self


class Exclusion(Strict):
    """What holds between groups of adjustments."""

    id: Text = described("Number.")
    kind: Literal["best", "least", "best_group", "least_group", "excludes"] = described(
        "best, least: one member stays. best_group, least_group: one group stays. excludes: any of the first, none of the others."
    )
    groups: Texts = described("Groups; for `excludes` the first one excludes the rest.")

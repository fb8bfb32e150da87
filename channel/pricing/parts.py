"""The parts that prices and adjustments share: steps of a scale, rounding, and the words for them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from channel.pricing.words import BYS, METHODS, MODES, SIDES, Money, Num, Percent, Places, Positive, described, words

Side = Annotated[Literal["included", "excluded"], BeforeValidator(words(SIDES))]
Method = Annotated[Literal["point", "range", "block"], BeforeValidator(words(METHODS))]
Mode = Annotated[Literal["exclusive", "best", "compound", "original", "always"], BeforeValidator(words(MODES))]
By = Annotated[Literal["quantity", "value", "weight", "volume"], BeforeValidator(words(BYS))]
Rounds = Literal["half_up", "half_even", "down", "up", "floor", "ceiling"]
ZERO, ONE = Decimal(0), Decimal(1)


class Strict(BaseModel):
    """A part of the file: unknown names are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Tier(Strict):
    """A step of a scale, from `from` (inclusive) to `to` (exclusive), or up to and with `up_to`."""

    from_: Money | None = described("Reached from here on, inclusive.", default=None, alias="from")
    to: Money | None = described("Ends before this. Without it: where the next begins.", default=None)
    up_to: Positive | None = described("Ends with this, inclusive (a to-scale). Not together with `from`.", default=None)
    price: Money | None = described("Price of a unit; with `block`, of the whole step.", default=None)
    percent: Percent | None = described("Percent off.", default=None)
    amount: Num | None = described("Amount off, for what the adjustment's `per` says; with `block`, once.", default=None)
    fixed_price: Money | None = described("Price of a unit instead of the one so far.", default=None)
    flat: Money = described("Fixed fee of the step, once.", default=ZERO)

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.up_to is not None and (self.from_ is not None or self.to is not None):
            raise ValueError("a step says both `from` and `up_to` | write one kind of bound in the whole scale")
        if self.from_ is not None and self.to is not None and self.to <= self.from_:
            raise ValueError(f"the step ends at {self.to} before it begins at {self.from_} | `to` is above `from`")
        return self


class Scale(Strict):
    """阶梯: prices or discounts by quantity, value, weight or volume."""

    method: Method = described(
        "point: the step reached prices the whole quantity. range: each part at its own step. block: the step has one price for all."
    )
    by: By = described("What is measured; quantities are base units.", default="quantity")
    over: Literal["line", "item", "product_line", "order"] = described("Measured over which lines of the cart together.", default="line")
    accumulated: str = described("Name in the cart's `accumulated`: measuring starts after what was bought before.", default="")
    tiers: tuple[Tier, ...] = described("The steps.")

    @model_validator(mode="after")
    def _tiers(self) -> Self:
        if not self.tiers:
            raise ValueError("the scale has no steps | write at least one under tiers")
        if len({tier.up_to is None for tier in self.tiers}) > 1 and any(tier.up_to is None for tier in self.tiers[:-1]):
            raise ValueError("some steps say `from` and some `up_to` | write one kind of bound in the whole scale")
        return self


class Rounding(Strict):
    """How a price is rounded by its own rule: to places, or to a multiple of a step, then moved."""

    places: Places | None = described("Decimals.", default=None)
    step: Positive | None = described("Multiple, e.g. 0.05 or 10.", default=None)
    mode: Rounds = described("half_up is half away from zero.", default="half_up")
    plus: Num = described("Added after rounding, e.g. -0.01 for prices that end in 9.99.", default=ZERO)

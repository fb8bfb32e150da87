"""Programmes that pay by claim: price protection (价保), ship-and-debit (特价补差) and market funds (MDF, 市场费用)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from canonical.values import BadValue
from channel.rebates.counted import Base, Calendar, Participants, Scope
from channel.rebates.payment import Rounding, Settlement, unsaid
from channel.rebates.programme import Versioned
from channel.rebates.values import Code, Currency, Name, Number, Rate, Share, Span, Strict


class Approving(Strict):
    """Who agrees to a claim (审批). Without it a channel manager agrees to each.

    automatic_up_to: claims worth so much are agreed to by the rule, as long as what a dealer got by the rule in the period, this claim
    included, stays within it; so claiming in parts gains nothing. finance_above: a claim worth more goes to finance.
    """

    automatic_up_to: Number | None = Field(default=None, gt=0)
    finance_above: Number | None = Field(default=None, gt=0)


class Claimed(Versioned):
    """What every programme of claims says.

    claim_days: a claim is handed in within so many days after its day (the activity, the sale, the price cut). evidence: kinds of
    evidence that it must bring (`invoice`, `photo`, `contract`, …).
    """

    type: str
    name: Name
    note: str = ""
    currency: Currency
    valid: Span
    participants: Participants
    scope: Scope = Scope()
    settlement: Settlement = Settlement()
    rounding: Rounding = Rounding()
    claim_days: int | None = Field(default=None, ge=0, le=3660)
    evidence: tuple[Code, ...] = ()
    approval: Approving = Approving()


class PriceProtection(Claimed):
    """Price protection: (old price - new price) x the stock that is protected, for each price cut.

    stock: `snapshot` is what a stock fact says for the day of the change (the last one before it, with what was bought and sold since;
    if there is none, the first one after it, counted back); `computed` is all bought less all sold out; `lower` is the lower of
    snapshot and what was bought within the window.
    window_days: only what was bought so many days before the change is protected. rate: part of the drop that is paid.
    """

    type: Literal["price_protection"]
    stock: Literal["snapshot", "computed", "lower"]
    window_days: int | None = Field(default=None, ge=1, le=3660)
    rate: Share = Field(default=1, validate_default=True)
    cap_per_unit: Number | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.stock == "lower" and self.window_days is None:
            raise BadValue("stock: lower needs window_days")
        return self


class Contract(Span):
    """A contract price for special business: for a product, and if said one dealer and customer; up to `quantity` units."""

    product: Code
    dealer: Code | None = None
    customer: Code | None = None
    price: Number = Field(ge=0)
    quantity: Number | None = Field(default=None, gt=0)


class ShipAndDebit(Claimed):
    """Ship and debit: a dealer sold below its usual price by agreement, and is made good.

    formula: `difference`: (price - contract price) x quantity. `margin`: (margin x sell price - sell price + cost price) x quantity.
    `per_unit`: amount x quantity. `rate`: rate x price x quantity. price_from: which price of the claim `difference` and `rate` start from.
    A claim is a fact of kind `claim` (or a sell_out): quantity, and as the formula needs cost_price, sell_price, contract_price, old_price.
    """

    type: Literal["ship_and_debit"]
    formula: Literal["difference", "margin", "per_unit", "rate"]
    price_from: Literal["cost_price", "old_price", "sell_price"] = "cost_price"
    margin: Share | None = None
    amount: Number | None = Field(default=None, gt=0)
    rate: Share | None = Field(default=None, gt=0, exclude_if=unsaid)
    contracts: tuple[Contract, ...] = ()
    facts: Literal["claim", "sell_out"] = "claim"

    @model_validator(mode="after")
    def _needs(self) -> Self:
        if (self.formula == "margin") != (self.margin is not None):
            raise BadValue("formula: margin and a margin go together")
        if (self.formula == "per_unit") != (self.amount is not None):
            raise BadValue("formula: per_unit and an amount go together")
        if (self.formula == "rate") != (self.rate is not None):
            raise BadValue("formula: rate and a rate go together")
        return self


class Fund(Claimed):
    """A market fund: it fills by a rate on what a dealer buys, or is granted; approved claims take a share of their cost from it.

    share: part of a claim's cost that is borne. Claims are facts of kind `claim` with amount and status: approved and paid ones take
    money in the order of their days, requested ones wait. unused: what is left after the period is forfeited, or carried on.
    budget: what all dealers together may take in a period. claimable: what a period fills can be claimed at once, or in the next period.
    """

    type: Literal["fund"]
    base: Base | None = None
    rate: Rate | None = Field(default=None, ge=0, le=1)
    granted: Number | None = Field(default=None, ge=0)
    dealers: dict[str, Number] = Field(default_factory=dict)
    calendar: Calendar
    share: Share
    unused: Literal["forfeited", "carried"]
    claimable: Literal["at_once", "next_period"] = "at_once"
    claim_most: Number | None = Field(default=None, gt=0)
    """The most that one claim may take."""
    budget: Number | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _filled(self) -> Self:
        if (self.rate is None) != (self.base is None):
            raise BadValue("a rate and the base it is on go together")
        if self.rate is None and self.granted is None and not self.dealers:
            raise BadValue("nothing fills the fund: write base and rate, or granted, or dealers")
        return self


ClaimProgramme = Annotated[PriceProtection | ShipAndDebit | Fund, Field(discriminator="type")]

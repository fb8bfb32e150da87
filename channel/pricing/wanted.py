"""What somebody wants to offer: the part of the question about prices that people type; parties by number, hub key or id."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict, model_validator

from channel.pricing.parts import Strict
from channel.pricing.words import Currency, Day, Money, Percent, Positive, Rate, Text, Texts, described


class ByHand(Strict):
    """手工折扣: what is taken off by hand, and why. Exactly one of percent, amount, price; who did it is known."""

    percent: Percent | None = described("Percent off what is left; below zero adds.", default=None)
    amount: Money | None = described("Amount off a unit; of the whole order when it stands on the cart.", default=None)
    price: Money | None = described("Price of a unit instead.", default=None)
    reason: Text = described("Reason code, one of `settings.reasons` of the price rules where those have any.")
    text: Text = described("Why, in words.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in ("percent", "amount", "price") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("a manual discount says no or several effects | write exactly one of percent, amount, price")
        return self


class WantedLine(Strict):
    """One line."""

    item: Text = described("Item number.")
    quantity: Positive = described("How many `unit`s.")
    unit: str = described("Unit; else the item's base unit.", default="")
    tax_rate: Rate | None = described("VAT rate when it is not the item's.", default=None)
    manual: ByHand | None = described("手工折扣.", default=None)


class Wanted(Strict):
    """A quote as somebody asks for it. What a deal knows (dealer, customer, company, currency) need not be said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dealer: str = described("Dealer: number, hub key or id. A dealer's own quotes are always for himself.", default="")
    customer: str = described("End customer: number, hub key or id.", default="")
    deal: str = described("Deal: number, hub key or id; it carries dealer, customer, company, currency and salesperson over.", default="")
    project: str = described("Registered project whose prices are asked for.", default="")
    company: str = described("Our selling company's number; else the deal's, else the default one.", default="")
    currency: Currency | None = described("Currency; else the deal's, else that of the price rules.", default=None)
    ship_to: str = described("Ship-to region, GB/T 2260.", default="")
    terms: Texts = described("工程条款 and payment terms asked for.", default=())
    coupons: Texts = described("Coupons.", default=())
    salesperson: str = described("Canonical code of the salesperson; else the deal's, else the one of dealer and company.", default="")
    delivery_date: Day | None = described("Wished delivery; else an order is due after the longest lead time of its items.", default=None)
    valid_to: Day | None = described("Last day; else as many days as `quotes.valid_days` of hub.yaml says.", default=None)
    manual: ByHand | None = described("手工折扣 on the whole order.", default=None)
    lines: tuple[WantedLine, ...] = described("What is offered.")

    @model_validator(mode="after")
    def _lines(self) -> Self:
        if not self.lines:
            raise ValueError("nothing is asked for | write at least one line")
        if len(self.lines) > 500:
            raise ValueError("more than 500 lines | split the quote by its parts")
        return self

"""A question about prices: who buys what, when, known by when, in which currency, and who asks."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from channel.pricing.model import Rules
from channel.pricing.parts import Strict
from channel.pricing.wanted import ByHand
from channel.pricing.words import Currency, Day, Kind, Moment, Money, Positive, Rate, Text, Texts, described


class Manual(ByHand):
    """手工折扣: what a person takes off, with reason code, text and who. Exactly one of percent, amount, price."""

    by: Text = described("Who.")


class AskLine(Strict):
    """One line of the cart."""

    id: str = described("Its number; else 1, 2, 3 …", default="")
    item: Text = described("Item.")
    quantity: Positive = described("How many `unit`s.")
    unit: str = described("Unit; else the item's base unit.", default="")
    tax_rate: Rate | None = described("VAT rate when it is not the item's.", default=None)
    manual: Manual | None = described("手工折扣.", default=None)


class PastLine(Strict):
    """A line of an earlier quote, for authority over the whole deal."""

    line: str = described("Product line.", default="")
    brand: str = described("Brand.", default="")
    price_kind: Kind = described("Price kind.", default="standard")
    list_amount: Money = described("At list price, without tax, in the cart's currency.")
    net_amount: Money = described("As quoted, without tax.")
    cost: Money | None = described("Cost, when it is known.", default=None)
    approved: bool = described("An approved special price, untouched by hand: it is not judged again.", default=False)
    item: str = described("Item; with `unit_price` the approver sees the last prices.", default="")
    unit_price: Money | None = described("Unit price then.", default=None)


class Past(Strict):
    """An earlier quote or order of the same dealer."""

    id: Text = described("Number.")
    on: Day = described("Its day.")
    dealer: str = described("Dealer; else the one who asks.", default="")
    customer: str = described("End customer.", default="")
    project: str = described("Registered project.", default="")
    deal: str = described("Deal.", default="")
    lines: tuple[PastLine, ...] = described("Its lines.")


class Ask(Strict):
    """The question. Days are business days."""

    dealer: str = described("Dealer; empty for a customer of our own.", default="")
    customer: str = described("End customer.", default="")
    company: str = described("Selling company.", default="")
    project: str = described("Registered project.", default="")
    deal: str = described("Deal that quotes are counted together by.", default="")
    channel: str = described("Channel; else the dealer's.", default="")
    ship_to: str = described("Ship-to region, GB/T 2260.", default="")
    date: Day = described("Price date.")
    known_at: Moment | None = described("Only what was known then; without it everything recorded.", default=None)
    currency: Currency | None = described("Currency; else `settings.currency`.", default=None)
    role: str = described("Role of who asks.", default="sales")
    asker_dealer: str = described("When a dealer asks: which one; another dealer's price is refused.", default="")
    terms: Texts = described("工程条款 and payment terms asked for.", default=())
    coupons: Texts = described("Coupons.", default=())
    accumulated: dict[str, Money] = described("What was bought before, by the name a scale uses.", default_factory=dict)
    manual: Manual | None = described("手工折扣 on the whole order.", default=None)
    alternatives: bool = described("Tell at which quantity the price falls.", default=True)
    past: tuple[Past, ...] = described("Earlier quotes, for authority over the whole deal.", default=())
    lines: tuple[AskLine, ...] = described("The cart.")

    @model_validator(mode="after")
    def _lines(self) -> Self:
        if not self.lines:
            raise ValueError("the cart is empty | write at least one line")
        return self


class PricingFile(Rules):
    """A whole file: the rules and a question."""

    ask: Ask | None = described("The question; `hub price check` needs none.", default=None)

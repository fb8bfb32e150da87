"""报价: append-only versions, approvals pinned to a hash, the copy to an order, lost ones with their reason, and those without an order.

Pure: each step gives a new quote; days and persons come in as arguments. Sent and accepted on business days (Asia/Shanghai).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from channel.pricing.authority import Verdict
from channel.pricing.errors import BadQuote
from channel.pricing.pricing import Priced

State = Literal["open", "accepted", "lost"]


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount that a person gave: why, in code and words, and who. `amount` is what it took off, before rounding."""

    line: str
    item: str
    reason: str
    text: str
    by: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line as it was offered. Amounts in the quote's currency; the unit price stands on `side`."""

    id: str
    item: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    side: str
    tax_rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    list_net: Decimal


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an offer. Never changed, but for the approval that its hash gets."""

    number: int
    hash: str
    made_on: date
    by: str
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    lines: tuple[QuotedLine, ...]
    discounts: tuple[Discount, ...]
    need: Literal["auto", "approval", "refused"]
    level: int
    approved_by: str = ""

    @property
    def may_go_out(self) -> bool:
        """True when nobody has to approve it, or somebody did."""
        return self.need == "auto" or bool(self.approved_by)


@dataclass(frozen=True, slots=True)
class Quote:
    """An offer with all its versions."""

    id: str
    dealer: str
    customer: str
    deal: str
    valid_to: date
    """The day after the last."""
    versions: tuple[Version, ...]
    state: State = "open"
    closed_on: date | None = None
    lost_reason: str = ""
    lost_text: str = ""

    @property
    def last(self) -> Version:
        """The version that counts."""
        return self.versions[-1]


def begin(id: str, priced: Priced, verdict: Verdict, *, on: date, by: str, valid_to: date) -> Quote:  # noqa: A002  the quote's own word
    """A quote with its first version. Raises: BadQuote when something in it has no price."""
    return Quote(id, priced.ask.dealer, priced.ask.customer, priced.ask.deal, valid_to, (_version(1, priced, verdict, on, by),))


def revise(quote: Quote, priced: Priced, verdict: Verdict, *, on: date, by: str) -> Quote:
    """The quote with one more version; what was approved before does not hold for it, unless nothing changed.

    Raises: BadQuote for a quote that is closed, of another dealer or customer, or with something that has no price.
    """
    _still_open(quote)
    if (priced.ask.dealer, priced.ask.customer) != (quote.dealer, quote.customer):
        raise BadQuote(f"quote {quote.id} is for another dealer or customer", next_step="begin a new quote")
    made = _version(quote.last.number + 1, priced, verdict, on, by)
    if made.hash == quote.last.hash:
        made = replace(made, approved_by=quote.last.approved_by)
    return replace(quote, versions=(*quote.versions, made))


def approve(quote: Quote, hash: str, *, level: int, by: str) -> Quote:  # noqa: A002  what the approver saw
    """The quote, approved as the approver saw it. Raises: BadQuote when it changed since, or the level does not suffice."""
    _still_open(quote)
    last = quote.last
    if last.hash != hash:
        raise BadQuote(f"quote {quote.id} changed since it was shown", next_step=f"look at version {last.number} and approve that")
    if last.need == "refused" or level < last.level:
        told = "nobody may grant it" if last.need == "refused" else f"it needs level {last.level}"
        raise BadQuote(f"quote {quote.id} version {last.number}: {told}", next_step="lower the discount, or ask a higher level")
    return replace(quote, versions=(*quote.versions[:-1], replace(last, approved_by=by)))


def accept(quote: Quote, *, on: date) -> Quote:
    """The quote, accepted by the customer. Raises: BadQuote when it is closed, over, or waits for an approval."""
    _still_open(quote)
    if on >= quote.valid_to:
        raise BadQuote(f"quote {quote.id} ended before {quote.valid_to}", next_step="make a new version with prices of today")
    if not quote.last.may_go_out:
        raise BadQuote(f"quote {quote.id} version {quote.last.number} is not approved", next_step=f"ask level {quote.last.level}")
    return replace(quote, state="accepted", closed_on=on)


def lose(quote: Quote, *, on: date, reason: str, text: str = "") -> Quote:
    """The quote, lost, with its reason. Raises: BadQuote when it is closed, or no reason is said."""
    _still_open(quote)
    if not reason:
        raise BadQuote(f"quote {quote.id} has no reason why it was lost", next_step="say one, such as price, delivery or competitor")
    return replace(quote, state="lost", closed_on=on, lost_reason=reason, lost_text=text)


def order_of(quote: Quote) -> dict[str, Any]:
    """The order that an accepted quote becomes, as decimals and text: amounts are copied, never worked out again.

    `key` is the same for the same version, so that an order is made of it once. Raises: BadQuote when it is not accepted.
    """
    if quote.state != "accepted":
        raise BadQuote(f"quote {quote.id} is {quote.state}", next_step="let it be accepted first")
    last = quote.last
    return {
        "key": f"quote/{quote.id}/{last.number}",
        "quote": quote.id,
        "quote_version": last.number,
        "hash": last.hash,
        "dealer": quote.dealer,
        "customer": quote.customer,
        "deal": quote.deal,
        "currency": last.currency,
        "net": last.net,
        "tax": last.tax,
        "total": last.gross,
        "lines": [
            {
                "seq": at, "item": line.item, "quantity": line.quantity, "unit": line.unit, "price": line.unit_price,
                "tax_included": line.side == "included", "tax_rate": line.tax_rate, "net": line.net, "tax": line.tax, "total": line.gross,
            }
            for at, line in enumerate(last.lines, 1)
        ],
    }  # fmt: skip


def without_order(quotes: Iterable[Quote], *, on: date, after_days: int) -> list[Quote]:
    """有报价无成单: open quotes whose last version is at least so many days old, the oldest first."""
    found = [one for one in quotes if one.state == "open" and (on - one.last.made_on).days >= after_days]
    return sorted(found, key=lambda one: (one.last.made_on, one.id))


def _still_open(quote: Quote) -> None:
    if quote.state != "open":
        raise BadQuote(f"quote {quote.id} is {quote.state}", next_step="begin a new quote")


def _version(number: int, priced: Priced, verdict: Verdict, on: date, by: str) -> Version:
    if priced.refused:
        raise BadQuote("something in the cart has no price", next_step="look at the refusals of its lines")
    lines = tuple(
        QuotedLine(
            line.id, line.item, line.quantity, line.unit, _said(line.unit_price), line.side, line.tax_rate, _said(line.net),
            _said(line.tax), _said(line.gross), _said(line.list_net),
        )
        for line in priced.lines
    )  # fmt: skip
    return Version(number, priced.hash, on, by, priced.currency, priced.net, priced.tax, priced.gross, lines, _discounts(priced),
                   verdict.result, verdict.level)  # fmt: skip


def _said(amount: Decimal | None) -> Decimal:
    assert amount is not None  # noqa: S101  every line of a cart that is not refused has one
    return amount


def _discounts(priced: Priced) -> tuple[Discount, ...]:
    return tuple(
        Discount(line.id, line.item, step.rule.removeprefix("manual/"), step.note, step.who, step.amount_before - step.amount_after)
        for line in priced.lines
        for step in line.steps
        if step.rung == "manual" and step.who and step.amount_before is not None
    )

"""Reports over quotes of the ledger: who gives which discounts and whether it wins (折扣习惯), and what each product was offered at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from canonical.values import business_day
from channel.pricing import quote_queries
from channel.pricing.discounts import Discount
from channel.pricing.habits import By, Habit, Quoted, State, habits
from channel.pricing.queries import Connection
from channel.pricing.quote_queries import Kept, Offer

_STATES: Final[dict[str, State]] = {"accepted": "accepted", "lost": "lost", "expired": "lost", "voided": "lost"}
"""What counts as won and lost; all else is open."""


def discount_habits(db: Connection, by: By, *, since: date | None = None, limit: int = 10_000) -> list[Habit]:
    """Discounts by hand under each seller, dealer, item or reason: how much, how often, and how often it won; the largest first.

    `since`: only quotes made on that day or later. Of each quote the version that counts. An expired quote counts as lost.
    """
    offers = [one for one in quote_queries.listed(db, limit=limit) if since is None or business_day(one.made_at) >= since]
    kept = quote_queries.versions(db, [one.id for one in offers])
    names = quote_queries.names(db, {one.buyer for one in offers})
    return habits([_quoted(one, kept[one.id][-1], names.get(one.buyer, "")) for one in offers], by)


def _quoted(offer: Offer, kept: Kept, dealer: str) -> Quoted:
    discounts = tuple(
        Discount(one["line"], one["item"], one["reason"], one["text"], one["by"], Decimal(one["amount"])) for one in kept.discounts
    )
    listed = {line["id"]: Decimal(line["list_amount"]) for line in kept.judged}
    return Quoted(offer.number, dealer, kept.currency, _STATES.get(offer.state, "open"), discounts, listed)


@dataclass(frozen=True, slots=True)
class Offered:
    """One line of a quote that went out: what an item was offered at, and what came of it."""

    number: str
    on: date
    dealer: str
    quantity: Decimal
    unit: str
    price: Decimal
    """Of a unit, with tax, in `currency`."""
    currency: str
    outcome: str
    """won, lost, open"""
    reason: str


def offered(db: Connection, item: str, *, limit: int = 100) -> list[Offered]:
    """What an item was offered at, newest first, won or lost, for the next price (feature: win and loss history of a product)."""
    found = quote_queries.offered(db, item, limit)
    names = quote_queries.names(db, {row["buyer"] for row in found})
    outcome = {"accepted": "won", "lost": "lost", "expired": "lost", "voided": "lost"}
    return [
        Offered(
            row["number"], row["sent_on"], names.get(row["buyer"], ""), Decimal(row["quantity"]), row["unit"],
            Decimal(row["price"]), row["currency"], outcome.get(row["state"], "open"), row["lost_reason"],
        )
        for row in found
    ]  # fmt: skip

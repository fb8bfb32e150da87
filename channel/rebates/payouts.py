"""Payouts (付款): what is settled and to be paid by memo, one a dealer, currency, tax rate and way, each with a number of its own.

A payout's number is made of what it pays. A ledger that was set back to an earlier state gives the same payment the same number, and never
gives that number to another one; and it pays no dealer for whom the ERP shows a memo of a payout that the ledger does not know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from canonical.ids import new_id
from canonical.rounding import exact_half_up
from canonical.values import decimal_text
from channel.rebates import payout_queries, queries
from channel.rebates.numbering import MARK, letters
from channel.rebates.payment import BY_MEMO
from channel.rebates.programme import Programme
from channel.rebates.queries import Connection, Row


@dataclass(frozen=True, slots=True)
class Payout:
    """What is paid by one memo: amounts positive, in `currency`. purpose: what the memo is for; claims: those that it pays."""

    id: str
    dealer_id: UUID
    company_id: UUID
    purpose: str
    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    tax_rate: Decimal
    note: str
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """What one payout is to pay. parts: what each piece is, in words that a restored ledger says alike."""

    dealer: str
    dealer_id: UUID
    purpose: str
    way: str
    currency: str
    tax_rate: Decimal
    total: Decimal
    note: str
    parts: Sequence[str]

    @property
    def number(self) -> str:
        """The payout's number: `RP-7KQ2M9-XD4ATP`."""
        head = (self.dealer, self.purpose, self.way, self.currency, decimal_text(self.tax_rate))
        said = letters([*head, *sorted(self.parts)], 2 * MARK)
        return f"RP-{said[:MARK]}-{said[MARK:]}"


def make(
    db: Connection, due: Due, *, by: str, beside: Collection[Due], settlements: Mapping[int, Decimal], claims: Iterable[str] = ()
) -> Payout | None:
    """Put a payout on record. None when it waits: nothing is to be paid, no company of ours can, or the ERP shows a memo we do not know.

    `beside`: all that is due now, itself among it: the memo of another one that was forgotten as well keeps nobody waiting.
    """
    company = payout_queries.company_of(db, due.dealer_id)
    if due.total <= 0 or company is None or _forgotten(db, due, beside):
        return None
    net = exact_half_up(Fraction(due.total) / (1 + Fraction(due.tax_rate)), 2)
    values: dict[str, Any] = {
        "id": due.number, "dealer": due.dealer, "dealer_id": due.dealer_id, "company_id": company, "way": due.way, "currency": due.currency,
        "net": net, "tax": due.total - net, "total": due.total, "tax_rate": due.tax_rate, "note": due.note, "by": by,
    }  # fmt: skip
    payout_queries.add_payout(db, values, settlements)
    return Payout(
        due.number, due.dealer_id, company, due.purpose, due.currency, net, due.total - net, due.total, due.tax_rate, due.note,
        tuple(claims),
    )  # fmt: skip


def _forgotten(db: Connection, due: Due, beside: Collection[Due]) -> bool:
    """True when the ERP has paid the dealer for this purpose by a payout that this ledger neither knows nor is about to make."""
    unknown = payout_queries.unknown_memos(db, due.dealer_id, due.purpose)
    return bool(unknown) and not {(row["payout"], row["total"]) for row in unknown} <= {(one.number, -one.total) for one in beside}


def pay(db: Connection, *, by: str) -> list[Payout]:
    """Payouts for all settlements that are to be paid by memo and were not.

    What adds up to nothing or less is not paid; it waits until later settlements outweigh it (抵减). A dealer without a record or a company
    of ours to pay it waits too, and one for whom the ERP shows a memo of an unknown payout.
    """
    queries.lock(db)
    groups: dict[tuple[str, str, str, Decimal], list[Row]] = {}
    programmes: dict[tuple[str, int], Programme | None] = {}
    for row in payout_queries.unpaid(db):
        key = row["programme"], row["version"]
        if key not in programmes:
            programmes[key] = queries.version(db, *key)
        programme = programmes[key]
        way = programme.settlement.ways[0] if programme else ""
        if programme is not None and way in BY_MEMO and row["dealer_id"] is not None:
            groups.setdefault((row["dealer"], row["currency"], way, programme.settlement.tax_rate or Decimal(0)), []).append(row)
    dues = [(_due(key, members), members) for key, members in groups.items()]
    made = (_pay_one(db, due, members, by, [one for one, _ in dues]) for due, members in dues)
    return [payout for payout in made if payout is not None]


def _due(key: tuple[str, str, str, Decimal], members: Sequence[Row]) -> Due:
    dealer, currency, way, rate = key
    return Due(
        dealer, members[0]["dealer_id"], "rebate", way, currency, rate, sum((row["amount"] for row in members), Decimal(0)),
        "; ".join(sorted({f"{row['programme']} {row['period']}" for row in members})),
        [f"{row['unit']}|{row['nth']}|{decimal_text(row['amount'])}" for row in members],
    )  # fmt: skip


def _pay_one(db: Connection, due: Due, members: Sequence[Row], by: str, beside: Collection[Due]) -> Payout | None:
    payout = make(db, due, by=by, beside=beside, settlements={row["id"]: row["amount"] for row in members})
    if payout is not None:
        for row in members:
            moves = {"available": -row["amount"], "paid_out": row["amount"]}
            queries.book(
                db, due.dealer, row["programme"], due.currency, moves, cause="payout", reference=payout.id, booking=new_id(), by=by
            )
    return payout

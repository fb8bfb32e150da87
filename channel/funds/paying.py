"""What approved claims become: payouts, each one credit memo in the ERP, or money on the dealer's rebate account. The caller commits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from canonical.ids import new_id
from canonical.values import decimal_text
from channel.funds import queries
from channel.funds.service import programme_of
from channel.rebates import payouts
from channel.rebates import queries as rebates
from channel.rebates.payment import BY_MEMO
from channel.rebates.payouts import Payout
from channel.rebates.queries import Connection, Row

PURPOSES: Final = {"fund": "fund", "ship_and_debit": "claim", "price_protection": "price_protection"}
"""Type of a programme -> purpose of the credit memo that pays its claims."""
_Group = tuple[str, str, str, str, Decimal]
"""Dealer, currency, type, way and tax rate: what one payout has in common."""


def pay(db: Connection, *, by: str, on: date) -> list[Payout]:
    """Payouts of approved claims: one a dealer, type, currency, tax rate and way. What is not paid by memo goes to the rebate account.

    on: the business day of the payment, from which on money on the account expires.
    """
    rebates.lock(db)
    groups: dict[_Group, list[Row]] = {}
    for row in queries.unpaid(db):
        settlement = programme_of(db, row["programme"]).settlement
        way = settlement.ways[0]
        if way in BY_MEMO:
            groups.setdefault((row["dealer"], row["currency"], row["type"], way, settlement.tax_rate or Decimal(0)), []).append(row)
        else:
            _to_account(db, row, by, settlement.last_day(on))
    dues = [(_due(key, members), members) for key, members in groups.items()]
    made = (_pay_one(db, due, members, by, [one for one, _ in dues]) for due, members in dues)
    return [one for one in made if one is not None]


def _to_account(db: Connection, row: Row, by: str, expires_on: date | None) -> None:
    rebates.book(
        db, row["dealer"], row["programme"], row["currency"], {"available": row["allowed"]}, cause="claim", reference=row["id"],
        booking=new_id(), by=by, expires_on=expires_on,
    )  # fmt: skip
    queries.set_claim(db, row["id"], {"state": "paid"})
    queries.event(db, row["id"], "paid", by, "on the rebate account")


def _due(key: _Group, members: Sequence[Row]) -> payouts.Due:
    dealer, currency, type_, way, rate = key
    return payouts.Due(
        dealer, members[0]["dealer_id"], PURPOSES[type_], way, currency, rate, sum((row["allowed"] for row in members), Decimal(0)),
        "; ".join(row["id"] for row in members),
        [f"{row['id']}|{row['programme']}|{row['on_day']}|{decimal_text(row['allowed'])}" for row in members],
    )  # fmt: skip


def _pay_one(db: Connection, due: payouts.Due, members: Sequence[Row], by: str, beside: Collection[payouts.Due]) -> Payout | None:
    payout = payouts.make(db, due, by=by, beside=beside, settlements={}, claims=[row["id"] for row in members])
    if payout is not None:
        for row in members:
            queries.add_paid(db, row["id"], payout.id, row["allowed"])
            queries.set_claim(db, row["id"], {"state": "paid"})
            queries.event(db, row["id"], "paid", by, payout.id)
    return payout

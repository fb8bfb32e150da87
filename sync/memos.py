"""The one credit memo of each payout: made once as the hub's record, which the engine books in the ERP, and found there if it stands."""

from __future__ import annotations

from typing import Any

from canonical.values import decimal_text
from channel.rebates import payout_queries
from channel.rebates.payouts import Payout
from sync import hub_records
from sync.hub import Cursor, Hub


def book(hub: Hub, db: Cursor, payout: Payout) -> None:
    """Make the memo that pays a payout, unless the ERP has it."""
    memo = _booked(db, payout) or hub_records.put(
        hub, db, "credit_memo", f"payout/{payout.id}", *_memo(db, payout), cause=f"payout {payout.id}"
    ).id  # fmt: skip
    payout_queries.set_memo(db.connection, payout.id, memo)


def _booked(db: Cursor, payout: Payout) -> str | None:
    """The ERP's memo that pays this payout already: the ledger was set back to an earlier state, and pays again what it has forgotten."""
    db.execute(
        "SELECT id::text AS id FROM credit_memos WHERE payout = %s AND party_id = %s AND total = %s AND number <> '' AND NOT retired "
        "AND status IS DISTINCT FROM 'void' ORDER BY number LIMIT 1",
        [payout.id, payout.dealer_id, -payout.total],
    )
    row = db.fetchone()
    return None if row is None else str(row["id"])


def _memo(db: Cursor, payout: Payout) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The memo of a payout: its fields, and its one line. Credited amounts are negative."""
    db.execute("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date::text AS today")
    today, note = (db.fetchone() or {})["today"], payout.note[:255]
    fields = {
        "purpose": payout.purpose, "payout": payout.id, "issued_on": today, "due_on": today, "company": str(payout.company_id),
        "party": str(payout.dealer_id), "currency": payout.currency, "note": note,
    }  # fmt: skip
    line = {
        "seq": 1, "expense": payout.purpose, "tax_rate": decimal_text(payout.tax_rate), "net": decimal_text(-payout.net),
        "tax": decimal_text(-payout.tax) if payout.tax else "0", "total": decimal_text(-payout.total), "note": note,
    }  # fmt: skip
    return fields, {"lines": {"1": line}}

"""Statements about payouts and the ERP's memos that pay them. Amounts are in the payout's currency."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from channel.rebates.queries import Connection, Row, one, rows


def unpaid(db: Connection) -> list[Row]:
    """Settlements that no payout has paid yet."""
    return rows(
        db,
        "SELECT s.id, s.programme, s.version, s.dealer, s.dealer_id, s.period, s.currency, s.amount, s.unit, (SELECT count(*) FROM "
        "rebate_settlement AS b WHERE b.unit = s.unit AND b.id <= s.id) AS nth FROM rebate_settlement AS s "
        "WHERE NOT EXISTS (SELECT FROM rebate_payout_item AS i WHERE i.settlement_id = s.id) ORDER BY s.dealer, s.currency, s.id",
    )


def company_of(db: Connection, dealer_id: UUID) -> UUID | None:
    """The company of ours that pays a dealer: where most of its money went in the last facts, else any where it is a customer."""
    found = one(
        db,
        "SELECT c.company_id AS id FROM party_companies AS c LEFT JOIN companies AS o ON o.id = c.company_id "
        "LEFT JOIN LATERAL (SELECT sum(f.gross) AS total FROM rebate_fact AS f "
        "WHERE f.dealer_id = c.parent_id AND f.company = o.number) AS t ON true "
        "WHERE c.parent_id = %s AND c.company_id IS NOT NULL ORDER BY t.total DESC NULLS LAST, o.number LIMIT 1",
        [dealer_id],
    )
    return found["id"] if found else None


def add_payout(db: Connection, values: Mapping[str, Any], settlements: Mapping[int, Decimal]) -> None:
    """A payout of some settlements, with the number that the ERP's memo will carry."""
    db.execute(
        "INSERT INTO rebate_payout (id, dealer, dealer_id, company_id, way, currency, net, tax, total, tax_rate, note, made_by) VALUES ("
        "%(id)s, %(dealer)s, %(dealer_id)s, %(company_id)s, %(way)s, %(currency)s, %(net)s, %(tax)s, %(total)s, %(tax_rate)s, %(note)s, "
        "%(by)s)",
        values,
    )
    for settlement, amount in settlements.items():
        db.execute(
            "INSERT INTO rebate_payout_item (settlement_id, payout_id, amount) VALUES (%s, %s, %s)", [settlement, values["id"], amount]
        )


_UNKNOWN: Final = "m.payout <> '' AND NOT m.retired AND NOT EXISTS (SELECT FROM rebate_payout AS p WHERE p.id = m.payout)"


def unknown_memos(db: Connection, dealer_id: UUID, purpose: str) -> list[Row]:
    """Memos of the ERP that pay a dealer for a purpose by a payout that this ledger does not know: it was set back to an earlier state."""
    query = (
        f"SELECT m.payout, m.total FROM credit_memos AS m WHERE m.party_id = %s AND {_UNKNOWN} AND m.number <> '' "
        "AND coalesce(m.status, '') <> 'void' AND coalesce(nullif(m.doc->>'purpose', ''), %s) = %s"
    )
    return rows(db, query, [dealer_id, purpose, purpose])


def set_memo(db: Connection, payout: str, memo: str) -> None:
    """Which credit memo pays it."""
    db.execute("UPDATE rebate_payout SET memo_id = %s WHERE id = %s", [memo, payout])


_RECONCILED: Final = """
SELECT p.id AS payout, p.dealer, p.dealer_id, p.currency, p.total, p.tax, p.made_at, m.number AS memo, m.memos,
    m.total AS booked, m.tax AS booked_tax,
    CASE WHEN m.memos IS NULL THEN 'missing_in_erp' WHEN m.memos > 1 THEN 'posted_twice'
        WHEN m.total IS DISTINCT FROM -p.total THEN 'amount_differs' WHEN m.tax IS DISTINCT FROM -p.tax THEN 'tax_differs'
        ELSE 'matched' END AS state
FROM rebate_payout AS p LEFT JOIN (
    SELECT payout, count(*) AS memos, sum(total) AS total, sum((doc->>'tax')::numeric) AS tax, min(number) AS number FROM credit_memos
    WHERE payout <> '' AND NOT retired AND coalesce(status, '') <> 'void' AND number <> '' GROUP BY payout) AS m ON m.payout = p.id
WHERE p.way IN ('credit_note', 'cash')
"""
"""Matched on the payout's number that the memo carries, never on the amount. A memo counts once the ERP has given it a number."""


def reconciled(db: Connection) -> list[Row]:
    """Every payout beside the ERP's memos, and memos that name a payout the hub does not know."""
    unknown = (
        "SELECT m.payout, '' AS dealer, m.party_id AS dealer_id, m.currency, NULL::numeric AS total, NULL::numeric AS tax, "
        "NULL::timestamptz AS made_at, m.number AS memo, 1 AS memos, m.total AS booked, "
        "(m.doc->>'tax')::numeric AS booked_tax, 'unknown_in_hub' AS state FROM credit_memos AS m "
        f"WHERE {_UNKNOWN}"
    )
    return rows(db, f"{_RECONCILED} UNION ALL {unknown} ORDER BY 1")

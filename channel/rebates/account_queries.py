"""Statements about the dealer's rebate account: balances, what orders hold, what expires. Amounts are in the account's currency."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from channel.rebates.queries import Connection, Row, one, rows

ACCOUNTS: Final = ("accrued", "available", "frozen", "used", "expired", "paid_out")


def balances(db: Connection, dealer: str, currency: str | None = None) -> list[Row]:
    """What stands on each account of a dealer, by programme and currency; nothing is left out."""
    each = ", ".join(f"('{name}', b.{name})" for name in ACCOUNTS)
    query = (
        f"SELECT b.programme, b.currency, a.account, a.amount FROM rebate_balance AS b CROSS JOIN LATERAL (VALUES {each}) AS a "
        "(account, amount) WHERE b.dealer = %(dealer)s AND (%(currency)s::text IS NULL OR b.currency = %(currency)s) AND a.amount <> 0 "
        "ORDER BY 1, 2, 3"
    )
    return rows(db, query, {"dealer": dealer, "currency": currency})


FOR_MEMO: Final = (
    "(SELECT coalesce(sum(s.amount), 0) FROM rebate_settlement AS s JOIN programme_version AS v ON (v.programme, v.version) = "
    "(s.programme, s.version) WHERE s.dealer = b.dealer AND s.programme = b.programme AND s.currency = b.currency "
    "AND coalesce(v.doc->'settlement'->'ways'->>0, 'credit_note') IN ('credit_note', 'cash') "
    "AND NOT EXISTS (SELECT FROM rebate_payout_item AS i WHERE i.settlement_id = s.id))"
)
"""What waits on the account to be paid by a memo: no order can have it."""


def spendable(db: Connection, dealer: str, programme: str, currency: str) -> Decimal:
    """What orders can still freeze: what is available, less what is to be paid by a memo."""
    query = (
        f"SELECT b.available - greatest({FOR_MEMO}, 0) AS amount FROM rebate_balance AS b "
        "WHERE (b.dealer, b.programme, b.currency) = (%s, %s, %s)"
    )
    found = one(db, query, [dealer, programme, currency])
    return max(Decimal(found["amount"]), Decimal(0)) if found else Decimal(0)


def movements(db: Connection, dealer: str, *, limit: int) -> list[Row]:
    """What moved on a dealer's account, newest first, with the order and the ERP line that it was for; accruals are left out."""
    query = (
        "SELECT id, at, programme, currency, cause, account, amount, reference, order_id, line, expires_on, note, by FROM rebate_entry "
        "WHERE dealer = %s AND account <> 'accrued' ORDER BY id DESC LIMIT %s"
    )
    return rows(db, query, [dealer, limit])


# Orders ------------------------------------------------------------------------------------------------------------------------

_ORDER: Final = (
    "SELECT o.id, coalesce(nullif(o.number, ''), o.hub_key) AS name, o.party_id, nullif(o.doc->>'payer', '')::uuid AS payer_id, "
    "nullif(o.doc->>'settlement_party', '')::uuid AS settling_id, coalesce(o.currency, '') AS currency, "
    "coalesce(o.status, '') AS status, o.retired, o.total FROM orders AS o"
)


def orders_named(db: Connection, name: str) -> list[Row]:
    """Orders by their number, hub key or id."""
    query = f"{_ORDER} WHERE %(n)s <> '' AND (o.number = %(n)s OR o.hub_key = %(n)s OR o.id::text = %(n)s) ORDER BY o.retired, o.id"
    return rows(db, query, {"n": name.strip()})


def lines_of(db: Connection, order_id: UUID) -> list[Row]:
    """The lines of an order as people name them (`name`: the position shown to them, else the place), and what else may stand for one."""
    query = (
        "SELECT coalesce(nullif(l.doc->>'seq', '0'), l.seq::text) AS name, l.id::text AS id, coalesce(p.number, '') AS product, "
        "coalesce(l.doc->>'status', '') AS status FROM order_lines AS l LEFT JOIN products AS p ON p.id = l.product_id "
        "WHERE l.parent_id = %s ORDER BY l.seq, l.id"
    )
    return rows(db, query, [order_id])


def hold(db: Connection, dealer: str, programme: str, currency: str, reference: str) -> Row | None:
    """What an order holds of an account, and has used."""
    query = "SELECT frozen, used, order_id FROM rebate_hold WHERE (dealer, programme, currency, reference) = (%s, %s, %s, %s)"
    return one(db, query, [dealer, programme, currency, reference])


def held_for(db: Connection, order_id: UUID) -> Decimal:
    """What an order holds and has used of all accounts."""
    found = one(db, "SELECT coalesce(sum(frozen + used), 0) AS amount FROM rebate_hold WHERE order_id = %s", [order_id])
    return Decimal(found["amount"]) if found else Decimal(0)


def used_by(db: Connection, dealer: str, programme: str, currency: str, reference: str, line: str) -> Row:
    """What an ERP line of an order has used, and how often it was taken back."""
    found = one(
        db,
        "SELECT coalesce(sum(amount), 0) AS amount, count(*) FILTER (WHERE amount < 0) AS taken_back FROM rebate_entry "
        "WHERE (dealer, programme, currency, reference, line) = (%s, %s, %s, %s, %s) AND account = 'used'",
        [dealer, programme, currency, reference, line],
    )
    assert found is not None  # noqa: S101  an aggregate returns its row
    return found


_OVER: Final = (
    "SELECT h.dealer, h.programme, h.currency, h.reference, h.order_id, h.frozen, h.used, b.dealer_id, "
    "CASE WHEN o.id IS NULL OR o.retired OR o.status = 'void' THEN 'void' ELSE 'closed' END AS why "
    "FROM rebate_hold AS h JOIN rebate_balance AS b USING (dealer, programme, currency) LEFT JOIN orders AS o ON o.id = h.order_id "
    "WHERE h.order_id IS NOT NULL AND (o.id IS NULL OR o.retired OR o.status IN ('void', 'closed'))"
)
"""Holds of orders that are void, gone or closed, by what the systems say now."""


def to_give_back(db: Connection, dealer: str | None = None) -> list[Row]:
    """Holds that orders do not need any more: the order is void or gone, or it is closed and its lines have used less than it froze."""
    query = (
        f"SELECT * FROM ({_OVER}) AS h WHERE h.frozen > 0 AND (h.why = 'void' OR h.used > 0) "
        "AND (%(dealer)s::text IS NULL OR h.dealer = %(dealer)s) ORDER BY h.dealer, h.programme, h.reference"
    )
    return rows(db, query, {"dealer": dealer})


def doubtful(db: Connection) -> list[Row]:
    """Holds that a person must look at: an order is closed and no line said what it used, or it is void and a line has used something."""
    query = (
        f"SELECT h.* FROM ({_OVER}) AS h WHERE (h.why = 'closed' AND h.used = 0 AND h.frozen > 0) OR (h.why = 'void' AND h.used > 0) "
        "ORDER BY h.dealer, h.programme, h.reference"
    )
    return rows(db, query)


def last_entry(db: Connection, dealer: str, programme: str, currency: str, reference: str) -> int:
    """The newest entry of a hold: what an automatic movement follows, so that it is booked once."""
    found = one(
        db,
        "SELECT max(id) AS id FROM rebate_entry WHERE (dealer, programme, currency, reference) = (%s, %s, %s, %s) "
        "AND account IN ('frozen', 'used')",
        [dealer, programme, currency, reference],
    )
    return int(found["id"] or 0) if found else 0


# What expires ------------------------------------------------------------------------------------------------------------------


def lots(db: Connection, *, dealers: Sequence[str] | None = None) -> list[Row]:
    """Accounts with money that expires: what came in (`amounts`) by its last day (`days`, null: for ever), and what is left of it.

    Money for a memo, paid or to be paid, is none of it.
    """
    query = (
        "SELECT b.dealer, b.dealer_id, b.programme, b.currency, b.available - greatest(m.amount, 0) AS left_over, l.days, l.amounts, "
        "coalesce(p.amount, 0) + greatest(m.amount, 0) AS by_memo FROM rebate_balance AS b "
        f"CROSS JOIN LATERAL (SELECT {FOR_MEMO} AS amount) AS m "
        "LEFT JOIN LATERAL (SELECT -sum(e.amount) AS amount FROM rebate_entry AS e WHERE e.dealer = b.dealer AND e.programme = b.programme "
        "AND e.currency = b.currency AND e.account = 'available' AND e.cause = 'payout') AS p ON true "
        "CROSS JOIN LATERAL (SELECT array_agg(d.day) AS days, array_agg(d.amount) AS amounts FROM (SELECT e.expires_on AS day, "
        "sum(e.amount) AS amount FROM rebate_entry AS e WHERE e.dealer = b.dealer AND e.programme = b.programme "
        "AND e.currency = b.currency AND e.account = 'available' AND e.amount > 0 AND e.cause IN ('settlement', 'claim') "
        "GROUP BY 1) AS d) AS l WHERE b.available > 0 AND (b.dealer, b.programme, b.currency) IN ("
        "SELECT dealer, programme, currency FROM rebate_entry WHERE expires_on IS NOT NULL) "
        "AND (%(dealers)s::text[] IS NULL OR b.dealer = ANY(%(dealers)s)) ORDER BY b.dealer, b.programme, b.currency"
    )
    return rows(db, query, {"dealers": None if dealers is None else list(dealers)})


def dealer_code(db: Connection, dealer_id: UUID) -> str | None:
    """How facts and accounts name a dealer; None if there is none."""
    found = one(db, "SELECT coalesce(nullif(number, ''), hub_key) AS code FROM parties WHERE id = %s AND NOT retired", [dealer_id])
    return str(found["code"]) if found else None


def currency_of(db: Connection, programme: str) -> str | None:
    """The currency of a programme's newest version, of whatever type; None if none is published."""
    query = "SELECT doc->>'currency' AS currency FROM programme_version WHERE programme = %s ORDER BY version DESC LIMIT 1"
    found = one(db, query, [programme])
    return str(found["currency"]) if found else None

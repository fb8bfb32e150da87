"""Statements about questions to people: does a registration mean a customer, and which customers are two firms for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import set_json_loads

from channel.deals.queries import LIVE_LIST, Connection, rows, run
from channel.deals.registrations import Hold, Likely
from ledger.bulk import from_json, json_text


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question for a person: does this registration mean that customer? For our own people."""

    registration_id: UUID
    customer_id: int
    customer_name: str
    p: Decimal
    reasons: list[Any]
    state: str
    opened_at: datetime
    status: str
    claim: dict[str, Any]
    dealer_id: UUID | None
    waits: bool
    """True while the claim is held because of it."""


def doubts(
    db: Connection, *, state: str = "open", registration_id: UUID | None = None, waiting_only: bool = False, limit: int = 100
) -> list[Doubt]:
    """Questions to people, oldest first, those that somebody waits for before the rest."""
    query = (
        "SELECT d.registration_id, d.customer_id, c.name AS customer_name, d.p, d.reasons, d.state, d.opened_at, r.status, r.claim, "
        "r.dealer_id, r.status = 'held' AS waits FROM registration_doubt AS d JOIN registration AS r ON r.id = d.registration_id "
        "JOIN customer AS c ON c.id = d.customer_id WHERE d.state = %(state)s "
        f"AND (r.status IN {LIVE_LIST} OR d.state <> 'open') AND (NOT %(waiting)s OR r.status = 'held') "
        "AND (%(id)s::uuid IS NULL OR d.registration_id = %(id)s) ORDER BY r.status <> 'held', d.opened_at, d.registration_id, d.p DESC "
        "LIMIT %(limit)s::int"
    )
    with db.cursor(row_factory=class_row(Doubt)) as cursor:
        set_json_loads(from_json, cursor)
        return cursor.execute(query, {"state": state, "id": registration_id, "waiting": waiting_only, "limit": limit}).fetchall()


def close_doubt(db: Connection, registration_id: UUID, customer_id: int, state: str, by: str, reason: str) -> bool:
    """Answer an open question; False when there is none."""
    query = (
        "UPDATE registration_doubt SET state = %s, decided_at = clock_timestamp(), decided_by = %s, reason = %s "
        "WHERE registration_id = %s AND customer_id = %s::bigint AND state = 'open'"
    )
    return run(db, query, [state, by, reason, registration_id, customer_id]) > 0


def note_doubt(db: Connection, registration_id: UUID, customer_id: int, by: str, reason: str) -> bool:
    """Put a person's words beside a question that stays open; False when there is none."""
    query = (
        "UPDATE registration_doubt SET decided_by = %s, reason = %s "
        "WHERE registration_id = %s AND customer_id = %s::bigint AND state = 'open'"
    )
    return run(db, query, [by, reason, registration_id, customer_id]) > 0


def add_doubts(db: Connection, registration_id: UUID, doubts: Sequence[Likely], reasons: Mapping[int, Any]) -> None:
    """Customers that the claim may mean, for a person to compare."""
    query = (
        "INSERT INTO registration_doubt (registration_id, customer_id, p, reasons) "
        "SELECT %s, * FROM unnest(%s::bigint[], %s::numeric[], %s::json[]) ON CONFLICT DO NOTHING"
    )
    values = [
        registration_id,
        [one.customer_id for one in doubts],
        [one.p for one in doubts],
        [json_text(reasons.get(one.customer_id, [])) for one in doubts],
    ]
    run(db, query, values)


def keep_apart(db: Connection, one: int, other: int, by: str, reason: str) -> None:
    """These two are never taken for one firm again."""
    query = (
        "INSERT INTO customers_apart (low, high, by, reason) "
        "VALUES (least(%s::bigint, %s::bigint), greatest(%s::bigint, %s::bigint), %s, %s) ON CONFLICT DO NOTHING"
    )
    run(db, query, [one, other, one, other, by, reason])


def doubtful_holds(db: Connection, registration_id: UUID) -> list[Hold]:
    """Registrations of others, earlier than this one, of customers that it may still mean: what a held claim waits for."""
    query = (
        "SELECT other.id, other.customer_id, other.dealer_id, other.status FROM registration AS mine "
        "JOIN registration_doubt AS d ON d.registration_id = mine.id AND d.state = 'open' "
        "JOIN registration AS other ON other.customer_id = d.customer_id AND other.id <> mine.id "
        f"WHERE mine.id = %s AND other.status IN {LIVE_LIST} AND other.lines && mine.lines "
        "AND (upper_inf(other.protected) OR upper(other.protected) > clock_timestamp()) "
        "AND other.dealer_id IS DISTINCT FROM mine.dealer_id AND (other.dealer_id IS NULL OR other.submitted_at < mine.submitted_at) "
        "ORDER BY other.submitted_at, other.id"
    )
    return [Hold(*row) for row in rows(db, query, [registration_id])]


def waiting_for(db: Connection, customer_id: int) -> list[UUID]:
    """Held claims that may mean this customer, or are held on it, in the order in which they came."""
    query = (
        "SELECT r.id FROM registration AS r JOIN registration_doubt AS d ON d.registration_id = r.id AND d.state = 'open' "
        "WHERE d.customer_id = %s::bigint AND r.status = 'held' ORDER BY r.submitted_at, r.id"
    )
    return [row[0] for row in rows(db, query, [customer_id])]


def waiting_for_any(db: Connection, customers: Sequence[int]) -> list[UUID]:
    """The same for several customers."""
    query = (
        "SELECT r.id FROM registration AS r WHERE r.status = 'held' AND EXISTS (SELECT FROM registration_doubt AS d "
        "WHERE d.registration_id = r.id AND d.state = 'open' AND d.customer_id = ANY(%s::bigint[])) ORDER BY r.submitted_at, r.id"
    )
    return [row[0] for row in rows(db, query, [list(customers)])]


def is_party(db: Connection, customer_id: int) -> bool:
    """True for a customer that some system knows as a party."""
    return bool(rows(db, "SELECT 1 FROM customer WHERE id = %s::bigint AND party_id IS NOT NULL", [customer_id]))

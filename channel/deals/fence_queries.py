"""Every statement about fences, what was found outside of them, and where goods went. Days are business days of Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Json

from channel.deals.fences import Fence
from channel.deals.queries import Connection, rows, run

_FENCE = (
    "f.id, f.dealer_id, f.region, f.industry, f.product_line, f.exclusive, f.outside, "
    "greatest(f.valid_from, '0001-01-01') AS valid_from, least(f.valid_to, '9999-12-31') AS valid_to"
)
_CHAIN = (
    "WITH RECURSIVE chain (start, id, depth) AS (SELECT id, id, 0 FROM unnest(%(dealers)s::uuid[]) AS id UNION ALL "
    "SELECT chain.start, p.parent_id, depth + 1 FROM chain JOIN parties AS p ON p.id = chain.id "
    "WHERE p.parent_id IS NOT NULL AND p.parent_id <> chain.start AND depth < 5) "
)
"""The dealers above each dealer; no further than five up, so that a circle among parents ends."""


def concerning(db: Connection, dealer_id: UUID, product_line: str, on: date) -> tuple[list[UUID], list[Fence]]:
    """The dealers above a dealer, nearest first, and the fences of that day that can matter to him."""
    query = _CHAIN + (
        "SELECT (SELECT array_agg(id ORDER BY depth) FROM chain WHERE depth > 0), "
        f"{_FENCE} FROM (SELECT 1) AS always LEFT JOIN fence AS f ON %(day)s::date BETWEEN f.valid_from AND f.valid_to AND "
        "(f.dealer_id IN (SELECT id FROM chain) OR (f.exclusive AND (f.product_line IN ('', %(line)s) OR %(line)s = ''))) ORDER BY f.id"
    )
    found = rows(db, query, {"dealers": [dealer_id], "day": on, "line": product_line})
    return found[0][0] or [], [Fence(*row[1:]) for row in found if row[1] is not None]


def fences(db: Connection, *, dealer_id: UUID | None = None, on: date | None = None) -> list[Fence]:
    """Fences, oldest first; of one dealer or one day when asked."""
    query = (
        f"SELECT {_FENCE} FROM fence AS f WHERE (%(dealer)s::uuid IS NULL OR f.dealer_id = %(dealer)s) "
        "AND (%(day)s::date IS NULL OR %(day)s::date BETWEEN f.valid_from AND f.valid_to) ORDER BY f.id"
    )
    with db.cursor(row_factory=class_row(Fence)) as cursor:
        return cursor.execute(query, {"dealer": dealer_id, "day": on}).fetchall()


def add_fence(db: Connection, fence: Fence, by: str, note: str) -> int:
    """A new fence; its id."""
    query = (
        "INSERT INTO fence (dealer_id, region, industry, product_line, exclusive, outside, valid_from, valid_to, note, edited_by) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id"
    )
    starts = "-infinity" if fence.valid_from == date.min else fence.valid_from.isoformat()
    ends = "infinity" if fence.valid_to == date.max else fence.valid_to.isoformat()
    values = [fence.dealer_id, fence.region, fence.industry, fence.product_line, fence.exclusive, fence.outside, starts, ends, note, by]
    return int(rows(db, query, values)[0][0])


def end_fence(db: Connection, fence_id: int, last_day: date, by: str, note: str) -> bool:
    """Let a fence end with a day; False when there is none that lasts beyond it. A fence that never held is kept for a day."""
    query = (
        "UPDATE fence SET valid_to = greatest(%s::date, valid_from), note = CASE WHEN %s = '' THEN note ELSE %s END, edited_by = %s, "
        "edited_at = clock_timestamp() WHERE id = %s::bigint AND valid_to > %s::date"
    )
    return run(db, query, [last_day, note, note, by, fence_id, last_day]) > 0


def chains(db: Connection, dealers: Sequence[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """By dealer: the dealers above him, nearest first."""
    query = _CHAIN + "SELECT start, array_agg(id ORDER BY depth) FROM chain WHERE depth > 0 GROUP BY start"
    return {dealer: tuple(above) for dealer, above in rows(db, query, {"dealers": list(dealers)})}


# What was found outside ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hit:
    """A claim, order or shipment outside of where its dealer may sell. For our own people."""

    id: int
    at: datetime
    subject: str
    dealer_id: UUID
    fence_id: int | None
    effect: str
    code: str
    facts: dict[str, Any]
    state: str
    decided_by: str | None
    reason: str


_HIT = "id, at, subject, dealer_id, fence_id, effect, code, facts, state, decided_by, reason"


def hits(
    db: Connection, *, state: str | None = "open", subject: str | None = None, kind: str | None = None, after: int = 0, limit: int = 100
) -> list[Hit]:
    """Hits, oldest first, from the one after `after` on. `kind`: registration, order, shipment."""
    query = (
        f"SELECT {_HIT} FROM fence_hit WHERE (%(state)s::text IS NULL OR state = %(state)s) "
        "AND (%(subject)s::text IS NULL OR subject = %(subject)s) AND (%(kind)s::text IS NULL OR subject LIKE %(kind)s || ':%%') "
        "AND id > %(after)s::bigint ORDER BY id LIMIT %(limit)s::int"
    )
    with db.cursor(row_factory=class_row(Hit)) as cursor:
        return cursor.execute(query, {"state": state, "subject": subject, "kind": kind, "after": after, "limit": limit}).fetchall()


def refused(db: Connection, subjects: Sequence[str]) -> list[Hit]:
    """Hits of these subjects that a person has refused."""
    query = f"SELECT {_HIT} FROM fence_hit WHERE subject = ANY(%s::text[]) AND state = 'refused' ORDER BY id"
    with db.cursor(row_factory=class_row(Hit)) as cursor:
        return cursor.execute(query, [list(subjects)]).fetchall()


def add_hits(db: Connection, found: Sequence[tuple[str, UUID, int | None, str, str, dict[str, Any]]]) -> list[tuple[int, str]]:
    """Hits of goods, each subject and code once; ids and subjects of those that are new."""
    query = (
        "INSERT INTO fence_hit (subject, dealer_id, fence_id, effect, code, facts) "
        "SELECT * FROM unnest(%s::text[], %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::json[]) ON CONFLICT (subject, code) "
        "WHERE subject NOT LIKE 'registration:%%' DO NOTHING RETURNING id, subject"
    )
    columns: list[list[Any]] = [list(column) for column in zip(*found, strict=True)] if found else [[] for _ in range(6)]
    columns[5] = [Json(facts) for facts in columns[5]]
    return rows(db, query, columns)


def settle(db: Connection, subject: str, state: str, by: str, reason: str, hit_id: int | None = None) -> list[int]:
    """Close the open hits of a subject, or one of them; which."""
    query = (
        "UPDATE fence_hit SET state = %s, decided_by = %s, decided_at = clock_timestamp(), reason = %s "
        "WHERE subject = %s AND state = 'open' AND (%s::bigint IS NULL OR id = %s::bigint) RETURNING id"
    )
    return [row[0] for row in rows(db, query, [state, by, reason, subject, hit_id, hit_id])]


def states(db: Connection, subjects: Sequence[str]) -> dict[tuple[str, str], str]:
    """State of every hit of these subjects, by subject and code."""
    found = rows(db, "SELECT subject, code, state FROM fence_hit WHERE subject = ANY(%s::text[])", [list(subjects)])
    return {(subject, code): state for subject, code, state in found}

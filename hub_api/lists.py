"""Every statement behind the lists of what the engine does: links, deliveries, conflicts, cases, quarantine, plans, runs, drift, values.

All are paged by key, newest first where time matters. Identifiers stand in this file; every value is a parameter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg

Cursor = psycopg.Cursor[dict[str, Any]]
Row = dict[str, Any]

STATES = ("in_sync", "due", "in_flight", "held", "blocked", "left")


@dataclass(frozen=True)
class Listing:
    """One list: where its rows come from, what orders them, what may filter them."""

    select: str
    """The statement up to WHERE."""
    key: Mapping[str, str]
    """What orders the rows and tells them apart: output name -> expression with its type, e.g. `{"id": "c.id::bigint"}`."""
    filters: Mapping[str, str]
    """Name of a filter -> condition with one `%s`."""
    newest_first: bool = True
    always: str = ""
    """A condition that always holds."""
    exact: Collection[str] = ()
    """Columns that hold JSON as text; given on as they are, so that no number changes."""


LINKS = Listing(
    "SELECT s.system, s.name AS stream, s.entity, l.key, l.org, l.number, l.entity_id, l.role, l.how, l.linked_at, l.stream_id "
    "FROM link l JOIN stream s ON s.id = l.stream_id",
    {"stream_id": "l.stream_id::smallint", "key": "l.key::text"},
    {
        "system": "s.system = %s",
        "stream": "s.name = %s",
        "entity": "s.entity = %s",
        "entity_id": "l.entity_id = %s",
        "key": "l.key = %s",
        "number": "l.number = %s",
        "role": "l.role = %s",
    },
    newest_first=False,
)
DELIVERIES = Listing(
    "SELECT a.id, s.system, s.name AS stream, s.entity, a.entity_id, a.org, a.hub_key, a.key, a.step, a.fields::text AS "
    "fields, a.run_id, a.started_at, "
    "(SELECT coalesce(json_agg(json_build_object('outcome', r.outcome, 'key', r.key, 'number', r.number, 'code', r.code, "
    "'why', r.why, 'at', r.at) "
    "ORDER BY r.id), '[]')::text FROM delivery_receipt r WHERE r.attempt_id = a.id) AS receipts "
    "FROM delivery_attempt a JOIN stream s ON s.id = a.stream_id",
    {"id": "a.id::uuid"},
    {
        "system": "s.system = %s",
        "stream": "s.name = %s",
        "entity_id": "a.entity_id = %s",
        "step": "a.step = %s",
        "outcome": "EXISTS (SELECT 1 FROM delivery_receipt r WHERE r.attempt_id = a.id AND r.outcome = %s)",
        "id": "a.id = %s",
    },
    exact=("fields", "receipts"),
)
CONFLICTS = Listing(
    "SELECT c.id, c.entity, c.entity_id, c.field, s.system, s.name AS stream, c.key, c.ours::text AS ours, "
    "c.theirs::text AS theirs, c.rule, c.state, c.at, "
    "c.closed_at FROM conflict c JOIN stream s ON s.id = c.stream_id",
    {"id": "c.id::bigint"},
    {
        "state": "c.state = %s",
        "entity": "c.entity = %s",
        "entity_id": "c.entity_id = %s",
        "system": "s.system = %s",
        "field": "c.field = %s",
        "id": "c.id = %s",
        "hidden": "NOT (c.entity || '.' || regexp_replace(c.field, '/[^/]+/', '.') = ANY(%s))",
    },
    exact=("ours", "theirs"),
)
CASES = Listing(
    "SELECT c.id, c.kind, c.entity, c.left_id, c.right_id, c.evidence::text AS evidence, c.state, c.opened_at, "
    "c.decided_at, c.decided_by, c.reason "
    "FROM review_case c",
    {"id": "c.id::bigint"},
    {
        "state": "c.state = %s",
        "entity": "c.entity = %s",
        "kind": "c.kind = %s",
        "entity_id": "%s IN (c.left_id, c.right_id)",
        "id": "c.id = %s",
    },
    exact=("evidence",),
)
QUARANTINE = Listing(
    "SELECT q.id, s.system, s.name AS stream, s.entity, q.key, q.org, q.cause, q.waits_for, q.why, q.next_step, "
    "q.attempts, q.state, q.first_at, q.last_at, "
    "q.closed_by FROM quarantine q JOIN stream s ON s.id = q.stream_id",
    {"id": "q.id::bigint"},
    {
        "state": "q.state = %s",
        "cause": "q.cause = %s",
        "system": "s.system = %s",
        "stream": "s.name = %s",
        "key": "q.key = %s",
        "id": "q.id = %s",
    },
)
PLANS = Listing(
    "SELECT p.id, p.kind, p.scope::text AS scope, p.state, p.summary::text AS summary, p.made_at, p.expires_at, "
    "p.decided_by, p.decided_at FROM plan p",
    {"id": "p.id::bigint"},
    {"state": "p.state = %s", "kind": "p.kind = %s", "id": "p.id = %s"},
    exact=("scope", "summary"),
)
PLAN_ROWS = Listing(
    "SELECT s.system, s.name AS stream, s.entity, r.stream_id, r.entity_id, r.org, r.action, r.changes::text AS changes, "
    "r.canonical_version, "
    "r.observed_version, r.outcome FROM plan_row r JOIN stream s ON s.id = r.stream_id",
    {"stream_id": "r.stream_id::smallint", "entity_id": "r.entity_id::uuid", "org": "r.org::text"},
    {
        "plan": "r.plan_id = %s",
        "system": "s.system = %s",
        "action": "r.action = %s",
        "entity": "s.entity = %s",
        "outcome": "r.outcome = %s",
    },
    newest_first=False,
    exact=("changes",),
)
RUNS = Listing(
    "SELECT r.id, r.kind, r.system, r.detail, r.started_at, r.ended_at, r.status, r.counts::text AS counts, r.error FROM run r",
    {"id": "r.id::bigint"},
    {"kind": "r.kind = %s", "system": "r.system = %s", "status": "r.status = %s", "id": "r.id = %s"},
    exact=("counts",),
)
DRIFT = Listing(
    "SELECT s.system, s.name AS stream, s.entity, d.stream_id, d.entity_id, d.org, d.state, d.reason, d.detail, "
    "d.differs::text AS differs, d.waits_for, "
    "d.due_at, d.attempts, d.changed_at, l.key, l.number FROM desired d JOIN stream s ON s.id = d.stream_id "
    "LEFT JOIN link l ON l.stream_id = d.stream_id AND l.entity_id = d.entity_id AND l.org = d.org AND l.role = 'primary'",
    {"stream_id": "d.stream_id::smallint", "entity_id": "d.entity_id::uuid", "org": "d.org::text"},
    {
        "system": "s.system = %s",
        "stream": "s.name = %s",
        "entity": "s.entity = %s",
        "state": "d.state = %s",
        "entity_id": "d.entity_id = %s",
    },
    newest_first=False,
    exact=("differs",),
)
DRIFTING = "d.state NOT IN ('in_sync', 'left')"
VALUES = Listing(
    "SELECT v.id, v.name, v.system, v.company, v.vendor_value, v.canonical_value, CASE WHEN isfinite(v.valid_from) THEN "
    "v.valid_from END AS valid_from, "
    "CASE WHEN isfinite(v.valid_to) THEN v.valid_to END AS valid_to, v.note, v.edited_by, v.edited_at FROM value_map v",
    {"id": "v.id::bigint"},
    {"name": "v.name = %s", "system": "v.system = %s", "company": "v.company = %s"},
)
MISSING_VALUES = Listing(
    "SELECT m.name, m.system, m.company, m.direction, m.value, s.name AS example_stream, m.example_key, m.records, m.first_at "
    "FROM value_missing m LEFT JOIN stream s ON s.id = m.example_stream",
    {
        "name": "m.name::text",
        "system": "m.system::text",
        "company": "m.company::text",
        "direction": "m.direction::text",
        "value": "m.value::text",
    },
    {"name": "m.name = %s", "system": "m.system = %s"},
    newest_first=False,
)


def page(
    db: Cursor, listing: Listing, given: Mapping[str, Any], *, after: Sequence[Any] | None, limit: int, and_also: str = ""
) -> list[Row]:
    """Rows of a list, one more than `limit` when there are more. A filter that is None does not filter."""
    where = [condition for condition in (listing.always, and_also) if condition]
    values: list[Any] = []
    for name, value in given.items():
        if value is not None:
            where.append(listing.filters[name])
            values.append(value)
    if any(isinstance(value, str) and "\0" in value for value in values):  # no stored text has one, and the driver would refuse it
        return []
    columns = [expression.partition("::")[0] for expression in listing.key.values()]
    if after is not None:
        types = ", ".join(f"%s::{expression.partition('::')[2]}" for expression in listing.key.values())
        where.append(f"({', '.join(columns)}) {'<' if listing.newest_first else '>'} ({types})")
        values.extend(after)
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    order = ", ".join(f"{column} DESC" if listing.newest_first else column for column in columns)
    db.execute(f"{listing.select}{condition} ORDER BY {order} LIMIT {int(limit) + 1}".encode(), values)
    return [_exact(row, listing.exact) for row in db]


def position(listing: Listing, row: Row) -> list[Any]:
    """What the next page starts after."""
    return [str(row[name]) for name in listing.key]


def one(db: Cursor, listing: Listing, **key: Any) -> Row | None:
    """The one row with these values, if there is one."""
    rows = page(db, listing, key, after=None, limit=1)
    return rows[0] if rows else None


def payload(db: Cursor, quarantine_id: int) -> Any:
    """The payload of a record set aside, exactly as the system sent it or a person mended it; text when it could not be read at all."""
    db.execute(
        "SELECT coalesce(q.payload::text, o.payload) AS payload, q.raw FROM quarantine q "
        "LEFT JOIN observed o ON o.stream_id = q.stream_id AND o.key = q.key WHERE q.id = %s",
        [quarantine_id],
    )
    row = db.fetchone()
    if row is None or row["payload"] is None:
        return row["raw"] if row else None
    return msgspec.Raw(row["payload"].encode())


def feed_horizon(db: Cursor) -> datetime:
    """The time before which no running transaction can still add history: a row's `at` is when its transaction began."""
    db.execute(
        "SELECT least(now(), min(xact_start)) AS horizon FROM pg_stat_activity "
        "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    row = db.fetchone()
    assert row is not None  # noqa: S101  an aggregate always gives a row
    horizon: datetime = row["horizon"]
    return horizon


def feed_start(db: Cursor) -> datetime | None:
    """When the first row of history was written."""
    db.execute("SELECT min(at) AS at FROM history")
    at: datetime | None = (db.fetchone() or {"at": None})["at"]
    return at


def feed(db: Cursor, *, after: tuple[datetime, int], until: datetime, entities: Sequence[str], limit: int) -> list[Row]:
    """Rows of history past a position and before `until`, in the order of their transactions' beginnings, some kinds of record only."""
    db.execute(
        "SELECT seq, at, entity, entity_id, version, cause, changed FROM history "
        "WHERE at >= %(at)s AND (at, seq) > (%(at)s, %(seq)s) AND at < %(until)s AND entity = ANY(%(entities)s) ORDER BY "
        "at, seq LIMIT %(limit)s",
        {"at": after[0], "seq": after[1], "until": until, "entities": list(entities), "limit": limit},
    )
    return db.fetchall()


def state_counts(db: Cursor) -> list[Row]:
    """How many pairs are in each of the six states, by system and stream."""
    db.execute(
        "SELECT s.system, s.name AS stream, d.state, count(*) AS pairs FROM desired d JOIN stream s ON s.id = "
        "d.stream_id GROUP BY s.system, s.name, d.state"
    )
    return db.fetchall()


def streams(db: Cursor) -> list[Row]:
    """Every stream with where reading stands and how much it holds."""
    db.execute(
        "SELECT s.system, s.name AS stream, s.entity, s.listed_at, c.moved_at AS read_to_at, extract(epoch FROM now() - "
        "c.moved_at)::bigint AS lag_s, "
        "coalesce(o.records, 0) AS records, coalesce(q.open, 0) AS quarantined FROM stream s LEFT JOIN cursor_position c "
        "ON c.stream_id = s.id "
        "LEFT JOIN (SELECT stream_id, count(*) FILTER (WHERE NOT deleted) AS records FROM observed GROUP BY stream_id) o "
        "ON o.stream_id = s.id "
        "LEFT JOIN (SELECT stream_id, count(*) AS open FROM quarantine WHERE state = 'open' GROUP BY stream_id) q ON q.stream_id = s.id "
        "ORDER BY s.system, s.name"
    )
    return db.fetchall()


def pauses(db: Cursor) -> dict[str, Row]:
    """Systems that wait because a vendor asked for it."""
    db.execute("SELECT system, until, why FROM system_pause WHERE until > now()")
    return {row["system"]: row for row in db}


def budgets(db: Cursor) -> list[Row]:
    """How much of each vendor's windows is spent."""
    db.execute("SELECT system, window_name, share, starts_at, used, ceiling FROM budget ORDER BY system, window_name, share")
    return db.fetchall()


def open_counts(db: Cursor) -> Row:
    """Open cases, conflicts and plans, and values that lack."""
    db.execute(
        "SELECT (SELECT count(*) FROM review_case WHERE state = 'open') AS cases, (SELECT count(*) FROM conflict WHERE "
        "state = 'open') AS conflicts, "
        "(SELECT count(*) FROM plan WHERE state = 'open' AND expires_at > now()) AS plans, (SELECT count(*) FROM "
        "value_missing) AS missing_values"
    )
    return db.fetchone() or {}


def last_runs(db: Cursor) -> list[Row]:
    """The newest run of each kind and system."""
    db.execute(
        "SELECT DISTINCT ON (kind, system) kind, system, status, started_at, ended_at, extract(epoch FROM ended_at - "
        "started_at)::float8 AS seconds "
        "FROM run ORDER BY kind, system, started_at DESC"
    )
    return db.fetchall()


def run_totals(db: Cursor) -> list[Row]:
    """How many runs ended in each way."""
    db.execute("SELECT kind, system, status, count(*) AS runs FROM run GROUP BY kind, system, status ORDER BY kind, system, status")
    return db.fetchall()


def _exact(row: Row, names: Collection[str]) -> Row:
    for name in names:
        if row[name] is not None:
            row[name] = msgspec.Raw(row[name].encode())
    return row

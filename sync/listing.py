"""Lists of what the hub keeps, by the page: pairs, links, deliveries, conflicts, runs. Reads only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ledger.bulk import from_json
from sync.hub import Hub

STATES = ("in_sync", "due", "in_flight", "held", "blocked", "left")


def _ids(hub: Hub, system: str | None, stream: str | None, entity: str | None) -> list[int]:
    return [
        state.id
        for state in hub.streams.values()
        if system in (None, state.system) and stream in (None, state.name) and entity in (None, state.entity)
    ]


def _place(hub: Hub, row: dict[str, Any]) -> dict[str, Any]:
    state = hub.by_id.get(row.pop("stream_id"))
    return {
        "system": state.system if state else "hub",
        "stream": state.name if state else "",
        "entity": state.entity if state else "",
        **row,
    }


def drift(
    hub: Hub,
    *,
    system: str | None = None,
    stream: str | None = None,
    entity: str | None = None,
    state: str | None = None,
    entity_id: UUID | None = None,
    after: str | None = None,
    limit: int = 100,
    all_states: bool = False,
) -> list[dict[str, Any]]:
    """Pairs that are neither in_sync nor left, or those of one state, with what differs. `after`: entity id of the last one seen."""
    states = [state] if state else list(STATES) if all_states else [name for name in STATES if name not in ("in_sync", "left")]
    with hub.transaction() as db:
        db.execute(
            "SELECT stream_id, entity_id::text AS entity_id, org, state, reason, detail, "
            "differs::text AS differs, waits_for::text AS waits_for, attempts, due_at, changed_at FROM desired "
            "WHERE stream_id = ANY(%(ids)s) AND state = ANY(%(states)s) AND (%(entity)s::uuid IS NULL OR entity_id = %(entity)s) "
            "AND (%(after)s::uuid IS NULL OR entity_id > %(after)s::uuid) ORDER BY entity_id, stream_id LIMIT %(limit)s",
            {"ids": _ids(hub, system, stream, entity), "states": states, "entity": entity_id, "after": after, "limit": limit},
        )
        return [_place(hub, {**row, "differs": from_json(row["differs"] or "null")}) for row in db]


def links(
    hub: Hub,
    *,
    system: str | None = None,
    stream: str | None = None,
    entity: str | None = None,
    entity_id: UUID | None = None,
    after: str = "",
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Which system record is which canonical record, and how that was found.

    `after`: `stream id/key` of the last one seen, as `place` gives it.
    """
    place, _, key = after.partition("/")
    with hub.transaction() as db:
        db.execute(
            "SELECT stream_id, key, org, number, entity_id::text AS entity_id, role, how, linked_at, stream_id || '/' || key AS place "
            "FROM link WHERE stream_id = ANY(%(ids)s) AND (%(entity)s::uuid IS NULL OR entity_id = %(entity)s) "
            "AND (%(place)s = '' OR (stream_id, key) > (%(place)s::smallint, %(key)s)) ORDER BY link.stream_id, link.key LIMIT %(limit)s",
            {"ids": _ids(hub, system, stream, entity), "entity": entity_id, "place": place or "", "key": key, "limit": limit},
        )
        return [_place(hub, dict(row)) for row in db]


def deliveries(
    hub: Hub,
    *,
    system: str | None = None,
    stream: str | None = None,
    entity_id: UUID | None = None,
    outcome: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """What was tried and what became of it, newest first. `after`: attempt id of the last one seen. Payloads are not shown here."""
    with hub.transaction() as db:
        db.execute(
            "SELECT a.stream_id, a.id::text AS id, a.entity_id::text AS entity_id, a.org, a.step, "
            "coalesce(r.key, a.key) AS key, a.started_at, r.outcome, r.number, r.code, r.why, r.at "
            "FROM delivery_attempt a LEFT JOIN delivery_receipt r ON r.attempt_id = a.id "
            "WHERE a.stream_id = ANY(%(ids)s) AND (%(entity)s::uuid IS NULL OR a.entity_id = %(entity)s) "
            "AND (%(outcome)s::text IS NULL OR coalesce(r.outcome, 'none') = %(outcome)s) "
            "AND (%(after)s::uuid IS NULL OR a.id < %(after)s::uuid) ORDER BY a.id DESC, r.id DESC LIMIT %(limit)s",
            {"ids": _ids(hub, system, stream, None), "entity": entity_id, "outcome": outcome, "after": after, "limit": limit},
        )
        return [_place(hub, dict(row)) for row in db]


def conflicts(
    hub: Hub, *, state: str | None = None, system: str | None = None, entity_id: UUID | None = None, after: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """What non-owners changed, with both values and the rule, newest first."""
    with hub.transaction() as db:
        db.execute(
            "SELECT stream_id, id, entity_id::text AS entity_id, field, key, ours::text AS ours, theirs::text AS theirs, rule, "
            "state, at, closed_at FROM conflict WHERE stream_id = ANY(%(ids)s) AND (%(state)s::text IS NULL OR state = %(state)s) "
            "AND (%(entity)s::uuid IS NULL OR entity_id = %(entity)s) AND (%(after)s = 0 OR id < %(after)s) "
            "ORDER BY id DESC LIMIT %(limit)s",
            {"ids": _ids(hub, system, None, None), "state": state, "entity": entity_id, "after": after, "limit": limit},
        )
        return [_place(hub, {**row, "ours": from_json(row["ours"] or "null"), "theirs": from_json(row["theirs"] or "null")}) for row in db]


def runs(
    hub: Hub, *, kind: str | None = None, system: str | None = None, status: str | None = None, after: int = 0, limit: int = 50
) -> list[dict[str, Any]]:
    """What was done when, newest first."""
    with hub.transaction() as db:
        db.execute(
            "SELECT id, kind, system, detail, started_at, ended_at, status, counts, error FROM run "
            "WHERE (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(system)s::text IS NULL OR system = %(system)s) "
            "AND (%(status)s::text IS NULL OR status = %(status)s) AND (%(after)s = 0 OR id < %(after)s) ORDER BY id DESC LIMIT %(limit)s",
            {"kind": kind, "system": system, "status": status, "after": after, "limit": limit},
        )
        return [dict(row) for row in db]

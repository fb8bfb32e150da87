"""Pairs of record and system as the ledger holds them: where records are linked, in which state each pair was, and what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ledger.bulk import JSON_ARRAY, NULL, array_text, copy_columns, copy_json, from_json, joined_json, joined_texts, json_text, text_column
from mappings.errors import WantedValue
from sync.compare import Differences, canonical_field
from sync.decide_pairs import Verdict
from sync.hub import Cursor
from sync.streams import StreamState

if TYPE_CHECKING:
    from sync.observing import Observed

UNCONFIRMED = "unconfirmed"
"""Reason of a pair that was written and not yet read back."""

WOKEN_OTHERWISE = ("rejected", "value", "mapping", "parent")
"""Reasons that another look at the same facts does not remove."""


@dataclass(slots=True)
class There:
    """An entity's record in one system."""

    key: str
    org: str
    number: str
    how: str
    payload: dict[str, Any] | None
    """None when it has not been read since it was created."""
    gone: bool = False
    version: int = 0


@dataclass(slots=True)
class Pair:
    """One pair's new state."""

    stream_id: int
    entity_id: str
    org: str
    verdict: Verdict
    version: int
    differs: Differences | None = None
    accepted: dict[str, list[Any]] = field(default_factory=dict)
    detail: str = ""
    waits_for: str | None = None
    edited: Sequence[str] = ()
    """Paths of `differs` that somebody changed there since the last reading."""
    company: str = ""
    """Number of the company whose owners decide, where they differ by company."""


def records_there(
    db: Cursor, streams: Sequence[StreamState], ids: Sequence[str], seen_in: StreamState | None, seen: Mapping[str, dict[str, Any]]
) -> dict[tuple[int, str], list[There]]:
    """Where entities are linked, by (stream, entity); payloads that were just read (`seen`, of `seen_in`) are not fetched again."""
    found: dict[tuple[int, str], list[There]] = {}
    if not ids:
        return found
    db.execute(
        "SELECT l.stream_id, l.key, l.org, l.number, l.how, l.role, l.entity_id::text AS entity_id, o.version, o.deleted, "
        "CASE WHEN l.stream_id = %s AND l.key = ANY(%s::text[]) THEN NULL ELSE o.payload END AS payload "
        "FROM link l LEFT JOIN observed o ON (o.stream_id, o.key) = (l.stream_id, l.key) "
        "WHERE l.entity_id = ANY(%s::uuid[]) AND l.stream_id = ANY(%s) AND l.role <> 'alias' ORDER BY l.stream_id, l.org, l.key",
        [seen_in.id if seen_in else -1, array_text(list(seen)), array_text(ids), [state.id for state in streams]],
    )
    for row in db:
        if seen_in is not None and row["stream_id"] == seen_in.id and row["key"] in seen:
            payload: dict[str, Any] | None = seen[row["key"]]
        else:
            payload = from_json(row["payload"]) if row["payload"] else None
        gone = row["role"] == "gone" or bool(row["deleted"])
        record = There(row["key"], row["org"], row["number"], row["how"], payload, gone, row["version"] or 0)
        found.setdefault((row["stream_id"], row["entity_id"]), []).append(record)
    return found


def pairs_before(db: Cursor, streams: Sequence[int], ids: Sequence[str]) -> dict[tuple[int, str], dict[str, dict[str, Any]]]:
    """How pairs stood, by (stream, entity) and organisation."""
    found: dict[tuple[int, str], dict[str, dict[str, Any]]] = {}
    if not ids:
        return found
    db.execute(
        "SELECT stream_id, entity_id::text AS entity_id, org, state, reason, detail, canonical_version, differs::text AS differs, "
        "accepted::text AS accepted, waits_for::text AS waits_for FROM desired WHERE stream_id = ANY(%s) AND entity_id = ANY(%s::uuid[])",
        [list(streams), array_text(ids)],
    )
    for row in db:
        found.setdefault((row["stream_id"], row["entity_id"]), {})[row["org"]] = row
    return found


def in_open_case(db: Cursor, ids: Sequence[str]) -> set[str]:
    """Of these entities, those about which a person has been asked."""
    if not ids:
        return set()
    db.execute(
        "SELECT left_id::text AS id FROM review_case WHERE state = 'open' AND left_id = ANY(%(ids)s::uuid[]) "
        "UNION SELECT right_id::text FROM review_case WHERE state = 'open' AND right_id = ANY(%(ids)s::uuid[])",
        {"ids": array_text(ids)},
    )
    return {row["id"] for row in db}


def listed_streams(db: Cursor, streams: Sequence[int]) -> set[int]:
    """Of these streams, those whose first complete listing is linked.

    One that is not stays so until the caller's transaction ends: else what is judged as waiting for the listing would be written just after
    the listing let everything go that waited, and wait for ever.
    """
    db.execute("SELECT id FROM stream WHERE id = ANY(%s) AND listed_at IS NULL", [list(streams)])
    unlisted = [row["id"] for row in db]
    if unlisted:
        db.execute("SELECT id FROM stream WHERE id = ANY(%s) AND listed_at IS NULL ORDER BY id FOR SHARE", [unlisted])
        unlisted = [row["id"] for row in db]
    return set(streams).difference(unlisted)


def reached_goal(db: Cursor, state: StreamState, entity_id: str, org: str) -> bool:
    """True when the hub has driven this document to the flow's goal before: where it stands lower now, a person has lowered it."""
    ladder = state.decl.ladder
    last = next((step for step, leads_to in ladder.after.items() if leads_to == state.flow.goal), "") if ladder else ""
    db.execute(
        "SELECT 1 FROM delivery_attempt a JOIN delivery_receipt r ON r.attempt_id = a.id WHERE a.stream_id = %s AND a.entity_id = %s "
        "AND a.org = %s AND a.step = %s AND r.outcome IN ('written', 'unchanged') LIMIT 1",
        [state.id, entity_id, org, last],
    )
    return db.fetchone() is not None


def note_missing(db: Cursor, state: StreamState, missing: Sequence[tuple[WantedValue, str]]) -> None:
    """Put values that lack a counterpart in a system into the inbox of the value maps, each with one entity that wants it."""
    found = dict(missing)
    for want in sorted(found, key=lambda want: (want.map, want.company, want.direction, want.value)):  # workers that meet lock in one order
        db.execute(
            "INSERT INTO value_missing (name, system, company, direction, value, example_stream, example_key) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name, system, company, direction, value) DO NOTHING",
            [want.map, state.system, want.company, want.direction, want.value, state.id, found[want]],
        )


def plain(found: Differences) -> Any:
    """Differences as they come back from the ledger."""
    return from_json(json_text(found))


def store_judged(
    db: Cursor,
    state: StreamState,
    judged: Sequence[Pair],
    before: Mapping[tuple[int, str], Mapping[str, dict[str, Any]]],
    result: Observed,
) -> None:
    """Store the states that changed, and put conflicts on record."""
    new: list[Pair] = []
    moved: list[Pair] = []
    conflicts: list[Pair] = []
    calmed: list[str] = []
    stale: list[tuple[str, str]] = []
    by_entity: dict[str, set[str]] = {}
    for pair in judged:
        rows = before.get((state.id, pair.entity_id))
        row = rows.get(pair.org) if rows else None
        if rows:
            by_entity.setdefault(pair.entity_id, set()).add(pair.org)
        if row is None:
            new.append(pair)
        elif _moved(pair, row):
            moved.append(pair)
            if pair.verdict.state == "in_sync" and (row["state"] != "in_sync" or row["reason"] == UNCONFIRMED):
                calmed.append(pair.entity_id)
        if pair.verdict.conflict:
            conflicts.append(pair)
    for entity_id, orgs in by_entity.items():
        stale.extend(
            (entity_id, org)
            for org, row in before.get((state.id, entity_id), {}).items()
            if org not in orgs and row["state"] != "in_flight"
        )
    _insert(db, new)
    _update(db, moved)
    if stale:
        db.execute(
            "DELETE FROM desired d USING unnest(%s::uuid[], %s::text[]) v(entity_id, org) "
            "WHERE d.stream_id = %s AND (d.entity_id, d.org) = (v.entity_id, v.org)",
            [[entity_id for entity_id, _ in stale], [org for _, org in stale], state.id],
        )
    for pair in conflicts:
        record_conflicts(db, state, pair)
    result.conflicts += len(conflicts)
    if calmed:
        db.execute(
            "UPDATE conflict SET state = 'repaired', closed_at = now() "
            "WHERE entity_id = ANY(%s::uuid[]) AND stream_id = %s AND state = 'open'",
            [calmed, state.id],
        )


def _moved(pair: Pair, row: Mapping[str, Any]) -> bool:
    verdict = pair.verdict
    if row["state"] == "in_flight" and verdict.state != "in_sync":
        return False  # whoever delivers it will judge it again
    waits = row["state"] == "blocked" or (row["state"] == "held" and row["reason"] in WOKEN_OTHERWISE)
    if waits and verdict.state == "due" and row["canonical_version"] == pair.version and _same_differences(pair, row):
        return False
    return bool(
        (row["state"], row["reason"], row["canonical_version"], row["waits_for"])
        != (verdict.state, verdict.reason, pair.version, pair.waits_for)
        or (verdict.reason == "fence" and row["detail"] != pair.detail)  # a person has answered
        or not _same_differences(pair, row)
        or from_json(row["accepted"] or "{}") != plain(pair.accepted)
    )


def _same_differences(pair: Pair, row: Mapping[str, Any]) -> bool:
    return bool(from_json(row["differs"] or "null") == (plain(pair.differs) if pair.differs else None))


def _insert(db: Cursor, pairs: Sequence[Pair]) -> None:
    verdicts = [pair.verdict for pair in pairs]
    copy_columns(
        db,
        "desired",
        {
            "stream_id": [str(pair.stream_id) for pair in pairs],
            "entity_id": [pair.entity_id for pair in pairs],
            "org": text_column([pair.org for pair in pairs]),
            "state": [verdict.state for verdict in verdicts],
            "reason": [verdict.reason for verdict in verdicts],
            "detail": text_column([pair.detail for pair in pairs]),
            "canonical_version": [str(pair.version) for pair in pairs],
            "differs": [copy_json(pair.differs) if pair.differs else NULL for pair in pairs],
            "accepted": [copy_json(pair.accepted) if pair.accepted else NULL for pair in pairs],
            "waits_for": [pair.waits_for or NULL for pair in pairs],
            "due_at": ["now" if verdict.state == "due" else NULL for verdict in verdicts],
        },
    )


def _update(db: Cursor, pairs: Sequence[Pair]) -> None:
    if not pairs:
        return
    db.execute(
        "UPDATE desired d SET state = v.state, reason = v.reason, detail = v.detail, canonical_version = v.version, "
        "differs = v.differs::json, accepted = v.accepted::json, waits_for = v.waits_for, changed_at = now(), "
        "attempts = CASE WHEN d.canonical_version = v.version THEN d.attempts ELSE 0 END, "
        "due_at = CASE WHEN v.state = 'due' "
        "THEN CASE WHEN d.state = 'due' AND d.canonical_version = v.version THEN d.due_at ELSE now() END END "
        f"FROM unnest(%s::smallint[], {JSON_ARRAY}::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[], "
        f"{JSON_ARRAY}, {JSON_ARRAY}, {JSON_ARRAY}::uuid[]) "
        "AS v(stream_id, entity_id, org, state, reason, detail, version, differs, accepted, waits_for) "
        "WHERE (d.stream_id, d.entity_id, d.org) = (v.stream_id, v.entity_id, v.org)",
        [
            [pair.stream_id for pair in pairs],
            joined_texts(pair.entity_id for pair in pairs),
            [pair.org for pair in pairs],
            [pair.verdict.state for pair in pairs],
            [pair.verdict.reason for pair in pairs],
            [pair.detail for pair in pairs],
            [pair.version for pair in pairs],
            joined_json(pair.differs or None for pair in pairs),
            joined_json(pair.accepted or None for pair in pairs),
            joined_texts(pair.waits_for for pair in pairs),
        ],
    )


def record_conflicts(db: Cursor, state: StreamState, pair: Pair) -> None:
    """Put both values of each field that a non-owner changed on record."""
    fields = pair.differs or {}
    stand = "left" if pair.verdict.state == "left" else "open"
    db.execute(
        "SELECT key FROM link WHERE stream_id = %s AND entity_id = %s AND org = %s AND role = 'primary'",
        [state.id, pair.entity_id, pair.org],
    )
    key = (db.fetchone() or {"key": ""})["key"]
    for path, (theirs, ours) in fields.items():
        if pair.edited and path not in pair.edited:
            continue
        name = canonical_field(state, path)
        policy = state.policy.in_company(pair.company)
        owner = policy.owners.get(name, ("hub",))[0] + policy.told_company(name)
        db.execute(
            "INSERT INTO conflict (entity, entity_id, field, stream_id, key, ours, theirs, rule, state) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                state.entity,
                pair.entity_id,
                name,
                state.id,
                key,
                json_text(ours),
                json_text(theirs),
                f"{name} is owned by {owner}",
                stand,
            ],
        )

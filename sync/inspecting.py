"""Looking: what is connected, what flows, what differs and why. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ledger.bulk import from_json
from ledger.tables import TABLES
from mappings.errors import RecordError
from sync import store
from sync.budgets import standing
from sync.decide import Canonical, Source, explain_fields
from sync.errors import NotFound
from sync.hub import Cursor, Hub
from sync.references import References

STATES = ("in_sync", "due", "in_flight", "held", "blocked", "left")


@dataclass
class StreamStatus:
    """How one stream stands."""

    system: str
    stream: str
    entity: str
    mode: str
    records: int = 0
    unlinked: int = 0
    """Observed and belonging to nothing: a stream that decides nothing, and a record the hub did not make."""
    listed: bool = False
    cursor_moved_at: datetime | None = None
    states: dict[str, int] = field(default_factory=dict)
    quarantine: int = 0


@dataclass
class Status:
    """How the hub stands."""

    streams: list[StreamStatus]
    cases: int
    conflicts: int
    missing_values: int
    runs: list[dict[str, Any]]
    budgets: dict[str, list[dict[str, Any]]]
    paused: dict[str, str]

    @property
    def drift(self) -> int:
        """Pairs that are neither in_sync nor left."""
        return sum(number for stream in self.streams for state, number in stream.states.items() if state not in ("in_sync", "left"))

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return {**asdict(self), "drift": self.drift}


def _by_stream(db: Cursor, query: str) -> dict[int, int]:
    db.execute(query)
    return {row["stream_id"]: row["number"] for row in db}


def status(hub: Hub) -> Status:
    """Everything at a glance."""
    with hub.transaction() as db:
        overrides = hub.mode_overrides(db)
        records = _by_stream(db, "SELECT stream_id, count(*) AS number FROM observed WHERE NOT deleted GROUP BY 1")
        linked = _by_stream(db, "SELECT stream_id, count(*) AS number FROM link WHERE role <> 'gone' GROUP BY 1")
        aside = _by_stream(db, "SELECT stream_id, count(*) AS number FROM quarantine WHERE state = 'open' GROUP BY 1")
        db.execute(
            "SELECT s.id, s.listed_at IS NOT NULL AS listed, c.moved_at FROM stream s LEFT JOIN cursor_position c ON c.stream_id = s.id"
        )
        places = {row["id"]: row for row in db}
        db.execute("SELECT stream_id, state, count(*) AS number FROM desired GROUP BY 1, 2")
        states: dict[int, dict[str, int]] = {}
        for row in db:
            states.setdefault(row["stream_id"], {})[row["state"]] = row["number"]
        streams = [
            StreamStatus(
                state.system,
                state.name,
                state.entity,
                hub.mode(state, overrides),
                records.get(state.id, 0),
                max(records.get(state.id, 0) - linked.get(state.id, 0), 0),
                places[state.id]["listed"],
                places[state.id]["moved_at"],
                states.get(state.id, {}),
                aside.get(state.id, 0),
            )
            for state in hub.streams.values()
        ]
        db.execute(
            "SELECT (SELECT count(*) FROM review_case WHERE state = 'open') AS cases, "
            "(SELECT count(*) FROM conflict WHERE state = 'open') AS conflicts, (SELECT count(*) FROM value_missing) AS missing"
        )
        heads = db.fetchone() or {}
        db.execute("SELECT system, why || ' until ' || until AS why FROM system_pause WHERE until > now()")
        paused = {row["system"]: row["why"] for row in db}
        budgets = {system: standing(db, system) for system in hub.systems()}
    return Status(streams, heads["cases"], heads["conflicts"], heads["missing"], runs(hub, limit=10), budgets, paused)


def pair_states(hub: Hub, system: str | None = None) -> tuple[dict[str, int], dict[str, int]]:
    """Pairs by state (all six), and how often each field differs in those that drift."""
    ids = [state.id for state in hub.streams.values() if system in (None, state.system)]
    with hub.transaction() as db:
        db.execute("SELECT state, count(*) AS number FROM desired WHERE stream_id = ANY(%s) GROUP BY 1", [ids])
        states = dict.fromkeys(STATES, 0) | {row["state"]: row["number"] for row in db}
        db.execute(
            r"SELECT stream_id, regexp_replace(path, '\[.*?\]', '') AS field, count(*) AS number "
            "FROM desired, json_object_keys(differs) AS path "
            "WHERE stream_id = ANY(%s) AND state NOT IN ('in_sync', 'left') AND differs IS NOT NULL GROUP BY 1, 2",
            [ids],
        )
        fields = {f"{hub.by_id[row['stream_id']].label}.{row['field']}": row["number"] for row in db}
    return states, fields


# One record ---------------------------------------------------------------------------------------------------------------


def find_record(hub: Hub, entity: str, name: str) -> UUID:
    """The id of a record by its id, hub key, business number, or a system's own key. Raises: NotFound."""
    table = TABLES.get(entity)
    if table is None:
        raise NotFound(f"there is no kind of record {entity!r}", next_step=f"use one of {', '.join(TABLES)}")
    try:
        wanted: UUID | None = UUID(name)
    except ValueError:
        wanted = None
    ids = [state.id for state in hub.streams_for(entity)]
    with hub.transaction() as db:
        db.execute(
            f"SELECT id FROM {table.name} WHERE id = %(id)s OR hub_key = %(name)s OR (number = %(name)s AND %(name)s <> '') "
            "UNION SELECT entity_id FROM hub_key_alias WHERE hub_key = %(name)s AND entity = %(entity)s "
            "UNION SELECT entity_id FROM link WHERE stream_id = ANY(%(ids)s) AND (key = %(name)s OR number = %(name)s)",
            {"id": wanted, "name": name, "entity": entity, "ids": ids},
        )
        found = [row["id"] for row in db]
    if not found:
        raise NotFound(f"there is no {entity} {name!r}", next_step="give its id, hub key, number, or the key it has in a system")
    if len(found) > 1:
        raise NotFound(
            f"{len(found)} records of kind {entity} are called {name!r}", next_step="give the id: " + ", ".join(map(str, found[:5]))
        )
    return UUID(str(found[0]))


@dataclass(frozen=True, slots=True)
class FieldReason:
    """Why one field has its value."""

    field: str
    value: Any
    winner_system: str
    rule: str
    losers: Sequence[tuple[str, Any]]
    since: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


def sources_of(hub: Hub, db: Cursor, entity: str, entity_id: str) -> list[Source]:
    """What every linked record says about an entity now, mapped again from what was observed."""
    from sync.observing import hub_source, source_of  # noqa: PLC0415  it imports much, and reads nothing here

    db.execute(
        "SELECT l.stream_id, l.key, o.org, o.modified, o.payload::text AS payload FROM link l "
        "JOIN observed o ON (o.stream_id, o.key) = (l.stream_id, l.key) WHERE l.entity_id = %s AND l.role <> 'gone' AND NOT o.deleted",
        [entity_id],
    )
    sources = []
    for row in list(db):
        payload = from_json(row["payload"])
        if row["stream_id"] == hub.hub_streams.get(entity):
            sources.append(hub_source(row["stream_id"], row["key"], payload))
            continue
        state = hub.by_id.get(row["stream_id"])
        if state is None:
            continue
        refs = References(hub, state.system).resolve(db, state.mapping.cites(payload))
        try:
            candidate = state.mapping.read(payload, refs, hub.values(db, state.system))
        except RecordError:
            continue  # it stands in quarantine with its reason
        sources.append(source_of(state, row["key"], row["org"], row["modified"], payload, candidate))
    return sources


def _canonical(db: Cursor, entity: str, entity_id: str) -> Canonical:
    found = store.load(db, TABLES[entity], [entity_id])
    if entity_id not in found:
        raise NotFound(f"there is no {entity} {entity_id}")
    return found[entity_id]


def why(hub: Hub, entity: str, entity_id: UUID, field: str | None = None) -> list[FieldReason]:
    """For each field: its value, who decided it, by which rule, and what the others say. Raises: NotFound."""
    policy = hub.policies[entity]
    with hub.transaction() as db:
        canonical = _canonical(db, entity, str(entity_id))
        sources = sources_of(hub, db, entity, str(entity_id))
        db.execute(
            "SELECT DISTINCT ON (path) path, at FROM history, json_object_keys(changed) AS path "
            "WHERE entity = %s AND entity_id = %s AND changed IS NOT NULL ORDER BY path, version DESC",
            [entity, entity_id],
        )
        since = {row["path"]: row["at"] for row in db}
        db.execute("SELECT min(at) AS at FROM history WHERE entity = %s AND entity_id = %s", [entity, entity_id])
        born = (db.fetchone() or {"at": None})["at"]
    roots = [path for path in policy.owners if "." not in path and path not in policy.owners_of_sets]
    paths = [field] if field else roots
    unknown = [path for path in paths if path not in policy.owners]
    if unknown:
        raise NotFound(f"{entity} has no field {unknown[0]!r}", next_step=f"use one of {', '.join(roots)}")
    current = {**canonical.doc, "number": canonical.number}
    return [
        FieldReason(reason.field, reason.value, reason.system, reason.rule, reason.losers, since.get(reason.field, born))
        for reason in explain_fields(policy, paths, sources, current)
    ]


@dataclass
class RecordView:
    """One record with everything about it."""

    entity: str
    id: str
    hub_key: str
    number: str
    version: int
    retired: bool
    doc: dict[str, Any]
    sets: dict[str, list[dict[str, Any]]]
    links: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]
    cases: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


def record(hub: Hub, entity: str, entity_id: UUID) -> RecordView:
    """One record: its values, where it is linked, and the state of each system. Raises: NotFound."""
    with hub.transaction() as db:
        canonical = _canonical(db, entity, str(entity_id))
        sets = {name: [{"id": row.id, **row.doc} for row in rows.values()] for name, rows in canonical.sets.items()}
        found_links = links(hub, entity=entity, entity_id=entity_id, limit=200)
        pairs = drift(hub, entity_id=entity_id, limit=200, all_states=True)
        cases = _cases_of(db, str(entity_id))
    found_conflicts = conflicts(hub, entity_id=entity_id, limit=200)
    return RecordView(
        entity=entity,
        id=canonical.id,
        hub_key=canonical.hub_key,
        number=canonical.number,
        version=canonical.version,
        retired=canonical.retired,
        doc=canonical.doc,
        sets=sets,
        links=found_links,
        pairs=pairs,
        conflicts=found_conflicts,
        cases=cases,
    )


def _cases_of(db: Cursor, entity_id: str) -> list[dict[str, Any]]:
    db.execute(
        "SELECT id, kind, state, left_id::text AS left_id, right_id::text AS right_id, evidence FROM review_case "
        "WHERE %s IN (left_id, right_id)",
        [entity_id],
    )
    return [dict(row) for row in db]


def history(hub: Hub, entity: str, entity_id: UUID, *, after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
    """Versions of a record, newest first, with what changed and why; personal values are put back where they have not been erased."""
    with hub.transaction() as db:
        db.execute(
            "SELECT version, at, cause, run_id, changed::text AS changed FROM history WHERE entity = %(entity)s AND entity_id = %(id)s "
            "AND (%(after)s = 0 OR version < %(after)s) ORDER BY version DESC LIMIT %(limit)s",
            {"entity": entity, "id": entity_id, "after": after, "limit": limit},
        )
        rows = [{**row, "changed": from_json(row["changed"] or "null")} for row in db]
        db.execute("SELECT id::text AS id, value FROM personal_value WHERE entity_id = %s", [entity_id])
        personal = {row["id"]: from_json(row["value"]) if row["value"] else None for row in db}
    return [{**row, "changed": _filled(row["changed"], personal)} for row in rows]


def _filled(value: Any, personal: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"personal"}:
            return personal.get(value["personal"])
        return {name: _filled(part, personal) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, personal) for part in value]
    return value


# Lists --------------------------------------------------------------------------------------------------------------------


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

"""Sources: what each system, and the hub itself, last said about a record, as the deciding functions take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from canonical.values import SHANGHAI
from connectors.base import Record
from ledger.bulk import array_text, from_json
from mappings.errors import Cite, RecordError
from mappings.model import Candidate, Values
from sync.decide import Canonical, Source
from sync.hub import Cursor, Hub
from sync.quarantine import SetAside, set_aside
from sync.references import References
from sync.streams import Kind, StreamState

if TYPE_CHECKING:
    from sync.observing import Observed


def source_of(state: StreamState, key: str, org: str, modified: str, payload: Mapping[str, Any], candidate: Candidate) -> Source:
    """What a mapped record says, as the deciding functions take it."""
    return Source(
        state.system,
        state.id,
        key,
        candidate.fields,
        candidate.sets,
        candidate.number,
        org,
        modified_utc(modified) if state.policy.by_time else "",
        _carried_lines(state, payload) if state.line_marks else {},
    )


def modified_utc(text: str) -> str:
    """A vendor's change time as text that can be compared; empty when it cannot be understood."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    if moment.tzinfo is None:  # a system that gives no zone writes its own local time
        moment = moment.replace(tzinfo=SHANGHAI)
    return moment.astimezone(UTC).isoformat()


def _carried_lines(state: StreamState, payload: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    carried: dict[str, dict[str, str]] = {}
    for name, place in state.line_marks.items():
        rows = payload.get(place.field) or ()
        marks = {str(row.get(place.key)): str(row[place.hub_key]).strip() for row in rows if row.get(place.hub_key)}
        if marks:
            carried[name] = marks
    return carried


def add_siblings(
    hub: Hub,
    db: Cursor,
    state: Kind,
    by_entity: dict[str, list[Source]],
    existing: Mapping[str, Canonical],
    here: set[str],
    result: Observed,
    skip: tuple[int, str] | None = None,
) -> None:
    """What other systems, and other records of this one, last said about the same entities."""
    deciding = {other.id: other for other in hub.streams_for(state.entity) if other.decides}
    hub_stream = hub.hub_streams[state.entity]
    ids = [*deciding, hub_stream]
    if not existing:
        return
    db.execute(
        "SELECT l.stream_id, l.key, l.entity_id::text AS entity_id, o.org, o.modified, o.payload FROM link l "
        "JOIN observed o ON (o.stream_id, o.key) = (l.stream_id, l.key) "
        "WHERE l.entity_id = ANY(%s::uuid[]) AND l.stream_id = ANY(%s) AND l.role <> 'gone' AND NOT o.deleted",
        [array_text(list(existing)), ids],
    )
    rows = [row for row in db if not (row["stream_id"] == state.id and row["key"] in here) and (row["stream_id"], row["key"]) != skip]
    payloads = [from_json(row["payload"]) for row in rows]
    known, values = _looked_up(hub, db, deciding, rows, payloads)
    for row, payload in zip(rows, payloads, strict=True):
        if row["stream_id"] == hub_stream:
            by_entity[row["entity_id"]].append(hub_source(row["stream_id"], row["key"], payload))
            continue
        other = deciding[row["stream_id"]]
        try:
            candidate = other.mapping.read(payload, known[other.system], values[other.system])
        except RecordError as wrong:
            set_aside(db, other, SetAside.of(Record(row["key"], payload, row["org"]), wrong))
            result.set_aside += 1
            continue
        by_entity[row["entity_id"]].append(source_of(other, row["key"], row["org"], row["modified"], payload, candidate))


def _looked_up(
    hub: Hub, db: Cursor, deciding: Mapping[int, StreamState], rows: Sequence[Mapping[str, Any]], payloads: Sequence[dict[str, Any]]
) -> tuple[dict[str, dict[Cite, str]], dict[str, Values]]:
    """By system: what the records of these streams cite, and its value maps, each asked for once."""
    cited: dict[str, list[Cite]] = {}
    for row, payload in zip(rows, payloads, strict=True):
        if (other := deciding.get(row["stream_id"])) is not None:
            cited.setdefault(other.system, []).extend(other.mapping.cites(payload))
    known = {system: References(hub, system).resolve(db, cites) for system, cites in cited.items()}
    return known, {system: hub.values(db, system) for system in cited}


def sources_of(hub: Hub, db: Cursor, entity: str, entity_id: str) -> list[Source]:
    """What every linked record says about an entity now, mapped again from what was observed."""
    db.execute(
        "SELECT l.stream_id, l.key, o.org, o.modified, o.payload FROM link l "
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


def hub_source(stream_id: int, key: str, payload: Mapping[str, Any]) -> Source:
    """A record of the hub itself: its payload is in document form already."""
    fields = dict(payload.get("fields", {}))
    carried = {name: {line: line for line in rows} for name, rows in payload.get("sets", {}).items()}
    return Source("hub", stream_id, key, fields, payload.get("sets", {}), str(fields.get("number", "")), lines_carry=carried)

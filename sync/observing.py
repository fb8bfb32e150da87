"""The one door into observed, and it merges.

Pages, events, look-ups before a create and full-record receipts all come through :func:`observe`. In the caller's transaction it stores
what is new, links it, merges it into the canonical records it belongs to, and judges every pair those records are part of. What it cannot
map goes to quarantine; the rest of the page goes on. Unchanged records cost a look at their fingerprints and write nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from connectors.base import Record, Refused
from ledger import binary
from ledger.binary import copy_binary
from ledger.bulk import JSON_ARRAY, array_text, fetch, from_json, joined_texts, sorted_lines
from mappings.errors import RecordError
from mappings.model import Candidate, Values
from mappings.model import Mapping as CompiledMapping
from sync import beginning, identifying, pairing, store
from sync.canonicals import merge_entities
from sync.decide import Canonical, Source
from sync.fingerprints import fingerprints, marks_of
from sync.hub import Cursor, Hub
from sync.quarantine import SetAside, clear, set_aside
from sync.references import References
from sync.sources import add_siblings, source_of
from sync.streams import StreamState

log = structlog.get_logger("sync.observing")
NUL = b"\\u0000"


@dataclass(slots=True)
class Seen:
    """One record of a page that is new or changed."""

    record: Record
    fingerprint: bytes
    text: bytes
    """The payload as JSON with sorted keys: the text that its fingerprint is of, unless some of it flips without a change."""
    before: int = 0
    """Version of what was stored, 0 for a new record."""
    entity_id: str | None = None
    role: str = "primary"
    candidate: Candidate | None = None
    same: bool = False
    """Stored already, and taken in again only to be judged anew."""


@dataclass
class Observed:
    """What a page did, by number of records."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    set_aside: int = 0
    linked: int = 0
    merged: int = 0
    conflicts: int = 0
    cases: int = 0
    touched: set[str] = field(default_factory=set)
    """Entities whose canonical record changed."""

    def counts(self) -> dict[str, int]:
        """The figures, for a run's record."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int) and value}


def observe(
    hub: Hub,
    db: Cursor,
    state: StreamState,
    records: Sequence[Record],
    refs: References,
    *,
    refused: Sequence[Refused] = (),
    run_id: int | None = None,
    cause: str = "read",
    again: bool = False,
    mended: bool = False,
) -> Observed:
    """Take records in, in the caller's transaction.

    `again`: map them even when they are unchanged (a replay after a mapping or a value map was mended).
    `mended`: payloads that a person corrected; they stand in for what the system holds until the system changes it.
    """
    result = Observed(read=len(records) + len(refused))
    for refusal in refused:
        set_aside(
            db,
            state,
            SetAside(refusal.key, refusal.org, "payload", refusal.why, raw=refusal.raw, next_step="mend the record in its system"),
        )
        result.set_aside += 1
    latest = {record.key: record for record in records}  # a page may name a record twice; its last word counts
    seen = _new_or_changed(db, state, latest, result, again=again)
    if not seen:
        return result
    earlier = _earlier(db, state, seen)
    _store(db, state, seen, result, mended=mended)
    _find_links(db, state, seen)
    live = [item for item in seen if not item.record.deleted]
    gone = [item for item in seen if item.record.deleted and item.entity_id]
    readable = _read(hub, db, state, live, refs, result)
    canonicals = _link_and_merge(hub, db, state, readable, refs, result, run_id, cause)
    if gone:
        from sync.deleting import retire  # noqa: PLC0415  deletes are rare, and know this module

        canonicals |= retire(db, state, gone, result, run_id)
    payloads = {item.record.key: item.record.payload for item in live}
    moved = None if gone or result.cases else result.touched
    pairing.judge_pairs(hub, db, state.entity, canonicals, result, seen_in=state, seen=payloads, earlier=earlier, moved=moved)
    return result


# Observed -----------------------------------------------------------------------------------------------------------------


def _new_or_changed(db: Cursor, state: StreamState, latest: Mapping[str, Record], result: Observed, *, again: bool) -> list[Seen]:
    stored = {row[0]: row for row in of_keys(db, "observed", "key, fingerprint, version, deleted", state, latest)}
    seen: list[Seen] = []
    live: list[Record] = []
    for key, record in latest.items():
        if not record.deleted:
            live.append(record)
        elif key in stored and not stored[key][3]:
            seen.append(Seen(record, b"", b"", stored[key][2]))
            result.deleted += 1
    lines = sorted_lines([record.payload for record in live])
    texts = lines.split(b"\n")[:-1]  # a line end within a text is escaped
    volatile = state.decl.volatile
    marks = fingerprints([record.payload for record in live], volatile) if volatile else marks_of(texts)
    told: list[Seen] = []
    for record, text, mark in zip(live, texts, marks, strict=True):
        known = stored.get(record.key) if stored else None
        if known is None:
            told.append(Seen(record, mark, text))
            continue
        same = known[1] == mark and not known[3]
        if same and not again:
            result.unchanged += 1
        else:
            told.append(Seen(record, mark, text, known[2], same=same))
    if NUL not in lines:
        return seen + told
    for item in told:
        if NUL in item.text:
            _refuse_nul(db, state, item.record, item.text.decode(), result)
        else:
            seen.append(item)
    return seen


def of_keys(db: Cursor, table: str, columns: str, state: StreamState, keys: Collection[str]) -> list[tuple[Any, ...]]:
    """What a table holds of a stream's records. A page of new records nearly always lies beyond all that are known: one look tells.

    The keys are hidden in a sub-select from the planner, which would compare each with the most common ones before it finds its way.
    """
    query = (
        f"SELECT {columns} FROM {table} WHERE stream_id = %s AND key = ANY(ARRAY(SELECT unnest(%s::text[]))) "
        f'AND EXISTS (SELECT FROM {table} WHERE stream_id = %s AND key COLLATE "C" BETWEEN %s AND %s)'
    )
    return fetch(db, query, [state.id, array_text(list(keys)), state.id, min(keys), max(keys)]) if keys else []


def _refuse_nul(db: Cursor, state: StreamState, record: Record, text: str, result: Observed) -> None:
    why = "a text holds the character U+0000, which no database keeps"
    set_aside(db, state, SetAside(record.key, record.org, "payload", why, raw=text[:65536], next_step="remove it in the source system"))
    result.set_aside += 1


def _earlier(db: Cursor, state: StreamState, seen: Sequence[Seen]) -> dict[str, dict[str, Any]]:
    """What changed records held at the last reading: tells an edit there from a change of ours."""
    changed = [item.record.key for item in seen if item.before and not item.same and not item.record.deleted]
    if not changed or not state.written_fields:
        return {}
    db.execute("SELECT key, payload FROM observed WHERE stream_id = %s AND key = ANY(%s) AND payload IS NOT NULL", [state.id, changed])
    return {row["key"]: from_json(row["payload"]) for row in db}


def _store(db: Cursor, state: StreamState, seen: Sequence[Seen], result: Observed, *, mended: bool) -> None:
    new = [item for item in seen if not item.before and not item.record.deleted]
    copy_binary(
        db,
        "observed",
        len(new),
        {"stream_id": binary.smallint(state.id)},
        {
            "key": binary.texts([item.record.key for item in new]),
            "org": binary.texts([item.record.org for item in new]),
            "fingerprint": binary.raw([item.fingerprint for item in new]),
            "payload": binary.raw([item.text for item in new]),
            "modified": binary.texts([item.record.modified for item in new]),
        },
    )
    changed = [item for item in seen if item.before and not item.same]
    if changed:
        mark = "o.fingerprint" if mended else "v.fingerprint"
        db.execute(
            f"UPDATE observed o SET org = v.org, fingerprint = {mark}, payload = v.payload, modified = v.modified, "
            "deleted = v.deleted, version = o.version + 1, read_at = now() "
            f"FROM unnest(%s::text[], %s::text[], %s::bytea[], {JSON_ARRAY}, %s::text[], %s::bool[]) "
            "AS v(key, org, fingerprint, payload, modified, deleted) "
            "WHERE o.stream_id = %s AND o.key = v.key",
            [
                [item.record.key for item in changed],
                [item.record.org for item in changed],
                [item.fingerprint for item in changed],
                joined_texts(item.text.decode() or None for item in changed),
                [item.record.modified for item in changed],
                [item.record.deleted for item in changed],
                state.id,
            ],
        )
    result.new += len(new)
    result.changed += sum(not item.record.deleted for item in changed)


def _find_links(db: Cursor, state: StreamState, seen: Sequence[Seen]) -> None:
    found = of_keys(db, "link", "key, entity_id::text, role", state, [item.record.key for item in seen])
    links = {key: (entity_id, role) for key, entity_id, role in found}
    if links:
        for item in seen:
            item.entity_id, item.role = links.get(item.record.key, (None, "primary"))


# Reading ------------------------------------------------------------------------------------------------------------------


def _read(hub: Hub, db: Cursor, state: StreamState, items: Sequence[Seen], refs: References, result: Observed) -> list[Seen]:
    """Map what can decide something; set aside what cannot be mapped."""
    if not state.decides:
        return list(items)
    mapping = state.mapping
    values = hub.values(db, state.system)
    # Most of what a page cites stood in the pages before it: what can be read without asking is, and only the rest looks its citations up.
    refs.bound()
    asking = _read_known(items, mapping, refs, values)
    known = refs.resolve(db, [cite for item in asking for cite in mapping.cites(item.record.payload)])
    for item in asking:
        try:
            item.candidate = mapping.read(item.record.payload, known, values)
        except RecordError as wrong:
            set_aside(db, state, SetAside.of(item.record, wrong))
            result.set_aside += 1
        except Exception as wrong:
            log.exception("a record broke its mapping", stream=state.label, key=item.record.key)
            set_aside(db, state, SetAside.broken(item.record, mapping.name, wrong))
            result.set_aside += 1
    good = [item for item in items if item.candidate is not None]
    if required := hub.config.flows[state.entity].required:
        good = [item for item in good if not _lacking(db, state, item, required, result)]
    clear(db, state, [item.record.key for item in good if item.before])
    return good


def _lacking(db: Cursor, state: StreamState, item: Seen, required: Sequence[str], result: Observed) -> bool:
    fields = item.candidate.fields if item.candidate else {}
    lacking = [name for name in required if fields.get(name) in (None, "")]
    if lacking:
        set_aside(db, state, SetAside.lacking(item.record, state.mapping.name, lacking))
        result.set_aside += 1
    return bool(lacking)


def _read_known(items: Sequence[Seen], mapping: CompiledMapping, refs: References, values: Values) -> list[Seen]:
    """Read records by the references that are known already; returns those to try again, for whatever reason."""
    read, known = mapping.read, refs.known
    again = []
    for item in items:
        try:
            item.candidate = read(item.record.payload, known, values)
        except Exception:  # noqa: BLE001  the second reading tells what is wrong
            again.append(item)
    return again


# Linking and merging ------------------------------------------------------------------------------------------------------


def _link_and_merge(
    hub: Hub, db: Cursor, state: StreamState, items: Sequence[Seen], refs: References, result: Observed, run_id: int | None, cause: str
) -> dict[str, Canonical]:
    unlinked = [item for item in items if item.entity_id is None]
    fresh = identifying.link(hub, db, state, unlinked, refs, result) if unlinked else {}
    linked = [item for item in items if item.entity_id is not None]
    existing = store.load(db, state.table, [str(item.entity_id) for item in linked if item.entity_id not in fresh], lock=state.decides)
    if not state.decides:
        return existing
    first = beginning.alone(hub, state, linked, fresh)
    begun = beginning.begin(state, first, fresh)
    by_entity: dict[str, list[Source]] = {}
    for item in linked:
        if item.entity_id in begun:
            continue
        assert item.candidate is not None  # noqa: S101  _read saw to it
        assert item.entity_id is not None  # noqa: S101  link saw to it
        record = item.record
        source = source_of(state, record.key, record.org, record.modified, record.payload, item.candidate)
        by_entity.setdefault(item.entity_id, []).append(source)
    add_siblings(hub, db, state, by_entity, existing, {item.record.key for item in linked}, result)
    identifying.refresh(db, state, [item for item in linked if item.entity_id not in fresh], result)
    return merge_entities(hub, db, state, by_entity, existing, result, run_id, cause, fresh, begun)

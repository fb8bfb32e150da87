"""Desired: what each system should hold of a record, and in which of six states each pair of record and system is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ledger.bulk import JSON_ARRAY, NULL, array_text, copy_columns, copy_json, from_json, joined_json, joined_texts, json_text, text_column
from mappings.errors import MissingParent, MissingValue, RecordError, WantedValue
from mappings.model import Target, Values
from sync import scope
from sync.compare import Differences, canonical_field, differences, edits, line_keys, rewritten
from sync.decide import Canonical, PairFacts, Verdict, judge
from sync.golive import is_older
from sync.hub import Cursor, Hub, StreamState
from sync.references import targets

if TYPE_CHECKING:
    from sync.observing import Observed

UNCONFIRMED = "unconfirmed"
"""Reason of a pair that was written and not yet read back."""

MADE_BY_US = ("created", "hub_key")
"""How a link came about when the hub made the record: by the answer to our create, or by the hub key that the record carries."""

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


def judge_pairs(
    hub: Hub,
    db: Cursor,
    name: str,
    canonicals: Mapping[str, Canonical],
    result: Observed,
    *,
    seen_in: StreamState | None = None,
    seen: Mapping[str, dict[str, Any]] | None = None,
    earlier: Mapping[str, dict[str, Any]] | None = None,
    moved: Collection[str] | None = None,
) -> None:
    """Judge every pair that these records are part of, and store the states that changed.

    `seen`: payloads by key that were just read in `seen_in`; `earlier`: what the same records held at the reading before.
    `moved`: the records whose canonical form changed; of the others only the pair with `seen_in` can have. None: all may have.
    """
    if not canonicals:
        return
    overrides = hub.mode_overrides(db)
    streams = [
        (state, hub.mode(state, overrides))
        for state in hub.streams_for(name)
        if state.decl.writable and (moved is None or moved or state is seen_in)
    ]
    streams = [(state, mode) for state, mode in streams if mode in ("plan", "write")]
    if not streams:
        return
    ids = list(canonicals)
    # A record that is new is nowhere but where it was read, and in no case but one that was opened with it.
    known = [canonical.id for canonical in canonicals.values() if not canonical.fresh]
    nowhere_else = seen_in is None or all(state is not seen_in for state, _ in streams)
    there = records_there(db, [state for state, _ in streams], known if nowhere_else else ids, seen_in, seen or {})
    before = _pairs_before(db, [state.id for state, _ in streams], known)
    cases = in_open_case(db, ids if result.cases else known)
    listed = _listed(db, [state.id for state, _ in streams])
    before_that = {(seen_in.id, key): payload for key, payload in (earlier or {}).items()} if seen_in else {}
    for state, mode in streams:
        concerned = (
            canonicals if moved is None or state is seen_in else {number: canonicals[number] for number in canonicals if number in moved}
        )
        judged = _judge_stream(hub, db, state, mode, concerned, there, before, cases, before_that, listed=state.id in listed)
        _store(db, state, judged, before, result)


def records_there(
    db: Cursor, streams: Sequence[StreamState], ids: Sequence[str], seen_in: StreamState | None, seen: Mapping[str, dict[str, Any]]
) -> dict[tuple[int, str], list[There]]:
    """Where entities are linked, by (stream, entity); payloads that were just read (`seen`, of `seen_in`) are not fetched again."""
    found: dict[tuple[int, str], list[There]] = {}
    if not ids:
        return found
    db.execute(
        "SELECT l.stream_id, l.key, l.org, l.number, l.how, l.role, l.entity_id::text AS entity_id, o.version, o.deleted, "
        "CASE WHEN l.stream_id = %s AND l.key = ANY(%s::text[]) THEN NULL ELSE o.payload::text END AS payload "
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


def _pairs_before(db: Cursor, streams: Sequence[int], ids: Sequence[str]) -> dict[tuple[int, str], dict[str, dict[str, Any]]]:
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


def _listed(db: Cursor, streams: Sequence[int]) -> set[int]:
    db.execute("SELECT id FROM stream WHERE id = ANY(%s) AND listed_at IS NOT NULL", [list(streams)])
    return {row["id"] for row in db}


def _judge_stream(
    hub: Hub,
    db: Cursor,
    state: StreamState,
    mode: str,
    canonicals: Mapping[str, Canonical],
    there: Mapping[tuple[int, str], Sequence[There]],
    before: Mapping[tuple[int, str], Mapping[str, dict[str, Any]]],
    cases: set[str],
    earlier: Mapping[tuple[int, str], dict[str, Any]],
    *,
    listed: bool,
) -> list[Pair]:
    judged: list[Pair] = []
    may_create = state.flow.create and state.decl.creatable
    in_scope = scope.filter_for(hub, state)
    lookups = _Lookups(hub, db, state, [canonical for canonical in canonicals.values() if (state.id, canonical.id) in there], earlier)
    missing: dict[tuple[bool, bool, bool], Verdict | None] = {}
    for canonical in canonicals.values():
        records = there.get((state.id, canonical.id))
        if not records:
            facts = (may_create and not canonical.retired, in_scope(canonical), canonical.id in cases)
            if facts not in missing:
                missing[facts] = judge(PairFacts(mode, False, False, facts[0], facts[1], listed, facts[2], {}, False, True))
            if (verdict := missing[facts]) is not None:
                judged.append(Pair(state.id, canonical.id, scope.create_org(hub, db, state, canonical), verdict, canonical.version))
            continue
        old = before.get((state.id, canonical.id), {})
        for record in records:
            row = old.get(record.org)
            pair = _judge_record(state, mode, canonical, record, row, lookups, in_case=canonical.id in cases)
            if pair is not None:
                judged.append(pair)
    note_missing(db, state, lookups.missing)
    return judged


def note_missing(db: Cursor, state: StreamState, missing: Sequence[tuple[WantedValue, str]]) -> None:
    """Put values that lack a counterpart in a system into the inbox of the value maps, each with one entity that wants it."""
    for want, entity_id in {want: (want, entity_id) for want, entity_id in missing}.values():
        db.execute(
            "INSERT INTO value_missing (name, system, company, direction, value, example_stream, example_key) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name, system, company, direction, value) DO NOTHING",
            [want.map, state.system, want.company, want.direction, want.value, state.id, entity_id],
        )


@dataclass
class _Lookups:
    """What writing these records needs to look up, fetched once for all of them."""

    hub: Hub
    db: Cursor
    state: StreamState
    canonicals: Sequence[Canonical]
    earlier: Mapping[tuple[int, str], dict[str, Any]]
    """By stream and key: what a record held at the reading before."""
    missing: list[tuple[WantedValue, str]] = field(default_factory=list)
    """Values that lack a counterpart there, with the entity that wants each."""

    def __post_init__(self) -> None:
        only = self.state.written_fields
        self.values: Values = self.hub.values(self.db, self.state.system)
        needs: set[tuple[str, str]] = set()
        if only:
            for canonical in self.canonicals:
                needs |= set(self.state.mapping.needs(document(canonical), plain_sets(canonical), only=only))
        self.targets: Mapping[tuple[str, str], Target] = targets(self.hub, self.db, self.state.system, needs) if needs else {}


def document(canonical: Canonical) -> dict[str, Any]:
    """The record as mappings take it: with its business number."""
    return {**canonical.doc, "number": canonical.number}


def plain_sets(canonical: Canonical) -> dict[str, dict[str, dict[str, Any]]]:
    """Its child sets as mappings take them."""
    return {name: {row.id: row.doc for row in rows.values()} for name, rows in canonical.sets.items()}


def _judge_record(
    state: StreamState, mode: str, canonical: Canonical, record: There, row: dict[str, Any] | None, lookups: _Lookups, *, in_case: bool
) -> Pair | None:
    def pair(verdict: Verdict, **facts: Any) -> Pair:
        return Pair(state.id, canonical.id, record.org, verdict, canonical.version, company=company, **facts)

    company = scope.company_there(lookups.hub, lookups.db, state, canonical, record.org) if state.policy.by_company else ""
    written = state.written_in(company)
    go_live = lookups.hub.config.go_live_of(state.entity)

    if record.gone:
        return pair(Verdict("left", "deleted_there"))
    if canonical.retired:
        return pair(retired_there(state, mode, row))
    if record.payload is None:  # created, and not read back yet: nothing to compare with
        return None
    created_here = record.how in MADE_BY_US
    if not written and not (created_here and state.decl.ladder):
        return pair(Verdict("in_sync")) if row is not None else None
    try:
        ours = wanted_fields(state, canonical, record, lookups.targets, lookups.values, only=written)
    except RecordError as wrong:
        lookups.missing.extend((want, canonical.id) for want in wrong.values)
        return pair(held_for(wrong), detail=str(wrong)[:1000], waits_for=missing_parent(wrong))
    found = differences(state, ours, record.payload)
    just_written = row is not None and row["reason"] == UNCONFIRMED
    accepted = from_json(row["accepted"]) if row and row["accepted"] else {}
    found, kept, restless = rewritten(accepted, found, just_written=just_written) if found else ({}, {}, False)
    if restless:
        return pair(Verdict("left", "keeps_changing", conflict=True), differs=found, accepted=kept)
    earlier = lookups.earlier.get((state.id, record.key))
    edited = edits(state, found, earlier, record.payload) if found and earlier is not None and not just_written else []
    document_state = str(record.payload.get(state.decl.ladder.field) or "") if state.decl.ladder else ""
    facts = PairFacts(
        mode,
        True,
        False,
        False,
        True,
        True,
        in_case,
        found,
        edited=bool(edited),
        writable=_writable(state, document_state),
        on_conflict=state.flow.on_conflict,
        next_step=next_step(state, document_state, old=is_older(go_live, canonical.doc)) if created_here else None,
        settled=row is not None and row["reason"] == "settled" and from_json(row["differs"] or "{}") == _plain(found),
    )
    verdict = judge(facts)
    return None if verdict is None else pair(verdict, differs=found or None, accepted=kept, edited=edited)


def retired_there(state: StreamState, mode: str, row: Mapping[str, Any] | None) -> Verdict:
    """What becomes of a system's record whose canonical record was retired: left as it is, unless the flow says otherwise."""
    done = row is not None and row["reason"] in (UNCONFIRMED, "retired_there")
    if state.flow.deletes == "none" or done:
        return Verdict("left", "retired_there" if done else "retired")
    return Verdict("held", "plan") if mode == "plan" else Verdict("due", state.flow.deletes)


def _plain(found: Differences) -> Any:
    return from_json(json_text(found))


def wanted_fields(
    state: StreamState,
    canonical: Canonical,
    record: There | None,
    known: Mapping[tuple[str, str], Target],
    values: Values,
    org: str = "",
    *,
    only: frozenset[str] | None = None,
) -> dict[str, Any]:
    """What the system should hold of a record, in its own words: everything for a create, else `only` the fields that it does not own.

    Raises: RecordError when a parent is not there yet or a value is not mapped.
    """
    lines = line_keys(state, record.payload or {}, canonical.sets) if record else {}
    return state.mapping.write(
        document(canonical),
        plain_sets(canonical),
        known,
        values,
        lines=lines,
        org=record.org if record else org,
        only=only,
    )


def next_step(state: StreamState, document_state: str, *, old: bool = False) -> str | None:
    """The step of the ladder that is due to reach the flow's goal: only from a state that our own steps lead to.

    Any other (an un-audited document, a person's draft) is somebody's decision, and is not fought over. `old`: the record is from before
    the go-live, so nobody is asked to approve it.
    """
    ladder = state.decl.ladder
    if ladder is None or not state.flow.goal or old:
        return None
    if document_state not in {ladder.after.get(step) for step in ("save", *ladder.steps.values())}:
        return None
    return ladder.next_step(document_state, state.flow.goal)


def _writable(state: StreamState, document_state: str) -> bool:
    ladder = state.decl.ladder
    return ladder is None or not ladder.writable or document_state in ladder.writable


def held_for(wrong: RecordError) -> Verdict:
    """The state of a pair that cannot be written now."""
    if isinstance(wrong, MissingParent):
        return Verdict("held", "parent")
    if isinstance(wrong, MissingValue):
        return Verdict("held", "value")
    return Verdict("held", "mapping")


def missing_parent(wrong: RecordError) -> str | None:
    """The canonical id of the first parent that has no record in the system."""
    return wrong.cites[0][1] if wrong.cites else None


# Storing ------------------------------------------------------------------------------------------------------------------


def _store(
    db: Cursor,
    state: StreamState,
    judged: Sequence[Pair],
    before: Mapping[tuple[int, str], Mapping[str, dict[str, Any]]],
    result: Observed,
) -> None:
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
        or not _same_differences(pair, row)
        or from_json(row["accepted"] or "{}") != _plain(pair.accepted)
    )


def _same_differences(pair: Pair, row: Mapping[str, Any]) -> bool:
    return bool(from_json(row["differs"] or "null") == (_plain(pair.differs) if pair.differs else None))


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

"""Desired: what each system should hold of a record, and in which of six states each pair of record and system is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ledger.bulk import from_json
from mappings.errors import MissingParent, MissingValue, RecordError, WantedValue
from mappings.model import Target, Values
from sync import holding, scope
from sync.compare import differences, edits, line_keys, rewritten
from sync.decide import Canonical
from sync.decide_pairs import PairFacts, Verdict, judge
from sync.golive import is_older
from sync.hub import Cursor, Hub
from sync.pairs import (
    UNCONFIRMED,
    Pair,
    There,
    in_open_case,
    listed_streams,
    note_missing,
    pairs_before,
    plain,
    reached_goal,
    records_there,
    store_judged,
)
from sync.references import targets
from sync.streams import StreamState

if TYPE_CHECKING:
    from sync.observing import Observed

MADE_BY_US = ("created", "hub_key")
"""How a link came about when the hub made the record: by the answer to our create, or by the hub key that the record carries."""


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
    before = pairs_before(db, [state.id for state, _ in streams], known)
    cases = in_open_case(db, ids if result.cases else known)
    listed = listed_streams(db, [state.id for state, _ in streams])
    stopped = _stopped(hub, db, name, canonicals)
    before_that = {(seen_in.id, key): payload for key, payload in (earlier or {}).items()} if seen_in else {}
    for state, mode in streams:
        concerned = (
            canonicals if moved is None or state is seen_in else {number: canonicals[number] for number in canonicals if number in moved}
        )
        judged = _judge_stream(hub, db, state, mode, concerned, there, before, cases, before_that, stopped, listed=state.id in listed)
        store_judged(db, state, judged, before, result)


def _stopped(hub: Hub, db: Cursor, name: str, canonicals: Mapping[str, Canonical]) -> Mapping[str, str]:
    if name != "order" or hub.config.deals.orders_outside != "block":
        return {}
    from sync import order_fencing  # noqa: PLC0415  it judges pairs again when a person has answered

    return order_fencing.stopped(hub, db, name, canonicals)


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
    stopped: Mapping[str, str],
    *,
    listed: bool,
) -> list[Pair]:
    judged: list[Pair] = []
    may_create = state.flow.create and state.decl.creatable
    fenced = stopped if state.decl.ladder is not None else {}  # where it is only shown, nothing is sold by it
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
                detail = fenced.get(canonical.id, "") if verdict.reason in ("create", "plan") else ""
                verdict = Verdict("held", "fence") if detail else verdict
                org = scope.create_org(hub, db, state, canonical)
                judged.append(Pair(state.id, canonical.id, org, verdict, canonical.version, detail=detail))
            continue
        old = before.get((state.id, canonical.id), {})
        for record in records:
            row = old.get(record.org)
            pair = _judge_record(state, mode, canonical, record, row, lookups, in_case=canonical.id in cases)
            if pair is not None:
                judged.append(pair)
    note_missing(db, state, lookups.missing)
    return judged


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
        self.room = holding.room(self.db, self.state.mapping, self.canonicals)
        needs: set[tuple[str, str]] = set()
        if only:
            for canonical in self.canonicals:
                needs |= set(self.state.mapping.needs(document(canonical), self.room.sets(self.state.mapping, canonical), only=only))
        self.targets: Mapping[tuple[str, str], Target] = targets(self.hub, self.db, self.state.system, needs) if needs else {}


def document(canonical: Canonical) -> dict[str, Any]:
    """The record as mappings take it: with its business number."""
    return {**canonical.doc, "number": canonical.number}


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
        ours = wanted_fields(state, canonical, record, lookups.targets, lookups.values, lookups.room, only=written)
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
    step = next_step(state, document_state, old=is_older(go_live, canonical.doc)) if created_here and not found else None
    if step and reached_goal(lookups.db, state, canonical.id, record.org):
        step = None
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
        next_step=step,
        settled=row is not None and row["reason"] == "settled" and from_json(row["differs"] or "{}") == plain(found),
    )
    verdict = judge(facts)
    return None if verdict is None else pair(verdict, differs=found or None, accepted=kept, edited=edited)


def retired_there(state: StreamState, mode: str, row: Mapping[str, Any] | None) -> Verdict:
    """What becomes of a system's record whose canonical record was retired: left as it is, unless the flow says otherwise."""
    done = row is not None and row["reason"] in (UNCONFIRMED, "retired_there")
    if state.flow.deletes == "none" or done:
        return Verdict("left", "retired_there" if done else "retired")
    return Verdict("held", "plan") if mode == "plan" else Verdict("due", state.flow.deletes)


def wanted_fields(
    state: StreamState,
    canonical: Canonical,
    record: There | None,
    known: Mapping[tuple[str, str], Target],
    values: Values,
    room: holding.Room,
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
        room.sets(state.mapping, canonical),
        known,
        values,
        lines=lines,
        org=record.org if record else org,
        only=only,
    )


def next_step(state: StreamState, document_state: str, *, old: bool = False) -> str | None:
    """The step of the ladder that is due to reach the flow's goal: only from a state that our own steps lead to.

    Any other (an un-audited document, a person's draft) is somebody's decision, and is not fought over; nor is one that has been there
    before (:func:`sync.pairs.reached_goal`), submitted again by whoever had it un-audited. `old`: the record is from before
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

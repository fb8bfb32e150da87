"""Delivering: what is due goes to its system.

Here it is chosen; :mod:`sync.sending` sends it, :mod:`sync.uncertain` finds out what became of it.

A create is repeated only after a look-up by our key. Facts about the outside world (an attempt, a receipt, a new external id) are
committed at once, in transactions of their own, whatever happens to the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from canonical.ids import new_id_text
from connectors.base import Change, LineSet
from connectors.errors import CallFailed, Throttled
from ledger.bulk import from_json, json_text
from mappings.errors import RecordError, WantedValue
from sync import collector, holding, leases, pairing, scope, store
from sync.compare import differences
from sync.crew import Job as Part
from sync.decide import Canonical
from sync.errors import Overtaken
from sync.golive import is_older
from sync.hub import Cursor, Hub
from sync.pairs import UNCONFIRMED, There, in_open_case, note_missing, reached_goal, records_there
from sync.references import targets
from sync.runs import Run, RunResult, running
from sync.sending import Job, Sender
from sync.streams import StreamState
from sync.uncertain import ALL, SHORTEST_LAG_S, UNCONFIRMED_S, Settler, Span

CLAIM = 500
"""Pairs worked on together."""
MUCH = 2 * CLAIM
"""So many due pairs of one stream are shared among several processes."""
PARTS = 2
"""Parts for each process: who is done sooner takes another."""


@dataclass
class Batch:
    """What became of the pairs that were looked at together."""

    jobs: list[Job] = field(default_factory=list)
    settled: dict[tuple[str, str], tuple[str, str, str, str | None]] = field(default_factory=dict)
    """(entity, org) -> (state, reason, detail, waits_for) for pairs that need no call."""
    values: list[tuple[WantedValue, str]] = field(default_factory=list)


def deliver(hub: Hub, system: str, streams: Sequence[str] | None = None, *, limit: int | None = None) -> RunResult:
    """Deliver what is due to a system, each stream after those it cites. Only flows in mode `write`."""
    with running(hub, "deliver", system, ",".join(streams or ())) as run:
        for state in _with_work(hub, hub.streams_of(system, streams)):
            try:
                with leases.held(hub, f"deliver:{state.label}") as lease:
                    _Deliverer(hub, state, lease, run).work(limit)
            except CallFailed as failed:
                _tell(run, state, failed)
                break
            except Stopped:
                break
    return run.result


def _with_work(hub: Hub, states: Sequence[StreamState]) -> Iterator[StreamState]:
    """Those of the streams that may be written and have a pair to look at, in their order; asked anew after each: it may wake others."""
    left = [state for state in states if state.decl.writable]
    while left:
        with hub.transaction() as db:
            overrides = hub.mode_overrides(db)
            left = [state for state in left if hub.mode(state, overrides) == "write"]
            found = _open_streams(db, left) if left else set()
        place = next((place for place, state in enumerate(left) if state.id in found), len(left))
        if place < len(left):
            yield left[place]
        left = left[place + 1 :]


def _open_streams(db: Cursor, states: Sequence[StreamState]) -> set[int]:
    """Streams of one system with pairs that are due, of unknown outcome, blocked no longer, not read back, or whose parent has come."""
    db.execute(
        "SELECT DISTINCT stream_id FROM desired WHERE stream_id = ANY(%(all)s) AND state = 'in_sync' AND reason = %(unconfirmed)s "
        "AND changed_at <= now() - make_interval(secs => CASE WHEN stream_id = ANY(%(read_back)s) THEN 0 ELSE %(patience)s END) "
        "UNION SELECT s.id FROM stream s WHERE s.id = ANY(%(all)s) AND (EXISTS (SELECT FROM desired d WHERE d.stream_id = s.id "
        "AND (d.state IN ('due', 'blocked') AND d.due_at <= now() OR d.state = 'in_flight')) "
        "OR EXISTS (SELECT FROM desired d JOIN link l ON l.entity_id = d.waits_for AND l.role <> 'gone' "
        "JOIN stream p ON p.id = l.stream_id AND p.system = s.system "
        "WHERE d.stream_id = s.id AND d.state = 'held' AND d.reason = 'parent'))",
        {
            "all": [state.id for state in states],
            "read_back": [state.id for state in states if state.decl.read_back],
            "unconfirmed": UNCONFIRMED,
            "patience": UNCONFIRMED_S,
        },
    )
    return {row["stream_id"] for row in db}


@dataclass(frozen=True, slots=True)
class Share:
    """What one process did of a stream's deliveries for the run of another."""

    result: RunResult
    created: int
    went_on: bool
    """False when the system would take no more."""


def deliver_beside(hub: Hub, system: str, stream: str, lease: leases.Lease, run_id: int, span: Span) -> Share:
    """Deliver the due pairs of a span, as part of a run that another process keeps, under the lease that it holds."""
    run = Run(run_id, RunResult("deliver", run_id=run_id))
    deliverer = _Deliverer(hub, hub.streams[system, stream], lease, run, span)
    went_on = True
    try:
        deliverer.work_off()
    except (CallFailed, Overtaken) as stop:
        went_on = False
        _tell(run, deliverer.state, stop)
    return Share(run.result, deliverer.created, went_on)


class Stopped(Exception):
    """Another process has met, and told, what stops this stream's deliveries."""


def _tell(run: Run, state: StreamState, stop: CallFailed | Overtaken) -> None:
    status = "set_aside" if isinstance(stop, Throttled) else "busy" if isinstance(stop, Overtaken) else "failed"
    run.problem(f"{state.label}: {stop}", status)


class _Deliverer:
    """One worker on one stream, or on a span of its pairs."""

    def __init__(self, hub: Hub, state: StreamState, lease: leases.Lease, run: Run, span: Span = ALL) -> None:
        self.hub, self.state, self.lease, self.run, self.span = hub, state, lease, run, span
        self.sender = Sender(hub, state, run)
        self.settler = Settler(self.sender, span)
        self.created = 0
        self._renew = True

    def work(self, limit: int | None) -> None:
        """What became of earlier deliveries first, then what is due. Raises: CallFailed, Overtaken, Stopped."""
        if self.lease.inherited:  # what its last holder sent is given time to arrive
            time.sleep(SHORTEST_LAG_S)
        self.settler.settle_in_flight()
        self.run.count("confirmed", self.settler.confirm())
        self._wake()
        if limit is None and self.hub.crew.size > 1:
            self._share_out()
        self.work_off(limit)

    def work_off(self, limit: int | None = None) -> None:
        """Deliver what is due in the span, batch after batch. Raises: CallFailed, Overtaken."""
        done = 0
        self._renew = self.span is ALL
        with collector.held_back() as sweeper:
            while limit is None or done < limit:
                rows, batch = self._batch(CLAIM if limit is None else min(CLAIM, limit - done))
                if not rows:
                    return
                done += rows
                self.sender.send(batch.jobs)
                self.settler.settle_in_flight()
                sweeper.page_done()

    def _batch(self, limit: int) -> tuple[int, Batch]:
        """Claim pairs and write down what is about to be tried with them: how many there were, and what became of them."""
        with self.hub.transaction() as db:
            if self._renew:
                leases.confirm(db, self.lease)
                self._renew = self.span is ALL
            else:
                self._renew = leases.share(db, self.lease)
            rows = self._claim(db, limit)
            if not rows:
                return 0, Batch()
            batch = self._plan(db, rows)
            self.created += sum(job.created for job in batch.jobs)
            if self.created > self.hub.config.create_rate_per_run:
                raise CallFailed(
                    self.state.system,
                    f"more than {self.hub.config.create_rate_per_run} creates in one run",
                    next_step="look, then raise create_rate_per_run",
                )
            self.sender.intend(db, batch.jobs)
            return len(rows), batch

    def _share_out(self) -> None:
        """Let several processes deliver where much is due; what becomes due meanwhile is left over. Raises: Stopped."""
        with self.hub.transaction() as db:
            leases.confirm(db, self.lease)
            spans = self._spans(db)
        jobs = [
            Part(f"{self.state.label}, part {number}", deliver_beside, (self.state.system, self.state.name, self.lease, self.run.id, span))
            for number, span in enumerate(spans, 1)
        ]
        went_on = True
        for _, done in self.hub.crew.work(jobs):
            self.run.result.add(done.result)
            self.created += done.created
            went_on = went_on and done.went_on
        if not went_on:
            raise Stopped

    def _spans(self, db: Cursor) -> list[Span]:
        """Parts of what is due, each of whole batches, so that no more calls are made than by one process; none when it is not worth it."""
        db.execute("SELECT count(*) AS number FROM desired WHERE stream_id = %s AND state = 'due' AND due_at <= now()", [self.state.id])
        due = (db.fetchone() or {"number": 0})["number"]
        if not MUCH <= due <= self.hub.config.create_rate_per_run:
            return []
        db.execute("ANALYZE link (stream_id, key, entity_id), desired (stream_id, entity_id, state)")  # much has become due since its last
        step = max(round(due / CLAIM / self.hub.crew.size / PARTS), 1) * CLAIM
        db.execute(
            "SELECT entity_id::text AS last FROM (SELECT entity_id, row_number() OVER (ORDER BY entity_id, org) AS place FROM desired "
            "WHERE stream_id = %s AND state = 'due' AND due_at <= now()) d WHERE place %% %s = 0 ORDER BY 1",
            [self.state.id, step],
        )
        ends = [str(row["last"]) for row in db]
        return [Span(after, to) for after, to in pairwise([ALL.after, *(ends[:-1] if due % step == 0 else ends), ALL.to])]

    def _wake(self) -> None:
        """Pairs whose missing parent has come."""
        with self.hub.transaction() as db:
            db.execute(
                "UPDATE desired d SET state = 'due', reason = 'parent_came', waits_for = NULL, due_at = now(), changed_at = now() "
                "WHERE d.stream_id = %s AND d.state = 'held' AND d.reason = 'parent' AND d.waits_for IS NOT NULL "
                "AND EXISTS (SELECT 1 FROM link l JOIN stream s ON s.id = l.stream_id "
                "WHERE l.entity_id = d.waits_for AND s.system = %s AND l.role <> 'gone')",
                [self.state.id, self.state.system],
            )
            db.execute(
                "UPDATE desired SET state = 'due', reason = 'unblocked?', due_at = now() "
                "WHERE stream_id = %s AND state = 'blocked' AND due_at <= now()",
                [self.state.id],
            )

    def _claim(self, db: Cursor, limit: int) -> list[dict[str, Any]]:
        db.execute(
            "SELECT entity_id::text AS entity_id, org, attempts, accepted::text AS accepted FROM desired "
            "WHERE stream_id = %s AND state = 'due' AND due_at <= now() AND entity_id > %s AND entity_id <= %s "
            "ORDER BY entity_id, org LIMIT %s FOR UPDATE SKIP LOCKED",
            [self.state.id, self.span.after, self.span.to, limit],
        )
        return list(db)

    def _plan(self, db: Cursor, rows: Sequence[Mapping[str, Any]]) -> Batch:
        state, batch = self.state, Batch()
        ids = sorted({row["entity_id"] for row in rows})
        canonicals = store.load(db, state.table, ids)
        there = records_there(db, [state], ids, None, {})
        cases = in_open_case(db, ids)
        values = self.hub.values(db, state.system)
        room = holding.room(db, state.mapping, canonicals.values())
        needs = {need for canonical in canonicals.values() for need in self._needs(canonical, there, room)}
        known = {org: targets(self.hub, db, state.system, needs, org) for org in {row["org"] for row in rows}}
        for row in rows:
            canonical = canonicals[row["entity_id"]]
            if canonical.id in cases:
                batch.settled[canonical.id, row["org"]] = ("held", "open_case", "", None)
                continue
            record = next((record for record in there.get((state.id, canonical.id), []) if record.org == row["org"]), None)
            try:
                job = self._job(db, canonical, record, row, known[row["org"]], values, room)
            except RecordError as wrong:
                verdict = pairing.held_for(wrong)
                batch.settled[canonical.id, row["org"]] = (verdict.state, verdict.reason, str(wrong)[:1000], pairing.missing_parent(wrong))
                batch.values.extend((want, canonical.id) for want in wrong.values)
                continue
            if job is None:
                batch.settled[canonical.id, row["org"]] = ("in_sync", "", "", None)
            else:
                batch.jobs.append(job)
        self._settle(db, batch)
        return batch

    def _needs(self, canonical: Canonical, there: Mapping[tuple[int, str], Sequence[There]], room: holding.Room) -> list[tuple[str, str]]:
        only = self.state.written_fields if (self.state.id, canonical.id) in there else None
        return self.state.mapping.needs(pairing.document(canonical), room.sets(self.state.mapping, canonical), only=only)

    def _job(
        self,
        db: Cursor,
        canonical: Canonical,
        record: There | None,
        row: Mapping[str, Any],
        known: Mapping[Any, Any],
        values: Any,
        room: holding.Room,
    ) -> Job | None:
        state = self.state
        if record is None or record.gone:
            if record is not None or canonical.retired:
                return None
            ours = pairing.wanted_fields(state, canonical, None, known, values, room, row["org"])
            return self._make(canonical, row, "save", None, ours)
        if canonical.retired:
            return self._make(canonical, row, state.flow.deletes, record, {}) if state.flow.deletes != "none" else None
        written = state.written_in(scope.company_there(self.hub, db, state, canonical, record.org))
        if written:
            ours = pairing.wanted_fields(state, canonical, record, known, values, room, only=written)
            found = differences(state, ours, record.payload or {})
            accepted = from_json(row["accepted"]) if row["accepted"] else {}
            found = {path: pair for path, pair in found.items() if not _accepted(accepted.get(path), pair)}
            if found:
                return self._make(canonical, row, "save", record, self._changed_only(ours, found))
        if record.how in pairing.MADE_BY_US and record.payload is not None and state.decl.ladder:
            step = pairing.next_step(state, str(record.payload.get(state.decl.ladder.field) or ""), old=self._is_old(canonical))
            if step and not reached_goal(db, state, canonical.id, row["org"]):
                return self._make(canonical, row, step, record, {})
        return None

    def _changed_only(self, ours: Mapping[str, Any], found: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Only the fields that differ; a list of lines whole (only what differs, where each is written apart), those to remove marked."""
        sets = {lines.field: lines for lines in self.state.decl.lines}
        heads = {path.partition("[")[0] for path in found}
        fields: dict[str, Any] = {}
        for path, value in ours.items():
            if path not in heads:
                continue
            if path in sets:
                gone = [dict(theirs) | {"_delete": None} for name, (theirs, _) in found.items() if name.startswith(f"{path}[-")]
                rows = _differing(value, sets[path], found) if sets[path].apart else value
                fields[path] = [*rows, *gone]
            else:
                fields[path] = value
        return fields

    def _make(self, canonical: Canonical, row: Mapping[str, Any], step: str, record: There | None, fields: dict[str, Any]) -> Job:
        attempt = new_id_text()
        place = self.state.decl.hub_key
        if record is None and place is not None:
            fields = {**fields, place.field: canonical.hub_key}
        change = Change(
            attempt,
            step,
            canonical.hub_key,
            record.key if record else None,
            row["org"],
            record.number if record else "",
            fields,
            self.state.flow.quiet or self._is_old(canonical),
        )
        driven = not self._is_old(canonical)
        return Job(
            attempt, canonical.id, row["org"], canonical.hub_key, canonical.version, change, record is None, row.get("attempts", 0), driven
        )

    def _is_old(self, canonical: Canonical) -> bool:
        return is_older(self.hub.config.go_live_of(self.state.entity), canonical.doc)

    def _settle(self, db: Cursor, batch: Batch) -> None:
        if batch.settled:
            keys, facts = list(batch.settled), list(batch.settled.values())
            db.execute(
                "UPDATE desired d SET state = v.state, reason = v.reason, detail = v.detail, waits_for = v.waits_for, due_at = NULL, "
                "changed_at = now(), differs = CASE WHEN v.state = 'in_sync' THEN NULL ELSE d.differs END "
                "FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::uuid[]) "
                "AS v(entity_id, org, state, reason, detail, waits_for) "
                "WHERE d.stream_id = %s AND (d.entity_id, d.org) = (v.entity_id, v.org)",
                [
                    [entity_id for entity_id, _ in keys],
                    [org for _, org in keys],
                    *([fact[place] for fact in facts] for place in range(4)),
                    self.state.id,
                ],
            )
        for stand, _, _, _ in batch.settled.values():
            self.run.count(stand)
        note_missing(db, self.state, batch.values)


def _differing(rows: Sequence[Mapping[str, Any]], lines: LineSet, found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows that are lacking there or differ: `Products[+7]`, `Products[7].list_price`."""
    prefix = f"{lines.field}["
    named = {name.removeprefix(prefix).partition("]")[0].removeprefix("+") for name in found if name.startswith(prefix)}
    return [row for row in rows if str(row.get(lines.key)) in named]


def _accepted(known: Sequence[Any] | None, pair: Sequence[Any]) -> bool:
    return known is not None and known[2] >= 2 and [known[1], known[0]] == from_json(json_text(list(pair)))

"""Delivering: what is due goes to its system, is committed as intent before each call, and every answer is kept as a receipt.

A create is repeated only after a look-up by our key. Facts about the outside world (an attempt, a receipt, a new external id) are
committed at once, in transactions of their own, whatever happens to the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from canonical.ids import new_id_text
from connectors.base import Change, Outcome, Receipt, Record
from connectors.errors import CallFailed, Throttled, Uncertain
from ledger.bulk import array_text, from_json, json_text, sorted_json
from mappings.errors import RecordError, WantedValue
from sync import leases, observing, pairing, scope, store
from sync.compare import differences
from sync.decide import Canonical
from sync.golive import is_older
from sync.hub import Cursor, Hub, StreamState
from sync.pairing import UNCONFIRMED, There
from sync.reading import hub_mode
from sync.references import References, targets
from sync.runs import Run, RunResult, running

CLAIM = 500
"""Pairs worked on together."""
BLOCKED_RETRY_S = 900
LONGEST_BACKOFF_S = 3600
PATIENCE = 3
"""Attempts whose outcome stays unknown are repeated at once this often (a ladder's steps count), then after longer and longer waits."""
SHORTEST_LAG_S = 2.0
"""A create without an answer is looked for again after at least this long before it is repeated, even where no index lags.

The request may still be on its way.
"""


@dataclass(slots=True)
class Job:
    """One step for one pair."""

    attempt: str
    entity_id: str
    org: str
    hub_key: str
    version: int
    change: Change
    created: bool = False
    tries: int = 0
    driven: bool = True
    """Whether it climbs the flow's steps; what is older than the go-live is asked nobody's approval."""


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
        for state in hub.streams_of(system, streams):
            if not state.decl.writable or hub_mode(hub, state) != "write":
                continue
            try:
                with leases.held(hub, f"deliver:{state.label}") as lease:
                    _Deliverer(hub, state, lease, run).work(limit)
            except Throttled as wait:
                run.problem(f"{state.label}: {wait}", "set_aside")
                break
            except CallFailed as failed:
                run.problem(f"{state.label}: {failed}")
                break
    return run.result


class _Deliverer:
    """One worker on one stream."""

    def __init__(self, hub: Hub, state: StreamState, lease: leases.Lease, run: Run) -> None:
        self.hub, self.state, self.lease, self.run = hub, state, lease, run
        self.session = hub.session(state.system)
        self.refs = References(hub, state.system)

    def work(self, limit: int | None) -> None:
        self._settle_in_flight()
        self._wake()
        done = created = 0
        while limit is None or done < limit:
            with self.hub.transaction() as db:
                leases.confirm(db, self.lease)
                rows = self._claim(db, CLAIM if limit is None else min(CLAIM, limit - done))
                if not rows:
                    return
                batch = self._plan(db, rows)
                created += sum(job.created for job in batch.jobs)
                if created > self.hub.config.create_rate_per_run:
                    raise CallFailed(
                        self.state.system,
                        f"more than {self.hub.config.create_rate_per_run} creates in one run",
                        next_step="look, then raise create_rate_per_run",
                    )
                self._intend(db, batch.jobs)
            done += len(rows)
            self._send(batch.jobs)

    # Choosing -----------------------------------------------------------------------------------------------------------

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
            "WHERE stream_id = %s AND state = 'due' AND due_at <= now() ORDER BY entity_id, org LIMIT %s FOR UPDATE SKIP LOCKED",
            [self.state.id, limit],
        )
        return list(db)

    def _plan(self, db: Cursor, rows: Sequence[Mapping[str, Any]]) -> Batch:
        state, batch = self.state, Batch()
        ids = sorted({row["entity_id"] for row in rows})
        canonicals = store.load(db, state.table, ids)
        there = pairing.records_there(db, [state], ids, None, {})
        cases = pairing.in_open_case(db, ids)
        values = self.hub.values(db, state.system)
        needs = {need for canonical in canonicals.values() for need in self._needs(canonical, there)}
        known = {org: targets(self.hub, db, state.system, needs, org) for org in {row["org"] for row in rows}}
        for row in rows:
            canonical = canonicals[row["entity_id"]]
            if canonical.id in cases:
                batch.settled[canonical.id, row["org"]] = ("held", "open_case", "", None)
                continue
            record = next((record for record in there.get((state.id, canonical.id), []) if record.org == row["org"]), None)
            try:
                job = self._job(db, canonical, record, row, known[row["org"]], values)
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

    def _needs(self, canonical: Canonical, there: Mapping[tuple[int, str], Sequence[There]]) -> list[tuple[str, str]]:
        only = self.state.written_fields if (self.state.id, canonical.id) in there else None
        return self.state.mapping.needs(pairing.document(canonical), pairing.plain_sets(canonical), only=only)

    def _job(
        self, db: Cursor, canonical: Canonical, record: There | None, row: Mapping[str, Any], known: Mapping[Any, Any], values: Any
    ) -> Job | None:
        state = self.state
        if record is None or record.gone:
            if record is not None or canonical.retired:
                return None
            ours = pairing.wanted_fields(state, canonical, None, known, values, row["org"])
            return self._make(canonical, row, "save", None, ours)
        if canonical.retired:
            return self._make(canonical, row, state.flow.deletes, record, {}) if state.flow.deletes != "none" else None
        written = state.written_in(scope.company_there(self.hub, db, state, canonical, record.org))
        if written:
            ours = pairing.wanted_fields(state, canonical, record, known, values, only=written)
            found = differences(state, ours, record.payload or {})
            accepted = from_json(row["accepted"]) if row["accepted"] else {}
            found = {path: pair for path, pair in found.items() if not _accepted(accepted.get(path), pair)}
            if found:
                return self._make(canonical, row, "save", record, self._changed_only(ours, found))
        if record.how in pairing.MADE_BY_US and record.payload is not None and state.decl.ladder:
            step = pairing.next_step(state, str(record.payload.get(state.decl.ladder.field) or ""), old=self._is_old(canonical))
            if step:
                return self._make(canonical, row, step, record, {})
        return None

    def _changed_only(self, ours: Mapping[str, Any], found: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Only the fields that differ; a list of lines whole, with those to remove marked."""
        sets = {lines.field: lines for lines in self.state.decl.lines}
        heads = {path.partition("[")[0] for path in found}
        fields: dict[str, Any] = {}
        for path, value in ours.items():
            if path not in heads:
                continue
            if path in sets:
                gone = [dict(theirs) | {"_delete": None} for name, (theirs, _) in found.items() if name.startswith(f"{path}[-")]
                fields[path] = [*value, *gone]
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
        pairing.note_missing(db, self.state, batch.values)

    # Sending ------------------------------------------------------------------------------------------------------------

    def _intend(self, db: Cursor, jobs: Sequence[Job]) -> None:
        """Write down what is about to be tried; it commits before the call."""
        if not jobs:
            return
        with db.copy(
            "COPY delivery_attempt (id, stream_id, entity_id, org, hub_key, key, step, fields, fingerprint, run_id) FROM STDIN"
        ) as copy:
            for job in jobs:
                copy.write_row(
                    (
                        job.attempt,
                        self.state.id,
                        job.entity_id,
                        job.org,
                        job.hub_key,
                        job.change.key,
                        job.change.step,
                        json_text(job.change.fields),
                        _mark(job.change.fields),
                        self.run.id,
                    )
                )
        db.execute(
            "UPDATE desired d SET state = 'in_flight', attempts = d.attempts + 1, changed_at = now() "
            "FROM unnest(%s::uuid[], %s::text[]) v(entity_id, org) WHERE d.stream_id = %s AND (d.entity_id, d.org) = (v.entity_id, v.org)",
            [array_text([job.entity_id for job in jobs]), array_text([job.org for job in jobs]), self.state.id],
        )

    def _send(self, jobs: Sequence[Job]) -> None:
        by_step: dict[str, list[Job]] = {}
        for job in jobs:
            by_step.setdefault(job.change.step, []).append(job)
        to_read: list[str] = []
        for step, group in by_step.items():
            for start in range(0, len(group), max(self.state.decl.batch, 1)):
                self._send_chunk(step, group[start : start + max(self.state.decl.batch, 1)], to_read)
        if to_read:
            self._read_back(to_read)
        self._settle_in_flight()

    def _send_chunk(self, step: str, jobs: Sequence[Job], to_read: list[str]) -> None:
        """One call, then the rest of the ladder for what was created by it."""
        while jobs:
            try:
                receipts = self.session.write(self.state.name, [job.change for job in jobs])
            except Uncertain as lost:
                receipts = [Receipt(job.attempt, step, Outcome.UNCERTAIN, why=str(lost)) for job in jobs]
            except CallFailed as failed:
                wait = failed.after_s if isinstance(failed, Throttled) else 0.0
                self._keep(
                    jobs,
                    [
                        Receipt(job.attempt, step, Outcome.RETRY, code=failed.vendor_code, why=str(failed), retry_after_s=wait)
                        for job in jobs
                    ],
                )
                raise
            jobs = self._next_steps(self._keep(jobs, receipts), to_read)
            step = jobs[0].change.step if jobs else step

    def _keep(self, jobs: Sequence[Job], receipts: Sequence[Receipt]) -> list[tuple[Job, Receipt]]:
        """Commit the answers at once: receipts, new external ids, the pairs' states."""
        by_id = {receipt.change_id: receipt for receipt in receipts}
        answered = [
            (job, by_id.get(job.attempt) or Receipt(job.attempt, job.change.step, Outcome.UNCERTAIN, why="no answer for this record"))
            for job in jobs
        ]
        with self.hub.transaction() as db:
            with db.copy("COPY delivery_receipt (attempt_id, outcome, key, number, code, why) FROM STDIN") as copy:
                for job, receipt in answered:
                    copy.write_row((job.attempt, receipt.outcome.value, receipt.key, receipt.number, receipt.code, receipt.why[:2000]))
            created = [
                (job, receipt)
                for job, receipt in answered
                if job.created and receipt.key and receipt.outcome in (Outcome.WRITTEN, Outcome.UNCHANGED)
            ]
            link_created(db, self.state, [(job.entity_id, job.org, receipt.key or "", receipt.number) for job, receipt in created])
            for outcome in Outcome:
                group = [(job, receipt) for job, receipt in answered if receipt.outcome is outcome]
                if group:
                    self._mark(db, outcome, group)
                    self.run.count(outcome.value, len(group))
            records = [receipt.record for _, receipt in answered if receipt.record is not None]
            if records:
                observing.observe(self.hub, db, self.state, records, self.refs, run_id=self.run.id, cause="receipt")
        return answered

    def _mark(self, db: Cursor, outcome: Outcome, group: Sequence[tuple[Job, Receipt]]) -> None:
        stand, reason = _AFTER[outcome]
        waits = [
            receipt.retry_after_s or (BLOCKED_RETRY_S if outcome is Outcome.BLOCKED else _backoff_s(job.tries)) for job, receipt in group
        ]
        db.execute(
            "UPDATE desired d SET state = %s, reason = %s, detail = v.why, sent = v.sent, "
            "due_at = CASE WHEN %s IN ('due', 'blocked') THEN now() + make_interval(secs => v.wait) END, "
            "differs = CASE WHEN %s = 'in_sync' THEN NULL ELSE d.differs END, changed_at = now() "
            "FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bytea[], %s::float8[], %s::int[]) "
            "AS v(entity_id, org, why, sent, wait, version) "
            "WHERE d.stream_id = %s AND (d.entity_id, d.org) = (v.entity_id, v.org) "
            "AND (%s <> 'in_sync' OR d.canonical_version <= v.version)",
            [
                stand,
                reason,
                stand,
                stand,
                array_text([job.entity_id for job, _ in group]),
                array_text([job.org for job, _ in group]),
                array_text([receipt.why[:1000] for _, receipt in group]),
                [_mark(job.change.fields) for job, _ in group],
                waits,
                [job.version for job, _ in group],
                self.state.id,
                stand,
            ],
        )
        if stand == "in_sync":  # the record moved on while its older value was under way: what is newer is due
            db.execute(
                "UPDATE desired d SET state = 'due', reason = 'newer', due_at = now() "
                "FROM unnest(%s::uuid[], %s::text[], %s::int[]) v(entity_id, org, version) "
                "WHERE d.stream_id = %s AND (d.entity_id, d.org) = (v.entity_id, v.org) "
                "AND d.state = 'in_flight' AND d.canonical_version > v.version",
                [
                    array_text([job.entity_id for job, _ in group]),
                    array_text([job.org for job, _ in group]),
                    [job.version for job, _ in group],
                    self.state.id,
                ],
            )

    def _next_steps(self, answered: Sequence[tuple[Job, Receipt]], to_read: list[str]) -> list[Job]:
        """The next step of the ladder for what has just been created or moved; what needs reading back is noted."""
        ladder, goal = self.state.decl.ladder, self.state.flow.goal
        ready: list[Job] = []
        for job, receipt in answered:
            key = receipt.key or job.change.key
            if receipt.outcome not in (Outcome.WRITTEN, Outcome.UNCHANGED):
                if key and receipt.outcome in (Outcome.REJECTED, Outcome.BLOCKED) and self.state.decl.read_back:
                    to_read.append(key)
                continue
            if key and self.state.decl.read_back and key not in to_read:
                to_read.append(key)
            driven = job.driven and (job.created or job.change.step != "save")
            if ladder is None or not goal or not key or not driven:
                continue
            step = ladder.next_step(ladder.after.get(job.change.step, ""), goal)
            if step:
                change = Change(new_id_text(), step, job.hub_key, key, job.org, receipt.number or job.change.number, {}, job.change.quiet)
                ready.append(Job(change.id, job.entity_id, job.org, job.hub_key, job.version, change))
        if ready:
            with self.hub.transaction() as db:
                self._intend(db, ready)
        return ready

    def _read_back(self, keys: Sequence[str]) -> None:
        """Read what was written, through the one door, and let the pairs be judged against it."""
        records = self.session.get(self.state.name, list(dict.fromkeys(keys)))
        self._take(records)

    def _take(self, records: Sequence[Record]) -> None:
        if not records:
            return
        with self.hub.transaction() as db:
            result = observing.observe(self.hub, db, self.state, records, self.refs, run_id=self.run.id, cause="read back", again=True)
        self.run.count("read_back", len(records))
        self.run.count("set_aside", result.set_aside)

    # After uncertainty --------------------------------------------------------------------------------------------------

    def _settle_in_flight(self) -> None:
        """Pairs whose outcome is not known, ours or a dead worker's: look before anything is repeated."""
        with self.hub.transaction() as db:
            rows = self._in_flight(db)
        if not rows:
            return
        linked = [row for row in rows if row["key"]]
        unlinked = [row for row in rows if not row["key"]]
        if linked:
            found = {record.key: record for record in self.session.get(self.state.name, [row["key"] for row in linked])}
            self._reopen(linked, found)
        if unlinked:
            self._look_up(unlinked)

    def _in_flight(self, db: Cursor) -> list[dict[str, Any]]:
        db.execute(
            "SELECT d.entity_id::text AS entity_id, d.org, d.attempts, l.key, a.id::text AS attempt, a.hub_key, "
            "extract(epoch FROM clock_timestamp() - a.started_at)::float8 AS age_s FROM desired d "
            "LEFT JOIN link l ON l.stream_id = d.stream_id AND l.entity_id = d.entity_id AND l.org = d.org AND l.role = 'primary' "
            "JOIN LATERAL (SELECT id, hub_key, started_at FROM delivery_attempt a "
            "WHERE a.entity_id = d.entity_id AND a.stream_id = d.stream_id "
            "ORDER BY started_at DESC LIMIT 1) a ON true WHERE d.stream_id = %s AND d.state = 'in_flight'",
            [self.state.id],
        )
        return list(db)

    def _reopen(self, rows: Sequence[Mapping[str, Any]], found: Mapping[str, Record]) -> None:
        """Judge anew against what the system holds now."""
        self._make_due(rows, "recheck")
        self._take(list(found.values()))

    def _make_due(self, rows: Iterable[Mapping[str, Any]], reason: str) -> None:
        """Due again: at once at first, later and later for what stays uncertain."""
        pairs = list(rows)
        with self.hub.transaction() as db:
            db.execute(
                "UPDATE desired d SET state = 'due', reason = %s, due_at = now() + make_interval(secs => v.wait), changed_at = now() "
                "FROM unnest(%s::uuid[], %s::text[], %s::float8[]) v(entity_id, org, wait) "
                "WHERE d.stream_id = %s AND (d.entity_id, d.org) = (v.entity_id, v.org) AND d.state = 'in_flight'",
                [
                    reason,
                    array_text([row["entity_id"] for row in pairs]),
                    array_text([row["org"] for row in pairs]),
                    [_backoff_s(row["attempts"] - PATIENCE) if row["attempts"] > PATIENCE else 0.0 for row in pairs],
                    self.state.id,
                ],
            )

    def _look_up(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Creates whose outcome is not known: find them by our key; only what is certainly not there is due again."""
        place = self.state.decl.hub_key
        if place is None or not place.searchable:
            self._make_due(rows, "at_least_once")  # the connector's grade says so
            return
        found = self.session.find(self.state.name, [row["hub_key"] for row in rows])
        there = [row for row in rows if row["hub_key"] in found]
        absent = [row for row in rows if row["hub_key"] not in found]
        lag_s = max(place.index_lag_s, SHORTEST_LAG_S)
        early = [row for row in absent if row["age_s"] < lag_s]
        if early:
            time.sleep(min(lag_s, 30.0))
            later = self.session.find(self.state.name, [row["hub_key"] for row in early])
            found = {**found, **later}
            there += [row for row in early if row["hub_key"] in later]
            absent = [row for row in absent if row["hub_key"] not in later]
        with self.hub.transaction() as db:
            for row in there:
                record = found[row["hub_key"]]
                number = str(record.payload.get(self.state.decl.number) or "")
                self._note(db, row, "found", record.key)
                link_created(db, self.state, [(row["entity_id"], row["org"], record.key, number)])
            for row in absent:
                self._note(db, row, "absent", None)
        self._make_due(there, "recheck")
        self._make_due(absent, "create")
        self._take([found[row["hub_key"]] for row in there])
        self.run.count("found_again", len(there))

    def _note(self, db: Cursor, row: Mapping[str, Any], outcome: str, key: str | None) -> None:
        db.execute(
            "INSERT INTO delivery_receipt (attempt_id, outcome, key, why) VALUES (%s, %s, %s, 'looked up by hub key')",
            [row["attempt"], outcome, key],
        )


_AFTER: Mapping[Outcome, tuple[str, str]] = {
    Outcome.WRITTEN: ("in_sync", UNCONFIRMED),
    Outcome.UNCHANGED: ("in_sync", UNCONFIRMED),
    Outcome.REJECTED: ("held", "rejected"),
    Outcome.BLOCKED: ("blocked", "blocked_there"),
    Outcome.RETRY: ("due", "retry"),
    Outcome.UNCERTAIN: ("in_flight", "uncertain"),
}


def link_created(db: Cursor, state: StreamState, made: Sequence[tuple[str, str, str, str]]) -> None:
    """Remember records that the hub created: (entity, organisation, key, number). One that was linked meanwhile stays as it is."""
    if made:
        db.execute(
            "INSERT INTO link (stream_id, key, org, number, entity_id, how) SELECT %s, v.key, v.org, v.number, v.entity_id, 'created' "
            "FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS v(entity_id, org, key, number) ON CONFLICT DO NOTHING",
            [state.id, *(list(column) for column in zip(*made, strict=True))],
        )


def _accepted(known: Sequence[Any] | None, pair: Sequence[Any]) -> bool:
    return known is not None and known[2] >= 2 and [known[1], known[0]] == from_json(json_text(list(pair)))


def _mark(fields: Mapping[str, Any]) -> bytes:
    return blake2b(sorted_json(fields), digest_size=16).digest()


def _backoff_s(tries: int) -> float:
    return min(2.0 ** min(tries, 20), LONGEST_BACKOFF_S)

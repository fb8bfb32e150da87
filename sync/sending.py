"""Sending what was chosen: the intent is committed before each call, every answer is kept at once as a receipt, then it is read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from canonical.ids import new_id_text
from connectors.base import Change, Outcome, Receipt, Record
from connectors.errors import CallFailed, Throttled, Uncertain
from ledger.bulk import array_text, json_text, sorted_json
from sync import observing
from sync.hub import Cursor, Hub
from sync.pairs import UNCONFIRMED
from sync.references import References
from sync.runs import Run
from sync.streams import StreamState

BLOCKED_RETRY_S = 900
LONGEST_BACKOFF_S = 3600


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


class Sender:
    """The way out for one stream, and what comes back."""

    def __init__(self, hub: Hub, state: StreamState, run: Run) -> None:
        self.hub, self.state, self.run = hub, state, run
        self.session = hub.session(state.system)
        self.refs = References(hub, state.system)

    def intend(self, db: Cursor, jobs: Sequence[Job]) -> None:
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

    def send(self, jobs: Sequence[Job]) -> None:
        """Make the calls, climb the steps, read back."""
        by_step: dict[str, list[Job]] = {}
        for job in jobs:
            by_step.setdefault(job.change.step, []).append(job)
        to_read: list[str] = []
        for step, group in by_step.items():
            for start in range(0, len(group), max(self.state.decl.batch, 1)):
                self._send_chunk(step, group[start : start + max(self.state.decl.batch, 1)], to_read)
        if to_read:
            self._read_back(to_read)

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

        def keep(db: Cursor) -> None:
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
            records = [receipt.record for _, receipt in answered if receipt.record is not None]
            if records:
                observing.observe(self.hub, db, self.state, records, self.refs, run_id=self.run.id, cause="receipt")

        self.hub.settle(keep, self.refs)
        for _, receipt in answered:
            self.run.count(receipt.outcome.value)
        return answered

    def _mark(self, db: Cursor, outcome: Outcome, group: Sequence[tuple[Job, Receipt]]) -> None:
        stand, reason = _AFTER[outcome]
        waits = [
            receipt.retry_after_s or (BLOCKED_RETRY_S if outcome is Outcome.BLOCKED else backoff_s(job.tries)) for job, receipt in group
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
                self.intend(db, ready)
        return ready

    def _read_back(self, keys: Sequence[str]) -> None:
        """Read what was written, through the one door, and let the pairs be judged against it."""
        records = self.session.get(self.state.name, list(dict.fromkeys(keys)))
        self.take(records)

    def take(self, records: Sequence[Record]) -> None:
        """Take records in that were asked for by key, and judge their pairs, changed or not."""
        if not records:
            return
        result = self.hub.settle(
            lambda db: observing.observe(self.hub, db, self.state, records, self.refs, run_id=self.run.id, cause="read back", again=True),
            self.refs,
        )
        self.run.count("read_back", len(records))
        self.run.count("set_aside", result.set_aside)


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


def _mark(fields: Mapping[str, Any]) -> bytes:
    return blake2b(sorted_json(fields), digest_size=16).digest()


def backoff_s(tries: int) -> float:
    """Seconds to wait after so many tries: twice as long each time, an hour at most."""
    return min(2.0 ** min(tries, 20), LONGEST_BACKOFF_S)

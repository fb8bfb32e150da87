"""Reconciling: everything a system holds against everything the hub knows.

What is missed, changed or gone is taken in; what drifts is planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.base import Page, Record, Window
from connectors.errors import CallFailed
from sync import collector, leases, observing, uncertain
from sync.errors import Busy
from sync.hub import Cursor, Hub
from sync.inspecting import pair_states
from sync.planning import Plan, make_plan
from sync.quarantine import SetAside, set_aside
from sync.reading import abreast, ahead, hub_mode, mark_listed, take_page
from sync.references import References
from sync.runs import Run, RunResult, running
from sync.streams import StreamState

PAGE = 1000


@dataclass
class StreamReport:
    """One stream, compared."""

    stream: str
    there: int = 0
    """Records that the system lists."""
    here: int = 0
    """Records that the hub had observed before."""
    only_there: int = 0
    """Missed until now; taken in."""
    changed: int = 0
    """Different from what the hub had observed; taken in."""
    only_here: int = 0
    """Gone there: deleted by proof, or stopped by the guard."""
    guarded: bool = False
    """True when so many were gone that a person must look before they count as deleted."""


@dataclass
class Reconciliation:
    """What a reconciliation found."""

    system: str
    streams: list[StreamReport] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    """Pairs by state: all six."""
    fields: dict[str, int] = field(default_factory=dict)
    """How often each field differs."""
    drift: int = 0
    plan: Plan | None = None
    run: RunResult | None = None

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


def reconcile(
    hub: Hub, system: str, streams: Sequence[str] | None = None, *, window: Window | None = None, believe_gone: bool = False
) -> Reconciliation:
    """Compare a system whole, or a window of it. Only a whole listing proves that something is gone.

    `believe_gone`: a person has looked, and what is not listed is deleted however much that is; each record is asked for all the same.
    Writes nothing into any system; what differs is due (mode `write`) or stands in a plan (mode `plan`).
    """
    found = Reconciliation(system)
    with running(hub, "reconcile", system, ",".join(streams or ())) as run:
        states = [state for state in hub.streams_of(system, streams) if hub_mode(hub, state) != "off"]
        if hub.crew.size > 1 and len(states) > 1 and window is None:
            for _, (report, result) in hub.crew.work(abreast(hub, states, compare_beside, lambda _: (run.id, believe_gone))):
                run.result.add(result)
                found.streams += [report] if report is not None else []
            order = [state.label for state in states]
            found.streams.sort(key=lambda report: order.index(report.stream))
        else:
            for state in states:
                report = _compared(hub, state, window or Window(by="all"), run, believe_gone=believe_gone)
                found.streams += [report] if report is not None else []
        found.states, found.fields = pair_states(hub, system)
        found.drift = sum(number for stand, number in found.states.items() if stand not in ("in_sync", "left"))
        if found.states.get("held"):
            plan = make_plan(hub, kind="reconcile", systems=[system])
            found.plan = plan if plan.summary else None
        if found.drift and run.result.status == "done":
            run.result.status = "differs"
    found.run = run.result
    return found


def compare_beside(
    hub: Hub,
    system: str,
    stream: str,
    run_id: int,
    believe_gone: bool,  # noqa: FBT001  sent to another process in order
) -> tuple[StreamReport | None, RunResult]:
    """One stream, whole, as part of a run that another process keeps."""
    run = Run(run_id, RunResult("reconcile", run_id=run_id))
    return _compared(hub, hub.streams[system, stream], Window(by="all"), run, believe_gone=believe_gone), run.result


def _compared(hub: Hub, state: StreamState, window: Window, run: Run, *, believe_gone: bool) -> StreamReport | None:
    try:
        with leases.held(hub, f"read:{state.label}") as lease:
            return _compare(hub, state, window, lease, run, believe_gone=believe_gone)
    except CallFailed as failed:
        run.problem(f"{state.label}: {failed}")
    except Busy as taken:
        run.problem(f"{state.label}: {taken}", "busy")
    return None


def _compare(hub: Hub, state: StreamState, window: Window, lease: leases.Lease, run: Run, *, believe_gone: bool) -> StreamReport:
    began = datetime.now(UTC)
    with hub.transaction() as db:
        db.execute("SELECT count(*) AS here FROM observed WHERE stream_id = %s AND NOT deleted", [state.id])
        report = StreamReport(state.label, here=(db.fetchone() or {"here": 0})["here"])
    refs, seen = References(hub, state.system), set()
    before = dict(run.result.counts)
    with hub.transaction() as db:
        waiting = {row["key"] for row in uncertain.unconfirmed(db, state, at_once=True)}
    with collector.held_back() as sweeper:
        for page in ahead(hub.session(state.system).read(state.name, None, window)):
            take_page(hub, state, Page(page.records, None, page.refused), refs, lease, run, 0)
            _confirm(hub, state, [record for record in page.records if record.key in waiting], refs, lease, run)
            seen |= {record.key for record in page.records} | {refused.key for refused in page.refused}
            sweeper.page_done()
    report.there = len(seen)
    report.only_there = run.result.counts.get("new", 0) - before.get("new", 0)
    report.changed = run.result.counts.get("changed", 0) - before.get("changed", 0)
    if window.by == "all" and not window.org:
        with hub.transaction() as db:
            leases.confirm(db, lease)
            mark_listed(hub, db, state)
        _take_gone(hub, state, seen, began, refs, lease, report, run, believe_gone=believe_gone)
    return report


def _confirm(hub: Hub, state: StreamState, records: Sequence[Record], refs: References, lease: leases.Lease, run: Run) -> None:
    """Judge what was written and never read back against what the listing shows, though the record looks unchanged."""
    if records:

        def confirm(db: Cursor) -> None:
            leases.confirm(db, lease)
            observing.observe(hub, db, state, records, refs, run_id=run.id, cause="reconcile", again=True)

        hub.settle(confirm, refs)
        run.count("confirmed", len(records))


def _take_gone(
    hub: Hub,
    state: StreamState,
    seen: set[str],
    began: datetime,
    refs: References,
    lease: leases.Lease,
    report: StreamReport,
    run: Run,
    *,
    believe_gone: bool,
) -> None:
    """What the complete listing does not name. Each is asked for by key once more; a listing alone deletes nothing."""
    with hub.transaction() as db:
        db.execute("SELECT key, org FROM observed WHERE stream_id = %s AND NOT deleted AND read_at < %s", [state.id, began])
        known = [(row["key"], row["org"]) for row in db]
    gone = [(key, org) for key, org in known if key not in seen]
    report.only_here = len(gone)
    config = hub.config.systems[state.system]
    guarded: list[str] = []
    for org in sorted({org for _, org in gone}):
        missing = [key for key, where in gone if where == org]
        total = sum(where == org for _, where in known)
        too_many = len(missing) > config.delete_guard_records and len(missing) > config.delete_guard_share * total
        if too_many and not believe_gone:
            guarded.append(listing_of(org))
            _guard(hub, state, org, len(missing), total)
            report.guarded = True
            run.problem(
                f"{state.label}: {len(missing)} of {total} records of organisation {org or '-'} are gone; nothing was deleted. "
                f"Next: {_believe(state)}",
                "set_aside",
            )
            continue
        for start in range(0, len(missing), PAGE):
            _take_deleted(hub, state, missing[start : start + PAGE], org, refs, lease, run)
    with hub.transaction() as db:  # a guard that holds no more needs nobody
        db.execute(
            "UPDATE quarantine SET state = 'released', closed_by = %s, last_at = now() WHERE stream_id = %s AND state = 'open' "
            "AND cause = 'delete_guard' AND key <> ALL(%s::text[])",
            [f"run {run.id}", state.id, guarded],
        )


def _take_deleted(hub: Hub, state: StreamState, missing: list[str], org: str, refs: References, lease: leases.Lease, run: Run) -> None:
    back = {record.key: record for record in hub.session(state.system).get(state.name, missing)}
    deleted = [Record(key, {}, org, deleted=True) for key in missing if key not in back or back[key].deleted]
    found = [*deleted, *(record for record in back.values() if not record.deleted)]

    def take(db: Cursor) -> observing.Observed:
        leases.confirm(db, lease)
        return observing.observe(hub, db, state, found, refs, run_id=run.id, cause="reconcile")

    run.counts(hub.settle(take, refs).counts())


def listing_of(org: str) -> str:
    """What stands as the key of a guard's entry, which is about no record but about a listing."""
    return f"(listing of {org or 'all'})"


def _believe(state: StreamState) -> str:
    return (
        "check the integration user's rights first; if they are really gone: "
        f"`hub reconcile {state.system} --stream {state.name} --believe-gone`"
    )


def _guard(hub: Hub, state: StreamState, org: str, gone: int, total: int) -> None:
    with hub.transaction() as db:
        why = f"{gone} of {total} records of organisation {org or '-'} are not listed any more"
        set_aside(db, state, SetAside(listing_of(org), org, "delete_guard", why, _believe(state)))

"""Reading: a stream's new pages into observed, each in one transaction with the cursor past it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from connectors.base import Page, Session, Window
from connectors.errors import CallFailed
from ledger.bulk import json_text
from mappings.compiler import cited
from sync import collector, events, leases, observing
from sync.crew import Job
from sync.errors import Busy, Overtaken
from sync.hub import MAPPINGS, Cursor, Hub
from sync.references import References
from sync.runs import Run, RunResult, running
from sync.streams import StreamState

MUCH = 2000
"""So many records to be read are shared among several processes."""


def increment(hub: Hub, system: str, streams: Sequence[str] | None = None) -> RunResult:
    """Read what is new in a system, the first load included. One stream's failure does not stop the others.

    Status: busy when another worker reads, set_aside when records went to quarantine, failed when a stream could not be read.
    """
    return increments(hub, {system: streams})[system]


def increments(hub: Hub, wanted: Mapping[str, Sequence[str] | None]) -> dict[str, RunResult]:
    """The increments of several systems (None: all streams), each a run of its own.

    First loads go side by side (:mod:`sync.crew`), and so does what the hub has just written by the thousand.
    """
    with ExitStack() as stack:
        runs = {
            system: stack.enter_context(running(hub, "increment", system, ",".join(streams or ()))) for system, streams in wanted.items()
        }
        with hub.transaction() as db:
            overrides = hub.mode_overrides(db)
        states = [
            state for system, streams in wanted.items() for state in hub.streams_of(system, streams) if hub.mode(state, overrides) != "off"
        ]
        first = _first_loads(hub, states)
        numbers = {system: run.id for system, run in runs.items()}
        if hub.crew.size > 1 and (first > 1 or _echo(hub, numbers) > MUCH):
            for job, result in hub.crew.work(abreast(hub, states, read_beside, lambda state: (numbers[state.system],))):
                runs[job.name.partition(".")[0]].result.add(result)
        else:
            for state in states:
                _read_one(hub, state, runs[state.system])
        if first:
            count_anew(hub)
    return {system: run.result for system, run in runs.items()}


def count_anew(hub: Hub) -> None:
    """Tell the database's planner how large things have become.

    Its own count comes a minute later. Until then it takes a stream that was just filled for an empty one, and reads all of it for each
    page of its pairs. A third of the usual sample tells it enough until then.
    """
    with hub.transaction() as db:
        db.execute("SET LOCAL default_statistics_target = 30")
        db.execute("ANALYZE observed (stream_id, key), link (stream_id, key, entity_id), desired (stream_id, entity_id, state)")


def _first_loads(hub: Hub, states: Sequence[StreamState]) -> int:
    """How many of these streams were never read to their end."""
    with hub.transaction() as db:
        db.execute("SELECT count(*) AS number FROM stream WHERE id = ANY(%s) AND listed_at IS NULL", [[state.id for state in states]])
        return int((db.fetchone() or {"number": 0})["number"])


def _echo(hub: Hub, runs: Mapping[str, int]) -> int:
    """How many records the hub has written since these systems were last read: all of them are read now."""
    with hub.transaction() as db:
        db.execute(
            "SELECT coalesce(sum((w.counts->>'written')::bigint), 0)::bigint AS number "
            "FROM unnest(%s::text[], %s::bigint[]) AS r(system, id) "
            "JOIN run w ON w.kind = 'deliver' AND w.system = r.system AND w.id < r.id AND w.id > coalesce((SELECT max(o.id) "
            "FROM run o WHERE o.kind = 'increment' AND o.system = r.system AND o.detail = '' AND o.id < r.id), 0)",
            [list(runs), list(runs.values())],
        )
        return int((db.fetchone() or {"number": 0})["number"])


def abreast(
    hub: Hub, states: Sequence[StreamState], task: Callable[..., Any], more: Callable[[StreamState], tuple[Any, ...]] = lambda _: ()
) -> list[Job]:
    """A job for each stream, `task(hub, system, stream, *more)`, after the streams that its mapping cites.

    It comes also after those before it that hold the same kind of record, in whatever system: who is the same, or alike, is seen only
    in what others have committed.
    """
    labels: dict[str, str] = {}
    jobs = []
    for state in states:
        kind = hub.config.systems[state.system].kind
        cites = {f"{state.system}.{name}" for name in cited([MAPPINGS, *hub.config.mappings], kind, state.name)}
        after = frozenset(label for label, name in labels.items() if label in cites or name == state.entity)
        jobs.append(Job(state.label, task, (state.system, state.name, *more(state)), after))
        labels[state.label] = state.entity
    return jobs


def read_beside(hub: Hub, system: str, stream: str, run_id: int) -> RunResult:
    """One stream's increment, as part of a run that another process keeps."""
    run = Run(run_id, RunResult("increment", run_id=run_id))
    _read_one(hub, hub.streams[system, stream], run)
    return run.result


def _read_one(hub: Hub, state: StreamState, run: Run) -> None:
    try:
        with leases.begun(hub, f"read:{state.label}", lambda db: _start(db, state)) as (lease, start):
            _read_stream(hub, state, lease, run, start)
    except CallFailed as failed:
        run.problem(f"{state.label}: {failed}")
    except (Busy, Overtaken) as taken:
        run.problem(f"{state.label}: {taken}", "busy")


def hub_mode(hub: Hub, state: StreamState) -> str:
    """The mode in force for a stream's flow."""
    with hub.transaction() as db:
        return hub.mode(state, hub.mode_overrides(db))


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a stream stands when its reading begins."""

    position: dict[str, Any] | None
    version: int
    hinted: bool
    listed: bool


def _start(db: Cursor, state: StreamState) -> _Start:
    db.execute(
        "SELECT c.position, coalesce(c.version, 0) AS version, EXISTS (SELECT FROM hint h WHERE h.stream_id = s.id) AS hinted, "
        "s.listed_at IS NOT NULL AS listed FROM stream s LEFT JOIN cursor_position c ON c.stream_id = s.id WHERE s.id = %s",
        [state.id],
    )
    row = db.fetchone()
    return _Start(**row) if row else _Start(None, 0, hinted=False, listed=False)


def _read_stream(hub: Hub, state: StreamState, lease: leases.Lease, run: Run, start: _Start) -> None:
    """Hints, then pages. A page that tells nothing, not even another cursor, costs no transaction: of an idle stream all are such."""
    refs = References(hub, state.system)
    if start.hinted:
        events.read_hints(hub, state, lease, run)
    session = hub.session(state.system)
    position, version = start.position, start.version
    with collector.held_back() as sweeper:
        for page in ahead(session.read(state.name, position)):
            if page.records or page.refused or page.cursor not in (None, position):
                version = take_page(hub, state, page, refs, lease, run, version)
                position = page.cursor or position
            else:
                run.count("pages")
            sweeper.page_done()
    if not start.listed:
        with hub.transaction() as db:
            leases.confirm(db, lease)
            mark_listed(hub, db, state)


def take_page(hub: Hub, state: StreamState, page: Page, refs: References, lease: leases.Lease, run: Run, version: int) -> int:
    """One page and the cursor past it, together or not at all; returns the cursor's version. Raises: Overtaken."""

    def take(db: Cursor) -> tuple[observing.Observed, int]:
        leases.confirm(db, lease)
        done = observing.observe(hub, db, state, page.records, refs, refused=page.refused, run_id=run.id)
        return done, version if page.cursor is None else _move(db, state, page.cursor, version)

    try:
        done, version = hub.settle(take, refs)
    except BaseException:
        refs.known.clear()  # what this page linked is not there
        raise
    run.counts(done.counts())
    run.count("pages")
    if done.set_aside and run.result.status == "done":
        run.result.status = "set_aside"
    return version


def _move(db: Cursor, state: StreamState, position: dict[str, Any], version: int) -> int:
    if version == 0:
        db.execute(
            "INSERT INTO cursor_position (stream_id, position) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING version",
            [state.id, json_text(position)],
        )
    else:
        db.execute(
            "SELECT position::jsonb = %s::jsonb AS same FROM cursor_position WHERE stream_id = %s AND version = %s",
            [json_text(position), state.id, version],
        )
        row = db.fetchone()
        if row is not None and row["same"]:
            return version
        db.execute(
            "UPDATE cursor_position SET position = %s, version = version + 1, moved_at = now() "
            "WHERE stream_id = %s AND version = %s RETURNING version",
            [json_text(position), state.id, version],
        )
    row = db.fetchone()
    if row is None:
        raise Overtaken(f"the cursor of {state.label} was moved by another worker", next_step="nothing: the page is read again")
    return int(row["version"])


def mark_listed(hub: Hub, db: Cursor, state: StreamState) -> None:
    """The stream's first complete listing is linked: what waited for it may go."""
    db.execute("UPDATE stream SET listed_at = now() WHERE id = %s AND listed_at IS NULL RETURNING id", [state.id])
    if db.fetchone() is None:
        return
    mode = hub.mode(state, hub.mode_overrides(db))
    waiting = "WHERE d.stream_id = %(stream)s AND d.state = 'held' AND d.reason = 'first_listing'"
    db.execute(
        "UPDATE desired d SET reason = 'open_case', changed_at = now() FROM (SELECT left_id AS id FROM review_case WHERE state = 'open' "
        f"UNION SELECT right_id FROM review_case WHERE state = 'open') c {waiting} AND d.entity_id = c.id",
        {"stream": state.id},
    )
    db.execute(
        f"UPDATE desired d SET state = %(state)s, reason = %(reason)s, due_at = now(), changed_at = now() {waiting}",
        {"stream": state.id, **({"state": "held", "reason": "plan"} if mode == "plan" else {"state": "due", "reason": "create"})},
    )


def read_window(hub: Hub, session: Session, state: StreamState, window: Window, lease: leases.Lease, run: Run) -> int:
    """Read one window again; returns how many records it held. The cursor stays where it is."""
    refs = References(hub, state.system)
    records = 0
    with collector.held_back() as sweeper:
        for page in ahead(session.read(state.name, None, window)):
            take_page(hub, state, Page(page.records, None, page.refused), refs, lease, run, 0)
            records += len(page.records) + len(page.refused)
            sweeper.page_done()
    return records


def ahead(pages: Iterator[Page]) -> Iterator[Page]:
    """The same pages, the next one fetched while the last is worked on."""
    ready: queue.Queue[Page | BaseException | None] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def put(item: Page | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.5)
            except queue.Full:
                continue
            return True
        return False

    def fetch() -> None:
        try:
            for page in pages:
                if not put(page):
                    return
            put(None)
        except BaseException as wrong:  # noqa: BLE001  handed to the caller's thread, which raises it
            put(wrong)

    worker = threading.Thread(target=fetch, name="read-ahead", daemon=True)
    worker.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        worker.join(timeout=60)

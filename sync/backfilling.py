"""Backfill: reading a past window again, in slices that can be resumed, with its own share of the budget beside live work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from canonical.values import SHANGHAI
from connectors.base import Window
from sync import leases
from sync.errors import NotFound
from sync.hub import Hub
from sync.reading import hub_mode, read_window
from sync.runs import Run, RunResult, running
from sync.streams import StreamState


def windows(
    hub: Hub, system: str, *, start: date, end: date, streams: Sequence[str] | None = None, org: str = "", name: str = ""
) -> list[dict[str, Any]]:
    """Lay out a backfill: one window per stream and calendar month of business days in `[start, end)`. Asking again changes nothing.

    Time: business days of Asia/Shanghai.
    """
    label = name or f"{start.isoformat()}/{end.isoformat()}"
    with hub.transaction() as db:
        for state in hub.streams_of(system, streams):
            for first, last in _months(start, end):
                db.execute(
                    "INSERT INTO backfill_window (backfill, stream_id, starts, ends, org) "
                    "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    [label, state.id, _midnight(first), _midnight(last), org],
                )
        ids = [state.id for state in hub.streams_of(system, streams)]
        db.execute(
            "SELECT backfill, stream_id, starts, ends, org, state, records FROM backfill_window "
            "WHERE backfill = %s AND stream_id = ANY(%s)",
            [label, ids],
        )
        rows = [dict(row) for row in db]
    order = {number: place for place, number in enumerate(ids)}
    return sorted(rows, key=lambda row: (order[row["stream_id"]], row["starts"]))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def _months(start: date, end: date) -> list[tuple[date, date]]:
    slices = []
    first = start
    while first < end:
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        slices.append((first, min(following, end)))
        first = following
    return slices


def backfill(
    hub: Hub, system: str, *, start: date, end: date, streams: Sequence[str] | None = None, org: str = "", name: str = ""
) -> RunResult:
    """Read what is dated in `[start, end)` again. A window that was done is not read twice under one name; the live cursor stays."""
    rows = windows(hub, system, start=start, end=end, streams=streams, org=org, name=name)
    with running(hub, "backfill", system, f"{start} to {end}") as run:
        for row in rows:
            if row["state"] == "open":
                _one(hub, hub.by_id[row["stream_id"]], row, run)
    return run.result


def find_window(hub: Hub, system: str, stream: str, backfill_name: str, starts: datetime, org: str) -> dict[str, Any]:
    """One window that was laid out. Raises: NotFound."""
    state = hub.streams[system, stream]
    with hub.transaction() as db:
        db.execute(
            "SELECT backfill, stream_id, starts, ends, org, state, records FROM backfill_window "
            "WHERE (backfill, stream_id, starts, org) = (%s, %s, %s, %s)",
            [backfill_name, state.id, starts, org],
        )
        row = db.fetchone()
    if row is None:
        raise NotFound(f"backfill {backfill_name} has no window of {state.label} from {starts:%Y-%m-%d}", next_step="lay it out first")
    return dict(row)


def backfill_window(hub: Hub, system: str, row: dict[str, Any]) -> RunResult:
    """Do one window, as a mapped task does."""
    state = hub.by_id[row["stream_id"]]
    with running(hub, "backfill", system, f"{state.name} {row['starts']:%Y-%m}") as run:
        _one(hub, state, row, run)
    return run.result


def _one(hub: Hub, state: StreamState, row: dict[str, Any], run: Run) -> None:
    if hub_mode(hub, state) == "off":
        return
    share = hub.config.systems[state.system].budget.backfill_share
    session = hub.open_session(state.system, share=share)
    try:
        with leases.held(hub, f"backfill:{state.label}:{row['starts'].astimezone(SHANGHAI):%Y-%m-%d}:{row['org']}") as lease:
            by = "dated" if state.decl.dated else "all"
            window = Window(row["starts"].astimezone(SHANGHAI), row["ends"].astimezone(SHANGHAI), row["org"], by)  # type: ignore[arg-type]  # one of two words
            records = read_window(hub, session, state, window, lease, run)
        with hub.transaction() as db:
            db.execute(
                "UPDATE backfill_window SET state = 'done', records = %s, done_at = now() "
                "WHERE (backfill, stream_id, starts, org) = (%s, %s, %s, %s)",
                [records, row["backfill"], row["stream_id"], row["starts"], row["org"]],
            )
        run.count("windows")
    finally:
        session.close()

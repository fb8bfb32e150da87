"""Upkeep: what has to be done now and then so that nothing runs out or piles up; once a day is enough, twice does no harm.

Notification channels are renewed, history's partitions laid out ahead, plans that nobody used closed, and leases, hints, budgets and
repeated requests that are over swept away; what was read while the record it names was merged is computed anew, and what a system holds
only while it stands is judged again. Each part stands alone: one that fails is told and stops no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Protocol, runtime_checkable

import psycopg

from canonical.values import SHANGHAI, business_day
from connectors.base import Finding
from connectors.errors import CallFailed
from sync import merging, standing
from sync.erasing import RETENTION
from sync.hub import Cursor, Hub
from sync.notices import alert, clear
from sync.runs import Run, RunResult, running

PARTITIONED = ("history",)
"""Tables in monthly partitions of their column `at`; a default partition holds what is in none."""
MONTHS_AHEAD = 3
LOCK_TIMEOUT = "5s"
"""Laying out a partition waits no longer than this for those who write; the next day it is tried again."""
SILENT_AFTER = timedelta(hours=12)
"""A run that has not ended by then never will: a task is stopped after six hours."""

SWEEPS: dict[str, str] = {
    # A lease is kept for a month after it ended: its token must go on growing as long as anybody may still hold an old one.
    "leases": "DELETE FROM lease WHERE until < now() - interval '30 days'",
    # An event of a stream that has not been read for a month; whatever it told is found by the next reading anyway.
    "hints": "DELETE FROM hint WHERE received_at < now() - interval '30 days'",
    # The longest window is a month.
    "budgets": "DELETE FROM budget WHERE starts_at < now() - interval '62 days'",
    "pauses": "DELETE FROM system_pause WHERE until < now() - interval '1 day'",
    "tokens": "DELETE FROM shared_token WHERE expires_at < now() - interval '30 days'",
    "requests": "DELETE FROM idempotent_request WHERE started_at < now() - interval '7 days'",
}
"""What is swept away, by the figure that counts it."""


@runtime_checkable
class Watching(Protocol):
    """A session whose system sends events through a channel that ends unless it is renewed."""

    def renew_watch(self) -> Sequence[Finding]:
        """Renew it when it ends soon or does not tell everything; what was found and done. Raises: CallFailed."""


def keep(hub: Hub, *, now: datetime | None = None) -> RunResult:
    """Do all upkeep. `now` (UTC) decides which months are laid out. Status: failed when a part could not be done."""
    moment = now or datetime.now(UTC)
    with running(hub, "upkeep") as run:
        for system in hub.systems():
            _renew(hub, system, run)
        _part(run, "partitions", lambda: lay_out(hub, moment))
        run.count("citations_moved", merging.catch_up_all(hub))
        run.count("judged_by_date", standing.judge_standing(hub, on=business_day(moment)))
        with hub.transaction() as db:
            run.count("plans_expired", expire_plans(db))
            run.count("runs_closed", close_silent_runs(db))
            for figure, statement in {**SWEEPS, **RETENTION}.items():
                db.execute(statement.encode())
                run.count(figure, db.rowcount)
    return run.result


def _part(run: Run, figure: str, work: Callable[[], int]) -> None:
    try:
        run.count(figure, work())
    except psycopg.errors.LockNotAvailable as busy:
        run.problem(f"{figure}: {busy.diag.message_primary}; it is tried again tomorrow, and by hand with `hub db upkeep`")


def _renew(hub: Hub, system: str, run: Run) -> None:
    """Renew a system's channel, where it has one; a channel that does not work is a notice for IT until it does."""
    if all(state.flow.mode == "off" for state in hub.streams_of(system)):
        return
    try:
        session = hub.session(system)
        if not isinstance(session, Watching):
            return
        findings = session.renew_watch()
    except CallFailed as failed:
        run.problem(f"{system}: its notification channel was not renewed: {failed}")
        return
    bad = [finding for finding in findings if not finding.ok]
    run.count("channels", len(findings) - len(bad))
    if bad:
        facts = {finding.name: f"{finding.detail}. {finding.next_step}".strip() for finding in bad}
        alert(hub, "channel_broken", audience="it", about=f"system:{system}", facts=facts)
        run.count("channels_broken", len(bad))
    else:
        clear(hub, "channel_broken", about=f"system:{system}")


def lay_out(hub: Hub, now: datetime) -> int:
    """Make the partitions of this month and the next ones that are not there; returns how many were made.

    Time: months of Asia/Shanghai. A month of which rows stand in the default partition already stays there: history is never moved.
    """
    made = 0
    for table in PARTITIONED:
        for start, end in _months(now, MONTHS_AHEAD):
            with hub.transaction() as db:
                made += _partition(db, table, start, end)
    return made


def _months(now: datetime, ahead: int) -> list[tuple[datetime, datetime]]:
    first = now.astimezone(SHANGHAI).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    starts = [first]
    for _ in range(ahead + 1):
        starts.append((starts[-1] + timedelta(days=32)).replace(day=1))
    return list(pairwise(starts))


def _partition(db: Cursor, table: str, start: datetime, end: datetime) -> int:
    name = f"{table}_{start:%Y_%m}"
    db.execute("SELECT to_regclass(%s) IS NOT NULL AS there", [name])
    if (db.fetchone() or {})["there"]:
        return 0
    db.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'".encode())
    db.execute(f"SELECT EXISTS (SELECT 1 FROM {table}_default WHERE at >= %s AND at < %s) AS rows".encode(), [start, end])
    if (db.fetchone() or {})["rows"]:
        return 0
    bounds = f"FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
    db.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES {bounds}".encode())
    return 1


def expire_plans(db: Cursor) -> int:
    """Close plans that were not applied in time; returns how many."""
    db.execute("UPDATE plan SET state = 'expired' WHERE state IN ('open', 'approved') AND expires_at < now()")
    return db.rowcount


def close_silent_runs(db: Cursor) -> int:
    """Runs whose process was killed never said how they ended; returns how many were closed as failed."""
    db.execute(
        "UPDATE run SET status = 'failed', ended_at = now(), error = 'the process ended without a word' "
        "WHERE status = 'running' AND started_at < now() - %s",
        [SILENT_AFTER],
    )
    return db.rowcount

"""Each vendor's windows of calls, as rows that all workers share. Units are reserved before a call and never given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import structlog

from connectors.errors import Throttled
from sync.config import BudgetConfig

if TYPE_CHECKING:
    from sync.hub import Cursor, Hub

log = structlog.get_logger("sync.budgets")

_GRANT = 20
"""Calls that a worker reserves at once from long windows, so that not every call costs a transaction."""

LOCK_S = 10
"""A call waits no longer than this for another worker's reservation, which takes milliseconds: nobody hangs because somebody else does."""


def window_start(name: str, now: datetime, zone: ZoneInfo) -> datetime:
    """When the current window began; days and months begin in the vendor's zone."""
    local = now.astimezone(zone)
    if name == "second":
        return local.replace(microsecond=0)
    if name == "minute":
        return local.replace(second=0, microsecond=0)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if name == "day" else midnight.replace(day=1)


def window_end(name: str, start: datetime) -> datetime:
    """When the window that began at `start` ends."""
    if name == "month":
        return (start + timedelta(days=32)).replace(day=1)
    return start + {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "day": timedelta(days=1)}[name]


class DatabaseBudget:
    """A system's budget, kept in the ledger. `share` is the part of each window that this caller may use."""

    def __init__(self, hub: Hub, system: str, config: BudgetConfig, *, share: float = 1.0) -> None:
        self.hub, self.system, self.share = hub, system, share
        self.zone = ZoneInfo(config.zone)
        limits = {"second": config.per_second, "minute": config.per_minute, "day": config.per_day, "month": config.per_month}
        self.limits = {name: max(1, int(limit * share)) for name, limit in limits.items() if limit}
        self._granted = 0
        self._paused_until: datetime | None = None
        self._checked = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def reserve(self, *, kind: str, units: int = 1) -> None:  # noqa: ARG002  the connectors' contract names a kind; one budget holds all
        """Take units from every window. Raises: Throttled when one is spent, with the time until it opens again."""
        with self._lock:
            self._obey_pause()
            if not self.limits:
                return
            if "second" not in self.limits and self._granted >= units:
                self._granted -= units
                return
            asked = units if "second" in self.limits else max(units, min(_GRANT, min(self.limits.values()) // 20 or 1))
            self._take(asked)
            self._granted += asked - units

    def _obey_pause(self) -> None:
        now = datetime.now(UTC)
        if now - self._checked > timedelta(seconds=1):
            with self.hub.transaction() as db:
                db.execute("SELECT until FROM system_pause WHERE system = %s AND until > clock_timestamp()", [self.system])
                row = db.fetchone()
            self._paused_until, self._checked = (row["until"] if row else None), now
        if self._paused_until is not None and self._paused_until > now:
            wait = (self._paused_until - now).total_seconds()
            raise Throttled(self.system, "the system asked all workers to wait", after_s=max(wait, 0.1))

    @contextmanager
    def _reserving(self) -> Iterator[Cursor]:
        """A transaction on rows that all workers share. Raises: LockNotAvailable when one of them keeps a row."""
        with self.hub.transaction() as db:
            db.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(LOCK_S * 1000)}ms"])
            yield db

    def _take(self, units: int) -> None:
        try:
            self._take_within(units)
        except psycopg.errors.LockNotAvailable:
            raise Throttled(self.system, "another worker keeps the budget to itself", after_s=1.0) from None

    def _take_within(self, units: int) -> None:
        with self._reserving() as db:
            db.execute("SELECT clock_timestamp() AS now")
            row = db.fetchone()
            now: datetime = row["now"] if row else datetime.now(UTC)
            for name, limit in sorted(self.limits.items()):
                start = window_start(name, now, self.zone)
                db.execute(
                    "INSERT INTO budget (system, window_name, starts_at, used) VALUES (%(system)s, %(window)s, %(start)s, %(units)s) "
                    "ON CONFLICT (system, window_name, share) DO UPDATE SET "
                    "used = CASE WHEN budget.starts_at < excluded.starts_at THEN 0 ELSE budget.used END + excluded.used, "
                    "ceiling = CASE WHEN budget.starts_at < excluded.starts_at THEN NULL ELSE budget.ceiling END, "
                    "starts_at = greatest(budget.starts_at, excluded.starts_at) RETURNING used, ceiling",
                    {"system": self.system, "window": name, "start": start, "units": units},
                )
                taken = db.fetchone() or {"used": 0, "ceiling": None}
                if taken["used"] > min(limit, taken["ceiling"] if taken["ceiling"] is not None else limit):
                    wait = (window_end(name, start) - now).total_seconds()
                    # Raised inside the transaction: what was not granted is not counted.
                    raise Throttled(self.system, f"the {name}'s budget of {limit} calls is spent", after_s=max(wait, 0.05))

    def lower(self, *, remaining: int, window: str) -> None:
        """The vendor says how much is left: the ceiling only ever goes down within a window."""
        if window not in self.limits:
            return
        try:
            with self._reserving() as db:
                db.execute(
                    "UPDATE budget SET ceiling = least(coalesce(ceiling, %s), used + %s) WHERE system = %s AND window_name = %s",
                    [self.limits[window], max(remaining, 0), self.system, window],
                )
        except psycopg.errors.LockNotAvailable:
            log.warning("a window was not lowered: another worker keeps it; the next answer says it again", system=self.system)

    def hold(self, *, seconds: float) -> None:
        """The vendor asked to wait: all workers do."""
        with self._reserving() as db:
            db.execute(
                "INSERT INTO system_pause (system, until, why) "
                "VALUES (%s, clock_timestamp() + make_interval(secs => %s), 'asked by the system') "
                "ON CONFLICT (system) DO UPDATE SET until = greatest(system_pause.until, excluded.until), why = excluded.why",
                [self.system, seconds],
            )
        self._checked = datetime.min.replace(tzinfo=UTC)


def standing(db: Any, system: str) -> list[dict[str, Any]]:
    """What is used of each window now, for status."""
    db.execute("SELECT window_name, starts_at, used, ceiling FROM budget WHERE system = %s ORDER BY window_name", [system])
    return [dict(row) for row in db]

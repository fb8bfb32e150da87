"""Runs: what was done when, with which figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from ledger.bulk import json_text
from sync.errors import Busy, SyncError

if TYPE_CHECKING:
    from sync.hub import Cursor, Hub

log = structlog.get_logger("sync.run")

WORSE = ("done", "busy", "set_aside", "differs", "failed")
"""How a run may end, each worse than the one before it."""


@dataclass(slots=True)
class RunResult:
    """What a run did."""

    kind: str
    status: str = "done"
    """done, failed, busy, differs, set_aside"""
    counts: dict[str, int] = field(default_factory=dict)
    run_id: int = 0
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)

    def add(self, other: RunResult, prefix: str = "") -> None:
        """Take another run's figures and problems in."""
        for name, value in other.counts.items():
            self.counts[prefix + name] = self.counts.get(prefix + name, 0) + value
        self.problems.extend(other.problems)
        self.status = max(self.status, other.status, key=WORSE.index)


@dataclass
class Run:
    """A run in progress."""

    id: int
    result: RunResult

    def count(self, name: str, number: int = 1) -> None:
        """Add to a figure."""
        if number:
            self.result.counts[name] = self.result.counts.get(name, 0) + number

    def counts(self, figures: Mapping[str, int]) -> None:
        """Add to several figures."""
        for name, number in figures.items():
            self.count(name, number)

    def problem(self, text: str, status: str = "failed") -> None:
        """Something a person should read."""
        self.result.problems.append(text)
        self.result.status = max(self.result.status, status, key=WORSE.index)


def begin(db: Cursor, kind: str, system: str = "", detail: str = "") -> int:
    """Put a run on record; its number. Whoever does the work gives it to :func:`running`."""
    db.execute("INSERT INTO run (kind, system, detail) VALUES (%s, %s, %s) RETURNING id", [kind, system, detail])
    row = db.fetchone()
    assert row is not None  # noqa: S101  RETURNING of an insert always gives a row
    return int(row["id"])


def tell(hub: Hub, run: Run) -> None:
    """Let those who watch a run see its figures so far."""
    with hub.transaction() as db:
        db.execute("UPDATE run SET counts = %s::jsonb WHERE id = %s", [json_text(run.result.counts), run.id])


@contextmanager
def running(hub: Hub, kind: str, system: str = "", detail: str = "", *, begun: int | None = None) -> Iterator[Run]:
    """Keep a run's record: begun now, ended with the block, failed by an exception. A run that found the stream taken is `busy`.

    `begun`: the number of a run that is on record already.
    """
    if begun is None:
        with hub.transaction() as db:
            begun = begin(db, kind, system, detail)
    run_id = begun
    run = Run(run_id, RunResult(kind, run_id=run_id))
    error: str | None = None
    try:
        yield run
    except Busy as busy:
        run.problem(str(busy), "busy")
    except Exception as wrong:
        run.result.status, error = "failed", f"{type(wrong).__name__}: {wrong}"[:4000]
        told = log.info if isinstance(wrong, SyncError) else log.error  # what we refuse is told to whoever asked for it
        told("run failed", kind=kind, system=system, detail=detail, error=error)  # without a traceback, which may show a payload
        raise
    except BaseException as stopped:  # Ctrl-C: what was committed stays, and the run did not end as one that is done
        run.result.status, error = "failed", f"stopped by {type(stopped).__name__}"
        raise
    finally:
        with hub.transaction() as db:
            db.execute(
                "UPDATE run SET ended_at = clock_timestamp(), status = %s, counts = %s::jsonb, error = %s WHERE id = %s",
                [run.result.status, json_text(run.result.counts), error or "; ".join(run.result.problems)[:4000] or None, run_id],
            )

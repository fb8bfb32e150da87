"""The parts of a run that looks after something: each is done whatever becomes of the others; the run's record says why one was not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import psycopg
import structlog

from channel.errors import ChannelError
from sync.errors import SyncError
from sync.runs import Run

log = structlog.get_logger()


def each(run: Run, parts: Mapping[str, Callable[[], Mapping[str, int]]]) -> None:
    """Do every part, and add its figures to the run. What a part could not do is a problem of the run, by the part's name."""
    for name, work in parts.items():
        try:
            run.counts(work())
        except (ChannelError, SyncError) as told:
            run.problem(f"{name}: {told}")
        except psycopg.Error as failed:
            run.problem(f"{name}: the database said {type(failed).__name__}; it is tried again by the next run")
            log.exception(run.result.kind, part=name)

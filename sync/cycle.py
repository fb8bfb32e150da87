"""The round trip: read every system, derive, deliver, until nothing is due."""

from __future__ import annotations

from collections.abc import Callable

from sync.delivering import deliver
from sync.deriving import derive
from sync.hub import Hub
from sync.pairs import UNCONFIRMED
from sync.parked import retry_parked
from sync.reading import increment, increments
from sync.runs import RunResult

__all__ = ["deliver", "derive", "due_systems", "increment", "increments", "retry_parked", "until_quiet"]

ABANDONED_S = 60
"""What is not read back after so long was left behind by a worker that died."""
Progress = Callable[[str, RunResult], None]


def until_quiet(hub: Hub, *, rounds: int = 50, progress: Progress | None = None) -> RunResult:
    """Increments, derivation and deliveries, round after round, until a round changes nothing and nothing is due now.

    All systems are read in the first round, then those that were written to: what people change elsewhere meanwhile is the next run's.
    What waits for a later time (a blocked document, a spent budget) does not keep it going.
    """
    total = RunResult("sync")
    to_read = hub.systems()
    for _ in range(rounds):
        moved = 0
        for system, read in increments(hub, dict.fromkeys(to_read)).items() if to_read else ():
            moved += _note(total, read, progress, system, ("new", "changed", "deleted"))
        moved += _note(total, retry_parked(hub), progress, "hub", ("released",))
        moved += _note(total, derive(hub), progress, "hub", ("orders", "quotes", "deals"))
        to_read = []
        for system in hub.systems():
            sent = deliver(hub, system)
            moved += _note(total, sent, progress, system, ("written", "unchanged", "rejected", "found_again", "retry"))
            if any(sent.counts.values()):  # an uncertain or refused write may have left something, too
                to_read.append(system)
        if total.status == "failed" or not (moved or _due_now(hub)):
            break
    return total


def _note(total: RunResult, result: RunResult, progress: Progress | None, system: str, figures: tuple[str, ...]) -> int:
    total.add(result)
    if progress is not None:
        progress(system, result)
    return sum(result.counts.get(name, 0) for name in figures)


def due_systems(hub: Hub) -> list[str]:
    """Systems in which something is to be written now; what waits for a later time, a person or a parent is not counted."""
    writing = [state.id for state in hub.streams.values() if state.decl.writable]
    with hub.transaction() as db:
        overrides = hub.mode_overrides(db)
        writing = [number for number in writing if hub.mode(hub.by_id[number], overrides) == "write"]
        db.execute(
            "SELECT DISTINCT stream_id FROM desired WHERE stream_id = ANY(%s) AND (state IN ('due', 'in_flight') "
            "AND coalesce(due_at, now()) <= now() OR state = 'in_sync' AND reason = %s AND stream_id = ANY(%s) "
            "AND changed_at <= now() - make_interval(secs => %s))",
            [writing, UNCONFIRMED, [number for number in writing if hub.by_id[number].decl.read_back], ABANDONED_S],
        )
        found = {hub.by_id[row["stream_id"]].system for row in db}
    return [system for system in hub.systems() if system in found]


def _due_now(hub: Hub) -> bool:
    return bool(due_systems(hub))

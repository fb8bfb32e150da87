"""The batch that resolves all parties, as a run that others can watch: begun now, done in a process of its own, one at a time.

Whoever begins it gets the run's number and goes on; how it goes and what it came to stands in the run. The process lives on when whoever
began it ends; when the process itself dies, the lock that it held is gone, and who looks is told that it failed. What it had joined and
asked stays, and the next run goes on from there.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from channel.parties import engines, model
from sync import golden
from sync.crew import environment
from sync.errors import Busy, NotFound
from sync.hub import Cursor, Hub
from sync.leases import alone, somebody_is_at
from sync.runs import Run, RunResult, begin, running, tell

KIND: Final = "golden"
"""Of the run."""
ALONE: Final = "golden records"
"""The lock that the one who works holds."""
STARTS_WITHIN: Final = timedelta(minutes=1)
"""A process that has not begun by then never will."""
Step = Literal["read", "prepare", "block", "score", "look", "cluster", "join", "ask"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
FIGURES: Final = ("parties", "clusters", "merged", "cases", "known", "waiting")
DIED: Final = "its process ended without a word; what it had done stays: begin another one"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A run as whoever watches it is told."""

    run: int
    status: Literal["running", "done", "set_aside", "failed"]
    """set_aside: it is done, and people are asked something new."""
    asked: str
    """Who asked for what."""
    started_at: datetime
    ended_at: datetime | None
    step: Step | None
    """What is being done now; None: it has ended."""
    found: dict[str, int] | None
    """None until it has ended well: parties, clusters, merged, cases, known, waiting."""
    error: str | None

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


def new(hub: Hub, *, by: str, merge_sure: bool = False, engine: str = "duckdb") -> int:
    """Put a run on record; its number. Raises: Busy, with the number of the one that is on its way; EngineMissing."""
    engines.need(engine)
    with hub.transaction() as db:
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [ALONE])
        before = _shown(db)
        if before is not None and before.status == "running":
            raise Busy(f"run {before.run} is on its way ({before.step})", next_step=f"watch it: hub merges proposal {before.run}")
        db.execute(
            "UPDATE run SET status = 'failed', ended_at = clock_timestamp(), error = %s WHERE kind = %s AND status = 'running'",
            [DIED, KIND],
        )
        said = f"{by}: model {model.frozen().version} on {engine}"
        return begin(db, KIND, detail=f"{said}, what is sure is joined" if merge_sure else said)


def work(
    hub: Hub, *, by: str, merge_sure: bool = False, engine: str = "duckdb", begun: int | None = None, told: golden.Tell = golden.silent
) -> RunResult:
    """Do it here and now: the run's figures; its status is `set_aside` when people are asked something new.

    `begun`: the number that :func:`new` gave. Raises: Busy, EngineMissing.
    """
    number = begun if begun is not None else new(hub, by=by, merge_sure=merge_sure, engine=engine)
    with alone(hub, ALONE, wait=True), running(hub, KIND, begun=number) as run:

        def step(name: str, done: int, of: int) -> None:
            if of:  # else it is under way
                _at(hub, run, name)
            told(name, done, of)

        found = golden.propose(hub, by=by, merge_sure=merge_sure, engine=engine, tell=step)
        run.result.counts = {name: getattr(found, name) for name in FIGURES}
        run.result.status = "set_aside" if found.cases else "done"
    return run.result


def _at(hub: Hub, run: Run, ended: str) -> None:
    run.result.counts["steps"] = [str(step) for step in STEPS].index(ended) + 1
    tell(hub, run)


def start(hub: Hub, *, by: str, merge_sure: bool = False, engine: str = "duckdb") -> Proposal:
    """Begin a run in a process of its own and go on; how it stands. Raises: Busy, EngineMissing."""
    number = new(hub, by=by, merge_sure=merge_sure, engine=engine)
    child = subprocess.Popen(
        [sys.executable, "-m", "sync.proposing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # what went wrong stands in the run
        env=environment(),
        start_new_session=True,
    )
    assert child.stdin is not None  # noqa: S101  asked for above
    asked = {"by": by, "merge_sure": merge_sure, "engine": engine, "begun": number}
    with child.stdin as pipe:
        pipe.write(pickle.dumps((hub.config, hub.database_url, asked)))
    threading.Thread(target=child.wait, name="proposing", daemon=True).start()  # else it stays a zombie for as long as we live
    return shown(hub, number)


def shown(hub: Hub, number: int | None = None) -> Proposal:
    """How a run stands; the newest where none is named. Raises: NotFound."""
    with hub.transaction() as db:
        found = _shown(db, number)
    if found is None:
        raise NotFound(
            "no run has resolved parties yet" if number is None else f"run {number} is none that resolves parties",
            next_step="begin one: hub merges propose",
        )
    return found


def _shown(db: Cursor, number: int | None = None) -> Proposal | None:
    db.execute(
        "SELECT id AS run, status, detail AS asked, started_at, ended_at, counts, error, "
        "started_at < clock_timestamp() - %(grace)s AS late FROM run WHERE kind = %(kind)s "
        "AND (%(number)s::bigint IS NULL OR id = %(number)s) ORDER BY id DESC LIMIT 1",
        {"kind": KIND, "number": number, "grace": STARTS_WITHIN},
    )
    row = db.fetchone()
    if row is None:
        return None
    counts, late = row.pop("counts"), row.pop("late")
    if row["status"] == "running" and late and not somebody_is_at(db, ALONE):
        row |= {"status": "failed", "error": DIED}
    step = STEPS[min(counts.get("steps", 0), len(STEPS) - 1)] if row["status"] == "running" else None
    found = {name: counts.get(name, 0) for name in FIGURES} if row["status"] in ("done", "set_aside") else None
    return Proposal(**row, step=step, found=found)


def main() -> None:
    """The process of a run: what is asked comes on standard input, from our own process."""
    config, url, asked = pickle.load(sys.stdin.buffer)  # noqa: S301  from whoever started us, over a pipe that nobody else holds
    with Hub.open(config, url) as hub:
        work(hub, **asked)


if __name__ == "__main__":
    main()

"""The worker that is killed: `python -m tests.convergence.worker` reads orders from its input and forks a process for each.

An order is a line of JSON: {"config","database","kill_at","rounds"}. The answer is a line {"pid"}; the forked process works like
`hub rebates nightly` and `hub sync --until-quiet` in turns; with `kill_at` 0 it tells {"events"} at its end. It is forked, not started, for
an import of the hub costs a second of CPU.

With `kill_at` N it kills itself with SIGKILL at its N-th boundary: a vendor call about to be sent, one answered, a commit about to
be sent to the database. What comes after a commit and before the next of these has the same state in the world as that next one. A slower
run may have fewer (it asks for fewer prices twice), and then comes to its end.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import structlog

from connectors.transport import Answer, Transport
from sync import cycle
from sync.hub import Cursor, Hub
from tests.convergence.paying import night

HURT = 0.05
"""Seconds to wait after a failed round."""
MEMO = b"AR_OtherRecAble"
"""Stands in every call about memos."""
NIGHTS = 2
"""The second one settles what the first round read; one is enough where all was read before."""


class Boundaries:
    """Counts what the worker does at its borders, and kills it at one of them."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at, self.count, self.told = kill_at, 0, []  # type: tuple[int, int, list[str]]
        self.of = ""
        """What the worker is doing, where a test asks for it by name."""

    def reached(self, what: str) -> None:
        """One more; the last one for a worker that is to die here."""
        self.count += 1
        self.told.append(what)
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Stand at the borders of this process: the one transport of all connectors, and the hub's one kind of transaction."""
        boundaries, receive, transaction = self, Transport._receive, Hub.transaction

        def watched_receive(transport: Transport, request: Any) -> Answer:
            kind = f"{'memo ' if MEMO in (request.body or b'') else ''}{'write' if request.writes else 'read'}"
            boundaries.reached(f"{kind} about to be sent")
            answer = receive(transport, request)
            boundaries.reached(f"{kind} answered")
            return answer

        @contextmanager
        def watched_transaction(hub: Hub) -> Iterator[Cursor]:
            with transaction(hub) as db:
                yield db
                if not db.connection.broken:
                    wrote = db.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS wrote").fetchone()
                    if wrote and wrote["wrote"]:
                        boundaries.reached(f"{boundaries.of}commit about to be sent")

        Transport._receive = watched_receive  # type: ignore[method-assign,assignment]
        Hub.transaction = watched_transaction  # type: ignore[method-assign,assignment]


def work(config: Path, database: str, rounds: int, nights: int, boundaries: Boundaries | None) -> None:
    """Rounds of the whole cycle until nothing is due. A round that fails is tried again: systems and database come back."""
    for _ in range(rounds):
        try:
            with Hub.open(config, database) as hub:
                for _ in range(nights):
                    _night(hub, boundaries)
                    result = cycle.until_quiet(hub, rounds=20)
        except (psycopg.Error, OSError):
            time.sleep(HURT)
            continue
        if result.status in ("done", "set_aside", "differs"):
            break
        time.sleep(HURT)
    if boundaries is not None and not boundaries.kill_at:
        sys.stdout.write(json.dumps({"events": boundaries.told}) + "\n")
        sys.stdout.flush()


def _night(hub: Hub, boundaries: Boundaries | None) -> None:
    if boundaries is not None:
        boundaries.of = "money "
    night(hub)
    if boundaries is not None:
        boundaries.of = ""


def main() -> None:
    """Fork for each order until the input ends. Children are not waited for: whoever gave the order watches them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            boundaries = Boundaries(order["kill_at"]) if order.get("kill_at") is not None else None
            if boundaries is not None:
                boundaries.watch()
            try:
                work(Path(order["config"]), order["database"], order["rounds"], 1 if boundaries else NIGHTS, boundaries)
            finally:
                os._exit(0)
        sys.stdout.write(json.dumps({"pid": pid}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

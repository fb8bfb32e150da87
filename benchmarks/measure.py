"""CPU seconds of a client and of a whole PostgreSQL cluster, from /proc.

The cluster's time is that of the postmaster, of its children, and of the children that have ended and been waited for.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """What a piece of work cost. Units: CPU and wall in seconds."""

    client: float = 0.0
    server: float = 0.0
    wall: float = 0.0
    load: float = 0.0
    """Load average of the last minute, at the end."""
    pace: float = 1.0
    """CPU time of a fixed piece of work meanwhile, against the quickest of the session: 1.5 is a machine slowed to two thirds."""

    @property
    def cpu(self) -> float:
        """Client and server together."""
        return self.client + self.server

    @property
    def paced(self) -> float:
        """The same, as if the machine had been at its quickest all the time. Ratios are made of these."""
        return self.cpu / self.pace


class Pace:
    """Tells how fast the machine is just now.

    A CPU second is no fixed amount of work: on a shared host the same program costs up to 1.7 times as many of them a minute later (the
    floor did, side by side with itself). While something is measured, a thread does a fixed piece of work twice a second and notes its
    CPU time, about one per cent of one core.
    """

    def __init__(self) -> None:
        self._notes: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pace", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        record = {"number": "XSDD00000001", "lines": [{"seq": n, "price": n * 1.25, "note": "尽快发货"} for n in range(200)]}
        while not self._stop.wait(0.5):
            start = time.thread_time()
            for _ in range(3):
                text = json.dumps(record, ensure_ascii=False)
                [[*line.items()] for line in json.loads(text)["lines"]]
            self._notes.append(time.thread_time() - start)

    def mark(self) -> int:
        """Where the notes stand now."""
        return len(self._notes)

    def since(self, mark: int) -> float:
        """Mean CPU seconds of the piece of work since then; 0 when there was no time for one."""
        noted = self._notes[mark:]
        return sum(noted) / len(noted) if noted else 0.0


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cluster_cpu(postmaster: int) -> float:
    """CPU seconds that a cluster has used since it was started."""
    ticks = sum(int(field) for field in _stat(postmaster)[11:15])
    for child in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
        try:
            ticks += sum(int(field) for field in _stat(int(child))[11:13])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended just now
    return ticks / _TICKS


def own_cpu() -> float:
    """CPU seconds of this process since it was started, ended children included."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def peak_mib() -> float:
    """Peak resident memory of this process. `ru_maxrss` would count what the parent held before `exec`."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@contextmanager
def measured(postmaster: int, *, from_start: bool = False) -> Iterator[Cost]:
    """The cost of the block; `from_start` adds what this process has spent before it, imports above all."""
    cost = Cost()
    client, server, wall = 0.0 if from_start else own_cpu(), cluster_cpu(postmaster), time.monotonic()
    yield cost
    cost.client, cost.server, cost.wall = own_cpu() - client, cluster_cpu(postmaster) - server, time.monotonic() - wall
    cost.load = os.getloadavg()[0]

"""CPU seconds of a client and of a whole PostgreSQL cluster, from /proc.

The cluster's time is that of the postmaster, of its children, and of the children that have ended and been waited for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """What a piece of work cost. Units: CPU and wall in seconds."""

    client: float = 0.0
    server: float = 0.0
    wall: float = 0.0
    load: float = 0.0
    """Load average of the last minute, at the end."""

    @property
    def cpu(self) -> float:
        """Client and server together."""
        return self.client + self.server


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

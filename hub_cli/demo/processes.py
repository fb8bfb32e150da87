"""What everything together cost: CPU seconds of processes and all their children."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(roots: Iterable[int]) -> float:
    """CPU seconds of these processes, their living descendants, and the descendants that each of them has waited for."""
    spent, children = _table()
    todo, seen, total = list(roots), set(), 0.0
    while todo:
        pid = todo.pop()
        if pid in seen or pid not in spent:
            continue
        seen.add(pid)
        total += spent[pid]
        todo += children.get(pid, ())
    return total


def _table() -> tuple[dict[int, float], dict[int, list[int]]]:
    spent: dict[int, float] = {}
    children: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        pid = int(place.parent.name)
        spent[pid] = sum(map(int, fields[11:15])) / _TICKS  # utime, stime, and those of children waited for
        children.setdefault(int(fields[1]), []).append(pid)
    return spent, children

"""What `hub --help` costs: the price of every command before it does anything."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.bars import Figure

RUNS = 7


def run() -> list[Figure]:
    """CPU seconds of `hub --help`, the median of several runs after one that warms the disk cache."""
    hub = Path(sys.executable).parent / "hub"
    spent = []
    for _ in range(RUNS + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(hub), "--help"], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return [Figure("cli.help_cpu_s", round(median(spent[1:]), 3))]

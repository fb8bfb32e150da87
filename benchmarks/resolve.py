"""Golden records: how good the clusters of a fresh population are, and what they cost.

The population is made by a process of its own from a seed that nobody has seen, and `hub deals resolve` runs as a user runs it. The weights
and thresholds were frozen before (`channel/parties/data/model.json`).
"""

from __future__ import annotations

import csv
import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console

from benchmarks.bars import Figure
from tests.parties.scoring import read_clusters, score

RECORDS = 1_000_000
DATA = Path(os.environ.get("HUB_REAL_NAMES", "/work/shared/data"))
"""Where `brand_words.txt` may lie, for the worlds `real` and `game`."""
_MAKE = """
import sys
from pathlib import Path
from benchmarks.resolve_worlds import WORLDS
made = WORLDS[sys.argv[4]](int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[5]))
made.write(Path(sys.argv[3]) / "records.csv")
made.write_truth(Path(sys.argv[3]) / "truth.csv")
"""


def run(records: int = RECORDS, seed: int | None = None, *, world: str = "made") -> list[Figure]:
    """Pairwise F1 and precision of the clusters, CPU seconds and peak memory of the command with its children.

    `world`: one of `resolve_worlds.WORLDS`.
    """
    told = Console(stderr=True)
    seed = secrets.randbelow(2**31) if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="bench-resolve-") as place:
        folder = Path(place)
        told.print(f"making {records} records of the world {world}, seed {seed}")
        subprocess.run([sys.executable, "-c", _MAKE, str(seed), str(records), place, world, str(DATA)], check=True)
        command = [str(Path(sys.executable).parent / "hub"), "deals", "resolve", "--json"]
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command += ["--records", str(folder / "records.csv"), "--out", str(folder / "out.csv")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hub:
            peak = _peak(hub)
            summary = json.loads(hub.stdout.read() if hub.stdout else "{}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
            truth = {row["rid"]: row["firm"] for row in csv.DictReader(file)}
        reached = score(truth, read_clusters(folder / "out.csv"))
    clock = time.monotonic() - began
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told.print(
        f"{summary.get('firms')} firms found of {len(set(truth.values()))}: precision {reached.precision:.4f}, "
        f"recall {reached.recall:.4f}; {cpu:.0f} CPU-s, {clock:.0f} s of the clock at load {os.getloadavg()[0]:.1f}"
    )
    return [
        Figure("resolve.f1", round(reached.f1, 4)),
        Figure("resolve.precision", round(reached.precision, 4)),
        Figure("resolve.seconds", round(min(clock, cpu), 1)),
        Figure("resolve.peak_mib", round(peak)),
    ]


def _peak(hub: subprocess.Popen[str]) -> float:
    """Most memory of the command and its children together, MiB; shared pages count for each."""
    most = 0.0
    process = psutil.Process(hub.pid)
    while hub.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            most = max(most, sum(one.memory_info().rss for one in family) / 2**20)
        except psutil.NoSuchProcess:
            continue  # a worker ended just now
        time.sleep(0.2)
    return most

"""Reading in, side by side: the floor, dlt and the hub load the same orders from the same server into clusters of their own.

The runs are interleaved, every figure is the median of its runs, and CPU seconds of client and server are what counts: a busy machine
stretches the wall clock far more than those. It stretches CPU seconds too, so ratios compare costs at one pace of the machine
(`measure.Pace`). Each contender gets a fresh cluster with PostgreSQL's default durability.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import hub_load
from benchmarks.bars import Figure
from benchmarks.measure import Cost, Pace
from ledger.postgres import Server, ensure, status, temporary

console = Console(stderr=True)
ROOT = Path(__file__).parent.parent
ORDERS = 200_000
RUNS = 3


@dataclass
class Tally:
    """What every run cost, by name of the measurement."""

    pace: Pace
    costs: dict[str, list[Cost]] = field(default_factory=dict)
    numbers: dict[str, list[float]] = field(default_factory=dict)

    def cost(self, name: str, cost: Cost, work: float) -> None:
        """Keep one, and say so. `work`: CPU seconds of the fixed piece of work meanwhile."""
        cost.pace = work
        self.costs.setdefault(name, []).append(cost)
        console.print(
            f"{name}: {cost.cpu:.2f} CPU-s (client {cost.client:.2f}, server {cost.server:.2f}), {cost.wall:.1f} s, load {cost.load:.1f}"
        )

    def number(self, name: str, value: float) -> None:
        """Keep another kind of figure."""
        self.numbers.setdefault(name, []).append(value)

    def settle(self) -> None:
        """Set every measurement's pace against the quickest."""
        known = [cost.pace for costs in self.costs.values() for cost in costs if cost.pace]
        for cost in (cost for costs in self.costs.values() for cost in costs):
            cost.pace = cost.pace / min(known) if cost.pace else 1.0

    def cpu(self, name: str) -> float:
        """The median CPU seconds."""
        return median(cost.cpu for cost in self.costs[name])

    def paced(self, name: str) -> float:
        """The median at the quickest pace."""
        return median(cost.paced for cost in self.costs[name])


def run(orders: int, *, runs: int, with_dlt: bool) -> list[Figure]:
    """Measure, tell what everything cost, and give the figures that have a limit."""
    with Pace() as pace, _serving(orders) as port, _serving(max(orders // 10, 1)) as small:
        tally = Tally(pace)
        for turn in range(runs):
            console.rule(f"run {turn + 1} of {runs}")
            lines = _floor(tally, port, orders)
            if with_dlt:
                _dlt(tally, port, orders, lines)
            _hub(tally, port, orders)
            _growth(tally, small, max(orders // 10, 1))
            _child("urlopen", f"http://127.0.0.1:{port}/_reset")
    tally.settle()
    _show(tally)
    return _figures(tally, orders, with_dlt)


@contextmanager
def _serving(orders: int) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", str(orders)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        said = json.loads(server.stdout.readline())
        console.print(f"serving {orders:,} orders, {said['bytes'] / 1e6:.1f} MB")
        try:
            yield int(said["port"])
        finally:
            server.stdin.close()


@contextmanager
def _cluster() -> Iterator[tuple[str, int]]:
    """The URL of an empty database on a cluster of its own, and its postmaster."""
    with temporary(fast=False) as server:
        ensure(server.url_of("bench"))
        yield server.url_of("bench"), _postmaster(server)


def _postmaster(server: Server) -> int:
    found = status(server.home).pid
    assert found is not None
    return found


def _child(module: str, *arguments: object) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    if module == "urlopen":
        command = [sys.executable, "-c", "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read(); print('{}')"]
    else:
        command = [sys.executable, "-m", f"benchmarks.{module}"]
    done = subprocess.run(
        [*command, *map(str, arguments)], stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True, env={**os.environ, "PYTHONHASHSEED": "0"}
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _floor(tally: Tally, port: int, orders: int) -> int:
    """Returns how many lines there are."""
    with _cluster() as (url, postmaster):
        for phase, name in (("first", "floor, first load"), ("again", "floor, unchanged")):
            start = tally.pace.mark()
            told = _child("floor", url, port, postmaster, phase)
            assert told["orders"] == orders, told
            tally.cost(name, hub_load.cost(told), tally.pace.since(start))
            tally.number("floor MiB", told["mib"])
    return int(told["lines"])


def _dlt(tally: Tally, port: int, orders: int, lines: int) -> None:
    with _cluster() as (url, postmaster):
        start = tally.pace.mark()
        told = _child("dlt_load", url, port, postmaster)
        assert (told["orders"], told["lines"]) == (orders, lines), told
        tally.cost("dlt, first load", hub_load.cost(told), tally.pace.since(start))
        tally.number("dlt MiB", told["mib"])


def _hub(tally: Tally, port: int, orders: int) -> None:
    with _cluster() as (url, postmaster), tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        place = (url, port, postmaster, folder)
        _child("hub_load", *place, "prepare")
        start = tally.pace.mark()
        told = _child("hub_load", *place, "first")
        assert told["orders"] == orders, told
        work = tally.pace.since(start)
        tally.cost("hub, first load", hub_load.cost(told), work)
        tally.cost("hub, first load, warm", hub_load.cost(told, "warm"), work)
        tally.number("hub MiB", told["mib"])
        before, start = hub_load.written(url), tally.pace.mark()
        told = _child("hub_load", *place, "again")
        assert told["orders"] == orders, told
        tally.cost("hub, unchanged", hub_load.cost(told), tally.pace.since(start))
        tally.number("hub MiB", told["mib"])
        tally.number("rows written", hub_load.written(url) - before)
        start = tally.pace.mark()
        told = _child("hub_load", *place, "increments")
        work = tally.pace.since(start)
        tally.cost("hub, nothing new", hub_load.cost(told, "nothing"), work)
        tally.cost("hub, 1,000 changed", hub_load.cost(told, "changed"), work)
        tally.number("hub MiB", told["mib"])


def _growth(tally: Tally, port: int, orders: int) -> None:
    with _cluster() as (url, postmaster), tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        _child("hub_load", url, port, postmaster, folder, "prepare")
        start = tally.pace.mark()
        told = _child("hub_load", url, port, postmaster, folder, "first")
        assert told["orders"] == orders, told
        tally.cost("hub, a tenth, warm", hub_load.cost(told, "warm"), tally.pace.since(start))


def _figures(tally: Tally, orders: int, with_dlt: bool) -> list[Figure]:
    first, floor = tally.paced("hub, first load"), tally.paced("floor, first load")
    growth = (tally.paced("hub, first load, warm") / orders) / (tally.paced("hub, a tenth, warm") / max(orders // 10, 1))
    figures = {"ingest.first_vs_floor": first / floor}
    if with_dlt:
        figures["ingest.first_vs_dlt"] = first / tally.paced("dlt, first load")
    figures |= {
        "ingest.unchanged_vs_floor": tally.paced("hub, unchanged") / tally.paced("floor, unchanged"),
        "ingest.unchanged_rows_written": max(tally.numbers["rows written"]),
        "ingest.nothing_new_cpu_s": tally.cpu("hub, nothing new"),
        "ingest.thousand_changed_cpu_s": tally.cpu("hub, 1,000 changed"),
        "ingest.client_memory_mib": max(tally.numbers["hub MiB"]),
        "ingest.growth": growth,
    }
    return [Figure(bar, round(value, 3)) for bar, value in figures.items()]


def _show(tally: Tally) -> None:
    table = Table(title="Ingest: medians, CPU seconds")
    for heading in ("what", "client", "server", "CPU", "pace", "paced", "wall s", "load"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for name, costs in tally.costs.items():
        parts = [median(getattr(cost, part) for cost in costs) for part in ("client", "server", "cpu", "pace", "paced", "wall", "load")]
        table.add_row(name, *(f"{part:.2f}" for part in parts))
    Console().print(table)
    Console().print(
        "peak memory, MiB: "
        + ", ".join(f"{name.removesuffix(' MiB')} {max(values):.0f}" for name, values in tally.numbers.items() if name.endswith("MiB"))
    )

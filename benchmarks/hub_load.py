"""The same load by the hub, everything on: mapping, links, observed, canonical, lines, history, and what the second system should hold."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any, cast
from urllib.request import urlopen

import psycopg
import structlog

from benchmarks.measure import Cost, measured, peak_mib
from connectors import registry
from connectors.base import Window
from sync import cycle, leases, reading, valuing
from sync.hub import Hub
from sync.runs import running

CONFIG = """
systems:
  source: {{kind: bench_rest, allow_private_hosts: true, settings: {{url: "http://127.0.0.1:{port}"}}}}
  target: {{kind: bench_rest, allow_private_hosts: true, settings: {{url: "http://127.0.0.1:{port}/target"}}}}
mappings: ["{mappings}"]
flows:
  company: {{owners: {{default: source}}, systems: {{source: {{stream: companies, mode: read}}}}}}
  party: {{owners: {{default: source}}, systems: {{source: {{stream: parties, mode: read}}}}}}
  product: {{owners: {{default: source}}, systems: {{source: {{stream: products, mode: read}}}}}}
  order:
    owners: {{default: source}}
    systems:
      source: {{stream: orders, mode: read}}
      target: {{stream: orders, mode: plan, create: true}}
"""
WATCHED = ("observed", "link", "identity_key", "orders", "order_lines", "history_default", "desired")
CHANGED = 1000


def open_hub(url: str, port: int, folder: Path) -> Hub:
    """The hub over the benchmark's server."""
    cast("dict[str, str]", registry.IN_TREE)["bench_rest"] = "benchmarks.connector:connector"
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    config = folder / "hub.yaml"
    config.write_text(CONFIG.format(port=port, mappings=Path(__file__).parent / "mappings"), encoding="utf-8")
    return Hub.open(config, url)


def prepare(hub: Hub) -> None:
    """Value maps, what the orders cite, and the empty listing of the target."""
    from benchmarks.data import SALESPEOPLE, UNITS  # noqa: PLC0415

    people = [{"name": "salesperson", "vendor_value": f"S{n:03}", "canonical_value": f"P{n:03}"} for n in range(1, SALESPEOPLE + 1)]
    units = [{"name": "unit", "vendor_value": unit, "canonical_value": unit.upper()} for unit in UNITS]
    rows = [{"system": "source", "company": "", **row} for row in [*people, *units]]
    valuing.apply_rows(hub, rows, "benchmark")
    done = cycle.increment(hub, "source", ["companies", "parties", "products"])
    done.add(cycle.increment(hub, "target"))
    assert done.status == "done", done


def first(hub: Hub) -> int:
    """The first load."""
    done = cycle.increment(hub, "source", ["orders"])
    assert done.status == "done", done
    return done.counts["new"]


def again(hub: Hub) -> int:
    """Read everything again."""
    state = hub.streams["source", "orders"]
    with running(hub, "reread", "source") as run, leases.held(hub, f"read:{state.label}") as lease:
        reading.read_window(hub, hub.session("source"), state, Window(by="all"), lease, run)
    assert run.result.status == "done", run.result
    return run.result.counts["unchanged"]


def increment(hub: Hub) -> dict[str, int]:
    """One increment, with what follows from it."""
    done = cycle.increment(hub, "source", ["orders"])
    done.add(cycle.derive(hub))
    assert done.status == "done", done
    return done.counts


def written(url: str) -> int:
    """Rows that were ever inserted, updated or deleted in the watched tables, by the server's own counters."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_all_tables WHERE relname = ANY(%s)", [list(WATCHED)]
        )
        return int((row.fetchone() or (0,))[0])


def change(port: int, count: int) -> None:
    """Let that many orders change on the server."""
    with urlopen(f"http://127.0.0.1:{port}/_change?count={count}") as answer:
        answer.read()


def main() -> None:
    """`hub_load.py URL PORT POSTMASTER FOLDER prepare|first|again|increments`: one line of JSON."""
    url, port, postmaster, folder, phase = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), sys.argv[5]
    told: dict[str, Any] = {}
    with open_hub(url, port, folder) as hub:
        if phase == "prepare":
            from ledger.migrate import migrate  # noqa: PLC0415  only here

            migrate(url)
            prepare(hub)
        elif phase in ("first", "again"):
            with measured(postmaster, from_start=True) as whole:
                hub.session("source")
                with measured(postmaster) as warm:
                    told["orders"] = (first if phase == "first" else again)(hub)
            told |= {"cost": vars(whole), "warm": vars(warm)}
        else:
            told = increments(hub, postmaster, port)
    print(json.dumps(told | {"mib": peak_mib()}))


def increments(hub: Hub, postmaster: int, port: int) -> dict[str, Any]:
    """A warm process: nothing new, then 1,000 changed orders."""
    increment(hub)
    with measured(postmaster) as nothing:
        counts = increment(hub)
    assert not counts.get("new") and not counts.get("changed"), counts
    change(port, CHANGED)
    with measured(postmaster) as some:
        counts = increment(hub)
    return {"nothing": vars(nothing), "changed": vars(some), "orders": counts["changed"]}


def cost(told: dict[str, Any], name: str = "cost") -> Cost:
    """A cost as it came over the wire."""
    return Cost(**told[name])


if __name__ == "__main__":
    main()

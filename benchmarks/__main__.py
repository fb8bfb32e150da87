"""`python -m benchmarks [ingest] [cli] [deals] [pricing] [rebates] [resolve]`: measure, print a table, a JSON line for each limit."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import bars, cli, ingest


def main() -> int:
    """Exit code 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[[], "ingest", "cli", "deals", "pricing", "rebates", "resolve"], help="default: all")
    parser.add_argument("--orders", type=int, default=ingest.ORDERS)
    parser.add_argument("--runs", type=int, default=ingest.RUNS)
    parser.add_argument("--no-dlt", action="store_true", help="leave dlt out")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="of the deal benchmarks: keep the loaded server there for the next run")
    parser.add_argument("--customers", type=int, default=1_000_000, help="of the deal benchmarks")
    parser.add_argument("--lines", type=int, default=10_000_000, help="of the rebate benchmark")
    parser.add_argument("--facts", type=int, default=4_000_000, help="on the ledger, of the rebate benchmark's nights")
    parser.add_argument("--records", type=int, default=1_000_000, help="of resolving")
    parser.add_argument("--seed", type=int, help="of resolving; default: a fresh one")
    parser.add_argument("--world", choices=["made", "real", "matcher", "game"], default="made", help="whose records are resolved")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON lines there as well")
    asked = parser.parse_args()
    which = asked.which or ["cli", "ingest", "pricing", "rebates", "deals", "resolve"]
    figures = []
    if "cli" in which:
        figures += cli.run()
    if "ingest" in which:
        figures += ingest.run(asked.orders, runs=asked.runs, with_dlt=not asked.no_dlt)
    if "pricing" in which:
        from benchmarks import pricing, pricing_http  # noqa: PLC0415  as below

        figures += pricing.run()
        figures += pricing_http.run()
    if "rebates" in which:
        from benchmarks import rebates, rebates_ledger  # noqa: PLC0415  as below

        figures += rebates.run(asked.lines)
        figures += rebates_ledger.run(asked.facts)
    if "deals" in which:
        from benchmarks import deals  # noqa: PLC0415  the others measure memory and start-up, and need none of the matcher's tables

        figures += deals.run(asked.customers, asked.keep)
    if "resolve" in which:
        from benchmarks import resolve  # noqa: PLC0415  as above

        figures += resolve.run(asked.records, asked.seed, world=asked.world)
    return 0 if bars.tell(figures, asked.json) else 1


if __name__ == "__main__":
    sys.exit(main())

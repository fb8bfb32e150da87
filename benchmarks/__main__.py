"""`python -m benchmarks [ingest] [cli]`: measure, print a table, and one JSON line for every figure that has a limit."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import bars, cli, ingest


def main() -> int:
    """Exit code 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[[], "ingest", "cli"], help="default: all")
    parser.add_argument("--orders", type=int, default=ingest.ORDERS)
    parser.add_argument("--runs", type=int, default=ingest.RUNS)
    parser.add_argument("--no-dlt", action="store_true", help="leave dlt out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON lines there as well")
    asked = parser.parse_args()
    which = asked.which or ["cli", "ingest"]
    figures = []
    if "cli" in which:
        figures += cli.run()
    if "ingest" in which:
        figures += ingest.run(asked.orders, runs=asked.runs, with_dlt=not asked.no_dlt)
    return 0 if bars.tell(figures, asked.json) else 1


if __name__ == "__main__":
    sys.exit(main())

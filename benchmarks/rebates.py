"""Rebates of ten million lines: to dealer x product line x quarter, rated, and shared out to every line; by DuckDB over Parquet.

Runs in a process of its own, so that its memory is its own. CPU is that of all its threads, by the operating system's process clock.
Exactness is looked at beside it: the sum of all, and some dealers line by line with plain Decimals.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from benchmarks.bars import Figure

LINES = 10_000_000
LATE = 1_000
DEALERS, PRODUCTS, PRODUCT_LINES = 500, 5_000, 40
AS_OF = date(2026, 12, 31)
TIERS = ((0, "0.01"), (20_000, "0.015"), (60_000, "0.025"), (150_000, "0.04"))
PROGRAMME = f"""
programme: bench
version: 1
name: 基准
currency: CNY
valid: {{from: 2024-01-01, to: 2027-01-01}}
participants: all
base: {{event: invoice, measure: amount, tax: exclusive, net_of: [returns]}}
calendar: {{period: quarter}}
grouping: {{by: [dealer, product_line]}}
method: marginal
boundary: at_least
tiers: [{", ".join(f"{{from: {start}, rate: {rate}}}" for start, rate in TIERS)}]
"""


def _another(late: Path) -> Path:
    """A second file of late lines, so that the first one measured is not the first one taken in."""
    made = late.with_name("later.parquet")
    make(made, LATE, first=LINES * 3)
    return made


def make(path: Path, lines: int, first: int = 0) -> None:
    """Three years of lines, 3 % of them returns, as Parquet, numbered from `first` on; not measured."""
    import duckdb  # noqa: PLC0415  an extra

    db = duckdb.connect(":memory:", config={"memory_limit": "2GB", "preserve_insertion_order": False})
    db.execute(
        f"""COPY (SELECT 'L' || lpad(i::VARCHAR, 9, '0') AS id, 1 AS revision,
        CASE WHEN hash(i, 5) % 100 < 3 THEN 'return' ELSE 'sale' END AS kind,
        'D' || lpad((hash(i, 1) % {DEALERS})::VARCHAR, 4, '0') AS dealer, 'P' || (hash(i, 2) % {PRODUCTS})::VARCHAR AS product,
        'PL' || (hash(i, 2) % {PRODUCTS} % {PRODUCT_LINES})::VARCHAR AS product_line,
        DATE '2024-01-01' + (hash(i, 3) % 1096)::INTEGER AS date, 'CNY' AS currency,
        ((hash(i, 4) % 400000 + 1)::DECIMAL(18, 0) * 0.01::DECIMAL(3, 2)
            * (CASE WHEN hash(i, 5) % 100 < 3 THEN -1 ELSE 1 END)::DECIMAL(1, 0))::DECIMAL(18, 2) AS amount
        FROM range({first}, {first + lines}) AS r (i)) TO '{path}' (FORMAT parquet)"""
    )


def measured(path: Path, out: Path) -> dict[str, Any]:
    """In this process: figures of one file."""
    from channel.rebates.bulk import Bulk  # noqa: PLC0415  what it imports is part of nothing measured
    from channel.rebates.loading import load  # noqa: PLC0415
    from channel.rebates.programme import Programme  # noqa: PLC0415

    programme = load(PROGRAMME).programme
    assert isinstance(programme, Programme)
    engine = Bulk(path, temporary=out / "spill")
    engine.rate(programme, AS_OF)  # warms the process
    began = time.process_time()
    cells = engine.rate(programme, AS_OF)
    rated = time.process_time() - began
    written = engine.share_out(programme, out / "lines")
    whole = time.process_time() - began
    lines, total = engine.totals()
    exact = _exact(engine, out / "lines")
    late_file = path.with_name("late.parquet")
    make(late_file, LATE, first=LINES * 2)
    engine.add(programme, _another(late_file))  # warms it
    began = time.process_time()
    touched = engine.add(programme, late_file)
    late = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "cells": cells, "lines": lines, "written": written, "total": str(total), "rate_cpu_s": rated, "shared_cpu_s": whole,
        "peak_mib": peak, "wrong": exact, "touched": touched, "late_cpu_s": late,
    }  # fmt: skip


def _exact(engine: Any, lines: Path) -> int:
    """How many cells differ from plain Decimals: earned of every cell of three dealers, and shares that do not add up anywhere."""
    wrong = 0
    wanted = {"D0000", "D0123", "D0499"}
    for cell in engine.cells():
        if cell.dealer in wanted and cell.earned != _by_hand(cell.base):
            wrong += 1
    found = engine.db.execute(
        f"SELECT count(*) FROM (SELECT cell, sum(rebate) AS parts FROM read_parquet('{lines}/*.parquet') GROUP BY cell) AS s "
        "JOIN cell AS c ON c.n = s.cell WHERE CAST(s.parts * 100 AS HUGEINT) <> c.fen"
    ).fetchall()
    return wrong + int(found[0][0])


def _by_hand(base: Decimal) -> Decimal:
    earned = Decimal(0)
    for at, (start, rate) in enumerate(TIERS):
        end = Decimal(TIERS[at + 1][0]) if at + 1 < len(TIERS) else base
        if base > start:
            earned += (min(base, end) - start) * Decimal(rate)
    return earned.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _apart(path: Path, out: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.rebates", str(path), str(out)], check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def run(lines: int = LINES) -> list[Figure]:
    """A tenth first, then all."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        told = {}
        for part in (lines // 10, lines):
            path = home / f"{part}.parquet"
            make(path, part)
            (home / str(part)).mkdir()
            told[part] = _apart(path, home / str(part))
            print(f"rebates {part}: {told[part]}", flush=True)
    small, large = told[lines // 10], told[lines]
    return [
        Figure("rebates.rate_cpu_s", round(large["rate_cpu_s"], 2)),
        Figure("rebates.share_out_cpu_s", round(large["shared_cpu_s"], 2)),
        Figure("rebates.peak_mib", round(large["peak_mib"])),
        Figure("rebates.growth", round((large["shared_cpu_s"] / lines) / (small["shared_cpu_s"] / (lines // 10)), 3)),
        Figure("rebates.late_cpu_s", round(large["late_cpu_s"], 3)),
        Figure("rebates.wrong", large["wrong"] + small["wrong"]),
    ]


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]), Path(sys.argv[2]))))

"""The figures that have a limit, and how they are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

LIMITS: Mapping[str, tuple[float, str]] = {
    "ingest.first_vs_floor": (3.0, "CPU of the hub's first load, by the floor's"),
    "ingest.first_vs_dlt": (0.4, "CPU of the hub's first load, by dlt's"),
    "ingest.unchanged_vs_floor": (0.6, "CPU of reading everything again unchanged, by the floor's"),
    "ingest.unchanged_rows_written": (0, "rows that an unchanged re-read inserts, updates or deletes"),
    "ingest.nothing_new_cpu_s": (1.0, "CPU seconds of an increment with nothing new, warm"),
    "ingest.thousand_changed_cpu_s": (3.0, "CPU seconds of an increment with 1,000 changed orders, warm"),
    "ingest.client_memory_mib": (200, "peak memory of the client, MiB"),
    "ingest.growth": (1.15, "CPU per order of the whole load, by that of a tenth of it"),
    "cli.help_cpu_s": (0.15, "CPU seconds of `hub --help`"),
    "deals.look_up_cpu_p99_ms": (3.0, "CPU of the SQL of a check, client and server, 99th percentile, ms"),
    "deals.check_cpu_p99_ms": (6.0, "CPU of a whole check with scoring, client and server, 99th percentile, ms"),
    "deals.register_cpu_p99_ms": (8.0, "CPU of a registration, client and server, 99th percentile, ms"),
    "deals.open_loop_vs_read": (10.0, "99th percentile of checks in an open loop, by that of a primary-key read in the same minute"),
    "deals.open_loop_errors": (0, "checks of the open loop that failed or were not made"),
    "pricing.line_cpu_p99_ms": (0.2, "CPU of pricing one line with its full trace, 100,000 price records, 99th percentile, ms"),
    "pricing.cart_20_cpu_p99_ms": (15.0, "CPU of a 20-line cart with approval, hash and answer, 99th percentile, ms"),
    "pricing.cart_20_http_cpu_p99_ms": (30.0, "CPU of a 20-line cart through HTTP, server and client, 99th percentile, ms"),
    "rebates.rate_cpu_s": (6.0, "CPU seconds of 10,000,000 lines to dealer x product line x quarter, rated, warm"),
    "rebates.share_out_cpu_s": (40.0, "CPU seconds of that and the rebate shared out to every line and written"),
    "rebates.peak_mib": (2048, "peak memory of it, MiB"),
    "rebates.growth": (1.15, "CPU per line at 10,000,000, by that at 1,000,000"),
    "rebates.late_cpu_s": (0.5, "CPU seconds of taking 1,000 late lines into the kept sums of 10,000,000"),
    "rebates.nightly_late_cpu_s": (
        3.0,
        "CPU of the nightly run after 1,000 late lines on 4,000,000 facts in PostgreSQL, client and server",
    ),
    "rebates.nightly_wrong": (0, "accruals of those nights that differ from plain Decimals on all facts"),
    "rebates.wrong": (0, "cells that differ from plain Decimals, or whose shares do not add up"),
    "resolve.seconds": (
        300.0,
        "seconds of the clock, or CPU seconds where others slow the clock, of resolving 1,000,000 records, workers included",
    ),
    "resolve.peak_mib": (3072, "peak memory of it, workers included, MiB"),
}
"""Bar -> (at most, what it is)."""

LEAST: Mapping[str, tuple[float, str]] = {
    "resolve.f1": (0.97, "pairwise F1 of the clusters of a fresh population"),
    "resolve.precision": (0.98, "pairwise precision of them"),
}
"""Bar -> (at least, what it is)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure with its limit."""

    bar: str
    value: float

    @property
    def limit(self) -> float:
        """At most this, or at least."""
        return {**LIMITS, **LEAST}[self.bar][0]

    @property
    def ok(self) -> bool:
        """True when the limit is kept."""
        return self.value >= self.limit if self.bar in LEAST else self.value <= self.limit

    def as_dict(self) -> dict[str, Any]:
        """The line that scripts read."""
        return {"bar": self.bar, "value": self.value, "limit": self.limit, "ok": self.ok}


def tell(figures: list[Figure], file: Path | None = None) -> bool:
    """Print a table, then one JSON line for each figure; true when every limit is kept."""
    table = Table(title="Bars")
    for heading in ("bar", "value", "limit", "", "what"):
        table.add_column(heading, justify="right" if heading in ("value", "limit") else "left")
    for figure in figures:
        table.add_row(
            figure.bar, f"{figure.value:g}", f"{figure.limit:g}", "ok" if figure.ok else "OVER", {**LIMITS, **LEAST}[figure.bar][1]
        )
    Console().print(table)
    lines = [json.dumps(figure.as_dict()) for figure in figures]
    print("\n".join(lines))
    if file is not None:
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return all(figure.ok for figure in figures)

"""`hub rebates calculate` on millions of lines in Parquet: sums in sets, the same to the fen as line by line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canonical.values import decimal_text
from hub_cli.answers import Answer, CommandFailed
from hub_cli.exits import Exit

if TYPE_CHECKING:
    from channel.rebates.bulk import Bulk
    from channel.rebates.loading import Loaded
    from channel.rebates.programme import Programme

MANY = 200_000
"""Lines from which a Parquet file is summed in sets by itself."""
SHOWN = 40
"""Results that a person is shown; a file has all."""


def fits(facts: Path, loaded: Sequence[Loaded]) -> bool:
    """Whether this is one programme that sums suffice for, over Parquet of many lines."""
    from channel.rebates.ladder import obstacle
    from channel.rebates.programme import Programme
    from hub_cli.rebates_files import duckdb_module

    if (facts.suffix.lower() != ".parquet" and not facts.is_dir()) or len(loaded) != 1 or not facts.exists():
        return False
    programme = loaded[0].programme
    if not isinstance(programme, Programme) or obstacle(programme):
        return False
    found = (
        duckdb_module().execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [[str(part) for part in _parts(facts)]]).fetchone()
    )
    return int(found[0] or 0) >= MANY


def _parts(facts: Path) -> list[Path]:
    from channel.rebates.exported import parts_of

    return parts_of(facts) if facts.is_dir() else [facts]


def calculate(
    programme: Programme, facts: Path, as_of: date, known_at: datetime | None, out: Path | None, lines: Path | None, dealer: str | None
) -> Answer:
    """Rate everything; results to `out`, every line with its share into the folder `lines`. Raises: BadFacts, NeedsLines."""
    from channel.rebates.bulk import Bulk
    from hub_cli.rebates import RESULT_COLUMNS, flat
    from hub_cli.rebates_outputs import Output, write

    engine = Bulk(_parts(facts), exported=facts.is_dir())
    try:
        count = engine.rate(programme, as_of, known_at=known_at)
        counted, total = engine.totals()
        told: dict[str, Any] = {
            "as_of": as_of.isoformat(),
            "engine": "bulk",
            "programmes": [{"programme": programme.programme, "version": programme.version, "hash": programme.hash}],
            "facts": {"counted": counted},
            "cells": count,
            "totals": [{"programme": programme.programme, "currency": programme.currency, "earned": f"{total:f}", "payable": f"{total:f}"}],
        }
        if out is not None and out.suffix.lower() in (".csv", ".jsonl", ".parquet"):
            write(Output(out, (flat(row) for row in _rows(engine, programme, dealer)), RESULT_COLUMNS))
        elif out is not None:
            write(Output(out, {**told, "results": list(_rows(engine, programme, dealer))}))
        if lines is not None:
            told["lines"] = _share_out(engine, programme, known_at, lines)
        shown = [flat(row) for row, _ in zip(_rows(engine, programme, dealer), range(SHOWN), strict=False)]
        told["results"] = list(_rows(engine, programme, dealer)) if out is None else []
    finally:
        engine.close()
    table = [f"{row['dealer']:<14} {row['scope']:<24} {row['period']:<8} {row['base_amount']:>16} {row['earned']:>14}" for row in shown]
    head = f"{counted} lines, {count} results, {total} {programme.currency} earned"
    more = [] if count <= SHOWN else [f"… and {count - SHOWN} more: --out FILE has all"]
    return Answer(told, text="\n".join([head, *table, *more]))


def _share_out(engine: Bulk, programme: Programme, known_at: datetime | None, lines: Path) -> int:
    """Into a folder of Parquet files, or one file of the asked kind; it appears whole or not at all."""
    if not lines.suffix:
        return engine.share_out(programme, lines, known_at=known_at)
    if lines.suffix.lower() not in (".parquet", ".csv"):
        raise CommandFailed(
            f"{lines.name}: lines of millions are written as .parquet or .csv", "name such a file, or a folder", exits=Exit.USAGE
        )
    with tempfile.TemporaryDirectory(dir=lines.absolute().parent, prefix=f".{lines.name}.") as folder:
        written = engine.share_out(programme, Path(folder) / "parts", known_at=known_at)
        whole = Path(folder) / f"whole{lines.suffix.lower()}"
        engine.gather(Path(folder) / "parts", whole)
        whole.replace(lines)
    return written


def _rows(engine: Bulk, programme: Programme, dealer: str | None) -> Iterator[dict[str, Any]]:
    """Results in the shape that a calculation line by line gives, as far as sums tell it."""
    from channel.rebates import periods

    names = [name for name in programme.grouping.by if name != "dealer"]
    spans = {span.name: span for span in periods.of(programme)}
    nothing = f"{Decimal(0):.{programme.rounding.places}f}"
    for cell in engine.cells():
        if dealer in (None, cell.dealer):
            earned, span = f"{cell.earned:f}", spans[cell.period]
            yield {
                "programme": programme.programme, "version": programme.version, "dealer": cell.dealer,
                "scope": dict(zip(names, cell.scope, strict=True)),
                "period": {"name": cell.period, "from": span.start.isoformat(), "to": span.end.isoformat()},
                "currency": programme.currency, "method": programme.method,
                "base": {"amount": decimal_text(cell.base), "quantity": None},
                "tier": {"number": cell.tier} if cell.tier else None,
                "earned": earned, "entitled": earned, "open": earned, "payable": earned, "held": nothing, "settled": nothing,
            }  # fmt: skip

"""`hub rebates calculate` on millions of lines in Parquet: sums in sets, the same to the fen as line by line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatch
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canonical.values import decimal_text
from hub_cli.answers import Answer, CommandFailed
from hub_cli.exits import Exit

if TYPE_CHECKING:
    from channel.rebates.bulk import Bulk, Cell
    from channel.rebates.loading import Loaded
    from channel.rebates.periods import Span
    from channel.rebates.programme import Programme
    from hub_cli.rebates_outputs import Output, Ready

MANY = 200_000
"""Lines from which a Parquet file is summed in sets by itself."""
SHOWN = 40
"""Results that a person is shown; a file has all."""
TOLD = 10_000
"""So many results are also told where `--out` has them all."""
EARNED = ("earned", "entitled", "open", "payable")
"""Amounts that are one where nothing is held, lost or settled."""


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
) -> Answer | None:
    """Rate everything; results to `out`, every line with its share to `lines`. None: these facts have to be read line by line.

    Raises: BadFacts; CommandFailed for a file that cannot be written.
    """
    from channel.rebates.bulk import Bulk, NeedsLines

    engine = Bulk(_parts(facts), exported=facts.is_dir())
    try:
        return _calculated(engine, programme, as_of, known_at, out, lines, dealer)
    except NeedsLines:
        return None
    finally:
        engine.close()


def _calculated(
    engine: Bulk, programme: Programme, as_of: date, known_at: datetime | None, out: Path | None, lines: Path | None, dealer: str | None
) -> Answer:
    from hub_cli.rebates import flat
    from hub_cli.rebates_outputs import write

    count = engine.rate(programme, as_of, known_at=known_at)
    counted, total = engine.totals()
    told: dict[str, Any] = {
        "as_of": as_of.isoformat(),
        "engine": "bulk",
        "programmes": [{"programme": programme.programme, "version": programme.version, "hash": programme.hash}],
        "facts": {"counted": counted},
        "cells": count,
        "totals": [_totals(programme, total)],
    }
    with ExitStack() as beside:
        files: list[Output | Ready] = []
        if lines is not None:
            whole, told["lines"] = _shared_out(engine, programme, known_at, lines, beside)
            files.append(whole)
        if out is not None:
            files.insert(0, _results(out, told, _rows(engine, programme, dealer, as_of)))
        write(*files)
    shown = [flat(row) for row, _ in zip(_rows(engine, programme, dealer, as_of), range(SHOWN), strict=False)]
    told["results"] = list(_rows(engine, programme, dealer, as_of)) if out is None or count <= TOLD else []
    table = [f"{row['dealer']:<14} {row['scope']:<24} {row['period']:<8} {row['base_amount']:>16} {row['earned']:>14}" for row in shown]
    head = f"{counted} lines, {count} results, {total} {programme.currency} earned"
    more = [] if count <= SHOWN else [f"… and {count - SHOWN} more: --out FILE has all"]
    return Answer(told, text="\n".join([head, *table, *more]))


def _results(out: Path, told: Mapping[str, Any], rows: Iterator[dict[str, Any]]) -> Output:
    """The file of results: everything, or a row each, by its ending."""
    from hub_cli.rebates import RESULT_COLUMNS, flat
    from hub_cli.rebates_outputs import Output

    if out.suffix.lower() in (".csv", ".jsonl", ".parquet"):
        return Output(out, (flat(row) for row in rows), RESULT_COLUMNS)
    return Output(out, {**told, "results": list(rows)})


def _totals(programme: Programme, total: Decimal) -> dict[str, str]:
    """The sums of one programme, as a calculation line by line tells them."""
    from channel.rebates.reporting import MONEY

    nothing = f"{Decimal(0):.{programme.rounding.places}f}"
    sums = {name: f"{total:f}" if name in EARNED else nothing for name in MONEY}
    return {"programme": programme.key, "currency": programme.currency, **sums}


def _shared_out(engine: Bulk, programme: Programme, known_at: datetime | None, lines: Path, beside: ExitStack) -> tuple[Ready, int]:
    """Every line with its share, as a folder of Parquet files or one file of the asked kind, beside its place; and how many lines."""
    from hub_cli.rebates_files import duckdb_module
    from hub_cli.rebates_outputs import Ready, as_system_error, cannot

    place = lines.resolve()
    if place.suffix.lower() not in ("", ".parquet", ".csv"):
        raise CommandFailed(
            f"{lines.name}: lines of millions are written as .parquet or .csv", "name such a file, or a folder", exits=Exit.USAGE
        )
    if place.is_dir() and any(not fnmatch(one.name, "part-*.parquet") for one in place.iterdir()):
        raise CommandFailed(f"{lines}: the folder has other files", "name a folder that is empty or not there yet", exits=Exit.USAGE)
    try:
        folder = Path(beside.enter_context(tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.")))
    except OSError as wrong:
        raise cannot(wrong, place) from wrong
    parts, whole = folder / "parts", folder / f"whole{place.suffix.lower()}"
    try:
        written = engine.share_out(programme, parts, known_at=known_at)
        if place.suffix:
            engine.gather(parts, whole)
    except duckdb_module().IOException as wrong:
        raise cannot(as_system_error(wrong), place) from wrong
    return Ready(whole if place.suffix else parts, place), written


def _rows(engine: Bulk, programme: Programme, dealer: str | None, as_of: date) -> Iterator[dict[str, Any]]:
    """Results in the shape that a calculation line by line gives, as far as sums tell it."""
    from channel.rebates import periods
    from channel.rebates.claiming import input_vat

    names = [name for name in programme.grouping.by if name != "dealer"]
    spans = {span.name: span for span in periods.of(programme)}
    places, share = programme.rounding.places, programme.settlement.tax_rate
    nothing = f"{Decimal(0):.{places}f}"
    for cell in engine.cells():
        if dealer not in (None, cell.dealer):
            continue
        earned, span = f"{cell.earned:f}", spans[cell.period]
        tax = input_vat(cell.earned, share, places) if share is not None else None
        yield {
            "programme": programme.programme, "version": programme.version, "dealer": cell.dealer,
            "scope": dict(zip(names, cell.scope, strict=True)),
            "period": {"name": cell.period, "from": span.start.isoformat(), "to": span.end.isoformat()},
            "currency": programme.currency, "method": programme.method,
            "base": {"amount": decimal_text(cell.base), "quantity": None}, "read": decimal_text(cell.base),
            "tier": {"number": cell.tier} if cell.tier else None,
            **dict.fromkeys(EARNED, earned), **dict.fromkeys(("held", "settled", "disputed", "forfeited"), nothing),
            "payable_net": None if tax is None else f"{cell.earned - tax:f}", "payable_tax": None if tax is None else f"{tax:f}",
            "accrued": _accrued(programme, cell, span, as_of),
        }  # fmt: skip


def _accrued(programme: Programme, cell: Cell, span: Span, as_of: date) -> str | None:
    """What should be booked for a sum, by the programme's rule."""
    if programme.accrual is None:
        return None
    from channel.rebates.bands import earn, steps
    from channel.rebates.calculating import accrued
    from channel.rebates.counting import Reading
    from channel.rebates.gates import Outcome
    from channel.rebates.limits import Due
    from channel.rebates.rating import Cell as Rated
    from channel.rebates.values import ZERO

    base = Fraction(cell.base)
    reading = Reading(amount=base, value=base, pay_amount=base)
    earned = earn(programme.bands, steps(programme), base, base, ZERO, top=programme.above_top)
    rated = Rated((cell.dealer, cell.scope, span), cell.dealer, reading, reading, earned, earned.earned, base)
    return f"{accrued(programme, Due(rated, Outcome(), earned.earned, earned.earned, ZERO), as_of):f}"

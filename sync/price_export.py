"""Prices as Parquet, a file for each version: what the engine that sums millions of lines, and whoever else reads facts, reads them with.

A version of prices never changes, so its file is written once: beside its place, and renamed.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any, Final

from channel.pricing import service
from channel.pricing.flat import COLUMNS, DAYS, NUMBERS, rows
from sync.hub import Hub
from sync.runs import RunResult, running

_DECIMAL: Final = "DECIMAL(28, 8)"
NOTHING: Final = r"\N"
"""No value, which an empty text is not."""


def name_of(version: int) -> str:
    """The file of a version."""
    return f"prices-{version:012}.parquet"


def export(hub: Hub, folder: Path, *, version: int | None = None) -> RunResult:
    """Write the prices of a version, the newest when none is named; one that is there is not written again. Raises: NotFoundHere."""
    with running(hub, "price_export", detail=str(folder)) as run:
        with hub.transaction() as db:
            book = service.book(db.connection, version)
        run.counts({"version": book.version})
        target = folder / name_of(book.version)
        if not target.exists():
            run.counts({"prices": _write(target, book)})
    return run.result


def _write(target: Path, book: service.Book) -> int:
    import duckdb  # noqa: PLC0415  heavy, and an extra

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part.") as home:
        text, part = Path(home) / "prices.csv", Path(home) / "prices.parquet"
        with text.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            for row in rows(book.prices):
                table.writerow([book.version, *(_cell(row.get(name, None if name in NUMBERS | DAYS else "")) for name in COLUMNS)])
        kinds = ["'price_version': 'BIGINT'", *(f"'{name}': '{_kind(name)}'" for name in COLUMNS)]
        with duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "1GB"}) as db:
            found = db.execute(
                f"COPY (SELECT * FROM read_csv({_quoted(text)}, header = false, columns = {{{', '.join(kinds)}}}, auto_detect = false, "
                f"delim = ',', quote = '\"', escape = '\"', nullstr = '{NOTHING}', allow_quoted_nulls = false, null_padding = false)) "
                f"TO {_quoted(part)} (FORMAT parquet, COMPRESSION zstd)"
            ).fetchall()
        part.replace(target)
    return int(found[0][0])


def _kind(name: str) -> str:
    return _DECIMAL if name in NUMBERS else "DATE" if name in DAYS else "VARCHAR"


def _cell(value: Any) -> str:
    return NOTHING if value is None else str(value)


def _quoted(path: Path) -> str:
    """A path as an SQL text."""
    return "'" + str(path).replace("'", "''") + "'"

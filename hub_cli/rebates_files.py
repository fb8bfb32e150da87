"""The files that `hub rebates` reads: facts and dealers from CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from channel.rebates.errors import BadFacts, Flaw

if TYPE_CHECKING:
    from channel.rebates.facts import Table
    from channel.rebates.selecting import Dealers
    from channel.tables import Rows

DEALER_COLUMNS: Final = frozenset(("id", "name", "grade", "region", "channel", "parent", "valid_from", "valid_to"))


def facts(path: Path, dealers: Dealers | None) -> Table:
    """The facts of a file. dealers: the only ones that are known, if a file of them was given. Raises: BadFacts."""
    from channel.rebates.facts import from_rows

    columns, rows = table(path)
    return from_rows(columns, rows, str(path), dealers=dealers.ids if dealers is not None else None, exported=path.is_dir())


def dealers(path: Path) -> Dealers:
    """The dealers of a file: id, and where known grade, region, channel, parent, valid_from, valid_to. Raises: BadFacts."""
    from canonical.values import BadValue
    from channel.rebates.selecting import Dealer, Dealers
    from channel.rebates.values import day

    columns, rows = table(path)
    if "id" not in columns:
        raise _bad(path, "missing_column", "id", "the column is missing", "add a column id", 1)
    unknown = sorted(set(columns) - DEALER_COLUMNS)
    if unknown:
        raise _bad(path, "unknown_column", unknown[0], "there is no such column", f"one of {', '.join(sorted(DEALER_COLUMNS))}", 1)
    found = []
    for line, row in rows:
        said: dict[str, Any] = {name: str(value).strip() for name, value in row.items() if value not in (None, "")}
        if "id" not in said:
            raise _bad(path, "missing", "id", "the id is empty", "give every dealer its code", line)
        try:
            said.update({name: day(said[name]) for name in ("valid_from", "valid_to") if name in said})
        except BadValue as wrong:
            raise _bad(path, "bad_date", "valid_from", str(wrong), "write YYYY-MM-DD", line) from wrong
        found.append(Dealer(**said))
    return Dealers(found)


def _bad(path: Path, code: str, where: str, what: str, fix: str, line: int | None = None) -> BadFacts:
    return BadFacts([Flaw(code, where, what, fix, line, str(path))])


def table(path: Path) -> tuple[list[str], Rows]:
    """The columns of a CSV or Parquet file, or of an exported folder, and its rows, each with its line.

    Raises: BadFacts, of the rows as they are read.
    """
    if path.is_dir():
        from channel.rebates.exported import parts_of

        return _parquet(path, parts_of(path))
    if path.suffix.lower() == ".parquet":
        return _parquet(path, [path])
    try:
        raw = path.read_bytes()
    except OSError as wrong:
        raise _bad(path, "unreadable", "file", wrong.strerror or "it cannot be read", "check the path") from wrong
    text = _decoded(path, raw)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [name.strip() for name in next(reader)]
    except (StopIteration, csv.Error) as wrong:
        raise _bad(path, "empty", "file", "there is no head line", "begin with the names of the columns", 1) from wrong
    _separated(path, columns)
    return columns, _csv(path, columns, reader)


def _decoded(path: Path, raw: bytes) -> str:
    """UTF-8, or GB18030 as Excel saves CSV on a Chinese Windows. Raises: BadFacts for anything else."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw[: wrong.start].count(b"\n") + 1
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError:
            what = "the file is neither UTF-8 nor GB18030"
            raise _bad(path, "encoding", "file", what, "save it as UTF-8 (in Excel: CSV UTF-8)", line) from wrong
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise _bad(path, "encoding", "file", "the file has zero bytes (UTF-16?)", "save it as UTF-8", line)
    return text


def _separated(path: Path, columns: Sequence[str]) -> None:
    """Raises: BadFacts for a head line that is cut by something else than commas."""
    for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("，", "full-width commas"), ("|", "bars")):
        if len(columns) == 1 and sign in columns[0]:
            raise _bad(path, "separator", "header", f"the columns are apart by {name}", "save it with commas", 1)


def _csv(path: Path, columns: Sequence[str], reader: Any) -> Iterator[tuple[int, Mapping[str, str]]]:
    line = reader.line_num + 1
    try:
        for cells in reader:
            if cells:
                if len(cells) != len(columns):
                    what = f"{len(cells)} cells, but {len(columns)} columns"
                    raise _bad(path, "cells", "row", what, "put a text with a comma in quotes, or add the missing cells", line)
                yield line, dict(zip(columns, cells, strict=True))
            line = reader.line_num + 1
    except csv.Error as wrong:
        raise _bad(path, "quotes", "row", str(wrong), "close the quotes", line) from wrong


def _parquet(path: Path, parts: Sequence[Path]) -> tuple[list[str], Rows]:
    from channel.rebates.bulk_looking import floats

    duckdb = duckdb_module()
    connection = duckdb.connect(":memory:", config={"threads": "1"})
    try:
        found = connection.execute("SELECT * FROM read_parquet(?, union_by_name = true)", [[str(part) for part in parts]])
    except duckdb.Error as wrong:
        raise _bad(path, "unreadable", "file", str(wrong).splitlines()[0], "give a Parquet file") from wrong
    columns = [str(column[0]) for column in found.description]
    if flaws := floats({str(column[0]): str(column[1]) for column in found.description}, str(path)):
        raise BadFacts(flaws)
    return columns, _fetched(found, columns)


def _fetched(found: Any, columns: Sequence[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    line = 0
    while rows := found.fetchmany(10_000):
        for row in rows:
            line += 1
            yield line, dict(zip(columns, row, strict=True))


def duckdb_module() -> Any:
    """DuckDB. Raises: CommandFailed where the extra `resolve` is not installed."""
    try:
        import duckdb
    except ImportError as wrong:
        from hub_cli.answers import CommandFailed
        from hub_cli.exits import Exit

        raise CommandFailed(
            "Parquet needs DuckDB", "install channel-hub[resolve], or give CSV", code="rebates/no-duckdb", exits=Exit.UNFIT
        ) from wrong
    return duckdb

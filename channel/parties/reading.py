"""The CSV of records: read whole or refused with its line, and prepared on all cores into Parquet files, for little memory."""

from __future__ import annotations

import csv
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from channel.deals.matching.encodings import Undecodable, encoding_of
from channel.parties.errors import BadRecords
from channel.parties.preparing import COLUMNS, Row, prepare

if TYPE_CHECKING:
    import pyarrow as pa

FIELDS = ("rid", "source", "name", "uscc", "phone", "contact", "city", "addr")
NUMBERS = ("latin", "registered")
CHUNK = 25_000
ALONE = 20_000
"""Up to so many records one process is quicker than several."""

Record = tuple[int, str, str, str, str, str, str, str]
"""Line, rid, name, uscc, phone, contact, city, addr."""
Tell = Callable[[str, int, int], None]
"""(step, done, of); `of` is 0 while it is unknown."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Where the prepared records lie."""

    files: list[str]
    records: int


def read(path: Path) -> Iterator[Record]:
    """The file's records. Columns may stand in any order, others than FIELDS are skipped, `rid` and `name` must be there.

    Raises: BadRecords with file and line.
    """
    if not path.is_file():
        raise BadRecords("there is no such file", where=str(path), next_step="name a CSV file with the columns " + ",".join(FIELDS))
    line = 1
    try:
        with path.open(encoding=encoding_of(path), newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            places = _places(path, header)
            line = reader.line_num + 1
            for row in reader:
                if row:
                    yield _record(path, line, row, places, len(header))
                line = reader.line_num + 1
    except csv.Error as wrong:
        raise BadRecords(f"not CSV: {wrong}", where=f"{path}:{line}", next_step="mend the line, or export the file anew") from wrong
    except Undecodable as wrong:
        raise BadRecords(wrong.what, where=f"{path}:{wrong.line}", next_step="save the file as UTF-8 or as GB18030") from wrong
    except UnicodeDecodeError as wrong:
        raise BadRecords("changed while it was read", where=f"{path}:{line}", next_step="run it again when nobody writes to it") from wrong


def _places(path: Path, header: Sequence[str]) -> tuple[int, ...]:
    missing = [name for name in ("rid", "name") if name not in header]
    if missing:
        raise BadRecords(
            f"the first line has no column {', '.join(missing)}",
            where=f"{path}:1",
            next_step="the first line names them: " + ",".join(FIELDS),
        )
    twice = sorted({name for name in header if name in FIELDS and header.count(name) > 1})
    if twice:
        raise BadRecords(f"column {', '.join(twice)} stands twice", where=f"{path}:1", next_step="keep one")
    return tuple(header.index(name) if name in header else -1 for name in FIELDS if name != "source")


def _record(path: Path, line: int, row: Sequence[str], places: Sequence[int], width: int) -> Record:
    if len(row) != width:
        raise BadRecords(f"{len(row)} fields where the first line has {width}", where=f"{path}:{line}", next_step="mend the line")
    rid, name, uscc, phone, contact, city, addr = (row[place] if place >= 0 else "" for place in places)
    if not rid.strip():
        raise BadRecords("the record has no rid", where=f"{path}:{line}", next_step="give every record an identifier of its own")
    return line, rid, name, uscc, phone, contact, city, addr


# Preparing ------------------------------------------------------------------------------------------------------------------


def schema() -> pa.Schema:
    """The prepared columns as Arrow has them."""
    import pyarrow as pa  # noqa: PLC0415  an optional library

    named = [(name, pa.int32() if name in NUMBERS else pa.string()) for name in (*COLUMNS, "said")]
    return pa.schema([("rid", pa.string()), ("line", pa.int64()), *named])


def _write(records: Sequence[Record], file: str) -> str:
    import pyarrow as pa  # noqa: PLC0415  an optional library
    import pyarrow.parquet as pq  # noqa: PLC0415  an optional library

    rows: list[Row] = [prepare(*record[2:]) for record in records]
    shape = schema()
    columns = [[record[1] for record in records], [record[0] for record in records], *map(list, zip(*rows, strict=True))]
    table = pa.Table.from_arrays([pa.array(values, field.type) for values, field in zip(columns, shape, strict=True)], schema=shape)
    pq.write_table(table, file, compression="lz4")
    return file


def prepare_all(records: Iterator[Record], folder: Path, *, workers: int, tell: Tell) -> Prepared:
    """Every record prepared, in Parquet files under `folder`. Raises: what `records` raises."""
    first = list(islice(records, ALONE))
    files: list[str] = []
    if first:
        files.append(_write(first, str(folder / "0.parquet")))
        tell("prepare", len(first), 0)
    done = len(first)
    if done < ALONE or workers < 2:
        while chunk := list(islice(records, CHUNK)):
            files.append(_write(chunk, str(folder / f"{len(files)}.parquet")))
            done += len(chunk)
            tell("prepare", done, 0)
        return Prepared(files, done)
    fresh = multiprocessing.get_context("spawn")  # a fork of a process with threads (DuckDB's, Arrow's) may die
    with ProcessPoolExecutor(min(workers, os.cpu_count() or 1), mp_context=fresh) as pool:
        under_way: list[tuple[Future[str], int]] = []
        while chunk := list(islice(records, CHUNK)):
            under_way.append((pool.submit(_write, chunk, str(folder / f"{len(files) + len(under_way)}.parquet")), len(chunk)))
            while len(under_way) > workers:  # no more than that waits in memory
                done += _finished(under_way, files)
                tell("prepare", done, 0)
        while under_way:
            done += _finished(under_way, files)
            tell("prepare", done, 0)
    return Prepared(files, done)


def _finished(under_way: list[tuple[Future[str], int]], files: list[str]) -> int:
    future, size = under_way.pop(0)
    files.append(future.result())
    return size

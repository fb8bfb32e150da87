"""The files that `hub rebates` writes: JSON, CSV or Parquet, and papers. All of a command's files appear whole, or none does.

No file system puts two files into their places in one step. They are whole and on the disk before the first takes its place, the second
follows at once, and if it cannot, the first is taken back: only a process that ends between these two steps leaves one without the other.

What cannot be written is said before anything is calculated: a folder that is not there, a device, an ending of another format, a file
that the command reads.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from hub_cli.answers import CommandFailed

ENDINGS: Final = ("", ".json", ".jsonl", ".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class Output:
    """Rows for a file by its ending: .json (all), .jsonl, .csv or .parquet (rows of text); a name without ending is JSON."""

    path: Path
    rows: Iterable[Mapping[str, Any]] | Mapping[str, Any]
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """A file as it is: a PDF, a workbook."""

    path: Path
    content: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """A file or folder that was made whole already, on the disk of the place where it belongs."""

    made: Path
    place: Path


def check(wanted: Mapping[str, Path | None], read: Iterable[Path | None] = (), *, folders: bool = False) -> None:
    """Refuse what could not be written, or would be written over. wanted: option -> file. folders: a folder may be asked for.

    Raises: click.BadParameter, with the option.
    """
    taken = {path.resolve(): "the command reads it" for path in read if path is not None}
    for option, asked in wanted.items():
        if asked is None:
            continue
        path = asked.resolve()
        try:
            wrong = _wrong(path, folders=folders) or taken.get(path, "")
        except OSError as refused:
            wrong = refused.strerror or str(refused)
        if wrong:
            raise click.BadParameter(f"{asked}: {wrong}; name another file", param_hint=option)
        taken[path] = f"it is {option} already"


def _wrong(path: Path, *, folders: bool) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if path.is_dir() and not folders:
        return "it is a folder"
    if path.exists() and not path.is_file() and not path.is_dir():
        return "it is no file"
    if not os.access(path.parent, os.W_OK):
        return f"the folder {path.parent} cannot be written"
    if path.suffix.lower() not in ENDINGS:
        return f"{path.suffix} is none of {', '.join(ENDINGS[1:])}"
    return ""


def part_of(path: Path) -> Path:
    """Where a file is written until it is whole: beside it, under a name of this process."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def write(*outputs: Output | Paper | Ready) -> None:
    """All of a command's files: each is written whole and onto the disk beside its place, then all go into their places.

    A process that ends before leaves what stood there. Raises: CommandFailed; what stood in the places stands there again.
    """
    ready = [output if isinstance(output, Ready) else _beside(output.path) for output in outputs]
    place = Path()
    try:
        for output, one in zip(outputs, ready, strict=True):
            place = one.place
            if isinstance(output, Output):
                _write(one.made, place.suffix.lower(), output)
            elif isinstance(output, Paper):
                one.made.write_bytes(output.content)
            _onto_the_disk(one.made)
        _put(ready)
    except OSError as wrong:
        raise cannot(wrong, Path(wrong.filename2 or place)) from wrong
    finally:
        for one in ready:
            _remove(one.made)


def _beside(path: Path) -> Ready:
    place = path.resolve()  # a link stays one, what it names is replaced
    return Ready(part_of(place), place)


def cannot(wrong: OSError, path: Path) -> CommandFailed:
    """What is said when the disk refuses."""
    return CommandFailed(
        f"{path}: {wrong.strerror or wrong}", "make room, or name another place; nothing was written", code="rebates/cannot-write"
    )


def as_system_error(wrong: Exception) -> OSError:
    """What DuckDB says when the disk refuses, as the system says it."""
    number = re.search(r"errno\W+(\d+)", str(wrong))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(str(wrong).splitlines()[0])


def _put(ready: Sequence[Ready]) -> None:
    """Each into its place, one directly after the other; if one cannot be put there, those before it are taken back. Raises: OSError."""
    old = [one.place.with_name(f".{one.place.name}.{os.getpid()}.old") for one in ready]
    done: list[tuple[Ready, Path]] = []
    try:
        for one, before in zip(ready, old, strict=True):
            if one.made.is_file() and one.place.is_file():
                _keep(one.place, before)
        try:
            for one, before in zip(ready, old, strict=True):
                if one.made.is_dir() and one.place.exists():  # no folder goes over another in one step
                    one.place.replace(before)
                done.append((one, before))
                one.made.replace(one.place)
        except OSError:
            for one, before in reversed(done):
                _take_back(one, before)
            raise
    finally:
        for before in old:
            _remove(before)
    for folder in {one.place.parent for one in ready}:
        with suppress(OSError):  # the files are whole and in their places; not every file system can say so of a folder
            _onto_the_disk(folder, deep=False)


def _keep(place: Path, before: Path) -> None:
    """A second name for what stands in a place; where a file system has none, a copy."""
    try:
        before.hardlink_to(place)
    except OSError:
        shutil.copy2(place, before)


def _take_back(one: Ready, before: Path) -> None:
    """What stood in the place stands there again."""
    came = not one.made.exists()
    if came and not (before.is_file() and one.place.is_file()):
        one.place.replace(one.made)
    if before.exists():
        before.replace(one.place)


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _onto_the_disk(path: Path, *, deep: bool = True) -> None:
    """Wait until a file, or a folder with what is in it, is on the disk: a name must not outlive a power cut that the rows do not."""
    for inside in path.iterdir() if deep and path.is_dir() else ():
        _onto_the_disk(inside)
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(part: Path, ending: str, output: Output) -> None:
    match ending:
        case ".csv":
            _write_csv(part, output)
        case ".jsonl":
            with part.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in output.rows)
        case ".parquet":
            _write_parquet(part, output)
        case _:
            told = output.rows if isinstance(output.rows, Mapping) else list(output.rows)
            part.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_csv(part: Path, output: Output) -> None:
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(output.columns)
        rows: Iterable[Any] = output.rows
        writer.writerows([_cell(row[name]) for name in output.columns] for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _write_parquet(part: Path, output: Output) -> None:
    from hub_cli.rebates_files import duckdb_module

    duckdb, csv_part = duckdb_module(), part.with_name(f"{part.name}.csv")
    try:
        _write_csv(csv_part, output)
        connection = duckdb.connect(":memory:", config={"threads": "1"})
        source, target = (str(name).replace("'", "''") for name in (csv_part, part))
        form = "header = true, all_varchar = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"'"
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in output.columns)
        connection.execute(f"COPY (SELECT * FROM read_csv('{source}', {form}, columns = {{{columns}}})) TO '{target}' (FORMAT parquet)")
    except duckdb.IOException as wrong:
        raise as_system_error(wrong) from wrong
    finally:
        csv_part.unlink(missing_ok=True)

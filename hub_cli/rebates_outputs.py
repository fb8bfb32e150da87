"""The files that `hub rebates` writes: JSON, CSV or Parquet. All of a command's files appear whole, or none does.

What cannot be written is said before anything is calculated: a folder that is not there, a device, an ending of another format, a file
that the command reads.
"""

from __future__ import annotations

import csv
import json
import os
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


def write(*outputs: Output) -> None:
    """Write files: first all beside their places, then each in its place. Raises: CommandFailed; nothing is left then."""
    done: list[tuple[Path, Path]] = []
    try:
        for output in outputs:
            path = output.path.resolve()  # a link stays one, what it names is replaced
            done.append((part_of(path), path))
            _write(done[-1][0], path.suffix.lower(), output)
        for part, path in done:
            part.replace(path)
    except OSError as wrong:
        raise cannot(wrong, done[-1][1]) from wrong
    finally:
        for part, _ in done:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def cannot(wrong: OSError, path: Path) -> CommandFailed:
    """What is said when the disk refuses."""
    return CommandFailed(
        f"{path}: {wrong.strerror or wrong}", "make room, or name another place; nothing was written", code="rebates/cannot-write"
    )


def put(made: Path, place: Path) -> None:
    """A folder that is whole into its place; what a run before left there is replaced as a whole. Raises: CommandFailed."""
    old = part_of(place)
    try:
        if place.exists():
            place.rename(old)
        made.rename(place)
    except OSError as wrong:
        raise cannot(wrong, place) from wrong
    shutil.rmtree(old, ignore_errors=True)


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
        raise OSError(str(wrong).splitlines()[0]) from wrong
    finally:
        csv_part.unlink(missing_ok=True)

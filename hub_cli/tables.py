"""Tables that people hand to a command: CSV or Excel with a heading, or JSON; every cell is text, every row knows its place in the file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub_cli.answers import CommandFailed
from hub_cli.exits import Exit

MOST_BYTES = 20 * 2**20
"""A table of more than 20 MiB is a mistake."""


class BadTable(CommandFailed):
    """A file that is no such table; `errors` names each wrong cell."""

    def __init__(self, what: str, next_step: str, errors: Sequence[dict[str, str]] = ()) -> None:
        self.errors = list(errors)
        super().__init__(what, next_step, exits=Exit.USAGE)


def kind_of(file: Path, known: Sequence[str]) -> str:
    """The file's ending, when it is one of `known`. Raises: BadTable."""
    kind = file.suffix.lower()
    if kind not in known:
        raise BadTable(f"{file.name} is none of {', '.join(known)}", "save it as one of them, and name it so")
    if file.exists() and file.stat().st_size > MOST_BYTES:
        raise BadTable(f"{file.name} is larger than {MOST_BYTES >> 20} MiB", "split it")
    return kind


def read_rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV, Excel or JSON file, by column; `row` is the line in the file, or the place in the list.

    Rows without any value are left out. Raises: BadTable, with every cell that is no text.
    """
    kind = kind_of(file, (".csv", ".xlsx", ".json"))
    if kind == ".xlsx":
        return _excel_rows(file, columns)
    return _json_rows(file, columns) if kind == ".json" else _csv_rows(file, columns)


def _csv_rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    table = read_csv(file)
    if not table or [cell.strip() for cell in table[0][: len(columns)]] != list(columns):
        raise BadTable(f"{file.name}:1: the first row is not {','.join(columns)}", "write these columns, in this order")
    rows = []
    for number, cells in enumerate(table[1:], start=2):
        row = dict(zip(columns, [*(cell.strip() for cell in cells), *[""] * len(columns)], strict=False))
        if any(row.values()):
            rows.append({**row, "row": str(number)})
    return rows


def _excel_rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    from mappings.excel import NotAWorkbook, table

    try:
        rows, errors = table(file.read_bytes(), columns)
    except NotAWorkbook as wrong:
        raise BadTable(f"{file.name}: {wrong}", "save it from Excel as .xlsx") from wrong
    if errors:
        told = [{"where": error.cell, "what": error.why, "next_step": error.fix} for error in errors]
        raise BadTable(f"{file.name} has {len(errors)} mistakes", "mend these cells", told)
    return [{**row, "row": str(number)} for number, row in rows]


def _json_rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        document = json.loads(file.read_bytes().decode("utf-8-sig"), parse_int=str, parse_float=str)
    except UnicodeDecodeError as wrong:
        raise BadTable(f"{file.name} is not UTF-8 at byte {wrong.start}", "save it as UTF-8") from wrong
    except json.JSONDecodeError as wrong:
        raise BadTable(f"{file.name}:{wrong.lineno}: {wrong.msg}", "give a list of objects") from wrong
    if not isinstance(document, list):
        raise BadTable(f"{file.name} holds no list", f"give a list of objects with {', '.join(columns)}")
    errors = [error for number, row in enumerate(document, 1) for error in _wrong_in(row, columns, number)]
    if errors:
        raise BadTable(f"{file.name} has {len(errors)} mistakes", "mend these rows", errors)
    return [{**{name: row.get(name) or "" for name in columns}, "row": str(number)} for number, row in enumerate(document, 1)]


def _wrong_in(row: Any, columns: Sequence[str], number: int) -> list[dict[str, str]]:
    if not isinstance(row, dict):
        return [{"where": f"row {number}", "what": "no object", "next_step": f"give an object with {', '.join(columns)}"}]
    unknown = [name for name in row if name not in columns]
    no_text = [name for name in columns if not isinstance(row.get(name, ""), str | None)]
    return [
        *({"where": f"row {number}", "what": f"{name} is no column", "next_step": f"use {', '.join(columns)}"} for name in unknown),
        *({"where": f"row {number}", "what": f"{name} is no text", "next_step": "write it in quotes"} for name in no_text),
    ]


def read_csv(file: Path) -> list[list[str]]:
    """The cells of a CSV file in UTF-8, or as Excel saves it on a Chinese Windows. Raises: BadTable."""
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError as wrong:
            raise BadTable(f"{file.name} is neither UTF-8 nor GB18030", "save it as UTF-8") from wrong
    return [
        [cell.removeprefix("'") if cell[:2] in ("'=", "'+", "'-", "'@") else cell for cell in row] for row in csv.reader(io.StringIO(text))
    ]

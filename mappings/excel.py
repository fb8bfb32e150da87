"""Value maps to and from Excel: what people fill in, checked cell by cell, and shown as a list of changes before anything is stored.

Pure functions over rows; reading and storing them is the engine's. Text is written as text: a value like `=1+1` stays those characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from itertools import pairwise
from typing import Any, Literal, NamedTuple
from zipfile import BadZipFile, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

COLUMNS = ("name", "system", "company", "vendor_value", "canonical_value", "valid_from", "valid_to", "note")
_ASKED = 7  # a file without notes is one too
_WIDTHS = (20, 18, 12, 28, 28, 12, 12, 40)
_NEEDED = ("name", "system", "vendor_value", "canonical_value")

MAX_ROWS = 50_000
MAX_BYTES = 20 * 1024 * 1024
_MAX_UNPACKED = 200 * 1024 * 1024
_MAX_TEXT = 200
# Control characters cannot be stored in a workbook, and mean nothing in a code.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Row(NamedTuple):
    """One row of a value map. Time: days of the company's calendar; `valid_to` is the last day, inclusive; None: no end."""

    name: str
    """Name of the map: salesperson, unit, ..."""
    system: str
    vendor_value: str
    canonical_value: str
    company: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, date | None]:
        """What makes it the same row before and after an edit."""
        return (self.name, self.system, self.company, self.vendor_value, self.valid_from)


class CellError(NamedTuple):
    """A mistake in a workbook."""

    cell: str
    """`D17`"""
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One change that an import would make."""

    kind: Literal["add", "change", "remove"]
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. Nothing is imported while there are errors."""

    edits: Sequence[Edit]
    unchanged: int
    rows: Sequence[Row] = field(default_factory=tuple)
    """All filled rows of the workbook, in its order."""
    errors: Sequence[CellError] = field(default_factory=tuple)


class NotAWorkbook(ValueError):
    """The file is no .xlsx workbook that can be read safely. The text says why."""


def to_workbook(rows: Iterable[Row], missing: Iterable[Row] = ()) -> bytes:
    """A workbook of value maps; rows of `missing` (values that records wait for) follow with an empty canonical value to fill in."""
    book = Workbook()
    sheet = book.active
    if sheet is None:  # pragma: no cover  # a new workbook has one
        raise NotAWorkbook("the workbook has no sheet")
    sheet.title = "value maps"
    for number, (title, width) in enumerate(zip(COLUMNS, _WIDTHS, strict=True), 1):
        sheet.cell(1, number, title).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = "A2"
    for line, row in enumerate((*sorted(rows, key=_order), *missing), 2):
        for number, name in enumerate(COLUMNS, 1):
            value = getattr(row, name)
            if value in (None, ""):
                continue
            cell = sheet.cell(line, number)
            if isinstance(value, date):
                cell.value, cell.number_format = value, "yyyy-mm-dd"
            else:
                # Typed as text, and marked so for the program that opens it: a formula would run there.
                cell.value = _CONTROL.sub("", value)
                cell.data_type, cell.number_format, cell.quotePrefix = "s", "@", True
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def preview(
    workbook: bytes, present: Iterable[Row], *, canonical: Mapping[str, Iterable[str]] | None = None, whole: bool = False
) -> Preview:
    """What importing a workbook would change, or which cells are wrong.

    `canonical` names the values allowed per map, where they are known. With `whole` the workbook is everything there is of the maps and
    systems it mentions: rows that it lacks are removed. Rows without vendor or canonical value are left out: they wait to be filled in.
    Raises: NotAWorkbook.
    """
    rows, errors = _rows(workbook)
    allowed = {name: frozenset(values) for name, values in (canonical or {}).items()}
    wanted: dict[tuple[Any, ...], tuple[int, Row]] = {}
    for line, row in rows:
        errors += _row_errors(line, row, allowed)
        if row.key in wanted:
            errors.append(CellError(f"D{line}", f"{row.vendor_value!r} is already in row {wanted[row.key][0]}", "Keep one of the two rows"))
        wanted[row.key] = (line, row)
    errors += _overlaps(wanted)
    if errors:
        return Preview((), 0, errors=tuple(errors))
    before = {row.key: row for row in present}
    edits = [Edit("change" if key in before else "add", before.get(key), row) for key, (_, row) in wanted.items() if before.get(key) != row]
    if whole:
        touched = {(row.name, row.system) for _, row in wanted.values()}
        edits += [Edit("remove", row, None) for key, row in before.items() if key not in wanted and (row.name, row.system) in touched]
    filled = tuple(row for _, row in wanted.values())
    return Preview(tuple(edits), sum(before.get(row.key) == row for row in filled), filled)


def _order(row: Row) -> tuple[str, ...]:
    return (row.name, row.system, row.company, row.vendor_value, str(row.valid_from or ""))


def table(workbook: bytes, columns: Sequence[str]) -> tuple[list[tuple[int, dict[str, str]]], list[CellError]]:
    """The rows of another table's workbook: (line, text by column), without empty rows; and every cell that is no text.

    Raises: NotAWorkbook.
    """
    lines = _lines(workbook, len(columns))
    if not lines or [str(title or "").strip() for title in lines[0]] != list(columns):
        return [], [CellError("A1", f"the first row is not {', '.join(columns)}", "Write these titles, in this order")]
    errors: list[CellError] = []
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if any(value not in (None, "") for value in line):
            cells = [_text(value, f"{get_column_letter(place)}{number}", errors) for place, value in enumerate(line, 1)]
            rows.append((number, dict(zip(columns, cells, strict=False))))
    return rows, errors


def _lines(workbook: bytes, width: int) -> list[list[Any]]:
    _check_size(workbook)
    try:
        book = load_workbook(BytesIO(workbook), read_only=True, data_only=False)
        sheet = book.worksheets[0]
        lines = [[_content(cell) for cell in line] for line in sheet.iter_rows(min_row=1, max_row=MAX_ROWS + 2, max_col=width)]
    except (BadZipFile, InvalidFileException, KeyError, IndexError, ValueError, OSError) as wrong:
        raise NotAWorkbook("this is no .xlsx workbook; save it from Excel as .xlsx") from wrong
    if len(lines) > MAX_ROWS + 1:
        raise NotAWorkbook(f"more than {MAX_ROWS} rows; split the workbook")
    return lines


def _rows(workbook: bytes) -> tuple[list[tuple[int, Row]], list[CellError]]:
    lines = _lines(workbook, len(COLUMNS))
    if not lines or tuple(lines[0][:_ASKED]) != COLUMNS[:_ASKED]:
        return [], [CellError("A1", "the first row is not the heading that an export has", "Export the value maps and fill in that file")]
    found: list[tuple[int, Row]] = []
    errors: list[CellError] = []
    for number, line in enumerate(lines[1:], 2):
        if all(value in (None, "") for value in line):
            continue
        row, mistakes = _row(number, line)
        errors += mistakes
        if row is not None:
            found.append((number, row))
    return found, errors


class _Formula(str):
    """A cell that Excel computes."""

    __slots__ = ()


def _content(cell: Any) -> Any:
    return _Formula(cell.value) if getattr(cell, "data_type", "") == "f" else cell.value


def _check_size(workbook: bytes) -> None:
    if len(workbook) > MAX_BYTES:
        raise NotAWorkbook(f"larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        with ZipFile(BytesIO(workbook)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except BadZipFile as wrong:
        raise NotAWorkbook("this is no .xlsx workbook; save it from Excel as .xlsx") from wrong
    if unpacked > _MAX_UNPACKED:
        raise NotAWorkbook("it unpacks to more than a value map can be")


def _row(number: int, line: list[Any]) -> tuple[Row | None, list[CellError]]:
    errors: list[CellError] = []
    values: dict[str, Any] = {}
    for index, name in enumerate(COLUMNS):
        cell = f"{chr(ord('A') + index)}{number}"
        value = line[index] if index < len(line) else None
        if name.startswith("valid_"):
            values[name] = _day(value, cell, errors)
        else:
            values[name] = _text(value, cell, errors)
    if not (values["canonical_value"] and values["vendor_value"]) and not errors:
        return None, []
    for name in _NEEDED:
        if not values[name] and not errors:
            errors.append(CellError(f"{chr(ord('A') + COLUMNS.index(name))}{number}", "empty", f"Fill in the column {name}"))
    return (None if errors else Row(**values)), errors


def _text(value: Any, cell: str, errors: list[CellError]) -> str:
    if value is None:
        return ""
    if isinstance(value, _Formula):
        errors.append(CellError(cell, "a formula", "Type the value itself"))
        return ""
    if isinstance(value, bool | datetime | date):
        errors.append(CellError(cell, f"Excel made {value} of what was typed", "Format the column as text and type it again"))
        return ""
    if isinstance(value, float):
        # A code like 001 or 1E5 that Excel took for a number has lost what was typed; whole numbers have not.
        if not value.is_integer() or abs(value) >= 10**15:
            errors.append(
                CellError(cell, f"Excel made the number {value} of what was typed", "Format the column as text and type it again")
            )
            return ""
        value = int(value)
    text = str(value).strip()
    if len(text) > _MAX_TEXT:
        errors.append(CellError(cell, f"longer than {_MAX_TEXT} characters", "Shorten it"))
    elif _CONTROL.search(text):
        errors.append(CellError(cell, "holds a character that cannot be shown", "Type it again"))
    return text


def _day(value: Any, cell: str, errors: list[CellError]) -> date | None:
    if value in (None, ""):
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        errors.append(CellError(cell, f"{str(value)[:30]!r} is no day", "Write it like 2026-01-31"))
        return None


def _row_errors(line: int, row: Row, allowed: Mapping[str, frozenset[str]]) -> list[CellError]:
    errors = []
    if row.name in allowed and row.canonical_value not in allowed[row.name]:
        known = ", ".join(sorted(allowed[row.name])[:8])
        errors.append(CellError(f"E{line}", f"{row.canonical_value!r} is no canonical value of {row.name}", f"Known are: {known}"))
    if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
        errors.append(CellError(f"G{line}", "ends before it begins", "Correct one of the two days"))
    return errors


def _overlaps(wanted: Mapping[tuple[Any, ...], tuple[int, Row]]) -> list[CellError]:
    """Two rows of one value that are valid on the same day."""
    groups: dict[tuple[str, ...], list[tuple[int, Row]]] = {}
    for line, row in wanted.values():
        groups.setdefault((row.name, row.system, row.company, row.vendor_value), []).append((line, row))
    errors = []
    for rows in groups.values():
        ordered = sorted(rows, key=lambda item: item[1].valid_from or date.min)
        for (line, row), (later, following) in pairwise(ordered):
            if (row.valid_to or date.max) >= (following.valid_from or date.min):
                errors.append(CellError(f"F{later}", f"begins before row {line} ends", "Let one end the day before the other begins"))
    return errors

"""`hub values`: value maps, and the inbox of values that records wait for."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub_cli.answers import Answer, CommandFailed, answers, plain
from hub_cli.exits import Exit
from hub_cli.listing import Lists
from hub_cli.place import Place, who
from hub_cli.tables import BadTable, kind_of, read_rows

if TYPE_CHECKING:
    from mappings.excel import Row

COLUMNS = ("name", "system", "company", "vendor_value", "canonical_value", "valid_from", "valid_to")
KINDS = (".xlsx", ".csv")


@click.group(cls=Lists)
def values() -> None:
    """Value maps: what is missing, list, fill in, import, export. Without a word: list."""


@values.command()
@click.pass_obj
@answers
def missing(place: Place) -> Answer:
    """The inbox: values that records wait for, with an example of each. Exit code 4 when there is one."""
    from sync import valuing

    with place.open_hub() as hub:
        rows = valuing.missing(hub)
    return Answer(rows, Exit.SET_ASIDE if rows else Exit.DONE, empty="nothing is missing")


@values.command("list")
@click.option("--name", help="Only this map, e.g. salesperson.")
@click.option("--system", help="Only this system.")
@click.pass_obj
@answers
def listing(place: Place, name: str | None, system: str | None) -> Answer:
    """The maps as they stand."""
    from sync import valuing

    with place.open_hub() as hub:
        return Answer(valuing.rows(hub, name, system), empty="no values")


DAY = click.DateTime(["%Y-%m-%d"])


@values.command("set")
@click.argument("name")
@click.argument("system")
@click.argument("vendor_value")
@click.argument("canonical_value")
@click.option("--company", default="", help="Only for this company number.")
@click.option("--from", "start", type=DAY, help="Valid from this day.")
@click.option("--to", "end", type=DAY, help="Valid to this day, included.")
@click.pass_obj
@answers
def set_value(
    place: Place,
    name: str,
    system: str,
    vendor_value: str,
    canonical_value: str,
    company: str,
    start: datetime | None,
    end: datetime | None,
) -> Answer:
    """Fill one value in; the records that wait for it go by themselves. Example: hub values set salesperson kingdee YG007 E0007."""
    from sync import valuing

    with place.open_hub() as hub:
        released = valuing.set_value(
            hub, name, system, company, vendor_value, canonical_value, who(), start.date() if start else None, end.date() if end else None
        )
    return Answer({"released": released}, text=f"{released} records go on")


@values.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--name", help="Only this map.")
@click.option("--system", help="Only this system.")
@click.pass_obj
@answers
def export_file(place: Place, file: Path, name: str | None, system: str | None) -> Answer:
    """Write the maps to an Excel or CSV file, with what is missing as rows to fill in."""
    from mappings.excel import to_workbook
    from sync import valuing

    kind = kind_of(file, KINDS)
    with place.open_hub() as hub:
        rows = [{column: row.get(column) for column in COLUMNS} for row in valuing.rows(hub, name, system)]
        filled = len(rows)
        for gap in valuing.missing(hub):
            if name in (None, gap["name"]) and system in (None, gap["system"]):
                side = "vendor_value" if gap["direction"] == "in" else "canonical_value"
                rows.append({"name": gap["name"], "system": gap["system"], "company": gap["company"], side: gap["value"]})
    if kind == ".csv":
        _write_csv(file, rows)
    else:
        file.write_bytes(to_workbook([_row(row) for row in rows[:filled]], [_row(row) for row in rows[filled:]]))
    return Answer({"file": file, "rows": len(rows)}, text=f"{len(rows)} rows in {file}")


@values.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--apply", "wanted", is_flag=True, help="Take them in; without it only shows what would change.")
@click.pass_obj
@answers
def import_file(place: Place, file: Path, wanted: bool) -> Answer:  # noqa: FBT001  click's way
    """Take an Excel or CSV file in, all rows or none; rows without both values are left out.

    Without --apply it is a preview; exit code 3 when something would change.
    """
    from sync import valuing

    if kind_of(file, KINDS) == ".csv":
        rows = _read(file)
    with place.open_hub() as hub:
        if kind_of(file, KINDS) == ".xlsx":
            rows = _read_excel(file, valuing.rows(hub))
        done = plain(valuing.apply_rows(hub, rows, who(), dry_run=not wanted))
    differs = not wanted and (done["added"] or done["changed"])
    told = f"{done['added']} new, {done['changed']} changed, {done['same']} as they were"
    return Answer(
        {**done, "applied": wanted},
        Exit.DIFFERS if differs else Exit.DONE,
        told + (f"; {done['released']} records go on" if wanted else "; nothing done yet: --apply"),
    )


def _write_csv(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    table = [[_text(row.get(column)) for column in COLUMNS] for row in rows]
    with file.open("w", encoding="utf-8-sig", newline="") as out:  # Excel reads UTF-8 only with its mark
        csv.writer(out).writerows([COLUMNS, *[[_harmless(cell) for cell in row] for row in table]])


def _row(row: Mapping[str, Any]) -> Row:
    """A row of a map as Excel files hold it."""
    from mappings.excel import Row

    return Row(
        row["name"], row["system"], row.get("vendor_value") or "", row.get("canonical_value") or "", row.get("company") or "",
        row.get("valid_from"), row.get("valid_to"),
    )  # fmt: skip


def _harmless(cell: str) -> str:
    """A value that a spreadsheet would run as a formula is marked as text (CSV injection)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _read(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for row in read_rows(file, COLUMNS):
        if row["vendor_value"] and row["canonical_value"]:
            days = {side: _day(row[side], file, row["row"]) for side in ("valid_from", "valid_to")}
            rows.append({**{name: row[name] for name in COLUMNS}, **days})
    return rows


def _read_excel(file: Path, present: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All rows of a workbook; or every mistake in it, by its cell."""
    from mappings.excel import NotAWorkbook, preview

    try:
        found = preview(file.read_bytes(), [_row(row) for row in present])
    except NotAWorkbook as wrong:
        raise CommandFailed(f"{file.name}: {wrong}", "begin with `hub values export`", exits=Exit.USAGE) from wrong
    if found.errors:
        told = [{"where": error.cell, "what": error.why, "next_step": error.fix} for error in found.errors]
        raise BadTable(f"{file.name} has {len(told)} mistakes", "mend these cells; nothing was imported", told)
    return [row._asdict() for row in found.rows]


def _text(cell: Any) -> str:
    """A cell as the clerk typed it: a code that Excel took for a number loses its `.0`."""
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _day(text: str, file: Path, row: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as wrong:
        raise CommandFailed(f"{file.name}:{row}: {text!r} is no day", "write it as 2026-11-21", exits=Exit.USAGE) from wrong

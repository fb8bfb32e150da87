"""Value maps in Excel: what goes out comes back, nothing runs, and a mistake is told by cell."""

from __future__ import annotations

from datetime import date, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from mappings.excel import COLUMNS, Edit, NotAWorkbook, Row, preview, to_workbook

_CODES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=20).filter(
    lambda text: not text.isspace()
)


def row(vendor: str = "1001_GW000002_1", canonical: str = "S001", **more: Any) -> Row:
    return Row("salesperson", "kingdee", vendor, canonical, **more)


def typed(*lines: list[Any], head: tuple[str, ...] = COLUMNS) -> bytes:
    """A workbook as a person saves it."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(head))
    for line in lines:
        sheet.append(line)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.builds(row, _CODES, _CODES), max_size=8, unique_by=lambda one: one.key))
def test_what_is_exported_comes_back_unchanged(rows: list[Row]) -> None:
    back = preview(to_workbook(rows), rows)

    assert (back.edits, back.errors, back.unchanged) == ((), (), len(rows))


@pytest.mark.parametrize(
    "value", ["=1+1", '=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "007", "1E5", "0.10", "2026-01-01", "TRUE", "'=x"]
)
def test_a_code_stays_the_text_it_is(value: str) -> None:
    workbook = to_workbook([row(value)])
    cell = load_workbook(BytesIO(workbook)).worksheets[0]["D2"]

    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", value, True)
    assert preview(workbook, []).edits == (Edit("add", None, row(value)),)


def test_changes_are_shown_before_anything_is_stored() -> None:
    present = [row("a", "S001"), row("b", "S002"), row("c", "S003")]
    wanted = [row("a", "S001"), row("b", "S009"), row("d", "S004", valid_from=date(2026, 1, 1), note="新人")]

    part = preview(to_workbook(wanted), present)
    whole = preview(to_workbook(wanted), present, whole=True)

    assert part.edits == (Edit("change", present[1], wanted[1]), Edit("add", None, wanted[2]))
    assert part.unchanged == 1
    assert whole.edits == (*part.edits, Edit("remove", present[2], None))


def test_values_that_records_wait_for_can_be_filled_in() -> None:
    workbook = to_workbook([], [row("9999_GW", "")])
    book = load_workbook(BytesIO(workbook))
    still = preview(workbook, [])
    book.worksheets[0]["E2"] = "S099"
    buffer = BytesIO()
    book.save(buffer)

    assert still.edits == ()
    assert preview(buffer.getvalue(), []).edits == (Edit("add", None, row("9999_GW", "S099")),)


@pytest.mark.parametrize(
    ("line", "cell", "why"),
    [
        (["", "kingdee", "", "a", "b"], "A2", "empty"),
        (["salesperson", None, "", "a", "b"], "B2", "empty"),
        (["salesperson", "kingdee", "", 1.5, "b"], "D2", "Excel made the number 1.5"),
        (["salesperson", "kingdee", "", 1e20, "b"], "D2", "Excel made the number"),
        (["salesperson", "kingdee", "", datetime(2026, 3, 1), "b"], "D2", "Excel made 2026-03-01"),  # noqa: DTZ001
        (["salesperson", "kingdee", "", True, "b"], "D2", "Excel made True"),
        (["salesperson", "kingdee", "", "=A1", "b"], "D2", "a formula"),
        (["salesperson", "kingdee", "", "a" * 201, "b"], "D2", "longer than 200"),
        (["salesperson", "kingdee", "", "a", "b", "soon"], "F2", "'soon' is no day"),
        (["salesperson", "kingdee", "", "a", "b", "2026-02-01", "2026-01-01"], "G2", "ends before it begins"),
        (["salesperson", "kingdee", "", "a", "S777"], "E2", "no canonical value of salesperson"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_told_by_its_cell(line: list[Any], cell: str, why: str) -> None:
    found = preview(typed(line), [], canonical={"salesperson": ["S001", "b"]})

    assert found.edits == ()
    assert [error.cell for error in found.errors] == [cell]
    assert why in found.errors[0].why
    assert found.errors[0].fix


def test_a_whole_number_that_excel_made_of_a_code_is_that_code() -> None:
    assert preview(typed(["salesperson", "kingdee", 100, 17.0, "b"]), []).edits == (Edit("add", None, row("17", "b", company="100")),)


def test_the_same_value_twice_is_told_and_so_are_days_that_overlap() -> None:
    twice = preview(typed(["m", "s", "", "a", "b"], ["m", "s", "", "a", "c"]), [])
    days = preview(typed(["m", "s", "", "a", "b", "", "2026-06-30"], ["m", "s", "", "a", "c", "2026-06-30", ""]), [])
    after = preview(typed(["m", "s", "", "a", "b", "", "2026-06-30"], ["m", "s", "", "a", "c", "2026-07-01", ""]), [])

    assert [error.cell for error in twice.errors] == ["D3"]
    assert [error.cell for error in days.errors] == ["F3"]
    assert len(after.edits) == 2


@pytest.mark.parametrize("raw", [b"", b"name,system\n", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0 old excel"])
def test_what_is_no_workbook_is_told(raw: bytes) -> None:
    with pytest.raises(NotAWorkbook, match="xlsx"):
        preview(raw, [])


def test_a_workbook_of_something_else_is_told() -> None:
    found = preview(typed(["x"], head=("Name", "Phone")), [])

    assert found.errors[0].cell == "A1"


def test_a_workbook_that_unpacks_to_gigabytes_is_refused() -> None:
    from zipfile import ZIP_DEFLATED, ZipFile

    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (210 * 1024 * 1024))

    with pytest.raises(NotAWorkbook, match="unpacks"):
        preview(buffer.getvalue(), [])

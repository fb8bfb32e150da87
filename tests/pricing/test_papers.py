"""报价单: PDF and Excel for the customer, in both languages, and nothing on them that is not the customer's."""

from __future__ import annotations

import io
import re
import zlib
from base64 import a85decode
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from channel.paper import BadFont
from channel.pricing import papers
from channel.pricing.compiled import Prices
from channel.pricing.views import answer
from hub_cli.group import hub
from tests.pricing.documents import document, published

PARTS: dict[str, Any] = {
    "settings": {"tax_rate": "0.13"},
    "items": [
        {"id": "A", "name": "离心泵 <1 & 2>", "brand": "海川", "model": "HC-100", "unit": "台", "cost": "61.4371", "moq": "2",
         "lead_time": {"days": "14", "source": "工厂"}},
        {"id": "B", "name": "=HYPERLINK(1)"},
    ],
    "books": [
        {"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "1234.5678"}, {"item": "B", "price": "12345678901234567.89"}]},
    ],
    "adjustments": [
        {"id": "secret-rule", "rung": "promotion", "percent": "1"},
        {"id": "f", "name": "运费", "rung": "freight", "scope": "order", "amount": "10", "per": "order", "surcharge": True,
         "separate": True},
        {"id": "g", "rung": "promotion", "when": {"items": "A"}, "free": {"item": "B", "quantity": "1"}},
    ],
}  # fmt: skip


def told(role: str = "management", *items: str) -> dict[str, Any]:
    lines = [{"item": item, "quantity": "2"} for item in items or ("A",)]
    rules = published(document(**PARTS, ask={"role": role, "lines": lines}))
    assert rules.ask is not None
    return answer(Prices(rules), rules.ask)


def text_of(made: bytes) -> str:
    """What a PDF shows that embeds no font: UTF-16 text in Adobe's Chinese font, and Latin."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", made, re.DOTALL)
    pages = b"".join(zlib.decompress(a85decode(one.strip().removesuffix(b"~>"), adobe=False)) for one in streams)
    latin = {name for font, name in re.findall(rb"/BaseFont /(\S+).*?/Name /(\S+)", made, re.DOTALL) if font == b"Helvetica"}
    shown, font = [], b""
    for named, text in re.findall(rb"/(\S+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj", pages, re.DOTALL):
        font = named or font
        if not named:
            shown.append(_unescaped(text).decode("latin-1" if font in latin else "utf-16-be"))
    return "".join(shown)


def _unescaped(raw: bytes) -> bytes:
    simple = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

    def one(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code, 8)]) if code[:1].isdigit() else simple.get(code, code)

    return re.sub(rb"\\([0-7]{1,3}|.)", one, raw, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", ("报价单", "未税金额", "合计", "14 天")), ("en", ("Quotation", "Unit price, net", "Total", "14 days"))]
)
def test_a_pdf_has_the_lines_in_its_language(lang: Any, words: tuple[str, ...]) -> None:
    shown = text_of(papers.pdf(told(), lang, number="Q-1"))

    for part in (*words, "Q-1", "离心泵 <1 & 2>", "海川", "2,444.44", "运费"):  # 2 x 1,222.2221 = 2,444.44
        assert part in shown


def test_paper_tells_no_cost_no_rule_and_no_approval() -> None:
    data = told("management")
    shown = text_of(papers.pdf(data)) + str(cells(papers.xlsx(data)))

    assert "profit" in data
    assert [word for word in ("61.4371", "122.87", "secret-rule", "auto", "margin") if word in shown] == []


def test_the_same_answer_gives_the_same_pdf() -> None:
    assert papers.pdf(told()) == papers.pdf(told())


def cells(made: bytes) -> list[tuple[Any, ...]]:
    sheet = openpyxl.load_workbook(io.BytesIO(made)).active
    assert sheet is not None
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


def test_excel_has_numbers_that_add_up() -> None:
    data = told()

    rows = cells(papers.xlsx(data, "en"))
    head = next(row for row in rows if row[0] == "No.")
    at = head.index("Gross")
    body = rows[rows.index(head) + 1 :]
    total = next(row for row in body if row[0] == "Total")

    assert Decimal(str(total[at])) == data["gross"]
    assert sum(Decimal(str(row[at])) for row in body if row is not total and row[at] is not None) == data["gross"]


def test_excel_makes_no_formula_of_a_name_and_loses_no_digit() -> None:
    made = papers.xlsx(told("sales", "B"))
    rows = cells(made)
    sheet = openpyxl.load_workbook(io.BytesIO(made)).active
    assert sheet is not None

    assert any("=HYPERLINK(1)" in map(str, row) for row in rows)
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    assert any("24444444224444444.42" in map(str, row) for row in rows)


def test_excel_shows_figures_as_they_are_on_paper() -> None:
    lines = [{"item": "A", "quantity": "12.5"}]
    rules = published(document(**PARTS, ask={"lines": lines}))
    assert rules.ask is not None
    sheet = openpyxl.load_workbook(io.BytesIO(papers.xlsx(answer(Prices(rules), rules.ask), "en"))).active
    assert sheet is not None
    head = next(row for row in sheet.iter_rows() if row[0].value == "No.")
    first = next(sheet.iter_rows(min_row=int(head[0].row or 0) + 1))
    formats = {str(name.value): cell.number_format for name, cell in zip(head, first, strict=True)}

    expected = {"Quantity": "#,##0.0", "Tax rate": "0%", "Unit price, net": "#,##0.0000", "Gross": "#,##0.00"}
    assert formats | expected == formats
    assert next(cell for cell in head if cell.value == "Gross").alignment.horizontal == "right"


def test_a_column_of_a_spreadsheet_has_room_for_its_figures() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(papers.xlsx(told("sales", "B")))).active
    assert sheet is not None

    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, int | float):
                assert sheet.column_dimensions[cell.column_letter].width > len(f"{cell.value:,.2f}"), cell.coordinate


def test_figures_are_right_in_a_reader_without_a_chinese_font() -> None:
    made = papers.pdf(told())

    assert re.search(rb"/BaseFont /Helvetica ", made)
    assert text_of(made).endswith(told()["hash"]), "Chinese and Latin, in their order"


def test_a_control_character_in_a_name_keeps_nobody_from_the_paper() -> None:
    data = told("sales", "A")
    data["lines"][0]["name"] = "离心\x0b泵\x00"

    assert any("离心泵" in map(str, row) for row in cells(papers.xlsx(data)))
    assert papers.pdf(data).startswith(b"%PDF")


def test_a_font_that_cannot_be_embedded_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.ttf").write_bytes(b"no font at all")

    with pytest.raises(BadFont, match="cannot be embedded"):
        papers.pdf(told(), font=tmp_path / "bad.ttf")


def test_the_command_writes_both(tmp_path: Path) -> None:
    file, pdf, xlsx = tmp_path / "p.yaml", tmp_path / "q.pdf", tmp_path / "q.xlsx"
    file.write_text(document(**PARTS, ask={"lines": [{"item": "A", "quantity": "2"}]}), encoding="utf-8")

    done = CliRunner().invoke(hub, ["price", "quote", str(file), "--pdf", str(pdf), "--xlsx", str(xlsx), "--lang", "en", "--json"])

    assert done.exit_code == 0
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert cells(xlsx.read_bytes())[0][0] == "Quotation"
    assert CliRunner().invoke(hub, ["price", "quote", str(file), "--pdf", str(tmp_path / "no" / "q.pdf")]).exit_code == 1

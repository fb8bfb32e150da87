"""报价单: a priced cart as PDF and Excel for the customer, in Chinese or English.

Only what a customer may read goes on paper, by name: no rung, no cost, no approval. Formulas of a spreadsheet are not made from names that
begin with `=`. A PDF embeds the font that it is given; without one it names Adobe's Chinese font, which readers in China bring along.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from channel.pricing.errors import BadPricing, Mistake

Language = Literal["zh", "en"]
CHINESE_FONT: Final = "STSong-Light"

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("报价单", "Quotation"),
    "number": ("报价单号", "Number"),
    "dealer": ("经销商", "Dealer"),
    "customer": ("客户", "Customer"),
    "project": ("项目", "Project"),
    "version": ("版本", "Version"),
    "date": ("报价日期", "Date"),
    "valid_to": ("有效期至", "Valid until"),
    "currency": ("币种", "Currency"),
    "line": ("序号", "No."),
    "item": ("物料编码", "Item"),
    "name": ("名称", "Description"),
    "brand": ("品牌", "Brand"),
    "model": ("型号", "Model"),
    "quantity": ("数量", "Quantity"),
    "unit": ("单位", "Unit"),
    "unit_price_net": ("未税单价", "Unit price, net"),
    "unit_price_gross": ("含税单价", "Unit price, gross"),
    "tax_rate": ("税率", "Tax rate"),
    "net": ("未税金额", "Net"),
    "tax": ("税额", "Tax"),
    "gross": ("含税金额", "Gross"),
    "lead_time": ("交期", "Lead time"),
    "minimum_quantity": ("最小起订量", "Minimum"),
    "days": ("天", "days"),
    "charge": ("费用", "Charge"),
    "free": ("赠品", "Free of charge"),
    "total": ("合计", "Total"),
    "refused": ("无报价", "No price"),
    "pins": ("价格指纹", "Price fingerprint"),
}
"""What stands on paper, in Chinese and English."""

ABOVE: Final = ("version", "dealer", "customer", "project", "date", "valid_to", "currency")
"""What stands above the table, besides the number."""
COLUMNS: Final = (
    "line", "item", "name", "brand", "model", "quantity", "unit", "unit_price_net", "unit_price_gross", "tax_rate", "net", "tax", "gross",
    "lead_time", "minimum_quantity",
)  # fmt: skip
NUMBERS: Final = frozenset({"quantity", "unit_price_net", "unit_price_gross", "tax_rate", "net", "tax", "gross", "minimum_quantity"})
WIDTHS: Final = (9, 22, 34, 14, 20, 16, 11, 19, 19, 12, 22, 20, 23, 18, 16)
"""Of the PDF's columns, millimetres."""

EXCEL_DIGITS: Final = 15
"""A spreadsheet keeps so many; a longer number is written as text."""

INSTALLED: Final = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",  # Debian: fonts-wqy-microhei
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",  # Debian: fonts-droid-fallback
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",  # Fedora
    "C:/Windows/Fonts/simhei.ttf",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "/Library/Fonts/Arial Unicode.ttf",
)
"""Where fonts with Chinese and TrueType outlines usually lie."""

Cell = str | Decimal


def rows(answer: Mapping[str, Any], lang: Language) -> list[list[Cell]]:
    """The table of a quote: lines, charges, gifts, total. `answer`: of `views.answer`, whatever the role."""
    made = [_line(line, lang) for line in answer["lines"]]
    for charge in answer["charges"]:
        name = charge["name"] or charge["rule"]
        made.append(_row({"item": word("charge", lang), "name": name, **{key: charge[key] for key in ("tax_rate", "net", "tax", "gross")}}))
    free = word("free", lang)
    on_top = (gift for gift in answer["free_goods"] if not gift["within"])
    made += [_row({"item": gift["item"], "name": free, "quantity": gift["quantity"], "unit": gift["unit"]}) for gift in on_top]
    made.append(_row({"line": word("total", lang), "net": answer["net"], "tax": answer["tax"], "gross": answer["gross"]}))
    return made


def facts(answer: Mapping[str, Any], lang: Language, number: str = "") -> list[tuple[str, str]]:
    """What stands above the table."""
    found = {"number": number, **{name: str(answer.get(name) or "") for name in ABOVE}}
    return [(word(name, lang), value) for name, value in found.items() if value]


def word(name: str, lang: Language) -> str:
    """A word of the paper in its language."""
    return WORDS[name][0 if lang == "zh" else 1]


def _line(line: Mapping[str, Any], lang: Language) -> list[Cell]:
    told: dict[str, Cell] = {name: line[name] for name in COLUMNS if name in line and name != "lead_time"}
    told["line"] = line["id"]
    if (lead := line.get("lead_time")) is not None:
        told["lead_time"] = f"{lead['days']} {word('days', lang)}"
    if "refusal" in line:
        told["gross"] = word("refused", lang)
    return _row(told)


def _row(told: Mapping[str, Cell]) -> list[Cell]:
    return [told.get(name, "") for name in COLUMNS]


def _text(name: str, value: Cell) -> str:
    if not isinstance(value, Decimal):
        return str(value)
    if name == "tax_rate":
        return f"{(value * 100).normalize():f}%"
    if name in ("quantity", "minimum_quantity"):
        return f"{value.normalize():,f}"
    return f"{value:,f}"


def pdf(answer: Mapping[str, Any], lang: Language = "zh", *, number: str = "", font: Path | None = None) -> bytes:
    """The quote as PDF, A4 across; the same answer gives the same bytes. `font`: a TrueType file to embed.

    Raises: BadPricing for a font that cannot be embedded.
    """
    face = _font(font)
    normal = ParagraphStyle("n", fontName=face, fontSize=8, leading=10, wordWrap="CJK")
    title = ParagraphStyle("t", parent=normal, fontSize=16, leading=22)
    right = ParagraphStyle("r", parent=normal, alignment=2)

    def cell(name: str, value: Cell) -> Paragraph:
        return Paragraph(escape(_text(name, value)), right if name in NUMBERS else normal)

    body = [[cell(name, value) for name, value in zip(COLUMNS, row, strict=True)] for row in rows(answer, lang)]
    head = [Paragraph(escape(word(name, lang)), normal) for name in COLUMNS]
    table = Table([head, *body], colWidths=[width * mm for width in WIDTHS], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), mm / 12, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LINEABOVE", (0, -1), (-1, -1), 1, colors.black),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    above = [Paragraph(escape(f"{name}: {value}"), normal) for name, value in facts(answer, lang, number)]
    below = Paragraph(escape(f"{word('pins', lang)}: {answer['hash']}"), normal)
    out = io.BytesIO()
    paper = SimpleDocTemplate(
        out, pagesize=landscape(A4), leftMargin=10 * mm, rightMargin=10 * mm, topMargin=12 * mm, bottomMargin=12 * mm,
        title=word("title", lang), invariant=1,
    )  # fmt: skip
    paper.build([Paragraph(word("title", lang), title), *above, Spacer(1, 4 * mm), table, Spacer(1, 4 * mm), below])
    return out.getvalue()


def installed_font() -> Path | None:
    """A font of this machine that can be embedded and has Chinese; None where there is none of the usual ones."""
    return next((path for path in map(Path, INSTALLED) if path.is_file()), None)


def _font(file: Path | None) -> str:
    if file is None:
        pdfmetrics.registerFont(UnicodeCIDFont(CHINESE_FONT))
        return CHINESE_FONT
    name = f"file-{file.stem}"
    try:
        pdfmetrics.registerFont(TTFont(name, str(file), subfontIndex=0))
    except (TTFError, OSError) as wrong:
        raise BadPricing(
            [Mistake(str(file), f"the font cannot be embedded: {wrong}", "name a font with TrueType outlines (.ttf, .ttc)")]
        ) from wrong
    return name


def xlsx(answer: Mapping[str, Any], lang: Language = "zh", *, number: str = "") -> bytes:
    """The quote as an Excel workbook; amounts are numbers that Excel can add, with the decimals that were quoted."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101  a new workbook has one
    sheet.title = word("title", lang)
    sheet.append([word("title", lang)])
    sheet["A1"].font = Font(size=16, bold=True)
    for name, value in facts(answer, lang, number):
        sheet.append([name, value])
    sheet.append([])
    sheet.append([word(name, lang) for name in COLUMNS])
    for at in range(1, len(COLUMNS) + 1):
        sheet.cell(sheet.max_row, at).font = Font(bold=True)
    for row in rows(answer, lang):
        _excel_row(sheet, row)
    for at, width in enumerate(WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(at)].width = width * 3 / 4
    sheet.append([])
    sheet.append([word("pins", lang), str(answer["hash"])])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _excel_row(sheet: Any, row: Sequence[Cell]) -> None:
    at = sheet.max_row + 1
    for column, (name, value) in enumerate(zip(COLUMNS, row, strict=True), 1):
        cell = sheet.cell(at, column)
        if isinstance(value, Decimal) and len(value.as_tuple().digits) <= EXCEL_DIGITS:
            cell.value = value
            places = len(str(value).partition(".")[2])
            cell.number_format = (
                "0.####%" if name == "tax_rate" else "#,##0" + ("." + "0" * places if places and name != "quantity" else "")
            )
            cell.alignment = Alignment(horizontal="right")
        elif value != "":
            cell.value = str(value)
            cell.data_type = "s"  # a name that begins with = is a name

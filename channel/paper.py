"""What goes on paper: a title, facts, a table with figures, sentences, places to sign; as PDF or Excel, in Chinese or English.

The same paper gives the same PDF. Formulas of a spreadsheet are not made from texts that begin with `=`. A PDF embeds the font that it is
given; without one it names Adobe's Chinese font, which readers in China bring along.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final, Literal
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from channel.errors import ChannelError

Language = Literal["zh", "en"]
Cell = str | Decimal
CHINESE_FONT: Final = "STSong-Light"
EXCEL_DIGITS: Final = 15
"""A spreadsheet keeps so many; a longer number is written as text."""
WIDTH: Final = 180
"""Of what is written on an upright A4 page, millimetres."""
INSTALLED: Final = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",  # Debian: fonts-wqy-microhei
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",  # Debian: fonts-droid-fallback
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",  # Fedora
    "C:/Windows/Fonts/simhei.ttf",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "/Library/Fonts/Arial Unicode.ttf",
)
"""Where fonts with Chinese and TrueType outlines usually lie."""


class BadFont(ChannelError):
    """The font cannot be embedded."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "paper/bad-font"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: what stands above it, its columns with their shares of the width, its rows. Decimals are set to the right."""

    title: str
    columns: Sequence[str]
    widths: Sequence[int]
    rows: Sequence[Sequence[Cell]]
    total: bool = False
    """The last row is a total."""


@dataclass(frozen=True, slots=True)
class Paper:
    """One document."""

    title: str
    facts: Sequence[tuple[str, str]]
    grids: Sequence[Grid]
    sentences: Sequence[str] = ()
    about_sentences: str = ""
    signers: Sequence[tuple[str, Sequence[str]]] = ()
    """Who signs, and what each fills in by hand."""
    foot: str = ""


def installed_font() -> Path | None:
    """A font of this machine that can be embedded and has Chinese; None where there is none of the usual ones."""
    return next((path for path in map(Path, INSTALLED) if path.is_file()), None)


def face(file: Path | None) -> str:
    """The name under which a font can be used; None: Adobe's Chinese one. Raises: BadFont."""
    if file is None:
        pdfmetrics.registerFont(UnicodeCIDFont(CHINESE_FONT))
        return CHINESE_FONT
    name = f"file-{file.stem}"
    try:
        pdfmetrics.registerFont(TTFont(name, str(file), subfontIndex=0))
    except (TTFError, OSError) as wrong:
        raise BadFont(f"{file} cannot be embedded: {wrong}", next_step="name a font with TrueType outlines (.ttf, .ttc)") from wrong
    return name


def pdf(paper: Paper, *, font: Path | None = None) -> bytes:
    """The paper as PDF, A4 upright. font: a TrueType file to embed. Raises: BadFont."""
    name = face(font)
    normal = ParagraphStyle("n", fontName=name, fontSize=9, leading=13, wordWrap="CJK")
    right = ParagraphStyle("r", parent=normal, alignment=2)
    head = ParagraphStyle("h", parent=normal, fontSize=11, leading=18, spaceBefore=4 * mm)
    title = ParagraphStyle("t", parent=normal, fontSize=17, leading=26, alignment=1)
    parts: list[Flowable] = [Paragraph(escape(paper.title), title), Spacer(1, 3 * mm), _facts(paper.facts, normal)]
    for grid in paper.grids:
        parts += [Paragraph(escape(grid.title), head), _grid(grid, normal, right)]
    if paper.sentences:
        parts.append(Paragraph(escape(paper.about_sentences), head))
        parts += [Paragraph(escape(f"{at}. {sentence}"), normal) for at, sentence in enumerate(paper.sentences, 1)]
    if paper.signers:
        parts += [Spacer(1, 8 * mm), KeepTogether([_signed(paper.signers, normal)])]
    if paper.foot:
        small = ParagraphStyle("f", parent=normal, fontSize=7, leading=10, textColor=colors.grey)
        parts += [Spacer(1, 5 * mm), Paragraph(escape(paper.foot), small)]
    out = io.BytesIO()
    margins = {"leftMargin": 15 * mm, "rightMargin": 15 * mm, "topMargin": 15 * mm, "bottomMargin": 15 * mm}
    SimpleDocTemplate(out, pagesize=A4, title=paper.title, invariant=1, **margins).build(parts)
    return out.getvalue()


def shown(value: Cell) -> str:
    """A figure with its separators, a text as it is."""
    return f"{value:,f}" if isinstance(value, Decimal) else value


def _facts(facts: Sequence[tuple[str, str]], style: ParagraphStyle) -> Table:
    cells = [[Paragraph(escape(f"{name}: {value}"), style) for name, value in facts[at : at + 2]] for at in range(0, len(facts), 2)]
    padded = [[*row, *[""] * (2 - len(row))] for row in cells]
    return Table(padded, colWidths=[WIDTH * mm / 2] * 2, style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])


def _grid(grid: Grid, normal: ParagraphStyle, right: ParagraphStyle) -> Table:
    numbers = [any(isinstance(row[at], Decimal) for row in grid.rows) for at in range(len(grid.columns))]
    body = [[Paragraph(escape(shown(value)), right if isinstance(value, Decimal) else normal) for value in row] for row in grid.rows]
    head = [Paragraph(escape(name), right if numbers[at] else normal) for at, name in enumerate(grid.columns)]
    style: list[Any] = [
        ("GRID", (0, 0), (-1, -1), mm / 12, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]
    if grid.total:
        style.append(("LINEABOVE", (0, -1), (-1, -1), 1, colors.black))
    whole = sum(grid.widths)
    return Table([head, *body], colWidths=[WIDTH * mm * width / whole for width in grid.widths], repeatRows=1, style=style)


def _signed(signers: Sequence[tuple[str, Sequence[str]]], style: ParagraphStyle) -> Table:
    most = max(len(lines) for _, lines in signers)
    rows = [[Paragraph(escape(name), style) for name, _ in signers]]
    for at in range(most):
        line = [Paragraph(escape(f"{lines[at]}:") if at < len(lines) else "", style) for _, lines in signers]
        rows += [line]
    heights = [8 * mm, *[12 * mm] * most]
    box: list[Any] = [("BOX", (at, 0), (at, -1), mm / 6, colors.black) for at in range(len(signers))]
    return Table(
        rows, colWidths=[WIDTH * mm / len(signers)] * len(signers), rowHeights=heights, style=[*box, ("VALIGN", (0, 0), (-1, -1), "TOP")]
    )


def xlsx(paper: Paper) -> bytes:
    """The paper as an Excel workbook; figures are numbers that Excel can add, with the decimals that they have."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101  a new workbook has one
    sheet.title = paper.title[:31]
    _row(sheet, [paper.title], Font(size=16, bold=True))
    for name, value in paper.facts:
        _row(sheet, [name, value])
    for grid in paper.grids:
        _row(sheet, [])
        _row(sheet, [grid.title], Font(size=12, bold=True))
        _row(sheet, grid.columns, Font(bold=True))
        for at, row in enumerate(grid.rows, 1):
            last = grid.total and at == len(grid.rows)
            _row(sheet, row, Font(bold=True) if last else None, Border(top=Side(style="medium")) if last else None)
    if paper.sentences:
        _row(sheet, [])
        _row(sheet, [paper.about_sentences], Font(size=12, bold=True))
        for at, sentence in enumerate(paper.sentences, 1):
            _row(sheet, [f"{at}. {sentence}"])
    for name, lines in paper.signers:
        _row(sheet, [])
        _row(sheet, [name], Font(bold=True))
        for line in lines:
            _row(sheet, [f"{line}:"])
    if paper.foot:
        _row(sheet, [])
        _row(sheet, [paper.foot], Font(size=8))
    columns = max((len(grid.columns) for grid in paper.grids), default=2)
    for at in range(1, columns + 1):
        sheet.column_dimensions[get_column_letter(at)].width = 24
    sheet.page_setup.paperSize, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 9, 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _row(sheet: Any, values: Sequence[Cell], font: Font | None = None, border: Border | None = None) -> None:
    at = sheet.max_row + 1 if sheet.max_row > 1 or sheet["A1"].value is not None else 1
    for column, value in enumerate(values or [" "], 1):
        cell = sheet.cell(at, column)
        if font is not None:
            cell.font = font
        if border is not None:
            cell.border = border
        if isinstance(value, Decimal) and len(value.as_tuple().digits) <= EXCEL_DIGITS:
            places = len(str(value).partition(".")[2])
            cell.value, cell.number_format = value, "#,##0" + ("." + "0" * places if places else "")
            cell.alignment = Alignment(horizontal="right")
        else:
            cell.value = shown(value)
            cell.data_type = "s"  # a text that begins with = is a text

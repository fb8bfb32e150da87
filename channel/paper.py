"""What goes on paper: a title, facts, a table with figures, sentences, places to sign; as PDF or Excel, in Chinese or English.

The same paper gives the same PDF. Formulas of a spreadsheet are not made from texts that begin with `=`. A PDF embeds the font that it is
given; without one it names Adobe's Chinese font, which readers in China bring along, figures and Latin are in one that every reader has.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final, Literal
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from channel.errors import ChannelError

Language = Literal["zh", "en"]
Cell = str | Decimal
Kind = Literal["", "plain", "percent"]
"""How a column's figures are written: with the decimals that they have, without trailing zeros, as a percentage of a fraction."""
CHINESE_FONT: Final = "STSong-Light"
LATIN_FONT: Final = "Helvetica"
"""One of the fonts that every reader of PDFs has."""
EXCEL_DIGITS: Final = 15
"""A spreadsheet keeps so many; a longer number is written as text."""
CHARACTERS: Final = (3, 5)
"""Of a spreadsheet's column: so many for so many millimetres of paper."""
WIDTH: Final = 180
"""Of what is written on an upright A4 page, millimetres."""
ACROSS: Final = 277
"""The same of one that lies on its side."""
FRAME: Final = 6
"""What reportlab leaves free inside of the margins, points: texts and tables begin at one line."""
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
    """A table: what stands above it, its columns with their shares of the width, its rows. Figures are set to the right."""

    title: str
    columns: Sequence[str]
    widths: Sequence[int]
    rows: Sequence[Sequence[Cell]]
    total: bool = False
    """The last row is a total."""
    kinds: Sequence[Kind] = ()
    """By column; none: figures as they are."""

    def kind(self, column: int) -> Kind:
        """How a column's figures are written."""
        return self.kinds[column] if self.kinds else ""

    def figures(self, column: int) -> bool:
        """Whether a column has figures."""
        return any(isinstance(row[column], Decimal) for row in self.rows)


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
    across: bool = False
    """The page lies on its side: for wide tables."""


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
    """The paper as PDF, A4. font: a TrueType file to embed. Raises: BadFont."""
    name = face(font)
    normal = ParagraphStyle("n", fontName=name, fontSize=8 if paper.across else 9, leading=11 if paper.across else 13, wordWrap="CJK")
    right = ParagraphStyle("r", parent=normal, alignment=2)
    head = ParagraphStyle("h", parent=normal, fontSize=11, leading=18, spaceBefore=4 * mm)
    title = ParagraphStyle("t", parent=normal, fontSize=17, leading=26, alignment=1)
    width = ACROSS if paper.across else WIDTH
    parts: list[Flowable] = [_set(paper.title, title), Spacer(1, 3 * mm), _facts(paper.facts, normal, width)]
    for grid in paper.grids:
        parts += [_set(grid.title, head) if grid.title else Spacer(1, 3 * mm), _grid(grid, normal, right, width)]
    if paper.sentences:
        parts.append(_set(paper.about_sentences, head))
        parts += [_set(f"{at}. {sentence}", normal) for at, sentence in enumerate(paper.sentences, 1)]
    if paper.signers:
        parts += [Spacer(1, 8 * mm), KeepTogether([_signed(paper.signers, normal, width)])]
    if paper.foot:
        small = ParagraphStyle("f", parent=normal, fontSize=7, leading=10, textColor=colors.grey)
        parts += [Spacer(1, 5 * mm), _set(paper.foot, small)]
    out = io.BytesIO()
    side = (10 if paper.across else 15) * mm - FRAME
    margins = {"leftMargin": side, "rightMargin": side, "topMargin": 15 * mm, "bottomMargin": 15 * mm}
    made = SimpleDocTemplate(out, pagesize=landscape(A4) if paper.across else A4, title=paper.title, invariant=1, **margins)
    made.build(parts, onFirstPage=_numbered, onLaterPages=_numbered)
    return out.getvalue()


def _numbered(page: Any, made: Any) -> None:
    """The number of the page, at its foot."""
    page.saveState()
    page.setFont(LATIN_FONT, 7)
    page.setFillColor(colors.grey)
    page.drawRightString(made.pagesize[0] - made.rightMargin - FRAME, 8 * mm, str(made.page))
    page.restoreState()


def _set(text: str, style: ParagraphStyle) -> Paragraph:
    """A text in its style. Latin and figures have a font of their own where the Chinese one is the reader's, and of unknown widths."""
    told = escape(text)
    if style.fontName == CHINESE_FONT:
        told = re.sub(r"[!-~](?:[ -~]*[!-~])?", lambda found: f'<font name="{LATIN_FONT}">{found[0]}</font>', told)
    return Paragraph(told, style)


def _by_word(style: ParagraphStyle) -> ParagraphStyle:
    """The style for English, whose lines end between words."""
    return ParagraphStyle(f"{style.name}w", parent=style, wordWrap=None)


def shown(value: Cell, kind: Kind = "") -> str:
    """A figure with its separators, a text as it is."""
    if not isinstance(value, Decimal):
        return value
    if kind == "percent":
        return f"{(value * 100).normalize():f}%"
    return f"{value.normalize():,f}" if kind == "plain" else f"{value:,f}"


def _facts(facts: Sequence[tuple[str, str]], style: ParagraphStyle, width: int) -> Table:
    cells = [[_set(f"{name}: {value}", style) for name, value in facts[at : at + 2]] for at in range(0, len(facts), 2)]
    padded = [[*row, *[""] * (2 - len(row))] for row in cells]
    plain: list[Any] = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 1)]
    return Table(padded or [["", ""]], colWidths=[width * mm / 2] * 2, style=plain)


def _grid(grid: Grid, normal: ParagraphStyle, right: ParagraphStyle, width: int) -> Table:
    sides = [right if grid.figures(at) else normal for at in range(len(grid.columns))]
    body = [
        [_set(shown(value, grid.kind(at)), right if isinstance(value, Decimal) else normal) for at, value in enumerate(row)]
        for row in grid.rows
    ]
    head = [_set(name, _by_word(side) if name.isascii() else side) for name, side in zip(grid.columns, sides, strict=True)]
    style: list[Any] = [
        ("GRID", (0, 0), (-1, -1), mm / 12, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
    if grid.total:
        style.append(("LINEABOVE", (0, -1), (-1, -1), 1, colors.black))
    whole = sum(grid.widths)
    return Table([head, *body], colWidths=[width * mm * part / whole for part in grid.widths], repeatRows=1, style=style)


def _signed(signers: Sequence[tuple[str, Sequence[str]]], style: ParagraphStyle, width: int) -> Table:
    most = max(len(lines) for _, lines in signers)
    rows = [[_set(name, style) for name, _ in signers]]
    for at in range(most):
        line = [_set(f"{lines[at]}:" if at < len(lines) else "", style) for _, lines in signers]
        rows += [line]
    heights = [8 * mm, *[12 * mm] * most]
    box: list[Any] = [("BOX", (at, 0), (at, -1), mm / 6, colors.black) for at in range(len(signers))]
    return Table(
        rows, colWidths=[width * mm / len(signers)] * len(signers), rowHeights=heights, style=[*box, ("VALIGN", (0, 0), (-1, -1), "TOP")]
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
        if grid.title:
            _row(sheet, [grid.title], Font(size=12, bold=True))
        _row(sheet, grid.columns, Font(bold=True), right=[grid.figures(at) for at in range(len(grid.columns))])
        for at, row in enumerate(grid.rows, 1):
            last = grid.total and at == len(grid.rows)
            _row(sheet, row, Font(bold=True) if last else None, Border(top=Side(style="medium")) if last else None, kinds=grid.kinds)
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
    for at, width in enumerate(_widths(paper), 1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    if paper.across:
        sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 9, 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _widths(paper: Paper) -> list[int]:
    """Of the columns, in characters: what the widest table needs. A figure that finds no room would be shown as ####."""
    most = max((len(grid.widths) for grid in paper.grids), default=0)
    wide = [[_characters(grid, at, paper) for grid in paper.grids if at < len(grid.widths)] for at in range(most)]
    names = [2 * len(name) + 1 for name, _ in paper.facts]  # Chinese takes two each
    return [max([7, *found, *(names if at == 0 else ())]) for at, found in enumerate(wide)]


def _characters(grid: Grid, at: int, paper: Paper) -> int:
    (many, mm_long), page = CHARACTERS, ACROSS if paper.across else WIDTH
    figures = [len(shown(row[at], grid.kind(at))) + 2 for row in grid.rows if isinstance(row[at], Decimal)]
    return max([-(-page * grid.widths[at] * many // (sum(grid.widths) * mm_long)), *figures])


def _row(
    sheet: Any, values: Sequence[Cell], font: Font | None = None, border: Border | None = None, *, kinds: Sequence[Kind] = (),
    right: Sequence[bool] = (),
) -> None:  # fmt: skip
    at = sheet.max_row + 1 if sheet.max_row > 1 or sheet["A1"].value is not None else 1
    for column, value in enumerate(values or [" "], 1):
        cell = sheet.cell(at, column)
        if font is not None:
            cell.font = font
        if border is not None:
            cell.border = border
        if isinstance(value, Decimal) and len(value.as_tuple().digits) <= EXCEL_DIGITS:
            cell.value, cell.number_format = value, _format(value, kinds[column - 1] if kinds else "")
            cell.alignment = Alignment(horizontal="right")
        elif value != "":
            # A name from a connected system may hold a control character, which no sheet can.
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", format(value, "f") if isinstance(value, Decimal) else value)
            cell.data_type = "s"  # a text that begins with = is a text
            if right and right[column - 1]:
                cell.alignment = Alignment(horizontal="right")


def _format(value: Decimal, kind: Kind) -> str:
    """A spreadsheet's format that shows the figure as it is on paper."""
    told = shown(value, kind).removesuffix("%")
    places = len(told.partition(".")[2])
    decimals = "." + "0" * places if places else ""
    return f"0{decimals}%" if kind == "percent" else f"#,##0{decimals}"

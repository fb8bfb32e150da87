"""报价单: a priced cart on paper for the customer, in Chinese or English.

Only what a customer may read goes on paper, by name: no rung, no cost, no approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from channel import paper as sheets
from channel.paper import Cell, Grid, Kind, Language, Paper

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
KINDS: Final[Mapping[str, Kind]] = {"quantity": "plain", "minimum_quantity": "plain", "tax_rate": "percent"}
NUMBERS: Final = frozenset({"quantity", "unit_price_net", "unit_price_gross", "tax_rate", "net", "tax", "gross", "minimum_quantity"})
WIDTHS: Final = (10, 26, 36, 14, 22, 13, 10, 20, 20, 12, 22, 19, 22, 14, 17)
"""Of the columns, millimetres."""


def rows(answer: Mapping[str, Any], lang: Language) -> list[list[Cell]]:
    """The table of a quote: lines, charges, gifts, total. `answer`: of `views.answer`, whatever the role."""
    made = [_line(line, lang) for line in answer["lines"]]
    for charge in answer["charges"]:
        name = charge["name"] or charge["rule"]
        made.append(_row({"item": word("charge", lang), "name": name, **{key: charge[key] for key in ("tax_rate", "net", "tax", "gross")}}))
    free = word("free", lang)
    on_top = (gift for gift in answer["free_goods"] if not gift["within"])
    for gift in on_top:
        name = f"{gift['name']} ({free})" if gift.get("name") else free
        made.append(_row({"item": gift["item"], "name": name, "quantity": gift["quantity"], "unit": gift["unit"]}))
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


def paper(answer: Mapping[str, Any], lang: Language = "zh", *, number: str = "") -> Paper:
    """The quote as a paper. `answer`: of `views.answer`, whatever the role; texts of kept answers as decimals."""
    columns = tuple(word(name, lang) for name in COLUMNS)
    kinds = tuple(KINDS.get(name, "") for name in COLUMNS)
    grid = Grid("", columns, WIDTHS, rows(answer, lang), total=True, kinds=kinds)
    foot = f"{word('pins', lang)}: {answer['hash']}"
    return Paper(word("title", lang), facts(answer, lang, number), (grid,), foot=foot, across=True)


def pdf(answer: Mapping[str, Any], lang: Language = "zh", *, number: str = "", font: Path | None = None) -> bytes:
    """The quote as PDF, A4 across; the same answer gives the same bytes. `font`: a TrueType file to embed. Raises: BadFont."""
    return sheets.pdf(paper(answer, lang, number=number), font=font)


def xlsx(answer: Mapping[str, Any], lang: Language = "zh", *, number: str = "") -> bytes:
    """The quote as an Excel workbook; amounts are numbers that Excel can add, with the decimals that were quoted."""
    return sheets.xlsx(paper(answer, lang, number=number))

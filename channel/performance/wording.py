"""The sentences of a score's trace, in Chinese and English, and figures as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from canonical.rounding import exact_half_up
from canonical.values import decimal_text
from channel.performance.definitions import DEFINITIONS
from channel.performance.kpis import Kpi
from channel.performance.scoring import KpiScore

PLACES: Final = 6
Pair = dict[str, str]

UNITS: Final[Mapping[str, tuple[str, str]]] = {"days": (" 天", " days"), "hours": (" 小时", " hours"), "share": (" %", " %")}
NOTES: Final[Mapping[str, tuple[str, str]]] = {
    "few": ("项目或客户不足 5 个，不作评价", "fewer than five, which says nothing"),
    "no_denominator": ("分母为零或负数", "its denominator is zero or below"),
    "unknown": ("缺少数据", "data is missing"),
}


def number(value: Fraction | None, places: int = PLACES) -> str | None:
    """A figure as plain text, at most so many decimals. Rounds: for the display only."""
    return None if value is None else decimal_text(exact_half_up(value, places))


def figure(kpi: Kpi) -> tuple[str, str]:
    """A figure with its unit, in Chinese and English; a share in per cent with two decimals."""
    if kpi.value is None:
        return "-", "-"
    unit = DEFINITIONS[kpi.code].unit
    zh, en = UNITS.get(unit, ("", ""))
    text = number(kpi.value * 100 if unit == "share" else kpi.value, 2) or ""
    return text + zh, text + en


def scored(row: KpiScore) -> Pair:
    """What one figure gives to the score, and from what."""
    meaning, (zh, en) = DEFINITIONS[row.kpi.code], figure(row.kpi)
    weight = number(row.weight)
    if row.points is None:
        why_zh, why_en = NOTES[row.kpi.note]
        return {
            "zh": f"{meaning.zh}：无数值（{why_zh}），权重 {weight} 不计。",
            "en": f"{meaning.en}: no value ({why_en}); its weight of {weight} is left out.",
        }
    sides = (number(row.kpi.numerator), number(row.kpi.denominator)) if meaning.bottom else (None, None)
    from_zh = f"（{sides[0]} / {sides[1]}）" if sides[0] is not None else ""
    from_en = f" ({sides[0]} / {sides[1]})" if sides[0] is not None else ""
    low_zh, low_en = ("，低于底线，记零分", ", beyond the floor, no points") if row.floored else ("", "")
    points, part = number(row.points, 2), number(row.part, 2)
    return {
        "zh": f"{meaning.zh} {zh}{from_zh}{low_zh}：{points} 分，权重 {weight}，贡献 {part} 分。",
        "en": f"{meaning.en} {en}{from_en}{low_en}: {points} points at weight {weight} give {part}.",
    }


def unranked(known: Fraction) -> Pair:
    """Why a dealer has no place."""
    share = number((1 - known) * 100, 2)
    return {"zh": f"{share} % 的权重没有数值，不参与排名。", "en": f"{share} % of the weight has no value: not ranked."}

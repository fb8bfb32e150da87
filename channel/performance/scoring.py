"""The score of a dealer: each figure to points by its curve, weighted over the figures that have a value, less deductions.

>>> from decimal import Decimal
>>> line = [Point(at="0.5", points="0"), Point(at="1", points="80"), Point(at="1.2", points="100")]
>>> points_at(line, Fraction(9, 10)), points_at(line, Fraction(5)), points_at(line, Fraction(0))
(Fraction(64, 1), Fraction(100, 1), Fraction(0, 1))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from channel.performance.kpis import ZERO, Kpi
from channel.performance.scorecard import Deduction, Point, Scorecard, Scored

TOP: Final = Fraction(100)


@dataclass(frozen=True, slots=True)
class KpiScore:
    """What one figure gives to the score."""

    kpi: Kpi
    weight: Fraction
    points: Fraction | None
    """None: the figure has no value and its weight is left out."""
    part: Fraction | None
    """Points of the score that come from it: weight x points / weights with a value."""
    floored: bool = False


@dataclass(frozen=True, slots=True)
class Deducted:
    """Points that were taken off."""

    rule: Deduction
    kpi: Kpi
    points: Fraction


@dataclass(frozen=True, slots=True)
class Score:
    """A dealer's score with its trace. Exact: only a display rounds."""

    total: Fraction | None
    """0..100; None where no figure has a value."""
    known: Fraction
    """Share of the weight that has a value."""
    ranked: bool
    kpis: tuple[KpiScore, ...]
    deductions: tuple[Deducted, ...]

    def parts(self) -> dict[str, Fraction]:
        """Where the score comes from: points by figure, deductions below zero."""
        found = {one.kpi.code: one.part for one in self.kpis if one.part is not None}
        for one in self.deductions:
            if one.points:
                found[f"-{one.kpi.code}"] = found.get(f"-{one.kpi.code}", ZERO) - one.points
        return found


def points_at(curve: Sequence[Point], value: Fraction) -> Fraction:
    """The points of a value: straight lines between the points of the curve, level beyond both ends."""
    if value <= Fraction(curve[0].at):
        return Fraction(curve[0].points)
    for low, high in pairwise(curve):
        start, end = Fraction(low.at), Fraction(high.at)
        if value <= end:
            rise = Fraction(high.points) - Fraction(low.points)
            return Fraction(low.points) + rise * (value - start) / (end - start)
    return Fraction(curve[-1].points)


def score(card: Scorecard, figures: Mapping[str, Kpi]) -> Score:
    """The score: sum(weight x points) / sum(weights of figures with a value), less deductions, held within 0..100."""
    given = [(one, figures[one.kpi], *_points(one, figures[one.kpi])) for one in card.kpis]
    whole = sum((Fraction(one.weight) for one in card.kpis), ZERO)
    counted = sum((Fraction(one.weight) for one, _, points, _ in given if points is not None), ZERO)
    rows = tuple(
        KpiScore(kpi, Fraction(one.weight), points, points * Fraction(one.weight) / counted if points is not None else None, floored)
        for one, kpi, points, floored in given
    )
    off = tuple(_deducted(rule, figures[rule.kpi]) for rule in card.deductions)
    total: Fraction | None = None
    if counted:
        total = sum((row.part for row in rows if row.part is not None), ZERO) - sum((one.points for one in off), ZERO)
        total = min(TOP, max(ZERO, total))
    known = counted / whole
    return Score(total, known, total is not None and 1 - known <= Fraction(card.unranked_above), rows, off)


def _points(one: Scored, kpi: Kpi) -> tuple[Fraction | None, bool]:
    if kpi.value is None:
        return None, False
    below = one.zero_below is not None and kpi.value < Fraction(one.zero_below)
    above = one.zero_above is not None and kpi.value > Fraction(one.zero_above)
    return (ZERO, True) if below or above else (points_at(one.curve, kpi.value), False)


def _deducted(rule: Deduction, kpi: Kpi) -> Deducted:
    beyond = max(ZERO, kpi.value - Fraction(rule.beyond)) if kpi.value is not None else ZERO
    return Deducted(rule, kpi, min(Fraction(rule.most), beyond / Fraction(rule.each) * Fraction(rule.points)))

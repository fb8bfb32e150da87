"""Kept sums beside the lines that they were made of: a sample of units rated both ways must earn the same to the last digit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from channel.rebates.queries import unit_of
from channel.rebates.reckoning import queries
from channel.rebates.reckoning.families import Family
from channel.rebates.reckoning.keeping import Night, from_sums, from_touched_lines
from channel.rebates.results import Calculation

Earned = tuple[Fraction, Decimal | None]


def differing(night: Night, family: Family, family_id: int, sample: int) -> list[str]:
    """Units of a sample that sums and lines do not give the same for, each in words; a family that differs is summed anew the next time.

    To be called when nothing of the family is touched, and before other facts can come.
    """
    db = night.db
    if family.needs_lines or family.reach.who != "dealer":
        return []  # there are no sums, or no dealer can be looked at alone
    with db.transaction(force_rollback=True):
        queries.touch_sample(db, family_id, sample)
        summed = _earned(from_sums(night, family, family_id))
        exact = _earned(from_touched_lines(night, family, family_id))
    found = [
        f"{unit}: by sums {_said(summed.get(unit))}, by its lines {_said(exact.get(unit))}"
        for unit in sorted(summed.keys() | exact.keys())
        if summed.get(unit) != exact.get(unit) and (unit in summed or any(exact[unit]))
    ]
    if found:
        queries.drop(db, family.key)
    return found


def _earned(parts: Iterable[Calculation]) -> dict[str, Earned]:
    return {unit_of(result): (result.cell.rated, result.accrued) for part in parts for result in part.results}


def _said(earned: Earned | None) -> str:
    return "nothing" if earned is None else f"{earned[1] if earned[1] is not None else earned[0]}"

"""Rounding of a dealer's period as a whole, where its results are no payables by themselves (`rounding.per`).

>>> [str(part) for part in together([Fraction(1, 8), Fraction(1, 8)], Rounding())]
['0.13', '0.12']
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from canonical.rounding import exact_rounded
from channel.rebates.payment import Rounding
from channel.rebates.values import ZERO


def together(values: Sequence[Fraction], rounding: Rounding, most: Sequence[Decimal | None] | None = None) -> list[Decimal]:
    """Values in whole units that add up to their rounded sum, each within one unit of what it is.

    Each is cut down to whole units, and the units left over go to the largest rests, among equal ones to the first. Unlike a share in
    proportion this leaves whole units as they are, and holds beside values below zero, whose sum may be next to nothing.
    most: what each may be at the most (None: anything); a unit that does not fit goes to another. It must leave room for the sum.
    """
    places, mode = rounding.places, rounding.mode
    if len(values) == 1:
        return [exact_rounded(values[0], places, mode)]
    scale = 10**places
    exact = [value * scale for value in values]
    bounds = [None if bound is None else int(bound * scale) for bound in most or [None] * len(values)]
    units = [value // 1 if bound is None else min(value // 1, bound) for value, bound in zip(exact, bounds, strict=True)]
    left = int(exact_rounded(sum(exact, ZERO), 0, mode)) - sum(units)
    takers = sorted(range(len(units)), key=lambda at: units[at] - exact[at])
    for at in takers:
        bound = bounds[at]
        if left and (bound is None or units[at] < bound):
            units[at], left = units[at] + 1, left - 1
    for at in takers if left else ():
        bound = bounds[at]
        more = left if bound is None else min(left, bound - units[at])
        units[at], left = units[at] + more, left - more
    return [exact_rounded(Fraction(own, scale), places) for own in units]

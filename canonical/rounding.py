"""The one place where money is rounded, and the one way to share a rounded total out over parts.

Half away from zero, as a finance person's 四舍五入 and a spreadsheet's ROUND: 0.125 is 0.13 and -0.125 is -0.13. Libraries differ
here without saying so (Python's `round` and Polars give 0.12, DuckDB divides decimals into binary doubles), so every money path
calls this module; the bulk engine has the same rule on whole minor units, `half_up_ratio`.

>>> half_up(Decimal("2.675"), 2), half_up(Decimal("-0.125"), 2)
(Decimal('2.68'), Decimal('-0.13'))
>>> [str(part) for part in allocate(Decimal("100"), [Decimal(1), Decimal(1), Decimal(1)], 2)]
['33.34', '33.33', '33.33']
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from fractions import Fraction
from math import lcm
from typing import Any, Final, Literal

Mode = Literal["half_up", "half_even", "down", "up", "floor", "ceiling"]
"""half_up is half away from zero; half_even is the banker's; down and up are towards and away from zero."""

_MODES: Final[dict[str, str]] = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "down": ROUND_DOWN,
    "up": ROUND_UP,
    "floor": ROUND_FLOOR,
    "ceiling": ROUND_CEILING,
}
_UNITS: Final = {places: Decimal(1).scaleb(-places) for places in range(-6, 13)}
"""The last digit that is kept, by how many decimals are."""
_WIDE: Final = Context(prec=100)
"""Wide enough that no step of a money calculation loses a digit; the interpreter's own context (28 digits) is not used."""


def half_up(value: Decimal, places: int) -> Decimal:
    """`value` to `places` decimals, half away from zero; `places` may be negative (-2 is whole hundreds). Never minus zero.

    Raises: decimal.InvalidOperation for something that is no finite number.
    """
    result = value.quantize(_UNITS.get(places) or Decimal(1).scaleb(-places), ROUND_HALF_UP, _WIDE)
    return result or result.copy_abs()


def rounded(value: Decimal, places: int, mode: Mode = "half_up") -> Decimal:
    """`value` to `places` decimals in the named mode; never minus zero."""
    result = value.quantize(_UNITS.get(places) or Decimal(1).scaleb(-places), _MODES[mode], _WIDE)
    return result or result.copy_abs()


def half_up_ratio(numerator: int, denominator: int) -> int:
    """`numerator / denominator` as a whole number, half away from zero, in integers only.

    >>> half_up_ratio(5, 2), half_up_ratio(-5, 2), half_up_ratio(7, -2)
    (3, -3, -4)

    Raises: ZeroDivisionError.
    """
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    top, bottom = abs(numerator), abs(denominator)
    return sign * ((top * 2 + bottom) // (bottom * 2))


def exact_half_up(value: Fraction, places: int) -> Decimal:
    """A fraction, which may have no finite decimal form (a third), to `places` decimals half away from zero: one rounding, not two."""
    return exact_rounded(value, places, "half_up")


def exact_rounded(value: Fraction, places: int, mode: Mode = "half_up") -> Decimal:
    """A fraction to `places` decimals in the named mode, in integers only."""
    top, bottom = value.numerator * 10 ** max(places, 0), value.denominator * 10 ** max(-places, 0)
    size, rest = divmod(abs(top), bottom)
    negative, twice = top < 0, 2 * rest - bottom
    match mode:
        case "half_up":
            away = twice >= 0
        case "half_even":
            away = twice > 0 or (twice == 0 and size % 2 == 1)
        case "down":
            away = False
        case "up":
            away = rest > 0
        case "floor":
            away = rest > 0 and negative
        case "ceiling":
            away = rest > 0 and not negative
    units = size + away
    return Decimal(-units if negative else units).scaleb(-places, _WIDE)


def allocate(
    total: Decimal,
    weights: Sequence[Decimal | Fraction],
    places: int,
    *,
    order: Sequence[Any] | None = None,
    bar: Sequence[bool] | None = None,
    last_takes_rest: bool = False,
) -> list[Decimal]:
    """`total` shared out in proportion to `weights`: parts of `places` decimals that add up to `total` exactly.

    Largest remainder: every part is first cut down to whole units of its exact share, then the units left over go one each to the
    parts with the largest rest; equal rests go by `order` (say `(document date, line id)`; the position where none is given). A part
    marked in `bar` (a returned line) is rounded by itself and takes none of the units left over while an unmarked one can. So every
    part is within one unit of its exact share, and a negative total gives the negative parts of the same positive total.

    `last_takes_rest` is the other named way, for ERPs that work so: each part is rounded half up and the last in `order` that is not
    barred takes the rest.

    Weights may be negative (a return beside sales); only their sum must not be zero while there is something to share.
    Raises: ValueError when the total has more decimals than `places`, or there is nothing to share it over.
    """
    if rounded(total, places) != total:
        raise ValueError(f"{total} has more than {places} decimals: round it first")
    units = int(total.scaleb(places, _WIDE))
    shares = whole_numbers(weights)
    whole = sum(shares)
    if not whole and units:
        raise ValueError(f"{total} cannot be shared over weights that add up to zero")
    if not units:
        return [Decimal(0).scaleb(-places, _WIDE) for _ in weights]
    ranks = sorted(range(len(shares)), key=(lambda at: (order[at], at)) if order is not None else None)
    barred = bar if bar is not None else [False] * len(shares)
    sign = 1 if units > 0 else -1
    share_out = _last_takes if last_takes_rest else _largest_remainder
    parts = share_out(abs(units), shares, whole, ranks, barred)
    return [Decimal(sign * part).scaleb(-places, _WIDE) for part in parts]


def whole_numbers(values: Sequence[Decimal | Fraction]) -> list[int]:
    """The same proportions in whole numbers. Raises: ValueError or OverflowError for something that is no finite number."""
    ratios = [value.as_integer_ratio() for value in values]
    scale = lcm(*(bottom for _, bottom in ratios))
    return [top * (scale // bottom) for top, bottom in ratios]


def _largest_remainder(units: int, weights: Sequence[int], whole: int, ranks: Sequence[int], barred: Sequence[bool]) -> list[int]:
    cut = [divmod(units * weight, whole) for weight in weights]  # the rest has the sign of `whole`: rest / whole is in [0, 1)
    rests = [abs(rest) for _, rest in cut]
    parts = [half_up_ratio(units * weights[at], whole) if barred[at] else cut[at][0] for at in range(len(cut))]
    left = units - sum(parts)
    if left >= 0:
        takers = [at for at in ranks if not barred[at]]
        takers.sort(key=lambda at: -rests[at])  # a stable sort keeps `order` among equal rests
        takers += sorted((at for at in ranks if barred[at] and rests[at] and parts[at] == cut[at][0]), key=lambda at: -rests[at])
        for at in takers[:left]:
            parts[at] += 1
    else:
        givers = sorted((at for at in ranks if barred[at] and parts[at] > cut[at][0]), key=lambda at: rests[at])
        for at in givers[:-left]:
            parts[at] -= 1
    return parts


def _last_takes(units: int, weights: Sequence[int], whole: int, ranks: Sequence[int], barred: Sequence[bool]) -> list[int]:
    parts = [half_up_ratio(units * weight, whole) for weight in weights]
    last = next((at for at in reversed(ranks) if not barred[at]), ranks[-1])
    parts[last] += units - sum(parts)
    return parts

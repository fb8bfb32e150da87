"""阶梯: where a quantity or a value lies on a scale, and what each method makes of it.

point prices the whole at the step reached (20 units may cost more than 25: 20 x 2 = 40, 25 x 1 = 25); range prices each part at its
own step; block has one price for the step. A step begins with `from` (inclusive) and ends before `to`; `up_to` is inclusive.

>>> from channel.pricing.parts import Scale, Tier
>>> table = Steps(Scale(method="range", tiers=(Tier(up_to="10", price="20"), Tier(up_to="20", price="17"), Tier(price="15"))))
>>> [(str(part), str(tier.price)) for part, tier in table.parts(Decimal(0), Decimal(23))]
[('10', '20'), ('10', '17'), ('3', '15')]
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import Decimal
from itertools import pairwise
from typing import Final

from channel.pricing.parts import Scale, Tier

ZERO: Final = Decimal(0)


class Steps:
    """A scale made ready: its steps in order, found by bisection."""

    __slots__ = ("accumulated", "by", "ends", "inclusive", "method", "over", "starts", "tiers")

    def __init__(self, scale: Scale) -> None:
        self.method, self.by, self.over, self.accumulated = scale.method, scale.by, scale.over, scale.accumulated
        self.inclusive = scale.tiers[0].up_to is not None
        """Steps end with their bound, not before it."""
        tiers = scale.tiers
        if self.inclusive:
            self.tiers = tuple(sorted(tiers, key=lambda tier: (tier.up_to is None, tier.up_to or ZERO)))
            self.ends: list[Decimal | None] = [tier.up_to for tier in self.tiers]
            self.starts = [ZERO, *(tier.up_to for tier in self.tiers[:-1] if tier.up_to is not None)]
        else:
            self.tiers = tuple(sorted(tiers, key=lambda tier: tier.from_ or ZERO))
            self.starts = [tier.from_ or ZERO for tier in self.tiers]
            self.ends = [
                tier.to if tier.to is not None else after for tier, after in zip(self.tiers, [*self.starts[1:], None], strict=True)
            ]

    def find(self, value: Decimal) -> Tier | str:
        """The step that a value lies on, or `below_scale` or `above_scale`."""
        if self.inclusive:
            bounds = [end for end in self.ends if end is not None]
            at = bisect_left(bounds, value)
            return self.tiers[at] if at < len(self.tiers) else "above_scale"
        at = bisect_right(self.starts, value) - 1
        if at < 0:
            return "below_scale"
        end = self.ends[at]
        return self.tiers[at] if end is None or value < end else "above_scale"

    def parts(self, start: Decimal, size: Decimal) -> list[tuple[Decimal, Tier]]:
        """How much of what lies between `start` and `start + size` falls on each step, in order. What no step covers is left out."""
        stop = start + size
        found = []
        for tier, low, high in zip(self.tiers, self.starts, self.ends, strict=True):
            part = (stop if high is None or stop < high else high) - max(start, low)
            if part > 0:
                found.append((part, tier))
        return found

    def next_start(self, value: Decimal) -> Decimal | None:
        """The next bound above a value, where the price changes; for a to-scale the last value before it."""
        at = bisect_left(self.starts, value, 1) if self.inclusive else bisect_right(self.starts, value)
        return self.starts[at] if at < len(self.starts) else None


def faults(scale: Scale) -> list[str]:
    """What is wrong with the bounds of a scale: gaps, overlaps, a range that does not begin at zero. `what | fix`."""
    found = []
    bounds = [tier.up_to if tier.up_to is not None else tier.from_ for tier in scale.tiers]
    inclusive = scale.tiers[0].up_to is not None
    for tier, bound in zip(scale.tiers, bounds, strict=True):
        if bound is None and (tier is not scale.tiers[-1] if inclusive else tier is not scale.tiers[0]):
            found.append("a step says neither `from` nor `up_to` | only the first may leave `from` out, and only the last `up_to`")
    known = [bound for bound in bounds if bound is not None]
    if any(after <= before for before, after in pairwise(known)):
        found.append("the steps overlap or stand in no order | write them from low to high, each bound once")
    elif not inclusive:
        found += _gaps(scale)
    if scale.method == "range" and not inclusive and (scale.tiers[0].from_ or ZERO) != 0:
        found.append(
            f"a range begins at {scale.tiers[0].from_}, so nothing prices what is below | begin with from: 0; write how much is passed "
            "when a step begins: from: 10 begins with the 11th unit"
        )
    return found


def _gaps(scale: Scale) -> list[str]:
    found = []
    for tier, after in pairwise(scale.tiers):
        if tier.to is None or after.from_ is None or tier.to == after.from_:
            continue
        what = "a gap" if tier.to < after.from_ else "an overlap"
        found.append(
            f"{what} between to: {tier.to} and from: {after.from_} | `to` is exclusive: write to: {after.from_}, or use up_to (inclusive)"
        )
    return found

"""赠品: how many goods are given along with what is bought.

>>> from decimal import Decimal
>>> hundred = Free(quantity="3", for_each="100")
>>> [str(given(hundred.model_copy(update={"method": how}), Decimal(280))) for how in ("full", "proportional", "exact")]
['6', '8', '0']
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from canonical.rounding import rounded
from channel.pricing.adjustments import Free
from channel.pricing.state import round_by

ZERO: Final = Decimal(0)


def given(free: Free, bought: Decimal) -> Decimal:
    """How many are free when so many are bought; zero for none. Units: `bought` in base units, the answer in those of the gift."""
    count = _counted(free, max(bought - free.after, ZERO))
    return count if free.most is None else min(count, free.most)


def _counted(free: Free, bought: Decimal) -> Decimal:
    if free.for_each is None:
        return free.quantity
    if free.method == "proportional":
        exact = free.quantity * bought / free.for_each
        return rounded(exact, 0, "down") if free.round is None else max(round_by(exact, free.round), ZERO)
    if free.method == "exact" and bought % free.for_each:
        return ZERO
    return free.quantity * (bought // free.for_each)

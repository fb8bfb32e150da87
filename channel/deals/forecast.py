"""What the pipeline is worth: amounts and their weighted part by month, dealer, product line, stage, currency. Pure and exact.

>>> from datetime import date
>>> one = Expected("d1", "propose", Decimal("0.3"), "CNY", Decimal("1000.05"), date(2026, 12, 3), dealer="east", product_line="水泵")
>>> two = Expected("d2", "won", Decimal("0.85"), "CNY", Decimal("200"), date(2026, 12, 20), dealer="west", product_line="水泵")
>>> [(cell.key, cell.deals, cell.amount, cell.weighted) for cell in forecast([one, two], ("month", "product_line"))]
[(('CNY', '2026-12', '水泵'), 2, Decimal('1200.05'), Decimal('470.02'))]
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from canonical.currencies import places
from canonical.rounding import half_up
from channel.deals.errors import PipelineNotFound
from channel.deals.pipeline.model import GROUPS

USUAL_GROUPS: Final = frozenset({"early", "offer", "won"})
"""What is still to come: neither delivered nor lost."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A deal as the forecast sees it. Units: `amount` in `currency`; `probability` a fraction."""

    deal_id: str
    kind: str
    probability: Decimal
    currency: str
    amount: Decimal
    close: date | None
    """Expected day of signing; None: no month."""
    dealer: str = ""
    customer: str = ""
    product_line: str = ""
    pipeline: str = ""
    stage: str = ""
    salesperson: str = ""

    @property
    def weighted(self) -> Decimal:
        """Amount times probability. Rounds: half-up to the currency's smallest unit, once for each deal, so that sums of sums agree."""
        return half_up(self.amount * self.probability, places(self.currency))


@dataclass(frozen=True, slots=True)
class Cell:
    """One sum. `key`: the currency, then what it was asked by."""

    key: tuple[str, ...]
    deals: int
    amount: Decimal
    weighted: Decimal


BY: Final[Mapping[str, Callable[[Expected], str]]] = {
    "month": lambda one: f"{one.close:%Y-%m}" if one.close else "",
    "year": lambda one: f"{one.close:%Y}" if one.close else "",
    "dealer": lambda one: one.dealer,
    "customer": lambda one: one.customer,
    "product_line": lambda one: one.product_line,
    "pipeline": lambda one: one.pipeline,
    "stage": lambda one: one.stage,
    "kind": lambda one: one.kind,
    "group": lambda one: GROUPS.get(one.kind, ""),
    "salesperson": lambda one: one.salesperson,
}
"""What a forecast can be asked by."""


def forecast(deals: Iterable[Expected], by: Sequence[str] = ("month",), groups: Collection[str] = USUAL_GROUPS) -> list[Cell]:
    """Sums by currency and by what is asked, in order. Currencies are never added up, and none is converted.

    Raises: PipelineNotFound for something that it cannot be asked by.
    """
    for name in by:
        if name not in BY:
            raise PipelineNotFound(f"a forecast cannot be asked by {name!r}", next_step=f"use {', '.join(BY)}")
    sums: dict[tuple[str, ...], tuple[int, Decimal, Decimal]] = {}
    for one in deals:
        if GROUPS.get(one.kind, "early") not in groups:
            continue
        key = (one.currency, *(BY[name](one) for name in by))
        count, amount, weighted = sums.get(key, (0, Decimal(0), Decimal(0)))
        sums[key] = (count + 1, amount + one.amount, weighted + one.weighted)
    return [Cell(key, *sums[key]) for key in sorted(sums)]

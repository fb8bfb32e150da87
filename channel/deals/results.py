"""What became of deals that are decided: won and lost, from the project's amount to the order, and how long it took. Pure and exact.

>>> day, began = date(2026, 3, 31), date(2026, 3, 1)
>>> won = Decided("d1", day, True, "CNY", Decimal(1000), contract=Decimal(900), began=began, facts={"salesperson": "S07"})
>>> lost = Decided("d2", day, False, "CNY", Decimal(500), facts={"salesperson": "S07"})
>>> [(cell.key, cell.won, cell.lost, cell.win_rate, cell.contract, cell.to_win.average) for cell in results([won, lost], ("salesperson",))]
[(('CNY', 'S07'), 1, 1, Decimal('0.5000'), Decimal('900'), Decimal('30.0'))]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from canonical.rounding import exact_half_up
from channel.deals.errors import PipelineNotFound

FACTS: Final = ("dealer", "customer", "product_line", "industry", "region", "salesperson", "pipeline", "source", "close_reason")
"""What is known of a deal besides its day."""
BY: Final = ("year", "quarter", "month", *FACTS)
"""What results can be asked by."""
RATE_PLACES: Final = 4
DAY_PLACES: Final = 1
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Decided:
    """A deal that is won or lost. Amounts are in `currency`, with tax but for `net` and `cost`; None: nobody said.

    `day`: of the decision (Asia/Shanghai). `began`: of the first contact. `delivered`: of the first delivery.
    """

    deal_id: str
    day: date
    won: bool
    currency: str
    expected: Decimal | None = None
    """项目金额: what the project was thought to be worth."""
    quoted: Decimal | None = None
    """Of its accepted quotes."""
    contract: Decimal | None = None
    ordered: Decimal | None = None
    """Of its orders that are not void."""
    net: Decimal | None = None
    """Of the hub's accepted quotes, without tax."""
    cost: Decimal | None = None
    """Of the same goods, as known when they were quoted."""
    began: date | None = None
    delivered: date | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Days:
    """How many days something took: of so many deals, on average and in the middle, to a tenth; None of no deal."""

    deals: int
    average: Decimal | None
    median: Decimal | None


@dataclass(frozen=True, slots=True)
class Cell:
    """Results of some deals in one currency. `key`: the currency, then what was asked by. Amounts are of won deals but `lost_amount`."""

    key: tuple[str, ...]
    won: int
    lost: int
    expected: Decimal
    quoted: Decimal
    contract: Decimal
    ordered: Decimal
    lost_amount: Decimal
    """项目金额 of those that were lost."""
    to_win: Days
    """From the first contact to the signing."""
    to_delivery: Days
    """From the first contact to the first delivery (批量导入)."""
    costed: int
    """Won deals whose quotes tell a cost: of these are `net`, `cost` and the margin."""
    net: Decimal
    cost: Decimal

    @property
    def win_rate(self) -> Decimal | None:
        """赢单率: won / (won + lost), a fraction to four decimals; None of no deal."""
        return exact_half_up(Fraction(self.won, self.won + self.lost), RATE_PLACES) if self.won + self.lost else None

    @property
    def margin(self) -> Decimal | None:
        """What the quotes of `costed` deals leave, without tax."""
        return self.net - self.cost if self.costed else None

    @property
    def margin_rate(self) -> Decimal | None:
        """Margin / net, a fraction to four decimals; None without a net amount."""
        return exact_half_up(Fraction(self.net - self.cost) / Fraction(self.net), RATE_PLACES) if self.costed and self.net else None


def results(deals: Iterable[Decided], by: Sequence[str] = ("year",)) -> list[Cell]:
    """Results by currency and by what is asked, in order. Currencies are never added up, and none is converted.

    Raises: PipelineNotFound for something that they cannot be asked by.
    """
    for name in by:
        if name not in BY:
            raise PipelineNotFound(f"results cannot be asked by {name!r}", next_step=f"use {', '.join(BY)}")
    groups: dict[tuple[str, ...], list[Decided]] = {}
    for one in deals:
        groups.setdefault((one.currency, *(_said(one, name) for name in by)), []).append(one)
    return [_cell(key, groups[key]) for key in sorted(groups)]


def _said(deal: Decided, name: str) -> str:
    match name:
        case "year":
            return f"{deal.day:%Y}"
        case "quarter":
            return f"{deal.day:%Y}-Q{(deal.day.month + 2) // 3}"
        case "month":
            return f"{deal.day:%Y-%m}"
    return deal.facts.get(name, "")


def _cell(key: tuple[str, ...], deals: Sequence[Decided]) -> Cell:
    won = [one for one in deals if one.won]
    costed = [one for one in won if one.net is not None and one.cost is not None]
    return Cell(
        key, len(won), len(deals) - len(won), _sum(one.expected for one in won), _sum(one.quoted for one in won),
        _sum(one.contract for one in won), _sum(one.ordered for one in won), _sum(one.expected for one in deals if not one.won),
        _days((one.began, one.day) for one in won), _days((one.began, one.delivered) for one in won),
        len(costed), _sum(one.net for one in costed), _sum(one.cost for one in costed),
    )  # fmt: skip


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), ZERO)


def _days(spans: Iterable[tuple[date | None, date | None]]) -> Days:
    """Spans with both ends; one that ends before it begins (a day entered wrong) took no day."""
    took = sorted(max((end - start).days, 0) for start, end in spans if start is not None and end is not None)
    if not took:
        return Days(0, None, None)
    middle = Fraction(took[(len(took) - 1) // 2] + took[len(took) // 2], 2)
    return Days(len(took), *(exact_half_up(value, DAY_PLACES) for value in (Fraction(sum(took), len(took)), middle)))

"""What a calculation gives: a result for each dealer, programme, scope and period, the shares of its lines, and the identity that holds.

earned = settled + open + held + disputed + forfeited
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from channel.rebates.counting import Line
from channel.rebates.limits import Due
from channel.rebates.periods import Span
from channel.rebates.programme import Programme
from channel.rebates.rating import Cell
from channel.rebates.selecting import Decision

ENGINE = "2"
"""Changes when the same programme and facts could give another result."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """A result in money: what it earns, what of that is to be paid, and what waits for a gate."""

    earned: Decimal
    entitled: Decimal
    held: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """A line's part of what its dealer is entitled to, and of what is paid now."""

    line: Line
    entitled: Decimal
    pays: Decimal


@dataclass(frozen=True, slots=True)
class Late:
    """A line that became known after its period's statement was made; its effect goes to the open period."""

    fact: str
    reason: str
    """late_line, late_return or correction."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What was already done about a result, from settlement facts. In the programme's currency."""

    settled: Decimal = Decimal(0)
    disputed: Decimal = Decimal(0)
    forfeited: Decimal = Decimal(0)
    accrued: Decimal = Decimal(0)


@dataclass(slots=True)
class Result:
    """What a dealer has earned under a programme in a period, up to the cut-off. Amounts in the programme's currency, rounded once."""

    programme: Programme
    due: Due
    scope: Mapping[str, str]
    """Values of the grouping's dimensions besides the dealer."""
    earned: Decimal
    entitled: Decimal
    """To be paid up to the cut-off, before what is settled."""
    held: Decimal
    booked: Booked
    open: Decimal
    """entitled - settled - disputed - forfeited by hand; negative where too much was settled."""
    payable: Decimal
    """What a settlement now pays: `open`, unless that is negative and must not be clawed back."""
    set_off: Decimal
    """Part of `open` that pays off what was settled too much in earlier periods."""
    accrued: Decimal | None = None
    shares: Sequence[Share] = ()
    late: Sequence[Late] = ()
    posts_in: str = ""
    """The open period that a difference goes to, where this result's own is over."""
    passed_on: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def cell(self) -> Cell:
        """The reading behind it."""
        return self.due.cell

    @property
    def dealer(self) -> str:
        """Who is paid."""
        return self.cell.key[0]

    @property
    def span(self) -> Span:
        """The period."""
        return self.cell.key[2]

    @property
    def forfeited(self) -> Decimal:
        """What is earned and will not be paid: closed gates, caps, budget, a better programme, written off."""
        return self.earned - self.entitled - self.held + self.booked.forfeited

    @property
    def balanced(self) -> bool:
        """The identity; false only if this code is wrong."""
        return self.earned == self.booked.settled + self.open + self.held + self.booked.disputed + self.forfeited


@dataclass(frozen=True, slots=True)
class Calculation:
    """All results, and the decision on every fact for every programme."""

    results: Sequence[Result]
    decisions: Mapping[str, Sequence[Decision]]
    """By programme key (code@version)."""
    programmes: Sequence[Programme]
    as_of: date
    known_at: datetime | None
    facts_hash: str
    facts_count: int


def rate_of(cell: Cell) -> Fraction | None:
    """The reached tier's rate or amount per unit; None where no single one was applied."""
    return cell.earned.parts[0].by if len(cell.earned.parts) == 1 else None

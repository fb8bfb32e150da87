"""The periods of a programme: half-open spans of business days, by month, quarter, half, year, life or a list of our own.

>>> [period.name for period in periods("quarter", date(2026, 1, 1), date(2026, 7, 1), fiscal_start=4)]
['2025Q4', '2026Q1']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal

from channel.rebates.counted import Calendar
from channel.rebates.programme import Programme
from channel.rebates.values import FIRST_DAY, LAST_DAY

MONTHS: Final = {"month": 1, "quarter": 3, "half": 6, "year": 12}
Cut = Literal["month", "quarter", "half", "year"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A period as it is rated: `[start, end)`, clipped to the programme's validity; `full` is the period unclipped."""

    start: date
    end: date
    name: str
    full_start: date
    full_end: date

    def holds(self, on: date) -> bool:
        """True for a day inside."""
        return self.start <= on < self.end


def add_months(day: date, months: int) -> date:
    """The same day so many months later; the month's last day where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def periods(cut: Cut, start: date, end: date, fiscal_start: int = 1) -> list[Span]:
    """All periods that touch `[start, end)`, clipped to it. A fiscal year bears the name of the year it begins in."""
    length = MONTHS[cut]
    base = date(start.year - 1, fiscal_start, 1)
    skipped = ((start.year * 12 + start.month) - (base.year * 12 + base.month)) // length
    first, found = add_months(base, skipped * length), []
    while first < end:
        after = add_months(first, length)
        found.append(Span(max(first, start), min(after, end), name_of(cut, first, fiscal_start), first, after))
        first = after
    return found


def name_of(cut: Cut, first: date, fiscal_start: int) -> str:
    """`2026-03`, `2026Q1`, `2026H1`, `2026`; with a fiscal year from another month, quarters and halves are counted from it."""
    if cut == "month":
        return f"{first.year}-{first.month:02}"
    year = first.year if first.month >= fiscal_start else first.year - 1
    place = (first.month - fiscal_start) % 12
    return {"quarter": f"{year}Q{place // 3 + 1}", "half": f"{year}H{place // 6 + 1}", "year": str(year)}[cut]


def of(programme: Programme) -> list[Span]:
    """The programme's periods in order."""
    calendar = programme.calendar
    start, end = programme.valid.from_ or FIRST_DAY, programme.valid.to or LAST_DAY
    if calendar.period == "life":
        return [Span(start, end, "life", start, end)]
    if calendar.period == "custom":
        return _custom(calendar, start, end)
    return periods(calendar.period, start, end, calendar.fiscal_start)


def _custom(calendar: Calendar, start: date, end: date) -> list[Span]:
    spans = []
    for period in sorted(calendar.periods, key=lambda period: period.from_ or FIRST_DAY):
        first, after = period.from_ or FIRST_DAY, period.to or LAST_DAY
        if max(first, start) < min(after, end):
            spans.append(Span(max(first, start), min(after, end), period.name, first, after))
    return spans


def find(spans: Sequence[Span], on: date) -> Span | None:
    """The period of a day: the spans are in order and do not overlap."""
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        if spans[middle].end <= on:
            low = middle + 1
        else:
            high = middle
    return spans[low] if low < len(spans) and spans[low].holds(on) else None


def covered(how: Literal["none", "days", "months"], span: Span) -> Fraction:
    """The part of the full period that the clipped one covers: by days, or by months begun."""
    if how == "days":
        return Fraction((span.end - span.start).days, (span.full_end - span.full_start).days)
    if how == "months":
        return Fraction(_months(span.start, span.end), _months(span.full_start, span.full_end))
    return Fraction(1)


def run_so_far(span: Span, as_of: date) -> Fraction:
    """The part of a period's months that has begun by the cut-off (annualising)."""
    end = min(span.end, as_of + timedelta(days=1))
    if end <= span.start:
        return Fraction(1)
    return Fraction(_months(span.start, end), _months(span.start, span.end))


def _months(start: date, end: date) -> int:
    last = end - timedelta(days=1)
    return (last.year * 12 + last.month) - (start.year * 12 + start.month) + 1


def settlement_days(programme: Programme, span: Span) -> list[date]:
    """The last days that a period is settled to: partial ones by `calendar.settle`, then the period's last."""
    cuts = [span.end - timedelta(days=1)]
    if programme.calendar.settle:
        cuts = [
            part.end - timedelta(days=1)
            for part in periods(programme.calendar.settle, span.start, span.end, programme.calendar.fiscal_start)
        ]
    return cuts


def year_before(on: date) -> date:
    """The same day a year earlier."""
    return add_months(on, -12)

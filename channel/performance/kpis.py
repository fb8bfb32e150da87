"""The figures of a dealer's performance, each with its numerator, denominator, day and the version of its definition.

A figure whose denominator is zero or unknown has no value: it is neither 0 nor 100 %. Nothing is rounded here; a display rounds.

>>> from datetime import date
>>> target_completion(Fraction(280), Fraction(500), as_of=date(2026, 12, 31)).value
Fraction(14, 25)
>>> dso(Fraction(18_000), Fraction(20_000), 30, as_of=date(2026, 12, 31)).value
Fraction(27, 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from channel.performance.definitions import DEFINITIONS

ZERO: Final = Fraction(0)
ONE: Final = Fraction(1)
LEAST_SPREAD: Final = 5
"""Below so many projects or customers a concentration says nothing: "few"."""
BUCKETS: Final = ("1-30", "31-60", "61-90", ">90")


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure. `value` is numerator / denominator; None: there is no value, and `note` says why."""

    code: str
    version: int
    as_of: date
    numerator: Fraction | None
    denominator: Fraction | None
    value: Fraction | None
    note: str = ""
    """few, no_denominator, unknown; empty where there is a value."""
    evidence: tuple[str, ...] = ()
    """Ids of the facts to look at: overdue invoices, valid complaints, lines above authority."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is owed and late at a cut-off, by how late."""

    receivable: Fraction
    overdue: Fraction
    invoices: int
    """How many are overdue."""
    buckets: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Billed:
    """What was billed in a stretch of days, with tax; for counting back."""

    amount: Fraction
    days: int


def ratio(code: str, top: Fraction | None, bottom: Fraction | None, as_of: date, evidence: Iterable[str] = ()) -> Kpi:
    """A figure top / bottom; no value where a side is unknown or the bottom is zero or below."""
    version, shown = DEFINITIONS[code].version, tuple(evidence)
    if top is None or bottom is None:
        return Kpi(code, version, as_of, top, bottom, None, "unknown", shown)
    if bottom <= ZERO:
        return Kpi(code, version, as_of, top, bottom, None, "no_denominator", shown)
    return Kpi(code, version, as_of, top, bottom, top / bottom, "", shown)


def plain(code: str, value: Fraction | None, as_of: date, evidence: Iterable[str] = ()) -> Kpi:
    """A figure that is no ratio: an amount, a count, a number of days."""
    return ratio(code, value, ONE, as_of, evidence)


def target_completion(net_sales: Fraction, target: Fraction | None, *, as_of: date) -> Kpi:
    """目标完成率: net sales without tax / the target for the same days (see `prorating`)."""
    return ratio("target_completion", net_sales, target, as_of)


def sales_growth(net_sales: Fraction, last_year: Fraction, *, as_of: date) -> Kpi:
    """Growth against the same days of last year; no value where nothing was sold then."""
    return ratio("sales_growth", net_sales - last_year, last_year, as_of)


def margin_amount(
    net_sales: Fraction, cost: Fraction | None, rebate: Fraction, price_protection: Fraction, support: Fraction, *, as_of: date
) -> Kpi:
    """毛利贡献: net sales - cost - payable rebate - price protection - support. No value where a cost is unknown. Management only."""
    margin = None if cost is None else net_sales - cost - rebate - price_protection - support
    return plain("margin_amount", margin, as_of)


def margin_share(margin: Fraction | None, total: Fraction | None, *, as_of: date) -> Kpi:
    """The dealer's part of all dealers' margin. Management only."""
    return ratio("margin_share", margin, total, as_of)


def margin_rate(margin: Fraction | None, net_sales: Fraction, *, as_of: date) -> Kpi:
    """毛利率: margin after rebates / net sales. Management only."""
    return ratio("margin_rate", margin, net_sales, as_of)


def partner_cost_rate(spent: Fraction, net_sales: Fraction, *, as_of: date) -> Kpi:
    """合作成本率: what was spent on the dealer (rebate, price protection, support) / net sales. Management only."""
    return ratio("partner_cost_rate", spent, net_sales, as_of)


def support_return(net_sales: Fraction, last_year: Fraction, spent: Fraction, *, as_of: date) -> Kpi:
    """投入回报: growth of net sales against the same days of last year / what was spent on the dealer. Management only."""
    return ratio("support_return", net_sales - last_year, spent, as_of)


def days_to_pay(paid: Iterable[tuple[Fraction, date, date]], *, as_of: date) -> Kpi:
    """Weighted days from invoice to payment. `paid`: applied amount, day of invoice, day of payment; a prepayment counts 0 days."""
    weighted = total = ZERO
    for amount, invoiced, received in paid:
        weighted += amount * max(0, (received - invoiced).days)
        total += amount
    return ratio("days_to_pay", weighted, total, as_of)


def dso(average_receivable: Fraction, credit_sales: Fraction, days: int, *, as_of: date) -> Kpi:
    """Days sales outstanding: average receivable / credit sales x days; 18,000 / 20,000 x 30 = 27."""
    return ratio("dso", average_receivable * days, credit_sales, as_of)


def dso_count_back(receivable: Fraction, months: Sequence[Billed], *, as_of: date) -> Kpi:
    """DSO for seasonal sales: the newest months' billing is taken off the receivable until it is used up.

    `months`: newest first. A month that is taken whole counts its days; the last counts the part that is left. No value where the
    receivable is older than the months that are known, or where nothing was ever billed.
    """
    if not months:
        return ratio("dso_count_back", ZERO, ZERO, as_of)
    left, days = receivable, ZERO
    for month in months:
        if left <= ZERO:
            break
        if month.amount > left:
            return plain("dso_count_back", days + left / month.amount * month.days, as_of)
        left -= max(ZERO, month.amount)
        days += month.days
    return plain("dso_count_back", days if left <= ZERO else None, as_of)


def ageing(owed: Iterable[tuple[Fraction, date]], as_of: date) -> Overdue:
    """What is owed, and how late it is on `as_of`: open amounts with the day (after the agreed grace) on which each is due."""
    receivable, overdue, invoices = ZERO, ZERO, 0
    buckets = dict.fromkeys(BUCKETS, ZERO)
    for amount, due in owed:
        receivable += amount
        late = (as_of - due).days
        if late > 0:
            overdue += amount
            invoices += amount > ZERO
            buckets[BUCKETS[min((late - 1) // 30, 3)]] += amount
    return Overdue(receivable, overdue, invoices, buckets)


def complaints_per_1000(valid: int, units: Fraction, *, as_of: date, evidence: Iterable[str] = ()) -> Kpi:
    """Valid complaints for every 1,000 units shipped."""
    return ratio("complaints_per_1000", Fraction(valid * 1000), units, as_of, evidence)


def squared_shares(amounts: Iterable[Fraction]) -> Fraction | None:
    """The sum of squared percentages, from near 0 (even) to 10,000 (all in one); amounts that are not positive have no share.

    >>> squared_shares([Fraction(20), Fraction(30), Fraction(50)])
    Fraction(3800, 1)
    """
    parts = [amount for amount in amounts if amount > ZERO]
    total = sum(parts, ZERO)
    return sum(((part * 100 / total) ** 2 for part in parts), ZERO) if total else None


def concentration(what: str, amounts: Iterable[Fraction], *, as_of: date, least: int = LEAST_SPREAD) -> tuple[Kpi, Kpi]:
    """The largest share and the sum of squared shares, for `project` or `customer`. Fewer than `least` of them: noted as few, no value."""
    parts = [amount for amount in amounts if amount > ZERO]
    top = ratio(f"{what}_top_share", max(parts, default=ZERO), sum(parts, ZERO), as_of)
    whole = plain(f"{what}_concentration", squared_shares(parts), as_of)
    return (_few(top), _few(whole)) if 0 < len(parts) < least else (top, whole)


def _few(kpi: Kpi) -> Kpi:
    return Kpi(kpi.code, kpi.version, kpi.as_of, kpi.numerator, kpi.denominator, None, "few", kpi.evidence)


def in_time(code: str, tasks: Iterable[tuple[str, date, date | None]], *, as_of: date) -> Kpi:
    """Tasks done on or before their due day / tasks due by the cut-off. `tasks`: id, due day, day it was done; the late ones are shown."""
    due = done = 0
    late = []
    for identity, due_day, done_day in tasks:
        if due_day > as_of:
            continue
        due += 1
        if done_day is not None and done_day <= due_day:
            done += 1
        else:
            late.append(identity)
    return ratio(code, Fraction(done), Fraction(due), as_of, late)


def percentile(values: Iterable[Fraction], at: Fraction) -> Fraction | None:
    """The value below which the part `at` of the values lies, interpolated as a spreadsheet's PERCENTILE.INC; None for no values.

    >>> percentile([Fraction(1), Fraction(2), Fraction(3), Fraction(4)], Fraction(1, 4))
    Fraction(7, 4)
    """
    ordered = sorted(values)
    if not ordered:
        return None
    place = at * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

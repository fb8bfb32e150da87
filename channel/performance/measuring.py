"""All figures of one dealer from its facts, for a period up to a cut-off. Facts after the cut-off are not looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, TypeVar

from channel.performance import kpis
from channel.performance.facts import Fact
from channel.performance.kpis import ZERO, Billed, Kpi, Overdue
from channel.performance.owing import Account
from channel.rebates.periods import Cut, add_months, periods

Proration = Literal["even", "last_year", "none"]
DAY: Final = timedelta(days=1)
K = TypeVar("K")
NINTH: Final = Fraction(9, 10)


@dataclass(frozen=True, slots=True)
class Window:
    """A period as far as it has gone: `[start, end)`, where `end` is the day after the cut-off."""

    name: str
    start: date
    end: date

    @property
    def as_of(self) -> date:
        """The last day that counts."""
        return self.end - DAY

    def holds(self, on: date) -> bool:
        """True for a day inside."""
        return self.start <= on < self.end

    def last_year(self) -> Window:
        """The same days of last year: up to 28 February it is up to 28 February, whichever year has a 29th."""
        return Window(self.name, _year_before(self.start), _year_before(self.end))


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of a dealer, and how late its receivable is."""

    kpis: Mapping[str, Kpi]
    overdue: Overdue


def _year_before(day: date) -> date:
    """The same day a year before; of a 29 February the day after the 28th."""
    before = add_months(day, -12)
    return before if before.day == day.day else before + DAY


def window(cut: Cut, as_of: date, fiscal_start: int = 1) -> Window:
    """The period that a day lies in, up to that day.

    >>> window("quarter", date(2026, 5, 10)).start
    datetime.date(2026, 4, 1)
    """
    span = periods(cut, as_of, as_of + DAY, fiscal_start)[0]
    return Window(span.name, span.full_start, as_of + DAY)


def measure(facts: Sequence[Fact], span: Window, proration: Proration = "even") -> Measured:
    """Every figure but the share of all margin, which needs all dealers: see `with_margin_share`."""
    known = [fact for fact in facts if fact.date <= span.as_of or fact.kind == "target"]
    before = span.last_year()
    account = Account([fact for fact in known if fact.kind in ("invoice", "payment", "credit_note")])
    found = [*_sales(known, span, before, proration), *_projects(known, span), *_money(account, span, before)]
    found += [*_service(known, span), *_activity(known, span), *_discipline(known, span)]
    return Measured({kpi.code: kpi for kpi in found}, account.ageing(span.as_of))


def with_margin_share(measured: Mapping[K, Measured]) -> dict[K, Measured]:
    """The same with each one's share of all margin; no value where one margin is unknown."""
    margins = {key: one.kpis["margin_amount"].value for key, one in measured.items()}
    values = [value for value in margins.values() if value is not None]
    total = sum(values, ZERO) if len(values) == len(margins) else None
    made = {}
    for key, one in measured.items():
        share = kpis.margin_share(margins[key], total, as_of=one.kpis["margin_amount"].as_of)
        made[key] = replace(one, kpis={**one.kpis, "margin_share": share})
    return made


def prorated(targets: Iterable[Fact], span: Window, proration: Proration, sold: Callable[[Window], Fraction]) -> Fraction | None:
    """The target for the days so far, None where there is none.

    even: by days; last_year: by what was sold on the same days last year of all that was sold in the target's days; none: whole, if
    the target touches the period.
    """
    total: Fraction | None = None
    for target in targets:
        ends = target.to or target.date + DAY
        start, end = max(target.date, span.start), min(ends, span.end)
        if start >= end:
            continue
        amount = _exact(target.amount)
        if proration == "even":
            amount *= Fraction((end - start).days, (ends - target.date).days)
        elif proration == "last_year":
            whole = sold(Window("", target.date, ends).last_year())
            if whole <= ZERO:
                return None
            amount *= sold(Window("", start, end).last_year()) / whole
        total = (total or ZERO) + amount
    return total


def _exact(value: Decimal | None) -> Fraction:
    return Fraction(value) if value is not None else ZERO


def _total(facts: Iterable[Fact], kinds: Iterable[str], span: Window) -> Fraction:
    wanted = frozenset(kinds)
    return sum((_exact(fact.amount) for fact in facts if fact.kind in wanted and span.holds(fact.date)), ZERO)


def _sales(facts: Sequence[Fact], span: Window, before: Window, proration: Proration) -> list[Kpi]:
    as_of, moved = span.as_of, ("sale", "return")
    lines = [fact for fact in facts if fact.kind in moved and span.holds(fact.date)]
    net, last = _total(facts, moved, span), _total(facts, moved, before)
    targets = [fact for fact in facts if fact.kind == "target"]
    target = prorated(targets, span, proration, lambda days: _total(facts, moved, days))
    cost = _cost(lines, [fact for fact in facts if fact.kind == "cost" and span.holds(fact.date)])
    spent = [_total(facts, (kind,), span) for kind in ("rebate", "price_protection", "support")]
    margin = kpis.margin_amount(net, cost, *spent, as_of=as_of)
    return [
        kpis.target_completion(net, target, as_of=as_of),
        kpis.sales_growth(net, last, as_of=as_of),
        margin,
        kpis.margin_rate(margin.value, net, as_of=as_of),
        kpis.partner_cost_rate(sum(spent, ZERO), net, as_of=as_of),
        kpis.support_return(net, last, sum(spent, ZERO), as_of=as_of),
        *_spread("project", lines, as_of),
        *_spread("customer", lines, as_of),
        _penetration(facts, lines, as_of),
    ]


def _cost(lines: Sequence[Fact], told: Sequence[Fact]) -> Fraction | None:
    """What was sold cost: by line, and as finance tells it for the dealer.

    Unknown where a line has no cost and finance told none of its month or of a later one: a year of which the newest month's cost is not
    told yet would look like a better year.
    """
    bare = [line.date for line in lines if line.cost is None]
    if bare and max((_month(fact.date) for fact in told), default=(0, 0)) < _month(max(bare)):
        return None
    return sum((_exact(line.cost) for line in lines), ZERO) + sum((_exact(fact.amount) for fact in told), ZERO)


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month


def _spread(what: Literal["project", "customer"], lines: Iterable[Fact], as_of: date) -> tuple[Kpi, Kpi]:
    return kpis.concentration(what, _by(what, lines).values(), as_of=as_of)


def _by(what: Literal["project", "customer"], lines: Iterable[Fact]) -> dict[str, Fraction]:
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for line in lines:
        name = line.project if what == "project" else line.customer
        if name:
            sums[name] += _exact(line.amount)
    return sums


def _penetration(facts: Iterable[Fact], lines: Iterable[Fact], as_of: date) -> Kpi:
    territories = sorted((fact for fact in facts if fact.kind == "territory"), key=lambda fact: (fact.date, fact.id))
    active = sum(1 for amount in _by("customer", lines).values() if amount > ZERO)
    return kpis.ratio("penetration", Fraction(active), _exact(territories[-1].quantity) if territories else None, as_of)


def _projects(facts: Iterable[Fact], span: Window) -> list[Kpi]:
    def by_now(on: date | None) -> bool:
        return on is not None and on <= span.as_of

    new = [fact for fact in facts if fact.kind == "project" and span.holds(fact.date) and not by_now(fact.withdrawn_date)]
    converted = sum(1 for fact in new if by_now(fact.converted_date))
    return [
        kpis.plain("new_projects", Fraction(len(new)), span.as_of),
        kpis.ratio("project_conversion", Fraction(converted), Fraction(len(new)), span.as_of),
    ]


def _money(account: Account, span: Window, before: Window) -> list[Kpi]:
    as_of = span.as_of
    now, then = account.days_to_pay(span), account.days_to_pay(before)
    change = now.value - then.value if now.value is not None and then.value is not None else None
    billed, days = account.billed(span), (span.end - span.start).days
    average = (account.receivable(span.start - DAY) + account.receivable(as_of)) / 2
    owing = account.ageing(as_of)
    return [
        account.collection(span),
        kpis.ratio("cash_rate", account.received(span), billed, as_of),
        now,
        kpis.plain("days_to_pay_change", change, as_of),
        kpis.dso(average, billed, days, as_of=as_of),
        kpis.dso_count_back(owing.receivable, _months(account, span), as_of=as_of),
        kpis.ratio("days_late", owing.overdue * days, billed, as_of),
        kpis.ratio("overdue_share", owing.overdue, owing.receivable, as_of, account.late(as_of)),
    ]


def _months(account: Account, span: Window) -> list[Billed]:
    """What was billed by month, newest first, back to the first invoice; the running month counts its days so far."""
    first, start, end, found = account.first_day(), span.as_of.replace(day=1), span.end, list[Billed]()
    while first is not None and end > first:
        found.append(Billed(account.billed(Window("", start, end)), (end - start).days))
        start, end = add_months(start, -1), start
    return found


def _service(facts: Iterable[Fact], span: Window) -> list[Kpi]:
    as_of = span.as_of
    inside = [fact for fact in facts if span.holds(fact.date)]
    units = sum((_exact(fact.quantity) for fact in inside if fact.kind == "shipment"), ZERO)
    complaints = [fact for fact in inside if fact.kind == "complaint"]
    valid = [fact.id for fact in complaints if fact.status == "valid"]
    ratings = [Fraction(fact.rating) for fact in complaints if fact.rating is not None]
    response = [Fraction(fact.response_hours) for fact in complaints if fact.response_hours is not None]
    close = [Fraction(fact.close_hours) for fact in complaints if fact.close_hours is not None]
    return [
        kpis.complaints_per_1000(len(valid), units, as_of=as_of, evidence=valid),
        kpis.plain("response_p90", kpis.percentile(response, NINTH), as_of),
        kpis.plain("close_p90", kpis.percentile(close, NINTH), as_of),
        kpis.ratio("satisfaction", sum(ratings, ZERO), Fraction(len(ratings)), as_of),
    ]


def _activity(facts: Iterable[Fact], span: Window) -> list[Kpi]:
    inside = [fact for fact in facts if span.holds(fact.date)]
    made = []
    for code, kind, part, whole in (
        ("attended_of_invited", "activity", "attended", "invited"),
        ("attended_of_registered", "activity", "attended", "registered"),
        ("training_passed", "training", "passed", "required"),
    ):
        told = [fact for fact in inside if fact.kind == kind and getattr(fact, whole) is not None]
        top = sum((_exact(getattr(fact, part)) for fact in told), ZERO)
        made.append(kpis.ratio(code, top, sum((_exact(getattr(fact, whole)) for fact in told), ZERO), span.as_of))
    return made


def _discipline(facts: Iterable[Fact], span: Window) -> list[Kpi]:
    as_of, rows = span.as_of, list(facts)
    made = []
    for code, kind in (("follow_up_in_time", "follow_up"), ("registration_in_time", "registration"), ("records_in_time", "record")):
        tasks = [(fact.id, fact.due_date, fact.done_date) for fact in rows if fact.kind == kind and fact.due_date is not None]
        made.append(kpis.in_time(code, [(one, due, done) for one, due, done in tasks if span.holds(due)], as_of=as_of))
    inside = [fact for fact in rows if span.holds(fact.date)]
    judged = [fact for fact in inside if fact.kind == "sale" and fact.above_authority]
    above = [fact.id for fact in judged if fact.above_authority == "yes"]
    discounts = [Fraction(fact.discount) for fact in inside if fact.kind == "sale" and fact.discount is not None]
    high, low = kpis.percentile(discounts, NINTH), kpis.percentile(discounts, 1 - NINTH)
    crossed = [fact.id for fact in inside if fact.kind == "cross_region" and fact.status == "confirmed"]
    return [
        *made,
        kpis.ratio("above_authority", Fraction(len(above)), Fraction(len(judged)), as_of, above),
        kpis.plain("discount_spread", high - low if high is not None and low is not None else None, as_of),
        kpis.plain("cross_region", Fraction(len(crossed)), as_of, crossed),
    ]

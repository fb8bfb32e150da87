"""Families: programmes that are reckoned together, the versions in force, and how far a fact's effect reaches.

A family is one programme, or several of which one lowers or beats the other. Its lines can be summed where no programme of the family can
tell them apart: `words` are the columns that it looks at, `cuts` the days on which a decision can change. Rating such sums gives what
rating the lines gives, which a property test holds; what needs the lines themselves says so (`needs_lines`).
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final, Literal

from channel.rebates import periods
from channel.rebates.calculating import statement_closes
from channel.rebates.checking import touching
from channel.rebates.counted import Filter
from channel.rebates.ladder import named
from channel.rebates.payment import Gate, Limits
from channel.rebates.periods import Span
from channel.rebates.programme import Programme
from channel.rebates.rating import Compare
from channel.rebates.results import ENGINE, Result
from channel.rebates.units import counts_quantity

Who = Literal["dealer", "parent", "all"]
OF_DOCUMENTS: Final = frozenset(("collection", "overdue_amount", "overdue_share"))
"""Gates that look at invoices and what was paid on them."""
LAYOUT: Final = "4"
"""Changes when sums are cut, or what touches them is told, in another way than before."""


def in_force(versions: Sequence[Programme], closed: Mapping[str, int]) -> dict[str, frozenset[str]]:
    """The periods that each version of one programme rules, by its key. versions: oldest first; closed: period -> version that closed it.

    A closed period stays with the version that closed it, whatever is published later. Any other belongs to the newest version that holds
    on one of its days.
    """
    found = {}
    for at, one in enumerate(versions):
        names = set()
        for span in periods.of(one):
            if span.name in closed:
                if closed[span.name] == one.version:
                    names.add(span.name)
            elif not any(_holds_on(newer, span) for newer in versions[at + 1 :]):
                names.add(span.name)
        found[one.key] = frozenset(names)
    return found


def _holds_on(programme: Programme, span: Span) -> bool:
    first, after = programme.valid.from_, programme.valid.to
    return (first is None or first < span.end) and (after is None or span.start < after)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a line can change: the results of its dealer or group, of its scope or of all, in its era or in every period."""

    who: Who
    scope: tuple[str, ...]
    chain: bool


@dataclass(frozen=True)
class Family:
    """Programmes reckoned together, and the periods of each that are in force."""

    programmes: tuple[Programme, ...]
    owns: Mapping[str, frozenset[str]]
    """Programme key -> names of the periods that its results are used for."""
    bare: bool
    """As it is accrued: without gates, budget and what is handed on, where they do not change what is earned."""

    @cached_property
    def reach(self) -> Reach:
        """How far a line's effect goes."""
        whos: list[Who] = [_who(one) for one in self.programmes]
        who: Who = next((kind for kind in ("all", "parent") if kind in whos), "dealer")
        scope: tuple[str, ...] = ()
        if len(self.programmes) == 1 and not self.needs_lines and not _across_scopes(self.programmes[0]):
            scope = tuple(name for name in self.programmes[0].grouping.by if name != "dealer")
        return Reach(who, scope, any(_across_periods(one) for one in self.programmes))

    @cached_property
    def eras(self) -> list[tuple[date, date]]:
        """Stretches of days whose periods hang together: first day, and first day after."""
        spans = [span for one in self.programmes for span in _spans(one)]
        return [(min(s.start for s in spans), max(s.end for s in spans))] if self.reach.chain else _eras(spans)

    @cached_property
    def cuts(self) -> list[date]:
        """The days from which on a decision can be another one, in order; the last is beyond them all."""
        return _cuts(self.programmes, [span for one in self.programmes for span in _spans(one)])

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The columns of facts that any of the programmes looks at, besides those that every sum has."""
        handed = {"customer"} if any(one.pass_through is not None for one in self.programmes) else set[str]()
        return tuple(sorted({*_words(self.programmes, self.reach), *handed - set(self.reach.scope)}))

    @cached_property
    def key(self) -> str:
        """A fingerprint: of another key, sums are others."""
        said = [ENGINE, LAYOUT, self.bare, [[one.key, one.hash, sorted(self.owns[one.key])] for one in self.programmes]]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def codes(self) -> frozenset[str]:
        """Codes of the programmes whose results are used."""
        return frozenset(one.programme for one in self.programmes if self.owns[one.key])

    @property
    def needs_lines(self) -> bool:
        """True where sums do not suffice."""
        return any(_needs_lines(one) for one in self.programmes)

    @property
    def documents(self) -> bool:
        """True where lines and payments of one document hang together, whoever's they are."""
        return any(
            one.base.event == "payment" or one.base.paid_invoices_only or any(gate.kind in OF_DOCUMENTS for gate in one.gates)
            for one in self.programmes
        )

    @property
    def returns(self) -> bool:
        """True where a return goes to the day of its sale."""
        return any(one.base.returns_in == "original_period" for one in self.programmes)

    @property
    def everywhere(self) -> bool:
        """True where a line can change results of every period: gates that look at the invoices of all periods."""
        return any(_of_all_invoices(gate) for one in self.programmes for gate in one.gates)

    @property
    def whole_dealers(self) -> bool:
        """True where a period cannot be rated from the lines of its days and their documents alone."""
        return self.reach.chain or self.everywhere

    @property
    def without_unit(self) -> list[Programme]:
        """Programmes whose money depends on quantities, and that do not say what they are counted in."""
        return [one for one in self.programmes if one.base.unit is None and counts_quantity(one)]

    @property
    def due_after(self) -> tuple[int, ...]:
        """So many days after its due date an invoice begins to matter to a gate."""
        gates = [gate for one in self.programmes for gate in one.gates if gate.kind in OF_DOCUMENTS]
        return tuple(sorted({0 if gate.kind == "collection" else gate.grace_days + 1 for gate in gates}))

    @property
    def closings(self) -> list[datetime | None]:
        """For the days from each cut on, the first moment after which a line comes too late for a statement; None: there is none."""
        spans = [(span, statement_closes(one, span)) for one in self.programmes for span in periods.of(one)]
        return [min((closes for span, closes in spans if span.holds(day)), default=None) for day in self.cuts]

    @property
    def figures(self) -> bool:
        """True where targets, baselines, complaints or measures are looked at."""
        return any(one.growth is not None or one.target is not None or one.gates for one in self.programmes)

    def uses(self, result: Result) -> bool:
        """True for a result whose period is in force."""
        return result.span.name in self.owns[result.programme.key]

    def era(self, on: date) -> date | None:
        """The first day of the era that a day is in."""
        at = bisect_right(self.eras, (on, date.max)) - 1
        return self.eras[at][0] if at >= 0 and on < self.eras[at][1] else None

    def place(self, result: Result) -> tuple[str, date | None, tuple[str, ...]]:
        """Whom, which era and which scope a result belongs to."""
        return result.cell.head, self.era(result.span.start), result.cell.key[1] if self.reach.scope else ()

    def clock(self, as_of: date) -> dict[str, str]:
        """What the cut-off alone decides, by era: when it changes, everything in the era is rated anew."""
        told: dict[str, list[str]] = {}
        for one in self.programmes:
            plain = one.calendar.annualise == "none" and one.limits.guarantee is None and not (self.bare and _scheduled(one))
            for span in () if plain else periods.of(one):
                era = self.era(span.start)
                if era is not None and span.start <= as_of:
                    said = [str(periods.run_so_far(span, as_of))] if one.calendar.annualise == "months" else []
                    said.append(str(as_of >= span.end - timedelta(days=1)) if one.limits.guarantee is not None else "")
                    told.setdefault(era.isoformat(), []).append("/".join([*said, _scheduled_now(one, as_of)]))
        return {era: ";".join(said) for era, said in told.items()}

    def window(self, era: date | None = None) -> tuple[date, date]:
        """The days that facts of an era, or of all, can be dated on: first, and first not."""
        if era is None or self.reach.chain:
            return self.cuts[0], self.cuts[-1]
        return next(one for one in self.eras if one[0] == era)


def families(versions: Iterable[Sequence[Programme]], closed: Mapping[str, Mapping[str, int]], *, bare: bool) -> list[Family]:
    """All families: the newest version of each programme, and again for each older one that still rules a period.

    versions: of each programme, oldest first. closed: programme -> period -> version. bare: as they are accrued.
    """
    owns: dict[str, frozenset[str]] = {}
    newest, older = [], []
    for mine in versions:
        owns |= in_force(mine, closed.get(mine[-1].programme, {}))
        newest.append(mine[-1])
        older += [one for one in mine[:-1] if owns[one.key]]
    found = [_family(group, owns, bare=bare) for group in _together(newest)]
    for one in older:
        others = [other for other in newest if other.programme != one.programme]
        group = next(group for group in _together([one, *others]) if one in group)
        found.append(_family(group, {one.key: owns[one.key]}, bare=bare))
    return [family for family in found if family.codes]


def _family(group: Sequence[Programme], owns: Mapping[str, frozenset[str]], *, bare: bool) -> Family:
    programmes = tuple(stripped(one) if bare else one for one in group)
    return Family(programmes, {one.key: owns.get(one.key, frozenset()) for one in group}, bare)


def stripped(programme: Programme) -> Programme:
    """The programme without what does not change what is earned."""
    limits = programme.limits
    changes: dict[str, Any] = {"pass_through": None}
    if limits.floor is None and limits.guarantee is None:
        changes |= {"gates": (), "limits": Limits()}
    return programme.model_copy(update=changes)


def _together(programmes: Sequence[Programme]) -> list[list[Programme]]:
    """Programmes joined by what one does to the other."""
    groups: list[list[Programme]] = []
    for one in programmes:
        joined = [group for group in groups if any(_bound(one, other) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(other for group in joined for other in group), one])
    return groups


def _bound(one: Programme, other: Programme) -> bool:
    mine, yours = one.stacking, other.stacking
    if mine is None or yours is None:
        return False
    if mine.mode == yours.mode == "best_of" and mine.group == yours.group:
        return True
    later = one if mine.order > yours.order else other
    looks_back = later.stacking is not None and (later.stacking.base == "net_of_earlier" or later.stacking.mode == "exclusive")
    return looks_back and touching(one, other)


def _needs_lines(programme: Programme) -> bool:
    base, budget = programme.base, programme.limits.budget
    return (
        base.event == "payment"
        or base.paid_invoices_only
        or base.returns_in == "original_period"
        or "line" in programme.grouping.by
        or any(gate.kind in OF_DOCUMENTS for gate in programme.gates)
        or (budget is not None and budget.share == "first_come")
    )


def _of_all_invoices(gate: Gate) -> bool:
    usual = "period" if gate.kind == "collection" else "all"
    return gate.kind in OF_DOCUMENTS and (gate.invoices or usual) == "all"


def _who(programme: Programme) -> Who:
    if programme.limits.budget is not None or programme.grouping.group == "all":
        return "all"
    return "parent" if programme.grouping.group == "parent" else "dealer"


def _across_scopes(programme: Programme) -> bool:
    stacked = programme.stacking is not None and programme.stacking.mode == "best_of"
    return programme.rounds_together or stacked or bool(programme.gates) or programme.limits.budget is not None


def _across_periods(programme: Programme) -> bool:
    limits, growth = programme.limits, programme.growth
    return (
        (growth is not None and growth.baseline != "given")
        or programme.settlement.negative == "carried"
        or not programme.settlement.claw_back
        or (limits.cap is not None and limits.cap.per != "period")
        or (limits.guarantee is not None and limits.guarantee.cumulative)
        or (limits.budget is not None and limits.budget.per == "life")
        or programme.base.returns_in == "original_period"
    )


def _spans(programme: Programme) -> list[Span]:
    """Its periods, and those that a growth is compared with."""
    spans = periods.of(programme)
    if programme.growth is not None and programme.growth.baseline != "given":
        spans = [*spans, *(Compare.before(span, programme.growth.baseline) for span in spans)]
    return spans


def _eras(spans: Sequence[Span]) -> list[tuple[date, date]]:
    """Stretches of days whose periods overlap."""
    found: list[tuple[date, date]] = []
    for span in sorted(spans):
        if found and span.start < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], span.end))
        else:
            found.append((span.start, span.end))
    return found


def _cuts(programmes: Sequence[Programme], spans: Sequence[Span]) -> list[date]:
    days = {day for span in spans for day in (span.start, span.end)}
    for one in programmes:
        days |= {day for member in one.participants.members for day in (member.from_, member.to) if day is not None}
        days |= {rate.from_ for rate in (one.fx.rates if one.fx else ()) if rate.from_ is not None}
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    return sorted(day for day in days if first <= day <= last)


def _words(programmes: Sequence[Programme], reach: Reach) -> tuple[str, ...]:
    found: set[str] = set()
    for one in programmes:
        filters: list[Filter] = [one.scope, one.scope.exclude, *one.base.weights, *(gate.focus for gate in one.gates)]
        filters += [one.tier_scope, one.tier_scope.exclude] if one.tier_scope else []
        filters += [one.mix.focus] if one.mix else []
        found |= {column for each in filters for column, _ in named(each) if column not in each.attributes}
        found |= {name for name in one.grouping.by if name != "dealer"}
        found |= {one.mix.count_of} if one.mix else set()
        found |= {gate.count_of for gate in one.gates if gate.kind == "mix_count"}
        who = one.participants
        wanted = {
            "dealer_grade": who.grades, "dealer_region": who.regions, "dealer_channel": who.channels,
            "unit": one.base.unit or counts_quantity(one),
            "price_kind": one.base.exclude_price_kinds, "dealer_parent": one.grouping.group == "parent",
        }  # fmt: skip
        found |= {column for column, asked in wanted.items() if asked}
    return tuple(sorted(found - set(reach.scope) - {"line"}))


def _scheduled(programme: Programme) -> bool:
    return programme.accrual is not None and bool(programme.accrual.rates or programme.accrual.expected)


def _scheduled_now(programme: Programme, as_of: date) -> str:
    """Which of the accrual's rates or expected bases is in force."""
    accrual = programme.accrual
    days = [*(step.from_ for step in accrual.rates), *(step.from_ for step in accrual.expected)] if accrual is not None else []
    return str(sum(1 for day in days if day <= as_of))


def spans_of(family: Family, programme: Programme) -> list[Span]:
    """The periods of a programme that the family's results are used for."""
    return [span for span in periods.of(programme) if span.name in family.owns[programme.key]]

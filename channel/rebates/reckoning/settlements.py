"""Settlements (结算) on the ledger: earned to date less what was settled, with a statement for each result settled.

A period that is over and whose late days have passed is settled finally; before, by the parts that the calendar names. What becomes known
after that is settled the next time as the difference, in the open period, with its reason. Once every unit of a period has been looked at,
only what new facts touch is looked at again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from canonical.ids import new_id
from channel.rebates import fact_service, periods
from channel.rebates import queries as rebate_queries
from channel.rebates.errors import BadFacts, NotFoundHere
from channel.rebates.periods import Span
from channel.rebates.programme import Programme
from channel.rebates.queries import Before, Connection, unit_of
from channel.rebates.reckoning import queries
from channel.rebates.reckoning.accruals import Done
from channel.rebates.reckoning.checks import differing
from channel.rebates.reckoning.families import Family, spans_of
from channel.rebates.reckoning.keeping import Night, begun, brought_up, from_lines, from_sums, from_touched_lines, laid_out, refuse_units
from channel.rebates.reckoning.passing import People, pass_on, people, received
from channel.rebates.reporting import as_dealer, of_result
from channel.rebates.results import Calculation, Result

Mark = tuple[date, bool]
"""The settlement day that has passed, and whether it is the final one."""
NEVER: Final = Before()


@dataclass
class Made:
    """What is to be settled."""

    results: int = 0
    due: list[tuple[Result, str, Before]] = field(default_factory=list)
    programmes: list[Programme] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)


def settle(
    db: Connection, as_of: date, *, by: str, programmes: Sequence[str] | None = None, known_at: datetime | None = None, full: bool = False,
    sample: int = 0,
) -> Done:  # fmt: skip
    """Settle what is due by the programmes' calendars, and what changed since. full: everything is looked at again.

    A programme whose facts cannot be reckoned is left as it is and told of; the others go on. sample: so many kept sums are compared with
    their lines. Raises: NotFoundHere.
    """
    rebate_queries.lock(db)
    fact_service.refresh(db)
    night, families = begun(db, as_of, known_at, full=full, bare=False)
    known = {one.programme for one in night.originals.values()}
    for name in programmes or ():
        if name not in known:
            raise NotFoundHere(f"no programme {name} is published", next_step="look with `hub rebates programmes`")
    made, problems = Made(), []
    for family in families:
        if programmes is None or family.codes & set(programmes):
            laid_out(night, family)
            try:
                with db.transaction():
                    _family(night, family, made, programmes, sample)
            except BadFacts as wrong:
                problems.append(wrong)
    return _settled(night, made, by, problems)


def _family(night: Night, family: Family, made: Made, programmes: Sequence[str] | None, sample: int) -> None:
    """Find what is due in a family."""
    found, asked = Made(), family.codes if programmes is None else family.codes & set(programmes)
    scratch = night.from_scratch(family)
    if scratch and asked == family.codes:
        queries.drop(night.db, family.key)
        night.kept.pop(family.key, None)
    if scratch or asked != family.codes:
        refuse_units(night, family, None)
        _take(found, night, from_lines(night, family), asked)
    if asked == family.codes and night.known_at is None and (night.full or not scratch):
        _what_is_new(night, family, found, looked=scratch, sample=sample)
    made.results += found.results
    made.due += found.due
    made.hashes += found.hashes
    made.differs += found.differs
    made.programmes += [night.originals[one.key] for one in family.programmes]


def _what_is_new(night: Night, family: Family, found: Made, *, looked: bool, sample: int) -> None:
    """Periods of which a settlement day has passed since the last time, whole; of the others that were settled, what is touched.

    looked: all of it was looked at just now, and only that is noted. Before a first settlement day nothing is kept of a family.
    """
    marks = {
        (one.programme, span.name): (era, passed)
        for one in family.programmes
        for span in spans_of(family, one)
        if (passed := mark(one, span, night.as_of)) is not None and (era := family.era(span.start)) is not None
    }
    if not marks:
        return
    db = night.db
    family_id, _ = brought_up(night, family)
    refuse_units(night, family, family_id)
    done = queries.settled_spans(db, family_id)
    new = {place: at for place, at in marks.items() if place not in done or _order(done[place]) < _order(at[1])}
    whole = {era for era, _ in new.values()}
    if whole and not looked:
        _take(found, night, from_lines(night, family, whole), family.codes)
    for (programme, period), (_, (up_to, final)) in new.items():
        queries.note_settled(db, family_id, programme, period, up_to, final=final)
    open_eras = {start for start, _ in family.eras} - {era for era, _ in marks.values()}
    queries.take_touched(db, family_id, sorted(whole | open_eras))
    if not looked:
        read = from_touched_lines if family.needs_lines else from_sums
        _take(found, night, read(night, family, family_id), family.codes)
    queries.take_touched(db, family_id)
    if sample and not looked:
        found.differs += differing(night, family, family_id, sample)


def _order(passed: Mark) -> tuple[bool, date]:
    return passed[1], passed[0]


def mark(programme: Programme, span: Span, as_of: date) -> Mark | None:
    """The last settlement day of a period that has passed."""
    last = span.end - timedelta(days=1)
    if as_of >= last + timedelta(days=programme.calendar.late_days):
        return last, True
    passed = [day for day in periods.settlement_days(programme, span) if day < last and day <= as_of]
    return (passed[-1], False) if passed else None


def _take(found: Made, night: Night, parts: Iterator[Calculation], codes: Collection[str]) -> None:
    for part in parts:
        before = rebate_queries.settled_units(night.db, [unit_of(result) for result in part.results])
        found.results += len(part.results)
        found.hashes.append(part.facts_hash)
        for result in part.results:
            if result.programme.programme not in codes:
                continue
            earlier = before.get(unit_of(result), NEVER)
            kind = _kind(result, night.as_of, earlier)
            if not result.balanced:
                raise ArithmeticError(f"{unit_of(result)}: earned is not settled + open + held + disputed + forfeited; nothing is booked")
            if kind is not None and (result.payable or kind == "final"):
                _late_since(result, earlier.last_at)
                found.due.append((result, kind, earlier))


def _kind(result: Result, as_of: date, before: Before) -> str | None:
    """What a settlement of the result would be now; None: it is not due."""
    passed = mark(result.programme, result.span, as_of)
    if before.kinds & {"final", "correction"}:
        return "correction"
    if passed is None or passed[1]:
        return None if passed is None else "final"
    return "partial" if before.up_to is None or before.up_to < passed[0] else None


def _late_since(result: Result, settled_at: datetime | None) -> None:
    """Of what came late, what came since the last settlement: the earlier statement was made of the rest."""
    if settled_at is not None and result.late:
        since = {line.fact.id for line in result.cell.own.lines if line.fact.recorded_at > settled_at}
        result.late = tuple(late for late in result.late if late.fact in since)


def _reason(result: Result, settled_at: datetime | None) -> str:
    """Why a settled result is settled again: what became known since."""
    if settled_at is None:
        return ""
    reasons = sorted({late.reason for late in result.late}) or ["recalculated"]
    return ", ".join(reasons) + (f"; posts in {result.posts_in}" if result.posts_in else "")


def _settled(night: Night, made: Made, by: str, problems: Sequence[BadFacts]) -> Done:
    """Write settlements, bookings and statements."""
    db, as_of = night.db, night.as_of
    made.due.sort(key=lambda due: (due[0].programme.programme, due[0].programme.version, due[0].cell.key))
    calculation = rebate_queries.begin_calculation(db, "settlement", made.programmes, as_of, night.known_at, by)
    told = {unit_of(result): of_result(result) for result, _, _ in made.due}
    rebate_queries.add_results(db, calculation, [result for result, _, _ in made.due], lambda result: told[unit_of(result)])
    rebate_queries.end_calculation(db, calculation, hashlib.sha256("".join(made.hashes).encode()).hexdigest())
    due = [rebate_queries.Settling(result, kind, _reason(result, earlier.last_at)) for result, kind, earlier in made.due]
    settled = rebate_queries.add_settlements(db, calculation, due, on=as_of, by=by)
    _book(db, [result for result, _, _ in made.due], settled, by, as_of)
    said = {"as_of": as_of.isoformat()}
    who = people(db, [one.result for one in due])
    hashes = {one.key: one.hash for one in made.programmes}
    statements = rebate_queries.add_statements(
        db,
        [
            _stated(one, settled, who, as_dealer(one.result, told[unit_of(one.result)]) | said | {"hash": hashes[one.result.programme.key]})
            for one in due
        ],
        by,
    )
    booked: dict[str, Decimal] = {}
    handed: list[str] = []
    for one in due:
        currency = one.result.programme.currency
        booked[currency] = booked.get(currency, Decimal(0)) + one.result.payable
        handed += pass_on(db, one.result, settled[unit_of(one.result)][0], who, as_of=as_of, by=by)
    units = [unit_of(one.result) for one in due]
    return Done(calculation, made.results, booked, units, statements, problems, made.differs, handed)


Settled = Mapping[str, tuple[int, UUID | None]]
"""By unit the settlement's id, and the party that is paid."""


def _stated(one: rebate_queries.Settling, settled: Settled, who: People, said: Mapping[str, Any]) -> rebate_queries.Issued:
    result, programme = one.result, one.result.programme
    told = {**said, "kind": one.kind}
    if programme.pass_through is not None:
        told["passed_on"] = {name: format(amount, "f") for name, amount in received(result, who).items()}
    return programme, result.dealer, settled[unit_of(result)][1], result.span.name, told


def _book(db: Connection, results: Sequence[Result], settled: Settled, by: str, on: date) -> None:
    """What is settled leaves the accrual and becomes available, for as long as the programme says.

    What stands accrued is then what should be accrued less what is settled: the next night has nothing to catch up with, also where nobody
    had accrued before. A programme that accrues nothing gives up what an earlier version of it has accrued.
    """
    standing = queries.accrued(db, [unit_of(result) for result in results])
    entries: list[rebate_queries.Entry] = []
    for result in results:
        unit, programme = unit_of(result), result.programme
        left = Decimal(0) if result.accrued is None else result.accrued - result.booked.settled - result.payable
        change = left - standing.get((unit, programme.currency), Decimal(0))
        for account, amount, last in (("accrued", change, None), ("available", result.payable, programme.settlement.last_day(on))):
            if amount:
                about = result.dealer, settled[unit][1], programme.programme, programme.currency
                entries.append((*about, account, amount, unit, last))
    rebate_queries.book_settled(db, entries, booking=new_id(), by=by)

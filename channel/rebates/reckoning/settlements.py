"""Settlements (结算) on the ledger: earned to date less what was settled, with a statement for each result settled.

A period that is over and whose late days have passed is settled finally; before, by the parts that the calendar names. What becomes known
after that is settled the next time as the difference, in the open period, with its reason. Once every unit of a period has been looked at,
only what new facts touch is looked at again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
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
from channel.rebates.reckoning.families import Family, spans_of
from channel.rebates.reckoning.keeping import Night, begun, brought_up, from_lines, from_touched_lines, laid_out
from channel.rebates.reckoning.passing import pass_on, received
from channel.rebates.reporting import of_result
from channel.rebates.results import Calculation, Result

Mark = tuple[date, bool]
"""The settlement day that has passed, and whether it is the final one."""
NEVER: Final = Before()


@dataclass
class Made:
    """What is to be settled."""

    results: int = 0
    facts: int = 0
    due: list[tuple[Result, str, Before]] = field(default_factory=list)
    programmes: list[Programme] = field(default_factory=list)
    facts_hash: str = ""


def settle(
    db: Connection, as_of: date, *, by: str, programmes: Sequence[str] | None = None, known_at: datetime | None = None, full: bool = False
) -> Done:
    """Settle what is due by the programmes' calendars, and what changed since. full: everything is looked at again.

    A programme whose facts cannot be reckoned is left as it is and told of; the others go on. Raises: NotFoundHere.
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
                    _family(night, family, made, programmes)
            except BadFacts as wrong:
                problems.append(wrong)
    return _settled(night, made, by, problems)


def _family(night: Night, family: Family, made: Made, programmes: Sequence[str] | None) -> None:
    """Find what is due in a family."""
    found, asked = Made(), family.codes if programmes is None else family.codes & set(programmes)
    kept = family.reach.who == "dealer" and not family.needs_lines and night.known_at is None and asked == family.codes
    by_lines = night.by_lines(family) or not kept
    if by_lines:
        if asked == family.codes:
            queries.drop(night.db, family.key)
            night.kept.pop(family.key, None)
        _take(found, night, from_lines(night, family), asked)
    if kept and (night.full or not by_lines):
        _what_is_new(night, family, found, looked=by_lines)
    made.results += found.results
    made.facts += found.facts
    made.due += found.due
    made.facts_hash = made.facts_hash or found.facts_hash
    made.programmes += [night.originals[one.key] for one in family.programmes]


def _what_is_new(night: Night, family: Family, found: Made, *, looked: bool) -> None:
    """Periods of which a settlement day has passed since the last time, whole; of the others that were settled, what is touched.

    looked: all of it was looked at just now, and only that is noted.
    """
    db = night.db
    family_id, _ = brought_up(night, family, sums=False)
    done = queries.settled_spans(db, family_id)
    whole: dict[date, list[tuple[str, str, Mark]]] = {}
    settled: set[date | None] = set()
    for one in family.programmes:
        for span in spans_of(family, one):
            passed, era = mark(one, span, night.as_of), family.era(span.start)
            before = done.get((one.programme, span.name))
            settled |= {era} if passed is not None else set()
            if passed is not None and era is not None and (before is None or (before[1], before[0]) < (passed[1], passed[0])):
                whole.setdefault(era, []).append((one.programme, span.name, passed))
    for era, marks in sorted(whole.items()):
        if not looked:
            _take(found, night, from_lines(night, family, era), family.codes)
        for programme, period, (up_to, final) in marks:
            queries.note_settled(db, family_id, programme, period, up_to, final=final)
    queries.take_touched(db, family_id, [start for start, _ in family.eras if start in whole or start not in settled])
    if not looked:
        _take(found, night, from_touched_lines(night, family, family_id), family.codes)
    queries.take_touched(db, family_id)


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
        found.facts += part.facts_count
        found.facts_hash = found.facts_hash or part.facts_hash
        for result in part.results:
            if result.programme.programme not in codes:
                continue
            earlier = before.get(unit_of(result), NEVER)
            kind = _kind(result, night.as_of, earlier)
            if kind is not None and (result.payable or kind == "final"):
                found.due.append((result, kind, earlier))


def _kind(result: Result, as_of: date, before: Before) -> str | None:
    """What a settlement of the result would be now; None: it is not due."""
    passed = mark(result.programme, result.span, as_of)
    if before.kinds & {"final", "correction"}:
        return "correction"
    if passed is None or passed[1]:
        return None if passed is None else "final"
    return "partial" if before.up_to is None or before.up_to < passed[0] else None


def _reason(result: Result, settled_at: datetime | None) -> str:
    """Why a settled result is settled again: what became known since."""
    if settled_at is None:
        return ""
    since = {line.fact.id for line in result.cell.own.lines if line.fact.recorded_at > settled_at}
    reasons = sorted({late.reason for late in result.late if late.fact in since}) or ["recalculated"]
    return ", ".join(reasons) + (f"; posts in {result.posts_in}" if result.posts_in else "")


def _settled(night: Night, made: Made, by: str, problems: Sequence[BadFacts]) -> Done:
    """Write settlements, bookings and statements."""
    db, as_of = night.db, night.as_of
    made.due.sort(key=lambda due: (due[0].programme.programme, due[0].programme.version, due[0].cell.key))
    calculation = rebate_queries.begin_calculation(db, "settlement", made.programmes, as_of, night.known_at, by)
    rebate_queries.add_results(db, calculation, [result for result, _, _ in made.due], of_result)
    rebate_queries.end_calculation(db, calculation, made.facts_hash)
    due = [rebate_queries.Settling(result, kind, _reason(result, earlier.last_at)) for result, kind, earlier in made.due]
    settled = rebate_queries.add_settlements(db, calculation, due, on=as_of, by=by)
    _book(db, [result for result, _, _ in made.due], settled, by, as_of)
    statements = rebate_queries.add_statements(db, [_stated(one, settled, as_of) for one in due], by)
    booked: dict[str, Decimal] = {}
    handed: list[str] = []
    for one in due:
        currency = one.result.programme.currency
        booked[currency] = booked.get(currency, Decimal(0)) + one.result.payable
        handed += pass_on(db, one.result, settled[unit_of(one.result)][0], as_of=as_of, by=by)
    return Done(calculation, made.results, booked, [unit_of(one.result) for one in due], statements, problems, handed_on=handed)


Settled = Mapping[str, tuple[int, UUID | None]]
"""By unit the settlement's id, and the party that is paid."""


def _stated(one: rebate_queries.Settling, settled: Settled, as_of: date) -> rebate_queries.Issued:
    result, programme = one.result, one.result.programme
    said = of_result(result, "dealer") | {"kind": one.kind, "as_of": as_of.isoformat(), "hash": programme.hash}
    if programme.pass_through is not None:
        said["passed_on"] = {name: format(amount, "f") for name, amount in received(result).items()}
    return programme, result.dealer, settled[unit_of(result)][1], result.span.name, said


def _book(db: Connection, results: Sequence[Result], settled: Settled, by: str, on: date) -> None:
    """What is settled leaves the accrual and becomes available, for as long as the programme says.

    All of it leaves, so that what stands accrued is what should be accrued less what is settled, before a settlement and after it: the next
    night has nothing to catch up with. A programme that accrues nothing gives up what an earlier version of it has accrued.
    """
    silent = [result for result in results if result.programme.accrual is None]
    standing = queries.accrued(db, [unit_of(result) for result in silent]) if silent else {}
    entries: list[rebate_queries.Entry] = []
    for result in results:
        unit, programme = unit_of(result), result.programme
        used = result.payable if programme.accrual is not None else standing.get((unit, programme.currency), Decimal(0))
        for account, amount, last in (("accrued", -used, None), ("available", result.payable, programme.settlement.last_day(on))):
            if amount:
                about = result.dealer, settled[unit][1], programme.programme, programme.currency
                entries.append((*about, account, amount, unit, last))
    rebate_queries.book_settled(db, entries, booking=new_id(), by=by)

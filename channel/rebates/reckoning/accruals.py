"""Accruals (预提) on the ledger: what should be booked by now less what is. A night looks only at what is touched since the last one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from canonical.ids import new_id
from channel.rebates import fact_service, periods
from channel.rebates import queries as rebate_queries
from channel.rebates.errors import BadFacts
from channel.rebates.queries import Connection, unit_of
from channel.rebates.reckoning import queries
from channel.rebates.reckoning.checks import differing
from channel.rebates.reckoning.families import Family
from channel.rebates.reckoning.keeping import Night, begun, brought_up, from_lines, from_sums, from_touched_lines, laid_out, refuse_units
from channel.rebates.reporting import of_result
from channel.rebates.results import Calculation, Result

Booking = tuple[str, str, str, str, Decimal]
"""Dealer, programme, currency, unit, amount."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did: how many results it looked at, what was booked by currency, which units were touched, and what it could not do."""

    calculation: int
    results: int
    booked: Mapping[str, Decimal] = field(default_factory=dict)
    units: Sequence[str] = ()
    statements: Sequence[str] = ()
    problems: Sequence[BadFacts] = ()
    """Families of programmes that were left as they were, because of facts that cannot be."""
    differs: Sequence[str] = ()
    """Units of the sample whose kept sums were not what their lines give."""
    handed_on: Sequence[str] = ()
    """Statements of second-level dealers (二级)."""


def accrue(db: Connection, as_of: date, *, by: str, known_at: datetime | None = None, full: bool = False, sample: int = 0) -> Done:
    """Book what should be accrued by now, less what is: cumulative, so a changed view catches up and a second run books nothing.

    What new facts touch is rated from kept sums. full: everything is rated from its lines, and summed anew. A programme whose facts
    cannot be reckoned keeps its accruals and is told of; the others go on. sample: so many kept sums are compared with their lines.
    """
    rebate_queries.lock(db)
    fact_service.refresh(db)
    night, families = begun(db, as_of, known_at, full=full, bare=True)
    accruing = [family for family in families if any(_accrues(family, one.programme) for one in family.programmes)]
    programmes = [night.originals[one.key] for family in accruing for one in family.programmes]
    made = Made(rebate_queries.begin_calculation(db, "accrual", programmes, as_of, known_at, by), by)
    problems, whole = [], False
    for family in accruing:
        part = replace(made, booked={}, units=[], hashes=[], differs=[])
        laid_out(night, family)
        try:
            with db.transaction():
                whole = _family(night, family, part, sample) or whole
        except BadFacts as wrong:
            problems.append(wrong)
        else:
            made.take_in(part)
    if whole:
        made.book(db, list(_orphans(db, families)))
    rebate_queries.end_calculation(db, made.calculation, hashlib.sha256("".join(made.hashes).encode()).hexdigest())
    return Done(made.calculation, made.results, made.booked, made.units, problems=problems, differs=made.differs)


@dataclass
class Made:
    """What was looked at and booked so far."""

    calculation: int
    by: str
    booking: UUID = field(default_factory=new_id)
    results: int = 0
    booked: dict[str, Decimal] = field(default_factory=dict)
    units: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)

    def book(self, db: Connection, bookings: Sequence[Booking]) -> None:
        """Book accruals."""
        queries.book_accruals(db, bookings, booking=self.booking, by=self.by)
        for _, _, currency, unit, amount in bookings:
            self.booked[currency] = self.booked.get(currency, Decimal(0)) + amount
            self.units.append(unit)

    def take_in(self, part: Made) -> None:
        """What was done for one family."""
        self.results = part.results
        self.units += part.units
        self.hashes += part.hashes
        self.differs += part.differs
        for currency, amount in part.booked.items():
            self.booked[currency] = self.booked.get(currency, Decimal(0)) + amount


def _accrues(family: Family, code: str) -> bool:
    return any(one.programme == code and one.accrual is not None and family.owns[one.key] for one in family.programmes)


def _family(night: Night, family: Family, made: Made, sample: int) -> bool:
    """Rate a family and note what is missing; true when all of it was rated."""
    db = night.db
    family_id, whole, parts = _to_rate(night, family)
    touched = None if whole or family_id is None else queries.touched(db, family_id)
    seen = _catch_up(db, parts, made)
    made.book(db, list(_vanished(db, family, seen, touched)))
    if family_id is None:
        if night.full:
            queries.take_touched(db, brought_up(night, family)[0])
        return whole
    queries.take_touched(db, family_id)
    if sample:
        made.differs += differing(night, family, family_id, sample)
    return whole


def _to_rate(night: Night, family: Family) -> tuple[int | None, bool, Iterator[Calculation]]:
    """The id of its kept sums, whether all of it is rated, and what is. None: from its lines; what was kept is forgotten."""
    if night.from_scratch(family):
        queries.drop(night.db, family.key)
        night.kept.pop(family.key, None)
        refuse_units(night, family, None)
        return None, True, from_lines(night, family)
    family_id, whole = brought_up(night, family)
    refuse_units(night, family, family_id)
    if not family.needs_lines:
        return family_id, whole, from_sums(night, family, family_id)
    return family_id, whole, from_lines(night, family) if whole else from_touched_lines(night, family, family_id)


def _catch_up(db: Connection, parts: Iterable[Calculation], made: Made) -> set[str]:
    """Book what is missing of results; the units that should have an accrual."""
    seen: set[str] = set()
    for part in parts:
        made.results += len(part.results)
        made.hashes.append(part.facts_hash)
        results = [one for one in part.results if one.accrued is not None]
        seen |= {unit_of(one) for one in results}
        missing = list(_missing(db, results))
        rebate_queries.add_results(db, made.calculation, [one for one, _ in missing], of_result)
        made.book(db, [booking for _, booking in missing])
    return seen


def _missing(db: Connection, results: Sequence[Result]) -> Iterator[tuple[Result, Booking]]:
    """What is missing to the accrual that each result should have now."""
    units = [unit_of(one) for one in results]
    standing, settled = queries.accrued(db, units), queries.settled(db, units)
    for unit, one in zip(units, results, strict=True):
        key = unit, one.programme.currency
        amount = (one.accrued or Decimal(0)) - settled.get(key, Decimal(0)) - standing.get(key, Decimal(0))
        if amount:
            yield one, (one.dealer, one.programme.programme, one.programme.currency, unit, amount)


def _vanished(
    db: Connection, family: Family, seen: set[str], touched: Sequence[tuple[str, date, tuple[str, ...]]] | None
) -> Iterator[Booking]:
    """What stands accrued for results that are there no more: all their lines were taken back, or moved to another dealer."""
    codes = [one.programme for one in family.programmes if one.accrual is not None and family.owns[one.key]]
    names = {one.programme: family.owns[one.key] for one in family.programmes}
    if touched is None:
        yield from _back(db, queries.accrued_of(db, codes), seen, names)
        return
    if family.reach.who == "dealer" and (family.reach.scope or all(one.grouping.by == ("dealer",) for one in family.programmes)):
        wanted = [unit for unit in _names(family, touched) if unit not in seen]
        yield from _back(db, queries.accrued_of(db, codes, units=wanted), seen, names)
        return
    dealers = sorted({who for who, _, _ in touched}) if family.reach.who == "dealer" else None
    places = {(who if dealers is not None else "", era) for who, era, _ in touched}
    eras = {(one.programme, span.name): family.era(span.start) for one in family.programmes for span in periods.of(one)}
    found = [
        row
        for row in queries.accrued_of(db, codes, dealers=dealers)
        if (row["dealer"] if dealers is not None else "", eras.get((row["programme"], row["unit"].rsplit("|", 1)[1]))) in places
    ]
    yield from _back(db, found, seen, names)


def _names(family: Family, touched: Sequence[tuple[str, date, tuple[str, ...]]]) -> Iterator[str]:
    """The units that touched places can have."""
    for one in family.programmes:
        by_era: dict[date | None, list[str]] = {}
        for span in periods.of(one):
            if span.name in family.owns[one.key]:
                by_era.setdefault(family.era(span.start), []).append(span.name)
        dims = [name for name in one.grouping.by if name != "dealer"]
        for who, era, scope in touched:
            said = ",".join(f"{name}={value}" for name, value in sorted(zip(dims, scope, strict=False)))
            yield from (f"{one.programme}|{who}|{said}|{period}" for period in by_era.get(era, ()))


def _back(db: Connection, rows: Iterable[Mapping[str, object]], seen: set[str], names: Mapping[str, frozenset[str]]) -> Iterator[Booking]:
    gone = [row for row in rows if row["unit"] not in seen and str(row["unit"]).rsplit("|", 1)[1] in names.get(str(row["programme"]), ())]
    settled = queries.settled(db, [str(row["unit"]) for row in gone])
    for row in gone:
        unit, currency = str(row["unit"]), str(row["currency"])
        amount = -settled.get((unit, currency), Decimal(0)) - Decimal(str(row["amount"]))
        if amount:
            yield str(row["dealer"]), str(row["programme"]), currency, unit, amount


def _orphans(db: Connection, families: Sequence[Family]) -> Iterator[Booking]:
    """What stands accrued for periods that no version has any more."""
    names: dict[str, set[str]] = {}
    for family in families:
        for one in family.programmes:
            names.setdefault(one.programme, set()).update(family.owns[one.key])
    for row in queries.accrued_of(db, sorted(names)):
        if row["amount"] and row["unit"].rsplit("|", 1)[1] not in names[row["programme"]]:
            yield row["dealer"], row["programme"], row["currency"], row["unit"], -row["amount"]

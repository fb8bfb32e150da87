"""A family's kept sums brought up to the newest facts, and its results: of what is touched from sums, or of everything from lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from channel.rebates import fact_queries, periods
from channel.rebates.calculating import calculate
from channel.rebates.errors import BadFacts, Flaw
from channel.rebates.facts import COLUMNS, Fact, Table
from channel.rebates.periods import Span
from channel.rebates.programme import Programme
from channel.rebates.queries import Connection, Row
from channel.rebates.rating import addressed
from channel.rebates.reckoning import queries
from channel.rebates.reckoning.families import Family, families
from channel.rebates.results import Calculation

AT_ONCE: Final = 4_000
"""Units that are rated together from sums."""
LINES_AT_ONCE: Final = 300_000
"""Lines that are rated together, where dealers can be taken by themselves."""
Unit = tuple[str, date, tuple[str, ...]]
"""Whom, era, scope."""


@dataclass(slots=True)
class Night:
    """One reckoning: its cut-offs, how far the facts go, and what they changed."""

    db: Connection
    as_of: date
    known_at: datetime | None
    full: bool
    seq: int = 0
    changes_after: int | None = None
    """The facts after this number are laid out as changes."""
    kept: dict[str, Row] = field(default_factory=dict)
    originals: dict[str, Programme] = field(default_factory=dict)
    """Programmes as they were published, by key."""

    def by_lines(self, family: Family) -> bool:
        """True where all of a family is rated from its lines: it must be, it is asked for, or the sums are of a later day."""
        row = self.kept.get(family.key)
        return family.needs_lines or self.full or self.known_at is not None or (row is not None and self.as_of < row["folded_day"])


def begun(db: Connection, as_of: date, known_at: datetime | None, *, full: bool, bare: bool) -> tuple[Night, list[Family]]:
    """The families of this night, with what is kept of them; what is kept of others is forgotten."""
    versions, closed = queries.published(db), queries.closed(db)
    wanted = families(versions, closed, bare=bare)
    keys = [family.key for family in (*wanted, *families(versions, closed, bare=not bare))]
    queries.drop_others(db, keys)
    night = Night(db, as_of, known_at, full, queries.newest_fact(db))
    night.kept = queries.kept(db, keys)
    night.originals = {one.key: one for mine in versions for one in mine}
    return night, wanted


def laid_out(night: Night, family: Family) -> None:
    """Lay out what changed since a family's last night, for `brought_up`. Outside of what may be rolled back for this family alone."""
    row = night.kept.get(family.key)
    if row is not None and not night.by_lines(family) and row["folded_to"] != night.changes_after:
        queries.find_changes(night.db, row["folded_to"], night.seq)
        night.changes_after = row["folded_to"]


def brought_up(night: Night, family: Family, *, sums: bool) -> tuple[int, bool]:
    """Take in what is new; the family's id, and whether all of it was summed now for the first time."""
    db, row = night.db, night.kept.get(family.key)
    clock = family.clock(night.as_of)
    if row is None:
        family_id = queries.begin(db, family, night.seq, night.as_of, sums=sums)
        queries.note_folded(db, family_id, night.seq, night.as_of, clock)
        queries.touch(db, family_id, list(_guaranteed(family, [start for start, _ in family.eras])))
        return family_id, True
    family_id = row["id"]
    if night.as_of > row["folded_day"]:
        queries.touch_days(db, family, family_id, row["folded_day"], night.as_of)
    queries.fold(db, family, family_id, night.as_of, sums=sums)
    _touch_figures(night, family, family_id)
    moved = [start for start, _ in family.eras if clock.get(start.isoformat()) != row["clock"].get(start.isoformat())]
    if moved and sums:
        queries.touch_eras(db, family_id, moved)
        queries.touch(db, family_id, list(_guaranteed(family, moved)))
    if sums and family.reach.who == "parent":
        # A result does not say who heads its group: what is gone shows only beside everything else of its era.
        queries.touch_eras(db, family_id, sorted({era for _, era, _ in queries.touched(db, family_id)}))
    queries.note_folded(db, family_id, night.seq, night.as_of, clock)
    return family_id, False


def _guaranteed(family: Family, eras: Collection[date]) -> Iterator[Unit]:
    """Dealers who get something without a line."""
    for one in family.programmes:
        if one.limits.guarantee is not None and one.grouping.by == ("dealer",):
            dealers = {*one.participants.dealers, *(member.dealer for member in one.participants.members)}
            yield from ((dealer if family.reach.who == "dealer" else "*", era, ()) for dealer in sorted(dealers) for era in eras)


def _touch_figures(night: Night, family: Family, family_id: int) -> None:
    """Note what new targets, baselines, complaints, measures and the like are about."""
    found: set[Unit] = set()
    eras: set[date] = set()
    spans = {one.key: periods.of(one) for one in family.programmes}
    for fact in queries.figures_changed(night.db):
        for one in family.programmes:
            for span, scope in _about(one, fact, spans[one.key]):
                era = family.era(span.start)
                if era is None:
                    continue
                if family.reach.who == "parent":
                    eras.add(era)  # the fact does not say who heads the group
                else:
                    found.add((fact.dealer if family.reach.who == "dealer" else "*", era, scope if family.reach.scope else ()))
    queries.touch(night.db, family_id, sorted(found))
    queries.touch_eras(night.db, family_id, sorted(eras))


def _about(programme: Programme, fact: Fact, spans: Sequence[Span]) -> Iterator[tuple[Span, tuple[str, ...]]]:
    if fact.kind in ("complaint", "measure"):
        if programme.gates:
            yield from ((span, ()) for span in spans if span.holds(fact.date))
    elif (key := addressed(programme, fact, spans)) is not None:
        yield key[2], key[1]


# Results -----------------------------------------------------------------------------------------------------------------------


def from_sums(night: Night, family: Family, family_id: int) -> Iterator[Calculation]:
    """What is touched, rated from the kept sums. Lines are not named in it. Raises: BadFacts."""
    for units in _by_whom(queries.touched(night.db, family_id)):
        whos = sorted({who for who, _, _ in units})
        facts = list(queries.sums_of_touched(night.db, family, family_id, night.as_of, whos))
        if family.figures:
            facts += queries.figures_of(night.db, whos if family.reach.who == "dealer" else None, settled=False)
        yield _of(_rated(night, family, facts, plainly=True), family, units)


def _by_whom(units: Sequence[Unit]) -> Iterator[set[Unit]]:
    """Units in portions; whom they are read for stays whole."""
    some: set[Unit] = set()
    last = ""
    for unit in units:
        if len(some) >= AT_ONCE and unit[0] != last:
            yield some
            some = set()
        some.add(unit)
        last = unit[0]
    if some:
        yield some


def from_lines(night: Night, family: Family, era: date | None = None) -> Iterator[Calculation]:
    """Everything in an era, or in all, rated from its lines. Raises: BadFacts."""
    start, end = family.window(era)
    end = min(end, night.as_of + timedelta(days=1))
    if family.needs_lines or family.reach.who != "dealer" or night.known_at is not None:
        first = family.cuts[0] if family.needs_lines else start
        facts = fact_queries.facts(night.db, first, night.as_of + timedelta(days=1), known_at=night.known_at)
        yield _of(_rated(night, family, facts), family, None, era)
        return
    later = fact_queries.later_revisions(night.db)
    others = {*queries.figured(night.db), *(who for who, _, _ in _guaranteed(family, [start]))}
    for dealers in _portions(queries.many_lines(night.db, start, end), sorted(others)):
        portion = [*queries.lines_between(night.db, start, end, dealers, later), *queries.figures_of(night.db, dealers, settled=True)]
        yield _of(_rated(night, family, portion), family, {(dealer, None, ()) for dealer in dealers}, era)


def _portions(counts: Iterable[tuple[str, int]], others: Iterable[str]) -> Iterator[list[str]]:
    """Dealers by so many lines at once; those without lines last."""
    some: list[str] = []
    lines, seen = 0, set[str]()
    for dealer, count in counts:
        seen.add(dealer)
        if some and lines + count > LINES_AT_ONCE:
            yield some
            some, lines = [], 0
        some.append(dealer)
        lines += count
    some += [dealer for dealer in others if dealer not in seen]
    if some:
        yield some


def from_touched_lines(night: Night, family: Family, family_id: int) -> Iterator[Calculation]:
    """What is touched, rated from its lines. Raises: BadFacts."""
    units = queries.touched(night.db, family_id)
    if not units:
        return
    facts = [
        *queries.lines_of_touched(night.db, family, family_id, night.as_of),
        *queries.settled_for_touched(night.db, family, family_id),
    ]
    if family.figures:
        facts += queries.figures_of(night.db, sorted({who for who, _, _ in units}), settled=False)
    yield _of(_rated(night, family, facts), family, set(units))


def _rated(night: Night, family: Family, facts: Iterable[Fact], *, plainly: bool = False) -> Calculation:
    try:
        return calculate(family.programmes, Table(tuple(facts), COLUMNS), as_of=night.as_of, known_at=night.known_at)
    except BadFacts as wrong:
        if not plainly:
            raise
        raise BadFacts([_named(flaw) for flaw in wrong.flaws]) from wrong


def _named(flaw: Flaw) -> Flaw:
    """A sum is named by one of its lines."""
    name, mark, rest = flaw.what.partition("#")
    return Flaw(flaw.code, flaw.where, name + ":" + rest.partition(":")[2] if mark else flaw.what, flaw.fix, None, flaw.file)


def _of(
    made: Calculation, family: Family, wanted: Collection[tuple[str, date | None, tuple[str, ...]]] | None, era: date | None = None
) -> Calculation:
    """Of a calculation the results that were asked for: all of some dealers, or of some units."""
    kept = []
    for result in made.results:
        place = family.place(result)
        asked = wanted is None or place in wanted or (result.dealer, None, ()) in wanted
        if asked and family.uses(result) and (era is None or family.reach.chain or place[1] == era):
            kept.append(result)
    return Calculation(kept, {}, made.programmes, made.as_of, made.known_at, made.facts_hash, made.facts_count)

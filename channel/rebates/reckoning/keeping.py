"""A family's kept sums brought up to the newest facts, and its results: of what is touched from sums, or of everything from lines."""

from __future__ import annotations

import re
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
from channel.rebates.reckoning import line_queries, queries
from channel.rebates.reckoning.families import Family, families
from channel.rebates.results import Calculation
from channel.rebates.units import refuse_mixed

AT_ONCE: Final = 4_000
"""Units that are rated together from sums."""
LINES_AT_ONCE: Final = 300_000
"""Lines that are rated together, where dealers can be taken by themselves."""
_PLACE: Final = re.compile(r"#\d+(?=: | is )")
"""What makes the name of a sum's line unique."""
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

    def from_scratch(self, family: Family) -> bool:
        """True where all of a family is rated from its lines: it is asked for, or what is kept is of a later day."""
        row = self.kept.get(family.key)
        return self.full or self.known_at is not None or (row is not None and self.as_of < row["folded_day"])


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
    if row is not None and not night.from_scratch(family) and row["folded_to"] != night.changes_after:
        queries.find_changes(night.db, row["folded_to"], night.seq)
        night.changes_after = row["folded_to"]


def brought_up(night: Night, family: Family) -> tuple[int, bool]:
    """Take in what is new; the family's id, and whether it was begun now: then all of it is touched."""
    db, row = night.db, night.kept.get(family.key)
    clock = family.clock(night.as_of)
    if row is None:
        family_id = queries.begin(db, family, night.seq, night.as_of)
        queries.note_folded(db, family_id, night.seq, night.as_of, clock)
        queries.touch(db, family_id, list(_guaranteed(family, [start for start, _ in family.eras])))
        return family_id, True
    family_id, after = row["id"], row["folded_day"]
    if family.needs_lines:
        line_queries.touch_hanging_together(db, family, family_id, after, night.as_of)
    else:
        if night.as_of > after:
            queries.touch_days(db, family, family_id, row["begun_to"], after, night.as_of)
        queries.fold(db, family, family_id, row["begun_to"], night.as_of)
    _touch_figures(night, family, family_id, after)
    moved = [start for start, _ in family.eras if clock.get(start.isoformat()) != row["clock"].get(start.isoformat())]
    if moved:
        _touch_all_of(night, family, family_id, moved)
        queries.touch(db, family_id, list(_guaranteed(family, moved)))
    if family.reach.who == "parent" or (family.reach.who == "all" and not family.bare):
        # A result does not say who heads its group: what is gone shows only beside everything else of its era.
        _touch_all_of(night, family, family_id, sorted({era for _, era, _ in queries.touched(db, family_id)}))
    queries.note_folded(db, family_id, night.seq, night.as_of, clock)
    return family_id, False


def _touch_all_of(night: Night, family: Family, family_id: int, eras: Sequence[date]) -> None:
    """Note everything of some eras; a family that has no sums reads its dealers from the facts."""
    if not eras or not family.needs_lines:
        queries.touch_eras(night.db, family_id, eras)
        return
    dealers = [dealer for dealer, _ in line_queries.many_lines(night.db, *family.window())] if family.reach.who == "dealer" else ["*"]
    queries.touch(night.db, family_id, [(dealer, era, ()) for dealer in dealers for era in eras])


def _guaranteed(family: Family, eras: Collection[date]) -> Iterator[Unit]:
    """Dealers who get something without a line."""
    for one in family.programmes:
        if one.limits.guarantee is not None and one.grouping.by == ("dealer",):
            dealers = {*one.participants.dealers, *(member.dealer for member in one.participants.members)}
            yield from ((dealer if family.reach.who == "dealer" else "*", era, ()) for dealer in sorted(dealers) for era in eras)


def _touch_figures(night: Night, family: Family, family_id: int, after: date) -> None:
    """Note what new targets, baselines, complaints, measures and the like are about."""
    found: set[Unit] = set()
    eras: set[date] = set()
    spans = {one.key: periods.of(one) for one in family.programmes}
    for fact in line_queries.figures_changed(night.db, after, night.as_of):
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
    _touch_all_of(night, family, family_id, sorted(eras))


def _about(programme: Programme, fact: Fact, spans: Sequence[Span]) -> Iterator[tuple[Span, tuple[str, ...]]]:
    if fact.kind in ("complaint", "measure"):
        if programme.gates:
            yield from ((span, ()) for span in spans if span.holds(fact.date))
    elif (key := addressed(programme, fact, spans)) is not None:
        yield key[2], key[1]


def refuse_units(night: Night, family: Family, family_id: int | None) -> None:
    """As on files: quantities in two units of one programme are not added up, whichever dealers they are of. family_id: of kept sums.

    Raises: BadFacts.
    """
    if not family.without_unit:
        return
    db, summed = night.db, family_id is not None and not family.needs_lines
    if summed and family_id is not None:
        units = queries.units_of(db, family, family_id)
    else:
        units = line_queries.units_between(db, family.cuts[0], night.as_of)
    if len(units) > 1:  # some may be outside of the programme's scope
        facts = (
            queries.sums_of(db, family, family_id, night.as_of)
            if summed and family_id is not None
            else line_queries.lines_and_payments(db, family.cuts[0], night.as_of)
        )
        calculation = _rated(night, family, facts, plainly=True)
        try:
            refuse_mixed(calculation, family.without_unit)
        except BadFacts as wrong:
            raise BadFacts([_named(flaw) for flaw in wrong.flaws]) from wrong


# Results -----------------------------------------------------------------------------------------------------------------------


def from_sums(night: Night, family: Family, family_id: int) -> Iterator[Calculation]:
    """What is touched, rated from the kept sums; to be settled, beside what was settled. Lines are not named in it. Raises: BadFacts."""
    units, db = queries.touched(night.db, family_id), night.db
    by_dealer = family.reach.who == "dealer"
    for some in _by_whom(units) if by_dealer or family.bare else _at_once(units):
        whos = sorted({who for who, _, _ in some})
        facts = list(queries.sums_of_touched(db, family, family_id, night.as_of, whos))
        if family.figures:
            facts += line_queries.figures_of(db, whos if by_dealer else None, settled=False)
        if not family.bare:
            facts += line_queries.settled_for_touched(db, family, family_id, whos)
        made = _rated(night, family, facts, plainly=True)
        if by_dealer or family.bare:
            yield _of(made, family, some)
        else:  # of a result without lines nobody knows whose group it was in
            yield _of(made, family, None, {era for _, era, _ in some})


def _at_once(units: Sequence[Unit]) -> Iterator[set[Unit]]:
    if units:
        yield set(units)


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


def from_lines(night: Night, family: Family, eras: Collection[date] | None = None) -> Iterator[Calculation]:
    """Everything in some eras, or in all, rated from its lines. Raises: BadFacts."""
    db = night.db
    if night.known_at is not None:
        first = family.cuts[0]
        facts = fact_queries.facts(db, first, night.as_of + timedelta(days=1), known_at=night.known_at)
        yield _of(_rated(night, family, facts), family, None, eras)
        return
    if family.needs_lines or family.reach.who != "dealer":
        # One reading for all eras: a group, a budget or a document does not end with them.
        lines = line_queries.lines_and_payments(db, family.cuts[0], night.as_of)
        everything = [*lines, *line_queries.figures_of(db, None, settled=True)]
        yield _of(_rated(night, family, everything), family, None, eras)
        return
    later = fact_queries.later_revisions(db)
    figured = line_queries.figured(db)
    for start in sorted(eras) if eras is not None else [None]:
        first, after = family.window(start)
        end = min(after, night.as_of + timedelta(days=1))
        others = {*figured, *(who for who, _, _ in _guaranteed(family, [first]))}
        for dealers in _portions(line_queries.many_lines(db, first, end), sorted(others)):
            portion = [*line_queries.lines_between(db, first, end, dealers, later), *line_queries.figures_of(db, dealers, settled=True)]
            yield _of(
                _rated(night, family, portion), family, {(dealer, None, ()) for dealer in dealers}, None if start is None else {start}
            )


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
    """What is touched, rated from its lines: of a family that needs them, or beside its sums. Raises: BadFacts."""
    db, units = night.db, queries.touched(night.db, family_id)
    if not units:
        return
    whos = sorted({who for who, _, _ in units})
    if family.needs_lines and family.reach.who != "dealer":
        yield from from_lines(night, family, None if family.bare else {era for _, era, _ in units})
        return
    if not family.needs_lines:
        facts = line_queries.lines_of_touched(db, family, family_id, night.as_of)
    elif 2 * len(whos) > len(line_queries.many_lines(db, *family.window())):  # to look for what hangs together would cost more than all
        facts = list(line_queries.lines_and_payments(db, family.cuts[0], night.as_of))
    else:
        facts = line_queries.hanging_together(db, family, family_id, night.as_of)
    if family.figures:
        facts += line_queries.figures_of(db, whos, settled=False)
    if not family.bare:
        facts += line_queries.settled_for_touched(db, family, family_id, whos)
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
    return Flaw(flaw.code, flaw.where, _PLACE.sub("", flaw.what), flaw.fix, None, flaw.file)


def _of(
    made: Calculation,
    family: Family,
    wanted: Collection[tuple[str, date | None, tuple[str, ...]]] | None,
    eras: Collection[date] | None = None,
) -> Calculation:
    """Of a calculation the results that were asked for: all of some dealers, of some units, or of some eras."""
    kept = []
    for result in made.results:
        place = family.place(result)
        asked = wanted is None or place in wanted or (result.dealer, None, ()) in wanted
        if asked and family.uses(result) and (eras is None or family.reach.chain or place[1] in eras):
            kept.append(result)
    return Calculation(kept, {}, made.programmes, made.as_of, made.known_at, made.facts_hash, made.facts_count)

"""The board: every dealer measured, scored, placed in its peer group and tagged, at one cut-off."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from channel.performance.errors import BadScorecard, Flaw
from channel.performance.facts import Fact, Table
from channel.performance.measuring import Measured, Window, measure, window, with_margin_share
from channel.performance.ranking import Driver, Entry, Group, Key, Subject, driver, group_of, places, quartiles
from channel.performance.scorecard import Scorecard
from channel.performance.scoring import Score, score
from channel.performance.tags import ManualTag, Tag, step


@dataclass(frozen=True, slots=True)
class Standing:
    """What an earlier result says of a dealer."""

    place: int | None = None
    score: Fraction | None = None
    parts: Mapping[str, Fraction] = field(default_factory=dict)
    tags: Mapping[str, Tag] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An earlier result: what was published for its cut-off."""

    as_of: date
    version: int
    standings: Mapping[Key, Standing]


@dataclass(frozen=True, slots=True)
class Row:
    """One dealer on the board."""

    subject: Subject
    group: Group
    measured: Measured
    score: Score
    place: int | None
    of: int
    """How many are ranked in the group."""
    previous: Standing | None
    last_year: Standing | None
    driver: Driver | None
    tags: tuple[Tag, ...]
    manual: tuple[ManualTag, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """All dealers at one cut-off."""

    card: Scorecard
    window: Window
    facts_hash: str
    rows: tuple[Row, ...]
    """By group, then place; those without a place at the end of their group."""
    quartiles: Mapping[Group, tuple[Fraction, Fraction, Fraction] | None]
    uncounted: Mapping[Key, int]
    """How many facts are about a product line for which their dealer is not on the board: they count nowhere."""


def assess(
    card: Scorecard,
    table: Table,
    subjects: Iterable[Subject],
    as_of: date,
    *,
    previous: Snapshot | None = None,
    last_year: Snapshot | None = None,
    manual: Sequence[ManualTag] = (),
) -> Board:
    """The board at the end of a day. Raises: BadScorecard when the scorecard is not in force on that day."""
    if not card.valid.holds(as_of):
        raise BadScorecard(
            [
                Flaw(
                    "not_valid",
                    "valid",
                    f"{card.scorecard} is not in force on {as_of}",
                    "take the version that is in force then, or another day",
                )
            ]
        )
    span = window(card.period, as_of, card.fiscal_start)
    who = {subject.key: subject for subject in sorted(subjects, key=lambda one: one.key)}
    measured = with_margin_share(_measured(card, table, who, span))
    scores = {key: score(card, found.kpis) for key, found in measured.items()}
    groups = {key: group_of(card, subject) for key, subject in who.items()}
    placed = places(_entry(key, groups[key], one, measured[key]) for key, one in scores.items())
    ranked: dict[Group, list[Fraction]] = {group: [] for group in groups.values()}
    for key, one in scores.items():
        if one.ranked and one.total is not None:
            ranked[groups[key]].append(one.total)
    peers = _peers(card, measured, groups)
    rows = []
    for key, subject in who.items():
        before = previous.standings.get(key) if previous is not None else None
        rows.append(
            Row(
                subject=subject,
                group=groups[key],
                measured=measured[key],
                score=scores[key],
                place=placed.get(key),
                of=len(ranked[groups[key]]),
                previous=before,
                last_year=last_year.standings.get(key) if last_year is not None else None,
                driver=driver(scores[key].parts(), before.parts) if before is not None else None,
                tags=_tags(card, before, measured[key], peers[groups[key]], as_of),
                manual=tuple(one for one in manual if one.dealer == subject.dealer and one.holds(as_of)),
            )
        )
    rows.sort(key=lambda row: (row.group, row.place is None, row.place or 0, row.subject.key))
    ends = {group: quartiles(values) for group, values in ranked.items()}
    return Board(card, span, table.hash, tuple(rows), ends, _uncounted(table, who))


def _entry(key: Key, group: Group, one: Score, found: Measured) -> Entry:
    """What a dealer's place depends on."""
    completion, margin = (found.kpis[code].value for code in ("target_completion", "margin_amount"))
    return Entry(key, group, one.total if one.ranked else None, completion, margin)


def _tags(
    card: Scorecard, before: Standing | None, found: Measured, peers: Mapping[str, Sequence[Fraction]], as_of: date
) -> tuple[Tag, ...]:
    """How a dealer stands under each rule, going on from how it stood before."""
    past = before.tags if before is not None else {}
    return tuple(step(rule, past.get(rule.tag), found.kpis, peers, as_of) for rule in card.tags)


def _uncounted(table: Table, who: Iterable[Key]) -> dict[Key, int]:
    lines: dict[str, set[str]] = defaultdict(set)
    for dealer, line in who:
        lines[dealer].add(line)
    said = Counter((fact.dealer, fact.product_line) for fact in table.facts if fact.product_line)
    return {key: count for key, count in sorted(said.items()) if key[0] in lines and not {"", key[1]} & lines[key[0]]}


def _measured(card: Scorecard, table: Table, who: Mapping[Key, Subject], span: Window) -> dict[Key, Measured]:
    """The figures of each. Facts that name a product line count only for it; those that name none for every line of the dealer."""
    by_dealer: dict[str, list[Fact]] = defaultdict(list)
    for fact in sorted(table.facts, key=lambda one: one.id):
        by_dealer[fact.dealer].append(fact)
    return {
        key: measure(
            [fact for fact in by_dealer[key[0]] if not key[1] or fact.product_line in ("", key[1])],
            span,
            card.target,
        )
        for key in who
    }


def _peers(card: Scorecard, measured: Mapping[Key, Measured], groups: Mapping[Key, Group]) -> dict[Group, dict[str, list[Fraction]]]:
    """The values of the figures that tags ask for, in each group."""
    wanted = {condition.kpi for rule in card.tags for condition in rule.conditions}
    found: dict[Group, dict[str, list[Fraction]]] = {group: {code: [] for code in wanted} for group in groups.values()}
    for key, one in measured.items():
        for code in wanted:
            value = one.kpis[code].value
            if value is not None:
                found[groups[key]][code].append(value)
    return found

"""Places inside peer groups, quartiles of a group, and the figure that moved a score most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from channel.performance.kpis import ZERO, percentile
from channel.performance.scorecard import Scorecard

Key = tuple[str, str]
"""Dealer and product line (empty where dealers are not told apart by it)."""
Group = tuple[str, ...]
LEAST_PEERS: Final = 5
"""In a smaller group a quartile would be another dealer's figure."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is scored: a dealer, or its business with one product line."""

    dealer: str
    name: str = ""
    grade: str = ""
    region: str = ""
    product_line: str = ""

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.dealer, self.product_line


@dataclass(frozen=True, slots=True)
class Entry:
    """What a place depends on. `score` None: not ranked."""

    key: Key
    group: Group
    score: Fraction | None
    completion: Fraction | None
    margin: Fraction | None


@dataclass(frozen=True, slots=True)
class Driver:
    """The figure whose part of the score changed most since last time, and by how many points."""

    code: str
    change: Fraction


def group_of(card: Scorecard, subject: Subject) -> Group:
    """The peer group: grade x region x product line, or as the scorecard says; a region counts by its first digits."""
    says = {"grade": subject.grade, "region": subject.region[: card.region_digits], "product_line": subject.product_line}
    return tuple(says[name] for name in card.peers)


def places(entries: Iterable[Entry]) -> dict[Key, int]:
    """Places from 1 in each group: by score, then target completion, then margin, then dealer. What has no value comes after what has."""
    groups: dict[Group, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.score is not None:
            groups[entry.group].append(entry)
    return {entry.key: at for group in groups.values() for at, entry in enumerate(sorted(group, key=_order), start=1)}


def _order(entry: Entry) -> tuple[object, ...]:
    return (*_down(entry.score), *_down(entry.completion), *_down(entry.margin), entry.key)


def _down(value: Fraction | None) -> tuple[bool, Fraction]:
    return value is None, -(value if value is not None else ZERO)


def quartiles(scores: Iterable[Fraction]) -> tuple[Fraction, Fraction, Fraction] | None:
    """First quartile, median, third quartile of a group; None for fewer than five, where they would tell single dealers' figures."""
    values = list(scores)
    if len(values) < LEAST_PEERS:
        return None
    found = [percentile(values, Fraction(part, 4)) for part in (1, 2, 3)]
    low, middle, high = (value if value is not None else ZERO for value in found)
    return low, middle, high


def driver(now: Mapping[str, Fraction], before: Mapping[str, Fraction]) -> Driver | None:
    """The largest change of a part of the score; of equal ones the first by code. None where nothing changed."""
    codes = sorted({*now, *before})
    changes = [Driver(code, now.get(code, ZERO) - before.get(code, ZERO)) for code in codes]
    largest = max(changes, key=lambda one: abs(one.change), default=None)
    return largest if largest is not None and largest.change else None

"""Candidates without a database: match keys in memory, for files and for tests."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Self

from channel.deals.matching.deciding import Known
from channel.deals.matching.keys import CANDIDATES, CAP, WEIGHTS, keys_of
from channel.deals.matching.prepared import Prepared, prepare


class Index:
    """Customers by match key. At most CAP customers of a key are read, the first ones."""

    def __init__(self, wanted: Container[int] | None = None) -> None:
        self._wanted = wanted
        self._rows: dict[str | int, Known] = {}
        self._keys: dict[int, list[str | int]] = {}
        self._counts: dict[int, int] = {}

    @classmethod
    def build(cls, rows: Iterable[Known], wanted: Container[int] | None = None) -> Self:
        """An index of these customers; with `wanted`, only of those keys, so that a file of any length fits."""
        index = cls(wanted)
        for row in rows:
            index.add(row)
        return index

    def add(self, row: Known) -> None:
        """One more customer."""
        for key in keys_of(row.prepared):
            if self._wanted is not None and key not in self._wanted:
                continue
            held = self._keys.setdefault(key, [])
            if len(held) < CAP:
                held.append(row.rid)
                self._rows[row.rid] = row
            else:
                self._counts[key] = self._counts.get(key, CAP) + 1

    @property
    def hot(self) -> Mapping[int, int]:
        """How many customers share a key, for keys with more than CAP."""
        return self._counts

    def candidates(self, prepared: Prepared) -> list[Known]:
        """At most CANDIDATES customers that share keys with the claim, those with the weightiest keys first."""
        points = rank((key, self._keys.get(key, ())) for key in keys_of(prepared))
        best = sorted(points, key=lambda rid: (-points[rid], str(rid)))[:CANDIDATES]
        return [self._rows[rid] for rid in best]


def rank(met: Iterable[tuple[int, Iterable[str | int]]]) -> dict[str | int, float]:
    """The weight of the keys that each customer shares with a claim; the same sum that the database makes."""
    points: dict[str | int, float] = {}
    for key, rids in met:
        weight = WEIGHTS[key & 31]
        for rid in rids:
            points[rid] = points.get(rid, 0.0) + weight
    return points


__all__ = ["Index", "prepare", "rank"]

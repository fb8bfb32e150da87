"""Of the rows of a child set, those that a stream has room for. Pure: the day and facts of other records come in as arguments.

A Zoho price book holds one price a product, whatever quantity steps, units and days a price list has. What it cannot hold is neither sent
there nor missed there, and nothing is taken from the canonical record because of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from mappings.cel import Condition
from mappings.rules import Holds

Json = Any
Row = TypeVar("Row")
Facts = Map[tuple[str, str], Json]
"""(canonical id, field) -> what that record says."""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """Which rows a stream has room for, ready to be asked."""

    says: Holds
    condition: Condition | None
    asks: tuple[tuple[str, str, str, str], ...] = ()
    """(field of the row, its reference, entity that this points to, field there): what must be equal."""
    _numbers: dict[str, Decimal] = field(default_factory=dict, repr=False, compare=False)

    def key(self, row: Map[str, Json]) -> tuple[Json, ...]:
        """What tells a row among those that the stream holds."""
        return tuple(row.get(name) for name in self.says.one_for)

    def wanted(self, rows: Iterable[Map[str, Json]]) -> set[tuple[str, str, str]]:
        """Facts needed to pick among these rows: (entity, canonical id, field)."""
        return {(entity, str(row[to]), wanted) for row in rows for _, to, entity, wanted in self.asks if row.get(to)}

    def pick(self, rows: Map[str, Row], doc: Callable[[Row], Map[str, Json]], today: str, facts: Facts) -> dict[str, Row]:
        """The rows that the stream has room for, in their order. `doc` gives a row's fields, `today` is YYYY-MM-DD.

        Of rows that would take one place the one of the least quantity is held; of those the one that stands since the latest day. Two that
        still contradict each other are both not held: nothing is better than a price by accident.
        """
        best: dict[tuple[Json, ...], tuple[Decimal, str, str]] = {}
        doubtful: set[tuple[Json, ...]] = set()
        for row_id, row in rows.items():
            said = doc(row)
            if not self._fits(said, today, facts):
                continue
            place, least = self.key(said), self._least(said)
            since = str(said.get(self.says.standing[0]) or "") if self.says.standing else ""
            held = best.get(place)
            if held is None or least < held[0] or (least == held[0] and since > held[1]):
                best[place] = (least, since, row_id)
                doubtful.discard(place)
            elif (least, since) == held[:2] and any(said.get(name) != doc(rows[held[2]]).get(name) for name in self.says.needs):
                doubtful.add(place)
        chosen = {row_id for place, (_, _, row_id) in best.items() if place not in doubtful}
        return {row_id: row for row_id, row in rows.items() if row_id in chosen}

    def _fits(self, row: Map[str, Json], today: str, facts: Facts) -> bool:
        if any(row.get(name) in (None, "") for name in (*self.says.one_for, *self.says.needs)):
            return False
        if self.says.standing:
            first, last = (row.get(name) for name in self.says.standing)
            if (first and first > today) or (last and last < today):
                return False
        for name, to, _, wanted in self.asks:
            mine, theirs = row.get(name), facts.get((row.get(to) or "", wanted))
            if mine and theirs and mine != theirs:
                return False
        return self.condition is None or self.condition(row)

    def _least(self, row: Map[str, Json]) -> Decimal:
        text = row.get(self.says.least) if self.says.least else None
        if not text:
            return _ZERO
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = Decimal(text)
        return number

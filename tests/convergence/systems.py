"""Two vendors' systems in memory, with what goes wrong between them and a hub: lost answers, late rows, equal times, repeats, shuffles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

Fields = dict[str, Any]

OVERLAP = 3
"""Ticks of the clock that an increment reads again."""


class Lost(Exception):
    """No answer came: the call was worked on, or not."""


@dataclass(slots=True)
class Stored:
    """One record of a system."""

    key: str
    fields: Fields
    modified: int
    hub_key: str = ""


@dataclass(slots=True)
class Answer:
    """What a system says of one change."""

    change: str
    key: str
    done: bool


@dataclass
class System:
    """A system with users, a coarse clock and an unreliable line. `keeps` is what it makes of a value."""

    name: str
    rng: Random
    keeps: Callable[[str, Any], Any]
    trouble: float = 0.0
    records: dict[str, Stored] = field(default_factory=dict)
    now: int = 100
    serial: int = 0
    written: list[tuple[str, Fields]] = field(default_factory=list)
    """What the hub wrote, in the order it was committed: (hub key or key, fields)."""

    def tick(self) -> None:
        """Time passes, now and then: many edits bear the same time."""
        if self.rng.random() < 0.4:
            self.now += 1

    # its users

    def create(self, fields: Fields) -> Stored:
        """A user makes a record."""
        self.tick()
        self.serial += 1
        made = Stored(f"{self.name}-{self.serial}", {name: self.keeps(name, value) for name, value in fields.items()}, self._stamp())
        self.records[made.key] = made
        return made

    def edit(self, key: str, name: str, value: Any) -> None:
        """A user changes a field."""
        self.tick()
        record = self.records[key]
        record.fields = {**record.fields, name: self.keeps(name, value)}
        record.modified = self._stamp()

    def _stamp(self) -> int:
        late = self.rng.randint(1, OVERLAP - 1) if self.trouble and self.rng.random() < 0.2 else 0
        return self.now - late

    # its API

    def read(self, since: int | None, page: int = 2) -> Iterator[tuple[list[Stored], int]]:
        """Pages of what changed since, the border and the overlap included, in no order within a time; each with the cursor past it.

        A page holds the records as they were when it was asked for.
        """
        found = [one for one in self.records.values() if since is None or one.modified >= since - OVERLAP]
        self.rng.shuffle(found)
        found.sort(key=lambda one: one.modified)
        keys = [one.key for one in found]
        cursor = since if since is not None else 0
        if not keys:
            yield [], max(cursor, 0)
        for start in range(0, len(keys), page):
            rows = [self._copy(self.records[key]) for key in keys[start : start + page]]
            if self.trouble and rows and self.rng.random() < 0.2:
                rows.append(self._copy(self.records[rows[0].key]))
            cursor = max([cursor, *(row.modified for row in rows)])
            yield rows, cursor

    def get(self, keys: Sequence[str]) -> list[Stored]:
        """Records by key, as they are now."""
        return [self._copy(self.records[key]) for key in keys if key in self.records]

    def find(self, hub_keys: Sequence[str]) -> dict[str, Stored]:
        """Records by the hub's key."""
        return {one.hub_key: self._copy(one) for one in self.records.values() if one.hub_key in hub_keys}

    def write(self, changes: Sequence[tuple[str, str | None, str, Fields]]) -> list[Answer]:
        """Save each (change, key, hub key, fields); answers come in any order, some do not come. Raises: Lost."""
        self._maybe_lose()
        answers = []
        for change, key, hub_key, fields in changes:
            if self.trouble and self.rng.random() < self.trouble / 2:
                answers.append(Answer(change, key or "", done=False))
                continue
            answers.append(Answer(change, self._save(key, hub_key, fields), done=True))
        self._maybe_lose()
        self.rng.shuffle(answers)
        if self.trouble and answers and self.rng.random() < self.trouble / 2:
            answers.pop()
        return answers

    def _maybe_lose(self) -> None:
        if self.trouble and self.rng.random() < self.trouble / 2:
            raise Lost(self.name)

    def _save(self, key: str | None, hub_key: str, fields: Fields) -> str:
        self.tick()
        if key is None:
            self.serial += 1
            record = Stored(f"{self.name}-{self.serial}", {}, 0, hub_key)
            self.records[record.key] = record
        else:
            record = self.records[key]
        record.fields = {**record.fields, **{name: self.keeps(name, value) for name, value in fields.items()}}
        record.modified = self.now
        self.written.append((record.key, dict(fields)))
        return record.key

    @staticmethod
    def _copy(one: Stored) -> Stored:
        return Stored(one.key, dict(one.fields), one.modified, one.hub_key)

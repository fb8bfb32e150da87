"""What of a record's child sets a stream has room for: what it should hold, and what its silence says nothing about.

Where a mapping says `holds` (a price book has one price a product), only those rows are sent to the stream, missed there or laid over by
what it says. Which they are changes with the day (:mod:`sync.standing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from canonical.values import business_day
from ledger.bulk import array_text
from ledger.tables import TABLES
from mappings.holding import Facts
from mappings.model import Mapping as CompiledMapping
from sync.decide import Canonical, Row, Source
from sync.decide_sets import Part
from sync.hub import Cursor, Hub

Sets = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Room:
    """What decides which rows a stream has room for: the day, and facts of records that rows point to."""

    today: str = ""
    facts: Facts = field(default_factory=dict)

    def sets(self, mapping: CompiledMapping, canonical: Canonical) -> Sets:
        """A record's child sets as the stream should hold them."""
        found: Sets = {}
        for name, rows in canonical.sets.items():
            info = mapping.sets.get(name)
            held = info.holds.pick(rows, _doc, self.today, self.facts) if info is not None and info.holds is not None else rows
            found[name] = {row.id: row.doc for row in held.values()}
        return found


def room(db: Cursor, mapping: CompiledMapping, canonicals: Iterable[Canonical]) -> Room:
    """What is needed to tell which rows of these records a stream has room for; nothing for one that has room for all."""
    partial_sets = {name: info.holds for name, info in mapping.sets.items() if info.holds is not None}
    if not partial_sets:
        return _WHOLE
    wanted: set[tuple[str, str, str]] = set()
    for canonical in canonicals:
        for name, holds in partial_sets.items():
            wanted |= holds.wanted(row.doc for row in canonical.sets.get(name, {}).values())
    return Room(today(), _facts(db, wanted))


def today() -> str:
    """The business day (Asia/Shanghai)."""
    return business_day(datetime.now(UTC)).isoformat()


def parts(
    hub: Hub, db: Cursor, entity: str, sources: Iterable[Sequence[Source]], existing: Iterable[Canonical]
) -> Mapping[str, Mapping[int, Part]]:
    """By child set and stream: the rows that the stream has room for, for merging; only of streams that may decide something."""
    found: dict[str, dict[int, Part]] = {}
    states = [state for state in hub.streams_for(entity) if state.decides and any(info.holds for info in state.mapping.sets.values())]
    if not states:
        return found
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for canonical in existing:
        for name, held in canonical.sets.items():
            rows.setdefault(name, []).extend(row.doc for row in held.values())
    for group in sources:
        for source in group:
            for name, said in source.sets.items():
                rows.setdefault(name, []).extend(said.values())
    day = today()
    for state in states:
        for name, info in state.mapping.sets.items():
            if info.holds is not None:
                pick = partial(info.holds.pick, doc=_doc, today=day, facts=_facts(db, info.holds.wanted(rows.get(name, ()))))
                found.setdefault(name, {})[state.id] = Part(info.holds.says.one_for, pick)
    return found


def _facts(db: Cursor, wanted: set[tuple[str, str, str]]) -> Facts:
    found: dict[tuple[str, str], Any] = {}
    for entity, name in {(entity, name) for entity, _, name in wanted}:
        ids = sorted({key for of, key, asked in wanted if (of, asked) == (entity, name)})
        db.execute(
            f"SELECT id::text AS id, doc->>%s AS value FROM {TABLES[entity].name} WHERE id = ANY(%s::uuid[])", [name, array_text(ids)]
        )
        found |= {(row["id"], name): row["value"] for row in db if row["value"]}
    return found


def _doc(row: Row) -> Mapping[str, Any]:
    return row.doc


_WHOLE = Room()

"""What `hub map try` shows: one record on its way into the hub and out again, without a database.

References and value maps are answered by placeholders, so that a mapping can be tried before anything is connected: the canonical id of
customer 200001 is `‹customers 200001›`, and a value without an entry stays as it is and is reported.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from canonical.values import business_day
from mappings.errors import Cite, RecordError
from mappings.model import Candidate, Document, Mapping, Payload, Target, Values


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one system should hold."""

    mapping: str
    payload: Payload | None
    problem: str = ""
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A record, what it says, and what every system should hold then."""

    mapping: str
    candidate: Candidate | None
    problem: str = ""
    missing_values: Sequence[str] = ()
    """Entries that the value maps lack, as `map: value`."""
    outgoing: Sequence[Outgoing] = field(default_factory=tuple)


def try_record(mapping: Mapping, payload: Payload, *, others: Sequence[Mapping] = (), values: Map[str, Values] | None = None) -> Trial:
    """A record through its mapping, and what it says through the mapping itself and `others` of the same entity.

    Where `others` has its own stream, as a system that lacks fields has it, that one is written in its place.
    `values`: value maps by system kind. Never raises for a bad record: the trial says what is wrong with it.
    """
    tables = values or {}
    inward = _Open(tables.get(mapping.system_kind, Values()))
    refs: dict[Cite, str] = {cite: f"‹{' '.join(cite)}›" for cite in mapping.cites(payload)}
    try:
        candidate = mapping.read(payload, refs, inward)
    except RecordError as wrong:
        return Trial(mapping.name, None, str(wrong), tuple(inward.missing))
    own = (mapping.system_kind, mapping.stream)
    ways = [((one.system_kind, one.stream) == own, one) for one in others if one.entity == mapping.entity]
    if not any(home for home, _ in ways):
        ways = [(True, mapping), *ways]
    outgoing = [_write(one, candidate, tables, inward, home=home) for home, one in ways]
    return Trial(mapping.name, candidate, "", tuple(dict.fromkeys(inward.missing)), outgoing)


def _write(mapping: Mapping, candidate: Candidate, tables: Map[str, Values], inward: _Open, *, home: bool) -> Outgoing:
    doc = {**candidate.fields, "number": candidate.number}
    sets = {name: _held(mapping, name, rows) for name, rows in candidate.sets.items()}
    outward = _Open(tables.get(mapping.system_kind, Values()))
    targets = {need: _target(need[1], known=home or need[0].startswith("=")) for need in mapping.needs(doc, sets)}
    lines = {name: {line: line for line in rows} for name, rows in sets.items()} if home else {}
    orgs = next((list(candidate.sets[name]) for name, info in mapping.sets.items() if not info.path and name in candidate.sets), [])
    try:
        payload = mapping.write(doc, sets, targets, outward, lines=lines, org=orgs[0] if orgs else "")
    except RecordError as wrong:
        return Outgoing(mapping.name, None, str(wrong))
    inward.missing += outward.missing
    return Outgoing(mapping.name, payload)


def _held(mapping: Mapping, name: str, rows: dict[str, Document]) -> dict[str, Document]:
    """The rows that the stream has room for today, as far as the record alone tells."""
    info = mapping.sets.get(name)
    if info is None or info.holds is None:
        return rows
    return info.holds.pick(rows, lambda row: row, business_day(datetime.now(UTC)).isoformat(), {})


def _target(placeholder: str, *, known: bool) -> Target:
    """The system's own key where it is known; what another system calls the record is not."""
    key = placeholder.strip("‹›").rsplit(" ", maxsplit=1)[-1] if known else placeholder
    return Target(key, key)


class _Open(Values):
    """Value maps that let an unknown value pass, and remember it."""

    __slots__ = ("_filled", "missing")

    def __init__(self, filled: Values) -> None:
        super().__init__()
        self._filled = filled
        self.missing: list[str] = []

    def table_in(self, name: str, company: str) -> Map[str, str]:
        return _Passing(self._filled.table_in(name, company), name, self.missing)

    def table_out(self, name: str, company: str) -> Map[str, str]:
        return _Passing(self._filled.table_out(name, company), name, self.missing)


class _Passing(dict[str, str]):
    def __init__(self, known: Map[str, str], name: str, missing: list[str]) -> None:
        super().__init__(known)
        self._name, self._missing = name, missing

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002  # a value always answers
        if key in self:
            return self[key]
        self._missing.append(f"{self._name}: {key}")
        return key

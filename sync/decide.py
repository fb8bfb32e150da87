"""Who wins: what the deciding functions speak of, and which system decides a record's own fields.

Pure, as are :mod:`sync.decide_sets` (rows of child sets), :mod:`sync.decide_pairs` (what is to be done in a system) and
:mod:`sync.decide_identity` (who is who): facts in, decisions out; no database, clock, network or randomness. Hundreds of seeded
histories of the whole hub run over these functions in a minute (tests/convergence).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.config import HUB
from sync.policy import EntityPolicy

Json = Any
Fields = dict[str, Json]


@dataclass(slots=True)
class Row:
    """One row of a child set, in document form."""

    id: str
    doc: Fields
    links: dict[str, str] = field(default_factory=dict)
    """By stream id (as text): the vendor's identifier of this line."""
    seq: int = 0


Rows = dict[str, Row]
"""Rows of one set by id, in order."""


@dataclass(slots=True)
class Source:
    """What one system's record says about an entity."""

    system: str
    stream_id: int
    key: str
    fields: Fields
    sets: Mapping[str, Mapping[str, Fields]]
    number: str = ""
    org: str = ""
    modified: str = ""
    """Comparable text of the system's own change time, in UTC; empty where there is none."""
    lines_carry: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By set: the vendor's line key -> the hub's line id that the line carries."""


@dataclass(slots=True)
class Canonical:
    """One canonical record in document form."""

    id: str
    hub_key: str
    number: str
    version: int
    doc: Fields
    sets: dict[str, Rows]
    retired: bool = False
    fresh: bool = False
    """True for a record that this very transaction made."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a field has its value."""

    field: str
    value: Json
    system: str
    rule: str
    losers: Sequence[tuple[str, Json]] = ()


_ABSENT = object()


def ranked(order: Sequence[str], sources: Sequence[Source]) -> list[Source]:
    """The sources that stand in an order of systems, in that order."""
    place = {system: index for index, system in enumerate(order)}
    return sorted(
        (source for source in sources if source.system in place), key=lambda source: (place[source.system], source.org, source.key)
    )


def _winner(policy: EntityPolicy, path: str, sources: Sequence[Source], current: Json) -> tuple[Json, str, str]:
    """(value, system, rule) for one field; value is _ABSENT when nobody says anything."""
    rule = policy.rules.get(path, "owner")
    if rule == "first_set" and current is not _ABSENT and current is not None:
        return current, "", rule
    in_order = ranked(policy.owners[path], sources)
    if rule == "most_recent":
        speaking = [source for source in in_order if path in source.fields]
        if not speaking:
            return _ABSENT, "", rule
        latest = max(speaking, key=lambda source: source.modified)
        return latest.fields[path], latest.system, rule
    yields = path in policy.empty_yields
    fallback: tuple[Json, str, str] | None = None
    for source in in_order:
        value = source.fields.get(path, _ABSENT)
        if value is _ABSENT:
            continue
        if value is None and yields:
            fallback = fallback or (None, source.system, rule)
            continue
        return value, source.system, rule
    return fallback or (_ABSENT, "", rule)


def policy_of(policy: EntityPolicy, sources: Sequence[Source], current: Fields, numbers: Mapping[str, str]) -> EntityPolicy:
    """The owners that hold for a record: those of the company that it belongs to by what its sources say. `numbers`: by company id."""
    if not policy.by_company or policy.company_of_rows:
        return policy
    company, _, _ = _winner(policy, "company", sources, current.get("company", _ABSENT))
    return policy.in_company("" if company is _ABSENT else numbers.get(company, ""))


def merge_fields(policy: EntityPolicy, paths: Sequence[str], sources: Sequence[Source], current: Fields) -> Fields:
    """The record's own fields: for each, the value of the first owner that says something; derived fields stay as they are."""
    if len(sources) == 1:
        return _merge_alone(policy, sources[0], current)
    merged: Fields = {}
    for path in paths:
        if path in policy.derived:
            if path in current:
                merged[path] = current[path]
            continue
        value, _, _ = _winner(policy, path, sources, current.get(path, _ABSENT))
        if value is not _ABSENT:
            merged[path] = value
    return merged


def _merge_alone(policy: EntityPolicy, source: Source, current: Fields) -> Fields:
    allowed = policy.fields_of.get(source.system, frozenset())
    fields = source.fields
    merged = {**fields} if fields.keys() <= allowed else {path: value for path, value in fields.items() if path in allowed}
    if not current:
        return merged
    for path in policy.derived:
        if path in current:
            merged[path] = current[path]
    for path, rule in policy.rules.items():
        if rule == "first_set" and current.get(path) is not None:
            merged[path] = current[path]
    return merged


def explain_fields(policy: EntityPolicy, paths: Sequence[str], sources: Sequence[Source], current: Fields) -> list[Reason]:
    """The same decision as :func:`merge_fields`, told: value, winner, rule, and what the others said."""
    reasons = []
    for path in paths:
        if path in policy.derived:
            if path in current:
                reasons.append(Reason(path, current[path], HUB, "derived"))
            continue
        value, system, rule = _winner(policy, path, sources, current.get(path, _ABSENT))
        if value is _ABSENT:
            continue
        losers = [(source.system, source.fields[path]) for source in sources if path in source.fields and source.fields[path] != value]
        reasons.append(Reason(path, value, system or "first set", rule + policy.told_company(path), losers))
    return reasons


def changed_fields(before: Canonical, after_doc: Fields, after_sets: Mapping[str, Rows], number: str) -> dict[str, list[Json]]:
    """What a merge changed: field -> [before, after]; a line's field as `lines/<id>/field`, a line that came or went as `lines/<id>`."""
    changes: dict[str, list[Json]] = {}
    for path in before.doc.keys() | after_doc.keys():
        old, new = before.doc.get(path), after_doc.get(path)
        if old != new or (path in before.doc) != (path in after_doc):
            changes[path] = [old, new]
    if number != before.number:
        changes["number"] = [before.number, number]
    for name, rows in after_sets.items():
        old_rows = before.sets.get(name, {})
        for row_id in old_rows.keys() - rows.keys():
            changes[f"{name}/{row_id}"] = [old_rows[row_id].doc, None]
        for row_id, row in rows.items():
            old_row = old_rows.get(row_id)
            if old_row is None:
                changes[f"{name}/{row_id}"] = [None, row.doc]
                continue
            for path in old_row.doc.keys() | row.doc.keys():
                if old_row.doc.get(path) != row.doc.get(path):
                    changes[f"{name}/{row_id}/{path}"] = [old_row.doc.get(path), row.doc.get(path)]
    return changes

"""Who wins, and what is to be done: the deciding functions. Pure: facts in, decisions out; no database, clock, network or randomness.

Hundreds of seeded histories of the whole hub run over these functions in a minute (tests/convergence).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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


def _rank(order: Sequence[str], sources: Sequence[Source]) -> list[Source]:
    place = {system: index for index, system in enumerate(order)}
    return sorted(
        (source for source in sources if source.system in place), key=lambda source: (place[source.system], source.org, source.key)
    )


def _winner(policy: EntityPolicy, path: str, sources: Sequence[Source], current: Json) -> tuple[Json, str, str]:
    """(value, system, rule) for one field; value is _ABSENT when nobody says anything."""
    rule = policy.rules.get(path, "owner")
    if rule == "first_set" and current is not _ABSENT and current is not None:
        return current, "", rule
    ranked = _rank(policy.owners[path], sources)
    if rule == "most_recent":
        speaking = [source for source in ranked if path in source.fields]
        if not speaking:
            return _ABSENT, "", rule
        latest = max(speaking, key=lambda source: source.modified)
        return latest.fields[path], latest.system, rule
    yields = path in policy.empty_yields
    fallback: tuple[Json, str, str] | None = None
    for source in ranked:
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


def explain_rows(
    policy: EntityPolicy, path: str, sources: Sequence[Source], rows: Rows, numbers: Mapping[str, str], natural: Sequence[str] = ()
) -> list[Reason]:
    """Why a field of a set's rows (`lines.quantity`) has its value, row by row; a company's row is called `companies[200].code`."""
    name, _, child = path.partition(".")
    by_row = name in policy.company_of_rows
    said = _said_of_lines(name, sources, rows, natural)
    reasons = []
    for row in rows.values():
        if child not in row.doc:
            continue
        number = numbers.get(row.doc.get("company", ""), "") if by_row else ""
        here = policy.in_company(number) if by_row else policy
        told = said.get(row.id, {})
        speaking = [system for system in here.owners[name] if system in told]
        winner = _decider(here, name, child, speaking[0] if speaking else "", told)
        losers = [(system, values[child]) for system, values in told.items() if child in values and values[child] != row.doc[child]]
        reasons.append(Reason(f"{name}[{number or row.id}].{child}", row.doc[child], winner, _rule_of(here, path), losers))
    return reasons


def _rule_of(policy: EntityPolicy, path: str) -> str:
    return "derived" if path in policy.derived else policy.rules.get(path, "owner") + policy.told_company(path)


def _decider(policy: EntityPolicy, name: str, child: str, owner: str, told: Mapping[str, Fields]) -> str:
    """The system whose value a field of a row has: one that goes before the set's owner, else that owner, else the hub."""
    if f"{name}.{child}" in policy.derived:
        return HUB
    for system in policy.set_others(name, owner).get(child, ()):
        if system == owner:
            break
        if child in told.get(system, {}):
            return system
    return owner or HUB


def merge_set(
    policy: EntityPolicy, name: str, sources: Sequence[Source], current: Rows, new_id: Callable[[], str], natural: Sequence[str] = ()
) -> Rows:
    """One child set: membership by its owner, each field by its own; a line is known by its link, never by position.

    `natural`: fields that tell which row it is whatever the system, e.g. the company of a party's terms.
    """
    members = _rank(policy.owners[name], [source for source in sources if name in source.sets])
    if not members:
        return current
    owner = members[0].system
    known = {(stream, key): row.id for row in current.values() for stream, key in row.links.items()}
    alike = {tuple(row.doc.get(part) for part in natural): row.id for row in current.values()} if natural else {}
    merged: Rows = {}
    for source in members:
        if source.system != owner:
            continue
        stream = str(source.stream_id)
        carried = source.lines_carry.get(name, {})
        for key, values in source.sets[name].items():
            same = tuple(values.get(part) for part in natural) if natural else ()
            row_id = known.get((stream, key)) or _carried(carried.get(key), current) or (alike.get(same) if natural else None) or new_id()
            if natural:
                alike[same] = row_id
            links = {**(current[row_id].links if row_id in current else {}), stream: key}
            merged[row_id] = Row(row_id, dict(values), links, len(merged) + 1)
    _lay_over(policy, name, sources, owner, merged, current, natural)
    return merged


def merge_rows_by_company(
    policy: EntityPolicy,
    name: str,
    sources: Sequence[Source],
    current: Rows,
    new_id: Callable[[], str],
    numbers: Mapping[str, str],
    natural: Sequence[str] = (),
) -> Rows:
    """:func:`merge_set` of rows that belong to companies, where one company has other owners than the next."""

    def company(values: Fields) -> str:
        number = numbers.get(values.get("company") or "", "")
        return number if number in policy.by_company else ""

    speaking = [source for source in sources if name in source.sets]
    found = {company(row.doc) for row in current.values()}
    found |= {company(values) for source in speaking for values in source.sets[name].values()}
    merged: Rows = {}
    for number in sorted(found):
        of_company = [
            replace(source, sets={name: {key: values for key, values in source.sets[name].items() if company(values) == number}})
            for source in speaking
        ]
        held = {row.id: row for row in current.values() if company(row.doc) == number}
        merged |= merge_set(policy.in_company(number), name, of_company, held, new_id, natural)
    for place, row in enumerate(merged.values(), 1):
        row.seq = place
    return merged


def begin_set(policy: EntityPolicy, name: str, source: Source, new_id: Callable[[], str]) -> Rows:
    """:func:`merge_set` of a record that is new and that one source alone speaks of: there is nothing to find its lines among."""
    said = source.sets.get(name)
    if said is None or source.system not in policy.owners[name]:
        return {}
    derived = policy.derived_of(name) if source.system != HUB else ()
    return begin_rows({key: {**values} for key, values in said.items()}, derived, str(source.stream_id), new_id)


def begin_rows(said: Mapping[str, Fields], derived: Iterable[str], stream: str, new_id: Callable[[], str]) -> Rows:
    """The rows of a set that is new. They take over the fields, less those that the hub derives."""
    for child in derived:
        for values in said.values():
            values.pop(child, None)
    rows: Rows = {}
    seq = 0
    for key, values in said.items():
        seq += 1  # noqa: SIM113  this runs for every line of every document
        row_id = new_id()
        rows[row_id] = Row(row_id, values, {stream: key}, seq)
    return rows


def _carried(line_id: str | None, current: Rows) -> str | None:
    return line_id if line_id and line_id in current else None


def _said_of_lines(name: str, sources: Iterable[Source], merged: Rows, natural: Sequence[str] = ()) -> dict[str, dict[str, Fields]]:
    """Row id -> system -> what it says of that line; lines that nobody else knows are left out."""
    said: dict[str, dict[str, Fields]] = {}
    alike = {tuple(row.doc.get(part) for part in natural): row.id for row in merged.values()} if natural else {}
    for source in sources:
        stream, carried = str(source.stream_id), source.lines_carry.get(name, {})
        for key, values in source.sets.get(name, {}).items():
            row_id = carried.get(key) or next((row.id for row in merged.values() if row.links.get(stream) == key), None)
            if row_id is None and natural:
                row_id = alike.get(tuple(values.get(part) for part in natural))
            if row_id in merged:
                said.setdefault(row_id, {})[source.system] = values
    return said


def _lay_over(
    policy: EntityPolicy, name: str, sources: Sequence[Source], owner: str, merged: Rows, current: Rows, natural: Sequence[str]
) -> None:
    """Fields of lines that another than the set's owner decides, and derived ones."""
    others = policy.set_others(name, owner)
    if not others or (not current and len(sources) == 1 and not any(f"{name}.{child}" in policy.derived for child in others)):
        return
    said = _said_of_lines(name, (source for source in sources if source.system != owner), merged, natural)
    for row in merged.values():
        before = current.get(row.id)
        for child, owners in others.items():
            if f"{name}.{child}" in policy.derived:
                row.doc.pop(child, None)
                if before is not None and child in before.doc:
                    row.doc[child] = before.doc[child]
                continue
            for system in owners:
                if system == owner:
                    break
                told = said.get(row.id, {}).get(system)
                if told is not None and child in told:
                    row.doc[child] = told[child]
                    break


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


# What a system should hold ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PairFacts:
    """Everything that decides the state of one pair of record and system."""

    mode: str
    exists: bool
    """A live record of this entity is linked there."""
    gone: bool
    """It was linked there, and the system deleted it."""
    may_create: bool
    wanted: bool
    """In scope: company, date, condition."""
    listed: bool
    """The stream's first complete listing is linked."""
    in_case: bool
    differs: Mapping[str, Sequence[Json]]
    """path -> [theirs, ours], after normalising and after what was accepted."""
    edited: bool
    """Some of what differs was changed there since the last reading, and not by us: a non-owner's edit."""
    writable: bool
    """The write class allows it in the record's present state."""
    on_conflict: str = "repair"
    next_step: str | None = None
    """The next step towards the goal, when nothing differs but the document stands too low."""
    settled: bool = False
    """A person said that this difference may stay."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state a pair gets, and why."""

    state: str
    reason: str = ""
    conflict: bool = False


def judge(facts: PairFacts) -> Verdict | None:
    """The state of one pair, or None when there is nothing to hold about it (no record there, and none wanted)."""
    if facts.mode in ("off", "read"):
        return None
    if facts.gone:
        return Verdict("left", "deleted_there")
    if not facts.exists:
        return _judge_missing(facts)
    if not facts.differs:
        if facts.next_step:
            return _or_held(facts, Verdict("due", facts.next_step))
        return Verdict("in_sync")
    conflict = facts.edited
    if facts.settled or (conflict and facts.on_conflict == "leave"):
        return Verdict("left", "conflict_left", conflict)
    if not facts.writable:
        return Verdict("left", "not_writable_there", conflict)
    return _or_held(facts, Verdict("due", "repair" if conflict else "update", conflict))


def _judge_missing(facts: PairFacts) -> Verdict | None:
    if not facts.may_create or not facts.wanted:
        return None
    if not facts.listed:
        return Verdict("held", "first_listing")
    return _or_held(facts, Verdict("due", "create"))


def _or_held(facts: PairFacts, verdict: Verdict) -> Verdict:
    if facts.in_case:
        return Verdict("held", "open_case", verdict.conflict)
    if facts.mode == "plan":
        return Verdict("held", "plan", verdict.conflict)
    return verdict


# Who is who ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claim:
    """What a new, unlinked record says about its identity."""

    stream_id: int
    key: str
    org: str
    sure: Sequence[tuple[str, str]]
    weak: Sequence[tuple[str, str]] = ()
    hub_key_owner: str | None = None
    """Entity id whose hub key the record carries."""


@dataclass(frozen=True, slots=True)
class Known:
    """A linked record that shares a key with a claim."""

    entity_id: str
    stream_id: int
    key: str
    org: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a record is: an entity it belongs to, or a new one, and whom it might be."""

    entity_id: str | None
    how: str
    doubts: Sequence[tuple[str, str]] = ()
    """(entity id, why) of possible doubles: each becomes a case."""
    alias: bool = False


def identify(
    claim: Claim,
    matches: Mapping[tuple[str, str], Sequence[Known]],
    sure_of: Mapping[str, Mapping[str, set[str]]],
    present: Mapping[str, set[tuple[int, str]]],
) -> Identity:
    """Which entity a new record is.

    Sure keys link only when all that match name one entity, nothing sure disagrees, and the entity has no other record in the same
    stream and organisation; else the record gets an entity of its own and a case for a person. Weak keys never link.

    `matches`: by (kind, value), linked records that carry it. `sure_of`: by entity and kind, its sure values.
    `present`: by entity, the (stream, organisation) it already has a primary record in.
    """
    if claim.hub_key_owner is not None:
        taken = (claim.stream_id, claim.org) in present.get(claim.hub_key_owner, set())
        return Identity(claim.hub_key_owner, "hub_key", alias=taken)
    named: dict[str, str] = {}
    for kind, value in claim.sure:
        for known in matches.get((kind, value), ()):
            named.setdefault(known.entity_id, kind)
    if len(named) == 1:
        entity_id, kind = next(iter(named.items()))
        quarrel = _disagreement(claim, sure_of.get(entity_id, {}))
        if (claim.stream_id, claim.org) in present.get(entity_id, set()):
            return Identity(None, "new", [(entity_id, f"{kind} is the same, and it already has a record here")])
        if quarrel is None:
            return Identity(entity_id, f"sure:{kind}")
        return Identity(None, "new", [(entity_id, f"{kind} is the same but {quarrel} differs")])
    if named:
        return Identity(None, "new", [(entity_id, f"{kind} points here, another sure key elsewhere") for entity_id, kind in named.items()])
    return Identity(None, "new", _weak_doubts(claim, matches, sure_of, present))


def _disagreement(claim: Claim, theirs: Mapping[str, set[str]]) -> str | None:
    for kind, value in claim.sure:
        if theirs.get(kind) and value not in theirs[kind]:
            return kind
    return None


def _weak_doubts(
    claim: Claim,
    matches: Mapping[tuple[str, str], Sequence[Known]],
    sure_of: Mapping[str, Mapping[str, set[str]]],
    present: Mapping[str, set[tuple[int, str]]],
) -> list[tuple[str, str]]:
    doubts: dict[str, str] = {}
    for kind, value in claim.weak:
        for known in matches.get((kind, value), ()):
            if known.entity_id in doubts or (claim.stream_id, claim.org) in present.get(known.entity_id, set()):
                continue
            if _disagreement(claim, sure_of.get(known.entity_id, {})) is not None:
                continue
            doubts[known.entity_id] = f"same {kind}"
    return list(doubts.items())

"""Who wins among the rows of a child set: membership by its owner, each field by its own. Pure, as :mod:`sync.decide`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync.config import HUB
from sync.decide import Fields, Reason, Row, Rows, Source, ranked
from sync.policy import EntityPolicy


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a set that one stream has room for, where it has not for all: one price a product, say."""

    key: Sequence[str]
    """Fields that tell a row among them: such a stream has no identifier of its own for it, and nothing that carries the hub's."""
    pick: Callable[[Rows], Rows]
    """Of all rows, those it has room for."""

    def of(self, rows: Rows) -> dict[tuple[Any, ...], str]:
        """Row ids by what tells them."""
        return {self.named(row.doc): row.id for row in self.pick(rows).values()}

    def named(self, values: Fields) -> tuple[Any, ...]:
        """What tells a row with these fields."""
        return tuple(values.get(name) for name in self.key)


Parts = Mapping[int, Part]
"""By stream; a stream that is not named has room for all rows."""
_ALL: Parts = {}


def merge_set(
    policy: EntityPolicy,
    name: str,
    sources: Sequence[Source],
    current: Rows,
    new_id: Callable[[], str],
    natural: Sequence[str] = (),
    parts: Parts = _ALL,
) -> Rows:
    """One child set: membership by its owner, each field by its own; a line is known by its link, never by position.

    `natural`: fields that tell which row it is whatever the system, e.g. the company of a party's terms.
    `parts`: streams that have room for a part of the rows only. One that comes first among the owners decides about what it shows, and adds
    to it; the other rows, and which there are at all, are decided by those that have room for all.
    """
    members = ranked(policy.owners[name], [source for source in sources if name in source.sets])
    if not members:
        return current
    owner = members[0].system
    if members[0].stream_id in parts and any(source.stream_id not in parts for source in members):
        first = [source for source in members if source.system == owner]
        rest = [source for source in sources if source.system != owner]
        whole = merge_set(policy, name, rest, current, new_id, natural, parts)
        return _add_part(policy, name, first, whole, current, new_id, parts)
    if members[0].stream_id in parts and not natural:
        natural = parts[members[0].stream_id].key
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
    _lay_over(policy, name, sources, owner, merged, current, natural, parts)
    return merged


def _add_part(
    policy: EntityPolicy, name: str, first: Sequence[Source], rows: Rows, current: Rows, new_id: Callable[[], str], parts: Parts
) -> Rows:
    """What a stream says that has room for a part of the rows, over what the others say (`rows`): nothing is taken away."""
    others, derived = policy.set_others(name, first[0].system), policy.derived_of(name)
    merged = dict(rows)
    for source in first:
        part, stream = parts[source.stream_id], str(source.stream_id)
        held = part.of(rows)
        linked = {row.links[stream]: row.id for row in current.values() if stream in row.links}
        for key, values in source.sets[name].items():
            shown = held.get(part.named(values))
            row_id = shown or linked.get(key) or new_id()
            before = rows.get(row_id)
            if before is not None and not shown:
                continue  # what is left there of a row that it has no room for any more
            left = derived if before is None else others
            said = {field: value for field, value in values.items() if field not in left}
            if before is None:
                merged[row_id] = Row(row_id, said, {stream: key}, len(merged) + 1)
            else:
                merged[row_id] = Row(row_id, {**before.doc, **said}, {**before.links, stream: key}, before.seq)
    return merged


def merge_rows_by_company(
    policy: EntityPolicy,
    name: str,
    sources: Sequence[Source],
    current: Rows,
    new_id: Callable[[], str],
    numbers: Mapping[str, str],
    natural: Sequence[str] = (),
    parts: Parts = _ALL,
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
        merged |= merge_set(policy.in_company(number), name, of_company, held, new_id, natural, parts)
    for place, row in enumerate(merged.values(), 1):
        row.seq = place
    return merged


def begin_rows(said: Mapping[str, Fields], derived: Iterable[str], stream: str, new_id: Callable[[], str]) -> Rows:
    """What :func:`merge_set` makes of a new record of which one source alone speaks: there is nothing to find its lines among.

    They take over the fields, less those that the hub derives.
    """
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


def _said_of_lines(
    name: str, sources: Iterable[Source], merged: Rows, natural: Sequence[str] = (), parts: Parts = _ALL
) -> dict[str, dict[str, Fields]]:
    """Row id -> system -> what it says of that line; lines that nobody else knows are left out."""
    said: dict[str, dict[str, Fields]] = {}
    alike = {tuple(row.doc.get(part) for part in natural): row.id for row in merged.values()} if natural else {}
    for source in sources:
        stream, carried = str(source.stream_id), source.lines_carry.get(name, {})
        if (part := parts.get(source.stream_id)) is not None:
            held = part.of(merged)
            for values in source.sets.get(name, {}).values():
                if (known := held.get(part.named(values))) is not None:
                    said.setdefault(known, {})[source.system] = values
            continue
        for key, values in source.sets.get(name, {}).items():
            row_id = carried.get(key) or next((row.id for row in merged.values() if row.links.get(stream) == key), None)
            if row_id is None and natural:
                row_id = alike.get(tuple(values.get(part) for part in natural))
            if row_id in merged:
                said.setdefault(row_id, {})[source.system] = values
    return said


def _lay_over(
    policy: EntityPolicy,
    name: str,
    sources: Sequence[Source],
    owner: str,
    merged: Rows,
    current: Rows,
    natural: Sequence[str],
    parts: Parts,
) -> None:
    """Fields of lines that another than the set's owner decides, and derived ones."""
    others = policy.set_others(name, owner)
    if not others or (not current and len(sources) == 1 and not any(f"{name}.{child}" in policy.derived for child in others)):
        return
    said = _said_of_lines(name, (source for source in sources if source.system != owner), merged, natural, parts)
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


def explain_rows(
    policy: EntityPolicy,
    path: str,
    sources: Sequence[Source],
    rows: Rows,
    numbers: Mapping[str, str],
    natural: Sequence[str] = (),
    parts: Parts = _ALL,
) -> list[Reason]:
    """Why a field of a set's rows (`lines.quantity`) has its value, row by row; a company's row is called `companies[200].code`."""
    name, _, child = path.partition(".")
    by_row = name in policy.company_of_rows
    said = _said_of_lines(name, sources, rows, natural, parts)
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

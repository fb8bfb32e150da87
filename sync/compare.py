"""What a system holds against what it should hold, field by field, as that system would store it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.base import LineSet, Stream
from sync.streams import StreamState

Differences = dict[str, list[Any]]
"""path -> [theirs, ours]; a line's field as `Ordered_Items[key].Quantity`, a line lacking there as `…[+id]`, one too many as `…[-key]`."""

Normalise = Callable[[Stream, str, Any], Any]


def differences(state: StreamState, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Differences:
    """Where a system's record differs from what it should hold; only the fields of `ours` are looked at."""
    normalise = state.connector.normalise
    sets = {lines.field: lines for lines in state.decl.lines}
    found: Differences = {}
    for path, value in ours.items():
        if path in sets and isinstance(value, list):
            _compare_lines(state.decl, normalise, sets[path], value, theirs.get(path) or [], found)
            continue
        held = theirs.get(path)
        if held.__class__ is value.__class__ and held == value:
            continue  # what is the same before normalising is the same after it
        mine, held = normalise(state.decl, path, value), normalise(state.decl, path, held)
        if mine != held:
            found[path] = [held, mine]
    return found


def _compare_lines(
    decl: Stream,
    normalise: Normalise,
    lines: LineSet,
    ours: Sequence[Mapping[str, Any]],
    theirs: Sequence[Mapping[str, Any]],
    found: Differences,
) -> None:
    by_key = {str(row.get(lines.key)): row for row in theirs}
    by_mark = {str(row[lines.hub_key]): row for row in theirs if lines.hub_key and row.get(lines.hub_key)}
    matched: set[str] = set()
    for index, row in enumerate(ours):
        mark = str(row.get(lines.hub_key) or "") if lines.hub_key else ""
        held = by_key.get(str(row[lines.key])) if row.get(lines.key) is not None else by_mark.get(mark)
        if held is None:
            found[f"{lines.field}[+{mark or row.get(lines.key) or index}]"] = [
                None,
                {name: value for name, value in row.items() if name != lines.key},
            ]
            continue
        key = str(held.get(lines.key))
        matched.add(key)
        for name, value in row.items():
            if name == lines.key:
                continue
            there = held.get(name)
            if there.__class__ is value.__class__ and there == value:
                continue
            path = f"{lines.field}.{name}"
            mine, there = normalise(decl, path, value), normalise(decl, path, there)
            if mine != there:
                found[f"{lines.field}[{key}].{name}"] = [there, mine]
    for key in by_key.keys() - matched:
        found[f"{lines.field}[-{key}]"] = [{lines.key: key}, None]


def edits(state: StreamState, found: Differences, earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Of the paths that differ, those whose value there changed between two readings: somebody edited them there."""
    heads = {path.partition("[")[0] for path in found}
    normalise = state.connector.normalise
    sets = {lines.field for lines in state.decl.lines}
    changed = {
        head
        for head in heads
        if (earlier.get(head) != now.get(head))
        and (head in sets or normalise(state.decl, head, earlier.get(head)) != normalise(state.decl, head, now.get(head)))
    }
    return [path for path in found if path.partition("[")[0] in changed]


def line_keys(state: StreamState, payload: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """By set: canonical line id -> the system's key of that line, from links and from the line keys that its lines carry."""
    found: dict[str, dict[str, str]] = {}
    stream = str(state.id)
    for name, info in state.mapping.sets.items():
        known = {row_id: row.links[stream] for row_id, row in rows.get(name, {}).items() if stream in row.links}
        declared = next((lines for lines in state.decl.lines if lines.field == info.path and lines.hub_key), None)
        for row in (payload.get(info.path) or ()) if declared else ():
            mark = str(row.get(declared.hub_key) or "").strip() if declared else ""
            if mark and declared and row.get(declared.key) is not None:
                known[mark] = str(row[declared.key])
        if known:
            found[name] = known
    return found


def canonical_field(state: StreamState, path: str) -> str:
    """The canonical field behind a path of :data:`Differences`; the path itself where it carries none."""
    head, _, rest = path.partition("[")
    general = head + (rest.partition("]")[2] if rest else "")
    return state.mapping.writes.get(general) or state.mapping.writes.get(head) or general


RESTLESS = 3
"""In place of a count: two writes of one value came back two different ways."""


def rewritten(
    accepted: Mapping[str, Sequence[Any]], found: Differences, *, just_written: bool
) -> tuple[Differences, dict[str, list[Any]], bool]:
    """Sort out what a system stores differently from what was sent.

    A value that comes back the same different way from two writes counts as equal until either side changes. One that comes back
    differently each time is a conflict: it is never written a third time, and does not keep the record's other fields from being written.
    `accepted`: path -> [sent, came back, times].
    Returns (what is left to repair, the new record, whether only what keeps changing is left).
    """
    left: Differences = {}
    restless: Differences = {}
    kept: dict[str, list[Any]] = {}
    for path, (theirs, ours) in found.items():
        known = accepted.get(path)
        if known is None or known[0] != ours:
            if just_written:
                kept[path] = [ours, theirs, 1]
            left[path] = [theirs, ours]
        elif known[2] == RESTLESS:
            if known[1] == theirs:
                kept[path], restless[path] = list(known), [theirs, ours]
            else:  # edited there since: a new difference
                left[path] = [theirs, ours]
        elif known[1] == theirs and (known[2] >= 2 or just_written):
            kept[path] = [ours, theirs, 2]
        elif known[1] != theirs and just_written:
            kept[path], restless[path] = [ours, theirs, RESTLESS], [theirs, ours]
        else:  # not written since, or edited there: what the system makes of our value is still known, nothing of theirs is accepted
            kept[path], left[path] = list(known), [theirs, ours]
    return (left, kept, False) if left else (restless, kept, bool(restless))

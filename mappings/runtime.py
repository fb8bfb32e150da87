"""Helpers that compiled mappings call where a case is not the usual one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from canonical.values import BadValue
from mappings.cel import Condition
from mappings.convert import ABSENT, Problems, bad, key_in, keys_in, shown
from mappings.errors import Cite
from mappings.model import Document, Target

_EMPTY: Mapping[str, str] = {}
_REMEMBERED = 4096


def condition_holds(condition: Condition, path: str, problems: Problems, *structures: Mapping[str, Any]) -> bool:
    """Whether a rule applies; a condition that cannot be decided is a problem of the record."""
    try:
        return condition(*structures)
    except ValueError as wrong:
        bad(problems, path, str(wrong))
        return False


def call_read(function: Callable[..., Any], values: tuple[Any, ...], extra: tuple[Any, ...], path: str, problems: Problems) -> Any:
    """What a named function makes of vendor values; an absent one is None to it."""
    try:
        return function(*[None if value is ABSENT else value for value in values], *extra)
    except (BadValue, ValueError, TypeError, ArithmeticError, AttributeError) as wrong:
        bad(problems, path, str(wrong))
        return None


def remembered(known: Mapping[tuple[Any, ...], Any], values: tuple[Any, ...]) -> Any:
    """What a named function said before to the same values; None if it was not asked, or they cannot be remembered by."""
    try:
        return known.get(values)
    except TypeError:
        return None


def remember(known: dict[tuple[Any, ...], Any], values: tuple[Any, ...], answer: Any) -> None:
    """Keep an answer for the next time. Only texts: 1, True and Decimal(1) would be one key."""
    if (
        answer is not None
        and len(known) < _REMEMBERED
        and all(value is ABSENT or value is None or isinstance(value, str) for value in values)
    ):
        known[values] = answer


def call_write(function: Callable[[Any], Any], value: Any, path: str, count: int, problems: Problems) -> tuple[Any, ...]:
    """The vendor values that a named function makes of a canonical one."""
    try:
        made = function(value)
    except (BadValue, ValueError, TypeError, ArithmeticError, AttributeError) as wrong:
        bad(problems, path, str(wrong))
        return (None,) * count
    return made if isinstance(made, tuple) else (made,)


def line_key(row: dict[str, Any], key: str, taken: Mapping[str, Any], path: str, problems: Problems) -> str:
    """The identifier of a line as text. A line without one, or with one that came before, is a problem of the record."""
    text = key_in(row.get(key), f"{path}.{key}", problems)
    if not text:
        bad(problems, f"{path}.{key}", "a line without identifier cannot be told from the others")
    elif text in taken:
        bad(problems, f"{path}.{key}", f"two lines have the identifier {text}")
    return text


def reference_list(value: Any, stream: str, refs: Mapping[Cite, str], path: str, problems: Problems) -> list[str]:
    """Canonical ids of a list of citations."""
    found = []
    for text in keys_in(value, path, problems):
        target = refs.get((stream, text))
        if target is None:
            problems.append(("parent", (stream, text)))
        else:
            found.append(target)
    return found


def written_list(
    ids: Any, stream: str, targets: Mapping[tuple[str, str], Target], how: str, path: str, problems: Problems
) -> list[Any] | None:
    """A list of references as the vendor wants it: keys, numbers or lookups."""
    if not isinstance(ids, list):
        if ids is not None:
            bad(problems, path, f"the document holds {shown(ids)} where a list belongs")
        return None
    made: list[Any] = []
    for one in ids:
        target = targets.get((stream, one))
        value = "" if target is None else target.number if how == "number" else target.key
        if value:
            made.append({"id": value} if how == "lookup" else value)
        else:
            problems.append(("parent", (stream, one)))
    return made


def own_row(
    rows: Mapping[str, Document],
    known: Mapping[str, str] | None,
    targets: Mapping[tuple[str, str], Target],
    stream: str,
    natural: str,
    org: str,
) -> Document | None:
    """The row of a set that one record of a system carries: the linked one, else the one of the organisation, else the only one."""
    linked = [line for line in rows if line in (known or _EMPTY)]
    if len(linked) == 1 and not org:
        return rows[linked[0]]
    if org:
        for line, row in rows.items():
            target = targets.get((stream, row.get(natural) or ""))
            if (known or _EMPTY).get(line) == org or (target is not None and target.number == org):
                return row
        return None
    return next(iter(rows.values())) if len(rows) == 1 else None


def unknown_word(value: Any, path: str, words: str, problems: Problems) -> None:
    """Note a canonical value that the table of a rule has no word for."""
    bad(problems, path, f"the system has no word for {shown(value)} (it has one for {words})")

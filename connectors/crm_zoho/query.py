"""COQL and search criteria, built so that no value can ever be read as anything but a value.

Names come from the declared streams, the settings or `describe`, and are checked all the same; every literal is quoted.
Escapes: COQL, backslash before a backslash and a quote; criteria, backslash before a backslash, a parenthesis and a comma (API v8, search).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeVar

T = TypeVar("T")
Value = str | int | Decimal | bool | date | datetime
Operator = Literal["=", "!=", ">", ">=", "<", "<="]

MAX_IN = 50
"""Values that `in` may hold (API v8, COQL limitations)."""
MAX_CRITERIA = 25
MAX_COLUMNS = 50
MAX_ROWS = 2000

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BadQuery(ValueError):
    """A name or a value that has no place in a query."""


@dataclass(frozen=True, slots=True)
class Where:
    """A condition: its text, and how many criteria it holds."""

    text: str
    criteria: int = 1


def name(text: str) -> str:
    """An API name, checked. Raises: BadQuery."""
    if not _NAME.fullmatch(text):
        raise BadQuery(f"{text[:60]!r} is not a field or module API name")
    return text


def literal(value: Value) -> str:
    """A COQL literal. Raises: BadQuery for a control character (no text that the hub looks for holds one) and a naive time."""
    return "'" + _plain(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def compare(field: str, operator: Operator, value: Value) -> Where:
    """`field operator 'value'`."""
    return Where(f"{name(field)} {operator} {literal(value)}")


def one_of(field: str, values: Sequence[Value]) -> Where:
    """`field in ('a', 'b')`. Raises: BadQuery for none or more than 50 values."""
    if not 0 < len(values) <= MAX_IN:
        raise BadQuery(f"`in` takes 1 to {MAX_IN} values, not {len(values)}")
    return Where(f"{name(field)} in ({', '.join(map(literal, values))})")


def both(left: Where, right: Where) -> Where:
    """`(left and right)`."""
    return Where(f"({left.text} and {right.text})", left.criteria + right.criteria)


def either(left: Where, right: Where) -> Where:
    """`(left or right)`."""
    return Where(f"({left.text} or {right.text})", left.criteria + right.criteria)


def after(stamp_field: str, stamp: str, key: str) -> Where:
    """What comes after a row in the order of a time field and then of `id`."""
    later = compare(stamp_field, ">", stamp)
    same = both(compare(stamp_field, "=", stamp), compare("id", ">", key))
    return either(later, same)


def select(columns: Sequence[str], module: str, where: Where, *, order: Sequence[str] = ("id",), limit: int = MAX_ROWS) -> str:
    """A COQL query, ascending. Raises: BadQuery beyond 50 columns, 25 criteria or 2,000 rows."""
    if not 0 < len(columns) <= MAX_COLUMNS:
        raise BadQuery(f"a query takes 1 to {MAX_COLUMNS} columns, not {len(columns)}")
    if where.criteria > MAX_CRITERIA:
        raise BadQuery(f"a query takes at most {MAX_CRITERIA} criteria, not {where.criteria}")
    if not 0 < limit <= MAX_ROWS:
        raise BadQuery(f"a query gives 1 to {MAX_ROWS} rows, not {limit}")
    wanted = ", ".join(map(name, columns))
    ordered = ", ".join(f"{name(field)} asc" for field in order)
    return f"select {wanted} from {name(module)} where {where.text} order by {ordered} limit {limit}"


def credits_of(rows: int) -> int:
    """What a COQL call of so many rows costs: 1, 2 or 3 credits."""
    return 1 if rows <= 200 else 2 if rows <= 1000 else 3


def criteria(field: str, values: Sequence[str]) -> str:
    """Search criteria for any of some values of one field: `((F:equals:a)or(F:equals:b))`. Raises: BadQuery."""
    if not 0 < len(values) <= 10:
        raise BadQuery(f"a search takes 1 to 10 values, not {len(values)}")
    terms = [f"({name(field)}:equals:{criterion(value)})" for value in values]
    return terms[0] if len(terms) == 1 else "(" + "or".join(terms) + ")"


def criterion(value: Value) -> str:
    """A value inside search criteria, escaped."""
    return re.sub(r"([\\(),])", r"\\\1", _plain(value))


def is_text(value: str) -> bool:
    """True for a text that can stand in a query at all."""
    return not _CONTROL.search(value)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Slices of at most `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _plain(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadQuery("a time without a zone")
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if _CONTROL.search(text):
        raise BadQuery("a value with a control character")
    return text

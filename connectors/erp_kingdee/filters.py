"""Filters in Kingdee's SQL-like language. It has no bind parameters, so every literal is quoted here and nowhere else.

Columns come from a stream's declaration (`Form.column`), never from data.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NewType

Column = NewType("Column", str)
"""A key that may stand in a filter: declared, and checked to be a plain name."""

Where = NewType("Where", str)
"""A finished condition; empty text is no condition."""

Value = str | int | Decimal
ALL = Where("")
MAX_IN = 200
"""Longest `in (...)` list that is sent."""


def literal(value: Value) -> str:
    """The value as a literal. A quote inside a text is doubled.

    Raises: ValueError for U+0000, which no server text can hold.
    """
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("a text with U+0000 cannot stand in a filter")
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return "'1'" if value else "'0'"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def at_least(column: Column, value: Value) -> Where:
    """`column >= value`."""
    return Where(f"{column} >= {literal(value)}")


def below(column: Column, value: Value) -> Where:
    """`column < value`."""
    return Where(f"{column} < {literal(value)}")


def above(column: Column, value: Value) -> Where:
    """`column > value`."""
    return Where(f"{column} > {literal(value)}")


def equals(column: Column, value: Value) -> Where:
    """`column = value`."""
    return Where(f"{column} = {literal(value)}")


def is_null(column: Column) -> Where:
    """`column is null`."""
    return Where(f"{column} is null")


def one_of(column: Column, values: Sequence[Value]) -> Where:
    """`column in (...)`. Raises: ValueError for an empty list or more than `MAX_IN` values."""
    if not 0 < len(values) <= MAX_IN:
        raise ValueError(f"one to {MAX_IN} values can be asked for at once, not {len(values)}")
    return Where(f"{column} in ({','.join(map(literal, values))})")


def both(*conditions: Where) -> Where:
    """All of the conditions; those that are empty fall away."""
    return _joined(" and ", conditions)


def either(*conditions: Where) -> Where:
    """One of the conditions at least. None may be empty: that would let everything in."""
    if not all(conditions):
        raise ValueError("an empty condition in `either` would let everything in")
    return _joined(" or ", conditions)


def _joined(word: str, conditions: Sequence[Where]) -> Where:
    there = [condition for condition in conditions if condition]
    return there[0] if len(there) == 1 else Where(word.join(f"({condition})" for condition in there))

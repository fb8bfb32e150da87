"""How the oracle reads native records and when two values are the same for it. Small on purpose, and written apart from the hub."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal

Doc = dict[str, Any]

SENSIBLE_DIGITS = 24
"""A number with more digits is a mistake that the hub has to set aside."""

APPROVAL = {"Z": "draft", "A": "draft", "B": "submitted", "C": "approved", "D": "reopened"}


def ref(doc: Doc, key: str) -> str:
    """The number that a Kingdee reference holds, or empty."""
    value = doc.get(key)
    if isinstance(value, dict):
        return str(value.get("FNumber", value.get("FNUMBER", "")) or "").strip()
    return str(doc.get(f"{key}.FNumber", value) or "").strip()


def text(value: Any) -> str:
    """Text as people compare it: trimmed; nothing, null and empty are one."""
    return value.strip() if value.__class__ is str else "" if value is None else str(value).strip()


def number(value: Any) -> Decimal:
    """A number; nothing is zero.

    Raises: ValueError for something else, TypeError for a float.
    """
    if value.__class__ is Decimal:
        exact: Decimal = value
        return exact
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float: no amount may be one")
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no number") from error


def sensible(value: Any) -> bool:
    """False for a number that no one can have meant."""
    try:
        return number(value).adjusted() < SENSIBLE_DIGITS
    except ValueError:
        return False


def places(value: Any, count: Literal[2, 4]) -> Decimal:
    """A number rounded half-up, as the target keeps it."""
    return number(value).quantize(_STEPS[count], rounding=ROUND_HALF_UP)


_STEPS = {2: Decimal("0.01"), 4: Decimal("0.0001")}


def day(value: Any) -> str:
    """The date part, or empty."""
    return text(value)[:10]


def lookup(doc: Doc, key: str) -> str:
    """The id that a Zoho lookup holds, or empty."""
    value = doc.get(key)
    if isinstance(value, dict):
        return text(value.get("id"))
    return text(value)


def same(kind: str, expected: Any, found: Any) -> bool:
    """Whether two values are the same: `text`, `money` (2 places), `quantity` (4 places), `price` (4 places), `day`, `flag`."""
    if kind == "money":
        return places(expected, 2) == number(found)
    if kind in {"quantity", "price"}:
        return places(expected, 4) == number(found)
    if kind == "day":
        return day(expected) == day(found)
    if kind == "flag":
        return bool(expected) == bool(found)
    return text(expected) == text(found)

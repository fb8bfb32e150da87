"""Values as Kingdee stores them, for comparing what should be with what is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any

from connectors.erp_kingdee.forms import Field
from connectors.erp_kingdee.streams import FORMS

Normal = Callable[[Any], Any]


def normaliser(stream: str, path: str) -> Normal:
    """The function that gives a field's value the form in which it is compared. An unknown field is only trimmed."""
    return _all(stream).get(path, text)


@cache
def _all(stream: str) -> Mapping[str, Normal]:
    form = FORMS.get(stream)
    return {path: _for(field) for path, field in form.by_path.items()} if form else {}


def _for(field: Field) -> Normal:
    if field.type == "decimal":
        return decimal_of(field.scale or 0)
    return {"integer": integer, "boolean": boolean, "date": day, "datetime": second, "id": reference, "reference": reference}.get(
        field.type, text
    )


def text(value: Any) -> Any:
    """Trimmed; null and blank are one: the server keeps no null text."""
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else value


def reference(value: Any) -> str:
    """The number or id as text; the four empty forms (0, null, empty, blank) are one."""
    if isinstance(value, dict):
        value = next(iter(value.values()), "")
    shown = "" if value is None else str(value).strip()
    return "" if shown == "0" else shown


def boolean(value: Any) -> Any:
    """`true`, `"true"`, `"1"` and 1 are true; empty is false."""
    if isinstance(value, str):
        value = value.strip().lower()
    if value in (True, 1, "true", "1"):
        return True
    return False if value in (False, 0, "false", "0", "", None) else value


def integer(value: Any) -> Any:
    """A whole number; empty is 0."""
    if value is None or value == "":
        return 0
    try:
        return int(value)
    except (TypeError, ValueError):
        return value


def day(value: Any) -> Any:
    """`YYYY-MM-DD`; empty is null."""
    shown = "" if value is None else str(value).strip()
    return shown[:10] or None


def second(value: Any) -> Any:
    """`YYYY-MM-DDTHH:MM:SS`, in the server's zone; a bare day is its midnight; empty is null."""
    shown = "" if value is None else str(value).strip().replace(" ", "T")
    return (f"{shown}T00:00:00" if len(shown) == 10 else shown[:19]) or None


def decimal_of(scale: int) -> Normal:
    """Numbers rounded half-up to `scale` places; empty is 0."""
    places = Decimal(1).scaleb(-scale)
    zero = Decimal(0).quantize(places)

    def decimal(value: Any) -> Any:
        if value is None or value == "":
            return zero
        if isinstance(value, bool | dict | list):
            return value
        try:
            return Decimal(value if isinstance(value, Decimal | int) else str(value).strip()).quantize(places, ROUND_HALF_UP)
        except (InvalidOperation, ValueError):
            return value

    return decimal

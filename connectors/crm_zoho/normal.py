"""Values as Zoho CRM would store them, so that what the hub wants and what the system holds can be compared.

Text is trimmed, and an empty text is null; currency is rounded half-up to its places; a time has whole seconds and is told in UTC;
a lookup is its id; an unticked box is false, never null; `-None-` of a picklist is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connectors.base import FieldInfo, Stream
from connectors.crm_zoho.streams import utc

Normaliser = Callable[[Any], Any]


def normaliser(info: FieldInfo) -> Normaliser:
    """The function for a field's type."""
    if info.type == "decimal":
        places = None if info.scale is None else Decimal(1).scaleb(-info.scale)
        return lambda value: decimal(value, places)
    return _BY_TYPE.get(info.type, _as_it_is)


def table(stream: Stream) -> Mapping[str, Normaliser]:
    """The functions of a stream's fields, by path."""
    line_sets = {lines.field for lines in stream.lines}
    return {info.name: _as_it_is if info.name in line_sets else normaliser(info) for info in stream.fields}


def text(value: Any) -> Any:
    """Trimmed, line ends as `\\n`; None for nothing."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip() or None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return value


def decimal(value: Any, places: Decimal | None = None) -> Any:
    """A number, rounded half-up to the places; without trailing zeros where there are no fixed places. What is no number stays as it is."""
    if value is None or isinstance(value, bool) or value == "":
        return None if value == "" else value
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value).strip())
        if not number.is_finite():
            return value
        if places is not None:
            return number.quantize(places, ROUND_HALF_UP) + 0
        return Decimal(format(number.normalize(), "f")) + 0
    except InvalidOperation:
        return value


def integer(value: Any) -> Any:
    """A whole number; what is none stays as it is."""
    number = decimal(value)
    return int(number) if isinstance(number, Decimal) and number == number.to_integral_value() else number


def boolean(value: Any) -> Any:
    """True or False; Zoho stores an unticked box as false."""
    if value is None or value == "":
        return False
    return {"true": True, "false": False}.get(value.strip().lower(), value) if isinstance(value, str) else value


def day(value: Any) -> Any:
    """`YYYY-MM-DD`."""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return (value.strip()[:10].strip() or None) if isinstance(value, str) else value


def instant(value: Any) -> Any:
    """UTC, whole seconds: `YYYY-MM-DDTHH:MM:SSZ`; what is no time stays as it is."""
    if isinstance(value, datetime):
        value = value.isoformat()
    if not isinstance(value, str):
        return value
    try:
        return utc(value.strip()) if value.strip() else None
    except ValueError:
        return value.strip()


def reference(value: Any) -> Any:
    """The id of a lookup, as text."""
    found = value.get("id") if isinstance(value, dict) else value
    return str(found) if found not in (None, "") else None


def choice(value: Any) -> Any:
    """The actual value of a picklist."""
    found = text(value)
    return None if found == "-None-" else found


def several(value: Any) -> Any:
    """A list; an empty one is null. Numbers in its rows without trailing zeros, ids and `$` keys of its rows left out."""
    if not isinstance(value, list):
        return value
    return [_row(item) if isinstance(item, dict) else text(item) for item in value] or None


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in row.items() if key != "id" and not key.startswith("$")}
    return {
        key: decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value for key, value in kept.items()
    }


def _as_it_is(value: Any) -> Any:
    return value


_BY_TYPE: Mapping[str, Normaliser] = {
    "text": text,
    "integer": integer,
    "boolean": boolean,
    "date": day,
    "datetime": instant,
    "reference": reference,
    "enum": choice,
    "list": several,
}

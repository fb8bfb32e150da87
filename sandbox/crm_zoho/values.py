"""What a field takes and how the real one keeps it: trimmed, rounded, in the organisation's zone; refused when it does not fit.

An empty text is kept as null. A value of the wrong JSON type is refused with the type that was expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.crm_zoho.clock import is_date, parse_moment, text_of
from sandbox.crm_zoho.errors import RecordError, invalid
from sandbox.crm_zoho.metadata import Doc, Field
from sandbox.crm_zoho.org import USERS
from sandbox.crm_zoho.store import Store

_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;.]+")
_PHONE = re.compile(r"[0-9A-Za-z+\-(). ,;#*/（）—转]+")
_ID = re.compile(r"[0-9]{1,20}")
_SCALES = {places: Decimal(1).scaleb(-places) for places in range(10)}
ZERO = Decimal(0)


def rounded(number: Decimal | int, places: int = 2) -> Decimal | int:
    """A number with at most `places` decimal places. Rounds: half-up, away from zero at the half."""
    if isinstance(number, int) or int(number.as_tuple().exponent) >= -places:
        return number
    return number.quantize(_SCALES[places], ROUND_HALF_UP)


def id_of(value: Any) -> str | None:
    """The id in a lookup as written by a client: `{"id": text or number}`. None when there is none."""
    found = value.get("id") if isinstance(value, Mapping) else None
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return found if isinstance(found, str) and _ID.fullmatch(found) else None


def _text(_store: Store, spec: Field, value: Any, path: str) -> Any:
    if not isinstance(value, str):
        raise invalid(path, spec.name, "text")
    kept = value.rstrip()
    if len(kept) > spec.length:
        raise invalid(path, spec.name, "text", maximum_length=spec.length)
    return kept or None


def _patterned(pattern: re.Pattern[str], expected: str) -> Callable[[Store, Field, Any, str], Any]:
    def coerce(store: Store, spec: Field, value: Any, path: str) -> Any:
        kept = _text(store, spec, value, path)
        if kept is not None and pattern.fullmatch(kept) is None:
            raise invalid(path, spec.name, expected)
        return kept

    return coerce


def _number(spec: Field, value: Any, path: str, expected: str) -> Decimal | int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or (isinstance(value, Decimal) and not value.is_finite()):
        raise invalid(path, spec.name, expected)
    if abs(value) >= 10**spec.length:
        raise invalid(path, spec.name, expected, maximum_length=spec.length)
    return value


def _integer(_store: Store, spec: Field, value: Any, path: str) -> Any:
    number = _number(spec, value, path, "integer")
    if number != int(number):
        raise invalid(path, spec.name, "integer")
    return int(number)


def _double(_store: Store, spec: Field, value: Any, path: str) -> Any:
    return rounded(_number(spec, value, path, "double"), spec.places)


def _discount(store: Store, spec: Field, value: Any, path: str) -> Any:
    """An amount, or a share of the line written as text: "10%"."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d{1,4})?%", value):
        return value
    return _double(store, spec, value, path)


def _date(_store: Store, spec: Field, value: Any, path: str) -> Any:
    if value == "":
        return None
    if not is_date(value):
        raise invalid(path, spec.name, "date")
    return value


def _datetime(_store: Store, spec: Field, value: Any, path: str) -> Any:
    if value == "":
        return None
    moment = parse_moment(value)
    if moment is None:
        raise invalid(path, spec.name, "datetime")
    return text_of(moment)


def _boolean(_store: Store, spec: Field, value: Any, path: str) -> Any:
    if not isinstance(value, bool):
        raise invalid(path, spec.name, "boolean")
    return value


def _picklist(store: Store, spec: Field, value: Any, path: str) -> Any:
    kept = _text(store, spec, value, path)
    if kept is None or kept == "-None-":
        return None
    if spec.closed and kept not in spec.choices:
        raise invalid(path, spec.name, "picklist", allowed_values=list(spec.choices))
    return kept


def _choices(_store: Store, spec: Field, value: Any, path: str) -> Any:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(path, spec.name, "jsonarray")
    return value or None


def _lookup(store: Store, spec: Field, value: Any, path: str) -> Any:
    key = id_of(value)
    if key is None:
        raise invalid(path, spec.name, "jsonobject")
    if key not in store.tables[spec.module].docs:
        raise RecordError("INVALID_DATA", "the id given seems to be invalid", api_name=spec.name, json_path=f"{path}.id")
    return store.reference(spec.module, key)


def _owner(_store: Store, spec: Field, value: Any, path: str) -> Any:
    user = USERS.get(id_of(value) or "")
    if user is None:
        raise invalid(f"{path}.id", spec.name, "jsonobject")
    return user


def _line_tax(store: Store, spec: Field, value: Any, path: str) -> Any:
    """Taxes of a line: `[{"name", "percentage"}]`; their amounts are computed with the totals."""
    if not isinstance(value, list) or not all(isinstance(tax, dict) for tax in value):
        raise invalid(path, spec.name, "jsonarray")
    percent = Field("percentage", "double", 5, 4)
    return [
        {"name": str(tax.get("name", "")), "percentage": _double(store, percent, tax.get("percentage", 0), f"{path}[{at}].percentage")}
        for at, tax in enumerate(value)
    ]


def _pricing(store: Store, spec: Field, value: Any, path: str) -> Any:
    """Steps of a price book: `[{"from_range", "to_range", "discount"}]`."""
    if not isinstance(value, list) or not all(isinstance(step, dict) for step in value):
        raise invalid(path, spec.name, "jsonarray")
    kept: list[Doc] = []
    for at, step in enumerate(value):
        row: Doc = {"id": id_of(step) or store.new_id()}
        for name in ("from_range", "to_range", "discount"):
            if step.get(name) is not None:
                row[name] = _double(store, Field(name, "double", 16, 4), step[name], f"{path}[{at}].{name}")
        kept.append(row)
    return kept


COERCE: Mapping[str, Callable[[Store, Field, Any, str], Any]] = {
    "text": _text,
    "textarea": _text,
    "website": _text,
    "email": _patterned(_EMAIL, "email"),
    "phone": _patterned(_PHONE, "phone"),
    "integer": _integer,
    "bigint": _text,
    "double": _double,
    "currency": _double,
    "percent": _double,
    "discount": _discount,
    "date": _date,
    "datetime": _datetime,
    "boolean": _boolean,
    "picklist": _picklist,
    "multiselectpicklist": _choices,
    "lookup": _lookup,
    "ownerlookup": _owner,
    "linetax": _line_tax,
    "pricing": _pricing,
}
"""How each data type takes a value that is not null. Raises RecordError."""


def tags(value: Any, path: str) -> Any:
    """The tags of a record: `[{"name"}]`."""
    if not isinstance(value, list) or not all(isinstance(tag, dict) and isinstance(tag.get("name"), str) for tag in value):
        raise invalid(path, "Tag", "jsonarray")
    return [{"name": tag["name"].strip(), "id": tag.get("id"), "color_code": None} for tag in value]

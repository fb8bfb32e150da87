"""How single values cross the border: vendor form to canonical document form, and back.

Each function of the way in takes the vendor's value, the path to name in an error and the list that gathers what is wrong with the
record; it returns the canonical value, or None after noting a problem. Compiled mappings inline the usual case and call these for the rest.

Empty: with `lenient` an empty text counts as null (files that say `empty: null`); otherwise it is no number, day or moment.
"""

# ruff: noqa: FBT001, FBT002  -- compiled code passes `lenient` by position, for speed

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import reduce
from typing import Any, Final
from zoneinfo import ZoneInfo

from canonical.values import BadValue, decimal_text, utc_text
from mappings.errors import Wrong

Problems = list[tuple[str, object]]


class _Absent:
    """The one value that says: there is no such key."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()

_CACHED = 50_000
SHORT = 24
_WIDE = Context(prec=80)
"""Room for the sum of many numbers of 24 digits, exactly."""


def bad(problems: Problems, path: str, why: str) -> None:
    """Note a value that cannot be mapped."""
    problems.append(("bad", Wrong(path, why)))


def shown(value: Any) -> str:
    """A value as an error may show it: short, and never a whole structure."""
    if isinstance(value, dict | list):
        return f"a {'list' if isinstance(value, list) else 'structure'}"
    text = repr(value)
    return text if len(text) <= 50 else text[:47] + "..."


def _empty(value: Any, lenient: bool) -> bool:
    return value is None or (lenient and value.__class__ is str and not value.strip())


# -- the way in --------------------------------------------------------------------------------------------------------


def text_in(value: Any, path: str, problems: Problems) -> str | None:
    """A text that is not one; the usual case is inlined."""
    if value is not None:
        bad(problems, path, f"expected a text, got {shown(value)}")
    return None


decimals: dict[str, str] = {}
"""Texts of numbers seen before → canonical text. Compiled mappings look here before they call."""


def decimal_in(value: Any, path: str, problems: Problems, lenient: bool = True) -> str | None:
    """A number as canonical decimal text."""
    kind = value.__class__
    if kind is Decimal:
        seen = str(value)
        text = decimals.get(seen)
        if text is not None:
            return text
        if not value:
            return "0"
        # Plain notation of usual length: nothing to check but zeros behind the point.
        if len(seen) <= SHORT and "E" not in seen and "N" not in seen and "I" not in seen:
            text = seen.rstrip("0").rstrip(".") if "." in seen else seen
            if len(decimals) < _CACHED:
                decimals[seen] = text
            return text
    elif kind is int:
        if -BIG < value < BIG:
            return str(value)
    elif value is None:
        return None
    return _decimal_slowly(value, path, problems, lenient)


BIG = 10**SHORT
"""Whole numbers from here on are a mistake of the sender."""


def _decimal_slowly(value: Any, path: str, problems: Problems, lenient: bool) -> str | None:
    if _empty(value, lenient):
        return None
    if isinstance(value, bool | float) or not isinstance(value, Decimal | int | str):
        why = "a float is not exact" if isinstance(value, float) else "expected a number"
        bad(problems, path, f"{why}, got {shown(value)}")
        return None
    try:
        return decimal_text(value.strip() if isinstance(value, str) else value)
    except (BadValue, ValueError) as wrong:
        bad(problems, path, str(wrong))
        return None


fractions: dict[str, str] = {}
"""Texts of percentages seen before → canonical fraction."""


def percent_in(value: Any, path: str, problems: Problems, lenient: bool = True) -> str | None:
    """A percentage as canonical fraction: 13 becomes 0.13."""
    text = decimal_in(value, path, problems, lenient)
    if text is None:
        return None
    fraction = decimal_text(Decimal(text).scaleb(-2))
    if len(fractions) < _CACHED:
        fractions[str(value)] = fraction
    return fraction


def integer_in(value: Any, path: str, problems: Problems, lenient: bool = True) -> int | None:
    """A whole number."""
    if value.__class__ is int and -(10**18) < value < 10**18:
        return int(value)
    if _empty(value, lenient):
        return None
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < 10**18 and value == int(value):
        return int(value)
    bad(problems, path, f"expected a whole number of at most 18 digits, got {shown(value)}")
    return None


_TRUTH: dict[Any, bool] = {True: True, False: False, "true": True, "false": False, "1": True, "0": False, "True": True, "False": False}


def boolean_in(value: Any, path: str, problems: Problems, lenient: bool = True) -> bool | None:
    """Yes or no; the texts 1, 0, true, false count as well."""
    if value is True or value is False:
        return bool(value)
    if _empty(value, lenient):
        return None
    known = _TRUTH.get(value) if isinstance(value, int | str) else None
    if known is None:
        bad(problems, path, f"expected true or false, got {shown(value)}")
    return known


days: dict[str, str] = {}
"""Vendor texts of days seen before → canonical day."""


def day_in(value: Any, path: str, problems: Problems, lenient: bool = True) -> str | None:
    """A day. A time of day behind it is cut off: the vendor's zone is the zone of its days."""
    if value.__class__ is str:
        known = days.get(value)
        if known is not None:
            return known
        try:
            day = date.fromisoformat(value[:10]).isoformat()
            if len(value) > 10:
                datetime.fromisoformat(value)
        except ValueError:
            pass  # Told below, with what else is no day.
        else:
            if len(days) < _CACHED:
                days[value] = day
            return day
    if not _empty(value, lenient):
        bad(problems, path, f"expected a day like 2026-01-31, got {shown(value)}")
    return None


def moment_reader(zone: ZoneInfo) -> Callable[[Any, str, Problems, bool], str | None]:
    """A function that reads moments; those without offset are taken in `zone`, the first one where a clock change makes two."""
    hours: dict[str, str] = {}

    def moment_in(value: Any, path: str, problems: Problems, lenient: bool = True) -> str | None:
        if value.__class__ is str:
            hour = hours.get(value[:13])
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                moment = None
            if moment is not None:
                if hour is not None and len(value) == 19:
                    return f"{hour}{value[13:]}Z"
                if len(value) == 20 and value[19] == "Z" and value[7] == "-" and value[10] == "T":
                    return value  # canonical text already
                return _utc(moment, value, zone, hours)
        if not _empty(value, lenient):
            bad(problems, path, f"expected a time like 2026-01-31T08:00:00, got {shown(value)}")
        return None

    return moment_in


def _utc(moment: datetime, text: str, zone: tzinfo, hours: dict[str, str]) -> str:
    aware = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    result = utc_text(aware)
    # Minutes and seconds are the same in UTC where the offset is whole hours and no clock changes within the hour.
    if len(text) == 19 and text[10] == "T" and moment.tzinfo is None and len(hours) < _CACHED:
        start = moment.replace(minute=0, second=0, tzinfo=zone)
        end = start + timedelta(minutes=59, seconds=59)
        offset = start.utcoffset()
        if offset is not None and offset == end.utcoffset() and not offset.seconds % 3600:
            hours[text[:13]] = result[:13]
    return result


def enum_in(value: Any, table: Mapping[Any, Any], otherwise: Any, expected: str, path: str, problems: Problems) -> Any:
    """The canonical value for a vendor's word; the usual case is inlined."""
    word = value.strip() if isinstance(value, str) else value
    if not isinstance(word, list | dict) and word in table:
        return table[word]
    if otherwise is None:
        bad(problems, path, f"{shown(value)} is not in the table of this field ({expected})")
    return otherwise


def list_in(value: Any, path: str, problems: Problems, lenient: bool = True) -> list[str] | None:
    """A list of texts."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return list(value)
    if not _empty(value, lenient):
        bad(problems, path, f"expected a list of texts, got {shown(value)}")
    return None


def map_in(value: Any, path: str, problems: Problems, lenient: bool = True) -> dict[str, Any] | None:
    """A structure of texts by name."""
    if isinstance(value, dict):
        return dict(value)
    if not _empty(value, lenient):
        bad(problems, path, f"expected a structure, got {shown(value)}")
    return None


def key_in(value: Any, path: str, problems: Problems) -> str:
    """The text of a citation: a key, a number, or a lookup `{"id": ...}`. Empty text: cites nothing."""
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value else ""
    if value is not None:
        bad(problems, path, f"expected a reference, got {shown(value)}")
    return ""


def keys_in(value: Any, path: str, problems: Problems) -> list[str]:
    """The texts of a list of citations."""
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        bad(problems, path, f"expected a list of references, got {shown(value)}")
        return []
    return [key for key in (key_in(item, path, problems) for item in value) if key]


# -- the way out -------------------------------------------------------------------------------------------------------


def text_out(value: Any, path: str, problems: Problems) -> str | None:
    """A canonical text that is not one."""
    if value is not None:
        bad(problems, path, f"the document holds {shown(value)} where a text belongs")
    return None


numbers: dict[str, Decimal] = {}
"""Canonical decimal text seen before → number."""
percentages: dict[str, Decimal] = {}
"""Canonical fraction seen before → percentage."""
written_days: dict[str, str] = {}
"""Canonical days known to be good."""


def decimal_out(value: Any, path: str, problems: Problems) -> Decimal | None:
    """Canonical decimal text as an exact number."""
    if value is None:
        return None
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(decimal_text(value))
        except (BadValue, ValueError) as wrong:
            bad(problems, path, str(wrong))
            return None
        if isinstance(value, str) and len(numbers) < _CACHED:
            numbers[value] = number
        return number
    bad(problems, path, f"the document holds {shown(value)} where a number belongs")
    return None


def places_out(value: Any, path: str, problems: Problems, places: int) -> Decimal | None:
    """The same, rounded half-up to what the system stores."""
    number = numbers.get(value) if value.__class__ is str else None
    if number is None:
        number = decimal_out(value, path, problems)
    try:
        if number is None or -number.as_tuple().exponent <= places:  # type: ignore[operator]  # it is finite
            return number
        return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        bad(problems, path, f"{shown(value)} has too many digits")
        return None


def percent_out(value: Any, path: str, problems: Problems) -> Decimal | None:
    """A fraction as percentage: 0.13 becomes 13."""
    number = decimal_out(value, path, problems)
    if number is None:
        return None
    percentage = Decimal(decimal_text(number.scaleb(2)))
    if isinstance(value, str) and len(percentages) < _CACHED:
        percentages[value] = percentage
    return percentage


def integer_out(value: Any, path: str, problems: Problems) -> int | None:
    """A whole number."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    bad(problems, path, f"the document holds {shown(value)} where a whole number belongs")
    return None


def boolean_out(value: Any, path: str, problems: Problems) -> bool | None:
    """Yes or no."""
    if value is None or isinstance(value, bool):
        return value
    bad(problems, path, f"the document holds {shown(value)} where true or false belongs")
    return None


def day_out(value: Any, path: str, problems: Problems) -> str | None:
    """A day as `2026-01-31`."""
    if value is None:
        return None
    try:
        day = date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        bad(problems, path, f"the document holds {shown(value)} where a day belongs")
        return None
    if len(written_days) < _CACHED:
        written_days[value] = day
    return day


def midnight_out(value: Any, path: str, problems: Problems) -> str | None:
    """A day as `2026-01-31T00:00:00`."""
    day = day_out(value, path, problems)
    return None if day is None else f"{day}T00:00:00"


def moment_writer(zone: ZoneInfo, offset: bool) -> Callable[[Any, str, Problems], str | None]:
    """A function that writes moments in a zone, with or without the offset behind."""

    def moment_out(value: Any, path: str, problems: Problems) -> str | None:
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            local = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone)
        except (TypeError, ValueError, OverflowError):
            bad(problems, path, f"the document holds {shown(value)} where a time belongs")
            return None
        return local.isoformat() if offset else local.replace(tzinfo=None).isoformat()

    return moment_out


def plain_out(value: Any, _path: str, _problems: Problems) -> Any:
    """A list or structure, as it is."""
    return list(value) if isinstance(value, list) else dict(value) if isinstance(value, dict) else value


# -- over rows ---------------------------------------------------------------------------------------------------------


def sum_of(rows: Sequence[dict[str, Any]], name: str) -> str | None:
    """The exact sum of a field over rows, as canonical text; None where no row says one."""
    numbers = [Decimal(row[name]) for row in rows if row.get(name) is not None]
    return decimal_text(reduce(_WIDE.add, numbers)) if numbers else None


def common_of(rows: Sequence[dict[str, Any]], name: str) -> Any:
    """What all rows agree on; None where they differ or there are none."""
    first = rows[0].get(name) if rows else None
    return first if all(row.get(name) == first for row in rows) else None


def locate(problems: Problems, start: int, prefix: str, key: Any) -> None:
    """Put the line's key into the paths of the problems that were found in it."""
    for index in range(start, len(problems)):
        kind, fact = problems[index]
        if kind == "bad" and isinstance(fact, Wrong) and fact.path.startswith(f"{prefix}."):
            problems[index] = (kind, Wrong(f"{prefix}[{key}]{fact.path[len(prefix) :]}", fact.why))

"""Values on their way in and out: dates in the server's own time, texts with their lengths, booleans in every spelling."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sandbox.erp_kingdee.forms import LARGEST, BadValue, Field, number_value

CHINA = timezone(timedelta(hours=8))
"""The server's local time. China has had no summer time since 1991."""

LENGTHS = {"FBILLNO": 30, "FNUMBER": 30, "F_HUB_KEY": 20, "F_HUB_LINE": 36, "FSOCIALCRECODE": 18, "FREMARK": 255}
"""Longest texts by upper-case key; any other text may have `LONGEST` characters."""
LONGEST = 500

_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,7})?)?)?", re.ASCII)
_STORED = re.compile(r"[12]\d{3}-(?:0[1-9]|1[012])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d", re.ASCII)
_MS = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)


def moment_text(when: datetime, *, ms: bool = True) -> str:
    """A moment as the ERP writes it: China time, no zone, milliseconds only where there are some."""
    local = when.astimezone(CHINA)
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    thousandths = local.microsecond // 1000
    return f"{text}.{thousandths:03d}".rstrip("0") if ms and thousandths else text


def now_text(*, ms: bool = True, back_s: float = 0.0) -> str:
    """The server's time now, or `back_s` seconds ago."""
    return moment_text(datetime.now(UTC) - timedelta(seconds=back_s), ms=ms)


def date_text(value: Any, *, day: bool) -> str | None:
    """A date or moment in the stored form; None for an empty one. Raises BadValue."""
    text = str(value).strip() if value is not None else ""
    if _STORED.fullmatch(text) and (not day or text.endswith("T00:00:00")):
        return text
    if not text:
        return None
    ms = _MS.fullmatch(text)
    if ms:
        return moment_text(datetime.fromtimestamp(int(ms.group(1)) / 1000, UTC))
    match = _DATE.fullmatch(text)
    if match is None:
        raise BadValue(f"“{text[:40]}”不是有效的日期")
    year, month, at, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        datetime(year, month, at, hour, minute, second, tzinfo=CHINA)
    except ValueError as error:
        raise BadValue(f"“{text[:40]}”不是有效的日期") from error
    if day:
        return f"{year:04d}-{month:02d}-{at:02d}T00:00:00"
    fraction = (match.group(7) or "").rstrip("0").rstrip(".")
    return f"{year:04d}-{month:02d}-{at:02d}T{hour:02d}:{minute:02d}:{second:02d}{fraction}"


def flag(value: Any, *, default: bool = False) -> bool:
    """A boolean however a client spells it."""
    if value is None or value == "":
        return default
    return value if isinstance(value, bool) else str(value).strip().lower() in ("true", "1", "t", "yes")


def plain(f: Field, value: Any) -> Any:
    """A value of any kind but reference, as it is stored. Raises BadValue."""
    kind = f.kind
    if kind in ("t", "e"):
        return _text(f, value)
    if kind == "n":
        number = number_value(value)
        if abs(number) >= LARGEST:
            raise BadValue(f"“{str(value)[:40]}”超出了数值范围")
        return number
    if kind in ("d", "dt"):
        return date_text(value, day=kind == "d")
    if kind == "b":
        return flag(value)
    try:
        return int(str(value).strip() or 0) if value is not None else 0
    except ValueError as error:
        raise BadValue(f"“{str(value)[:40]}”不是有效的整数") from error


def _text(f: Field, value: Any) -> str:
    if isinstance(value, list):  # multi-language text: [{"Key":2052,"Value":"…"}]
        value = next((part.get("Value") for part in value if isinstance(part, dict)), "")
    if isinstance(value, dict):
        raise BadValue("需要文本，收到的是对象")
    text = "" if value is None else str(value)
    longest = LENGTHS.get(f.key.upper(), LONGEST)
    if len(text) > longest:
        raise BadValue(f"长度{len(text)}超过了允许的最大长度{longest}")
    return text

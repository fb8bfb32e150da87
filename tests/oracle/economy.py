"""How dear the hub's calls were, read from the servers' logs. Meant for stretches with no fault switched on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.oracle.values import Doc

WRITES = {
    "save",
    "batchsave",
    "draft",
    "submit",
    "audit",
    "unaudit",
    "delete",
    "insert",
    "update",
    "upsert",
    "transition",
    "excuteoperation",
}
"""Operations that change records, in lower case."""


def committed(log: list[Doc]) -> Counter[tuple[str, str, str]]:
    """(stream, key, operation) -> how many times it was committed."""
    found: Counter[tuple[str, str, str]] = Counter()
    for line in log:
        operation = str(line.get("operation") or "").lower()
        for key in line.get("keys") or ():
            found[str(line.get("stream")), str(key), operation] += 1
    return found


def extravagance(log: list[Doc], changes: Mapping[tuple[str, str], int] | None = None) -> list[str]:
    """Steps that were done more often than the record changed, in words. `changes`: (stream, key) -> how often; 1 where not said."""
    allowed = changes or {}
    return [
        f"{operation} of {stream} {key}: {count} times"
        for (stream, key, operation), count in sorted(committed(log).items())
        if count > allowed.get((stream, key), 1)
    ]


def writes(log: list[Doc]) -> list[dict[str, Any]]:
    """The calls that changed something. After a quiet cycle there must be none: a hub that answers its own echo shows here."""
    return [line for line in log if line.get("keys")]


def record_reads(log: list[Doc]) -> Counter[tuple[str, str]]:
    """(stream, key) -> how often the record was asked for by its key.

    Counted are Zoho's `GET /module/id` and `?ids=`, Kingdee's `View` and a query for named ids. Pages of a listing are not: the overlap of
    an increment reads records again on purpose.
    """
    found: Counter[tuple[str, str]] = Counter()
    for line in log:
        stream, notes = str(line.get("stream") or ""), line.get("notes") or {}
        for key in notes.get("asked") or _by_key(line, str(notes.get("filter") or "")):
            found[stream, str(key)] += 1
    return found


_KEYS = re.compile(r"\(*\s*(?:FID|FCUSTID|FMATERIALID|FCONTACTID|FEMPID|FDEPTID|FOrgID)\s*(?:=|in)\s*\(?([\d',\s]+)\)*\s*", re.IGNORECASE)


def _by_key(line: Doc, condition: str) -> list[str]:
    last = str(line.get("path") or "").rsplit("/", 1)[-1]
    if line.get("method") == "GET" and last.isdigit():
        return [last]
    named = _KEYS.fullmatch(condition)
    return re.findall(r"\d+", named[1]) if named else []

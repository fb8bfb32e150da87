"""How dear the hub's calls were, read from the servers' logs. Meant for stretches with no fault switched on."""

from __future__ import annotations

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
    """(stream, key) -> how often the record was read by its own address: Zoho's `GET /module/id`, Kingdee's `View`.

    Pages of a listing are not counted: the overlap of an increment reads records again on purpose.
    """
    found: Counter[tuple[str, str]] = Counter()
    for line in log:
        stream, path = str(line.get("stream") or ""), str(line.get("path") or "")
        last = path.rsplit("/", 1)[-1]
        if line.get("method") == "GET" and last.isdigit():
            found[stream, last] += 1
        elif ".View." in path:
            found[stream, str((line.get("notes") or {}).get("key", ""))] += 1
    return found

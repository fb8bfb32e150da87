"""What Zoho CRM's answers hold: rows, codes, the place that an error names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors.errors import Garbled
from connectors.transport import Answer, parse_json

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of one reading call."""

    rows: Sequence[Row] = ()
    more: bool = False
    escapes: bool = False
    """True when the text held `\\u` escapes, among which an unstorable U+0000 may be."""
    token: str = ""
    """What leads on beyond page numbers."""


def named(details: Any) -> str:
    """The field that an error's details name, in words; never a value."""
    if not isinstance(details, dict):
        return ""
    for key in ("api_name", "column_name", "json_path", "param_name", "resource_path_index"):
        if details.get(key) not in (None, ""):
            return f" ({key} {str(details[key])[:80]})"
    return ""


def units_of(records: int) -> int:
    """A write costs one credit per ten records."""
    return max(1, -(-records // 10))


def path_part(part: str) -> str:
    """A part of a path, quoted."""
    return quote(part, safe="")


def code_of(answer: Answer) -> str:
    """The vendor's code in a failing answer, when it has one; a page of HTML has none."""
    try:
        body = parse_json("", answer.body, answer.charset)
    except Garbled:
        return ""
    return str(body.get("code", ""))[:60] if isinstance(body, dict) else ""


def listing_of(system: str, answer: Answer) -> Listing:
    """Rows of a reading call. Raises: Garbled."""
    body = object_of(system, answer)
    rows, info = body.get("data"), body.get("info")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Garbled(system, "the answer has no list of records")
    more = info.get("more_records") if isinstance(info, dict) else None
    token = info.get("next_page_token") if isinstance(info, dict) else None
    return Listing(rows, more is True, b"\\u" in answer.body, token if isinstance(token, str) else "")


def object_of(system: str, answer: Answer) -> Row:
    """An answer that is an object. Raises: Garbled."""
    body = parse_json(system, answer.body, answer.charset)
    if not isinstance(body, dict):
        raise Garbled(system, "the answer is not an object")
    return body


def bytes_of(_system: str, answer: Answer) -> bytes:
    """A file."""
    return answer.body


def first_of(system: str, body: Row) -> Row:
    """The one entry of an answer about a bulk job. Raises: Garbled."""
    data = body.get("data")
    if not isinstance(data, list) or not data or not isinstance(data[0], dict) or data[0].get("status") == "error":
        raise Garbled(system, "the answer about a bulk job is not understood")
    return data[0]

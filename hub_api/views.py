"""Turns rows into answers: only what the caller's role may see, in the forms that the API documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from starlette.responses import Response

from canonical.values import utc_text
from hub_api.permissions import View

Row = Mapping[str, Any]
CUSTOM = "custom."
"""Fields of this tenant stand in a record's document under this prefix."""


def record(view: View, row: Row, sets: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """A record as the role sees it, with the given child sets."""
    shown: dict[str, Any] = {name: row[name] for name in view.meta}
    if isinstance(shown.get("changed_at"), datetime):
        shown["changed_at"] = utc_text(shown["changed_at"])
    shown |= {name: value for name, value in row["doc"].items() if name in view.fields}
    custom = {name.removeprefix(CUSTOM): value for name, value in row["doc"].items() if name.startswith(CUSTOM)} if view.custom else {}
    if custom:
        shown["custom"] = custom
    for child, rows in sets.items():
        allowed = view.sets[child]
        shown[child] = [{"id": one["id"]} | {name: value for name, value in one["doc"].items() if name in allowed} for one in rows]
    return shown


def moment(value: datetime | None) -> str | None:
    """A time as answers give it: UTC."""
    return None if value is None else utc_text(value)


def changes(view: View, changed: Mapping[str, Any] | None) -> Any:
    """What of a change the role may see; None for a new record, empty when nothing that it may see changed.

    Our own people: `{field: [before, after]}`, with `lines/<id>/field` for a line's field and `lines/<id>` for a line that came or went.
    A dealer: the names of its fields, without values, for a former value may have been somebody else's.
    """
    if changed is None:
        return None
    seen = {path: _pair(view, path, pair) for path, pair in changed.items() if view.sees(_field(path))}
    return seen if view.internals else sorted({path.partition("/")[0] for path in seen})


def _field(path: str) -> str:
    parts = path.split("/")
    return f"{parts[0]}.{parts[2]}" if len(parts) == 3 else parts[0]


def _pair(view: View, path: str, pair: Any) -> Any:
    head, _, rest = path.partition("/")
    if not rest or "/" in rest or head not in view.sets:
        return pair
    return [row and {name: value for name, value in row.items() if name in view.sets[head]} for row in pair]


def personal_references(value: Any) -> list[str]:
    """Identifiers of the personal values that a change refers to."""
    if isinstance(value, dict):
        if value.keys() == {"personal"}:
            return [value["personal"]]
        return [found for inner in value.values() for found in personal_references(inner)]
    return [found for inner in value for found in personal_references(inner)] if isinstance(value, list) else []


def with_personal(value: Any, values: Mapping[str, Any]) -> Any:
    """A change with its personal values in place; null where one was erased."""
    if isinstance(value, dict):
        if value.keys() == {"personal"}:
            return values.get(value["personal"])
        return {name: with_personal(inner, values) for name, inner in value.items()}
    return [with_personal(inner, values) for inner in value] if isinstance(value, list) else value


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer; decimals become text."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def tagged(body: Any, version: int | None, if_none_match: str | None) -> Response:
    """A JSON answer with an ETag of its very bytes, or 304 when the caller has them already. `version` makes the tag fit for If-Match."""
    content = msgspec.json.encode(body)
    digest = hashlib.sha256(content).hexdigest()[:32]
    tag = f'"{digest}"' if version is None else f'"v{version}-{digest}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if if_none_match and (if_none_match.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in if_none_match.split(",")}):
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, "application/json")


def version_of(if_match: str) -> int | None:
    """The record version that an If-Match names; None for `*`. Anything else fits no version: -1."""
    tag = if_match.strip().removeprefix("W/").strip('"')
    if tag == "*":
        return None
    version = tag.partition("-")[0].removeprefix("v")
    return int(version) if version.isdigit() and tag.startswith("v") and len(version) < 10 else -1

"""Which handler answers which path and verb. Wrong paths get 404, wrong verbs 405, as the real one gives them."""

from __future__ import annotations

from sandbox.core.http import Request
from sandbox.crm_zoho import (
    blueprint,
    bulk_read,
    bulk_write,
    composite,
    convert,
    querying,
    reading,
    related,
    searching,
    settings,
    watch,
    writing,
)
from sandbox.crm_zoho.calls import Handler
from sandbox.crm_zoho.errors import wrong_method, wrong_url

_TOP: dict[str, dict[str, Handler]] = {
    "coql": {"POST": querying.run},
    "org": {"GET": settings.org},
    "users": {"GET": settings.users},
    "settings": {"GET": settings.settings, "DELETE": writing.purge},
    "upload": {"POST": bulk_write.upload},
}
_LIST: dict[str, Handler] = {"GET": reading.listing, "POST": writing.insert, "PUT": writing.update, "DELETE": writing.delete}
_ONE: dict[str, Handler] = {"GET": reading.one, "PUT": writing.update, "DELETE": writing.delete}
_WORDS: dict[str, dict[str, Handler]] = {
    "search": {"GET": searching.search},
    "deleted": {"GET": reading.deleted},
    "upsert": {"POST": writing.upsert},
}
_ACTIONS: dict[str, dict[str, Handler]] = {
    "blueprint": {"GET": blueprint.transitions, "PUT": blueprint.move},
    "convert": {"POST": convert.convert},
}
_RELATED: dict[str, Handler] = {"GET": related.listing, "PUT": related.update, "DELETE": related.delink}
_ONE_RELATED: dict[str, Handler] = {"GET": related.one, "PUT": related.update, "DELETE": related.delink}
_WATCH: dict[str, Handler] = dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), watch.watch)
_BULK: dict[str, dict[str, Handler]] = {
    "read": {"POST": bulk_read.start, "GET": bulk_read.poll},
    "write": {"POST": bulk_write.start, "GET": bulk_write.poll},
}


def handler_of(request: Request) -> tuple[Handler, tuple[str, ...]]:
    """The handler of a call, and its path after the version, split at slashes. Raises ApiError."""
    parts = tuple(request.path.strip("/").split("/"))
    if len(parts) > 3 and parts[:3] == ("crm", "bulk", "v8"):
        return _verb(_BULK.get(parts[3]), request), parts[3:]
    if len(parts) < 3 or parts[:2] != ("crm", "v8"):
        raise wrong_url()
    rest = parts[2:]
    return _verb(_table(rest), request), rest


def _table(rest: tuple[str, ...]) -> dict[str, Handler] | None:
    if rest[0] in _TOP:
        return _TOP[rest[0]]
    match rest:
        case ("actions", "watch"):
            return _WATCH
        case (_,):
            return _LIST
        case (_, word):
            return _WORDS.get(word, _ONE)
        case (_, "actions", "count"):
            return {"GET": reading.count}
        case (_, _, "actions", word):
            return _ACTIONS.get(word)
        case (_, _, _) | (_, _, _, _):
            return _RELATED if len(rest) == 3 else _ONE_RELATED
    return None


def _verb(table: dict[str, Handler] | None, request: Request) -> Handler:
    if table is None:
        raise wrong_url()
    handler = table.get(request.method)
    if handler is None:
        raise wrong_method()
    return handler


_TOP["__composite_requests"] = {"POST": composite.composite_over(handler_of)}

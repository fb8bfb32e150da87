"""Lists, single records, search, counts and the list of deleted records.

Source: reference notes on Zoho CRM v8, "Reading". A list wants `fields`, gives at most 200 records a call and 2,000 by page number;
beyond that a token leads on, bound to the same parameters for 24 hours.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from sandbox.core.http import Response
from sandbox.crm_zoho.calls import Call, answer, integer, no_content
from sandbox.crm_zoho.clock import parse_moment, text_of
from sandbox.crm_zoho.errors import ApiError, bad_param, param_missing
from sandbox.crm_zoho.metadata import Doc, Module
from sandbox.crm_zoho.store import Row, Table

MAX_FIELDS, MAX_PER_PAGE, MAX_BY_PAGE, MAX_BY_TOKEN = 50, 200, 2_000, 100_000
TOKEN_LIFE_S = 24 * 3600
SORTS = ("id", "Created_Time", "Modified_Time")

_STEADY: Doc = {
    "$currency_symbol": "¥",
    "$approved": True,
    "$approval": {"delegate": False, "approve": False, "reject": False, "resubmit": False},
    "$approval_state": "approved",
    "$editable": True,
    "$in_merge": False,
    "$process_flow": False,
    "$state": "save",
    "$wizard_connection_path": None,
    "$zia_owner_assignment": "owner_recommendation_unavailable",
}
_FLIPPING: tuple[Doc, Doc] = (
    {"$field_states": None, "$locked_for_me": False, "$review_process": None, "$zia_visions": None},
    {"$field_states": ["viewed"], "$locked_for_me": False, "$review_process": {"approve": False}, "$zia_visions": ["recently_seen"]},
)


def dollars(call: Call) -> Doc:
    """The `$` keys of a record: some differ from one call to the next although nothing was modified."""
    call.box.reads += 1
    return {**_STEADY, **_FLIPPING[call.box.reads % 2]}


def listing(call: Call) -> Response:
    """`GET /{module}`, also with `ids=`."""
    module = call.module()
    names = field_names(call, module)
    per_page = integer(call, "per_page", MAX_PER_PAGE, 1, MAX_PER_PAGE)
    if "ids" in call.query:
        return _by_ids(call, module, names)
    if call.query.get("cvid") and call.query.get("sort_by"):
        raise ApiError(400, "AMBIGUITY_DURING_PROCESSING", "cvid and sort_by cannot be given together", param_name="sort_by")
    place = place_of(call, module.name, per_page)
    table = call.box.store.tables[module.name]
    rows = _rows(table, place)
    wanted = list(islice(_kept(call, table, rows), place.skip, place.skip + per_page + 1))
    if not wanted:
        return Response(304) if place.since else no_content()
    more = len(wanted) > per_page
    docs = wanted[:per_page]
    return answer({"data": shown(call, docs, names), "info": place.info(call, docs, per_page, more=more)})


def one(call: Call) -> Response:
    """`GET /{module}/{id}`: every field; 204 when there is no such record. `X-EXTERNAL` lets the path carry an external id."""
    module = call.module()
    doc = find(call, module, call.parts[1])
    if doc is None:
        return no_content()
    if (since := since_header(call)) and doc["Modified_Time"] <= since:
        return Response(304)
    names = field_names(call, module) if call.query.get("fields") else tuple(module.fields)
    return answer({"data": [{**{name: doc.get(name) for name in names}, "id": doc["id"], **dollars(call), **_converted(module, doc)}]})


def find(call: Call, module: Module, key: str) -> Doc | None:
    """The record that a path names, by id or by an external field."""
    table = call.box.store.tables[module.name]
    external = call.header("x-external")
    if external is None:
        return table.docs.get(key)
    name = external.split(",")[0].rpartition(".")[2]
    spec = module.fields.get(name)
    if spec is None or not spec.external:
        raise ApiError(400, "INVALID_DATA", "the field is not an external field", api_name=name[:60])
    found = table.find(name, key)
    return table.docs[found[0]] if found else None


def count(call: Call) -> Response:
    """`GET /{module}/actions/count`."""
    module = call.module()
    return answer({"count": len(call.box.store.tables[module.name].docs)})


def deleted(call: Call) -> Response:
    """`GET /{module}/deleted`: newest first."""
    module = call.module()
    kind = call.query.get("type", "all")
    if kind not in ("all", "recycle", "permanent"):
        raise bad_param("type")
    page, per_page = integer(call, "page", 1, 1, 1_000_000), integer(call, "per_page", MAX_PER_PAGE, 1, MAX_PER_PAGE)
    since = since_header(call)
    entries = [
        entry
        for entry in call.box.store.tables[module.name].bin.values()
        if kind in ("all", entry["type"]) and (not since or entry["deleted_time"] > since)
    ]
    entries.sort(key=lambda entry: (entry["deleted_time"], entry["id"]), reverse=True)
    rows = entries[(page - 1) * per_page : page * per_page]
    if not rows:
        return Response(304) if since and not entries else no_content()
    info = {"per_page": per_page, "count": len(rows), "page": page, "more_records": len(entries) > page * per_page}
    return answer({"data": rows, "info": info})


def field_names(call: Call, module: Module) -> tuple[str, ...]:
    """The fields asked for; those that the module does not have are passed over. Raises ApiError."""
    known = module.fields
    single = len(call.parts) > 1 and call.parts[1] != "search"
    whole = single or call.box.switches.list_subforms
    return tuple(name for name in asked_for(call) if name in known and (whole or known[name].type != "subform"))


def asked_for(call: Call) -> tuple[str, ...]:
    """The names under `fields`, known or not. Raises ApiError."""
    asked = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    if not asked:
        raise param_missing("fields")
    if len(asked) > MAX_FIELDS:
        raise ApiError(400, "LIMIT_EXCEEDED", "maximum number of fields exceeded", param_name="fields", limit=MAX_FIELDS)
    return tuple(dict.fromkeys(asked))


def shown(call: Call, docs: Sequence[Doc], names: Sequence[str]) -> list[Doc]:
    """Records with the fields asked for, their id and their `$` keys."""
    extra = dollars(call)
    return [{**{name: doc.get(name) for name in names}, "id": doc["id"], **extra} for doc in docs]


def since_header(call: Call) -> str:
    """`If-Modified-Since` in the records' own words; empty when absent. Raises ApiError."""
    header = call.header("if-modified-since")
    if header is None:
        return ""
    moment = parse_moment(header)
    if moment is None:
        raise ApiError(400, "INVALID_DATA", "invalid header value", header="If-Modified-Since", expected_data_type="datetime")
    return text_of(moment)


@dataclass(slots=True)
class Place:
    """Where in which list a call reads."""

    sort_by: str
    down: bool
    since: str
    page: int
    skip: int
    after: tuple[str, str] | None
    binding: str
    """Digest of the parameters that a page token is bound to."""

    def info(self, call: Call, docs: Sequence[Doc], per_page: int, *, more: bool) -> Doc:
        """The `info` of a list."""
        token = expiry = None
        if more:
            until = call.box.clock.time() + TOKEN_LIFE_S
            last = docs[-1]
            token = _encode({"b": self.binding, "a": [last.get(self.sort_by) or "", last["id"]], "u": until, "p": self.page + 1})
            expiry = text_of(datetime.fromtimestamp(until, UTC))
        return {
            "per_page": per_page,
            "count": len(docs),
            "page": self.page,
            "sort_by": self.sort_by,
            "sort_order": "desc" if self.down else "asc",
            "more_records": more,
            "next_page_token": token,
            "previous_page_token": None,
            "page_token_expiry": expiry,
        }


def place_of(call: Call, what: str, per_page: int) -> Place:
    """Where a call starts to read `what`: a module, or a related list by its path. Raises ApiError."""
    query = call.query
    sort_by, order = query.get("sort_by") or "id", (query.get("sort_order") or "desc").lower()
    if sort_by not in SORTS:
        raise bad_param("sort_by", allowed_values=list(SORTS))
    if order not in ("asc", "desc"):
        raise bad_param("sort_order", allowed_values=["asc", "desc"])
    since = since_header(call)
    bound = [what, sort_by, order, since, str(per_page), query.get("fields", ""), query.get("converted", ""), query.get("cvid", "")]
    binding = hashlib.sha256("\n".join(bound).encode()).hexdigest()[:24]
    token = query.get("page_token")
    if token:
        if "page" in query:
            raise ApiError(400, "AMBIGUITY_DURING_PROCESSING", "page and page_token cannot be given together", param_name="page_token")
        return _from_token(call, token, Place(sort_by, order == "desc", since, 1, 0, None, binding), per_page)
    page = integer(call, "page", 1, 1, 1_000_000)
    if page * per_page > MAX_BY_PAGE:
        raise ApiError(
            400,
            "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
            "The maximum number of records you can fetch without a page_token is 2000",
            page_token_mandatory_after=MAX_BY_PAGE,
        )
    return Place(sort_by, order == "desc", since, page, (page - 1) * per_page, None, binding)


def _from_token(call: Call, token: str, place: Place, per_page: int) -> Place:
    try:
        kept = msgspec.json.decode(urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)))
        binding, after, until, page = str(kept["b"]), kept["a"], float(kept["u"]), int(kept["p"])
        place.after = (str(after[0]), str(after[1]))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise bad_param("page_token") from error
    if binding != place.binding:
        raise ApiError(400, "TOKEN_BOUND_DATA_MISMATCH", "The page_token belongs to a call with other parameters", param_name="page_token")
    if until <= call.box.clock.time():
        raise ApiError(400, "EXPIRED_VALUE", "The page_token is expired", param_name="page_token")
    if page * per_page > MAX_BY_TOKEN:
        raise ApiError(400, "PAGINATION_LIMIT_EXCEEDED", "The pagination limit is exceeded", limit=MAX_BY_TOKEN)
    place.page = page
    return place


def _encode(value: Any) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


def _rows(table: Table, place: Place) -> Iterable[str]:
    """Ids of a list in its order, from its place on."""
    if place.sort_by == "id":
        return _slice_ids(table, place)
    rows: Sequence[Row] = table.modified if place.sort_by == "Modified_Time" else table.created
    if place.after is not None:
        rows = rows[: bisect_left(rows, place.after)] if place.down else rows[bisect_right(rows, place.after) :]
    if place.since and place.sort_by == "Modified_Time":
        rows = rows[bisect_right(rows, (place.since, "\uffff")) :]
    return _newer(table, place, (key for _, key in (reversed(rows) if place.down else rows)))


def _slice_ids(table: Table, place: Place) -> Iterable[str]:
    # Few were modified of late: ordering these is cheaper than walking through all.
    ids = sorted(key for _, key in table.since(place.since)) if place.since else table.ids
    if place.after is not None:
        key = place.after[1]
        ids = ids[: bisect_left(ids, key)] if place.down else ids[bisect_right(ids, key) :]
    return reversed(ids) if place.down else ids


def _newer(table: Table, place: Place, keys: Iterable[str]) -> Iterable[str]:
    if not place.since or place.sort_by == "Modified_Time":
        return keys
    return [key for key in keys if table.docs[key]["Modified_Time"] > place.since]


def _kept(call: Call, table: Table, keys: Iterable[str]) -> Iterable[Doc]:
    """The records, without leads that were converted unless they are asked for."""
    docs = (table.docs[key] for key in keys)
    if table.module.name != "Leads":
        return docs
    wanted = call.query.get("converted", "false").lower()
    return (doc for doc in docs if wanted == "both" or bool(doc.get("$converted")) == (wanted == "true"))


def _converted(module: Module, doc: Doc) -> Doc:
    return {"$converted": bool(doc.get("$converted"))} if module.name == "Leads" else {}


def _by_ids(call: Call, module: Module, names: Sequence[str]) -> Response:
    keys = [key for key in call.query["ids"].split(",") if key]
    if len(keys) > 100:
        raise ApiError(400, "LIMIT_EXCEEDED", "maximum number of ids exceeded", param_name="ids", limit=100)
    call.request.notes["asked"] = keys
    table = call.box.store.tables[module.name].docs
    docs = [table[key] for key in dict.fromkeys(keys) if key in table]
    if not docs:
        return no_content()
    info = {"per_page": MAX_PER_PAGE, "count": len(docs), "page": 1, "more_records": False}
    return answer({"data": shown(call, docs, names), "info": info})

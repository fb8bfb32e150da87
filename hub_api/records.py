"""Records: lists with filters and cursors, one record with its systems and the reason of each value, its history, edits through the hub.

The routes are the same for every entity and typed for each, from the canonical model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import engine_calls, queries, views
from hub_api.actions import Action, doing
from hub_api.deps import Cursor, Db, Engine, EngineDep, may
from hub_api.keys import Caller
from hub_api.paging import MAX_CURSOR, MAX_PAGE, query_id
from hub_api.permissions import Scope, View, view
from hub_api.problems import (
    BadCursor,
    BadParameters,
    FieldNotAllowed,
    Forbidden,
    InvalidPayload,
    NotAllowedHere,
    RecordNotFound,
    Stale,
    Unreadable,
    WrongState,
    problems,
)
from hub_api.problems import KeyReused as _KeyReused
from hub_api.problems import RequestRepeated as _RequestRepeated
from hub_api.shapes import ENTITIES, REASON_EXAMPLE, STATE_EXAMPLE, Shape, plural, shape

router = APIRouter()

RecordId = Annotated[UUID, Path(description="The hub's identifier of the record.")]
Reader = Annotated[Caller, may(Scope.RECORDS_READ)]
_Tags = Annotated[str, Field(max_length=500)]
_Cursor = Annotated[str, Field(max_length=MAX_CURSOR)]
IfNoneMatch = Annotated[_Tags | SkipJsonSchema[None], Header(alias="If-None-Match", description="ETag of the answer you have.")]
IfMatch = Annotated[
    _Tags | SkipJsonSchema[None],
    Header(alias="If-Match", description="ETag of the record you edit; refused with 412 when it has changed since."),
]
_REPEATS = (_KeyReused, _RequestRepeated)


def sight(who: Caller, name: str) -> View:
    """What the caller sees of an entity. Raises: RecordNotFound when that is nothing."""
    found = view(who.role, name)
    if found is None:
        raise RecordNotFound
    return found


def _conditions(seen: View, given: dict[str, Any]) -> list[queries.Condition]:
    conditions = []
    for name, value in sorted(given.items()):
        path, _, suffix = name.rpartition("_")
        field, operator = (path, suffix) if suffix in ("ge", "le", "gt", "lt", "contains") and path else (name, "")
        if field not in seen.filterable:
            raise FieldNotAllowed
        conditions.append(queries.Condition(field, operator, value))
    return conditions


def _position(engine: Engine, cursor: str | None, query: bytes) -> tuple[Any, UUID] | None:
    if cursor is None:
        return None
    position = engine.sealer.open(cursor, query)
    try:
        return position[0], UUID(position[1])
    except (IndexError, ValueError, TypeError, AttributeError) as wrong:
        raise BadCursor from wrong


def _listed(engine: Engine, db: Cursor, who: Caller, name: str, asked: BaseModel) -> Response:
    seen = sight(who, name)
    given = asked.model_dump(exclude_none=True)
    sort, limit, include = given.pop("sort"), given.pop("limit"), sorted(set(given.pop("include", [])))
    cursor = given.pop("after", None)
    if sort.removeprefix("-") not in seen.filterable or not seen.sets.keys() >= set(include):
        raise FieldNotAllowed
    conditions = _conditions(seen, given)
    query = query_id("records", name, who.key_id, sort, [(one.field, one.operator, str(one.value)) for one in conditions])
    tree = queries.party_tree(db, who.party)
    rows = queries.page(db, seen, tree, conditions, sort=sort, after=_position(engine, cursor, query), limit=limit)
    shown = rows[:limit]
    sets = {child: queries.rows_of(db, seen, child, [row["id"] for row in shown]) for child in include}
    items = [views.record(seen, row, {child: found[row["id"]] for child, found in sets.items()}) for row in shown]
    last = shown[-1] if len(rows) > limit else None
    return views.answer({"items": items, "next": engine.sealer.seal([last["sort_value"], str(last["id"])], query) if last else None})


def whole(engine: Engine, db: Cursor, who: Caller, name: str, record: UUID) -> tuple[dict[str, Any], int | None]:
    """A record with everything the caller may see, and its version where the caller may know it."""
    seen = sight(who, name)
    row = queries.one(db, seen, queries.party_tree(db, who.party), record)
    if row is None:
        raise RecordNotFound
    shown = views.record(seen, row, {child: queries.rows_of(db, seen, child, [record])[record] for child in seen.sets})
    if not seen.internals:
        return shown, None
    shown["systems"] = [one | {"since": views.moment(one["since"])} for one in queries.systems_of(db, record)]
    shown["lineage"] = [
        one | {"since": views.moment(one["since"])} for one in engine_calls.lineage(engine.hub, name, record) if seen.sees(one["field"])
    ]
    return shown, row["version"]


def _list_route(this: Shape) -> Callable[..., Response]:
    def listing(asked: BaseModel, who: Reader, engine: EngineDep, db: Db) -> Response:
        return _listed(engine, db, who, this.name, asked)

    listing.__annotations__["asked"] = Annotated[this.filters, Query()]
    listing.__doc__ = f"{this.spec.title}: those that the key may see, filtered and in order, by pages."
    return listing


def _get_route(this: Shape) -> Callable[..., Response]:
    def get(record_id: RecordId, who: Reader, engine: EngineDep, db: Db, if_none_match: IfNoneMatch = None) -> Response:
        body, version = whole(engine, db, who, this.name, record_id)
        return views.tagged(body, version, if_none_match)

    get.__doc__ = (
        f"{this.spec.title}: one record with its child sets; for our own people also the state of each system and why each value won."
    )
    return get


def _history_route(this: Shape) -> Callable[..., Response]:
    def history(
        record_id: RecordId,
        who: Reader,
        engine: EngineDep,
        db: Db,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most versions on the page.")] = 50,
        after: Annotated[_Cursor | SkipJsonSchema[None], Query(description="`next` of the page before.")] = None,
    ) -> Response:
        seen = sight(who, this.name)
        if queries.one(db, seen, queries.party_tree(db, who.party), record_id) is None:
            raise RecordNotFound
        query = query_id("history", this.name, str(record_id), who.key_id)
        before = None if after is None else int(engine.sealer.open(after, query)[0])
        rows = queries.history(db, seen, record_id, before=before, limit=limit)
        items = versions(db, seen, rows[:limit])
        cursor = engine.sealer.seal([rows[limit - 1]["seq"]], query) if len(rows) > limit else None
        return views.answer({"items": items, "next": cursor})

    history.__doc__ = f"{this.spec.title}: every version of one record, newest first, with what changed."
    return history


def versions(db: Cursor, seen: View, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of history as the role sees them; those of which it may see nothing are left out."""
    shown = [(row, views.changes(seen, row["changed"])) for row in rows]
    personal = queries.personal_values(db, [found for _, changed in shown for found in views.personal_references(changed)])
    return [_version(seen, row, views.with_personal(changed, personal)) for row, changed in shown if changed is None or changed]


def _version(seen: View, row: dict[str, Any], changed: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"at": views.moment(row["at"]), "created": row["changed"] is None, "changed": changed}
    return shown | {"version": row["version"], "cause": row["cause"]} if seen.internals else shown


def _edit_route(this: Shape) -> Callable[..., Response]:
    def edit(
        record_id: RecordId,
        change: BaseModel,
        act: Annotated[Action, doing("record.edit", Scope.RECORDS_WRITE)],
        engine: EngineDep,
        if_match: IfMatch = None,
    ) -> Response:
        seen = sight(act.caller, this.name)
        changes = change.model_dump(mode="json", exclude_unset=True)
        if not changes:
            raise InvalidPayload("The edit names no field.")
        with engine.reading() as db:
            row = queries.one(db, seen, queries.party_tree(db, act.caller.party), record_id)
        if row is None:
            raise RecordNotFound
        if beyond := sorted(set(changes) - seen.writable):
            raise Forbidden(f"A key of role {act.caller.role} may not write {', '.join(beyond)} of {this.name}.")
        expected = views.version_of(if_match) if if_match else None
        if expected is not None and expected != row["version"]:
            raise Stale
        act.on(f"{this.name}:{record_id}", fields=sorted(changes))
        engine_calls.edit(engine.hub, this.name, record_id, changes, by=act.by, expected=expected)
        with engine.reading() as db:
            body, _ = whole(engine, db, act.caller, this.name, record_id)
        return act.done(body)

    edit.__annotations__["change"] = this.edit
    edit.__doc__ = (
        f"{this.spec.title}: edit fields through the hub, as the hub's own record. Whether the edit wins is decided by "
        "the owners in hub.yaml; "
        "fields left out stay as they are, null empties a field."
    )
    return edit


def _ok(model: type[BaseModel], example: Any, text: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": model, "description": text, "content": {"application/json": {"example": example}}}}


_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "You have this answer already."}}


class Version(BaseModel):
    """One version of a record."""

    at: str
    created: bool
    changed: Any
    version: int | None = None
    cause: str | None = None


class Versions(BaseModel):
    """A page of versions."""

    items: list[Version]
    next: str | None


_VERSION_EXAMPLE = {
    "items": [
        {
            "at": "2026-01-05T02:11:12Z",
            "created": False,
            "changed": {"status": ["open", "closed"]},
            "version": 3,
            "cause": "kingdee.sales_orders",
        }
    ],
    "next": None,
}


def _add(name: str) -> None:
    this = shape(name)
    address, noun = f"/v1/{plural(name)}", this.spec.model.__name__
    whole = this.example | {"systems": [STATE_EXAMPLE], "lineage": [REASON_EXAMPLE]}
    sets: dict[str, Any] = dict.fromkeys(this.spec.sets)
    short = {key: value for key, value in this.example.items() if key not in sets}
    common: dict[str, Any] = {"tags": [plural(name)], "response_class": Response}
    router.add_api_route(
        address, _list_route(this), methods=["GET"], operation_id=f"list_{plural(name)}", summary=f"List {plural(name)}", **common,
        responses=_ok(this.page, {"items": [short], "next": None}, "A page.")
        | problems(BadParameters, FieldNotAllowed, BadCursor, RecordNotFound),
    )  # fmt: skip
    router.add_api_route(
        f"{address}/{{record_id}}", _get_route(this), methods=["GET"], operation_id=f"get_{name}", summary=f"Get one {noun}", **common,
        responses=_ok(this.record, whole, "The record.") | _NOT_MODIFIED | problems(BadParameters, RecordNotFound),
    )  # fmt: skip
    router.add_api_route(
        f"{address}/{{record_id}}/history", _history_route(this), methods=["GET"], operation_id=f"history_of_{name}",
        summary=f"History of one {noun}", **common,
        responses=_ok(Versions, _VERSION_EXAMPLE, "A page of versions.") | problems(BadParameters, BadCursor, RecordNotFound),
    )  # fmt: skip
    router.add_api_route(
        f"{address}/{{record_id}}", _edit_route(this), methods=["PATCH"], operation_id=f"edit_{name}", summary=f"Edit one {noun}", **common,
        responses=_ok(this.record, whole, "The record after the edit.")
        | problems(BadParameters, Unreadable, RecordNotFound, Stale, InvalidPayload, NotAllowedHere, WrongState, *_REPEATS),
    )  # fmt: skip


for _name in ENTITIES:
    _add(_name)

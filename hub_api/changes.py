"""The change feed: what changed since, for every surrounding system without a connector of its own.

A consumer keeps `next` and asks again with it. Nothing is skipped: a row is given only when no running transaction can still write
one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import lists, queries, records
from hub_api.deps import Cursor, Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import answer, ok
from hub_api.paging import MAX_CURSOR, query_id
from hub_api.permissions import Scope, View, view
from hub_api.problems import BadCursor, BadParameters, problems
from hub_api.shapes import ENTITIES, EntityName

router = APIRouter(prefix="/v1/changes", tags=["changes"])

Position = tuple[datetime, int]

_FIRST_SLICE = timedelta(seconds=1)
_ROUNDS = 20


class Change(BaseModel):
    """One version of one record."""

    at: datetime = Field(description="When the change was made, UTC.")
    entity: str
    id: UUID = Field(description="The record; read it at /v1/<entities>/<id>.")
    created: bool
    changed: Any = Field(
        description="For our own people field: [before, after]; for a dealer the names of its fields; null for a new record."
    )
    version: int | None = None
    cause: str | None = None


class Feed(BaseModel):
    """Some changes."""

    items: list[Change]
    next: str = Field(description="Where to go on; ask again with it, also when there was nothing.")
    more: bool = Field(description="True when there is more to read at once.")


class FeedFilters(BaseModel):
    """Where to start, and which kinds of record."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[str, Field(max_length=MAX_CURSOR)] | SkipJsonSchema[None] = Field(
        default=None, description="`next` of the answer before; absent: from the beginning."
    )
    entity: EntityName | SkipJsonSchema[None] = Field(default=None, description="Only this kind of record.")
    limit: int = Field(default=100, ge=1, le=500, description="Most changes in the answer.")


EXAMPLE = {
    "items": [
        {
            "at": "2026-01-05T02:11:12Z",
            "entity": "order",
            "id": "01931f5e-7c00-7000-8000-000000000000",
            "created": False,
            "changed": {"payment_state": ["none", "partial"]},
            "version": 4,
            "cause": "derived from documents",
        }
    ],
    "next": "bm90LWEtcmVhbC1jdXJzb3I",
    "more": False,
}


@router.get(
    "", operation_id="changes", responses=ok(Feed, EXAMPLE, "Some changes.") | problems(BadParameters, BadCursor), response_class=Response
)
def changes(asked: Annotated[FeedFilters, Query()], who: Annotated[Caller, may(Scope.CHANGES_READ)], engine: EngineDep, db: Db) -> Response:
    """What changed since a position, oldest first."""
    query = query_id("changes", who.key_id, asked.entity)
    views = {name: seen for name in ENTITIES if asked.entity in {None, name} and (seen := view(who.role, name)) is not None}
    horizon = lists.feed_horizon(db)
    at = _opened(engine.sealer.open(asked.after, query)) if asked.after else _start(db, horizon)
    items: list[dict[str, Any]] = []
    tree = queries.party_tree(db, who.party)
    for _ in range(_ROUNDS):
        if at[0] >= horizon or len(items) >= asked.limit:
            break
        rows, at = _slice(db, at, horizon, tuple(views), asked.limit - len(items))
        items += _shown(db, views, tree, rows)
    return answer(
        {"items": items, "next": engine.sealer.seal([at[0].isoformat(), at[1]], query), "more": at[0] < horizon and len(items) > 0}
    )


def _start(db: Cursor, horizon: datetime) -> Position:
    return (lists.feed_start(db) or horizon) - timedelta(microseconds=1), 0


def _opened(position: list[Any]) -> Position:
    try:
        return datetime.fromisoformat(position[0]), int(position[1])
    except (IndexError, ValueError, TypeError) as wrong:
        raise BadCursor from wrong


def _slice(db: Cursor, at: Position, horizon: datetime, entities: Sequence[str], limit: int) -> tuple[list[lists.Row], Position]:
    """The next rows, from the shortest stretch of time that has some, and the position past them."""
    width = _FIRST_SLICE
    while True:
        until = min(at[0] + width, horizon)
        rows = lists.feed(db, after=at, until=until, entities=entities, limit=limit)
        if len(rows) == limit:
            return rows, (rows[-1]["at"], rows[-1]["seq"])
        if rows or until == horizon:
            # Rows of `until` itself are still to come: stand just before its first one.
            return rows, (until, 0)
        width *= 8


def _shown(db: Cursor, views: dict[str, View], tree: queries.Tree, rows: Sequence[lists.Row]) -> list[dict[str, Any]]:
    visible: set[UUID] = set()
    for name, seen in views.items():
        if wanted := [row["entity_id"] for row in rows if row["entity"] == name]:
            visible |= queries.visible_ids(db, seen, tree, wanted) if seen.rows else set(wanted)
    shown: list[dict[str, Any]] = []
    for row in rows:
        if row["entity_id"] in visible:
            place = {"entity": row["entity"], "id": row["entity_id"]}
            shown.extend(place | one for one in records.versions(db, views[row["entity"]], [row]))
    return shown

"""What the lists of the engine's work have in common: parameters, cursors, answers, and how a route documents them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import lists, views
from hub_api.deps import Cursor, Engine
from hub_api.keys import Caller
from hub_api.paging import MAX_CURSOR, MAX_PAGE, query_id
from hub_api.permissions import Role
from hub_api.problems import (
    BadCursor,
    BadParameters,
    InvalidPayload,
    KeyReused,
    NotAllowedHere,
    NotFound,
    Problem,
    RequestRepeated,
    Unreadable,
    WrongState,
    problems,
)
from hub_api.queries import party_tree

Word = Annotated[str, Field(max_length=100)]
Maybe = Word | SkipJsonSchema[None]
MaybeId = UUID | SkipJsonSchema[None]
Number = Annotated[int, Path(ge=1, lt=2**63, description="Its number.")]


class Paged(BaseModel):
    """Parameters of every list; an unknown one is a mistake."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=MAX_PAGE, description="Most rows on the page.")
    after: Annotated[str, Field(max_length=MAX_CURSOR)] | SkipJsonSchema[None] = Field(
        default=None, description="`next` of the page before."
    )


def paged(
    engine: Engine,
    db: Cursor,
    who: Caller,
    listing: lists.Listing,
    asked: Paged,
    *,
    more: Mapping[str, Any] | None = None,
    and_also: str = "",
) -> dict[str, Any]:
    """A page: `items` and `next`. `more` are filters that the caller did not choose; they are bound to the cursor all the same."""
    given = asked.model_dump(exclude={"limit", "after"}, exclude_none=True) | dict(more or {})
    query = query_id(listing.select, who.key_id, sorted((name, str(value)) for name, value in given.items()), and_also)
    after = None if asked.after is None else engine.sealer.open(asked.after, query)
    if after is not None and len(after) != len(listing.key):
        raise BadCursor
    rows = lists.page(db, listing, given, after=after, limit=asked.limit, and_also=and_also)
    shown = rows[: asked.limit]
    cursor = engine.sealer.seal(lists.position(listing, shown[-1]), query) if len(rows) > asked.limit else None
    return {"items": [{name: value for name, value in row.items() if name != "stream_id"} for row in shown], "next": cursor}


def own_rows(db: Cursor, who: Caller) -> dict[str, Any]:
    """The filter `of` that a dealer's key always has: its own party and those below it. Our own people have none."""
    return {"of": list(party_tree(db, who.party).ids)} if who.role is Role.DEALER else {}


def found(db: Cursor, listing: lists.Listing, **key: Any) -> dict[str, Any]:
    """One row. Raises: NotFound."""
    row = lists.one(db, listing, **key)
    if row is None:
        raise NotFound
    return {name: value for name, value in row.items() if name != "stream_id"}


def ok(model: type[BaseModel], example: Any, text: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """How a route documents its good answer."""
    return {status: {"model": model, "description": text, "content": {"application/json": {"example": example}}}}


Responses = dict[int | str, dict[str, Any]]
_ACTED = (BadParameters, Unreadable, InvalidPayload, NotFound, WrongState, NotAllowedHere, RequestRepeated, KeyReused)


def listed(model: type[BaseModel], row: Mapping[str, Any], *more: type[Problem]) -> Responses:
    """How a list documents its answers, by one row; `more`: problems that not every list has."""
    return ok(model, page_example(row), "A page.") | problems(BadParameters, BadCursor, *more)


def acted(model: type[BaseModel], example: Any, text: str, *more: type[Problem], status: int = 200) -> Responses:
    """How an action documents its answers; `more`: problems that not every action has."""
    return ok(model, example, text, status) | problems(*_ACTED, *more)


def page_example(item: Mapping[str, Any]) -> dict[str, Any]:
    """A page with one row."""
    return {"items": [dict(item)], "next": None}


def answer(body: Any) -> Response:
    """A JSON answer."""
    return views.answer(body)

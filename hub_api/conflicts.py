"""Conflicts: a system's user changed a field that another system owns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import engine_calls, lists
from hub_api.actions import Action, doing
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, MaybeId, Number, Paged, acted, answer, found, listed, ok, paged
from hub_api.permissions import ROLES, Scope
from hub_api.problems import (
    NotFound,
    RecordNotFound,
    problems,
)

router = APIRouter(prefix="/v1/conflicts", tags=["conflicts"])

State = Literal["open", "repaired", "left", "accepted"]


class Conflict(BaseModel):
    """Two values for one field."""

    id: int
    entity: str
    entity_id: UUID
    field: str
    system: str
    stream: str
    key: str
    ours: Any = Field(description="The owner's value, as this system would hold it.")
    theirs: Any = Field(description="What the other system's user wrote.")
    rule: str
    state: State
    at: datetime
    closed_at: datetime | None


class Conflicts(BaseModel):
    """A page of conflicts."""

    items: list[Conflict]
    next: str | None


class ConflictFilters(Paged):
    """Filters of the list."""

    state: State | SkipJsonSchema[None] = None
    entity: Maybe = None
    entity_id: MaybeId = None
    system: Maybe = None
    field: Maybe = None


class Settlement(BaseModel):
    """How to settle it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"how": "repair"}})

    how: Literal["leave", "repair"] = Field(description="leave: accept the difference; repair: write the owner's value back.")


CONFLICT = {
    "id": 7,
    "entity": "party",
    "entity_id": "01931f5e-7c00-7000-8000-000000000000",
    "field": "phone",
    "system": "zoho",
    "stream": "accounts",
    "key": "57257670000001",
    "ours": "0512-66668888",
    "theirs": "0512-66669999",
    "rule": "owner",
    "state": "open",
    "at": "2026-01-05T02:11:12Z",
    "closed_at": None,
}
Reader = Annotated[Caller, may(Scope.CONFLICTS_READ)]


def _hidden(who: Caller) -> list[str]:
    return sorted(ROLES[who.role].hidden)


@router.get(
    "",
    operation_id="list_conflicts",
    responses=listed(Conflicts, CONFLICT),
    response_class=Response,
)
def list_conflicts(asked: Annotated[ConflictFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Conflicts, newest first."""
    return answer(paged(engine, db, who, lists.CONFLICTS, asked, more={"hidden": _hidden(who)}))


@router.get(
    "/{conflict_id:int}",
    operation_id="get_conflict",
    responses=ok(Conflict, CONFLICT, "The conflict.") | problems(RecordNotFound, NotFound),
    response_class=Response,
)
def get_conflict(conflict_id: Number, who: Reader, db: Db) -> Response:
    """One conflict with both values."""
    return answer(found(db, lists.CONFLICTS, id=conflict_id, hidden=_hidden(who)))


@router.post(
    "/{conflict_id:int}/settle",
    operation_id="settle_conflict",
    responses=acted(
        Conflict,
        CONFLICT | {"state": "repaired", "closed_at": "2026-01-05T03:00:00Z"},
        "The conflict, settled.",
        RecordNotFound,
    ),
    response_class=Response,
)
def settle(
    conflict_id: Number, settlement: Settlement, act: Annotated[Action, doing("conflict.settle", Scope.CONFLICTS_SETTLE)], engine: EngineDep
) -> Response:
    """Leave the difference, or repair it in the system where it was made."""
    with engine.reading() as db:
        found(db, lists.CONFLICTS, id=conflict_id, hidden=_hidden(act.caller))
    act.on(f"conflict:{conflict_id}", how=settlement.how)
    engine_calls.settle(engine.hub, conflict_id, settlement.how, by=act.by)
    return act.done_with(lists.CONFLICTS, id=conflict_id)

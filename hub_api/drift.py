"""Drift: every pair of record and system that is neither in sync nor left, with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import lists
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, MaybeId, Paged, answer, ok, page_example, paged
from hub_api.permissions import Scope
from hub_api.problems import BadCursor, BadParameters, problems

router = APIRouter(prefix="/v1/drift", tags=["drift"])

State = Literal["in_sync", "due", "in_flight", "held", "blocked", "left"]


class Pair(BaseModel):
    """One record in one system."""

    system: str
    stream: str
    entity: str
    entity_id: UUID
    org: str
    key: str | None
    number: str | None
    state: State
    reason: str
    detail: str
    differs: Any = Field(description="By the system's own field: what it holds, what it should hold.")
    waits_for: UUID | None = Field(description="The missing parent, when held for one.")
    due_at: datetime | None
    attempts: int
    changed_at: datetime


class Drift(BaseModel):
    """A page of pairs, and how many there are in each state."""

    states: dict[str, int] = Field(description="Pairs in each of the six states, over everything.")
    items: list[Pair]
    next: str | None


class DriftFilters(Paged):
    """Filters of the list."""

    system: Maybe = None
    stream: Maybe = None
    entity: Maybe = None
    entity_id: MaybeId = None
    state: State | SkipJsonSchema[None] = Field(default=None, description="Only this state; without, all but in_sync and left.")


PAIR = {
    "system": "zoho",
    "stream": "accounts",
    "entity": "party",
    "entity_id": "01931f5e-7c00-7000-8000-000000000000",
    "org": "",
    "key": "57257670000001",
    "number": "",
    "state": "held",
    "reason": "case",
    "detail": "",
    "differs": {"Phone": ["0512-1", "0512-66668888"]},
    "waits_for": None,
    "due_at": None,
    "attempts": 0,
    "changed_at": "2026-01-05T02:11:12Z",
}
EXAMPLE = {"states": {"in_sync": 9120, "due": 0, "in_flight": 0, "held": 14, "blocked": 0, "left": 2}} | page_example(PAIR)


@router.get(
    "", operation_id="list_drift", responses=ok(Drift, EXAMPLE, "A page.") | problems(BadParameters, BadCursor), response_class=Response
)
def list_drift(
    asked: Annotated[DriftFilters, Query()], who: Annotated[Caller, may(Scope.OPERATIONS_READ)], engine: EngineDep, db: Db
) -> Response:
    """What differs, where and why."""
    states = dict.fromkeys(lists.STATES, 0)
    for row in lists.state_counts(db):
        states[row["state"]] += row["pairs"]
    return answer({"states": states} | paged(engine, db, who, lists.DRIFT, asked, and_also="" if asked.state else lists.DRIFTING))

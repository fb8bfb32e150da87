"""Plans: what would change, before it does; made, looked at, approved or rejected, applied."""

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
from hub_api.pages import Maybe, Number, Paged, acted, answer, found, listed, ok, paged
from hub_api.permissions import Scope
from hub_api.problems import (
    NotFound,
    RecordNotFound,
    SystemAway,
    problems,
)
from hub_api.shapes import EntityName, Text

router = APIRouter(prefix="/v1/plans", tags=["plans"])

State = Literal["open", "approved", "applied", "rejected", "expired"]


class Plan(BaseModel):
    """What would change."""

    id: int
    kind: str
    scope: Any
    state: State
    summary: Any = Field(description="By system.stream: creates and changes, counted, and how often each field would change.")
    made_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class Plans(BaseModel):
    """A page of plans."""

    items: list[Plan]
    next: str | None


class PlanFilters(Paged):
    """Filters of the list."""

    state: State | SkipJsonSchema[None] = None
    kind: Maybe = None


class PlanRow(BaseModel):
    """One change that a plan would make."""

    system: str
    stream: str
    entity: str
    entity_id: UUID
    org: str
    action: Literal["create", "update", "state", "delete"]
    changes: Any = Field(description="By the system's own field: what it holds now, what it would hold.")
    canonical_version: int
    observed_version: int
    outcome: str = Field(description="Empty until applied; then applied, or moved when the record had changed since the plan was made.")


class PlanRows(BaseModel):
    """A page of changes."""

    items: list[PlanRow]
    next: str | None


class RowFilters(Paged):
    """Filters of the rows."""

    system: Maybe = None
    action: Literal["create", "update", "state", "delete"] | SkipJsonSchema[None] = None
    entity: Maybe = None


class PlanOrder(BaseModel):
    """What to plan."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"kind": "first_load", "entities": ["party"]}})

    kind: Literal["first_load", "reconcile", "backfill", "repair"] = "first_load"
    systems: list[Annotated[Text, Field(max_length=100)]] | None = Field(default=None, min_length=1, max_length=50)
    entities: list[EntityName] | None = Field(default=None, min_length=1, max_length=50)


class Rejection(BaseModel):
    """Why not."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "价格表未确认"}})

    reason: Annotated[Text, Field(max_length=1000)] = ""


class Applied(BaseModel):
    """What applying did."""

    status: str
    counts: dict[str, int]
    problems: list[str]


PLAN = {
    "id": 4,
    "kind": "first_load",
    "scope": {},
    "state": "open",
    "summary": {"zoho.accounts": {"create": 120, "update": 40, "fields": {"Phone": 38, "Website": 2}}},
    "made_at": "2026-01-05T02:11:12Z",
    "expires_at": "2026-01-06T02:11:12Z",
    "decided_by": None,
    "decided_at": None,
}
ROW = {
    "system": "zoho",
    "stream": "accounts",
    "entity": "party",
    "entity_id": "01931f5e-7c00-7000-8000-000000000000",
    "org": "",
    "action": "update",
    "changes": {"Phone": ["0512-1", "0512-66668888"]},
    "canonical_version": 3,
    "observed_version": 1,
    "outcome": "",
}
Reader = Annotated[Caller, may(Scope.OPERATIONS_READ)]


@router.get(
    "",
    operation_id="list_plans",
    responses=listed(Plans, PLAN),
    response_class=Response,
)
def list_plans(asked: Annotated[PlanFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Plans, newest first."""
    return answer(paged(engine, db, who, lists.PLANS, asked))


@router.get(
    "/{plan_id:int}",
    operation_id="get_plan",
    responses=ok(Plan, PLAN, "The plan.") | problems(RecordNotFound, NotFound),
    response_class=Response,
)
def get_plan(plan_id: Number, _who: Reader, db: Db) -> Response:
    """One plan with its counts."""
    return answer(found(db, lists.PLANS, id=plan_id))


@router.get(
    "/{plan_id:int}/rows",
    operation_id="list_plan_rows",
    responses=listed(PlanRows, ROW, RecordNotFound, NotFound),
    response_class=Response,
)
def list_plan_rows(plan_id: Number, asked: Annotated[RowFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """What the plan would change, record by record."""
    found(db, lists.PLANS, id=plan_id)
    return answer(paged(engine, db, who, lists.PLAN_ROWS, asked, more={"plan": plan_id}))


@router.post(
    "",
    status_code=201,
    operation_id="make_plan",
    responses=acted(Plan, PLAN, "The plan.", RecordNotFound, SystemAway, status=201),
    response_class=Response,
)
def make_plan(order: PlanOrder, act: Annotated[Action, doing("plan.make", Scope.PLANS_MAKE)], engine: EngineDep) -> Response:
    """Write down what would change, from what is known now; nothing is read from or written to a system."""
    act.on("plan", kind=order.kind)
    plan_id = engine_calls.make_plan(engine.hub, order.kind, order.systems, order.entities)
    return act.done_with(lists.PLANS, id=plan_id, status=201)


@router.post(
    "/{plan_id:int}/approve",
    operation_id="approve_plan",
    responses=acted(
        Plan,
        PLAN | {"state": "approved", "decided_by": "api:li", "decided_at": "2026-01-05T03:00:00Z"},
        "The plan, approved.",
        RecordNotFound,
    ),
    response_class=Response,
)
def approve(plan_id: Number, act: Annotated[Action, doing("plan.approve", Scope.PLANS_DECIDE)], engine: EngineDep) -> Response:
    """Approve a plan; it is not applied yet."""
    act.on(f"plan:{plan_id}")
    engine_calls.approve(engine.hub, plan_id, by=act.by)
    return act.done_with(lists.PLANS, id=plan_id)


@router.post(
    "/{plan_id:int}/reject",
    operation_id="reject_plan",
    responses=acted(
        Plan,
        PLAN | {"state": "rejected", "decided_by": "api:li", "decided_at": "2026-01-05T03:00:00Z"},
        "The plan, rejected.",
        RecordNotFound,
    ),
    response_class=Response,
)
def reject(
    plan_id: Number, rejection: Rejection, act: Annotated[Action, doing("plan.reject", Scope.PLANS_DECIDE)], engine: EngineDep
) -> Response:
    """Reject a plan; nothing of it will happen."""
    act.on(f"plan:{plan_id}")
    engine_calls.reject(engine.hub, plan_id, by=act.by, reason=rejection.reason)
    return act.done_with(lists.PLANS, id=plan_id)


@router.post(
    "/{plan_id:int}/apply",
    operation_id="apply_plan",
    responses=acted(
        Applied,
        {"status": "done", "counts": {"applied": 160, "moved": 0}, "problems": []},
        "Its changes are due.",
        RecordNotFound,
    ),
    response_class=Response,
)
def apply(plan_id: Number, act: Annotated[Action, doing("plan.apply", Scope.PLANS_APPLY)], engine: EngineDep) -> Response:
    """Make an approved plan's changes due; the next delivery run writes them.

    What has moved since the plan was made is skipped and reported.
    """
    act.on(f"plan:{plan_id}")
    return act.done(engine_calls.apply(engine.hub, plan_id))

"""Deliveries: every attempt to write to a system, with its receipts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import lists
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, MaybeId, Paged, answer, found, listed, ok, paged
from hub_api.permissions import Scope
from hub_api.problems import NotFound, RecordNotFound, problems

router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"])

Outcome = Literal["written", "unchanged", "rejected", "blocked", "retry", "uncertain", "found", "absent"]


class Receipt(BaseModel):
    """What became of one attempt."""

    outcome: Outcome
    key: str | None
    number: str
    code: str
    why: str
    at: datetime


class Delivery(BaseModel):
    """One attempt."""

    id: UUID
    system: str
    stream: str
    entity: str
    entity_id: UUID
    org: str
    hub_key: str
    key: str | None
    step: str
    fields: Any = Field(description="What was written, in the system's own names.")
    run_id: int | None
    started_at: datetime
    receipts: list[Receipt]


class Deliveries(BaseModel):
    """A page of attempts."""

    items: list[Delivery]
    next: str | None


class DeliveryFilters(Paged):
    """Filters of the list."""

    system: Maybe = None
    stream: Maybe = None
    entity_id: MaybeId = None
    step: Maybe = None
    outcome: Outcome | SkipJsonSchema[None] = None


DELIVERY = {
    "id": "01931f5e-7c00-7000-8000-0000000000d1",
    "system": "kingdee",
    "stream": "sales_orders",
    "entity": "order",
    "entity_id": "01931f5e-7c00-7000-8000-000000000000",
    "org": "100",
    "hub_key": "H0123456789ABCDE",
    "key": None,
    "step": "save",
    "fields": {"FCustId.FNumber": "CUST0001"},
    "run_id": 17,
    "started_at": "2026-01-05T02:11:12Z",
    "receipts": [{"outcome": "written", "key": "100123", "number": "XSDD000123", "code": "", "why": "", "at": "2026-01-05T02:11:13Z"}],
}
Reader = Annotated[Caller, may(Scope.OPERATIONS_READ)]


@router.get(
    "",
    operation_id="list_deliveries",
    responses=listed(Deliveries, DELIVERY),
    response_class=Response,
)
def list_deliveries(asked: Annotated[DeliveryFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Attempts to write to systems, newest first."""
    return answer(paged(engine, db, who, lists.DELIVERIES, asked))


@router.get(
    "/{delivery_id}",
    operation_id="get_delivery",
    responses=ok(Delivery, DELIVERY, "The attempt.") | problems(RecordNotFound, NotFound),
    response_class=Response,
)
def get_delivery(delivery_id: Annotated[UUID, Path(description="The attempt.")], _who: Reader, db: Db) -> Response:
    """One attempt with its receipts."""
    return answer(found(db, lists.DELIVERIES, id=delivery_id))

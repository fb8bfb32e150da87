"""Value maps: what a system's code means; and the inbox of values that nobody has mapped yet."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub_api import engine_calls, lists
from hub_api.actions import Action, doing
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, Paged, acted, answer, listed, paged
from hub_api.permissions import Scope
from hub_api.problems import (
    WrongState,
)
from hub_api.shapes import DayText, Text

router = APIRouter(prefix="/v1/values", tags=["values"])


class Value(BaseModel):
    """One row of a value map."""

    id: int
    name: str
    system: str
    company: str = Field(description="Empty: every company.")
    vendor_value: str
    canonical_value: str
    valid_from: date | None
    valid_to: date | None
    note: str
    edited_by: str
    edited_at: datetime


class Values(BaseModel):
    """A page of rows."""

    items: list[Value]
    next: str | None


class Missing(BaseModel):
    """A value that lacks; its records wait."""

    name: str
    system: str
    company: str
    direction: Literal["in", "out"]
    value: str
    example_stream: str | None
    example_key: str | None
    records: int
    first_at: datetime


class Inbox(BaseModel):
    """A page of values that lack."""

    items: list[Missing]
    next: str | None


class ValueFilters(Paged):
    """Filters of the list."""

    name: Maybe = None
    system: Maybe = None
    company: Maybe = None


class MissingFilters(Paged):
    """Filters of the inbox."""

    name: Maybe = None
    system: Maybe = None


class NewValue(BaseModel):
    """What a value means."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"name": "salesperson", "system": "kingdee", "vendor_value": "XS099", "canonical_value": "E0099"}},
    )

    name: Annotated[Text, Field(min_length=1, max_length=100)]
    system: Annotated[Text, Field(min_length=1, max_length=100)]
    company: Annotated[Text, Field(max_length=100)] = ""
    vendor_value: Annotated[Text, Field(min_length=1, max_length=400)]
    canonical_value: Annotated[Text, Field(min_length=1, max_length=400)]
    valid_from: DayText | None = None
    valid_to: DayText | None = None


class Released(BaseModel):
    """How many waiting records go on."""

    released: int


VALUE = {
    "id": 5,
    "name": "salesperson",
    "system": "kingdee",
    "company": "",
    "vendor_value": "XS099",
    "canonical_value": "E0099",
    "valid_from": None,
    "valid_to": None,
    "note": "",
    "edited_by": "api:li",
    "edited_at": "2026-01-05T02:11:12Z",
}
MISSING = {
    "name": "salesperson",
    "system": "kingdee",
    "company": "",
    "direction": "in",
    "value": "XS099",
    "example_stream": "sales_orders",
    "example_key": "100123",
    "records": 3,
    "first_at": "2026-01-05T02:11:12Z",
}
Reader = Annotated[Caller, may(Scope.OPERATIONS_READ)]


@router.get(
    "",
    operation_id="list_values",
    responses=listed(Values, VALUE),
    response_class=Response,
)
def list_values(asked: Annotated[ValueFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Rows of the value maps, newest first."""
    return answer(paged(engine, db, who, lists.VALUES, asked))


@router.get(
    "/missing",
    operation_id="list_missing_values",
    responses=listed(Inbox, MISSING),
    response_class=Response,
)
def list_missing(asked: Annotated[MissingFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Values that lack, with how many records wait for each."""
    return answer(paged(engine, db, who, lists.MISSING_VALUES, asked))


@router.post(
    "",
    operation_id="set_value",
    responses=acted(Released, {"released": 3}, "Set."),
    response_class=Response,
)
def set_value(value: NewValue, act: Annotated[Action, doing("value.set", Scope.VALUES_WRITE)], engine: EngineDep) -> Response:
    """Say what a system's value means; records that waited for it go on."""
    if value.valid_from and value.valid_to and value.valid_from > value.valid_to:
        raise WrongState("valid_to lies before valid_from.")
    act.on(f"value:{value.name}/{value.system}/{value.company}/{value.vendor_value}"[:400])
    released = engine_calls.set_value(engine.hub, value.model_dump(), by=act.by)
    return act.done({"released": released})

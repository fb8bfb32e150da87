"""Quarantine: records set aside with their error, to be mended, replayed or discarded."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import engine_calls, lists
from hub_api.actions import Action, RawBody, doing
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, Number, Paged, acted, answer, found, listed, ok, paged
from hub_api.permissions import Scope
from hub_api.problems import (
    BodyTooLarge,
    NotFound,
    RecordNotFound,
    Unreadable,
    problems,
)
from hub_api.shapes import RowNumber

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])

State = Literal["open", "released", "discarded"]
Cause = Literal["parent", "value", "field", "payload", "identity", "rejected", "delete_guard"]


class SetAside(BaseModel):
    """A record set aside."""

    id: int
    system: str
    stream: str
    entity: str
    key: str
    org: str
    cause: Cause
    waits_for: list[str]
    why: str
    next_step: str
    attempts: int
    state: State
    first_at: datetime
    last_at: datetime
    closed_by: str | None


class SetAsideWhole(SetAside):
    """A record set aside, with what the system sent."""

    payload: Any = Field(description="The record as the system sent it or a person mended it; text when it could not be read at all.")


class SetAsides(BaseModel):
    """A page of records set aside."""

    items: list[SetAside]
    next: str | None


class QuarantineFilters(Paged):
    """Filters of the list."""

    state: State | SkipJsonSchema[None] = None
    cause: Cause | SkipJsonSchema[None] = None
    system: Maybe = None
    stream: Maybe = None
    key: Maybe = None


class Mended(BaseModel):
    """The record as it should have been."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"payload": {"FNumber": "CUST0001", "FName": "苏州恒信机电有限公司"}}}
    )

    payload: dict[str, Any] = Field(
        min_length=1, description="The whole record in the system's own shape; used until the system changes it."
    )


class Replay(BaseModel):
    """Which records to try again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"ids": [12, 13]}})

    ids: list[RowNumber] | None = Field(
        default=None, min_length=1, max_length=1000, description="Their numbers; absent: all that are open."
    )


class Replayed(BaseModel):
    """What became of it."""

    status: str
    counts: dict[str, int]
    problems: list[str]


SET_ASIDE = {
    "id": 12,
    "system": "kingdee",
    "stream": "customers",
    "entity": "party",
    "key": "200001",
    "org": "100",
    "cause": "field",
    "waits_for": [],
    "why": "FName is missing",
    "next_step": "mend the record in its system, or here",
    "attempts": 1,
    "state": "open",
    "first_at": "2026-01-05T02:11:12Z",
    "last_at": "2026-01-05T02:11:12Z",
    "closed_by": None,
}
REPLAYED = {"status": "done", "counts": {"released": 1}, "problems": []}
Reader = Annotated[Caller, may(Scope.OPERATIONS_READ)]


@router.get(
    "",
    operation_id="list_quarantine",
    responses=listed(SetAsides, SET_ASIDE),
    response_class=Response,
)
def list_quarantine(asked: Annotated[QuarantineFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Records set aside, newest first."""
    return answer(paged(engine, db, who, lists.QUARANTINE, asked))


@router.get(
    "/{quarantine_id:int}",
    operation_id="get_quarantined",
    responses=ok(SetAsideWhole, SET_ASIDE | {"payload": {"FNumber": "CUST0001"}}, "The record.") | problems(RecordNotFound, NotFound),
    response_class=Response,
)
def get_quarantined(quarantine_id: Number, _who: Reader, db: Db) -> Response:
    """One record set aside, with its payload."""
    return answer(found(db, lists.QUARANTINE, id=quarantine_id) | {"payload": lists.payload(db, quarantine_id)})


@router.post(
    "/replay",
    operation_id="replay_quarantine",
    responses=acted(Replayed, REPLAYED, "Tried again.", RecordNotFound, BodyTooLarge),
    response_class=Response,
)
def replay(which: Replay, act: Annotated[Action, doing("quarantine.replay", Scope.QUARANTINE_MEND)], engine: EngineDep) -> Response:
    """Try records again now; those that fail stay set aside."""
    act.on("quarantine", ids=which.ids)
    return act.done(engine_calls.replay(engine.hub, which.ids, by=act.by))


@router.post(
    "/{quarantine_id:int}/mend",
    operation_id="mend_quarantined",
    responses=acted(
        SetAside,
        SET_ASIDE | {"state": "released"},
        "The record, as it stands after the mended payload was tried.",
        RecordNotFound,
        BodyTooLarge,
    ),
    response_class=Response,
)
def mend(
    quarantine_id: Number,
    mended: Mended,
    body: RawBody,
    act: Annotated[Action, doing("quarantine.mend", Scope.QUARANTINE_MEND)],
    engine: EngineDep,
) -> Response:
    """Put a mended payload in place of the one that the system sent, and try it."""
    act.on(f"quarantine:{quarantine_id}", fields=sorted(mended.payload)[:50])
    engine_calls.mend(engine.hub, quarantine_id, exact(body)["payload"], by=act.by)
    return act.done_with(lists.QUARANTINE, id=quarantine_id)


@router.post(
    "/{quarantine_id:int}/replay",
    operation_id="replay_quarantined",
    responses=acted(SetAside, SET_ASIDE | {"state": "released"}, "The record after it was tried.", RecordNotFound, BodyTooLarge),
    response_class=Response,
)
def replay_one(
    quarantine_id: Number, act: Annotated[Action, doing("quarantine.replay", Scope.QUARANTINE_MEND)], engine: EngineDep
) -> Response:
    """Try one record again now."""
    with engine.reading() as db:
        found(db, lists.QUARANTINE, id=quarantine_id)
    act.on(f"quarantine:{quarantine_id}")
    engine_calls.replay(engine.hub, [quarantine_id], by=act.by)
    return act.done_with(lists.QUARANTINE, id=quarantine_id)


@router.post(
    "/{quarantine_id:int}/discard",
    operation_id="discard_quarantined",
    responses=acted(
        SetAside,
        SET_ASIDE | {"state": "discarded", "closed_by": "api:li"},
        "The record, discarded.",
        RecordNotFound,
        BodyTooLarge,
    ),
    response_class=Response,
)
def discard(
    quarantine_id: Number, act: Annotated[Action, doing("quarantine.discard", Scope.QUARANTINE_MEND)], engine: EngineDep
) -> Response:
    """Close it without using the record; it comes back when the system changes it."""
    act.on(f"quarantine:{quarantine_id}")
    engine_calls.discard(engine.hub, quarantine_id, by=act.by)
    return act.done_with(lists.QUARANTINE, id=quarantine_id)


_EXACT = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def exact(body: bytes) -> dict[str, Any]:
    """The body with every fraction as `Decimal`: a payload's numbers are never floats.

    Raises: Unreadable for what JSON does not know (NaN), a number with too many digits, or nesting without end.
    """
    try:
        return _EXACT.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError, ArithmeticError) as wrong:
        raise Unreadable from wrong

"""Moves of a deal in its pipeline."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, create_model
from starlette.responses import Response

from hub_api import engine_calls, queries
from hub_api.actions import Action, doing
from hub_api.deals_problems import MoveRefused, PipelineNotFound
from hub_api.deals_shapes import Words
from hub_api.deps import EngineDep
from hub_api.pages import acted
from hub_api.permissions import Scope
from hub_api.problems import Forbidden, RecordNotFound, Stale
from hub_api.records import sight, whole
from hub_api.shapes import NOTHING, TEXT, shape

router = APIRouter(prefix="/v1", tags=["deal answers"])
RecordId = Annotated[UUID, Path(description="The hub's identifier of the record.")]


_DEAL = shape("deal")


class _Move(BaseModel):
    """To which stage, with what it needs."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"stage": "方案报价", "fields": {"expected_amount": "1200000"}, "reason": ""}}
    )

    stage: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)] = Field(description="In any of its names.")
    reason: Words = Field(default="", description="Needed for a step back.")


_FIELDS: Any = (_DEAL.edit | NOTHING, Field(default=None, description="What the stage needs, entered with the move."))
_MOVE: Any = create_model("DealMove", __base__=_Move, fields=_FIELDS)


def move(
    record_id: RecordId,
    told: Any,
    act: Annotated[Action, doing("deal.move", Scope.RECORDS_WRITE)],
    engine: EngineDep,
) -> Response:
    """Move a deal to a stage of its pipeline: one forward, with what the stage needs; back or out with a reason."""
    seen = sight(act.caller, "deal")
    given = told.fields.model_dump(mode="json", exclude_unset=True) if told.fields is not None else {}
    with engine.reading() as db:
        row = queries.one(db, seen, queries.party_tree(db, act.caller.party), record_id)
    if row is None:
        raise RecordNotFound
    if beyond := sorted({"stage", *given} - seen.writable):
        raise Forbidden(f"A key of role {act.caller.role} may not write {', '.join(beyond)} of deal.")
    act.on(f"deal:{record_id}", fields=sorted(given))
    engine_calls.move_deal(engine.hub, record_id, told.stage, given, by=act.by, reason=told.reason, expected=row["version"])
    with engine.reading() as db:
        return act.done(whole(engine, db, act.caller, "deal", record_id)[0])


move.__annotations__["told"] = _MOVE
router.add_api_route(
    "/deals/{record_id}/move",
    move,
    methods=["POST"],
    operation_id="move_deal",
    responses=acted(_DEAL.record, _DEAL.example, "The deal after the move.", RecordNotFound, MoveRefused, PipelineNotFound, Stale),
    response_class=Response,
)

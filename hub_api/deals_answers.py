"""What the deals' people hear and answer: messages, approvals, and moves of a deal in its pipeline.

Approvals and notices are records too (`/v1/approvals`, `/v1/notices`) for our own people; dealers read their messages here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import engine_calls, lists, queries
from hub_api.actions import Action, doing
from hub_api.deals import only
from hub_api.deals_lists import NOTICES
from hub_api.deals_problems import MoveRefused, PipelineNotFound, ProtectionsOverlap, RegistrationNotFound, StillHeld, WrongStatus
from hub_api.deals_shapes import Words
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, Paged, acted, answer, found, listed, paged
from hub_api.permissions import Role, Scope
from hub_api.problems import FieldNotAllowed, Forbidden, NotFound, RecordNotFound, Stale
from hub_api.records import sight, whole
from hub_api.shapes import TEXT, shape

router = APIRouter(prefix="/v1", tags=["deal answers"])
RecordId = Annotated[UUID, Path(description="The hub's identifier of the record.")]


class Told(BaseModel):
    """A message."""

    id: UUID
    kind: str = Field(description="deal_registered, deal_waiting, deal_refused, deal_expiring, deal_expired, deal_taken_back, …")
    about: str = Field(description="`registration:<id>`, `deal:<id>`.")
    facts: dict[str, Any] = Field(description="`zh` and `en` are the text; the rest is what it was made of.")
    raised_at: datetime
    state: Literal["open", "sent", "read", "withdrawn"]
    audience: str | None = Field(default=None, description="Not for dealers.")


class Messages(BaseModel):
    """A page of messages."""

    items: list[Told]
    next: str | None


class MessageFilters(Paged):
    """Filters of the list."""

    state: Literal["open", "sent", "read", "withdrawn"] | SkipJsonSchema[None] = None
    kind: Maybe = None
    audience: Maybe = Field(default=None, description="`party:<id>`, `role:channel_manager`. Not for dealers.")


MESSAGE: dict[str, Any] = {
    "id": "01931f5e-7c00-7000-8000-0000000000bb",
    "kind": "deal_expiring",
    "about": "registration:01931f5e-7c00-7000-8000-000000000000",
    "facts": {"zh": "“恒信机电”的保护将于 2026-04-05 到期", "en": "The protection of 恒信机电 ends with 2026-04-05", "days": 7},
    "raised_at": "2026-03-29T02:11:12Z",
    "state": "open",
    "audience": "party:01931f5e-7c00-7000-8000-00000000000a",
}


def _audience(who: Caller) -> str | None:
    return f"party:{who.party}" if who.role is Role.DEALER else None


def _message(row: dict[str, Any], who: Caller) -> dict[str, Any]:
    shown = {"id": row["id"], **{name: row["doc"].get(name) for name in ("kind", "about", "facts", "raised_at", "state")}}
    return shown if who.role is Role.DEALER else shown | {"audience": row["doc"].get("audience")}


@router.get(
    "/deals/notices", operation_id="list_deal_notices", responses=listed(Messages, MESSAGE, FieldNotAllowed), response_class=Response
)
def list_notices(
    asked: Annotated[MessageFilters, Query()], who: Annotated[Caller, may(Scope.DEALS_READ)], engine: EngineDep, db: Db
) -> Response:
    """Messages about deals, newest first; a dealer's key sees its own."""
    audience = _audience(who)
    if audience is not None and asked.audience is not None:
        raise FieldNotAllowed
    page = paged(engine, db, who, NOTICES, asked, more={"audience": audience} if audience else None)
    return answer(page | {"items": [_message(row, who) for row in page["items"]]})


only("/notices", "GET")


@router.post(
    "/deals/notices/{record_id}/read",
    operation_id="read_deal_notice",
    responses=acted(Told, MESSAGE | {"state": "read"}, "The message.", RecordNotFound),
    response_class=Response,
)
def read_notice(record_id: RecordId, act: Annotated[Action, doing("notice.read", Scope.DEALS_READ)], engine: EngineDep) -> Response:
    """Say that a message was read."""
    audience = _audience(act.caller)
    with engine.reading() as db:
        if lists.one(db, NOTICES, id=record_id, audience=audience) is None:
            raise NotFound
    act.on(f"notice:{record_id}")
    engine_calls.read_notice(engine.hub, record_id, audience=audience)
    with engine.reading() as db:
        return act.done(_message(found(db, NOTICES, id=record_id, audience=audience), act.caller))


class ApprovalAnswer(BaseModel):
    """The answer to a question about deals."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"decision": "approved", "reason": "项目属实"}})

    decision: Literal["approved", "rejected"]
    how: Literal["other_firm", "end_holder"] | SkipJsonSchema[None] = Field(
        default=None,
        description="For an appeal that is granted while somebody holds the customer: it is another firm, or its holder ends.",
    )
    reason: Words = ""


_APPROVAL = shape("approval")


@router.post(
    "/approvals/{record_id}/answer",
    operation_id="answer_approval",
    responses=acted(
        _APPROVAL.record, _APPROVAL.example, "The approval, answered.", RecordNotFound, WrongStatus, StillHeld, ProtectionsOverlap,
        RegistrationNotFound,
    ),
    response_class=Response,
)  # fmt: skip
def answer_approval(
    record_id: RecordId, told: ApprovalAnswer, act: Annotated[Action, doing("approval.answer", Scope.DEALS_DECIDE)], engine: EngineDep
) -> Response:
    """Answer a question about deals; the registration or order goes on or is refused, and who waits is told."""
    act.on(f"approval:{record_id}", decision=told.decision)
    engine_calls.answer_approval(engine.hub, record_id, told.decision, by=act.by, reason=told.reason, how=told.how or "")
    with engine.reading() as db:
        return act.done(whole(engine, db, act.caller, "approval", record_id)[0])


_DEAL = shape("deal")


class _Move(BaseModel):
    """To which stage, with what it needs."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"stage": "方案报价", "fields": {"expected_amount": "1200000"}, "reason": ""}}
    )

    stage: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)] = Field(description="In any of its names.")
    reason: Words = Field(default="", description="Needed for a step back.")


_NOTHING: Any = SkipJsonSchema[None]  # type: ignore[misc]  # subscripted at run time only
_FIELDS: Any = (_DEAL.edit | _NOTHING, Field(default=None, description="What the stage needs, entered with the move."))
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

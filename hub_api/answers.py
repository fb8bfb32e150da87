"""What people hear and answer: messages, and approvals that wait for somebody with the right.

Approvals and notices are records too (`/v1/approvals`, `/v1/notices`) for our own people; dealers read their messages here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.notices.messages import FINANCE
from hub_api import engine_calls, lists
from hub_api.actions import Action, doing
from hub_api.deals_days import Day, span
from hub_api.deals_problems import ProtectionsOverlap, RegistrationNotFound, StillHeld, WrongStatus
from hub_api.deals_shapes import Words
from hub_api.deps import Db, EngineDep, may
from hub_api.funds_problems import ClaimNotFound, WrongClaimState
from hub_api.keys import Caller
from hub_api.lists import Listing
from hub_api.pages import Maybe, Paged, acted, answer, found, listed, ok, paged
from hub_api.permissions import Role, Scope
from hub_api.problems import BadParameters, FieldNotAllowed, Forbidden, NotFound, RecordNotFound, problems
from hub_api.quotes_problems import BadOffer, NotApprover, QuoteNotFound, WrongQuoteState
from hub_api.records import whole
from hub_api.shapes import shape

router = APIRouter(prefix="/v1", tags=["messages and approvals"])
RecordId = Annotated[UUID, Path(description="The hub's identifier of the record.")]

MESSAGES: Final = Listing(
    "SELECT n.id, n.doc FROM notices n",
    {"id": "n.id::uuid"},
    {
        "id": "n.id = %s",
        "audience": "n.doc->>'audience' = %s",
        "not_for": "n.doc->>'audience' IS DISTINCT FROM %s",
        "state": "n.state = %s",
        "kind": "n.kind = %s",
    },
)


class Told(BaseModel):
    """A message."""

    id: UUID
    kind: str = Field(description="deal_registered, deal_refused, deal_expiring, rebate_statement_ready, price_changed, …")
    about: str = Field(description="`registration:<id>`, `deal:<id>`, `statement:<number>`, …")
    facts: dict[str, Any] = Field(description="`zh` and `en` are the text; the rest is what it was made of.")
    raised_at: datetime | None
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


MESSAGE: Final[dict[str, Any]] = {
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


def _in_sight(who: Caller) -> dict[str, str]:
    """The filter that a key always has: a dealer's its own party; sales' none of what is for finance only, which may tell a margin."""
    if (audience := _audience(who)) is not None:
        return {"audience": audience}
    return {"not_for": FINANCE} if who.role is Role.SALES else {}


_UNSAID: Final[Mapping[str, Any]] = {"kind": "", "about": "", "facts": {}, "raised_at": None, "state": "open"}
"""What a record of a notice says where it says nothing, as `canonical.work.Notice` has it."""


def _message(row: dict[str, Any], who: Caller) -> dict[str, Any]:
    shown = {"id": row["id"], **{name: row["doc"].get(name, unsaid) for name, unsaid in _UNSAID.items()}}
    return shown if who.role is Role.DEALER else shown | {"audience": row["doc"].get("audience")}


@router.get("/messages", operation_id="list_messages", responses=listed(Messages, MESSAGE, FieldNotAllowed), response_class=Response)
def list_messages(
    asked: Annotated[MessageFilters, Query()], who: Annotated[Caller, may(Scope.RECORDS_READ)], engine: EngineDep, db: Db
) -> Response:
    """Messages, newest first; a dealer's key sees its own."""
    audience = _audience(who)
    if audience is not None and asked.audience is not None:
        raise FieldNotAllowed
    page = paged(engine, db, who, MESSAGES, asked, more=_in_sight(who))
    return answer(page | {"items": [_message(row, who) for row in page["items"]]})


@router.post(
    "/messages/{record_id}/read",
    operation_id="read_message",
    responses=acted(Told, MESSAGE | {"state": "read"}, "The message.", RecordNotFound),
    response_class=Response,
)
def read_message(record_id: RecordId, act: Annotated[Action, doing("message.read", Scope.RECORDS_READ)], engine: EngineDep) -> Response:
    """Say that a message was read."""
    audience = _audience(act.caller)
    with engine.reading() as db:
        if lists.one(db, MESSAGES, id=record_id, **_in_sight(act.caller)) is None:
            raise NotFound
    act.on(f"notice:{record_id}")
    engine_calls.read_notice(engine.hub, record_id, audience=audience)
    with engine.reading() as db:
        return act.done(_message(found(db, MESSAGES, id=record_id, **_in_sight(act.caller)), act.caller))


ANSWERED_BY: Final[Mapping[str, Scope]] = {
    "registration": Scope.DEALS_DECIDE,
    "order": Scope.DEALS_DECIDE,
    "quote": Scope.QUOTES_APPROVE,
    "special_price": Scope.PRICES_MANAGE,
    "claim": Scope.FUNDS_MANAGE,
}
"""The scope that answers a question, by what it is about; each room of :data:`sync.answering.ROOMS` has one here."""


class ApprovalAnswer(BaseModel):
    """The answer to a question."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"decision": "approved", "reason": "项目属实"}})

    decision: Literal["approved", "rejected"]
    how: Literal["other_firm", "end_holder"] | SkipJsonSchema[None] = Field(
        default=None,
        description="For an appeal that is granted while somebody holds the customer: it is another firm, or its holder ends.",
    )
    reason: Words = ""


_APPROVAL = shape("approval")


class TimesFilters(BaseModel):
    """Questions asked in which days."""

    model_config = ConfigDict(extra="forbid")

    until: Day = Field(default=None, description="Last day of asking (Asia/Shanghai); today when left out.")
    days: Annotated[int, Field(ge=1, le=3660)] = Field(default=91, description="How many days, the last one among them.")


class AnswerTimesOut(BaseModel):
    """How long questions of one kind waited, in hours; what was withdrawn counts nowhere."""

    kind: str
    approved: int
    rejected: int
    open: int
    median: Decimal | None = Field(description="Half of the answers took no longer.")
    p90: Decimal | None = Field(description="Nine of ten took no longer.")
    waiting: Decimal | None = Field(description="Of the one that waits longest.")


class AnswerTimesList(BaseModel):
    """Every kind of question."""

    items: list[AnswerTimesOut]


_TIMES: dict[str, Any] = {
    "kind": "quote_approval",
    "approved": 11,
    "rejected": 2,
    "open": 1,
    "median": "2.25",
    "p90": "19.50",
    "waiting": "0.40",
}


@router.get(
    "/approval-times",
    operation_id="approval_times",
    responses=ok(AnswerTimesList, {"items": [_TIMES]}, "The times.") | problems(BadParameters),
    response_class=Response,
)
def approval_times(asked: Annotated[TimesFilters, Query()], _who: Annotated[Caller, may(Scope.CASES_READ)], engine: EngineDep) -> Response:
    """How long people take to answer questions, by what they ask."""
    return answer({"items": engine_calls.answer_times(engine.hub, *span(asked.until, asked.days))})


@router.post(
    "/approvals/{record_id}/answer",
    operation_id="answer_approval",
    responses=acted(
        _APPROVAL.record, _APPROVAL.example, "The approval, answered.", RecordNotFound, WrongStatus, StillHeld, ProtectionsOverlap,
        RegistrationNotFound, WrongQuoteState, QuoteNotFound, BadOffer, NotApprover, WrongClaimState, ClaimNotFound,
    ),
    response_class=Response,
)  # fmt: skip
def answer_approval(
    record_id: RecordId, told: ApprovalAnswer, act: Annotated[Action, doing("approval.answer", Scope.RECORDS_READ)], engine: EngineDep
) -> Response:
    """Answer a question: what it is about goes on or is refused, and who waits is told. What it is about decides which scope it needs."""
    if not act.caller.scopes & set(ANSWERED_BY.values()):
        raise Forbidden("The key has no scope that answers questions, such as deals:decide. Ask the hub's operator.")
    with engine.reading() as db:
        asked, _ = whole(engine, db, act.caller, "approval", record_id)
    entity = str(asked.get("about") or "").partition(":")[0]
    needed = ANSWERED_BY.get(entity)
    if needed is not None and needed not in act.caller.scopes:
        raise Forbidden(f"The key lacks the scope {needed}, which answers questions about a {entity}. Ask the hub's operator.")
    act.on(f"approval:{record_id}", decision=told.decision)
    engine_calls.answer_approval(engine.hub, record_id, told.decision, by=act.by, reason=told.reason, how=told.how or "")
    with engine.reading() as db:
        return act.done(whole(engine, db, act.caller, "approval", record_id)[0])

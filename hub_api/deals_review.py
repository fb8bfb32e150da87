"""Questions about registrations that wait for a person, and customers that we serve ourselves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.deals import acting, review
from channel.deals.customers.queries import of_party
from hub_api import deals_shapes as shapes
from hub_api import engine_calls
from hub_api.actions import Action, doing
from hub_api.deals import act_on, only, whole
from hub_api.deals_lists import DIRECT, REGISTRATIONS, REVIEW
from hub_api.deals_problems import Contended, CustomerNotFound, ProtectionsOverlap, RegistrationNotFound, StillHeld, WrongStatus
from hub_api.deals_shapes import DealRegistration, DealRegistrations, Line, Words
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import MaybeId, Paged, acted, answer, listed, paged
from hub_api.permissions import Scope
from hub_api.problems import RecordNotFound
from hub_api.shapes import RowNumber

router = APIRouter(prefix="/v1/deals", tags=["registrations"])
Decider = Annotated[Caller, may(Scope.DEALS_DECIDE)]


class Sentence(BaseModel):
    """One feature's part."""

    zh: str
    en: str
    weight: str


class Doubt(BaseModel):
    """The question whether a registration means a customer."""

    registration: UUID
    status: str
    waits: bool = Field(description="The dealer waits for the answer: the registration is held because of it.")
    dealer: UUID | None
    dealer_name: str | None
    product_line: str
    claim: dict[str, Any] = Field(description="What the dealer gave.")
    customer: int
    customer_name: str
    p: Decimal = Field(description="Probability that it is the same firm.")
    reasons: list[Sentence]
    state: Literal["open", "same", "different"]
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str | None = Field(description="Also who has looked at it and left it open.")
    reason: str


class Doubts(BaseModel):
    """A page of questions."""

    items: list[Doubt]
    next: str | None


class DoubtFilters(Paged):
    """Filters of the list."""

    state: Literal["open", "same", "different"] = "open"
    registration: MaybeId = None
    waits: bool | SkipJsonSchema[None] = Field(default=None, description="Only those that a dealer waits for.")


class DoubtDecision(BaseModel):
    """A person's answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "registration": "01931f5e-7c00-7000-8000-000000000000",
                "customer": 4711,
                "answer": "different",
                "reason": "同一品牌的两家公司, 信用代码不同",
            }
        },
    )

    registration: UUID
    customer: RowNumber
    answer: Literal["same", "different", "hold"] = Field(description="hold: looked at, and left open.")
    reason: Words = ""


DOUBT: dict[str, Any] = {
    "registration": "01931f5e-7c00-7000-8000-000000000000",
    "status": "held",
    "waits": True,
    "dealer": "01931f5e-7c00-7000-8000-00000000000a",
    "dealer_name": "上海东方工业设备有限公司",
    "product_line": "水泵",
    "claim": shapes.CLAIM,
    "customer": 4711,
    "customer_name": "苏州恒欣机电设备有限公司",
    "p": "0.62",
    "reasons": [{"zh": "字号同音", "en": "the brand sounds the same", "weight": "3.1"}],
    "state": "open",
    "opened_at": "2026-01-05T02:11:12Z",
    "decided_at": None,
    "decided_by": None,
    "reason": "",
}


@router.get("/review", operation_id="list_doubts", responses=listed(Doubts, DOUBT), response_class=Response)
def list_doubts(asked: Annotated[DoubtFilters, Query()], who: Decider, engine: EngineDep, db: Db) -> Response:
    """Claims that may mean a customer that we know, for a person to compare; oldest first."""
    page = paged(engine, db, who, REVIEW, asked)
    return answer(page | {"items": [row | {"claim": shapes.claim(row["claim"], who.role)} for row in page["items"]]})


only("/review", "GET")


@router.post(
    "/review/decide",
    operation_id="decide_doubt",
    responses=acted(
        DealRegistration,
        shapes.OURS | {"events": [shapes.EVENT], "decision": shapes.DECISION},
        "The registration as it stands now.",
        RegistrationNotFound,
        RecordNotFound,
        WrongStatus,
        Contended,
        ProtectionsOverlap,
        CustomerNotFound,
    ),
    response_class=Response,
)
def decide_doubt(told: DoubtDecision, act: Annotated[Action, doing("registration.review", Scope.DEALS_DECIDE)]) -> Response:
    """Say whether a claim means a customer: `same` refuses it when somebody holds that one, `different` keeps the two apart for ever.

    Two that are the same are one customer, and one party, from then on. When two dealers hold them, a case asks who keeps the customer.
    """

    def work(db: Any) -> Any:
        if told.answer == "hold":
            return review.hold(db, told.registration, told.customer, act.by, told.reason)
        return engine_calls.decide_doubt(act.engine.hub, told.registration, told.customer, told.answer, by=act.by, reason=told.reason)

    return act_on(act, told.registration, "review", work, answer=told.answer, customer=told.customer)


class DirectFilters(Paged):
    """Filters of the list."""

    status: shapes.Status | SkipJsonSchema[None] = "protected"
    customer: Annotated[int, Field(ge=1, le=2**63 - 1)] | SkipJsonSchema[None] = None


class Protect(BaseModel):
    """A customer that we serve ourselves: by its number here, or by its party."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"party": "01931f5e-7c00-7000-8000-00000000000c", "cause": "总部直供"},
            "oneOf": [{"required": ["party"]}, {"required": ["customer"]}],
        },
    )

    party: MaybeId = None
    customer: RowNumber | SkipJsonSchema[None] = None
    product_line: Line = Field(default="", description="Empty: every line.")
    cause: Words = ""

    @model_validator(mode="after")
    def _one_of_them(self) -> Protect:
        given = self.model_fields_set & {"party", "customer"}
        if len(given) != 1 or getattr(self, given.pop()) is None:
            raise ValueError("give the party or the customer")
        return self


@router.get("/direct", operation_id="list_direct_customers", responses=listed(DealRegistrations, shapes.OURS), response_class=Response)
def list_direct(asked: Annotated[DirectFilters, Query()], who: Decider, engine: EngineDep, db: Db) -> Response:
    """Customers that we serve ourselves, protected without end; each is released like any registration."""
    page = paged(engine, db, who, REGISTRATIONS, asked, and_also=DIRECT)
    return answer(page | {"items": [shapes.registration(row, who.role) for row in page["items"]]})


@router.post(
    "/direct",
    operation_id="protect_direct_customer",
    status_code=201,
    responses=acted(
        DealRegistration,
        shapes.OURS | {"dealer": None, "dealer_name": None, "reason": "direct_customer", "events": [shapes.EVENT], "decision": None},
        "Protected.",
        CustomerNotFound,
        RecordNotFound,
        StillHeld,
        Contended,
        status=201,
    ),
    response_class=Response,
)
def protect_direct(told: Protect, act: Annotated[Action, doing("registration.protect", Scope.DEALS_DECIDE)]) -> Response:
    """Protect a customer for ourselves, without end; refused while a dealer holds it."""
    act.on(f"party:{told.party}" if told.party else f"customer:{told.customer}")
    with act.engine.connection() as db:
        customer = of_party(db, told.party) if told.party else told.customer
        if customer is None:
            raise CustomerNotFound
        made = acting.protect_direct(db, customer, act.by, told.cause, told.product_line)
    with act.engine.reading() as reading:
        return act.done(whole(reading, act.caller, made), 201)


only("/direct", "GET", "POST")

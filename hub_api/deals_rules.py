"""Protection policies and fences, as people set them; and what was found outside of fences. Nothing is deleted: rules end with a day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.deals import fencing, policing
from channel.deals.fences import Fence
from channel.deals.policies import Policy
from hub_api.actions import Action, doing
from hub_api.deals import only
from hub_api.deals_lists import FENCES, HITS, POLICIES
from hub_api.deals_problems import BadFence, BadPolicy, FenceNotFound, PolicyNotFound, PolicyOverlaps, UnknownDealer
from hub_api.deals_shapes import Amount, Industry, Line, Region, Words
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.lists import one
from hub_api.pages import Maybe, MaybeId, Number, Paged, acted, answer, listed, paged
from hub_api.permissions import Scope
from hub_api.problems import RecordNotFound
from hub_api.shapes import Days, DayText, Flag, SomeDays

router = APIRouter(prefix="/v1/deals", tags=["deal rules"])
Reader = Annotated[Caller, may(Scope.DEALS_DECIDE)]
Ruler = Annotated[Action, doing("deals.rule", Scope.DEALS_RULES)]
Day = DayText | SkipJsonSchema[None]


class OnDay(Paged):
    """Rules of one day."""

    on: Day = Field(default=None, description="Only what holds on this day (Asia/Shanghai).")


class FenceFilters(OnDay):
    """Filters of the list."""

    dealer: MaybeId = None


class PolicyFilters(OnDay):
    """Filters of the list."""

    product_line: Maybe = None


class End(BaseModel):
    """The last day that it holds."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"last_day": "2026-12-31"}})

    last_day: Day = Field(default=None, description="Asia/Shanghai; today when left out.")


# Policies ---------------------------------------------------------------------------------------------------------------


class PolicySet(BaseModel):
    """What registrations are granted. An empty condition holds for everything; the policy with the most conditions wins."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"product_line": "水泵", "region": "31", "days": 120, "approval": "person", "valid_from": "2027-01-01"},
            "dependentRequired": {"min_amount": ["currency"], "currency": ["min_amount"]},
        },
    )

    product_line: Line = ""
    region: Region = Field(default="", description="GB/T 2260 prefix.")
    channel_type: Line = Field(default="", description="Of the dealer.")
    min_amount: Annotated[Amount, Field(pattern=r"[1-9]")] | SkipJsonSchema[None] = Field(
        default=None, description="Deals of at least this."
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | SkipJsonSchema[None] = None
    days: SomeDays = Field(default=90, description="Business days of Asia/Shanghai that it is protected for.")
    extension_days: Days = Field(default=30, description="0: no extension.")
    extend_within_days: Days = Field(default=14, description="How long before the end it may be asked for.")
    approval: Literal["rule", "person"] = "rule"
    inactive_days: SomeDays | SkipJsonSchema[None] = Field(default=None, description="Idle for longer is taken back; left out: never.")
    review_days: SomeDays = Field(default=2, description="A question to a person that is older is late.")
    reminders: list[Days] = Field(default=[14, 7, 1], max_length=20, description="Days before the end.")
    valid_from: Day = Field(default=None, description="Today when left out.")
    valid_to: Day = Field(default=None, description="Without end when left out.")
    note: Words = ""

    @model_validator(mode="after")
    def _size_with_currency(self) -> Self:
        if (self.min_amount is None) != (self.currency is None):
            raise ValueError("a size of deals needs a currency, and a currency a size")
        return self

    def policy(self) -> Policy:
        """As the rules want it."""
        given = self.model_dump(exclude={"note", "valid_from", "valid_to", "min_amount", "currency", "reminders"})
        return Policy(
            **given,
            min_amount=None if self.min_amount is None else Decimal(self.min_amount),
            currency=self.currency or "",
            reminders=tuple(self.reminders),
            valid_from=_day(self.valid_from) or date.min,
            valid_to=_day(self.valid_to) or date.max,
        )


class PolicyOut(BaseModel):
    """A policy."""

    id: int
    product_line: str
    region: str
    channel_type: str
    min_amount: Decimal | None
    currency: str
    days: int
    extension_days: int
    extend_within_days: int
    approval: Literal["rule", "person"]
    inactive_days: int | None
    review_days: int
    reminders: list[int]
    valid_from: date | None = Field(description="Null: always did.")
    valid_to: date | None = Field(description="Null: without end.")
    note: str
    edited_by: str
    edited_at: datetime


class Policies(BaseModel):
    """A page of policies."""

    items: list[PolicyOut]
    next: str | None


POLICY: dict[str, Any] = {
    "id": 1,
    "product_line": "",
    "region": "",
    "channel_type": "",
    "min_amount": None,
    "currency": "",
    "days": 90,
    "extension_days": 30,
    "extend_within_days": 14,
    "approval": "rule",
    "inactive_days": None,
    "review_days": 2,
    "reminders": [14, 7, 1],
    "valid_from": None,
    "valid_to": None,
    "note": "90 days for everyone",
    "edited_by": "hub",
    "edited_at": "2026-01-05T02:11:12Z",
}


@router.get("/policies", operation_id="list_deal_policies", responses=listed(Policies, POLICY), response_class=Response)
def list_policies(asked: Annotated[PolicyFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Protection policies, newest first, also those that are over."""
    return answer(paged(engine, db, who, POLICIES, asked))


@router.post(
    "/policies",
    operation_id="set_deal_policy",
    status_code=201,
    responses=acted(PolicyOut, POLICY, "The policy.", BadPolicy, PolicyOverlaps, status=201),
    response_class=Response,
)
def set_policy(told: PolicySet, act: Ruler) -> Response:
    """Let a policy hold from a day on; one with the same conditions ends the day before. Registrations keep what they were granted."""
    act.on("deal_policy")
    with act.engine.connection() as db:
        made = policing.set_policy(db, told.policy(), act.by, told.note)
    return act.done_with(POLICIES, status=201, id=made.id)


only("/policies", "GET", "POST")


@router.post(
    "/policies/{policy_id:int}/end",
    operation_id="end_deal_policy",
    responses=acted(PolicyOut, POLICY, "The policy.", PolicyNotFound, RecordNotFound),
    response_class=Response,
)
def end_policy(policy_id: Number, told: End, act: Ruler) -> Response:
    """Let a policy end with a day."""
    act.on(f"deal_policy:{policy_id}")
    with act.engine.connection() as db:
        policing.end_policy(db, policy_id, act.by, last_day=_day(told.last_day))
    return act.done_with(POLICIES, id=policy_id)


# Fences -----------------------------------------------------------------------------------------------------------------


class FenceSet(BaseModel):
    """One allowed area of a dealer. An empty condition holds for everything."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"dealer": "01931f5e-7c00-7000-8000-00000000000a", "region": "31", "product_line": "水泵", "exclusive": True}
        },
    )

    dealer: UUID
    region: Region = Field(default="", description="GB/T 2260 prefix.")
    industry: Industry = Field(default="", description="GB/T 4754 prefix.")
    product_line: Line = ""
    exclusive: Flag = Field(default=False, description="Nobody else may sell there.")
    outside: Literal["block", "flag"] = Field(default="block", description="What becomes of a claim or order outside.")
    valid_from: Day = Field(default=None, description="Always did when left out.")
    valid_to: Day = Field(default=None, description="Without end when left out.")
    note: Words = ""

    def fence(self) -> Fence:
        """As the rules want it."""
        return Fence(
            0, self.dealer, self.region, self.industry, self.product_line, self.exclusive, self.outside,
            _day(self.valid_from) or date.min, _day(self.valid_to) or date.max,
        )  # fmt: skip


class FenceOut(BaseModel):
    """A fence."""

    id: int
    dealer: UUID
    dealer_name: str | None
    region: str
    industry: str
    product_line: str
    exclusive: bool
    outside: Literal["block", "flag"]
    valid_from: date | None
    valid_to: date | None
    note: str
    edited_by: str
    edited_at: datetime


class FenceMade(FenceOut):
    """A fence that was just put up."""

    contradicts: list[int] = Field(description="Exclusive fences of other dealers that promise the same place.")


class Fences(BaseModel):
    """A page of fences."""

    items: list[FenceOut]
    next: str | None


FENCE: dict[str, Any] = {
    "id": 7,
    "dealer": "01931f5e-7c00-7000-8000-00000000000a",
    "dealer_name": "上海东方工业设备有限公司",
    "region": "31",
    "industry": "",
    "product_line": "水泵",
    "exclusive": True,
    "outside": "block",
    "valid_from": "2026-01-01",
    "valid_to": None,
    "note": "",
    "edited_by": "api:it",
    "edited_at": "2026-01-05T02:11:12Z",
}


@router.get("/fences", operation_id="list_fences", responses=listed(Fences, FENCE), response_class=Response)
def list_fences(asked: Annotated[FenceFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Fences, newest first, also those that are over."""
    return answer(paged(engine, db, who, FENCES, asked))


@router.post(
    "/fences",
    operation_id="put_up_fence",
    status_code=201,
    responses=acted(FenceMade, FENCE | {"contradicts": []}, "The fence.", BadFence, UnknownDealer, status=201),
    response_class=Response,
)
def put_up_fence(told: FenceSet, act: Ruler) -> Response:
    """Put up a fence. One that contradicts another is put up all the same, and named."""
    act.on(f"fence of dealer:{told.dealer}")
    with act.engine.connection() as db:
        made, others = fencing.add(db, told.fence(), act.by, told.note)
    with act.engine.reading() as reading:
        return act.done((one(reading, FENCES, id=made.id) or {}) | {"contradicts": [other.id for other in others]}, 201)


only("/fences", "GET", "POST")


@router.post(
    "/fences/{fence_id:int}/end",
    operation_id="end_fence",
    responses=acted(FenceOut, FENCE, "The fence.", FenceNotFound, RecordNotFound),
    response_class=Response,
)
def end_fence(fence_id: Number, told: End, act: Ruler) -> Response:
    """Let a fence end with a day."""
    act.on(f"fence:{fence_id}")
    with act.engine.connection() as db:
        fencing.end(db, fence_id, act.by, last_day=_day(told.last_day))
    return act.done_with(FENCES, id=fence_id)


class HitFilters(Paged):
    """Filters of the list."""

    state: Literal["open", "accepted", "refused"] | SkipJsonSchema[None] = None
    dealer: MaybeId = None
    subject: Maybe = Field(default=None, description="`registration:<id>`, `order:<id>`, `shipment:<id>`.")


class HitOut(BaseModel):
    """A claim, order or shipment outside of where its dealer may sell."""

    id: int
    at: datetime
    subject: str
    dealer: UUID
    dealer_name: str | None
    fence: int | None
    effect: Literal["block", "flag"]
    code: str
    facts: dict[str, Any]
    state: Literal["open", "accepted", "refused"]
    decided_by: str | None
    decided_at: datetime | None
    reason: str


class Hits(BaseModel):
    """A page of them."""

    items: list[HitOut]
    next: str | None


class HitDecision(BaseModel):
    """A person's answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"answer": "accepted", "reason": "已与当地经销商协商"}})

    answer: Literal["accepted", "refused"]
    reason: Words = ""


HIT: dict[str, Any] = {
    "id": 3,
    "at": "2026-01-05T02:11:12Z",
    "subject": "shipment:01931f5e-7c00-7000-8000-0000000000ee",
    "dealer": "01931f5e-7c00-7000-8000-00000000000a",
    "dealer_name": "上海东方工业设备有限公司",
    "fence": 7,
    "effect": "flag",
    "code": "outside_own_area",
    "facts": {"region": "5101", "industry": "", "product_line": "水泵"},
    "state": "open",
    "decided_by": None,
    "decided_at": None,
    "reason": "",
}


@router.get("/fence-hits", operation_id="list_fence_hits", responses=listed(Hits, HIT), response_class=Response)
def list_hits(asked: Annotated[HitFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """What was found outside of fences, newest first."""
    return answer(paged(engine, db, who, HITS, asked))


only("/fence-hits", "GET")


@router.post(
    "/fence-hits/{hit_id:int}/settle",
    operation_id="settle_fence_hit",
    responses=acted(HitOut, HIT | {"state": "accepted", "decided_by": "api:li"}, "The hit, settled.", FenceNotFound, RecordNotFound),
    response_class=Response,
)
def settle_hit(hit_id: Number, told: HitDecision, act: Annotated[Action, doing("fence.settle", Scope.DEALS_DECIDE)]) -> Response:
    """Say whether goods outside of a fence are accepted."""
    act.on(f"fence_hit:{hit_id}", answer=told.answer)
    with act.engine.connection() as db:
        fencing.settle_hit(db, hit_id, told.answer, act.by, told.reason)
    return act.done_with(HITS, id=hit_id)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None

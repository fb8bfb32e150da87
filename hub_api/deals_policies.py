"""Protection policies, as people set them. Nothing is deleted: a policy ends with a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.deals import policing
from channel.deals.policies import Policy
from hub_api.actions import Action, doing
from hub_api.deals import only
from hub_api.deals_days import Day, End, Lasting, OnDay, day_of
from hub_api.deals_lists import POLICIES
from hub_api.deals_problems import BadPolicy, EndsBeforeItBegins, PolicyNotFound, PolicyOverlaps
from hub_api.deals_shapes import Amount, Line, Region, Words
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, Number, acted, answer, listed, paged
from hub_api.permissions import Scope
from hub_api.problems import RecordNotFound
from hub_api.shapes import Days, SomeDays

router = APIRouter(prefix="/v1/deals", tags=["deal rules"])
Reader = Annotated[Caller, may(Scope.DEALS_DECIDE)]
Ruler = Annotated[Action, doing("deals.rule", Scope.DEALS_RULES)]


class PolicyFilters(OnDay):
    """Filters of the list."""

    product_line: Maybe = None


class PolicySet(BaseModel):
    """What registrations are granted. An empty condition holds for everything; the policy with the most conditions wins."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"product_line": "水泵", "region": "31", "days": 120, "approval": "person", "valid_from": "2027-01-01"},
        },
    )

    product_line: Line = ""
    region: Region = Field(default="", description="GB/T 2260 prefix.")
    channel_type: Line = Field(default="", description="Of the dealer.")
    min_amount: Amount | SkipJsonSchema[None] = Field(default=None, description="Deals of at least this, more than nothing.")
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

    def policy(self) -> Policy:
        """As the rules want it."""
        given = self.model_dump(exclude={"note", "valid_from", "valid_to", "min_amount", "currency", "reminders"})
        return Policy(
            **given,
            min_amount=None if self.min_amount is None else Decimal(self.min_amount),
            currency=self.currency or "",
            reminders=tuple(self.reminders),
            valid_from=day_of(self.valid_from) or date.min,
            valid_to=day_of(self.valid_to) or date.max,
        )


class PolicyOut(Lasting):
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
    responses=acted(PolicyOut, POLICY, "The policy.", BadPolicy, EndsBeforeItBegins, PolicyOverlaps, status=201),
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
        policing.end_policy(db, policy_id, act.by, last_day=day_of(told.last_day))
    return act.done_with(POLICIES, id=policy_id)

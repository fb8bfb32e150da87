"""Leads: handed in by dealers, forms and our own people, given to a dealer, and turned into customer, contact and deal.

Lists, single leads and edits are `/v1/leads` like every record.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import engine_calls, queries
from hub_api.actions import Action, doing
from hub_api.deals import dealer_of
from hub_api.deals_problems import BadClaim, LeadNotConvertible, PipelineNotFound, UnknownDealer
from hub_api.deals_shapes import Amount, Industry, Line, Message, Part, Region, Words
from hub_api.deps import Cursor, Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import MaybeId, acted, answer, ok
from hub_api.permissions import Role, Scope
from hub_api.problems import RecordNotFound, Stale, problems
from hub_api.records import sight, whole
from hub_api.shapes import SAYS, DayText, Flag, shape

router = APIRouter(prefix="/v1/leads", tags=["leads"])
LeadId = Annotated[UUID, Path(description="The lead.")]
Owner = Annotated[Action, doing("lead.decide", Scope.DEALS_DECIDE)]
_LEAD = shape("lead")


def _there(db: Cursor, who: Caller, lead: UUID) -> None:
    """Raises: RecordNotFound for a lead that the caller may not see."""
    if queries.one(db, sight(who, "lead"), queries.party_tree(db, who.party), lead) is None:
        raise RecordNotFound


class HandedIn(BaseModel):
    """A lead."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"company_name": "苏州明基机电有限公司", "person": "李工", "mobile": "13900001111", "interest": "水泵改造"}
        },
    )

    company_name: Annotated[str, Field(max_length=500, pattern=SAYS)]
    person: Part = ""
    mobile: Part = ""
    email: Part = ""
    source: Literal["fair", "web", "phone", "referral", "dealer", "other"] | SkipJsonSchema[None] = Field(
        default=None, description="Where it comes from; `dealer` for a dealer's key."
    )
    industry: Industry = Field(default="", description="GB/T 4754.")
    region: Region = Field(default="", description="GB/T 2260.")
    product_line: Line = ""
    interest: Words = Field(default="", description="What is asked for.")
    dealer: MaybeId = Field(default=None, description="To whom it is given. A dealer's own key leaves it out: it is his.")


@router.post(
    "",
    operation_id="hand_in_lead",
    status_code=201,
    responses=acted(_LEAD.record, _LEAD.example, "The lead.", UnknownDealer, BadClaim, status=201)
    | ok(_LEAD.record, _LEAD.example, "It was handed in before with this Idempotency-Key."),
    response_class=Response,
)
def hand_in(told: HandedIn, act: Annotated[Action, doing("lead.hand_in", Scope.DEALS_REGISTER)], engine: EngineDep) -> Response:
    """Hand in a lead: a trade-fair card, an enquiry of a web form, a dealer's project. It protects nothing: register for that."""
    who = act.caller
    fields = {name: value for name, value in told.model_dump(mode="json", exclude={"dealer", "source"}).items() if value}
    if not told.company_name.strip():
        raise BadClaim("The lead names no company.")
    if who.role is Role.DEALER or told.dealer is not None:
        fields["dealer"] = str(dealer_of(engine, who, told.dealer))
    fields |= {"source": told.source or ("dealer" if who.role is Role.DEALER else "other"), "status": "new"}
    act.on("lead", fields=sorted(fields))
    key = act.idempotency_key and f"{who.key_id}/{act.idempotency_key}"
    lead, new = engine_calls.hand_in_lead(engine.hub, fields, by=act.by, key=key or act.request_id)
    with engine.reading() as db:
        return act.done(whole(engine, db, who, "lead", lead)[0], 201 if new else 200)


class Candidate(BaseModel):
    """A dealer who may get the lead."""

    dealer: UUID
    fence: int
    exclusive: bool
    open_leads: int
    why: Message


class Candidates(BaseModel):
    """Dealers, best first."""

    items: list[Candidate]


@router.get(
    "/{record_id}/dealers",
    operation_id="suggest_dealers",
    responses=ok(
        Candidates,
        {
            "items": [
                {
                    "dealer": "01931f5e-7c00-7000-8000-00000000000a", "fence": 7, "exclusive": True, "open_leads": 2,
                    "why": {"zh": "独家授权区域内", "en": "inside an exclusive area"},
                }
            ]
        },
        "Dealers, best first.",
    )
    | problems(RecordNotFound),
    response_class=Response,
)  # fmt: skip
def suggest(record_id: LeadId, who: Annotated[Caller, may(Scope.DEALS_DECIDE)], engine: EngineDep, db: Db) -> Response:
    """Dealers whose fences hold the lead's place: exclusive before others, the narrower first, then who has fewer open leads."""
    _there(db, who, record_id)
    return answer({"items": engine_calls.suggest_dealers(engine.hub, record_id)})


class Given(BaseModel):
    """To whom the lead goes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"dealer": "01931f5e-7c00-7000-8000-00000000000a"}})

    dealer: MaybeId = None
    salesperson: Annotated[str, Field(max_length=200, pattern=SAYS)] | SkipJsonSchema[None] = Field(
        default=None, description="Canonical code of the salesperson."
    )


@router.post(
    "/{record_id}/assign",
    operation_id="assign_lead",
    responses=acted(_LEAD.record, _LEAD.example, "The lead.", RecordNotFound, UnknownDealer, Stale),
    response_class=Response,
)
def assign(record_id: LeadId, told: Given, act: Owner, engine: EngineDep) -> Response:
    """Give a lead to a dealer, a salesperson, or both."""
    with engine.reading() as db:
        _there(db, act.caller, record_id)
    if told.dealer is not None:
        dealer_of(engine, act.caller, told.dealer)
    act.on(f"lead:{record_id}")
    engine_calls.assign_lead(engine.hub, record_id, dealer=told.dealer, salesperson=told.salesperson, by=act.by)
    with engine.reading() as db:
        return act.done(whole(engine, db, act.caller, "lead", record_id)[0])


class DealOfLead(BaseModel):
    """What is known about the deal beside the lead."""

    model_config = ConfigDict(extra="forbid")

    name: Part = ""
    pipeline: Line = ""
    expected_amount: Amount | SkipJsonSchema[None] = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | SkipJsonSchema[None] = None
    expected_close: DayText | SkipJsonSchema[None] = None


class Convert(BaseModel):
    """How the lead becomes a deal."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"deal": {"expected_amount": "200000", "currency": "CNY"}}})

    party: MaybeId = Field(default=None, description="The customer, where the lead may mean one that is known.")
    new_party: Flag = Field(default=False, description="It is none of those that are known.")
    deal: DealOfLead | SkipJsonSchema[None] = None


class ConversionOut(BaseModel):
    """What the lead became."""

    party: UUID
    contact: UUID | None
    deal: UUID
    new_party: bool = Field(description="The customer was not known before.")
    repeated: bool = Field(description="It had been converted before; nothing was done now.")


_CONVERTED = {
    "party": "01931f5e-7c00-7000-8000-00000000000c",
    "contact": "01931f5e-7c00-7000-8000-00000000000e",
    "deal": "01931f5e-7c00-7000-8000-0000000000dd",
    "new_party": True,
    "repeated": False,
}


@router.post(
    "/{record_id}/convert",
    operation_id="convert_lead",
    responses=acted(ConversionOut, _CONVERTED, "What it became.", RecordNotFound, LeadNotConvertible, PipelineNotFound),
    response_class=Response,
)
def convert(record_id: LeadId, told: Convert, act: Owner, engine: EngineDep) -> Response:
    """Turn a lead into customer, contact and deal, once, with nothing typed again; source, owner and first talk go along."""
    with engine.reading() as db:
        _there(db, act.caller, record_id)
        if (
            told.party is not None
            and queries.one(db, sight(act.caller, "party"), queries.party_tree(db, act.caller.party), told.party) is None
        ):
            raise RecordNotFound
    act.on(f"lead:{record_id}")
    deal: dict[str, Any] = {name: value for name, value in (told.deal.model_dump(mode="json") if told.deal else {}).items() if value}
    return act.done(engine_calls.convert_lead(engine.hub, record_id, by=act.by, party=told.party, new_party=told.new_party, deal=deal))

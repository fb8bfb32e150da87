"""Registrations of deals: is a customer free, register it, and what dealers and our people do with a registration afterwards.

`/v1/deals` itself holds the deals of the pipeline, as records; a POST to it registers a customer, and `/v1/deals/registrations` holds what
came of that. A dealer's key sees the registrations of its own party and no trace of any other.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.deals import acting, queries, service
from channel.deals.errors import RegistrationNotFound as NoSuchRegistration
from channel.deals.explanation import explain
from channel.deals.registrations import Registered
from hub_api import deals_shapes as shapes
from hub_api import engine_calls, lists
from hub_api.actions import Action, doing
from hub_api.deals_lists import REGISTRATIONS
from hub_api.deals_problems import (
    BadClaim,
    ClaimKeyReused,
    Contended,
    KeysOutdated,
    NotExtendable,
    RegistrationNotFound,
    RegistrationRefused,
    StillHeld,
    TooManyChecks,
    UnknownDealer,
    WrongStatus,
)
from hub_api.deals_shapes import DealRegistration, DealRegistrations, Free, Question, Register, RegistrationOut, Status, Words
from hub_api.deps import Cursor, Db, Engine, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, MaybeId, Paged, acted, answer, listed, ok, paged
from hub_api.permissions import Role, Scope
from hub_api.problems import BadParameters, FieldNotAllowed, InvalidPayload, MethodNotAllowed, RecordNotFound, Unreadable, problems
from hub_api.shapes import Flag, MomentText

router = APIRouter(prefix="/v1/deals", tags=["registrations"])

RegistrationId = Annotated[UUID, Path(description="The registration.")]
Reader = Annotated[Caller, may(Scope.DEALS_READ)]
Asker = Annotated[Caller, may(Scope.DEALS_REGISTER)]
_CLAIM = (BadClaim, UnknownDealer, TooManyChecks, KeysOutdated)


def only(address: str, *allowed: str) -> None:
    """Say that a fixed address takes no other method; else `/v1/deals/<id>` would take it for the id of a record."""

    def refuse() -> None:
        raise MethodNotAllowed(allow=", ".join(allowed))

    others = [method for method in ("GET", "PATCH") if method not in allowed]
    router.add_api_route(address, refuse, methods=others, include_in_schema=False)


def dealer_of(engine: Engine, who: Caller, named: UUID | None) -> UUID:
    """The dealer that something is done for: the caller's own party, or the one that our own people name.

    Raises: UnknownDealer.
    """
    if who.role is Role.DEALER:
        if who.party is None or named not in (None, who.party):
            raise UnknownDealer("A dealer's key acts for its own party only: leave `dealer` out.")
        return who.party
    if named is None:
        raise UnknownDealer("This key belongs to no dealer: name one in `dealer`.")
    with engine.connection() as db:
        if queries.dealer(db, named) is None:
            raise UnknownDealer
    return named


def actor(who: Caller) -> str:
    """How the history of registrations names the caller."""
    return f"dealer:{who.party}" if who.role is Role.DEALER else who.actor


def whole(db: Cursor, who: Caller, registration_id: UUID) -> dict[str, Any]:
    """A registration with its events and, for our own people, the decision explained. Raises: RegistrationNotFound."""
    row = lists.one(db, REGISTRATIONS, id=registration_id, dealer=_own(who))
    if row is None:
        raise RegistrationNotFound
    told = [shapes.event(one, who.role) for one in queries.events(db.connection, registration_id)]
    shown = shapes.registration(row, who.role) | {"events": [one for one in told if one is not None]}
    if who.role is Role.DEALER:
        return shown
    try:
        return shown | {"decision": shapes.decision(explain(db.connection, registration_id))}
    except NoSuchRegistration:  # direct, or received by a transfer: no matcher decided it
        return shown | {"decision": None}


def _own(who: Caller) -> UUID | None:
    return who.party if who.role is Role.DEALER else None


class RegistrationFilters(Paged):
    """Filters of the list."""

    status: Status | SkipJsonSchema[None] = None
    product_line: Maybe = None
    deal: MaybeId = Field(default=None, description="The deal that it became.")
    ends_before: MomentText | SkipJsonSchema[None] = Field(default=None, description="Only protections that end before this.")
    dealer: MaybeId = Field(default=None, description="Not for dealers.")
    customer: Annotated[int, Field(ge=1, le=2**63 - 1)] | SkipJsonSchema[None] = Field(default=None, description="Not for dealers.")


@router.post(
    "/check",
    operation_id="check_deal",
    responses=ok(Free, {"free": "yes", "yours": False, "left_this_hour": 59}, "The answer.")
    | problems(BadParameters, Unreadable, InvalidPayload, *_CLAIM),
    response_class=Response,
)
def check(asked: Question, who: Asker, engine: EngineDep) -> Response:
    """Is this customer free? Answered without naming anybody; how much may be asked is limited (429 with Retry-After)."""
    dealer = dealer_of(engine, who, asked.dealer)
    with engine.connection() as db:
        told = service.check(db, dealer, asked.claim(), region=asked.region, industry=asked.industry)
    return answer({"free": told.free, "yours": told.yours, "left_this_hour": told.left_this_hour})


only("/check", "POST")


@router.post(
    "",
    operation_id="register_deal",
    status_code=201,
    responses=acted(
        RegistrationOut, shapes.SHORT, "Protected, or waiting for a person (`submitted`, `held`).", RegistrationRefused, Contended,
        ClaimKeyReused, *_CLAIM, status=201,
    )
    | ok(RegistrationOut, shapes.SHORT | {"repeated": True}, "It is registered for this dealer already."),
    response_class=Response,
)  # fmt: skip
def register(asked: Register, act: Annotated[Action, doing("deal.register", Scope.DEALS_REGISTER)], engine: EngineDep) -> Response:
    """Register a customer: first registered, first protected. A refusal is a 409 with the reason; it is on record and may be appealed."""
    dealer = dealer_of(engine, act.caller, asked.dealer)
    act.on(f"dealer:{dealer}")
    with engine.connection() as db:
        told = service.register(
            db,
            dealer,
            asked.claim(),
            idempotency_key=act.idempotency_key and f"{act.caller.key_id}/{act.idempotency_key}",
            amount=None if asked.amount is None else Decimal(asked.amount),
            currency=asked.currency or "",
            region=asked.region,
            industry=asked.industry,
            actor=actor(act.caller),
        )
    engine_calls.tell_deals(engine.hub)
    shown = shapes.registered(told)
    if told.status == "rejected":
        raise RegistrationRefused(shown["message"]["en"] + ".", registration=shown)
    response = act.done(shown, 200 if told.repeated else 201)
    response.headers["Location"] = f"/v1/deals/registrations/{told.id}"
    return response


@router.get(
    "/registrations",
    operation_id="list_registrations",
    responses=listed(DealRegistrations, shapes.OURS, FieldNotAllowed),
    response_class=Response,
)
def list_registrations(asked: Annotated[RegistrationFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Registrations, newest first; a dealer's key sees its own."""
    if who.role is Role.DEALER and (asked.customer is not None or asked.dealer is not None):
        raise FieldNotAllowed
    page = paged(engine, db, who, REGISTRATIONS, asked, more={"dealer": who.party} if who.role is Role.DEALER else None)
    return answer(page | {"items": [shapes.registration(row, who.role) for row in page["items"]]})


only("/registrations", "GET")

_EXAMPLE = shapes.OURS | {"events": [shapes.EVENT], "decision": shapes.DECISION}


@router.get(
    "/registrations/{registration_id}",
    operation_id="get_registration",
    responses=ok(DealRegistration, _EXAMPLE, "The registration.") | problems(RegistrationNotFound, RecordNotFound),
    response_class=Response,
)
def get_registration(registration_id: RegistrationId, who: Reader, db: Db) -> Response:
    """One registration with its events; for our own people also why it was decided so."""
    return answer(whole(db, who, registration_id))


# What is done to a registration ---------------------------------------------------------------------------------------

_REFUSALS = (RegistrationNotFound, RecordNotFound, WrongStatus, Contended)
Registrar = Annotated[Action, doing("registration.change", Scope.DEALS_REGISTER)]


def changed(*more: Any) -> dict[int | str, dict[str, Any]]:
    """How an action on a registration documents its answers."""
    return acted(DealRegistration, _EXAMPLE, "The registration as it stands now.", *_REFUSALS, *more)


def act_on(act: Action, registration_id: UUID, what: str, work: Callable[[Any], Registered | None], **facts: Any) -> Response:
    """Do it, and answer with the registration as it stands now: the one that came out of it, if that is another one."""
    act.name = f"registration.{what}"
    act.on(f"registration:{registration_id}", **facts)
    with act.engine.connection() as db:
        told = work(db)
    engine_calls.tell_deals(act.engine.hub)
    with act.engine.reading() as reading:
        return act.done(whole(reading, act.caller, told.id if told else registration_id))


class Why(BaseModel):
    """Why it is done."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"cause": "客户取消了项目"}})

    cause: Words = Field(default="", description="For those who ask later.")


class Evidence(BaseModel):
    """What was done for the customer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"evidence": ["2026-03-20 拜访, 已提交样品"]}})

    evidence: list[Words] = Field(default=[], max_length=20, description="Visits, quotes, samples, tenders.")


class Worked(BaseModel):
    """Work that was done."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"what": "拜访客户, 提交报价"}})

    what: Words


class Became(BaseModel):
    """The deal that it became."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"deal": "01931f5e-7c00-7000-8000-0000000000dd"}})

    deal: MaybeId = Field(default=None, description="A deal that there is already; left out, one is made of what the registration holds.")


@router.post("/registrations/{registration_id}/appeal", operation_id="appeal_registration", responses=changed(), response_class=Response)
def appeal(registration_id: RegistrationId, why: Why, act: Registrar) -> Response:
    """Ask a person to look at a refusal again; once."""

    def work(db: Any) -> Registered:
        mine = acting.found(db, registration_id, _own(act.caller))
        if mine.dealer_id is None:
            raise NoSuchRegistration("a customer of our own")
        return acting.appeal(db, registration_id, mine.dealer_id, why.cause)

    return act_on(act, registration_id, "appeal", work)


@router.post(
    "/registrations/{registration_id}/extend", operation_id="extend_registration", responses=changed(NotExtendable), response_class=Response
)
def extend(registration_id: RegistrationId, told: Evidence, act: Registrar) -> Response:
    """Protect it for longer: once, near its end, with evidence of work."""
    who = act.caller
    return act_on(act, registration_id, "extend", lambda db: acting.extend(db, registration_id, actor(who), told.evidence, _own(who)))


@router.post("/registrations/{registration_id}/release", operation_id="release_registration", responses=changed(), response_class=Response)
def release(registration_id: RegistrationId, why: Why, act: Registrar) -> Response:
    """Give a customer up; whoever waits for it is let in."""
    who = act.caller
    return act_on(act, registration_id, "release", lambda db: acting.release(db, registration_id, actor(who), why.cause, _own(who)))


@router.post("/registrations/{registration_id}/activity", operation_id="note_activity", responses=changed(), response_class=Response)
def activity(registration_id: RegistrationId, worked: Worked, act: Registrar) -> Response:
    """Note work on it: it is not idle."""
    who = act.caller

    def work(db: Any) -> None:
        acting.found(db, registration_id, _own(who))
        acting.note_activity(db, registration_id, worked.what, actor(who))

    return act_on(act, registration_id, "activity", work)


@router.post("/registrations/{registration_id}/convert", operation_id="convert_registration", responses=changed(), response_class=Response)
def convert(registration_id: RegistrationId, became: Became, act: Registrar) -> Response:
    """Let it be a deal of the pipeline; the customer stays protected until its end."""
    who = act.caller

    def work(_db: Any) -> None:
        engine_calls.convert_registration(act.engine.hub, registration_id, became.deal, by=actor(who), dealer=_own(who))

    return act_on(act, registration_id, "convert", work)


# For our own people -------------------------------------------------------------------------------------------------------

Decider = Annotated[Action, doing("registration.decide", Scope.DEALS_DECIDE)]


class AppealDecision(BaseModel):
    """The answer to an appeal."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"answer": "grant", "other_firm": True, "cause": "是另一家公司, 信用代码不同"}}
    )

    answer: Literal["grant", "deny"]
    other_firm: Flag = Field(default=False, description="The claim means another firm than the one that is held; kept apart for ever.")
    end_holder: Flag = Field(default=False, description="The customer is taken back from who holds it.")
    cause: Words = ""


class Transfer(BaseModel):
    """To whom it goes."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"to": "01931f5e-7c00-7000-8000-00000000000b", "cause": "经销商调整"}}
    )

    to: UUID = Field(description="The dealer's party.")
    cause: Words = ""


@router.post("/registrations/{registration_id}/approve", operation_id="approve_registration", responses=changed(), response_class=Response)
def approve(registration_id: RegistrationId, why: Why, act: Decider) -> Response:
    """Approve what waits for it: protected from now on, for the days of its policy."""
    return act_on(act, registration_id, "approve", lambda db: acting.approve(db, registration_id, act.by, why.cause))


@router.post("/registrations/{registration_id}/reject", operation_id="reject_registration", responses=changed(), response_class=Response)
def reject(registration_id: RegistrationId, why: Why, act: Decider) -> Response:
    """Refuse what waits; the customer is free again."""
    return act_on(act, registration_id, "reject", lambda db: acting.reject(db, registration_id, act.by, why.cause))


@router.post(
    "/registrations/{registration_id}/decide-appeal", operation_id="decide_appeal", responses=changed(StillHeld), response_class=Response
)
def decide_appeal(registration_id: RegistrationId, told: AppealDecision, act: Decider) -> Response:
    """Answer an appeal."""

    def work(db: Any) -> Registered:
        if told.answer == "deny":
            return acting.deny_appeal(db, registration_id, act.by, told.cause)
        return acting.grant_appeal(db, registration_id, act.by, told.cause, other_firm=told.other_firm, end_holder=told.end_holder)

    return act_on(act, registration_id, "decide_appeal", work, answer=told.answer)


@router.post(
    "/registrations/{registration_id}/transfer",
    operation_id="transfer_registration",
    responses=changed(UnknownDealer),
    response_class=Response,
)
def transfer(registration_id: RegistrationId, told: Transfer, act: Decider) -> Response:
    """Hand it, and the deal that it became, to another dealer for the time that is left; the answer is the new dealer's registration."""

    def work(_db: Any) -> Registered:
        return engine_calls.transfer_registration(act.engine.hub, registration_id, told.to, by=act.by, cause=told.cause)

    return act_on(act, registration_id, "transfer", work)


@router.post(
    "/registrations/{registration_id}/take-back", operation_id="take_back_registration", responses=changed(), response_class=Response
)
def take_back(registration_id: RegistrationId, why: Why, act: Decider) -> Response:
    """Take a customer away from a dealer; whoever waits for it is let in."""
    return act_on(act, registration_id, "take_back", lambda db: acting.take_back(db, registration_id, act.by, why.cause))

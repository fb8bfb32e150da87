"""Market funds and claims: what a dealer may spend, what it claims, what became of it.

A dealer's key sees and hands in claims of its own party and those below it; budgets, who decided, and what the rules noted for
ourselves are not in its view.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from canonical.values import decimal_text
from channel.funds import queries
from channel.funds import service as rules
from channel.funds.handing import Evidence, Handed
from hub_api import lists
from hub_api.actions import Action, doing
from hub_api.deals_shapes import Amount, Line, Part, Words
from hub_api.deps import Cursor, Db, EngineDep, may
from hub_api.funds_problems import (
    AlreadyClaimed,
    BadAmount,
    ClaimIncomplete,
    ClaimNotFound,
    NothingToPay,
    NotTakingPart,
    TooLate,
    WrongClaimState,
)
from hub_api.keys import Caller
from hub_api.lists import Listing
from hub_api.pages import Maybe, MaybeId, Paged, acted, answer, listed, ok, paged
from hub_api.permissions import Role, Scope
from hub_api.problems import RecordNotFound, problems
from hub_api.queries import party_tree
from hub_api.rebates_problems import RebateFacts
from hub_api.shapes import TEXT, Day
from sync import funds as engine_funds

funds = APIRouter(prefix="/v1/funds", tags=["funds and claims"])
claims = APIRouter(prefix="/v1/claims", tags=["funds and claims"])
cuts = APIRouter(prefix="/v1/price-cuts", tags=["funds and claims"])
Reader = Annotated[Caller, may(Scope.FUNDS_READ)]
Number = Annotated[str, Path(max_length=40, pattern=TEXT, description="Its number, FC-2026-000001.")]
State = Literal["planned", "agreed", "submitted", "approved", "rejected", "withdrawn", "lapsed", "paid"]

FUNDS: Final = Listing(
    "SELECT f.programme, f.dealer, f.dealer_id, p.name AS dealer_name, f.period, f.currency, f.accrued, f.available, f.frozen, f.used, "
    "f.expired FROM fund_balance AS f LEFT JOIN parties AS p ON p.id = f.dealer_id",
    {"programme": "f.programme::text", "dealer": "f.dealer::text", "period": "f.period::text"},
    {"programme": "f.programme = %s", "dealer": "f.dealer_id = %s", "period": "f.period = %s", "of": "f.dealer_id = ANY(%s::uuid[])"},
    newest_first=False,
)
CLAIMS: Final = Listing(
    "SELECT c.*, p.name AS dealer_name, i.payout_id AS payout, (SELECT json_agg(json_build_object('what', e.what, 'by', e.by, "
    "'note', e.note, 'at', e.at) ORDER BY e.id) FROM fund_claim_event AS e WHERE e.claim_id = c.id) AS events FROM fund_claim AS c "
    "LEFT JOIN parties AS p ON p.id = c.dealer_id LEFT JOIN fund_payout_item AS i ON i.claim_id = c.id",
    {"id": "c.id::text"},
    {
        "id": "c.id = %s", "programme": "c.programme = %s", "state": "c.state = %s", "type": "c.type = %s", "dealer": "c.dealer_id = %s",
        "period": "c.period = %s", "of": "c.dealer_id = ANY(%s::uuid[])",
    },
)  # fmt: skip
CUTS: Final = Listing(
    "SELECT c.id, c.product, c.dealer, c.on_day, c.old_price, c.new_price, c.currency, c.note, c.at, c.by FROM price_cut AS c",
    {"id": "c.id::text"},
    {
        "product": "c.product = %s",
        "of": "(c.dealer = '' OR c.dealer IN (SELECT coalesce(nullif(p.number, ''), p.hub_key) FROM parties AS p "
        "WHERE p.id = ANY(%s::uuid[])))",
    },
)
MONEY: Final = ("accrued", "available", "frozen", "used", "expired")


class FundOut(BaseModel):
    """A dealer's fund in a period. What came in = accrued + available + frozen + used + expired."""

    programme: str
    dealer: str
    dealer_id: str | None
    dealer_name: str | None
    period: str
    currency: str
    accrued: str = Field(description="Filled, and claimable from the next period on.")
    available: str = Field(description="Can be claimed.")
    frozen: str = Field(description="Held by claims and plans that are not decided.")
    used: str = Field(description="By approved claims.")
    expired: str = Field(description="Not claimed in time.")


class FundsOut(BaseModel):
    """A page of funds."""

    items: list[FundOut]
    next: str | None


class FundFilters(Paged):
    """Filters of the list."""

    programme: Maybe = None
    dealer: MaybeId = None
    period: Maybe = None


class Proof(BaseModel):
    """Where a proof lies."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[str, Field(min_length=1, max_length=60, pattern=TEXT, description="invoice, photo, contract, …")]
    reference: Annotated[str, Field(min_length=1, max_length=500, pattern=TEXT, description="Its number or address.")]
    note: Words = ""


_HANDED: dict[str, Any] = {
    "programme": "mdf-2026", "on": "2026-11-12", "activity": "苏州泵业展会", "campaign": "2026秋季推广", "amount": "20000",
    "evidence": [{"kind": "invoice", "reference": "25312000000012345678"}, {"kind": "photo", "reference": "https://files.example/1.jpg"}],
}  # fmt: skip


class Hand(BaseModel):
    """A claim as it is handed in. Which fields a programme needs: docs/funds.md. Amounts without tax, in the programme's currency."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _HANDED})

    programme: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
    on: Day = Field(description="Business day of the activity, the sale or the price cut.")
    activity: Part = ""
    campaign: Part = ""
    amount: Amount | SkipJsonSchema[None] = Field(default=None, description="What the activity cost, or will cost.")
    product: Line = ""
    product_line: Line = ""
    brand: Line = ""
    customer: Line = ""
    project: Line = ""
    document: Line = Field(default="", description="The dealer's invoice to its customer.")
    cut: Line = Field(default="", description="The price cut, PC-2026-000001.")
    quantity: Amount | SkipJsonSchema[None] = None
    sell_price: Amount | SkipJsonSchema[None] = None
    cost_price: Amount | SkipJsonSchema[None] = None
    contract_price: Amount | SkipJsonSchema[None] = None
    old_price: Amount | SkipJsonSchema[None] = None
    serials: Annotated[list[Annotated[str, Field(min_length=1, max_length=100, pattern=TEXT)]], Field(max_length=1000)] = []
    evidence: Annotated[list[Proof], Field(max_length=100)] = []
    note: Words = ""

    def handed(self) -> Handed:
        """As the rules read it."""
        said = self.model_dump(exclude={"evidence", "serials", "plan", "dealer"})
        numbers = ("amount", "quantity", "sell_price", "cost_price", "contract_price", "old_price")
        said |= {name: None if said[name] is None else Decimal(said[name]) for name in numbers}
        proofs = tuple(Evidence(one.kind, one.reference, one.note) for one in self.evidence)
        return Handed(**said, serials=tuple(self.serials), evidence=proofs)


class Claim(Hand):
    """A new claim."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _HANDED})

    dealer: MaybeId = Field(default=None, description="For whom; a dealer's own party when not said.")
    plan: bool = Field(default=False, description="The activity has not happened: agree to it first, and keep the money.")


class ClaimEvent(BaseModel):
    """Something that happened to a claim."""

    what: State
    note: str
    at: datetime
    by: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")


class ClaimOut(BaseModel):
    """A claim, what the rules made of it, and what became of it."""

    id: str
    programme: str
    version: int
    type: Literal["fund", "ship_and_debit", "price_protection"]
    dealer: str
    dealer_id: str
    dealer_name: str | None
    period: str
    currency: str
    on: date
    due_on: date | None = Field(description="The last day to hand it in.")
    asked: dict[str, Any] = Field(description="As it was handed in.")
    worth: str = Field(description="What the programme pays of it as judged when it was handed in.")
    allowed: str | None = Field(description="What was approved.")
    why: dict[str, Any] | None = Field(description="In a sentence of both languages.")
    state: State
    payout: str | None = Field(description="The payout that pays it; the ERP's credit memo carries this number.")
    handed_in_at: datetime
    events: list[ClaimEvent]
    judged: dict[str, Any] | SkipJsonSchema[None] = Field(default=None, description="The judgement's figures. Absent for dealers.")
    automatic: bool | SkipJsonSchema[None] = Field(default=None, description="Agreed to by the rule. Absent for dealers.")


class ClaimsOut(BaseModel):
    """A page of claims."""

    items: list[ClaimOut]
    next: str | None


class ClaimFilters(Paged):
    """Filters of the list."""

    programme: Maybe = None
    state: State | SkipJsonSchema[None] = None
    type: Literal["fund", "ship_and_debit", "price_protection"] | SkipJsonSchema[None] = None
    dealer: MaybeId = None
    period: Maybe = None


class Approve(BaseModel):
    """Agree, whole or to less."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"amount": "8000", "note": "场地费不含"}})

    amount: Amount | SkipJsonSchema[None] = Field(default=None, description="Less than it is worth; all when not said.")
    note: Words = Field(default="", description="The dealer reads it.")


class Refuse(BaseModel):
    """Why not."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "缺少活动照片"}})

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=TEXT, description="The dealer reads it.")]


class Grant(BaseModel):
    """Money for a dealer's fund beside what the programme fills."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "programme": "mdf-2026", "dealer": "01931f5e-7c00-7000-8000-00000000000a", "amount": "5000", "on": "2026-11-01",
                "reason": "新品上市支持",
            }
        },
    )  # fmt: skip

    programme: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
    dealer: UUID
    amount: Amount
    on: Day = Field(description="A day of the period that it is for.")
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=TEXT)]


class Cut(BaseModel):
    """A price falls."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"product": "LP1", "on": "2026-11-05", "old_price": "500", "new_price": "450", "currency": "CNY", "note": "调价通知"}
        },
    )

    product: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
    on: Day = Field(description="The first day of the new price.")
    old_price: Amount
    new_price: Amount
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    dealer: Line = Field(default="", description="The number of the only dealer that it is for; empty: all.")
    note: Words = ""


class CutOut(BaseModel):
    """A price cut, which claims for price protection name."""

    id: str
    product: str
    on: date
    old_price: str
    new_price: str
    currency: str
    note: str
    at: datetime
    dealer: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    by: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")


class CutsOut(BaseModel):
    """A page of price cuts."""

    items: list[CutOut]
    next: str | None


class CutFilters(Paged):
    """Filters of the list."""

    product: Maybe = None


_DEALER: Final = "01931f5e-7c00-7000-8000-00000000000a"
FUND: Final[dict[str, Any]] = {
    "programme": "mdf-2026", "dealer": "CUST00001", "dealer_id": _DEALER, "dealer_name": "上海东方工业设备有限公司", "period": "2026Q4",
    "currency": "CNY", "accrued": "0", "available": "20000", "frozen": "10000", "used": "0", "expired": "0",
}  # fmt: skip
CLAIM: Final[dict[str, Any]] = {
    "id": "FC-2026-000001", "programme": "mdf-2026", "version": 1, "type": "fund", "dealer": "CUST00001", "dealer_id": _DEALER,
    "dealer_name": "上海东方工业设备有限公司", "period": "2026Q4", "currency": "CNY", "on": "2026-11-12",
    "due_on": "2026-12-12", "asked": _HANDED,
    "worth": "10000", "allowed": None, "why": None, "state": "submitted", "payout": None, "handed_in_at": "2026-11-20T02:11:12Z",
    "events": [{"what": "submitted", "note": "", "at": "2026-11-20T02:11:12Z"}],
}  # fmt: skip
CUT: Final[dict[str, Any]] = {
    "id": "PC-2026-000001", "product": "LP1", "on": "2026-11-05", "old_price": "500", "new_price": "450", "currency": "CNY",
    "note": "调价通知", "at": "2026-11-04T02:11:12Z",
}  # fmt: skip


def _own(db: Cursor, who: Caller) -> dict[str, Any]:
    """The filter that a dealer's key always has."""
    return {"of": list(party_tree(db, who.party).ids)} if who.role is Role.DEALER else {}


def _fund(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: decimal_text(row[name]) for name in MONEY}
    return {**row, **kept, "dealer_id": None if row["dealer_id"] is None else str(row["dealer_id"])}


_TOLD: Final = ("id", "programme", "version", "type", "dealer", "dealer_name", "period", "currency", "due_on", "asked", "state", "payout")


def _claim(row: Mapping[str, Any], who: Caller) -> dict[str, Any]:
    dealer = who.role is Role.DEALER
    told = {name: row[name] for name in _TOLD} | {
        "dealer_id": str(row["dealer_id"]), "on": row["on_day"], "worth": decimal_text(row["worth"]),
        "allowed": None if row["allowed"] is None else decimal_text(row["allowed"]), "why": row["judged"].get("sentence"),
        "handed_in_at": row["handed_in_at"],
        "events": [{name: one[name] for name in ("what", "note", "at") if name in one} for one in row["events"] or ()] if dealer
        else row["events"],
    }  # fmt: skip
    return told if dealer else told | {"judged": row["judged"], "automatic": row["automatic"]}


def _cut(row: Mapping[str, Any], who: Caller) -> dict[str, Any]:
    told = {name: row[name] for name in ("id", "product", "currency", "note", "at")} | {
        "on": row["on_day"], "old_price": decimal_text(row["old_price"]), "new_price": decimal_text(row["new_price"]),
    }  # fmt: skip
    return told if who.role is Role.DEALER else told | {"dealer": row["dealer"], "by": row["by"]}


def _one(db: Cursor, who: Caller, number: str) -> dict[str, Any]:
    row = lists.one(db, CLAIMS, id=number, **_own(db, who))
    if row is None:
        raise ClaimNotFound
    return _claim(row, who)


def _by(who: Caller) -> str:
    return f"dealer:{who.party}" if who.role is Role.DEALER else who.actor


@funds.get("", operation_id="list_funds", responses=listed(FundsOut, FUND), response_class=Response)
def list_funds(asked: Annotated[FundFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Funds by programme, dealer and period."""
    page = paged(engine, db, who, FUNDS, asked, more=_own(db, who))
    return answer(page | {"items": [_fund(row) for row in page["items"]]})


@funds.post(
    "/grants",
    operation_id="grant_fund",
    responses=acted(FundOut, FUND, "The fund.", RecordNotFound, ClaimNotFound, NotTakingPart, BadAmount),
    response_class=Response,
)
def grant(told: Grant, act: Annotated[Action, doing("fund.grant", Scope.FUNDS_MANAGE)]) -> Response:
    """Give a dealer's fund an amount beside what the programme fills."""
    act.on(f"party:{told.dealer}")
    with act.engine.connection() as connection, connection.transaction():
        made = rules.grant(connection, told.programme, told.dealer, Decimal(told.amount), on=told.on, by=act.by, reason=told.reason)
    with act.engine.reading() as db:
        row = lists.one(db, FUNDS, programme=made["programme"], dealer=told.dealer, period=made["period"])
    return act.done(_fund(row or made))


@claims.get("", operation_id="list_claims", responses=listed(ClaimsOut, CLAIM), response_class=Response)
def list_claims(asked: Annotated[ClaimFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Claims, newest first."""
    page = paged(engine, db, who, CLAIMS, asked, more=_own(db, who))
    return answer(page | {"items": [_claim(row, who) for row in page["items"]]})


@claims.get(
    "/{number}",
    operation_id="get_claim",
    responses=ok(ClaimOut, CLAIM, "The claim.") | problems(RecordNotFound, ClaimNotFound),
    response_class=Response,
)
def get_claim(number: Number, who: Reader, db: Db) -> Response:
    """One claim."""
    return answer(_one(db, who, number))


_REFUSED = (RecordNotFound, ClaimNotFound, ClaimIncomplete, NotTakingPart, TooLate, NothingToPay, AlreadyClaimed, RebateFacts)


@claims.post(
    "",
    operation_id="submit_claim",
    responses=acted(ClaimOut, CLAIM, "It is handed in.", *_REFUSED),
    response_class=Response,
)
def submit(told: Claim, act: Annotated[Action, doing("claim.submit", Scope.FUNDS_CLAIM)]) -> Response:
    """Hand in a claim, or with `plan` an activity to be agreed to first. It freezes what it is worth; the programme's approver is asked."""
    who = act.caller
    with act.engine.reading() as db:
        sees = list(party_tree(db, who.party).ids) if who.role is Role.DEALER else None
    dealer = told.dealer or who.party
    if dealer is None or (sees is not None and dealer not in sees):
        raise ClaimNotFound
    act.on(f"party:{dealer}")
    made = engine_funds.submit(act.engine.hub, dealer, told.handed(), by=_by(who), plan=told.plan, sees=sees)
    with act.engine.reading() as db:
        return act.done(_one(db, who, made["id"]))


def _acted(number: str, act: Action, work: Any) -> Response:
    """Do something to a claim that the caller may see."""
    act.on(f"claim:{number}")
    with act.engine.reading() as db:
        _one(db, act.caller, number)
    work()
    with act.engine.reading() as db:
        return act.done(_one(db, act.caller, number))


@claims.post(
    "/{number}/hand-in",
    operation_id="hand_in_claim",
    responses=acted(ClaimOut, CLAIM, "It is handed in.", *_REFUSED, WrongClaimState),
    response_class=Response,
)
def hand_in(number: Number, told: Hand, act: Annotated[Action, doing("claim.hand_in", Scope.FUNDS_CLAIM)]) -> Response:
    """The activity that was agreed to has happened: what it cost, and the evidence."""
    with act.engine.reading() as db:
        sees = list(party_tree(db, act.caller.party).ids) if act.caller.role is Role.DEALER else None
    hub, by = act.engine.hub, _by(act.caller)
    return _acted(number, act, lambda: engine_funds.hand_in(hub, number, told.handed(), by=by, sees=sees))


_MOVES = (RecordNotFound, ClaimNotFound, ClaimIncomplete, WrongClaimState)


@claims.post(
    "/{number}/withdraw",
    operation_id="withdraw_claim",
    responses=acted(ClaimOut, CLAIM | {"state": "withdrawn"}, "Taken back.", *_MOVES),
    response_class=Response,
)
def withdraw(number: Number, act: Annotated[Action, doing("claim.withdraw", Scope.FUNDS_CLAIM)]) -> Response:
    """Take back a claim that is not decided; what it froze is free again."""
    return _acted(number, act, lambda: engine_funds.withdraw(act.engine.hub, number, by=_by(act.caller)))


@claims.post(
    "/{number}/approve",
    operation_id="approve_claim",
    responses=acted(ClaimOut, CLAIM | {"state": "approved", "allowed": "10000"}, "Approved.", *_MOVES, BadAmount),
    response_class=Response,
)
def approve(number: Number, told: Approve, act: Annotated[Action, doing("claim.approve", Scope.FUNDS_MANAGE)]) -> Response:
    """Agree to a plan or a claim, whole or to less; it answers the open question about it."""
    amount = None if told.amount is None else Decimal(told.amount)
    return _acted(number, act, lambda: engine_funds.approve(act.engine.hub, number, by=act.by, note=told.note, amount=amount))


@claims.post(
    "/{number}/refuse",
    operation_id="refuse_claim",
    responses=acted(ClaimOut, CLAIM | {"state": "rejected"}, "Refused.", *_MOVES),
    response_class=Response,
)
def refuse(number: Number, told: Refuse, act: Annotated[Action, doing("claim.refuse", Scope.FUNDS_MANAGE)]) -> Response:
    """Refuse a plan or a claim; what it froze is free again."""
    return _acted(number, act, lambda: engine_funds.refuse(act.engine.hub, number, by=act.by, reason=told.reason))


@cuts.get("", operation_id="list_price_cuts", responses=listed(CutsOut, CUT), response_class=Response)
def list_cuts(asked: Annotated[CutFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Price cuts that claims for price protection may name, newest first."""
    page = paged(engine, db, who, CUTS, asked, more=_own(db, who))
    return answer(page | {"items": [_cut(row, who) for row in page["items"]]})


@cuts.post(
    "",
    operation_id="announce_price_cut",
    responses=acted(CutOut, CUT, "It is announced.", BadAmount),
    response_class=Response,
)
def announce(told: Cut, act: Annotated[Action, doing("price_cut.announce", Scope.FUNDS_MANAGE)]) -> Response:
    """Announce that a price falls. The same cut again keeps its number; an announced cut never changes."""
    act.on(f"product:{told.product}")
    old, new = Decimal(told.old_price), Decimal(told.new_price)
    with act.engine.connection() as db, db.transaction():
        number = rules.announce_cut(
            db, told.product, told.on, old, new, told.currency, by=act.by, dealer=told.dealer, note=told.note
        )  # fmt: skip
        row = queries.cuts(db, number)[0]
    return act.done(_cut(row, act.caller))

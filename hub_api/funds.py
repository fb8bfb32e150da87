"""Market funds and claims: what a dealer may spend, what it claims, what became of it.

A dealer's key sees and hands in claims of its own party and those below it; budgets, who decided, and what the rules noted for
ourselves are not in its view.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from channel.funds import queries
from channel.funds import service as rules
from hub_api import lists
from hub_api.actions import Action, doing
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
from hub_api.funds_shapes import (
    CLAIM,
    CUT,
    FUND,
    Approve,
    Claim,
    ClaimFilters,
    ClaimOut,
    ClaimsOut,
    Cut,
    CutFilters,
    CutOut,
    CutsOut,
    FundFilters,
    FundOut,
    FundsOut,
    Grant,
    Hand,
    Refuse,
    claim_of,
    cut_of,
    fund_of,
)
from hub_api.keys import Caller
from hub_api.lists import Listing
from hub_api.pages import acted, answer, listed, ok, own_rows, paged
from hub_api.permissions import Role, Scope
from hub_api.problems import RecordNotFound, problems
from hub_api.queries import party_tree
from hub_api.rebates_problems import RebateFacts
from hub_api.shapes import TEXT
from sync import funds as engine_funds

funds = APIRouter(prefix="/v1/funds", tags=["funds and claims"])
claims = APIRouter(prefix="/v1/claims", tags=["funds and claims"])
cuts = APIRouter(prefix="/v1/price-cuts", tags=["funds and claims"])
Reader = Annotated[Caller, may(Scope.FUNDS_READ)]
Number = Annotated[str, Path(max_length=40, pattern=TEXT, description="Its number, FC-2026-000001-7KQ2M9.")]

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


def _one(db: Cursor, who: Caller, number: str) -> dict[str, Any]:
    row = lists.one(db, CLAIMS, id=number, **own_rows(db, who))
    if row is None:
        raise ClaimNotFound
    return claim_of(row, who)


def _by(who: Caller) -> str:
    return f"dealer:{who.party}" if who.role is Role.DEALER else who.actor


@funds.get("", operation_id="list_funds", responses=listed(FundsOut, FUND), response_class=Response)
def list_funds(asked: Annotated[FundFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Funds by programme, dealer and period."""
    page = paged(engine, db, who, FUNDS, asked, more=own_rows(db, who))
    return answer(page | {"items": [fund_of(row) for row in page["items"]]})


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
    return act.done(fund_of(row or made))


@claims.get("", operation_id="list_claims", responses=listed(ClaimsOut, CLAIM), response_class=Response)
def list_claims(asked: Annotated[ClaimFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Claims, newest first."""
    page = paged(engine, db, who, CLAIMS, asked, more=own_rows(db, who))
    return answer(page | {"items": [claim_of(row, who) for row in page["items"]]})


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
    page = paged(engine, db, who, CUTS, asked, more=own_rows(db, who))
    return answer(page | {"items": [cut_of(row, who) for row in page["items"]]})


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
    return act.done(cut_of(row, act.caller))

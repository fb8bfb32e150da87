"""The dealer's rebate account: what stands on it, how each sum moved and for which order and ERP line, and moves for an order.

A dealer's key sees the accounts of its own party and those below it: not what is accrued, not who booked, not our notes. Moves are
finance's, and those of the systems that take orders with finance's key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import psycopg
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from canonical.values import decimal_text
from channel.rebates import account_queries, accounts
from channel.rebates.accounts import Account
from hub_api import lists
from hub_api.actions import Action, doing
from hub_api.deals_shapes import Amount
from hub_api.deps import Cursor, Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.lists import Listing
from hub_api.pages import Maybe, MaybeId, Paged, acted, answer, listed, own_rows, paged
from hub_api.permissions import Role, Scope
from hub_api.problems import RecordNotFound
from hub_api.rebates_problems import AccountState, NotEnough, RebateNotFound
from hub_api.shapes import TEXT

router = APIRouter(prefix="/v1/rebate-accounts", tags=["rebates"])
Reader = Annotated[Caller, may(Scope.REBATES_READ)]
Part = Literal["accrued", "available", "frozen", "used", "expired", "paid_out"]
Cause = Literal["settlement", "claim", "payout", "freeze", "release", "use", "expiry"]

ACCOUNTS: Final = Listing(
    "SELECT b.programme, b.dealer, b.dealer_id, p.name AS dealer_name, b.currency, "
    f"{', '.join('b.' + name for name in account_queries.ACCOUNTS)}, "
    "b.available - greatest(" + account_queries.FOR_MEMO + ", 0) AS for_orders "
    "FROM rebate_balance AS b LEFT JOIN parties AS p ON p.id = b.dealer_id",
    {"dealer": "b.dealer::text", "programme": "b.programme::text", "currency": "b.currency::text"},
    {
        "programme": "b.programme = %s", "dealer": "b.dealer_id = %s", "currency": "b.currency = %s", "code": "b.dealer = %s",
        "of": "b.dealer_id = ANY(%s::uuid[])",
    },
    newest_first=False,
)  # fmt: skip
MOVEMENTS: Final = Listing(
    "SELECT e.id, e.at, e.dealer, e.dealer_id, e.programme, e.currency, e.cause, e.account, e.amount, e.reference, e.order_id, e.line, "
    "e.expires_on, e.note, e.by FROM rebate_entry AS e",
    {"id": "e.id::bigint"},
    {
        "programme": "e.programme = %s", "dealer": "e.dealer_id = %s", "account": "e.account = %s", "cause": "e.cause = %s",
        "order": "e.reference = %s", "order_id": "e.order_id = %s", "of": "e.dealer_id = ANY(%s::uuid[])",
    },
    always="e.account <> 'accrued'",
)  # fmt: skip


class Lost(BaseModel):
    """Money that expires."""

    on: date = Field(description="The last day on which it can be used.")
    amount: str


class AccountOut(BaseModel):
    """What stands on a dealer's account of a programme. Orders use first what expires first."""

    programme: str
    dealer: str
    dealer_id: str | None
    dealer_name: str | None
    currency: str
    accrued: str | SkipJsonSchema[None] = Field(default=None, description="Earned and not settled. Absent for dealers.")
    available: str = Field(description="Settled, and neither paid, frozen, used nor expired. Below zero after a claw-back.")
    for_orders: str = Field(description="What an order can freeze: what is available less what a memo will pay.")
    frozen: str = Field(description="Held by orders.")
    used: str = Field(description="By lines of orders in the ERP.")
    expired: str
    paid_out: str = Field(description="By credit memos.")
    expires: list[Lost] = Field(description="What of it expires when, if no order uses it before.")


class AccountsOut(BaseModel):
    """A page of accounts."""

    items: list[AccountOut]
    next: str | None


class AccountFilters(Paged):
    """Filters of the list."""

    programme: Maybe = None
    dealer: MaybeId = None
    currency: Maybe = None


class MovementOut(BaseModel):
    """One side of a movement: what came to a part of the account (above zero) or left it. The other side has the same cause and order."""

    id: int
    at: datetime
    programme: str
    dealer: str
    dealer_id: str | None
    currency: str
    cause: Cause
    account: Part
    amount: str
    reference: str = Field(description="The order, the payout, the claim, or what was settled.")
    order_id: str | None
    line: str = Field(description="The ERP's line that used it.")
    expires_on: date | None = Field(description="The last day on which what came in can be used.")
    note: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    by: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")


class MovementsOut(BaseModel):
    """A page of movements."""

    items: list[MovementOut]
    next: str | None


class MovementFilters(Paged):
    """Filters of the list."""

    programme: Maybe = None
    dealer: MaybeId = None
    account: Part | SkipJsonSchema[None] = None
    cause: Cause | SkipJsonSchema[None] = None
    order: Maybe = Field(default=None, description="An order's number.")
    order_id: MaybeId = None


_DEALER: Final = "01931f5e-7c00-7000-8000-00000000000a"
_FROZEN: Final[dict[str, Any]] = {"dealer": _DEALER, "programme": "pumps-2026", "order": "XSDD000123", "amount": "500"}
_TAKEN: Final[dict[str, Any]] = {
    "dealer": _DEALER, "programme": "pumps-2026", "order": "XSDD000123", "line": "1", "reason": "ERP 行已作废",
}  # fmt: skip


class ForOrder(BaseModel):
    """Whose money, of which programme, and the order that it is for."""

    model_config = ConfigDict(extra="forbid")

    dealer: UUID
    programme: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | SkipJsonSchema[None] = Field(
        default=None, description="The programme's when not said."
    )
    order: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT, description="The order's number, hub key or id.")]


class Freeze(ForOrder):
    """Set an amount aside for an order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _FROZEN})

    amount: Amount


class Release(ForOrder):
    """Give back what an order does not use."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _FROZEN | {"amount": "120"}})

    amount: Amount | SkipJsonSchema[None] = Field(default=None, description="All that it still holds when not said.")


class Use(ForOrder):
    """A line of the order in the ERP has used it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _FROZEN | {"amount": "380", "line": "1", "rest": "release"}})

    amount: Amount
    line: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT, description="The ERP's line; the same again changes nothing.")]
    rest: Literal["keep", "release"] = Field(default="keep", description="What becomes of what the order still holds.")


class TakeBack(ForOrder):
    """The ERP's line was taken back, and what it used becomes available again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _TAKEN})

    line: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=TEXT)]


ACCOUNT: Final[dict[str, Any]] = {
    "programme": "pumps-2026", "dealer": "CUST00001", "dealer_id": _DEALER, "dealer_name": "上海东方工业设备有限公司", "currency": "CNY",
    "accrued": "1200", "available": "4500", "for_orders": "4500", "frozen": "500", "used": "0", "expired": "0", "paid_out": "0",
    "expires": [{"on": "2027-06-30", "amount": "4500"}],
}  # fmt: skip
MOVEMENT: Final[dict[str, Any]] = {
    "id": 4711, "at": "2026-11-20T02:11:12Z", "programme": "pumps-2026", "dealer": "CUST00001", "dealer_id": _DEALER, "currency": "CNY",
    "cause": "use", "account": "used", "amount": "380", "reference": "XSDD000123", "order_id": "01931f5e-7c00-7000-8000-00000000000b",
    "line": "1", "expires_on": None,
}  # fmt: skip


def _accounts(db: Cursor, rows: list[dict[str, Any]], who: Caller) -> list[dict[str, Any]]:
    lost: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for one in accounts.coming(db.connection, dealers=sorted({row["dealer"] for row in rows})):
        where = one.account.dealer, one.account.programme, one.account.currency
        lost.setdefault(where, []).append({"on": one.on, "amount": decimal_text(one.amount)})
    hidden = {"accrued"} if who.role is Role.DEALER else set()
    return [
        {name: row[name] for name in ("programme", "dealer", "dealer_name", "currency")}
        | {"dealer_id": _id(row["dealer_id"])}
        | {name: decimal_text(row[name]) for name in (*account_queries.ACCOUNTS, "for_orders") if name not in hidden}
        | {"expires": lost.get((row["dealer"], row["programme"], row["currency"]), [])}
        for row in rows
    ]


def _movement(row: Mapping[str, Any], who: Caller) -> dict[str, Any]:
    hidden = {"note", "by"} if who.role is Role.DEALER else set()
    told = {name: value for name, value in row.items() if name not in hidden}
    return told | {"amount": decimal_text(row["amount"]), "dealer_id": _id(row["dealer_id"]), "order_id": _id(row["order_id"])}


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)


@router.get("", operation_id="list_rebate_accounts", responses=listed(AccountsOut, ACCOUNT), response_class=Response)
def list_accounts(asked: Annotated[AccountFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """What stands on rebate accounts, by dealer and programme."""
    page = paged(engine, db, who, ACCOUNTS, asked, more=own_rows(db, who))
    return answer(page | {"items": _accounts(db, page["items"], who)})


@router.get("/movements", operation_id="list_rebate_movements", responses=listed(MovementsOut, MOVEMENT), response_class=Response)
def list_movements(asked: Annotated[MovementFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Movements, newest first, with the order and the ERP line that each sum was for."""
    page = paged(engine, db, who, MOVEMENTS, asked, more=own_rows(db, who))
    return answer(page | {"items": [_movement(row, who) for row in page["items"]]})


Move = Callable[[psycopg.Connection[Any], Account], object]
_MOVES: Final = (RecordNotFound, RebateNotFound, AccountState, NotEnough)


def _moved(told: ForOrder, act: Action, move: Move) -> Response:
    """Do it, and answer with the account as it stands then. Raises: as the move; RebateNotFound."""
    act.on(f"rebate_account:{told.dealer}", programme=told.programme, order=told.order)
    with act.engine.connection() as connection, connection.transaction():
        dealer = account_queries.dealer_code(connection, told.dealer)
        currency = told.currency or account_queries.currency_of(connection, told.programme)
        if dealer is None or currency is None:
            raise RebateNotFound
        move(connection, Account(dealer, told.programme, currency))
    with act.engine.reading() as db:
        row = lists.one(db, ACCOUNTS, code=dealer, programme=told.programme, currency=currency)
        if row is None:
            raise RebateNotFound
        return act.done(_plain(_accounts(db, [row], act.caller)[0]))


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return told | {"expires": [{"on": one["on"].isoformat(), "amount": one["amount"]} for one in told["expires"]]}


def _acted(text: str) -> dict[int | str, dict[str, Any]]:
    return acted(AccountOut, ACCOUNT, text, *_MOVES)


@router.post("/freeze", operation_id="freeze_rebate", responses=_acted("It is frozen."), response_class=Response)
def freeze(told: Freeze, act: Annotated[Action, doing("rebate_account.freeze", Scope.REBATES_MANAGE)]) -> Response:
    """Set an amount aside for an order of the dealer. It comes back when a system says that the order is void."""
    return _moved(told, act, lambda db, account: accounts.freeze(db, account, Decimal(told.amount), order=told.order, by=act.by))


@router.post("/release", operation_id="release_rebate", responses=_acted("It is given back."), response_class=Response)
def release(told: Release, act: Annotated[Action, doing("rebate_account.release", Scope.REBATES_MANAGE)]) -> Response:
    """Give back what an order does not use after all."""
    amount = None if told.amount is None else Decimal(told.amount)
    return _moved(told, act, lambda db, account: accounts.release(db, account, amount, order=told.order, by=act.by))


@router.post("/use", operation_id="use_rebate", responses=_acted("It is used."), response_class=Response)
def use(told: Use, act: Annotated[Action, doing("rebate_account.use", Scope.REBATES_MANAGE)]) -> Response:
    """A line of the order in the ERP has used what was frozen. The same line and amount again changes nothing."""
    amount, line = Decimal(told.amount), told.line
    return _moved(told, act, lambda db, account: accounts.use(db, account, amount, order=told.order, line=line, by=act.by, rest=told.rest))


@router.post("/take-back", operation_id="take_back_rebate", responses=_acted("It is available again."), response_class=Response)
def take_back(told: TakeBack, act: Annotated[Action, doing("rebate_account.take_back", Scope.REBATES_MANAGE)]) -> Response:
    """The ERP's line that used it was taken back."""
    line, reason = told.line, told.reason
    return _moved(told, act, lambda db, account: accounts.take_back(db, account, order=told.order, line=line, by=act.by, reason=reason))

"""What funds, claims and price cuts look like in the API: to their own dealer, and to our own people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from canonical.values import decimal_text
from channel.funds.handing import NUMBERS, Evidence, Handed
from hub_api.deals_shapes import Amount, Line, Part, Words
from hub_api.keys import Caller
from hub_api.pages import Maybe, MaybeId, Paged
from hub_api.permissions import Role
from hub_api.shapes import TEXT, Day

State = Literal["planned", "agreed", "submitted", "approved", "rejected", "withdrawn", "lapsed", "paid"]
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
    cut: Line = Field(default="", description="The price cut, PC-2026-000001-3XD4AT.")
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
        said |= {name: None if said[name] is None else Decimal(said[name]) for name in NUMBERS}
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
    "id": "FC-2026-000001-7KQ2M9", "programme": "mdf-2026", "version": 1, "type": "fund", "dealer": "CUST00001", "dealer_id": _DEALER,
    "dealer_name": "上海东方工业设备有限公司", "period": "2026Q4", "currency": "CNY", "on": "2026-11-12",
    "due_on": "2026-12-12", "asked": _HANDED,
    "worth": "10000", "allowed": None, "why": None, "state": "submitted", "payout": None, "handed_in_at": "2026-11-20T02:11:12Z",
    "events": [{"what": "submitted", "note": "", "at": "2026-11-20T02:11:12Z"}],
}  # fmt: skip
CUT: Final[dict[str, Any]] = {
    "id": "PC-2026-000001-3XD4AT", "product": "LP1", "on": "2026-11-05", "old_price": "500", "new_price": "450", "currency": "CNY",
    "note": "调价通知", "at": "2026-11-04T02:11:12Z",
}  # fmt: skip


def fund_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A balance as it is told."""
    kept = {name: decimal_text(row[name]) for name in MONEY}
    return {**row, **kept, "dealer_id": None if row["dealer_id"] is None else str(row["dealer_id"])}


_TOLD: Final = ("id", "programme", "version", "type", "dealer", "dealer_name", "period", "currency", "due_on", "asked", "state", "payout")


def claim_of(row: Mapping[str, Any], who: Caller) -> dict[str, Any]:
    """A claim as the caller may see it."""
    dealer = who.role is Role.DEALER
    told = {name: row[name] for name in _TOLD} | {
        "dealer_id": str(row["dealer_id"]), "on": row["on_day"], "worth": decimal_text(row["worth"]),
        "allowed": None if row["allowed"] is None else decimal_text(row["allowed"]), "why": row["judged"].get("sentence"),
        "handed_in_at": row["handed_in_at"],
        "events": [{name: one[name] for name in ("what", "note", "at") if name in one} for one in row["events"] or ()] if dealer
        else row["events"],
    }  # fmt: skip
    return told if dealer else told | {"judged": row["judged"], "automatic": row["automatic"]}


def cut_of(row: Mapping[str, Any], who: Caller) -> dict[str, Any]:
    """A price cut as the caller may see it."""
    told = {name: row[name] for name in ("id", "product", "currency", "note", "at")} | {
        "on": row["on_day"], "old_price": decimal_text(row["old_price"]), "new_price": decimal_text(row["new_price"]),
    }  # fmt: skip
    return told if who.role is Role.DEALER else told | {"dealer": row["dealer"], "by": row["by"]}

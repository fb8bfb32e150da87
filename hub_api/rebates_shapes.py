"""What programmes and statements look like in the API: to a dealer, and to our own people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from hub_api.deals_shapes import Words
from hub_api.pages import Maybe, MaybeId, Paged
from hub_api.shapes import TEXT, Day

EXAMPLE = """programme: pumps-2026
version: 1
name: {zh: 水泵年度返利, en: Pumps 2026}
currency: CNY
valid: {from: 2026-01-01, to: 2027-01-01}
participants: all
base: {event: invoice, measure: amount, tax: exclusive, net_of: [returns]}
calendar: {period: quarter}
method: retroactive
boundary: at_least
tiers:
  - {from: 100000, to: 500000, rate: 1 %}
  - {from: 500000, rate: 2 %}
"""


class ProgrammeOut(BaseModel):
    """The newest version of a programme."""

    programme: str
    version: int
    hash: str = Field(description="Of everything that is written in it.")
    published_at: datetime
    published_by: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    reason: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    terms: dict[str, Any] = Field(
        description="As it was written; for a dealer without participants, targets, limits, accruals and the "
        "customers and projects that it names."
    )


class ProgrammesOut(BaseModel):
    """A page of programmes."""

    items: list[ProgrammeOut]
    next: str | None


class ProgrammeFilters(Paged):
    """Filters of the list."""

    programme: Maybe = None


class Publish(BaseModel):
    """A programme as its file says it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": EXAMPLE, "reason": "2026 年度政策"}})

    text: Annotated[str, Field(min_length=1, max_length=200_000)]
    reason: Words = ""


class Published(BaseModel):
    """What was published."""

    programme: str
    version: int
    hash: str


class StatementOut(BaseModel):
    """A statement as it was issued; it never changes, what comes late is in a later one."""

    id: str
    programme: str
    version: int
    dealer: str
    dealer_id: str | None
    dealer_name: str | None
    period: str
    state: Literal["issued", "signed", "disputed", "resolved"]
    issued_at: datetime
    doc: dict[str, Any] = Field(description="The dealer's view: base, tier, gates, amounts, and why in sentences of both languages.")


class StatementsOut(BaseModel):
    """A page of statements."""

    items: list[StatementOut]
    next: str | None


class StatementFilters(Paged):
    """Filters of the list."""

    programme: Maybe = None
    period: Maybe = None
    state: Literal["issued", "signed", "disputed", "resolved"] | SkipJsonSchema[None] = None
    dealer: MaybeId = None


class Dispute(BaseModel):
    """Why the dealer does not agree."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "缺少 11 月的第 3 张发票"}})

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=rf"{TEXT}")]


class Resolve(BaseModel):
    """What we answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"answer": "已补入, 差额在本期结算"}})

    answer: Words = ""


_DOC: dict[str, Any] = {
    "programme": "pumps-2026", "version": 1, "dealer": "CUST00001", "currency": "CNY", "method": "retroactive", "rate": "0.02",
    "base": {"amount": "500000", "quantity": "120"}, "earned": "10000.00", "held": "0.00", "settled": "0.00", "payable": "10000.00",
}  # fmt: skip
PROGRAMME: dict[str, Any] = {
    "programme": "pumps-2026",
    "version": 1,
    "hash": "9f2c1a",
    "published_at": "2026-01-05T02:11:12Z",
    "terms": {"method": "retroactive", "currency": "CNY", "tiers": [{"from": "0", "rate": "0.02"}]},
}
STATEMENT: dict[str, Any] = {
    "id": "RS-2026-000001-7KQ2M9",
    "programme": "pumps-2026",
    "version": 1,
    "dealer": "CUST00001",
    "dealer_id": "01931f5e-7c00-7000-8000-00000000000a",
    "dealer_name": "上海东方工业设备有限公司",
    "period": "2026Q1",
    "state": "issued",
    "issued_at": "2026-04-05T02:11:12Z",
    "doc": _DOC,
}


class Draft(BaseModel):
    """A draft, and the day up to which it is tried."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": EXAMPLE, "as_of": "2026-03-31"}})

    text: Annotated[str, Field(min_length=1, max_length=200_000)]
    as_of: Day = Field(description="The last business day whose events count.")
    dealers: Annotated[list[Annotated[str, Field(max_length=200, pattern=TEXT)]], Field(max_length=1000)] | SkipJsonSchema[None] = Field(
        default=None, description="Only these, by number; all when not said."
    )


class Compared(BaseModel):
    """A draft beside what is published. A simulation: nothing is stored."""

    simulation: Literal[True]
    as_of: str
    current: list[str]
    draft: list[str]
    dealers: list[dict[str, Any]] = Field(description="By dealer: cost now and under the draft, who moves tier, the gap to the next.")
    totals: list[dict[str, str]]
    moving: list[str]


COMPARED: dict[str, Any] = {
    "simulation": True, "as_of": "2026-03-31", "current": ["pumps-2026@1"], "draft": ["pumps-2026@2"],
    "dealers": [
        {"dealer": "CUST00001", "currency": "CNY", "current": "10000.00", "draft": "12500.00", "difference": "2500.00",
         "moves": "pumps-2026 2026Q1: 1 → 2", "to_next": {}},
    ],
    "totals": [{"currency": "CNY", "current": "10000.00", "draft": "12500.00", "difference": "2500.00"}], "moving": ["CUST00001"],
}  # fmt: skip

"""Goods that go where their dealer may not sell (窜货): what was found, the report by address and serial, and serials seen somewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.deals import fencing, guarding
from hub_api.actions import Action, doing
from hub_api.deals import only
from hub_api.deals_days import Day, span
from hub_api.deals_lists import HITS
from hub_api.deals_problems import BadFence, FenceNotFound
from hub_api.deals_shapes import Message, Words
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, MaybeId, Number, Paged, acted, answer, listed, paged
from hub_api.paging import query_id
from hub_api.permissions import Scope
from hub_api.problems import BadCursor, RecordNotFound
from hub_api.shapes import SAYS, MomentText

router = APIRouter(prefix="/v1/deals", tags=["deal rules"])
Reader = Annotated[Caller, may(Scope.DEALS_DECIDE)]
LONGEST = 366
"""Days that one report may span."""
Kind = Literal["address", "serial_twice", "serial_elsewhere"]


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


# The report -------------------------------------------------------------------------------------------------------------


class ReportFilters(Paged):
    """What the report is about."""

    until: Day = Field(default=None, description="Last day of shipment or sight (Asia/Shanghai); today when left out.")
    days: Annotated[int, Field(ge=1, le=LONGEST)] = Field(default=31, description="How many days, the last one among them.")
    kind: Kind | SkipJsonSchema[None] = None
    dealer: MaybeId = None


class SuspicionOut(BaseModel):
    """Goods that may have gone where they should not."""

    kind: Kind = Field(
        description="address: shipped beyond the fence; serial_twice: one serial to two dealers; serial_elsewhere: seen outside of them."
    )
    subject: str = Field(description="`shipment:<id>`.")
    number: str
    on: date | None = Field(description="Day of the shipment.")
    dealer: UUID
    dealer_name: str
    region: str = Field(description="GB/T 2260.")
    code: str
    serials: list[str]
    product_lines: list[str]
    state: str = Field(description="open, accepted, refused: a person's answer to the hit.")
    facts: dict[str, Any]
    message: Message


class GoodsReport(BaseModel):
    """A page of the report."""

    items: list[SuspicionOut]
    next: str | None


SUSPICION: dict[str, Any] = {
    "kind": "serial_elsewhere",
    "subject": "shipment:01931f5e-7c00-7000-8000-0000000000ee",
    "number": "XSCKD000123",
    "on": "2026-01-05",
    "dealer": "01931f5e-7c00-7000-8000-00000000000a",
    "dealer_name": "上海东方工业设备有限公司",
    "region": "5101",
    "code": "outside_own_area",
    "serials": ["SN20260105-0007"],
    "product_lines": ["水泵"],
    "state": "open",
    "facts": {"seen_at": "2026-02-01T08:00:00+08:00", "source": "warranty"},
    "message": {"zh": "序列号出现在授权范围以外", "en": "a serial was seen outside of the area"},
}


@router.get("/goods-report", operation_id="report_goods", responses=listed(GoodsReport, SUSPICION), response_class=Response)
def report(asked: Annotated[ReportFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Suspicious shipments by address and by serial, for 防窜货; by kind, then by day."""
    since, until = span(asked.until, asked.days)
    query = query_id("goods-report", who.key_id, since, until, asked.kind, asked.dealer)
    after = _place(engine.sealer.open(asked.after, query)) if asked.after is not None else None
    rows = guarding.suspicions(db.connection, since, until, kind=asked.kind, dealer=asked.dealer, after=after, limit=asked.limit + 1)
    shown = rows[: asked.limit]
    more = engine.sealer.seal([shown[-1][0][0], *shown[-1][0][1]], query) if len(rows) > asked.limit else None
    return answer({"items": [_suspicion(one) for _, one in shown], "next": more})


def _place(sealed: list[Any]) -> guarding.Mark:
    match sealed:
        case ["address" | "serial_twice" | "serial_elsewhere" as kind, str() as day, str() as number, str() as last]:
            return kind, (day, number, last)
        case _:
            raise BadCursor


def _suspicion(one: Any) -> dict[str, Any]:
    zh, en = one.sentence()
    return {
        "kind": one.kind,
        "subject": one.subject,
        "number": one.number,
        "on": one.on,
        "dealer": one.dealer_id,
        "dealer_name": one.dealer,
        "region": one.region,
        "code": one.code,
        "serials": list(one.serials),
        "product_lines": list(one.product_lines),
        "state": one.state,
        "facts": dict(one.facts),
        "message": {"zh": zh, "en": en},
    }


only("/goods-report", "GET")


class Seen(BaseModel):
    """A serial that was seen somewhere."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"serial": "SN20260105-0007", "region": "5101", "source": "warranty", "note": "保修卡"}},
    )

    serial: Annotated[str, Field(max_length=200, pattern=SAYS)]
    region: Annotated[str, Field(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})$")] = Field(description="GB/T 2260 code of where it was seen.")
    at: MomentText | SkipJsonSchema[None] = Field(default=None, description="When; now when left out.")
    source: Annotated[str, Field(max_length=100, pattern=SAYS)] = Field(description="warranty, service, scan, …")
    note: Words = ""


class Noted(BaseModel):
    """Whether it is new."""

    serial: str
    region: str
    new: bool = Field(description="False when that was known.")


@router.post(
    "/serials-seen",
    operation_id="note_serial_seen",
    responses=acted(Noted, {"serial": "SN20260105-0007", "region": "5101", "new": True}, "Noted.", BadFence),
    response_class=Response,
)
def note_seen(seen: Seen, act: Annotated[Action, doing("serial.seen", Scope.DEALS_DECIDE)]) -> Response:
    """Note that a serial was seen somewhere: on a warranty card, in a service case, by a scan. The report compares it with the fences."""
    act.on("serial", source=seen.source)
    at = datetime.fromisoformat(seen.at) if seen.at else datetime.now(UTC)
    with act.engine.connection() as db:
        new = guarding.note_seen(db, seen.serial, seen.region, at, seen.source, act.by, seen.note)
    return act.done({"serial": seen.serial, "region": seen.region, "new": new})


only("/serials-seen", "POST")

"""Fences: where dealers may sell, and trying a place without registering anything. Nothing is deleted: a fence ends with a day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from channel.deals import fencing
from channel.deals.fences import Fence
from hub_api.actions import Action, doing
from hub_api.deals import only
from hub_api.deals_days import Day, End, Lasting, OnDay, day_of
from hub_api.deals_lists import FENCES
from hub_api.deals_problems import BadFence, EndsBeforeItBegins, FenceNotFound, UnknownDealer
from hub_api.deals_shapes import Industry, Line, Message, Part, Region, Words
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.lists import one
from hub_api.pages import MaybeId, Number, acted, answer, listed, ok, paged
from hub_api.permissions import Scope
from hub_api.problems import BadParameters, InvalidPayload, RecordNotFound, Unreadable, problems
from hub_api.shapes import Flag

router = APIRouter(prefix="/v1/deals", tags=["deal rules"])
Reader = Annotated[Caller, may(Scope.DEALS_DECIDE)]
Ruler = Annotated[Action, doing("deals.rule", Scope.DEALS_RULES)]


class FenceFilters(OnDay):
    """Filters of the list."""

    dealer: MaybeId = None


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
            day_of(self.valid_from) or date.min, day_of(self.valid_to) or date.max,
        )  # fmt: skip


class FenceOut(Lasting):
    """A fence."""

    id: int
    dealer: UUID
    dealer_name: str | None
    region: str
    industry: str
    product_line: str
    exclusive: bool
    outside: Literal["block", "flag"]


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
    responses=acted(FenceMade, FENCE | {"contradicts": []}, "The fence.", BadFence, EndsBeforeItBegins, UnknownDealer, status=201),
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
        fencing.end(db, fence_id, act.by, last_day=day_of(told.last_day))
    return act.done_with(FENCES, id=fence_id)


class Tried(BaseModel):
    """A place, a trade and a product line to try for a dealer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"dealer": "01931f5e-7c00-7000-8000-00000000000a", "place": "江苏省苏州市工业园区", "product_line": "水泵"}
        },
    )

    dealer: UUID
    region: Region = Field(default="", description="GB/T 2260 code; left out, it is read from `place`.")
    place: Part = Field(default="", description="An address, a city or a company's name.")
    industry: Industry = Field(default="", description="GB/T 4754 code.")
    product_line: Line = ""
    on: Day = Field(default=None, description="Asia/Shanghai; today when left out.")


class FenceAnswer(BaseModel):
    """What the fences say."""

    effect: Literal["allow", "flag", "block"]
    code: str = Field(description="outside_own_area, exclusive_of_another, place_unknown, perhaps_exclusive; empty when allowed.")
    fence: int | None = Field(description="The fence that says so.")
    region: str = Field(description="GB/T 2260 code that was judged; empty: the place is not known.")
    message: Message = Field(description="What the dealer would read; empty when allowed.")


_TRIED = {
    "effect": "block",
    "code": "outside_own_area",
    "fence": 7,
    "region": "3205",
    "message": {"zh": "不在贵司的授权范围内", "en": "It is outside of the area, trade or product line that you may sell in"},
}


@router.post(
    "/fences/try",
    operation_id="try_fences",
    responses=ok(FenceAnswer, _TRIED, "The answer.") | problems(BadParameters, Unreadable, InvalidPayload, UnknownDealer),
    response_class=Response,
)
def try_fences(asked: Tried, _who: Reader, engine: EngineDep) -> Response:
    """May this dealer sell there? Nothing is registered, counted or told to anybody."""
    with engine.connection() as db:
        region, told = fencing.try_place(
            db, asked.dealer, region=asked.region, place=asked.place, industry=asked.industry, product_line=asked.product_line,
            on=day_of(asked.on),
        )  # fmt: skip
    zh, en = fencing.words(told)
    shown = {"effect": told.effect, "code": told.code, "fence": told.fence_id, "region": region}
    return answer(shown | {"message": {"zh": zh, "en": en}})


only("/fences/try", "POST")

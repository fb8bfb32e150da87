"""Work on scorecards: publish a version, keep a month, load what no system tells, and tags given by hand. For our own people."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from canonical.values import BadValue
from channel.performance import loads, service
from channel.performance.tags import ManualTag
from hub_api import engine_calls
from hub_api.actions import Action, doing
from hub_api.deals_shapes import Words
from hub_api.pages import acted
from hub_api.permissions import Scope
from hub_api.problems import RecordNotFound
from hub_api.scorecards import DEFINITION, Code, DefinitionOut, Month, definition, month_end
from hub_api.scorecards_problems import BadFacts, BadScorecard, MonthNotOver, ReasonNeeded, ScorecardNotFound, ScorecardTaken
from hub_api.shapes import TEXT, Day

router = APIRouter(prefix="/v1/scorecards", tags=["scorecards"])
MOST_ROWS = 5000
EXAMPLE = """scorecard: health
version: 1
name: {zh: 经销商健康分, en: Dealer health}
currency: CNY
valid: {from: 2026-01-01}
period: year
kpis:
  - kpi: target_completion
    weight: 70
    curve: [{at: 50 %, points: 0}, {at: 100 %, points: 100}]
"""
Cell = str | int | SkipJsonSchema[None]
Table = Annotated[list[dict[str, Cell]], Field(max_length=MOST_ROWS)]
Short = Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]


class Publish(BaseModel):
    """A scorecard as its file says it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": EXAMPLE, "reason": "2026 年度考核"}})

    text: Annotated[str, Field(min_length=1, max_length=200_000)]
    reason: Words = ""


class Keep(BaseModel):
    """A month to keep."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"month": "2026-10", "reason": "10 月发票补录"}})

    month: Month
    reason: Words = Field(default="", description="Needed where the month was kept already: it becomes the next revision.")
    tell: bool = Field(default=True, description="Tell dealers and the channel manager.")


class KeptOut(BaseModel):
    """A month that was kept."""

    scorecard: str
    version: int
    month: str
    revision: int
    dealers: int
    ranked: int
    tags_came: int


class Load(BaseModel):
    """Rows of what no connected system tells, with the columns of docs/performance.md; numbers as text."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "facts": [{"id": "TS-1", "kind": "complaint", "dealer": "CUST00001", "date": "2026-10-12", "status": "valid"}],
                "as_of": "2026-10-31",
            }
        },
    )

    facts: Table = Field(default=[], description="Complaints, attendance, training, targets, price protection, support, costs.")
    stock: Table = Field(default=[], description="Counts of dealers' stock.")
    sellout: Table = Field(default=[], description="What dealers sold on.")
    as_of: Day = Field(description="Day of counts that name none; later days are refused.")


class LoadedOut(BaseModel):
    """How many rows are new or corrected."""

    facts: int
    stock: int
    sellout: int


class TagByHand(BaseModel):
    """A tag that a person gives, or takes back."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "example": {
                "dealer": "01931f5e-7c00-7000-8000-00000000000a", "tag": "watch", "reason": "诉讼中", "owner": "王芳",
                "from": "2026-11-01", "to": "2027-02-01",
            }
        },
    )  # fmt: skip

    dealer: UUID
    tag: Short
    reason: Short
    owner: Short
    since: Day = Field(alias="from")
    until: Day = Field(alias="to", description="The day on which it ends.")
    end: bool = Field(default=False, description="Take it back now.")


class TaggedOut(BaseModel):
    """Whether something changed."""

    changed: bool


KEPT: dict[str, Any] = {
    "scorecard": "health", "version": 1, "month": "2026-10", "revision": 2, "dealers": 120, "ranked": 117, "tags_came": 3,
}  # fmt: skip


@router.post(
    "/definitions",
    operation_id="publish_scorecard",
    responses=acted(DefinitionOut, DEFINITION, "It is published.", BadScorecard, ScorecardTaken),
    response_class=Response,
)
def publish(told: Publish, act: Annotated[Action, doing("scorecard.publish", Scope.PERFORMANCE_MANAGE)]) -> Response:
    """Publish a version. What is published never changes; a month is scored by the newest version in force on its last day."""
    act.on("scorecard")
    with act.engine.connection() as db, db.transaction():
        made = service.publish(db, told.text, by=act.by, reason=told.reason)
    with act.engine.reading() as cursor:
        return act.done(definition(cursor, made.scorecard, made.version, act.caller))


@router.post(
    "/facts",
    operation_id="load_performance_facts",
    responses=acted(LoadedOut, {"facts": 1, "stock": 0, "sellout": 0}, "They are loaded.", BadFacts),
    response_class=Response,
)
def load(told: Load, act: Annotated[Action, doing("scorecard.load", Scope.PERFORMANCE_MANAGE)]) -> Response:
    """Load facts, counts and sell-out, all or none. A row with the id of an earlier one corrects it; the same again changes nothing."""
    act.on("performance_facts")
    done = {"facts": 0, "stock": 0, "sellout": 0}
    with act.engine.connection() as db, db.transaction():
        if told.facts:
            done["facts"] = loads.load_facts(db, *_table(told.facts), by=act.by)
        if told.stock:
            done["stock"] = loads.load_stock(db, *_table(told.stock), told.as_of, by=act.by)
        if told.sellout:
            done["sellout"] = loads.load_sell_out(db, *_table(told.sellout), told.as_of, by=act.by)
    return act.done(done)


def _table(rows: list[dict[str, Any]]) -> tuple[list[str], list[tuple[int, dict[str, Any]]]]:
    """Columns and numbered rows, as the readers of files take them."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return columns, [(at, {name: row.get(name) for name in columns}) for at, row in enumerate(rows, start=1)]


@router.post(
    "/tags",
    operation_id="tag_dealer",
    responses=acted(TaggedOut, {"changed": True}, "The tag is given, or taken back.", RecordNotFound, BadFacts),
    response_class=Response,
)
def tag(told: TagByHand, act: Annotated[Action, doing("scorecard.tag", Scope.PERFORMANCE_MANAGE)]) -> Response:
    """Give a dealer a tag by hand, with a reason, an owner and an end; or take it back."""
    act.on(f"party:{told.dealer}", tag=told.tag)
    try:
        given = ManualTag(str(told.dealer), told.tag, told.reason, told.owner, told.since, told.until)
    except BadValue as wrong:
        raise BadFacts(str(wrong)) from wrong
    with act.engine.connection() as db, db.transaction():
        if not loads.is_dealer(db, told.dealer):
            raise RecordNotFound
        done = loads.end_tag(db, told.dealer, told.tag, by=act.by) if told.end else bool(loads.give_tag(db, told.dealer, given, by=act.by))
    return act.done({"changed": done})


@router.post(
    "/{scorecard}/months",
    operation_id="keep_scorecard_month",
    responses=acted(KeptOut, KEPT, "The month is kept.", ScorecardNotFound, MonthNotOver, ReasonNeeded),
    response_class=Response,
)
def keep(scorecard: Code, told: Keep, act: Annotated[Action, doing("scorecard.keep", Scope.PERFORMANCE_MANAGE)]) -> Response:
    """Score a month that is over and keep it; one that was kept becomes its next revision, for a reason, and the one before stays."""
    act.on(f"scorecard:{scorecard}", month=told.month)
    kept = engine_calls.keep_month(act.engine.hub, scorecard, month_end(told.month), by=act.by, reason=told.reason, tell=told.tell)
    if kept is None:
        raise ScorecardNotFound
    figures = {"scorecard": kept.scorecard, "version": kept.version, "revision": kept.revision, "dealers": kept.dealers}
    return act.done(figures | {"month": told.month, "ranked": kept.ranked, "tags_came": len(kept.came)})

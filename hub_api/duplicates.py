"""Customers that the nightly scan found twice: the report, the pairs, and a person's answers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.deals import duplicates
from hub_api import engine_calls
from hub_api.actions import Action, doing
from hub_api.deals_lists import DUPLICATES
from hub_api.deals_problems import ProtectionsOverlap
from hub_api.deals_shapes import Words
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import MaybeId, Paged, acted, answer, listed, ok, paged
from hub_api.permissions import Scope
from hub_api.problems import BadParameters, RecordNotFound, problems

router = APIRouter(prefix="/v1/duplicates", tags=["merges"])
Reader = Annotated[Caller, may(Scope.DEALS_DECIDE)]
CustomerNumber = Annotated[int, Path(ge=1, lt=2**63, description="Number of a customer.")]
Verdict = Literal["duplicate", "review"]


class Pair(BaseModel):
    """Two customers that may be one firm."""

    low: int = Field(description="Number of the older customer.")
    high: int
    low_name: str
    high_name: str
    low_party: UUID | None = Field(description="Null: only claims have named it.")
    high_party: UUID | None
    p: Decimal = Field(description="Probability that they are one.")
    verdict: Verdict
    reasons: list[dict[str, Any]]
    found_at: datetime
    seen_at: datetime = Field(description="By the newest scan that still found it.")


class Pairs(BaseModel):
    """A page of them."""

    items: list[Pair]
    next: str | None


class PairFilters(Paged):
    """Filters of the list."""

    verdict: Verdict | SkipJsonSchema[None] = None
    party: MaybeId = Field(default=None, description="Either of the two.")


class Report(BaseModel):
    """The newest scan's report, in pairs."""

    scanned_at: datetime | None = Field(description="Null: no scan has found anything yet.")
    duplicate: int
    review: int
    new: int = Field(description="That no scan had found before.")
    open: int = Field(description="That nobody has answered.")


class Answer(BaseModel):
    """A person's answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"answer": "different", "reason": "同一集团的两家公司"}})

    answer: Literal["same", "different"]
    reason: Words = ""


class Answered(BaseModel):
    """What became of the two."""

    low: int
    high: int
    answer: Literal["same", "different"]
    merge: int | None = Field(description="The merge of their parties; it can be undone.")
    case: int | None = Field(description="Two dealers hold them: nothing was merged, and this case asks who keeps the customer.")


PAIR: dict[str, Any] = {
    "low": 4711,
    "high": 4712,
    "low_name": "苏州恒信机电有限公司",
    "high_name": "恒信机电（苏州）有限公司",
    "low_party": "01931f5e-7c00-7000-8000-00000000000c",
    "high_party": None,
    "p": "0.93",
    "verdict": "duplicate",
    "reasons": [{"feature": "brand", "zh": "字号相同", "en": "the brand is the same"}],
    "found_at": "2026-01-05T17:11:12Z",
    "seen_at": "2026-01-06T17:11:12Z",
}
_REPORT = {"scanned_at": "2026-01-06T17:11:12Z", "duplicate": 12, "review": 40, "new": 3, "open": 45}
_ANSWERED = {"low": 4711, "high": 4712, "answer": "different", "merge": None, "case": None}


@router.get("", operation_id="list_duplicates", responses=listed(Pairs, PAIR), response_class=Response)
def list_duplicates(asked: Annotated[PairFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Pairs of the newest scan that nobody has answered, in the order of customers' numbers."""
    return answer(paged(engine, db, who, DUPLICATES, asked))


@router.get(
    "/report",
    operation_id="report_duplicates",
    responses=ok(Report, _REPORT, "The report.") | problems(BadParameters),
    response_class=Response,
)
def report(_who: Reader, db: Db) -> Response:
    """How many pairs the newest nightly scan found, and how many of them wait for a person."""
    told = duplicates.nightly(db.connection)
    return answer({name: getattr(told, name) for name in Report.model_fields})


@router.post(
    "/{low:int}/{high:int}/decide",
    operation_id="decide_duplicate",
    responses=acted(Answered, _ANSWERED, "What became of the two.", RecordNotFound, ProtectionsOverlap),
    response_class=Response,
)
def decide(
    low: CustomerNumber,
    high: CustomerNumber,
    told: Answer,
    act: Annotated[Action, doing("duplicate.decide", Scope.DEALS_DECIDE)],
    engine: EngineDep,
) -> Response:
    """Say whether the two are one. Same: their parties are merged, which can be undone. Different: never paired or merged again."""
    act.on(f"duplicate:{low}/{high}", answer=told.answer)
    return act.done(engine_calls.decide_duplicate(engine.hub, low, high, told.answer, by=act.by, reason=told.reason))

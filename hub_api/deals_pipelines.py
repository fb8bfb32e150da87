"""Pipelines, how far a deal has come, what stands still, and the forecast."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from canonical.values import business_day
from hub_api import engine_calls, queries
from hub_api.deals import only
from hub_api.deals_shapes import Message
from hub_api.deps import Cursor, Db, Engine, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import MaybeId, Paged, answer, listed, ok
from hub_api.paging import query_id
from hub_api.permissions import Role, Scope, View
from hub_api.problems import BadCursor, BadParameters, FieldNotAllowed, RecordNotFound, problems
from hub_api.records import sight

router = APIRouter(prefix="/v1/deals", tags=["pipelines"])
Reader = Annotated[Caller, may(Scope.DEALS_READ)]
RecordId = Annotated[UUID, Path(description="The deal.")]
Group = Literal["early", "offer", "won", "delivery", "after", "lost"]
By = Literal["month", "year", "dealer", "customer", "product_line", "pipeline", "stage", "kind", "group", "salesperson"]
_FIELD: Mapping[str, str] = {"month": "expected_close", "year": "expected_close", "kind": "stage_kind", "group": "stage_kind"}
"""What a forecast is cut by -> the deal's field that tells it, where that has another name."""


def seen_parties(db: Cursor, who: Caller, dealer: UUID | None = None) -> Collection[str] | None:
    """Parties whose deals the caller may see, all when None; with `dealer` only that one's. Raises: RecordNotFound."""
    if who.role is not Role.DEALER:
        return None if dealer is None else [str(dealer)]
    ids = queries.party_tree(db, who.party).ids
    if dealer is None:
        return [str(one) for one in ids]
    if dealer not in ids:
        raise RecordNotFound
    return [str(dealer)]


# Pipelines ----------------------------------------------------------------------------------------------------------------


class NextAction(BaseModel):
    """What is to be done when a deal reaches the stage."""

    what: str
    in_days: int = Field(description="Business days of Asia/Shanghai.")


class StageOut(BaseModel):
    """A stage."""

    name: str
    en: str
    kind: str = Field(description="Canonical kind: lead, qualify, propose, negotiate, won, contract, deliver, paid, review, lost.")
    group: Group | Literal[""]
    probability: Decimal | None = Field(default=None, description="A fraction. Not for dealers.")
    stuck_days: int | None = Field(description="A deal that is there for longer is stuck; null: never.")
    needs: list[str] = Field(description="Fields that must have a value to enter.")
    next_action: NextAction | None
    also: list[str] = Field(description="Other names of it, such as a CRM's.")


class PipelineOut(BaseModel):
    """A way of stages, and the ways out of it."""

    name: str
    title: Message
    default: bool = Field(description="For deals that name no pipeline, and whose stage tells none.")
    stages: list[StageOut]
    lost: list[StageOut]
    close_reasons: dict[str, dict[str, str]]


class PipelineList(BaseModel):
    """All pipelines: ours and the tenant's."""

    items: list[PipelineOut]


_STAGE: dict[str, Any] = {
    "name": "线索登记",
    "en": "Lead registered",
    "kind": "lead",
    "group": "early",
    "probability": "0.05",
    "stuck_days": 7,
    "needs": [],
    "next_action": {"what": "call", "in_days": 3},
    "also": [],
}
PIPELINE: dict[str, Any] = {
    "name": "manufacturer",
    "title": {"zh": "制造商项目流程", "en": "Manufacturer's projects"},
    "default": True,
    "stages": [_STAGE],
    "lost": [],
    "close_reasons": {"lost": {"price": "价格过高"}},
}


@router.get(
    "/pipelines",
    operation_id="list_pipelines",
    responses=ok(PipelineList, {"items": [PIPELINE]}, "The pipelines.") | problems(BadParameters),
    response_class=Response,
)
def list_pipelines(who: Reader, engine: EngineDep) -> Response:
    """The pipelines that deals run through, with their stages: those that ship with the hub, and the tenant's own."""
    items = engine_calls.pipelines(engine.hub)
    if who.role is Role.DEALER:
        for stage in (stage for one in items for stage in (*one["stages"], *one["lost"])):
            del stage["probability"]
    return answer({"items": items})


only("/pipelines", "GET")


# Forecast -----------------------------------------------------------------------------------------------------------------


class ForecastFilters(BaseModel):
    """How the forecast is cut."""

    model_config = ConfigDict(extra="forbid")

    by: list[By] = Field(default=["month"], max_length=4, description="Cuts, in this order; always by currency first.")
    group: list[Group] = Field(default=["early", "offer", "won"], max_length=6, description="Stages that count.")
    dealer: MaybeId = None


class ForecastCell(BaseModel):
    """One sum."""

    currency: str
    key: dict[str, str] = Field(description="What it was cut by; an empty text: not said.")
    deals: int
    amount: Decimal
    weighted: Decimal | None = Field(default=None, description="Amounts times probability. Not for dealers.")


class Forecast(BaseModel):
    """The forecast."""

    items: list[ForecastCell]


CELL: dict[str, Any] = {"currency": "CNY", "key": {"month": "2026-12"}, "deals": 2, "amount": "1200.05", "weighted": "470.02"}


@router.get(
    "/forecast",
    operation_id="forecast_deals",
    responses=ok(Forecast, {"items": [CELL]}, "The forecast.") | problems(BadParameters, FieldNotAllowed, RecordNotFound),
    response_class=Response,
)
def forecast(asked: Annotated[ForecastFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """What open deals are worth, by month, dealer, stage …, never across currencies; a dealer's key sums its own deals and those below."""
    seen = sight(who, "deal")
    by = list(dict.fromkeys(asked.by))
    if not {_FIELD.get(one, one) for one in by} <= seen.fields:
        raise FieldNotAllowed
    cells = engine_calls.forecast(engine.hub, by, asked.group, seen_parties(db, who, asked.dealer))
    items = []
    for cell in cells:
        currency, *rest = cell.key
        shown = {"currency": currency, "key": dict(zip(by, rest, strict=True)), "deals": cell.deals, "amount": format(cell.amount, "f")}
        items.append(shown if who.role is Role.DEALER else shown | {"weighted": format(cell.weighted, "f")})
    return answer({"items": items})


only("/forecast", "GET")


# Standing still -----------------------------------------------------------------------------------------------------------


class StuckDeal(BaseModel):
    """A deal that stands still, or lacks what its stage needs."""

    deal: UUID
    name: str | None
    dealer: UUID | None
    customer: UUID | None
    salesperson: str | None = Field(default=None, description="Not for dealers.")
    stage: str
    kind: str
    since: datetime
    days: int = Field(description="In the stage; business days of Asia/Shanghai.")
    stuck: bool = Field(description="Longer than the stage allows.")
    lacks: list[str] = Field(description="Fields that the stage needs and the deal has not.")


class StuckDeals(BaseModel):
    """A page of them."""

    items: list[StuckDeal]
    next: str | None


class StuckFilters(Paged):
    """Filters of the list."""

    dealer: MaybeId = None


STUCK: dict[str, Any] = {
    "deal": "01931f5e-7c00-7000-8000-0000000000dd",
    "name": "二号产线改造",
    "dealer": "01931f5e-7c00-7000-8000-00000000000a",
    "customer": "01931f5e-7c00-7000-8000-00000000000c",
    "salesperson": "S07",
    "stage": "需求确认",
    "kind": "qualify",
    "since": "2026-01-05T02:11:12Z",
    "days": 21,
    "stuck": True,
    "lacks": [],
}


@router.get("/stuck", operation_id="list_stuck_deals", responses=listed(StuckDeals, STUCK, RecordNotFound), response_class=Response)
def stuck(asked: Annotated[StuckFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Deals that stand still or lack what their stage needs, those longest in their stage first; a dealer's key sees its own."""
    seen, tree = sight(who, "deal"), seen_parties(db, who, asked.dealer)
    query = query_id("stuck", who.key_id, asked.dealer)
    found = engine_calls.standing(engine.hub, _today(), tree, _place(engine, asked.after, query), asked.limit + 1)
    shown = found[: asked.limit]
    more = None
    if len(found) > asked.limit:
        more = engine.sealer.seal([shown[-1].entered_at.isoformat(), shown[-1].deal_id], query)
    return answer({"items": [_stuck(seen, one) for one in shown], "next": more})


def _place(engine: Engine, cursor: str | None, query: bytes) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    position = engine.sealer.open(cursor, query)
    try:
        return datetime.fromisoformat(position[0]), str(UUID(position[1]))
    except (IndexError, ValueError, TypeError, AttributeError) as wrong:
        raise BadCursor from wrong


def _stuck(seen: View, one: Any) -> dict[str, Any]:
    shown = {"deal": one.deal_id} | {name: one.deal.get(name) for name in ("name", "dealer", "customer", "salesperson") if seen.sees(name)}
    stage = {"stage": one.wrong.stage.name, "kind": one.wrong.stage.kind, "since": one.entered_at, "days": one.wrong.days}
    return shown | stage | {"stuck": one.wrong.over, "lacks": [name for name in one.wrong.lacks if seen.sees(name)]}


only("/stuck", "GET")


# One deal -----------------------------------------------------------------------------------------------------------------


class Stay(BaseModel):
    """One stay in a stage."""

    pipeline: str | None = Field(default=None, description="Not for dealers.")
    stage: str
    kind: str
    entered_at: datetime
    left_at: datetime | None = Field(description="Null: it is there now.")


class NextStage(BaseModel):
    """The stage after the present one."""

    name: str
    en: str
    kind: str
    needs: list[str]
    lacks: list[str] = Field(description="Of them, what the deal has not.")


class DealProgress(BaseModel):
    """How far a deal has come."""

    deal: UUID
    pipeline: str | None = Field(default=None, description="Not for dealers.")
    stage: str
    kind: str
    probability: Decimal | None = Field(default=None, description="A fraction. Not for dealers.")
    days: int | None = Field(description="In the stage; business days of Asia/Shanghai.")
    stuck_days: int | None
    stuck: bool
    lacks: list[str]
    next_action: str
    next_action_on: date | None
    action_due: bool
    next_stage: NextStage | None = Field(description="Null at the end, and for a lost deal.")
    stages: list[Stay] = Field(description="Stages it went through, whoever moved it, oldest first; from when the hub first saw it.")


PROGRESS: dict[str, Any] = {
    "deal": STUCK["deal"],
    "pipeline": "manufacturer",
    "stage": "线索登记",
    "kind": "lead",
    "probability": "0.05",
    "days": 2,
    "stuck_days": 7,
    "stuck": False,
    "lacks": [],
    "next_action": "call",
    "next_action_on": "2026-01-08",
    "action_due": False,
    "next_stage": {"name": "需求确认", "en": "Need confirmed", "kind": "qualify", "needs": ["customer"], "lacks": ["customer"]},
    "stages": [{"pipeline": "manufacturer", "stage": "线索登记", "kind": "lead", "entered_at": "2026-01-05T02:11:12Z", "left_at": None}],
}


@router.get(
    "/{record_id}/progress",
    operation_id="get_deal_progress",
    responses=ok(DealProgress, PROGRESS, "How far it has come.") | problems(RecordNotFound),
    response_class=Response,
)
def progress(record_id: RecordId, who: Reader, engine: EngineDep, db: Db) -> Response:
    """A deal's stage history, its next action, whether it is stuck, and what the next stage needs."""
    seen = sight(who, "deal")
    row = queries.one(db, seen, queries.party_tree(db, who.party), record_id)
    if row is None or row["retired"]:
        raise RecordNotFound
    told = engine_calls.progress(engine.hub, record_id, _today())
    return answer(_progress(seen, told))


def _progress(seen: View, told: Any) -> dict[str, Any]:
    after = told.next_stage
    shown: dict[str, Any] = {
        "deal": told.deal,
        "stage": told.stage,
        "kind": told.kind,
        "days": told.days,
        "stuck_days": told.stuck_days,
        "stuck": told.stuck,
        "lacks": [name for name in told.lacks if seen.sees(name)],
        "next_action": told.next_action,
        "next_action_on": told.next_action_on or None,
        "action_due": told.action_due,
        "next_stage": None,
    }
    if after is not None:
        fields = {part: [name for name in getattr(after, part) if seen.sees(name)] for part in ("needs", "lacks")}
        shown["next_stage"] = {"name": after.name, "en": after.en, "kind": after.kind, **fields}
    names = ["stage", "kind", "entered_at", "left_at"]
    if seen.sees("pipeline"):
        shown["pipeline"] = told.pipeline
        names.insert(0, "pipeline")
    if seen.sees("probability"):
        shown["probability"] = None if told.probability is None else format(told.probability, "f")
    return shown | {"stages": [{name: getattr(stay, name) for name in names} for stay in told.stages]}


def _today() -> date:
    return business_day(datetime.now(UTC))

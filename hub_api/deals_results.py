"""Results of decided deals: won, lost, how much of the project became an order, how long it took, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.deals.results import Cell, Days
from hub_api import engine_calls
from hub_api.deals import only
from hub_api.deals_days import Day, span
from hub_api.deals_pipelines import Reader, seen_parties
from hub_api.deps import Db, EngineDep
from hub_api.pages import MaybeId, answer, ok
from hub_api.permissions import Role, Scope
from hub_api.problems import BadParameters, FieldNotAllowed, RecordNotFound, problems
from hub_api.records import sight

router = APIRouter(prefix="/v1/deals", tags=["pipelines"])
By = Literal[
    "year", "quarter", "month", "dealer", "customer", "product_line", "industry", "region", "salesperson", "pipeline", "source",
    "close_reason",
]  # fmt: skip
LONGEST = 3660
_DAYS = frozenset(("year", "quarter", "month"))
_AMOUNTS = ("expected", "quoted", "contract", "ordered", "lost_amount")


class ResultFilters(BaseModel):
    """Which deals, and how they are cut."""

    model_config = ConfigDict(extra="forbid")

    by: list[By] = Field(default=["year"], max_length=4, description="Cuts, in this order; always by currency first.")
    until: Day = Field(default=None, description="Last day of a decision (Asia/Shanghai); today when left out.")
    days: Annotated[int, Field(ge=1, le=LONGEST)] = Field(default=366, description="How many days, the last one among them.")
    dealer: MaybeId = None


class TookOut(BaseModel):
    """How many days something took, from the first contact on."""

    deals: int = Field(description="Won deals of which both days are known.")
    average: Decimal | None
    median: Decimal | None


class ResultOut(BaseModel):
    """Results of some deals in one currency. Amounts are with tax, and of won deals but `lost_amount`."""

    currency: str
    key: dict[str, str] = Field(description="What it was cut by; an empty text: not said.")
    won: int
    lost: int
    win_rate: Decimal | None = Field(description="won / (won + lost), a fraction.")
    expected: Decimal = Field(description="What the projects were thought to be worth.")
    quoted: Decimal = Field(description="Their accepted quotes.")
    contract: Decimal
    ordered: Decimal = Field(description="Their orders that are not void.")
    lost_amount: Decimal = Field(description="What the lost projects were thought to be worth.")
    to_win: TookOut = Field(description="To the signing.")
    to_delivery: TookOut = Field(description="To the first delivery.")
    costed: int | SkipJsonSchema[None] = Field(default=None, description="Won deals whose quotes tell a cost. Only with `prices:cost`.")
    margin: Decimal | SkipJsonSchema[None] = Field(default=None, description="Of these, without tax. Only with `prices:cost`.")
    margin_rate: Decimal | SkipJsonSchema[None] = Field(default=None, description="A fraction. Only with `prices:cost`.")


class Results(BaseModel):
    """The results."""

    items: list[ResultOut]


RESULT: dict[str, Any] = {
    "currency": "CNY", "key": {"salesperson": "S07"}, "won": 3, "lost": 1, "win_rate": "0.7500", "expected": "300000",
    "quoted": "284000", "contract": "280000", "ordered": "280000", "lost_amount": "90000",
    "to_win": {"deals": 3, "average": "41.3", "median": "38.0"}, "to_delivery": {"deals": 2, "average": "77.0", "median": "77.0"},
}  # fmt: skip


@router.get(
    "/results",
    operation_id="report_deal_results",
    responses=ok(Results, {"items": [RESULT]}, "The results.") | problems(BadParameters, FieldNotAllowed, RecordNotFound),
    response_class=Response,
)
def report(asked: Annotated[ResultFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Deals that were decided: won and lost, from the project's amount to the order, and the days that it took; a dealer sums its own."""
    by = list(dict.fromkeys(asked.by))
    if who.role is Role.DEALER and not set(by) - _DAYS <= sight(who, "deal").fields:
        raise FieldNotAllowed
    start, until = span(asked.until, asked.days)
    cells = engine_calls.deal_results(engine.hub, by, start, until, seen_parties(db, who, asked.dealer))
    costs = Scope.PRICES_COST in who.scopes and who.role is not Role.DEALER
    return answer({"items": [_told(by, cell, costs=costs) for cell in cells]})


only("/results", "GET")


def _told(by: list[By], cell: Cell, *, costs: bool) -> Mapping[str, Any]:
    currency, *rest = cell.key
    told: dict[str, Any] = {"currency": currency, "key": dict(zip(by, rest, strict=True)), "won": cell.won, "lost": cell.lost}
    told |= {"win_rate": _text(cell.win_rate)} | {name: _text(getattr(cell, name)) for name in _AMOUNTS}
    told |= {"to_win": _took(cell.to_win), "to_delivery": _took(cell.to_delivery)}
    return told | ({"costed": cell.costed, "margin": _text(cell.margin), "margin_rate": _text(cell.margin_rate)} if costs else {})


def _took(days: Days) -> dict[str, Any]:
    return {"deals": days.deals, "average": _text(days.average), "median": _text(days.median)}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")

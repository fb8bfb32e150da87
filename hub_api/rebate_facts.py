"""Facts of rebates that no connected system tells: sell-out, targets, baselines, measures, complaints, stock. For our own people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.responses import Response

from channel.rebates import fact_loading
from hub_api.actions import Action, doing
from hub_api.pages import acted
from hub_api.permissions import Scope
from hub_api.rebates_problems import RebateFacts
from hub_api.shapes import TEXT

router = APIRouter(prefix="/v1/rebate-facts", tags=["rebates"])
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=TEXT)]
Cell = Annotated[str, Field(max_length=500, pattern=TEXT)]
Row = Annotated[
    dict[Name, Cell],
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"minLength": 1, "maxLength": 60, "pattern": TEXT},
            "additionalProperties": {"type": "string", "maxLength": 500, "pattern": TEXT},
        }
    ),
]
"""Values by column."""
MOST_ROWS = 10_000


class Load(BaseModel):
    """Rows with the columns of docs/rebates-facts.md; numbers as text."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "rows": [
                    {
                        "id": "SO-2026-0417", "kind": "sell_out", "dealer": "CUST00001", "date": "2026-10-12", "customer": "CUST00007",
                        "product": "P1", "quantity": "3", "amount": "10000", "currency": "CNY",
                    }
                ]
            }
        },
    )  # fmt: skip

    rows: Annotated[list[Row], Field(min_length=1, max_length=MOST_ROWS)]


class LoadedOut(BaseModel):
    """How many rows are new or corrected."""

    facts: int


@router.post(
    "",
    operation_id="load_rebate_facts",
    responses=acted(LoadedOut, {"facts": 1}, "They are loaded.", RebateFacts),
    response_class=Response,
)
def load(told: Load, act: Annotated[Action, doing("rebate_facts.load", Scope.REBATES_MANAGE)]) -> Response:
    """Load facts, all or none. A row with the id of an earlier one corrects it; the same again changes nothing."""
    act.on("rebate_facts")
    columns = list(dict.fromkeys(name for row in told.rows for name in row))
    rows: list[tuple[int, dict[str, Any]]] = [(at, {name: row.get(name) for name in columns}) for at, row in enumerate(told.rows, start=1)]
    with act.engine.connection() as db, db.transaction():
        return act.done({"facts": fact_loading.load(db, columns, rows)})

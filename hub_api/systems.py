"""Systems: what is connected, how far each stream is read, what is behind, what is spent."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from hub_api import lists
from hub_api.deps import Cursor, Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import answer, ok
from hub_api.permissions import Scope
from hub_api.problems import NotFound, RecordNotFound, problems

router = APIRouter(prefix="/v1/systems", tags=["systems"])


class StreamState(BaseModel):
    """One kind of record in a system."""

    stream: str
    entity: str
    listed_at: datetime | None = Field(description="When its first complete listing was linked; nothing is created there before.")
    read_to_at: datetime | None = Field(description="When its cursor last moved.")
    lag_s: int | None = Field(description="Seconds since then.")
    records: int
    quarantined: int
    states: dict[str, int] = Field(description="Pairs in each of the six states.")


class Pause(BaseModel):
    """A vendor asked to wait."""

    until: datetime
    why: str


class Budget(BaseModel):
    """One of a vendor's windows."""

    window: str
    share: str
    starts_at: datetime
    used: int
    ceiling: int | None


class System(BaseModel):
    """One connected system."""

    system: str
    streams: list[StreamState]
    paused: Pause | None
    budgets: list[Budget]


class Systems(BaseModel):
    """All of them, and what waits for people."""

    items: list[System]
    open: dict[str, int] = Field(description="Open cases, conflicts, plans, and values that lack.")


STREAM = {
    "stream": "sales_orders",
    "entity": "order",
    "listed_at": "2026-01-04T00:00:00Z",
    "read_to_at": "2026-01-05T02:11:12Z",
    "lag_s": 41,
    "records": 20000,
    "quarantined": 1,
    "states": {"in_sync": 19990, "due": 0, "in_flight": 0, "held": 10, "blocked": 0, "left": 0},
}
SYSTEM = {
    "system": "kingdee",
    "streams": [STREAM],
    "paused": None,
    "budgets": [{"window": "minute", "share": "", "starts_at": "2026-01-05T02:11:00Z", "used": 12, "ceiling": None}],
}
EXAMPLE = {"items": [SYSTEM], "open": {"cases": 3, "conflicts": 0, "plans": 1, "missing_values": 1}}
Reader = Annotated[Caller, may(Scope.OPERATIONS_READ)]


def _all(db: Cursor, connected: list[str]) -> list[dict[str, Any]]:
    states: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(lists.STATES, 0))
    for row in lists.state_counts(db):
        states[row["system"], row["stream"]][row["state"]] = row["pairs"]
    streams: dict[str, list[dict[str, Any]]] = {name: [] for name in connected}
    for row in lists.streams(db):
        shown = {name: value for name, value in row.items() if name != "system"}
        streams.setdefault(row["system"], []).append(shown | {"states": states[row["system"], row["stream"]]})
    pauses = lists.pauses(db)
    budgets = defaultdict(list)
    for row in lists.budgets(db):
        budgets[row["system"]].append(
            {"window": row["window_name"], **{name: row[name] for name in ("share", "starts_at", "used", "ceiling")}}
        )
    return [
        {
            "system": name,
            "streams": found,
            "paused": {"until": pauses[name]["until"], "why": pauses[name]["why"]} if name in pauses else None,
            "budgets": budgets[name],
        }
        for name, found in streams.items()
    ]


@router.get("", operation_id="list_systems", responses=ok(Systems, EXAMPLE, "All systems.") | problems(), response_class=Response)
def list_systems(_who: Reader, engine: EngineDep, db: Db) -> Response:
    """What is connected, what flows, what is behind."""
    return answer({"items": _all(db, engine.hub.systems()), "open": lists.open_counts(db)})


@router.get(
    "/{system}",
    operation_id="get_system",
    responses=ok(System, SYSTEM, "The system.") | problems(RecordNotFound, NotFound),
    response_class=Response,
)
def get_system(
    system: Annotated[str, Path(max_length=100, description="Name of the system.")], _who: Reader, engine: EngineDep, db: Db
) -> Response:
    """One system with its streams."""
    found = next((one for one in _all(db, engine.hub.systems()) if one["system"] == system), None)
    if found is None:
        raise NotFound
    return answer(found)

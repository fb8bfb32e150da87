"""Runs: what the engine did, when, and how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import lists
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, Number, Paged, answer, found, listed, ok, paged
from hub_api.permissions import Scope
from hub_api.problems import NotFound, RecordNotFound, problems

router = APIRouter(prefix="/v1/runs", tags=["runs"])

Status = Literal["running", "done", "failed", "busy", "differs", "set_aside"]


class Run(BaseModel):
    """One run."""

    id: int
    kind: str
    system: str
    detail: str
    started_at: datetime
    ended_at: datetime | None
    status: Status
    counts: Any
    error: str | None


class Runs(BaseModel):
    """A page of runs."""

    items: list[Run]
    next: str | None


class RunFilters(Paged):
    """Filters of the list."""

    kind: Maybe = None
    system: Maybe = None
    status: Status | SkipJsonSchema[None] = None


RUN = {
    "id": 17,
    "kind": "increment",
    "system": "zoho",
    "detail": "",
    "started_at": "2026-01-05T02:11:12Z",
    "ended_at": "2026-01-05T02:11:15Z",
    "status": "done",
    "counts": {"read": 12, "changed": 3},
    "error": None,
}
Reader = Annotated[Caller, may(Scope.OPERATIONS_READ)]


@router.get(
    "",
    operation_id="list_runs",
    responses=listed(Runs, RUN),
    response_class=Response,
)
def list_runs(asked: Annotated[RunFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Runs, newest first."""
    return answer(paged(engine, db, who, lists.RUNS, asked))


@router.get(
    "/{run_id:int}",
    operation_id="get_run",
    responses=ok(Run, RUN, "The run.") | problems(RecordNotFound, NotFound),
    response_class=Response,
)
def get_run(run_id: Number, _who: Reader, db: Db) -> Response:
    """One run."""
    return answer(found(db, lists.RUNS, id=run_id))

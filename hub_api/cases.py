"""Cases: questions for a person, such as whether two records are one party."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import engine_calls, lists
from hub_api.actions import Action, doing
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, MaybeId, Number, Paged, acted, answer, found, listed, ok, paged
from hub_api.permissions import ROLES, Scope
from hub_api.problems import (
    NotFound,
    RecordNotFound,
    problems,
)
from hub_api.shapes import Text

router = APIRouter(prefix="/v1/cases", tags=["cases"])

State = Literal["open", "same", "different"]


class Case(BaseModel):
    """Two records that may be one."""

    id: int
    kind: str
    entity: str
    left_id: UUID
    right_id: UUID
    evidence: Any = Field(default=None, description="What speaks for it; absent where it may quote fields that the role may not see.")
    state: State
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


class Cases(BaseModel):
    """A page of cases."""

    items: list[Case]
    next: str | None


class CaseFilters(Paged):
    """Filters of the list."""

    state: State | SkipJsonSchema[None] = None
    entity: Maybe = None
    kind: Maybe = None
    entity_id: MaybeId = None


class Decision(BaseModel):
    """The answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"answer": "same", "reason": "营业执照一致"}})

    answer: Literal["same", "different"]
    reason: Annotated[Text, Field(max_length=1000)] = Field(default="", description="Why, for those who ask later.")


CASE = {
    "id": 3,
    "kind": "same_record",
    "entity": "party",
    "left_id": "01931f5e-7c00-7000-8000-000000000000",
    "right_id": "01931f5e-7c00-7000-8000-000000000001",
    "evidence": [["name", "恒信机电"]],
    "state": "open",
    "opened_at": "2026-01-05T02:11:12Z",
    "decided_at": None,
    "decided_by": None,
    "reason": None,
}
Reader = Annotated[Caller, may(Scope.CASES_READ)]


def _shown(who: Caller, case: dict[str, Any]) -> dict[str, Any]:
    if any(path.startswith(f"{case['entity']}.") for path in ROLES[who.role].hidden):
        del case["evidence"]
    return case


@router.get(
    "",
    operation_id="list_cases",
    responses=listed(Cases, CASE),
    response_class=Response,
)
def list_cases(asked: Annotated[CaseFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Cases, newest first."""
    page = paged(engine, db, who, lists.CASES, asked)
    return answer(page | {"items": [_shown(who, case) for case in page["items"]]})


@router.get(
    "/{case_id:int}",
    operation_id="get_case",
    responses=ok(Case, CASE, "The case.") | problems(RecordNotFound, NotFound),
    response_class=Response,
)
def get_case(case_id: Number, who: Reader, db: Db) -> Response:
    """One case with its evidence."""
    return answer(_shown(who, found(db, lists.CASES, id=case_id)))


@router.post(
    "/{case_id:int}/decide",
    operation_id="decide_case",
    responses=acted(
        Case,
        CASE | {"state": "same", "decided_at": "2026-01-05T03:00:00Z", "decided_by": "api:li"},
        "The case, decided; or open as `two_protections`.",
        RecordNotFound,
    ),
    response_class=Response,
)
def decide(
    case_id: Number, decision: Decision, act: Annotated[Action, doing("case.decide", Scope.CASES_DECIDE)], engine: EngineDep
) -> Response:
    """Say whether the two records are one; what was held for the case goes on.

    When two dealers hold the two, `same` joins nothing yet: the case comes back open as `two_protections`, with who was first; `same` on
    that one takes the later protection back. Refused when a person told them apart, or when their valid 统一社会信用代码 differ.
    """
    act.on(f"case:{case_id}", answer=decision.answer)
    engine_calls.decide(engine.hub, case_id, decision.answer, by=act.by, reason=decision.reason)
    with engine.reading() as db:
        return act.done(_shown(act.caller, found(db, lists.CASES, id=case_id)))

"""Merges: which canonical records became one, by which edges; taking a merge back; records that are kept apart for ever."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import engine_calls
from hub_api.actions import Action, doing
from hub_api.deals_lists import APART, MERGES
from hub_api.deals_problems import EngineMissing, KeysOutdated, ProtectionsOverlap
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, MaybeId, Number, Paged, acted, answer, found, listed, ok, paged
from hub_api.permissions import ROLES, Scope
from hub_api.problems import NotFound, RecordNotFound, problems
from hub_api.shapes import Flag, Text
from sync.proposing import Step

router = APIRouter(prefix="/v1/merges", tags=["merges"])
Reader = Annotated[Caller, may(Scope.CASES_READ)]


class Merge(BaseModel):
    """Two canonical records that became one. Records of systems are never merged, only their links."""

    id: int
    entity: str
    keep_id: UUID = Field(description="The record that lives on.")
    drop_id: UUID = Field(description="The one that was merged into it.")
    at: datetime
    by: str
    cause: str
    edges: list[dict[str, Any]] = Field(description="The pairs that caused it: left, right and, where the role may see it, the evidence.")
    undone_at: datetime | None
    undone_by: str | None
    undone_why: str | None


class Merges(BaseModel):
    """A page of merges."""

    items: list[Merge]
    next: str | None


class MergeFilters(Paged):
    """Filters of the list."""

    entity: Maybe = None
    entity_id: MaybeId = Field(default=None, description="Either of the two records.")
    undone: bool | SkipJsonSchema[None] = None


class Apart(BaseModel):
    """Two records that are never taken for one again."""

    id: int = Field(description="The case that says so.")
    entity: str
    left_id: UUID
    right_id: UUID
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


class Aparts(BaseModel):
    """A page of them."""

    items: list[Apart]
    next: str | None


class ApartFilters(Paged):
    """Filters of the list."""

    entity: Maybe = None
    entity_id: MaybeId = Field(default=None, description="Either of the two records.")


class Undo(BaseModel):
    """Why it is taken back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "两家公司, 信用代码不同"}})

    reason: Annotated[Text, Field(max_length=1000)] = ""


class JudgedAgain(BaseModel):
    """A registration that was judged again."""

    registration: UUID
    was: str = Field(description="Status before.")
    now: str
    reason: str


class ToCheck(BaseModel):
    """A registration that nobody but a person can judge."""

    registration: UUID
    why: str


class Undone(BaseModel):
    """What taking it back came to."""

    merge_id: int
    entity: str
    keep: UUID
    back: UUID = Field(description="The record that is there again.")
    restored: list[str] = Field(description="Records that are what they were before the merge, byte for byte.")
    edited: list[dict[str, Any]] = Field(description="Records that somebody edited since, with the fields that are not what they were.")
    judged: list[JudgedAgain] = Field(description="Registrations that the merge had refused or ended, and that stand otherwise now.")
    to_check: list[ToCheck] = Field(description="Registrations that a person should look at; a notice says so too.")
    state: Literal["undone"] = "undone"


MERGE: dict[str, Any] = {
    "id": 12,
    "entity": "party",
    "keep_id": "01931f5e-7c00-7000-8000-000000000000",
    "drop_id": "01931f5e-7c00-7000-8000-000000000001",
    "at": "2026-01-05T02:11:12Z",
    "by": "api:li",
    "cause": "case 3: same, by api:li",
    "edges": [{"left": "01931f5e-7c00-7000-8000-000000000000", "right": "01931f5e-7c00-7000-8000-000000000001"}],
    "undone_at": None,
    "undone_by": None,
    "undone_why": None,
}
APART_EXAMPLE: dict[str, Any] = {
    "id": 4,
    "entity": "party",
    "left_id": MERGE["keep_id"],
    "right_id": MERGE["drop_id"],
    "decided_at": "2026-01-06T02:11:12Z",
    "decided_by": "api:li",
    "reason": "un-merged",
}
UNDONE: dict[str, Any] = {
    "merge_id": 12,
    "entity": "party",
    "keep": MERGE["keep_id"],
    "back": MERGE["drop_id"],
    "restored": [MERGE["keep_id"], MERGE["drop_id"]],
    "edited": [],
    "judged": [{"registration": "01931f5e-7c00-7000-8000-0000000000ee", "was": "rejected", "now": "protected", "reason": "free"}],
    "to_check": [],
    "state": "undone",
}


def _shown(who: Caller, merge: dict[str, Any]) -> dict[str, Any]:
    """Evidence may quote fields: it is left out where the role may not see all of them."""
    if any(path.startswith(f"{merge['entity']}.") for path in ROLES[who.role].hidden):
        merge["edges"] = [{name: edge[name] for name in ("left", "right", "bits") if name in edge} for edge in merge["edges"]]
    return merge


@router.get("", operation_id="list_merges", responses=listed(Merges, MERGE), response_class=Response)
def list_merges(asked: Annotated[MergeFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Merges, newest first."""
    page = paged(engine, db, who, MERGES, asked)
    return answer(page | {"items": [_shown(who, merge) for merge in page["items"]]})


class Propose(BaseModel):
    """How far it may go."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"merge_sure": False}})

    merge_sure: Flag = Field(default=False, description="Also join what is sure: the same valid code, and at least 1,000 to 1.")


class FoundOut(BaseModel):
    """What a run found."""

    parties: int
    clusters: int = Field(description="Firms of two parties or more.")
    merged: int
    cases: int = Field(description="New questions.")
    known: int = Field(description="Pairs that people have been asked about already.")
    waiting: int = Field(description="Pairs that a later run asks about, since so many questions are open now: 1,000.")


class ProposalOut(BaseModel):
    """A run that resolves all parties of all systems into firms."""

    run: int
    status: Literal["running", "done", "set_aside", "failed"] = Field(
        description="set_aside: done, and people are asked something new, see `/v1/cases`."
    )
    asked: str = Field(description="By whom, with which model.")
    started_at: datetime
    ended_at: datetime | None
    step: Step | None = Field(description="What is being done; null: it has ended.")
    found: FoundOut | None = Field(description="What it found; null until it has ended well.")
    error: str | None


_BEGUN: dict[str, Any] = {
    "run": 17, "status": "running", "asked": "api:li: model 2026.11.3 on duckdb", "started_at": "2026-01-05T02:11:12Z", "ended_at": None,
    "step": "read", "found": None, "error": None,
}  # fmt: skip
_ENDED = _BEGUN | {
    "status": "set_aside", "ended_at": "2026-01-05T02:11:52Z", "step": None,
    "found": {"parties": 2210, "clusters": 23, "merged": 0, "cases": 23, "known": 0, "waiting": 0},
}  # fmt: skip


@router.post(
    "/propose",
    operation_id="propose_merges",
    status_code=202,
    responses=acted(ProposalOut, _BEGUN, "It is on its way; `Location` tells how it goes.", EngineMissing, status=202),
    response_class=Response,
)
def propose(told: Propose, act: Annotated[Action, doing("merge.propose", Scope.LINKS_WRITE)], engine: EngineDep) -> Response:
    """Resolve all parties of all systems into firms; what is likely becomes a case. One run at a time (409), watched at `Location`."""
    act.on("parties", merge_sure=told.merge_sure)
    begun = engine_calls.propose_merges(engine.hub, by=act.by, merge_sure=told.merge_sure)
    response = act.done(begun, 202)
    response.headers["Location"] = f"/v1/merges/proposals/{begun['run']}"
    return response


@router.get(
    "/proposals/{run:int}",
    operation_id="get_proposal",
    responses=ok(ProposalOut, _ENDED, "The run.") | problems(RecordNotFound, NotFound),
    response_class=Response,
)
def get_proposal(run: Number, _who: Reader, engine: EngineDep) -> Response:
    """How a run goes, and what it found."""
    return answer(engine_calls.proposal(engine.hub, run))


@router.get("/apart", operation_id="list_kept_apart", responses=listed(Aparts, APART_EXAMPLE), response_class=Response)
def list_apart(asked: Annotated[ApartFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Pairs of records that a person has told apart, or un-merged: never taken for one again."""
    return answer(paged(engine, db, who, APART, asked))


@router.get(
    "/{merge_id:int}",
    operation_id="get_merge",
    responses=ok(Merge, MERGE, "The merge.") | problems(RecordNotFound, NotFound),
    response_class=Response,
)
def get_merge(merge_id: Number, who: Reader, db: Db) -> Response:
    """One merge with its edges."""
    return answer(_shown(who, found(db, MERGES, id=merge_id)))


@router.post(
    "/{merge_id:int}/undo",
    operation_id="undo_merge",
    responses=acted(Undone, UNDONE, "Taken back.", RecordNotFound, ProtectionsOverlap, KeysOutdated),
    response_class=Response,
)
def undo_merge(merge_id: Number, told: Undo, act: Annotated[Action, doing("merge.undo", Scope.LINKS_WRITE)], engine: EngineDep) -> Response:
    """Take a merge back: each record is computed from its own sources again, and the two are kept apart for ever.

    Registrations that the merge had refused or ended are judged again, in the order in which they came.
    """
    act.on(f"merge:{merge_id}")
    done = engine_calls.undo_merge(engine.hub, merge_id, by=act.by, reason=told.reason)
    return act.done({**done, "state": "undone"})

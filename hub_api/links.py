"""Links: which record of a system is which canonical record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api import engine_calls, lists
from hub_api.actions import Action, doing
from hub_api.deps import Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.pages import Maybe, MaybeId, Paged, acted, answer, listed, paged
from hub_api.permissions import Scope
from hub_api.problems import (
    BadLinkRows,
)
from hub_api.shapes import Text

router = APIRouter(prefix="/v1/links", tags=["links"])

Role = Literal["primary", "alias", "gone"]


class Link(BaseModel):
    """One record of a system, joined to its canonical record."""

    system: str
    stream: str
    entity: str
    key: str = Field(description="The system's own identifier.")
    org: str
    number: str
    entity_id: UUID
    role: Role = Field(description="primary is written, alias is read only, gone was deleted there.")
    how: str = Field(description="How it was found: new, hub_key, sure:<kind>, created, person:<what was done, and by whom>.")
    linked_at: datetime


class Links(BaseModel):
    """A page of links."""

    items: list[Link]
    next: str | None


class LinkFilters(Paged):
    """Filters of the list."""

    system: Maybe = None
    stream: Maybe = None
    entity: Maybe = None
    entity_id: MaybeId = None
    key: Maybe = None
    number: Maybe = None
    role: Role | SkipJsonSchema[None] = None


class SystemRecord(BaseModel):
    """One record of a system."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"system": "zoho", "stream": "accounts", "key": "57257670000001"}}
    )

    system: Annotated[Text, Field(max_length=100)]
    stream: Annotated[Text, Field(max_length=100)]
    key: Annotated[Text, Field(max_length=200)] = Field(description="Its identifier or number there.")

    @property
    def place(self) -> tuple[str, str, str]:
        """System, stream and key."""
        return self.system, self.stream, self.key


class Same(BaseModel):
    """Two records that are one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "left": {"system": "zoho", "stream": "accounts", "key": "57257670000001"},
                "right": {"system": "kingdee", "stream": "customers", "key": "200001"},
            }
        },
    )

    left: SystemRecord
    right: SystemRecord


class KnownLinks(BaseModel):
    """Links that an older integration knows."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "rows": [
                    {
                        "left": {"system": "kingdee", "stream": "customers", "key": "CUST0001"},
                        "right": {"system": "zoho", "stream": "accounts", "key": "57257670000001"},
                    }
                ],
                "dry_run": True,
            }
        },
    )

    rows: list[Same] = Field(
        min_length=1,
        max_length=1000,
        description="Pairs of records that are one; more of them in several requests, or by `hub links import`.",
    )
    dry_run: bool = Field(default=False, description="Only say what would be linked, and which rows are wrong.")


class Imported(BaseModel):
    """What an import of links did, or would do."""

    linked: int
    same: int = Field(description="Pairs that were one already.")
    cases: int = Field(default=0, description="Pairs that two dealers hold: questions for a person, see `/v1/cases`.")
    applied: bool = Field(description="False for a dry run.")


class Linked(BaseModel):
    """What they belong to now."""

    entity_id: UUID = Field(description="The canonical record.")


class Accepted(Linked):
    """What came of it."""

    case: int | None = Field(description="Two dealers hold the two: nothing was linked, and this case asks who keeps the customer.")


LINK = {
    "system": "kingdee",
    "stream": "customers",
    "entity": "party",
    "key": "200001",
    "org": "100",
    "number": "CUST0001",
    "entity_id": "01931f5e-7c00-7000-8000-000000000000",
    "role": "primary",
    "how": "sure:uscc",
    "linked_at": "2026-01-05T02:11:12Z",
}


@router.get(
    "",
    operation_id="list_links",
    responses=listed(Links, LINK),
    response_class=Response,
)
def list_links(
    asked: Annotated[LinkFilters, Query()], _who: Annotated[Caller, may(Scope.OPERATIONS_READ)], engine: EngineDep, db: Db
) -> Response:
    """Links, by system and key."""
    return answer(paged(engine, db, _who, lists.LINKS, asked))


_LINKED = {"entity_id": "01931f5e-7c00-7000-8000-000000000000"}


@router.post("/accept", operation_id="accept_link", responses=acted(Accepted, _LINKED | {"case": None}, "Linked."), response_class=Response)
def accept(same: Same, act: Annotated[Action, doing("link.accept", Scope.LINKS_WRITE)], engine: EngineDep) -> Response:
    """Say that two records of systems are one; what hangs on the younger moves to the older.

    Refused when a person told them apart, or when their valid 统一社会信用代码 differ.
    """
    act.on("link:" + "/".join(same.left.place), other="/".join(same.right.place))
    return act.done(engine_calls.accept_link(engine.hub, same.left.place, same.right.place, by=act.by))


@router.post("/unlink", operation_id="unlink", responses=acted(Linked, _LINKED, "Unlinked."), response_class=Response)
def unlink(one: SystemRecord, act: Annotated[Action, doing("link.unlink", Scope.LINKS_WRITE)], engine: EngineDep) -> Response:
    """Part a record of a system from its canonical record; it gets one of its own, and the two are told apart for good."""
    act.on("link:" + "/".join(one.place))
    return act.done({"entity_id": engine_calls.unlink(engine.hub, *one.place, by=act.by)})


@router.post(
    "/import",
    operation_id="import_links",
    responses=acted(Imported, {"linked": 1, "same": 0, "cases": 0, "applied": False}, "All rows linked, or what would be.", BadLinkRows),
    response_class=Response,
)
def import_links(known: KnownLinks, act: Annotated[Action, doing("link.import", Scope.LINKS_WRITE)], engine: EngineDep) -> Response:
    """Bring along links that an older integration knows: all rows, or none; `errors` names each row that cannot be linked, from 1."""
    act.on("links", rows=len(known.rows), dry_run=known.dry_run)
    pairs = [(row.left.place, row.right.place) for row in known.rows]
    done = engine_calls.import_links(engine.hub, pairs, by=act.by, dry_run=known.dry_run)
    return act.done({**done, "applied": not known.dry_run})

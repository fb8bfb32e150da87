"""Customers of deals: the names that they are found by, and old ones worth a second look."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.deals.customers import aliases
from hub_api.actions import Action, doing
from hub_api.deals import only
from hub_api.deals_lists import ALIASES, OLD_CUSTOMERS
from hub_api.deals_problems import AliasNotFound, AliasRefused, BadClaim, CustomerNotFound, KeysOutdated
from hub_api.deals_review import Decider
from hub_api.deals_shapes import Part
from hub_api.deps import Db, EngineDep
from hub_api.pages import MaybeId, Paged, acted, answer, listed, paged
from hub_api.permissions import Scope
from hub_api.shapes import RowNumber

router = APIRouter(prefix="/v1/deals", tags=["registrations"])


class Alias(BaseModel):
    """A further name of a customer."""

    customer: int
    customer_name: str
    party: UUID | None
    name: str
    kind: Literal["former", "short", "english", "given"] = Field(description="`given` by a person; `former`: of the party before.")
    given_by: str
    since: datetime


class Aliases(BaseModel):
    """A page of names."""

    items: list[Alias]
    next: str | None


class AliasFilters(Paged):
    """Filters of the list."""

    customer: Annotated[int, Field(ge=1, le=2**63 - 1)] | SkipJsonSchema[None] = None
    party: MaybeId = None
    kind: Literal["former", "short", "english", "given"] | SkipJsonSchema[None] = None


class AliasGiven(BaseModel):
    """A name for a customer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"customer": 4711, "name": "一汽集团"}})

    customer: RowNumber = Field(description="Its number, as registrations tell it.")
    name: Part


ALIAS: dict[str, Any] = {
    "customer": 4711,
    "customer_name": "中国第一汽车股份有限公司",
    "party": None,
    "name": "一汽集团",
    "kind": "given",
    "given_by": "api:sales",
    "since": "2026-01-05T02:11:12Z",
}


@router.get("/aliases", operation_id="list_customer_aliases", responses=listed(Aliases, ALIAS), response_class=Response)
def list_aliases(asked: Annotated[AliasFilters, Query()], who: Decider, engine: EngineDep, db: Db) -> Response:
    """Names that customers are found by besides their own."""
    return answer(paged(engine, db, who, ALIASES, asked))


@router.post(
    "/aliases",
    operation_id="give_customer_alias",
    status_code=201,
    responses=acted(Alias, ALIAS, "The name.", AliasRefused, CustomerNotFound, BadClaim, KeysOutdated, status=201),
    response_class=Response,
)
def give_alias(told: AliasGiven, act: Annotated[Action, doing("customer.alias", Scope.DEALS_DECIDE)]) -> Response:
    """Let a customer be found by a further name, such as the one that people call it by."""
    act.on(f"customer:{told.customer}")
    with act.engine.connection() as db:
        kept = aliases.give(db, told.customer, told.name, act.by)
    return act.done_with(ALIASES, status=201, customer=told.customer, name=kept)


only("/aliases", "GET", "POST")


class Withdrawn(BaseModel):
    """What was taken back."""

    customer: int
    name: str


@router.post(
    "/aliases/withdraw",
    operation_id="withdraw_customer_alias",
    responses=acted(Withdrawn, {"customer": 4711, "name": "一汽集团"}, "Taken back.", AliasNotFound, CustomerNotFound, KeysOutdated),
    response_class=Response,
)
def withdraw_alias(told: AliasGiven, act: Annotated[Action, doing("customer.alias.withdraw", Scope.DEALS_DECIDE)]) -> Response:
    """Take back a name that a person gave; the customer is not found by it any more."""
    act.on(f"customer:{told.customer}")
    with act.engine.connection() as db:
        aliases.withdraw(db, told.customer, told.name)
    return act.done({"customer": told.customer, "name": told.name})


only("/aliases/withdraw", "POST")


class OldCustomer(BaseModel):
    """A customer worth a second look."""

    customer: UUID = Field(description="The party.")
    name: str
    deals: int
    last_moved: datetime = Field(description="When one of its deals last came to another stage.")


class OldCustomers(BaseModel):
    """A page of them."""

    items: list[OldCustomer]
    next: str | None


class OldCustomerFilters(Paged):
    """Filters of the list."""

    quiet: int = Field(default=365, ge=1, le=3650, description="Days since one of its deals moved last.")


OLD: dict[str, Any] = {
    "customer": "01931f5e-7c00-7000-8000-00000000000c",
    "name": "苏州恒信机电有限公司",
    "deals": 2,
    "last_moved": "2025-01-05T02:11:12Z",
}


@router.get("/old-customers", operation_id="list_old_customers", responses=listed(OldCustomers, OLD), response_class=Response)
def old_customers(asked: Annotated[OldCustomerFilters, Query()], who: Decider, engine: EngineDep, db: Db) -> Response:
    """二次挖掘: customers that bought, have no open deal, and of whom nothing moved for long; those longest quiet first."""
    return answer(paged(engine, db, who, OLD_CUSTOMERS, asked))


only("/old-customers", "GET")

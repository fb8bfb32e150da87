"""Prices: a cart priced with every rung, an order checked, the hub's own price rules, special project prices.

A dealer's key prices for itself only. Cost and margin are there for keys with `prices:cost` and absent for others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field, ValidationError
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.pricing import order_service, service, special_service
from channel.pricing.service import View
from hub_api import problems
from hub_api.actions import Action, doing
from hub_api.deps import Db, Engine, EngineDep, may
from hub_api.keys import Caller
from hub_api.lists import Listing
from hub_api.pages import MaybeId, Paged, acted, answer, listed, ok, paged
from hub_api.permissions import Role, Scope
from hub_api.prices_problems import BadPricing, PriceNotFound, PriceVersionTaken, SpecialNotFound, SpecialState
from hub_api.prices_shapes import (
    PINNED,
    PRICED,
    SPECIAL,
    STATE,
    Ended,
    OrderChecked,
    PriceIn,
    PriceOut,
    PricesState,
    Publish,
    Published,
    RulesOut,
    RulesPage,
    SpecialIn,
    SpecialOut,
    SpecialPage,
)
from hub_api.problems import BadParameters, InvalidPayload, RecordNotFound, Unreadable
from hub_api.shapes import TEXT
from sync import prices as flows

price = APIRouter(prefix="/v1/price", tags=["prices"])
rules = APIRouter(prefix="/v1/price-rules", tags=["prices"])
specials = APIRouter(prefix="/v1/special-prices", tags=["prices"])
Reader = Annotated[Caller, may(Scope.PRICES_READ)]
Manager = Annotated[Caller, may(Scope.PRICES_MANAGE)]
Special = Annotated[str, Path(max_length=40, pattern=TEXT, description="Its number, SP-2026-000001.")]
Document = Annotated[str, Path(max_length=64, pattern=TEXT, description="Name of the document.")]
MOST_TROUBLES = 500
_ASKED = (BadParameters, Unreadable, InvalidPayload, BadPricing, PriceNotFound)


def view_of_caller(who: Caller) -> View:
    """What a key may see of prices."""
    dealer = who.role is Role.DEALER
    return View(str(who.role), costs=Scope.PRICES_COST in who.scopes and not dealer, dealer=who.party if dealer else None)


def _asked(told: PriceIn, who: Caller) -> Any:
    """The question, with what the rules cannot read told as the API tells it. Raises: BadPricing."""
    if told.snapshot and told.date is None:  # of another day it would be another answer
        raise BadPricing(errors=[{"where": "date", "what": "a snapshot goes with the day of its answer"}])
    if told.snapshot and told.version is not None:
        raise BadPricing(errors=[{"where": "version", "what": "a snapshot has its own version: leave it out"}])
    try:
        return told.ask(who.actor)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_context=False, include_input=False)
        where = [
            {"where": ".".join(map(str, one["loc"]))[:200], "what": str(one["msg"]).removeprefix("Value error, ")[:200]} for one in found
        ]
        raise BadPricing(errors=where) from None


@price.post(
    "", operation_id="price_cart", responses=ok(PriceOut, PRICED, "The priced cart.") | problems.problems(*_ASKED), response_class=Response
)
def price_cart(told: PriceIn, who: Reader, engine: EngineDep) -> Response:
    """Price a cart for a dealer, customer, project, company and date: every rung with the rule that made it, and the rules not used."""
    ask, view = _asked(told, who), view_of_caller(who)
    with engine.connection() as db, db.transaction():
        return answer(service.price(db, ask, view=view, at_version=told.version, snapshot=told.snapshot or ""))


@price.post(
    "/check-order",
    operation_id="check_order",
    responses=ok(
        OrderChecked,
        {"ok": False, "hash": "9f2c1a", "version": 12, **PINNED, "net": "17110.80", "tax": "2224.40", "gross": "19335.20",
         "problems": [{"kind": "stock", "code": "pricing/short-of-stock", "line": "1", "facts": {"item": "P-100", "wanted": "20"}}]},
        "Its problems.",
    ) | problems.problems(*_ASKED),
    response_class=Response,
)  # fmt: skip
def check_order(told: PriceIn, who: Reader, engine: EngineDep) -> Response:
    """Check an order before it is made: prices, approval, territory, credit, stock. Each problem is typed; none stops the others."""
    ask, view = _asked(told, who), view_of_caller(who)
    with engine.connection() as db, db.transaction():
        made = order_service.check_order(
            db, ask, told.ordered(), view=view, approved_hash=told.approved_hash, at_version=told.version, snapshot=told.snapshot or ""
        )
    found, pinned = made.told(view), made.asked.snapshot
    whole = {name: getattr(made.priced, name) for name in ("hash", "net", "tax", "gross")}
    return answer({"ok": not found, **whole, "version": pinned.version, "snapshot": pinned.name, "problems": found})


@price.get(
    "/state", operation_id="get_price_state", responses=ok(PricesState, STATE, "The state.") | problems.problems(), response_class=Response
)
def get_state(who: Manager, engine: EngineDep) -> Response:
    """What prices are made of now, and what of the connected systems' lists makes no price, with the reason."""
    del who
    with engine.connection() as db, db.transaction():
        book = service.book(db)
    troubles = [{"list": one.list, "item": one.item, "what": one.what, "next_step": one.next_step} for one in book.troubles[:MOST_TROUBLES]]
    return answer(
        {
            "version": book.version, "prices": book.size, "items": len(book.prices.items), "lists": len(book.lists),
            "documents": sorted(book.documents), "troubles": troubles,
        }
    )  # fmt: skip


# Rules -----------------------------------------------------------------------------------------------------------------------

_RULES = "r.document, r.version, r.hash, r.price_version, r.published_at, r.published_by, r.reason"
RULES = Listing(
    f"SELECT {_RULES} FROM price_rules AS r",
    {"document": "r.document::text", "version": "r.version::int"},
    {"document": "r.document = %s"},
    newest_first=False,
)
_RULE: dict[str, Any] = {
    "document": "main", "version": 3, "hash": "9f2c1a", "price_version": 12, "published_at": "2026-01-05T02:11:12Z",
    "published_by": "api:finance", "reason": "2026 价格政策",
}  # fmt: skip


class RulesFilters(Paged):
    """Filters of the list."""

    document: Annotated[str, Field(max_length=64)] | SkipJsonSchema[None] = None


@rules.get("", operation_id="list_price_rules", responses=listed(RulesPage, _RULE), response_class=Response)
def list_rules(asked: Annotated[RulesFilters, Query()], who: Manager, engine: EngineDep, db: Db) -> Response:
    """Every published version of the hub's own price rules, by document."""
    return answer(paged(engine, db, who, RULES, asked))


@rules.get(
    "/{document}",
    operation_id="get_price_rules",
    responses=ok(RulesOut, _RULE | {"text": "adjustments: []\n"}, "The document.") | problems.problems(RecordNotFound, PriceNotFound),
    response_class=Response,
)
def get_rules(document: Document, who: Manager, engine: EngineDep) -> Response:
    """The newest version of a document, word for word."""
    del who
    with engine.reading() as db:
        return answer(service.documents(db.connection, document, text=True)[-1])


@rules.post(
    "",
    operation_id="publish_price_rules",
    responses=acted(
        Published,
        {"document": "main", "version": 3, "hash": "9f2c1a", "price_version": 12},
        "It is published.",
        BadPricing,
        PriceVersionTaken,
    ),
    response_class=Response,
)
def publish_rules(told: Publish, act: Annotated[Action, doing("price_rules.publish", Scope.PRICES_MANAGE)]) -> Response:
    """Publish a version of a document, checked by itself, beside the others and beside the lists. What is published never changes."""
    act.on(f"price_rules:{told.document}", check=told.check)
    with act.engine.connection() as db, db.transaction():
        if told.check:
            made = service.check(db, told.document, told.text)
        else:
            made = service.publish(db, told.document, told.text, by=act.by, reason=told.reason, version=told.version)
    return act.done({name: getattr(made, name) for name in ("document", "version", "hash", "price_version")})


# Special prices --------------------------------------------------------------------------------------------------------------

SPECIALS = Listing(
    f"SELECT * FROM ({special_service.SHOWN}) AS x",
    {"id": "x.id::text"},
    {"dealer": "x.dealer_id = %s", "state": "x.state = %s", "of": "x.dealer_id = %s"},
)
_OURS_ONLY = ("reason", "asked_by", "decided_by", "uses")
"""What a dealer does not read of its own special price."""


class SpecialFilters(Paged):
    """Filters of the list."""

    dealer: MaybeId = None
    state: Literal["asked", "approved", "rejected", "ended"] | SkipJsonSchema[None] = None


def _shown(row: Mapping[str, Any], who: Caller) -> dict[str, Any]:
    return {name: value for name, value in row.items() if who.role is not Role.DEALER or name not in _OURS_ONLY}


def _one(engine: Engine, who: Caller, number: str) -> dict[str, Any]:
    """A special price that the caller may see. Raises: SpecialNotFound."""
    with engine.reading() as db:
        told = special_service.show(db.connection, number)
    if who.role is Role.DEALER and told["dealer_id"] != who.party:
        raise SpecialNotFound
    return _shown(told, who)


@specials.get("", operation_id="list_special_prices", responses=listed(SpecialPage, SPECIAL), response_class=Response)
def list_specials(asked: Annotated[SpecialFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Special project prices (特批价), newest first; a dealer's own."""
    own = {"of": who.party} if who.role is Role.DEALER else {}
    page = paged(engine, db, who, SPECIALS, asked, more=own)
    return answer(page | {"items": [_shown(row, who) for row in page["items"]]})


@specials.get(
    "/{number}",
    operation_id="get_special_price",
    responses=ok(SpecialOut, SPECIAL, "The special price.") | problems.problems(RecordNotFound, SpecialNotFound),
    response_class=Response,
)
def get_special(number: Special, who: Reader, engine: EngineDep) -> Response:
    """A special price with its items and what is used of each, and by which lines."""
    return answer(_one(engine, who, number))


@specials.post(
    "",
    operation_id="ask_special_price",
    responses=acted(SpecialOut, SPECIAL | {"state": "asked"}, "It is asked for.", BadPricing, status=201),
    response_class=Response,
    status_code=201,
)
def ask_special(told: SpecialIn, act: Annotated[Action, doing("special_price.ask", Scope.PRICES_ASK)]) -> Response:
    """Ask for a special price; whoever grants it finds the question under /v1/approvals. A key with `prices:manage` grants it at once."""
    act.on("special_price")
    granted = Scope.PRICES_MANAGE in act.caller.scopes
    with act.engine.transaction() as db:
        number = flows.ask_special(db, told.wanted(), by=act.by, approved=granted)
    return act.done(_one(act.engine, act.caller, number), 201)


@specials.post(
    "/{number}/end",
    operation_id="end_special_price",
    responses=acted(SpecialOut, SPECIAL | {"state": "ended"}, "It has ended.", RecordNotFound, SpecialNotFound, SpecialState),
    response_class=Response,
)
def end_special(number: Special, told: Ended, act: Annotated[Action, doing("special_price.end", Scope.PRICES_MANAGE)]) -> Response:
    """End an approved special price now. What was used of it stays used."""
    act.on(f"special_price:{number}")
    with act.engine.transaction() as db:
        flows.end_special(db, number, by=act.by, reason=told.reason)
    return act.done(_one(act.engine, act.caller, number))

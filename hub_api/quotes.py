"""Quotes: made, changed, granted, sent, accepted into one order, lost with a reason; their papers, and how each price came about.

`/v1/quotes` itself holds the quotes that went out, as records; `/v1/quotes/offers` holds every quote of the hub with its state. A dealer's
key makes quotes for itself, and sees those that it made and those that were sent to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field, ValidationError
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.pricing import quote_paper, quote_queries, quote_service
from channel.pricing.errors import BadOffer as Refused
from channel.pricing.quote_asking import Actor
from channel.pricing.quote_queries import Offer
from channel.pricing.wanted import Wanted
from hub_api import papers
from hub_api import quotes_shapes as shapes
from hub_api.actions import Action, doing
from hub_api.deps import Cursor, Engine, EngineDep, may
from hub_api.keys import Caller
from hub_api.lists import Listing
from hub_api.pages import MaybeId, Paged, acted, answer, listed, ok, paged
from hub_api.papers import Lang
from hub_api.permissions import Role, Scope
from hub_api.prices_problems import OverCeiling, SpecialNotFound, SpecialState
from hub_api.problems import BadParameters, FieldNotAllowed, MethodNotAllowed, RecordNotFound, problems
from hub_api.quotes_problems import BadOffer, QuoteNotFound, QuoteRefused, WrongQuoteState
from hub_api.quotes_shapes import (
    HEAD,
    PROFIT,
    TRACE,
    WHOLE,
    QuoteAccept,
    QuoteCopy,
    QuoteIn,
    QuoteLose,
    QuoteOut,
    QuotePage,
    QuoteProfit,
    QuoteTrace,
)
from hub_api.shapes import TEXT
from sync import quotes as flows

router = APIRouter(prefix="/v1/quotes", tags=["quotes"])
Reader = Annotated[Caller, may(Scope.QUOTES_READ)]
Approver = Annotated[Caller, may(Scope.QUOTES_APPROVE)]
Quote = Annotated[str, Path(max_length=40, pattern=TEXT, description="Its number, QT-2026-000001, or id.")]
Which = Annotated[
    Annotated[int, Field(ge=1, lt=2**31)] | SkipJsonSchema[None], Query(description="Version; else the newest that the key may read.")
]
_MAKING = (BadOffer,)
_MOVING = (RecordNotFound, QuoteNotFound, WrongQuoteState)

_COLUMNS = ", ".join(f"o.{name}" for name in quote_queries.COLUMNS.split(", "))
OFFERS = Listing(
    f"SELECT {_COLUMNS} FROM quote_offer AS o",
    {"number": "o.number::text"},
    {
        "state": "o.state = %s",
        "dealer": "o.dealer_id = %s",
        "customer": "o.customer_id = %s",
        "deal": "o.deal_id = %s",
        "of": "(o.by_dealer OR o.sent_version IS NOT NULL) AND o.dealer_id = %s",
    },
)


def actor(who: Caller) -> Actor:
    """How quotes and the price rules see the caller."""
    dealer = who.party if who.role is Role.DEALER else None
    by = f"dealer:{who.party}" if dealer is not None else who.actor
    return Actor(by, str(who.role), dealer, costs=Scope.PRICES_COST in who.scopes and dealer is None)


def _wanted(told: QuoteIn) -> Wanted:
    """What is wanted. Raises: BadOffer with each value that the rules cannot read."""
    try:
        return told.wanted()
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_context=False, include_input=False)
        told_of = [(".".join(map(str, one["loc"]))[:200], str(one["msg"]).removeprefix("Value error, ").partition(" | ")) for one in found]
        errors = [{"where": where, "what": what[:200], "next_step": fix[:200]} for where, (what, _, fix) in told_of]
        raise Refused(f"{errors[0]['where']}: {errors[0]['what']}", next_step=errors[0]["next_step"], errors=errors) from None


def _whole(engine: Engine, who: Caller, named: str | UUID) -> dict[str, Any]:
    """A quote with its versions and events, as the caller may see them. Raises: QuoteNotFound."""
    by = actor(who)
    with engine.reading() as db:
        offer = quote_service.seen(db.connection, named, by)
        kept = quote_queries.versions(db.connection, [offer.id])[offer.id]
        if by.dealer is not None:
            sent = quote_queries.sent_versions(db.connection, offer.id)
            kept = [one for one in kept if one.by_dealer or one.number in sent]
        told = quote_queries.events(db.connection, offer.id)
        made = _head(db, offer, by)
    dealer = by.dealer is not None
    return made | {
        "versions": [shapes.version(one, dealer=dealer) for one in kept],
        "events": shapes.events(told, {one.number for one in kept}, dealer=dealer),
    }


def _head(db: Cursor, offer: Offer, by: Actor) -> dict[str, Any]:
    return _heads(db, [offer], by)[0]


def _heads(db: Cursor, offers: list[Offer], by: Actor) -> list[dict[str, Any]]:
    names = quote_queries.names(db.connection, {one for offer in offers for one in (offer.dealer_id, offer.customer_id) if one})
    dealer = by.dealer is not None
    shown = quote_queries.heads_shown(db.connection, [one.id for one in offers]) if dealer else {}
    return [shapes.head(one, names, shown=shown.get(one.id), dealer=dealer) for one in offers]


# Lists and looks -----------------------------------------------------------------------------------------------------------------


class OfferFilters(Paged):
    """Filters of the list."""

    state: Literal["draft", "submitted", "refused", "approved", "sent", "accepted", "lost", "expired", "voided"] | SkipJsonSchema[None] = (
        None
    )
    deal: MaybeId = None
    dealer: MaybeId = Field(default=None, description="Not for dealers.")
    customer: MaybeId = Field(default=None, description="Not for dealers.")


@router.get("/offers", operation_id="list_quote_offers", responses=listed(QuotePage, HEAD, FieldNotAllowed), response_class=Response)
def list_offers(asked: Annotated[OfferFilters, Query()], who: Reader, engine: EngineDep) -> Response:
    """Quotes with their state, newest first; a dealer's own."""
    by = actor(who)
    if by.dealer is not None and (asked.dealer or asked.customer or asked.state):
        raise FieldNotAllowed  # a state would tell of versions that he has not seen
    with engine.reading() as db:
        page = paged(engine, db, who, OFFERS, asked, more={"of": by.dealer} if by.dealer else None)
        offers = [Offer(**row) for row in page["items"]]
        return answer(page | {"items": _heads(db, offers, by)})


def _only(address: str, *allowed: str) -> None:
    """A fixed address takes no other method; else `/v1/quotes/<id>` would take it for the id of a record."""

    def refuse() -> None:
        raise MethodNotAllowed(allow=", ".join(allowed))

    router.add_api_route(address, refuse, methods=["PATCH"], include_in_schema=False)


_only("/offers", "GET")


@router.get(
    "/offers/{quote}",
    operation_id="get_quote_offer",
    responses=ok(QuoteOut, WHOLE, "The quote.") | problems(RecordNotFound, QuoteNotFound),
    response_class=Response,
)
def get_offer(quote: Quote, who: Reader, engine: EngineDep) -> Response:
    """A quote with every version word for word, and what was done to it."""
    return answer(_whole(engine, who, quote))


@router.get(
    "/{quote}/trace",
    operation_id="trace_quote",
    responses=ok(QuoteTrace, TRACE, "The waterfall.") | problems(BadParameters, RecordNotFound, QuoteNotFound),
    response_class=Response,
)
def trace(quote: Quote, who: Reader, engine: EngineDep, version: Which = None) -> Response:
    """How each price of a version came about: every rung with its rule, the rules not used and why. Cost and margin for `prices:cost`."""
    by = actor(who)
    with engine.reading() as db:
        offer = quote_service.seen(db.connection, quote, by)
        kept = quote_service.version_of(db.connection, offer, by, version)
    return answer({"number": offer.number, "version": kept.number, **kept.answers[by.reader]})


@router.get(
    "/{quote}/profit",
    operation_id="get_quote_profit",
    responses=ok(QuoteProfit, PROFIT, "The profit view.") | problems(BadParameters, RecordNotFound, QuoteNotFound),
    response_class=Response,
)
def profit(quote: Quote, who: Approver, engine: EngineDep, version: Which = None) -> Response:
    """利润测算: what an approver looks at before he answers."""
    by = actor(who)
    with engine.reading() as db:
        offer = quote_service.seen(db.connection, quote, by)
        kept = quote_service.version_of(db.connection, offer, by, version)
        asked = [
            one for one in quote_queries.events(db.connection, offer.id) if one["action"] == "submit" and one["version"] == kept.number
        ]
    return answer(
        {
            "number": offer.number, "version": kept.number, "profit": kept.answers["cost"]["profit"],
            "authority": asked[-1]["facts"] if asked else {}, "discounts": list(kept.discounts),
        }
    )  # fmt: skip


def _paper(kind: quote_paper.Format) -> Callable[..., Response]:
    """The handler of a kind of paper."""

    def paper(quote: Quote, who: Reader, engine: EngineDep, lang: Lang = "zh", version: Which = None) -> Response:
        by = actor(who)
        with engine.reading() as db:
            offer = quote_service.seen(db.connection, quote, by)
            kept = quote_service.version_of(db.connection, offer, by, version)
            made = quote_paper.paper(db.connection, offer, kept, kind, lang)
        return papers.sent(made, f"{offer.number}-v{kept.number}-{lang}", kind)

    return paper


_PAPERS: Final[Mapping[papers.Format, str]] = {
    "pdf": "报价单 as PDF, for the customer.",
    "xlsx": "报价单 as Excel, with amounts that can be added.",
}
for _kind, _told in _PAPERS.items():
    router.add_api_route(
        f"/{{quote}}/paper.{_kind}",
        _paper(_kind),
        methods=["GET"],
        operation_id=f"get_quote_{_kind}",
        description=_told,
        responses=papers.described(_kind) | problems(BadParameters, RecordNotFound, QuoteNotFound),
        response_class=Response,
    )


# Making and moving ---------------------------------------------------------------------------------------------------------------


@router.post(
    "",
    operation_id="make_quote",
    status_code=201,
    responses=acted(QuoteOut, WHOLE | {"state": "draft"}, "The quote, a draft.", *_MAKING, status=201),
    response_class=Response,
)
def make(told: QuoteIn, act: Annotated[Action, doing("quote.make", Scope.QUOTES_WRITE)]) -> Response:
    """Make a quote, priced by the hub as of today. Nobody else sees it before it is sent."""
    act.on("quote")
    offer = flows.draft(act.engine.hub, _wanted(told), actor(act.caller))
    return act.done(_whole(act.engine, act.caller, offer.id), 201)


@router.post(
    "/{quote}/versions",
    operation_id="revise_quote",
    responses=acted(QuoteOut, WHOLE | {"state": "draft", "version": 2}, "The quote with its new version.", *_MOVING, *_MAKING),
    response_class=Response,
)
def revise(quote: Quote, told: QuoteIn, act: Annotated[Action, doing("quote.revise", Scope.QUOTES_WRITE)]) -> Response:
    """One more version; the earlier ones stay word for word, and an approval does not hold for it."""
    act.on(f"quote:{quote}")
    flows.revise(act.engine.hub, quote, _wanted(told), actor(act.caller))
    return act.done(_whole(act.engine, act.caller, quote))


@router.post(
    "/{quote}/submit",
    operation_id="submit_quote",
    responses=acted(
        QuoteOut,
        WHOLE | {"state": "approved", "approval": "auto"},
        "Approved, or submitted to an approver.",
        *_MOVING,
        BadOffer,
        QuoteRefused,
    ),
    response_class=Response,
)
def submit(quote: Quote, act: Annotated[Action, doing("quote.submit", Scope.QUOTES_WRITE)]) -> Response:
    """Ask authority: within the band it may go out at once, beyond it an approver is asked, together with what was quoted before."""
    act.on(f"quote:{quote}")
    told = flows.submit(act.engine.hub, quote, actor(act.caller))
    return act.done(_whole(act.engine, act.caller, quote) | {"approval": told.verdict.result})


@router.post(
    "/{quote}/send",
    operation_id="send_quote",
    responses=acted(QuoteOut, WHOLE, "The quote, sent.", *_MOVING, BadOffer),
    response_class=Response,
)
def send(quote: Quote, act: Annotated[Action, doing("quote.send", Scope.QUOTES_WRITE)]) -> Response:
    """The quote goes out: it flows to the connected systems, and the dealer is told."""
    act.on(f"quote:{quote}")
    flows.send(act.engine.hub, quote, actor(act.caller))
    return act.done(_whole(act.engine, act.caller, quote))


@router.post(
    "/{quote}/accept",
    operation_id="accept_quote",
    responses=acted(
        QuoteOut, WHOLE | {"state": "accepted"}, "Accepted; `order` is its order.", *_MOVING, BadOffer, OverCeiling, SpecialState,
        SpecialNotFound,
    ),
    response_class=Response,
)  # fmt: skip
def accept(quote: Quote, told: QuoteAccept, act: Annotated[Action, doing("quote.accept", Scope.QUOTES_WRITE)]) -> Response:
    """The customer accepts: an order is made of it, once. One of a deal waits until the deal is won."""
    act.on(f"quote:{quote}")
    done = flows.accept(act.engine.hub, quote, actor(act.caller), version=told.version)
    return act.done(_whole(act.engine, act.caller, quote) | ({"waits": done.waits} if done.waits else {}))


@router.post(
    "/{quote}/lose",
    operation_id="lose_quote",
    responses=acted(QuoteOut, WHOLE | {"state": "lost"}, "The quote, lost.", *_MOVING, BadOffer),
    response_class=Response,
)
def lose(quote: Quote, told: QuoteLose, act: Annotated[Action, doing("quote.lose", Scope.QUOTES_WRITE)]) -> Response:
    """The quote is lost, with the reason."""
    act.on(f"quote:{quote}", reason=told.reason)
    flows.lose(act.engine.hub, quote, actor(act.caller), told.reason, told.text)
    return act.done(_whole(act.engine, act.caller, quote))


@router.post(
    "/{quote}/copy",
    operation_id="copy_quote",
    status_code=201,
    responses=acted(QuoteOut, WHOLE | {"state": "draft"}, "The copy, a draft.", RecordNotFound, QuoteNotFound, *_MAKING, status=201),
    response_class=Response,
)
def copy(quote: Quote, told: QuoteCopy, act: Annotated[Action, doing("quote.copy", Scope.QUOTES_WRITE)]) -> Response:
    """A new quote with the same goods, priced anew."""
    act.on(f"quote:{quote}")
    offer = flows.copy(act.engine.hub, quote, actor(act.caller), told.model_dump(exclude_none=True))
    return act.done(_whole(act.engine, act.caller, offer.id), 201)

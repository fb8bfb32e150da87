"""Quotes between the ledger and the systems: what goes out becomes the canonical quote, what is accepted an order, and people are told.

What may be granted, and what becomes of a quote, is decided in :mod:`channel.pricing.quote_service`; here it becomes records that flow and
messages to people, in the same transaction. The canonical quote holds what the customer was told: it is there from the first sending on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from canonical.values import business_day
from channel.notices.messages import MANAGER, Message, Question, to_party
from channel.orders.from_quote import NotYet, order_from
from channel.pricing import quote_queries, quote_service
from channel.pricing.quote_asking import Actor
from channel.pricing.quote_lines import canonical_lines
from channel.pricing.quote_queries import Kept, Offer
from channel.pricing.quote_service import Submitted, Terms
from channel.pricing.wanted import Wanted
from ledger.tables import TABLES
from sync import hub_records, notices, store
from sync.errors import NotAllowed
from sync.hub import Cursor, Hub
from sync.notices import Asked

T = TypeVar("T")
BY: Final = "rule:quotes"
STAGES: Final[Mapping[str, str]] = {
    "draft": "draft", "submitted": "draft", "refused": "draft", "approved": "draft", "sent": "delivered", "accepted": "accepted",
    "lost": "rejected", "expired": "rejected", "voided": "rejected",
}  # fmt: skip
"""A quote's state, in the words of the canonical quote. What is being revised is a draft again, with the figures that went out."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of an acceptance."""

    offer: Offer
    new: bool
    """False: it was accepted before, and nothing was done."""
    order: UUID | None
    waits: str
    """Why there is no order yet; empty when there is one."""


def terms(hub: Hub) -> Terms:
    """What hub.yaml says about quotes."""
    said = hub.config.quotes
    return Terms(said.valid_days, hub.config.default_company, said.reasons or quote_service.REASONS, said.approvers)


def draft(hub: Hub, wanted: Wanted, actor: Actor) -> Offer:
    """A new quote. Raises: BadOffer, BadPricing; NotAllowed where hub.yaml does not let the hub make quotes."""
    _may(hub)
    return _done(hub, lambda db: quote_service.draft(db.connection, wanted, actor, terms(hub)))


def revise(hub: Hub, named: str | UUID, wanted: Wanted, actor: Actor) -> Offer:
    """One more version. Raises: as `quote_service.revise`."""

    def work(db: Cursor) -> Offer:
        offer = quote_service.revise(db.connection, named, wanted, actor, terms(hub))
        notices.close(db, about(offer), "withdrawn", actor.by, "a new version")
        _publish(hub, db, offer, f"version {offer.version} by {actor.by}")
        return offer

    return _done(hub, work)


def copy(hub: Hub, named: str | UUID, actor: Actor, changes: Mapping[str, Any] | None = None) -> Offer:
    """A new quote with what another one asked for, priced anew. Raises: as `quote_service.copy`."""
    _may(hub)
    return _done(hub, lambda db: quote_service.copy(db.connection, named, actor, terms(hub), changes))


def submit(hub: Hub, named: str | UUID, actor: Actor) -> Submitted:
    """Ask authority; where it does not suffice, the approver is asked. Raises: as `quote_service.submit`."""

    def work(db: Cursor) -> Submitted:
        told = quote_service.submit(db.connection, named, actor)
        if told.asked:
            notices.ask(db, _question(db, told, actor))
        return told

    return _done(hub, work)


def answered(hub: Hub, db: Cursor, asked: Asked, decision: Literal["approved", "rejected"], by: str, reason: str, how: str) -> None:
    """What follows when the question about a quote is answered: it may go out, or not; who made it is told."""
    del how
    offer = quote_service.answer(db.connection, asked.number, decision, by, reason, terms(hub), version=asked.facts.get("version"))
    zh, en = {
        "approved": (f"报价 {offer.number} 已获批准", f"Quote {offer.number} was approved"),
        "rejected": (f"报价 {offer.number} 未获批准", f"Quote {offer.number} was not approved"),
    }[decision]
    facts = {"quote": offer.number, "version": offer.version, "zh": zh, "en": en}
    _tell(db, offer, f"quote_{offer.state}", facts, dealer=offer.by_dealer)


def send(hub: Hub, named: str | UUID, actor: Actor) -> Offer:
    """The quote goes out: it becomes, or changes, the canonical quote, and the dealer is told. Raises: as `quote_service.send`."""

    def work(db: Cursor) -> Offer:
        offer = quote_service.send(db.connection, named, actor)
        _publish(hub, db, offer, f"sent by {actor.by}")
        if offer.dealer_id is not None and actor.dealer is None:
            notices.post(db, Message("quote_sent", to_party(offer.dealer_id), about(offer), _sent(offer)))
        return offer

    return _done(hub, work)


def _sent(offer: Offer) -> dict[str, Any]:
    total = f"{offer.total:,f} {offer.currency}"
    return {
        "quote": offer.number, "version": offer.version, "total": str(offer.total), "currency": offer.currency,
        "valid_to": str(offer.valid_to),
        "zh": f"报价 {offer.number} 第 {offer.version} 版已发出, 含税合计 {total}, 有效期至 {offer.valid_to}",
        "en": f"Quote {offer.number} version {offer.version} was sent: {total} with tax, valid until {offer.valid_to}",
    }  # fmt: skip


def accept(hub: Hub, named: str | UUID, actor: Actor, *, version: int | None = None) -> Accepted:
    """The customer accepts: in one transaction the special prices are used up, the canonical quote says so and the order is made, once.

    A quote of a deal becomes an order when its deal is won; until then the acceptance stands and the order waits.
    Raises: as `quote_service.accept`.
    """

    def work(db: Cursor) -> Accepted:
        offer, new = quote_service.accept(db.connection, named, actor, version=version)
        if new:
            _publish(hub, db, offer, f"accepted by {actor.by}")
            facts = {
                "quote": offer.number,
                "version": offer.version,
                "zh": f"报价 {offer.number} 已被接受",
                "en": f"Quote {offer.number} was accepted",
            }
            _tell(db, offer, "quote_accepted", facts)
        made = _order(hub, db, offer, actor.by)
        if isinstance(made, NotYet):
            return Accepted(offer, new, None, made.why)
        return Accepted(quote_service.ordered(db.connection, offer, made, actor.by), new, made, "")

    return _done(hub, work)


def lose(hub: Hub, named: str | UUID, actor: Actor, reason: str, text: str = "") -> Offer:
    """The quote is lost, with the reason. Raises: as `quote_service.lose`."""

    def work(db: Cursor) -> Offer:
        offer = quote_service.lose(db.connection, named, actor, reason, text, terms(hub))
        ended(hub, db, offer, f"lost: {reason}", actor.by)
        return offer

    return _done(hub, work)


def ended(hub: Hub, db: Cursor, offer: Offer, cause: str, by: str) -> None:
    """A quote is over: open questions and reminders about it are of no use, and the canonical quote says so."""
    notices.close(db, about(offer), "withdrawn", by, cause)
    for kind in ("quote_expiring", "quote_follow_up"):
        notices.withdraw(db, kind, about(offer))
    _publish(hub, db, offer, cause)


def follow_orders(hub: Hub, db: Cursor, kind: str, ids: Sequence[str]) -> int:
    """What deals and orders have become, followed by the hub's accepted quotes. `kind`: quote or deal; `ids`: of these.

    One whose deal is won has its order made; one whose order is void gives back what it used up. How many were moved.
    """
    db.execute(
        "SELECT q.id, o.retired OR coalesce(o.status, '') = 'void' AS void, o.id IS NULL AND coalesce(d.stage_kind, 'won') = 'won' AS due "
        "FROM quote_offer AS q LEFT JOIN orders AS o ON o.id = q.order_id LEFT JOIN deals AS d ON d.id = q.deal_id "
        f"WHERE q.{'id' if kind == 'quote' else 'deal_id'} = ANY(%s::uuid[]) AND q.state = 'accepted' ORDER BY q.id",
        [list(ids)],
    )
    moved = 0
    for row in db.fetchall():
        offer = quote_queries.find(db.connection, row["id"], lock=True) if row["void"] or row["due"] else None
        if offer is None or offer.state != "accepted":
            continue
        if row["void"]:
            ended(hub, db, quote_service.void(db.connection, offer.id, BY, "the order is void"), "the order is void", BY)
        elif isinstance(made := _order(hub, db, offer, BY), NotYet):
            continue
        else:
            quote_service.ordered(db.connection, offer, made, BY)
        moved += 1
    return moved


# The canonical quote ---------------------------------------------------------------------------------------------------------------


def about(offer: Offer) -> str:
    """How notices and questions name a quote."""
    return f"quote:{offer.id}"


def _publish(hub: Hub, db: Cursor, offer: Offer, cause: str) -> None:
    """Put what the customer was told on record, where it flows from; nothing before anything went out."""
    if offer.sent_version is None:
        return
    kept = quote_queries.version(db.connection, offer.id, offer.sent_version)
    assert kept is not None  # noqa: S101  what went out was kept
    hub_records.put(
        hub, db, "quote", f"quote/{offer.id}", _fields(hub, offer, kept), {"lines": canonical_lines(list(kept.lines))},
        cause=f"quote {offer.number}: {cause}", entity_id=str(offer.id), new=True,
    )  # fmt: skip


def _fields(hub: Hub, offer: Offer, kept: Kept, *, every: bool = False) -> dict[str, Any]:
    """What a version says as a record: what the hub may decide of it, or everything."""
    reasons = "; ".join(dict.fromkeys(f"{one['reason']}: {one['text']}" for one in kept.discounts))
    said = {
        "number": offer.number, "subject": f"报价 {offer.number}", "customer": str(offer.buyer), "deal": _text(offer.deal_id),
        "company": _text(offer.company_id), "revision": kept.number, "stage": STAGES[offer.state], "currency": kept.currency,
        "valid_to": str(kept.valid_to), "discount_reason": reasons[:255], "total": format(kept.gross, "f"),
        "salesperson": offer.salesperson, "delivery_date": _text(kept.delivery_date),
    }  # fmt: skip
    policy = hub.policies["quote"]
    return {name: value for name, value in said.items() if value not in ("", None) and (every or policy.may_decide("hub", name))}


def _text(value: UUID | date | None) -> str:
    return "" if value is None else str(value)


def _may(hub: Hub) -> None:
    policy = hub.kind("quote").policy
    for name in ("stage", "lines"):
        if not policy.may_decide("hub", name):
            raise NotAllowed(
                f"the hub may not decide a quote's {name}",
                where="flows.quote.owners",
                next_step=f"name hub among the owners of {name} in hub.yaml",
            )


# The order -------------------------------------------------------------------------------------------------------------------------


def _order(hub: Hub, db: Cursor, offer: Offer, by: str) -> UUID | NotYet:
    """The order of an accepted quote: the one that there is, or the one that is made now."""
    if offer.order_id is not None:
        return offer.order_id
    if "order" not in hub.policies:
        return NotYet("no orders flow: flows.order is not in hub.yaml")
    store.load(db, TABLES["quote"], [str(offer.id)], lock=True)  # whoever derives from the record waits
    kept = quote_queries.version(db.connection, offer.id, offer.version)
    assert kept is not None  # noqa: S101  what was accepted was kept
    deal_id = str(offer.deal_id) if offer.deal_id else None
    deal = store.load(db, TABLES["deal"], [deal_id])[deal_id].doc if deal_id else None
    rows = canonical_lines(list(kept.lines))
    products = {
        entity_id: one.doc for entity_id, one in store.load(db, TABLES["product"], {row["product"] for row in rows.values()}).items()
    }
    today = business_day(datetime.now(UTC))
    due = {"delivery_date": str(max(kept.delivery_date or today + timedelta(days=kept.lead_days), today))}
    # As it was granted: whatever a system's people made of the record since, the order is of the version that was accepted.
    draft_of = order_from(str(offer.id), _fields(hub, offer, kept, every=True) | due, rows, deal_id, deal, products, today.isoformat())
    if isinstance(draft_of, NotYet):
        return draft_of
    made = hub_records.put(
        hub, db, "order", draft_of.key, draft_of.fields, {"lines": draft_of.lines}, cause=f"quote {offer.number} accepted by {by}"
    )
    return UUID(made.id)


# People ----------------------------------------------------------------------------------------------------------------------------


def _question(db: Cursor, told: Submitted, actor: Actor) -> Question:
    """What the approver is asked. Cost and margin do not stand in it: they are read under their own permission."""
    offer, verdict = told.offer, told.verdict
    buyer = quote_queries.names(db.connection, [offer.buyer]).get(offer.buyer, "")
    level = f"{verdict.role or '审批'} (第 {verdict.level} 级)"
    facts = {
        "quote": offer.number, "version": offer.version, "level": verdict.level, "role": verdict.role, "total": str(offer.total),
        "currency": offer.currency, "buyer": buyer, "profit": f"/v1/quotes/{offer.id}/profit",
        "zh": f"报价 {offer.number} ({buyer}, 含税 {offer.total:,f} {offer.currency}) 需 {level} 审批",
        "en": f"Quote {offer.number} ({buyer}, {offer.total:,f} {offer.currency} with tax) needs level {verdict.level}",
    }  # fmt: skip
    return Question("quote_approval", f"报价 {offer.number}", about(offer), actor.by, facts)


def _tell(db: Cursor, offer: Offer, kind: str, facts: Mapping[str, Any], *, dealer: bool = False) -> None:
    """To who looks after the quote on our side; and to the dealer when asked."""
    notices.post(db, Message(kind, audience(offer), about(offer), dict(facts)))
    if dealer and offer.dealer_id is not None:
        notices.post(db, Message(kind, to_party(offer.dealer_id), about(offer), dict(facts)))


def audience(offer: Offer) -> str:
    """Who looks after a quote on our side."""
    return f"employee:{offer.salesperson}" if offer.salesperson else MANAGER


def _done(hub: Hub, work: Callable[[Cursor], T]) -> T:
    """Work in one transaction, again when the database broke it off for another's sake."""
    return hub.settle(work)

"""The use cases of quotes on the ledger: draft, revise, submit, approve or refuse, send, accept, lose, expire, void, copy.

Everything is done within the caller's transaction and commits with it; each step locks the offer first. A version is kept word for word and
never changes; what may be granted is weighed when it is submitted, under the authority of that day, together with what the same buyer was
quoted before. With a dealer's own `Actor` a quote of anybody else, or one that nobody has sent him, is as absent as a missing one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from canonical.ids import new_id
from canonical.values import business_day
from channel.pricing import quote_asking, quote_queries, quote_weighing
from channel.pricing.authority import Verdict
from channel.pricing.errors import BadOffer, NotApprover, QuoteNotFound, QuoteRefused, WrongQuoteState
from channel.pricing.queries import Connection
from channel.pricing.quote_asking import Actor
from channel.pricing.quote_queries import Kept, Offer
from channel.pricing.quote_states import OPEN, after
from channel.pricing.wanted import Wanted

REASONS: Final[Mapping[str, str]] = {
    "price": "价格",
    "delivery": "交期",
    "competitor": "竞争对手",
    "quality": "质量",
    "specification": "技术不符",
    "payment": "付款条件",
    "project_stopped": "项目取消",
    "no_answer": "客户无回应",
    "other": "其他",
}
"""Why a quote is lost, where hub.yaml does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a tenant sets for quotes."""

    valid_days: int = 30
    default_company: str = ""
    reasons: Mapping[str, str] = field(default_factory=lambda: REASONS)
    approvers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Who may answer for a role of the authority table; for a role that is not named, whoever may approve quotes at all."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came of submitting a version."""

    offer: Offer
    verdict: Verdict
    asked: bool
    """Somebody has to approve it."""


def seen(db: Connection, named: str | UUID, actor: Actor, *, lock: bool = False) -> Offer:
    """A quote by number or id, as far as the actor may see it. Raises: QuoteNotFound."""
    offer = quote_queries.find(db, named, lock=lock)
    if offer is None or not _shown(offer, actor):
        raise QuoteNotFound(f"there is no quote {named}", next_step="list those that there are")
    return offer


def _shown(offer: Offer, actor: Actor) -> bool:
    return actor.dealer is None or (offer.dealer_id == actor.dealer and (offer.by_dealer or offer.sent_version is not None))


def version_of(db: Connection, offer: Offer, actor: Actor, number: int | None = None) -> Kept:
    """A version that the actor may read: the newest one, or the one asked for. Raises: QuoteNotFound."""
    if actor.dealer is None:
        found = quote_queries.version(db, offer.id, number or offer.version)
    else:
        sent = quote_queries.sent_versions(db, offer.id)
        own = [one for one in quote_queries.versions(db, [offer.id])[offer.id] if one.by_dealer or one.number in sent]
        found = next((one for one in reversed(own) if number in (None, one.number)), None)
    if found is None:
        raise QuoteNotFound(f"quote {offer.number} has no version {number}", next_step="look at the quote itself")
    return found


# Drafting --------------------------------------------------------------------------------------------------------------------------


def draft(db: Connection, wanted: Wanted, actor: Actor, terms: Terms, *, copied_from: UUID | None = None) -> Offer:
    """A new quote, priced as of today and not yet shown to anybody. Raises: BadOffer, BadPricing."""
    now = quote_queries.now(db)
    today = business_day(now)
    named = quote_asking.parties(db, wanted, actor, terms.default_company)
    made, currency = quote_asking.version(db, wanted, named, actor, today, _last_day(wanted, terms, today))
    offer = Offer(
        new_id(), quote_queries.next_number(db, today.year), named.dealer, named.customer, named.deal, named.company, 1, None, "draft",
        made["valid_to"], currency, made["gross"], named.salesperson, actor.dealer is not None, actor.by, now, None, None, "", "", None,
        copied_from,
    )  # fmt: skip
    quote_queries.add(db, {name: getattr(offer, name) for name in Offer.__slots__})
    quote_queries.add_version(db, offer.id, 1, made)
    quote_queries.note(db, offer, "draft", actor.by, "draft")
    return offer


def _last_day(wanted: Wanted, terms: Terms, today: date) -> date:
    last = wanted.valid_to or today + timedelta(days=terms.valid_days)
    if last < today:
        raise BadOffer(f"valid_to {last} is over", next_step="name a day that is to come")
    return last


def revise(db: Connection, named: str | UUID, wanted: Wanted, actor: Actor, terms: Terms) -> Offer:
    """One more version of a quote, priced as of today; the earlier ones stay word for word, and an approval does not hold for it.

    Raises: QuoteNotFound, WrongQuoteState; BadOffer when it is for another dealer or customer; BadPricing.
    """
    offer = seen(db, named, actor, lock=True)
    becomes = after("revise", offer.state, offer.number)
    today = business_day(quote_queries.now(db))
    parties = quote_asking.parties(db, quote_asking.for_same(wanted, offer), actor, terms.default_company)
    if (parties.dealer, parties.customer) != (offer.dealer_id, offer.customer_id):
        raise BadOffer(f"quote {offer.number} is for another dealer or customer", next_step="begin a new quote, or copy this one")
    made, currency = quote_asking.version(db, wanted, parties, actor, today, _last_day(wanted, terms, today))
    number = offer.version + 1
    quote_queries.add_version(db, offer.id, number, made)
    moved = replace(offer, version=number)
    quote_queries.note(db, moved, "revise", actor.by, becomes)
    return _moved(db, moved, state=becomes, version=number, valid_to=made["valid_to"], currency=currency, total=made["gross"],
                  closed_on=None, deal_id=parties.deal, company_id=parties.company)  # fmt: skip


def copy(db: Connection, named: str | UUID, actor: Actor, terms: Terms, changes: Mapping[str, Any] | None = None) -> Offer:
    """A new quote with what another one asked for, priced anew. `changes`: parts of a `Wanted` that differ. Raises: as `draft`."""
    offer = seen(db, named, actor)
    wanted = quote_asking.as_wanted(offer, version_of(db, offer, actor), actor, changes or {})
    return draft(db, wanted, actor, terms, copied_from=offer.id)


# Granting --------------------------------------------------------------------------------------------------------------------------


def submit(db: Connection, named: str | UUID, actor: Actor) -> Submitted:
    """Ask authority whether a quote may go out: at once, after an approval, or not at all.

    It is weighed together with what the same buyer was quoted in the last days (`settings.split_days`): a quote that is split needs at the
    end what it needed whole, also when its parts are submitted at one instant.
    Raises: QuoteNotFound, WrongQuoteState; QuoteRefused when nobody may grant it.
    """
    offer = seen(db, named, actor, lock=True)
    _refuse_unread(db, offer, actor, "submit")
    after("submit", offer.state, offer.number)
    today = business_day(quote_queries.now(db))
    _still_valid(offer, today)
    quote_queries.lock_buyer(db, offer.buyer)
    version = version_of(db, offer, actor)
    verdict, besides = quote_weighing.weighed(db, offer, version, actor.role, today)
    facts = quote_weighing.facts(verdict, version, besides)
    if verdict.result == "refused":
        raise QuoteRefused(
            f"quote {offer.number} version {offer.version}: nobody may grant this" + (" together with earlier quotes" if besides else ""),
            next_step="lower the discounts, or ask for a special price",
        )
    granted = quote_queries.approved_level(db, offer.id, version.hash)
    asked = verdict.result == "approval" and (granted is None or granted < verdict.level)
    becomes = "submitted" if asked else "approved"
    quote_queries.note(db, offer, "submit", actor.by, becomes, "" if asked or verdict.result == "auto" else "approved before", facts)
    return Submitted(_moved(db, offer, state=becomes), verdict, asked)


def _refuse_unread(db: Connection, offer: Offer, actor: Actor, action: str) -> None:
    """A dealer acts on the newest version where he may read it. Raises: WrongQuoteState, the same whatever state the unread one is in."""
    if actor.dealer is not None and version_of(db, offer, actor).number != offer.version:
        state, fix = ("being revised", "wait for the new version") if offer.state in OPEN else (offer.state, "ask for a new quote")
        raise WrongQuoteState(f"{action} is not possible for quote {offer.number}, which is {state}", next_step=fix)


def _still_valid(offer: Offer, today: date) -> None:
    if offer.valid_to < today:
        raise BadOffer(f"quote {offer.number} was valid to {offer.valid_to}", next_step="make a new version with prices of today")


def answer(db: Connection, named: str | UUID, decision: str, by: str, reason: str, terms: Terms, *, version: int | None = None) -> Offer:
    """Approve or refuse what was submitted: `approved` or `rejected`. Nobody approves what he submitted himself.

    `version`: the one that the approver saw. Raises: QuoteNotFound, WrongQuoteState, NotApprover.
    """
    offer = seen(db, named, Actor(by, ""), lock=True)
    action = "approve" if decision == "approved" else "refuse"
    becomes = after(action, offer.state, offer.number)
    if version is not None and version != offer.version:
        raise BadOffer(f"quote {offer.number} has changed since", next_step=f"look at version {offer.version}, and decide about that")
    asked = quote_queries.events(db, offer.id)[-1]
    _check_approver(asked, by, terms)
    facts = {name: asked["facts"].get(name) for name in ("level", "role", "hash")}
    quote_queries.note(db, offer, action, by, becomes, reason, facts)
    return _moved(db, offer, state=becomes)


def _check_approver(asked: Mapping[str, Any], by: str, terms: Terms) -> None:
    if asked["actor"] == by:
        raise NotApprover("nobody approves what he submitted himself", next_step="let somebody else decide")
    names = terms.approvers.get(asked["facts"].get("role") or "")
    if names is not None and by not in names:
        raise NotApprover(f"{by} does not decide for {asked['facts'].get('role')}", next_step="see quotes.approvers in hub.yaml")


# Going out, and what comes back ----------------------------------------------------------------------------------------------------


def send(db: Connection, named: str | UUID, actor: Actor) -> Offer:
    """The quote goes out as it was granted. Raises: QuoteNotFound, WrongQuoteState, BadOffer when it is over."""
    offer = seen(db, named, actor, lock=True)
    _refuse_unread(db, offer, actor, "send")
    becomes = after("send", offer.state, offer.number)
    today = business_day(quote_queries.now(db))
    _still_valid(offer, today)
    quote_queries.note(db, offer, "send", actor.by, becomes)
    return _moved(db, offer, state=becomes, sent_version=offer.version, sent_on=today)


def accept(db: Connection, named: str | UUID, actor: Actor, *, version: int | None = None) -> tuple[Offer, bool]:
    """The customer accepts what was sent; its special prices are used up with it. Twice is once: the second value tells whether it is new.

    `version`: the one that he accepts. Raises: QuoteNotFound, WrongQuoteState; BadOffer when it is over, or another version by now;
    OverCeiling when a special price does not reach any more.
    """
    offer = seen(db, named, actor, lock=True)
    _refuse_unread(db, offer, actor, "accept")
    if version is not None and version != offer.version:
        raise BadOffer(f"quote {offer.number} has a version {offer.version} by now", next_step="accept that one, or ask for a new one")
    if offer.state == "accepted":
        return offer, False
    becomes = after("accept", offer.state, offer.number)
    today = business_day(quote_queries.now(db))
    _still_valid(offer, today)
    quote_asking.use_specials(db, offer, version_of(db, offer, actor), actor.by, today)
    quote_queries.note(db, offer, "accept", actor.by, becomes)
    return _moved(db, offer, state=becomes, closed_on=today), True


def ordered(db: Connection, offer: Offer, order: UUID, by: str) -> Offer:
    """An order was made of an accepted quote."""
    if offer.order_id == order:
        return offer
    quote_queries.note(db, offer, "order", by, after("order", offer.state, offer.number), "", {"order": str(order)})
    return _moved(db, offer, order_id=order)


def void(db: Connection, named: UUID, by: str, cause: str) -> Offer:
    """The order of an accepted quote is void: its special prices are given back. Raises: QuoteNotFound, WrongQuoteState."""
    offer = seen(db, named, Actor(by, ""), lock=True)
    becomes = after("void", offer.state, offer.number)
    quote_asking.give_specials_back(db, offer, by)
    quote_queries.note(db, offer, "void", by, becomes, cause)
    return _moved(db, offer, state=becomes)


def lose(db: Connection, named: str | UUID, actor: Actor, reason: str, text: str, terms: Terms) -> Offer:
    """The quote is lost, with the reason. Raises: QuoteNotFound, WrongQuoteState; BadOffer for a reason that is no code."""
    offer = seen(db, named, actor, lock=True)
    becomes = after("lose", offer.state, offer.number)
    if reason not in terms.reasons:
        raise BadOffer(f"there is no reason {reason!r}", next_step=f"use one of {', '.join(terms.reasons)}")
    quote_queries.note(db, offer, "lose", actor.by, becomes, reason, {"reason": reason, "text": text})
    return _moved(db, offer, state=becomes, closed_on=business_day(quote_queries.now(db)), lost_reason=reason, lost_text=text)


def expire(db: Connection, today: date, by: str) -> list[Offer]:
    """Quotes whose last day has passed without an answer; each as it stood before it ended."""
    ended = quote_queries.over(db, today, OPEN)
    for offer in ended:
        quote_queries.note(db, offer, "expire", by, after("expire", offer.state, offer.number), f"valid to {offer.valid_to}")
        _moved(db, offer, state="expired", closed_on=today)
    return ended


def _moved(db: Connection, offer: Offer, **fields: Any) -> Offer:
    quote_queries.change(db, offer.id, **fields)
    return replace(offer, **fields)

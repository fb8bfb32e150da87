"""From what somebody wants to what is kept: parties found, the cart priced, the waterfall written down for each kind of reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from canonical.rounding import half_up
from channel.pricing import quote_lines, quote_queries, service, special_service
from channel.pricing.asking import Ask, AskLine, Manual, Past, PastLine
from channel.pricing.authority import Verdict
from channel.pricing.discounts import discounts_of
from channel.pricing.errors import BadOffer, BadPricing
from channel.pricing.pricing import Priced
from channel.pricing.queries import Connection
from channel.pricing.quote_lines import DocumentLine
from channel.pricing.quote_queries import Kept, Offer, Row
from channel.pricing.service import View
from channel.pricing.views import Sight, view
from channel.pricing.wanted import ByHand, Wanted

READERS: Final = ("dealer", "ours", "cost")
"""Who may read a waterfall: the dealer, our people without cost, and those who may see cost and margin."""
LAST_PRICES: Final = 20
"""So many earlier quotes of the buyer are looked through for the last prices that an approver sees."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something to a quote."""

    by: str
    """How events name him."""
    role: str = "sales"
    """In the words of the price rules: what he may grant by himself."""
    dealer: UUID | None = None
    """A dealer's own party."""
    costs: bool = False
    """May see cost and margin."""

    @property
    def reader(self) -> str:
        """Which kind of reader he is."""
        return "dealer" if self.dealer is not None else "cost" if self.costs else "ours"

    @property
    def view(self) -> View:
        """How prices look at him."""
        return View(role=self.role, dealer=self.dealer, costs=self.costs)


@dataclass(frozen=True, slots=True)
class Named:
    """Whom and what a quote names: ids, and how price rules call them."""

    dealer: UUID | None
    dealer_name: str
    customer: UUID | None
    customer_name: str
    deal: UUID | None
    company: UUID | None
    company_number: str
    project: str
    currency: str
    salesperson: str


# Parties -----------------------------------------------------------------------------------------------------------------------------


def parties(db: Connection, wanted: Wanted, actor: Actor, default_company: str) -> Named:
    """Find whom a quote is for. What the deal knows is carried over. Raises: BadOffer."""
    deal = _deal(db, wanted, actor)
    said = deal["doc"] if deal else {}
    own = str(actor.dealer) if actor.dealer is not None else ""
    dealer = _party(db, own or wanted.dealer or said.get("dealer") or "", "dealer")
    if own and wanted.dealer and (quote_queries.record(db, "party", wanted.dealer) or {}).get("id") != actor.dealer:
        raise BadOffer("a dealer's quotes are for himself", next_step="leave `dealer` out")
    if own and wanted.customer:
        raise BadOffer("a dealer names his customer by the deal", next_step="leave `customer` out, and name the deal")
    customer = _party(db, wanted.customer or said.get("customer") or "", "customer")
    if customer is not None and dealer is not None and customer["id"] == dealer["id"]:
        customer = None
    if dealer is None and customer is None:
        raise BadOffer("nobody is named", next_step="name a dealer, a customer or a deal")
    number = wanted.company or said.get("company") or default_company
    company = quote_queries.record(db, "company", number) if number else None
    if number and company is None:
        raise BadOffer(f"there is no company {number}", next_step="give its number, as hub.yaml has it")
    return Named(
        dealer["id"] if dealer else None, dealer["mention"] if dealer else "",
        customer["id"] if customer else None, customer["mention"] if customer else "",
        deal["id"] if deal else None, company["id"] if company else None, company["mention"] if company else "",
        wanted.project, wanted.currency or said.get("currency") or "",
        wanted.salesperson or said.get("salesperson") or _salesperson(db, dealer or customer, company),
    )  # fmt: skip


def _salesperson(db: Connection, buyer: Row | None, company: Row | None) -> str:
    return quote_queries.salesperson(db, buyer["id"], company["id"]) if buyer and company else ""


def _deal(db: Connection, wanted: Wanted, actor: Actor) -> Row | None:
    if not wanted.deal:
        return None
    found = quote_queries.record(db, "deal", wanted.deal)
    if found is None or (actor.dealer is not None and found["doc"].get("dealer") != str(actor.dealer)):
        raise BadOffer(f"there is no deal {wanted.deal}", next_step="give its number, hub key or id")
    return found


def _party(db: Connection, named: str, what: str) -> Row | None:
    if not named:
        return None
    found = quote_queries.record(db, "party", named)
    if found is None:
        raise BadOffer(f"there is no {what} {named}", next_step="give its number, hub key or id")
    return found


def for_same(wanted: Wanted, offer: Offer) -> Wanted:
    """What a new version says nothing about is as before: dealer, customer, deal, company, salesperson."""
    kept = {
        "dealer": offer.dealer_id, "customer": offer.customer_id, "deal": offer.deal_id, "company": offer.company_id,
        "salesperson": offer.salesperson,
    }  # fmt: skip
    missing = {name: str(value) for name, value in kept.items() if value and not getattr(wanted, name)}
    return wanted.model_copy(update=missing)


# Pricing -------------------------------------------------------------------------------------------------------------------------------


def version(db: Connection, wanted: Wanted, named: Named, actor: Actor, today: date, valid_to: date) -> tuple[dict[str, Any], str]:
    """A version as it is kept, and its currency. Raises: BadOffer when something has no price, no product, or a name nobody has."""
    ask = _ask(wanted, named, actor, today)
    try:
        priced, verdict, asked = service.priced(db, ask, view=actor.view)
    except BadPricing as wrong:
        told = [{**one, "where": one["where"].removeprefix("ask.")} for one in wrong.errors]
        raise BadOffer(wrong.what, next_step=wrong.next_step, errors=told) from None
    _refuse_unpriced(priced)
    lines = quote_lines.lines_of(priced)
    products = _products(db, lines)
    kept = [{**dataclasses.asdict(line), "product": str(products[line.item])} for line in lines]
    made = {
        "made_by": actor.by, "by_dealer": actor.dealer is not None, "asked": priced.ask.model_dump(mode="json"),
        "price_version": asked.snapshot.version, "asker": asked.snapshot.asker, "hash": priced.hash, "valid_to": valid_to,
        "delivery_date": wanted.delivery_date, "lead_days": _lead_days(priced), "currency": priced.currency, "net": priced.net,
        "tax": priced.tax, "gross": priced.gross, "listed": sum((line.list_net or Decimal(0) for line in priced.lines), Decimal(0)),
        "lines": kept, "discounts": [dataclasses.asdict(one) for one in discounts_of(priced)], "judged": quote_lines.judged(priced),
        "answers": answers(priced, verdict, _last_prices(db, named)),
    }  # fmt: skip
    return made, priced.currency


def _lead_days(priced: Priced) -> int:
    times = (priced.prices.items[line.item].lead_time for line in priced.lines)
    return max((one.days for one in times if one is not None), default=0)


def _ask(wanted: Wanted, named: Named, actor: Actor, today: date) -> Ask:
    lines = tuple(
        AskLine(item=one.item, quantity=one.quantity, unit=one.unit, tax_rate=one.tax_rate, manual=_manual(one.manual, actor))
        for one in wanted.lines
    )
    return Ask(
        dealer=named.dealer_name, customer=named.customer_name, company=named.company_number, project=named.project,
        deal=str(named.deal or ""), ship_to=wanted.ship_to, date=today, currency=named.currency or None, role=actor.role,
        asker_dealer=named.dealer_name if actor.dealer is not None else "", terms=wanted.terms, coupons=wanted.coupons,
        manual=_manual(wanted.manual, actor), lines=lines,
    )  # fmt: skip


def _manual(said: ByHand | None, actor: Actor) -> Manual | None:
    if said is None:
        return None
    return Manual(percent=said.percent, amount=said.amount, price=said.price, reason=said.reason, text=said.text, by=actor.by)


def _last_prices(db: Connection, named: Named) -> tuple[Past, ...]:
    """Earlier quotes of the buyer that went out, for the approver's eyes: what these items were offered at."""
    found = quote_queries.latest_sent(db, named.dealer, named.customer, LAST_PRICES)
    return tuple(
        Past(
            id=row["number"], on=row["on"], dealer=named.dealer_name,
            deal=row["deal"],
            lines=tuple(
                PastLine(
                    line=line["line"], brand=line["brand"], price_kind=line["price_kind"], item=line["item"],
                    list_amount=_short(line["list_amount"]), net_amount=line["net_amount"], unit_price=line["unit_price"],
                    approved=line["approved"],
                )
                for line in row["judged"]
            ),
        )
        for row in found
    )  # fmt: skip


def _short(amount: str) -> Decimal:
    """A figure for reading: exact ones are weighed from the version itself."""
    return half_up(Decimal(amount), 6)


def _refuse_unpriced(priced: Priced) -> None:
    """Raises: BadOffer with each line that has no price, and what to do about it."""
    told = [] if priced.refusal is None else [("the quote", priced.refusal)]
    told += [(f"line {line.id}", line.refusal) for line in priced.lines if line.refusal is not None]
    if told:
        errors = [
            {
                "where": where,
                "what": f"pricing/{one.code}: " + " ".join(f"{k} {v}" for k, v in one.facts.items()),
                "next_step": one.next_step,
            }
            for where, one in told
        ]
        raise BadOffer(f"{told[0][0]} has no price: {told[0][1].code}", next_step=told[0][1].next_step, errors=errors)


def _products(db: Connection, lines: list[DocumentLine]) -> dict[str, UUID]:
    """The product of each line; a charge has one too, or no order could carry it. Raises: BadOffer."""
    found = quote_queries.products(db, {line.item for line in lines})
    errors = [
        {
            "where": line.name or line.item,
            "what": f"{line.item} is the number of no product",
            "next_step": "make a service product with this number in the ERP" if line.kind == "charge" else "make it in the ERP first",
        }
        for line in lines
        if line.item not in found
    ]
    if errors:
        raise BadOffer(f"{errors[0]['what']}, so that no order could carry it", next_step=errors[0]["next_step"], errors=errors)
    return found


def answers(priced: Priced, verdict: Verdict, last: tuple[Past, ...]) -> dict[str, Any]:
    """The waterfall as each kind of reader may see it, made by the rules of `views`: cost only under `cost`.

    `last`: earlier quotes, whose prices the approver sees. A dealer is not told why and by whom something was taken off by hand.
    """
    sights = {"dealer": Sight(dealer=True, costs=False), "ours": Sight(dealer=False, costs=False), "cost": Sight(dealer=False, costs=True)}
    with_past = dataclasses.replace(priced, ask=priced.ask.model_copy(update={"past": last}))
    made = {reader: view(with_past, verdict, sight=sights[reader]) for reader in READERS}
    for line in made["dealer"]["lines"]:
        line["waterfall"] = [_without_hand(step) for step in line["waterfall"]]
    return made


def _without_hand(step: Mapping[str, Any]) -> dict[str, Any]:
    if step["rung"] != "manual":
        return dict(step)
    return {name: value for name, value in step.items() if name not in ("note", "who")} | {"rule": "manual"}


# Copying -------------------------------------------------------------------------------------------------------------------------------


def as_wanted(offer: Offer, kept: Kept, actor: Actor, changes: Mapping[str, Any]) -> Wanted:
    """What a version asked for, to be asked again. A dealer takes the goods along, not what others took off by hand.

    Raises: BadOffer when `changes` name something unknown.
    """
    asked = kept.asked
    mine = actor.dealer is None or kept.by_dealer
    lines = [
        {
            "item": line["item"], "quantity": line["quantity"], "unit": line["unit"], "tax_rate": line.get("tax_rate"),
            "manual": _said(line.get("manual")) if mine else None,
        }
        for line in asked["lines"]
    ]  # fmt: skip
    ours: dict[str, Any] = {}
    if actor.dealer is None:
        ours = {"dealer": str(offer.dealer_id or ""), "customer": str(offer.customer_id or ""), "salesperson": offer.salesperson}
    said = {
        **ours, "deal": str(offer.deal_id or ""), "project": asked.get("project") or "", "company": asked.get("company") or "",
        "currency": kept.currency, "ship_to": asked.get("ship_to") or "", "terms": asked.get("terms") or [],
        "delivery_date": kept.delivery_date,
        "coupons": asked.get("coupons") or [], "manual": _said(asked.get("manual")) if mine else None, "lines": lines,
    }  # fmt: skip
    try:
        return Wanted.model_validate({**said, **changes})
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
        path = ".".join(str(step) for step in first["loc"])
        raise BadOffer(f"{path}: {first['msg'].removeprefix('Value error, ')}", next_step="mend it") from None


def _said(manual: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if manual is None else {name: value for name, value in manual.items() if name != "by"}


# Special prices --------------------------------------------------------------------------------------------------------------------------


def use_specials(db: Connection, offer: Offer, kept: Kept, by: str, today: date) -> None:
    """Use up the special prices of an accepted version. Raises: OverCeiling, SpecialState when one does not reach or hold any more."""
    for at, line in enumerate(kept.lines, 1):
        if line["special"]:
            special_service.consume(
                db, line["special"], reference(offer, at), Decimal(line["base_quantity"]), by=by, item=line["item"], on=today
            )


def give_specials_back(db: Connection, offer: Offer, by: str) -> None:
    """Give back what the quote used up."""
    kept = quote_queries.version(db, offer.id, offer.version)
    for at, line in enumerate(kept.lines if kept else (), 1):
        if line["special"]:
            special_service.give_back(db, reference(offer, at), by=by)


def reference(offer: Offer, at: int) -> str:
    """How a special price names the line of a quote that uses it."""
    return f"quote:{offer.number}/{offer.version}/{at}"

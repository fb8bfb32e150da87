"""Who asks for a price: names made the ledger's own, and what only counts for this dealer and project put over the compiled prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final
from uuid import UUID

from channel.pricing import asker_queries
from channel.pricing.adjustments import Adjustment, When
from channel.pricing.asker_queries import Connection, Names, Party, Project, Special
from channel.pricing.asking import Ask
from channel.pricing.compiled import Prices
from channel.pricing.errors import BadPricing, Mistake
from channel.pricing.model import Dealer, DealPrice, DealPriceItem, Registration
from channel.pricing.snapshots import NAMING, Facts, Snapshot, taken

ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)
AGREEMENT: Final = "agreement"
"""Rung of what was agreed with a dealer."""


@dataclass(frozen=True, slots=True)
class View:
    """Who may see the answer. `role` is what bands of authority know the asker as."""

    role: str = "sales"
    costs: bool = False
    """May see cost, margin and floor prices."""
    dealer: UUID | None = None
    """A dealer's own key: it asks for this party, and sees nothing of others."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in the ledger's own names, with the prices as its asker has them."""

    prices: Prices
    ask: Ask
    dealer: Party | None
    snapshot: Snapshot
    """The version of these prices, and what the ledger knows of who asks."""


def asked_by(db: Connection, prices: Prices, ask: Ask, view: View, *, version: int, names: Names, kept: Snapshot | None = None) -> Asked:
    """Look up who asks. `version` of these prices; `names`: their items by product; `kept`: what was known once, not what is known now.

    Raises: BadPricing for a dealer, customer, company or item that is not there, is another dealer's, or is not whom `kept` is about.
    """
    wrong: list[Mistake] = []
    facts = _looked_up(db, ask, view, wrong) if kept is None else _as_kept(kept.facts, ask, wrong)
    items = _items(db, prices, ask, names, wrong)
    if wrong:
        raise BadPricing(wrong)
    return _over(prices, ask, view, items, kept or taken(version, facts))


def _looked_up(db: Connection, ask: Ask, view: View, wrong: list[Mistake]) -> Facts:
    dealer = _dealer(db, ask, view, wrong)
    if dealer is not None and ask.known_at is not None:
        dealer = asker_queries.then(db, dealer, ask.known_at)
    customer = _customer(db, ask, view, wrong)
    company = _company(db, ask, dealer, wrong)
    said = {name: getattr(ask, name) for name in NAMING if getattr(ask, name)}
    about = ask.project or ask.deal
    found = asker_queries.projects(db, about) if about and not wrong else []
    mine = [one for one in found if dealer is not None and one.dealer == dealer.name]
    if view.dealer is not None:  # another dealer's project is as absent as one that nobody registered
        found = mine
    specials: list[Special] = []
    if dealer is not None and mine:
        deals = [one.deal_id for one in mine if one.deal_id is not None]
        specials = asker_queries.specials(db, dealer.id, [one.id for one in mine], deals, known_at=ask.known_at)
    known = replace(dealer, title="") if dealer is not None else None  # a name prices nothing, and may be a person's
    return Facts(said, known, customer, company, tuple(found), tuple(specials))


def _as_kept(kept: Facts, ask: Ask, wrong: list[Mistake]) -> Facts:
    """Facts that were kept, for a question that names whom they are about, as it did then or by what was found, or leaves it out."""
    found = {
        "dealer": (kept.dealer.name, str(kept.dealer.id)) if kept.dealer else (),
        "customer": (kept.customer,), "company": (kept.company,), "project": (kept.said.get("deal", ""),), "deal": (),
    }  # fmt: skip
    for name in NAMING:
        if getattr(ask, name) not in ("", kept.said.get(name, ""), *found[name]):
            named = kept.said.get(name) or next(iter(found[name]), "")
            what = f"the snapshot was taken for {name} {named!r}" if named else f"the snapshot was taken without a {name}"
            wrong.append(Mistake(f"ask.{name}", what, "leave it out, or ask without the snapshot"))
    return kept


def _over(prices: Prices, ask: Ask, view: View, items: Mapping[str, str], known: Snapshot) -> Asked:
    """The question in the ledger's names, and the prices with what is known of who asks."""
    facts = known.facts
    dealer, company, found = facts.dealer, facts.company, list(facts.projects)
    if view.dealer is not None:  # also when one of ours asked first
        found = [one for one in found if dealer is not None and one.dealer == dealer.name]
    project, deal = ask.project or facts.said.get("project", ""), ask.deal or facts.said.get("deal", "")
    project = project or (deal if found else "")
    lines = tuple(line.model_copy(update={"item": items[line.item]}) if items[line.item] != line.item else line for line in ask.lines)
    asked = ask.model_copy(
        update={
            "dealer": dealer.name if dealer else "", "customer": facts.customer, "company": company, "project": project, "deal": deal,
            "lines": lines, "currency": ask.currency or currency_of(dealer, company),
            "role": "dealer" if view.dealer is not None else view.role,
            "asker_dealer": dealer.name if dealer and view.dealer is not None else "",
        }
    )  # fmt: skip
    own = prices.asked_by(
        [_as_dealer(prices, dealer)] if dealer else [], _registration(project, found, dealer),
        _deals(facts.specials, dealer, project, company), _agreed(prices, dealer, company), _lists(dealer, company),
    )  # fmt: skip
    return Asked(own, asked, dealer, known)


def for_dealer(prices: Prices, dealer: Party, company: str) -> Prices:
    """The prices as a dealer has them in a company, without any project."""
    return prices.asked_by([_as_dealer(prices, dealer)], [], [], _agreed(prices, dealer, company), _lists(dealer, company))


def currency_of(dealer: Party | None, company: str) -> str | None:
    """The currency that a dealer trades in with a company; None where nothing says so."""
    found = dict(zip(dealer.companies, dealer.currencies, strict=True)).get(company, "") if dealer else ""
    return found if len(found) == 3 and found.isupper() else None


def kin(prices: Prices, dealer: Party, company: str) -> tuple[object, ...]:
    """Dealers for whom this is equal pay the same for everything that is of no project: what is looked at is the same."""
    named = dealer.name if dealer.name in prices.named else ""
    said = prices.dealers.get(dealer.name)
    return (
        named, company, currency_of(dealer, company), said.grade if said and "grade" in said.model_fields_set else dealer.grade,
        said.channel if said and "channel" in said.model_fields_set else dealer.channel, tuple(_lists(dealer, company)),
        tuple(one.percent for one in _agreed(prices, dealer, company)), dealer.territory if prices.rules.fences else (),
    )  # fmt: skip


def _dealer(db: Connection, ask: Ask, view: View, wrong: list[Mistake]) -> Party | None:
    """The dealer of the question; a dealer's key asks for itself, whether it says so or not."""
    own = asker_queries.party(db, str(view.dealer), ask.date) if view.dealer is not None else None
    if not ask.dealer:
        return own
    named = asker_queries.party(db, ask.dealer, ask.date)
    if view.dealer is not None and (named is None or own is None or named.id != own.id):
        wrong.append(Mistake("ask.dealer", "this is not your own number", "leave the dealer out, or name yourself"))
        return own
    if named is None:
        wrong.append(Mistake("ask.dealer", f"there is no dealer {ask.dealer!r}", "use its number, hub key or id"))
    return named


def _customer(db: Connection, ask: Ask, view: View, wrong: list[Mistake]) -> str:
    """The end customer's name in the ledger; to a dealer as it asked, but for its own: it cannot find out by asking who is known to us."""
    if not ask.customer:
        return ""
    named = asker_queries.party(db, ask.customer, ask.date)
    if view.dealer is not None:
        return named.name if named and asker_queries.sells_to(db, view.dealer, named.id) else ask.customer
    if named is None:
        wrong.append(Mistake("ask.customer", f"there is no customer {ask.customer!r}", "use its number, hub key or id, or leave it out"))
    return named.name if named else ask.customer


def _items(db: Connection, prices: Prices, ask: Ask, names: Names, wrong: list[Mistake]) -> dict[str, str]:
    found = {}
    for at, line in enumerate(ask.lines):
        if line.item not in found:
            name = line.item if line.item in prices.items else asker_queries.product(db, line.item, names) or ""
            found[line.item] = name if name in prices.items else line.item
            if name not in prices.items:
                wrong.append(Mistake(f"ask.lines.{at}.item", f"there is no item {line.item!r} that is sold", "use a product's number"))
    return found


def _company(db: Connection, ask: Ask, dealer: Party | None, wrong: list[Mistake]) -> str:
    """The selling company: as named, else the only one that the dealer deals with, else our only one."""
    ours = asker_queries.companies(db)
    if ask.company:
        if ask.company not in ours:
            wrong.append(Mistake("ask.company", f"there is no company {ask.company!r} of ours", f"use one of {', '.join(ours) or 'none'}"))
        return ask.company
    for few in (dealer.companies if dealer else (), ours):
        if len(few) == 1:
            return few[0]
    if len(ours) > 1:
        wrong.append(Mistake("ask.company", "nothing says which company of ours sells", f"name one of {', '.join(ours)}"))
    return ""


def _as_dealer(prices: Prices, party: Party) -> Dealer:
    """A party as a dealer; what a document says of it goes first."""
    made = Dealer(id=party.name, name=party.title, grade=party.grade, channel=party.channel, territory=party.territory)
    said = prices.dealers.get(party.name)
    return made if said is None else made.model_copy(update={name: getattr(said, name) for name in said.model_fields_set})


def _registration(project: str, found: list[Project], dealer: Party | None) -> list[Registration]:
    """The registration that counts: this dealer's live one, else whatever there is, which opens nothing."""
    if not found or not project:
        return []
    mine = [one for one in found if dealer is not None and one.dealer == dealer.name]
    chosen = (mine or found)[0]
    lines = {one.line for one in mine if one.live}
    return [
        Registration(
            id=project, dealer=chosen.dealer, customer=chosen.customer, status="live" if chosen.live else "released",
            lines=() if "" in lines else tuple(sorted(lines)), valid_from=chosen.starts, valid_to=chosen.ends,
        )
    ]  # fmt: skip


def _deals(specials: Sequence[Special], dealer: Party | None, project: str, company: str) -> list[DealPrice]:
    if dealer is None:
        return []
    by_id: dict[str, list[Special]] = {}
    for one in specials:
        if not one.company or one.company == company:
            by_id.setdefault(one.id, []).append(one)
    return [_deal(name, project, dealer.name, rows) for name, rows in by_id.items()]


def _deal(name: str, project: str, dealer: str, rows: list[Special]) -> DealPrice:
    head = rows[0]
    items = tuple(DealPriceItem(item=one.item, price=one.price, ceiling=one.ceiling, consumed=one.consumed) for one in rows)
    left = None if head.left_amount is None else max(head.left_amount, ZERO)
    # The ledger keeps its own rows right; a currency that a door let in before it knew better has no rate, and stops nobody's cart.
    return DealPrice.model_construct(
        id=name, project=project, dealer=dealer, items=items, currency=head.currency, tax="included" if head.tax_included else "excluded",
        approver=head.approver, over_ceiling="refuse" if head.over_ceiling == "refuse" else "next_kind", ceiling_amount=left,
        valid_from=head.valid_from, valid_to=head.valid_to,
    )  # fmt: skip


def _agreed(prices: Prices, dealer: Party | None, company: str) -> list[Adjustment]:
    """协议折扣: what an agreement, else the party itself, says; not where a published rule of that rung names the dealer."""
    if dealer is None or AGREEMENT not in prices.rungs:
        return []
    if any(rule.spec.rung == AGREEMENT for rule in prices.by_dealer.get(dealer.name, ())):
        return []
    told = list(_agreements(dealer, company))
    return [
        Adjustment(id=name, name="协议折扣", rung=AGREEMENT, mode="compound", percent=rate * HUNDRED, when=When(dealers=(dealer.name,)))
        for name, rate in told[:1]
        if rate
    ]


def _agreements(dealer: Party, company: str) -> Iterator[tuple[str, Decimal]]:
    """Discounts that were agreed, those of the company first."""
    for of in (company, ""):
        for number, selling, rate in dealer.agreements:
            if selling == of:
                yield f"agreement/{number}", rate
    if dealer.discount_rate is not None:
        yield f"party/{dealer.name}", dealer.discount_rate


def _lists(dealer: Party | None, company: str) -> list[str]:
    """Lists that the dealer is bound to in the company, or in all."""
    bound = [] if dealer is None else [tuple(one.split(":", 1)) for one in dealer.lists]
    return [name for selling, name in bound if selling in (company, "")]

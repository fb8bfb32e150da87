"""The use cases of claims: plan, hand in, approve, refuse, take back, grant. Within the caller's transaction.

A claim freezes what it is worth, uses it when it is approved, and frees it when it is refused. Claims of one programme are judged one at
a time, and the database holds every fund at zero or above.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from canonical.ids import new_id
from canonical.values import decimal_text
from channel.funds import filling, handing, queries
from channel.funds.errors import (
    AlreadyClaimed,
    BadAmount,
    Incomplete,
    NoSuchClaim,
    NothingToPay,
    NotTakingPart,
    TooLate,
    WrongClaimState,
)
from channel.funds.handing import Handed
from channel.funds.judging import Standing, contract_key, judge
from channel.rebates.claiming import Claim, contract_for, spans_of, takes_part
from channel.rebates.claims import Claimed, Fund, PriceProtection, ShipAndDebit
from channel.rebates.facts import Fact
from channel.rebates.periods import find
from channel.rebates.queries import Connection, Row
from channel.rebates.reporting import text
from channel.rebates.selecting import Dealer, Dealers
from channel.rebates.wording import claim_sentence

OPEN: Final = ("planned", "agreed", "submitted")


# Handing in --------------------------------------------------------------------------------------------------------------------


def submit(db: Connection, dealer_id: UUID, handed: Handed, *, today: date, by: str, plan: bool = False) -> Row:
    """Hand in a claim, or with `plan` an activity that has not happened yet; it freezes what it is worth. Returns the claim.

    Raises: NoSuchClaim, Incomplete, NotTakingPart, TooLate, NothingToPay, AlreadyClaimed, BadFacts.
    """
    programme, dealer = programme_of(db, handed.programme), _dealer(db, dealer_id, today)
    queries.lock(db, programme.programme)
    handed = _completed(db, programme, handed)
    if plan and not isinstance(programme, Fund):
        raise Incomplete("only activities of a market fund are planned", next_step="hand it in as a claim")
    _complete(programme, handed, today, planned=plan)
    due_on = None if programme.claim_days is None else handed.on + timedelta(days=programme.claim_days)
    if due_on is not None and today > due_on:
        raise TooLate(f"a claim for {handed.on} was to be handed in by {due_on}", next_step="ask who runs the programme")
    number = queries.new_number(db, "FC", [programme.key, dealer.id, str(handing.document(handed))])
    fact = _fact(handed, number, dealer)
    if not takes_part(programme, fact, Dealers(), handed.on):
        raise NotTakingPart(
            f"{programme.programme} does not hold for this dealer and these goods on {handed.on}",
            next_step="look with `hub rebates programmes`",
        )
    period = _period(programme, handed.on)
    if isinstance(programme, Fund):
        filling.keep_up(db, programme, today, by=by, dealers=[dealer])
    claim = judge(programme, fact, _standing(db, programme, handed, dealer, dealer_id, period, today))
    _worth_something(claim)
    state = "planned" if plan else "submitted"
    values: Row = {
        "id": number, "programme": programme.programme, "version": programme.version, "type": programme.type, "dealer": dealer.id,
        "dealer_id": dealer_id, "period": period, "currency": programme.currency, "on_day": handed.on, "due_on": due_on,
        "asked": handing.document(handed), "judged": _judged(programme, fact, claim), "worth": claim.payable, "state": state,
        "handed_in_by": by,
    }  # fmt: skip
    queries.add_claim(db, values)
    queries.event(db, number, state, by, handed.note, values["asked"])
    _take_keys(db, programme, handed, dealer, number)
    made = _claim(db, number)
    _freeze(db, made, claim.payable, by)
    return made


def hand_in(db: Connection, number: str, handed: Handed, *, today: date, by: str) -> Row:
    """The activity that was agreed to has happened: what it really cost, and the evidence. More than was agreed is not paid.

    Raises: NoSuchClaim, WrongClaimState, Incomplete, TooLate, NothingToPay, AlreadyClaimed.
    """
    claim = _claim(db, number)
    programme, dealer = programme_of(db, claim["programme"]), _dealer(db, claim["dealer_id"], today)
    queries.lock(db, programme.programme)
    claim = _in_state(db, number, ("agreed",), "handed in")
    if handed.programme != claim["programme"] or not isinstance(programme, Fund):
        raise Incomplete(f"{number} is about {claim['programme']}", next_step="hand in under the programme that was agreed to")
    _complete(programme, handed, today, planned=False)
    if claim["due_on"] is not None and today > claim["due_on"]:
        raise TooLate(f"{number} was to be handed in by {claim['due_on']}", next_step="ask who runs the programme")
    if _period(programme, handed.on) != claim["period"]:
        raise Incomplete(f"{number} was agreed to for {claim['period']}", next_step="plan the activity anew for its period")
    fact, agreed = _fact(handed, number, dealer), claim["worth"]
    standing = _standing(db, programme, handed, dealer, claim["dealer_id"], claim["period"], today)
    room = Standing(room=standing.room + agreed, budget=None if standing.budget is None else standing.budget + agreed)
    judged = judge(programme, fact, room)
    if judged.payable > agreed:
        judged = Claim(
            judged.programme, judged.dealer, judged.fact, judged.on, judged.product, judged.quantity, judged.per_unit, judged.asked, agreed,
            "agreed", judged.facts,
        )  # fmt: skip
    _worth_something(judged)
    _free(db, claim, agreed - judged.payable, by)
    told = handing.document(handed)
    queries.set_claim(
        db, number,
        {"asked": told, "judged": _judged(programme, fact, judged), "worth": judged.payable, "state": "submitted", "on_day": handed.on},
    )  # fmt: skip
    queries.event(db, number, "submitted", by, handed.note, told)
    _take_keys(db, programme, handed, dealer, number)
    return _claim(db, number)


def programme_of(db: Connection, name: str) -> Claimed:
    """A published programme of claims. Raises: NoSuchClaim."""
    found = queries.programmes(db, name)
    if not found:
        raise NoSuchClaim(f"no programme of claims {name} is published", next_step="look with `hub rebates programmes`")
    return found[0]


def _dealer(db: Connection, dealer_id: UUID, day: date) -> Dealer:
    found = queries.dealer(db, dealer_id, day)
    if found is None:
        raise NoSuchClaim(f"there is no dealer {dealer_id}")
    return found


def _completed(db: Connection, programme: Claimed, handed: Handed) -> Handed:
    """A claim for price protection has the product and the day of its cut. Raises: NoSuchClaim."""
    if not isinstance(programme, PriceProtection) or not handed.cut:
        return handed
    cut = _cut(db, handed.cut)
    said = handing.document(handed) | {"product": cut["product"], "on": cut["on_day"].isoformat()}
    return handing.of_document(said)


def _cut(db: Connection, number: str) -> Row:
    found = queries.cuts(db, number)
    if not found:
        raise NoSuchClaim(f"there is no price cut {number}", next_step="look with `hub claims cuts`")
    return found[0]


def _complete(programme: Claimed, handed: Handed, today: date, *, planned: bool) -> None:
    lacks = handing.missing(programme, handed, planned=planned)
    if lacks:
        raise Incomplete(f"the claim lacks {', '.join(lacks)}", next_step="add it and hand it in again")
    if handed.on > today and not planned:
        raise Incomplete(f"{handed.on} has not come yet", next_step="plan it instead, or claim when it has happened")


def _fact(handed: Handed, number: str, dealer: Dealer) -> Fact:
    return handing.as_fact(
        handed, number, dealer.id, grade=dealer.grade, region=dealer.region, channel=dealer.channel, parent=dealer.parent
    )


def _period(programme: Claimed, on: date) -> str:
    """The fund's period; of other programmes the calendar year, in which small claims are agreed to by the rule."""
    if not isinstance(programme, Fund):
        return str(on.year)
    span = find(spans_of(programme), on)
    if span is None:
        raise NotTakingPart(f"{programme.programme} has no period on {on}", next_step="look with `hub rebates programmes`")
    return span.name


def _standing(db: Connection, programme: Claimed, handed: Handed, dealer: Dealer, dealer_id: UUID, period: str, today: date) -> Standing:
    match programme:
        case Fund():
            row = queries.balance(db, programme.programme, dealer.id, period)
            left = None if programme.budget is None else programme.budget - queries.taken(db, programme.programme, period)
            return Standing(room=row["available"] if row else Decimal(0), budget=left)
        case ShipAndDebit():
            return Standing(used=queries.contract_units(db, programme.programme))
        case _:
            row = _cut(db, handed.cut)
            if row["currency"] != programme.currency or row["dealer"] not in ("", dealer.id):
                raise NotTakingPart(f"{handed.cut} is not for this dealer or not in {programme.currency}")
            queries.lock_stock(db, dealer_id, row["product"])
            claimed = {_announced(one): Fraction(one["units"]) for one in queries.cut_units(db, dealer_id, row["id"])}
            moves = queries.moves(db, dealer_id, dealer.id, row["product"], today)
            return Standing(cut=_announced(row), moves=moves, claimed=claimed)


def _announced(cut: Row) -> Fact:
    return Fact(
        cut["id"], "price_change", "", cut["on_day"], product=cut["product"], old_price=cut["old_price"], new_price=cut["new_price"]
    )


def _judged(programme: Claimed, fact: Fact, claim: Claim) -> dict[str, Any]:
    """What the rules made of the claim, as it is kept."""
    contract = contract_for(programme, fact) if isinstance(programme, ShipAndDebit) else None
    told = claim_sentence(claim.why, programme.currency, text(claim.quantity), text(claim.per_unit), claim.payable)
    found = {
        "quantity": text(claim.quantity), "per_unit": text(claim.per_unit), "asked": text(claim.asked),
        "payable": format(claim.payable, "f"),
        "why": claim.why, "sentence": told, "contract": None if contract is None else contract_key(contract),
        **{name: claim.facts[name] for name in ("stock", "gone") if isinstance(programme, PriceProtection)},
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _worth_something(claim: Claim) -> None:
    if claim.payable <= 0:
        told = claim_sentence(claim.why, claim.programme.currency, text(claim.quantity), text(claim.per_unit), claim.payable)
        raise NothingToPay(f"the claim is worth nothing: {told['en']} {told['zh']}", next_step="look at the fund and the programme's terms")


def _take_keys(db: Connection, programme: Claimed, handed: Handed, dealer: Dealer, number: str) -> None:
    """Raises: AlreadyClaimed; the caller's transaction ends with it and keeps nothing."""
    clash = queries.take_keys(db, number, programme.type, handing.keys(programme, handed, dealer.id))
    if clash is not None:
        key, holder = clash
        raise AlreadyClaimed(handing.spoken(key), claim=holder["id"], dealer_id=holder["dealer_id"])


# What becomes of it --------------------------------------------------------------------------------------------------------------


def goes_by_rule(db: Connection, number: str) -> bool:
    """True when nobody needs to be asked: the programme says so, and what the rule gave the dealer in the period stays within its limit."""
    claim = _claim(db, number)
    most = programme_of(db, claim["programme"]).approval.automatic_up_to
    before = queries.automatic(db, claim["programme"], claim["dealer"], claim["period"])
    return most is not None and claim["state"] == "submitted" and before + claim["worth"] <= most


def for_finance(db: Connection, number: str) -> bool:
    """True when the claim is so large that finance decides."""
    claim = _claim(db, number)
    above = programme_of(db, claim["programme"]).approval.finance_above
    return above is not None and claim["worth"] > above


def approve(db: Connection, number: str, *, by: str, note: str = "", amount: Decimal | None = None, automatic: bool = False) -> Row:
    """Agree to a plan, or to a claim, whole or to less; what is not allowed is freed. Raises: NoSuchClaim, WrongClaimState, BadAmount."""
    claim = _locked(db, number, ("planned", "submitted"), "approved")
    allowed = claim["worth"] if amount is None else amount
    if not 0 < allowed <= claim["worth"]:
        worth = decimal_text(claim["worth"])
        raise BadAmount(f"{number} is worth {worth} {claim['currency']}", next_step=f"allow more than 0 and at most {worth}")
    _free(db, claim, claim["worth"] - allowed, by)
    if claim["state"] == "planned":
        queries.set_claim(db, number, {"state": "agreed", "worth": allowed})
        queries.event(db, number, "agreed", by, note)
        return _claim(db, number)
    if claim["type"] == "fund":
        queries.book(db, _key(claim), claim["period"], {"frozen": -allowed, "used": allowed}, cause="use", booking=new_id(), by=by)
    queries.set_claim(db, number, {"state": "approved", "allowed": allowed, "automatic": automatic})
    queries.event(db, number, "approved", by, note)
    return _claim(db, number)


def refuse(db: Connection, number: str, *, by: str, reason: str, what: str = "rejected") -> Row:
    """Refuse a claim (`rejected`), take it back (`withdrawn`) or let it lapse: all it froze is free again. Raises: as `approve`."""
    if what == "rejected" and not reason.strip():
        raise Incomplete("a refusal needs a reason", next_step="say what the dealer is to read")
    claim = _locked(db, number, OPEN, what)
    _free(db, claim, claim["worth"], by)
    queries.free_keys(db, number)
    queries.set_claim(db, number, {"state": what})
    queries.event(db, number, what, by, reason)
    return _claim(db, number)


def lapse(db: Connection, today: date, *, by: str) -> list[Row]:
    """Plans whose claims did not come in time; what they froze is free again."""
    return [
        refuse(db, row["id"], by=by, reason=f"nothing was handed in by {row['due_on']}", what="lapsed")
        for row in queries.overdue(db, today)
    ]


def _claim(db: Connection, number: str) -> Row:
    found = queries.claim(db, number)
    if found is None:
        raise NoSuchClaim(f"there is no claim {number}", next_step="look with `hub claims list`")
    return found


def _locked(db: Connection, number: str, before: Sequence[str], after: str) -> Row:
    queries.lock(db, _claim(db, number)["programme"])
    return _in_state(db, number, before, after)


def _in_state(db: Connection, number: str, before: Sequence[str], after: str) -> Row:
    claim = queries.claim(db, number, lock_it=True)
    if claim is None or claim["state"] not in before:
        state = claim["state"] if claim else "gone"
        raise WrongClaimState(f"{number} is {state}", next_step=f"only one that is {' or '.join(before)} can be {after}")
    return claim


def _key(claim: Row) -> Row:
    return {name: claim[name] for name in ("programme", "dealer", "dealer_id", "currency")} | {"claim": claim["id"]}


def _freeze(db: Connection, claim: Row, amount: Decimal, by: str) -> None:
    if claim["type"] == "fund":
        queries.book(db, _key(claim), claim["period"], {"available": -amount, "frozen": amount}, cause="freeze", booking=new_id(), by=by)


def _free(db: Connection, claim: Row, amount: Decimal, by: str) -> None:
    if claim["type"] == "fund" and amount:
        queries.book(db, _key(claim), claim["period"], {"frozen": -amount, "available": amount}, cause="free", booking=new_id(), by=by)


# Funds, price cuts ------------------------------------------------------------------------------------------------------------


def grant(db: Connection, programme: str, dealer_id: UUID, amount: Decimal, *, on: date, by: str, reason: str) -> Row:
    """Give a dealer's fund an amount beside what the programme fills, in the period of a day. Returns the balance.

    Raises: NoSuchClaim, NotTakingPart, BadAmount.
    """
    fund, dealer = programme_of(db, programme), _dealer(db, dealer_id, on)
    if not isinstance(fund, Fund):
        raise NotTakingPart(f"{programme} is no fund")
    if amount <= 0 or not reason.strip():
        raise BadAmount("a grant is more than nothing and has a reason", next_step="say how much and why")
    queries.lock(db, programme)
    period = _period(fund, on)
    key: Row = {"programme": programme, "dealer": dealer.id, "dealer_id": dealer_id, "currency": fund.currency}
    queries.book(db, key, period, {"available": amount}, cause="grant", booking=new_id(), by=by, note=reason)
    found = queries.balance(db, programme, dealer.id, period)
    assert found is not None  # noqa: S101  it was just booked
    return found


def announce_cut(
    db: Connection, product: str, on: date, old: Decimal, new: Decimal, currency: str, *, by: str, dealer: str = "", note: str = ""
) -> str:
    """A price falls on a day; its number, which claims for price protection name. Raises: BadAmount."""
    if not 0 <= new < old:
        raise BadAmount(f"{decimal_text(old)} to {decimal_text(new)} is no fall of a price", next_step="give a lower new price")
    values = {"product": product, "dealer": dealer, "on": on, "old": old, "new": new, "currency": currency, "note": note, "by": by}
    return queries.add_cut(db, values)

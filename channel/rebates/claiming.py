"""What claims are worth: price protection, ship-and-debit, market funds. Pure, exact, each claim rounded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from canonical.rounding import exact_rounded
from channel.rebates import periods
from channel.rebates.claims import Claimed, Contract, Fund, PriceProtection, ShipAndDebit
from channel.rebates.counting import Converter
from channel.rebates.errors import BadFacts, Flaw
from channel.rebates.facts import Fact, Table
from channel.rebates.periods import Span
from channel.rebates.programme import Programme
from channel.rebates.selecting import Dealers, Selector, known, outside, participates
from channel.rebates.values import FIRST_DAY, LAST_DAY, ZERO

NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim judged: what was asked, what is allowed, and why not all of it."""

    programme: Claimed
    dealer: str
    fact: str
    on: date
    product: str
    quantity: Fraction
    per_unit: Fraction | None
    asked: Fraction
    payable: Decimal
    why: str = ""
    """Empty: allowed whole. ceiling, balance, budget, claim_most, requested, rejected, no_drop, no_contract."""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Balance:
    """A dealer's fund in a period: brought + filled = accrued + used + reserved + left (or forfeited, once the period is over)."""

    programme: Fund
    dealer: str
    span: Span
    base: Fraction
    brought: Decimal
    filled: Decimal
    accrued: Decimal
    """Of what was filled: not claimable before the next period."""
    used: Decimal
    reserved: Decimal
    left: Decimal
    forfeited: Decimal


def claims(
    programme: Claimed, table: Table, *, as_of: date, known_at: datetime | None = None, dealers: Dealers | None = None
) -> tuple[list[Claim], list[Balance]]:
    """Every claim of a programme up to the cut-off, and for a fund its balances. Raises: BadFacts for a claim without its figures."""
    facts = [fact for fact in known(table.facts, known_at) if fact.status != "void" and fact.date <= as_of]
    who = dealers or Dealers()
    match programme:
        case PriceProtection():
            return _protected(programme, facts, who), []
        case ShipAndDebit():
            return _debited(programme, table, facts, who), []
        case Fund():
            return _funded(programme, table, facts, as_of, who)
    raise TypeError(type(programme).__name__)


def takes_part(programme: Claimed, fact: Fact, who: Dealers, on: date) -> bool:
    """True when the programme holds on the day, for the dealer and the goods of the fact."""
    return (
        programme.valid.holds(on)
        and not participates(programme.participants, who.of(fact, on), on)[0]
        and not outside(programme.scope, fact)[0]
    )


def _protected(programme: PriceProtection, facts: Sequence[Fact], who: Dealers) -> list[Claim]:
    found = []
    cuts = [
        fact for fact in facts if fact.kind == "price_change" and fact.old_price is not None and fact.new_price is not None and fact.product
    ]
    moves: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        if fact.kind in ("stock", "sale", "return", "sell_out") and fact.product:
            moves.setdefault((fact.dealer, fact.product), []).append(fact)
    for cut in sorted(cuts, key=lambda fact: (fact.date, fact.id)):
        for (dealer, product), own in sorted(moves.items()):
            if product == cut.product and cut.dealer in ("", dealer) and takes_part(programme, own[0], who, cut.date):
                found.append(protection(programme, cut, dealer, own))
    return found


def protection(programme: PriceProtection, cut: Fact, dealer: str, moves: Sequence[Fact]) -> Claim:
    """What a price cut pays a dealer. moves: the dealer's own facts about the product (stock, sale, return, sell_out)."""
    drop = Fraction(cut.old_price or 0) - Fraction(cut.new_price or 0)
    stock = _stock(moves, cut.date, computed=programme.stock == "computed")
    bought = stock
    if programme.window_days is not None:
        first = cut.date - timedelta(days=programme.window_days)
        bought = max(ZERO, _sum(moves, first, cut.date, ("sale", "return")))
    units = max(ZERO, min(stock, bought))
    per_unit = max(ZERO, drop) * Fraction(programme.rate)
    if programme.cap_per_unit is not None:
        per_unit = min(per_unit, Fraction(programme.cap_per_unit))
    why = "no_drop" if drop <= 0 else "window" if units < stock else ""
    payable = exact_rounded(per_unit * units, programme.rounding.places, programme.rounding.mode)
    said = {"old_price": str(cut.old_price), "new_price": str(cut.new_price), "stock": str(stock), "bought": str(bought)}
    return Claim(programme, dealer, cut.id, cut.date, cut.product, units, per_unit, max(ZERO, drop) * stock, payable, why, said)


def _stock(moves: Sequence[Fact], on: date, *, computed: bool) -> Fraction:
    """What was on hand at the beginning of a day."""
    if computed:
        return _sum(moves, FIRST_DAY, on, ("sale", "return")) - _sum(moves, FIRST_DAY, on, ("sell_out",))
    counts = sorted((fact for fact in moves if fact.kind == "stock"), key=lambda fact: (fact.date, fact.id))
    before = [fact for fact in counts if fact.date <= on]
    if before:
        last = before[-1]
        if last.date == on:
            return Fraction(last.quantity)
        after = last.date + timedelta(days=1)
        return Fraction(last.quantity) + _sum(moves, after, on, ("sale", "return")) - _sum(moves, after, on, ("sell_out",))
    if not counts:
        return ZERO
    later = counts[0]  # counted back: what was sold since was still there, what was bought since was not
    end = later.date + timedelta(days=1)
    return Fraction(later.quantity) - _sum(moves, on, end, ("sale", "return")) + _sum(moves, on, end, ("sell_out",))


def _sum(moves: Iterable[Fact], first: date, end: date, kinds: tuple[str, ...]) -> Fraction:
    return sum((Fraction(fact.quantity) for fact in moves if fact.kind in kinds and first <= fact.date < end), ZERO)


def _debited(programme: ShipAndDebit, table: Table, facts: Sequence[Fact], who: Dealers) -> list[Claim]:
    used: dict[Contract, Fraction] = {}
    found = []
    for fact in sorted((fact for fact in facts if fact.kind == programme.facts), key=lambda fact: (fact.date, fact.id)):
        if fact.programme not in ("", programme.programme) or not takes_part(programme, fact, who, fact.date):
            continue
        claim = debit(programme, table, fact, used)
        contract = contract_for(programme, fact)
        if contract is not None:
            used[contract] = used.get(contract, ZERO) + claim.quantity
        found.append(claim)
    return found


def debit(programme: ShipAndDebit, table: Table, fact: Fact, used: Mapping[Contract, Fraction]) -> Claim:
    """What one ship-and-debit claim is worth, where so many units of each contract were used before. Raises: BadFacts."""
    contract = contract_for(programme, fact)
    if programme.contracts and contract is None:
        return Claim(programme, fact.dealer, fact.id, fact.date, fact.product, ZERO, None, ZERO, NONE, "no_contract")
    each = max(ZERO, per_unit(programme, fact, contract, table))
    units, why = Fraction(fact.quantity), ""
    if contract is not None and contract.quantity is not None:
        room = Fraction(contract.quantity) - used.get(contract, ZERO)
        if units > room:
            units, why = max(ZERO, room), "ceiling"
    if fact.status == "rejected":
        units, why = ZERO, "rejected"
    payable = exact_rounded(each * units, programme.rounding.places, programme.rounding.mode)
    return Claim(programme, fact.dealer, fact.id, fact.date, fact.product, units, each, each * Fraction(fact.quantity), payable, why)


def contract_for(programme: ShipAndDebit, fact: Fact) -> Contract | None:
    """The contract of a claim: one for its dealer and customer before a general one."""
    fitting = [
        contract
        for contract in programme.contracts
        if contract.product == fact.product
        and contract.dealer in (None, fact.dealer)
        and contract.customer in (None, fact.customer)
        and contract.holds(fact.date)
    ]
    return max(fitting, key=lambda contract: (contract.customer is not None, contract.dealer is not None), default=None)


def per_unit(programme: ShipAndDebit, fact: Fact, contract: Contract | None, table: Table) -> Fraction:
    """What a claim pays for one unit by the programme's formula. Raises: BadFacts for a price that is missing."""

    def price(name: str) -> Fraction:
        value: Decimal | None = getattr(fact, name)
        if value is None:
            what = f"{fact.id}: the formula {programme.formula} needs it"
            raise BadFacts([Flaw("missing", name, what, f"give {name}", fact.row or None, table.file)])
        return Fraction(value)

    match programme.formula:
        case "difference":
            agreed = Fraction(contract.price) if contract is not None else price("contract_price")
            return price(programme.price_from) - agreed
        case "margin":
            sell = price("sell_price")
            return Fraction(programme.margin or 0) * sell - sell + price("cost_price")
        case "per_unit":
            return Fraction(programme.amount or 0)
        case "rate":
            return Fraction(programme.rate or 0) * price(programme.price_from)


def _funded(programme: Fund, table: Table, facts: Sequence[Fact], as_of: date, who: Dealers) -> tuple[list[Claim], list[Balance]]:
    spans = [span for span in spans_of(programme) if span.start <= as_of]
    bases = _bases(programme, table, facts, spans, as_of, who)
    asked = [fact for fact in facts if fact.kind == "claim" and fact.programme in ("", programme.programme) and fact.amount is not None]
    names = sorted({dealer for dealer, _ in bases} | {fact.dealer for fact in asked} | set(programme.dealers))
    found: list[Claim] = []
    balances: list[Balance] = []
    places, mode = programme.rounding.places, programme.rounding.mode
    brought: dict[str, Decimal] = {}
    for span in spans:
        filled = {
            name: exact_rounded(
                bases.get((name, span), ZERO) * Fraction(programme.rate or 0)
                + Fraction(programme.dealers.get(name, programme.granted or 0)),
                places,
                mode,
            )
            for name in names
        }
        at_once = programme.claimable == "at_once"
        accrued = dict.fromkeys(names, NONE) if at_once else filled
        room = {name: filled[name] - accrued[name] + brought.get(name, NONE) for name in names}
        left = programme.budget
        used, reserved = dict.fromkeys(names, NONE), dict.fromkeys(names, NONE)
        for fact in sorted((fact for fact in asked if span.holds(fact.date)), key=lambda fact: (fact.date, fact.id)):
            if not takes_part(programme, fact, who, fact.date):
                continue
            claim = from_fund(programme, fact, room[fact.dealer], left)
            found.append(claim)
            if claim.why == "requested":
                waiting = min(room[fact.dealer], exact_rounded(claim.asked, places, mode))
                reserved[fact.dealer] += waiting
                room[fact.dealer] -= waiting
            used[fact.dealer] += claim.payable
            room[fact.dealer] -= claim.payable
            left = None if left is None else left - claim.payable
        over = as_of >= span.end - timedelta(days=1) and programme.unused == "forfeited"
        for name in names:
            gone = room[name] if over else NONE
            balances.append(
                Balance(
                    programme, name, span, bases.get((name, span), ZERO), brought.get(name, NONE), filled[name], accrued[name],
                    used[name], reserved[name], room[name] - gone, gone,
                )
            )  # fmt: skip
        kept = {name: room[name] + reserved[name] for name in names} if programme.unused == "carried" else {}
        brought = {name: kept.get(name, NONE) + accrued[name] for name in names}
    return found, balances


def from_fund(programme: Fund, fact: Fact, room: Decimal, budget: Decimal | None) -> Claim:
    """What a claim takes of a fund with so much room, and a budget with so much left; nothing before it is approved."""
    places, mode = programme.rounding.places, programme.rounding.mode
    asked = Fraction(fact.amount or 0) * Fraction(programme.share)
    payable, why = exact_rounded(asked, places, mode), ""
    if fact.status not in ("approved", "paid"):
        payable, why = NONE, "rejected" if fact.status == "rejected" else "requested"
    for most, reason in ((programme.claim_most, "claim_most"), (room, "balance"), (budget, "budget")):
        if most is not None and payable > most:
            payable, why = max(NONE, most), reason
    said = {"cost": str(fact.amount), "share": str(programme.share)}
    return Claim(programme, fact.dealer, fact.id, fact.date, fact.product, Fraction(1), asked, asked, payable, why, said)


def spans_of(programme: Fund) -> list[Span]:
    """The periods of a fund, in order."""
    start, end = programme.valid.from_ or FIRST_DAY, programme.valid.to or LAST_DAY
    match programme.calendar.period:
        case "life":
            return [Span(start, end, "life", start, end)]
        case "custom":
            return [
                Span(one.from_ or start, one.to or end, one.name, one.from_ or start, one.to or end) for one in programme.calendar.periods
            ]
        case cut:
            return periods.periods(cut, start, end, programme.calendar.fiscal_start)


def _bases(
    programme: Fund, table: Table, facts: Sequence[Fact], spans: Sequence[Span], as_of: date, who: Dealers
) -> dict[tuple[str, Span], Fraction]:
    """What each dealer bought in each period, as the base says."""
    if programme.base is None:
        return {}
    as_rebate = Programme(
        programme=programme.programme, version=programme.version, name=programme.name, currency=programme.currency, valid=programme.valid,
        participants=programme.participants, scope=programme.scope, base=programme.base, calendar=programme.calendar, method="retroactive",
    )  # fmt: skip
    selector, converter = Selector(as_rebate, spans, who, table.columns, as_of), Converter(as_rebate, table.file)
    found: dict[tuple[str, Span], Fraction] = {}
    for fact in facts:
        decision = selector.decide(fact, programme.scope)
        if decision.counts and decision.period is not None:
            line = converter.line(decision)
            own = line.amount if programme.base.measure == "amount" else line.quantity
            found[fact.dealer, decision.period] = found.get((fact.dealer, decision.period), ZERO) + own
    return found


def input_vat(received: Decimal, rate: Decimal, places: int = 2) -> Decimal:
    """The input VAT a buyer gives back on a rebate received with tax: received / (1 + rate) x rate, rounded once.

    Source: 国税发[2004]136号. 113,000 at 13 % gives 13,000. A tax adviser must sign off any use.
    """
    return exact_rounded(Fraction(received) / (1 + Fraction(rate)) * Fraction(rate), places)

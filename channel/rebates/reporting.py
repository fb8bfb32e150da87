"""A calculation as plain data for files, scripts and screens, in two views.

The full view has everything. The dealer's has only the dealer's own lines and money: no cost or margin, no accrual (that is our own
expectation), no figure of a group or budget, and no other party's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal

from canonical.rounding import exact_half_up, half_up_ratio, rounded
from canonical.values import decimal_text, utc_text
from channel.rebates.claiming import Balance, Claim, input_vat
from channel.rebates.gates import GateResult
from channel.rebates.programme import Programme
from channel.rebates.results import ENGINE, Calculation, Result, rate_of
from channel.rebates.selecting import Decision
from channel.rebates.wording import GATES, Sentence, claim_sentence, line_sentence, say

View = Literal["full", "dealer"]
SHOWN_PLACES: Final = 10
"""Decimals shown of a figure that has no end; nothing is paid by it."""
SHARES: Final = frozenset(("collection", "target", "overdue_share", "mix_share"))
FUND_MONEY: Final = ("brought", "filled", "accrued", "used", "reserved", "left", "forfeited")
MONEY: Final = ("earned", "entitled", "held", "settled", "disputed", "forfeited", "open", "payable")


def text(value: Fraction | Decimal | None) -> str | None:
    """A figure as plain decimal text; exact where it has an end, else to ten places."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        return decimal_text(value)
    if value.denominator == 1:
        return str(value.numerator)
    units = half_up_ratio(value.numerator * 10**SHOWN_PLACES, value.denominator)
    whole, rest = divmod(abs(units), 10**SHOWN_PLACES)
    shown = f"{whole}.{rest:0{SHOWN_PLACES}}".rstrip("0").rstrip(".")
    return f"-{shown}" if units < 0 else shown


def decimals(value: Decimal, places: int) -> str:
    """An amount with all its decimals."""
    return format(rounded(value, places), "f")


def percent(value: Fraction | None) -> str:
    """A share as a person reads it."""
    return "-" if value is None else f"{decimal_text(exact_half_up(value * 100, 4))} %"


def document(calculation: Calculation, view: View = "full", dealer: str | None = None) -> dict[str, Any]:
    """The whole calculation. dealer: only this one's results; the dealer's view must name one."""
    if view == "dealer" and dealer is None:
        raise ValueError("a dealer's view is one dealer's")
    results = [result for result in calculation.results if dealer is None or result.dealer == dealer]
    told: dict[str, Any] = {
        "engine": ENGINE,
        "as_of": calculation.as_of.isoformat(),
        "known_at": utc_text(calculation.known_at) if calculation.known_at else None,
        "programmes": [
            {"programme": one.programme, "version": one.version, "name": one.name.model_dump(), "currency": one.currency, "hash": one.hash}
            for one in calculation.programmes
            if view == "full" or any(result.programme is one for result in results)
        ],
        "results": [of_result(result, view) for result in results],
        "totals": totals(results),
    }
    if view == "full":
        told["facts"] = {"count": calculation.facts_count, "hash": calculation.facts_hash}
    return told


def of_claims(found: Sequence[Claim], balances: Sequence[Balance], dealer: str | None = None) -> dict[str, Any]:
    """Claims and funds as plain data. A claim's price and cost stay inside; what it gives per unit does not."""
    return {
        "claims": [
            {
                "programme": one.programme.programme, "version": one.programme.version, "dealer": one.dealer, "fact": one.fact,
                "on": one.on.isoformat(), "product": one.product, "quantity": text(one.quantity), "per_unit": text(one.per_unit),
                "asked": text(one.asked),
                "payable": decimals(one.payable, one.programme.rounding.places), "currency": one.programme.currency,
                "why": one.why or None, "sentences": [_claim_told(one)],
            }
            for one in found if dealer in (None, one.dealer)
        ],
        "funds": [
            {
                "programme": one.programme.programme, "version": one.programme.version, "dealer": one.dealer,
                "period": {"name": one.span.name, "from": one.span.start.isoformat(), "to": one.span.end.isoformat()},
                "base": text(one.base), "currency": one.programme.currency,
                **{name: decimals(getattr(one, name), one.programme.rounding.places) for name in FUND_MONEY},
            }
            for one in balances if dealer in (None, one.dealer)
        ],
    }  # fmt: skip


def _claim_told(one: Claim) -> Sentence:
    return claim_sentence(one.why, one.programme.currency, text(one.quantity), text(one.per_unit), one.payable)


def totals(results: list[Result]) -> list[dict[str, str]]:
    """Sums by programme and currency."""
    sums: dict[tuple[str, str], dict[str, Decimal]] = {}
    for result in results:
        mine = sums.setdefault((result.programme.key, result.programme.currency), dict.fromkeys(MONEY, Decimal(0)))
        for name in MONEY:
            mine[name] += money(result, name)
    return [
        {"programme": key, "currency": currency, **{name: format(value, "f") for name, value in mine.items()}}
        for (key, currency), mine in sorted(sums.items())
    ]


def money(result: Result, name: str) -> Decimal:
    """One of the result's amounts by its name, with the programme's decimals."""
    value: Decimal = getattr(result.booked if name in ("settled", "disputed") else result, name)
    return rounded(value, result.programme.rounding.places)


def of_result(result: Result, view: View = "full") -> dict[str, Any]:
    """One result: what counted, the tier, what is earned, gates, limits, what is paid, and why in sentences."""
    programme, cell = result.programme, result.cell
    grouped = programme.grouping.group != "none" and programme.grouping.pays == "member"
    hide = view == "dealer" and grouped
    parts = () if hide else cell.earned.parts
    told: dict[str, Any] = {
        "programme": programme.programme,
        "version": programme.version,
        "name": programme.name.model_dump(),
        "dealer": result.dealer,
        "scope": dict(result.scope),
        "period": {"name": result.span.name, "from": result.span.start.isoformat(), "to": result.span.end.isoformat()},
        "currency": programme.currency,
        "method": programme.method,
        "base": {"amount": text(cell.own.pay_amount), "quantity": text(cell.own.pay_quantity)},
        "read": None if hide else text(cell.value),
        "baseline": None if hide else text(cell.baseline),
        "target": None if hide else text(cell.target),
        "tier": _tier_told(result),
        "rate": text(rate_of(cell)),
        "factor": text(cell.factor),
        "to_next": None if hide else text(cell.earned.to_next),
        "parts": [{"tier": part.tier + 1, "on": text(part.on), "by": text(part.by), "earned": text(part.earned)} for part in parts],
        "rated": text(cell.rated),
        "forecast": text(cell.rated / cell.run) if cell.run != 1 else None,
        "brought_forward": text(result.due.brought),
        "topped_up": text(result.due.topped_up),
        "gates": [_gate(gate, hide=hide) for gate in result.due.gates.results],
        "lost": [{"why": why, "amount": text(amount)} for why, amount in result.due.lost],
        **{name: format(money(result, name), "f") for name in MONEY},
        "set_off": decimals(result.set_off, programme.rounding.places),
        **_taxed(result),
        "goods": _goods(result),
        "late": [{"fact": late.fact, "reason": late.reason} for late in result.late],
        "posts_in": result.posts_in or None,
        "sentences": list(sentences(result, hide=hide)),
    }  # fmt: skip
    if view == "full":
        told["group"] = cell.head if programme.grouping.group != "none" else None
        told["accrued"] = None if result.accrued is None else format(result.accrued, "f")
        told["accrued_before"] = decimals(result.booked.accrued, programme.rounding.places)
        told["to_accrue"] = None if result.accrued is None else format(result.accrued - result.booked.accrued, "f")
        told["net_revenue"] = None if result.accrued is None else text(cell.own.pay_amount - Fraction(result.accrued))
        told["passed_on"] = {name: format(amount, "f") for name, amount in result.passed_on.items()}
    return told


OURS: Final = frozenset(("group", "accrued", "accrued_before", "to_accrue", "net_revenue", "passed_on"))
"""What a result says in the full view only."""


def as_dealer(result: Result, told: Mapping[str, Any]) -> dict[str, Any]:
    """The dealer's view of a result that was told in full: the same as telling it again, at a tenth of the cost where nothing is hidden."""
    if result.programme.grouping.group != "none":
        return of_result(result, "dealer")
    return {name: value for name, value in told.items() if name not in OURS}


def _tier_told(result: Result) -> dict[str, Any] | None:
    place = result.cell.earned.tier
    if place is None:
        return None
    tier = result.programme.tiers[place]
    return {"number": place + 1, "name": tier.name.model_dump() if tier.name else None, "from": text(tier.from_), "to": text(tier.to)}


def _taxed(result: Result) -> dict[str, str | None]:
    """The payable without its VAT and the VAT, where the programme says that a payout carries it."""
    share, places = result.programme.settlement.tax_rate, result.programme.rounding.places
    if share is None:
        return {"payable_net": None, "payable_tax": None}
    tax = input_vat(result.payable, share, places)
    return {"payable_net": decimals(result.payable - tax, places), "payable_tax": format(tax, "f")}


def _goods(result: Result) -> dict[str, str | None] | None:
    place = result.cell.earned.tier
    goods = None if place is None else result.programme.tiers[place].goods
    return None if goods is None else {"product": goods.product, "quantity": text(result.cell.earned.goods)}


def _gate(result: GateResult, *, hide: bool) -> dict[str, Any]:
    gate = result.gate
    return {
        "kind": gate.kind,
        "name": gate.name.model_dump() if gate.name else {"zh": GATES[gate.kind][0], "en": GATES[gate.kind][1]},
        "value": None if hide else text(result.value),
        "numerator": None if hide else text(result.top),
        "denominator": None if hide else text(result.bottom),
        "at_least": text(gate.at_least),
        "at_most": text(gate.at_most),
        "passed": result.passed,
        "share": text(result.share),
        "held": text(result.held),
    }


def sentences(result: Result, *, hide: bool = False) -> Iterator[Sentence]:
    """The result told step by step. hide: without the figures of a group."""
    programme, cell, currency = result.programme, result.cell, result.programme.currency
    period = result.span.name
    yield say("base", period=period, amount=text(cell.own.pay_amount), quantity=text(cell.own.pay_quantity), currency=currency)
    yield from _lowered(result)
    if not hide:
        yield from _compared(programme, result)
    yield from _tier(result, hide=hide)
    if result.due.brought:
        yield say("brought", amount=text(result.due.brought))
    if result.due.topped_up:
        yield say("topped_up", amount=text(result.due.topped_up))
    yield from _conditions(result, hide=hide)
    yield from _lost(result)
    rounding = programme.rounding
    if rounding.mode == "half_up":
        yield say("rounded", places=rounding.places, amount=format(result.entitled, "f"))
    else:
        yield say("rounded_other", places=rounding.places, mode=rounding.mode, amount=format(result.entitled, "f"))
    if (goods := _goods(result)) is not None:
        yield say("goods", product=goods["product"], quantity=goods["quantity"])
    if result.late:
        yield say("late", count=len(result.late), period=result.posts_in)
    payable = f"{result.payable:f} {currency}"
    yield (
        say("settled", settled=format(result.booked.settled, "f"), payable=payable)
        if result.booked.settled
        else say("payable", payable=payable)
    )


def _lowered(result: Result) -> Iterator[Sentence]:
    lowered: dict[str, Fraction] = {}
    for line in result.cell.own.lines:
        for earlier, amount in line.lowered_by.items():
            lowered[earlier] = lowered.get(earlier, Fraction(0)) + amount
    for earlier, amount in sorted(lowered.items()):
        yield say("lowered", programme=earlier, amount=text(amount))


def _lost(result: Result) -> Iterator[Sentence]:
    for why, amount in result.due.lost:
        if why == "beaten":
            yield say("beaten", programme=result.cell.beaten_by)
        elif why != "gate":
            yield say(why, amount=text(amount))


def _compared(programme: Programme, result: Result) -> Iterator[Sentence]:
    cell = result.cell
    if programme.growth is not None:
        value = percent(cell.value) if programme.growth.tier_on == "percent" else text(cell.value)
        yield say("baseline", baseline=text(cell.baseline), value=value) if cell.baseline else say("no_baseline")
    elif programme.target is not None:
        yield say("target", target=text(cell.target), value=percent(cell.value)) if cell.target else say("no_target")
    elif programme.mix is not None:
        yield say("mix", value=percent(cell.value) if programme.mix.tier_on == "share" else text(cell.value))
    if cell.run != 1:
        yield say("annualised", value=text(cell.value))


def _tier(result: Result, *, hide: bool) -> Iterator[Sentence]:
    programme, earned = result.programme, result.cell.earned
    shares = programme.target is not None or (programme.growth is not None and programme.growth.tier_on == "percent")
    shares = shares or (programme.mix is not None and programme.mix.tier_on == "share")
    if earned.tier is None:
        yield say("no_tier")
    else:
        tier = programme.tiers[earned.tier]
        start = percent(Fraction(tier.from_)) if shares else text(tier.from_)
        rate = rate_of(result.cell)
        if rate is None or tier.amount is not None or tier.goods is not None:
            yield say("tier", tier=earned.tier + 1, start=start)
        else:
            yield say("tier_rate", tier=earned.tier + 1, rate=percent(rate) if tier.rate is not None else text(rate), start=start)
    if not hide:
        for part in earned.parts:
            yield say("part", tier=part.tier + 1, on=text(part.on), by=text(part.by), earned=text(part.earned))
        if earned.to_next is not None:
            yield say("to_next", gap=percent(earned.to_next) if shares else text(earned.to_next))
        elif earned.tier is not None:
            yield say("top")


def _conditions(result: Result, *, hide: bool) -> Iterator[Sentence]:
    for gate in result.due.gates.results:
        name = (gate.gate.name.zh, gate.gate.name.en) if gate.gate.name else GATES[gate.gate.kind]
        value = "-" if hide or gate.value is None else percent(gate.value) if gate.gate.kind in SHARES else text(gate.value)
        if gate.passed:
            yield say("gate_open", gate=name, value=value)
        elif gate.held:
            yield say("gate_held", gate=name, value=value, amount=format(result.held, "f"))
        elif gate.share:
            yield say("gate_share", gate=name, value=value, share=percent(gate.share))
        else:
            yield say("gate_closed", gate=name, value=value)


LINE_COLUMNS: Final = (
    "programme", "version", "dealer", "period", "fact", "revision", "kind", "date", "document", "product", "product_line",
    "counts", "reason", "saw", "base_amount", "base_quantity", "lowered", "share", "pays", "currency", "reason_zh", "reason_en",
)  # fmt: skip


def lines(calculation: Calculation, view: View = "full", dealer: str | None = None) -> Iterator[dict[str, Any]]:
    """Every fact for every programme: whether it counts and why not, what it brought, and its share of what is paid."""
    if view == "dealer" and dealer is None:
        raise ValueError("a dealer's view is one dealer's")
    shares: dict[tuple[str, str, str], tuple[Fraction, Fraction, Fraction, Decimal, Decimal]] = {}
    for result in calculation.results:
        given = {id(share.line): (share.entitled, share.pays) for share in result.shares}
        for line in result.cell.own.lines:
            key = (result.programme.key, line.fact.id, result.span.name)
            entitled, pays = given.get(id(line), (Decimal(0), Decimal(0)))
            before = shares.get(key, (Fraction(0), Fraction(0), Fraction(0), Decimal(0), Decimal(0)))
            shares[key] = (
                before[0] + line.amount,
                before[1] + line.quantity,
                before[2] + line.lowered,
                before[3] + entitled,
                before[4] + pays,
            )
    for programme in calculation.programmes:
        told: dict[tuple[str, str], Decision] = {}
        for decision in calculation.decisions[programme.key]:
            if decision.failed == "kind" or (dealer is not None and decision.fact.dealer != dealer):
                continue
            key_here = (decision.fact.id, decision.period.name if decision.period else "")
            if key_here not in told or decision.counts:
                told[key_here] = decision
        for (fact, period), decision in told.items():
            yield _line(programme, decision, shares.get((programme.key, fact, period)), view)


def _line(
    programme: Programme, decision: Decision, share: tuple[Fraction, Fraction, Fraction, Decimal, Decimal] | None, view: View
) -> dict[str, Any]:
    fact = decision.fact
    ours = view == "dealer" and decision.failed.removeprefix("excluded_") in programme.scope.attributes | programme.scope.exclude.attributes
    saw = "" if ours else decision.saw
    period = decision.period.name if decision.period else ""
    said = line_sentence("attribute" if ours else decision.failed, saw, period)
    amount, quantity, lowered, entitled, pays = share or (None, None, None, None, None)
    return {
        "programme": programme.programme, "version": programme.version, "dealer": fact.dealer, "period": period,
        "fact": fact.id, "revision": fact.revision, "kind": fact.kind, "date": (decision.on or fact.date).isoformat(),
        "document": fact.document, "product": fact.product, "product_line": fact.product_line,
        "counts": decision.counts, "reason": said["code"], "saw": saw,
        "base_amount": text(amount), "base_quantity": text(quantity), "lowered": text(lowered),
        "share": None if entitled is None else format(entitled, "f"), "pays": None if pays is None else format(pays, "f"),
        "currency": programme.currency, "reason_zh": said["zh"], "reason_en": said["en"],
    }  # fmt: skip

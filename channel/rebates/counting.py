"""From decisions to bases: each counted line in the programme's currency, tax side and unit, then the sums that tiers are read on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from channel.rebates.counted import Dimension
from channel.rebates.errors import BadFacts, Flaw
from channel.rebates.facts import Fact, Table
from channel.rebates.periods import Span
from channel.rebates.programme import Mix, Programme
from channel.rebates.selecting import Decision, Selector, inside, outside
from channel.rebates.values import ZERO

Key = tuple[str, tuple[str, ...], Span]
"""Dealer (or head of a group), the values of the other dimensions, the period."""
ONE: Final = Fraction(1)


@dataclass(slots=True)
class Line:
    """A counted line: what it brings to the base. Amounts are exact, in the programme's currency and tax side, quantities in its unit."""

    decision: Decision
    amount: Fraction
    quantity: Fraction
    weight: Fraction = ONE
    """For the tier reading."""
    pay_weight: Fraction = ONE
    lowered: Fraction = ZERO
    """What earlier programmes gave for it and was taken off."""
    lowered_by: dict[str, Fraction] = field(default_factory=dict)
    pays: bool = True
    reads: bool = True

    @property
    def fact(self) -> Fact:
        """The fact behind it."""
        return self.decision.fact

    @property
    def span(self) -> Span:
        """Its period."""
        span = self.decision.period
        assert span is not None  # noqa: S101 - a counted line has one
        return span


@dataclass(slots=True)
class Reading:
    """The base of one tier reading: sums over its lines."""

    amount: Fraction = ZERO
    quantity: Fraction = ZERO
    value: Fraction = ZERO
    """In the base's measure, weighted."""
    pay_amount: Fraction = ZERO
    pay_quantity: Fraction = ZERO
    focus_value: Fraction = ZERO
    focus_amount: Fraction = ZERO
    focus_quantity: Fraction = ZERO
    counted: dict[str, Fraction] = field(default_factory=dict)
    """For a count (mix): what each different value brings in."""
    lines: list[Line] = field(default_factory=list)


class Converter:
    """Brings a line into the programme's currency, tax side and unit. Raises: BadFacts for what it cannot convert."""

    def __init__(self, programme: Programme, file: str = "") -> None:
        self.programme, self.file = programme, file
        self._rates: dict[str, list[tuple[date, Fraction]]] = {}
        for fx in programme.fx.rates if programme.fx else ():
            self._rates.setdefault(fx.currency, []).append((fx.from_ or date.min, Fraction(fx.rate)))
        for rates in self._rates.values():
            rates.sort()

    def line(self, decision: Decision, part: Fraction = ONE) -> Line:
        """The counted line; `part` of it (a payment that pays a third of an invoice)."""
        fact = decision.fact
        amount, rate, quantity = self._side(fact), self._rate(fact, decision), Fraction(fact.quantity)
        unit = self._unit(fact)
        if rate is not ONE or part is not ONE:
            amount *= rate * part
        if unit is not ONE or part is not ONE:
            quantity *= unit * part
        weight = pay = ONE
        for rule in self.programme.base.weights:
            if inside(rule, fact):
                weight *= Fraction(rule.weight)
                pay *= Fraction(rule.weight) if rule.pay else ONE
        return Line(decision, amount, quantity, weight, pay)

    def _side(self, fact: Fact) -> Fraction:
        value = fact.amount if self.programme.base.tax == "exclusive" else fact.gross
        if value is None:
            if not self._needs_amount():
                return ZERO
            side, column = (
                ("without tax", "amount") if self.programme.base.tax == "exclusive" else ("with tax", "gross, or tax or tax_rate")
            )
            raise self._wrong(
                "missing_side", column, fact, f"programme {self.programme.key} counts amounts {side}; this line has none", f"give {column}"
            )
        return Fraction(value)

    def _needs_amount(self) -> bool:
        programme = self.programme
        return programme.base.measure == "amount" or any(tier.rate is not None for tier in programme.tiers)

    def _rate(self, fact: Fact, decision: Decision) -> Fraction:
        programme = self.programme
        if fact.currency in ("", programme.currency):
            return ONE
        fix = f"add fx.rates for {fact.currency} to the programme, or correct the line"
        if programme.fx is None:
            raise self._wrong(
                "wrong_currency", "currency", fact, f"{fact.currency}, but programme {programme.key} is in {programme.currency}", fix
            )
        span = decision.period
        on = decision.on or fact.date
        if programme.fx.date == "period_end" and span is not None:
            on = span.end - timedelta(days=1)
        found = [rate for first, rate in self._rates.get(fact.currency, ()) if first <= on or programme.fx.date == "fixed"]
        if not found:
            raise self._wrong("no_rate", "currency", fact, f"no rate for {fact.currency} on {on.isoformat()}", fix)
        return found[-1]

    def _unit(self, fact: Fact) -> Fraction:
        base = self.programme.base
        if not base.unit or fact.unit in ("", base.unit):
            return ONE
        if fact.unit not in base.units:
            what = f"{fact.unit!r}, but programme {self.programme.key} counts in {base.unit!r}"
            raise self._wrong("wrong_unit", "unit", fact, what, f"add base.units.{fact.unit} (how many {base.unit} it is)")
        return Fraction(base.units[fact.unit])

    def _wrong(self, code: str, where: str, fact: Fact, what: str, fix: str) -> BadFacts:
        return BadFacts([Flaw(code, where, f"{fact.id}: {what}", fix, fact.row or None, self.file)])


def counted(programme: Programme, table: Table, facts: Sequence[Fact], selector: Selector) -> tuple[list[Line], list[Decision]]:
    """The counted lines in a fixed order, and the decisions on all facts that could have been lines."""
    converter, by_id = Converter(programme, table.file), {fact.id: fact for fact in facts}
    documents = Documents(facts, selector.as_of)
    lines: list[Line] = []
    decisions: list[Decision] = []
    for fact in facts:
        if programme.base.event == "payment" and fact.kind == "payment":
            found = _paid_lines(fact, documents, selector, converter)
            lines += found
            decisions += [line.decision for line in found]
            continue
        decision = _decide(programme, fact, by_id, selector, documents)
        decisions.append(decision)
        if decision.counts:
            lines.append(_flagged(programme, converter.line(decision)))
    return lines, decisions


def _decide(programme: Programme, fact: Fact, by_id: Mapping[str, Fact], selector: Selector, documents: Documents) -> Decision:
    on = None
    if programme.base.returns_in == "original_period" and fact.kind != "sale" and fact.returns_of in by_id:
        on = selector.day(by_id[fact.returns_of])
    decision = selector.decide(fact, selector.wide, on)
    if not decision.counts or fact.kind == "sell_out":
        return decision
    if programme.base.event == "payment":
        return Decision(fact, decision.period, decision.on, decision.head, "counted_when_paid", programme.base.event)
    if programme.base.paid_invoices_only and not documents.paid(fact):
        return Decision(fact, decision.period, decision.on, decision.head, "invoice_not_paid", fact.document)
    return decision


def _flagged(programme: Programme, line: Line) -> Line:
    if programme.tier_scope is not None:
        line.pays = not outside(programme.scope, line.fact)[0]
        line.reads = not outside(programme.tier_scope, line.fact)[0]
    return line


class Documents:
    """What each invoice is worth with tax and what of it is paid, by the lines and payments up to the cut-off."""

    def __init__(self, facts: Iterable[Fact], as_of: date) -> None:
        self.lines: dict[str, list[Fact]] = {}
        self.payments: dict[str, list[Fact]] = {}
        for fact in facts:
            if fact.status == "void" or fact.date > as_of:
                continue
            if fact.kind == "payment" and fact.applies_to:
                self.payments.setdefault(fact.applies_to, []).append(fact)
            elif fact.kind in ("sale", "return", "credit", "price_change") and fact.document:
                self.lines.setdefault(fact.document, []).append(fact)

    def worth(self, document: str) -> Fraction:
        """The document's amount with tax."""
        return sum((with_tax(fact) for fact in self.lines.get(document, ())), ZERO)

    def received(self, document: str) -> Fraction:
        """What is paid on it."""
        return sum((with_tax(fact) for fact in self.payments.get(document, ())), ZERO)

    def paid(self, fact: Fact) -> bool:
        """True when a line's invoice is paid in full; a line without document is not."""
        return bool(fact.document) and self.received(fact.document) >= self.worth(fact.document)


def with_tax(fact: Fact) -> Fraction:
    """What is owed for a line or paid: with tax where that is known, else the amount."""
    return Fraction(fact.gross if fact.gross is not None else fact.amount or 0)


def _paid_lines(payment: Fact, documents: Documents, selector: Selector, converter: Converter) -> list[Line]:
    """The sale lines that a payment pays, each by its part of the document (base `payment`: 回款)."""
    if payment.status == "void" or payment.date > selector.as_of:
        return []
    sold = [fact for fact in documents.lines.get(payment.applies_to, ()) if fact.kind == "sale"]
    worth = documents.worth(payment.applies_to)
    if not sold or worth <= 0:
        return []
    before = sum(
        (with_tax(other) for other in documents.payments[payment.applies_to] if (other.date, other.id) < (payment.date, payment.id)), ZERO
    )
    part = (min(before + with_tax(payment), worth) - min(before, worth)) / worth
    found = []
    for fact in sold:
        decision = selector.decide(fact, selector.wide, payment.date)
        if decision.counts:
            found.append(_flagged(selector.programme, converter.line(decision, part)))
    return found


def readings(programme: Programme, lines: Iterable[Line], *, by_head: bool) -> dict[Key, Reading]:
    """The bases by whom, dimensions and period. by_head: the members of a group together."""
    found: dict[Key, Reading] = {}
    others: tuple[Dimension, ...] = tuple(name for name in programme.grouping.by if name != "dealer")
    measure, mix = programme.base.measure, programme.mix
    for line in lines:
        who = line.decision.head if by_head else line.fact.dealer
        key = (who, tuple(getattr(line.fact, name) for name in others), line.span)
        reading = found.get(key)
        if reading is None:
            reading = found[key] = Reading()
        reading.lines.append(line)
        if line.reads:
            _read(reading, line, measure, mix)
        if line.pays:
            plain = line.pay_weight is ONE
            reading.pay_amount += line.amount if plain else line.amount * line.pay_weight
            reading.pay_quantity += line.quantity if plain else line.quantity * line.pay_weight
    return found


def _read(reading: Reading, line: Line, measure: str, mix: Mix | None) -> None:
    own = line.amount if measure == "amount" else line.quantity
    reading.amount += line.amount
    reading.quantity += line.quantity
    reading.value += own if line.weight is ONE else own * line.weight
    if mix is not None and inside(mix.focus, line.fact):
        reading.focus_value += own
        reading.focus_amount += line.amount
        reading.focus_quantity += line.quantity
        value = getattr(line.fact, mix.count_of)
        reading.counted[value] = reading.counted.get(value, ZERO) + own

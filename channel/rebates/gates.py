"""Gates (门槛): conditions of being paid. What is earned stays as it is; a closed gate pays nothing, a share, or holds it until it opens.

Shares of several gates multiply (回款系数 x 投诉系数); one gate that pays nothing closes all. Held is what the other gates leave of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from channel.rebates.counted import Measure
from channel.rebates.counting import Documents, Line, with_tax
from channel.rebates.facts import Fact
from channel.rebates.payment import Gate
from channel.rebates.periods import Span
from channel.rebates.programme import Programme
from channel.rebates.rating import Cell
from channel.rebates.selecting import inside
from channel.rebates.values import ZERO

ONE: Final = Fraction(1)


@dataclass(frozen=True, slots=True)
class GateResult:
    """What a gate saw and did."""

    gate: Gate
    value: Fraction | None
    top: Fraction | None
    """Numerator and denominator of a rate, for the trace."""
    bottom: Fraction | None
    passed: bool
    share: Fraction
    """Part that is paid now."""
    held: Fraction
    """Part that waits until the gate opens."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All gates together: the part of the earned amount that is paid now, and the part that is held."""

    results: tuple[GateResult, ...] = ()
    share: Fraction = ONE
    held: Fraction = ZERO

    @property
    def passed(self) -> bool:
        """True when every gate is open."""
        return all(result.passed for result in self.results)


class Gatekeeper:
    """Judges the gates of one programme by everything that was known at the cut-off."""

    def __init__(self, programme: Programme, facts: Sequence[Fact], as_of: date) -> None:
        self.programme, self.facts, self.as_of = programme, facts, as_of
        self.documents = Documents(facts if programme.gates else (), as_of)
        self._of: dict[str, list[str]] = {}
        for document, lines in self.documents.lines.items():
            for dealer in {fact.dealer for fact in lines}:
                self._of.setdefault(dealer, []).append(document)
        self._invoiced: dict[tuple[frozenset[str], Span | None], list[list[Fact]]] = {}
        self._owed: dict[str, tuple[Fraction, Fraction]] = {}
        self._figures: dict[tuple[str, str], list[Fact]] = {}
        for fact in facts if programme.gates else ():
            if fact.kind in ("complaint", "measure") and fact.status != "void" and fact.date <= as_of:
                self._figures.setdefault((fact.kind, fact.dealer), []).append(fact)

    def judge(self, cell: Cell, target: Fraction | None) -> Outcome:
        """The gates' outcome for one cell; target: the dealer's, from facts, where there is one."""
        results = tuple(self._gate(gate, cell, target) for gate in self.programme.gates)
        share = held = ONE
        for result in results:
            share *= result.share
            held *= result.share + result.held
        return Outcome(results, share, held - share)

    def _gate(self, gate: Gate, cell: Cell, target: Fraction | None) -> GateResult:
        top, bottom, value = self._value(gate, cell, target)
        if value is None:
            passed = gate.no_value == "pass"
        elif gate.scale:
            return self._scaled(gate, value, top, bottom)
        else:
            passed = (gate.at_least is None or value >= gate.at_least) and (gate.at_most is None or value <= gate.at_most)
        if passed:
            return GateResult(gate, value, top, bottom, passed=True, share=ONE, held=ZERO)
        share = Fraction(gate.share or 0) if gate.otherwise == "share" else ZERO
        held = ONE if gate.otherwise == "hold" else ZERO
        return GateResult(gate, value, top, bottom, passed=False, share=share, held=held)

    @staticmethod
    def _scaled(gate: Gate, value: Fraction, top: Fraction | None, bottom: Fraction | None) -> GateResult:
        share = ZERO
        for step in gate.scale:
            if value >= step.from_ and (step.to is None or value < step.to):
                share = Fraction(step.share)
        held = ONE - share if gate.otherwise == "hold" else ZERO
        return GateResult(gate, value, top, bottom, passed=share == ONE, share=share, held=held)

    def _value(self, gate: Gate, cell: Cell, target: Fraction | None) -> tuple[Fraction | None, Fraction | None, Fraction | None]:
        reading = cell.reading
        match gate.kind:
            case "collection":
                return self._collection(gate, cell)
            case "overdue_amount" | "overdue_share":
                return self._overdue(gate, cell)
            case "target":
                written = gate.targets.get(cell.key[0], gate.target)
                goal = target if target is not None else Fraction(written) * cell.factor if written is not None else cell.target
                return reading.value, goal, reading.value / goal if goal else None
            case "minimum_amount":
                return None, None, reading.amount
            case "minimum_quantity":
                return None, None, reading.quantity
            case "complaints":
                return None, None, self._complaints(cell)
            case "measure":
                return None, None, self._measure(gate, cell)
        return _mix(gate, cell.reading.lines, self.programme.base.measure)

    def _collection(self, gate: Gate, cell: Cell) -> tuple[Fraction, Fraction, Fraction | None]:
        paid = due = ZERO
        for lines in self._invoices(gate, cell, "period"):
            if _due(lines) > self.as_of:
                continue
            worth, received = self._worth(lines, cell if gate.of == "scope" else None)
            due += worth
            paid += received
        return paid, due, paid / due if due > 0 else None

    def _overdue(self, gate: Gate, cell: Cell) -> tuple[Fraction, Fraction, Fraction | None]:
        late = owed = ZERO
        for lines in self._invoices(gate, cell, "all"):
            worth, received = self._worth(lines, cell if gate.of == "scope" else None)
            owed += worth - received
            if _due(lines) + timedelta(days=gate.grace_days) < self.as_of:
                late += worth - received
        if gate.kind == "overdue_amount":
            return late, owed, late
        return late, owed, late / owed if owed > 0 else None

    def _invoices(self, gate: Gate, cell: Cell, usual: str) -> list[list[Fact]]:
        """The invoices that a gate looks at; read once for all results of a dealer and period, of which there may be hundreds."""
        span = None if (gate.invoices or usual) == "all" else cell.key[2]
        dealers = _dealers(cell)
        if (dealers, span) not in self._invoiced:
            found = []
            for document in sorted({document for dealer in dealers for document in self._of.get(dealer, ())}):
                lines = self.documents.lines[document]
                issued = min(fact.invoice_date or fact.date for fact in lines)
                if issued <= self.as_of and (span is None or span.holds(issued)):
                    found.append(lines)
            self._invoiced[dealers, span] = found
        return self._invoiced[dealers, span]

    def _worth(self, lines: Sequence[Fact], scope: Cell | None) -> tuple[Fraction, Fraction]:
        document = lines[0].document
        if document not in self._owed:
            whole = self.documents.worth(document)
            self._owed[document] = whole, min(self.documents.received(document), whole) if whole > 0 else ZERO
        worth, received = self._owed[document]
        if scope is None or worth <= 0:
            return max(worth, ZERO), max(received, ZERO)
        counted = {line.fact.id for line in scope.own.lines}
        part = sum((with_tax(fact) for fact in lines if fact.id in counted), ZERO) / worth
        return worth * part, received * part

    def _complaints(self, cell: Cell) -> Fraction:
        told = (fact for dealer in _dealers(cell) for fact in self._figures.get(("complaint", dealer), ()))
        return sum((Fraction(fact.quantity or 1) for fact in told if cell.key[2].holds(fact.date)), ZERO)

    def _measure(self, gate: Gate, cell: Cell) -> Fraction | None:
        dealer, _, span = cell.key
        found = [fact for fact in self._figures.get(("measure", dealer), ()) if fact.measure == gate.measure and span.holds(fact.date)]
        return Fraction(max(found, key=lambda fact: (fact.date, fact.id)).quantity) if found else None


def _dealers(cell: Cell) -> frozenset[str]:
    """Whose invoices and complaints a result answers for: its own lines' dealers, which are several where the head of a group is paid."""
    return frozenset({line.fact.dealer for line in cell.own.lines} | {cell.key[0]})


def _due(lines: Sequence[Fact]) -> date:
    """An invoice is due when its latest line is; without a due date, on its own day."""
    return max(fact.due_date or fact.invoice_date or fact.date for fact in lines)


def _mix(gate: Gate, lines: Sequence[Line], measure: Measure) -> tuple[Fraction | None, Fraction | None, Fraction | None]:
    meant = [line for line in lines if inside(gate.focus, line.fact)]
    amount = sum((line.amount for line in meant), ZERO)
    match gate.kind:
        case "mix_amount":
            return None, None, amount
        case "mix_quantity":
            return None, None, sum((line.quantity for line in meant), ZERO)
        case "mix_count":
            sums: dict[str, Fraction] = {}
            for line in meant:
                value = getattr(line.fact, gate.count_of)
                sums[value] = sums.get(value, ZERO) + (line.amount if measure == "amount" else line.quantity)
            return None, None, Fraction(sum(1 for total in sums.values() if total > 0))
    whole = sum((line.amount for line in lines), ZERO)
    return amount, whole, amount / whole if whole > 0 else None

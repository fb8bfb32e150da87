"""What a dealer owes and how it pays: invoices, payments and credit notes, all with tax, as they stood on any day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from channel.performance import kpis
from channel.performance.facts import Fact
from channel.performance.kpis import ZERO, Kpi, Overdue


class Days(Protocol):
    """A span of days up to a cut-off."""

    @property
    def as_of(self) -> date:
        """The last day."""

    def holds(self, on: date) -> bool:
        """True for a day inside."""


class Account:
    """The receivable of a dealer. An advance that names no invoice lowers nothing: it is not applied yet."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._invoices = sorted((fact for fact in facts if fact.kind == "invoice"), key=lambda fact: (fact.date, fact.id))
        self._payments = [fact for fact in facts if fact.kind == "payment"]
        self._applied: dict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            if fact.kind != "invoice" and fact.applies_to:
                self._applied[fact.applies_to].append(fact)

    def first_day(self) -> date | None:
        """The day of the first invoice."""
        return self._invoices[0].date if self._invoices else None

    def receivable(self, on: date) -> Fraction:
        """What was open at the end of a day."""
        return sum((self._open(fact, on) for fact in self._invoices), ZERO)

    def ageing(self, as_of: date) -> Overdue:
        """What is open, and how late it is."""
        return kpis.ageing(((self._open(fact, as_of), _due(fact)) for fact in self._invoices), as_of)

    def late(self, as_of: date) -> list[str]:
        """Ids of the invoices that are overdue."""
        return [fact.id for fact in self._invoices if _due(fact) < as_of and self._open(fact, as_of)]

    def billed(self, span: Days) -> Fraction:
        """Invoiced in a span."""
        return sum((_exact(fact.amount) for fact in self._invoices if span.holds(fact.date)), ZERO)

    def received(self, span: Days) -> Fraction:
        """Cash received in a span, advances included."""
        return sum((_exact(fact.amount) for fact in self._payments if span.holds(fact.date)), ZERO)

    def collection(self, span: Days) -> Kpi:
        """回款率: paid by the cut-off of the invoices that fell due in the span / those invoices, less what was credited."""
        paid = due = ZERO
        for fact in self._invoices:
            if span.holds(_due(fact)):
                worth = max(ZERO, _exact(fact.amount) - self._sum(fact, "credit_note", span.as_of))
                due += worth
                paid += min(worth, self._sum(fact, "payment", span.as_of))
        return kpis.ratio("collection_rate", paid, due, span.as_of)

    def days_to_pay(self, span: Days) -> Kpi:
        """Days from invoice to payment, of payments in the span to invoices that are paid in full at the cut-off, by amount."""
        paid = [
            (_exact(payment.amount), fact.date, payment.date)
            for fact in self._invoices
            if fact.date <= span.as_of and not self._open(fact, span.as_of)
            for payment in self._applied.get(fact.document, ())
            if payment.kind == "payment" and span.holds(payment.date)
        ]
        return kpis.days_to_pay(paid, as_of=span.as_of)

    def _sum(self, invoice: Fact, kind: str, on: date) -> Fraction:
        settled = self._applied.get(invoice.document, ())
        return sum((_exact(fact.amount) for fact in settled if fact.kind == kind and fact.date <= on), ZERO)

    def _open(self, invoice: Fact, on: date) -> Fraction:
        if invoice.date > on:
            return ZERO
        return max(ZERO, _exact(invoice.amount) - self._sum(invoice, "payment", on) - self._sum(invoice, "credit_note", on))


def _due(invoice: Fact) -> date:
    return invoice.due_date or invoice.date


def _exact(value: Decimal | None) -> Fraction:
    return Fraction(value) if value is not None else ZERO

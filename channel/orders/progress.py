"""How far an order has come: what was shipped, billed and paid, from documents and from nothing else.

An ERP's own totals are a check, never a source: they miss what other systems book, and some move without a change time.

>>> facts = Facts(shipped={"l1": Decimal(4)}, invoiced=Decimal(0), paid=Decimal("565.00"))
>>> progress(Decimal("1130.00"), {"l1": Decimal(10)}, facts).payment_state
'partial'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the approved documents of an order add up to.

    Units: quantities in the line's order unit; amounts in the order's currency, tax included.
    """

    shipped: Mapping[str, Decimal] = field(default_factory=dict)
    """By order line: approved shipments less approved returns."""
    unplaced: Decimal = ZERO
    """Shipped for the order without naming a line."""
    invoiced: Decimal = ZERO
    paid: Decimal = ZERO
    """Approved receipts that name the order, less refunds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The derived figures of one order."""

    lines: Mapping[str, Decimal]
    shipped_quantity: Decimal
    shipping_state: str
    """none, partial, full, over"""
    invoiced_amount: Decimal
    paid_amount: Decimal
    payment_state: str
    """none, partial, paid, over"""
    payment_basis: str = "linked"


def progress(total: Decimal, ordered: Mapping[str, Decimal], facts: Facts) -> Progress:
    """The derived figures of an order.

    `total` is the order's total including tax; `ordered` the quantity of each line that is not void.
    """
    lines = {line: facts.shipped.get(line, ZERO) for line in ordered}
    shipped = sum(facts.shipped.values(), facts.unplaced)
    return Progress(lines, shipped, _shipping(ordered, lines, shipped), facts.invoiced, facts.paid, _payment(total, facts.paid))


def _shipping(ordered: Mapping[str, Decimal], lines: Mapping[str, Decimal], shipped: Decimal) -> str:
    if shipped == 0:
        return "none"
    if any(lines[line] > quantity for line, quantity in ordered.items()):
        return "over"
    return "full" if all(lines[line] == quantity for line, quantity in ordered.items()) else "partial"


def _payment(total: Decimal, paid: Decimal) -> str:
    if paid <= 0:  # more was given back than came in: nothing is paid
        return "none"
    if paid > total:
        return "over"
    return "paid" if paid == total else "partial"

"""The figures that the real one computes itself: totals of lines and documents, a stage's probability, a person's full name.

Rounds: half-up to two places, once for each line and tax; a document's totals are sums of rounded figures.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.crm_zoho.metadata import Doc, Module
from sandbox.crm_zoho.values import ZERO, rounded

PROBABILITY = {
    "Qualification": 10,
    "Needs Analysis": 20,
    "Proposal/Price Quote": 75,
    "Negotiation/Review": 90,
    "Closed Won": 100,
    "Closed Lost": 0,
}
"""Chance in percent that a deal of this stage is won."""
_HUNDRED = Decimal(100)


def price_line(row: Doc) -> None:
    """Fill a line's `Total` (after its discount), `Tax` and `Net_Total`."""
    amount = (row.get("Quantity") or ZERO) * (row.get("List_Price") or ZERO)
    discount = row.get("Discount") or ZERO
    if isinstance(discount, str):
        discount = amount * Decimal(discount.rstrip("%")) / _HUNDRED
    total = _money(amount - discount)
    tax = ZERO
    if row.get("Line_Tax"):
        row["Line_Tax"] = [{**entry, "value": _money(total * entry["percentage"] / _HUNDRED)} for entry in row["Line_Tax"]]
        tax = sum((entry["value"] for entry in row["Line_Tax"]), ZERO)
    row["Total"], row["Tax"], row["Net_Total"] = total, tax, total + tax


def total_document(module: Module, doc: Doc) -> None:
    """Fill `Sub_Total`, `Tax` and `Grand_Total` from the lines and the document's own discount and adjustment."""
    if not module.lines:
        return
    rows = doc.get(module.lines) or ()
    sub_total = sum((row["Total"] for row in rows), ZERO)
    tax = sum((row["Tax"] for row in rows), ZERO)
    doc["Sub_Total"], doc["Tax"] = sub_total, tax
    doc["Grand_Total"] = sub_total + tax - (doc.get("Discount") or ZERO) + (doc.get("Adjustment") or ZERO)


def derive(module: Module, doc: Doc, changed: Any) -> None:
    """Fill what follows from other fields. `changed` holds the names that the write gave."""
    if "Full_Name" in module.fields:
        doc["Full_Name"] = " ".join(part for part in (doc.get("First_Name"), doc.get("Last_Name")) if part)
    if module.name == "Deals" and "Stage" in changed and "Probability" not in changed and doc.get("Stage") in PROBABILITY:
        doc["Probability"] = PROBABILITY[doc["Stage"]]
    if module.lines and (module.lines in changed or "Discount" in changed or "Adjustment" in changed):
        total_document(module, doc)


def _money(number: Decimal | int) -> Decimal:
    return Decimal(rounded(number, 2))

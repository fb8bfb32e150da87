"""A won deal becomes an order through its accepted quote, once per quote version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

FEN = Decimal("0.01")
USUAL_TAX_RATE = "0.13"
"""VAT on goods in China, where neither quote nor product says a rate."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """Why a quote does not become an order now."""

    why: str


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """The order that a quote asks for, in document form."""

    key: str
    """The same for the same version of the same quote: an order is made of it once."""
    fields: dict[str, Any]
    lines: dict[str, dict[str, Any]]


def order_from(
    quote_id: str,
    quote: Mapping[str, Any],
    lines: Mapping[str, Mapping[str, Any]],
    deal_id: str | None,
    deal: Mapping[str, Any] | None,
    products: Mapping[str, Mapping[str, Any]],
    today: str,
) -> OrderDraft | NotYet:
    """The order that an accepted quote asks for, or why there is none. One of a deal waits until the deal is won; one without does not.

    `products` fills in what a quote's line leaves open: its sales unit, else its base unit, and its tax rate.

    Prices of a quote include tax. Amounts round half-up to the fen, once per line; the order's totals are the sums of its lines.
    """
    if deal is not None and deal.get("stage_kind") != "won":
        return NotYet("the deal is not won")
    if quote.get("stage") != "accepted":
        return NotYet("the quote is not accepted")
    if not lines:
        return NotYet("the quote has no lines")
    deal = deal or {}
    party = quote.get("customer") or deal.get("customer")
    if not party:
        return NotYet("neither quote nor deal names a customer")
    order_lines = {line_id: _order_line(line, quote, products.get(line.get("product") or "", {})) for line_id, line in lines.items()}
    total = sum((Decimal(line["total"]) for line in order_lines.values()), Decimal(0))
    net = sum((Decimal(line["net"]) for line in order_lines.values()), Decimal(0))
    revision = int(quote.get("revision") or 1)
    fields = {
        "order_type": "standard",
        "ordered_on": today,
        "company": quote.get("company") or deal.get("company"),
        "party": party,
        "contact": quote.get("contact"),
        "deal": deal_id,
        "quote": quote_id,
        "quote_revision": revision,
        "salesperson": quote.get("salesperson") or deal.get("salesperson"),
        "currency": quote.get("currency") or deal.get("currency") or "CNY",
        "tax_included": True,
        "net": _plain(net),
        "tax": _plain(total - net),
        "total": _plain(total),
        "note": quote.get("subject"),
        "approval": "draft",
        "status": "open",
    }
    return OrderDraft(f"quote/{quote_id}/{revision}", {name: value for name, value in fields.items() if value is not None}, order_lines)


def _order_line(line: Mapping[str, Any], quote: Mapping[str, Any], product: Mapping[str, Any]) -> dict[str, Any]:
    quantity = Decimal(line.get("quantity") or 0)
    price = Decimal(line.get("list_price") or line.get("price") or 0)
    discount = Decimal(line.get("discount") or 0)
    rate = Decimal(line.get("tax_rate") or product.get("tax_rate") or USUAL_TAX_RATE)
    gross = quantity * price
    total = (gross - discount).quantize(FEN, ROUND_HALF_UP)
    net = (total / (1 + rate)).quantize(FEN, ROUND_HALF_UP)
    made = {
        "seq": line.get("seq"),
        "product": line.get("product"),
        "description": line.get("description"),
        "quantity": _plain(quantity),
        "unit": line.get("unit") or product.get("sales_unit") or product.get("base_unit"),
        "tax_price": _plain(price),
        "tax_rate": _plain(rate),
        "discount": _plain(discount.quantize(FEN, ROUND_HALF_UP)),
        "discount_rate": _plain((discount / gross).quantize(Decimal("0.000001"), ROUND_HALF_UP)) if gross else "0",
        "net": _plain(net),
        "tax": _plain(total - net),
        "total": _plain(total),
        "delivery_date": line.get("delivery_date") or quote.get("delivery_date"),
        "free": not price and not total,
        "status": "open",
    }
    return {name: value for name, value in made.items() if value is not None}


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

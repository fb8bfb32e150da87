"""A priced cart as the lines of a document: goods, charges and gifts, with amounts that an order made of them has to the fen.

A document has for each line a price with tax, a discount and a total, where total = quantity x price - discount. Prices are found on either
side of the tax and may come from ranges and shares, so the price is rounded and the discount takes up what that makes: the total is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, Final

from canonical.rounding import half_up, rounded
from canonical.values import decimal_text
from channel.pricing.authority import subjects_of
from channel.pricing.pricing import WIDE, Priced

ZERO: Final = Decimal(0)
PRICE_PLACES: Final = 4
"""Of a price in a document; systems keep four to ten."""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """What a line of quote and order says. Amounts in the quote's currency, `price` and `list_price` with tax."""

    kind: str
    """item, charge, gift"""
    item: str
    """Number of the product; of a charge the number of its rule, which a service product has too."""
    name: str
    quantity: Decimal
    unit: str
    tax_rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    list_price: Decimal
    price: Decimal
    discount: Decimal
    price_kind: str = ""
    special: str = ""
    """The approved special price that it uses up."""
    base_quantity: Decimal = ZERO
    """In the item's base unit: what a special price is used up by."""
    side: str = ""
    """Side of the tax on which its price was found."""


def lines_of(priced: Priced) -> list[DocumentLine]:
    """Every line that a document of this cart has, in its order. The cart has no refusals."""
    with localcontext(WIDE):
        return [*_goods(priced), *_charges(priced), *_gifts(priced)]


def _goods(priced: Priced) -> Iterator[DocumentLine]:
    places = priced.prices.places(priced.currency)
    for line in priced.lines:
        item = priced.prices.items[line.item]
        net, gross, quantity = line.net or ZERO, line.gross or ZERO, line.quantity
        listed = (line.list_net or ZERO) * (1 + line.tax_rate) / quantity
        list_price, discount = listed_as(quantity, gross, half_up(listed, PRICE_PLACES), places)
        record = line.record
        yield DocumentLine(
            "item", line.item, item.name, quantity, line.unit, line.tax_rate, net, line.tax or ZERO, gross, list_price,
            half_up(gross / quantity, PRICE_PLACES), discount, line.price_kind,
            record.id if record is not None and record.deal else "", quantity * item.factor(line.unit), line.side,
        )  # fmt: skip


def _charges(priced: Priced) -> Iterator[DocumentLine]:
    for one in priced.charges:
        yield DocumentLine("charge", one.rule, one.name or one.rule, Decimal(1), "", one.tax_rate, one.net, one.tax, one.gross, one.gross,
                           one.gross, ZERO)  # fmt: skip


def _gifts(priced: Priced) -> Iterator[DocumentLine]:
    for gift in priced.gifts:
        if not gift.within:
            item = priced.prices.items[gift.item]
            rate = item.tax_rate if item.tax_rate is not None else priced.prices.settings.tax_rate
            yield DocumentLine("gift", gift.item, item.name, gift.quantity, gift.unit, rate, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO)


def listed_as(quantity: Decimal, gross: Decimal, price: Decimal, places: int) -> tuple[Decimal, Decimal]:
    """A price before discount, and the discount that brings quantity x price to `gross` exactly; a discount is never below zero.

    >>> listed_as(Decimal(3), Decimal("100.00"), Decimal("40"), 2), listed_as(Decimal(3), Decimal("100.00"), Decimal("33"), 2)
    ((Decimal('40'), Decimal('20.00')), (Decimal('33.3334'), Decimal('0.00')))
    """
    if half_up(quantity * price, places) < gross:
        price = rounded(gross / quantity, PRICE_PLACES, "ceiling")
    return price, half_up(quantity * price, places) - gross


def canonical_lines(lines: list[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Lines as they are kept (decimals as text) in the form of the canonical quote, by their place."""
    made = {}
    for at, line in enumerate(lines, 1):
        fields = {
            "seq": at, "product": line["product"], "description": line["name"] if line["kind"] == "charge" else "",
            "quantity": _plain(line["quantity"]), "unit": line["unit"], "list_price": _plain(line["list_price"]),
            "discount": _plain(line["discount"]), "price": _plain(line["price"]), "tax_rate": _plain(line["tax_rate"]),
            "total": _plain(line["gross"]),
        }  # fmt: skip
        made[str(at)] = {name: value for name, value in fields.items() if value not in (None, "")}
    return made


def _plain(value: Any) -> str:
    return decimal_text(Decimal(value))


def judged(priced: Priced) -> list[dict[str, Any]]:
    """What authority looks at, with cost, in the form of lines of an earlier quote. Never shown to a dealer."""
    with localcontext(WIDE):
        prices = {line.id: line.unit_price for line in priced.lines}
        items = {line.id: line.item for line in priced.lines}
        made = []
        for one in subjects_of(priced):
            line = one.name.removeprefix("line ")
            made.append(
                {
                    "line": one.line, "brand": one.brand, "price_kind": one.price_kind, "list_amount": one.list_net,
                    "net_amount": one.net, "cost": one.cost, "approved": one.approved, "item": items[line],
                    "unit_price": prices[line], "id": line,
                }
            )  # fmt: skip
        return made

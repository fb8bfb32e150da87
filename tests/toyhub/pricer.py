"""A toy that shows the ERP's price lists in the CRM's price books, with the classic bugs as switches. Its memory survives a crash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from tests.oracle.prices import Price, price
from tests.toyhub.clients import Doc, Kingdee, Uncertain, Zoho

PriceBug = Literal["the last step goes to the book", "what went stays in the book", "prices noted before they are sent"]
PRICE_BUGS: tuple[PriceBug, ...] = ("the last step goes to the book", "what went stays in the book", "prices noted before they are sent")
_HEAD = ("FID", "FNumber", "FName", "FEffectiveDate", "FExpiryDate")
_ROWS = ("FEntity_FEntryID", "FMaterialId.FNumber", "FFromQty", "FToQty", "FPrice", "FDownPrice", "FEntryForbidStatus")


class ToyPricer:
    """Price lists from the ERP to the CRM. Its lists have one unit and stand every day."""

    def __init__(self, kingdee: Mapping[str, Any], zoho: Mapping[str, Any], bugs: Collection[PriceBug] = ()) -> None:
        self.kingdee, self.zoho, self.bugs = Kingdee(kingdee), Zoho(zoho), frozenset(bugs)
        self.books: dict[str, str] = {}
        self.sent: dict[str, dict[str, Decimal]] = {}
        self.ledger: dict[str, Counter[Price]] = {}

    def cycle(self) -> None:
        """Show every list as it stands; an unknown outcome is settled by the next cycle."""
        products = {row["Product_Code"]: row["id"] for row in self.zoho.query("Products", ["Product_Code"], "id > 0")}
        for doc in self.kingdee.since("BD_SAL_PriceList", _HEAD, _ROWS, "FForbidStatus = 'A'"):
            self.ledger[doc["FNumber"]] = Counter(_price(row) for row in doc["rows"])
            wanted = {products[product]: amount for product, amount in self._shown(doc["rows"]).items() if product in products}
            try:
                self._show(doc, wanted)
            except Uncertain:
                continue

    def _shown(self, rows: Sequence[Doc]) -> dict[str, Decimal]:
        found: dict[str, tuple[Decimal, Decimal]] = {}
        for row in rows:
            step = (Decimal(row["FFromQty"]), Decimal(row["FPrice"]))
            held = found.get(row["FMaterialId.FNumber"])
            takes_over = held is None or step[0] < held[0] or "the last step goes to the book" in self.bugs
            if row["FEntryForbidStatus"] != "B" and takes_over:
                found[row["FMaterialId.FNumber"]] = step
        return {product: amount for product, (_, amount) in found.items()}

    def _show(self, doc: Doc, wanted: Mapping[str, Decimal]) -> None:
        book = self.books.get(doc["FNumber"])
        if book is None:
            book = self.books[doc["FNumber"]] = self.zoho.insert("Price_Books", _book(doc))
        held = self.sent.get(book) if "prices noted before they are sent" in self.bugs else self.zoho.prices(book)
        held = held or {}
        self.sent[book] = dict(wanted)
        if new := {key: amount for key, amount in wanted.items() if held.get(key) != amount}:
            self.zoho.relate(book, new)
        if (gone := sorted(held.keys() - wanted.keys())) and "what went stays in the book" not in self.bugs:
            self.zoho.delink(book, gone)


def _book(doc: Doc) -> Doc:
    return {
        "Price_Book_Name": doc["FName"], "Active": True, "ERP_Code": doc["FNumber"], "Hub_Key": f"T{doc['FID']}", "Currency_Code": "CNY",
        "Tax_Side": "含税", "Valid_From": doc["FEffectiveDate"][:10], "Valid_To": doc["FExpiryDate"][:10],
    }  # fmt: skip


def _price(row: Doc) -> Price:
    amounts = (row["FFromQty"], row["FToQty"], row["FPrice"], row["FDownPrice"])
    return price(row["FMaterialId.FNumber"], *amounts, active=row["FEntryForbidStatus"] != "B")

"""What both servers hold, fetched once and indexed; and what follows from Kingdee's documents alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from tests.oracle.door import Door, parsed
from tests.oracle.values import Doc, number, ref, sensible, text

KINGDEE = ("customers", "products", "sales_orders", "shipments", "returns", "receivables", "receipts", "refunds")
ZOHO = ("accounts", "products", "deals", "quotes", "sales_orders", "invoices", "shipments", "receipts")
DOCUMENTS = ("sales_orders", "shipments", "returns", "receivables", "receipts", "refunds")
LOOKED_AT = (
    "FALLAMOUNTFOR FBillAllAmount FBillAmount FBillNo FBillTaxAmount FCONTACTUNIT FCUSTOMERID FCancelStatus FCarriageNO FCloseStatus "
    "FCreateOrgId FCustId FCustomerID FDATE FDOCUMENTSTATUS FDate FDiscount FDocumentStatus FENDDATE_H FEntryID FID FMaterialId "
    "FNumber FORDERNUMBER FOrderNo FQty FRECTOTALAMOUNTFOR FREFUNDAMOUNTFOR FRealQty FSALEORDERNO FSALEORDERNUMBER FSETTLEORGID "
    "FSOEntryId FSaleOrgId FSalerId FSetAccountType FSettleCurrId FSoorDerno FTaxPrice FUseOrgId F_HUB_KEY F_HUB_QUOTE"
).split()
"""What the judge looks at in Kingdee's documents and their lines; the rest of them, four fifths, is not fetched."""
KEYS = {"customers": "FCUSTID", "products": "FMATERIALID"}
"""Kingdee's identifier where it is not FID."""


@dataclass(slots=True)
class Progress:
    """How far an order is shipped and paid, reckoned from documents."""

    shipped: Decimal = Decimal(0)
    by_line: dict[str, Decimal] = field(default_factory=dict)
    paid: Decimal = Decimal(0)


@dataclass(slots=True)
class Evidence:
    """Records by stream, with the indexes that the judge needs."""

    kingdee: dict[str, list[Doc]]
    zoho: dict[str, list[Doc]]
    copies: dict[str, dict[str, Doc]] = field(default_factory=dict)
    """Customer number -> organisation -> copy."""
    progress: dict[str, Progress] = field(default_factory=dict)
    """Order number -> progress."""
    codes: dict[str, str] = field(default_factory=dict)
    """Zoho product id -> product code."""


def fetch(kingdee_url: str, zoho_url: str, since: str = "", also: Collection[str] = ()) -> Evidence:
    """Read everything the judgement needs from both control doors.

    `since`: the business day from which receivables are judged. They follow from nothing else, so older ones are not fetched: a
    document dated on that day or later was changed at most `_DATED_AHEAD` before it. `also`: further fields of Kingdee's documents.
    """
    kingdee, zoho = Door(kingdee_url), Door(zoho_url)
    params: dict[str, dict[str, str]] = {stream: {"fields": ",".join([*LOOKED_AT, *also])} for stream in DOCUMENTS}
    if since and since < "9":
        params["receivables"]["since"] = f"{date.fromisoformat(since) - _DATED_AHEAD}T00:00:00"
    with ThreadPoolExecutor(2) as beside:  # while one answer is parsed the servers make the next ones
        texts = {
            "kingdee": [beside.submit(kingdee.text, stream, **params.get(stream, {})) for stream in KINGDEE],
            "zoho": [beside.submit(zoho.text, stream) for stream in ZOHO],
        }
        return indexed(
            {stream: parsed(text.result()) for stream, text in zip(KINGDEE, texts["kingdee"], strict=True)},
            {stream: parsed(text.result()) for stream, text in zip(ZOHO, texts["zoho"], strict=True)},
        )


_DATED_AHEAD = timedelta(days=60)


def indexed(kingdee: dict[str, list[Doc]], zoho: dict[str, list[Doc]]) -> Evidence:
    """Evidence from records at hand."""
    found = Evidence(kingdee, zoho)
    copies: defaultdict[str, dict[str, Doc]] = defaultdict(dict)
    for doc in kingdee["customers"]:
        copies[text(doc.get("FNumber"))].setdefault(ref(doc, "FUseOrgId"), doc)
    found.copies = dict(copies)
    found.progress = _progress(kingdee)
    found.codes = {text(doc["id"]): text(doc.get("Product_Code")) for doc in zoho["products"]}
    return found


def counts(doc: Doc) -> bool:
    """Whether a document has effect: approved and not void."""
    status = doc.get("FDocumentStatus", doc.get("FDOCUMENTSTATUS"))
    return status == "C" and doc.get("FCancelStatus", "A") != "B"


def lines(doc: Doc, *names: str) -> list[Doc]:
    """The rows of a document's entry, under any of its names."""
    for name in names:
        if isinstance(doc.get(name), list):
            rows: list[Doc] = doc[name]
            return rows
    return []


def master(copies: dict[str, Doc]) -> Doc:
    """The copy that speaks for the party: the one of the organisation that created it."""
    for org, doc in copies.items():
        if ref(doc, "FCreateOrgId") == org:
            return doc
    return copies[min(copies)]


def _progress(kingdee: dict[str, list[Doc]]) -> dict[str, Progress]:
    found: defaultdict[str, Progress] = defaultdict(Progress)

    def goods(order: str, entry: str, quantity: Decimal) -> None:
        if order and sensible(quantity):
            at = found[order]
            at.shipped += quantity
            at.by_line[entry] = at.by_line.get(entry, Decimal(0)) + quantity

    for doc in filter(counts, kingdee["shipments"]):
        for row in lines(doc, "FEntity"):
            goods(text(row.get("FSoorDerno")), text(row.get("FSOEntryId")), number(row.get("FRealQty")))
    for doc in filter(counts, kingdee["returns"]):
        for row in lines(doc, "FEntity"):
            goods(text(row.get("FOrderNo")), text(row.get("FSOEntryId")), -number(row.get("FRealQty")))
    for stream, entry, order, amount, sign in (
        ("receipts", "FRECEIVEBILLENTRY", "FSALEORDERNO", "FRECTOTALAMOUNTFOR", 1),
        ("refunds", "FREFUNDBILLENTRY", "FSALEORDERNUMBER", "FREFUNDAMOUNTFOR", -1),
    ):
        for doc in filter(counts, kingdee[stream]):
            for row in lines(doc, entry):
                if text(row.get(order)) and sensible(row.get(amount)):
                    found[text(row.get(order))].paid += sign * number(row.get(amount))
    return dict(found)


def shipping_state(order: Doc, progress: Progress) -> str:
    """none, partial, full or over, judged line by line."""
    rows = lines(order, "FSaleOrderEntry")
    if progress.shipped == 0 or not rows:
        return "none"
    shipped = [progress.by_line.get(text(row.get("FEntryID")), Decimal(0)) for row in rows]
    wanted = [number(row.get("FQty")) for row in rows]
    if any(have > want for have, want in zip(shipped, wanted, strict=True)):
        return "over"
    return "full" if shipped == wanted else "partial"


def payment_state(total: Decimal, paid: Decimal) -> str:
    """none, partial, paid or over."""
    if paid <= 0:
        return "none"
    return "partial" if paid < total else "paid" if paid == total else "over"


def business_status(order: Doc) -> str:
    """open, closed or void."""
    if order.get("FCancelStatus") == "B":
        return "void"
    return "closed" if order.get("FCloseStatus") == "B" else "open"

"""Accepted quotes of won deals: each an order in Kingdee, once, and its number and status back in Zoho."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.oracle.documents import note
from tests.oracle.evidence import lines
from tests.oracle.values import APPROVAL, Doc, lookup, places, ref, text
from tests.oracle.verdict import Finding

if TYPE_CHECKING:
    from tests.oracle.judging import Case


def judge_quotes(case: Case) -> None:
    """Compare each accepted quote with the order that cites its number back."""
    deals = {text(doc["id"]): doc for doc in case.evidence.zoho["deals"]}
    orders = {text(doc.get("FBillNo")): doc for doc in case.evidence.kingdee["sales_orders"]}
    known = set(case.account_of.values())
    for quote in case.evidence.zoho["quotes"]:
        deal = deals.get(lookup(quote, "Deal_Name"), {})
        if text(quote.get("Quote_Stage")) != "Confirmed" or text(deal.get("Stage")) != "Closed Won":
            continue
        key, account = text(quote["id"]), lookup(quote, "Account_Name")
        owner = ("zoho", "quotes", key)
        if account not in known:
            case.verdict.explained.append(Finding("its party waits", "kingdee", "sales_orders", key, owner=owner))
            continue
        order = orders.get(text(quote.get("ERP_Order_No")))
        if order is None:
            case.verdict.lost.append(Finding("missing", "kingdee", "sales_orders", key, expected="for this accepted quote", owner=owner))
            continue
        case.count("quotes")
        _compare(case, quote, deal, order)
    _judge_made(case)


def _compare(case: Case, quote: Doc, deal: Doc, order: Doc) -> None:
    bill = text(order.get("FBillNo"))
    owner = ("zoho", "quotes", text(quote["id"]))
    wanted = Counter(
        (case.evidence.codes.get(lookup(row, "Product_Name"), ""), places(row.get("Quantity"), 4)) for row in lines(quote, "Quoted_Items")
    )
    found = Counter((ref(row, "FMaterialId"), places(row.get("FQty"), 4)) for row in lines(order, "FSaleOrderEntry"))
    account = case.account_of.get(ref(order, "FCustId"), "")
    for name, want, have in (
        ("Quoted_Items", str(sorted(wanted.elements())), str(sorted(found.elements()))),
        ("Grand_Total", str(places(quote.get("Grand_Total"), 2)), str(places(order.get("FBillAllAmount"), 2))),
        ("Account_Name", lookup(quote, "Account_Name"), account),
        ("Company_Code", text(quote.get("Company_Code")), ref(order, "FSaleOrgId")),
    ):
        if want != have:
            case.verdict.drift.append(Finding("differs", "kingdee", "sales_orders", bill, name, want, have, owner))
    status = APPROVAL.get(text(order.get("FDocumentStatus")), "?")
    back = ("kingdee", "sales_orders", text(order.get("FID")))
    note(case, "quotes", text(quote["id"]), back, [("FDocumentStatus", "text", status, quote.get("ERP_Order_Status"))])
    note(case, "deals", text(deal["id"]), back, [("FBillNo", "text", bill, deal.get("ERP_Order_No"))])


def _judge_made(case: Case) -> None:
    """Orders that the hub made: one for each quote, none for nothing."""
    cited = {text(quote.get("ERP_Order_No")) for quote in case.evidence.zoho["quotes"]}
    by_quote: defaultdict[str, list[str]] = defaultdict(list)
    for order in case.evidence.kingdee["sales_orders"]:
        if not text(order.get("F_HUB_KEY")):
            continue
        bill, origin = text(order.get("FBillNo")), text(order.get("F_HUB_QUOTE"))
        if origin:
            by_quote[origin].append(bill)
        if bill not in cited:
            case.verdict.duplicates.append(Finding("an order of no quote", "kingdee", "sales_orders", bill, expected=origin))
    for origin, bills in by_quote.items():
        if len(bills) > 1:
            case.verdict.duplicates.append(Finding("two of one quote", "kingdee", "sales_orders", origin, expected=", ".join(bills)))

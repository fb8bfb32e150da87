"""Orders in Zoho with their derived figures, and the shipments, invoices and receipts that follow them."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle.evidence import Progress, business_status, lines, payment_state, shipping_state
from tests.oracle.values import APPROVAL, Doc, day, lookup, number, places, ref, same, sensible, text
from tests.oracle.verdict import Finding

if TYPE_CHECKING:
    from tests.oracle.judging import Case

BAD = "bad record"
"""Why a record with an impossible figure is not compared: the hub must have set it aside."""

Expected = list[tuple[str, str, Any, Any]]
"""(field of the owner, kind, expected, found)"""


def by_number(docs: list[Doc], field: str) -> dict[str, list[Doc]]:
    """Zoho's records by the ERP number they carry."""
    found: defaultdict[str, list[Doc]] = defaultdict(list)
    for doc in docs:
        if key := text(doc.get(field)):
            found[key].append(doc)
    return dict(found)


def note(case: Case, stream: str, key: str, owner: tuple[str, str, str], expected: Expected) -> None:
    """Put every difference into the verdict."""
    for name, kind, want, have in expected:
        if not same(kind, want, have):
            case.verdict.drift.append(Finding("differs", "zoho", stream, key, name, text(want), text(have), owner))


def judge_orders(case: Case) -> None:
    """Every order of Kingdee once in Zoho, with what its documents say."""
    found = by_number(case.evidence.zoho["sales_orders"], "ERP_Order_No")
    for order in case.evidence.kingdee["sales_orders"]:
        bill = text(order.get("FBillNo"))
        owner = ("kingdee", "sales_orders", text(order.get("FID")))
        twins = found.pop(bill, [])
        if len(twins) > 1:
            case.verdict.duplicates.append(
                Finding("two of one order", "zoho", "sales_orders", bill, expected=", ".join(text(one["id"]) for one in twins))
            )
        if why := _why_held(case, order):
            case.held_orders.add(bill)
            if not twins or why == BAD:
                case.verdict.explained.append(Finding(why, "zoho", "sales_orders", bill, owner=owner))
                continue
        if not twins:
            case.verdict.lost.append(Finding("missing", "zoho", "sales_orders", bill, expected="for this order of Kingdee", owner=owner))
            continue
        case.count("orders")
        _compare_order(case, order, twins[0], owner)
    for bill, strangers in found.items():
        if any(text(doc.get("Hub_Key")) for doc in strangers):
            case.verdict.explained.append(Finding("order is gone from Kingdee", "zoho", "sales_orders", bill))


def _why_held(case: Case, order: Doc) -> str:
    if not ref(order, "FCustId"):
        return "order without a customer"
    if ref(order, "FCustId") in case.held_numbers:
        return "its party waits"
    seller = ref(order, "FSalerId")
    if seller and case.has_map("salesperson") and ("salesperson", "zoho", seller) not in case.values:
        return "its salesperson waits for a value"
    figures = [order.get(name) for name in ("FBillAmount", "FBillTaxAmount", "FBillAllAmount")]
    figures += [row.get(name) for row in lines(order, "FSaleOrderEntry") for name in ("FQty", "FTaxPrice", "FDiscount")]
    if not all(sensible(figure) for figure in figures):
        return BAD
    return ""


def _compare_order(case: Case, order: Doc, target: Doc, owner: tuple[str, str, str]) -> None:
    progress = case.evidence.progress.get(text(order.get("FBillNo")), Progress())
    total = number(order.get("FBillAllAmount"))
    finance = order.get("FSaleOrderFinance") or order
    expected: Expected = [
        ("FDate", "day", order.get("FDate"), target.get("Order_Date")),
        ("FSaleOrgId", "text", ref(order, "FSaleOrgId"), target.get("Company_Code")),
        ("FBillAmount", "money", order.get("FBillAmount"), target.get("Net_Amount")),
        ("FBillTaxAmount", "money", order.get("FBillTaxAmount"), target.get("Tax_Amount")),
        ("FBillAllAmount", "money", total, target.get("Total_Amount")),
        ("FDocumentStatus", "text", APPROVAL.get(text(order.get("FDocumentStatus")), "?"), target.get("Approval_Status")),
        ("FCloseStatus", "text", business_status(order), target.get("Business_Status")),
        ("shipped", "quantity", progress.shipped, target.get("Shipped_Quantity")),
        ("shipping state", "text", shipping_state(order, progress), target.get("Shipping_State")),
        ("paid", "money", progress.paid, target.get("Paid_Amount")),
        ("payment state", "text", payment_state(places(total, 2), progress.paid), target.get("Payment_State")),
    ]
    if case.has_map("currency"):
        currency = case.values.get(("currency", "zoho", ref(finance, "FSettleCurrId")), "")
        expected.append(("FSettleCurrId", "text", currency, target.get("Currency_Code")))
    if case.has_map("salesperson"):
        seller = case.values.get(("salesperson", "zoho", ref(order, "FSalerId")), "")
        expected.append(("FSalerId", "text", seller, target.get("Salesperson_Code")))
    if (account := case.account_of.get(ref(order, "FCustId"))) is not None:
        expected.append(("FCustId", "text", account, lookup(target, "Account_Name")))
    note(case, "sales_orders", text(target["id"]), owner, expected)
    _compare_lines(case, order, target, progress, owner)


def _compare_lines(case: Case, order: Doc, target: Doc, progress: Progress, owner: tuple[str, str, str]) -> None:
    """Lines are compared as a bag: two lines of one product are two."""
    wanted = Counter(
        (
            ref(row, "FMaterialId"),
            places(row.get("FQty"), 4),
            places(row.get("FTaxPrice"), 4),
            places(row.get("FDiscount"), 2),
            places(progress.by_line.get(text(row.get("FEntryID")), Decimal(0)), 4),
        )
        for row in lines(order, "FSaleOrderEntry")
    )
    found = Counter(
        (
            case.evidence.codes.get(lookup(row, "Product_Name"), ""),
            places(row.get("Quantity"), 4),
            places(row.get("List_Price"), 4),
            places(row.get("Discount"), 2),
            places(row.get("Shipped_Quantity"), 4),
        )
        for row in lines(target, "Ordered_Items")
    )
    if wanted != found:
        want, have = _words(wanted - found), _words(found - wanted)
        case.verdict.drift.append(Finding("differs", "zoho", "sales_orders", text(target["id"]), "FSaleOrderEntry", want, have, owner))


def _words(bag: Counter[tuple[str, Decimal, Decimal, Decimal, Decimal]]) -> str:
    return "; ".join(f"{code} {q:f} at {p:f} less {d:f} shipped {s:f}" for code, q, p, d, s in bag.elements())[:300]


def judge_followers(case: Case) -> None:
    """Shipments, receivables and receipts since the agreed day, once each."""
    orders = {text(doc["id"]): text(doc.get("ERP_Order_No")) for doc in case.evidence.zoho["sales_orders"]}
    _judge_stream(case, orders, "shipments", "shipments", "FDate", "FCustomerID", ("FEntity", "FSoorDerno"))
    _judge_stream(case, orders, "receivables", "invoices", "FDATE", "FCUSTOMERID", ("FEntityDetail", "FORDERNUMBER"))
    _judge_stream(case, orders, "receipts", "receipts", "FDATE", "FCONTACTUNIT", ("FRECEIVEBILLENTRY", "FSALEORDERNO"))


def _judge_stream(
    case: Case, orders: dict[str, str], stream: str, target_stream: str, dated: str, customer: str, cites: tuple[str, str]
) -> None:
    found = by_number(case.evidence.zoho[target_stream], "ERP_Bill_No")
    for bill, twins in found.items():
        if len(twins) > 1:
            case.verdict.duplicates.append(
                Finding("two of one document", "zoho", target_stream, bill, expected=", ".join(text(one["id"]) for one in twins))
            )
    for doc in case.evidence.kingdee[stream]:
        if day(doc.get(dated)) < case.since or text(doc.get("FSetAccountType", "3")) != "3":
            continue
        bill, owner = text(doc.get("FBillNo")), ("kingdee", stream, text(doc.get("FID")))
        rows = lines(doc, cites[0])
        cited = {text(row.get(cites[1])) for row in rows}
        twins = found.get(bill, [])
        if not _sensible(doc, rows):
            case.verdict.explained.append(Finding(BAD, "zoho", target_stream, bill, owner=owner))
            continue
        if not twins:
            _absent(case, doc, target_stream, bill, owner, ref(doc, customer), cited)
            continue
        case.count(stream)
        party, target = ref(doc, customer), twins[0]
        expected = _head(doc, target, rows)
        if (account := case.account_of.get(party)) is not None:
            expected.append((customer, "text", account, lookup(target, "Account") or lookup(target, "Account_Name")))
        if len(cited) == 1 and "" not in cited and not cited & case.held_orders:
            expected.append((cites[1], "text", min(cited), orders.get(lookup(target, "Sales_Order"), "")))
        note(case, target_stream, text(target["id"]), owner, expected)


def _sensible(doc: Doc, rows: list[Doc]) -> bool:
    figures = [doc.get("FALLAMOUNTFOR"), *(row.get(name) for row in rows for name in ("FRealQty", "FRECTOTALAMOUNTFOR"))]
    return all(sensible(figure) for figure in figures)


def _absent(case: Case, doc: Doc, target_stream: str, bill: str, owner: tuple[str, str, str], party: str, cited: set[str]) -> None:
    why = ""
    if not party or party in case.held_numbers:
        why = "its party waits"
    elif cited & case.held_orders:
        why = "its order waits"
    elif doc.get("FDocumentStatus", doc.get("FDOCUMENTSTATUS")) != "C" or doc.get("FCancelStatus") == "B":
        why = "not approved"
    if why:
        case.verdict.explained.append(Finding(why, "zoho", target_stream, bill, owner=owner))
    else:
        case.verdict.lost.append(Finding("missing", "zoho", target_stream, bill, expected="for this document of Kingdee", owner=owner))


def _head(doc: Doc, target: Doc, rows: list[Doc]) -> Expected:
    status = APPROVAL.get(text(doc.get("FDocumentStatus", doc.get("FDOCUMENTSTATUS"))), "?")
    expected: Expected = [("FDocumentStatus", "text", status, target.get("Approval_Status"))]
    if "Shipped_On" in target or "FRealQty" in (rows[0] if rows else {}):
        quantity = sum((number(row.get("FRealQty")) for row in rows), Decimal(0))
        expected += [
            ("FDate", "day", doc.get("FDate"), target.get("Shipped_On")),
            ("FSaleOrgId", "text", ref(doc, "FSaleOrgId"), target.get("Company_Code")),
            ("FCarriageNO", "text", doc.get("FCarriageNO"), target.get("Tracking_Number")),
            ("FRealQty", "quantity", quantity, target.get("Quantity")),
        ]
    elif "FRECEIVEBILLENTRY" in doc:
        amount = sum((number(row.get("FRECTOTALAMOUNTFOR")) for row in rows), Decimal(0))
        expected += [
            ("FDATE", "day", doc.get("FDATE"), target.get("Received_On")),
            ("FSETTLEORGID", "text", ref(doc, "FSETTLEORGID"), target.get("Company_Code")),
            ("FRECTOTALAMOUNTFOR", "money", amount, target.get("Amount")),
        ]
    else:
        expected += [
            ("FDATE", "day", doc.get("FDATE"), target.get("Invoice_Date")),
            ("FENDDATE_H", "day", doc.get("FENDDATE_H"), target.get("Due_Date")),
            ("FSETTLEORGID", "text", ref(doc, "FSETTLEORGID"), target.get("Company_Code")),
            ("FALLAMOUNTFOR", "money", doc.get("FALLAMOUNTFOR"), target.get("Total_Amount")),
        ]
    return expected

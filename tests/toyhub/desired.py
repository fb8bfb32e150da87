"""What the toy hub wants Zoho to hold: one small function for each stream, from Kingdee's documents to Zoho's fields.

Written apart from the oracle on purpose: two people who reckon alike are a check, one who reckons twice is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Doc = dict[str, Any]
STATES = {"Z": "draft", "A": "draft", "B": "submitted", "C": "approved", "D": "reopened"}
FROM_ZOHO = {"FTEL": "Phone", "FWEBSITE": "Website", "F_HUB_EMAIL": "Email_Address", "F_HUB_LEVEL": "Dealer_Level",
             "F_HUB_CHANNEL": "Channel_Type", "FDescription": "Description"}  # fmt: skip


class Codes:
    """The clerk's value maps, from Kingdee's code to Zoho's."""

    def __init__(self, rows: Sequence[Mapping[str, str]]) -> None:
        zoho = {(row["map"], row["canonical_value"]): row["vendor_value"] for row in rows if row["system_kind"] == "crm_zoho"}
        self.table = {
            (row["map"], row["vendor_value"]): zoho.get((row["map"], row["canonical_value"]), row["canonical_value"])
            for row in rows
            if row["system_kind"] == "erp_kingdee"
        }

    def __call__(self, name: str, code: str) -> str | None:
        """Zoho's code, empty for an empty one, None for one that nobody mapped."""
        return self.table.get((name, code)) if code else ""


def reference(doc: Mapping[str, Any], key: str) -> str:
    """The number in a reference."""
    return str((doc.get(key) or {}).get("FNumber") or "")


def account(customer: Doc, codes: Codes) -> Doc:
    """An account's fields that Kingdee decides."""
    return {
        "Account_Name": customer["FName"],
        "Short_Name": customer["FShortName"],
        "USCC": customer["FSOCIALCRECODE"],
        "ERP_Code": customer["FNumber"],
        "Billing_State": customer["FPROVINCIAL"],
        "Billing_Street": customer["FADDRESS"],
        "Billing_Code": customer.get("FZIP", ""),
        "Credit_Limit": customer["F_HUB_CREDIT"],
        "Payment_Terms": codes("payment_terms", reference(customer, "FRECCONDITIONID")),
        "Salesperson_Code": codes("salesperson", reference(customer, "FSELLER")),
        "Status_Code": "Blocked" if customer["FForbidStatus"] == "B" else "Active",
    }


def product(material: Doc, codes: Codes) -> Doc:
    """A product's fields."""
    base = material["SubHeadEntity"]
    return {
        "Product_Code": material["FNumber"],
        "Product_Name": material["FName"],
        "Specification": material["FSpecification"],
        "Barcode": base["FBARCODE"],
        "Usage_Unit": codes("unit", reference(base, "FBaseUnitId")),
        "Unit_Price": material["F_HUB_LISTPRICE"],
        "Product_Active": material["FForbidStatus"] != "B",
    }


class Ledger:
    """What was shipped and paid for each order, added up from the documents."""

    def __init__(self, kingdee: Mapping[str, Sequence[Doc]]) -> None:
        self.lines: defaultdict[int, Decimal] = defaultdict(Decimal)
        self.orders: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.paid: defaultdict[str, Decimal] = defaultdict(Decimal)
        for stream, order, sign in (("shipments", "FSoorDerno", 1), ("returns", "FOrderNo", -1)):
            for doc in kingdee.get(stream, ()):
                if doc["FDocumentStatus"] == "C" and doc["FCancelStatus"] == "A":
                    for row in doc["FEntity"]:
                        self.lines[row["FSOEntryId"]] += sign * row["FRealQty"]
                        self.orders[row[order]] += sign * row["FRealQty"]
        for stream, rows, order, amount, sign in (
            ("receipts", "FRECEIVEBILLENTRY", "FSALEORDERNO", "FRECTOTALAMOUNTFOR", 1),
            ("refunds", "FREFUNDBILLENTRY", "FSALEORDERNUMBER", "FREFUNDAMOUNTFOR", -1),
        ):
            for doc in kingdee.get(stream, ()):
                if doc["FDOCUMENTSTATUS"] == "C" and doc["FCancelStatus"] == "A":
                    for row in doc[rows]:
                        self.paid[row[order]] += sign * row[amount]


def order(doc: Doc, ledger: Ledger, codes: Codes, account_id: str, product_ids: Mapping[str, str]) -> Doc:
    """A sales order with its derived figures."""
    rows = doc["FSaleOrderEntry"]
    gaps = [row["FQty"] - ledger.lines[row["FEntryID"]] for row in rows]
    shipped, paid, total = ledger.orders[doc["FBillNo"]], ledger.paid[doc["FBillNo"]], doc["FBillAllAmount"]
    return {
        "Subject": doc["FBillNo"],
        "ERP_Order_No": doc["FBillNo"],
        "Account_Name": {"id": account_id},
        "Order_Date": doc["FDate"][:10],
        "Company_Code": reference(doc, "FSaleOrgId"),
        "Salesperson_Code": codes("salesperson", reference(doc, "FSalerId")),
        "Currency_Code": codes("currency", reference(doc["FSaleOrderFinance"], "FSettleCurrId")),
        "Net_Amount": doc["FBillAmount"],
        "Tax_Amount": doc["FBillTaxAmount"],
        "Total_Amount": total,
        "Approval_Status": STATES[doc["FDocumentStatus"]],
        "Business_Status": "void" if doc["FCancelStatus"] == "B" else "closed" if doc["FCloseStatus"] == "B" else "open",
        "Shipped_Quantity": shipped,
        "Shipping_State": "none" if not shipped else "over" if min(gaps) < 0 else "partial" if max(gaps) > 0 else "full",
        "Paid_Amount": paid,
        "Payment_State": "none" if paid <= 0 else "paid" if paid == total else "partial" if paid < total else "over",
        "Ordered_Items": [
            {
                "Product_Name": {"id": product_ids[reference(row, "FMaterialId")]},
                "Quantity": row["FQty"],
                "List_Price": row["FTaxPrice"],
                "Discount": row["FDiscount"],
                "Sequence_Number": seq,
                "Shipped_Quantity": ledger.lines[row["FEntryID"]],
            }
            for seq, row in enumerate(rows, 1)
        ],
    }


def shipment(doc: Doc, account_id: str, order_id: str | None) -> Doc:
    """A shipment's fields."""
    return {
        "Name": doc["FBillNo"],
        "ERP_Bill_No": doc["FBillNo"],
        "Account": {"id": account_id},
        "Sales_Order": {"id": order_id} if order_id else None,
        "Shipped_On": doc["FDate"][:10],
        "Company_Code": reference(doc, "FSaleOrgId"),
        "Tracking_Number": doc["FCarriageNO"],
        "Quantity": sum(row["FRealQty"] for row in doc["FEntity"]),
        "Approval_Status": STATES[doc["FDocumentStatus"]],
    }


def invoice(doc: Doc, account_id: str, order_id: str | None) -> Doc:
    """A receivable as an invoice."""
    return {
        "Subject": doc["FBillNo"],
        "ERP_Bill_No": doc["FBillNo"],
        "Account_Name": {"id": account_id},
        "Sales_Order": {"id": order_id} if order_id else None,
        "Invoice_Date": doc["FDATE"][:10],
        "Due_Date": doc["FENDDATE_H"][:10],
        "Company_Code": reference(doc, "FSETTLEORGID"),
        "Total_Amount": doc["FALLAMOUNTFOR"],
        "Approval_Status": STATES[doc["FDOCUMENTSTATUS"]],
    }


def receipt(doc: Doc, account_id: str, order_id: str | None) -> Doc:
    """A receipt's fields."""
    return {
        "Name": doc["FBillNo"],
        "ERP_Bill_No": doc["FBillNo"],
        "Account": {"id": account_id},
        "Sales_Order": {"id": order_id} if order_id else None,
        "Received_On": doc["FDATE"][:10],
        "Company_Code": reference(doc, "FSETTLEORGID"),
        "Currency_Code": "CNY",
        "Amount": sum(row["FRECTOTALAMOUNTFOR"] for row in doc["FRECEIVEBILLENTRY"]),
        "Approval_Status": STATES[doc["FDOCUMENTSTATUS"]],
    }

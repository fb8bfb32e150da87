"""Documents as a user of Kingdee or Zoho would type them: what the story enters, copies and mends."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub_cli.demo.doors import Doc

_SYSTEM_FIELDS = {"id", "Owner", "Hub_Key", "Created_Time", "Modified_Time", "Created_By", "Modified_By", "Grand_Total"}


def status_of(doc: Doc) -> str:
    """The approval status of a Kingdee document, in the vendor's letter (`C` is approved)."""
    return str(doc.get("FDocumentStatus") or doc.get("FDOCUMENTSTATUS"))  # forms differ in spelling, as the vendor's do


def figure(value: Any, places: int | None = None) -> str:
    """A vendor's number as people read it: without trailing zeros, or with so many places."""
    number = Decimal(str(value or 0))
    if places is not None:
        return f"{number:.{places}f}"
    return format(number.normalize(), "f")


def shipment_of(order: Doc, quantities: Mapping[Any, Decimal]) -> Doc:
    """An approved Kingdee shipment of an order. `quantities`: by the order line's entry id, in its sales unit; 0 leaves the line out."""
    lines = [
        {
            "FMaterialID": line["FMaterialId"],
            "FUnitID": line["FUnitID"],
            "FMustQty": quantities[line["FEntryID"]],
            "FRealQty": quantities[line["FEntryID"]],
            "FStockID": {"FNumber": "CK01"},
            "FSoorDerno": order["FBillNo"],
            "FSOEntryId": line["FEntryID"],
            "FTaxPrice": line["FTaxPrice"],
        }
        for line in order["FSaleOrderEntry"]
        if quantities[line["FEntryID"]]
    ]
    org = order["FSaleOrgId"]
    return {
        "FBillTypeID": {"FNumber": "XSCKD01_SYS"},
        "FDate": order["FDate"],
        "FSaleOrgId": org,
        "FStockOrgId": org,
        "FCustomerID": order["FCustId"],
        "FDocumentStatus": "C",
        "FEntity": lines,
    }


def receipt_for(order: Doc, amount: Decimal) -> Doc:
    """An approved Kingdee receipt that pays so much (CNY) of an order."""
    org = order["FSaleOrgId"]
    return {
        "FBillTypeID": {"FNumber": "SKDLX01_SYS"},
        "FDATE": order["FDate"],
        "FCONTACTUNITTYPE": "BD_Customer",
        "FCONTACTUNIT": order["FCustId"],
        "FPAYUNITTYPE": "BD_Customer",
        "FPAYUNIT": order["FCustId"],
        "FCURRENCYID": {"FNumber": "PRE001"},
        "FSETTLECUR": {"FNumber": "PRE001"},
        "FSETTLEORGID": org,
        "FSALEORGID": org,
        "FPAYORGID": org,
        "FDocumentStatus": "C",
        "FRECEIVEBILLENTRY": [
            {
                "FSETTLETYPEID": {"FNumber": "JSFS04_SYS"},
                "FPURPOSEID": {"FNumber": "SFKYT01_SYS"},
                "FRECTOTALAMOUNTFOR": amount,
                "FRECAMOUNTFOR_E": amount,
                "FSALEORDERNO": order["FBillNo"],
            }
        ],
    }


def copied(doc: Doc, **changes: Any) -> Doc:
    """A Zoho record to enter anew: without what the system fills in, and with these changes."""
    return {name: value for name, value in doc.items() if name not in _SYSTEM_FIELDS and not name.startswith("$")} | changes


def corrected(payload: Doc, planted: Doc) -> Doc:
    """The payload with the planted field as it should be; the clerk types it in."""
    head, _, field = str(planted["field"]).partition(".")
    if not field:
        return {**payload, head: Decimal(planted["good"])}
    return {**payload, head: [{**line, field: Decimal(planted["good"])} for line in payload[head]]}

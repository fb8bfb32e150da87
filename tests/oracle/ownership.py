"""Who decides what, and where it must show: the oracle's own tables, written by hand from the story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Pair:
    """One field that both systems hold."""

    kingdee: str
    zoho: str
    kind: str = "text"
    owner: Literal["kingdee", "zoho"] = "kingdee"
    value_map: str = ""
    """Map of codes between the two; empty: the same words on both sides."""


PARTY = (
    Pair("FName", "Account_Name"),
    Pair("FShortName", "Short_Name"),
    Pair("FSOCIALCRECODE", "USCC"),
    Pair("FNumber", "ERP_Code"),
    Pair("FPROVINCIAL", "Billing_State"),
    Pair("FADDRESS", "Billing_Street"),
    Pair("FZIP", "Billing_Code"),
    Pair("F_HUB_CREDIT", "Credit_Limit", "money"),
    Pair("FRECCONDITIONID", "Payment_Terms", value_map="payment_terms"),
    Pair("FSELLER", "Salesperson_Code", value_map="salesperson"),
    Pair("FTEL", "Phone", owner="zoho"),
    Pair("FWEBSITE", "Website", owner="zoho"),
    Pair("F_HUB_EMAIL", "Email_Address", owner="zoho"),
    Pair("F_HUB_LEVEL", "Dealer_Level", owner="zoho"),
    Pair("F_HUB_CHANNEL", "Channel_Type", owner="zoho"),
    Pair("FDescription", "Description", owner="zoho"),
)
"""Customer and account. Status is judged apart, for its words differ."""

PRODUCT = (
    Pair("FName", "Product_Name"),
    Pair("FSpecification", "Specification"),
    Pair("FBARCODE", "Barcode"),
    Pair("F_HUB_LISTPRICE", "Unit_Price", "price"),
    Pair("FBaseUnitId", "Usage_Unit", value_map="unit"),
)
"""Material and product. Whether it is active is judged apart."""

"""The modules of the stand-in's organisation, with the custom fields that a channel-management roll-out adds.

Standard fields carry Zoho's own API names; those marked custom are what an administrator adds for the hub (a unique key, the ERP's
code, states that the ERP decides). Shipments and Receipts are custom modules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sandbox.crm_zoho.metadata import Field, Module

STAGES = ("Qualification", "Needs Analysis", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost")
PIPELINES: Mapping[str, tuple[str, ...]] = {"Standard (Standard)": STAGES, "渠道项目": STAGES}
"""Stages by pipeline. Deals of 渠道项目 are run by a blueprint: their stage moves by transitions only."""
BLUEPRINT_PIPELINE = "渠道项目"

CLOSED_QUOTE_STAGES = ("Draft", "Negotiation", "Delivered", "On Hold", "Confirmed", "Closed Won", "Closed Lost")


def _text(name: str, length: int = 255, *, required: bool = False, read_only: bool = False) -> Field:
    return Field(name, "text", length, required=required, read_only=read_only)


def _custom(*fields: Field) -> tuple[Field, ...]:
    return tuple(replace(spec, custom=True) for spec in fields)


def _lookup(name: str, module: str, *, required: bool = False) -> Field:
    return Field(name, "lookup", 120, module=module, required=required)


def _pick(name: str, *choices: str, closed: bool = False, required: bool = False) -> Field:
    return Field(name, "picklist", 120, choices=choices, closed=closed, required=required)


def _money(name: str, *, read_only: bool = False) -> Field:
    return Field(name, "currency", 16, 2, read_only=read_only)


def _number(name: str, places: int = 4) -> Field:
    return Field(name, "double", 16, places)


def _date(name: str) -> Field:
    return Field(name, "date", 20)


DESCRIPTION = Field("Description", "textarea", 32_000)
HUB_KEY = Field("Hub_Key", "text", 20, unique=True, external=True, custom=True)
SYSTEM = (
    Field("id", "bigint", 20, read_only=True, label="Record Id"),
    Field("Owner", "ownerlookup", 120),
    Field("Created_By", "ownerlookup", 120, read_only=True),
    Field("Modified_By", "ownerlookup", 120, read_only=True),
    Field("Created_Time", "datetime", 120, read_only=True),
    Field("Modified_Time", "datetime", 120, read_only=True),
    Field("Tag", "text", 2000),
)


def _module(
    name: str, prefix: str, title: str, fields: Iterable[Field], *, duplicates: tuple[str, ...] = (), custom: bool = False, lines: str = ""
) -> Module:
    everything = (*SYSTEM, *fields, HUB_KEY)
    label = name.replace("_", " ")
    singular = label.removesuffix("s")
    return Module(name, label, singular, prefix, title, {spec.name: spec for spec in everything}, duplicates, custom, lines)


def _lines(name: str, *extra: Field) -> Field:
    return Field(
        name,
        "subform",
        0,
        required=True,
        rows=(
            Field("id", "bigint", 20, read_only=True),
            _lookup("Product_Name", "Products", required=True),
            _number("Quantity"),
            Field("List_Price", "currency", 16, 4),
            Field("Discount", "discount", 16, 2),
            Field("Line_Tax", "linetax", 0),
            Field("Description", "textarea", 2000),
            Field("Sequence_Number", "integer", 9),
            _money("Total", read_only=True),
            _money("Tax", read_only=True),
            _money("Net_Total", read_only=True),
            *extra,
        ),
    )


TOTALS = (
    _money("Sub_Total", read_only=True),
    _money("Discount"),
    _money("Tax", read_only=True),
    _money("Adjustment"),
    _money("Grand_Total", read_only=True),
)
ADDRESS = tuple(_text(f"Billing_{part}", 250) for part in ("Street", "City", "State", "Code", "Country"))
INDUSTRIES = ("Manufacturing", "Wholesale", "Retail", "Construction", "Government/Military", "Service Provider")

ACCOUNTS = _module(
    "Accounts",
    "101",
    "Account_Name",
    (
        _text("Account_Name", 200, required=True),
        Field("Phone", "phone", 50),
        Field("Website", "website", 450),
        *ADDRESS,
        _pick("Industry", *INDUSTRIES),
        _pick("Account_Type", "Distributor", "Customer", "Partner", "Reseller", "Supplier"),
        _lookup("Parent_Account", "Accounts"),
        DESCRIPTION,
        *_custom(
            _text("USCC", 20),
            _text("ERP_Code", 80),
            _text("Short_Name", 120),
            _pick("Dealer_Level", "核心", "普通", "潜在", closed=True),
            _pick("Channel_Type", "省代", "市代", "二级", closed=True),
            _money("Credit_Limit"),
            _text("Payment_Terms", 80),
            Field("Email_Address", "email", 100),
            _text("Salesperson_Code", 40),
            _pick("Status_Code", "Active", "Blocked", closed=True),
        ),
    ),
    duplicates=("Account_Name",),
)
CONTACTS = _module(
    "Contacts",
    "102",
    "Full_Name",
    (
        _text("Last_Name", 80, required=True),
        _text("First_Name", 40),
        _text("Full_Name", 120, read_only=True),
        _lookup("Account_Name", "Accounts"),
        Field("Email", "email", 100),
        Field("Phone", "phone", 50),
        Field("Mobile", "phone", 30),
        _text("Title", 100),
        _text("Department", 50),
        DESCRIPTION,
        *_custom(_text("ERP_Code", 80)),
    ),
    duplicates=("Email",),
)
LEADS = _module(
    "Leads",
    "103",
    "Full_Name",
    (
        _text("Last_Name", 80, required=True),
        _text("First_Name", 40),
        _text("Full_Name", 120, read_only=True),
        _text("Company", 200, required=True),
        Field("Email", "email", 100),
        Field("Phone", "phone", 30),
        Field("Mobile", "phone", 30),
        _pick("Lead_Source", "Advertisement", "Cold Call", "Employee Referral", "Partner", "Trade Show", "Web Research"),
        _pick("Lead_Status", "Attempted to Contact", "Contacted", "Converted", "Junk Lead", "Lost Lead", "Not Contacted", "Pre-Qualified"),
        _pick("Industry", *INDUSTRIES),
        DESCRIPTION,
    ),
    duplicates=("Email",),
)
PRODUCTS = _module(
    "Products",
    "104",
    "Product_Name",
    (
        _text("Product_Name", 200, required=True),
        _text("Product_Code", 40),
        Field("Unit_Price", "currency", 16, 4),
        _pick("Usage_Unit", "Box", "Carton", "Each", "kg", "Pack", "Piece", "Set"),
        _pick("Product_Category", "Hardware", "Software"),
        Field("Product_Active", "boolean"),
        _number("Qty_in_Stock"),
        DESCRIPTION,
        *_custom(_text("Specification", 255), _text("Barcode", 80), _number("Tax_Rate")),
    ),
    duplicates=("Product_Code",),
)
PRICE_BOOKS = _module(
    "Price_Books",
    "105",
    "Price_Book_Name",
    (
        _text("Price_Book_Name", 200, required=True),
        Field("Active", "boolean"),
        _pick("Pricing_Model", "Flat", "Differential", closed=True),
        Field("Pricing_Details", "pricing", 0),
        DESCRIPTION,
        *_custom(
            _text("ERP_Code", 80), _text("Currency_Code", 10), _date("Valid_From"), _date("Valid_To"), _pick("Tax_Side", "含税", "不含税")
        ),
    ),
    duplicates=("Price_Book_Name",),
)
DEALS = _module(
    "Deals",
    "106",
    "Deal_Name",
    (
        _text("Deal_Name", 200, required=True),
        Field("Stage", "picklist", 120, choices=STAGES, required=True),
        Field("Pipeline", "picklist", 120, choices=tuple(PIPELINES)),
        _money("Amount"),
        _date("Closing_Date"),
        _lookup("Account_Name", "Accounts"),
        _lookup("Contact_Name", "Contacts"),
        Field("Probability", "integer", 9),
        _pick("Lead_Source", "Advertisement", "Cold Call", "Employee Referral", "Partner", "Trade Show", "Web Research"),
        _text("Next_Step", 100),
        DESCRIPTION,
        *_custom(
            _lookup("Dealer", "Accounts"),
            _text("Company_Code", 40),
            _text("Salesperson_Code", 40),
            _text("ERP_Order_No", 80),
            _text("Product_Line", 80),
            _text("Protection_State", 40),
            _date("Protected_Until"),
            _text("Refusal_Reason", 255),
            Field("Deal_Conflict", "boolean"),
        ),
    ),
    duplicates=("Deal_Name",),
)
QUOTES = _module(
    "Quotes",
    "107",
    "Subject",
    (
        _text("Subject", 200, required=True),
        _pick("Quote_Stage", *CLOSED_QUOTE_STAGES, closed=True),
        _lookup("Deal_Name", "Deals"),
        _lookup("Account_Name", "Accounts", required=True),
        _lookup("Contact_Name", "Contacts"),
        _date("Valid_Till"),
        *TOTALS,
        DESCRIPTION,
        _lines("Quoted_Items", *_custom(_text("Hub_Line", 36))),
        *_custom(
            _text("Hub_Quote_No", 40),
            Field("Revision", "integer", 9),
            _text("Company_Code", 40),
            _text("Salesperson_Code", 40),
            _date("Delivery_Date"),
            _text("Discount_Reason", 255),
            _text("ERP_Order_No", 80),
            _text("ERP_Order_Status", 80),
        ),
    ),
    duplicates=("Subject",),
    lines="Quoted_Items",
)
SALES_ORDERS = _module(
    "Sales_Orders",
    "108",
    "Subject",
    (
        _text("Subject", 200, required=True),
        _pick("Status", "Created", "Approved", "Delivered", "Cancelled"),
        _lookup("Account_Name", "Accounts", required=True),
        _lookup("Deal_Name", "Deals"),
        _lookup("Contact_Name", "Contacts"),
        _lookup("Quote_Name", "Quotes"),
        _date("Due_Date"),
        *TOTALS,
        DESCRIPTION,
        _lines("Ordered_Items", *_custom(_text("Hub_Line", 36), _number("Shipped_Quantity"))),
        *_custom(
            _text("ERP_Order_No", 80),
            _date("Order_Date"),
            _text("Company_Code", 40),
            _text("Salesperson_Code", 40),
            _text("Currency_Code", 10),
            _money("Net_Amount"),
            _money("Tax_Amount"),
            _money("Total_Amount"),
            _text("Approval_Status", 40),
            _text("Business_Status", 40),
            _number("Shipped_Quantity"),
            _text("Shipping_State", 40),
            _money("Paid_Amount"),
            _text("Payment_State", 40),
        ),
    ),
    duplicates=("Subject",),
    lines="Ordered_Items",
)
INVOICES = _module(
    "Invoices",
    "109",
    "Subject",
    (
        _text("Subject", 200, required=True),
        _lookup("Account_Name", "Accounts", required=True),
        _lookup("Sales_Order", "Sales_Orders"),
        _date("Invoice_Date"),
        _date("Due_Date"),
        _pick("Status", "Created", "Approved", "Delivered", "Cancelled"),
        *TOTALS,
        DESCRIPTION,
        replace(_lines("Invoiced_Items", *_custom(_text("Hub_Line", 36))), required=False),
        *_custom(
            _text("ERP_Bill_No", 80),
            _text("Company_Code", 40),
            _text("Currency_Code", 10),
            _money("Total_Amount"),
            _text("Approval_Status", 40),
        ),
    ),
    duplicates=("Subject",),
    lines="Invoiced_Items",
)
SHIPMENTS = _module(
    "Shipments",
    "110",
    "Name",
    (
        _text("Name", 120, required=True),
        *_custom(
            _lookup("Account", "Accounts"),
            _lookup("Sales_Order", "Sales_Orders"),
            _date("Shipped_On"),
            _text("Company_Code", 40),
            _text("Carrier", 120),
            _text("Tracking_Number", 80),
            _number("Quantity"),
            _text("Approval_Status", 40),
            _text("ERP_Bill_No", 80),
        ),
    ),
    duplicates=("Name",),
    custom=True,
)
RECEIPTS = _module(
    "Receipts",
    "111",
    "Name",
    (
        _text("Name", 120, required=True),
        *_custom(
            _lookup("Account", "Accounts"),
            _lookup("Sales_Order", "Sales_Orders"),
            _date("Received_On"),
            _text("Company_Code", 40),
            _text("Currency_Code", 10),
            _money("Amount"),
            _text("Approval_Status", 40),
            _text("ERP_Bill_No", 80),
        ),
    ),
    duplicates=("Name",),
    custom=True,
)
ALL = (ACCOUNTS, CONTACTS, LEADS, PRODUCTS, PRICE_BOOKS, DEALS, QUOTES, SALES_ORDERS, INVOICES, SHIPMENTS, RECEIPTS)
MODULES: Mapping[str, Module] = {module.name: module for module in ALL}
STREAMS: Mapping[str, str] = {module.name.lower(): module.name for module in ALL}
"""The hub's stream names and the modules behind them."""

"""Zoho CRM for the contract suite: accounts, which are upserted; sales orders, which have lines and are inserted; price books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.base import Payload
from connectors.crm_zoho import ZohoSettings, connector
from tests.contract.subject import Case, Control, Native, Subject

ACCOUNT = {"id": "572576700000100001"}
PRODUCTS = [{"id": f"57257670000020000{n}"} for n in (1, 2, 3)]
OLD = {"Created_Time": "2026-01-01T08:00:00+08:00", "Modified_Time": "2026-01-01T08:00:00+08:00"}


def settings(credentials: Mapping[str, Any], overrides: Mapping[str, Any]) -> ZohoSettings:
    """From the console's own names."""
    return ZohoSettings.model_validate({**credentials, **overrides})


def base(control: Control) -> None:
    """An account and products for the orders."""
    products = [{**product, **OLD, "Product_Name": f"轴承 {n}", "Product_Code": f"M00{n}"} for n, product in enumerate(PRODUCTS, 1)]
    control.load({"accounts": [{**ACCOUNT, **OLD, "Account_Name": "杭州远航电子有限公司"}], "products": products})


def account(n: int) -> Native:
    """An account as a salesperson enters it."""
    return {"Account_Name": f"深圳市华南经销有限公司 {n}号店", "Phone": "0755-88886666", "Description": "线下门店"}


def order(n: int) -> Native:
    """An order of three lines as a salesperson enters it."""
    lines = [{"Product_Name": product, "Quantity": at, "List_Price": 113} for at, product in enumerate(PRODUCTS, 1)]
    return {"Subject": f"渠道订单 {n}", "Account_Name": ACCOUNT, "Description": "加急", "Ordered_Items": lines}


def stamped(record: Native, n: int, stamp: str) -> Native:
    """A record for bulk loading."""
    when = f"{stamp}+08:00"
    return {**record, "id": f"5725767000009{n:05d}", "Created_Time": when, "Modified_Time": when}


def account_fields(n: int) -> Payload:
    """An account as the hub creates it."""
    return {
        "Account_Name": f"杭州𠮷祥商贸有限公司 {n}",
        "Billing_Street": "杭州市余杭区 'or 1=1-- 路 1 号",
        "USCC": f"91330100MA{n:08d}",
        "Dealer_Level": "核心",
        "Credit_Limit": Decimal("100000.50"),
        "Description": "渠道客户",
    }


def order_fields(n: int) -> Payload:
    """An order as the hub creates it."""
    return {
        "Subject": f"XSDD{n:06d}",
        "Account_Name": ACCOUNT,
        "ERP_Order_No": f"XSDD{n:06d}",
        "Order_Date": "2026-01-05",
        "Description": f"渠道订单 {n} ''",
        "Total_Amount": Decimal("113.03"),
        "Ordered_Items": [
            {"Product_Name": PRODUCTS[0], "Quantity": Decimal(10), "List_Price": Decimal("11.3"), "Hub_Line": f"L{n}-1"},
            {"Product_Name": PRODUCTS[0], "Quantity": Decimal("2.5"), "List_Price": Decimal("0.01"), "Hub_Line": f"L{n}-2"},
        ],
    }


def book(n: int) -> Native:
    """A price book of two prices as a salesperson enters it."""
    prices = [{"id": product["id"], "list_price": 100 * n + at} for at, product in enumerate(PRODUCTS[:2])]
    return {"Price_Book_Name": f"代理价 {n}", "Active": True, "Description": "含税", "Products": prices}


def book_fields(n: int) -> Payload:
    """A price book as the hub creates it."""
    prices = (Decimal("113.03"), Decimal("0.0001"))
    return {
        "Price_Book_Name": f"工程价 {n} ''",
        "Active": True,
        "ERP_Code": f"XSJMB{n:04d}",
        "Currency_Code": "CNY",
        "Valid_From": "2026-01-01",
        "Products": [{"id": product["id"], "list_price": price} for product, price in zip(PRODUCTS, prices, strict=False)],
    }


def case(
    stream: str,
    native: Callable[[int], Native],
    fields: Callable[[int], Payload],
    bad: Callable[[Payload], Payload],
    **more: Any,
) -> Case:
    """A module as they all are: its records are named by `id` and carry a text in `Description`."""
    return Case(
        stream=stream,
        native=native,
        stamped=lambda n, stamp: stamped(native(n), n, stamp),
        native_key="id",
        edit=lambda record, text: {"id": record["id"], "Description": text},
        fields=fields,
        text_field="Description",
        bad=bad,
        **more,
    )


subject = Subject(
    connector=connector,
    sandbox="zoho",
    settings=settings,
    secrets=lambda given: [given.client_secret.get_secret_value(), given.refresh_token.get_secret_value()],  # type: ignore[attr-defined]
    wrong={"refresh_token": "1000.wrong-refresh-token"},
    base=base,
    cases=(
        case("accounts", account, account_fields, lambda fields: {**fields, "Dealer_Level": "特级"}, number_field="Credit_Limit"),
        case(
            "sales_orders",
            order,
            order_fields,
            lambda fields: {**fields, "Account_Name": {"id": "572576700000999999"}},
            number_field="Paid_Amount",
            lines=3,
        ),
        case("price_books", book, book_fields, lambda fields: {**fields, "Pricing_Model": "Steep"}, lines=2),
    ),
    read_path="/crm/v8/",
    write_path="/crm/v8/",
    sign_in_paths=("/oauth/v2/token",),
)

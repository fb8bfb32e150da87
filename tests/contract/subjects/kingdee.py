"""Kingdee for the contract suite: customers as base data, sales orders as documents with lines."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.base import Payload
from connectors.erp_kingdee import connector
from connectors.erp_kingdee.settings import KingdeeSettings
from tests.contract.subject import Case, Control, Native, Subject

ORG = {"FNumber": "100"}
OURS = {
    "ServerUrl": "server_url",
    "AcctId": "acct_id",
    "UserName": "user_name",
    "AppId": "app_id",
    "AppSecret": "app_secret",
    "Password": "password",
    "LCID": "lcid",
    "OrgNum": "org_number",
}
"""The vendor console's names and ours."""


def settings(credentials: Mapping[str, Any], overrides: Mapping[str, Any]) -> KingdeeSettings:
    """From the console's own names."""
    return KingdeeSettings.model_validate({OURS[name]: value for name, value in credentials.items()} | dict(overrides))


def base(control: Control) -> None:
    """A customer, a material and a salesperson for the orders."""
    control.put("customers", {**customer(0), "FNumber": "CUST0001"})
    control.put("products", *({"FNumber": f"M{n:03d}", "FName": f"轴承 {n}", **_orgs(), **_units()} for n in (1, 2, 3)))
    control.put("employees", {"FNumber": "0001", "FName": "王小明", "FUseOrgId": ORG, "FCreateOrgId": ORG})


def _orgs() -> Native:
    return {"FCreateOrgId": ORG, "FUseOrgId": ORG}


def _units() -> Native:
    return {"SubHeadEntity": {"FBaseUnitId": {"FNumber": "Pcs"}}, "SubHeadEntity2": {"FSaleUnitId": {"FNumber": "Pcs"}}}


def customer(n: int) -> Native:
    """A customer as a clerk enters it."""
    return {"FNumber": f"KH{n:05d}", "FName": f"深圳市华南经销有限公司 {n}号店", **_orgs(), "FTRADINGCURRID": {"FNumber": "PRE001"}}


def order(n: int) -> Native:
    """An order of three lines as a clerk enters it."""
    lines = [
        {
            "FMaterialId": {"FNumber": f"M{at:03d}"},
            "FUnitID": {"FNumber": "Pcs"},
            "FQty": at,
            "FTaxPrice": 113,
            "FEntryTaxRate": 13,
            "FDeliveryDate": "2026-02-01",
        }
        for at in (1, 2, 3)
    ]
    return {
        "FBillNo": f"XS{n:06d}",
        "FDate": "2026-01-05",
        "FSaleOrgId": ORG,
        "FCustId": {"FNumber": "CUST0001"},
        "FSalerId": {"FNumber": "0001"},
        "FNote": f"客户要求加急 {n}",
        "FSaleOrderFinance": {"FSettleCurrId": {"FNumber": "PRE001"}},
        "FSaleOrderEntry": lines,
    }


def customer_fields(n: int) -> Payload:
    """A customer as the hub creates it."""
    return {
        "FName": f"杭州𠮷祥商贸有限公司 {n}",
        "FShortName": f"𠮷祥{n}",
        "FCreateOrgId.FNumber": "100",
        "FUseOrgId.FNumber": "100",
        "FTRADINGCURRID.FNumber": "PRE001",
        "FSOCIALCRECODE": f"91330100MA{n:08d}",
        "FADDRESS": "杭州市余杭区 'or 1=1-- 路 1 号",
        "F_HUB_CREDIT": Decimal("100000.50"),
    }


def order_fields(n: int) -> Payload:
    """An order as the hub creates it."""
    line = {"FUnitID.FNumber": "Pcs", "FEntryTaxRate": Decimal(13), "FDeliveryDate": "2026-02-01"}
    return {
        "FBillTypeID.FNumber": "XSDD01_SYS",
        "FDate": "2026-01-05",
        "FSaleOrgId.FNumber": "100",
        "FCustId.FNumber": "CUST0001",
        "FSalerId.FNumber": "0001",
        "FNote": f"渠道订单 {n} ''",
        "FSaleOrderFinance.FSettleCurrId.FNumber": "PRE001",
        "FSaleOrderFinance.FIsIncludedTax": True,
        "FSaleOrderEntry": [
            {"FMaterialId.FNumber": "M001", "FQty": Decimal(10), "FTaxPrice": Decimal("11.3"), "F_HUB_LINE": f"L{n}-1", **line},
            {"FMaterialId.FNumber": "M001", "FQty": Decimal("2.5"), "FTaxPrice": Decimal("0.01"), "F_HUB_LINE": f"L{n}-2", **line},
        ],
    }


subject = Subject(
    connector=connector,
    sandbox="kingdee",
    settings=settings,
    secrets=lambda given: [given.app_secret.get_secret_value(), given.password.get_secret_value()],  # type: ignore[attr-defined]
    wrong={"app_secret": "wrong-secret", "sign_in": "app_secret"},
    base=base,
    cases=(
        Case(
            stream="customers",
            native=customer,
            stamped=lambda n, stamp: {"FCUSTID": 900_000 + n, **customer(n), "FModifyDate": stamp, "FCreateDate": stamp},
            native_key="FCUSTID",
            edit=lambda record, text: {"FCUSTID": record["FCUSTID"], "FDescription": text},
            fields=customer_fields,
            text_field="FDescription",
            number_field="F_HUB_CREDIT",
            bad=lambda fields: {**fields, "FTRADINGCURRID.FNumber": "NO-SUCH"},
            org="100",
        ),
        Case(
            stream="sales_orders",
            native=order,
            stamped=lambda n, stamp: {"FID": 900_000 + n, **order(n), "FModifyDate": stamp, "FCreateDate": stamp},
            native_key="FID",
            edit=lambda record, text: {"FID": record["FID"], "FNote": text},
            fields=order_fields,
            text_field="FNote",
            number_field="FSaleOrderFinance.FExchangeRate",
            lines=3,
            bad=lambda fields: {**fields, "FCustId.FNumber": "NO-SUCH"},
            org="100",
        ),
    ),
    read_path="ExecuteBillQuery",
    write_path="Save",
    sign_in_paths=("AuthService",),
    overrides=({"sign_in": "signed"}, {"sign_in": "app_secret"}, {"sign_in": "app_sign"}, {"sign_in": "password"}),
)

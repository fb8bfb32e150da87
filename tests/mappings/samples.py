"""Plausible records of both systems, and answers for what they cite."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mappings.compiler import OURS, load
from mappings.errors import Cite
from mappings.model import Candidate, Mapping, Target, ValueRow, Values

VALUES = {
    "erp_kingdee": Values(
        [
            ValueRow("salesperson", "1001_GW000002_1", "S001"),
            ValueRow("unit", "Pcs", "pcs"),
            ValueRow("payment_terms", "SKTJ02_SYS", "net30"),
            ValueRow("settlement_method", "JSFS04_SYS", "JSFS04_SYS"),
            ValueRow("warehouse", "CK01", "CK01"),
            ValueRow("tax_rate", "SL02_SYS", "0.13"),
        ]
    ),
    "crm_zoho": Values(
        [
            ValueRow("salesperson", "wang.lei", "S001"),
            ValueRow("unit", "件", "pcs"),
            ValueRow("payment_terms", "月结30天", "net30"),
        ]
    ),
}


def kingdee(stream: str) -> Mapping:
    return load(OURS, "erp_kingdee", stream)


def zoho(stream: str) -> Mapping:
    return load(OURS, "crm_zoho", stream)


def refs(mapping: Mapping, payload: dict[str, Any]) -> dict[Cite, str]:
    """Canonical ids of all that a record cites: `customers:200001`."""
    return {cite: ":".join((cite[0].removesuffix("#number"), *cite[1:])) for cite in mapping.cites(payload)}


def read(mapping: Mapping, payload: dict[str, Any]) -> Candidate:
    return mapping.read(payload, refs(mapping, payload), VALUES[mapping.system_kind])


def targets(mapping: Mapping, doc: dict[str, Any], sets: dict[str, Any]) -> dict[tuple[str, str], Target]:
    """Links for all that a document needs: key and number are the end of the id."""
    return {need: Target(need[1].split(":")[-1], need[1].split(":")[-1]) for need in mapping.needs(doc, sets)}


def customer(**changes: Any) -> dict[str, Any]:
    """BD_Customer, the copy of organisation 100."""
    return {
        "FCUSTID": 200001,
        "FNumber": "CUST00001",
        "FName": "东方智控（上海）科技有限公司",
        "FShortName": "",
        "FCreateOrgId.FNumber": "100",
        "FUseOrgId.FNumber": "100",
        "FMasterId": 200001,
        "FGroup.FNumber": "DLR-A",
        "FSOCIALCRECODE": "91350100m000100y43",
        "FTAXREGISTERCODE": "",
        "FCOUNTRY": "China",
        "FPROVINCIAL": "上海市",
        "FADDRESS": " 浦东新区张江路 88 号 ",
        "FZIP": "201203",
        "FTEL": "021-88886666",
        "FWEBSITE": "",
        "FTRADINGCURRID.FNumber": "PRE001",
        "FRECCONDITIONID.FNumber": "SKTJ02_SYS",
        "FSETTLETYPEID.FNumber": "JSFS04_SYS",
        "FPRICELISTID": 0,
        "FPRICELISTID.FNumber": None,
        "FSELLER.FNumber": "1001_GW000002_1",
        "FDescription": "",
        "FDocumentStatus": "C",
        "FForbidStatus": "A",
        "FModifyDate": "2026-01-05T10:11:12",
        "F_HUB_KEY": "",
        "F_HUB_CREDIT": Decimal("500000.0000000000"),
        "F_HUB_LEVEL": "核心",
        "F_HUB_CHANNEL": "省代",
        "F_HUB_EMAIL": "info@dongfang.example",
        **changes,
    }


def order_line(entry: Any = 1, **changes: Any) -> dict[str, Any]:
    """One entry of an order."""
    return {
        "FEntryID": entry,
        "FSEQ": entry,
        "FMaterialId": 300001,
        "FMaterialId.FNumber": "M00001",
        "FUnitID.FNumber": "Pcs",
        "FQty": Decimal("10.0000000000"),
        "FPrice": Decimal("88.4955752212"),
        "FTaxPrice": Decimal("100.0000000000"),
        "FEntryTaxRate": Decimal("13.0000000000"),
        "FDiscountRate": Decimal("0E-10"),
        "FDiscount": Decimal("0E-10"),
        "FAmount": Decimal("884.96"),
        "FEntryTaxAmount": Decimal("115.04"),
        "FAllAmount": Decimal("1000.0000000000"),
        "FDeliveryDate": "2026-02-05T00:00:00",
        "FIsFree": False,
        "FEntryNote": "送货前电联 𠮷",
        "FMrpCloseStatus": "A",
        "FStockOutQty": Decimal("0E-10"),
        "F_HUB_LINE": "",
        **changes,
    }


def order(*, lines: Any = 2, **changes: Any) -> dict[str, Any]:
    """SAL_SaleOrder, approved."""
    return {
        "FID": 100123,
        "FBillNo": "XSDD000123",
        "FBillTypeID.FNumber": "XSDD01_SYS",
        "FDate": "2026-01-05T00:00:00",
        "FSaleOrgId.FNumber": "100",
        "FCustId": 200001,
        "FCustId.FNumber": "CUST00001",
        "FReceiveId": 200001,
        "FReceiveId.FNumber": "CUST00001",
        "FSettleId": 200001,
        "FSettleId.FNumber": "CUST00001",
        "FChargeId": 200001,
        "FChargeId.FNumber": "CUST00001",
        "FSaleDeptId": 7,
        "FSaleDeptId.FNumber": "BM000007",
        "FSalerId.FNumber": "1001_GW000002_1",
        "FSaleOrderFinance.FSettleCurrId.FNumber": "PRE001",
        "FSaleOrderFinance.FExchangeRate": Decimal("1.0000000000"),
        "FSaleOrderFinance.FIsIncludedTax": True,
        "FSaleOrderFinance.FRecConditionId.FNumber": "SKTJ02_SYS",
        "FSaleOrderFinance.FSettleModeId.FNumber": "JSFS04_SYS",
        "FSaleOrderFinance.FPriceListId": 0,
        "FSaleOrderFinance.FPriceListId.FNumber": None,
        "FBillAmount": Decimal("1769.92"),
        "FBillTaxAmount": Decimal("230.08"),
        "FBillAllAmount": Decimal("2000.0000000000"),
        "FReceiveAddress": "上海市浦东新区张江路 88 号",
        "FNetOrderBillNo": "PO-00031",
        "FNote": " ",
        "FVersionNo": "000",
        "FDocumentStatus": "C",
        "FCloseStatus": "A",
        "FCancelStatus": "A",
        "FApproveDate": "2026-01-05T10:11:12",
        "FModifyDate": "2026-01-05T10:11:12",
        "F_HUB_KEY": "",
        "FSaleOrderEntry": [order_line(entry) for entry in range(1, lines + 1)],
        **changes,
    }


def account(**changes: Any) -> dict[str, Any]:
    """Accounts."""
    return {
        "id": "4876876000000333001",
        "Account_Name": "东方智控(上海)科技",
        "Phone": "+86 21 8888 6666",
        "Website": None,
        "Billing_Street": None,
        "Billing_State": "上海市",
        "Billing_Country": "中国",
        "Account_Type": "Distributor",
        "USCC": None,
        "ERP_Code": "cust00001",
        "Dealer_Level": "普通",
        "Channel_Type": None,
        "Credit_Limit": Decimal("500000.00"),
        "Payment_Terms": "月结30天",
        "Salesperson_Code": "wang.lei",
        "Status_Code": "Active",
        "Owner": {"id": "1", "name": "王"},
        **changes,
    }

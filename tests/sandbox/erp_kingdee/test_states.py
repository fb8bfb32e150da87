"""The document states and what moves between documents, by the official SDK."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.sandbox.erp_kingdee.tenant import Client, Tenant, failure, order

ORDER = "SAL_SaleOrder"


def step(erp: Client, name: str, number: str, form: str = ORDER) -> dict[str, Any]:
    result: dict[str, Any] = getattr(erp, name)(form, {"Numbers": [number]})["Result"]
    return result


def state(tenant: Tenant, number: str) -> str:
    return str(tenant.record("sales_orders", number)["FDocumentStatus"])


@pytest.mark.parametrize(
    ("start", "name", "end"),
    [
        ("Z", "Submit", "B"),
        ("A", "Submit", "B"),
        ("D", "Submit", "B"),
        ("B", "Submit", None),
        ("C", "Submit", None),
        ("A", "Audit", None),
        ("B", "Audit", "C"),
        ("C", "Audit", None),
        ("D", "Audit", None),
        ("A", "UnAudit", None),
        ("B", "UnAudit", None),
        ("C", "UnAudit", "D"),
        ("B", "CancelAssign", "D"),
        ("A", "CancelAssign", None),
        ("C", "CancelAssign", None),
        ("Z", "Delete", "gone"),
        ("A", "Delete", "gone"),
        ("D", "Delete", "gone"),
        ("B", "Delete", None),
        ("C", "Delete", None),
    ],
    ids=str,
)
def test_every_step_from_every_state(tenant: Tenant, erp: Client, start: str, name: str, end: str | None) -> None:
    shape = {"FBillNo": "HUB-1", "FDocumentStatus": start}
    tenant.put("sales_orders", {**order("HUB-1"), "FDocumentStatus": "Z" if start == "Z" else "A"})
    if start in "BCD":
        tenant.put("sales_orders", {**shape, "FDocumentStatus": "B"})
    if start in "CD":
        tenant.put("sales_orders", {**shape, "FDocumentStatus": "C"})
    if start == "D":
        tenant.put("sales_orders", shape)
    assert state(tenant, "HUB-1") == start

    sdk_has = name in ("Submit", "Audit", "UnAudit", "Delete")
    if sdk_has:
        result = step(erp, name, "HUB-1")
    else:
        service = f"Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.{name}"
        result = tenant.post(service, {"formid": ORDER, "data": {"Numbers": ["HUB-1"]}}, headers=tenant.login()).json()["Result"]

    if end is None:
        assert failure(result)[0] == 12
        assert state(tenant, "HUB-1") == start
    else:
        assert result["ResponseStatus"]["SuccessEntitys"][0]["Number"] == "HUB-1"
        gone = not erp.query(ORDER, "FID", "FBillNo='HUB-1'")
        assert gone if end == "gone" else state(tenant, "HUB-1") == end


@pytest.mark.parametrize("start", ["B", "C"])
def test_a_submitted_or_audited_document_cannot_be_saved(tenant: Tenant, erp: Client, start: str) -> None:
    made = tenant.put("sales_orders", {**order("HUB-1"), "FDocumentStatus": start})

    code, why = failure(erp.save(ORDER, {"FID": made["FID"], "FNote": "x"}))

    assert code == 12
    assert ("审核中" if start == "B" else "单据已审核") in why


def test_a_step_takes_ids_as_text_and_numbers_as_list_and_is_partly_done(erp: Client) -> None:
    one, two = erp.save(ORDER, order("HUB-1")), erp.save(ORDER, order("HUB-2"))
    step(erp, "Submit", "HUB-2")

    status = erp.Submit(ORDER, {"Ids": f"{one['Id']},{two['Id']},999999"})["Result"]["ResponseStatus"]
    nothing = failure(erp.Submit(ORDER, {})["Result"])

    assert [done["Number"] for done in status["SuccessEntitys"]] == ["HUB-1"]
    assert [bad["DIndex"] for bad in status["Errors"]] == [1, 2]
    assert "编码值或内码值必须传其一" in nothing[1]


def test_auditing_moves_the_approve_date_and_not_the_modify_date(tenant: Tenant, erp: Client) -> None:
    erp.save(ORDER, order("HUB-1"))
    before = tenant.record("sales_orders", "HUB-1")
    time.sleep(0.01)
    step(erp, "Submit", "HUB-1")
    step(erp, "Audit", "HUB-1")
    audited = tenant.record("sales_orders", "HUB-1")
    step(erp, "UnAudit", "HUB-1")
    taken_back = tenant.record("sales_orders", "HUB-1")

    assert audited["FModifyDate"] == taken_back["FModifyDate"] == before["FModifyDate"]
    assert audited["FApproveDate"] > before["FModifyDate"]
    assert taken_back["FApproveDate"] is None


def test_under_a_workflow_plain_audit_is_refused_and_workflow_audit_closes(tenant: Tenant, erp: Client) -> None:
    tenant.vendor.settings.workflow_forms = frozenset({ORDER})
    erp.save(ORDER, order("HUB-1"))
    step(erp, "Submit", "HUB-1")

    assert "工作流" in failure(step(erp, "Audit", "HUB-1"))[1]
    service = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.WorkflowAudit"
    tenant.post(service, {"data": {"FormId": ORDER, "Numbers": ["HUB-1"], "ApprovalType": 1}}, headers=tenant.login())
    assert state(tenant, "HUB-1") == "C"


@pytest.mark.parametrize(
    ("form", "number", "operation", "field", "values"),
    [
        ("BD_Customer", "CUST0001", ("Forbid", "Enable"), "FForbidStatus", ("B", "A")),
        (ORDER, "HUB-A", ("Cancel", "UnCancel"), "FCancelStatus", ("B", "A")),
        (ORDER, "HUB-C", ("BillClose", "BillUnClose"), "FCloseStatus", ("B", "A")),
        (ORDER, "HUB-C", ("YLBillClose", "YLUnBillClose"), "FCloseStatus", ("B", "A")),
    ],
)
def test_operations_set_their_flag_and_take_it_back(
    tenant: Tenant, erp: Client, form: str, number: str, operation: tuple[str, str], field: str, values: tuple[str, str]
) -> None:
    tenant.put("sales_orders", order("HUB-A"))
    tenant.put("sales_orders", {**order("HUB-C"), "FDocumentStatus": "C"})

    for name, value in zip(operation, values, strict=True):
        assert erp.ExcuteOperation(form, name, {"Numbers": [number]})["Result"]["ResponseStatus"]["IsSuccess"]
        assert erp.query(form, field, f"{'FNumber' if form == 'BD_Customer' else 'FBillNo'}='{number}'", Limit=1) == [[value]]
        assert failure(erp.ExcuteOperation(form, name, {"Numbers": [number]})["Result"])[0] == 12


def test_closing_lines_closes_the_order_with_the_last_one(tenant: Tenant, erp: Client) -> None:
    made = tenant.put("sales_orders", {**order("HUB-1"), "FDocumentStatus": "C"})
    one, two = (line["FEntryID"] for line in made["FSaleOrderEntry"])

    erp.ExcuteOperation(ORDER, "Close", {"PkEntryIds": [{"Id": str(made["FID"]), "EntryIds": str(one)}]})
    half = tenant.record("sales_orders", "HUB-1")
    erp.ExcuteOperation(ORDER, "Close", {"PkEntryIds": [{"Id": str(made["FID"]), "EntryIds": str(two)}]})

    assert ([line["FMrpCloseStatus"] for line in half["FSaleOrderEntry"]], half["FCloseStatus"]) == (["B", "A"], "A")
    assert tenant.record("sales_orders", "HUB-1")["FCloseStatus"] == "B"


def test_unknown_operations_and_forms_are_named(erp: Client) -> None:
    assert "不存在" in failure(erp.ExcuteOperation(ORDER, "Dance", {"Numbers": ["x"]})["Result"])[1]
    assert "业务对象不存在" in failure(erp.Submit("SAL_Dream", {"Numbers": ["x"]})["Result"])[1]


# documents made from documents


@pytest.fixture
def audited(tenant: Tenant, erp: Client) -> dict[str, Any]:
    erp.approved(ORDER, order("HUB-1"))
    return tenant.record("sales_orders", "HUB-1")


def approve(erp: Client, form: str, number: str) -> None:
    for name in ("Submit", "Audit"):
        assert step(erp, name, number, form)["ResponseStatus"]["IsSuccess"]


def push(erp: Client, rule: str = "SaleOrder-OutStock", source: str = "HUB-1", form: str = ORDER, **more: Any) -> dict[str, Any]:
    result: dict[str, Any] = erp.Push(form, {"Numbers": [source], "RuleId": rule, **more})["Result"]
    return result


def number_of(result: dict[str, Any]) -> str:
    return str(result["ResponseStatus"]["SuccessEntitys"][0]["Number"])


def test_two_shipments_move_the_delivered_quantity_and_close_the_order(tenant: Tenant, erp: Client, audited: dict[str, Any]) -> None:
    first = number_of(push(erp))
    shipment = tenant.record("shipments", first)
    entry = shipment["FEntity"][0]
    assert (entry["FSoorDerno"], entry["FSOEntryId"]) == ("HUB-1", audited["FSaleOrderEntry"][0]["FEntryID"])
    erp.save("SAL_OUTSTOCK", {"FID": shipment["FID"], "FEntity": [{"FENTRYID": entry["FENTRYID"], "FRealQty": 4}]})
    approve(erp, "SAL_OUTSTOCK", first)
    half = tenant.record("sales_orders", "HUB-1")
    second = number_of(push(erp))
    approve(erp, "SAL_OUTSTOCK", second)
    done = tenant.record("sales_orders", "HUB-1")

    assert [(line["FStockOutQty"], line["FRemainOutQty"]) for line in half["FSaleOrderEntry"]] == [(4, 6), (0, 5)]
    assert [line["FRealQty"] for line in tenant.record("shipments", second)["FEntity"]] == [6, 5]
    assert [line["FStockOutQty"] for line in done["FSaleOrderEntry"]] == [10, 5]
    assert (half["FCloseStatus"], done["FCloseStatus"]) == ("A", "B")
    assert done["FModifyDate"] == audited["FModifyDate"]
    assert failure(push(erp))[1]


def test_nothing_is_pushed_twice_and_never_before_the_audit(tenant: Tenant, erp: Client, audited: dict[str, Any]) -> None:
    push(erp)
    again = failure(push(erp))
    tenant.put("sales_orders", order("HUB-2"))
    unaudited = failure(push(erp, source="HUB-2"))

    assert "关联数量" in again[1]
    assert "未审核" in unaudited[1]


def test_chosen_lines_are_pushed_by_their_entry_ids(tenant: Tenant, erp: Client, audited: dict[str, Any]) -> None:
    second = audited["FSaleOrderEntry"][1]["FEntryID"]

    made = erp.Push(ORDER, {"EntryIds": str(second), "RuleId": "", "IsEnableDefaultRule": "true", "TargetFormId": "SAL_OUTSTOCK"})["Result"]

    assert [line["FMaterialID"]["FNumber"] for line in tenant.record("shipments", number_of(made))["FEntity"]] == ["M002"]
    assert made["ConvertResponseStatus"]["IsSuccess"]


def test_an_order_with_shipments_cannot_be_un_audited(erp: Client, audited: dict[str, Any]) -> None:
    shipment = number_of(push(erp))
    refused = failure(step(erp, "UnAudit", "HUB-1"))
    step(erp, "Delete", shipment, "SAL_OUTSTOCK")

    assert "下游单据" in refused[1]
    assert step(erp, "UnAudit", "HUB-1")["ResponseStatus"]["IsSuccess"]


def test_un_auditing_a_shipment_takes_its_quantity_back(tenant: Tenant, erp: Client, audited: dict[str, Any]) -> None:
    shipment = number_of(push(erp))
    approve(erp, "SAL_OUTSTOCK", shipment)
    step(erp, "UnAudit", shipment, "SAL_OUTSTOCK")

    order_now = tenant.record("sales_orders", "HUB-1")
    assert [line["FStockOutQty"] for line in order_now["FSaleOrderEntry"]] == [0, 0]
    assert order_now["FCloseStatus"] == "A"


def outstock(audited: dict[str, Any], qty: int, *, linked: bool) -> dict[str, Any]:
    source = audited["FSaleOrderEntry"][0]
    link = {
        "FEntity_Link_FRuleId": "SaleOrder-OutStock",
        "FEntity_Link_FSTableName": "T_SAL_ORDERENTRY",
        "FEntity_Link_FSTableId": 0,
        "FEntity_Link_FSBillId": audited["FID"],
        "FEntity_Link_FSId": source["FEntryID"],
        "FEntity_Link_FSalBaseQty": qty,
    }
    line = {
        "FMaterialID": {"FNumber": "M001"},
        "FUnitID": {"FNumber": "Pcs"},
        "FRealQty": qty,
        "FStockID": {"FNumber": "CK01"},
        "FSoorDerno": "HUB-1",
    }
    return {
        "FDate": "2026-01-08",
        "FSaleOrgId": {"FNumber": "100"},
        "FStockOrgId": {"FNumber": "100"},
        "FCustomerID": {"FNumber": "CUST0001"},
        "FEntity": [{**line, "FEntity_Link": [link]} if linked else line],
    }


@pytest.mark.parametrize(("linked", "delivered"), [(True, 3), (False, 0)])
def test_a_saved_shipment_counts_only_through_its_link(
    tenant: Tenant,
    erp: Client,
    audited: dict[str, Any],
    linked: bool,  # noqa: FBT001  a case of the table
    delivered: int,
) -> None:
    erp.approved("SAL_OUTSTOCK", outstock(audited, 3, linked=linked))

    assert tenant.record("sales_orders", "HUB-1")["FSaleOrderEntry"][0]["FStockOutQty"] == delivered


def test_an_approved_shipment_takes_from_stock_and_a_return_puts_back(tenant: Tenant, erp: Client, audited: dict[str, Any]) -> None:
    def stock() -> list[list[Any]]:
        return erp.query("STK_Inventory", "FQty,FAVBQty", "FMaterialId.FNumber='M001'")

    made = erp.approved("SAL_OUTSTOCK", outstock(audited, 3, linked=True))
    after = stock()
    back = number_of(push(erp, "OutStock-SalReturnStock", made["Number"], "SAL_OUTSTOCK"))
    approve(erp, "SAL_RETURNSTOCK", back)

    assert after == [[97.0, 97.0]]
    assert stock() == [[100.0, 100.0]]
    assert tenant.record("sales_orders", "HUB-1")["FSaleOrderEntry"][0]["FReturnQty"] == 3


def test_a_shipment_becomes_a_receivable(tenant: Tenant, erp: Client, audited: dict[str, Any]) -> None:
    shipment = number_of(push(erp))
    approve(erp, "SAL_OUTSTOCK", shipment)

    made = number_of(push(erp, "SAL_OutStock-AR_receivable", shipment, "SAL_OUTSTOCK"))

    bill = tenant.record("receivables", made)
    assert (bill["FALLAMOUNTFOR"], bill["FsubHeadFinc"]["FTaxAmountFor"]) == (153, 17.6)
    assert {line["FORDERNUMBER"] for line in bill["FEntityDetail"]} == {"HUB-1"}


def test_receipt_and_refund_are_summed(tenant: Tenant, erp: Client) -> None:
    head = {
        "FDATE": "2026-01-20",
        "FCONTACTUNIT": {"FNumber": "CUST0001"},
        "FCURRENCYID": {"FNumber": "PRE001"},
        "FPAYORGID": {"FNumber": "100"},
    }
    line = {
        "FSETTLETYPEID": {"FNumber": "JSFS04_SYS"},
        "FPURPOSEID": {"FNumber": "SFKYT01_SYS"},
        "FRECTOTALAMOUNTFOR": "100.10",
        "FHANDLINGCHARGEFOR": "0.10",
    }

    receipt = erp.approved("AR_RECEIVEBILL", {**head, "FRECEIVEBILLENTRY": [line, {**line, "FSALEORDERNO": "HUB-1"}]})
    refund = erp.approved(
        "AR_REFUNDBILL", {**head, "FREFUNDBILLENTRY": [{"FSETTLETYPEID": {"FNumber": "JSFS04_SYS"}, "FREFUNDAMOUNTFOR": 5}]}
    )

    shown = tenant.record("receipts", receipt["Number"])
    assert shown["FRECEIVEAMOUNTFOR_H"] == 200
    assert shown["FSALEORGID"] == shown["FSETTLEORGID"] == {"FNumber": "100"}
    assert tenant.record("refunds", refund["Number"])["FREFUNDAMOUNTFOR_H"] == 5

"""Save, Draft and BatchSave, by the official SDK: what is refused, dropped, kept, numbered and worked out."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from sandbox.erp_kingdee.forms import FORMS
from sandbox.erp_kingdee.money import line_figures
from tests.sandbox.erp_kingdee.tenant import Client, Tenant, failure, order

CENT = Decimal("0.01")


def lines(tenant: Tenant, number: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tenant.record("sales_orders", number)["FSaleOrderEntry"]
    return found


def test_every_key_is_unique_within_its_form() -> None:
    """Save, query and metadata find a field by its key alone."""
    for form in FORMS.values():
        keys = [f.key.lower() for number, entity in enumerate(form.entities) for f in entity.fields if not (number and f.at < 2)]
        assert len(keys) == len(set(keys)), form.id


def test_a_new_order_is_created_not_submitted_and_its_money_is_worked_out(tenant: Tenant, erp: Client) -> None:
    result = erp.save("SAL_SaleOrder", order("HUB-1"), NeedReturnFields=["FBillNo", "FSaleOrderEntry.FEntryID", "FSaleOrderEntry.FSEQ"])

    assert result["ResponseStatus"]["SuccessEntitys"] == [{"Id": result["Id"], "Number": "HUB-1", "DIndex": 0}]
    assert [line["FSEQ"] for line in result["NeedReturnData"][0]["FSaleOrderEntry"]] == [1, 2]
    shown = tenant.record("sales_orders", "HUB-1")
    assert shown["FDocumentStatus"] == "A"
    assert (shown["FBillAmount"], shown["FBillTaxAmount"], shown["FBillAllAmount"]) == (135.4, 17.6, 153)
    first = shown["FSaleOrderEntry"][0]
    assert (first["FPrice"], first["FAmount"], first["FEntryTaxAmount"], first["FAllAmount"]) == (10, 100, 13, 113)
    assert shown["FReceiveId"] == shown["FCustId"] == {"FNumber": "CUST0001"}


@pytest.mark.parametrize(
    ("qty", "price", "tax_price", "rate", "discount_rate", "discount", "included", "expected"),
    [
        ("10", "0", "11.3", "13", "0", "0", True, ("100.00", "13.00", "113.00")),
        ("10", "10", "0", "13", "0", "0", False, ("100.00", "13.00", "113.00")),
        ("3", "0", "0.335", "0", "0", "0", True, ("1.01", "0.00", "1.01")),
        ("3", "0", "9.99", "13", "10", "0", True, ("23.87", "3.10", "26.97")),
        ("1", "0", "100", "13", "0", "7.5", True, ("81.86", "10.64", "92.50")),
        ("7", "1.111111", "0", "6", "0", "0", False, ("7.78", "0.47", "8.25")),
        ("1", "0", "0.01", "13", "0", "0", True, ("0.01", "0.00", "0.01")),
    ],
    ids=[
        "tax price entered",
        "net price entered",
        "half a cent goes up",
        "discount rate",
        "discount amount",
        "six places",
        "the smallest line",
    ],
)
def test_line_money_is_rounded_half_up_line_by_line(
    qty: str,
    price: str,
    tax_price: str,
    rate: str,
    discount_rate: str,
    discount: str,
    included: bool,  # noqa: FBT001  a case of the table
    expected: tuple[str, str, str],
) -> None:
    d = Decimal
    made = line_figures(
        d(qty),
        d(price),
        d(tax_price),
        d(rate),
        d(discount_rate),
        d(discount),
        included=included,
        by_amount=bool(float(discount)),
        places=CENT,
    )

    assert (str(made.amount), str(made.tax), str(made.total)) == expected
    assert made.amount + made.tax == made.total


def test_a_gift_costs_nothing(tenant: Tenant, erp: Client) -> None:
    model = order("HUB-1")
    model["FSaleOrderEntry"][0]["FIsFree"] = "true"
    erp.save("SAL_SaleOrder", model)

    assert lines(tenant, "HUB-1")[0]["FAllAmount"] == 0
    assert tenant.record("sales_orders", "HUB-1")["FBillAllAmount"] == 40


def test_the_price_that_is_sent_leads_and_the_other_follows(tenant: Tenant, erp: Client) -> None:
    saved = erp.save("SAL_SaleOrder", order("HUB-1"))
    entry = lines(tenant, "HUB-1")[0]["FEntryID"]

    erp.save("SAL_SaleOrder", {"FID": saved["Id"], "FSaleOrderEntry": [{"FEntryID": entry, "FPrice": 20}]}, IsDeleteEntry="false")

    assert lines(tenant, "HUB-1")[0]["FTaxPrice"] == 22.6
    assert lines(tenant, "HUB-1")[0]["FAllAmount"] == 226


def test_yen_have_no_cents(tenant: Tenant, erp: Client) -> None:
    model = order("HUB-JPY", FSaleOrderFinance={"FSettleCurrId": {"FNumber": "PRE004"}, "FIsIncludedTax": True})
    model["FSaleOrderEntry"][0]["FTaxPrice"] = "11.35"
    erp.save("SAL_SaleOrder", model)

    assert lines(tenant, "HUB-JPY")[0]["FAllAmount"] == 114


# keys and references


def test_keys_are_taken_in_any_case_but_unknown_and_misplaced_ones_are_refused(erp: Client) -> None:
    lower = erp.save("SAL_SaleOrder", {key.lower() if key != "FSaleOrderEntry" else key: value for key, value in order("HUB-1").items()})
    unknown = failure(erp.save("SAL_SaleOrder", order("HUB-2", FColour="red")))
    misplaced = failure(erp.save("SAL_SaleOrder", order("HUB-3", FSettleCurrId={"FNumber": "PRE001"})))
    in_head = failure(erp.save("SAL_SaleOrder", order("HUB-4", FQty=3)))

    assert lower["ResponseStatus"]["IsSuccess"]
    assert unknown == (9, "元数据中标识为FColour的字段不存在")
    assert "不存在此属性" in misplaced[1]
    assert "FSaleOrderEntry" in in_head[1]


def test_a_bad_reference_is_dropped_silently_unless_it_is_verified(erp: Client) -> None:
    model = order("HUB-1", FSaleDeptId={"FNumber": "NOPE"})

    verified = failure(erp.save("SAL_SaleOrder", model))
    silent = erp.save("SAL_SaleOrder", model, IsVerifyBaseDataField="false")
    required = failure(erp.save("SAL_SaleOrder", order("HUB-2", FCustId={"FNumber": "NOPE"}), IsVerifyBaseDataField="false"))

    assert "NOPE" in verified[1]
    assert silent["ResponseStatus"]["IsSuccess"]
    assert required == (11, "字段“客户”是必填项")


def test_base_data_must_be_allocated_to_the_document_s_organisation(tenant: Tenant, erp: Client) -> None:
    tenant.put(
        "customers",
        {"FNumber": "CUST0009", "FName": "只在华东", "FCreateOrgId": {"FNumber": "100"}, "FTRADINGCURRID": {"FNumber": "PRE001"}},
    )

    here = erp.save("SAL_SaleOrder", order("HUB-1", FCustId={"FNumber": "CUST0009"}))
    there = failure(erp.save("SAL_SaleOrder", order("HUB-2", FCustId={"FNumber": "CUST0009"}, FSaleOrgId={"FNumber": "200"})))

    assert here["ResponseStatus"]["IsSuccess"]
    assert "未分配" in there[1]


def test_each_organisation_s_order_holds_that_organisation_s_copy(erp: Client) -> None:
    erp.save("SAL_SaleOrder", order("HUB-200", FSaleOrgId={"FNumber": "200"}))

    assert erp.query("SAL_SaleOrder", "FCustId,FMaterialId", "FBillNo='HUB-200'")[0] == [200101, 300101]


def test_unaudited_or_forbidden_base_data_cannot_be_used(tenant: Tenant, erp: Client) -> None:
    erp.ExcuteOperation("BD_Customer", "Forbid", {"Ids": "200001"})

    assert "已禁用" in failure(erp.save("SAL_SaleOrder", order("HUB-1")))[1]


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("FDate", "2026-02-30", "不是有效的日期"),
        ("FDate", "yesterday", "不是有效的日期"),
        ("F_HUB_KEY", "x" * 21, "超过了允许的最大长度"),
        ("FBillNo", "N" * 31, "超过了允许的最大长度"),
        ("FNote", {"a": 1}, "对象"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_the_field(erp: Client, field: str, value: Any, word: str) -> None:
    result = erp.save("SAL_SaleOrder", order("HUB-1", **{field: value}))

    assert word in failure(result)[1]
    assert result["ResponseStatus"]["Errors"][0]["FieldName"] == field


@pytest.mark.parametrize("qty", ["ten", "1e30", "NaN", "123456789012345678901234567890"])
def test_numbers_that_are_none_or_too_large_are_refused(erp: Client, qty: str) -> None:
    model = order("HUB-1")
    model["FSaleOrderEntry"][0]["FQty"] = qty

    assert failure(erp.save("SAL_SaleOrder", model))[0] == 11


def test_all_missing_fields_are_named_at_once(erp: Client) -> None:
    errors = erp.save("SAL_SaleOrder", {"FBillNo": "HUB-1", "FSaleOrderEntry": [{"FQty": 1}]})["ResponseStatus"]["Errors"]

    assert {"FDate", "FSaleOrgId", "FCustId", "FSalerId", "FSettleCurrId", "FMaterialId"} <= {error["FieldName"] for error in errors}


def test_an_order_without_lines_is_refused_unless_it_is_a_draft(tenant: Tenant, erp: Client) -> None:
    refused = failure(erp.save("SAL_SaleOrder", order("HUB-1", FSaleOrderEntry=[])))
    draft = erp.Draft("SAL_SaleOrder", {"Model": {"FBillNo": "HUB-2"}})["Result"]

    assert "至少需要一行" in refused[1]
    assert draft["ResponseStatus"]["IsSuccess"]
    assert tenant.record("sales_orders", "HUB-2")["FDocumentStatus"] == "Z"


# numbers


def test_an_empty_number_is_filled_and_a_taken_one_refused(erp: Client) -> None:
    first, second = erp.save("SAL_SaleOrder", order()), erp.save("SAL_SaleOrder", order())
    taken = failure(erp.save("SAL_SaleOrder", order(first["Number"].lower())))

    assert (first["Number"], second["Number"]) == ("XSDD000001", "XSDD000002")
    assert taken[0] == 11
    assert "已存在" in taken[1]


def test_a_coding_rule_may_forbid_numbers_by_hand(tenant: Tenant, erp: Client) -> None:
    tenant.vendor.settings.manual_numbers = False

    assert erp.save("SAL_SaleOrder", order("HUB-1"))["Number"] == "XSDD000001"


def test_a_repeated_json_is_refused_only_where_that_is_asked(erp: Client) -> None:
    first = erp.save("SAL_SaleOrder", order(), ValidateRepeatJson="true")
    again = failure(erp.save("SAL_SaleOrder", order(), ValidateRepeatJson="true"))
    unasked = erp.save("SAL_SaleOrder", order())

    assert first["ResponseStatus"]["IsSuccess"]
    assert "重复" in again[1]
    assert unasked["ResponseStatus"]["IsSuccess"]


# updates


def test_an_update_deletes_the_lines_it_does_not_name_unless_told_otherwise(tenant: Tenant, erp: Client) -> None:
    saved = erp.save("SAL_SaleOrder", order("HUB-1"))
    one, two = (line["FEntryID"] for line in lines(tenant, "HUB-1"))
    new = {"FMaterialId": {"FNumber": "M001"}, "FUnitID": {"FNumber": "Pcs"}, "FQty": 1, "FTaxPrice": 1, "FDeliveryDate": "2026-01-10"}

    erp.save("SAL_SaleOrder", {"FID": saved["Id"], "FSaleOrderEntry": [{"FEntryID": two, "FEntryNote": "改"}, new]}, IsDeleteEntry="false")
    kept = [(line["FEntryID"], line["FSEQ"], line["FEntryNote"]) for line in lines(tenant, "HUB-1")]
    erp.save("SAL_SaleOrder", {"FID": saved["Id"], "FSaleOrderEntry": [{"FEntryID": two}]})

    assert kept[:2] == [(one, 1, ""), (two, 2, "改")]
    assert kept[2][0] > two
    assert [line["FEntryID"] for line in lines(tenant, "HUB-1")] == [two]
    assert tenant.record("sales_orders", "HUB-1")["FBillAllAmount"] == 40


def test_an_update_changes_only_what_it_names_and_need_update_fields_narrows_it(tenant: Tenant, erp: Client) -> None:
    saved = erp.save("SAL_SaleOrder", order("HUB-1", FNote="旧"))
    entry = lines(tenant, "HUB-1")[0]["FEntryID"]
    change = {"FID": saved["Id"], "FNote": "新", "FReceiveAddress": "新地址", "FSaleOrderEntry": [{"FEntryID": entry, "FQty": 99}]}

    erp.save("SAL_SaleOrder", change, NeedUpDateFields=["FNote"], IsDeleteEntry="false")
    narrowed = tenant.record("sales_orders", "HUB-1")
    erp.save("SAL_SaleOrder", change, NeedUpDateFields=["FSaleOrderEntry", "FQty"], IsDeleteEntry="false")

    assert (narrowed["FNote"], narrowed["FReceiveAddress"], narrowed["FSaleOrderEntry"][0]["FQty"]) == ("新", "", 10)
    assert lines(tenant, "HUB-1")[0]["FQty"] == 99
    assert len(lines(tenant, "HUB-1")) == 2


def test_absent_keeps_null_empties(tenant: Tenant, erp: Client) -> None:
    saved = erp.save("SAL_SaleOrder", order("HUB-1", FNote="备注", FReceiveAddress="地址"))

    erp.save("SAL_SaleOrder", {"FID": saved["Id"], "FNote": None})

    shown = tenant.record("sales_orders", "HUB-1")
    assert (shown["FNote"], shown["FReceiveAddress"]) == ("", "地址")


def test_unknown_ids_and_lines_are_refused(erp: Client) -> None:
    saved = erp.save("SAL_SaleOrder", order("HUB-1"))

    assert failure(erp.save("SAL_SaleOrder", {"FID": 999999, "FNote": "x"}))[0] == 10
    assert failure(erp.save("SAL_SaleOrder", {"FID": saved["Id"], "FSaleOrderEntry": [{"FEntryID": 5, "FQty": 1}]}))[0] == 10


def test_a_quantity_sent_after_the_price_resets_it_unless_keys_are_put_in_order(tenant: Tenant, erp: Client) -> None:
    model = order("HUB-1")
    line = model["FSaleOrderEntry"][0]
    model["FSaleOrderEntry"] = [{**{k: v for k, v in line.items() if k != "FQty"}, "FQty": 10}]
    sorted_out = {**model, "FBillNo": "HUB-2"}

    erp.save("SAL_SaleOrder", model, IsAutoAdjustField="false")
    erp.save("SAL_SaleOrder", sorted_out, IsAutoAdjustField="true")

    assert lines(tenant, "HUB-1")[0]["FTaxPrice"] == 0
    assert lines(tenant, "HUB-2")[0]["FTaxPrice"] == 11.3


def test_read_only_fields_are_ignored(tenant: Tenant, erp: Client) -> None:
    model = order("HUB-1", FDocumentStatus="C", FBillAllAmount=1)
    erp.save("SAL_SaleOrder", model)

    shown = tenant.record("sales_orders", "HUB-1")
    assert (shown["FDocumentStatus"], shown["FBillAllAmount"]) == ("A", 153)


def test_saving_moves_the_modify_date_in_china_time(tenant: Tenant, erp: Client) -> None:
    from datetime import datetime, timedelta, timezone

    saved = erp.save("SAL_SaleOrder", order("HUB-1"))
    first = tenant.record("sales_orders", "HUB-1")["FModifyDate"]
    time.sleep(0.01)
    erp.save("SAL_SaleOrder", {"FID": saved["Id"], "FNote": "x"})
    second = tenant.record("sales_orders", "HUB-1")["FModifyDate"]

    now = datetime.now(timezone(timedelta(hours=8))).replace(tzinfo=None)
    assert first < second
    assert abs(datetime.fromisoformat(first) - now) < timedelta(seconds=60)


# base data


def test_a_customer_is_kept_under_its_own_pk_and_can_be_saved_while_audited(tenant: Tenant, erp: Client) -> None:
    model = {
        "FNumber": "CUST0100",
        "FName": "苏州新客户有限公司",
        "FCreateOrgId": {"FNumber": "100"},
        "FTRADINGCURRID": {"FNumber": "PRE001"},
        "F_HUB_KEY": "K1",
    }
    made = erp.approved("BD_Customer", model)

    again = erp.save("BD_Customer", {"FCUSTID": made["Id"], "FTEL": "0512-1234567"})
    tenant.vendor.settings.edit_audited_base_data = False
    refused = failure(erp.save("BD_Customer", {"FCUSTID": made["Id"], "FTEL": "1"}))

    assert again["ResponseStatus"]["IsSuccess"]
    shown = tenant.record("customers", made["Id"])
    assert (shown["FTEL"], shown["FDocumentStatus"], shown["FMasterId"], shown["FUseOrgId"]) == (
        "0512-1234567",
        "C",
        made["Id"],
        {"FNumber": "100"},
    )
    assert "单据已审核" in refused[1]
    assert erp.query("BD_Customer", "FCUSTID", "F_HUB_KEY='K1'") == [[made["Id"]]]


def test_allocating_makes_a_copy_with_its_own_id_and_the_shared_master_id(tenant: Tenant, erp: Client) -> None:
    model = {
        "FNumber": "CUST0100",
        "FName": "苏州新客户有限公司",
        "FCreateOrgId": {"FNumber": "100"},
        "FTRADINGCURRID": {"FNumber": "PRE001"},
    }
    made = erp.approved("BD_Customer", model)
    org = erp.query("ORG_Organizations", "FOrgID", "FNumber='200'")[0][0]

    status = erp.Allocate("BD_Customer", {"PkIds": str(made["Id"]), "TOrgIds": str(org)})["Result"]["ResponseStatus"]
    twice = erp.Allocate("BD_Customer", {"PkIds": str(made["Id"]), "TOrgIds": "200"})["Result"]["ResponseStatus"]

    copies = erp.query("BD_Customer", "FCUSTID,FMasterId,FUseOrgId.FNumber", "FNumber='CUST0100'", "FCUSTID")
    assert status["IsSuccess"]
    assert "已存在" in twice["Errors"][0]["Message"]
    assert copies == [[made["Id"], made["Id"], "100"], [status["SuccessEntitys"][0]["Id"], made["Id"], "200"]]


def test_groups_are_saved_and_listed(tenant: Tenant, erp: Client) -> None:
    made = erp.GroupSave("BD_Customer", {"GroupFieldKey": "FGroup", "FNumber": "G1", "FName": "核心"})
    listed = tenant.post(
        "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.QueryGroupInfo",
        {"data": {"FormId": "BD_Customer", "GroupFieldKey": "FGroup"}},
        headers=tenant.login(),
    ).json()

    assert made["Result"]["ResponseStatus"]["IsSuccess"]
    assert listed["Result"]["NeedReturnData"][0]["FNUMBER"] == "G1"


# batches


def test_a_batch_is_partly_done_and_dindex_tells_which(tenant: Tenant, erp: Client) -> None:
    models = [order("B-1"), order("B-2", FCustId={"FNumber": "NOPE"}), order("B-3"), order("B-1")]

    status = erp.BatchSave("SAL_SaleOrder", {"IsVerifyBaseDataField": True, "Model": models})["Result"]["ResponseStatus"]

    assert not status["IsSuccess"]
    assert [(done["DIndex"], done["Number"]) for done in status["SuccessEntitys"]] == [(0, "B-1"), (2, "B-3")]
    assert {bad["DIndex"] for bad in status["Errors"]} == {1, 3}
    line = tenant.log()[-1]
    assert (line["operation"], len(line["keys"]), len(line["created"])) == ("save", 2, 2)


def test_a_refused_document_leaves_nothing_behind(erp: Client) -> None:
    model = {
        "FNumber": "CUST0100",
        "FName": "半途而废",
        "FCreateOrgId": {"FNumber": "100"},
        "FTRADINGCURRID": {"FNumber": "PRE001"},
        "FSELLER": {"FNumber": "NOPE"},
    }

    failure(erp.save("BD_Customer", model))

    assert erp.query("BD_Customer", "FNumber", "FNumber='CUST0100'") == []
    assert erp.save("BD_Customer", {**model, "FSELLER": {"FNumber": "S001"}})["ResponseStatus"]["IsSuccess"]


def test_save_submit_and_audit_at_once_are_one_transaction(tenant: Tenant, erp: Client) -> None:
    done = erp.save("SAL_SaleOrder", order("HUB-1"), IsAutoSubmitAndAudit="true")
    tenant.vendor.settings.workflow_forms = frozenset({"SAL_SaleOrder"})
    refused = erp.save("SAL_SaleOrder", order("HUB-2"), IsAutoSubmitAndAudit="true")

    assert done["ResponseStatus"]["IsSuccess"]
    assert tenant.record("sales_orders", "HUB-1")["FDocumentStatus"] == "C"
    assert "工作流" in failure(refused)[1]
    assert erp.query("SAL_SaleOrder", "FBillNo", "FBillNo='HUB-2'") == []


def test_the_sdk_polls_an_asynchronous_batch_until_it_is_complete(tenant: Tenant, erp: Client) -> None:
    status = erp.BatchSaveQuery("SAL_SaleOrder", {"Model": [order("A-1"), order("A-2")]})["Result"]["ResponseStatus"]

    assert [done["Number"] for done in status["SuccessEntitys"]] == ["A-1", "A-2"]
    polls = [line for line in tenant.log() if "QueryAsyncResult" in line["path"]]
    assert len(polls) == 2


@pytest.mark.parametrize(("share", "refused"), [(0.5, {2, 3}), (1, {3}), (3, {1, 2, 3})])
def test_a_partial_batch_fault_refuses_the_last_records(tenant: Tenant, erp: Client, share: float, refused: set[int]) -> None:
    tenant.fault("partial_batch", share)

    status = erp.BatchSave("SAL_SaleOrder", {"Model": [order(f"B-{n}") for n in range(4)]})["Result"]["ResponseStatus"]

    assert {bad["DIndex"] for bad in status["Errors"]} == refused
    assert {done["DIndex"] for done in status["SuccessEntitys"]} == {0, 1, 2, 3} - refused


def test_a_shuffled_batch_answers_in_another_order(tenant: Tenant, erp: Client) -> None:
    tenant.fault("shuffle_batch")

    status = erp.BatchSave("SAL_SaleOrder", {"Model": [order(f"B-{n}") for n in range(6)]})["Result"]["ResponseStatus"]

    order_of = [done["DIndex"] for done in status["SuccessEntitys"]]
    assert sorted(order_of) == [0, 1, 2, 3, 4, 5]
    assert order_of != sorted(order_of)
    assert all(done["Number"] == f"B-{done['DIndex']}" for done in status["SuccessEntitys"])

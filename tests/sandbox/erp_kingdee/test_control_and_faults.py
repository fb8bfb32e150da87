"""The control door as a user of the ERP, loading a world, faults in the ERP's own words, and the server as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.core import Rejected
from sandbox.erp_kingdee import STREAMS, make
from sandbox.serve import load
from tests.sandbox.erp_kingdee.tenant import Client, Tenant, failure, little_tenant, order

ROOT = Path(__file__).resolve().parents[3]


# a user's edits


def test_a_user_s_order_is_saved_submitted_and_audited_in_one_go(tenant: Tenant) -> None:
    shown = tenant.put("sales_orders", {**order("HUB-1"), "FDocumentStatus": "C"})

    assert (shown["FDocumentStatus"], shown["FBillAllAmount"]) == ("C", 153)
    assert shown["FApproveDate"] >= shown["FModifyDate"]


def test_a_user_s_edit_moves_the_modify_date_even_of_an_audited_document(tenant: Tenant) -> None:
    made = tenant.put("sales_orders", {**order("HUB-1"), "FDocumentStatus": "C"})

    changed = tenant.put("sales_orders", {"FID": made["FID"], "FNote": "客户来电改地址"})

    assert changed["FModifyDate"] > made["FModifyDate"]
    assert (changed["FDocumentStatus"], changed["FNote"]) == ("C", "客户来电改地址")
    assert len(changed["FSaleOrderEntry"]) == 2


def test_a_user_finds_records_by_number_and_organisation(tenant: Tenant) -> None:
    tenant.put("customers", {"FNumber": "CUST0001", "FUseOrgId": {"FNumber": "200"}, "FTEL": "020-1"})
    tenant.put("customers", {"FCUSTID": 200001, "FTEL": "021-1"})

    copies = {
        doc["FUseOrgId"]["FNumber"]: doc["FTEL"]
        for doc in requests.get(f"{tenant.server.control_url}/records/customers?key=CUST0001", timeout=5).json()
    }
    assert copies == {"100": "021-1", "200": "020-1"}


def test_a_warehouse_s_shipment_counts_against_the_order_it_names(tenant: Tenant) -> None:
    made = tenant.put("sales_orders", {**order("HUB-1"), "FDocumentStatus": "C"})
    entry = made["FSaleOrderEntry"][0]
    shipment = {
        "FDate": "2026-01-08",
        "FSaleOrgId": {"FNumber": "100"},
        "FCustomerID": {"FNumber": "CUST0001"},
        "FDocumentStatus": "C",
        "FEntity": [
            {
                "FMaterialID": {"FNumber": "M001"},
                "FUnitID": {"FNumber": "Pcs"},
                "FRealQty": 4,
                "FSoorDerno": "HUB-1",
                "FSOEntryId": entry["FEntryID"],
            }
        ],
    }

    shipped = tenant.put("shipments", shipment)
    line = {"FENTRYID": shipped["FEntity"][0]["FENTRYID"], "FRealQty": 6}
    tenant.put("shipments", {"FID": shipped["FID"], "FEntity": [line]})
    more = tenant.record("sales_orders", "HUB-1")["FSaleOrderEntry"][0]["FStockOutQty"]
    requests.delete(f"{tenant.server.control_url}/records/shipments/{shipped['FID']}", timeout=5)

    assert more == 6
    assert tenant.record("sales_orders", "HUB-1")["FSaleOrderEntry"][0]["FStockOutQty"] == 0


@pytest.mark.parametrize(
    "doc",
    [{"FCustId": {"FNumber": "NOPE"}}, {"FDate": "tomorrow"}, {"FID": 424242, "FNote": "x"}],
    ids=["unknown customer", "bad date", "unknown id"],
)
def test_an_edit_no_screen_would_take_is_refused_with_a_reason(tenant: Tenant, doc: dict[str, Any]) -> None:
    answer = requests.post(f"{tenant.server.control_url}/records/sales_orders", json={**order("HUB-1"), **doc}, timeout=5)

    assert answer.status_code == 400
    assert "SAL_SaleOrder" in answer.json()["error"]


def test_late_rows_carry_an_old_modify_date(tenant: Tenant) -> None:
    tenant.put("customers", {"FCUSTID": 200001, "FTEL": "1"})
    now = tenant.record("customers", 200001)["FModifyDate"]
    tenant.fault("late_row", 600, stream="customers")

    late = tenant.put("customers", {"FCUSTID": 200001, "FTEL": "2"})

    assert late["FModifyDate"] < now
    assert tenant.put("customers", {"FCUSTID": 200001, "FTEL": "3"})["FModifyDate"] > now


def test_a_late_row_of_one_kind_of_call_leaves_users_alone(tenant: Tenant, erp: Client) -> None:
    tenant.fault("late_row", 600, path="Save")

    by_user = tenant.put("customers", {"FCUSTID": 200001, "FTEL": "1"})
    erp.save("BD_Customer", {"FCUSTID": 200001, "FTEL": "2"})

    assert tenant.record("customers", 200001)["FModifyDate"] < by_user["FModifyDate"]


def test_reset_leaves_an_empty_tenant_or_the_world_it_started_with(tenant: Tenant, erp: Client) -> None:
    requests.post(f"{tenant.server.control_url}/reset", timeout=5)
    assert erp.query("BD_Customer", "FNumber") == [] or erp.query("BD_Customer", "FNumber") == []
    assert erp.query("ORG_Organizations", "FNumber", "", "FNumber") == [["100"], ["200"]]

    tenant.vendor.reseed = lambda: tenant.vendor.load(little_tenant())
    requests.post(f"{tenant.server.control_url}/reset", timeout=5)
    assert len(requests.get(f"{tenant.server.control_url}/records/customers", timeout=5).json()) == 4


# loading


def test_a_loaded_document_is_kept_as_it_stands() -> None:
    vendor = make(7)
    document = {
        "FID": 5001,
        **order("XSDD000777"),
        "FDocumentStatus": "C",
        "FCloseStatus": "B",
        "FCreateDate": "2024-03-01T09:00:00",
        "FModifyDate": "2024-03-02T10:00:00.5",
        "FApproveDate": "2024-03-02T10:00:00",
    }
    world = {"kingdee": {**little_tenant(), "sales_orders": [document]}, "zoho": {}}

    assert load(vendor, world) == 11
    shown = vendor.records("SAL_SaleOrder", {})[0]
    assert (shown["FID"], shown["FDocumentStatus"], shown["FCloseStatus"], shown["FModifyDate"]) == (
        5001,
        "C",
        "B",
        "2024-03-02T10:00:00.5",
    )
    assert shown["FBillAllAmount"] == 153
    assert vendor.put("SAL_SaleOrder", order())["FBillNo"] == "XSDD000778"
    assert vendor.records("SAL_SaleOrder", {"key": "XSDD000778"})[0]["FID"] > 5001


@pytest.mark.parametrize(
    ("stream", "doc", "word"),
    [
        ("sales_orders", {"FCustId": {"FNumber": "NOPE"}}, "NOPE"),
        ("sales_orders", {"FColour": "red"}, "FColour"),
        ("sales_orders", {"FDate": "never"}, "never"),
        ("sales_orders", {"FSaleOrderEntry": [{"FWidth": 1}]}, "FWidth"),
    ],
)
def test_a_world_with_a_mistake_names_the_record_and_loads_nothing(stream: str, doc: dict[str, Any], word: str) -> None:
    vendor = make(7)
    vendor.load(little_tenant())

    with pytest.raises(Rejected, match="X-1") as refused:
        vendor.load({stream: [order("X-0"), {**order("X-1"), **doc}]})

    assert word in str(refused.value)
    assert vendor.records("SAL_SaleOrder", {}) == []


def test_every_stream_of_the_hub_has_its_form() -> None:
    vendor = make(7)

    for stream, form in STREAMS.items():
        assert vendor.native(stream.upper()) == form
        assert isinstance(vendor.records(form, {}), list)


# faults in the ERP's words


def test_response_error_is_plain_text_and_the_sdk_raises(tenant: Tenant) -> None:
    tenant.fault("response_error", "索引超出了数组界限。", path="View")

    with pytest.raises(RuntimeError, match="索引超出了数组界限"):
        tenant.sdk().View("SAL_SaleOrder", {"Number": "x"})


def test_a_lock_is_msgcode_13_and_passes(tenant: Tenant, erp: Client) -> None:
    tenant.fault("lock", stream="sales_orders")

    code, why = failure(erp.save("SAL_SaleOrder", order("HUB-1")))

    assert code == 13
    assert "冲突" in why
    assert erp.save("SAL_SaleOrder", order("HUB-1"))["ResponseStatus"]["IsSuccess"]


def test_a_spent_quota_is_msgcode_14(tenant: Tenant, erp: Client) -> None:
    tenant.fault("quota")

    assert erp.query("BD_Customer", "FNumber")[0][0]["Result"]["ResponseStatus"]["MsgCode"] == 14


@pytest.mark.parametrize(("effect", "committed"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_save_is_committed_or_not(tenant: Tenant, erp: Client, effect: str, committed: int) -> None:
    tenant.fault(effect, path="Save")

    with pytest.raises(requests.ConnectionError):
        erp.save("SAL_SaleOrder", order("HUB-1"))

    assert len(erp.query("SAL_SaleOrder", "FBillNo", "FBillNo='HUB-1'")) == committed
    assert [len(line["created"]) for line in tenant.log() if line["fault"] == effect] == [committed]


@pytest.mark.parametrize("effect", ["status", "html", "garbage", "truncate", "empty", "retry_after"])
def test_the_sdk_meets_the_other_faults_without_a_commit_of_a_read(tenant: Tenant, effect: str) -> None:
    sdk = tenant.sdk()
    tenant.fault(effect, 500 if effect == "status" else None)

    try:
        text = sdk.ExecuteBillQuery({"FormId": "BD_Customer", "FieldKeys": "FNumber"})
    except (RuntimeError, requests.RequestException) as error:
        text = str(error)

    good = sdk.ExecuteBillQuery({"FormId": "BD_Customer", "FieldKeys": "FNumber"})
    assert text != good
    assert len(json.loads(good)) == 4


# the server as a process


def start(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    command = [sys.executable, "-m", "sandbox.serve", "kingdee", "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.stdout is not None
    described: dict[str, Any] = json.loads(process.stdout.readline())
    return process, described


def test_the_process_prints_where_it_listens_keeps_its_data_and_stops_on_sigterm(tmp_path: Path) -> None:
    world = tmp_path / "world.json"
    world.write_text(json.dumps({"kingdee": little_tenant()}, ensure_ascii=False), encoding="utf-8")
    arguments = ("--seed", "7", "--db", str(tmp_path / "erp.sqlite"), "--world", str(world))

    process, described = start(*arguments)
    requests.post(f"{described['control']}/records/customers", json={"FCUSTID": 200001, "FTEL": "改过"}, timeout=10)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    again, reopened = start(*arguments)
    try:
        shown = requests.get(f"{reopened['control']}/records/customers?key=200001", timeout=10).json()
        again.send_signal(signal.SIGTERM)

        assert again.wait(10) == 0
        assert shown[0]["FTEL"] == "改过"
        assert described["credentials"]["ServerUrl"] == f"{described['url']}/k3cloud/"
    finally:
        for child in (process, again):
            child.kill()
            child.wait(10)


def test_a_wrong_world_ends_with_exit_code_2(tmp_path: Path) -> None:
    world = tmp_path / "world.json"
    world.write_text('{"kingdee": {"sales_orders": [{"FBillNo": "X-1", "FColour": 1}]}}')
    command = [sys.executable, "-m", "sandbox.serve", "kingdee", "--world", str(world)]

    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )

    assert done.returncode == 2
    assert "X-1" in done.stderr

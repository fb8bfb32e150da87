"""Bulk read and bulk write: states, ZIP with one CSV, conditions, results per row."""

from __future__ import annotations

import csv
import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.sandbox.crm_zoho.conftest import READER, Zoho


def _job(zoho: Zoho, query: dict[str, Any]) -> str:
    entry = zoho.read("POST", "/crm/bulk/v8/read", {"query": query})["data"][0]
    assert (entry["code"], entry["details"]["state"]) == ("ADDED_SUCCESSFULLY", "ADDED")
    return str(entry["details"]["id"])


def _unpacked(answer: requests.Response) -> list[dict[str, str]]:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
        return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def _read(zoho: Zoho, query: dict[str, Any]) -> list[dict[str, str]]:
    job = _job(zoho, query)
    for _ in range(3):
        zoho.read("GET", f"/crm/bulk/v8/read/{job}")
    return _unpacked(zoho.call("GET", f"/crm/bulk/v8/read/{job}/result"))


def _named(name: str) -> dict[str, str]:
    return {"api_name": name}


def test_a_job_goes_through_its_states_and_then_has_a_result(zoho: Zoho, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.crm_zoho.bulk_read.STEP_S", 3600)  # only polls move it on
    zoho.insert("Accounts", {"Account_Name": '华南, "经销"\n有限公司', "Credit_Limit": Decimal("1000.10")})
    job = _job(zoho, {"module": _named("Accounts"), "fields": ["Account_Name", "Credit_Limit"]})
    early = zoho.call("GET", f"/crm/bulk/v8/read/{job}/result")
    states = [zoho.read("GET", f"/crm/bulk/v8/read/{job}")["data"][0] for _ in range(3)]
    (row,) = _unpacked(zoho.call("GET", f"/crm/bulk/v8/read/{job}/result"))

    assert early.status_code == 204
    assert [entry["state"] for entry in states] == ["QUEUED", "IN PROGRESS", "COMPLETED"]
    assert states[2]["result"] | {"download_url": ""} == {
        "page": 1,
        "per_page": 200_000,
        "count": 1,
        "download_url": "",
        "more_records": False,
        "next_page_token": None,
    }
    assert (row["Account_Name"], row["Credit_Limit"]) == ('华南, "经销"\n有限公司', "1000.10")


def test_a_job_ends_by_itself_without_polls(zoho: Zoho) -> None:
    zoho.insert("Accounts", {"Account_Name": "华南"})
    job = _job(zoho, {"module": _named("Accounts")})
    zoho.vendor.box.clock.shift_s = 1
    assert zoho.read("GET", f"/crm/bulk/v8/read/{job}")["data"][0]["state"] == "COMPLETED"


def test_pages_continue_where_the_last_ended(zoho: Zoho, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.crm_zoho.bulk_read.PER_PAGE", 2)
    zoho.insert("Accounts", *({"Account_Name": f"客户{n}"} for n in range(5)))
    pages = [_read(zoho, {"module": _named("Accounts"), "fields": ["Account_Name"], "page": page}) for page in (1, 2, 3)]
    assert [[row["Account_Name"] for row in page] for page in pages] == [["客户0", "客户1"], ["客户2", "客户3"], ["客户4"]]


def test_conditions_lookups_and_the_rows_of_a_subform(zoho: Zoho, order: str) -> None:
    found = zoho.one("Sales_Orders", order)
    group = [
        {"field": _named("Hub_Key"), "comparator": "in", "value": ["S1", "S2"]},
        {"group_operator": "or", "group": [
            {"field": _named("Grand_Total"), "comparator": "greater_than", "value": 1000},
            {"field": _named("Subject"), "comparator": "starts_with", "value": "so"},
        ]},
    ]  # fmt: skip
    query = {
        "module": _named("Sales_Orders"),
        "fields": ["Subject", "Account_Name", "Account_Name.Account_Name", "Paid_Amount"],
        "criteria": {"group_operator": "and", "group": group},
    }
    (row,) = _read(zoho, query)
    lines = _read(zoho, {"module": _named("Ordered_Items"), "fields": ["Product_Name", "Quantity", "Hub_Line"]})

    assert row == {
        "Id": order,
        "Subject": "SO-1",
        "Account_Name": found["Account_Name"]["id"],
        "Account_Name.Account_Name": "深圳市华南经销有限公司",
        "Paid_Amount": "",
    }
    assert [(line["Parent_Id"], line["Quantity"], line["Hub_Line"]) for line in lines] == [(order, "3", "L1"), (order, "2.5", "L2")]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (None, "MANDATORY_NOT_FOUND"),
        ({"module": {"api_name": "Nothing"}}, "INVALID_MODULE"),
        ({"module": {"api_name": "Accounts"}, "page": 0}, "INVALID_DATA"),
        ({"module": {"api_name": "Accounts"}, "fields": ["Nothing"]}, "INVALID_QUERY"),
        ({"module": {"api_name": "Quotes"}, "fields": ["Quoted_Items"]}, "INVALID_QUERY"),
        ({"module": {"api_name": "Accounts"}, "criteria": {"field": {"api_name": "Phone"}, "comparator": "sounds_like"}}, "INVALID_QUERY"),
    ],
    ids=str,
)
def test_a_wrong_job_is_refused(zoho: Zoho, query: Any, code: str) -> None:
    answer = zoho.call("POST", "/crm/bulk/v8/read", {"query": query})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert zoho.call("GET", "/crm/bulk/v8/read/572576700999999999").status_code == 404


def _upload(zoho: Zoho, text: str, **headers: str) -> requests.Response:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("accounts.csv", text)
    zoho.sign_in()
    sent = {
        "Authorization": f"Zoho-oauthtoken {zoho.token}",
        "feature": "bulk-write",
        "X-CRM-ORG": str(zoho.vendor.credentials(zoho.url)["org_id"]),
        **headers,
    }
    return requests.post(f"{zoho.url}/crm/v8/upload", files={"file": ("accounts.zip", packed.getvalue())}, headers=sent, timeout=10)


def test_a_bulk_write_upserts_rows_and_reports_each(zoho: Zoho) -> None:
    zoho.insert("Accounts", {"Account_Name": "旧名", "Hub_Key": "A1", "Phone": "0755"})
    text = "Account_Name,Hub_Key,Credit_Limit,Phone\n新名,A1,10.5,\n新客户,A2,20,010\n,A3,,\n坏,A4,viel,\n"
    file_id = _upload(zoho, text).json()["details"]["file_id"]
    mappings = [{"api_name": name, "index": at} for at, name in enumerate(("Account_Name", "Hub_Key", "Credit_Limit", "Phone"))]
    resource = {"type": "data", "module": _named("Accounts"), "file_id": file_id, "find_by": "Hub_Key", "ignore_empty": True}
    answer = zoho.read("POST", "/crm/bulk/v8/write", {"operation": "upsert", "resource": [{**resource, "field_mappings": mappings}]})
    zoho.vendor.box.clock.shift_s = 1
    job = READER.decode(zoho.call("GET", f"/crm/bulk/v8/write/{answer['details']['id']}").content)
    rows = _unpacked(zoho.call("GET", job["result"]["download_url"]))

    counts = job["resource"][0]["file"]
    assert (job["status"], counts["added_count"], counts["updated_count"], counts["skipped_count"]) == ("COMPLETED", 1, 1, 2)
    assert [(row["STATUS"], row["ERRORS"]) for row in rows] == [
        ("UPDATED", ""),
        ("ADDED", ""),
        ("SKIPPED", "MANDATORY_NOT_FOUND-Account_Name"),
        ("SKIPPED", "INVALID_DATA-Credit_Limit"),
    ]
    changed = zoho.one("Accounts", rows[0]["RECORD_ID"])
    assert (changed["Account_Name"], changed["Phone"], str(changed["Credit_Limit"])) == ("新名", "0755", "10.5")


def test_an_upload_needs_its_headers_and_a_zip(zoho: Zoho) -> None:
    assert _upload(zoho, "Account_Name\n", feature="other").status_code == 400
    assert _upload(zoho, "Account_Name\n", **{"X-CRM-ORG": "1"}).status_code == 400
    sent = {"Authorization": f"Zoho-oauthtoken {zoho.token}", "feature": "bulk-write", "X-CRM-ORG": "572576700"}
    bad = requests.post(f"{zoho.url}/crm/v8/upload", files={"file": ("a.zip", b"no zip")}, headers=sent, timeout=10)
    assert bad.json()["code"] == "INVALID_FILE_FORMAT"
    unknown = zoho.call("POST", "/crm/bulk/v8/write", {"operation": "insert", "resource": [{"file_id": "1", "module": _named("Accounts")}]})
    assert unknown.json()["details"]["api_name"] == "file_id"

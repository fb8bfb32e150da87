"""Lists and their pages, single records, search, and the list of deleted records."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.crm_zoho.conftest import Zoho


def _accounts(zoho: Zoho, count: int) -> list[str]:
    docs = [
        {
            "id": f"572576700900{n:06d}",
            "Account_Name": f"客户{n:05d}",
            "Modified_Time": f"2026-01-{1 + n // 1000:02d}T08:{n // 60 % 60:02d}:{n % 60:02d}+08:00",
        }
        for n in range(count)
    ]
    zoho.vendor.load({"accounts": docs})
    return [str(doc["id"]) for doc in docs]


def _list(zoho: Zoho, **params: str) -> Any:
    return zoho.read("GET", "/crm/v8/Accounts", params={"fields": "Account_Name", **params})


def _refusal(zoho: Zoho, path: str, headers: Any = None, **params: str) -> str:
    answer = zoho.call("GET", path, params=params, headers=headers)
    assert answer.status_code == 400
    return str(answer.json()["code"])


def test_a_list_wants_its_fields_named(zoho: Zoho) -> None:
    assert _refusal(zoho, "/crm/v8/Accounts") == "REQUIRED_PARAM_MISSING"
    assert _refusal(zoho, "/crm/v8/Accounts", fields=",".join(f"F{n}" for n in range(51))) == "LIMIT_EXCEEDED"


def test_a_list_is_by_id_downward_unless_told_otherwise(zoho: Zoho) -> None:
    ids = _accounts(zoho, 5)
    assert [row["id"] for row in _list(zoho)["data"]] == ids[::-1]
    assert [row["id"] for row in _list(zoho, sort_order="asc")["data"]] == ids
    assert [row["id"] for row in _list(zoho, sort_by="Modified_Time", sort_order="asc", per_page="2", page="2")["data"]] == ids[2:4]
    assert _list(zoho)["info"] | {"page_token_expiry": None} == {
        "per_page": 200,
        "count": 5,
        "page": 1,
        "sort_by": "id",
        "sort_order": "desc",
        "more_records": False,
        "next_page_token": None,
        "previous_page_token": None,
        "page_token_expiry": None,
    }


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"per_page": "201"}, "INVALID_DATA"),
        ({"per_page": "0"}, "INVALID_DATA"),
        ({"page": "0"}, "INVALID_DATA"),
        ({"page": "x"}, "INVALID_DATA"),
        ({"sort_by": "Account_Name"}, "INVALID_DATA"),
        ({"sort_order": "up"}, "INVALID_DATA"),
        ({"page_token": "nonsense"}, "INVALID_DATA"),
        ({"page": "11"}, "DISCRETE_PAGINATION_LIMIT_EXCEEDED"),
        ({"page": "1", "page_token": "x"}, "AMBIGUITY_DURING_PROCESSING"),
        ({"cvid": "1", "sort_by": "id"}, "AMBIGUITY_DURING_PROCESSING"),
        ({"ids": ",".join(str(n) for n in range(101))}, "LIMIT_EXCEEDED"),
    ],
    ids=str,
)
def test_a_parameter_out_of_bounds_is_refused(zoho: Zoho, params: dict[str, str], code: str) -> None:
    assert _refusal(zoho, "/crm/v8/Accounts", fields="id", **params) == code


def test_beyond_two_thousand_records_only_a_token_leads_on(zoho: Zoho) -> None:
    ids = _accounts(zoho, 2_450)
    seen: list[str] = []
    body = _list(zoho, sort_by="Modified_Time", sort_order="asc")
    while True:
        seen += [row["id"] for row in body["data"]]
        if not body["info"]["more_records"]:
            break
        body = _list(zoho, sort_by="Modified_Time", sort_order="asc", page_token=body["info"]["next_page_token"])
    assert seen == ids
    assert _list(zoho, page="10")["info"]["count"] == 200


def test_a_token_is_bound_to_its_call_and_dies_after_a_day(zoho: Zoho) -> None:
    _accounts(zoho, 300)
    token = _list(zoho)["info"]["next_page_token"]
    assert _refusal(zoho, "/crm/v8/Accounts", fields="Account_Name", sort_order="asc", page_token=token) == "TOKEN_BOUND_DATA_MISMATCH"
    assert _refusal(zoho, "/crm/v8/Accounts", fields="Phone", page_token=token) == "TOKEN_BOUND_DATA_MISMATCH"

    zoho.vendor.box.clock.shift_s = 24 * 3600 + 1
    zoho.sign_in()
    assert _refusal(zoho, "/crm/v8/Accounts", fields="Account_Name", page_token=token) == "EXPIRED_VALUE"


def test_if_modified_since_is_exclusive_and_takes_any_offset(zoho: Zoho) -> None:
    ids = _accounts(zoho, 3)  # 08:00:00, 08:00:01, 08:00:02 in Shanghai
    for header, found in (
        ("2026-01-01T08:00:00+08:00", ids[1:]),
        ("2026-01-01T00:00:00+00:00", ids[1:]),
        ("2025-12-31T23:59:59+00:00", ids),
    ):
        rows = zoho.read("GET", "/crm/v8/Accounts", params={"fields": "id", "sort_order": "asc"}, headers={"If-Modified-Since": header})[
            "data"
        ]
        assert [row["id"] for row in rows] == found

    nothing = zoho.call("GET", "/crm/v8/Accounts", params={"fields": "id"}, headers={"If-Modified-Since": "2026-01-01T08:00:02+08:00"})
    assert (nothing.status_code, nothing.content) == (304, b"")
    assert _refusal(zoho, "/crm/v8/Accounts", {"If-Modified-Since": "2026-01-01T08:00:02"}, fields="id") == "INVALID_DATA"


def test_an_empty_list_and_an_absent_record_are_204_without_a_body(zoho: Zoho) -> None:
    for path in ("/crm/v8/Accounts?fields=id", "/crm/v8/Accounts/572576700999999999", "/crm/v8/Accounts/deleted?type=all"):
        answer = zoho.call("GET", path)
        assert (answer.status_code, answer.content) == (204, b"")


def test_records_by_ids_come_once_each_and_absent_ones_not(zoho: Zoho) -> None:
    ids = _accounts(zoho, 3)
    rows = _list(zoho, ids=f"{ids[2]},{ids[0]},{ids[2]},572576700999999999")["data"]
    assert [row["id"] for row in rows] == [ids[2], ids[0]]


def test_a_single_record_has_every_field_and_moments_with_the_offset(zoho: Zoho, order: str) -> None:
    found = zoho.one("Sales_Orders", order)
    assert set(zoho.vendor.box.store.tables["Sales_Orders"].module.fields) <= set(found)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", found["Modified_Time"])
    assert re.fullmatch(r"\d{18}", found["id"])
    assert found["Paid_Amount"] is None


def test_an_external_id_stands_in_for_the_id(zoho: Zoho, order: str) -> None:
    headers = {"X-EXTERNAL": "Sales_Orders.Hub_Key"}
    found = zoho.read("GET", "/crm/v8/Sales_Orders/S1", headers=headers)["data"][0]
    zoho.read("PUT", "/crm/v8/Sales_Orders/S1", {"data": [{"Payment_State": "部分"}]}, headers=headers)

    assert found["id"] == order
    assert zoho.one("Sales_Orders", order)["Payment_State"] == "部分"
    assert _refusal(zoho, "/crm/v8/Sales_Orders/S1", {"X-EXTERNAL": "Sales_Orders.Subject"}) == "INVALID_DATA"


def test_dollar_keys_flip_while_nothing_was_modified(zoho: Zoho) -> None:
    _accounts(zoho, 1)
    first, second = _list(zoho)["data"][0], _list(zoho)["data"][0]

    assert {key for key in first if not key.startswith("$")} == {"Account_Name", "id"}
    assert first["$approval_state"] == "approved"
    assert {key for key in first if first[key] != second[key]} == {"$field_states", "$review_process", "$zia_visions"}


def test_numbers_are_json_numbers_exact_to_the_digit(zoho: Zoho) -> None:
    (key,) = zoho.insert("Accounts", {"Account_Name": "大客户", "Credit_Limit": Decimal("1234567890123.45")})
    assert b'"Credit_Limit":1234567890123.45' in zoho.call("GET", f"/crm/v8/Accounts/{key}").content


def test_deleted_records_are_listed_and_lose_their_name_for_good(zoho: Zoho) -> None:
    ids = _accounts(zoho, 3)
    zoho.read("DELETE", "/crm/v8/Accounts", params={"ids": f"{ids[0]},{ids[1]}"})
    found = zoho.read("GET", "/crm/v8/Accounts/deleted", params={"type": "recycle", "per_page": "1"})
    assert (found["info"]["count"], found["info"]["more_records"]) == (1, True)
    assert found["data"][0]["display_name"] in {"客户00000", "客户00001"}
    assert zoho.call("GET", "/crm/v8/Accounts/deleted", params={"type": "permanent"}).status_code == 204

    late = {"If-Modified-Since": "2099-01-01T00:00:00+08:00"}
    assert zoho.call("GET", "/crm/v8/Accounts/deleted?type=all", headers=late).status_code == 304
    zoho.call("DELETE", "/crm/v8/settings/recycle_bin")
    gone = zoho.read("GET", "/crm/v8/Accounts/deleted", params={"type": "permanent"})["data"]
    assert {(entry["id"], entry["display_name"]) for entry in gone} == {(ids[0], None), (ids[1], None)}


def test_search_reads_nested_criteria_with_escapes(zoho: Zoho) -> None:
    zoho.insert(
        "Accounts",
        {"Account_Name": "华南(深圳),有限公司", "ERP_Code": "C1", "Credit_Limit": 10},
        {"Account_Name": "华北", "ERP_Code": "C2", "Credit_Limit": 20},
        {"Account_Name": "华东", "ERP_Code": "C3"},
    )
    for criteria, found in (
        (r"(Account_Name:equals:华南\(深圳\)\,有限公司)", {"C1"}),
        ("((ERP_Code:equals:c2)or(ERP_Code:equals:C3))", {"C2", "C3"}),
        ("(((ERP_Code:in:C1,C2)and(Credit_Limit:greater_than:15))or(ERP_Code:starts_with:C3))", {"C2", "C3"}),
        ("(Credit_Limit:between:10,15)", {"C1"}),
        ("(Credit_Limit:equals:${EMPTY})", {"C3"}),
    ):
        rows = zoho.read("GET", "/crm/v8/Accounts/search", params={"criteria": criteria, "fields": "ERP_Code"})["data"]
        assert {row["ERP_Code"] for row in rows} == found, criteria
    assert zoho.call("GET", "/crm/v8/Accounts/search", params={"criteria": "(ERP_Code:equals:C9)"}).status_code == 204
    assert len(zoho.read("GET", "/crm/v8/Accounts/search", params={"word": "华"})["data"]) == 3


@pytest.mark.parametrize(
    "criteria",
    [
        "",
        "(",
        "()",
        "(ERP_Code)",
        "(ERP_Code:like:x)",
        "((ERP_Code:equals:x)and)",
        "(ERP_Code:equals:a(b)",
        "(Nothing:equals:x)",
        "((ERP_Code:equals:a)and(ERP_Code:equals:b)or(ERP_Code:equals:c))",
        "(Credit_Limit:equals:abc)",
        "(" * 50 + "ERP_Code:equals:x" + ")" * 50,
    ],
)
def test_search_refuses_what_it_cannot_read(zoho: Zoho, criteria: str) -> None:
    assert zoho.call("GET", "/crm/v8/Accounts/search", params={"criteria": criteria}).status_code == 400


def test_a_converted_lead_leaves_the_list_unless_asked_for(zoho: Zoho) -> None:
    (key,) = zoho.insert("Leads", {"Last_Name": "张", "Company": "华中贸易"})
    body = {"data": [{"Deals": {"Deal_Name": "新项目", "Stage": "Qualification"}}]}
    details = zoho.read("POST", f"/crm/v8/Leads/{key}/actions/convert", body)["data"][0]["details"]

    assert zoho.call("GET", "/crm/v8/Leads?fields=id").status_code == 204
    assert [row["id"] for row in zoho.read("GET", "/crm/v8/Leads?fields=id&converted=both")["data"]] == [key]
    deal = zoho.one("Deals", details["Deals"]["id"])
    assert (deal["Account_Name"]["name"], deal["Contact_Name"]["name"]) == ("华中贸易", "张")
    again = zoho.call("POST", f"/crm/v8/Leads/{key}/actions/convert", body)
    assert (again.status_code, again.json()["data"][0]["code"]) == (400, "ID_ALREADY_CONVERTED")


def test_a_conversion_that_fails_leaves_nothing_behind(zoho: Zoho) -> None:
    (key,) = zoho.insert("Leads", {"Last_Name": "张", "Company": "华中贸易"})
    body = {"data": [{"Deals": {"Deal_Name": "新项目", "Stage": "没有"}}]}
    answer = zoho.call("POST", f"/crm/v8/Leads/{key}/actions/convert", body)

    assert (answer.status_code, answer.json()["data"][0]["code"]) == (400, "MAPPING_MISMATCH")
    assert zoho.control("GET", "records/accounts") == zoho.control("GET", "records/contacts") == []
    assert zoho.call("GET", "/crm/v8/Accounts/deleted?type=all").status_code == 204
    assert zoho.call("GET", "/crm/v8/Leads?fields=id").status_code == 200


def test_metadata_tell_what_a_field_takes(zoho: Zoho) -> None:
    fields = {row["api_name"]: row for row in zoho.read("GET", "/crm/v8/settings/fields?module=Accounts")["fields"]}
    rows = {row["api_name"] for row in zoho.read("GET", "/crm/v8/settings/fields?module=Ordered_Items")["fields"]}
    layout = zoho.read("GET", "/crm/v8/settings/layouts?module=Deals")["layouts"][0]
    pipelines = zoho.read("GET", f"/crm/v8/settings/pipeline?layout_id={layout['id']}")["pipeline"]

    key = fields["Hub_Key"]
    assert (key["length"], key["unique"], key["custom_field"], key["data_type"]) == (20, {"casesensitive": False}, True, "text")
    assert [value["actual_value"] for value in fields["Dealer_Level"]["pick_list_values"]] == ["核心", "普通", "潜在"]
    assert fields["Modified_Time"]["read_only"] is True
    assert {"Product_Name", "Quantity", "Hub_Line"} <= rows
    assert [pipeline["actual_value"] for pipeline in pipelines] == ["Standard (Standard)", "渠道项目"]
    assert _refusal(zoho, "/crm/v8/settings/fields") == "REQUIRED_PARAM_MISSING"

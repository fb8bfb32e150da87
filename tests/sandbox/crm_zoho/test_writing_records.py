"""Insert, update, upsert and delete: one answer for each record, values judged, lines joined by id, totals recomputed."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.crm_zoho.totals import price_line
from tests.sandbox.crm_zoho.conftest import READER, Zoho


def _entries(answer: requests.Response) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = READER.decode(answer.content)["data"]
    return entries


def _codes(answer: requests.Response) -> list[str]:
    return [entry["code"] for entry in _entries(answer)]


def _refused(zoho: Zoho, module: str, **fields: Any) -> dict[str, Any]:
    answer = zoho.call("POST", f"/crm/v8/{module}", {"data": [fields]})
    assert answer.status_code == 400
    return _entries(answer)[0]


def test_answers_come_in_the_order_of_the_request_and_the_status_tells_how_many_went_well(zoho: Zoho) -> None:
    good, bad = {"Account_Name": "华南"}, {"Phone": "0755-8888"}
    assert zoho.call("POST", "/crm/v8/Accounts", {"data": [good]}).status_code == 201
    mixed = zoho.call("POST", "/crm/v8/Accounts", {"data": [good, bad, good]})
    none = zoho.call("POST", "/crm/v8/Accounts", {"data": [bad]})

    assert (mixed.status_code, none.status_code) == (207, 400)
    assert _codes(mixed) == ["SUCCESS", "MANDATORY_NOT_FOUND", "SUCCESS"]
    assert _entries(mixed)[1] == {
        "code": "MANDATORY_NOT_FOUND",
        "details": {"api_name": "Account_Name", "json_path": "$.data[1].Account_Name"},
        "message": "required field not found",
        "status": "error",
    }


def test_the_status_rule_is_a_switch(zoho: Zoho) -> None:
    zoho.vendor.box.switches.partial_status = False
    answer = zoho.call("POST", "/crm/v8/Accounts", {"data": [{"Account_Name": "华南"}, {}]})
    assert (answer.status_code, _codes(answer)) == (200, ["SUCCESS", "MANDATORY_NOT_FOUND"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "INVALID_DATA"),
        (b"{not json", "INVALID_DATA"),
        (b'[{"data": 1}]', "INVALID_DATA"),
        (b"{}", "MANDATORY_NOT_FOUND"),
        (b'{"data": []}', "INVALID_DATA"),
        (b'{"data": {"Account_Name": "x"}}', "INVALID_DATA"),
        (b'{"data": [1]}', "INVALID_DATA"),
        ('{"data": [{"Account_Name": "华南"}]}'.encode("gbk"), "INVALID_DATA"),
        (b'{"data": [' + b",".join([b"{}"] * 101) + b"]}", "LIMIT_EXCEEDED"),
        (b'{"data": ' + b"[" * 5000 + b"]" * 5000 + b"}", "INVALID_DATA"),
    ],
    ids=["empty", "broken", "array", "no data", "no record", "object", "number", "gbk", "101 records", "deep"],
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(zoho: Zoho, body: bytes, code: str) -> None:
    zoho.sign_in()
    headers = {"Authorization": f"Zoho-oauthtoken {zoho.token}", "Content-Type": "text/plain"}
    answer = requests.post(f"{zoho.url}/crm/v8/Accounts", data=body, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("field", "value", "details"),
    [
        ("Account_Name", 7, {"expected_data_type": "text"}),
        ("Account_Name", "长" * 201, {"maximum_length": 200}),
        ("Credit_Limit", "100", {"expected_data_type": "double"}),
        ("Credit_Limit", True, {"expected_data_type": "double"}),
        ("Credit_Limit", Decimal(123456789012345678901234567890), {"maximum_length": 16}),
        ("Email_Address", "not an address", {"expected_data_type": "email"}),
        ("Phone", "<script>", {"expected_data_type": "phone"}),
        ("Dealer_Level", "超级", {"expected_data_type": "picklist"}),
        ("Parent_Account", "572576700900000002", {"expected_data_type": "jsonobject"}),
        ("Parent_Account", {"id": "572576700999999999"}, {"api_name": "Parent_Account"}),
        ("Owner", {"id": "1"}, {"api_name": "Owner"}),
        ("Tag", ["老客户"], {"expected_data_type": "jsonarray"}),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_field_and_type(zoho: Zoho, field: str, value: Any, details: dict[str, Any]) -> None:
    entry = _refused(zoho, "Accounts", **{"Account_Name": "华南", field: value})
    assert (entry["code"], entry["details"]["api_name"]) == ("INVALID_DATA", field)
    assert entry["details"] | details == entry["details"]
    assert entry["details"]["json_path"].startswith(f"$.data[0].{field}")


@pytest.mark.parametrize(
    ("field", "value"),
    [("Closing_Date", "2026-02-30"), ("Closing_Date", "05/01/2026"), ("Closing_Date", 5), ("Probability", Decimal("1.5"))],
)
def test_dates_that_do_not_exist_and_broken_whole_numbers_are_refused(zoho: Zoho, field: str, value: Any) -> None:
    entry = _refused(zoho, "Deals", Deal_Name="项目", Stage="Qualification", **{field: value})
    assert (entry["code"], entry["details"]["api_name"]) == ("INVALID_DATA", field)


def test_a_stage_must_be_in_the_pipeline_and_the_pipeline_in_the_layout(zoho: Zoho) -> None:
    stage = _refused(zoho, "Deals", Deal_Name="项目", Stage="赢了")
    pipeline = _refused(zoho, "Deals", Deal_Name="项目", Stage="Qualification", Pipeline="别的")
    assert (stage["code"], stage["message"]) == ("MAPPING_MISMATCH", "Pipeline doesn't contain the Stage")
    assert (pipeline["code"], pipeline["message"]) == ("MAPPING_MISMATCH", "Layout doesn't contain the Pipeline")


def test_a_stage_sets_the_probability_unless_it_is_given(zoho: Zoho) -> None:
    won, told = zoho.insert(
        "Deals", {"Deal_Name": "一", "Stage": "Closed Won"}, {"Deal_Name": "二", "Stage": "Closed Won", "Probability": 55}
    )
    assert [zoho.one("Deals", key)["Probability"] for key in (won, told)] == [100, 55]
    assert zoho.one("Deals", won)["Pipeline"] == "Standard (Standard)"


def test_texts_are_trimmed_at_the_end_and_an_empty_one_is_null(zoho: Zoho) -> None:
    (key,) = zoho.insert("Accounts", {"Account_Name": "  华南经销 \u3000\n", "Phone": "", "Website": "   ", "Unknown_Field": "passed over"})
    found = zoho.one("Accounts", key)
    assert (found["Account_Name"], found["Phone"], found["Website"]) == ("  华南经销", None, None)
    assert "Unknown_Field" not in found


def test_an_absent_field_stays_and_null_clears(zoho: Zoho) -> None:
    (key,) = zoho.insert("Accounts", {"Account_Name": "华南", "Phone": "0755-8888", "Credit_Limit": 0})
    zoho.read("PUT", f"/crm/v8/Accounts/{key}", {"data": [{"Phone": None}]})
    found = zoho.one("Accounts", key)
    assert (found["Phone"], found["Credit_Limit"], found["Account_Name"]) == (None, 0, "华南")

    cleared = zoho.call("PUT", f"/crm/v8/Accounts/{key}", {"data": [{"Account_Name": None}]})
    assert _codes(cleared) == ["MANDATORY_NOT_FOUND"]


def test_money_is_rounded_half_up_to_the_fen(zoho: Zoho) -> None:
    keys = zoho.insert(
        "Accounts", *({"Account_Name": "客户", "Credit_Limit": Decimal(text)} for text in ("0.005", "2.675", "-0.005", "1.004999"))
    )
    assert [str(zoho.one("Accounts", key)["Credit_Limit"]) for key in keys] == ["0.01", "2.68", "-0.01", "1.00"]


def test_the_hub_key_is_unique_whatever_its_case(zoho: Zoho) -> None:
    (key,) = zoho.insert("Accounts", {"Account_Name": "华南", "Hub_Key": "AB12"})
    entry = _refused(zoho, "Accounts", Account_Name="华北", Hub_Key="ab12")
    assert entry["code"] == "DUPLICATE_DATA"
    assert entry["details"]["api_name"] == "Hub_Key"
    assert entry["details"]["duplicate_record"]["id"] == key
    assert entry["details"]["duplicate_record"]["module"]["api_name"] == "Accounts"

    (other,) = zoho.insert("Accounts", {"Account_Name": "华北"})
    assert _codes(zoho.call("PUT", "/crm/v8/Accounts", {"data": [{"id": other, "Hub_Key": "AB12"}]})) == ["DUPLICATE_DATA"]
    zoho.read("PUT", "/crm/v8/Accounts", {"data": [{"id": key, "Hub_Key": None}]})
    zoho.read("PUT", "/crm/v8/Accounts", {"data": [{"id": other, "Hub_Key": "AB12"}]})


def _upsert(zoho: Zoho, module: str, *records: dict[str, Any], keys: Any = None) -> requests.Response:
    return zoho.call(
        "POST", f"/crm/v8/{module}/upsert", {"data": list(records), **({} if keys is None else {"duplicate_check_fields": keys})}
    )


def test_an_upsert_takes_the_first_key_field_that_matches(zoho: Zoho) -> None:
    named, keyed = zoho.insert("Accounts", {"Account_Name": "华南"}, {"Account_Name": "别的", "Hub_Key": "A1"})
    record = {"Account_Name": "华南", "Hub_Key": "A1"}
    first = _entries(_upsert(zoho, "Accounts", record, keys=["Hub_Key", "Account_Name"]))[0]
    zoho.read("PUT", "/crm/v8/Accounts", {"data": [{"id": keyed, "Hub_Key": None, "Account_Name": "别的"}]})
    second = _entries(_upsert(zoho, "Accounts", {"Account_Name": "华南", "Hub_Key": "A1"}, keys=["Hub_Key", "Account_Name"]))[0]
    third = _entries(_upsert(zoho, "Accounts", {"Account_Name": "新的", "Hub_Key": "A3"}, keys=["Hub_Key"]))[0]

    assert (first["details"]["id"], first["action"], first["duplicate_field"]) == (keyed, "update", "Hub_Key")
    assert (second["details"]["id"], second["action"], second["duplicate_field"]) == (named, "update", "Account_Name")
    assert (third["action"], third["duplicate_field"], third["message"]) == ("insert", None, "record added")


def test_an_upsert_without_keys_uses_the_modules_own_and_then_the_unique_fields(zoho: Zoho) -> None:
    zoho.insert("Accounts", {"Account_Name": "华南", "Hub_Key": "A1"})
    by_name = _entries(_upsert(zoho, "Accounts", {"Account_Name": "华南"}))[0]
    by_key = _entries(_upsert(zoho, "Accounts", {"Account_Name": "改名了", "Hub_Key": "A1"}))[0]
    assert (by_name["duplicate_field"], by_key["duplicate_field"]) == ("Account_Name", "Hub_Key")


def test_an_upsert_key_must_be_known_to_tell_records_apart(zoho: Zoho) -> None:
    for keys in (["Phone"], ["Nothing"], "Hub_Key", ["Hub_Key"] * 11):
        answer = _upsert(zoho, "Accounts", {"Account_Name": "华南"}, keys=keys)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA"), keys


def test_an_upsert_that_fits_two_records_is_ambiguous(zoho: Zoho) -> None:
    zoho.insert("Accounts", {"Account_Name": "华南"}, {"Account_Name": "华南"})
    answer = _upsert(zoho, "Accounts", {"Account_Name": "华南"}, keys=["Account_Name"])
    assert (answer.status_code, _codes(answer)) == (400, ["AMBIGUITY_DURING_PROCESSING"])


def test_the_same_key_twice_in_one_batch_updates_or_fails_by_switch(zoho: Zoho) -> None:
    twice = ({"Account_Name": "一", "Hub_Key": "A1"}, {"Account_Name": "二", "Hub_Key": "A1"})
    entries = _entries(_upsert(zoho, "Accounts", *twice, keys=["Hub_Key"]))
    assert [entry["action"] for entry in entries] == ["insert", "update"]
    assert entries[0]["details"]["id"] == entries[1]["details"]["id"]

    zoho.vendor.box.switches.second_in_batch_updates = False
    other = [{**record, "Hub_Key": "A2"} for record in twice]
    assert _codes(_upsert(zoho, "Accounts", *other, keys=["Hub_Key"])) == ["SUCCESS", "DUPLICATE_DATA"]


def test_an_upsert_may_name_its_record_by_id_but_not_an_unknown_one(zoho: Zoho) -> None:
    (key,) = zoho.insert("Accounts", {"Account_Name": "华南"})
    named = _entries(_upsert(zoho, "Accounts", {"id": key, "Account_Name": "改名"}))[0]
    unknown = _upsert(zoho, "Accounts", {"id": "572576700999999999", "Account_Name": "改名"})

    assert (named["action"], named["details"]["id"]) == ("update", key)
    assert _codes(unknown) == ["INVALID_DATA"]


def test_a_repeated_upsert_makes_one_record_whatever_happens_to_the_first_answer(zoho: Zoho) -> None:
    zoho.sign_in()
    zoho.fault("drop_after", times=1)
    with pytest.raises(requests.ConnectionError):
        _upsert(zoho, "Accounts", {"Account_Name": "华南", "Hub_Key": "A1"}, keys=["Hub_Key"])
    again = _entries(_upsert(zoho, "Accounts", {"Account_Name": "华南", "Hub_Key": "A1"}, keys=["Hub_Key"]))

    assert [entry["action"] for entry in again] == ["update"]
    assert len(zoho.control("GET", "records/accounts")) == 1


def test_if_unmodified_since_refuses_a_record_that_changed_after_it(zoho: Zoho) -> None:
    (key,) = zoho.insert("Accounts", {"Account_Name": "华南", "Hub_Key": "A1"})
    stamp = zoho.one("Accounts", key)["Modified_Time"]
    body = {"data": [{"id": key, "Hub_Key": "A1", "Account_Name": "华南", "Phone": "0755"}], "duplicate_check_fields": ["Hub_Key"]}
    for method, path in (("PUT", "/crm/v8/Accounts"), ("POST", "/crm/v8/Accounts/upsert")):
        late = zoho.call(method, path, body, headers={"If-Unmodified-Since": "2020-01-01T00:00:00+08:00"})
        assert (late.status_code, late.json()["code"]) == (412, "RECORD_MODIFIED")
    assert zoho.one("Accounts", key)["Phone"] is None
    assert zoho.call("PUT", "/crm/v8/Accounts", body, headers={"If-Unmodified-Since": stamp}).status_code == 200


def test_a_renamed_account_shows_its_name_in_lookups_without_touching_their_records(zoho: Zoho, order: str) -> None:
    before = zoho.one("Sales_Orders", order)
    zoho.vendor.box.clock.shift_s = 5
    zoho.read("PUT", "/crm/v8/Accounts", {"data": [{"id": before["Account_Name"]["id"], "Account_Name": "华南（新名）"}]})
    after = zoho.one("Sales_Orders", order)
    assert after["Account_Name"]["name"] == "华南（新名）"
    assert after["Modified_Time"] == before["Modified_Time"]


def test_lines_are_totalled_half_up_and_default_to_the_products_price(zoho: Zoho, order: str) -> None:
    found = zoho.one("Sales_Orders", order)
    first, second = found["Ordered_Items"]
    assert (str(first["Total"]), str(second["Total"])) == ("339.02", "24.00")  # 3 * 113.005 = 339.015; 2.5 * 9.90 - 0.75
    assert str(second["List_Price"]) == "9.90"
    assert (str(found["Sub_Total"]), str(found["Grand_Total"])) == ("363.02", "363.02")
    assert [row["Sequence_Number"] for row in found["Ordered_Items"]] == [1, 2]


def test_rows_with_an_id_change_without_are_added_with_delete_go_and_others_stay(zoho: Zoho, order: str) -> None:
    first, second = zoho.one("Sales_Orders", order)["Ordered_Items"]
    product = first["Product_Name"]["id"]
    rows = [
        {"id": first["id"], "Quantity": 4},
        {"Product_Name": {"id": product}, "Quantity": 1, "List_Price": 5, "Discount": "10%", "Hub_Line": "L3"},
    ]
    zoho.read("PUT", f"/crm/v8/Sales_Orders/{order}", {"data": [{"Ordered_Items": rows}]})
    changed = zoho.one("Sales_Orders", order)
    assert [(row["Hub_Line"], row["Quantity"]) for row in changed["Ordered_Items"]] == [("L1", 4), ("L2", Decimal("2.5")), ("L3", 1)]
    assert changed["Ordered_Items"][0]["id"] == first["id"]
    assert str(changed["Grand_Total"]) == "480.52"  # 452.02 + 24.00 + 4.50

    gone = {"Ordered_Items": [{"id": second["id"], "_delete": None}]}
    zoho.read("PUT", f"/crm/v8/Sales_Orders/{order}", {"data": [gone]})
    assert [row["Hub_Line"] for row in zoho.one("Sales_Orders", order)["Ordered_Items"]] == ["L1", "L3"]
    foreign = zoho.call(
        "PUT", f"/crm/v8/Sales_Orders/{order}", {"data": [{"Ordered_Items": [{"id": "572576700999999999", "Quantity": 1}]}]}
    )
    assert _entries(foreign)[0]["details"]["json_path"] == "$.data[0].Ordered_Items[0].id"


def test_line_taxes_are_computed_on_the_discounted_line(zoho: Zoho, order: str) -> None:
    first, _ = zoho.one("Sales_Orders", order)["Ordered_Items"]
    row = {"id": first["id"], "Line_Tax": [{"name": "增值税", "percentage": 13}]}
    zoho.read("PUT", f"/crm/v8/Sales_Orders/{order}", {"data": [{"Ordered_Items": [row], "Adjustment": Decimal("-0.09"), "Discount": 10}]})
    found = zoho.one("Sales_Orders", order)
    assert str(found["Ordered_Items"][0]["Line_Tax"][0]["value"]) == "44.07"  # 13 % of 339.02
    assert str(found["Grand_Total"]) == "397.00"


def test_an_order_needs_lines_and_an_invoice_of_this_layout_does_not(zoho: Zoho, order: str) -> None:
    account = zoho.one("Sales_Orders", order)["Account_Name"]["id"]
    assert _refused(zoho, "Sales_Orders", Subject="空", Account_Name={"id": account})["details"]["api_name"] == "Ordered_Items"
    assert zoho.insert("Invoices", {"Subject": "发票", "Account_Name": {"id": account}})


@given(
    st.lists(
        st.tuples(
            st.decimals(min_value=0, max_value=9999, places=3),
            st.decimals(min_value=0, max_value=99999, places=4),
            st.decimals(min_value=0, max_value=100, places=2),
        ),
        max_size=8,
    )
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_law_the_documents_total_is_the_sum_of_its_rounded_lines(lines: list[tuple[Decimal, Decimal, Decimal]]) -> None:
    rows = [{"Quantity": quantity, "List_Price": price, "Discount": discount} for quantity, price, discount in lines]
    for row in rows:
        price_line(row)

    exact = [(q * p - d).quantize(Decimal("0.01"), ROUND_HALF_UP) for q, p, d in lines]
    assert [row["Total"] for row in rows] == exact


def test_a_deleted_record_is_no_duplicate_any_more(zoho: Zoho) -> None:
    (key,) = zoho.insert("Accounts", {"Account_Name": "华南", "Hub_Key": "A1"})
    assert zoho.call("DELETE", f"/crm/v8/Accounts/{key}").status_code == 200
    (again,) = zoho.insert("Accounts", {"Account_Name": "华南", "Hub_Key": "A1"})

    assert again > key
    gone = zoho.call("DELETE", "/crm/v8/Accounts", params={"ids": f"{key},{again}"})
    assert (gone.status_code, _codes(gone)) == (207, ["INVALID_DATA", "SUCCESS"])
    assert zoho.call("DELETE", "/crm/v8/Accounts").json()["code"] == "REQUIRED_PARAM_MISSING"


def test_an_update_names_its_record(zoho: Zoho) -> None:
    answer = zoho.call("PUT", "/crm/v8/Accounts", {"data": [{"Phone": "1"}, {"id": "572576700999999999"}, {"id": "x"}]})
    assert (answer.status_code, _codes(answer)) == (400, ["MANDATORY_NOT_FOUND", "INVALID_DATA", "INVALID_DATA"])


def test_a_quote_becomes_an_order_and_the_order_an_invoice(zoho: Zoho, order: str) -> None:
    found = zoho.one("Sales_Orders", order)
    lines = [{"Product_Name": {"id": row["Product_Name"]["id"]}, "Quantity": 2, "List_Price": 7} for row in found["Ordered_Items"]]
    (quote,) = zoho.insert("Quotes", {"Subject": "报价一", "Account_Name": {"id": found["Account_Name"]["id"]}, "Quoted_Items": lines})
    made = zoho.read(
        "POST", f"/crm/v8/Quotes/{quote}/actions/convert", {"data": [{"convert_to": [{"module": {"api_name": "Sales_Orders"}}]}]}
    )["data"][0]
    new = zoho.one("Sales_Orders", made["details"]["Sales_Orders"]["id"])

    assert (new["Quote_Name"]["id"], str(new["Grand_Total"]), new["Hub_Key"]) == (quote, "28", None)
    wrong = zoho.call("POST", f"/crm/v8/Quotes/{quote}/actions/convert", {"data": [{"convert_to": [{"module": {"api_name": "Invoices"}}]}]})
    assert (wrong.status_code, _codes(wrong)) == (400, ["INVALID_DATA"])


def test_a_composite_request_works_through_up_to_five_calls(zoho: Zoho) -> None:
    calls = [
        {"sub_request_id": "1", "method": "POST", "uri": "/crm/v8/Accounts", "body": {"data": [{"Account_Name": "华南", "Hub_Key": "A1"}]}},
        {"sub_request_id": "2", "method": "GET", "uri": "/crm/v8/Accounts", "params": {"fields": "Account_Name"}},
        {"sub_request_id": "3", "method": "GET", "uri": "/crm/v8/Nothing?fields=id"},
    ]
    parts = zoho.read("POST", "/crm/v8/__composite_requests", {"__composite_requests": calls})["__composite_requests"]

    assert [part["details"]["status_code"] for part in parts] == [201, 200, 400]
    assert parts[1]["details"]["response"]["data"][0]["Account_Name"] == "华南"
    for body, status in (({"__composite_requests": calls * 2}, 400), ({"__composite_requests": calls, "rollback_on_fail": True}, 403)):
        assert zoho.call("POST", "/crm/v8/__composite_requests", body).status_code == status

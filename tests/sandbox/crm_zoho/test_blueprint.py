"""Deals in a blueprint move by transitions only; the others by a plain update."""

from __future__ import annotations

from typing import Any

from tests.sandbox.crm_zoho.conftest import Zoho


def _deal(zoho: Zoho, **fields: Any) -> str:
    return zoho.insert("Deals", {"Deal_Name": "华南项目", "Stage": "Qualification", "Pipeline": "渠道项目", **fields})[0]


def _open(zoho: Zoho, key: str) -> dict[str, str]:
    found = zoho.read("GET", f"/crm/v8/Deals/{key}/actions/blueprint")["blueprint"]
    return {step["next_field_value"]: step["id"] for step in found["transitions"]}


def test_a_plain_update_of_the_stage_is_refused_and_other_fields_pass(zoho: Zoho) -> None:
    key = _deal(zoho)
    refused = zoho.call("PUT", f"/crm/v8/Deals/{key}", {"data": [{"Stage": "Needs Analysis"}]})
    passed = zoho.call("PUT", f"/crm/v8/Deals/{key}", {"data": [{"Stage": "Qualification", "Next_Step": "拜访"}]})

    entry = refused.json()["data"][0]
    assert (refused.status_code, entry["code"], entry["message"]) == (400, "RECORD_IN_BLUEPRINT", "The record is in blue print")
    assert passed.status_code == 200
    assert zoho.one("Deals", key)["Next_Step"] == "拜访"


def test_a_deal_is_won_hop_by_hop(zoho: Zoho) -> None:
    key = _deal(zoho)
    for stage in ("Needs Analysis", "Proposal/Price Quote", "Negotiation/Review", "Closed Won"):
        step = _open(zoho, key)[stage]
        moved = zoho.read(
            "PUT", f"/crm/v8/Deals/{key}/actions/blueprint", {"blueprint": [{"transition_id": step, "data": {"Next_Step": stage}}]}
        )
        assert (moved["code"], moved["message"]) == ("SUCCESS", "transition updated successfully")

    won = zoho.one("Deals", key)
    assert (won["Stage"], won["Probability"], won["Next_Step"]) == ("Closed Won", 100, "Closed Won")
    assert _open(zoho, key) == {}


def test_a_transition_of_another_state_and_wrong_data_are_refused(zoho: Zoho) -> None:
    key = _deal(zoho)
    later = _open(zoho, _deal(zoho, Deal_Name="别的", Stage="Negotiation/Review"))["Closed Won"]
    path = f"/crm/v8/Deals/{key}/actions/blueprint"
    wrong = zoho.call("PUT", path, {"blueprint": [{"transition_id": later}]})
    step = _open(zoho, key)["Needs Analysis"]
    bad = zoho.call("PUT", path, {"blueprint": [{"transition_id": step, "data": {"Amount": "viel"}}]})

    assert (wrong.status_code, wrong.json()["message"]) == (400, "invalid transition")
    assert (bad.json()["code"], bad.json()["details"]["expected_data_type"]) == ("INVALID_DATA", "double")
    assert zoho.call("PUT", path, {"blueprint": []}).status_code == 400
    assert zoho.one("Deals", key)["Stage"] == "Qualification"


def test_a_deal_of_the_standard_pipeline_is_in_no_process(zoho: Zoho) -> None:
    key = _deal(zoho, Pipeline="Standard (Standard)")
    answer = zoho.call("GET", f"/crm/v8/Deals/{key}/actions/blueprint")
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (400, "RECORD_NOT_IN_PROCESS", "record not in process")
    assert zoho.call("PUT", f"/crm/v8/Deals/{key}", {"data": [{"Stage": "Closed Won"}]}).status_code == 200


def test_a_user_moves_a_deal_on_by_hand(zoho: Zoho) -> None:
    key = _deal(zoho)
    zoho.control("POST", "records/deals", {"id": key, "Stage": "Closed Won"})
    assert zoho.one("Deals", key)["Stage"] == "Closed Won"

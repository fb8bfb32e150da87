"""Doing something: edits, decisions, repairs; asked and done on record; repeats answered, not done again."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from tests.hub_api.conftest import Fresh


def audit(fresh: Fresh) -> list[tuple[str, str, str, str]]:
    return [
        (row["action"], row["target"], row["phase"], row["code"])
        for row in fresh.rows("SELECT action, target, phase, code FROM api_audit ORDER BY id")
    ]


def test_an_edit_through_the_hub_is_the_hubs_own_record(fresh: Fresh) -> None:
    path = f"/v1/parties/{fresh.world.agent}"
    before = fresh.api.get("it", path)
    answer = fresh.api("sales", "PATCH", path, json={"phone": "0512-66668888"}, headers={"If-Match": before.headers["ETag"]})

    assert answer.status_code == 200, answer.text
    assert answer.json()["phone"] == "0512-66668888"
    assert answer.json()["version"] > before.json()["version"]
    why = next(one for one in answer.json()["lineage"] if one["field"] == "phone")
    assert (why["winner"], why["value"]) == ("hub", "0512-66668888")
    newest = fresh.api.get("it", f"{path}/history").json()["items"][0]
    assert (newest["changed"]["phone"], newest["cause"]) == ([None, "0512-66668888"], "edit by api:sales")
    assert audit(fresh) == [
        ("record.edit", f"party:{fresh.world.agent}", "asked", ""),
        ("record.edit", f"party:{fresh.world.agent}", "done", ""),
    ]


def test_an_edit_of_a_version_that_is_gone_is_refused(fresh: Fresh) -> None:
    path = f"/v1/parties/{fresh.world.agent}"
    tag = fresh.api.get("it", path).headers["ETag"]
    assert fresh.api("it", "PATCH", path, json={"phone": "1"}, headers={"If-Match": tag}).status_code == 200

    for stale in (tag, f'"v0-{"0" * 32}"', '"nonsense"'):
        answer = fresh.api("it", "PATCH", path, json={"phone": "2"}, headers={"If-Match": stale})
        assert (answer.status_code, answer.json()["code"]) == (412, "records/stale")
    assert fresh.api.get("it", path).json()["phone"] == "1"
    assert fresh.api("it", "PATCH", path, json={"phone": "3"}, headers={"If-Match": "*"}).status_code == 200


def test_editors_of_one_record_take_turns_and_lose_nothing(fresh: Fresh) -> None:
    path = f"/v1/parties/{fresh.world.agent}"
    tag = fresh.api.get("it", path).headers["ETag"]
    barrier, answers = threading.Barrier(4), []

    def edit(number: int) -> None:
        barrier.wait()
        change = {"phone": str(number)} if number < 2 else {"tags": [str(number)]}
        answers.append(fresh.api("it", "PATCH", path, json=change, headers={"If-Match": tag} if number < 2 else {}).status_code)

    threads = [threading.Thread(target=edit, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    party = fresh.api.get("it", path).json()

    assert answers.count(200) in {2, 3}  # of the two who saw the same version, one at most
    assert set(answers) <= {200, 412}
    assert party["tags"] in (["2"], ["3"])
    assert ("phone" in party) == (answers.count(200) == 3)


def test_a_field_that_another_system_owns_cannot_be_edited_here(fresh: Fresh) -> None:
    answer = fresh.api("it", "PATCH", f"/v1/parties/{fresh.world.agent}", json={"name": "别的名字"})

    assert (answer.status_code, answer.json()["code"]) == (409, "sync/not-allowed")
    assert "kingdee" in answer.json()["detail"]
    assert audit(fresh)[-1] == ("record.edit", f"party:{fresh.world.agent}", "refused", "sync/not-allowed")


@pytest.mark.parametrize("value", [1.5, 1, "1e5", "1.123456789", True, "NaN", ["1"]])
def test_an_amount_is_taken_as_decimal_text_only(fresh: Fresh, value: Any) -> None:
    answer = fresh.api("it", "PATCH", f"/v1/parties/{fresh.world.agent}", json={"annual_target": value})

    assert (answer.status_code, answer.json()["code"]) == (422, "api/invalid-payload")


def test_a_case_is_decided_once(fresh: Fresh) -> None:
    first = fresh.api("sales", "POST", "/v1/cases/1/decide", json={"answer": "different", "reason": "两家公司"})
    second = fresh.api("sales", "POST", "/v1/cases/1/decide", json={"answer": "same"})

    assert (first.status_code, first.json()["state"], first.json()["decided_by"]) == (200, "different", "api:sales")
    assert (second.status_code, second.json()["code"]) == (409, "sync/wrong-state")
    assert fresh.api("sales", "POST", "/v1/cases/99/decide", json={"answer": "same"}).status_code == 404


def test_a_conflict_is_settled(fresh: Fresh) -> None:
    answer = fresh.api("finance", "POST", "/v1/conflicts/1/settle", json={"how": "leave"})

    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    assert fresh.api("finance", "POST", "/v1/conflicts/1/settle", json={"how": "repair"}).status_code == 409


def test_a_plan_is_made_approved_and_not_applied_before_its_flow_may_write(fresh: Fresh) -> None:
    made = fresh.api("it", "POST", "/v1/plans", json={"kind": "first_load"})
    number = made.json()["id"]

    assert made.status_code == 201
    assert fresh.api("it", "POST", f"/v1/plans/{number}/apply").json()["code"] == "sync/wrong-state"
    assert fresh.api("it", "POST", f"/v1/plans/{number}/approve").json()["decided_by"] == "api:it"
    assert fresh.api("it", "POST", f"/v1/plans/{number}/reject", json={"reason": "等一等"}).json()["state"] == "rejected"
    assert fresh.api("it", "POST", f"/v1/plans/{number}/approve").status_code == 409
    assert [row["action"] for row in fresh.api.get("it", "/v1/plans/1/rows").json()["items"]] == ["update"]


def test_a_record_set_aside_shows_its_numbers_as_they_came_and_is_mended_exactly(fresh: Fresh) -> None:
    shown = fresh.api.get("it", "/v1/quarantine/1")
    assert b'"F_HUB_CREDIT": 12.50' in shown.content

    body = b'{"payload": {"FCUSTID": 1, "F_HUB_CREDIT": 0.1000000000000000055511151231257827}}'
    answer = fresh.api("it", "POST", "/v1/quarantine/1/mend", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 200, answer.text
    assert "0.1000000000000000055511151231257827" in fresh.rows("SELECT payload::text AS payload FROM quarantine")[0]["payload"]
    assert Decimal("0.1000000000000000055511151231257827") != Decimal(0.1)  # noqa: RUF032  what a float would have made of it


def test_a_record_set_aside_is_replayed_and_discarded(fresh: Fresh) -> None:
    assert fresh.api("it", "POST", "/v1/quarantine/replay", json={}).json()["status"] in {"done", "set_aside"}
    fresh.rows("UPDATE quarantine SET state = 'open' RETURNING 1")
    discarded = fresh.api("it", "POST", "/v1/quarantine/1/discard")

    assert (discarded.json()["state"], discarded.json()["closed_by"]) == ("discarded", "api:it")
    for again, body in (("1/discard", None), ("1/mend", {"payload": {"FCUSTID": 1}}), ("1/replay", None), ("replay", {"ids": [1]})):
        answer = fresh.api("it", "POST", f"/v1/quarantine/{again}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "sync/wrong-state"), again
        assert "was discarded by api:it on 20" in answer.json()["detail"]
    assert fresh.api("it", "POST", "/v1/quarantine/replay", json={"ids": [1, 77]}).status_code == 404
    assert fresh.api("it", "POST", "/v1/quarantine/77/discard").status_code == 404


def test_a_missing_value_is_filled_in_and_leaves_the_inbox(fresh: Fresh) -> None:
    assert [row["value"] for row in fresh.api.get("it", "/v1/values/missing").json()["items"]] == ["XS099"]
    value = {"name": "salesperson", "system": "kingdee", "vendor_value": "XS099", "canonical_value": "E0099", "valid_from": "2026-01-01"}

    assert fresh.api("it", "POST", "/v1/values", json=value).status_code == 200
    assert fresh.api.get("it", "/v1/values/missing").json()["items"] == []
    assert fresh.api.get("it", "/v1/values").json()["items"][0]["edited_by"] == "api:it"
    overlapping = fresh.api("it", "POST", "/v1/values", json={**value, "valid_from": "2026-02-01"})
    assert (overlapping.status_code, overlapping.json()["code"]) == (409, "sync/bad-value-row")
    assert fresh.api("it", "POST", "/v1/values", json={**value, "valid_to": "2025-01-01"}).status_code == 409


def test_a_link_of_nothing_is_not_found(fresh: Fresh) -> None:
    left, right = ({"system": "zoho", "stream": "accounts", "key": "1"}, {"system": "kingdee", "stream": "customers", "key": "2"})

    assert fresh.api("it", "POST", "/v1/links/accept", json={"left": left, "right": right}).status_code == 404
    assert fresh.api("it", "POST", "/v1/links/unlink", json=left).status_code == 404


def test_the_same_request_again_gets_the_first_answer_and_does_nothing(fresh: Fresh) -> None:
    def make() -> Any:
        return fresh.api("it", "POST", "/v1/plans", json={"kind": "first_load"}, headers={"Idempotency-Key": "plan-1"})

    first, again = make(), make()

    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(fresh.rows("SELECT FROM plan")) == 2  # the one that was there, and one
    other = fresh.api("it", "POST", "/v1/plans", json={"kind": "repair"}, headers={"Idempotency-Key": "plan-1"})
    assert (other.status_code, other.json()["code"]) == (409, "api/idempotency-key-reused")
    assert fresh.api("it", "POST", "/v1/plans", json={"kind": "repair"}, headers={"Idempotency-Key": "bad key"}).status_code == 400


def test_a_refusal_is_repeated_too_and_another_keys_requests_are_its_own(fresh: Fresh) -> None:
    headers = {"Idempotency-Key": "decide-1"}
    body = {"answer": "same"}
    first = fresh.api("sales", "POST", "/v1/cases/99/decide", json=body, headers=headers)
    again = fresh.api("sales", "POST", "/v1/cases/99/decide", json=body, headers=headers)

    assert (again.status_code, again.content, again.headers["content-type"]) == (404, first.content, "application/problem+json")
    assert "Idempotency-Replayed" not in fresh.api("finance", "POST", "/v1/cases/99/decide", json=body, headers=headers).headers


def test_of_two_at_the_same_instant_one_runs(fresh: Fresh) -> None:
    barrier, answers = threading.Barrier(6), []

    def ask() -> None:
        barrier.wait()
        answers.append(fresh.api("it", "POST", "/v1/plans", json={"kind": "first_load"}, headers={"Idempotency-Key": "race"}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(answers) <= {201, 409}
    assert len(fresh.rows("SELECT FROM plan")) == 2


def test_a_first_request_that_died_does_not_block_its_repeats_for_ever(fresh: Fresh) -> None:
    headers = {"Idempotency-Key": "dead"}
    assert fresh.api("it", "POST", "/v1/plans", json={"kind": "first_load"}, headers=headers).status_code == 201
    fresh.rows("UPDATE idempotent_request SET status = NULL, body = NULL RETURNING 1")
    assert fresh.api("it", "POST", "/v1/plans", json={"kind": "first_load"}, headers=headers).json()["code"] == "api/request-in-progress"
    fresh.rows("UPDATE idempotent_request SET started_at = now() - interval '11 minutes' RETURNING 1")

    assert fresh.api("it", "POST", "/v1/plans", json={"kind": "first_load"}, headers=headers).status_code == 201


def test_answers_are_kept_for_a_day_and_then_forgotten(fresh: Fresh) -> None:
    for key in ("old-1", "old-2"):
        fresh.api("it", "POST", "/v1/plans", json={"kind": "first_load"}, headers={"Idempotency-Key": key})
    fresh.rows("UPDATE idempotent_request SET started_at = now() - interval '25 hours' RETURNING 1")

    again = fresh.api("it", "POST", "/v1/plans", json={"kind": "repair"}, headers={"Idempotency-Key": "old-1"})
    assert (again.status_code, again.json()["kind"]) == (201, "repair")
    assert [row["idempotency_key"] for row in fresh.rows("SELECT idempotency_key FROM idempotent_request")] == ["old-1"]


@pytest.mark.promise(12)
def test_the_audit_log_cannot_be_changed(fresh: Fresh) -> None:
    fresh.api("it", "POST", "/v1/plans", json={"kind": "first_load"})
    for statement in ("UPDATE api_audit SET actor = 'nobody'", "DELETE FROM api_audit"):
        with pytest.raises(Exception, match="append-only"):
            fresh.rows(statement)

    assert [phase for _, _, phase, _ in audit(fresh)] == ["asked", "done"]


def test_an_edit_is_no_way_to_approve(fresh: Fresh) -> None:
    approval = fresh.world.theirs["approval"]
    answer = fresh.api("it", "PATCH", f"/v1/approvals/{approval}", json={"decision": "approved"})

    assert (answer.status_code, answer.json()["code"]) == (403, "keys/scope-missing")

"""Each record of a batch is judged alone: by its id, by the place that an error names, by the hub's key; else it is uncertain."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Change, Outcome, Receipt
from connectors.errors import CallFailed, Refused, Throttled
from tests.connectors.crm_zoho.scripted import DROP, Asked, Zoho, done, failed, listed, row, save


def told(receipts: Any) -> dict[str, tuple[Outcome, str | None]]:
    return {receipt.change_id: (receipt.outcome, receipt.key) for receipt in receipts}


def one(receipts: Sequence[Receipt]) -> Receipt:
    (receipt,) = receipts
    return receipt


def answering(written: Any, status: int = 207, *, keys: dict[str, str] | None = None, line_field: str = "") -> Any:
    """Answers writes with `written`, and a read by ids with records that carry the hub keys of `keys` (id -> hub key)."""

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method != "GET":
            return status, written
        ids = [key for key in asked.query.get("ids", "").split(",") if key in (keys or {})]
        lines: dict[str, Any] = {line_field: []} if line_field else {}
        return listed(asked, *[row(key, Hub_Key=(keys or {})[key], **lines) for key in ids])

    return answer


@pytest.mark.parametrize("status", [200, 201, 202, 207, 400])
def test_a_batch_is_judged_record_by_record_whatever_the_http_status(server: Zoho, status: int) -> None:
    written = {"data": [done("11"), failed("MANDATORY_NOT_FOUND", api_name="Account_Name", json_path="$.data[1].Account_Name")]}
    server.answer = answering(written, status, keys={"11": "HUB0001"})

    receipts = server.session().write("accounts", [save(1), save(2)])

    assert told(receipts) == {"c1": (Outcome.WRITTEN, "11"), "c2": (Outcome.REJECTED, None)}
    assert "Account_Name" in next(r for r in receipts if r.change_id == "c2").why


@pytest.mark.promise(5)
def test_creates_that_are_answered_in_another_order_find_their_records_by_the_hub_key(server: Zoho) -> None:
    written = {"data": [done("13"), done("11"), done("12")]}
    server.answer = answering(written, 201, keys={"11": "HUB0001", "12": "HUB0002", "13": "HUB0003"})

    receipts = server.session().write("accounts", [save(1), save(2), save(3)])

    assert told(receipts) == {"c1": (Outcome.WRITTEN, "11"), "c2": (Outcome.WRITTEN, "12"), "c3": (Outcome.WRITTEN, "13")}
    assert all(receipt.record is not None and receipt.record.key == receipt.key for receipt in receipts)


def test_fewer_answers_than_records_leave_the_others_uncertain(server: Zoho) -> None:
    server.answer = answering({"data": [done("12")]}, 201, keys={"12": "HUB0002"})

    receipts = server.session().write("accounts", [save(1), save(2), save(3)])

    assert told(receipts) == {"c1": (Outcome.UNCERTAIN, None), "c2": (Outcome.WRITTEN, "12"), "c3": (Outcome.UNCERTAIN, None)}


def test_creates_that_cannot_be_told_apart_are_uncertain_rather_than_guessed(server: Zoho) -> None:
    server.answer = answering({"data": [done("11"), done("12")]}, 201)  # the look afterwards finds nothing

    assert told(server.session().write("accounts", [save(1), save(2)])) == {
        "c1": (Outcome.UNCERTAIN, None),
        "c2": (Outcome.UNCERTAIN, None),
    }


def test_one_record_alone_is_certain_without_a_look(server: Zoho) -> None:
    server.answer = answering({"data": [done("11")]}, 201)

    assert told(server.session().write("accounts", [save(1)])) == {"c1": (Outcome.WRITTEN, "11")}


def test_updates_are_matched_by_their_id_in_any_order(server: Zoho) -> None:
    written = {"data": [done("12"), failed("INVALID_DATA", api_name="Phone", json_path="$.data[2].Phone", maximum_length=30), done("11")]}
    server.answer = answering(written)

    receipts = server.session().write("accounts", [save(1, "11"), save(2, "12"), save(3, "13")])

    assert told(receipts) == {"c1": (Outcome.WRITTEN, "11"), "c2": (Outcome.WRITTEN, "12"), "c3": (Outcome.REJECTED, "13")}
    assert "maximum length 30" in receipts[2].why


def test_an_error_that_names_nothing_is_taken_by_its_place_only_when_all_others_stand_in_theirs(server: Zoho) -> None:
    changes = [save(1, "11"), save(2, "12"), save(3, "13")]
    server.answer = answering({"data": [done("11"), failed("RECORD_LOCKED"), done("13")]})
    in_order = told(server.session().write("accounts", changes))
    server.answer = answering({"data": [done("13"), failed("RECORD_LOCKED"), done("11")]})
    shuffled = told(server.session().write("accounts", changes))

    assert in_order["c2"] == (Outcome.BLOCKED, "12")
    assert shuffled == {"c1": (Outcome.WRITTEN, "11"), "c2": (Outcome.UNCERTAIN, "12"), "c3": (Outcome.WRITTEN, "13")}


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("MANDATORY_NOT_FOUND", Outcome.REJECTED),
        ("INVALID_DATA", Outcome.REJECTED),
        ("MAPPING_MISMATCH", Outcome.REJECTED),
        ("NO_PERMISSION", Outcome.REJECTED),
        ("CONVERTED_RECORD", Outcome.REJECTED),
        ("RECORD_LOCKED", Outcome.BLOCKED),
        ("NOT_APPROVED", Outcome.BLOCKED),
        ("RECORD_MODIFIED", Outcome.RETRY),
        ("INTERNAL_ERROR", Outcome.UNCERTAIN),
        ("SOMETHING_NEW", Outcome.UNCERTAIN),
    ],
)
def test_each_code_leads_to_its_outcome(server: Zoho, code: str, outcome: Outcome) -> None:
    server.answer = answering({"data": [failed(code, "vendor's words", api_name="Stage")]}, 400)

    receipt = one(server.session().write("deals", [save(1, "11", Next_Step="报价")]))

    assert (receipt.outcome, receipt.code) == (outcome, code)
    assert "Stage" in receipt.why


def test_several_errors_of_one_record_are_told_together_and_the_gravest_decides(server: Zoho) -> None:
    errors = [failed("RECORD_LOCKED"), failed("INVALID_DATA", api_name="Phone")]
    server.answer = answering({"data": [failed("MULTIPLE_OR_MULTI_ERRORS", errors=errors)]}, 400)

    receipt = one(server.session().write("accounts", [save(1, "11")]))

    assert receipt.outcome is Outcome.REJECTED
    assert "locked" in receipt.why
    assert "Phone" in receipt.why


@pytest.mark.promise(5)
def test_a_hub_key_that_is_there_already_is_uncertain_and_names_the_record_so_that_the_engine_looks(server: Zoho) -> None:
    duplicate = failed("DUPLICATE_DATA", api_name="Hub_Key", json_path="$.data[0].Hub_Key", duplicate_record={"id": "99"})
    server.answer = answering({"data": [duplicate]}, 400)

    receipt = one(server.session().write("sales_orders", [save(1, Subject="订单")]))

    assert (receipt.outcome, receipt.key, receipt.code) == (Outcome.UNCERTAIN, "99", "DUPLICATE_DATA")


def test_another_unique_value_that_is_taken_is_rejected_and_never_linked_to_the_other_record(server: Zoho) -> None:
    duplicate = failed("DUPLICATE_DATA", api_name="USCC", json_path="$.data[0].USCC", duplicate_record={"id": "99"})
    server.answer = answering({"data": [duplicate]}, 400)

    receipt = one(server.session().write("accounts", [save(1)]))

    assert (receipt.outcome, receipt.key) == (Outcome.REJECTED, None)
    assert "USCC" in receipt.why
    assert "99" in receipt.why


@pytest.mark.promise(5)
@pytest.mark.parametrize(
    "answer",
    [
        (DROP, None),
        (500, failed("INTERNAL_ERROR")),
        (502, b"<html>Bad Gateway</html>"),
        (200, b'{"data": [{"co'),
        (200, b"<html>"),
        (204, None),
    ],
    ids=["cut", "500", "502-html", "truncated", "html", "empty"],
)
def test_a_write_without_a_readable_answer_is_uncertain_for_every_record(server: Zoho, answer: tuple[int, Any]) -> None:
    server.answer = lambda asked: answer

    receipts = server.session().write("accounts", [save(1), save(2, "12")])

    assert {receipt.outcome for receipt in receipts} == {Outcome.UNCERTAIN}
    assert len(server.calls) == 2  # one upsert and one update: nothing was sent again


def test_a_refused_call_raises_when_certainly_nothing_was_done(server: Zoho) -> None:
    server.answer = lambda asked: (401, failed("OAUTH_SCOPE_MISMATCH"))
    with pytest.raises(Refused, match="scope"):
        server.session().write("accounts", [save(1)])

    server.answer = lambda asked: (429, failed("TOO_MANY_REQUESTS"))
    with pytest.raises(Throttled):
        server.session().write("accounts", [save(1)])


def test_what_was_written_before_a_refusal_keeps_its_receipts(server: Zoho) -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method == "POST":
            return 201, {"data": [done("11")]}
        return (429, failed("TOO_MANY_REQUESTS")) if asked.method == "PUT" else (204, None)

    server.answer = answer

    receipts = server.session().write("accounts", [save(1), save(2, "12")])

    assert told(receipts) == {"c1": (Outcome.WRITTEN, "11"), "c2": (Outcome.RETRY, "12")}
    assert next(receipt for receipt in receipts if receipt.change_id == "c2").retry_after_s


@pytest.mark.promise(9)
def test_a_spent_budget_stops_a_write_before_it_is_sent(server: Zoho) -> None:
    class Budget:
        def reserve(self, *, kind: str, units: int = 1) -> None:
            if kind == "write":
                raise Throttled("zoho", "the day's credits are spent", after_s=3600)

        def lower(self, *, remaining: int, window: str) -> None: ...
        def hold(self, *, seconds: float) -> None: ...

    with pytest.raises(Throttled) as caught:
        server.session(budget=Budget()).write("accounts", [save(1)])

    assert caught.value.after_s == 3600
    assert not server.calls


def test_each_429_makes_everybody_wait_twice_as_long(server: Zoho) -> None:
    server.answer = lambda asked: (429, failed("TOO_MANY_REQUESTS"))
    held: list[float] = []

    class Budget:
        def reserve(self, *, kind: str, units: int = 1) -> None: ...
        def lower(self, *, remaining: int, window: str) -> None: ...
        def hold(self, *, seconds: float) -> None:
            held.append(seconds)

    session = server.session(budget=Budget())
    for _ in range(4):
        with pytest.raises(Throttled):
            session.write("accounts", [save(1)])

    assert held == [2.0, 4.0, 8.0, 16.0]


@pytest.mark.promise(9)
def test_a_batch_costs_a_credit_for_ten_records_and_the_vendors_count_lowers_ours(server: Zoho) -> None:
    reserved: list[tuple[str, int]] = []
    lowered: list[tuple[int, str]] = []

    class Budget:
        def reserve(self, *, kind: str, units: int = 1) -> None:
            reserved.append((kind, units))

        def lower(self, *, remaining: int, window: str) -> None:
            lowered.append((remaining, window))

        def hold(self, *, seconds: float) -> None: ...

    server.answer = answering({"data": [done(str(n)) for n in range(100, 145)]}, 201)
    server.headers = {"X-API-CREDITS-REMAINING": "41"}
    server.session(budget=Budget()).write("accounts", [save(n) for n in range(45)])

    assert reserved[:2] == [("signin", 1), ("write", 5)]
    assert set(lowered) == {(41, "day")}


def test_creates_without_lines_are_upserts_on_the_hub_key_and_with_lines_inserts(server: Zoho) -> None:
    server.answer = answering({"data": [done("11")]}, 201)
    session = server.session()

    session.write("accounts", [save(1)])
    session.write("quotes", [save(2, Subject="报价", Quoted_Items=[{"Product_Name": {"id": "5"}, "Quantity": Decimal("1.50")}])])

    upsert, insert = server.called("/Accounts/upsert")[0].json(), server.called("/Quotes")[0].json()
    assert upsert == {
        "data": [{"Account_Name": "杭州远航电子有限公司1", "Hub_Key": "HUB0001"}],
        "duplicate_check_fields": ["Hub_Key"],
        "trigger": [],
    }
    assert insert["data"][0]["Hub_Key"] == "HUB0002"
    assert "duplicate_check_fields" not in insert
    assert b'"Quantity":1.50' in server.called("/Quotes")[0].body


def test_automation_runs_only_when_the_change_is_not_quiet(server: Zoho) -> None:
    server.answer = answering({"data": [done("11")]})
    change = save(1, "11", Phone="0571-8888")

    session = server.session()
    session.write("accounts", [change])
    session.write("accounts", [Change(**{**{f: getattr(change, f) for f in change.__slots__}, "quiet": False})])

    quiet, loud = [call.json() for call in server.called("/Accounts", "PUT")]
    assert quiet == {"data": [{"Phone": "0571-8888", "id": "11"}], "trigger": []}
    assert "trigger" not in loud


def test_only_what_changes_is_sent_and_no_read_only_key(server: Zoho) -> None:
    server.answer = answering({"data": [done("11")]})
    server.session().write("accounts", [save(1, "11", Phone=None, Modified_Time="x", **{"$editable": True, "Owner": {"id": "3"}})])

    assert server.called("/Accounts", "PUT")[0].json()["data"] == [{"Phone": None, "Owner": {"id": "3"}, "id": "11"}]


def test_two_changes_with_one_hub_key_never_go_in_one_batch(server: Zoho) -> None:
    server.answer = answering({"data": [done("11")]}, 201)
    first, second = save(1), Change("c9", "save", "HUB0001", fields={"Account_Name": "另一个"})

    receipts = server.session().write("accounts", [first, second])

    assert told(receipts) == {"c1": (Outcome.WRITTEN, "11"), "c9": (Outcome.RETRY, None)}
    assert len(server.called("/Accounts/upsert")[0].json()["data"]) == 1


def test_more_than_a_hundred_records_go_in_several_calls(server: Zoho) -> None:
    server.answer = lambda asked: (
        (200, {"data": [done(row["id"]) for row in asked.json()["data"]]}) if asked.method == "PUT" else (204, None)
    )

    receipts = server.session().write("accounts", [save(n, str(1000 + n)) for n in range(250)])

    assert [len(call.json()["data"]) for call in server.called("/Accounts", "PUT")] == [100, 100, 50]
    assert {receipt.outcome for receipt in receipts} == {Outcome.WRITTEN}


def test_a_deleted_record_that_is_gone_already_is_unchanged(server: Zoho) -> None:
    server.answer = answering({"data": [failed("INVALID_DATA", id="12"), done("11")]})
    changes = [Change(f"c{n}", "delete", f"H{n}", key) for n, key in ((1, "11"), (2, "12"), (3, None))]

    assert told(server.session().write("accounts", changes)) == {
        "c1": (Outcome.WRITTEN, "11"),
        "c2": (Outcome.UNCHANGED, "12"),
        "c3": (Outcome.UNCHANGED, None),
    }
    assert server.calls[0].query == {"ids": "11,12", "wf_trigger": "false"}


def test_deactivating_and_voiding_write_the_fields_that_mean_it_and_other_steps_are_refused(server: Zoho) -> None:
    server.answer = answering({"data": [done("11")]})
    session = server.session()
    session.write("products", [Change("c1", "deactivate", "H1", "11")])
    session.write("sales_orders", [Change("c1", "void", "H1", "11")])

    assert server.called("/Products", "PUT")[0].json()["data"] == [{"Product_Active": False, "id": "11"}]
    assert server.called("/Sales_Orders", "PUT")[0].json()["data"] == [{"Status": "Cancelled", "id": "11"}]
    refused = one(session.write("contacts", [Change("c1", "submit", "H1", "11")]))
    assert (refused.outcome, refused.code) == (Outcome.REJECTED, "no-such-step")


def test_other_field_names_of_the_organisation_are_used_on_the_wire_only(server: Zoho) -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method == "PUT":
            return 200, {"data": [done("11")]}
        return listed(asked, row("11", Tax_Number="91330100MA27XXXXXX", Hub_Id="HUB0001"))

    server.answer = answer
    session = server.session(hub_key_field="Hub_Id", fields={"accounts": {"USCC": "Tax_Number", "Credit_Limit": ""}})

    receipt = one(session.write("accounts", [save(1, "11", USCC="91330100MA27XXXXXX")]))

    assert server.called("/Accounts", "PUT")[0].json()["data"] == [{"Tax_Number": "91330100MA27XXXXXX", "id": "11"}]
    assert receipt.record is not None
    assert receipt.record.payload["USCC"] == "91330100MA27XXXXXX"
    assert receipt.record.payload["Hub_Key"] == "HUB0001"
    asked = server.called("/Accounts", "GET")[0].query["fields"].split(",")
    assert {"Tax_Number", "Hub_Id"} < set(asked)
    assert not {"USCC", "Hub_Key", "Credit_Limit"} & set(asked)


def test_no_error_text_holds_a_secret_or_a_value_of_a_record(server: Zoho) -> None:
    texts = []
    for answer in ((401, failed("OAUTH_SCOPE_MISMATCH")), (400, failed("INVALID_DATA")), (403, b"<html>verboten</html>"), (DROP, None)):
        server.answer = lambda asked, answer=answer: answer  # type: ignore[misc]  # bound at once
        try:
            texts += [receipt.why for receipt in server.session().write("accounts", [save(1)])]
        except CallFailed as error:
            texts.append(str(error))

    assert len(texts) == 4
    assert not [text for text in texts if "geheim" in text or "远航" in text or "t1" in text]

"""Writing to the stand-in: what is written can be read, lines keep their ids, faults make no duplicate, blueprints are walked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Change, Outcome, Receipt
from connectors.crm_zoho import connector
from connectors.crm_zoho.connector import ZohoSession
from tests.connectors.crm_zoho.scripted import save
from tests.connectors.crm_zoho.stand_in import StandIn

BLUEPRINT = "渠道项目"


def one(receipts: Any) -> Receipt:
    (receipt,) = receipts
    return receipt  # type: ignore[no-any-return]  # a sequence of receipts


def by_hub_key(sandbox: StandIn, stream: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in sandbox.records(stream):
        found.setdefault(record.get("Hub_Key") or "", []).append(record["id"])
    return found


@pytest.fixture
def order(sandbox: StandIn) -> dict[str, Any]:
    """Fields of an order with two lines, whose account and products are there."""
    account = sandbox.put("accounts", Account_Name="杭州远航电子有限公司")
    products = [sandbox.put("products", Product_Name=f"工业交换机{n}", Product_Code=f"M00{n}") for n in (1, 2)]
    lines = [
        {"Product_Name": {"id": product["id"]}, "Quantity": Decimal("2.5"), "List_Price": Decimal("113.00"), "Hub_Line": f"L{n}"}
        for n, product in enumerate(products, 1)
    ]
    return {
        "Subject": "XSDD000123",
        "Account_Name": {"id": account["id"]},
        "ERP_Order_No": "XSDD000123",
        "Order_Date": "2026-01-05",
        "Net_Amount": Decimal("500.00"),
        "Tax_Amount": Decimal("65.00"),
        "Total_Amount": Decimal("565.00"),
        "Ordered_Items": lines,
    }


def test_a_batch_of_creates_gives_each_change_its_own_record(sandbox: StandIn) -> None:
    receipts = sandbox.session().write("accounts", [save(n) for n in range(130)])

    assert {receipt.outcome for receipt in receipts} == {Outcome.WRITTEN}
    written = by_hub_key(sandbox, "accounts")
    assert {receipt.change_id: [receipt.key] for receipt in receipts} == {f"c{n}": written[f"HUB{n:04}"] for n in range(130)}
    assert all(receipt.record and receipt.record.payload["Hub_Key"] == f"HUB{int(receipt.change_id[1:]):04}" for receipt in receipts)


@pytest.mark.promise(5)
@pytest.mark.parametrize("effect", ["shuffle_batch", "partial_batch"])
def test_answers_that_are_shuffled_or_partly_refused_are_laid_beside_the_right_changes(sandbox: StandIn, effect: str) -> None:
    sandbox.fault(effect, path="/Accounts/upsert")

    receipts = sandbox.session().write("accounts", [save(n) for n in range(10)])

    written = by_hub_key(sandbox, "accounts")
    for receipt in receipts:
        assert (receipt.outcome is Outcome.WRITTEN) == (f"HUB{int(receipt.change_id[1:]):04}" in written)
        if receipt.outcome is Outcome.WRITTEN:
            assert [receipt.key] == written[f"HUB{int(receipt.change_id[1:]):04}"]
        else:
            assert receipt.outcome is Outcome.UNCERTAIN


@pytest.mark.promise(5)
def test_updates_in_a_shuffled_answer_are_matched_by_id(sandbox: StandIn) -> None:
    session = sandbox.session()
    keys = {receipt.change_id: receipt.key for receipt in session.write("accounts", [save(n) for n in range(10)])}
    sandbox.fault("shuffle_batch", method="PUT")
    changes = [save(n, keys[f"c{n}"], **({"Dealer_Level": "特级"} if n == 4 else {"Phone": f"0571-{n}"})) for n in range(10)]

    receipts = {receipt.change_id: receipt for receipt in session.write("accounts", changes)}

    assert receipts["c4"].outcome is Outcome.REJECTED
    assert "Dealer_Level" in receipts["c4"].why
    good = [receipt for receipt in receipts.values() if receipt.change_id != "c4"]
    assert {receipt.outcome for receipt in good} == {Outcome.WRITTEN}
    assert all(receipt.key == keys[receipt.change_id] for receipt in good)
    assert all(receipt.record and receipt.record.payload["Phone"] == f"0571-{receipt.change_id[1:]}" for receipt in good)


@pytest.mark.promise(5)
@pytest.mark.parametrize("stream", ["accounts", "sales_orders"])
@pytest.mark.parametrize("effect", ["drop_after", "drop_before", "truncate", "garbage", "html"])
def test_a_create_whose_answer_is_lost_is_found_again_and_never_doubled(
    sandbox: StandIn, order: dict[str, Any], stream: str, effect: str
) -> None:
    session = sandbox.session()
    change = Change("c1", "save", "HUB-ORDER-1", fields=order) if stream == "sales_orders" else save(1)
    sandbox.fault(effect, method="POST", stream=stream)

    first = one(session.write(stream, [change]))
    found = session.find(stream, [change.hub_key])
    if not found:
        again = one(session.write(stream, [change]))
        assert again.outcome is Outcome.WRITTEN

    assert first.outcome is Outcome.UNCERTAIN
    assert len(by_hub_key(sandbox, stream)[change.hub_key]) == 1


@pytest.mark.promise(5)
def test_a_repeated_create_of_an_order_adds_no_line_and_names_the_order_that_is_there(sandbox: StandIn, order: dict[str, Any]) -> None:
    session = sandbox.session()
    change = Change("c1", "save", "HUB-ORDER-1", fields=order)
    first = one(session.write("sales_orders", [change]))

    second = one(session.write("sales_orders", [change]))

    assert (first.outcome, second.outcome) == (Outcome.WRITTEN, Outcome.UNCERTAIN)
    assert second.key == first.key
    assert len(session.get("sales_orders", [first.key or ""])[0].payload["Ordered_Items"]) == 2


def test_lines_are_changed_added_and_removed_by_their_ids(sandbox: StandIn, order: dict[str, Any]) -> None:
    session = sandbox.session()
    created = one(session.write("sales_orders", [Change("c1", "save", "HUB-ORDER-1", fields=order)]))
    assert created.record is not None
    first, second = created.record.payload["Ordered_Items"]
    fields = {
        "Ordered_Items": [
            {"id": first["id"], "Quantity": Decimal(4)},
            {"id": second["id"], "_delete": None},
            {**order["Ordered_Items"][1], "Hub_Line": "L3", "Quantity": Decimal(7)},
        ]
    }

    changed = one(session.write("sales_orders", [Change("c2", "save", "HUB-ORDER-1", created.key, fields=fields)]))

    assert changed.record is not None
    lines = changed.record.payload["Ordered_Items"]
    assert [(line["Hub_Line"], line["Quantity"]) for line in lines] == [("L1", 4), ("L3", 7)]
    assert lines[0]["id"] == first["id"]
    assert lines[0]["List_Price"] == Decimal("113.00")
    assert changed.record.payload["Subject"] == "XSDD000123"


@pytest.mark.promise(10)
def test_amounts_come_back_to_the_fen_as_they_were_written(sandbox: StandIn, order: dict[str, Any]) -> None:
    order |= {"Net_Amount": Decimal("999999999999.99"), "Tax_Amount": Decimal("0.01"), "Total_Amount": Decimal("1000000000000.00")}

    record = one(sandbox.session().write("sales_orders", [Change("c1", "save", "HUB-ORDER-1", fields=order)])).record

    assert record is not None
    for name in ("Net_Amount", "Tax_Amount", "Total_Amount"):
        assert record.payload[name] == order[name]
        assert not isinstance(record.payload[name], float)


@pytest.mark.promise(3)
def test_law_what_is_written_and_read_back_is_equal_after_normalising(sandbox: StandIn, order: dict[str, Any]) -> None:
    session = sandbox.session()
    stream = next(each for each in connector.streams(sandbox.settings()) if each.name == "sales_orders")
    order |= {"Description": " 加急\r\n发货  ", "Business_Status": "", "Due_Date": None, "Paid_Amount": Decimal("12.345")}

    record = one(session.write("sales_orders", [Change("c1", "save", "HUB-ORDER-1", fields=order)])).record

    assert record is not None
    for name, value in order.items():
        if name != "Ordered_Items":
            assert connector.normalise(stream, name, record.payload[name]) == connector.normalise(stream, name, value), name
    for line, sent in zip(record.payload["Ordered_Items"], order["Ordered_Items"], strict=True):
        for name, value in sent.items():
            path = f"Ordered_Items.{name}"
            assert connector.normalise(stream, path, line[name]) == connector.normalise(stream, path, value), path


def test_a_deleted_record_is_told_as_deleted(sandbox: StandIn) -> None:
    session = sandbox.session()
    key = one(session.write("leads", [save(1, Last_Name="王", Company="远航")])).key or ""
    receipt = one(session.write("leads", [Change("c2", "delete", "HUB0001", key)]))
    again = one(session.write("leads", [Change("c3", "delete", "HUB0001", key)]))

    assert (receipt.outcome, again.outcome) == (Outcome.WRITTEN, Outcome.UNCHANGED)
    assert [record.deleted for record in session.get("leads", [key])] == [True]


def a_deal(sandbox: StandIn, session: ZohoSession, stage: str) -> str:
    fields = {"Deal_Name": "萧山机场二期", "Stage": stage, "Pipeline": BLUEPRINT, "Closing_Date": "2026-03-31"}
    return one(session.write("deals", [Change("c0", "save", "HUB-DEAL-1", fields=fields)])).key or ""


def test_a_stage_that_a_blueprint_guards_is_reached_by_its_transitions_and_the_rest_is_written_too(sandbox: StandIn) -> None:
    session = sandbox.session()
    key = a_deal(sandbox, session, "Qualification")
    fields = {"Stage": "Closed Won", "ERP_Order_No": "XSDD000123"}

    receipt = one(session.write("deals", [Change("c1", "save", "HUB-DEAL-1", key, fields=fields)]))

    assert receipt.outcome is Outcome.WRITTEN, receipt.why
    assert receipt.record is not None
    assert (receipt.record.payload["Stage"], receipt.record.payload["ERP_Order_No"]) == ("Closed Won", "XSDD000123")


def test_a_stage_to_which_no_transition_leads_is_blocked_and_nothing_is_moved(sandbox: StandIn) -> None:
    session = sandbox.session()
    key = a_deal(sandbox, session, "Closed Won")

    receipt = one(session.write("deals", [Change("c1", "save", "HUB-DEAL-1", key, fields={"Stage": "Qualification"})]))

    assert receipt.outcome is Outcome.BLOCKED
    assert "Qualification" in receipt.why
    assert session.get("deals", [key])[0].payload["Stage"] == "Closed Won"

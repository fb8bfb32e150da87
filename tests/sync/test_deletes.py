"""Deletes, only from proof."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from canonical.values import SHANGHAI
from connectors.base import Change
from sync import cycle, inspecting, quarantining, reconciling
from sync.errors import WrongState
from tests.sync.stage import BOSS, Pair, Stage, open_hub
from tests.sync.test_set_aside import copy_of


def retired(stage: Stage, table: str) -> list[str]:
    return [row["id"] for row in stage.rows(f"SELECT id::text AS id FROM {table} WHERE retired")]


@pytest.mark.promise(8)
def test_an_owners_proven_delete_retires_the_record_and_cascades_nowhere(live: Stage) -> None:
    account = live.zoho.put("accounts", {"Account_Name": "只在客户系统的公司", "Phone": "021-55550001"})
    contact = live.zoho.records("contacts")[0]
    live.sync()
    live.zoho.delete("contacts", contact["id"])

    live.sync()

    assert len(retired(live, "contacts")) == 1
    assert retired(live, "parties") == []
    assert account["id"] in {doc["id"] for doc in live.zoho.records("accounts")}
    assert live.rows("SELECT 1 FROM link WHERE role = 'gone'"), "the tombstone is kept"


@pytest.mark.promise(8)
def test_a_non_owners_delete_is_a_conflict_and_creates_no_second_record(live: Stage) -> None:
    customer = live.customer()
    account = live.account_of(customer)
    live.zoho.delete("accounts", account["id"])

    live.sync()
    live.sync()

    assert [(one["field"], one["theirs"]) for one in inspecting.conflicts(live.hub, system="zoho")] == [("(record)", "deleted")]
    assert retired(live, "parties") == []
    assert [doc for doc in live.zoho.records("accounts") if doc.get("ERP_Code") == customer["FNumber"]] == []
    pairs = inspecting.record(live.hub, "party", inspecting.find_record(live.hub, "party", "CUST00001")).pairs
    assert {pair["reason"] for pair in pairs if pair["system"] == "zoho"} == {"deleted_there"}


@pytest.mark.promise(8)
def test_a_record_that_an_increment_does_not_show_is_not_deleted_but_a_whole_listing_proves_it(live: Stage) -> None:
    receipt = live.kingdee.records("receipts")[0]
    live.kingdee.delete("receipts", str(receipt["FID"]))
    live.sync()
    before = retired(live, "receipts")

    found = reconciling.reconcile(live.hub, "kingdee", ["receipts"])
    live.sync()

    assert before == []
    assert [report.only_here for report in found.streams] == [1]
    assert len(retired(live, "receipts")) == 1
    assert retired(live, "orders") == []


@pytest.mark.promise(8)
def test_so_many_gone_that_a_person_must_look(small: Pair, database: str, tmp_path: Path) -> None:
    small.reset()
    guard = [("    kind: erp_kingdee\n", "    kind: erp_kingdee\n    delete_guard_share: 0.5\n    delete_guard_records: 0\n")]
    with open_hub(small, database, tmp_path / "home", guard) as hub:
        stage = Stage(small, hub)
        stage.go_live()
        for receipt in stage.kingdee.records("receipts"):
            stage.kingdee.delete("receipts", str(receipt["FID"]))

        found = reconciling.reconcile(hub, "kingdee", ["receipts"])

        assert [report.guarded for report in found.streams] == [True]
        assert retired(stage, "receipts") == []
        guards = stage.rows("SELECT id, cause, next_step FROM quarantine WHERE state = 'open'")
        assert {row["cause"] for row in guards} == {"delete_guard"}

        with pytest.raises(WrongState, match="a listing, not a record") as told:
            quarantining.replay(hub, [guards[0]["id"]], by=BOSS)
        with pytest.raises(WrongState, match="a listing, not a record"):
            quarantining.mend(hub, guards[0]["id"], {"FBillNo": "SKD1"}, BOSS)
        among_others = quarantining.replay(hub, by=BOSS)

        believe = "hub reconcile kingdee --stream receipts --believe-gone"
        assert believe in told.value.next_step
        assert (among_others.status, [believe in problem for problem in among_others.problems]) == ("set_aside", [True] * len(guards))
        assert retired(stage, "receipts") == []
        assert len(stage.rows("SELECT 1 FROM quarantine WHERE state = 'open'")) == len(guards)

        believed = reconciling.reconcile(hub, "kingdee", ["receipts"], believe_gone=True)

        assert [report.guarded for report in believed.streams] == [False]
        assert len(retired(stage, "receipts")) == len(stage.rows("SELECT 1 FROM receipts"))
        assert stage.rows("SELECT 1 FROM quarantine WHERE state = 'open'") == [], "the guard's entry outlived what it asked"


@pytest.mark.promise(8)
def test_a_guard_ends_by_itself_when_the_records_are_listed_again(small: Pair, database: str, tmp_path: Path) -> None:
    small.reset()
    guard = [("    kind: erp_kingdee\n", "    kind: erp_kingdee\n    delete_guard_share: 0.5\n    delete_guard_records: 0\n")]
    with open_hub(small, database, tmp_path / "home", guard) as hub:
        stage = Stage(small, hub)
        stage.go_live()
        stage.kingdee.fault(match={"stream": "receipts"}, effect="empty", times=1)
        reconciling.reconcile(hub, "kingdee", ["receipts"])
        stage.kingdee.calm()
        assert {row["cause"] for row in stage.rows("SELECT cause FROM quarantine WHERE state = 'open'")} == {"delete_guard"}

        found = reconciling.reconcile(hub, "kingdee", ["receipts"])

        assert found.run is not None
        assert found.run.status == "done"
        assert stage.rows("SELECT 1 FROM quarantine WHERE state = 'open'") == []


@pytest.mark.promise(8)
@pytest.mark.parametrize("system", ["kingdee", "zoho"])
def test_an_empty_listing_deletes_nothing(live: Stage, system: str) -> None:
    """A right was withdrawn, or the system fell ill: it answers 200 with nothing in it. Each record that lacks is asked for by key."""
    stream = "customers" if system == "kingdee" else "accounts"
    live.door(system).fault(match={"stream": stream}, effect="empty", times=1)

    reconciling.reconcile(live.hub, system, [stream])
    live.door(system).calm()
    live.sync()

    assert retired(live, "parties") == []
    assert live.rows("SELECT 1 FROM link WHERE role = 'gone'") == []
    assert live.verdict().ok


@pytest.mark.promise(8)
def test_an_un_audit_is_a_retraction_not_a_delete(live: Stage) -> None:
    pattern = live.kingdee.records("sales_orders")[0]
    order = live.kingdee.put("sales_orders", copy_of(pattern, "FSaleOrderEntry", FCloseStatus="A", FDate="2026-11-20T00:00:00"))
    live.sync()
    live.kingdee.put("sales_orders", {"FID": order["FID"], "FDocumentStatus": "D"})

    live.sync()

    assert retired(live, "orders") == []
    assert (
        next(doc for doc in live.zoho.records("sales_orders") if doc["ERP_Order_No"] == order["FBillNo"])["Approval_Status"] == "reopened"
    )


@pytest.mark.promise(8)
def test_an_un_audit_of_an_order_that_the_hub_made_is_not_fought_over(live: Stage) -> None:
    order = next(doc for doc in live.kingdee.records("sales_orders") if doc["F_HUB_KEY"])
    live.kingdee.put("sales_orders", {"FID": order["FID"], "FDocumentStatus": "D"})
    mark = live.kingdee.mark()

    live.sync()

    assert [line for line in live.kingdee.log(mark) if line["operation"] in ("submit", "audit", "save")] == []
    assert next(doc for doc in live.kingdee.records("sales_orders") if doc["FID"] == order["FID"])["FDocumentStatus"] == "D"
    mirrored = next(doc for doc in live.zoho.records("sales_orders") if doc["ERP_Order_No"] == order["FBillNo"])
    assert mirrored["Approval_Status"] == "reopened"


@pytest.mark.promise(2)
def test_an_un_audit_is_seen_by_the_next_reading_though_it_moves_no_time(live: Stage) -> None:
    pattern = live.kingdee.records("sales_orders")[0]
    order = live.kingdee.put("sales_orders", copy_of(pattern, "FSaleOrderEntry", FCloseStatus="A", FDate="2026-11-20T00:00:00"))
    key, org = str(order["FID"]), order["FSaleOrgId"]["FNumber"]
    live.sync()
    held = live.one("SELECT payload FROM observed WHERE key = %s", key)
    later = (datetime.now(SHANGHAI) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")  # beyond what is read again for late rows
    with live.hub.transaction() as db:
        db.execute("UPDATE cursor_position SET position = jsonb_set(position::jsonb, '{since}', to_jsonb(%s::text))", [later])
    done = live.hub.session("kingdee").write("sales_orders", [Change("x", "unaudit", "", key, org, order["FBillNo"], {}, True)])

    result = cycle.increment(live.hub, "kingdee", ["sales_orders"])

    now = live.one("SELECT payload FROM observed WHERE key = %s", key)
    assert [receipt.outcome.value for receipt in done] == ["written"]
    assert result.counts["changed"] == 1
    before, after = (json.loads(text) if isinstance(text, str) else text for text in (held, now))
    assert (before["FModifyDate"], before["FDocumentStatus"]) == (after["FModifyDate"], "C")
    assert after["FDocumentStatus"] == "D"
    assert "changed" not in cycle.increment(live.hub, "kingdee", ["sales_orders"]).counts


def test_a_submit_is_seen_by_the_next_reading_though_it_moves_no_time(live: Stage) -> None:
    """Somebody sends a draft into approval; its times stay, and Zoho shows what stands in Kingdee all the same."""
    pattern = live.kingdee.records("sales_orders")[0]
    draft = copy_of(pattern, "FSaleOrderEntry", FCloseStatus="A", FDocumentStatus="A", FApproveDate=None)
    today, long_ago = datetime.now(SHANGHAI), datetime.now(SHANGHAI) - timedelta(days=90)
    orders = [live.kingdee.put("sales_orders", {**draft, "FDate": f"{day:%Y-%m-%d}T00:00:00"}) for day in (today, long_ago)]
    live.sync()
    later = (datetime.now(SHANGHAI) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    with live.hub.transaction() as db:
        db.execute("UPDATE cursor_position SET position = jsonb_set(position::jsonb, '{since}', to_jsonb(%s::text))", [later])
    session = live.hub.session("kingdee")
    changes = [Change("x", "submit", "", str(doc["FID"]), doc["FSaleOrgId"]["FNumber"], doc["FBillNo"], {}, True) for doc in orders]
    assert [receipt.outcome.value for receipt in session.write("sales_orders", changes)] == ["written"] * 2

    cycle.increment(live.hub, "kingdee", ["sales_orders"])
    seen = live.rows(
        "SELECT key, payload::json->>'FDocumentStatus' AS state FROM observed WHERE key = ANY(%s)", [str(doc["FID"]) for doc in orders]
    )
    again = cycle.increment(live.hub, "kingdee", ["sales_orders"])
    reconciling.reconcile(live.hub, "kingdee", ["sales_orders"])

    assert {row["key"]: row["state"] for row in seen} == {str(orders[0]["FID"]): "B", str(orders[1]["FID"]): "A"}
    assert "changed" not in again.counts
    assert live.one("SELECT payload::json->>'FDocumentStatus' FROM observed WHERE key = %s", str(orders[1]["FID"])) == "B", (
        "the stated limit"
    )


@pytest.mark.promise(8)
def test_an_order_that_a_person_un_audited_and_submitted_again_is_audited_by_people(live: Stage) -> None:
    """The hub brings its orders to state C once. Who takes one back decides what becomes of it."""
    order = next(doc for doc in live.kingdee.records("sales_orders") if doc["F_HUB_KEY"])
    live.kingdee.put("sales_orders", {"FID": order["FID"], "FDocumentStatus": "D"})
    live.sync()
    live.kingdee.put("sales_orders", {"FID": order["FID"], "FDocumentStatus": "B"})
    mark = live.kingdee.mark()
    live.sync()
    between = reconciling.reconcile(live.hub, "kingdee", ["sales_orders"])
    live.sync()

    assert [line for line in live.kingdee.log(mark) if line["operation"] in ("submit", "audit", "save")] == []
    assert next(doc for doc in live.kingdee.records("sales_orders") if doc["FID"] == order["FID"])["FDocumentStatus"] == "B"
    assert between.drift == 0
    shown = next(doc for doc in live.zoho.records("sales_orders") if doc["ERP_Order_No"] == order["FBillNo"])
    assert shown["Approval_Status"] == "submitted"

"""One bad record stops nothing: it is set aside, shown, mended and replayed; what waits goes by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from canonical.values import SHANGHAI
from sync import cycle, inspecting, quarantining, valuing
from sync.errors import NotFound, WrongState
from tests.sync.stage import Stage

DROP = ("FID", "FBillNo", "FModifyDate", "FCreateDate", "FApproveDate", "F_HUB_KEY", "F_HUB_QUOTE")


def copy_of(doc: dict[str, Any], entry: str, **changes: Any) -> dict[str, Any]:
    """A new document like another."""
    rows = [{key: value for key, value in row.items() if key.lower() not in {"fentryid", "fseq", "f_hub_line"}} for row in doc[entry]]
    return {**{key: value for key, value in doc.items() if key not in DROP}, entry: rows, **changes}


def bad_receipt(stage: Stage, amount: str = "123456789012345678901234567890") -> dict[str, Any]:
    """A receipt with an amount of 30 digits, beside a good one."""
    pattern = stage.kingdee.records("receipts")[0]
    rows = copy_of(pattern, "FRECEIVEBILLENTRY")["FRECEIVEBILLENTRY"]
    stage.kingdee.put("receipts", copy_of(pattern, "FRECEIVEBILLENTRY", FDATE="2026-11-20T00:00:00"))
    now = datetime.now(SHANGHAI).strftime("%Y-%m-%dT%H:%M:%S")
    bad = copy_of(
        pattern, "FRECEIVEBILLENTRY", FRECEIVEBILLENTRY=[{**rows[0], "FEntryID": 1999999, "FSEQ": 1, "FRECTOTALAMOUNTFOR": amount}]
    )
    bad |= {
        "FID": 699999,
        "FBillNo": "SKD00099999",
        "FDATE": "2026-11-20T00:00:00",
        "FModifyDate": now,
        "FCreateDate": now,
        "F_HUB_KEY": "",
    }
    stage.kingdee._call("POST", "load", {"receipts": [bad]})  # an old program wrote it past the form's own check
    return bad


@pytest.mark.promise(7)
def test_a_bad_record_goes_to_quarantine_and_the_rest_goes_on(live: Stage) -> None:
    bad = bad_receipt(live)

    result = live.sync()

    entries = quarantining.list_quarantine(live.hub)
    assert result.status == "set_aside"
    assert [(entry["system"], entry["stream"], entry["key"]) for entry in entries] == [("kingdee", "receipts", str(bad["FID"]))]
    assert entries[0]["next_step"]
    assert len(live.zoho.records("receipts")) == 1, "the good one went on"
    assert quarantining.show(live.hub, entries[0]["id"])["payload"] is not None


@pytest.mark.promise(7)
def test_a_quarantined_record_that_is_mended_in_its_system_goes_by_itself(live: Stage) -> None:
    bad = bad_receipt(live)
    live.sync()
    row = bad["FRECEIVEBILLENTRY"][0]
    live.kingdee.put(
        "receipts", {"FID": bad["FID"], "FRECEIVEBILLENTRY": [{**row, "FRECTOTALAMOUNTFOR": "12.34", "FRECAMOUNTFOR_E": "12.34"}]}
    )

    live.sync()

    assert quarantining.list_quarantine(live.hub) == []
    assert any(str(doc["Amount"]).startswith("12.34") for doc in live.zoho.records("receipts"))


@pytest.mark.promise(7)
def test_a_quarantined_record_is_mended_here_by_a_person(live: Stage) -> None:
    bad_receipt(live)
    live.sync()
    entry = quarantining.show(live.hub, quarantining.list_quarantine(live.hub)[0]["id"])
    payload = entry["payload"]
    payload["FRECEIVEBILLENTRY"][0]["FRECTOTALAMOUNTFOR"] = "55.66"

    still_bad = quarantining.replay(live.hub, [entry["id"]], by="clerk")
    done = quarantining.mend(live.hub, entry["id"], payload, "clerk")
    live.sync()

    assert still_bad.status == "set_aside"
    assert done.counts["released"] == 1
    assert quarantining.list_quarantine(live.hub) == []
    assert any(str(doc["Amount"]).startswith("55.66") for doc in live.zoho.records("receipts"))
    with pytest.raises(WrongState):
        quarantining.mend(live.hub, entry["id"], payload, "clerk")


@pytest.mark.promise(7)
def test_a_discarded_entry_is_closed_and_its_record_stays_out(live: Stage) -> None:
    bad_receipt(live)
    live.sync()
    entry = quarantining.list_quarantine(live.hub)[0]

    quarantining.discard(live.hub, entry["id"], "clerk")

    assert quarantining.list_quarantine(live.hub) == []
    for again in (
        lambda: quarantining.discard(live.hub, entry["id"], "clerk"),
        lambda: quarantining.replay(live.hub, [entry["id"]], by="clerk"),
    ):
        with pytest.raises(WrongState, match="was discarded by clerk on 20"):
            again()
    with pytest.raises(NotFound):
        quarantining.discard(live.hub, entry["id"] + 1000, "clerk")


@pytest.mark.promise(7)
def test_orders_of_an_unknown_salesperson_wait_in_the_inbox_and_go_when_a_clerk_fills_it_in(live: Stage) -> None:
    late = live.world.truth["late_value"]
    pattern = live.kingdee.records("sales_orders")[0]
    order = live.kingdee.put(
        "sales_orders", copy_of(pattern, "FSaleOrderEntry", FSalerId={"FNumber": late[0]["vendor_value"]}, FDate="2026-11-20T00:00:00")
    )
    live.sync()
    waiting = valuing.missing(live.hub)
    held = [doc for doc in live.zoho.records("sales_orders") if doc["ERP_Order_No"] == order["FBillNo"]]

    names = {"erp_kingdee": "kingdee", "crm_zoho": "zoho"}
    for row in late:
        valuing.set_value(live.hub, row["map"], names[row["system_kind"]], "", row["vendor_value"], row["canonical_value"], "clerk")
    live.sync()

    assert [(row["name"], row["system"], row["value"]) for row in waiting] == [("salesperson", "kingdee", late[0]["vendor_value"])]
    assert held == []
    assert valuing.missing(live.hub) == []
    assert [doc["Salesperson_Code"] for doc in live.zoho.records("sales_orders") if doc["ERP_Order_No"] == order["FBillNo"]] == [
        late[1]["vendor_value"]
    ]
    assert live.verdict(late_values=True).ok


@pytest.mark.promise(7)
def test_a_child_that_comes_before_its_parent_waits_and_goes_by_itself(stage: Stage) -> None:
    cycle.increment(stage.hub, "kingdee", ["organizations", "departments", "employees", "sales_orders"])
    parked = {entry["cause"] for entry in quarantining.list_quarantine(stage.hub)}

    stage.read()

    assert parked == {"parent"}
    assert quarantining.list_quarantine(stage.hub, cause="parent") == []
    assert len(stage.rows("SELECT 1 FROM orders WHERE quote_id IS NULL")) == 3


@pytest.mark.promise(7)
def test_a_text_that_no_database_keeps_sets_one_record_aside(live: Stage) -> None:
    account = live.zoho.records("accounts")[0]
    live.zoho.put("accounts", {"id": account["id"], "Website": "https://nul\u0000.example"})
    other = live.zoho.put("accounts", {"Account_Name": "旁边的好公司", "Phone": "021-12312312"})

    live.sync()

    assert [entry["key"] for entry in quarantining.list_quarantine(live.hub)] == [account["id"]]
    assert inspecting.find_record(live.hub, "party", other["id"])


@pytest.mark.promise(7)
def test_a_record_of_ten_megabytes_is_read_whole_and_stops_nothing(live: Stage) -> None:
    pattern = live.kingdee.records("receipts")[0]
    live.kingdee.put("receipts", copy_of(pattern, "FRECEIVEBILLENTRY", FDATE="2026-11-20T00:00:00"))
    now = datetime.now(SHANGHAI).strftime("%Y-%m-%dT%H:%M:%S")
    row = copy_of(pattern, "FRECEIVEBILLENTRY")["FRECEIVEBILLENTRY"][0]
    large = copy_of(pattern, "FRECEIVEBILLENTRY", FRECEIVEBILLENTRY=[{**row, "FEntryID": 1999999, "FSEQ": 1}])
    large |= {"FID": 699999, "FBillNo": "SKD00099999", "FDATE": "2026-11-20T00:00:00", "FModifyDate": now, "FCreateDate": now}
    large |= {"F_HUB_KEY": "", "FREMARK": "大" * 3_500_000}
    live.kingdee._call("POST", "load", {"receipts": [large]})  # past the form's own check, as an old program wrote it

    result = live.sync()

    assert result.status == "done"
    assert live.rows("SELECT length(doc->>'note') AS length FROM receipts WHERE number = 'SKD00099999'") == [{"length": 3_500_000}]
    assert len(live.zoho.records("receipts")) == 2, "it and the one beside it went on"

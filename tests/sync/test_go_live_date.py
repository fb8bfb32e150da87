"""The go-live date: what is older is quiet, and nothing is made of it, whenever it comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from canonical.ids import new_id_text
from sync import cycle, hub_records
from sync.golive import day_of
from tests.sync.stage import Pair, Stage, open_hub

SHOWN = "zoho: {stream: sales_orders, create: true, create_needs: [number]}"
LOUD = (SHOWN, SHOWN.replace("}", ", quiet: false}"))
CREATED = "kingdee: {stream: sales_orders, create: true, goal: C"


def order_there(stage: Stage, day: str) -> str:
    """An order that somebody types into the ERP, dated `day`; its number."""
    template = stage.kingdee.records("sales_orders")[0]
    doc = {key: value for key, value in template.items() if key not in ("FID", "FBillNo", "FModifyDate", "F_HUB_KEY")}
    doc["FSaleOrderEntry"] = [{key: value for key, value in line.items() if key != "FEntryID"} for line in template["FSaleOrderEntry"]]
    return str(stage.kingdee.put("sales_orders", doc | {"FDate": f"{day}T00:00:00"})["FBillNo"])


def order_of_the_hub(stage: Stage, day: str, note: str) -> None:
    """An order that a rule of the hub makes, as of another one."""
    like = stage.rows("SELECT id::text AS id, doc FROM orders ORDER BY id LIMIT 1")[0]
    names = ("company", "party", "salesperson", "department", "currency", "tax_included", "order_type")
    lines = stage.rows("SELECT doc FROM order_lines WHERE parent_id = %s", like["id"])
    kept = ("product", "quantity", "unit", "tax_price", "tax_rate", "delivery_date")
    rows = {new_id_text(): {name: line["doc"][name] for name in kept} for line in lines}
    with stage.hub.transaction() as db:
        fields = {name: like["doc"][name] for name in names} | {"ordered_on": day, "note": note}
        hub_records.put(stage.hub, db, "order", f"rule/{note}", fields, {"lines": rows}, cause="a rule")


def won_deal(stage: Stage, closing: str, stage_name: str = "Closed Won") -> str:
    """A deal with an accepted quote; the deal's id."""
    quote = next(doc for doc in stage.zoho.records("quotes") if doc["Quote_Stage"] == "Confirmed")
    deal = next(doc for doc in stage.zoho.records("deals") if doc["id"] == quote["Deal_Name"]["id"])
    drop = ("id", "Owner", "Hub_Key", "ERP_Order_No", "ERP_Order_Status", "Modified_Time", "Created_Time")
    made = stage.zoho.put("deals", {k: v for k, v in deal.items() if k not in drop} | {"Stage": stage_name, "Closing_Date": closing})
    items = [{k: v for k, v in row.items() if k != "id"} for row in quote["Quoted_Items"]]
    body = {k: v for k, v in quote.items() if k not in drop} | {"Deal_Name": {"id": made["id"]}, "Quoted_Items": items}
    stage.zoho.put("quotes", body)
    return str(made["id"])


def ordered(stage: Stage, deal: str) -> bool:
    """Whether the hub made an order of a deal."""
    query = "SELECT count(*) FROM orders o JOIN link l ON l.entity_id = (o.doc->>'deal')::uuid WHERE l.key = %s"
    return bool(stage.one(query, deal))


@pytest.mark.promise(14)
def test_an_older_fact_that_comes_late_is_written_quietly_and_a_new_one_is_not(small: Pair, database: str, tmp_path: Path) -> None:
    small.reset()
    with open_hub(small, database, tmp_path / "home", [LOUD]) as hub:
        live = Stage(small, hub)
        live.go_live()
        told: dict[str, set[bool]] = {}
        for day in ("2026-08-31", "2026-09-01"):
            number, mark = order_there(live, day), live.zoho.mark()
            live.sync()
            assert number in {doc.get("ERP_Order_No") for doc in live.zoho.records("sales_orders")}
            writes = [
                line
                for line in live.zoho.log(mark)
                if line["operation"] in ("upsert", "insert", "update") and line["stream"] == "Sales_Orders"
            ]
            told[day] = {line["notes"]["quiet"] for line in writes}

    assert told == {"2026-08-31": {True}, "2026-09-01": {False}}


@pytest.mark.promise(14)
@pytest.mark.parametrize(
    ("scope", "expected"),
    [("", {"新单": "C"}), (", since_field: ordered_on, since: 2026-08-01", {"老单": "A", "新单": "C"})],
    ids=["not created", "allowed by since"],
)
def test_nobody_is_asked_to_approve_an_older_document(
    small: Pair, database: str, tmp_path: Path, scope: str, expected: dict[str, str]
) -> None:
    """Where documents are approved an older one is not created, unless the flow's `since` says so; then it stays a draft."""
    small.reset()
    with open_hub(small, database, tmp_path / "home", [(CREATED, f"{CREATED}{scope}")]) as hub:
        live = Stage(small, hub)
        live.go_live()
        mark = live.kingdee.mark()
        order_of_the_hub(live, "2026-08-15", "老单")
        order_of_the_hub(live, "2026-11-15", "新单")
        live.sync()

        made = {doc["FNote"]: doc["FDocumentStatus"] for doc in live.kingdee.records("sales_orders") if doc["FNote"] in ("老单", "新单")}
        assert made == expected
        assert len([line for line in live.kingdee.log(mark) if line["operation"] == "submit"]) == 1


@pytest.mark.promise(14)
def test_no_order_is_made_of_a_deal_that_was_won_before_the_go_live(stage: Stage) -> None:
    old, new = won_deal(stage, "2026-08-20"), won_deal(stage, "2026-11-20")
    slow = won_deal(stage, "2026-08-20", "Negotiation/Review")

    stage.go_live()
    before = {deal: ordered(stage, deal) for deal in (old, new, slow)}
    stage.zoho.put("deals", {"id": slow, "Stage": "Closed Won"})
    stage.sync()

    assert before == {old: False, new: True, slow: False}
    assert ordered(stage, slow), "it was won under the hub's eyes, whatever day somebody once expected"
    assert not ordered(stage, old)
    assert stage.one("SELECT sum((counts->>'before_go_live')::int) FROM run WHERE kind = 'derive'") >= 1
    assert cycle.derive(stage.hub).status == "done"


@pytest.mark.promise(14)
def test_a_flow_may_have_gone_live_on_a_day_of_its_own(small: Pair, database: str, tmp_path: Path) -> None:
    small.reset()
    earlier = ("  order:\n    required: [party]\n", "  order:\n    go_live: 2026-08-01\n    required: [party]\n")
    with open_hub(small, database, tmp_path / "home", [earlier]) as hub:
        stage = Stage(small, hub)
        deal = won_deal(stage, "2026-08-20")
        stage.go_live()

        assert ordered(stage, deal)


@pytest.mark.promise(14)
@pytest.mark.parametrize(
    ("doc", "day"),
    [
        ({"ordered_on": "2026-11-21"}, "2026-11-21"),
        ({"stage_kind": "won", "expected_close": "2026-11-20"}, "2026-11-20"),
        ({"stage_kind": "won", "expected_close": "2026-11-20", "won_on": "2026-11-01"}, "2026-11-01"),
        ({"stage_kind": "negotiate", "expected_close": "2026-11-20"}, None),
        ({"received_at": "2026-08-31T16:30:00Z"}, "2026-09-01"),
        ({"name": "某客户"}, None),
    ],
    ids=["order", "deal", "deal with its own day", "open deal", "lead, of the Shanghai day", "customer"],
)
def test_the_day_a_record_is_about(doc: dict[str, Any], day: str | None) -> None:
    assert day_of(doc) == day

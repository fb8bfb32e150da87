"""Created once, whatever happens between the request and its answer."""

from __future__ import annotations

import psycopg
import pytest

from sync import cycle, planning
from tests.oracle import Door
from tests.sync.stage import BOSS, Stage

SAVE = {"kingdee": {"path": ".save"}, "zoho": {"method": "POST", "path": "/upsert"}}


def approved(stage: Stage) -> None:
    """Everything is planned and approved, nothing is written yet."""
    stage.read()
    plan = planning.make_plan(stage.hub)
    planning.approve(stage.hub, plan.id, BOSS)
    stage.write_mode()
    planning.apply(stage.hub, plan.id, deliver_now=False)


def orders_of_the_quote(kingdee: Door) -> list[str]:
    return [doc["FBillNo"] for doc in kingdee.records("sales_orders") if doc["F_HUB_KEY"]]


def wake(stage: Stage) -> None:
    """Time passes: what waits to be tried again is due."""
    with stage.hub.transaction() as db:
        db.execute("UPDATE desired SET due_at = now() WHERE due_at > now()")
        db.execute("UPDATE system_pause SET until = now()")


FAULTS = {
    "the answer is lost": [{"effect": "drop_after", "times": 1}],
    "the request is lost": [{"effect": "drop_before", "times": 1}],
    "the answer is lost, then it cannot be found for a while": [
        {"effect": "index_lag", "value": 1, "times": 1},
        {"effect": "drop_after", "times": 1},
    ],
    "it answers 500 after it committed": [{"effect": "status", "value": {"status": 500, "after": True}, "times": 1}],
    "the answer is cut off": [{"effect": "truncate", "value": 0.5, "times": 1}],
    "the answer is no JSON": [{"effect": "garbage", "times": 1}],
    "an HTML page comes instead": [{"effect": "html", "times": 1}],
    "the session is lost": [{"effect": "expire_session", "times": 1}],
    "the answer is lost three times": [{"effect": "drop_after", "times": 3}],
}


@pytest.mark.promise(5)
@pytest.mark.parametrize("system", ["kingdee", "zoho"])
@pytest.mark.parametrize("faults", list(FAULTS.values()), ids=list(FAULTS))
def test_a_record_is_created_once_though(stage: Stage, system: str, faults: list[dict[str, object]]) -> None:
    approved(stage)
    for fault in faults:
        stage.door(system).fault(match=SAVE[system], **fault)
    stage.sync()
    stage.door(system).calm()
    for _ in range(3):
        wake(stage)
        stage.sync()

    verdict = stage.verdict()
    assert verdict.ok, verdict.summary()
    assert len(orders_of_the_quote(stage.kingdee)) == 1


@pytest.mark.promise(5)
@pytest.mark.parametrize("table", ["delivery_receipt", "link"])
def test_a_worker_that_dies_before_it_could_note_the_answer_finds_its_record_again(stage: Stage, table: str) -> None:
    approved(stage)
    with psycopg.connect(stage.hub.database_url) as connection:
        connection.execute(
            "CREATE FUNCTION fall_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'killed'; END $$; "
            f"CREATE TRIGGER fall_over BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fall_over()".encode()
        )
    for system in ("zoho", "kingdee"):
        with pytest.raises(psycopg.errors.RaiseException):
            cycle.deliver(stage.hub, system)
    made = [line for line in stage.zoho.log() + stage.kingdee.log() if line["created"]]
    with psycopg.connect(stage.hub.database_url) as connection:
        connection.execute(f"DROP TRIGGER fall_over ON {table}".encode())
    wake(stage)

    stage.sync()

    assert made
    verdict = stage.verdict()
    assert verdict.ok, verdict.summary()


@pytest.mark.promise(5)
def test_a_new_external_id_is_kept_though_the_next_step_fails(live: Stage) -> None:
    live.kingdee.fault(match={"path": ".submit"}, effect="status", value=500)
    quote = another_quote(live)
    live.sync()
    saved = orders_of_the_quote(live.kingdee)
    linked = live.rows(
        "SELECT l.key FROM link l JOIN stream s ON s.id = l.stream_id "
        "WHERE s.system = 'kingdee' AND l.how = 'created' AND s.name = 'sales_orders'"
    )
    live.kingdee.calm()
    mark = live.kingdee.mark()
    for _ in range(3):
        wake(live)
        live.sync()

    assert len(saved) == len(linked) == 2
    again = [line for line in live.kingdee.log(mark) if line["operation"] == "save" and line["stream"] == "SAL_SaleOrder"]
    assert again == []
    order = next(doc for doc in live.kingdee.records("sales_orders") if doc["F_HUB_QUOTE"] and doc["FBillNo"] == saved[-1])
    assert order["FDocumentStatus"] == "C"
    assert next(doc for doc in live.zoho.records("quotes") if doc["id"] == quote)["ERP_Order_No"] == order["FBillNo"]


def another_quote(stage: Stage) -> str:
    """A salesperson wins another deal and its quote is accepted."""
    deal, quote = stage.zoho.records("deals")[0], stage.zoho.records("quotes")[0]
    drop = ("id", "Owner", "Hub_Key", "ERP_Order_No", "ERP_Order_Status", "Created_Time", "Modified_Time")
    won = stage.zoho.put("deals", {**{key: value for key, value in deal.items() if key not in drop}, "Deal_Name": "第二期改造项目"})
    rows = [{key: value for key, value in row.items() if key != "id"} for row in quote["Quoted_Items"]]
    fields = {key: value for key, value in quote.items() if key not in drop}
    made = stage.zoho.put("quotes", {**fields, "Subject": "报价 第二期", "Deal_Name": {"id": won["id"]}, "Quoted_Items": rows})
    return str(made["id"])


@pytest.mark.promise(9)
def test_a_step_that_never_gets_an_answer_is_tried_later_and_later(live: Stage) -> None:
    live.kingdee.fault(match={"path": ".submit"}, effect="status", value=500)
    another_quote(live)
    mark = live.kingdee.mark()

    live.sync()

    assert len([line for line in live.kingdee.log(mark) if "submit" in line["path"].lower()]) < 10
    waiting = live.rows("SELECT extract(epoch FROM due_at - now()) AS wait_s FROM desired WHERE state = 'due' AND due_at > now()")
    assert len(waiting) == 1


@pytest.mark.promise(5)
def test_a_record_that_was_found_by_its_key_is_not_stamped_again(live: Stage) -> None:
    stamped = {doc["FNumber"] for doc in live.kingdee.records("customers") if doc["F_HUB_KEY"]}

    assert stamped == set(), "records that the hub did not create carry its key"
    assert all(doc["Hub_Key"] for doc in live.zoho.records("accounts") if doc["ERP_Code"] == "CUST00002")


@pytest.mark.promise(5)
def test_a_quote_is_ordered_once_though_it_is_touched_again(live: Stage) -> None:
    quote = live.zoho.records("quotes")[0]
    live.edit("zoho", "quotes", quote, "Valid_Till", "2027-02-01")
    live.sync()

    assert len(orders_of_the_quote(live.kingdee)) == 1


@pytest.mark.promise(5)
def test_a_hub_key_is_short_and_its_own_check() -> None:
    from canonical.ids import new_hub_key

    keys = {new_hub_key() for _ in range(1000)}

    assert len(keys) == 1000
    assert all(len(key) == 16 and key.isascii() for key in keys)

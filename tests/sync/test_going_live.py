"""Going live harms no one: modes, plans, scope, and the brake."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sync import cycle, linking, modes, observing, planning, reading
from sync.errors import NotAllowed, PlanExpired, WrongState
from sync.references import References
from tests.oracle import writes
from tests.sync.stage import BOSS, Pair, Stage, open_hub


def silent(stage: Stage) -> bool:
    """Whether nothing was written in either system."""
    return writes(stage.kingdee.log()) == writes(stage.zoho.log()) == []


@pytest.mark.promise(14)
def test_in_mode_plan_nothing_is_written_until_an_approved_plan_is_applied(stage: Stage) -> None:
    stage.sync()
    plan = planning.make_plan(stage.hub)
    before = silent(stage)
    with pytest.raises(WrongState, match="approve it first"):
        planning.apply(stage.hub, plan.id)
    planning.approve(stage.hub, plan.id, BOSS)
    with pytest.raises(NotAllowed, match="may not write yet"):
        planning.apply(stage.hub, plan.id)
    between = silent(stage)
    stage.write_mode()
    planning.apply(stage.hub, plan.id)
    stage.sync()

    assert before
    assert between
    assert plan.summary["zoho.accounts"]["create"] == 1
    assert plan.summary["zoho.accounts"]["update"] == 1
    assert plan.summary["zoho.accounts"]["fields"]
    assert stage.verdict().ok


@pytest.mark.promise(14)
def test_a_flow_that_is_off_is_not_read_and_one_in_mode_read_is_not_written(stage: Stage) -> None:
    modes.set_mode(stage.hub, "off", BOSS, entity="lead")
    modes.set_mode(stage.hub, "read", BOSS, system="zoho")
    modes.set_mode(stage.hub, "off", BOSS, entity="contact")
    stage.sync()

    assert not [line for line in stage.zoho.log() if line["stream"] == "Contacts"]
    assert not [line for line in planning.make_plan(stage.hub).summary if line.startswith("zoho")]


@pytest.mark.promise(14)
def test_a_plans_rows_are_pinned_and_what_moved_since_is_skipped_and_reported(stage: Stage) -> None:
    stage.read()
    plan = planning.make_plan(stage.hub)
    stage.edit("kingdee", "customers", stage.customer(1), "FADDRESS", "计划之后搬了家")
    stage.read()
    planning.approve(stage.hub, plan.id, BOSS)
    stage.write_mode()

    result = planning.apply(stage.hub, plan.id)

    assert result.counts["moved"] >= 1
    moved = [row for row in planning.plan_rows(stage.hub, plan.id) if row["outcome"] == "moved"]
    assert {(row["entity"], row["action"]) for row in moved} == {("party", "create")}
    assert len(stage.zoho.records("accounts")) == 1, "what moved was created all the same"
    again = planning.make_plan(stage.hub)
    planning.approve(stage.hub, again.id, BOSS)
    planning.apply(stage.hub, again.id)
    stage.sync()
    assert stage.verdict().ok


@pytest.mark.promise(14)
def test_a_plan_expires(stage: Stage) -> None:
    stage.read()
    plan = planning.make_plan(stage.hub)
    with stage.hub.transaction() as db:
        db.execute("UPDATE plan SET expires_at = now() - interval '1 second'")

    with pytest.raises(PlanExpired, match="make a new one"):
        planning.approve(stage.hub, plan.id, BOSS)
    with pytest.raises(PlanExpired):
        planning.apply(stage.hub, plan.id)
    assert planning.list_plans(stage.hub)[0].state == "expired"


@pytest.mark.promise(14)
def test_a_rejected_plan_releases_nothing(stage: Stage) -> None:
    stage.read()
    plan = planning.make_plan(stage.hub)
    planning.reject(stage.hub, plan.id, BOSS, "too early")
    stage.write_mode()

    with pytest.raises(WrongState):
        planning.apply(stage.hub, plan.id)
    stage.sync()

    assert silent(stage)


@pytest.mark.promise(14)
def test_nothing_is_created_before_the_first_complete_listing_is_linked(stage: Stage) -> None:
    stage.write_mode()
    cycle.increment(stage.hub, "kingdee")
    cycle.derive(stage.hub)
    cycle.deliver(stage.hub, "zoho")

    held = stage.rows("SELECT DISTINCT reason FROM desired d JOIN stream s ON s.id = d.stream_id WHERE s.system = 'zoho'")
    assert [row["reason"] for row in held] == ["first_listing"]
    assert writes(stage.zoho.log()) == []
    stage.sync()
    assert stage.verdict().ok


@pytest.mark.promise(14)
def test_a_listing_that_ends_while_another_system_is_read_leaves_nothing_waiting_for_it(stage: Stage) -> None:
    """One process judges partners of Kingdee while another finishes the listing of Zoho's accounts: two DAGs at one moment."""
    stage.write_mode()
    cycle.increment(stage.hub, "kingdee", ["organizations", "departments", "employees", "products", "price_lists"])
    customers, accounts = stage.hub.streams["kingdee", "customers"], stage.hub.streams["zoho", "accounts"]
    page = next(iter(stage.hub.session("kingdee").read("customers", None)))

    def finish_listing() -> None:
        with stage.hub.transaction() as db:
            reading.mark_listed(stage.hub, db, accounts)

    other = threading.Thread(target=finish_listing)
    with stage.hub.transaction() as db:
        observing.observe(stage.hub, db, customers, page.records, References(stage.hub, "kingdee"))
        other.start()
        other.join(timeout=0.5)
    other.join(timeout=30)

    reasons = stage.rows("SELECT DISTINCT d.reason FROM desired d WHERE d.stream_id = %s", accounts.id)
    assert reasons
    assert "first_listing" not in {row["reason"] for row in reasons}


@pytest.mark.promise(14)
def test_more_creates_than_the_breaker_allows_stop_the_run(small: Pair, database: str, tmp_path: Path) -> None:
    small.reset()
    with open_hub(small, database, tmp_path / "home", [("go_live: 2026-09-01", "go_live: 2026-09-01\ncreate_rate_per_run: 1")]) as hub:
        stage = Stage(small, hub)
        stage.read()
        stage.write_mode()
        plan = planning.make_plan(hub)
        planning.approve(hub, plan.id, BOSS)

        result = planning.apply(hub, plan.id)

        assert "creates in one run" in " ".join(result.problems)
        assert sum(len(line["created"]) for line in stage.zoho.log()) <= 3


@pytest.mark.promise(14)
def test_records_outside_the_scope_are_not_created(live: Stage) -> None:
    """Shipments from before September stay where they are."""
    assert live.kingdee.records("shipments")
    assert live.zoho.records("shipments") == []


@pytest.mark.promise(14)
def test_mirrored_records_raise_no_workflow_there(live: Stage) -> None:
    upserts = [line for line in live.zoho.log() if line["operation"] in ("upsert", "insert", "update")]
    assert upserts
    assert [line for line in upserts if not line["notes"]["quiet"]] == []


@pytest.mark.promise(14)
def test_links_of_an_older_integration_are_brought_along(stage: Stage) -> None:
    account = stage.zoho.put("accounts", {"Account_Name": "叫法完全不同的公司", "Phone": "0591-00000000"})
    stage.read()
    customer = stage.customer(1)
    rows = [
        {
            "system": "kingdee",
            "stream": "customers",
            "key": customer["FNumber"],
            "other_system": "zoho",
            "other_stream": "accounts",
            "other_key": account["id"],
        }
    ]

    first, second = linking.import_links(stage.hub, rows, BOSS), linking.import_links(stage.hub, rows, BOSS)
    stage.go_live()

    assert (first, second) == ({"linked": 1, "same": 0, "cases": 0}, {"linked": 0, "same": 1, "cases": 0})
    assert next(doc for doc in stage.zoho.records("accounts") if doc["id"] == account["id"])["Account_Name"] == customer["FName"]
    assert len(stage.zoho.records("accounts")) == 2

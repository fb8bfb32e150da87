"""The DAGs run: `dag.test()` in one process, against both stand-ins and a real database.

Airflow builds an in-process API server for the first run of a process (about 12 s); each further run takes a second.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from sync import leases, notices
from tests.sync.stage import Stage

Run = Callable[..., "Outcome"]
DOCUMENTS = {"SAL_SaleOrder", "AR_RECEIVEBILL"}
"""What Kingdee calls sales_orders and receipts."""


class Outcome:
    """What a run of a DAG came to."""

    def __init__(self, run: Any) -> None:
        self.state = str(run.state)
        found = list(run.get_task_instances())
        self.tasks = {one.task_id + (f"[{one.map_index}]" if one.map_index >= 0 else ""): str(one.state) for one in found}
        self.returned = {
            one.task_id + (f"[{one.map_index}]" if one.map_index >= 0 else ""): one.xcom_pull(
                task_ids=one.task_id, map_indexes=one.map_index
            )
            for one in found
        }


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Airflow tells every step of a test run; only the outcome is asked."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=False)
    yield
    structlog.configure(**before)


@pytest.fixture
def run(stage: Stage, airflow_database: str, parsed: Callable[[], Any]) -> Run:
    """Run a DAG whole; a task that fails is not tried again, unless `retries` says so."""

    def go(dag_id: str, conf: dict[str, Any] | None = None) -> Outcome:
        dag = parsed().dags[dag_id]
        for one in dag.tasks:
            one.retries = 0
        return Outcome(dag.test(run_conf=conf))

    return go


def test_increments_of_both_systems_take_everything_in_and_tell_their_figures(stage: Stage, run: Run) -> None:
    kingdee = run("hub_kingdee_increment")
    zoho = run("hub_zoho_increment")

    assert (kingdee.state, zoho.state) == ("success", "success")
    assert set(kingdee.tasks.values()) == {"success"}
    assert kingdee.returned["read_sales_orders"]["counts"]["new"] == 3
    assert stage.one("SELECT count(*) FROM orders") == 4, "three of Kingdee, and the accepted quote's"
    assert stage.one("SELECT count(*) FROM run WHERE kind = 'increment' AND status = 'done'") == 6
    again = run("hub_kingdee_increment")
    assert not {"new", "changed"} & set(again.returned["read_sales_orders"]["counts"])


@pytest.mark.promise(7)
def test_a_stream_that_cannot_be_read_fails_its_task_with_the_reason_and_stops_no_other(stage: Stage, run: Run) -> None:
    stage.kingdee.fault(match={"stream": "sales_orders"}, effect="status", value=403)

    first = run("hub_kingdee_increment")
    told = notices.notices_for(stage.hub, "it", state="open")
    run("hub_kingdee_increment")
    repeated = notices.notices_for(stage.hub, "it", state="open")
    stage.kingdee.calm()
    mended = run("hub_kingdee_increment")

    assert first.state == "failed"
    failed = {name for name, state in first.tasks.items() if state != "success"}
    assert failed == {"read_sales_orders", "ended"}
    assert stage.one("SELECT count(*) FROM parties") > 0
    (notice,) = told
    assert (notice["kind"], notice["about"]) == ("task_failed", "dag:hub_kingdee_increment/read_sales_orders")
    assert "kingdee.sales_orders" in notice["facts"]["why"]
    assert [(one["id"], one["facts"]["times"]) for one in repeated] == [(notice["id"], 2)]
    assert mended.state == "success"
    assert notices.notices_for(stage.hub, "it", state="open") == []
    assert stage.one("SELECT count(*) FROM orders") == 3


@pytest.mark.promise(6)
def test_a_stream_that_another_worker_reads_is_skipped_and_the_others_are_read(stage: Stage, run: Run) -> None:
    with leases.held(stage.hub, "read:kingdee.customers"):
        busy = run("hub_kingdee_increment")
    after = run("hub_kingdee_increment")

    assert busy.state == "success"
    assert busy.tasks["read_wave_0"] == "skipped"
    assert stage.one("SELECT count(*) FROM products") > 0, "streams of the same task after the busy one"
    assert after.returned["read_wave_0"]["counts"]["new"] > 0
    assert stage.one("SELECT count(*) FROM parties") > 0


def test_deliveries_run_where_something_is_due_and_say_what_they_made_due(stage: Stage, run: Run) -> None:
    stage.go_live()
    customer = stage.customer()
    stage.edit("kingdee", "customers", customer, "FADDRESS", "苏州市工业园区星湖街328号")

    read = run("hub_kingdee_increment")
    delivered = run("hub_zoho_deliver")
    again = run("hub_zoho_deliver")

    assert read.returned["settle"]["due"] == ["zoho"]
    assert delivered.returned["deliver"]["counts"]["written"] == 1
    assert again.returned["deliver"]["counts"].get("written", 0) == 0
    assert stage.account_of(customer)["Billing_Street"] == "苏州市工业园区星湖街328号"
    assert stage.verdict().ok


def test_what_is_due_updates_the_asset_that_deliveries_run_on(stage: Stage, run: Run) -> None:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    def events(uri: str) -> int:
        with create_session() as session:
            return len(
                session.scalars(
                    select(AssetEvent.id).join(AssetModel, AssetEvent.asset_id == AssetModel.id).where(AssetModel.uri == uri)
                ).all()
            )

    stage.go_live()
    stage.edit("kingdee", "customers", stage.customer(), "FADDRESS", "苏州市工业园区星湖街328号")
    before = {uri: events(uri) for uri in ("hub://due/zoho", "hub://due/kingdee")}

    run("hub_kingdee_increment")

    assert {uri: events(uri) - number for uri, number in before.items()} == {"hub://due/zoho": 1, "hub://due/kingdee": 0}


def test_a_reconciliation_tells_drift_by_state_and_the_plan_that_would_mend_it(stage: Stage, run: Run) -> None:
    stage.read()

    told = run("hub_kingdee_reconcile").returned["reconcile"]

    assert told["drift"] == sum(number for state, number in told["states"].items() if state not in ("in_sync", "left")) > 0
    assert stage.one("SELECT kind FROM plan WHERE id = %s", told["plan"]) == "reconcile"


def test_windows_of_a_backfill_are_mapped_and_those_that_are_done_are_not_read_twice(stage: Stage, run: Run) -> None:
    run("hub_kingdee_increment")
    asked = {"start": "2026-01-01", "end": "2026-04-01", "streams": ["sales_orders", "receipts"], "name": "first quarter"}
    stage.kingdee.fault(match={"stream": "receipts"}, effect="status", value=403)

    first = run("hub_kingdee_backfill", asked)
    stage.kingdee.calm()
    mark = stage.kingdee.mark()
    resumed = run("hub_kingdee_backfill", asked)
    read = {line["stream"] for line in stage.kingdee.log(mark)} & DOCUMENTS
    mark = stage.kingdee.mark()
    third = run("hub_kingdee_backfill", asked)

    assert first.state == "failed"
    windows = {name: state for name, state in first.tasks.items() if name.startswith("window")}
    assert sorted(windows.values()) == ["failed"] * 3 + ["success"] * 3
    assert (resumed.state, {name for name in resumed.tasks if name.startswith("window[")}) == (
        "success",
        {"window[0]", "window[1]", "window[2]"},
    )
    assert read == {"AR_RECEIVEBILL"}
    assert (third.state, third.tasks["window"]) == ("success", "skipped")
    assert not {line["stream"] for line in stage.kingdee.log(mark)} & DOCUMENTS
    assert stage.one("SELECT count(*) FROM backfill_window WHERE backfill = 'first quarter' AND state = 'done'") == 6


def test_the_upkeep_runs(stage: Stage, run: Run) -> None:
    done = run("hub_upkeep")

    assert done.state == "success"
    assert done.returned["upkeep"]["counts"]["partitions"] >= 4

"""The DAG folder as Airflow's DAG processor sees it: what there is, from hub.yaml alone, without a database or a network."""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import psycopg
import pytest

from dags.waves import waves
from sync.config_file import load
from tests.dags.conftest import DAGS

DEMO = DAGS.parent / "hub_cli" / "demo" / "hub.yaml"
OTHER = """
systems:
  erp_east: {kind: erp_kingdee, schedule: "*/10 * * * *", reconcile_schedule: ""}
  erp_west: {kind: erp_kingdee, schedule: ""}
  sales: {kind: crm_zoho}
upkeep_schedule: "15 4 * * *"
deals: {schedule: "7 * * * *"}
flows:
  party:
    owners: {default: [erp_east, erp_west, sales]}
    systems: {erp_east: {stream: customers}, erp_west: {stream: customers}, sales: {stream: accounts, mode: read}}
  lead:
    owners: {default: sales}
    systems: {sales: {stream: leads, mode: "off"}}
rebates: {schedule: "9 4 * * *"}
performance: {schedule: "8 5 6 * *", stock_schedule: ""}
"""


@pytest.fixture
def hub_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A hub.yaml that HUB_CONFIG names."""

    def write(text: str) -> Path:
        path = tmp_path / "hub.yaml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("HUB_CONFIG", str(path))
        return path

    return write


def test_the_demos_dags_are_there_without_an_import_error(parsed: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_CONFIG", str(DEMO))

    bag = parsed()

    assert bag.import_errors == {}
    kinds = ("increment", "deliver", "reconcile", "backfill")
    of_systems = {f"hub_{system}_{kind}" for system in ("kingdee", "zoho") for kind in kinds}
    assert set(bag.dags) == of_systems | {"hub_upkeep", "deals_upkeep", "rebates", "prices", "quotes", "performance", "dealer_stock"}
    assert {dag.fileloc for dag in bag.dags.values()} == {str(DAGS / "hub_dags.py")}


def test_parsing_is_quick_and_touches_neither_network_nor_database(
    parsed: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, hub_yaml: Callable[[str], Path]
) -> None:
    """Secrets need not even be there: the file names them, tasks read them."""
    hub_yaml(DEMO.read_text(encoding="utf-8"))
    parsed()  # Airflow's own imports and ours
    monkeypatch.delenv("HUB_DATABASE_URL", raising=False)

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("parsing a DAG file reached out")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(psycopg, "connect", refuse)
    monkeypatch.setattr(psycopg.Connection, "connect", refuse)
    began = time.process_time()

    bag = parsed()

    assert bag.import_errors == {}
    assert time.process_time() - began < 3


def test_increments_read_small_streams_together_and_large_ones_alone_after_what_they_cite(
    parsed: Callable[[], Any], hub_yaml: Callable[[str], Path]
) -> None:
    path = hub_yaml(DEMO.read_text(encoding="utf-8"))

    kingdee = waves(load(path), "kingdee")
    dag = parsed().dags["hub_kingdee_increment"]

    assert kingdee[0] == [["organizations", "departments", "employees", "customers", "products", "price_lists", "stock_levels"]]
    assert kingdee[1] == [["sales_orders"]]
    assert [load for load in kingdee[2] if len(load) == 1] == [["shipments"], ["receivables"]]
    downstream = {task_id: set(task.downstream_task_ids) for task_id, task in dag.task_dict.items()}
    last = {"read_shipments", "read_receivables", "read_wave_2"}
    assert downstream == {
        "read_wave_0": {"read_sales_orders", "ended"},
        "read_sales_orders": last | {"ended"},
        "read_shipments": {"settle", "ended"},
        "read_receivables": {"settle", "ended"},
        "read_wave_2": {"settle", "ended"},
        "settle": {"ended"},
        "ended": set(),
    }
    assert waves(load(path), "zoho")[0][0][:2] == ["accounts", "contacts"]


def test_schedules_retries_and_callbacks_are_as_the_file_says(parsed: Callable[[], Any], hub_yaml: Callable[[str], Path]) -> None:
    hub_yaml(OTHER)

    dags = parsed().dags

    crons = {dag_id: getattr(dag.timetable, "expression", None) for dag_id, dag in dags.items()}
    assert crons["hub_erp_east_increment"] == "*/10 * * * *"
    assert crons["hub_erp_west_increment"] is None
    assert crons["hub_sales_increment"] == "*/5 * * * *"
    assert (crons["hub_erp_east_reconcile"], crons["hub_erp_west_reconcile"]) == (None, "0 3 * * *")
    assert (crons["hub_upkeep"], crons["deals_upkeep"], crons["rebates"]) == ("15 4 * * *", "7 * * * *", "9 4 * * *")
    assert (crons["quotes"], crons["prices"]) == ("0 7 * * *", "20 * * * *")
    assert (crons["performance"], crons["dealer_stock"]) == ("8 5 6 * *", None)
    assert "Asia/Shanghai" in str(dags["hub_upkeep"].timetable.timezone)
    assert len(dags) == 19
    for dag in dags.values():
        assert (dag.catchup, dag.max_active_runs, dag.max_active_tasks) == (False, 1, 4)
        assert all(task.retries == 3 and task.on_failure_callback for task in dag.tasks)
    assert [asset.uri for asset in dags["hub_sales_deliver"].timetable.asset_condition.objects] == ["hub://due/sales"]


def test_a_stream_that_is_switched_off_is_read_by_no_task(parsed: Callable[[], Any], hub_yaml: Callable[[str], Path]) -> None:
    path = hub_yaml(OTHER)

    assert waves(load(path), "sales") == [[["accounts"]]]
    assert parsed().dags["hub_sales_backfill"].params["streams"] == ["accounts"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OTHER.replace("stream: leads", "strem: leads"), r"hub\.yaml:14: .*strem.*take it out, or correct its spelling"),
        (OTHER.replace("[erp_east, erp_west, sales]", "[erp_east, nobody]"), r"hub\.yaml:10: .*nobody is not a system of this flow"),
        (OTHER.replace("  lead:", "  party:"), r"hub\.yaml:12: key 'party' stands twice"),
    ],
    ids=["a misspelt word", "an owner that is no system", "a name twice"],
)
def test_a_mistake_in_the_file_is_an_import_error_with_file_and_line(
    parsed: Callable[[], Any], hub_yaml: Callable[[str], Path], text: str, told: str
) -> None:
    hub_yaml(text)

    bag = parsed()

    assert bag.dags == {}
    (error,) = bag.import_errors.values()
    assert re.search(told, error, re.DOTALL), error


@pytest.mark.usefixtures("airflow_settings")  # before Airflow is imported
def test_every_job_has_an_entry_point_that_takes_the_hub() -> None:
    """They are named by text, which no type checker reads."""
    from dags.building import JOBS

    assert [next(iter(signature(resolve_name(job.entry)).parameters)) for job in JOBS] == ["hub"] * len(JOBS)


def test_without_a_configuration_the_import_error_names_the_variable(parsed: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_CONFIG", raising=False)

    (error,) = parsed().import_errors.values()

    assert "set HUB_CONFIG" in error


def test_helpers_of_the_folder_are_not_parsed_as_dags() -> None:
    ignored = set((DAGS / ".airflowignore").read_text().split())

    assert ignored == {path.name for path in DAGS.glob("*.py")} - {"hub_dags.py"}
    assert "airflow" in (DAGS / "hub_dags.py").read_text().lower(), "Airflow's safe mode skips a file that does not say so"
    assert "dags.hub_dags" not in sys.modules

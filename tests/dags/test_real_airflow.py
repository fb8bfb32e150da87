"""Real Airflow: tasks that are killed in the middle, and tasks that travel through Celery. Minutes; only in `make test-all`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub_cli.airflow import Airflow
from hub_cli.quick_http import free_ports
from ledger import postgres
from sync import planning
from tests.dags.conftest import DAGS
from tests.sync.stage import BOSS, Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
PATIENCE_S = 600


@pytest.fixture
def airflow_url(postgres_server: postgres.Server) -> Iterator[str]:
    """A database of Airflow's own."""
    url = postgres_server.url_of("airflow_real")
    postgres.ensure(url)
    yield url
    postgres.drop(url)


def environment() -> dict[str, str]:
    """What tasks need to find the hub."""
    return {name: os.environ[name] for name in ("HUB_CONFIG", "HUB_DATABASE_URL", "HUB_HOME", "HUB_SECRET_KEY")}


def process_of(airflow: Airflow, dag: str, run_id: str, task: str) -> int | None:
    """Process id of a task that runs now; None when it does not run."""
    one = airflow._ask("GET", f"/dags/{dag}/dagRuns/{run_id}/taskInstances/{task}")
    return int(one["pid"]) if one["state"] == "running" and one.get("pid") else None


def until(what: str, ask: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {within_s:g} s")


@pytest.mark.promise(1)
@pytest.mark.promise(5)
def test_a_task_killed_while_it_reads_or_writes_is_tried_again_and_nothing_is_lost_or_doubled(
    stage: Stage, airflow_url: str, tmp_path: Path
) -> None:
    """Killed once between the pages of a reading, once while Zoho works on a create whose answer it never gets to see."""
    with Airflow(tmp_path / "airflow", airflow_url, DAGS, environment=environment(), parallelism=2) as airflow:

        def killed(system: str, dag: str, task: str, match: dict[str, str]) -> Any:
            stage.door(system).fault(match=match, effect="latency", value=8, times=1)
            run_id = airflow.trigger(dag)
            pid = until("the task runs", lambda: process_of(airflow, dag, run_id, task))
            until("its call waits for the answer", lambda: waiting(stage, system))
            time.sleep(3)
            os.kill(pid, signal.SIGKILL)
            stage.door(system).calm()
            return airflow.wait(dag, run_id, timeout_s=PATIENCE_S)

        reading = killed("kingdee", "hub_kingdee_increment", "read_sales_orders", {"stream": "sales_orders"})
        assert reading.ok, reading.tasks
        assert airflow.wait("hub_zoho_increment", airflow.trigger("hub_zoho_increment"), timeout_s=PATIENCE_S).ok
        plan = planning.make_plan(stage.hub)
        planning.approve(stage.hub, plan.id, BOSS)
        stage.write_mode()
        planning.apply(stage.hub, plan.id, deliver_now=False)
        writing = killed("zoho", "hub_zoho_deliver", "deliver", {"method": "POST", "path": "/crm/"})
        assert writing.ok, writing.tasks

    tries = stage.rows("SELECT kind, count(*) AS number FROM run WHERE status = 'running' GROUP BY 1 ORDER BY 1")
    assert tries == [{"kind": "deliver", "number": 1}, {"kind": "increment", "number": 1}], "the two that were killed"
    assert (
        stage.one(
            "SELECT count(*) FROM observed o JOIN stream s ON s.id = o.stream_id WHERE s.system = 'kingdee' AND s.name = 'sales_orders'"
        )
        >= 3
    )
    stage.sync()
    verdict = stage.verdict()
    assert verdict.ok, verdict
    assert (verdict.duplicates, verdict.lost, verdict.drift) == ([], [], [])


def waiting(stage: Stage, system: str) -> bool:
    """Whether the one slow call has begun: its fault is spent."""
    faults = stage.door(system)._call("GET", "faults")
    return not any(one.get("times") for one in faults)


@contextmanager
def redis(home: Path) -> Iterator[str]:
    """A Redis of our own, in memory only; gives its URL."""
    program = shutil.which("redis-server")
    assert program, "the Celery smoke test needs redis-server: apt-get install --no-install-recommends redis-server"
    (port,) = free_ports(1)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(home)]
    with (home / "redis.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        until("redis answers", lambda: b"Ready to accept connections" in (home / "redis.log").read_bytes(), 30)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(30)


def test_the_same_dags_run_through_celery_and_redis(stage: Stage, airflow_url: str, tmp_path: Path) -> None:
    """The worker is a process of its own, forked from nothing of the scheduler: what a second machine would run."""
    with (
        redis(tmp_path) as broker,
        Airflow(tmp_path / "airflow", airflow_url, DAGS, environment=environment(), parallelism=2, celery_broker=broker) as airflow,
    ):
        kingdee = airflow.wait("hub_kingdee_increment", airflow.trigger("hub_kingdee_increment"), timeout_s=PATIENCE_S)
        backfill = airflow.wait(
            "hub_kingdee_backfill",
            airflow.trigger("hub_kingdee_backfill", {"start": "2026-01-01", "end": "2026-03-01", "streams": ["sales_orders"]}),
            timeout_s=PATIENCE_S,
        )

    assert kingdee.ok, kingdee.tasks
    assert backfill.ok, backfill.tasks
    assert len([name for name in backfill.tasks if name.startswith("window[")]) == 2
    assert stage.one("SELECT count(*) FROM orders") == 3
    assert (
        "Executor: CeleryExecutor" in (tmp_path / "airflow" / "airflow-scheduler.log").read_text()
        or (tmp_path / "airflow" / "airflow-worker.log").stat().st_size > 0
    )

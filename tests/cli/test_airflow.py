"""A real Airflow of our own: runs DAGs, tells each task's state, and leaves no process."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_cli.airflow import Airflow, AirflowFailed, Run
from hub_cli.processes import marked, members, standing_in
from ledger import postgres
from tests.cli.running import REPOSITORY, kill, until

TINY = """
from airflow.sdk import dag, get_current_context, task

@dag(schedule=None)
def tiny():
    @task
    def numbers():
        return list(range(get_current_context()["dag_run"].conf["n"]))

    @task
    def square(n):
        if n == get_current_context()["dag_run"].conf.get("fail"):
            raise ValueError("坏数")
        return n * n

    square.expand(n=numbers())

tiny()
"""


@pytest.fixture
def dags(tmp_path: Path) -> Path:
    """A DAG folder with one small DAG and one that cannot be imported."""
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "tiny.py").write_text(TINY, encoding="utf-8")
    return folder


@pytest.fixture
def database_url(postgres_server: postgres.Server) -> Iterator[str]:
    """A database of Airflow's own."""
    url = postgres_server.url_of("airflow_test")
    postgres.ensure(url)
    yield url
    postgres.drop(url)


@pytest.mark.slow
def test_a_dag_runs_and_nothing_is_left_after_the_end(tmp_path: Path, dags: Path, database_url: str) -> None:
    home = tmp_path / "airflow"
    with Airflow(home, database_url, dags, parallelism=2) as airflow:
        sessions = [mark.pid for mark in marked(home / "run")]
        good = airflow.wait("tiny", airflow.trigger("tiny", {"n": 2}), timeout_s=300)
        bad = airflow.wait("tiny", airflow.trigger("tiny", {"n": 2, "fail": 1}), timeout_s=300)
        with pytest.raises(AirflowFailed, match="there is no DAG nonsense"):
            airflow.wait_for_dag("nonsense", timeout_s=1)
        private = [stat.S_IMODE((home / name).stat().st_mode) for name in ("secrets.json", "passwords.json")]

    assert good.ok
    assert good.tasks == {"numbers": "success", "square[0]": "success", "square[1]": "success"}
    assert not bad.ok
    assert bad.tasks["square[1]"] == "failed"
    assert private == [0o600, 0o600]
    assert [pid for session in sessions for pid in members(session)] + standing_in(home) == []


@pytest.mark.slow
def test_a_killed_starter_leaves_no_component(tmp_path: Path, dags: Path, database_url: str) -> None:
    home = tmp_path / "airflow"
    code = f"""
import time
from pathlib import Path
from hub_cli.airflow import Airflow
airflow = Airflow(Path({str(home)!r}), {database_url!r}, Path({str(dags)!r}))
airflow.start()
print("up", flush=True)
time.sleep(600)
"""
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=REPOSITORY)
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"up\n"
    sessions = [mark.pid for mark in marked(home / "run")]
    assert len(sessions) == 3

    kill(starter.pid)
    starter.communicate()

    assert until(lambda: [pid for session in sessions for pid in members(session)] + standing_in(home) == [], 90)


def test_without_airflow_the_way_round_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = Airflow(tmp_path, "postgresql://nobody@127.0.0.1:1/airflow", tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr("hub_cli.airflow.version", _not_installed)

    with pytest.raises(AirflowFailed, match="hub sync --until-quiet"):
        airflow.start()


def _not_installed(_name: str) -> str:
    from importlib.metadata import PackageNotFoundError

    raise PackageNotFoundError


def test_a_run_with_a_failed_task_before_a_successful_leaf_is_not_ok() -> None:
    assert not Run("d", "r", "success", {"read": "failed", "report": "success"}).ok
    assert Run("d", "r", "success", {"read": "success", "branch": "skipped"}).ok

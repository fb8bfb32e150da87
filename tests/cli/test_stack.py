"""`hub up` and `hub down`: all of a trial, found again by another process, stopped whole after a kill of any part."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub_cli.processes import marked, members
from hub_cli.quick_http import HttpFailed, call
from ledger import postgres
from ledger.launcher import shutdown
from tests.cli.running import alive, answer, hub, kill


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the server's account can reach; whatever is left in it is stopped."""
    with tempfile.TemporaryDirectory(prefix="hub-test-up-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "home"
        hub(Path(directory) / "home", "down")


def left_in(home: Path, sessions: list[int]) -> list[int]:
    """Processes of the servers that were started, and of the database."""
    return [pid for session in sessions for pid in members(session)] + shutdown.processes(postgres.usable_home(home / "postgres") / "data")


def bring_up(home: Path, *options: str) -> tuple[dict[str, Any], dict[str, int]]:
    done = hub(home, "up", "--size", "small", "--json", *options)
    assert done.returncode == 0, done.stderr
    return answer(done), {mark.name: mark.pid for mark in marked(home / "run")}


def test_a_trial_comes_up_works_and_goes_down_whole(home: Path) -> None:
    told, pids = bring_up(home, "--no-airflow")
    again = answer(hub(home, "up", "--no-airflow", "--json"))
    alive_api = call("GET", f"{told['api']['url']}/health/live")
    with urllib.request.urlopen(f"{told['api']['url']}/health/live") as live:  # noqa: S310  our own 127.0.0.1
        tells_of_itself = live.headers.get("Server")
    synced = answer(hub(home, "sync", "--until-quiet", "--json"))
    planned = hub(home, "plan", "make", "--json")
    config = (home / "hub.yaml").read_text(encoding="utf-8")
    open_to_others = [file.name for file in (home / "up.json", *(home / "secrets").iterdir()) if file.stat().st_mode & 0o077]
    kill(pids["api"])
    kill(pids["sandbox-zoho"])
    down = hub(home, "down", "--json")

    assert again["api"] == told["api"], "a second `up` only says where it is"
    assert alive_api
    assert tells_of_itself is None
    assert synced["counts"]["read"] > 0
    assert (planned.returncode, bool(answer(planned)["summary"])) == (3, True)
    assert told["systems"]["kingdee"]["credentials"]["AppSecret"] not in config
    assert open_to_others == []
    assert down.returncode == 0
    assert left_in(home, list(pids.values())) == []
    with pytest.raises(HttpFailed):
        call("GET", f"{told['api']['url']}/health/live")
    assert answer(hub(home, "down", "--json")) == {"stopped": []}


def test_a_trial_goes_on_with_its_data_after_a_part_of_it_was_killed(home: Path) -> None:
    told, pids = bring_up(home, "--no-airflow")
    hub(home, "sync", "--until-quiet")
    before = answer(hub(home, "status", "--json"))
    pid = postgres.status(home / "postgres").pid
    assert pid is not None
    kill(pid)
    kill(pids["sandbox-kingdee"])

    again, anew = bring_up(home, "--no-airflow")
    after = answer(hub(home, "status", "--json"))

    assert anew["sandbox-kingdee"] != pids["sandbox-kingdee"]
    assert not alive(pids["sandbox-zoho"])
    assert [(one["stream"], one["records"]) for one in after["streams"]] == [(one["stream"], one["records"]) for one in before["streams"]]
    assert again["systems"]["kingdee"]["url"] == told["systems"]["kingdee"]["url"], "addresses stay"


@pytest.mark.slow
def test_a_whole_trial_with_airflow_goes_down_after_its_scheduler_was_killed(home: Path) -> None:
    told, pids = bring_up(home)
    health = call("GET", f"{told['airflow']['url']}/api/v2/monitor/health")
    sessions = list(pids.values())
    kill(pids["airflow-scheduler"])
    down = hub(home, "down", "--json")

    assert health["scheduler"]["status"] == "healthy"
    assert down.returncode == 0
    assert left_in(home, sessions) == []
    assert json.loads(down.stdout)["stopped"]

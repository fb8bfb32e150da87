"""A real Airflow of the hub's own: API server, scheduler and DAG processor over our PostgreSQL, started in the order that works.

The order matters: a scheduler that starts before the API server listens fails its first tasks (`Connection refused`). Stopping
matters as much: each component has a session of its own and is stopped with all its children. For production run Airflow as you run it
already, with the hub's DAG folder; docs/operations.md has the settings.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hub_cli.processes import Children, marked, standing_in, stop_marked
from hub_cli.quick_http import HttpFailed, call, free_ports

COMPONENTS = ("airflow-api", "airflow-scheduler", "airflow-dags", "airflow-worker")
START_S = 240.0
"""From nothing to healthy: 18 s on a quiet machine, 126 s seen at load 8."""
USER = "hub"
DONE = frozenset({"success", "failed"})


class AirflowFailed(Exception):
    """Airflow is missing, did not start, or refused what it was asked. `next_step` says where to look."""

    code = "airflow/failed"

    def __init__(self, what: str, next_step: str) -> None:
        self.what, self.next_step = what, next_step
        super().__init__(f"{what}. Next: {next_step}")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a DAG. `state` is that of its leaf tasks; `tasks` has the state of every task instance."""

    dag: str
    run_id: str
    state: str
    tasks: dict[str, str]
    """Task (with its map index) -> state."""

    @property
    def ok(self) -> bool:
        """Whether every task instance succeeded or was skipped: a failed task before an `all_done` leaf leaves the run successful."""
        return self.state == "success" and all(state in ("success", "skipped") for state in self.tasks.values())


class Airflow:
    """Airflow in `home`. `with Airflow(...) as airflow:` starts it and stops it; `stay` leaves it running for `hub down`."""

    def __init__(
        self,
        home: Path,
        database_url: str,
        dags: Path,
        *,
        environment: Mapping[str, str] | None = None,
        parallelism: int = 4,
        paused: bool = True,
        stay: bool = False,
        marks: Path | None = None,
        celery_broker: str = "",
    ) -> None:
        """`database_url` is libpq's, of a database that is Airflow's alone; `paused`: DAGs run only when triggered or unpaused.

        `celery_broker`: a `redis://` URL; tasks then go through Celery to a worker of their own, as on several machines.
        """
        self.home, self.dags = home.absolute(), dags.absolute()
        self._database, self._parallelism, self._paused = database_url, parallelism, paused
        self._extra, self._broker = dict(environment or {}), celery_broker
        self.home.mkdir(parents=True, exist_ok=True)
        self._children = Children(marks or self.home / "run", stay=stay)
        self._port, self._log_port, self._trigger_port = free_ports(3)
        self._secrets = _secrets(self.home / "secrets.json")
        self._token = ""

    @property
    def url(self) -> str:
        """Of the console and the REST API."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def user(self) -> str:
        """Who may sign in."""
        return USER

    @property
    def password(self) -> str:
        """The generated password of that user."""
        return self._secrets["password"]

    @property
    def settings(self) -> dict[str, str]:
        """What the components get by environment; a `dag.test()` or an `airflow` command needs the same."""
        url = "postgresql+psycopg://" + self._database.removeprefix("postgresql://")
        passwords = self.home / "passwords.json"
        return {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__SECRET_KEY": self._secrets["secret_key"],
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": self._secrets["jwt"],
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(self._paused),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__FERNET_KEY": self._secrets["fernet"],
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": str(self._parallelism),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",  # it changes only with hub.yaml; a look costs 2 CPU-s
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url,  # else Airflow derives one for asyncpg, which is not installed
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(self._trigger_port),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self._log_port),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **self._celery(url),
            "PYTHONDONTWRITEBYTECODE": "",  # without bytecode every import of Airflow costs 3 CPU seconds more
            **self._extra,
        }

    def _celery(self, url: str) -> dict[str, str]:
        if not self._broker:
            return {}
        return {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CELERY__BROKER_URL": self._broker,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{url}",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(self._parallelism),
        }

    def start(self, progress: Callable[[str], None] = lambda _: None, *, timeout_s: float = START_S) -> None:
        """Migrate, start the API server, wait until it answers, then the others; returns when all are healthy.

        Raises: AirflowFailed, with the log to read.
        """
        deadline = time.monotonic() + timeout_s
        _write_private(self.home / "passwords.json", json.dumps({USER: self.password}))
        progress("Airflow: database")
        self._migrate(deadline)
        progress("Airflow: API server")
        self._launch("airflow-api", "api-server")
        self._healthy(("metadatabase",), deadline)
        progress("Airflow: scheduler and DAG processor")
        # Tasks and parsers are forked from these two: what they import once, no task imports again.
        self._launch("airflow-scheduler", "scheduler", "--skip-serve-logs", module="dags.warm")
        self._launch("airflow-dags", "dag-processor", module="dags.warm")
        if self._broker:
            progress("Airflow: Celery worker")
            self._launch("airflow-worker", "celery", "worker", "--skip-serve-logs")
        self._healthy(("metadatabase", "scheduler", "dag_processor"), deadline)

    def _migrate(self, deadline: float) -> None:
        done = self.home / "migrated"
        try:
            release = version("apache-airflow-core")
        except PackageNotFoundError as missing:
            raise AirflowFailed(
                "Airflow is not installed", "`uv sync --extra airflow`, or go without it: `hub sync --until-quiet`"
            ) from missing
        now = f"{release} {self._database.rpartition('@')[2]}"
        if done.exists() and done.read_text() == now and _has_schema(self._database):
            return
        log_file = self.home / "migrate.log"
        try:
            with log_file.open("wb") as log:
                ran = subprocess.run(
                    [sys.executable, "-m", "airflow", "db", "migrate"],
                    env={**os.environ, **self.settings},
                    cwd=self.home,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=max(10.0, deadline - time.monotonic()),
                    check=False,
                )
        except subprocess.TimeoutExpired as late:
            raise AirflowFailed(f"`airflow db migrate` has not ended after {late.timeout:.0f} s", f"read {log_file}") from late
        if ran.returncode != 0:
            raise AirflowFailed("`airflow db migrate` failed", f"read {log_file}")
        done.write_text(now)

    def _launch(self, name: str, *command: str, module: str = "airflow") -> None:
        self._children.start(
            name,
            [sys.executable, "-m", module, *command],
            log=self.home / f"{name}.log",
            environment=self.settings,
            cwd=self.home,
        )

    def _healthy(self, parts: tuple[str, ...], deadline: float) -> None:
        state: dict[str, Any] = {}
        while time.monotonic() < deadline:
            if dead := self._children.dead():
                raise AirflowFailed(f"{', '.join(dead)} ended while starting", f"read {self.home / (dead[0] + '.log')}")
            try:
                state = call("GET", f"{self.url}/api/v2/monitor/health", timeout_s=10)
            except HttpFailed:
                state = {}
            if all((state.get(part) or {}).get("status") == "healthy" for part in parts):
                return
            time.sleep(0.3)
        raise AirflowFailed(f"Airflow is not healthy after {START_S:g} s: {state or 'no answer'}", f"read the logs in {self.home}")

    def _ask(self, method: str, path: str, body: Any = None, *, query: Mapping[str, str] | None = None) -> Any:
        for _ in range(2):
            if not self._token:
                answer = call("POST", f"{self.url}/auth/token", {"username": USER, "password": self.password})
                self._token = answer["access_token"]
            try:
                return call(method, f"{self.url}/api/v2{path}", body, query=query, headers={"Authorization": f"Bearer {self._token}"})
            except HttpFailed as failed:
                if failed.status != 401:  # an expired token is asked for anew, once
                    raise AirflowFailed(f"Airflow refused {method} {path}: {failed}", f"read {self.home / 'airflow-api.log'}") from failed
                self._token = ""
        raise AirflowFailed(f"Airflow refused our token for {method} {path}", f"read {self.home / 'airflow-api.log'}")

    def wait_for_dag(self, dag: str, *, timeout_s: float = 120) -> None:
        """Return when the DAG processor has taken the DAG in. Raises: AirflowFailed, with its import error where it has one."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                self._ask("GET", f"/dags/{dag}")
            except AirflowFailed as failed:
                cause = failed.__cause__
                if not isinstance(cause, HttpFailed) or cause.status != 404:
                    raise
                time.sleep(0.3)
            else:
                return
        errors = self._ask("GET", "/importErrors").get("import_errors", [])
        told = "; ".join(f"{one['filename']}: {one['stack_trace'].strip().splitlines()[-1]}" for one in errors)
        raise AirflowFailed(f"there is no DAG {dag}{': ' + told if told else ''}", f"read {self.home / 'airflow-dags.log'}")

    def pause(self, dag: str, *, paused: bool) -> None:
        """Let the DAG run on its schedule, or stop that."""
        self._ask("PATCH", f"/dags/{dag}", {"is_paused": paused})

    def trigger(self, dag: str, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run now; gives its run id. The DAG is unpaused, for a paused one would wait for ever."""
        self.wait_for_dag(dag)
        self.pause(dag, paused=False)
        run = self._ask("POST", f"/dags/{dag}/dagRuns", {"logical_date": None, "conf": dict(conf or {})})
        return str(run["dag_run_id"])

    def look(self, dag: str, run_id: str) -> Run:
        """The run as it is now."""
        state = self._ask("GET", f"/dags/{dag}/dagRuns/{run_id}")["state"]
        listed = self._ask("GET", f"/dags/{dag}/dagRuns/{run_id}/taskInstances", query={"limit": "100"})["task_instances"]
        tasks = {one["task_id"] + (f"[{one['map_index']}]" if one.get("map_index", -1) >= 0 else ""): str(one["state"]) for one in listed}
        return Run(dag, run_id, str(state), tasks)

    def wait(self, dag: str, run_id: str, *, timeout_s: float = 600) -> Run:
        """The run when it has ended. Raises: AirflowFailed when it takes longer or a component died."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if dead := self._children.dead():
                raise AirflowFailed(f"{', '.join(dead)} ended", f"read {self.home / (dead[0] + '.log')}")
            if self._ask("GET", f"/dags/{dag}/dagRuns/{run_id}")["state"] in DONE:
                return self.look(dag, run_id)
            time.sleep(1.0)  # every question costs the API server 20 ms of CPU
        raise AirflowFailed(f"run {run_id} of {dag} has not ended after {timeout_s:g} s", f"look at {self.url}/dags/{dag}/runs/{run_id}")

    def task_log(self, run: Run, task: str) -> str:
        """The end of a task's log file, for an error message."""
        files = sorted(
            (self.home / "logs" / f"dag_id={run.dag}" / f"run_id={run.run_id}").glob(f"task_id={task.partition('[')[0]}/**/*.log")
        )
        return "".join(file.read_text(errors="replace")[-2000:] for file in files)

    def stop(self) -> list[int]:
        """Stop every component and whatever it left behind; gives what could not be stopped (nothing, normally)."""
        left = self._children.stop()
        return left + sweep(self.home)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def stop(home: Path, marks: Path | None = None) -> list[int]:
    """Stop an Airflow that some other process started in `home`. Gives what could not be stopped."""
    directory = marks or home / "run"
    names = [mark.name for mark in marked(directory) if mark.name in COMPONENTS]
    return stop_marked(directory, names=names) + sweep(home)


def sweep(home: Path) -> list[int]:
    """Kill strays: a component's child that made a session of its own still stands in `home`."""
    for _ in range(50):
        left = standing_in(home) if home.exists() else []
        if not left:
            return []
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.1)
    return left


def _has_schema(url: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT to_regclass('dag_run') IS NOT NULL").fetchone()
    except psycopg.OperationalError:
        return False
    return bool(row and row[0])


def _secrets(file: Path) -> dict[str, str]:
    """Keys that every component must share; made once, kept in a private file."""
    try:
        kept: dict[str, str] = json.loads(file.read_text())
    except FileNotFoundError:
        kept = {
            "password": secrets.token_urlsafe(12),
            "jwt": secrets.token_urlsafe(48),
            "secret_key": secrets.token_urlsafe(32),
            "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        _write_private(file, json.dumps(kept))
    return kept


def _write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)

"""`hub up` and `hub down`: everything on one machine, for trial: PostgreSQL, both stand-ins, the API and Airflow.

HOME/            .hub, or HUB_HOME
  postgres/      our own server (another place when root's home is private)
  sandbox/       the stand-ins' SQLite files
  airflow/       AIRFLOW_HOME
  run/           a mark for each process: its id and when it began
  log/           what each of them printed
  hub.yaml, secrets/, up.json (0600: addresses and passwords)
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from hub_cli import airflow
from hub_cli.answers import Answer, CommandFailed, answers
from hub_cli.exits import Exit
from hub_cli.place import Place, who
from hub_cli.processes import Children, marked, stop_marked
from hub_cli.quick_http import HttpFailed, call, free_ports
from hub_cli.sandbox import start_one
from hub_cli.trial import write_trial

if TYPE_CHECKING:
    from ledger.postgres import Server

DAGS = Path(__file__).parents[1] / "dags"
API_START_S = 120.0
Progress = Callable[[str], None]


class StackFailed(CommandFailed):
    """A server did not start, or could not be stopped; says which log to read."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what, next_step, code="stack/failed", exits=Exit.UNFIT)


class Stack:
    """All servers of a trial in `home`. With `stay` they outlive this process; otherwise they end with it, however it ends."""

    def __init__(self, home: Path, *, stay: bool = False, database_url: str | None = None, config: Path | None = None) -> None:
        self.home = home.absolute()
        self._stay, self._given, self._config = stay, database_url, config
        self.children = Children(self.home / "run", stay=stay)
        self.systems: dict[str, dict[str, Any]] = {}
        self.database_url = ""
        self.api_url = ""
        self.airflow: airflow.Airflow | None = None
        self._server: Server | None = None
        (self.home / "log").mkdir(parents=True, exist_ok=True)

    @property
    def database_process(self) -> int | None:
        """Process id of our own PostgreSQL; None for a given one."""
        return self._server.pid if self._server is not None else None

    @property
    def config(self) -> Path:
        """The configuration that API, DAGs and commands use."""
        return self._config or self.home / "hub.yaml"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to work with this hub."""
        return {"HUB_HOME": str(self.home), "HUB_CONFIG": str(self.config), "HUB_DATABASE_URL": self.database_url}

    def start_database(self) -> str:
        """PostgreSQL, the hub's database and its schema."""
        from ledger import postgres
        from ledger.migrate import migrate

        if self._given:
            postgres.check(self._given)
            self.database_url = self._given
        else:
            # What ends with this process is thrown away with it: it need not survive a power cut.
            self._server = postgres.start(self.home / "postgres", keep=self._stay, fast=not self._stay)
            postgres.ensure(self._server.url)
            self.database_url = self._server.url
        migrate(self.database_url)
        return self.database_url

    def start_sandboxes(
        self, *, seed: int = 0, world: Path | None = None, names: tuple[str, ...] = ("kingdee", "zoho"), keep_data: bool = True
    ) -> None:
        """The stand-ins, at the same time; then hub.yaml with their addresses and credentials, unless a configuration was given."""
        data = self.home / "sandbox" if keep_data else None
        with ThreadPoolExecutor(len(names)) as pool:
            begun = {name: pool.submit(self._one_sandbox, name, seed, data, world) for name in names}
            self.systems = {name: one.result() for name, one in begun.items()}
        if self._config is None:
            write_trial(self.home, self.systems)

    def _one_sandbox(self, name: str, seed: int, data: Path | None, world: Path | None) -> dict[str, Any]:
        port = _port_of(self.home, f"sandbox-{name}")
        return start_one(self.children, name, port=port, seed=seed, data=data, world=world, log=self.home / "log" / f"sandbox-{name}.log")

    def start_api(self) -> str:
        """The hub's API; returns its URL when it is alive."""
        port = _port_of(self.home, "api")
        self.api_url = f"http://127.0.0.1:{port}"
        log = self.home / "log" / "api.log"
        command = [sys.executable, "-m", "uvicorn", "hub_api.main:app", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--no-access-log", "--no-server-header"]  # an outsider need not know what answers
        child = self.children.start("api", command, log=log, environment={**self.environment, "HUB_API_DOCS": "on"})
        deadline = time.monotonic() + API_START_S
        while time.monotonic() < deadline:
            try:
                call("GET", f"{self.api_url}/health/live", timeout_s=5)
            except HttpFailed:
                if child.poll() is not None:
                    raise StackFailed("the API ended while starting", f"read {log}") from None
                time.sleep(0.2)
            else:
                return self.api_url
        raise StackFailed(f"the API does not answer after {API_START_S:g} s", f"read {log}")

    def start_airflow(self, progress: Progress = lambda _: None, *, paused: bool = True, parallelism: int = 4) -> airflow.Airflow:
        """A real Airflow with the hub's DAGs and a database of its own beside the hub's."""
        from ledger import postgres

        url = postgres.with_database(self.database_url, "airflow")
        postgres.ensure(url)
        self.airflow = airflow.Airflow(
            self.home / "airflow",
            url,
            DAGS,
            environment=self.environment,
            parallelism=parallelism,
            paused=paused,
            stay=self._stay,
            marks=self.home / "run",
        )
        self.airflow.start(progress)
        return self.airflow

    def told(self) -> dict[str, Any]:
        """Where everything is, with the passwords that a person needs."""
        told: dict[str, Any] = {"home": self.home, "config": self.config, "database": self.database_url, "systems": self.systems}
        if self.api_url:
            told["api"] = {"url": self.api_url, "docs": f"{self.api_url}/docs"}
        if self.airflow is not None:
            told["airflow"] = {"url": self.airflow.url, "user": self.airflow.user, "password": self.airflow.password}
        return told

    def stop(self) -> list[int]:
        """Stop all; gives what could not be stopped (nothing, normally)."""
        left = self.airflow.stop() if self.airflow is not None else []
        left += self.children.stop()
        if self._server is not None:
            from ledger import postgres

            if self._stay:
                postgres.stop(self.home / "postgres")
            self._server.stop()
        return left

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _port_of(home: Path, name: str) -> int:
    """The port of the last time when it is free, so that addresses in people's notes stay true; else a free one, remembered."""
    import socket

    file = home / "run" / f"{name}.port"
    try:
        port = int(file.read_text())
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, ValueError):
        port = free_ports(1)[0]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(port))
    return port


def _remember(home: Path, told: Mapping[str, Any]) -> None:
    from hub_cli.answers import plain

    file = home / "up.json"
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(plain(told), out, ensure_ascii=False, indent=2)


@click.command()
@click.option("--no-airflow", is_flag=True, help="Without Airflow (1 GiB, 20 s): run `hub sync --until-quiet` yourself.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the stand-ins.")
@click.option(
    "--size", type=click.Choice(["empty", "small", "medium", "demo"]), default="medium", show_default=True, help="Records in new stand-ins."
)
@click.option("--schedule", is_flag=True, help="Let the DAGs run on their schedules at once; otherwise they wait to be unpaused.")
@click.pass_obj
@answers
def up(place: Place, no_airflow: bool, seed: int, size: str, schedule: bool) -> Answer:  # noqa: FBT001  click's way
    """Start database, stand-ins, API and Airflow, leave them running, and print where they are. `hub down` stops all of it.

    When it is up already, says so; when a part of it died, starts all of it anew. Data stays.
    """
    here = marked(place.home / "run")
    if here and all(mark.alive for mark in here) and (place.home / "up.json").exists():
        told = json.loads((place.home / "up.json").read_text(encoding="utf-8"))
        return Answer(told, text="It is up already.\n" + _addresses(told))
    if here:
        take_down(place)
    stack = Stack(place.home, stay=True, database_url=place.database, config=place.config)
    try:
        _start_all(stack, seed=seed, size=size, with_airflow=not no_airflow, schedule=schedule)
    except BaseException:
        stack.stop()
        raise
    told = stack.told() | {"api_key": _key(stack)}
    _remember(place.home, told)
    return Answer(told, text=_addresses(told))


def _start_all(stack: Stack, *, seed: int, size: str, with_airflow: bool, schedule: bool) -> None:
    def say(what: str) -> None:
        click.echo(f"  {what}", err=True)

    say("PostgreSQL")
    stack.start_database()
    if size == "empty" or (stack.home / "sandbox").exists():
        say("stand-ins: Kingdee, Zoho")
        stack.start_sandboxes(seed=seed)
    else:
        say(f"stand-ins: Kingdee, Zoho, with a {size} history")
        _start_with_history(stack, seed, size)
    say("API")
    stack.start_api()
    if with_airflow:
        stack.start_airflow(say, paused=not schedule)


def _start_with_history(stack: Stack, seed: int, size: str) -> None:
    """New stand-ins with years of orders; the clerks' value maps come with them."""
    from hub_cli.trial import value_rows
    from sandbox.world import SIZES, make_world, save_parts
    from sync import valuing
    from sync.hub import Hub

    world = make_world(seed, SIZES[size])
    save_parts(world, stack.home / "world")
    stack.start_sandboxes(seed=seed, world=stack.home / "world")
    with Hub.open(stack.config, stack.database_url) as hub:
        valuing.apply_rows(hub, value_rows(world), who())


def _key(stack: Stack) -> str:
    """A key of the API for whoever started it; a new one each time, for it is nowhere stored but in up.json."""
    import psycopg
    from psycopg.rows import dict_row

    from hub_api import keys

    with psycopg.connect(stack.database_url, row_factory=dict_row) as connection, connection.cursor() as db:
        return keys.create(db, name="hub up", role="it", by=who()).token


def _addresses(told: Mapping[str, Any]) -> str:
    lines = []
    for name, one in told["systems"].items():
        lines.append(f"{name:<12} {one['url']}   control door {one['control']}")
    if "api" in told:
        lines += [f"{'API':<12} {told['api']['url']}   pages {told['api']['docs']}   key {told.get('api_key', '-')}"]
    if "airflow" in told:
        one = told["airflow"]
        lines.append(f"{'Airflow':<12} {one['url']}   user {one['user']}, password {one['password']}")
    lines.append(f"{'database':<12} {told['database']}")
    lines.append(f"{'hub.yaml':<12} {told['config']}")
    return "\n".join(str(line) for line in lines)


@click.command()
@click.pass_obj
@answers
def down(place: Place) -> Answer:
    """Stop everything that `hub up` started, children included, also what is left after one of them was killed. Data stays."""
    stopped, left = take_down(place)
    if left:
        raise StackFailed(f"processes {', '.join(map(str, left))} could not be stopped", "stop them by hand: kill -9")
    return Answer({"stopped": stopped}, text=f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


def take_down(place: Place) -> tuple[list[str], list[int]]:
    """Stop what runs in this home; gives the names of what ran, and process ids that could not be stopped."""
    from ledger import postgres

    marks = place.home / "run"
    stopped = [mark.name for mark in marked(marks) if mark.everyone()]
    left = stop_marked(marks) if marks.exists() else []
    left += airflow.sweep(place.home / "airflow")
    if postgres.stop(place.postgres):
        stopped.append("postgres")
    (place.home / "up.json").unlink(missing_ok=True)
    return stopped, left

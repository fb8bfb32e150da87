"""What makes trouble: workers that are killed, a database server that is killed, faults of the stand-ins; and the drain after it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from ledger import postgres
from ledger.migrate import migrate
from sync import reconciling
from tests.convergence.paying import night
from tests.oracle import Verdict
from tests.sync.stage import Pair, Stage, configuration, open_hub

REPOSITORY = Path(__file__).parents[2]
LASTING = {"synchronous_commit": "on"}
"""What was committed survives the death of the server, though not a power cut."""


class Workers:
    """Worker processes, forked from one that has the hub imported."""

    def __init__(self) -> None:
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.convergence.worker"], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = 0

    def _say(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self.nursery.stdin is not None
        self.nursery.stdin.write(json.dumps(order) + "\n")
        self.nursery.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self.nursery.stdout is not None
        heard: dict[str, Any] = json.loads(self.nursery.stdout.readline())
        return heard

    def start(self, config: Path, database: str, *, kill_at: int | None = None, rounds: int = 200) -> int:
        """Start one; gives its process id. `kill_at` 0 counts its boundaries, N kills it at the N-th."""
        self.pid = int(self._say({"config": str(config), "database": database, "kill_at": kill_at, "rounds": rounds})["pid"])
        return self.pid

    def events(self) -> list[str]:
        """The boundaries of a worker that was started with `kill_at` and has come to its end."""
        told: list[str] = self._hear()["events"]
        return told

    def alive(self) -> bool:
        """Whether the last one still works."""
        return self.pid > 0 and Path(f"/proc/{self.pid}").exists()

    def wait(self, patience_s: float) -> bool:
        """Whether the last one ended in time."""
        deadline = time.monotonic() + patience_s
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.alive()

    def kill(self) -> None:
        """`kill -9` of the last one."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait(10)

    def close(self) -> None:
        """End all."""
        self.kill()
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.close()
        self.nursery.stdout.close()
        self.nursery.wait(timeout=30)


@dataclass
class Cluster:
    """A PostgreSQL server of one's own, to be killed."""

    home: Path
    servers: list[postgres.Server] = field(default_factory=list)
    template: str = ""

    def start(self) -> None:
        """Start it, the first time or after its death."""
        self.servers.append(postgres.start(self.home, fast=True, settings=LASTING))

    def url(self, name: str) -> str:
        """URL of a database."""
        return self.servers[-1].url_of(name)

    def prepare(self) -> None:
        """A template with the newest schema."""
        self.template = self.url("template_hub")
        postgres.ensure(self.template)
        migrate(self.template)

    def copy(self, of: str = "template_hub") -> str:
        """A new database like another."""
        url = self.url(f"c_{uuid4().hex[:10]}")
        postgres.clone(url, of)
        return url

    def kill(self) -> None:
        """`kill -9` of the whole server, then start it again."""
        pid = postgres.status(self.home).pid
        if pid:
            os.kill(pid, signal.SIGKILL)
        self.start()

    def close(self) -> None:
        """Stop it."""
        for server in reversed(self.servers):
            server.stop()


@contextmanager
def cluster(home: Path) -> Iterator[Cluster]:
    """A server with a template, stopped at the end."""
    home.parent.chmod(0o755)
    made = Cluster(home)
    made.start()
    try:
        made.prepare()
        yield made
    finally:
        made.close()


def time_passes(url: str) -> None:
    """Leases of the dead run out, what was asked to wait may go: as after some minutes. Only when no worker lives, or it is frozen.

    The server ends the transaction of a frozen worker when its lease would end (`idle_in_transaction_session_timeout`); here at once.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND wait_event = 'ClientRead'"
        )
        connection.execute("UPDATE lease SET until = now() WHERE until > now()")
        connection.execute("UPDATE system_pause SET until = now() WHERE until > now()")
        connection.execute("UPDATE desired SET due_at = now() WHERE due_at > now()")


def drain(pair: Pair, url: str, home: Path) -> tuple[Stage, Verdict]:
    """No more trouble: sync until quiet, with time passing and a night of paying and reconciling in between, then let the oracle judge."""
    for door in (pair.kingdee, pair.zoho):
        door.calm()
    hub = open_hub(pair, url, home)
    stage = Stage(pair, hub)
    for _ in range(4):
        time_passes(url)
        stage.sync()
        night(hub)
        reconciling.reconcile(hub, "zoho", ["price_books"])  # a price that is changed there moves no change time
        stage.sync()
        with hub.transaction() as db:
            db.execute("SELECT count(*) AS open FROM desired WHERE state IN ('due', 'in_flight', 'blocked')")
            row = db.fetchone()
        if row is not None and not row["open"]:
            break
    return stage, stage.verdict()


def config_of(pair: Pair, home: Path) -> Path:
    """The hub.yaml that workers take."""
    return configuration(home, pair.systems)

"""A lease whose holder is proved to be dead may be taken over at once; one that cannot be proved is waited out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from sync import leases, processes
from sync.errors import Busy, Overtaken
from tests.sync.stage import Stage

TAKE = """
import sys, time, psycopg
from psycopg.rows import dict_row
from sync import leases
with psycopg.connect(sys.argv[1], row_factory=dict_row) as connection:
    token = leases.take(connection.cursor(), "deliver:kingdee.customers", 600).token
    connection.commit()
    print(token, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def worker(stage: Stage) -> subprocess.Popen[str]:
    """Another process that holds the lease for ten minutes."""
    made = subprocess.Popen([sys.executable, "-c", TAKE, stage.hub.database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert made.stdout is not None
    assert made.stdout.readline().strip() == "1"
    return made


def take(stage: Stage) -> leases.Lease:
    with stage.hub.transaction() as db:
        return leases.take(db, "deliver:kingdee.customers", 60)


def held_by(stage: Stage, holder: str) -> None:
    with stage.hub.transaction() as db:
        db.execute("UPDATE lease SET holder = %s, until = now() + interval '10 minutes'", [holder])


@pytest.mark.promise(6)
@pytest.mark.parametrize("collected", [True, False], ids=["collected by its parent", "not yet collected"])
def test_a_killed_workers_stream_is_free_at_once(stage: Stage, worker: subprocess.Popen[str], *, collected: bool) -> None:
    with pytest.raises(Busy, match=f":{worker.pid} until"):
        take(stage)
    worker.send_signal(signal.SIGKILL)
    if collected:
        worker.wait()
    else:
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)

    mine = take(stage)

    worker.wait()
    assert (mine.token, mine.inherited) == (2, True)
    with stage.hub.transaction() as db, pytest.raises(Overtaken):
        leases.confirm(db, leases.Lease(mine.name, 1))
    with pytest.raises(Busy):
        take(stage)


@pytest.mark.promise(6)
def test_only_one_takes_over_what_a_dead_worker_held(stage: Stage, worker: subprocess.Popen[str]) -> None:
    worker.kill()
    worker.wait()
    dead = stage.one("SELECT holder FROM lease")
    first = take(stage)

    assert processes.is_dead(dead)
    with stage.hub.transaction() as db:
        assert leases._try(db, first.name, 60, dead=1) is None, "the proof is of one token"


@pytest.mark.promise(6)
def test_what_cannot_be_proved_is_waited_out(stage: Stage, worker: subprocess.Popen[str]) -> None:
    worker.kill()
    worker.wait()
    told, _, proof = str(stage.one("SELECT holder FROM lease")).partition(" ")
    boot, namespace, began = proof.split("/")
    others = {
        "another boot, or machine": f"{told} {boot[::-1]}/{namespace}/{began}",
        "another container on this machine": f"{told} {boot}/{int(namespace) + 1}/{began}",
        "an older release, or no /proc": told,
        "nonsense": "x",
    }

    for name, holder in others.items():
        held_by(stage, holder)
        assert not processes.is_dead(holder), name
        with pytest.raises(Busy):
            take(stage)


@pytest.mark.promise(6)
def test_a_process_id_that_was_taken_again_is_not_the_holder() -> None:
    told, _, proof = processes.holder().partition(" ")
    place, _, began = proof.rpartition("/")

    assert not processes.is_dead(f"{told} {proof}"), "we live"
    assert processes.is_dead(f"{told} {place}/{int(began) - 1}"), "somebody had our number before us"

"""Resolving all parties as a run: one at a time, watched by others, and told as failed when its process dies."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from sync import proposing
from sync.config import HubConfig
from sync.errors import Busy, NotFound
from sync.hub import Hub
from sync.leases import alone, somebody_is_at
from sync.runs import running
from tests.deals.upkeep.conftest import CONFIG


@pytest.fixture
def hub(database: str) -> Iterator[Hub]:
    """A hub without records."""
    with Hub.open(HubConfig.model_validate(CONFIG), database) as opened:
        yield opened


def _begun(hub: Hub, minutes_ago: int) -> int:
    number = proposing.new(hub, by="li")
    with hub.transaction() as db:
        db.execute("UPDATE run SET started_at = started_at - make_interval(mins => %s) WHERE id = %s", [minutes_ago, number])
    return number


def test_an_empty_ledger_is_resolved_step_by_step(hub: Hub) -> None:
    seen = []

    def watch(step: str, _done: int, _of: int) -> None:
        seen.append((step, proposing.shown(hub).step))

    run = proposing.work(hub, by="li", told=watch)

    told = proposing.shown(hub, run.run_id)
    assert (told.status, told.found, told.step) == ("done", dict.fromkeys(proposing.FIGURES, 0), None)
    assert told.asked.startswith("li: model ")
    assert [step for step, _ in seen] == ["read", "prepare", "join", "ask"]
    assert [after for _, after in seen[:2]] == ["prepare", "block"], "whoever watches is told what comes next"


def test_there_is_one_at_a_time_and_the_second_is_told_which(hub: Hub) -> None:
    number = proposing.new(hub, by="li")

    with pytest.raises(Busy, match=f"run {number} is on its way"):
        proposing.new(hub, by="wang")


def test_a_run_whose_process_died_is_told_as_failed_and_the_next_one_may_begin(hub: Hub) -> None:
    dead = _begun(hub, minutes_ago=5)

    told = proposing.shown(hub, dead)
    proposing.work(hub, by="wang")

    assert (told.status, told.error) == ("failed", proposing.DIED)
    with hub.transaction() as db:
        db.execute("SELECT status, ended_at IS NOT NULL AS ended FROM run WHERE id = %s", [dead])
        assert db.fetchone() == {"status": "failed", "ended": True}


def test_a_run_that_takes_long_is_on_its_way_for_as_long_as_its_process_lives(hub: Hub) -> None:
    number = _begun(hub, minutes_ago=5)

    with alone(hub, proposing.ALONE):
        assert proposing.shown(hub, number).status == "running"
    assert proposing.shown(hub, number).status == "failed"


def test_a_run_that_there_is_not_is_not_found(hub: Hub) -> None:
    with pytest.raises(NotFound, match="no run has resolved parties"):
        proposing.shown(hub)
    with running(hub, "another") as run, pytest.raises(NotFound, match="none that resolves parties"):
        proposing.shown(hub, run.id)


def test_who_works_alone_keeps_no_transaction_open(hub: Hub, database: str) -> None:
    """The server ends a session that sits in a transaction for two minutes, and its lock with it."""
    with alone(hub, "a long night"), psycopg.connect(database) as other:
        found = other.execute("SELECT a.state FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE l.locktype = 'advisory'")
        assert found.fetchall() == [("idle",)]
        with hub.transaction() as db:
            assert somebody_is_at(db, "a long night")
            assert not somebody_is_at(db, "another night")
        with pytest.raises(Busy), alone(hub, "a long night"):
            pass
    with alone(hub, "a long night"):
        pass


def test_a_run_that_is_stopped_is_not_done(hub: Hub) -> None:
    with pytest.raises(KeyboardInterrupt), running(hub, "night"):
        raise KeyboardInterrupt
    with hub.transaction() as db:
        db.execute("SELECT status, error FROM run")
        assert db.fetchall() == [{"status": "failed", "error": "stopped by KeyboardInterrupt"}]

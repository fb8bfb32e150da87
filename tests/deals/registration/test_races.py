"""Two dealers at the same instant, killed processes, repeated requests: the database decides, nothing is half done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from channel.deals import claim_queries
from channel.deals.matching import Claim, keys_of, prepare
from channel.deals.registrations import Registered
from channel.deals.service import register
from tests.deals.registration.helpers import HUAYI, YADU, count
from tests.deals.registration.racing import Race

REPOSITORY = Path(__file__).parents[3]
Db = psycopg.Connection[Any]


@pytest.mark.promise(11)
def test_eight_dealers_at_one_instant_leave_what_some_order_would_leave(database: str) -> None:
    with Race(database) as race:
        report = race.play(30)

    assert (report.worse, report.lost) == ([], 0)


def test_without_the_key_locks_the_same_race_leaves_several_holders(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proof that the race is one: what the other tests find none of is there as soon as the locks are not."""
    monkeypatch.setattr(claim_queries, "lock_keys", lambda _db, _keys: "read committed")

    with Race(database) as race:
        report = race.play(4)

    assert report.extra_winners > 0
    assert report.worse


@pytest.mark.slow
@pytest.mark.promise(11)
@pytest.mark.timeout(1800)
def test_a_thousand_rounds_of_eight_dealers_at_one_instant(database: str) -> None:
    with Race(database) as race:
        report = race.play(1000)

    assert (report.rounds, report.worse, report.lost) == (1000, [], 0)


def test_the_same_request_sent_eight_times_at_once_is_one_registration(database: str, db: Db, east: UUID) -> None:
    connections = [psycopg.connect(database, autocommit=True) for _ in range(8)]

    def send(connection: Db) -> Registered:
        return register(connection, east, HUAYI, idempotency_key="tap")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, connections))
    for connection in connections:
        connection.close()

    assert len({answer.id for answer in answers}) == 1
    assert sum(not answer.repeated for answer in answers) == 1
    assert count(db, "SELECT count(*) FROM registration") == 1


def test_claims_that_share_no_key_but_mean_the_same_customers_decide_one_after_another(
    database: str, db: Db, east: UUID, west: UUID
) -> None:
    register(db, east, HUAYI)
    customer = count(db, "SELECT id FROM customer")
    by_phone = Claim(name="另一个名字", phone=HUAYI.phone)
    assert not set(keys_of(prepare(by_phone))) & set(keys_of(prepare(Claim(name=HUAYI.name)))), "only the customer is common to both"

    with psycopg.connect(database) as slow, ThreadPoolExecutor(1) as pool:
        slow.execute("SELECT id FROM customer WHERE id = %s FOR NO KEY UPDATE", [customer])
        waiting = pool.submit(register, db, west, HUAYI)
        time.sleep(0.2)
        assert not waiting.done()
        slow.commit()

        assert waiting.result(timeout=10).status == "rejected"


LOCK = "SELECT pg_advisory_xact_lock(%s::bigint)"


def test_a_deadlock_is_tried_again_and_not_shown(database: str, db: Db, east: UUID) -> None:
    low, middle, *_, high = keys_of(prepare(HUAYI))
    db.execute("SET deadlock_timeout = '50ms'")
    with psycopg.connect(database) as rude, psycopg.connect(database) as gate, ThreadPoolExecutor(2) as pool:
        rude.execute("SET deadlock_timeout = '30s'")  # so that the registration is the one that is broken off
        rude.execute(LOCK, [high])
        gate.execute(LOCK, [middle])
        waiting = pool.submit(register, db, east, HUAYI)
        time.sleep(0.3)
        wrong_order = pool.submit(rude.execute, LOCK, [low])
        time.sleep(0.3)
        gate.commit()
        wrong_order.result(timeout=20)
        rude.commit()

        assert waiting.result(timeout=20).status == "protected"


VICTIM = """
import sys, psycopg
from uuid import UUID
from channel.deals.service import register
from tests.deals.registration.helpers import HUAYI
from dataclasses import replace
connection = psycopg.connect(sys.argv[1], autocommit=True)
number = 0
while True:
    number += 1
    register(connection, UUID(sys.argv[2]), replace(HUAYI, name=f"上海第{number}机械有限公司", uscc="", phone=f"138{number:08d}"))
    if number == 3:
        print("at work", flush=True)
"""


def test_a_killed_process_leaves_nothing_half(database: str, db: Db, east: UUID, west: UUID) -> None:
    for seed in range(3):
        victim = subprocess.Popen([sys.executable, "-c", VICTIM, database, str(east)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        assert victim.stdout is not None
        assert victim.stdout.readline() == "at work\n"
        time.sleep(random.Random(seed).uniform(0, 0.1))
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        victim.stdout.close()

    _until_alone(db)
    assert count(db, "SELECT count(*) FROM registration") > 0
    for half in (
        "SELECT count(*) FROM registration AS r WHERE NOT EXISTS (SELECT FROM registration_event WHERE registration_id = r.id)",
        "SELECT count(*) FROM registration_event AS e WHERE NOT EXISTS (SELECT FROM registration WHERE id = e.registration_id)",
        "SELECT count(*) FROM customer AS c WHERE NOT EXISTS (SELECT FROM match_key WHERE customer_id = c.id)",
        "SELECT count(*) FROM customer AS c WHERE NOT EXISTS (SELECT FROM registration WHERE customer_id = c.id)",
        "SELECT count(*) FROM match_key AS k WHERE NOT EXISTS (SELECT FROM customer WHERE id = k.customer_id)",
        "SELECT count(*) FROM registration AS r WHERE NOT EXISTS (SELECT FROM decision_input WHERE registration_id = r.id)",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
    ):
        assert count(db, half) == 0, half
    assert register(db, west, YADU).status == "protected", "no lock is left behind"


def _until_alone(db: Db) -> None:
    """The server notices a dead client when it next writes to it."""
    until = time.monotonic() + 20
    while count(
        db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"
    ):
        assert time.monotonic() < until
        time.sleep(0.05)

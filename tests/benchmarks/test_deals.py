"""The deal benchmark loads a hub that answers, and measures what it says."""

from __future__ import annotations

import psycopg

from benchmarks import deals, deals_data
from channel.deals import matching
from channel.deals.service import check


def test_the_synthetic_hub_answers_checks(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        hub = deals_data.load(db, 300, 40)
        stored = db.execute("SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM match_key)").fetchone()
        held = db.execute("SELECT c.given ->> 'name' FROM registration AS r JOIN customer AS c ON c.id = r.customer_id LIMIT 1").fetchone()
        assert held is not None

        answer = check(db, hub.dealers[7], matching.Claim(name=held[0]))

    assert stored == (300, hub.keys)
    assert len(hub.claims) == 40
    assert answer.free in ("no", "maybe")


def test_cpu_of_client_and_backend_is_counted(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        idle = deals.timed(db, [lambda: db.execute("SELECT 1")] * 5)
        busy = deals.timed(db, [lambda: db.execute("SELECT count(*) FROM generate_series(1, 300000)")] * 5)

    assert min(busy.cpu) > max(2.0, deals.at(idle.cpu, 50))
    assert deals.at([3.0, 1.0, 2.0], 50) == 2.0

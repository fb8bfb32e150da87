"""The DAG `deals_upkeep` runs: `dag.test()`, twice, against a real database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from channel.deals.service import register
from sync import notices
from tests.dags.test_runs import Run, quiet, run
from tests.deals.registration.helpers import HUAYI, LANSI, add_dealer, shift
from tests.sync.stage import Stage

__all__ = ["quiet", "run"]


@pytest.fixture
def db(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection where each use case is its own transaction."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def test_the_dag_ends_what_is_over_reminds_and_tells_once(stage: Stage, run: Run, db: psycopg.Connection[Any]) -> None:
    dealer = add_dealer(db, "上海东方工业设备有限公司")
    over, ending = register(db, dealer, HUAYI), register(db, dealer, LANSI)
    shift(db, over.id, 91)
    shift(db, ending.id, 80)

    first = run("deals_upkeep")
    again = run("deals_upkeep")

    assert (first.state, again.state) == ("success", "success")
    counts = first.returned["look_after"]["counts"]
    assert (counts["expired"], counts["reminded"], counts["deal_expired"], counts["deal_expiring"]) == (1, 1, 1, 1)
    assert not {"expired", "reminded", "deal_expired", "deal_expiring"} & set(again.returned["look_after"]["counts"])
    told = [notice["kind"] for notice in notices.notices_for(stage.hub, f"party:{dealer}")]
    assert sorted(told) == ["deal_expired", "deal_expiring", "deal_registered"], "one was made before the go-live: only its end is news"
    assert stage.one("SELECT count(*) FROM run WHERE kind = 'deals_upkeep' AND status = 'done'") == 2

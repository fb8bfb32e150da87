"""The DAG `prices` runs: `dag.test()`, twice, against a real database."""

from __future__ import annotations

from channel.pricing import service
from tests.dags.test_runs import Run, quiet, run
from tests.sync.stage import Stage

__all__ = ["quiet", "run"]


def test_the_dag_makes_a_version_and_tells_nobody_of_the_first_prices(stage: Stage, run: Run) -> None:
    stage.read()

    first = run("prices")
    again = run("prices")

    assert (first.state, again.state) == ("success", "success")
    assert stage.one("SELECT count(*) FROM run WHERE kind = 'prices' AND status = 'done'") == 2
    assert stage.one("SELECT count(*) FROM price_version WHERE announced_at IS NULL") == 0
    assert stage.one("SELECT count(*) FROM notices WHERE kind = 'price_changed'") == 0
    with stage.hub.transaction() as db:
        assert service.book(db.connection).version == stage.one("SELECT max(id) FROM price_version")

"""The DAGs `performance` and `dealer_stock` run: `dag.test()`, twice, against a real database."""

from __future__ import annotations

from channel.performance import service
from tests.dags.test_runs import Run, quiet, run
from tests.performance.making import written
from tests.sync.stage import BOSS, Stage

__all__ = ["quiet", "run"]


def test_the_dag_keeps_the_months_that_are_over_once(stage: Stage, run: Run) -> None:
    stage.read()
    with stage.hub.transaction() as db:
        service.publish(db.connection, written(valid={"from": "2025-01-01"}), by=BOSS)

    first = run("performance")
    again = run("performance")

    assert (first.state, again.state) == ("success", "success")
    counts = first.returned["score"]["counts"]
    assert counts["results"] >= counts["months"] > 1
    assert again.returned["score"]["counts"] == {}
    assert stage.one("SELECT count(*) FROM scorecard_month WHERE revision > 1") == 0


def test_the_dag_looks_at_dealers_stock(stage: Stage, run: Run) -> None:
    stage.read()

    assert run("dealer_stock").state == "success"
    assert stage.one("SELECT count(*) FROM stock_plan") == 1

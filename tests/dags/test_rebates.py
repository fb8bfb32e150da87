"""The DAG `rebates` runs: `dag.test()`, twice, against a real database."""

from __future__ import annotations

from channel.rebates import service
from tests.dags.test_runs import Run, quiet, run
from tests.rebates.money import PROGRAMME
from tests.sync.stage import BOSS, Stage

__all__ = ["quiet", "run"]


def test_the_dag_settles_what_is_due_pays_it_once_and_compares(stage: Stage, run: Run) -> None:
    stage.read()
    with stage.hub.transaction() as db:
        service.publish(db.connection, PROGRAMME.format(version=1, rate="2 %"), by=BOSS)

    first = run("rebates")
    again = run("rebates")

    assert (first.state, again.state) == ("success", "success")
    counts = first.returned["reckon"]["counts"]
    assert counts["settled"] == counts["statements"] > 0
    assert counts["payouts"] == counts["missing_in_erp"]
    assert not {"settled", "payouts", "accrued"} & set(again.returned["reckon"]["counts"])

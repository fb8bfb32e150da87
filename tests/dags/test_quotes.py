"""The DAG `quotes` runs: `dag.test()`, twice, against a real database."""

from __future__ import annotations

from tests.dags.test_runs import Run, quiet, run
from tests.sync.stage import Stage

__all__ = ["quiet", "run"]


def test_the_dag_runs_and_tells_nothing_twice(stage: Stage, run: Run) -> None:
    stage.read()

    first = run("quotes")
    again = run("quotes")

    assert (first.state, again.state) == ("success", "success")
    assert stage.one("SELECT count(*) FROM run WHERE kind = 'quotes_upkeep' AND status = 'done'") == 2

"""What carries the story's heavy runs: real Airflow, or this process. Both call the same entry points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from hub_cli.airflow import Airflow, AirflowFailed
from hub_cli.demo.telling import Teller
from sync import backfilling, cycle, reconciling
from sync.hub import Hub


class Engine(Protocol):
    """Runs an increment, a backfill, a reconciliation."""

    name: str

    def increment(self, *systems: str) -> None:
        """Read what is new, settle."""

    def backfill(self, system: str, start: date, end: date, streams: Sequence[str]) -> None:
        """Read a past window again."""

    def reconcile(self, systems: Sequence[str]) -> None:
        """Compare systems whole."""


class InProcess:
    """Everything in this process."""

    name = "in process"

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def increment(self, *systems: str) -> None:
        """Read what is new, settle."""
        for result in cycle.increments(self.hub, dict.fromkeys(systems)).values():
            _need(result)
        _need(cycle.retry_parked(self.hub))
        _need(cycle.derive(self.hub))

    def backfill(self, system: str, start: date, end: date, streams: Sequence[str]) -> None:
        """Read a past window again."""
        _need(backfilling.backfill(self.hub, system, start=start, end=end, streams=streams))
        _need(cycle.derive(self.hub))

    def reconcile(self, systems: Sequence[str]) -> None:
        """Compare systems whole."""
        for system in systems:
            found = reconciling.reconcile(self.hub, system)
            if found.run is not None:
                _need(found.run)


class StoryFailed(Exception):
    """A step did not come out as it must; says which."""

    code = "demo/failed"

    def __init__(self, what: str, next_step: str = "read the log of that server under HOME/log") -> None:
        self.what, self.next_step = what, next_step
        super().__init__(f"{what}. Next: {next_step}")


def _need(result: Any) -> None:
    if result.status == "failed":
        raise StoryFailed(f"{result.kind} failed: {'; '.join(result.problems)}")


class ByAirflow:
    """DAG runs of a real Airflow: scheduler, DAG processor, API server."""

    name = "by Airflow"

    def __init__(self, airflow: Airflow, teller: Teller) -> None:
        self.airflow, self.teller = airflow, teller
        self.tasks = 0
        """Task instances so far."""

    def increment(self, *systems: str) -> None:
        """Run the systems' increment DAGs, one after another: so who is alike in both is seen."""
        for system in systems:
            self._run([(f"hub_{system}_increment", {})])

    def backfill(self, system: str, start: date, end: date, streams: Sequence[str]) -> None:
        """Run the system's backfill DAG."""
        self._run([(f"hub_{system}_backfill", {"start": start.isoformat(), "end": end.isoformat(), "streams": list(streams)})])

    def reconcile(self, systems: Sequence[str]) -> None:
        """Run the reconcile DAGs side by side."""
        self._run([(f"hub_{system}_reconcile", {}) for system in systems])

    def _run(self, dags: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        try:
            self._run_all(dags)
        except AirflowFailed as failed:
            raise StoryFailed(failed.what, failed.next_step) from failed

    def _run_all(self, dags: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        runs = [(dag, self.airflow.trigger(dag, conf)) for dag, conf in dags]
        for dag, run_id in runs:
            run = self.airflow.wait(dag, run_id)
            self.tasks += len(run.tasks)
            if not run.ok:
                bad = [task for task, state in run.tasks.items() if state not in ("success", "skipped")]
                told = "\n".join(self.airflow.task_log(run, task)[-1500:] for task in bad[:1])
                raise StoryFailed(f"{dag}: {', '.join(bad) or run.state}\n{told}", f"look at {self.airflow.url}/dags/{dag}/runs/{run_id}")
            self.teller.say(f"DAG {dag}: {len(run.tasks)} task instances, {run.state}", "dim")


__all__ = ["AirflowFailed", "ByAirflow", "Engine", "InProcess", "StoryFailed"]

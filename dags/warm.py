"""Airflow's own command, with everything imported that our tasks import: tasks are forked from it and start two CPU seconds sooner.

`python -m dags.warm scheduler` in place of `airflow scheduler`. For one machine; other executors start a process for each task anyway.
"""

from __future__ import annotations

from importlib import import_module

from airflow.__main__ import main

from dags.building import JOBS
from mappings.cel import Condition

IMPORTED = (
    "airflow.sdk.execution_time.task_runner",
    "connectors.transport",
    "dags.building",
    "sync.backfilling",
    "sync.cycle",
    "sync.reconciling",
    *sorted({job.entry.partition(":")[0] for job in JOBS}),
)
"""What every task imports."""


def warm() -> None:
    """Import it all, and build the grammar of conditions: a quarter of a CPU second."""
    for name in IMPORTED:
        import_module(name)
    Condition("true", ())


if __name__ == "__main__":
    warm()
    main()  # type: ignore[no-untyped-call]  # Airflow's own, untyped

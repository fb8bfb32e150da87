"""A task that failed for good raises a notice in the ledger, where the API, the CLI and, later, the bots find it."""

from __future__ import annotations

from typing import Any


def notify_failure(context: Any) -> None:
    """Airflow's failure callback."""
    from sync.hub import Hub
    from sync.noticing import raise_notice

    instance = context["task_instance"]
    error = context.get("exception")
    with Hub.open() as hub:
        raise_notice(
            hub,
            "task_failed",
            audience="it",
            about=f"dag:{instance.dag_id}/{instance.task_id}",
            facts={"dag": instance.dag_id, "task": instance.task_id, "run": str(instance.run_id), "error": type(error).__name__ if error else "", "why": str(error)[:500]},
        )

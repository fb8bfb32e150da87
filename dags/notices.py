"""A task that failed for good raises a notice in the ledger, where the API, the CLI and, later, the bots find it."""

from __future__ import annotations

from typing import Any

KIND = "task_failed"


def about(instance: Any) -> str:
    """What a notice about a task is about: `dag:hub_kingdee_increment/read_sales_orders`."""
    index = getattr(instance, "map_index", -1)
    return f"dag:{instance.dag_id}/{instance.task_id}" + (f"[{index}]" if isinstance(index, int) and index >= 0 else "")


def notify_failure(context: Any) -> None:
    """Airflow's callback for a task whose last try failed."""
    from sync.hub import Hub
    from sync.notices import alert

    instance, error = context["task_instance"], context.get("exception")
    facts = {
        "dag": instance.dag_id,
        "task": instance.task_id,
        "run": str(instance.run_id),
        "error": type(error).__name__ if error else "",
        "why": reason(error),
    }
    with Hub.open() as hub:
        alert(hub, KIND, audience="it", about=about(instance), facts=facts)


def reason(error: BaseException | None) -> str:
    """Why, in words that may be shown: our own errors' words hold no secret and no payload; of any other error, only where to look."""
    from airflow.sdk.exceptions import AirflowException

    from connectors.errors import CallFailed
    from mappings.errors import MappingError
    from sync.errors import SyncError

    if isinstance(error, (AirflowException, CallFailed, MappingError, SyncError)):
        return str(error)[:1000]
    return "read the task's log"

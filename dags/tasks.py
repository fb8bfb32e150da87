"""What every task does around its one call: open the hub, judge the result, keep the notice about this task true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias, get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from dags.notices import KIND, about

if TYPE_CHECKING:
    from sync.hub import Hub

DUE = AssetAlias("hub_due")
"""Outlet of every task that may leave something to deliver: it tells which systems have something due, and only those."""


def due_in(system: str) -> Asset:
    """Updated when something is due in a system; its deliveries run on it."""
    return Asset(f"hub://due/{system}")


@contextmanager
def open_hub() -> Iterator[Hub]:
    """The hub that HUB_CONFIG and HUB_DATABASE_URL name, for one task. When the task comes out well, its notice is withdrawn."""
    from sync.hub import Hub
    from sync.notices import clear

    with Hub.open() as hub:
        yield hub
        clear(hub, KIND, about=about(get_current_context()["ti"]))


def judged(result: Any, *, busy: str = "skip") -> dict[str, Any]:
    """A run's figures, for the log and the console. A failed run fails the task.

    A busy one skips it, for the other worker does its work; with `busy="retry"`, or when this task was tried before (it may have been
    killed, and its own lease be what is in the way), it is tried again later.
    """
    told = "; ".join(result.problems)
    if result.status == "failed":
        raise AirflowException(told or f"{result.kind} failed")
    if result.status == "busy":
        if busy == "retry" or get_current_context()["ti"].try_number > 1:
            raise AirflowException(told)
        raise AirflowSkipException(told)
    return {"status": result.status, "counts": dict(result.counts)}


def tell_due(hub: Hub, events: Mapping[Any, Any] | MutableMapping[Any, Any], *, besides: str = "") -> list[str]:
    """Update the assets of the systems in which something is due now. `besides`: the system that was just delivered to."""
    from sync.cycle import due_systems

    found = [system for system in due_systems(hub) if system != besides]
    for system in found:
        events[DUE].add(due_in(system))
    return found

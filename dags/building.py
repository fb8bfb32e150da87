"""How one system's DAGs are built. Thin: schedule, fan out, call one entry point."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, AssetAny, Param, TriggerRule, task
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

import mappings
from canonical.values import SHANGHAI
from dags.notices import notify_failure
from mappings.compiler import load as load_mapping
from sync.config import HubConfig

MAPPINGS = Path(mappings.__file__).parent

START = datetime(2026, 1, 1, tzinfo=SHANGHAI)
DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": notify_failure,
}


def asset_of(system: str) -> Asset:
    """What an increment of a system updates."""
    return Asset(f"hub://{system}")


def judged(result: Any) -> dict[str, Any]:
    """A run's figures, for the log; a failed run fails the task, a busy one skips it."""
    facts: dict[str, Any] = result.as_dict()
    if result.status == "failed":
        raise AirflowException("; ".join(result.problems) or f"{result.kind} failed")
    if result.status == "busy":
        raise AirflowSkipException("; ".join(result.problems))
    return {"status": facts["status"], "counts": facts["counts"]}


def levels(config: HubConfig, system: str) -> list[list[list[str]]]:
    """A system's streams as waves of task loads: each wave after those it cites; small streams of a wave share a task, large ones do not."""
    flows = {part.stream: part for flow in config.flows.values() for name, part in flow.systems.items() if name == system and part.mode != "off"}
    large = [name for name in flows if flows[name].large]
    if not large:
        return [[list(flows)]]  # one task reads them in their order
    parents = _parents(config, system)
    depth: dict[str, int] = {}

    def depth_of(name: str, seen: tuple[str, ...] = ()) -> int:
        if name not in depth:
            path = (*seen, name)  # citations may go round: a quote names its order, an order its quote
            above = [depth_of(parent, path) for parent in parents.get(name, ()) if parent in flows and parent not in path]
            depth[name] = max(above, default=-1) + 1
        return depth[name]

    first_large = min(depth_of(name) for name in large)
    waves = [[[name for name in flows if depth_of(name) < first_large]]]
    for level in sorted({depth_of(name) for name in flows if depth_of(name) >= first_large}):
        here = [name for name in flows if depth_of(name) == level]
        small = [name for name in here if not flows[name].large]
        waves.append([*([name] for name in here if flows[name].large), *([small] if small else [])])
    return [[load for load in wave if load] for wave in waves if any(wave)]


def _parents(config: HubConfig, system: str) -> dict[str, Sequence[str]]:
    """What each stream's mapping cites: known without signing in anywhere."""
    kind = config.systems[system].kind
    streams = {part.stream for flow in config.flows.values() for name, part in flow.systems.items() if name == system}
    return {name: sorted(load_mapping([MAPPINGS, *config.mappings], kind, name).cited) for name in streams}


def increment_dag(config: HubConfig, system: str) -> DAG:
    """Read what is new, wave by wave; then derive, and tell whoever delivers."""
    with DAG(
        f"hub_{system}_increment",
        description=f"What is new in {system}",
        schedule=config.systems[system].schedule or None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        tags=["hub", system],
    ) as dag:

        @task(trigger_rule=TriggerRule.ALL_DONE)
        def read(streams: list[str]) -> dict[str, Any]:
            from sync.cycle import increment
            from sync.hub import Hub

            with Hub.open() as hub:
                return judged(increment(hub, system, streams))

        @task(outlets=[asset_of(system)])
        def settle() -> dict[str, Any]:
            from sync.cycle import derive, retry_parked
            from sync.hub import Hub

            with Hub.open() as hub:
                retried = judged(retry_parked(hub))
                return retried | judged(derive(hub))

        before: list[Any] = []
        for number, wave in enumerate(levels(config, system)):
            loads = [read.override(task_id="read_" + (load[0] if len(load) == 1 else f"wave_{number}"))(load) for load in wave]
            for earlier in before:
                earlier >> loads
            before = loads
        before >> settle()
    return dag


def deliver_dag(config: HubConfig, system: str) -> DAG:
    """Deliver what is due to a system, whenever any system brought something new."""
    with DAG(
        f"hub_{system}_deliver",
        description=f"What is due in {system}",
        schedule=AssetAny(*(asset_of(name) for name in config.systems)),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        tags=["hub", system],
    ) as dag:

        @task
        def deliver() -> dict[str, Any]:
            from sync.cycle import deliver as deliver_to
            from sync.hub import Hub

            with Hub.open() as hub:
                return judged(deliver_to(hub, system))

        deliver()
    return dag


def reconcile_dag(config: HubConfig, system: str) -> DAG:
    """Compare a system whole with what the hub knows; plan or deliver what differs."""
    with DAG(
        f"hub_{system}_reconcile",
        description=f"Everything in {system}, compared",
        schedule=config.systems[system].reconcile_schedule or None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        tags=["hub", system],
    ) as dag:

        @task
        def reconcile() -> dict[str, Any]:
            from sync.hub import Hub
            from sync.reconciling import reconcile as compare

            with Hub.open() as hub:
                found = compare(hub, system)
                if found.run is not None:
                    judged(found.run)
                return {"drift": found.drift, "states": found.states, "fields": found.fields}

        reconcile()
    return dag


def backfill_dag(config: HubConfig, system: str) -> DAG:
    """Read a past window again, a task for each stream and month; windows that are done are not read twice."""
    streams = [part.stream for flow in config.flows.values() for name, part in flow.systems.items() if name == system]
    with DAG(
        f"hub_{system}_backfill",
        description=f"Past windows of {system}, read again",
        schedule=None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        tags=["hub", system],
        params={
            "start": Param("2026-01-01", type="string", format="date", description="First business day (Asia/Shanghai)."),
            "end": Param("2026-02-01", type="string", format="date", description="The day after the last one."),
            "streams": Param(streams, type="array", description="Which streams."),
            "name": Param("", type="string", description="Resumes the backfill of this name; empty: named by its dates."),
        },
    ) as dag:

        @task
        def layout(params: dict[str, Any] | None = None) -> list[dict[str, str]]:
            from datetime import date

            from sync.backfilling import windows
            from sync.hub import Hub

            asked = params or {}
            with Hub.open() as hub:
                rows = windows(
                    hub,
                    system,
                    start=date.fromisoformat(asked["start"]),
                    end=date.fromisoformat(asked["end"]),
                    streams=asked["streams"],
                    name=asked["name"],
                )
                return [
                    {"backfill": row["backfill"], "stream": hub.by_id[row["stream_id"]].name, "starts": row["starts"].isoformat(), "org": row["org"]}
                    for row in rows
                    if row["state"] == "open"
                ]

        @task
        def window(which: dict[str, str]) -> dict[str, Any]:
            from sync.backfilling import backfill_window, find_window
            from sync.hub import Hub

            with Hub.open() as hub:
                row = find_window(hub, system, which["stream"], which["backfill"], datetime.fromisoformat(which["starts"]), which["org"])
                return judged(backfill_window(hub, system, row))

        @task(trigger_rule=TriggerRule.NONE_FAILED, outlets=[asset_of(system)])
        def settle() -> dict[str, Any]:
            from sync.cycle import derive, retry_parked
            from sync.hub import Hub

            with Hub.open() as hub:
                return judged(retry_parked(hub)) | judged(derive(hub))

        window.expand(which=layout()) >> settle()
    return dag

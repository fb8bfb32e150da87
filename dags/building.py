"""How the DAGs are built. Thin: schedule, fan out, call one entry point; what they work on stands in the hub's database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pkgutil import resolve_name
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param, TriggerRule, task

from canonical.values import SHANGHAI
from dags.notices import notify_failure
from dags.tasks import DUE, due_in, judged, open_hub, tell_due
from dags.waves import streams_of, waves
from sync.config import HubConfig

START = datetime(2026, 1, 1, tzinfo=SHANGHAI)
"""Nothing is run for the time before; its zone is the one that schedules are read in."""
DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": True,  # 20, 40, 80 s: together longer than the lease of a task that was killed
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": notify_failure,
}
SIDE_BY_SIDE = 4
"""Most tasks of one DAG at the same time; how many calls they may make together, the system's budget decides."""
MOST_WINDOWS = 200
"""Most tasks of one backfill; of more windows than that, each task does several."""


def _dag(dag_id: str, description: str, schedule: Any, tags: list[str], params: dict[str, Any] | None = None) -> DAG:
    return DAG(
        dag_id,
        description=description,
        schedule=schedule or None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        max_active_tasks=SIDE_BY_SIDE,
        default_args=DEFAULTS,
        tags=["hub", *tags],
        params=params,
    )


def builders(config: HubConfig) -> dict[str, Callable[[], DAG]]:
    """Every DAG of a configuration by its id, not built yet."""
    kinds = {"increment": increment_dag, "deliver": deliver_dag, "reconcile": reconcile_dag, "backfill": backfill_dag}
    found: dict[str, Callable[[], DAG]] = {
        f"hub_{system}_{kind}": partial(build, config, system) for system in config.systems for kind, build in kinds.items()
    }
    return found | {job.dag_id: partial(job_dag, config, job) for job in JOBS}


def increment_dag(config: HubConfig, system: str) -> DAG:
    """Read what is new, wave by wave; then settle, and tell whoever delivers.

    A stream that cannot be read stops no other: what was read is settled all the same. `ended` makes the run fail when any task did.
    """
    with _dag(f"hub_{system}_increment", f"What is new in {system}", config.systems[system].schedule, [system]) as dag:

        @task(trigger_rule=TriggerRule.ALL_DONE)
        def read(streams: list[str]) -> dict[str, Any]:
            from sync.cycle import increment

            with open_hub() as hub:
                return judged(increment(hub, system, streams))

        before: list[Any] = []
        every: list[Any] = []
        for number, wave in enumerate(waves(config, system)):
            loads = [read.override(task_id="read_" + (load[0] if len(load) == 1 else f"wave_{number}"))(load) for load in wave]
            for earlier in before:
                earlier >> loads
            before = loads
            every += loads
        done = _settle(TriggerRule.ALL_DONE)
        before >> done
        [*every, done] >> EmptyOperator(task_id="ended", trigger_rule=TriggerRule.NONE_FAILED)
    return dag


def _settle(rule: TriggerRule) -> Any:
    """Take in what waited for what was read, derive, and say where something is due."""

    @task(task_id="settle", trigger_rule=rule, outlets=[DUE])
    def settle(*, outlet_events: Any = None) -> dict[str, Any]:
        from sync.cycle import derive, retry_parked

        with open_hub() as hub:
            return {"parked": judged(retry_parked(hub)), "derived": judged(derive(hub)), "due": tell_due(hub, outlet_events)}

    return settle()


def deliver_dag(config: HubConfig, system: str) -> DAG:
    """Deliver what is due to a system, as soon as a reading, a backfill, a reconciliation or a delivery leaves something due there."""
    del config
    with _dag(f"hub_{system}_deliver", f"What is due in {system}", [due_in(system)], [system]) as dag:

        @task(outlets=[DUE])
        def deliver(*, outlet_events: Any = None) -> dict[str, Any]:
            from sync.cycle import deliver as deliver_to
            from sync.cycle import derive

            with open_hub() as hub:
                done = judged(deliver_to(hub, system))
                return done | {"derived": judged(derive(hub)), "due": tell_due(hub, outlet_events, besides=system)}

        deliver()
    return dag


def reconcile_dag(config: HubConfig, system: str) -> DAG:
    """Compare a system whole with what the hub knows; plan or deliver what differs."""
    with _dag(f"hub_{system}_reconcile", f"Everything in {system}, compared", config.systems[system].reconcile_schedule, [system]) as dag:

        @task(outlets=[DUE])
        def reconcile(*, outlet_events: Any = None) -> dict[str, Any]:
            from sync.reconciling import reconcile as compare

            with open_hub() as hub:
                found = compare(hub, system)
                told = judged(found.run) if found.run is not None else {}
                plan = found.plan.id if found.plan is not None else None
                return told | {
                    "drift": found.drift,
                    "states": found.states,
                    "fields": found.fields,
                    "plan": plan,
                    "due": tell_due(hub, outlet_events),
                }

        reconcile()
    return dag


def backfill_dag(config: HubConfig, system: str) -> DAG:
    """Read a past window again, a task for each stream and month; windows that are done are not read twice."""
    streams = streams_of(config, system)
    params = {
        "start": Param("2026-01-01", type="string", format="date", description="First business day (Asia/Shanghai)."),
        "end": Param("2026-02-01", type="string", format="date", description="The day after the last one."),
        "streams": Param(streams, type="array", items={"type": "string", "enum": streams}, description="Which streams."),
        "name": Param("", type="string", description="Resumes the backfill of this name; empty: named by its dates."),
    }
    with _dag(f"hub_{system}_backfill", f"Past windows of {system}, read again", None, [system], params) as dag:

        @task
        def layout(*, params: dict[str, Any] | None = None) -> list[list[dict[str, str]]]:
            from datetime import date

            from sync.backfilling import windows

            asked = params or {}
            start, end = date.fromisoformat(asked["start"]), date.fromisoformat(asked["end"])
            with open_hub() as hub:
                rows = windows(hub, system, start=start, end=end, streams=asked["streams"], name=asked["name"])
                waiting = [
                    {
                        "backfill": row["backfill"],
                        "stream": hub.by_id[row["stream_id"]].name,
                        "starts": row["starts"].isoformat(),
                        "org": row["org"],
                    }
                    for row in rows
                    if row["state"] == "open"
                ]
            each = -(-len(waiting) // MOST_WINDOWS) or 1
            return [waiting[place : place + each] for place in range(0, len(waiting), each)]

        @task(map_index_template="{{ task.op_kwargs['which'] | map(attribute='stream') | join(', ') }}")
        def window(which: list[dict[str, str]]) -> list[dict[str, Any]]:
            from sync.backfilling import backfill_window, find_window

            with open_hub() as hub:
                rows = [
                    find_window(hub, system, one["stream"], one["backfill"], datetime.fromisoformat(one["starts"]), one["org"])
                    for one in which
                ]
                return [judged(backfill_window(hub, system, row), busy="retry") for row in rows if row["state"] == "open"]

        read = window.expand(which=layout())
        done = _settle(TriggerRule.ALL_DONE)
        read >> done
        [read, done] >> EmptyOperator(task_id="ended", trigger_rule=TriggerRule.NONE_FAILED)
    return dag


@dataclass(frozen=True, slots=True)
class Job:
    """A DAG of one task that calls one entry point, which takes the hub and tells its figures."""

    dag_id: str
    description: str
    tag: str
    task_id: str
    entry: str
    """`module:function`, imported in the task only: the DAG processor has no need of it."""
    schedule: Callable[[HubConfig], str]
    then: Callable[[HubConfig], Any] = lambda _config: None
    """Makes the task that comes after it; None where hub.yaml asks for none."""


def _export(config: HubConfig) -> Any:
    """What the night reckoned with goes to Parquet, for the bulk engine and whoever else reads it."""
    folder = config.rebates.export
    if folder is None:
        return None

    @task
    def export() -> dict[str, Any]:
        from sync.price_export import export as prices
        from sync.rebate_export import export as exported

        with open_hub() as hub:
            prices(hub, folder / "prices")
            return judged(exported(hub, folder))

    return export()


JOBS = (
    Job("hub_upkeep", "Daily upkeep of the hub", "", "upkeep", "sync.upkeep:keep", lambda config: config.upkeep_schedule),
    Job(
        "deals_upkeep", "Deals: expiry, reminders, stuck stages, goods, duplicates", "deals", "look_after",
        "sync.deals_upkeep:look_after", lambda config: config.deals.schedule,
    ),
    Job(
        "rebates", "Rebates: accruals, settlements, payouts, reconciliation", "rebates", "reckon",
        "sync.rebates:nightly", lambda config: config.rebates.schedule, _export,
    ),
    Job(
        "prices", "Prices: versions, dealers told of changes", "prices", "look_after",
        "sync.prices:look_after", lambda config: config.prices.schedule,
    ),
    Job(
        "quotes", "Quotes: expiry, reminders, follow-up, void orders", "quotes", "look_after",
        "sync.quotes_upkeep:look_after", lambda config: config.quotes.schedule,
    ),
    Job(
        "performance", "Performance: scorecards of the months that are over", "performance", "score",
        "sync.performance:monthly", lambda config: config.performance.schedule,
    ),
    Job(
        "dealer_stock", "Dealers' stock: warnings, restock, transfers", "performance", "look",
        "sync.performance:stock", lambda config: config.performance.stock_schedule,
    ),
)  # fmt: skip


def job_dag(config: HubConfig, job: Job) -> DAG:
    """Do a job as often as hub.yaml says, and tell where it left something due."""
    with _dag(job.dag_id, job.description, job.schedule(config), [job.tag] if job.tag else []) as dag:

        @task(task_id=job.task_id, outlets=[DUE])
        def work(*, outlet_events: Any = None) -> dict[str, Any]:
            with open_hub() as hub:
                return judged(resolve_name(job.entry)(hub)) | {"due": tell_due(hub, outlet_events)}

        done, after = work(), job.then(config)
        if after is not None:
            done >> after
    return dag

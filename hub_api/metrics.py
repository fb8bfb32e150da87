"""Figures for Prometheus, read from the database at each scrape, so that every worker tells the same.

Open to callers on the same machine who come without a proxy; others need a key with the scope `metrics:read`.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.responses import Response

from hub_api import keys, lists
from hub_api.deps import Cursor, Engine, EngineDep
from hub_api.permissions import Scope
from hub_api.problems import Forbidden, problems

router = APIRouter(tags=["health"])

_EXAMPLE = """\
# HELP hub_pairs Pairs of record and system in each state.
# TYPE hub_pairs gauge
hub_pairs{state="in_sync",stream="accounts",system="zoho"} 2140.0
"""


class _Figures(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "Figures in Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}}}
}


@router.get(
    "/metrics",
    operation_id="metrics",
    responses=_ANSWER | problems(),
    response_class=Response,
    openapi_extra={"security": [{}, {"key": []}]},
)
def metrics(request: Request, engine: EngineDep) -> Response:
    """Records, states, quarantine, cases, lag, budgets and runs, by system and stream."""
    _permitted(request, engine)
    registry = CollectorRegistry(auto_describe=False)
    with engine.reading() as db:
        registry.register(_Figures(figures(db)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _permitted(request: Request, engine: Engine) -> None:
    if "authorization" not in request.headers and _is_here(request):
        return
    with engine.transaction() as db:
        caller = keys.authenticate(db, request.headers.get("authorization"))
    if Scope.METRICS_READ not in caller.scopes:
        raise Forbidden(f"The key lacks the scope {Scope.METRICS_READ}. Ask the hub's operator.")


def _is_here(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip")):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def figures(db: Cursor) -> list[Metric]:
    """Every figure. Units: seconds in `_seconds`, else counts."""
    records = GaugeMetricFamily("hub_records", "Records that a system told of, without deleted ones.", labels=["system", "stream"])
    lag = GaugeMetricFamily("hub_read_lag_seconds", "Seconds since the cursor of a stream moved.", labels=["system", "stream"])
    quarantined = GaugeMetricFamily("hub_quarantine_open", "Records set aside.", labels=["system", "stream"])
    for row in lists.streams(db):
        place = [row["system"], row["stream"]]
        records.add_metric(place, row["records"])
        quarantined.add_metric(place, row["quarantined"])
        if row["lag_s"] is not None:
            lag.add_metric(place, row["lag_s"])
    pairs = GaugeMetricFamily("hub_pairs", "Pairs of record and system in each state.", labels=["system", "stream", "state"])
    for row in lists.state_counts(db):
        pairs.add_metric([row["system"], row["stream"], row["state"]], row["pairs"])
    waiting = GaugeMetricFamily("hub_open", "Cases, conflicts, plans and missing values that wait for a person.", labels=["kind"])
    for kind, count in lists.open_counts(db).items():
        waiting.add_metric([kind], count)
    used = GaugeMetricFamily("hub_budget_used", "Units spent of a vendor's window.", labels=["system", "window", "share"])
    for row in lists.budgets(db):
        used.add_metric([row["system"], row["window_name"], row["share"]], row["used"])
    paused = GaugeMetricFamily("hub_paused", "1 while a vendor asked to wait.", labels=["system"])
    for system in lists.pauses(db):
        paused.add_metric([system], 1)
    return [records, lag, quarantined, pairs, waiting, used, paused, *_runs(db)]


def _runs(db: Cursor) -> list[Metric]:
    runs = CounterMetricFamily("hub_runs", "Runs by how they ended.", labels=["kind", "system", "status"])
    for row in lists.run_totals(db):
        runs.add_metric([row["kind"], row["system"], row["status"]], row["runs"])
    took = GaugeMetricFamily("hub_last_run_seconds", "How long the newest run took.", labels=["kind", "system"])
    started = GaugeMetricFamily(
        "hub_last_run_started_timestamp_seconds", "When the newest run started, Unix time.", labels=["kind", "system"]
    )
    for row in lists.last_runs(db):
        place = [row["kind"], row["system"]]
        started.add_metric(place, row["started_at"].timestamp())
        if row["seconds"] is not None:
            took.add_metric(place, row["seconds"])
    return [runs, took, started]

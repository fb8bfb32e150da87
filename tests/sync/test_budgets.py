"""Each vendor's windows of calls are kept, shared by all workers, and never given back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from connectors.errors import Throttled
from sync import budgets, cycle
from sync.budgets import DatabaseBudget, window_end, window_start
from sync.config import BudgetConfig
from sync.hub import Hub
from tests.sync.stage import Pair, Stage, configuration, open_hub


@pytest.fixture
def hub(small: Pair, database: str, tmp_path: Path) -> Iterator[Hub]:
    with Hub.open(configuration(tmp_path / "home", small.systems), database) as opened:
        yield opened


def spend(budget: DatabaseBudget, most: int = 1000) -> int:
    """Calls that it grants before it refuses."""
    for granted in range(most):
        try:
            budget.reserve(kind="read")
        except Throttled:
            return granted
    return most


@pytest.mark.promise(9)
def test_workers_share_one_window_and_together_stay_below_it(hub: Hub) -> None:
    config = BudgetConfig(per_day=100)
    workers = [DatabaseBudget(hub, "kingdee", config) for _ in range(3)]

    granted = sum(spend(worker) for worker in workers)

    assert 90 <= granted <= 100
    with pytest.raises(Throttled, match="day's budget of 100 calls is spent") as refused:
        DatabaseBudget(hub, "kingdee", config).reserve(kind="read")
    assert 0 < refused.value.after_s <= 86_400


@pytest.mark.promise(9)
def test_units_of_a_worker_that_died_are_not_given_back(hub: Hub) -> None:
    config = BudgetConfig(per_month=40)
    for _ in range(20):
        DatabaseBudget(hub, "kingdee", config).reserve(kind="write")  # takes its units, and dies

    assert spend(DatabaseBudget(hub, "kingdee", config)) <= 20


@pytest.mark.promise(9)
def test_a_backfill_has_its_share_and_live_work_the_rest(hub: Hub) -> None:
    config = BudgetConfig(per_day=100)
    backfill = spend(DatabaseBudget(hub, "kingdee", config, share=0.5))
    live = spend(DatabaseBudget(hub, "kingdee", config))

    assert 40 <= backfill <= 50
    assert live >= 40


@pytest.mark.promise(9)
def test_the_vendors_own_figure_only_lowers_a_window(hub: Hub) -> None:
    config = BudgetConfig(per_day=100)
    budget = DatabaseBudget(hub, "kingdee", config)
    budget.reserve(kind="read")
    budget.lower(remaining=10, window="day")
    budget.lower(remaining=90, window="day")

    assert spend(DatabaseBudget(hub, "kingdee", config)) <= 10


@pytest.mark.promise(9)
def test_a_call_never_hangs_because_another_worker_does(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "LOCK_S", 0.2)
    budget = DatabaseBudget(hub, "kingdee", BudgetConfig(per_day=100, per_second=50))
    budget.reserve(kind="read")
    began = time.monotonic()

    with psycopg.connect(hub.database_url) as frozen:  # reserves, and never ends
        frozen.execute("UPDATE budget SET used = used + 1")
        with pytest.raises(Throttled, match="another worker keeps the budget") as told:
            budget.reserve(kind="read")
        budget.lower(remaining=3, window="day")

    assert told.value.after_s == 1.0, "short enough for the transport to try again by itself"
    assert time.monotonic() - began < 5
    budget.reserve(kind="read")


@pytest.mark.promise(9)
def test_days_and_months_begin_in_the_vendors_zone() -> None:
    shanghai, late = ZoneInfo("Asia/Shanghai"), datetime(2026, 11, 30, 17, 30, tzinfo=UTC)

    assert window_start("month", late, shanghai) == datetime(2026, 12, 1, tzinfo=shanghai)
    assert window_end("month", window_start("month", late, shanghai)) == datetime(2027, 1, 1, tzinfo=shanghai)
    assert window_start("day", late, ZoneInfo("America/Los_Angeles")).isoformat() == "2026-11-30T00:00:00-08:00"


@pytest.mark.promise(9)
def test_when_a_system_asks_to_wait_the_whole_fleet_waits(live: Stage) -> None:
    live.zoho.fault(match={"path": "/crm/v8/"}, effect="retry_after", value=600)
    cycle.increment(live.hub, "zoho", ["accounts"])
    live.zoho.calm()
    mark = live.zoho.mark()
    with Hub.open(live.hub.config_path, live.hub.database_url) as other:
        result = cycle.increment(other, "zoho", ["accounts"])

    assert live.zoho.log(mark) == [], "a call before Retry-After"
    assert "wait" in " ".join(result.problems)
    assert live.one("SELECT until > now() + interval '5 minutes' FROM system_pause WHERE system = 'zoho'")
    with live.hub.transaction() as db:
        db.execute("UPDATE system_pause SET until = now()")
    with Hub.open(live.hub.config_path, live.hub.database_url) as later:  # a worker looks at the pause once a second; a new one at once
        again = cycle.increment(later, "zoho", ["accounts"])
    assert (again.status, again.problems) == ("done", [])
    assert live.zoho.log(mark)


@pytest.mark.promise(9)
def test_a_system_whose_day_is_spent_stands_still_and_the_others_go_on(small: Pair, database: str, tmp_path: Path) -> None:
    small.reset()
    spent = [("    kind: crm_zoho\n", "    kind: crm_zoho\n    budget: {per_day: 5}\n")]
    with open_hub(small, database, tmp_path / "home", spent) as hub:
        stage = Stage(small, hub)
        stage.read()
        mark = stage.zoho.mark()
        result = cycle.increment(hub, "zoho")
        other = cycle.increment(hub, "kingdee")

        assert len([line for line in stage.zoho.log() if "/crm/" in line["path"]]) <= 5
        assert stage.zoho.log(mark) == []
        assert "budget" in " ".join(result.problems)
        assert other.status == "done"

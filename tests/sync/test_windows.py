"""Backfill and reconciliation: reading a past month again, resumable; and everything against everything."""

from __future__ import annotations

from datetime import date

import pytest

from sync import backfilling, reconciling
from tests.oracle import writes
from tests.sync.stage import Stage


@pytest.mark.promise(1, 3)
def test_a_backfill_is_done_in_windows_that_are_not_read_twice_and_writes_nothing_for_what_is_known(live: Stage) -> None:
    wanted = {"start": date(2025, 1, 1), "end": date(2025, 3, 1), "streams": ["sales_orders", "receipts"]}
    marks = live.kingdee.mark(), live.zoho.mark()
    history = live.one("SELECT count(*) FROM history")

    first = backfilling.backfill(live.hub, "kingdee", **wanted)  # type: ignore[arg-type]
    calls = live.kingdee.mark()
    second = backfilling.backfill(live.hub, "kingdee", **wanted)  # type: ignore[arg-type]
    live.sync()

    assert first.counts["windows"] == 4
    assert first.counts["unchanged"] == first.counts["read"] > 0
    assert second.counts == {}
    assert calls > marks[0]
    assert writes(live.kingdee.log(marks[0])) == writes(live.zoho.log(marks[1])) == []
    assert live.one("SELECT count(*) FROM history") == history


@pytest.mark.promise(1)
def test_a_backfill_that_was_broken_off_goes_on_where_it_stopped(live: Stage) -> None:
    laid = backfilling.windows(live.hub, "kingdee", start=date(2025, 1, 1), end=date(2025, 7, 1), streams=["sales_orders"])
    backfilling.backfill_window(live.hub, "kingdee", laid[0])

    rest = backfilling.backfill(live.hub, "kingdee", start=date(2025, 1, 1), end=date(2025, 7, 1), streams=["sales_orders"])

    assert [row["state"] for row in laid] == ["open"] * 6
    assert rest.counts["windows"] == 5
    assert {row["state"] for row in live.rows("SELECT state FROM backfill_window")} == {"done"}


@pytest.mark.promise(8, 14)
def test_a_reconciliation_of_systems_in_step_finds_nothing_and_writes_nothing(live: Stage) -> None:
    marks = live.kingdee.mark(), live.zoho.mark()
    found = [reconciling.reconcile(live.hub, system) for system in live.hub.systems()]

    assert [one.drift for one in found] == [0, 0]
    assert all(set(one.states) == {"in_sync", "due", "in_flight", "held", "blocked", "left"} for one in found)
    assert all((report.only_there, report.only_here, report.changed) == (0, 0, 0) for one in found for report in one.streams)
    assert writes(live.kingdee.log(marks[0])) == writes(live.zoho.log(marks[1])) == []


@pytest.mark.promise(2, 4)
def test_a_reconciliation_takes_in_what_was_missed_and_says_which_field_drifts(live: Stage) -> None:
    account = live.account_of(live.customer())
    live.zoho.fault(match={"stream": "accounts"}, effect="late_row", value=36000, times=1)
    live.zoho.put("accounts", {"id": account["id"], "Account_Name": "没人看见的改动"})
    live.sync()

    found = reconciling.reconcile(live.hub, "zoho")
    after = live.account_of(live.customer())["Account_Name"]
    live.sync()

    assert found.run is not None
    assert found.run.status == "differs"
    assert found.fields == {"zoho.accounts.Account_Name": 1}
    assert after == "没人看见的改动", "a reconciliation writes nothing by itself"
    assert live.verdict().ok

"""Reading: nothing is lost, late and equal times are read, unchanged means untouched."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import psycopg
import pytest

from connectors.base import Page, Window
from sync import cycle, leases, reading, reconciling
from sync.errors import Overtaken
from sync.references import References
from sync.runs import running
from tests.oracle import writes
from tests.sync.stage import Stage, open_hub

REFUSE = """
CREATE FUNCTION fall_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the database fell over'; END $$;
CREATE TRIGGER fall_over BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION fall_over();
"""


def break_table(stage: Stage, table: str) -> None:
    """Every write to a table fails from now on, as when the server dies at that very statement."""
    with psycopg.connect(stage.hub.database_url) as connection:
        connection.execute(REFUSE.format(table=table).encode())


def mend_table(stage: Stage, table: str) -> None:
    with psycopg.connect(stage.hub.database_url) as connection:
        connection.execute(f"DROP TRIGGER fall_over ON {table}; DROP FUNCTION fall_over".encode())


def stored(stage: Stage, stream: str) -> int:
    return int(
        stage.one("SELECT count(*) FROM observed o JOIN stream s ON s.id = o.stream_id WHERE s.system = 'kingdee' AND s.name = %s", stream)
    )


@pytest.mark.promise(1)
@pytest.mark.parametrize("table", ["cursor_position", "history", "identity_key"])
def test_a_page_and_the_cursor_past_it_are_stored_together_or_not_at_all(stage: Stage, table: str) -> None:
    cycle.increment(stage.hub, "kingdee", ["organizations", "departments", "employees", "products", "price_lists"])
    break_table(stage, table)

    with pytest.raises(psycopg.errors.RaiseException):
        cycle.increment(stage.hub, "kingdee", ["customers"])

    assert stored(stage, "customers") == 0
    assert stage.rows("SELECT 1 FROM cursor_position c JOIN stream s ON s.id = c.stream_id WHERE s.name = 'customers'") == []
    mend_table(stage, table)
    assert cycle.increment(stage.hub, "kingdee", ["customers"]).status == "done"
    assert stored(stage, "customers") == len(stage.kingdee.records("customers"))


@pytest.mark.promise(1)
def test_a_cursor_that_another_worker_moved_is_not_moved_back(stage: Stage) -> None:
    cycle.increment(stage.hub, "kingdee", ["organizations"])
    state = stage.hub.streams["kingdee", "products"]
    page = next(iter(stage.hub.session("kingdee").read("products", None)))
    with running(stage.hub, "increment") as run, leases.held(stage.hub, "test") as lease:
        version = reading.take_page(stage.hub, state, page, References(stage.hub, "kingdee"), lease, run, 0)
        with stage.hub.transaction() as db:
            db.execute("UPDATE cursor_position SET version = version + 1, position = '{\"farther\": 1}' WHERE stream_id = %s", [state.id])

        with pytest.raises(Overtaken):
            reading.take_page(stage.hub, state, page, References(stage.hub, "kingdee"), lease, run, version)

    assert stage.one("SELECT position::text FROM cursor_position WHERE stream_id = %s", state.id) == '{"farther": 1}'


@pytest.mark.promise(1)
def test_a_window_that_is_read_again_leaves_the_live_cursor_where_it_is(live: Stage) -> None:
    before = live.rows("SELECT * FROM cursor_position ORDER BY stream_id")
    state = live.hub.streams["kingdee", "sales_orders"]

    with running(live.hub, "backfill") as run, leases.held(live.hub, "test") as lease:
        read = reading.read_window(live.hub, live.hub.session("kingdee"), state, Window(by="all"), lease, run)

    assert read == len(live.kingdee.records("sales_orders"))
    assert live.rows("SELECT * FROM cursor_position ORDER BY stream_id") == before


@pytest.mark.promise(2)
def test_two_edits_in_one_second_are_both_read(live: Stage) -> None:
    account = live.zoho.records("accounts")[0]
    for attempt in range(20):
        first = live.edit("zoho", "accounts", account, "Phone", f"021-1000{attempt:04d}")
        live.read()
        second = live.edit("zoho", "accounts", account, "Phone", f"021-2000{attempt:04d}")
        if first["Modified_Time"] == second["Modified_Time"]:
            break
    else:
        pytest.skip("this machine is too busy to make two edits in one second")
    live.sync()

    assert live.verdict().ok, live.verdict().summary()


@pytest.mark.promise(2)
@pytest.mark.parametrize(("system", "stream", "field"), [("kingdee", "customers", "FName"), ("zoho", "accounts", "Website")])
def test_a_row_committed_late_with_an_older_time_is_read_within_the_overlap(live: Stage, system: str, stream: str, field: str) -> None:
    doc = live.customer() if system == "kingdee" else live.zoho.records(stream)[0]
    live.sync()
    live.door(system).fault(match={"stream": stream}, effect="late_row", value=3, times=1)
    live.edit(system, stream, doc, field, "https://late.example" if system == "zoho" else "迟到提交有限公司")

    live.sync()

    assert live.verdict().ok, live.verdict().summary()


@pytest.mark.promise(2)
def test_what_comes_later_than_the_overlap_is_healed_by_reconciling(live: Stage) -> None:
    account = live.zoho.records("accounts")[0]
    live.zoho.fault(match={"stream": "accounts"}, effect="late_row", value=3600, times=1)
    live.edit("zoho", "accounts", account, "Phone", "021-99990000")
    live.sync()
    missed = live.verdict()

    found = reconciling.reconcile(live.hub, "zoho", ["accounts"])
    live.sync()

    assert [one.field for one in missed.lost] == ["Phone"]
    assert [report.changed for report in found.streams] == [1]
    assert live.verdict().ok, live.verdict().summary()


TABLES = (
    "observed",
    "link",
    "identity_key",
    "history",
    "desired",
    "conflict",
    "parties",
    "party_companies",
    "orders",
    "order_lines",
    "products",
    "shipments",
)


def written(url: str) -> dict[str, tuple[int, int, int]]:
    """Rows inserted, updated and deleted so far, by the server's own counters."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables").fetchall()
    return {name: (ins, upd, gone) for name, ins, upd, gone in found if name in TABLES}


@pytest.mark.promise(3)
def test_reading_unchanged_data_writes_no_row_version_and_calls_for_no_write(live: Stage, tmp_path: Path) -> None:
    live.sync()
    url, marks = live.hub.database_url, (live.kingdee.mark(), live.zoho.mark())
    live.hub.close()  # its counters are flushed
    before = written(url)
    with open_hub(live.pair, url, tmp_path / "home") as hub:
        for system in hub.systems():
            for state in hub.streams_of(system):
                with running(hub, "reread") as run, leases.held(hub, "test") as lease:
                    reading.read_window(hub, hub.session(system), state, Window(by="all"), lease, run)
                assert set(run.result.counts) <= {"read", "unchanged", "pages"}
        again = cycle.until_quiet(hub)
    after = written(url)

    assert set(before) == set(TABLES) & set(before)
    assert len(before) > 8
    assert after == before
    assert again.counts["unchanged"] == again.counts["read"] > 0
    assert writes(live.kingdee.log(marks[0])) == writes(live.zoho.log(marks[1])) == []


@pytest.mark.promise(3)
def test_the_echo_of_our_own_write_is_no_change(live: Stage) -> None:
    live.edit("kingdee", "customers", live.customer(), "FName", "改一次名有限公司")
    live.sync()
    marks = live.kingdee.mark(), live.zoho.mark()
    history = live.one("SELECT count(*) FROM history")

    live.sync()

    assert writes(live.kingdee.log(marks[0])) == writes(live.zoho.log(marks[1])) == []
    assert live.one("SELECT count(*) FROM history") == history


@pytest.mark.promise(1)
def test_one_failing_stream_does_not_stop_the_others(stage: Stage) -> None:
    stage.zoho.fault(match={"path": "/crm/v8/Accounts"}, effect="status", value=500)

    result = cycle.increment(stage.hub, "zoho")

    assert result.status == "failed"
    assert any("zoho.accounts" in problem for problem in result.problems)
    assert (
        stage.one("SELECT count(*) FROM observed o JOIN stream s ON s.id = o.stream_id WHERE s.system = 'zoho' AND s.name = 'products'")
        == 2
    )
    stage.zoho.calm()
    assert cycle.increment(stage.hub, "zoho").status in ("done", "set_aside")
    assert (
        stage.one("SELECT count(*) FROM observed o JOIN stream s ON s.id = o.stream_id WHERE s.system = 'zoho' AND s.name = 'accounts'")
        == 1
    )


def test_the_pages_are_fetched_ahead_and_the_reader_ends_with_its_caller() -> None:
    before = threading.active_count()
    told = [Page([], {"at": place}) for place in range(3)]
    for page in reading.ahead(iter(told)):
        assert page is told[0]
        break
    gc.collect()

    assert threading.active_count() == before

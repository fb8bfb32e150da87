"""Several workers: one per stream, in order per record, and the overtaken one commits nothing."""

from __future__ import annotations

import threading

import psycopg
import pytest

from sync import cycle, leases, reading
from sync.errors import Busy, Overtaken
from sync.hub import Hub
from sync.references import References
from sync.runs import RunResult, running
from tests.oracle import writes
from tests.sync.stage import Stage


@pytest.mark.promise(6)
def test_an_overtaken_workers_page_is_refused(stage: Stage) -> None:
    """A worker sleeps longer than its lease (a paused VM), another takes over, the first wakes in the middle of its page."""
    state = stage.hub.streams["kingdee", "organizations"]
    page = next(iter(stage.hub.session("kingdee").read("organizations", None)))
    with stage.hub.transaction() as db:
        sleeper = leases.take(db, "read:kingdee.organizations", 60)
        db.execute("UPDATE lease SET until = clock_timestamp()")
    with stage.hub.transaction() as db:
        other = leases.take(db, "read:kingdee.organizations", 60)

    with running(stage.hub, "increment") as run, pytest.raises(Overtaken):
        reading.take_page(stage.hub, state, page, References(stage.hub, "kingdee"), sleeper, run, 0)

    assert other.token > sleeper.token
    assert stage.one("SELECT count(*) FROM observed") == 0
    assert stage.one("SELECT count(*) FROM cursor_position") == 0
    with running(stage.hub, "increment") as run:
        reading.take_page(stage.hub, state, page, References(stage.hub, "kingdee"), other, run, 0)
    assert stage.one("SELECT count(*) FROM observed") == 2


@pytest.mark.promise(6)
def test_a_second_worker_finds_the_stream_taken_and_does_nothing(stage: Stage) -> None:
    with leases.held(stage.hub, "read:kingdee.organizations"):
        with pytest.raises(Busy, match="being worked on by"), leases.held(stage.hub, "read:kingdee.organizations"):
            pytest.fail("two workers hold one lease")
        result = cycle.increment(stage.hub, "kingdee", ["organizations"])

    assert result.status == "busy"
    assert stage.one("SELECT count(*) FROM observed") == 0
    assert cycle.increment(stage.hub, "kingdee", ["organizations"]).status == "done"


@pytest.mark.promise(6)
def test_a_worker_that_was_overtaken_gives_back_nothing_that_is_not_its_own(stage: Stage) -> None:
    with stage.hub.transaction() as db:
        first = leases.take(db, "x", 60)
        db.execute("UPDATE lease SET until = clock_timestamp()")
        second = leases.take(db, "x", 60)
        leases.release(db, first)

        leases.confirm(db, second)


@pytest.mark.promise(6)
def test_four_workers_at_once_make_no_more_than_one_worker_makes(stage: Stage) -> None:
    stage.read()
    from sync import planning

    plan = planning.make_plan(stage.hub)
    planning.approve(stage.hub, plan.id, "boss")
    stage.write_mode()
    planning.apply(stage.hub, plan.id, deliver_now=False)
    results: list[RunResult] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with Hub.open(stage.hub.config_path, stage.hub.database_url) as hub:
                results.append(cycle.until_quiet(hub, rounds=6))
        except BaseException as wrong:  # noqa: BLE001  told below
            failed.append(wrong)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stage.sync()

    assert failed == []
    assert len(results) == 4
    verdict = stage.verdict()
    assert verdict.ok, verdict.summary()


@pytest.mark.promise(6)
def test_of_several_edits_the_newest_is_delivered_and_none_goes_back_in_time(live: Stage) -> None:
    customer = live.customer()
    account = live.account_of(customer)
    mark = live.zoho.mark()
    for n in range(3):
        live.edit("kingdee", "customers", customer, "FADDRESS", f"创新路{n}号")
        cycle.increment(live.hub, "kingdee", ["customers"])
    live.sync()

    assert live.account_of(customer)["Billing_Street"] == "创新路2号"
    assert len([line for line in writes(live.zoho.log(mark)) if account["id"] in line["keys"]]) == 1


@pytest.mark.promise(6)
def test_what_changes_while_it_is_under_way_is_delivered_again(live: Stage) -> None:
    customer = live.customer()
    live.edit("kingdee", "customers", customer, "FADDRESS", "先改的地址1号")
    cycle.increment(live.hub, "kingdee", ["customers"])
    live.zoho.fault(match={"method": "PUT"}, effect="latency", value=2, times=1)
    live.zoho.fault(match={"method": "POST", "path": "/upsert"}, effect="latency", value=2, times=1)
    with Hub.open(live.hub.config_path, live.hub.database_url) as other:
        worker = threading.Thread(target=lambda: cycle.deliver(other, "zoho"))
        worker.start()
        live.edit("kingdee", "customers", customer, "FADDRESS", "后改的地址2号")
        cycle.increment(live.hub, "kingdee", ["customers"])
        worker.join()
    live.zoho.calm()
    live.sync()

    verdict = live.verdict()
    assert verdict.ok, verdict.summary()


@pytest.mark.promise(6)
def test_facts_about_the_outside_world_are_only_ever_added(live: Stage) -> None:
    for table in ("delivery_attempt", "delivery_receipt"):
        for statement in (f"UPDATE {table} SET key = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(psycopg.errors.RestrictViolation), live.hub.transaction() as db:
                db.execute(statement.encode())


@pytest.mark.promise(11)
def test_two_workers_at_one_instant_cannot_both_make_the_primary_record_of_one_party(live: Stage) -> None:
    """The constraint holds, not a check in code. Deal protection, which this promise is about in the end, comes with the deals' rules."""
    rows = live.rows("SELECT stream_id, org, entity_id::text AS entity_id FROM link WHERE role = 'primary' LIMIT 1")[0]
    live.one(
        "WITH gone AS (UPDATE link SET role = 'alias' WHERE role = 'primary' AND entity_id = %s RETURNING 1) SELECT count(*) FROM gone",
        rows["entity_id"],
    )
    barrier, kept = threading.Barrier(8), []

    def claim(number: int) -> None:
        with psycopg.connect(live.hub.database_url) as connection:
            barrier.wait()
            try:
                connection.execute(
                    "INSERT INTO link (stream_id, key, org, entity_id, how) VALUES (%s, %s, %s, %s, 'new')",
                    [rows["stream_id"], f"rival-{number}", rows["org"], rows["entity_id"]],
                )
                connection.commit()
                kept.append(number)
            except psycopg.errors.UniqueViolation:
                connection.rollback()

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(kept) == 1

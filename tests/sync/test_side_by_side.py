"""Large work spread over several processes: the same outcome as one process alone, and an end that is told when one of them dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ledger import postgres
from sync import cycle, delivering, leases, reading, reconciling
from sync.crew import Crew, Job, WorkerFailed
from sync.hub import Hub
from sync.uncertain import ALL, Span
from tests.oracle import writes
from tests.sync.stage import Pair, Stage, open_hub

SEEN = {
    "links": "SELECT s.system, s.name, l.key, l.how FROM link l JOIN stream s ON s.id = l.stream_id WHERE s.system <> 'hub'",
    "orders": "SELECT number, approval, doc->>'total', doc->>'shipped_quantity', doc->>'paid_amount' FROM orders ORDER BY number",
    "pairs": "SELECT s.system, s.name, d.state, d.reason, count(*) FROM desired d JOIN stream s ON s.id = d.stream_id GROUP BY 1, 2, 3, 4",
    "quarantine": "SELECT s.system, s.name, q.key, q.cause FROM quarantine q JOIN stream s ON s.id = q.stream_id ORDER BY 1, 2, 3",
    "cases": "SELECT state, evidence::text, count(*) FROM review_case GROUP BY 1, 2",
}
"""What a first load leaves, told without the ids that the hub draws."""


@pytest.fixture
def crew_of_two(small: Pair, database: str, tmp_path: Path) -> Iterator[Hub]:
    """A hub with one worker process beside this one."""
    small.reset()
    with open_hub(small, database, tmp_path / "home") as hub:
        hub.crew.size = 2
        yield hub


def test_a_first_load_by_two_processes_comes_out_as_by_one(medium: Pair, database: str, template_database: str, tmp_path: Path) -> None:
    medium.reset()
    other = postgres.with_database(database, f"{postgres.database_of(database)}_two")
    postgres.clone(other, postgres.database_of(template_database))
    try:
        found = []
        for url, size in ((database, 1), (other, 2)):
            with open_hub(medium, url, tmp_path / "home") as hub:
                hub.crew.size = size
                results = reading.increments(hub, {"kingdee": None, "zoho": None})
                cycle.retry_parked(hub)
                cycle.derive(hub)
                with hub.transaction() as db:
                    seen = {name: sorted(str(list(row.values())) for row in db.execute(query.encode())) for name, query in SEEN.items()}
                found.append(seen | {system: sorted(result.counts.items()) for system, result in results.items()})
    finally:
        postgres.drop(other)

    alone, together = found
    for name, rows in alone.items():
        assert set(rows) ^ set(together[name]) == set(), name


def test_streams_of_one_kind_of_record_are_read_in_their_order_never_at_the_same_time(crew_of_two: Hub) -> None:
    hub = crew_of_two
    states = [state for system in hub.systems() for state in hub.streams_of(system)]
    place = {state.label: number for number, state in enumerate(states)}

    spans = {job.name: span for job, span in hub.crew.work(reading.abreast(hub, states, noted))}

    assert set(spans) == set(place)
    for name in {state.entity for state in states}:
        same = sorted((state.label for state in states if state.entity == name), key=place.__getitem__)
        assert all(spans[first][1] <= spans[second][0] for first, second in pairwise(same))


def noted(_: Hub, *__: Any) -> tuple[float, float]:
    """When a job began and ended, by the machine's clock."""
    began = time.monotonic()
    time.sleep(0.02)
    return began, time.monotonic()


def test_a_large_delivery_by_two_processes_creates_each_record_once_and_makes_no_call_more(
    medium: Pair, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "MUCH", 400)
    monkeypatch.setattr(delivering, "CLAIM", 200)
    parts: list[str] = []
    work = Crew.work

    def told(crew: Crew, jobs: Sequence[Job]) -> Iterator[tuple[Job, Any]]:
        parts.extend(job.name for job in jobs if job.name.startswith("zoho.sales_orders, part"))
        return work(crew, jobs)

    monkeypatch.setattr(Crew, "work", told)
    medium.reset()
    with open_hub(medium, database, tmp_path / "home") as hub:
        hub.crew.size = 2
        stage = Stage(medium, hub)
        stage.go_live()
        judged = stage.verdict()
        state = hub.streams["zoho", "sales_orders"]
        sent = stage.one("SELECT count(*) FROM delivery_attempt WHERE stream_id = %s AND key IS NULL", state.id)

    made = [call for call in medium.zoho.log() if call["method"] == "POST" and call["path"].endswith("/Sales_Orders")]
    assert len(parts) > 2
    assert (judged.drift, judged.duplicates, judged.lost) == ([], [], [])
    assert sum(len(call["keys"]) for call in made) == sent == len(medium.zoho.records("sales_orders"))
    assert len(made) == -(-sent // 100)


def test_a_part_under_a_lease_that_another_took_over_sends_nothing(live: Stage) -> None:
    live.kingdee.put("customers", {"FCUSTID": live.customer()["FCUSTID"], "FADDRESS": "人民路1号"})
    cycle.increment(live.hub, "kingdee")
    before = live.zoho.mark()
    with live.hub.transaction() as db:
        lost = leases.take(db, "deliver:zoho.accounts", 60)
        db.execute("UPDATE lease SET until = clock_timestamp()")
    with live.hub.transaction() as db:
        leases.take(db, "deliver:zoho.accounts", 60)

    share = delivering.deliver_beside(live.hub, "zoho", "accounts", lost, 0, Span(ALL.after, ALL.to))

    assert not share.went_on
    assert share.result.status == "busy"
    assert writes(live.zoho.log(before)) == []


def test_a_reconciliation_by_two_processes_reports_every_stream(crew_of_two: Hub) -> None:
    cycle.until_quiet(crew_of_two)

    report = reconciling.reconcile(crew_of_two, "kingdee")

    assert [one.stream for one in report.streams] == [state.label for state in crew_of_two.streams_of("kingdee")]
    assert all(one.there == one.here and not one.changed for one in report.streams)


def fell(hub: Hub, place: str) -> str:
    """A job that ends its process, unless that is this one."""
    if hub.crew.size == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return place


def test_a_worker_process_that_is_killed_fails_the_run_and_says_so(crew_of_two: Hub) -> None:
    jobs = [Job("here", fell, ("here",)), Job("there", fell, ("there",))]

    with pytest.raises(WorkerFailed, match="ended while it did"):
        list(crew_of_two.crew.work(jobs))


def refused(hub: Hub) -> None:
    """A job that fails wherever it is not done by this process."""
    if hub.crew.size == 1:
        raise ValueError("一条记录有误")


def test_what_a_worker_process_could_not_do_is_told_in_its_words(crew_of_two: Hub) -> None:
    with pytest.raises(WorkerFailed, match="一条记录有误"):
        list(crew_of_two.crew.work([Job("one", refused), Job("two", refused)]))


def test_worker_processes_end_with_the_hub(small: Pair, database: str, tmp_path: Path) -> None:
    with open_hub(small, database, tmp_path / "home") as hub:
        hub.crew.size = 2
        pids = {answer for _, answer in hub.crew.work([Job(str(number), process_of) for number in range(6)])}

    gone = pids - {os.getpid()}
    assert gone
    assert not any(Path(f"/proc/{pid}").exists() for pid in gone)


def process_of(_: Hub) -> int:
    """The process that does the job."""
    time.sleep(0.3)
    return os.getpid()

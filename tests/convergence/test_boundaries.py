"""One small scenario, killed at every border in turn: a vendor call about to be sent, one answered, a commit about to be sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync import modes, planning
from tests.convergence import paying
from tests.convergence.nemesis import Cluster, Workers, config_of, drain, time_passes
from tests.oracle import extravagance, writes
from tests.oracle.economy import record_reads
from tests.sync.stage import BOSS, Pair, Stage, open_hub

SAMPLE = 15
KINDS = {f"{call} {when}" for call in ("read", "write", "memo read", "memo write") for when in ("about to be sent", "answered")}
COMMITS = {"commit about to be sent", "money commit about to be sent"}
READS = 2
"""Record reads outside overlap pages that a changed record may cost, for each target."""


@dataclass
class Scenario:
    """Everything read, planned and approved, nothing written: two partners, three orders, an accepted quote, all steps to come.

    Two rebate programmes are published, and nothing is accrued, settled or paid.
    """

    pair: Pair
    server: Cluster
    workers: Workers
    home: Path
    approved: str
    undisturbed: str = ""
    """The database of the run without trouble."""

    def fresh(self) -> str:
        """The start of the scenario, once more."""
        self.pair.reset()
        return self.server.copy(self.approved)

    def run(self, url: str, kill_at: int) -> None:
        """One worker, killed where it is said."""
        self.workers.start(config_of(self.pair, self.home), url, kill_at=kill_at)
        assert self.workers.wait(120), "the worker does not come to an end"


@pytest.fixture(scope="module")
def scenario(pair: Pair, server: Cluster, workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    home = tmp_path_factory.mktemp("boundaries")
    pair.reset()
    url = server.copy()
    with open_hub(pair, url, home) as hub:
        Stage(pair, hub).read()
        plan = planning.make_plan(hub)
        planning.approve(hub, plan.id, BOSS)
        for state in hub.streams.values():
            if state.flow.mode == "plan":
                modes.set_mode(hub, "write", BOSS, entity=state.entity, system=state.system)
        planning.apply(hub, plan.id, deliver_now=False)
        paying.agree(hub)
    return Scenario(pair, server, workers, home, url.rpartition("/")[2])


@pytest.fixture(scope="module")
def events(scenario: Scenario) -> list[str]:
    """The borders of the scenario in order, without trouble."""
    url = scenario.undisturbed = scenario.fresh()
    scenario.run(url, kill_at=0)
    told = scenario.workers.events()
    assert set(told) == KINDS | COMMITS, "some borders are not watched"
    return told


@pytest.mark.promise(3, 5)
def test_without_faults_each_step_is_taken_once(scenario: Scenario, events: list[str]) -> None:
    """`events` ran the scenario undisturbed: its calls stand in the logs."""
    logs = {"kingdee": scenario.pair.kingdee.log(), "zoho": scenario.pair.zoho.log()}
    marks = {name: len(log) for name, log in logs.items()}
    for log in logs.values():
        assert extravagance(log) == []
        assert {key: count for key, count in record_reads(log).items() if count > READS} == {}
        assert writes(log)
    with open_hub(scenario.pair, scenario.undisturbed, scenario.home) as hub:
        assert wrong_by_judges(Stage(scenario.pair, hub)) == []

    url = scenario.server.copy(scenario.approved)  # the hub has forgotten everything since; the systems have not
    stage, verdict = drain(scenario.pair, url, scenario.home)

    assert verdict.ok, verdict.summary()
    late = writes(scenario.pair.kingdee.log(marks["kingdee"])) + writes(scenario.pair.zoho.log(marks["zoho"]))
    assert [line for line in late if line["created"]] == []
    assert wrong_by_judges(stage) == []  # what it pays again, the ERP has booked already
    mark = scenario.pair.kingdee.mark(), scenario.pair.zoho.mark()
    stage.sync()
    assert writes(scenario.pair.kingdee.log(mark[0])) == writes(scenario.pair.zoho.log(mark[1])) == []
    stage.hub.close()
    print(f"\nboundaries: N = {len(events)}: {dict(Counter(events))}")  # noqa: T201  the figure of the bar


def killed(scenario: Scenario, at: int) -> str:
    """What is wrong after a worker was killed at its N-th border and another finished its work; empty when nothing is."""
    url = scenario.fresh()
    scenario.run(url, kill_at=at)
    time_passes(url)
    stage, verdict = drain(scenario.pair, url, scenario.home)
    drift = stage.rows("SELECT state, reason, detail FROM desired WHERE state NOT IN ('in_sync', 'left')")
    wrong = wrong_by_judges(stage)
    stage.hub.close()
    return "" if verdict.ok and not drift and not wrong else f"killed at {at}: {verdict.summary()} {drift} {wrong}"


def wrong_by_judges(stage: Stage) -> list[str]:
    """What the judges of money and prices have against it."""
    assert paying.paid(stage), "nothing is paid"
    return [str(one) for one in (*paying.wrong_money(stage), *paying.wrong_prices(stage, {}))]


@pytest.mark.promise(1, 5, 6)
@pytest.mark.parametrize("part", range(SAMPLE))
def test_a_worker_killed_at_a_border_is_made_good_by_the_next(scenario: Scenario, events: list[str], part: int) -> None:
    """A third of the sample lies at writes, a third at what settles, pays and books memos, the last is spread over all borders."""
    among = ("write", ("money", "memo"), "")[part % 3]
    borders = [place for place, what in enumerate(events, 1) if what.startswith(among)]

    assert killed(scenario, borders[part * (len(borders) - 1) // (SAMPLE - 1)]) == ""


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.promise(1, 5, 6)
def test_a_worker_killed_at_every_border_in_turn_is_made_good_by_the_next(scenario: Scenario, events: list[str]) -> None:
    wrong = [found for at in range(1, len(events) + 1) if (found := killed(scenario, at))]

    print(f"\nkilled at each of N = {len(events)} boundaries")  # noqa: T201  the figure of the bar
    assert wrong == []

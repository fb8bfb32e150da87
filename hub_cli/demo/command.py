"""`hub demo`: the story's stage: servers up, story told, oracle asked, everything down again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub_cli.answers import Answer, answers, tell, told_of
from hub_cli.exits import Exit
from hub_cli.listing import Words
from hub_cli.place import Place

if TYPE_CHECKING:
    from hub_cli.demo.telling import Teller
    from hub_cli.stack import Stack
    from sandbox.world import World
    from sync.hub import Hub

ROOT = Path(__file__).parents[2]
ORACLE = ROOT / "tests" / "oracle"
MOST_WORKERS = 4


@click.group(cls=Words, invoke_without_command=True)
@click.option("--in-process", is_flag=True, help="Without Airflow: every run in this process.")
@click.option(
    "--ledger",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A real ledger (UCI Online Retail CSV) in place of the history.",
)
@click.option("--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Write the outcome there as one JSON document.")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, another history.")
@click.option(
    "--size", type=click.Choice(["medium", "demo"]), default="demo", show_default=True, help="medium: 1,000 orders, for a quick look."
)
@click.pass_context
def demo(context: click.Context, in_process: bool, ledger: Path | None, report: Path | None, seed: int, size: str) -> None:  # noqa: FBT001  click's way
    """Tell the whole story: Kingdee, Zoho, the hub and Airflow, from nothing to drift 0.

    Everything runs on this machine, on free loopback ports, in a home of its own (HOME/demo), and is stopped at the end.
    """
    if context.invoked_subcommand is not None:
        return
    place: Place = context.obj
    try:
        outcome = play(place, in_process=in_process or ledger is not None, ledger=ledger, seed=seed, size=size)
    except Exception as error:  # the edge of a command: told once, here
        if os.environ.get("HUB_DEBUG"):
            raise
        _report(report, {"ok": False, "error": told_of(error)})
        sys.exit(tell(error))
    _report(report, outcome)
    sys.exit(Exit.DONE if outcome["ok"] else Exit.FAILED)


def _report(file: Path | None, outcome: Mapping[str, Any]) -> None:
    if file is not None:
        file.write_text(json.dumps(outcome, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


@demo.command("break")
@click.argument("system", type=click.Choice(["kingdee", "zoho"]))
@click.pass_obj
@answers
def break_(place: Place, system: str) -> Answer:
    """Make trouble in a stand-in that `hub up` runs, to look at and to mend."""
    from hub_cli.demo.trouble import make_trouble

    told = make_trouble(place.home, system)
    return Answer({"system": system, "told": told}, text=told)


def play(place: Place, *, in_process: bool, ledger: Path | None, seed: int, size: str) -> dict[str, Any]:
    """Put everything up, tell the story, judge, take everything down. Gives the outcome as it is reported."""
    from hub_cli.demo.telling import Teller
    from hub_cli.logs import configure
    from hub_cli.stack import Stack
    from ledger import postgres

    configure()
    began = time.monotonic()
    teller = Teller()
    home = place.home / "demo"
    postgres.remove(home / "postgres")  # it is elsewhere when root's home is private
    shutil.rmtree(home, ignore_errors=True)
    stack = Stack(home)
    try:
        return _play(stack, teller, began, in_process=in_process, ledger=ledger, seed=seed, size=size)
    finally:
        with teller.waiting("stopping everything"):
            left = stack.stop()
        if left:
            teller.say(f"could not be stopped: {left}", "red")


def _play(stack: Stack, teller: Teller, began: float, *, in_process: bool, ledger: Path | None, seed: int, size: str) -> dict[str, Any]:
    from hub_cli.demo.doors import Door
    from hub_cli.demo.engine import ByAirflow, InProcess, StoryFailed
    from hub_cli.demo.story import Story
    from hub_cli.logs import configure
    from sync import valuing
    from sync.hub import Hub

    world = _stage(stack, teller, in_process=in_process, ledger=ledger, seed=seed, size=size)
    from hub_cli.trial import value_rows

    told: StoryFailed | None = None
    judging: _Beside | None = None
    kingdee, zoho = Door(stack.systems["kingdee"]["url"]), Door(stack.systems["zoho"]["url"])
    counts = world.counts()
    filling = _Beside(lambda: [door.pour(world.data.get(name, {})) for name, door in (("zoho", zoho), ("kingdee", kingdee))])
    with Hub.open(stack.config, stack.database_url) as hub:
        hub.crew.prepare = configure
        valuing.apply_rows(hub, value_rows(world), "demo: clerk")
        hub.streams  # noqa: B018  compiled while the stand-ins take their records in
        hub.crew.muster()
        with teller.waiting("Kingdee and Zoho CRM take their records in"):
            filling.join()
        engine = ByAirflow(stack.airflow, teller) if stack.airflow is not None else InProcess(hub)
        story = Story(hub, kingdee, zoho, world.truth, counts, engine, teller)
        try:
            if ledger is not None:
                from hub_cli.demo.wholesale import tell_ledger

                tell_ledger(story)
            else:
                for chapter in (
                    story.begin,
                    story.first_load,
                    story.quote_becomes_order,
                    story.ship_and_pay,
                    story.both_edit,
                    story.trouble,
                    story.mend,
                    story.repair,
                ):
                    chapter()
                judging = _Beside(lambda: _judge(stack, hub))  # both only look
                story.ten_partners()
        except StoryFailed as failed:
            told = failed
            teller.say(str(failed), "bold red")
        judging = judging or _Beside(lambda: _judge(stack, hub))
        with teller.waiting("the oracle compares both systems by its own reckoning"):
            verdict = judging.join()
        outcome = _outcome(stack, hub, verdict, teller, began, told=told is None, doors={"kingdee": kingdee, "zoho": zoho})
        if isinstance(engine, ByAirflow):
            outcome["airflow_task_instances"] = engine.tasks
    _last_lines(teller, outcome, verdict)
    return outcome


def _stage(stack: Stack, teller: Teller, *, in_process: bool, ledger: Path | None, seed: int, size: str) -> World:
    """Servers up, still empty, and the world made, at the same time as far as two cores allow."""
    from hub_cli.trial import write_trial
    from sandbox.world import SIZES, make_world, save_truth

    write_trial(stack.home, {})  # Airflow reads it before the stand-ins' secrets are there
    database = _Beside(stack.start_database)  # it waits for the disk while the world is made
    servers = _Beside(lambda: stack.start_sandboxes(seed=seed, keep_data=False))
    airflow = None
    if not in_process:
        with teller.waiting("PostgreSQL"):
            database.join()
        airflow = _Beside(lambda: stack.start_airflow(paused=True, parallelism=2))
    with teller.waiting("a history of three years" if ledger is None else f"the ledger {ledger.name}"):
        if ledger is None:
            world = make_world(seed, SIZES[size])
        else:
            from sandbox.world.retail import world_from_ledger

            world = world_from_ledger(ledger)
        save_truth(world, stack.home / "truth.json")
    _suit(stack.config, str(world.truth["since"]))
    with teller.waiting("PostgreSQL, stand-ins for Kingdee and Zoho CRM"):
        servers.join()
        database.join()
    if airflow is not None:
        with teller.waiting("Airflow: API server, scheduler, DAG processor"):
            _wait_for(airflow)
    return world


def _wait_for(airflow: _Beside) -> None:
    """Until Airflow is up. Raises: AirflowFailed, with the log to read and the way without Airflow."""
    from hub_cli.airflow import AirflowFailed

    try:
        airflow.join()
    except AirflowFailed as failed:
        raise AirflowFailed(failed.what, f"{failed.next_step}; to see the story without Airflow: `hub demo --in-process`") from failed


def _suit(config: Path, since: str) -> None:
    """Documents of the history's last months go to Zoho; a ledger of 2010 has other months. As many workers as this machine has cores.

    In the second that each increment reads again there are a thousand records where the hub has just written twenty thousand.
    """
    text = re.sub(r"(since|go_live): \d{4}-\d\d-\d\d", rf"\1: {since}", config.read_text(encoding="utf-8"))
    text = re.sub(r"overlap_s: \d+", "overlap_s: 1", text)
    config.write_text(f"{text}\nworkers: {min(len(os.sched_getaffinity(0)), MOST_WORKERS)}\n", encoding="utf-8")


class _Beside:
    """Something that goes on beside the rest; its error is raised where it is waited for."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._error: BaseException | None = None
        self._result: Any = None

        def run() -> None:
            try:
                self._result = work()
            except BaseException as wrong:  # noqa: BLE001  raised in join
                self._error = wrong

        self._thread = threading.Thread(target=run, name="beside")
        self._thread.start()

    def join(self) -> Any:
        """Wait until it is done; what it came to."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result


def _judge(stack: Stack, hub: Hub) -> dict[str, Any]:
    """Ask the oracle, which shares no code with the hub, in a process of its own; without a checkout the hub's own figures stand."""
    from hub_cli.demo.engine import StoryFailed

    if not ORACLE.exists():
        return {
            "ok": True,
            "drift": 0,
            "duplicates": 0,
            "lost": 0,
            "counts": {},
            "findings": ["the oracle is part of the source tree, and was not asked"],
            "held_pairs": [],
        }
    command = [sys.executable, "-m", "tests.oracle", "--late-values"]
    command += ["--kingdee", stack.systems["kingdee"]["url"], "--zoho", stack.systems["zoho"]["url"]]
    truth = stack.home / "truth.json"
    since = next((part.since for flow in hub.config.flows.values() for part in flow.systems.values() if part.since), None)
    command += ["--truth", str(truth)] if truth.exists() else []
    command += ["--since", since.isoformat()] if since else []
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    if ran.returncode not in (0, 1):
        raise StoryFailed(f"the oracle failed: {ran.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def _outcome(
    stack: Stack,
    hub: Hub,
    verdict: Mapping[str, Any],
    teller: Teller,
    began: float,
    *,
    told: bool,
    doors: Mapping[str, Any],
) -> dict[str, Any]:
    from sync import cases, inspecting

    states, _ = inspecting.pair_states(hub)
    open_cases = cases.list_cases(hub, limit=500)
    moving = states["due"] + states["in_flight"] + states["blocked"]
    with hub.transaction() as db:
        db.execute(
            "SELECT (SELECT count(*) FROM parties WHERE NOT retired) AS partners, (SELECT count(*) FROM orders) AS orders, "
            "(SELECT count(*) FROM receipts) AS payments"
        )
        counts = db.fetchone() or {}
    drift = int(verdict["drift"]) + moving
    return {
        "ok": told and bool(verdict["ok"]) and drift == 0,
        "drift": drift,
        "duplicates": verdict["duplicates"],
        "lost": verdict["lost"],
        "held": len(open_cases),
        "held_pairs": [f"{case['left'].get('name')} = {case['right'].get('name')}? ({'; '.join(case['evidence'])})" for case in open_cases],
        "held_behind_them": states["held"],
        "partners": counts["partners"],
        "orders": counts["orders"],
        "payments": counts["payments"],
        "api_calls": {name: len(door.log()) for name, door in doors.items()},
        "cpu_seconds": round(_cpu(stack), 1),
        "seconds": {**teller.seconds, "all": round(time.monotonic() - began, 1)},
        "findings": verdict["findings"],
        "compared": verdict["counts"],
    }


def _cpu(stack: Stack) -> float:
    from hub_cli.demo.processes import cpu_seconds

    server = stack.database_process  # nobody's child; None for a given database, which is somebody else's
    roots = [os.getpid()] + ([server] if server else [])
    return cpu_seconds(roots)


def _last_lines(teller: Teller, outcome: Mapping[str, Any], verdict: Mapping[str, Any]) -> None:
    console = teller.console
    for finding in verdict["findings"]:
        teller.say(finding, "red")
    console.print()
    for pair in outcome["held_pairs"]:
        teller.say(f"held for a person: {pair}")
    compared = ", ".join(f"{number} {name}" for name, number in verdict["counts"].items() if number)
    teller.say(f"The oracle compared {compared or 'nothing'}.", "dim")
    calls = ", ".join(f"{name} {number}" for name, number in outcome["api_calls"].items())
    teller.say(f"{outcome['seconds']['all']:.0f} s, {outcome['cpu_seconds']:.0f} CPU seconds over all processes; API calls: {calls}", "dim")
    style = "bold green" if outcome["ok"] else "bold red"
    teller.say(f"drift {outcome['drift']}, duplicates {outcome['duplicates']}, lost {outcome['lost']}, held {outcome['held']}", style)

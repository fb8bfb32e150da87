"""Verbs that move records: sync, deliver, backfill, reconcile, replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import click

from hub_cli.answers import Answer, answers, of_run, plain, told_once
from hub_cli.exits import OF_RUN, Exit
from hub_cli.place import Place

STREAMS = click.option("--stream", "streams", multiple=True, help="Only this stream; may stand several times.")


@click.command()
@click.argument("system", required=False)
@STREAMS
@click.option("--until-quiet", is_flag=True, help="Increments and deliveries of all systems until nothing is due.")
@click.option(
    "--rounds", type=click.IntRange(1, 1000), default=50, show_default=True, help="With --until-quiet: give up after this many rounds."
)
@click.pass_obj
@answers
def sync(place: Place, system: str | None, streams: tuple[str, ...], until_quiet: bool, rounds: int) -> Answer:  # noqa: FBT001  click's way
    """Read what is new from SYSTEM (all systems when none is named) and decide; with --until-quiet also deliver, until nothing is due."""
    from sync import cycle

    if until_quiet and (system or streams):
        raise click.UsageError("--until-quiet works on all systems: leave SYSTEM and --stream out")
    with place.open_hub() as hub:
        if until_quiet:
            with _progress("sync") as told:
                return of_run(cycle.until_quiet(hub, rounds=rounds, progress=told))
        if system:
            hub.connector(system)
        result = None
        for name in [system] if system else hub.systems():
            one = cycle.increment(hub, name, list(streams) or None)
            if result is None:
                result = one
            else:
                result.add(one)
        return of_run(result)


@click.command()
@click.argument("system")
@STREAMS
@click.option("--limit", type=click.IntRange(1), help="At most so many records.")
@click.pass_obj
@answers
def deliver(place: Place, system: str, streams: tuple[str, ...], limit: int | None) -> Answer:
    """Write what is due into SYSTEM, within its mode and budget."""
    from sync import delivering

    with place.open_hub() as hub:
        hub.connector(system)  # refuses a system that there is not
        return of_run(delivering.deliver(hub, system, list(streams) or None, limit=limit))


DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("system")
@click.option("--from", "start", type=DAY, required=True, help="First day, in the business zone.")
@click.option("--to", "end", type=DAY, required=True, help="The day after the last.")
@STREAMS
@click.option("--org", default="", help="Only this organisation.")
@click.pass_obj
@answers
def backfill(place: Place, system: str, start: datetime, end: datetime, streams: tuple[str, ...], org: str) -> Answer:
    """Read a past window of SYSTEM again; resumable, beside live increments and with its own share of the budget."""
    from sync import backfilling

    if end <= start:
        raise click.BadParameter("it is not after --from (the day itself is not included)", param_hint="--to")
    with place.open_hub() as hub:
        hub.connector(system)
        return of_run(backfilling.backfill(hub, system, start=start.date(), end=end.date(), streams=list(streams) or None, org=org))


@click.command()
@click.argument("system", required=False)
@STREAMS
@click.option("--believe-gone", is_flag=True, help="What the listing lacks is gone, however much; with SYSTEM and --stream only.")
@click.pass_obj
@answers
def reconcile(place: Place, system: str | None, streams: tuple[str, ...], believe_gone: bool) -> Answer:  # noqa: FBT001  click's way
    """Compare SYSTEM (or all) with the hub by complete listings: what is only there, only here, or different; a plan when something is.

    Exit code 3 when something differs, 4 when so much is gone that a person must look, 1 when a stream could not be read.
    """
    from sync import reconciling

    if believe_gone and not (system and streams):
        raise click.UsageError("--believe-gone takes back a guard against mass deletes: name the SYSTEM and each --stream it is for")
    with place.open_hub() as hub:
        if system:
            hub.connector(system)
        reports = [
            plain(reconciling.reconcile(hub, name, list(streams) or None, believe_gone=believe_gone))
            for name in ([system] if system else hub.systems())
        ]
    differs = any(report.get("plan") or report.get("drift") for report in reports)
    text = "\n".join(_compared(report) for report in reports)
    return Answer(reports[0] if system else {"systems": reports}, _end_of(reports, differs=differs), text)


@click.command()
@click.argument("system", required=False)
@STREAMS
@click.pass_obj
@answers
def replay(place: Place, system: str | None, streams: tuple[str, ...]) -> Answer:
    """Map, merge and judge again what SYSTEM (or all) told, as hub.yaml and the mappings say now. Calls no system, writes into none.

    What follows is due, or held for a plan where the flow is in mode plan.
    """
    from sync import replaying

    if streams and not system:
        raise click.UsageError("--stream is one of a SYSTEM: name it too")
    with place.open_hub() as hub:
        if system:
            hub.connector(system)
        return of_run(replaying.replay(hub, system, list(streams) or None))


def _end_of(reports: Sequence[dict[str, Any]], *, differs: bool) -> Exit:
    """The worst of what was found, for the exit code."""
    ends = {OF_RUN.get(str((report.get("run") or {}).get("status")), Exit.FAILED) for report in reports}
    if Exit.FAILED in ends:
        return Exit.FAILED
    if any(stream["guarded"] for report in reports for stream in report["streams"]):
        return Exit.SET_ASIDE
    if differs:
        return Exit.DIFFERS
    return next((end for end in (Exit.SET_ASIDE, Exit.BUSY) if end in ends), Exit.DONE)


def _compared(report: dict[str, Any]) -> str:
    columns = ("there", "here", "only_there", "changed", "only_here")
    lines = [f"{report['system']:<28}" + "".join(f"{name.replace('_', ' '):>12}" for name in columns)]
    for one in report["streams"]:
        guarded = "  nothing counts as deleted: too many are gone" if one["guarded"] else ""
        lines.append(f"  {one['stream']:<26}" + "".join(f"{one[name]:>12}" for name in columns) + guarded)
    lines.append(f"  drift {report['drift']}: " + " · ".join(f"{name} {number}" for name, number in report["states"].items()))
    lines += [f"  {field:<26} differs in {number}" for field, number in report["fields"].items()]
    lines += [f"  ! {problem}" for problem in told_once((report.get("run") or {}).get("problems", []))]
    if report.get("plan"):
        lines.append(f"  Next: `hub plan show {report['plan']['id']}`")
    return "\n".join(lines)


def _progress(title: str) -> AbstractContextManager[Callable[..., Any] | None]:
    """A line on a terminal that says what is being done; nothing elsewhere."""
    import sys

    if not sys.stderr.isatty():
        return nullcontext(None)
    from hub_cli.progress import line

    return line(title)

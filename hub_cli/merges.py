"""`hub merges`: which canonical records became one, and taking a merge back."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from hub_cli.answers import Answer, answers, plain
from hub_cli.exits import Exit
from hub_cli.listing import Lists
from hub_cli.look import AFTER, LIMIT
from hub_cli.place import Place, who
from hub_cli.progress import Progress

if TYPE_CHECKING:
    from sync.proposing import Proposal


@click.group(cls=Lists)
def merges() -> None:
    """Records that became one: list, undo, propose, proposal, apart. Without a word: list."""


@merges.command("list")
@click.option("--entity", help="Only this kind of record, e.g. party.")
@click.option("--record", type=click.UUID, metavar="ID", help="Only merges of this record.")
@AFTER
@LIMIT
@click.pass_obj
@answers
def list_merges(place: Place, entity: str | None, record: UUID | None, after: int, limit: int) -> Answer:
    """The merges with the pairs that caused them, oldest first."""
    from sync import merging

    with place.open_hub() as hub:
        rows = plain(merging.list_merges(hub, entity=entity, entity_id=str(record) if record else None, after=after, limit=limit))
    return Answer(rows, text="\n".join(_merge(one) for one in rows) or "nothing was merged")


def _merge(one: dict[str, Any]) -> str:
    undone = f"  undone {one['undone_at'][:10]} by {one['undone_by']}" if one["undone_at"] else ""
    return f"{one['id']:>6}  {one['entity']:<8}{one['drop_id']} went into {one['keep_id']}  {one['at'][:10]}  {one['cause']}{undone}"


@merges.command()
@click.option("--entity", help="Only this kind of record, e.g. party.")
@LIMIT
@click.pass_obj
@answers
def apart(place: Place, entity: str | None, limit: int) -> Answer:
    """Pairs of records that a person has told apart, or un-merged: never taken for one again. Newest first."""
    from hub_api.deals_lists import APART
    from hub_api.lists import page

    with place.open_hub() as hub, hub.transaction() as db:
        rows = plain(page(db, APART, {"entity": entity}, after=None, limit=limit)[:limit])
    return Answer(
        rows, columns=("id", "entity", "left_id", "right_id", "decided_at", "decided_by", "reason"), empty="nothing is kept apart"
    )


@merges.command()
@click.argument("merge", type=int)
@click.option("--reason", default="", help="For those who look at it later.")
@click.pass_obj
@answers
def undo(place: Place, merge: int, reason: str) -> Answer:
    """Take a merge back: each record is computed from its own sources, and the two are kept apart for ever.

    Registrations that the merge had refused or ended are judged again. Exit code 3 when somebody edited a record since: it is listed with
    the fields that are not what they were; 4 when a person has to look at a registration.
    """
    from sync import deal_notices, merging

    with place.open_hub() as hub:
        done = plain(merging.unmerge(hub, merge, who(), reason))
        deal_notices.tell(hub)
    lines = [f"{done['back']} is there again beside {done['keep']}; {len(done['restored'])} records are what they were"]
    lines += [f"  edited since: {one.get('entity', done['entity'])} {one['id']}" for one in done["edited"]]
    lines += [f"  judged again: registration {one['registration']} was {one['was']}, is {one['now']}" for one in done["judged"]]
    lines += [f"  look at registration {one['registration']}: {one['why']}" for one in done["to_check"]]
    exits = Exit.DIFFERS if done["edited"] else Exit.SET_ASIDE if done["to_check"] else Exit.DONE
    return Answer(done, exits, "\n".join(lines))


@merges.command()
@click.option("--merge-sure", is_flag=True, help="Also join what is sure: the same valid code, and at least 1,000 to 1.")
@click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True, help="What computes it.")
@click.option("--background", is_flag=True, help="Begin it and go on; `hub merges proposal` tells how it goes.")
@click.option("--begun", type=int, hidden=True, help="The run that was put on record for this process.")
@click.pass_obj
@answers
def propose(place: Place, merge_sure: bool, engine: str, background: bool, begun: int | None) -> Answer:  # noqa: FBT001  click's way
    """Resolve all parties of all systems into firms: what is likely one becomes a case. One run at a time.

    Exit code 4 when people are asked something new, 5 while another run is on its way.
    """
    from sync import proposing

    with place.open_hub() as hub:
        if background:
            number = proposing.new(hub, by=who(), merge_sure=merge_sure, engine=engine)
            _go_on(place, ["--begun", str(number), "--engine", engine, *(["--merge-sure"] if merge_sure else [])])
        else:
            with Progress(*proposing.STEPS) as told:
                run = proposing.work(hub, by=who(), merge_sure=merge_sure, engine=engine, begun=begun, told=told.tell)
            number = run.run_id
        return _proposal(proposing.shown(hub, number))


def _go_on(place: Place, options: list[str]) -> None:
    """The same command as a process of its own; it holds our own database server, if the hub is there, for as long as it needs it."""
    given = ["--home", str(place.home), *(["--config", str(place.config)] if place.config else [])]
    subprocess.Popen(
        [sys.executable, "-m", "hub_cli.main", *given, "merges", "propose", *options],
        env={**os.environ, **({"HUB_DATABASE_URL": place.database} if place.database else {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # what went wrong stands in the run
        start_new_session=True,
    )


@merges.command()
@click.argument("run", type=int, required=False)
@click.pass_obj
@answers
def proposal(place: Place, run: int | None) -> Answer:
    """How a run of `propose` goes, or what it found; the newest where none is named. Exit code 1 for one that failed."""
    from sync import proposing

    with place.open_hub() as hub:
        return _proposal(proposing.shown(hub, run))


def _proposal(one: Proposal) -> Answer:
    if one.status == "running":
        return Answer(one.as_dict(), text=f"run {one.run} is on its way: {one.step} (hub merges proposal {one.run})")
    if one.found is None:
        return Answer(one.as_dict(), Exit.FAILED, f"run {one.run} failed: {one.error}")
    told = "{parties} parties, {clusters} firms with more than one of them: {merged} merged, {cases} new cases, {known} asked before"
    if one.found["waiting"]:
        told += "; {waiting} more are asked about when these are answered"
    return Answer(one.as_dict(), Exit.SET_ASIDE if one.found["cases"] else Exit.DONE, told.format(**one.found))

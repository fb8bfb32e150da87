"""Verbs of plans: what would change, approved by a person, then applied."""

from __future__ import annotations

from typing import Any

import click

from hub_cli.answers import Answer, answers, changes, moment, of_run, plain
from hub_cli.exits import Exit
from hub_cli.listing import Lists
from hub_cli.place import Place, who


@click.group(cls=Lists)
def plan() -> None:
    """Show what would change before it does: make, list, show, approve, reject. Without a word: list."""


@plan.command("make")
@click.option("--kind", default="first_load", show_default=True, help="What for.")
@click.option("--system", "systems", multiple=True, help="Only changes in this system.")
@click.option("--entity", "entities", multiple=True, help="Only this kind of record.")
@click.pass_obj
@answers
def make(place: Place, kind: str, systems: tuple[str, ...], entities: tuple[str, ...]) -> Answer:
    """Make a plan of everything that is due. Exit code 3 when it has changes."""
    from sync import planning

    with place.open_hub() as hub:
        made = plain(planning.make_plan(hub, kind=kind, systems=list(systems) or None, entities=list(entities) or None))
    return Answer(made, Exit.DIFFERS if made["summary"] else Exit.DONE, _plan(made))


def _plan(one: dict[str, Any]) -> str:
    lines = [f"plan {one['id']} ({one['kind']}): {one['state']}, valid until {moment(one['expires_at'])}"]
    lines += [f"  {'':<28}{'create':>8}{'change':>8}  fields changed"] if one["summary"] else ["  nothing would change"]
    for stream, part in one["summary"].items():
        fields = ", ".join(f"{name} {number}" for name, number in sorted(part["fields"].items(), key=lambda pair: -pair[1]))
        lines.append(f"  {stream:<28}{part['create']:>8}{part['update']:>8}  {fields}")
    if one["state"] == "open" and one["summary"]:
        lines.append(f"  Next: `hub plan show {one['id']}`, then `hub plan approve {one['id']}` and `hub apply {one['id']}`")
    return "\n".join(lines)


@plan.command("list")
@click.option("--state", help="Only plans of this state.")
@click.pass_obj
@answers
def listing(place: Place, state: str | None) -> Answer:
    """The plans, newest first."""
    from sync import planning

    with place.open_hub() as hub:
        found = plain(planning.list_plans(hub, state=state))
    return Answer(found, text="\n".join(_plan(one) for one in found) or "no plans")


@plan.command()
@click.argument("plan_id", type=int, metavar="PLAN")
@click.option("--system", help="Only rows of this system.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many rows at most.")
@click.option("--after", type=int, default=0, help="Go on after this row.")
@click.pass_obj
@answers
def show(place: Place, plan_id: int, system: str | None, limit: int, after: int) -> Answer:
    """A plan and its rows: creates, and changes field by field."""
    from sync import planning
    from sync.naming import called

    with place.open_hub() as hub:
        head = plain(planning.get_plan(hub, plan_id))
        rows = plain(planning.plan_rows(hub, plan_id, after=after, limit=limit, system=system))
        with hub.transaction() as db:
            names = called(db, [(one["entity"], one["entity_id"]) for one in rows])
    rows = [{**one, "called": names.get(one["entity_id"], "")} for one in rows]
    return Answer({**head, "shown": rows}, text=_plan(head) + "\n" + "\n".join(_row(one) for one in rows))


def _row(one: dict[str, Any]) -> str:
    where = f"{one['system']}.{one['stream']}" + (f" of {one['org']}" if one["org"] else "")
    came = f": {one['outcome']}" if one["outcome"] else ""
    return "\n".join([f"  {one['action']} {one['entity']} {one['called'] or one['entity_id']} in {where}{came}", *changes(one["changes"])])


@plan.command()
@click.argument("plan_id", type=int, metavar="PLAN")
@click.pass_obj
@answers
def approve(place: Place, plan_id: int) -> Answer:
    """Approve a plan, so that it may be applied."""
    from sync import planning

    with place.open_hub() as hub:
        done = plain(planning.approve(hub, plan_id, who()))
    return Answer(done, text=_plan(done))


@plan.command()
@click.argument("plan_id", type=int, metavar="PLAN")
@click.option("--reason", default="", help="For those who asked.")
@click.pass_obj
@answers
def reject(place: Place, plan_id: int, reason: str) -> Answer:
    """Reject a plan; it can never be applied."""
    from sync import planning

    with place.open_hub() as hub:
        done = plain(planning.reject(hub, plan_id, who(), reason))
    return Answer(done, text=_plan(done))


@click.command()
@click.argument("plan_id", type=int, metavar="PLAN")
@click.option("--no-deliver", is_flag=True, help="Release its rows and leave the writing to the next delivery.")
@click.pass_obj
@answers
def apply(place: Place, plan_id: int, no_deliver: bool) -> Answer:  # noqa: FBT001  click's way
    """Apply an approved plan; rows that have moved since are skipped and reported."""
    from sync import planning

    with place.open_hub() as hub:
        return of_run(planning.apply(hub, plan_id, deliver_now=not no_deliver))

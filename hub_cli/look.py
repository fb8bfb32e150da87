"""Verbs that look and change nothing: status, diff, why, deliveries, runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from hub_cli.answers import Answer, answers, cell, changes, moment, plain
from hub_cli.exits import Exit
from hub_cli.place import Place

LIMIT = click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
AFTER = click.option("--after", type=int, default=0, help="Go on after this id.")


@click.command()
@click.pass_obj
@answers
def status(place: Place) -> Answer:
    """What is connected, what flows, what is behind: records, cursor, last run and the six states for each system and stream."""
    from sync import inspecting

    with place.open_hub() as hub:
        found = plain(inspecting.status(hub))
    return Answer(found, text=_status(found))


def _status(found: dict[str, Any]) -> str:
    states = ("in_sync", "due", "in_flight", "held", "blocked", "left")
    head = f"{'stream':<28}{'mode':<7}{'records':>9}" + "".join(f"{state:>10}" for state in states) + f"{'quarantine':>12}"
    lines = [head]
    for one in found["streams"]:
        numbers = "".join(f"{one['states'].get(state, 0):>10}" for state in states)
        lines.append(f"{one['system'] + '.' + one['stream']:<28}{one['mode']:<7}{one['records']:>9}{numbers}{one['quarantine']:>12}")
    lines.append("")
    lines.append(
        f"drift {found['drift']} · cases {found['cases']} · conflicts {found['conflicts']} · missing values {found['missing_values']}"
    )
    lines += [f"paused: {system}: {why}" for system, why in found["paused"].items()]
    return "\n".join(lines)


@click.command()
@click.option("--system", help="Only this system.")
@click.option("--entity", help="Only this kind of record, e.g. order.")
@click.option("--state", type=click.Choice(["in_sync", "due", "in_flight", "held", "blocked", "left"]), help="Only this state.")
@LIMIT
@click.pass_obj
@answers
def diff(place: Place, system: str | None, entity: str | None, state: str | None, limit: int) -> Answer:
    """Every pair of record and system that is neither in sync nor left, and what differs. Exit code 3 when there is one."""
    from sync import inspecting
    from sync.naming import called

    with place.open_hub() as hub:
        rows = plain(inspecting.drift(hub, system=system, entity=entity, state=state, limit=limit))
        with hub.transaction() as db:
            names = called(db, [(one["entity"], one["entity_id"]) for one in rows])
    rows = [{**one, "called": names.get(one["entity_id"], "")} for one in rows]
    return Answer(rows, Exit.DIFFERS if rows else Exit.DONE, "\n".join(map(_differs, rows)) or "nothing differs")


def _differs(one: dict[str, Any]) -> str:
    where = f"{one['system']}.{one['stream']}" + (f" of {one['org']}" if one["org"] else "")
    why = f": {one['reason']}" if one["reason"] else ""
    detail = [f"      {one['detail']}"] if one["detail"] else []
    head = f"{one['state']}{why}  {one['entity']} {one['called'] or one['entity_id']} in {where}"
    return "\n".join([head, *detail, *changes(one["differs"])])


@click.command()
@click.argument("entity")
@click.argument("record", metavar="ID|NUMBER|HUB-KEY")
@click.argument("field", required=False)
@click.pass_obj
@answers
def why(place: Place, entity: str, record: str, field: str | None) -> Answer:
    """Why a record's fields have their values: value, winner, rule and losers. Example: hub why order XSDD000123 status."""
    from sync import inspecting

    with place.open_hub() as hub:
        found = inspecting.find_record(hub, entity, record)
        reasons = plain(inspecting.why(hub, entity, found, field))
    return Answer({"entity": entity, "id": found, "fields": reasons}, text=_reasons(entity, str(found), reasons))


def _reasons(entity: str, found: str, reasons: list[dict[str, Any]]) -> str:
    lines = [f"{entity} {found}"]
    for one in reasons:
        since = f" since {moment(one['since'])}" if one["since"] else ""
        lines.append(f"  {one['field']:<28} {cell(one['value'])}")
        lines.append(f"  {'':<28} decided by {one['winner_system']}, rule {one['rule']}{since}")
        lines += [f"  {'':<28} not {system}: {cell(value)}" for system, value in one["losers"]]
    return "\n".join(lines)


@click.command()
@click.option("--system", help="Only this system.")
@click.option("--stream", help="Only this stream.")
@click.option("--record", metavar="ID", type=click.UUID, help="Only this canonical record.")
@click.option("--outcome", help="Only this outcome: written, rejected, blocked, retry, uncertain; none for no receipt yet.")
@click.option("--after", metavar="ID", help="Go on after this attempt (older ones).")
@LIMIT
@click.pass_obj
@answers
def deliveries(
    place: Place, system: str | None, stream: str | None, record: UUID | None, outcome: str | None, after: str | None, limit: int
) -> Answer:
    """What was written where, and what came of it: the receipts of each step, newest first."""
    from sync import inspecting

    with place.open_hub() as hub:
        found = inspecting.deliveries(hub, system=system, stream=stream, entity_id=record, outcome=outcome, after=after, limit=limit)
    return Answer(
        found, columns=("system", "stream", "step", "key", "number", "outcome", "code", "why", "started_at"), empty="no deliveries"
    )


@click.command()
@click.option("--system", help="Only this system.")
@click.option("--kind", help="Only this kind of run, e.g. increment.")
@click.option("--status", help="Only this status: done, failed, busy, differs, set_aside.")
@AFTER
@LIMIT
@click.pass_obj
@answers
def runs(place: Place, system: str | None, kind: str | None, status: str | None, after: int, limit: int) -> Answer:
    """What ran when, with which figures, newest first."""
    from sync import inspecting

    with place.open_hub() as hub:
        return Answer(inspecting.runs(hub, kind=kind, system=system, status=status, after=after, limit=limit), empty="no runs")

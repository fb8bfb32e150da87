"""Verbs that look and change nothing: status, diff, why, links, deliveries, runs."""

from __future__ import annotations

import click

from hub_cli.answers import Answer, answers, plain
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
        return Answer(inspecting.status(hub))


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

    with place.open_hub() as hub:
        rows = plain(inspecting.drift(hub, system=system, entity=entity, state=state, limit=limit))
    return Answer(rows, Exit.DIFFERS if rows else Exit.DONE, empty="nothing differs")


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


def _reasons(entity: str, found: str, reasons: list[dict[str, object]]) -> str:
    lines = [f"{entity} {found}"]
    for one in reasons:
        lines.append(f"  {one.get('field'):<28} {one.get('value')}")
        lines.append(f"  {'':<28} decided by {one.get('winner_system')} (rule {one.get('rule')})" + (f" since {one['since']}" if one.get("since") else ""))
        losers = one.get("losers")
        for loser in losers if isinstance(losers, list) else []:
            system, value = (loser + [None, None])[:2] if isinstance(loser, list) else (loser, "")
            lines.append(f"  {'':<28} not {system}: {value}")
    return "\n".join(lines)


@click.command()
@click.option("--system", help="Only this system.")
@click.option("--entity", help="Only this kind of record.")
@click.option("--record", metavar="ID", help="Only this canonical record.")
@AFTER
@LIMIT
@click.pass_obj
@answers
def links(place: Place, system: str | None, entity: str | None, record: str | None, after: int, limit: int) -> Answer:
    """Which records of which systems are one."""
    from sync import inspecting

    filters = {"system": system, "entity": entity, "record": record}
    with place.open_hub() as hub:
        return Answer(inspecting.links(hub, _said(filters), after=after, limit=limit), empty="no links")


@click.command()
@click.option("--system", help="Only this system.")
@click.option("--entity", help="Only this kind of record.")
@click.option("--state", help="Only deliveries of this state.")
@AFTER
@LIMIT
@click.pass_obj
@answers
def deliveries(place: Place, system: str | None, entity: str | None, state: str | None, after: int, limit: int) -> Answer:
    """What was written where, and what came of it: the receipts of each step."""
    from sync import inspecting

    filters = {"system": system, "entity": entity, "state": state}
    with place.open_hub() as hub:
        return Answer(inspecting.deliveries(hub, _said(filters), after=after, limit=limit), empty="no deliveries")


@click.command()
@click.option("--system", help="Only this system.")
@click.option("--kind", help="Only this kind of run, e.g. increment.")
@AFTER
@LIMIT
@click.pass_obj
@answers
def runs(place: Place, system: str | None, kind: str | None, after: int, limit: int) -> Answer:
    """What ran when, with which figures."""
    from sync import inspecting

    with place.open_hub() as hub:
        return Answer(inspecting.runs(hub, _said({"system": system, "kind": kind}), after=after, limit=limit), empty="no runs")


def _said(filters: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in filters.items() if value is not None}

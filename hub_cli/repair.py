"""Verbs that mend: conflicts, cases, quarantine."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import click

from hub_cli.answers import Answer, CommandFailed, answers, of_run, plain
from hub_cli.exits import Exit
from hub_cli.listing import Lists
from hub_cli.place import Place, who

LIMIT = click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
AFTER = click.option("--after", type=int, default=0, help="Go on after this id.")


@click.group(cls=Lists)
def conflicts() -> None:
    """Fields that a system changed without owning them: list, settle. Without a word: list."""


@conflicts.command("list")
@click.option("--system", help="Only this system.")
@click.option("--record", metavar="ID", type=click.UUID, help="Only this canonical record.")
@click.option("--state", default="open", show_default=True, help="open, left, repaired, accepted, or all.")
@AFTER
@LIMIT
@click.pass_obj
@answers
def list_conflicts(place: Place, system: str | None, record: UUID | None, state: str, after: int, limit: int) -> Answer:
    """Conflicts with both values and the rule, newest first."""
    from sync import inspecting

    with place.open_hub() as hub:
        found = inspecting.conflicts(
            hub, state=None if state == "all" else state, system=system, entity_id=record, after=after, limit=limit
        )
    return Answer(
        found, columns=("id", "entity", "entity_id", "field", "ours", "system", "theirs", "rule", "state", "at"), empty="no conflicts"
    )


@conflicts.command()
@click.argument("conflict_id", type=int, metavar="CONFLICT")
@click.argument("how", type=click.Choice(["repair", "leave"]))
@click.pass_obj
@answers
def settle(place: Place, conflict_id: int, how: str) -> Answer:
    """Write the owner's value there (repair), or let the difference stand (leave)."""
    from sync import conflicts as engine

    with place.open_hub() as hub:
        engine.settle(hub, conflict_id, how, who())
    return Answer({"id": conflict_id, "settled": how}, text=f"conflict {conflict_id}: {how}")


@click.group(cls=Lists)
def cases() -> None:
    """Questions for a person, are these two one?: list, decide. Without a word: list."""


@cases.command("list")
@click.option("--state", default="open", show_default=True)
@AFTER
@LIMIT
@click.pass_obj
@answers
def list_cases(place: Place, state: str, after: int, limit: int) -> Answer:
    """The cases, with what speaks for and against."""
    from sync import cases as engine

    with place.open_hub() as hub:
        found = plain(engine.list_cases(hub, state=None if state == "all" else state, after=after, limit=limit))
    return Answer(found, text="\n".join(_case(one) for one in found) or "no cases")


def _case(one: dict[str, Any]) -> str:
    head = f"case {one['id']}: one {one['entity']} or two? ({'; '.join(map(str, one['evidence'])) or one['kind']}) {one['state']}"
    sides = []
    for side in (one["left"], one["right"]):
        facts = " · ".join(str(value) for name, value in side.items() if name not in ("id", "known_in") and value)
        sides.append(f"  {side['id']}  {facts}\n  {'':<36}  in {', '.join(side['known_in']) or 'no system'}")
    return "\n".join([head, *sides])


@cases.command()
@click.argument("case_id", type=int, metavar="CASE")
@click.argument("answer", type=click.Choice(["same", "different"]))
@click.option("--reason", default="", help="For those who look at it later.")
@click.pass_obj
@answers
def decide(place: Place, case_id: int, answer: str, reason: str) -> Answer:
    """Decide a case; what it held back goes on. Exit code 4 when two dealers hold the two, and the case asks who keeps the customer."""
    from sync import cases as engine

    with place.open_hub() as hub:
        engine.decide(hub, case_id, answer, who(), reason)
        asked = engine.left_open(hub, case_id)
    if asked:
        told = f"case {case_id} is open: two dealers hold the two; see it, then `same` again takes the later protection back"
        return Answer({"id": case_id, "answer": answer, "open": asked}, Exit.SET_ASIDE, told)
    return Answer({"id": case_id, "answer": answer, "open": None}, text=f"case {case_id}: {answer}")


@click.group(cls=Lists)
def quarantine() -> None:
    """Records set aside with their error: list, show, mend, replay, discard. Without a word: list."""


@quarantine.command("list")
@click.option("--state", default="open", show_default=True)
@click.option("--system", help="Only this system.")
@click.option("--cause", help="Only this cause, e.g. missing_parent.")
@AFTER
@LIMIT
@click.pass_obj
@answers
def list_quarantine(place: Place, state: str, system: str | None, cause: str | None, after: int, limit: int) -> Answer:
    """The records that were set aside. Exit code 4 when there is one."""
    from sync import quarantining

    with place.open_hub() as hub:
        rows = plain(quarantining.list_quarantine(hub, state=state, cause=cause, system=system, after=after, limit=limit))
    text = "\n".join(_set_aside(one) for one in rows) or "nothing is set aside"
    return Answer(rows, Exit.SET_ASIDE if rows and state == "open" else Exit.DONE, text)


def _set_aside(one: dict[str, Any]) -> str:
    why = str(one["why"])
    head = f"{one['id']:>6}  {one['system']}.{one['stream']} {one['key']}  {one['cause']}  {one['state']}, seen {one['attempts']} times"
    return f"{head}\n{'':<8}{why[:300]}{'…' if len(why) > 300 else ''}\n{'':<8}Next: {one['next_step']}"


@quarantine.command()
@click.argument("entry", type=int)
@click.pass_obj
@answers
def show(place: Place, entry: int) -> Answer:
    """One record with its payload and error."""
    from sync import quarantining

    with place.open_hub() as hub:
        return Answer(quarantining.show(hub, entry))


@quarantine.command()
@click.argument("entry", type=int)
@click.argument("payload", type=click.File("rb"), metavar="FILE|-")
@click.pass_obj
@answers
def mend(place: Place, entry: int, payload: Any) -> Answer:
    """Take a corrected payload (a JSON object) in, in its place. Exit code 4 when it is set aside again."""
    from decimal import Decimal

    from sync import quarantining

    try:
        corrected = json.loads(payload.read().decode("utf-8"), parse_float=Decimal)
    except UnicodeDecodeError as wrong:
        raise CommandFailed(f"the file is not UTF-8 at byte {wrong.start}", "save it as UTF-8", exits=Exit.USAGE) from wrong
    except json.JSONDecodeError as wrong:
        raise CommandFailed(f"line {wrong.lineno}: no JSON: {wrong.msg}", "mend the file", exits=Exit.USAGE) from wrong
    if not isinstance(corrected, dict):
        raise CommandFailed(
            "the payload is no JSON object", "give one whole record, as `hub quarantine show --json` prints it", exits=Exit.USAGE
        )
    with place.open_hub() as hub:
        return of_run(quarantining.mend(hub, entry, corrected, who()))


@quarantine.command()
@click.argument("entries", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All that are open.")
@click.pass_obj
@answers
def replay(place: Place, entries: tuple[int, ...], everything: bool) -> Answer:  # noqa: FBT001  click's way
    """Take records in again. Exit code 4 when one is set aside anew."""
    from sync import quarantining

    if bool(entries) == everything:
        raise click.UsageError("name entries, or give --all")
    with place.open_hub() as hub:
        return of_run(quarantining.replay(hub, None if everything else list(entries), by=who()))


@quarantine.command()
@click.argument("entry", type=int)
@click.pass_obj
@answers
def discard(place: Place, entry: int) -> Answer:
    """Set a record aside for good; it stays visible as discarded."""
    from sync import quarantining

    with place.open_hub() as hub:
        quarantining.discard(hub, entry, who())
    return Answer({"id": entry, "discarded": True}, text=f"entry {entry} is discarded")

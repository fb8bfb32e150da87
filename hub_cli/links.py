"""`hub links`: which records of which systems are one; linking, parting, and bringing known links along."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from hub_cli.answers import Answer, answers
from hub_cli.exits import Exit
from hub_cli.listing import Lists
from hub_cli.look import LIMIT
from hub_cli.place import Place, who


@click.group(cls=Lists)
def links() -> None:
    """Which records of which systems are one: list, accept, unlink, import. Without a word: list."""


@links.command("list")
@click.option("--system", help="Only this system.")
@click.option("--stream", help="Only this stream.")
@click.option("--entity", help="Only this kind of record.")
@click.option("--record", metavar="ID", type=click.UUID, help="Only this canonical record.")
@click.option("--after", default="", metavar="PLACE", help="Go on after the `place` of the last one seen.")
@LIMIT
@click.pass_obj
@answers
def list_links(
    place: Place, system: str | None, stream: str | None, entity: str | None, record: UUID | None, after: str, limit: int
) -> Answer:
    """The links, by system and key."""
    from sync import inspecting

    with place.open_hub() as hub:
        found = inspecting.links(hub, system=system, stream=stream, entity=entity, entity_id=record, after=after, limit=limit)
    return Answer(found, columns=("entity", "entity_id", "system", "stream", "org", "key", "number", "role", "how"), empty="no links")


@links.command()
@click.argument("system")
@click.argument("stream")
@click.argument("key")
@click.argument("other_system")
@click.argument("other_stream")
@click.argument("other_key")
@click.pass_obj
@answers
def accept(place: Place, system: str, stream: str, key: str, other_system: str, other_stream: str, other_key: str) -> Answer:
    """Say that two records of systems are one. A key may be a number. Exit code 4 when two dealers hold them, and a case asks who stays.

    Example: hub links accept kingdee customers CUST0001 zoho accounts 57257670000001.
    """
    from sync import linking

    with place.open_hub() as hub:
        made = linking.accept(hub, (system, stream, key), (other_system, other_stream, other_key), who())
    told = f"both are {made.entity_id}"
    if made.case_id is not None:
        told = f"two dealers hold the two; case {made.case_id} says who was first: hub cases decide {made.case_id} same|different"
    exits = Exit.DONE if made.case_id is None else Exit.SET_ASIDE
    return Answer({"entity_id": made.entity_id, "case": made.case_id}, exits, told)


@links.command()
@click.argument("system")
@click.argument("stream")
@click.argument("key")
@click.pass_obj
@answers
def unlink(place: Place, system: str, stream: str, key: str) -> Answer:
    """Part a record from its canonical record; it gets one of its own, and the two are told apart for good."""
    from sync import linking

    with place.open_hub() as hub:
        fresh = linking.unlink(hub, system, stream, key, who())
    return Answer({"entity_id": fresh}, text=f"it is {fresh} now")


@links.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--apply", "wanted", is_flag=True, help="Link them; without it only shows what would be linked.")
@click.pass_obj
@answers
def import_file(place: Place, file: Path, wanted: bool) -> Answer:  # noqa: FBT001  click's way
    """Bring along links that an older integration knows, from CSV, Excel or JSON: all rows, or none.

    Columns: system, stream, key, other_system, other_stream, other_key; a key may be a number. Every row that cannot be linked is named.
    Without --apply it is a preview; exit code 3 when something would be linked.
    """
    from hub_cli.tables import read_rows
    from sync import linking

    rows = read_rows(file, linking.IMPORT_COLUMNS)
    with place.open_hub() as hub:
        done = linking.import_links(hub, rows, who(), dry_run=not wanted)
    differs = not wanted and (done["linked"] or done["cases"])
    asked = f", {done['cases']} held by two dealers are cases" if done["cases"] else ""
    told = f"{done['linked']} {'linked' if wanted else 'to link'}, {done['same']} were one already{asked}"
    return Answer(
        {**done, "applied": wanted}, Exit.DIFFERS if differs else Exit.DONE, told + ("" if wanted else "; nothing done yet: --apply")
    )

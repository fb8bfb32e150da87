"""`hub key`: who may call the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import click

from hub_cli.answers import Answer, CommandFailed, answers
from hub_cli.exits import Exit
from hub_cli.listing import Lists
from hub_cli.place import Place, who


@click.group(cls=Lists)
def key() -> None:
    """Keys of the API: make, list, revoke. Without a word: list."""


@key.command()
@click.argument("name")
@click.option("--role", type=click.Choice(["it", "finance", "sales", "dealer"]), default="it", show_default=True, help="Whose it is.")
@click.option("--scope", "scopes", multiple=True, help="Only this scope, e.g. records:read; all of the role without it.")
@click.option("--party", type=click.UUID, help="For a dealer: its party.")
@click.option("--days", type=click.IntRange(1, 3650), help="Valid for so many days; for ever without it.")
@click.pass_obj
@answers
def make(place: Place, name: str, role: str, scopes: tuple[str, ...], party: UUID | None, days: int | None) -> Answer:
    """Make a key. It is shown once and stored nowhere."""
    from hub_api import keys

    ends = datetime.now(UTC) + timedelta(days=days) if days else None
    with place.open_hub() as hub, hub.transaction() as db:
        made = keys.create(db, name=name, role=role, by=who(), scopes=list(scopes) or None, party=party, expires_at=ends)
    return Answer({"id": made.id, "token": made.token, "role": role, "expires_at": ends}, text=made.token)


@key.command("list")
@click.pass_obj
@answers
def listing(place: Place) -> Answer:
    """All keys, without their secrets."""
    from hub_api import keys

    with place.open_hub() as hub, hub.transaction() as db:
        return Answer(keys.listing(db), empty="no keys")


@key.command()
@click.argument("key_id", metavar="ID")
@click.pass_obj
@answers
def revoke(place: Place, key_id: str) -> Answer:
    """Make a key useless from now on."""
    from hub_api import keys

    with place.open_hub() as hub, hub.transaction() as db:
        if not keys.revoke(db, key_id):
            raise CommandFailed(f"there is no valid key {key_id}", "see `hub key list`", exits=Exit.NOT_FOUND)
    return Answer({"id": key_id, "revoked": True}, text=f"key {key_id} is revoked")

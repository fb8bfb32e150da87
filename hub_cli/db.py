"""`hub db`: the hub's database, be it a server of our own in HOME or the one that HUB_DATABASE_URL names."""

from __future__ import annotations

from typing import Any

import click

from hub_cli.answers import Answer, CommandFailed, answers, of_run
from hub_cli.exits import Exit
from hub_cli.listing import Words
from hub_cli.place import Place, who


@click.group(cls=Words)
def db() -> None:
    """The hub's database: start, stop, status, migrate, upkeep, erase, url."""


@db.command()
@click.pass_obj
@answers
def start(place: Place) -> Answer:
    """Start our own server and leave it running; make the database and its schema where they are missing."""
    from ledger import postgres
    from ledger.migrate import migrate

    if place.database:
        raise CommandFailed(
            "HUB_DATABASE_URL names a server that is not ours to start", "unset it, or start that server", exits=Exit.REFUSED
        )
    server = postgres.start(place.postgres, keep=True)
    postgres.ensure(server.url)
    revision = migrate(server.url)
    data = {"running": True, "port": server.port, "version": server.version, "revision": revision, "home": server.home, "url": server.url}
    return Answer(
        data, text=f"PostgreSQL {server.version} runs on 127.0.0.1:{server.port} (schema {revision}); `hub db url` prints its URL"
    )


@db.command()
@click.pass_obj
@answers
def stop(place: Place) -> Answer:
    """Stop our own server, whoever uses it."""
    from ledger import postgres

    stopped = postgres.stop(place.postgres)
    return Answer({"stopped": stopped}, text="stopped" if stopped else "was not running")


@db.command()
@click.pass_obj
@answers
def status(place: Place) -> Answer:
    """Whether it runs, where, and whether its schema is the one that this code needs. Starts nothing."""
    from ledger import postgres

    if place.database:
        version = postgres.check(place.database)
        return _schema({"ours": False, "running": True, "version": version, "url": postgres.shown(place.database)}, place.database)
    state = postgres.status(place.postgres)
    data = {
        "ours": True,
        "exists": state.exists,
        "running": state.running,
        "port": state.port,
        "version": state.version,
        "home": state.home,
    }
    server = postgres.running(place.postgres)
    return _schema(data, server.url) if server else Answer(data, Exit.DIFFERS)


def _schema(data: dict[str, Any], url: str) -> Answer:
    import psycopg

    from ledger.migrate import newest

    try:
        with psycopg.connect(url) as connection:
            there = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if there and there[0] else None
    except psycopg.OperationalError:  # our own server, and the database is not made yet
        row = None
    data |= {"schema": row[0] if row else None, "schema_needed": newest()}
    return Answer(data, Exit.DONE if data["schema"] == data["schema_needed"] else Exit.DIFFERS)


@db.command()
@click.pass_obj
@answers
def migrate(place: Place) -> Answer:
    """Bring the schema to what this code needs. Safe to run twice, and by several at once."""
    from ledger.migrate import migrate as upgrade

    with place.open_database() as url:
        revision = upgrade(url)
    return Answer({"revision": revision}, text=f"schema {revision}")


@db.command()
@click.pass_obj
@answers
def upkeep(place: Place) -> Answer:
    """Renew notification channels, lay out partitions, close plans nobody used, sweep away what is over: as hub_upkeep does daily."""
    from sync.upkeep import keep

    with place.open_hub() as hub:
        return of_run(keep(hub))


@db.command()
@click.argument("entity")
@click.argument("record")
@click.pass_obj
@answers
def erase(place: Place, entity: str, record: str) -> Answer:
    """Erase what was kept of a record's personal values (RECORD: id, number or hub key). What it holds now is emptied by its owner."""
    from sync.erasing import erase_personal
    from sync.inspecting import find_record

    with place.open_hub() as hub:
        found = find_record(hub, entity, record)
        erased = erase_personal(hub, entity, found, who())
    return Answer({"entity": entity, "id": str(found), "erased": erased}, text=f"{erased} personal values erased")


@db.command()
@click.option("--name", default="hub", show_default=True, help="Which database of our own server.")
@click.pass_obj
@answers
def url(place: Place, name: str) -> Answer:
    """Print the URL of the hub's database, password included: for `psql "$(hub db url)"`."""
    from ledger import postgres

    if place.database:
        return Answer({"url": place.database}, text=place.database)
    server = postgres.running(place.postgres)
    if server is None:
        raise CommandFailed("our own server is not running", "run `hub db start`", exits=Exit.UNFIT)
    found = server.url_of(name)
    return Answer({"url": found}, text=found)

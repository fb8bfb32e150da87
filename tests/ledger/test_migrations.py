"""Migrations: from nothing to the newest schema, and on data that a hub has been working with."""

from __future__ import annotations

from typing import Any

import psycopg
from alembic import command
from psycopg.rows import dict_row
from sqlalchemy import create_engine

from ledger.migrate import configuration, migrate, newest, sqlalchemy_url
from ledger.tables import TABLES
from sync import inspecting
from tests.sync.conftest import *  # noqa: F403  the stage's fixtures
from tests.sync.stage import Stage


def _rows(url: str, query: str, *values: Any) -> list[dict[str, Any]]:
    with psycopg.connect(url, row_factory=dict_row) as db:
        return db.execute(query.encode(), values).fetchall()


def _to(url: str, revision: str, *, down: bool = False) -> None:
    engine = create_engine(sqlalchemy_url(url))
    try:
        with engine.connect() as connection:
            (command.downgrade if down else command.upgrade)(configuration(connection), revision)
            connection.commit()
    finally:
        engine.dispose()


def test_from_empty_every_aggregate_has_its_table_and_no_column_that_nothing_fills(empty_database: str) -> None:
    assert migrate(empty_database) == newest()
    assert migrate(empty_database) == newest(), "a second run does harm"

    columns: dict[str, set[str]] = {}
    for row in _rows(empty_database, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"):
        columns.setdefault(row["table_name"], set()).add(row["column_name"])
    for table in TABLES.values():
        own = {"id", "hub_key", "number", "version", "retired", "doc", "changed_at"}
        assert columns[table.name] == own | {column.name for column in table.columns}


def test_a_column_of_own_fields_goes_and_what_stood_in_it_is_kept(live: Stage) -> None:
    url = live.hub.database_url
    _to(url, "0011", down=True)
    one, other = (row["id"] for row in _rows(url, "SELECT id::text AS id FROM parties ORDER BY id LIMIT 2"))
    with psycopg.connect(url) as db:
        db.execute('UPDATE parties SET custom = \'{"grade": "A级", "since": "2019"}\' WHERE id = %s', [one])
        db.execute(
            'UPDATE parties SET doc = (doc::jsonb || \'{"custom.grade": "B"}\')::json, custom = \'{"grade": "A"}\' WHERE id = %s', [other]
        )
    before = _rows(url, "SELECT id, doc::text AS doc FROM parties WHERE id <> ALL(%s::uuid[]) ORDER BY id", [one, other])

    assert migrate(url) == newest()

    assert _rows(url, "SELECT id, doc::text AS doc FROM parties WHERE id <> ALL(%s::uuid[]) ORDER BY id", [one, other]) == before
    kept = {row["id"]: row["doc"] for row in _rows(url, "SELECT id::text AS id, doc FROM parties")}
    assert (kept[one]["custom.grade"], kept[one]["custom.since"], kept[other]["custom.grade"]) == ("A级", "2019", "B")
    live.sync()
    assert inspecting.status(live.hub).drift == 0, "the hub goes on with what it had"

"""Protection is a constraint of the database: what it refuses, whoever writes and whatever type his numbers have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from ledger import postgres
from ledger.migrate import UnfitDatabase, configuration, migrate, newest, sqlalchemy_url

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
Db = psycopg.Connection[Any]


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    """A database with three customers."""
    with psycopg.connect(database, autocommit=True) as connection:
        for number in (1, 2, 3):
            connection.execute(
                "INSERT INTO customer (id, name, given, prepared, norm_version) VALUES (%s, '客户', '{}', '', '1')", [number]
            )
        yield connection


def hold(db: Db, customer: int, days: tuple[int, int | None], *, line: str = "", status: str = "protected", direct: bool = False) -> None:
    starts, ends = (None if day is None else NOW + timedelta(days=day) for day in days)
    deal = uuid4() if status == "converted" else None
    db.execute(
        "INSERT INTO registration (id, customer_id, claimed_as, product_line, dealer_id, protected, status, submitted_at, days, claim, "
        "active_at, deal_id) VALUES (gen_random_uuid(), %s, %s, %s, %s, tstzrange(%s, %s), %s, %s, 90, '{}', %s, %s)",
        [customer, customer, line, None if direct else uuid4(), starts, ends, status, NOW, NOW, deal],
    )


@pytest.mark.promise(11)
@pytest.mark.parametrize("status", ["submitted", "held", "protected", "converted"])
@pytest.mark.parametrize("line", ["", "水泵"], ids=["every line", "one line"])
def test_a_held_customer_cannot_be_held_again(db: Db, status: str, line: str) -> None:
    hold(db, 1, (0, 90), line="水泵")

    with pytest.raises(psycopg.errors.ExclusionViolation, match="registration_one_holder"):
        hold(db, 1, (89, 120), line=line, status=status)


def test_other_lines_other_customers_other_times_and_what_has_ended_do_not_meet(db: Db) -> None:
    hold(db, 1, (0, 90), line="水泵")

    hold(db, 1, (0, 90), line="阀门")
    hold(db, 2, (0, 90), line="水泵")
    hold(db, 1, (90, 180), line="水泵")
    for status in ("rejected", "released", "transferred", "expired", "taken_back", "appealed"):
        hold(db, 1, (0, 90), line="水泵", status=status)


def test_a_direct_customer_is_held_in_every_line_without_end(db: Db) -> None:
    hold(db, 1, (0, None), direct=True)

    with pytest.raises(psycopg.errors.ExclusionViolation):
        hold(db, 1, (5000, 5090), line="水泵")
    with pytest.raises(psycopg.errors.CheckViolation):
        hold(db, 2, (0, 90), direct=True)


@pytest.mark.parametrize("days", [(0, 0), (5, 5)])
def test_an_empty_range_protects_nothing_and_is_refused(db: Db, days: tuple[int, int]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        hold(db, 1, days)


@pytest.mark.parametrize("kind", ["smallint", "integer", "bigint"])
def test_the_holder_is_found_by_an_index_whatever_integer_type_a_driver_sends(db: Db, kind: str) -> None:
    db.execute(
        "INSERT INTO customer (id, name, given, prepared, norm_version) SELECT g, 'x', '{}', '', '1' FROM generate_series(10, 20009) AS g"
    )
    db.execute(
        "INSERT INTO registration (id, customer_id, claimed_as, dealer_id, protected, status, submitted_at, days, claim, active_at) "
        "SELECT gen_random_uuid(), g, g, gen_random_uuid(), tstzrange(now(), now() + '90 days'), 'protected', now(), 90, '{}', now() "
        "FROM generate_series(10, 20009) AS g"
    )
    db.execute("ANALYZE registration")
    db.execute(f"PREPARE held({kind}) AS SELECT id FROM registration WHERE customer_id = $1 AND status = 'protected'")

    for mode in ("force_generic_plan", "force_custom_plan"):
        db.execute(f"SET plan_cache_mode = {mode}")
        plan = "\n".join(row[0] for row in db.execute("EXPLAIN EXECUTE held(77)").fetchall())

        assert "Seq Scan" not in plan, plan
        assert "Index Scan" in plan


def test_downgrade_and_upgrade_again(empty_database: str) -> None:
    migrate(empty_database)
    engine = create_engine(sqlalchemy_url(empty_database))
    with engine.connect() as connection:
        command.downgrade(configuration(connection), "0003-1")
        connection.commit()
    engine.dispose()

    assert migrate(empty_database) == newest()


def test_a_database_in_locale_c_is_refused_before_anything_is_made(postgres_server: postgres.Server) -> None:
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS deals_in_c")
        connection.execute("CREATE DATABASE deals_in_c TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")

    with pytest.raises(UnfitDatabase, match="locale C"):
        migrate(postgres_server.url_of("deals_in_c"))

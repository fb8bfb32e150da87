"""What breaks other people's matching silently: a second trigram index, a database in locale C, plans that change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from channel.deals import claim_queries, matching
from channel.deals.service import check, register
from ledger import postgres
from ledger.migrate import configuration, sqlalchemy_url
from tests.deals.registration.helpers import HUAYI, HUAYI_AGAIN, LANSI, LANSI_AGAIN, UNSURE, YADU, add_dealer, add_party

Db = psycopg.Connection[Any]


@pytest.fixture
def database_in_c(postgres_server: postgres.Server) -> Iterator[str]:
    """A database that our check refuses, with the schema all the same: as if somebody had gone round the check."""
    url = postgres_server.url_of("registering_in_c")
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS registering_in_c")
        connection.execute("CREATE DATABASE registering_in_c TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    engine = create_engine(sqlalchemy_url(url))
    with engine.connect() as connection:
        command.upgrade(configuration(connection), "head")
        connection.commit()
    engine.dispose()
    yield url
    postgres.drop(url)


def story(db: Db) -> list[str]:
    """What two dealers are told about three firms."""
    east, west = add_dealer(db, "东方"), add_dealer(db, "西部")
    told = [register(db, east, HUAYI).status, register(db, west, HUAYI_AGAIN).status, check(db, west, HUAYI_AGAIN).free]
    told += [register(db, east, LANSI).status, register(db, west, LANSI_AGAIN, rules=UNSURE).status, check(db, west, YADU).free]
    return told


EXPECTED = ["protected", "rejected", "no", "protected", "held", "yes"]


def test_in_locale_c_the_same_is_decided(database_in_c: str) -> None:
    with psycopg.connect(database_in_c, autocommit=True) as db:
        ctype = db.execute("SELECT datctype FROM pg_database WHERE datname = current_database()").fetchone()
        assert ctype == ("C",)

        assert story(db) == EXPECTED


def test_further_trigram_indexes_change_neither_answers_nor_plans(db: Db) -> None:
    for number in range(300):
        add_party(db, f"某市第{number}贸易有限公司")
    for statement in (
        "CREATE INDEX extra_1 ON customer USING gist (name gist_trgm_ops)",
        "CREATE INDEX extra_2 ON customer USING gin (prepared gin_trgm_ops)",
        "CREATE INDEX extra_3 ON parties USING gist (name gist_trgm_ops)",
        "CREATE INDEX extra_4 ON registration USING gist (product_line gist_trgm_ops)",
    ):
        db.execute(statement)

    assert story(db) == EXPECTED
    db.execute("ANALYZE")
    used = db.execute("SELECT indexrelname FROM pg_stat_user_indexes WHERE indexrelname LIKE 'extra%%' AND idx_scan > 0", []).fetchall()
    assert used == []


def test_the_look_up_reads_keys_by_index_only_through_an_analyzed_and_an_empty_table(db: Db) -> None:
    east = add_dealer(db, "东方")
    keys = matching.keys_of(matching.prepare(HUAYI))
    db.execute("SET plan_cache_mode = force_generic_plan")
    db.execute("SET enable_seqscan = on")
    for number in range(200):
        register(
            db,
            east,
            matching.Claim(name=f"宁波{chr(0x4E00 + 37 * number)}{chr(0x5E00 + 11 * number)}精密机械有限公司", phone=f"138{number:08d}"),
        )
    db.execute("ANALYZE")
    db.execute(
        "PREPARE asked(bigint[]) AS SELECT one.customer_id FROM unnest($1) AS asked(key), LATERAL ("
        "SELECT customer_id FROM match_key WHERE match_key.key = asked.key ORDER BY customer_id LIMIT 64) AS one"
    )

    plan = "\n".join(row[0] for row in db.execute(f"EXPLAIN EXECUTE asked('{{{','.join(map(str, keys))}}}')").fetchall())

    assert "match_key_pkey" in plan, plan
    assert "Seq Scan" not in plan


def test_statements_of_a_check_are_planned_once(db: Db) -> None:
    east, west = add_dealer(db, "东方"), add_dealer(db, "西部")
    register(db, east, HUAYI)
    for _ in range(12):
        check(db, west, HUAYI)

    custom = db.execute(
        "SELECT statement, custom_plans FROM pg_prepared_statements WHERE generic_plans = 0 AND custom_plans > 6"
    ).fetchall()

    assert custom == [], "a statement that is planned anew at each call costs three times as much"


def test_a_small_id_and_a_large_one_are_the_same_statement(db: Db) -> None:
    for ids in ([1], [70_000], [2**40], [1, 70_000, 2**40]):
        claim_queries.holds(db, ids, "")

    (made,) = db.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%customers_apart%%'", []).fetchall()
    assert made == (1,)

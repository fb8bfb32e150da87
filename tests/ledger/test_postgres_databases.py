"""A given database is used when it is fit, and refused with what to do when it is not."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from ledger import postgres


def make(server: postgres.Server, name: str, how: str) -> str:
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {how}")
    return server.url_of(name)


def test_trigrams_see_chinese_names_in_a_database_that_we_make(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        row = connection.execute("SELECT similarity('上海华谊机械有限公司', '上海华谊机械制造有限公司')").fetchone()

    assert row is not None
    assert round(row[0], 2) == 0.6


def test_a_fit_database_is_used_as_given(empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", empty_database)

    with postgres.obtain(tmp_path / "unused") as database:
        assert (database.url, database.ours) == (empty_database, False)

    assert not (tmp_path / "unused").exists(), "no server of our own is made"


def test_the_check_leaves_nothing_in_the_database(empty_database: str) -> None:
    postgres.check(empty_database)

    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'").fetchall() == []


def test_a_database_in_locale_c_is_refused_with_the_statement_that_helps(postgres_server: postgres.Server) -> None:
    url = make(postgres_server, "locale_c", "ENCODING 'UTF8' LOCALE 'C'")

    with pytest.raises(postgres.DatabaseUnfit, match="LOCALE 'C.UTF-8'") as refused:
        postgres.check(url)

    assert "Chinese" in refused.value.what


def test_a_database_that_is_not_utf8_is_refused(postgres_server: postgres.Server) -> None:
    url = make(postgres_server, "latin", "ENCODING 'SQL_ASCII' LOCALE 'C'")

    with pytest.raises(postgres.DatabaseUnfit, match="SQL_ASCII, not UTF8"):
        postgres.check(url)


def test_a_user_who_may_not_add_extensions_is_told_what_an_administrator_runs(postgres_server: postgres.Server) -> None:
    url = make(postgres_server, "poor", "ENCODING 'UTF8' LOCALE 'C.UTF-8'")
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS clerk")
        connection.execute("CREATE ROLE clerk LOGIN PASSWORD 'not-a-secret'")
    host = url.split("@")[1]

    with pytest.raises(postgres.DatabaseUnfit, match="CREATE EXTENSION btree_gist"):
        postgres.check(f"postgresql://clerk:not-a-secret@{host}")


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(postgres.PostgresError, match="127.0.0.1:1/hub") as refused:
        postgres.check("postgresql://hub:very-secret@127.0.0.1:1/hub")

    assert "very-secret" not in str(refused.value)


def test_no_binaries_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUB_POSTGRES_BIN", str(tmp_path))

    with pytest.raises(postgres.BinariesMissing, match="apt-get install postgresql") as missing:
        postgres.find()

    assert str(tmp_path) in str(missing.value)

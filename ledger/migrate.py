"""Bring a database to the schema that this code needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

HERE = Path(__file__).parent


class UnfitDatabase(RuntimeError):
    """The database cannot hold the ledger; the text says why and what to do."""

    code = "ledger/unfit-database"


def sqlalchemy_url(url: str) -> str:
    """The same URL with SQLAlchemy's name for psycopg 3."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's settings for the ledger's migrations, over an open connection."""
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def check_database(connection: Connection) -> None:
    """Refuse what would go wrong quietly later.

    Raises: UnfitDatabase for PostgreSQL below 15, an encoding other than UTF-8, or C locale (trigram search finds no Chinese there).
    """
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if version < 150000:
        raise UnfitDatabase(f"PostgreSQL {version // 10000} is too old: the hub needs 15 or newer")
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise UnfitDatabase(f"the database is encoded in {encoding}: create it with ENCODING 'UTF8'")
    ctype = connection.execute(text("SELECT datctype FROM pg_database WHERE datname = current_database()")).scalar_one()
    if ctype in ("C", "POSIX"):
        raise UnfitDatabase(
            f"the database has locale {ctype}, where similarity search finds no Chinese text: "
            "create it with CREATE DATABASE hub TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
        )


def migrate(url: str) -> str:
    """Upgrade to the newest schema; returns its revision. Safe to run by several processes at once, and again after a crash."""
    engine = create_engine(sqlalchemy_url(url))
    try:
        with engine.connect() as connection:
            check_database(connection)
            connection.commit()
            connection.execute(text("SELECT pg_advisory_lock(726354)"))
            connection.commit()
            try:
                command.upgrade(configuration(connection), "head")
                connection.commit()
                return MigrationContext.configure(connection).get_current_revision() or ""
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(726354)"))
                connection.commit()
    finally:
        engine.dispose()


def newest() -> str:
    """The revision that this code needs."""
    return ScriptDirectory.from_config(configuration()).get_current_head() or ""

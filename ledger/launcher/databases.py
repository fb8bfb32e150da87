"""Databases on a server: is a given one fit for the hub, make one, clone one, drop one."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from ledger.launcher.binaries import OLDEST
from ledger.launcher.errors import DatabaseUnfit, PostgresError

EXTENSIONS = ("btree_gist", "pg_trgm")


def check(url: str) -> str:
    """The server's version, when the database of `url` can hold the hub.

    Raises: DatabaseUnfit (what is wrong, what to do), PostgresError when there is no connection.
    """
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10, client_encoding="utf8")
    except psycopg.OperationalError as refused:
        raise PostgresError(
            f"no connection to {shown(url)}: {str(refused).strip().splitlines()[-1]}",
            "check HUB_DATABASE_URL: host, port, name, user, password",
        ) from refused
    with connection:
        name, version = connection.info.dbname, connection.info.server_version
        if version // 10000 < OLDEST:
            raise DatabaseUnfit(f"PostgreSQL {version // 10000} is too old", f"use PostgreSQL {OLDEST} or newer")
        _check_text(connection, name)
        return f"{version // 10000}.{version % 10000}"


def _check_text(connection: psycopg.Connection, name: str) -> None:
    """Encoding, extensions, and whether trigrams see Chinese: asked of pg_trgm itself, in a transaction that leaves nothing."""
    anew = (
        f"make a new one: CREATE DATABASE {name}_utf8 TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8' "
        f"(or LOCALE 'en_US.UTF-8'), and point HUB_DATABASE_URL at it"
    )
    row = connection.execute(
        "SELECT pg_encoding_to_char(encoding), datctype FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    encoding, ctype = row if row is not None else ("unknown", "unknown")
    if encoding != "UTF8":
        raise DatabaseUnfit(f"database {name} is encoded in {encoding}, not UTF8", anew)
    try:
        with connection.transaction(force_rollback=True):
            for extension in EXTENSIONS:
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
            where = connection.execute(
                "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_trgm'"
            ).fetchone()
            schema = sql.Identifier(where[0] if where else "public")
            alike = connection.execute(sql.SQL("SELECT {}.similarity('上海华谊机械', '上海华谊')").format(schema)).fetchone()
    except psycopg.errors.InsufficientPrivilege as refused:
        raise DatabaseUnfit(
            f"the user of database {name} may not add the extensions {' and '.join(EXTENSIONS)}",
            f"have an administrator run in it: {' '.join(f'CREATE EXTENSION {extension};' for extension in EXTENSIONS)}",
        ) from refused
    except (psycopg.errors.UndefinedFile, psycopg.errors.FeatureNotSupported) as missing:
        raise DatabaseUnfit(
            f"the server of database {name} lacks an extension ({str(missing).splitlines()[0]})",
            "install PostgreSQL's contrib package on the server",
        ) from missing
    if alike is None or not alike[0]:
        raise DatabaseUnfit(f"database {name} has LC_CTYPE {ctype}: Chinese names have no trigrams in it and would never look alike", anew)


def ensure(url: str) -> None:
    """Make the database that `url` names, in UTF-8 and C.UTF-8, unless it is there."""
    name = database_of(url)
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'").format(sql.Identifier(name))
        try:
            connection.execute(statement)
        except psycopg.errors.DuplicateDatabase:  # another process was faster
            return


def clone(url: str, template: str) -> None:
    """Make the database that `url` names as a copy of `template`, to which nobody may be connected."""
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database_of(url)), sql.Identifier(template))
        connection.execute(statement)


def drop(url: str) -> None:
    """Drop the database that `url` names, throwing out whoever is connected; nothing when it is not there."""
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database_of(url))))


def database_of(url: str) -> str:
    """The name of the database in `url`."""
    return urlsplit(url).path.lstrip("/")


def with_database(url: str, name: str) -> str:
    """`url` with another database."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))


def shown(url: str) -> str:
    """`url` without its password, for messages."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"

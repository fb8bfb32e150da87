"""The hub's database: the one that HUB_DATABASE_URL names, or a PostgreSQL server of our own.

>>> with obtain(Path(".hub/postgres")) as database:            # doctest: +SKIP
...     psycopg.connect(database.url)

A server of our own is for trial and tests. It runs as long as a process uses it: several may share it, the last one out stops it,
also when that one ends by `kill -9`. Source: docs/operations.md, Database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.launcher.binaries import OLDEST, Binaries, account, find
from ledger.launcher.cluster import Server, Status, remove, running, start, status, stop, temporary, usable_home
from ledger.launcher.databases import check, clone, database_of, drop, ensure, shown, with_database
from ledger.launcher.errors import BinariesMissing, DatabaseUnfit, HomeUnusable, PostgresError, StartFailed

__all__ = [
    "OLDEST",
    "Binaries",
    "BinariesMissing",
    "Database",
    "DatabaseUnfit",
    "HomeUnusable",
    "PostgresError",
    "Server",
    "StartFailed",
    "Status",
    "account",
    "check",
    "clone",
    "database_of",
    "drop",
    "ensure",
    "find",
    "obtain",
    "remove",
    "running",
    "shown",
    "start",
    "status",
    "stop",
    "temporary",
    "usable_home",
    "with_database",
]


@dataclass(frozen=True, slots=True)
class Database:
    """A database that is fit for the hub. `ours` is true when it is on a server that we launched."""

    url: str
    ours: bool
    version: str


@contextmanager
def obtain(home: Path, *, name: str = "hub", fast: bool = False) -> Iterator[Database]:
    """The database to work with: HUB_DATABASE_URL when set (checked), else database `name` on our own server of `home`.

    Raises: PostgresError and its kinds, each saying what to do.
    """
    if given := os.environ.get("HUB_DATABASE_URL"):
        yield Database(given, ours=False, version=check(given))
        return
    with start(home, fast=fast) as server:
        url = server.url_of(name)
        ensure(url)
        yield Database(url, ours=True, version=server.version)

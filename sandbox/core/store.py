"""SQLite storage for a stand-in: one file per server, one writer, fast commits.

The stand-in's data need to survive a restart of its process, not a power cut: `synchronous` is off.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def connect(path: str | Path | None) -> sqlite3.Connection:
    """A connection to `path`, or to memory when it is None or `:memory:`. Transactions are opened and closed by `transaction`."""
    connection = sqlite3.connect(str(path) if path else ":memory:", isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA cache_size=-65536")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing. Nested use joins the outer transaction."""
    if connection.in_transaction:
        yield connection
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")

"""The hub's connections to its database, asked whether they are alive only when they have rested."""

from __future__ import annotations

import time
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import psycopg.types.json
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from ledger.bulk import from_json
from sync.leases import LEASE_S

Connection = psycopg.Connection[dict[str, Any]]
RESTED_S = 1.0
"""A connection that was used so recently is taken to be alive."""
_used: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
"""When a transaction last ended well, by connection."""


def open_pool(url: str) -> ConnectionPool[Connection]:
    """At most eight connections, made when they are needed."""
    return ConnectionPool(
        url, min_size=1, max_size=8, kwargs={"row_factory": dict_row, "application_name": "channel-hub"}, open=True, timeout=30,
        check=_check, configure=_prepare,
    )  # fmt: skip


def note_used(connection: Connection) -> None:
    """A transaction has just ended well on it."""
    _used[connection] = time.monotonic()


def _check(connection: Connection) -> None:
    """Whether the server is still there, asked only of a connection that has rested: a round trip each time would cost a fifth of all."""
    if time.monotonic() - _used.get(connection, 0.0) > RESTED_S:
        ConnectionPool.check_connection(connection)


def _prepare(connection: Connection) -> None:
    # On our own connections only: Airflow, in the same process, wants its floats as floats.
    psycopg.types.json.set_json_loads(from_json, connection)
    # A worker that froze in the middle of a page (a paused machine, a lost network) keeps its row locks no longer than its lease.
    connection.execute(f"SET idle_in_transaction_session_timeout = '{LEASE_S}s'".encode())
    connection.commit()

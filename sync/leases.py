"""One worker per stream: leases with fencing tokens, kept in the database and timed by its clock."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from sync.errors import Busy, Overtaken

LEASE_S = 120
"""How long a lease lasts unless it is renewed; every committed page renews it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on something until another takes over."""

    name: str
    token: int


def holder() -> str:
    """Who we are, for people: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take(db: psycopg.Cursor[Any], name: str, seconds: int = LEASE_S) -> Lease:
    """Take the lease, or take over one that ran out. Raises: Busy when somebody else holds it."""
    db.execute(
        "INSERT INTO lease (name, token, holder, until) VALUES (%(name)s, 1, %(holder)s, clock_timestamp() + make_interval(secs => %(s)s)) "
        "ON CONFLICT (name) DO UPDATE SET token = lease.token + 1, holder = excluded.holder, until = excluded.until "
        "WHERE lease.until <= clock_timestamp() RETURNING token",
        {"name": name, "holder": holder(), "s": seconds},
    )
    row = db.fetchone()
    if row is None:
        db.execute("SELECT holder, until FROM lease WHERE name = %s", [name])
        found = db.fetchone() or {}
        raise Busy(
            f"{name} is being worked on by {found.get('holder')} until {found.get('until')}", next_step="wait, or look with `hub status`"
        )
    return Lease(name, row["token"])


def confirm(db: psycopg.Cursor[Any], lease: Lease, seconds: int = LEASE_S) -> None:
    """Renew within the caller's transaction, so that nothing of it commits once another has taken over. Raises: Overtaken."""
    db.execute(
        "UPDATE lease SET until = clock_timestamp() + make_interval(secs => %s) WHERE name = %s AND token = %s RETURNING token",
        [seconds, lease.name, lease.token],
    )
    if db.fetchone() is None:
        raise Overtaken(f"another worker took over {lease.name}", next_step="nothing: what was not committed is read again")


def release(db: psycopg.Cursor[Any], lease: Lease) -> None:
    """Give it back; harmless when another has taken over."""
    db.execute("UPDATE lease SET until = clock_timestamp() WHERE name = %s AND token = %s", [lease.name, lease.token])


@contextmanager
def held(hub: Any, name: str) -> Iterator[Lease]:
    """Hold a lease for the length of a block. Raises: Busy."""
    with hub.transaction() as db:
        lease = take(db, name)
    try:
        yield lease
    finally:
        with hub.transaction() as db:
            release(db, lease)

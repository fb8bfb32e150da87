"""One worker per stream: leases with fencing tokens, kept in the database and timed by its clock.

A lease ends when it is given back or runs out; also when its holder is proved to be dead, on its own machine (:mod:`sync.processes`).
Work that commits nothing for minutes, and so renews no lease, is held apart by the lock of a database session instead (`alone`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from sync.errors import Busy, Overtaken
from sync.processes import holder, is_dead, name_of

T = TypeVar("T")
LEASE_S = 120
"""How long a lease lasts unless it is renewed; every committed page renews it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on something until another takes over."""

    name: str
    token: int
    inherited: bool = False
    """True when it was taken from a worker that had just died: a call of its may still be on its way."""


def take(db: psycopg.Cursor[Any], name: str, seconds: int = LEASE_S) -> Lease:
    """Take the lease, or take over one that ran out or whose holder is dead. Raises: Busy when somebody else holds it."""
    token = _try(db, name, seconds)
    if token is not None:
        return Lease(name, token)
    db.execute("SELECT holder, until, token FROM lease WHERE name = %s", [name])
    found = db.fetchone() or {"holder": "", "until": None, "token": 0}
    if is_dead(found["holder"]):
        token = _try(db, name, seconds, dead=found["token"])
        if token is not None:
            return Lease(name, token, inherited=True)
    raise Busy(
        f"{name} is being worked on by {name_of(found['holder'])} until {found['until']}", next_step="wait, or look with `hub status`"
    )


def _try(db: psycopg.Cursor[Any], name: str, seconds: int, dead: int = 0) -> int | None:
    """The new token, or None while somebody holds the lease. `dead`: the token of a holder that is dead."""
    db.execute(
        "INSERT INTO lease (name, token, holder, until) VALUES (%(name)s, 1, %(holder)s, clock_timestamp() + make_interval(secs => %(s)s)) "
        "ON CONFLICT (name) DO UPDATE SET token = lease.token + 1, holder = excluded.holder, until = excluded.until "
        "WHERE lease.until <= clock_timestamp() OR lease.token = %(dead)s RETURNING token",
        {"name": name, "holder": holder(), "s": seconds, "dead": dead},
    )
    row = db.fetchone()
    return None if row is None else int(row["token"])


def confirm(db: psycopg.Cursor[Any], lease: Lease, seconds: int = LEASE_S) -> None:
    """Renew within the caller's transaction, so that nothing of it commits once another has taken over. Raises: Overtaken."""
    db.execute(
        "UPDATE lease SET until = clock_timestamp() + make_interval(secs => %s) WHERE name = %s AND token = %s RETURNING token",
        [seconds, lease.name, lease.token],
    )
    if db.fetchone() is None:
        raise _overtaken(lease)


def share(db: psycopg.Cursor[Any], lease: Lease) -> bool:
    """As :func:`confirm` for one of several processes that work under one lease, without their waiting for each other.

    It renews nothing; gives True when it is time that somebody does. Raises: Overtaken.
    """
    db.execute(
        "SELECT until < clock_timestamp() + make_interval(secs => %s) AS soon FROM lease WHERE name = %s AND token = %s FOR SHARE",
        [LEASE_S / 2, lease.name, lease.token],
    )
    row = db.fetchone()
    if row is None:
        raise _overtaken(lease)
    return bool(row["soon"])


def _overtaken(lease: Lease) -> Overtaken:
    return Overtaken(f"another worker took over {lease.name}", next_step="nothing: what was not committed is read again")


def release(db: psycopg.Cursor[Any], lease: Lease) -> None:
    """Give it back; harmless when another has taken over."""
    db.execute("UPDATE lease SET until = clock_timestamp() WHERE name = %s AND token = %s", [lease.name, lease.token])


@contextmanager
def held(hub: Any, name: str) -> Iterator[Lease]:
    """Hold a lease for the length of a block. Raises: Busy."""
    with begun(hub, name, lambda _: None) as (lease, _):
        yield lease


@contextmanager
def begun(hub: Any, name: str, begin: Callable[[psycopg.Cursor[Any]], T]) -> Iterator[tuple[Lease, T]]:
    """Hold a lease for the length of a block, which is given it with what `begin` finds in the same transaction. Raises: Busy."""
    with hub.transaction() as db:
        lease = take(db, name)
        found = begin(db)
    try:
        yield lease, found
    finally:
        with hub.transaction() as db:
            release(db, lease)


_KEY = "hashtextextended(%s, 0)"


@contextmanager
def alone(hub: Any, name: str, *, wait: bool = False) -> Iterator[None]:
    """Do the block while nobody else does one of this name, however long it takes; the lock ends with its process, however that ends.

    With `wait` it waits for its turn. Raises: Busy, without `wait`, while another is at it.
    """
    with hub.pool.connection() as db:
        if wait:
            db.execute(f"SELECT pg_advisory_lock({_KEY})".encode(), [name])
        elif not db.execute(f"SELECT pg_try_advisory_lock({_KEY}) AS got".encode(), [name]).fetchone()["got"]:
            raise Busy(f"another process is at {name}", next_step="wait until it has ended")
        db.commit()  # the server ends a session that sits in a transaction
        try:
            yield
        finally:
            db.execute(f"SELECT pg_advisory_unlock({_KEY})".encode(), [name])


def somebody_is_at(db: psycopg.Cursor[Any], name: str) -> bool:
    """True while a block of this name is being done :func:`alone`, by whatever process of this database."""
    db.execute(
        "SELECT EXISTS (SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE d.datname = current_database() "
        f"AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND (l.classid::bigint << 32) | l.objid::bigint = {_KEY}) "
        "AS yes".encode(),
        [name],
    )
    return bool((db.fetchone() or {"yes": False})["yes"])

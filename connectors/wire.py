"""Connections that end on time and only reach where they may: the two things that `requests` leaves open.

The timeout of `requests` is per read, so a server that drips one byte a second holds a caller for ever. Here one watchdog
thread per process shuts the socket of a call whose total time is spent, wherever it hangs: in the headers, the body, the sending.
The peer's address is checked after the connection stands and before a byte is sent, so a name that resolves anew cannot lead astray.
"""

from __future__ import annotations

import contextlib
import heapq
import ipaddress
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError


class PrivateAddress(HTTPError):
    """The host's name leads to an address inside a private network, which this system was not allowed to call."""


class Limit:
    """The time one call has, the socket it is using, and how far it got."""

    __slots__ = ("_sock", "allow_private", "deadline", "done", "expired", "sent")

    def __init__(self, seconds: float, *, allow_private: bool) -> None:
        self.deadline = time.monotonic() + seconds
        self.allow_private = allow_private
        self.done = self.expired = self.sent = False
        self._sock: socket.socket | None = None

    def use(self, sock: socket.socket | None) -> None:
        """From now on this socket is the one to cut."""
        self._sock = sock
        if self.expired:
            self.cut()

    def cut(self) -> None:
        """Shut the socket, so that whoever waits on it wakes. The plain socket's own method: TLS state belongs to the waiter."""
        self.expired = True
        if self._sock is not None:
            with contextlib.suppress(OSError, ValueError):
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


class _Watchdog:
    """One thread that cuts calls whose time is spent. Started at the first call, and anew in a forked process."""

    def __init__(self) -> None:
        self._count = itertools.count()
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """A forked process has none of its parent's threads, and perhaps a lock that nobody will release."""
        self._wake = threading.Condition()
        self._heap: list[tuple[float, int, Limit]] = []
        self._running = False

    @contextlib.contextmanager
    def watch(self, limit: Limit) -> Iterator[None]:
        with self._wake:
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="connector-deadlines", daemon=True).start()
            heapq.heappush(self._heap, (limit.deadline, next(self._count), limit))
            if self._heap[0][2] is limit:
                self._wake.notify()
        try:
            yield
        finally:
            limit.done = True
            limit.use(None)

    def _run(self) -> None:
        wake, heap = self._wake, self._heap
        with wake:
            while True:
                while heap and heap[0][2].done:
                    heapq.heappop(heap)
                wait = heap[0][0] - time.monotonic() if heap else None
                if wait is None or wait > 0:
                    wake.wait(wait)
                else:
                    heapq.heappop(heap)[2].cut()


_watchdog = _Watchdog()
_active = threading.local()


@contextlib.contextmanager
def limited(seconds: float, *, allow_private: bool) -> Iterator[Limit]:
    """A call of this thread that ends after `seconds` whatever the other side does; see `Limit.expired` for whether it was cut."""
    limit = Limit(seconds, allow_private=allow_private)
    _active.limit = limit
    try:
        with _watchdog.watch(limit):
            yield limit
    finally:
        _active.limit = None


def _limit() -> Limit | None:
    limit: Limit | None = getattr(_active, "limit", None)
    return limit


def is_private(address: str) -> bool:
    """True for loopback, link-local, private, shared and other addresses that are not on the public internet."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return not parsed.is_global or parsed.is_multicast


class _Guarded:
    """What both kinds of connection do more than urllib3's own: tell the watchdog their socket, and check the peer."""

    sock: Any

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]  # the class beside it in the bases has it
        limit = _limit()
        if limit is not None:
            limit.use(sock)
            if not limit.allow_private and is_private(str(sock.getpeername()[0])):
                sock.close()
                raise PrivateAddress("private address")
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        limit = _limit()
        if limit is not None and self.sock is not None:
            limit.use(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]  # the class beside it in the bases has it

    def send(self, data: Any) -> None:
        limit = _limit()
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]  # the class beside it in the bases has it
        if limit is not None:
            limit.use(self.sock)
            limit.sent = True
        super().send(data)  # type: ignore[misc]  # the class beside it in the bases has it


class _PlainConnection(_Guarded, HTTPConnection):
    pass


class _TlsConnection(_Guarded, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class GuardedAdapter(HTTPAdapter):
    """The `requests` adapter whose connections obey :func:`limited`. It never retries by itself."""

    def __init__(self) -> None:
        super().__init__(max_retries=0, pool_connections=4, pool_maxsize=4)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As `requests` has it, with our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

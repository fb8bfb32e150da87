"""Fixtures for every room: a real PostgreSQL, a database per test, and no network but this machine's own.

`database` is the URL of a database with the hub's newest schema, made for one test (a copy of a template, about 0.1 s) and dropped
after it; `empty_database` has no schema. The server is started by our own launcher, once per test session, and is always stopped.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from ledger import postgres
from ledger.migrate import migrate


class NetworkRefused(OSError):
    """A test tried to leave this machine."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):  # a unix socket
        return True
    host = str(address[0])
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host.split("%", maxsplit=1)[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Connections to anything but loopback are refused at once, by name or by number."""
    connect, connect_ex, lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refusing_connect(self: socket.socket, address: Any) -> None:
        if not _is_here(address):
            raise NetworkRefused(f"tests may reach only this machine, not {address!r}")
        connect(self, address)

    def refusing_connect_ex(self: socket.socket, address: Any) -> int:
        if not _is_here(address):
            raise NetworkRefused(f"tests may reach only this machine, not {address!r}")
        return connect_ex(self, address)

    def refusing_lookup(host: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_here((name,)) and not _is_number(name):
            raise socket.gaierror(socket.EAI_NONAME, f"tests look up no name on the network, not {name!r}")
        return lookup(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refusing_connect)
        patch.setattr(socket.socket, "connect_ex", refusing_connect_ex)
        patch.setattr(socket, "getaddrinfo", refusing_lookup)
        yield


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    return True


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One server for the whole session, without durability; its data is gone afterwards."""
    with postgres.temporary(fast=True) as server:
        yield server


@pytest.fixture(scope="session")
def template_database(postgres_server: postgres.Server) -> str:
    """A database with the newest schema that tests are copied from; never connect to it."""
    url = postgres_server.url_of("hub_template")
    postgres.ensure(url)
    migrate(url)
    return url


@pytest.fixture
def database(postgres_server: postgres.Server, template_database: str) -> Iterator[str]:
    """URL of a database with the hub's schema, for one test."""
    url = postgres_server.url_of(f"test_{uuid4().hex[:12]}")
    postgres.clone(url, postgres.database_of(template_database))
    yield url
    postgres.drop(url)


@pytest.fixture
def empty_database(postgres_server: postgres.Server) -> Iterator[str]:
    """URL of a database with nothing in it, for one test."""
    url = postgres_server.url_of(f"test_{uuid4().hex[:12]}")
    postgres.ensure(url)
    yield url
    postgres.drop(url)


PROMISES = range(1, 15)
_promised: dict[int, int] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count the tests that name each promise of the design."""
    for item in items:
        for mark in item.iter_markers("promise"):
            for number in mark.args:
                _promised[number] = _promised.get(number, 0) + 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist hands its count to the controller."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["promised"] = _promised


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controller takes it; every worker collects the same tests."""
    _promised.update(getattr(node, "workeroutput", {}).get("promised", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the promises without a test, when enough was collected for the list to mean something."""
    if not _promised or "tests" not in terminalreporter.config.args:
        return
    bare = [str(number) for number in PROMISES if number not in _promised]
    terminalreporter.write_line(
        f"promises named by tests: {len(PROMISES) - len(bare)} of {len(PROMISES)}"
        + (f"; without a test: {', '.join(bare)}" if bare else "")
    )

"""What endpoints ask for: the hub, who calls, a reading transaction, the sealer of cursors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from hub_api.keys import Caller
from hub_api.paging import Sealer
from hub_api.permissions import Scope
from hub_api.problems import Forbidden, Unauthenticated, Unavailable
from hub_api.settings import ApiSettings

if TYPE_CHECKING:
    from sync.hub import Hub

Cursor = psycopg.Cursor[dict[str, Any]]

bearer = HTTPBearer(auto_error=False, scheme_name="key", bearerFormat="hub_<id>_<secret>", description="An API key: `hub key make`.")


class Engine:
    """The hub behind the API. Opened at the first need, so that the process starts, and tells its health, while the database is away."""

    def __init__(self, settings: ApiSettings, hub: Hub | None = None, opener: Callable[[], Hub] | None = None) -> None:
        self.settings = settings
        self._hub = hub
        self._opener = opener
        self._owned = hub is None
        self._lock = threading.Lock()
        self._sealer: Sealer | None = None

    @property
    def hub(self) -> Hub:
        """The open hub. Raises: whatever opening it raises, SyncError for a mistake in hub.yaml."""
        with self._lock:
            if self._hub is None:
                if self._opener is None:
                    raise Unavailable
                self._hub = self._opener()
            return self._hub

    def use(self, hub: Hub) -> None:
        """Work with a hub that somebody else opened and will close."""
        with self._lock:
            self._hub, self._owned = hub, False

    def close(self) -> None:
        """Close the hub if it was opened here."""
        with self._lock:
            if self._owned and self._hub is not None:
                self._hub.close()
                self._hub = None

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A transaction that writes; used by the API's own tables only. Waits a bounded time for a connection."""
        with self.hub.pool.connection(timeout=self.settings.pool_wait_s) as connection, connection.transaction(), connection.cursor() as db:
            yield db

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """A connection for a use case that begins its own transaction; what it did is committed at the end. Waits a bounded time."""
        with self.hub.pool.connection(timeout=self.settings.pool_wait_s) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """A transaction that can only read, with a limit on every statement."""
        with self.transaction() as db:
            limit_ms = int(self.settings.statement_timeout_s * 1000)
            db.execute(f"SET TRANSACTION READ ONLY; SET LOCAL TimeZone = 'UTC'; SET LOCAL statement_timeout = {limit_ms}".encode())
            yield db

    @property
    def sealer(self) -> Sealer:
        """Seals cursors."""
        if self._sealer is None:
            with self.transaction() as db:
                self._sealer = Sealer.of(db)
        return self._sealer


# Dependencies that wait for nothing are coroutines: a plain function would cost each request a hop to a thread.
async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _reading(engine: Annotated[Engine, Depends(_engine)]) -> Iterator[Cursor]:
    with engine.reading() as db:
        yield db


async def _caller(request: Request, _shown: Annotated[object, Security(bearer)] = None) -> Caller:
    # The gate has proved the key before the body was read; see hub_api/gate.py.
    caller: Caller | None = request.scope.get("state", {}).get("caller")
    if caller is None:
        raise Unauthenticated
    return caller


EngineDep = Annotated[Engine, Depends(_engine)]
Db = Annotated[Cursor, Depends(_reading, scope="function")]
"""A reading transaction, closed before the answer is sent: a slow client holds no connection."""
Who = Annotated[Caller, Depends(_caller)]


def may(scope: Scope) -> Any:
    """The caller, who must have the scope.

    An endpoint asks for it with `who: Annotated[Caller, may(Scope.RECORDS_READ)]`.
    """

    async def allowed(who: Who) -> Caller:
        if scope not in who.scopes:
            raise Forbidden(f"The key lacks the scope {scope}. Ask the hub's operator.")
        return who

    return Depends(allowed)

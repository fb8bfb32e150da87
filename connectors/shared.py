"""What all workers of a system share: its budget of calls, and its sessions and tokens. The engine keeps them in its database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Budget(Protocol):
    """The windows of calls that a vendor grants, shared by all workers."""

    def reserve(self, *, kind: str, units: int = 1) -> None:
        """Take `units` before a call. `kind` is read, write, signin or bulk. Raises: Throttled when a window is spent."""

    def lower(self, *, remaining: int, window: str) -> None:
        """The vendor says that this much is left of a window; it only ever lowers our own count."""

    def hold(self, *, seconds: float) -> None:
        """The vendor asks to wait: nobody calls before `seconds` are over."""


class TokenStore(Protocol):
    """Where sessions and tokens are kept, shared by all workers. Names are the connector's own."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Held while a token is renewed, so that one worker renews for all."""

    def read(self, name: str) -> tuple[str, float] | None:
        """The secret text and when it expires, as Unix time; None when there is none. An expired one is returned too."""

    def save(self, name: str, secret: str, expires: float) -> None:
        """Keep a secret until `expires`, Unix time."""

    def drop(self, name: str) -> None:
        """Forget a secret."""


class NoBudget:
    """No limits: for tests and trials."""

    def reserve(self, *, kind: str, units: int = 1) -> None:
        """Always granted."""

    def lower(self, *, remaining: int, window: str) -> None:
        """Not kept."""

    def hold(self, *, seconds: float) -> None:
        """Not kept."""


class MemoryTokenStore:
    """Tokens of one process."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.RLock] = {}
        self._secrets: dict[str, tuple[str, float]] = {}
        self._guard = threading.Lock()

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Held while a token is renewed."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.RLock())
        with lock:
            yield

    def read(self, name: str) -> tuple[str, float] | None:
        """The secret text and when it expires, as Unix time."""
        return self._secrets.get(name)

    def save(self, name: str, secret: str, expires: float) -> None:
        """Keep a secret."""
        self._secrets[name] = (secret, expires)

    def drop(self, name: str) -> None:
        """Forget a secret."""
        self._secrets.pop(name, None)

    def __repr__(self) -> str:
        return f"MemoryTokenStore({len(self._secrets)} kept)"

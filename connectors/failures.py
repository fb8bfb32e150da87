"""A call that failed, in our words: what happened and what to do, whichever library said so, without a secret or a payload."""

from __future__ import annotations

import zlib

import urllib3.exceptions

from connectors.errors import CallFailed
from connectors.wire import PrivateAddress


def find(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The first error of a kind along the causes that `requests` and `urllib3` wrap into each other."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        current = todo.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            if isinstance(current, kind):
                return current
            seen.add(id(current))
            todo += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
    return None


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (PrivateAddress, "the name leads into a private network"),
    (urllib3.exceptions.SSLError, "the TLS certificate or handshake failed"),
    (urllib3.exceptions.NameResolutionError, "the name cannot be resolved"),
    (urllib3.exceptions.NewConnectionError, "the connection was refused"),
    (urllib3.exceptions.ConnectTimeoutError, "no connection in time"),
    (urllib3.exceptions.ReadTimeoutError, "no answer in time"),
    (urllib3.exceptions.IncompleteRead, "the answer is shorter than announced"),
    (zlib.error, "the compressed answer is broken"),
    (ConnectionError, "the connection was cut"),
    (urllib3.exceptions.ProtocolError, "the connection was cut or the answer is not HTTP"),
)


def why(error: Exception) -> str:
    """What happened."""
    if isinstance(error, CallFailed):
        return error.why
    return next((words for kind, words in _WORDS if find(error, kind)), f"the call failed ({type(error).__name__})")


def next_step(error: Exception) -> str:
    """What to do."""
    if isinstance(error, CallFailed):
        return error.next_step
    if find(error, PrivateAddress):
        return "set allow_private_hosts for this system in hub.yaml if that is intended"
    if find(error, urllib3.exceptions.SSLError):
        return "check the certificate of the host and the time of this machine"
    return "check the address and that this machine reaches it"

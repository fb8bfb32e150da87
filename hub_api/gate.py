"""The gate before every route: proves the key, then takes the body within its caps, adds the security headers, logs the request once.

A plain ASGI application, so that nothing of a request is parsed before its sender is known and its size is bounded.
"""

from __future__ import annotations

import re
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

import anyio
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders

from hub_api import keys
from hub_api.actions import Answered
from hub_api.known_errors import problem_of
from hub_api.problems import BodyTooLarge, BodyTooSlow, Problem
from hub_api.shapes import ADDRESSES

if TYPE_CHECKING:
    from hub_api.deps import Engine

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger("hub_api")

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "Cache-Control": "no-store",
}
"""On every answer; a route that sets one of them itself keeps its own."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LARGE = re.compile(
    r"/v1/(quarantine/\d+/mend|rebate-facts|scorecards/(facts|definitions)|price-rules|programmes|programmes/[^/]+/simulate)"
)
"""Where a whole vendor record, a table of thousands of rows or a document of rules is sent: 200,000 characters may be 1.2 MB of JSON."""


def _plural(path: str) -> str:
    """`/v1/order/…` is taken as `/v1/orders/…`: an entity has one name everywhere else, and people try it here."""
    parts = path.split("/", 3)
    if len(parts) > 2 and parts[1] == "v1" and parts[2] in ADDRESSES:
        parts[2] = ADDRESSES[parts[2]]
        return "/".join(parts)
    return path


class Gate:
    """Wraps the application."""

    def __init__(self, app: App, engine: Engine, on_problem: Callable[[Scope, Problem], None] | None = None) -> None:
        self.app, self.engine, self.on_problem = app, engine, on_problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        given = headers.get("x-request-id", "")
        state["request_id"] = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)
        answer = _Answer(send, state["request_id"])
        started = time.perf_counter()
        try:
            path = scope["path"] = _plural(scope["path"])
            if path.startswith("/v1/") and not path.startswith("/v1/hooks/"):
                state["caller"] = await run_in_threadpool(self._authenticate, headers.get("authorization"))
            await self.app(scope, await self._taken(scope, headers, receive), answer.send)
        except Exception as error:  # noqa: BLE001  the request is one of the three edges; logged once below
            await self._failed(error, scope, receive, answer)
        log.info(
            "request",
            method=scope["method"],
            route=getattr(scope.get("route"), "path", "-"),
            status=answer.status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            key=getattr(state.get("caller"), "key_id", "-"),
            request_id=state["request_id"],
        )

    def _authenticate(self, header: str | None) -> keys.Caller:
        with self.engine.transaction() as db:
            return keys.authenticate(db, header)

    async def _taken(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """The whole body, within its caps of size and time, as a `receive` that hands it on."""
        settings = self.engine.settings
        limit = settings.record_limit_bytes if _LARGE.fullmatch(scope["path"]) else settings.body_limit_bytes
        announced = headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > limit:
            raise BodyTooLarge(f"The body is larger than the {limit} bytes that this address accepts.")
        chunks, size = [], 0
        with anyio.move_on_after(settings.body_deadline_s) as patience:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    break
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > limit:
                    raise BodyTooLarge(f"The body is larger than the {limit} bytes that this address accepts.")
                more = message.get("more_body", False)
        if patience.cancelled_caught:
            raise BodyTooSlow
        taken: Message | None = {"type": "http.request", "body": b"".join(chunks), "more_body": False}

        async def again() -> Message:
            nonlocal taken
            if taken is None:
                return await receive()
            message, taken = taken, None
            return message

        return again

    async def _failed(self, error: Exception, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if isinstance(error, Answered):
            await error.response()(scope, receive, answer.send)
            return
        problem = problem_of(error)
        if problem.status >= 500:
            # Names and places only: a message may hold values of records.
            log.error(
                "request failed",
                error=type(error).__name__,
                sqlstate=getattr(error, "sqlstate", None),
                why=str(error) if getattr(error, "code", "") == "sync/bad-config" else None,  # for the operator; it quotes no record
                at=[f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-4:]],
                request_id=scope["state"]["request_id"],
            )
        if self.on_problem:
            self.on_problem(scope, problem)
        if answer.status == 0:
            await problem.response()(scope, receive, answer.send)


class _Answer:
    """Passes the answer on with the headers that every answer has."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._request_id, self.status = send, request_id, 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-Id"] = self._request_id
        await self._send(message)

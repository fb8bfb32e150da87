"""A small HTTP/1.1 server for the stand-ins: keep-alive, Content-Length and chunked bodies, nothing a vendor's client does not need.

It is raw asyncio because the stand-ins are measured together with the hub: a framework costs more per call than a vendor's whole answer.
Everything runs in one thread, so a vendor's code needs no locks.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

MAX_BODY = 64 * 1024 * 1024
MAX_HEAD = 64 * 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class BadRequest(Exception):
    """What came is not HTTP that this server understands; the connection is closed with `status`."""

    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why
        super().__init__(why)


@dataclass(slots=True)
class Request:
    """One call as it came, and what the vendor notes about it for the log."""

    method: str
    path: str
    """Decoded path without the query string."""
    raw_path: str
    """Path and query string exactly as sent; signatures are made over this."""
    query: Mapping[str, str]
    """Last value of each query parameter."""
    headers: Mapping[str, str]
    """Lower-case names; a repeated header is joined with a comma."""
    body: bytes = b""
    effects: dict[str, Any] = field(default_factory=dict)
    """Faults that the vendor itself must act out on this call: effect -> value."""
    stream: str = ""
    """Native stream name, set by the core from `Vendor.stream_of`."""
    operation: str = ""
    """What a write did, in the vendor's word in lower case (`save`, `submit`, `upsert`); empty for reads."""
    written: list[str] = field(default_factory=list)
    """Keys of the records that this call changed."""
    created: list[str] = field(default_factory=list)
    """Those of `written` that did not exist before."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Anything else worth a line in the log (JSON values, no secrets)."""

    def json(self) -> Any:
        """The body as JSON; numbers with a fraction come as text-exact `Decimal`. Raises msgspec.DecodeError."""
        return JSON_IN.decode(self.body)


@dataclass(slots=True)
class Response:
    """What goes back. `headers` may repeat a name (two Set-Cookie lines, say)."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)


def _decimal(text: str) -> Any:
    return Decimal(text)


JSON_IN = msgspec.json.Decoder(float_hook=_decimal)
JSON_OUT = msgspec.json.Encoder(decimal_format="number")


def json_response(value: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> Response:
    """`value` as a JSON answer; a Decimal is written as a JSON number, exactly."""
    return Response(status, JSON_OUT.encode(value), headers=headers or [])


def text_response(text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Response:
    """`text` as an answer."""
    return Response(status, text.encode(), content_type)


@dataclass(slots=True)
class Wire:
    """How an answer is put on the wire: whole by default; the faults bend it."""

    response: Response | None
    """None sends nothing at all."""
    close: bool = False
    cut_at: int | None = None
    """Send only so many bytes of the body, although Content-Length promises all of it, then cut the connection."""
    drip_s: float = 0.0
    """Seconds between single bytes of the body; 0 sends it at once."""


Answerer = Callable[[Request], "Wire | Awaitable[Wire]"]


@functools.lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def head_bytes(response: Response, *, close: bool) -> bytes:
    """Status line and headers, with Content-Length of the whole body."""
    reason = _REASONS.get(response.status, "Unknown")
    lines = [f"HTTP/1.1 {response.status} {reason}", f"Date: {_date(int(time.time()))}", f"Content-Type: {response.content_type}"]
    if response.status not in (204, 304):
        lines.append(f"Content-Length: {len(response.body)}")
    lines.extend(f"{name}: {value}" for name, value in response.headers)
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, target and headers of a request head. Raises BadRequest."""
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest(400, "no HTTP/1.1 request line")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(400, "a header line without a colon")
        key = name.strip().lower()
        headers[key] = f"{headers[key]},{value.strip()}" if key in headers else value.strip()
    return parts[0].upper(), parts[1], headers


class Connection(asyncio.Protocol):
    """One client connection. Calls are answered in order; the next is parsed when the last is answered."""

    def __init__(self, answer: Answerer, open_connections: set[Connection]) -> None:
        self._answer = answer
        self._open = open_connections
        self._buffer = bytearray()
        self._busy = False
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the connection, so that stopping the server can cut it."""
        if isinstance(transport, asyncio.Transport):  # always so for a TCP server
            self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio calls it so
        """Forget the connection; an answer still dripping is stopped."""
        self._open.discard(self)
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Collect bytes and answer every complete call."""
        self._buffer += data
        if not self._busy:
            self._work()

    def cut(self) -> None:
        """Cut the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _work(self) -> None:
        while self._buffer and not self._busy:
            try:
                request = self._next()
            except BadRequest as bad:
                self._send(Wire(text_response(bad.why, bad.status), close=True), "GET")
                return
            if request is None:
                return
            wire = self._answer(request)
            if isinstance(wire, Wire) and not wire.drip_s:
                if not self._send(wire, request.method):
                    return
                continue
            self._busy = True
            self._task = asyncio.ensure_future(self._later(wire, request.method))

    async def _later(self, wire: Wire | Awaitable[Wire], method: str) -> None:
        done = wire if isinstance(wire, Wire) else await wire
        stay = await self._drip(done) if done.drip_s else self._send(done, method)
        self._busy, self._task = False, None
        if stay:
            self._work()

    def _next(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequest(431, "the headers are too long")
            return None
        method, target, headers = parse_head(bytes(self._buffer[:end]))
        taken = self._body(headers, end + 4)
        if taken is None:
            return None
        body, upto = taken
        del self._buffer[:upto]
        path, _, query = target.partition("?")
        return Request(method, unquote(path), target, dict(parse_qsl(query, keep_blank_values=True)), headers, body)

    def _body(self, headers: Mapping[str, str], start: int) -> tuple[bytes, int] | None:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks(start)
        try:
            length = int(headers.get("content-length", "0"))
        except ValueError as error:
            raise BadRequest(400, "Content-Length is not a number") from error
        if not 0 <= length <= MAX_BODY:
            raise BadRequest(413, f"the body may have {MAX_BODY} bytes")
        if len(self._buffer) < start + length:
            if headers.get("expect", "").lower() == "100-continue" and len(self._buffer) == start and self._transport is not None:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        return bytes(self._buffer[start : start + length]), start + length

    def _chunks(self, at: int) -> tuple[bytes, int] | None:
        body = bytearray()
        while True:
            end = self._buffer.find(b"\r\n", at)
            if end < 0:
                return None
            try:
                size = int(bytes(self._buffer[at:end]).split(b";")[0], 16)
            except ValueError as error:
                raise BadRequest(400, "a chunk without a size") from error
            if size < 0 or len(body) + size > MAX_BODY:
                raise BadRequest(413, f"the body may have {MAX_BODY} bytes")
            if size == 0:
                close = self._buffer.find(b"\r\n", end + 2)
                return (bytes(body), close + 2) if close >= 0 else None
            if len(self._buffer) < end + 2 + size + 2:
                return None
            body += self._buffer[end + 2 : end + 2 + size]
            at = end + 2 + size + 2

    def _send(self, wire: Wire, method: str) -> bool:
        """Put an answer on the wire. True when the connection stays open."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        response = wire.response
        if response is None:
            transport.abort()
            return False
        head = head_bytes(response, close=wire.close)
        if method == "HEAD" or response.status in (204, 304):
            transport.write(head)
        elif wire.cut_at is not None:
            transport.write(head + response.body[: wire.cut_at])
            transport.close()
            return False
        else:
            transport.write(head + response.body)
        if wire.close:
            transport.close()
        return not wire.close

    async def _drip(self, wire: Wire) -> bool:
        transport, response = self._transport, wire.response
        if transport is None or response is None:
            return False
        transport.write(head_bytes(response, close=wire.close))
        for byte in response.body:
            if transport.is_closing():
                return False
            transport.write(bytes((byte,)))
            await asyncio.sleep(wire.drip_s)
        if wire.close:
            transport.close()
        return not wire.close

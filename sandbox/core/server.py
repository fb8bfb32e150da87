"""Runs one vendor's stand-in: API calls with their faults and their log, and the control door beside them."""

from __future__ import annotations

import asyncio
import functools
import signal
import threading
import time
import traceback
import zlib
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from sandbox.core import control
from sandbox.core.faults import CORE_EFFECTS, GARBAGE, Fault
from sandbox.core.http import Connection, Request, Response, Wire, text_response
from sandbox.core.vendor import Vendor

HTML_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>"


class Dispatcher:
    """From a request to what goes on the wire."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor

    def __call__(self, request: Request) -> Wire | Awaitable[Wire]:
        """Answer a call at once, or later where a fault delays it."""
        if request.path.startswith(control.PREFIX):
            return Wire(control.answer(self.vendor, request))
        vendor = self.vendor
        try:
            stream = vendor.stream_of(request)
            request.stream = vendor.native(stream) if stream else ""
        except KeyError:  # an unknown form is the vendor's to refuse, in its own words
            request.stream = stream or ""
        met = vendor.faults.match(request.method, request.path, request.stream) if vendor.faults.active else []
        wait_s = sum(f.seconds(1.0) for f in met if f.effect == "latency")
        return self._later(request, met, wait_s) if wait_s > 0 else self._answer(request, met)

    async def _later(self, request: Request, met: list[Fault], wait_s: float) -> Wire:
        await asyncio.sleep(wait_s)
        return self._answer(request, met)

    def _answer(self, request: Request, met: list[Fault]) -> Wire:
        started = time.perf_counter()
        request.effects = {f.effect: f.value for f in met if f.effect not in CORE_EFFECTS}
        wire = self._bent(request, {f.effect: f for f in met}) if met else Wire(self._handled(request))
        if request.headers.get("connection", "").lower() == "close":
            wire.close = True
        status = wire.response.status if wire.response is not None else 0
        self.vendor.log.add(request, status, [f.effect for f in met], time.perf_counter() - started)
        return wire

    def _handled(self, request: Request) -> Response:
        if "expire_session" in request.effects:
            self.vendor.expire_sessions()
        try:
            return self.vendor.handle(request)
        except Exception as error:  # noqa: BLE001  the edge of a request: a bug of the stand-in must not hang its client
            traceback.print_exc()
            return self.vendor.failed(request, error)

    def _bent(self, request: Request, met: dict[str, Fault]) -> Wire:
        """The answer under the faults met. Those that keep the call from being worked on come first."""
        early = self._unworked(request, met)
        if early is not None:
            return early
        response = self._handled(request)
        if "drop_after" in met:
            return Wire(None)
        if "status" in met:
            response, _ = _status(met["status"].value)
        if "garbage" in met:
            response = _garbage(str(met["garbage"].value or ""), response.content_type)
        if "truncate" in met:
            return Wire(response, close=True, cut_at=_cut(met["truncate"].value, len(response.body)))
        return Wire(response, drip_s=met["slow_drip"].seconds(0.05) if "slow_drip" in met else 0.0)

    def _unworked(self, request: Request, met: dict[str, Fault]) -> Wire | None:
        if "drop_before" in met:
            return Wire(None)
        if "status" in met:
            answer, after = _status(met["status"].value)
            if not after:
                return Wire(answer)
        if "retry_after" in met:
            return Wire(self.vendor.throttled(request, met["retry_after"].seconds(1.0)))
        if "quota" in met:
            return Wire(self.vendor.over_quota(request, met["quota"].value))
        if "html" in met:
            page = met["html"].value
            return Wire(text_response(page if isinstance(page, str) and page else HTML_PAGE, 200, "text/html; charset=utf-8"))
        if "empty" in met:
            return Wire(self.vendor.emptied(request))
        return None


def _status(value: Any) -> tuple[Response, bool]:
    """The answer of a `status` fault, and whether the call is worked on first. Headers make redirects, say."""
    given: dict[str, Any] = value if isinstance(value, dict) else {"status": 500 if value is None else value}
    answer = text_response(str(given.get("body", "Internal Server Error")), int(given.get("status", 500)))
    answer.headers = [(str(name), str(text)) for name, text in (given.get("headers") or {}).items()]
    return answer, bool(given.get("after", False))


def _garbage(kind: str, content_type: str) -> Response:
    if kind == "gzip_bomb":
        return Response(200, _bomb(), content_type, [("Content-Encoding", "gzip")])
    return Response(200, GARBAGE.get(kind, kind.encode()), content_type)


@functools.cache
def _bomb() -> bytes:
    """256 MiB of blanks, packed small."""
    packer = zlib.compressobj(9, wbits=31)
    blanks = b" " * (1 << 20)
    return b"".join([*(packer.compress(blanks) for _ in range(256)), packer.flush()])


def _cut(value: Any, length: int) -> int:
    wanted = 0.5 if value is None else float(value)
    at = int(length * wanted) if wanted < 1 else int(wanted)
    return max(0, min(at, length - 1))


class Server:
    """A vendor's stand-in listening on 127.0.0.1. Use it as a context manager (own thread), or `run` it (this thread)."""

    def __init__(self, vendor: Vendor, port: int = 0, host: str = "127.0.0.1") -> None:
        self.vendor, self.host, self.port = vendor, host, port
        self._connections: set[Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._listening = threading.Event()
        self._error: BaseException | None = None

    @property
    def url(self) -> str:
        """Base address without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def control_url(self) -> str:
        """Address of the control door without a slash at the end."""
        return f"{self.url}{control.PREFIX.rstrip('/')}"

    def run(self, listening: Any = None) -> None:
        """Serve in this thread until SIGTERM or SIGINT. `listening` is called once the port is open."""
        asyncio.run(self._main(listening, signals=True))

    async def _main(self, listening: Any = None, *, signals: bool = False) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._stop.set)
        dispatcher = Dispatcher(self.vendor)
        server = await self._loop.create_server(lambda: Connection(dispatcher, self._connections), self.host, self.port, backlog=512)
        self.port = int(server.sockets[0].getsockname()[1])
        self._listening.set()
        if listening is not None:
            listening()
        await self._stop.wait()
        server.close()
        for connection in list(self._connections):
            connection.cut()
        await asyncio.sleep(0)
        self.vendor.close()

    def start(self) -> Server:
        """Serve in a thread of its own; returns when the port is open."""
        self._thread = threading.Thread(target=self._in_thread, name=f"sandbox-{self.vendor.name}", daemon=True)
        self._thread.start()
        self._listening.wait(30)
        if self._error is not None:
            raise RuntimeError(f"the {self.vendor.name} sandbox did not start") from self._error
        return self

    def _in_thread(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._error = error
            self._listening.set()
            raise

    def stop(self) -> None:
        """Stop a started server and wait for it."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


@contextmanager
def serving(vendor: Vendor, port: int = 0) -> Iterator[Server]:
    """A running server for a test; stopped at the end."""
    with Server(vendor, port) as server:
        yield server

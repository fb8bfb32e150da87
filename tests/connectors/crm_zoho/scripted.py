"""A loopback server that answers as a test says, in the shapes that Zoho's API documents, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.base import Change
from connectors.crm_zoho.connector import ZohoConnector, ZohoSession
from connectors.crm_zoho.settings import ZohoSettings
from connectors.transport import Budget, MemoryTokenStore, TokenStore, Transport

DROP = -1
"""As a status: cut the connection without an answer."""


@dataclass
class Asked:
    """One call as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Answerer = Callable[[Asked], tuple[int, Any]]


@dataclass
class Zoho:
    """What the server was asked, and who answers. Sign-in is answered by itself, with the tokens t1, t2, ..."""

    url: str
    answer: Answerer = lambda asked: (204, None)
    calls: list[Asked] = field(default_factory=list)
    sign_ins: int = 0
    sign_in: Callable[[int], Any] = lambda n: {"access_token": f"t{n}", "expires_in": 3600, "scope": "ZohoCRM.modules.ALL"}
    headers: dict[str, str] = field(default_factory=dict)

    def settings(self, **more: Any) -> ZohoSettings:
        """Settings that lead here."""
        here = {"accounts_url": self.url, "api_domain": self.url, "upload_url": self.url}
        return ZohoSettings(**{"client_id": "1000.X", "client_secret": "geheim-eins", "refresh_token": "geheim-zwei", **here, **more})

    def session(self, *, tokens: TokenStore | None = None, budget: Budget | None = None, **more: Any) -> ZohoSession:
        """A session that talks to this server and sleeps in no time."""
        transport = Transport(
            "zoho", tokens=tokens or MemoryTokenStore(), budget=budget, deadline_s=5, allow_private=True, sleep=lambda _: None
        )
        return ZohoConnector().open(self.settings(**more), transport)

    def called(self, ending: str, method: str = "") -> list[Asked]:
        """Calls whose path ends so."""
        return [call for call in self.calls if call.path.endswith(ending) and method in ("", call.method)]


@contextmanager
def zoho() -> Iterator[Zoho]:
    """A server for one test."""
    guard = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Silent."""

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), {k.lower(): v for k, v in self.headers.items()}, body)
            if parts.path.endswith("/oauth/v2/token"):
                with guard:
                    here.sign_ins += 1
                    self._give(200, here.sign_in(here.sign_ins))
                return
            here.calls.append(asked)
            status, answer = here.answer(asked)
            if status == DROP:
                self.close_connection = True
                self.connection.close()
                return
            self._give(status, answer)

        def _give(self, status: int, answer: Any) -> None:
            raw = answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json;charset=UTF-8", **here.headers}.items():
                self.send_header(name, value)
            if status not in (204, 304):
                self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            if status not in (204, 304):
                self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  the base class wants these names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here = Zoho(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def save(number: int, key: str | None = None, **fields: Any) -> Change:
    """A change that saves an account (or whatever the stream is)."""
    return Change(f"c{number}", "save", f"HUB{number:04}", key, fields=fields or {"Account_Name": f"杭州远航电子有限公司{number}"})


def done(key: str) -> dict[str, Any]:
    """The answer to one record that was written."""
    details = {"id": key, "Created_Time": "2026-01-05T10:00:00+08:00", "Modified_Time": "2026-01-05T10:00:00+08:00"}
    return {"code": "SUCCESS", "details": details, "message": "record added", "status": "success"}


def failed(code: str, message: str = "no", **details: Any) -> dict[str, Any]:
    """The answer to one record that was not written."""
    return {"code": code, "details": details, "message": message, "status": "error"}


def listed(asked: Asked, *rows: dict[str, Any], more: bool = False) -> tuple[int, Any]:
    """The answer of a list: every field that was asked for stands in every record, as null where it has no value."""
    names = dict.fromkeys(asked.query.get("fields", "").split(","))
    if not rows:
        return 204, None
    return 200, {"data": [{**names, **each} for each in rows], "info": {"more_records": more}}


def row(key: str, **fields: Any) -> dict[str, Any]:
    """A record as a list gives it."""
    return {"id": key, "Modified_Time": "2026-01-05T10:00:00+08:00", "$editable": True, **fields}

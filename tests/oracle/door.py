"""The control door of a stand-in, read with the standard library only: the oracle trusts none of the hub's parsers.

Numbers with a fraction arrive as `Decimal`; a server that answers with a float-made number is then seen for what it is.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Doc = dict[str, Any]


class DoorClosed(RuntimeError):
    """The control door answered with an error; the text says which call and what came back."""


class Door:
    """One stand-in's control door."""

    def __init__(self, url: str, timeout_s: float = 120) -> None:
        self.url = url.rstrip("/").removesuffix("/_control")
        self.timeout_s = timeout_s

    def records(self, stream: str, **params: str) -> list[Doc]:
        """All records of a stream, native shape."""
        found: list[Doc] = parsed(self.text(stream, **params))
        return found

    def text(self, stream: str, **params: str) -> bytes:
        """The same as the door sends it, not yet parsed."""
        query = f"?{urllib.parse.urlencode(params)}" if params else ""
        return self._send("GET", f"records/{stream}{query}")

    def put(self, stream: str, doc: Mapping[str, Any]) -> Doc:
        """Create or change a record as a user of that system; gives the record as it is then."""
        stored: Doc = self._call("POST", f"records/{stream}", doc)
        return stored

    def delete(self, stream: str, key: str) -> None:
        """Delete a record as a user of that system."""
        self._call("DELETE", f"records/{stream}/{urllib.parse.quote(key)}")

    def log(self, after: int = 0) -> list[Doc]:
        """The calls answered after the `after`-th, oldest first."""
        lines: list[Doc] = self._call("GET", f"log?after={after}")
        return lines

    def mark(self) -> int:
        """How many calls the log holds now: hand it to `log` later to see only what came since."""
        return len(self.log())

    def fault(self, **fault: Any) -> None:
        """Switch a fault on."""
        self._call("POST", "faults", fault)

    def calm(self) -> None:
        """Switch all faults off."""
        self._call("DELETE", "faults")

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return parsed(self._send(method, path, body))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        data = None if body is None else encoded(body)
        request = urllib.request.Request(f"{self.url}/_control/{path}", data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                sent: bytes = answer.read()
                return sent
        except urllib.error.HTTPError as error:
            raise DoorClosed(f"{method} {request.full_url}: {error.code} {error.read()[:300].decode(errors='replace')}") from error


def parsed(text: bytes) -> Any:
    """JSON with exact numbers, as values."""
    return json.loads(text, parse_float=Decimal)


def encoded(value: Any) -> bytes:
    """JSON with exact numbers."""
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_text(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)

"""The stand-ins' control doors: what users of those systems do, and the trouble that servers make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import msgspec

_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
Doc = dict[str, Any]
LOAD_AT_ONCE = 5000
"""Records of one call: their text stays well below what a stand-in takes in one body (64 MiB)."""


class DoorShut(Exception):
    """The stand-in refused what the story asked of it."""

    code = "demo/door-shut"


class Door:
    """One stand-in's control door."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") + "/_control"

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = body if body is None or isinstance(body, bytes) else _ENCODE(body)
        request = Request(self.url + path, data=data, method=method, headers={"Content-Type": "application/json"})  # noqa: S310  our own loopback server
        try:
            answer = urlopen(request, timeout=120)  # noqa: S310  our own 127.0.0.1
        except HTTPError as refused:
            raise DoorShut(f"{method} {path}: {refused.read().decode(errors='replace')[:500]}") from refused
        with answer:
            text = answer.read()
        return _DECODE(text) if text else None

    def records(self, stream: str, *, field: str = "", values: Iterable[str] = ()) -> list[Doc]:
        """Every record of a stream, in the vendor's native shape; or those whose head field has one of these values."""
        where = f"?where={quote(field)}:{quote(','.join(values), safe=',')}" if field else ""
        found: list[Doc] = self._call("GET", f"/records/{stream}{where}")
        return found

    def record(self, stream: str, key: str) -> Doc:
        """One record. Raises: LookupError."""
        for doc in self._call("GET", f"/records/{stream}?key={quote(key)}") or ():
            return dict(doc)
        raise LookupError(f"{stream} has no record {key}")

    def put(self, stream: str, doc: Mapping[str, Any]) -> Doc:
        """Create or change a record as a user of that system would."""
        saved: Doc = self._call("POST", f"/records/{stream}", doc)
        return saved

    def pour(self, world: dict[str, list[Doc]]) -> int:
        """Fill the stand-in with records by stream, base data before what cites them; how many.

        The next are encoded while some are taken in. What is encoded is dropped: the collector would look through its millions of values.
        """
        with ThreadPoolExecutor(1) as line:  # one by one, in order
            sent = [line.submit(self._call, "POST", "/load", _ENCODE(part)) for part in _parts(world)]
            world.clear()
            return sum(int(one.result()["loaded"]) for one in sent)

    def trouble(self, effect: str, *, times: int = 1, value: Any = None, **match: str) -> None:
        """Switch a fault on for the next `times` requests that match (method, path, stream)."""
        self._call("POST", "/faults", {"match": match, "effect": effect, "value": value, "times": times, "probability": 1})

    def calm(self) -> None:
        """Switch all faults off."""
        self._call("DELETE", "/faults")

    def log(self) -> list[Doc]:
        """Every request so far."""
        lines: list[Doc] = self._call("GET", "/log")
        return lines


def _parts(world: Mapping[str, Sequence[Doc]]) -> Iterator[dict[str, Sequence[Doc]]]:
    small = {stream: docs for stream, docs in world.items() if len(docs) <= LOAD_AT_ONCE}
    if small:
        yield small
    for stream, docs in world.items():
        if stream not in small:
            for start in range(0, len(docs), LOAD_AT_ONCE):
                yield {stream: docs[start : start + LOAD_AT_ONCE]}

"""What every stand-in offers: the vendor's API, and its records as a user of that system sees and edits them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sandbox.core.faults import Faults
from sandbox.core.http import JSON_OUT, Request, Response, json_response, text_response
from sandbox.core.log import RequestLog

Doc = dict[str, Any]


class UnknownStream(KeyError):
    """The control door was asked for a stream that this vendor has not."""


class Rejected(ValueError):
    """A user's edit through the control door that the system itself would refuse; the text is the system's own."""


class Vendor(ABC):
    """One vendor's server. All methods run in the server's one thread."""

    name: ClassVar[str]
    """Short name: `kingdee`, `zoho`."""
    streams: ClassVar[Mapping[str, str]]
    """Hub stream name -> native name. The control door and the faults take both, in any case."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.faults = Faults(seed, self.streams)
        self.log = RequestLog()
        self.reseed: Callable[[], object] | None = None
        """Puts the start state back after a reset: loading the world again, say."""
        self._native = {name.lower(): native for name, native in self.streams.items()}
        self._native.update({native.lower(): native for native in self.streams.values()})

    # the vendor's API

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """Answer one API call. What was changed is committed when this returns. Notes operation and keys on `request` for the log."""

    @abstractmethod
    def stream_of(self, request: Request) -> str | None:
        """Which stream a call concerns, native or hub name; None when it concerns none (sign-in, say)."""

    # the control door: a user of that system

    @abstractmethod
    def records(self, stream: str, params: Mapping[str, str]) -> list[Doc]:
        """All records of a native stream, native shape.

        Optional `key`, `since` (modified at or after, vendor's own words), `where` (`FIELD:VALUE,VALUE`: a head field has one of these;
        of a reference, the number or id), `limit`. Raises Rejected for a field that cannot be asked for. A vendor whose documents are wide
        may take `fields`: of head and lines, only these are shown.
        """

    def records_body(self, stream: str, params: Mapping[str, str]) -> bytes:
        """The same as a JSON list; a vendor that can write it faster than through objects does so."""
        return JSON_OUT.encode(self.records(stream, params))

    @abstractmethod
    def put(self, stream: str, doc: Doc, user: str = "user") -> Doc:
        """Create or change as a user would: defaults filled, modified time moved, events fired. Raises Rejected."""

    @abstractmethod
    def delete(self, stream: str, key: str) -> bool:
        """Delete as a user would. False when there is no such record. Raises Rejected."""

    @abstractmethod
    def load(self, records: Mapping[str, list[Doc]]) -> int:
        """Bulk-load natively shaped records by stream, keys and times kept as given, no events. Returns how many."""

    @abstractmethod
    def reset(self) -> None:
        """Back to the state the server started with: empty, or seeded anew."""

    def empty(self) -> bool:
        """Whether nothing was loaded yet: a database that is opened again keeps what it holds."""
        return True

    @abstractmethod
    def credentials(self, url: str) -> Mapping[str, Any]:
        """What a client needs, named as in the vendor's own console. `url` is where this server listens."""

    def close(self) -> None:  # noqa: B027  a vendor without storage has nothing to release
        """Release storage."""

    # answers to faults, in the vendor's words where it has some

    def throttled(self, request: Request, after_s: float) -> Response:  # noqa: ARG002  vendors look at it
        """The answer to a caller that is too fast."""
        headers = [("Retry-After", f"{after_s:g}")] if after_s > 0 else []
        return json_response({"message": "too many requests"}, 429, headers)

    def over_quota(self, request: Request, value: Any) -> Response:  # noqa: ARG002  vendors look at it
        """The answer when the budget of the day is spent."""
        return json_response({"message": "quota exceeded"}, 429)

    def emptied(self, request: Request) -> Response:  # noqa: ARG002  vendors look at it
        """A well-formed answer with nothing in it."""
        return json_response([])

    def expire_sessions(self) -> None:  # noqa: B027  a vendor without sessions has none to end
        """End every session and token at once."""

    def failed(self, request: Request, error: Exception) -> Response:  # noqa: ARG002  vendors look at it
        """The answer when the vendor's own code broke: a bug of the stand-in, so it is loud."""
        return text_response(f"sandbox bug: {type(error).__name__}: {error}", 500)

    # helpers

    @staticmethod
    def wanted(params: Mapping[str, str]) -> tuple[str, list[str]] | None:
        """Field and values of `where`; None without one."""
        field, colon, values = params.get("where", "").partition(":")
        return (field, values.split(",")) if colon else None

    def native(self, stream: str) -> str:
        """The native name of a stream given by either name. Raises UnknownStream."""
        try:
            return self._native[stream.lower()]
        except KeyError:
            raise UnknownStream(f"{self.name} has no stream {stream!r}; it has: {', '.join(sorted(self.streams))}") from None

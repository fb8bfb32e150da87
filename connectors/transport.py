"""How connectors talk HTTP: one way for all of them, with deadlines, size caps, retries, budgets and no secret in any message.

A connector gives the request and a function that judges the answer; everything a vendor's protocol does not decide is here.
Reads are repeated while that can help. A write is never repeated: what failed before a byte was sent is `Unavailable`,
everything after is `Uncertain`, and the engine looks before it sends anything again.

Raises, everywhere: the errors of :mod:`connectors.errors`; their texts hold no secret, no payload and no query string.
"""

from __future__ import annotations

import logging
import math
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import structlog
import tenacity
import urllib3.exceptions

from connectors.errors import CallFailed, Garbled, Refused, Throttled, Unavailable, Uncertain
from connectors.failures import find, next_step, why
from connectors.jsontext import dump_json, has_nul, parse_json
from connectors.shared import Budget, MemoryTokenStore, NoBudget, TokenStore
from connectors.wire import GuardedAdapter, Limit, PrivateAddress, limited

__all__ = [
    "Answer",
    "Budget",
    "MemoryTokenStore",
    "NoBudget",
    "TokenStore",
    "TooLarge",
    "TooSlow",
    "Transport",
    "dump_json",
    "has_nul",
    "parse_json",
    "retry_after_s",
]

T = TypeVar("T")
MIB = 1024 * 1024
LONGEST_WAIT_S = 30.0
"""A wait that is longer than this is not slept here: `Throttled` goes up, and the engine comes back later."""

_CHUNK = 256 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
log = structlog.get_logger("connectors.transport")
logging.getLogger("urllib3").setLevel(logging.INFO)  # its debug lines hold query strings, and some vendors put tokens there


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer, decompressed."""

    status: int
    headers: Mapping[str, str]
    """Keys in lower case; several headers of one name are joined by `, `."""
    body: bytes

    @property
    def charset(self) -> str:
        """The encoding that Content-Type declares; empty where it declares none."""
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.strip().partition("=")
            if name.strip().lower() == "charset":
                return value.strip(" \"'")
        return ""


class TooLarge(Garbled):
    """The answer is over the size cap. Asking again gives the same; asking for less may not."""


class TooSlow(Unavailable):
    """The deadline passed before the answer was whole. Asking again would hold the caller as long; asking for less may not."""


class Transport:
    """One worker's way to one system. Not shared between threads.

    Units: `deadline_s` is the total time of one attempt, from connecting to the last byte; `max_bytes` counts after decompression.
    `allow_hosts`, when given, are the only hosts that may be called. `allow_private` admits addresses inside private networks.
    """

    def __init__(
        self,
        system: str,
        *,
        tokens: TokenStore | None = None,
        budget: Budget | None = None,
        deadline_s: float = 60,
        connect_s: float = 10,
        max_bytes: int = 64 * MIB,
        attempts: int = 4,
        allow_hosts: Collection[str] = (),
        allow_private: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.system = system
        self.tokens: TokenStore = tokens if tokens is not None else MemoryTokenStore()
        self.budget: Budget = budget if budget is not None else NoBudget()
        self.clock = clock
        self._deadline_s, self._connect_s, self._max_bytes = deadline_s, connect_s, max_bytes
        self._attempts, self._sleep = attempts, sleep
        self._allow_hosts, self._allow_private = frozenset(host.lower() for host in allow_hosts), allow_private
        self._session = requests.Session()
        self._session.trust_env = False  # no .netrc credentials, no proxy that nobody configured here
        self._session.headers.clear()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # sessions live in the token store, not in a jar
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, GuardedAdapter())

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        writes: bool,
        units: int = 1,
        retry: bool | None = None,
        kind: str | None = None,
    ) -> Answer:
        """Send one request and give the answer back, see :meth:`call`. A read's 500 and above is `Unavailable`; a write's is given back."""

        def judge(answer: Answer) -> Answer:
            if answer.status >= 500 and not writes:
                raise Unavailable(self.system, "the server failed", vendor_code=str(answer.status))
            return answer

        return self.call(method, url, headers=headers, body=body, writes=writes, units=units, retry=retry, kind=kind, judge=judge)

    def call(
        self,
        method: str,
        url: str,
        *,
        judge: Callable[[Answer], T],
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        writes: bool,
        units: int = 1,
        retry: bool | None = None,
        kind: str | None = None,
    ) -> T:
        """What `judge` makes of the answer.

        `judge` sees every answer (429 is dealt with before) and raises one of `connectors.errors` where the vendor says no in its own way.
        A read is repeated (`retry` says otherwise) when it was `Throttled` for a short time, `Unavailable` or `Garbled`: by this class,
        or by `judge`. On a write, `Garbled` and `Unavailable` after sending become `Uncertain`; an answer of 500 and above is for
        `judge` to read.
        `kind` and `units` are what is reserved from the budget before each attempt; `kind` is `write` or `read` when not given.

        Raises: Throttled, Unavailable, Garbled, Refused (redirected, a host or certificate that is not allowed); Uncertain on writes.
        """
        request = _Request(method, url, dict(headers or {}), body, writes, units, kind or ("write" if writes else "read"))
        self._check_host(url)
        if not (not writes if retry is None else retry):
            return self._attempt(request, judge)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_worth_repeating),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        result: T = retrying(self._attempt, request, judge)
        return result

    def pause(self, seconds: float) -> None:
        """Wait between two looks at a job that the system works on; a test's way of sleeping applies."""
        self._sleep(seconds)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise Refused(self.system, "the address is not a plain http or https address", next_step="correct the address in the settings")
        if self._allow_hosts and parts.hostname.lower() not in self._allow_hosts:
            raise Refused(self.system, f"the host {parts.hostname} is not one that may be called", next_step="allow it in hub.yaml")

    def _attempt(self, request: _Request, judge: Callable[[Answer], T]) -> T:
        self.budget.reserve(kind=request.kind, units=request.units)
        answer = self._exchange(request)
        try:
            if wait := self._asked_to_wait(answer):
                self.budget.hold(seconds=wait)
            if answer.status == 429:
                raise Throttled(self.system, "too many calls", after_s=wait or 1.0, vendor_code="429")
            if answer.status in _REDIRECTS:
                raise Refused(
                    self.system,
                    f"{request.path} was answered by a redirect{_other_host(request.url, answer)}; credentials are not sent after it",
                    vendor_code=str(answer.status),
                    next_step="enter the address it leads to in the settings, if it is the right one",
                )
            return judge(answer)
        except (Unavailable, Garbled) as error:
            if not request.writes:
                raise
            raise Uncertain(self.system, error.why, vendor_code=error.vendor_code, next_step="look the record up") from None

    def _asked_to_wait(self, answer: Answer) -> float | None:
        if answer.status not in (429, 503):
            return None
        return retry_after_s(answer.headers.get("retry-after", ""), now=self.clock())

    def _exchange(self, request: _Request) -> Answer:
        """One request, one whole answer, within the deadline. Logged without query string, headers and bodies."""
        started = time.monotonic()
        status, size, failure = 0, 0, ""
        try:
            with limited(self._deadline_s, allow_private=self._allow_private) as limit:
                try:
                    answer = self._receive(request)
                    if limit.expired:  # a cut inside the headers looks like their end
                        raise requests.Timeout
                except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, zlib.error, Garbled) as error:
                    raise self._failed(request, limit, error) from None
            status, size = answer.status, len(answer.body)
        except CallFailed as error:
            failure = error.code
            raise
        else:
            return answer
        finally:
            tell = log.warning if failure or status >= 500 else log.debug
            tell(
                "vendor call",
                system=self.system,
                method=request.method,
                path=request.path,
                status=status,
                ms=round((time.monotonic() - started) * 1000),
                bytes=size,
                **({"failure": failure} if failure else {}),
            )

    def _receive(self, request: _Request) -> Answer:
        headers = {"Accept-Encoding": "gzip", "User-Agent": "channel-hub", **request.headers}
        response = self._session.request(
            request.method,
            request.url,
            headers=headers,
            data=request.body,
            timeout=(self._connect_s, self._deadline_s),
            allow_redirects=False,
            stream=True,
        )
        try:
            body = _read_all(self.system, response, self._max_bytes)
        finally:
            response.close() if _unfinished(response) else response.raw.release_conn()
        return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)

    def _failed(self, request: _Request, limit: Limit, error: Exception) -> CallFailed:
        """The failure in our words. What could have reached the system counts as sent."""
        told = f"no whole answer within {self._deadline_s:g} s" if limit.expired else why(error)
        if not limit.sent:
            kind = Refused if find(error, PrivateAddress) or find(error, urllib3.exceptions.SSLError) else Unavailable
            return kind(self.system, f"{request.host}: {told}", next_step=next_step(error))
        if request.writes:
            return Uncertain(self.system, f"{request.path}: {told} after the request was sent", next_step="look the record up")
        if isinstance(error, Garbled):
            return error
        return (TooSlow if limit.expired else Unavailable)(self.system, f"{request.path}: {told}")


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    writes: bool
    units: int
    kind: str

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def retry_after_s(value: str, *, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for, given as seconds or as a date; between 0 and one day; None if it says nothing.

    Time: `now` is Unix time.
    """
    value = value.strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    return None if math.isnan(seconds) else min(max(seconds, 0.0), 86_400.0)


def _worth_repeating(error: BaseException) -> bool:
    if isinstance(error, Throttled):
        return error.after_s <= LONGEST_WAIT_S
    return isinstance(error, Unavailable | Garbled) and not isinstance(error, TooSlow | TooLarge)


_backoff = tenacity.wait_random_exponential(multiplier=0.5, max=10)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.after_s if isinstance(error, Throttled) else _backoff(state)


def _other_host(url: str, answer: Answer) -> str:
    target = urlsplit(urljoin(url, answer.headers.get("location", "")))
    here = urlsplit(url)
    return f" to {target.scheme}://{target.hostname}" if (target.scheme, target.netloc) != (here.scheme, here.netloc) else ""


def _unfinished(response: requests.Response) -> bool:
    return not getattr(response.raw, "closed", True) or bool(getattr(response.raw, "length_remaining", 0))


def _read_all(system: str, response: requests.Response, max_bytes: int) -> bytes:
    """The body, decompressed, within the cap. Raises: Garbled for more, for a cut or broken compression, for one we did not ask for."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Garbled(system, f"the answer is compressed by {encoding[:20]!r}, which was not asked for")
    unpack = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    parts: list[bytes] = []
    size = 0
    for sent in response.raw.stream(_CHUNK, decode_content=False):
        piece = sent if unpack is None else unpack.decompress(sent, max_bytes - size + 1)
        size += len(piece)
        if size > max_bytes:
            raise TooLarge(system, f"the answer is larger than {max_bytes / MIB:.3g} MiB", next_step="lower the page size")
        parts.append(piece)
    if unpack is not None and parts and not unpack.eof:
        raise Garbled(system, "the compressed answer is cut off")
    return b"".join(parts)

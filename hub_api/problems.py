"""What an answer says when something is wrong (RFC 9457), and the one table from kinds of error to HTTP statuses.

Rules and the engine raise errors that know nothing of HTTP; :mod:`hub_api.known_errors` turns each into a problem. A problem names no
record that the caller may not see: a hidden record and a missing one give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from starlette.responses import Response

STATUS: dict[str, int] = {
    "malformed": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "method": 405,
    "slow": 408,
    "conflict": 409,
    "gone": 410,
    "stale": 412,
    "too_large": 413,
    "invalid": 422,
    "throttled": 429,
    "internal": 500,
    "upstream": 502,
    "unavailable": 503,
}
"""Kind of error -> status. 422 is a bad payload and nothing else; our own outage is never a 4xx."""

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A failure of ours. A subclass is something the caller is told; its `code` is stable and documented in docs/api.md."""

    kind: ClassVar[str] = "internal"
    code: str = "api/internal"
    title: str = "The hub failed"
    detail: str = "Something went wrong here. It is logged under this answer's X-Request-Id; try again later."
    says_no_more: ClassVar[bool] = False
    """The error's own words are not told: the answer has the same bytes whatever it was about."""

    def __init__(self, detail: str = "", *, errors: Sequence[dict[str, str]] = (), retry_after_s: int | None = None) -> None:
        self.detail = detail or type(self).detail
        self.errors = list(errors)
        self.retry_after_s = retry_after_s
        super().__init__(self.detail)

    @property
    def status(self) -> int:
        """The HTTP status of its kind."""
        return STATUS[self.kind]

    def body(self) -> dict[str, Any]:
        """The RFC 9457 members."""
        members: dict[str, Any] = {
            "type": f"urn:channel-hub:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            members["errors"] = self.errors
        return members

    def headers(self) -> dict[str, str]:
        """Headers that go with it."""
        headers = {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        if self.kind == "unauthenticated":
            headers["WWW-Authenticate"] = 'Bearer realm="channel-hub"'
        return headers

    def response(self) -> Response:
        """The answer."""
        return Response(msgspec.json.encode(self.body()), self.status, self.headers(), MEDIA_TYPE)


class BadParameters(Problem):
    """A query parameter or header is unknown or cannot be understood; `errors` names each."""

    kind = "malformed"
    code = "api/bad-parameters"
    title = "A parameter cannot be used"
    detail = "A query parameter or header is unknown or cannot be understood; see errors."


class FieldNotAllowed(Problem):
    """A filter or sort names a field that this key may not see."""

    kind = "malformed"
    code = "records/field-not-allowed"
    title = "A field cannot be used here"
    detail = "This key may not filter or sort by that field."


class BadCursor(Problem):
    """The cursor was not made by this list, with these filters, for this key: there is no such page."""

    kind = "not_found"
    code = "api/bad-cursor"
    title = "The cursor does not fit"
    detail = "The cursor belongs to another query or key. Start again without it."


class Unreadable(Problem):
    """The body is no JSON."""

    kind = "malformed"
    code = "api/unreadable"
    title = "The body cannot be read"
    detail = "The body is not JSON in UTF-8, or nested too deeply."


class Unauthenticated(Problem):
    """No key, or not a valid one."""

    kind = "unauthenticated"
    code = "keys/unauthenticated"
    title = "No valid key"
    detail = "Send a valid API key as `Authorization: Bearer hub_…`."


class KeyExpired(Unauthenticated):
    """The key was right once."""

    code = "keys/expired"
    title = "The key has expired"
    detail = "This key has expired or was revoked. Ask the hub's operator for a new one."


class Forbidden(Problem):
    """The key lacks the scope."""

    kind = "forbidden"
    code = "keys/scope-missing"
    title = "This key may not do that"
    detail = "The key lacks a scope for this. Ask the hub's operator."


class ForgedCallback(Problem):
    """A vendor's callback does not carry the proof that it comes from the vendor."""

    kind = "unauthenticated"
    code = "hooks/forged"
    title = "The callback is not proven"
    detail = "The signature or token of this callback is missing, wrong or too old."


class RecordNotFound(Problem):
    """No such record, or not for this key: the two look the same."""

    kind = "not_found"
    code = "records/not-found"
    title = "No such record"
    detail = "There is no such record, or this key may not see it."


class NotFound(Problem):
    """No such thing."""

    kind = "not_found"
    code = "api/not-found"
    title = "Not found"
    detail = "There is nothing at this address."


class MethodNotAllowed(Problem):
    """The address exists, the method does not."""

    kind = "method"
    code = "api/method-not-allowed"
    title = "Method not allowed"
    detail = "This address does not take that method."

    def __init__(self, detail: str = "", *, allow: str = "") -> None:
        self.allow = allow
        super().__init__(detail)

    def headers(self) -> dict[str, str]:
        """With the methods that there are."""
        return {"Allow": self.allow}


class BodyTooSlow(Problem):
    """The client takes too long to send."""

    kind = "slow"
    code = "api/body-too-slow"
    title = "The body came too slowly"
    detail = "The body did not arrive in time. Try again."


class BodyTooLarge(Problem):
    """The body is larger than the cap."""

    kind = "too_large"
    code = "api/body-too-large"
    title = "The body is too large"
    detail = "The body is larger than this address accepts."


class InvalidPayload(Problem):
    """The body has the wrong shape; `errors` names each field."""

    kind = "invalid"
    code = "api/invalid-payload"
    title = "The payload is not valid"
    detail = "The body does not have the documented shape; see errors."


class Stale(Problem):
    """If-Match names an older version."""

    kind = "stale"
    code = "records/stale"
    title = "The record has changed"
    detail = "The record changed since that version. Read it again, then repeat the edit."


class RequestRepeated(Problem):
    """The same Idempotency-Key is being worked on."""

    kind = "conflict"
    code = "api/request-in-progress"
    title = "The same request is being worked on"
    detail = "A request with this Idempotency-Key is still running. Ask again in a moment."


class KeyReused(Problem):
    """The Idempotency-Key came with another request before."""

    kind = "conflict"
    code = "api/idempotency-key-reused"
    title = "The Idempotency-Key belongs to another request"
    detail = "This Idempotency-Key was used for another request. Use a fresh one."


class WrongState(Problem):
    """The plan, case or record is not in a state that allows this."""

    kind = "conflict"
    code = "sync/wrong-state"
    title = "Not in this state"
    detail = "It is not, or no longer, in a state that allows this. Read it again."


class BadLinkRows(WrongState):
    """Rows of an import of links that cannot stand; `errors` names each."""

    code = "sync/bad-link-rows"
    title = "Rows that cannot be linked"
    detail = "Some rows cannot be linked, so none was; see errors."


class NotAllowedHere(Problem):
    """The mode of the flow, or the owner of a field, does not allow it."""

    kind = "conflict"
    code = "sync/not-allowed"
    title = "Not allowed by hub.yaml"
    detail = "The mode of the flow or the owner of a field does not allow it."


class Unavailable(Problem):
    """The database or another part of the hub is away."""

    kind = "unavailable"
    code = "api/unavailable"
    title = "The hub is not ready"
    detail = "The hub cannot answer now. Try again shortly."

    def __init__(self, detail: str = "", *, retry_after_s: int = 5) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class TookTooLong(Unavailable):
    """A statement ran into its time limit."""

    code = "api/took-too-long"
    title = "It took too long"
    detail = "The query ran into its time limit. Narrow it, or try again later."


class SystemAway(Problem):
    """A vendor's system failed while the hub waited for it."""

    kind = "upstream"
    code = "sync/system-failed"
    title = "A system failed"
    detail = "A connected system did not answer as it should. Nothing is lost; see /v1/systems."


SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457). `code` is stable; the texts may change.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "what"],
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}

ALWAYS: tuple[type[Problem], ...] = (Unauthenticated, KeyExpired, Forbidden, Unavailable, TookTooLong, Problem)
"""What every route that needs a key may answer."""


def problems(*kinds: type[Problem], keyed: bool = True) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems, and with those that every route may."""
    if InvalidPayload in kinds:  # it takes a body
        kinds = (*kinds, *(kind for kind in (BodyTooLarge, BodyTooSlow) if kind not in kinds))
    by_status: dict[int, list[type[Problem]]] = {}
    for kind in (*(ALWAYS if keyed else (Unavailable, Problem)), *kinds):
        by_status.setdefault(STATUS[kind.kind], []).append(kind)
    return {
        status: {
            "description": "; ".join(dict.fromkeys(kind.title for kind in found)),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {kind.code: {"summary": kind.title, "value": kind().body()} for kind in found},
                }
            },
        }
        for status, found in sorted(by_status.items())
    }

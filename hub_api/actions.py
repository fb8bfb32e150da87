"""Doing something through the API: asked and done are on record, and a repeated request is answered, not done again.

The Idempotency-Key follows the IETF draft: the first request runs; a repeat with the same content gets the first one's answer; while the
first still runs, or with other content, it is a conflict. Our own failures (5xx) are not kept, so that a repeat tries again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Header, Request
from psycopg.types.json import Jsonb
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from hub_api.deps import Engine, EngineDep, may
from hub_api.keys import Caller
from hub_api.known_errors import problem_of
from hub_api.lists import Listing
from hub_api.pages import found
from hub_api.permissions import Scope
from hub_api.problems import KeyReused, RequestRepeated

_Intent = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
IdempotencyKey = Annotated[
    _Intent | SkipJsonSchema[None],
    Header(
        alias="Idempotency-Key",
        description="Any text of your own, unique per intent. A repeat with the same key and body gets the first answer and does nothing.",
    ),
]

_STUCK = "10 minutes"
"""After this long without an answer the first request has died with its process, and a repeat may run."""


class Answered(Exception):
    """The answer stands already; nothing is done again."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body
        super().__init__(f"answered with {status}")

    def response(self) -> Response:
        """The first request's answer, marked as a repeat."""
        media_type = "application/json" if self.status < 400 else "application/problem+json"
        return Response(self.body, self.status, {"Idempotency-Replayed": "true"}, media_type)


@dataclass(slots=True)
class Action:
    """One thing that a caller does. Made by `Doing[...]`; the endpoint names the target and gives the answer."""

    engine: Engine
    caller: Caller
    request_id: str
    name: str
    idempotency_key: str | None
    answer: tuple[int, bytes] | None = None
    target: str = ""

    @property
    def by(self) -> str:
        """How history names the caller."""
        return self.caller.actor

    def on(self, target: str, **facts: Any) -> None:
        """Record that this was asked, before it is tried. `facts` hold names, never values of records."""
        self.target = _storable(target)
        self.record("asked", facts=_storable(facts))

    def done(self, body: Any, status: int = 200) -> Response:
        """Record that it was done; returns the answer."""
        content = msgspec.json.encode(body)
        self.answer = (status, content)
        return Response(content, status, media_type="application/json")

    def done_with(self, listing: Listing, *, status: int = 200, **key: Any) -> Response:
        """Record that it was done; the answer is the row as it stands now. Raises: NotFound."""
        with self.engine.reading() as db:
            return self.done(found(db, listing, **key), status)

    def record(self, phase: str, *, code: str = "", facts: dict[str, Any] | None = None) -> None:
        """One line of the audit log, committed at once."""
        with self.engine.transaction() as db:
            db.execute(
                "INSERT INTO api_audit (request_id, key_id, actor, action, target, phase, code, facts) VALUES (%s, %s, "
                "%s, %s, %s, %s, %s, %s)",
                [self.request_id, self.caller.key_id, self.by, self.name, self.target, phase, code, Jsonb(facts or {})],
            )

    def begin(self, fingerprint: bytes) -> None:
        """Take the Idempotency-Key, if there is one.

        Raises: Answered for a repeat, RequestRepeated while the first runs, KeyReused when it came with another request.
        """
        if self.idempotency_key is None:
            return
        with self.engine.transaction() as db:
            db.execute(
                "DELETE FROM idempotent_request WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotent_request "
                "WHERE started_at < now() - make_interval(hours => %s) LIMIT 100 FOR UPDATE SKIP LOCKED))",
                [self.engine.settings.idempotency_hours],
            )
            db.execute(
                "INSERT INTO idempotent_request (key_id, idempotency_key, fingerprint) VALUES (%s, %s, %s) ON CONFLICT "
                "(key_id, idempotency_key) "
                "DO UPDATE SET started_at = now(), fingerprint = excluded.fingerprint, status = NULL, body = NULL "
                "WHERE idempotent_request.started_at < now() - make_interval(hours => %s) OR (idempotent_request.status IS NULL "
                f"AND idempotent_request.started_at < now() - interval '{_STUCK}' AND idempotent_request.fingerprint = "
                "excluded.fingerprint) RETURNING true",
                [self.caller.key_id, self.idempotency_key, fingerprint, self.engine.settings.idempotency_hours],
            )
            if db.fetchone():
                return
            db.execute(
                "SELECT fingerprint, status, body FROM idempotent_request WHERE key_id = %s AND idempotency_key = %s",
                [self.caller.key_id, self.idempotency_key],
            )
            row = db.fetchone()
        if row is None:
            raise RequestRepeated
        if bytes(row["fingerprint"]) != fingerprint:
            raise KeyReused
        if row["status"] is None:
            raise RequestRepeated
        raise Answered(row["status"], bytes(row["body"]))

    def end(self, error: Exception | None) -> None:
        """Record the outcome, and keep or forget the answer."""
        if error is not None:
            problem = problem_of(error)
            self.answer = (problem.status, msgspec.json.encode(problem.body()))
            if self.target:
                self.record("failed" if problem.status >= 500 else "refused", code=problem.code)
        elif self.target:
            self.record("done")
        if self.idempotency_key is None or self.answer is None:
            return
        status, body = self.answer
        with self.engine.transaction() as db:
            if status >= 500:
                db.execute(
                    "DELETE FROM idempotent_request WHERE key_id = %s AND idempotency_key = %s", [self.caller.key_id, self.idempotency_key]
                )
            else:
                db.execute(
                    "UPDATE idempotent_request SET status = %s, body = %s WHERE key_id = %s AND idempotency_key = %s",
                    [status, body, self.caller.key_id, self.idempotency_key],
                )


def _storable(value: Any) -> Any:
    """Names as PostgreSQL can hold them: a name that came from outside may have U+0000 in it."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {name: _storable(inner) for name, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list) else value


async def raw_body(request: Request) -> bytes:
    """The body as it came; the gate has bounded it."""
    return await request.body()


RawBody = Annotated[bytes, Depends(raw_body)]


def _fingerprint(request: Request, body: bytes) -> bytes:
    return hashlib.sha256(
        b"\n".join([request.method.encode(), request.url.path.encode(), request.headers.get("if-match", "").encode(), body])
    ).digest()


def doing(name: str, scope: Scope) -> Any:
    """The action of a caller who has the scope.

    An endpoint asks for it with `act: Annotated[Action, doing("plan.approve", Scope.PLANS_DECIDE)]`.
    """

    def action(
        request: Request, engine: EngineDep, caller: Caller, body: RawBody, idempotency_key: IdempotencyKey = None
    ) -> Iterator[Action]:
        act = Action(engine, caller, request.scope["state"]["request_id"], name, idempotency_key)
        act.begin(_fingerprint(request, body))
        try:
            yield act
        except Exception as error:
            act.end(error)
            raise
        act.end(None)

    # The scope is known only here, not where FastAPI resolves annotations.
    action.__annotations__["caller"] = Annotated[Caller, may(scope)]
    return Depends(action, scope="function")

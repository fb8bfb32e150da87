"""Vendors' callbacks: taken raw, verified by the connector before anything is parsed, and only ever a hint to read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from hub_api import engine_calls
from hub_api.actions import RawBody
from hub_api.deps import EngineDep
from hub_api.problems import BodyTooLarge, BodyTooSlow, ForgedCallback, NotFound, RecordNotFound, SystemAway, problems

router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

System = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$", description="Name of the system in hub.yaml.")]

_PLAIN = frozenset({"text/plain", "application/json", "application/xml", "text/xml"})
_RESPONSES = {200: {"description": "Taken.", "content": {"text/plain": {"example": "success"}}}} | problems(
    ForgedCallback, NotFound, RecordNotFound, BodyTooLarge, BodyTooSlow, SystemAway, keyed=False
)
_BODY = {"requestBody": {"required": False, "content": {"application/octet-stream": {"example": "the vendor's own bytes"}}}}


@router.get("/{system}", operation_id="verify_hook", responses=_RESPONSES, response_class=Response)
def verify(system: System, request: Request, body: RawBody, engine: EngineDep) -> Response:
    """A vendor's check that the address answers. The proof is in its query."""
    return _received(system, request, body, engine)


@router.post("/{system}", operation_id="receive_hook", responses=_RESPONSES, response_class=Response, openapi_extra=_BODY)
def receive(system: System, request: Request, body: RawBody, engine: EngineDep) -> Response:
    """A vendor's event. It is answered when it is safe: a failure here is a 5xx, so that the vendor sends it again."""
    return _received(system, request, body, engine)


def _received(system: str, request: Request, body: bytes, engine: EngineDep) -> Response:
    if system not in engine.hub.systems():
        raise NotFound
    answer = engine_calls.receive(engine.hub, system, request, body)
    # Never HTML: an echo of what came must not run in a browser.
    media_type = answer.media_type if answer.media_type.partition(";")[0].strip() in _PLAIN else "text/plain"
    return Response(answer.body, answer.status, media_type=media_type)

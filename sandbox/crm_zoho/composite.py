"""Composite requests: at most five calls in one. Source: reference notes on Zoho CRM v8, "Writing".

`rollback_on_fail` is refused here: the stand-in has no rollback over several calls, and says so rather than pretend.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from sandbox.core.http import JSON_IN, JSON_OUT, Request, Response
from sandbox.crm_zoho.calls import Call, Handler, answer
from sandbox.crm_zoho.errors import ApiError
from sandbox.crm_zoho.metadata import Doc

MAX_REQUESTS = 5


Router = Callable[[Request], tuple[Handler, tuple[str, ...]]]


def composite_over(route: Router) -> Handler:
    """The handler of `POST /__composite_requests`: the sub-requests one after the other, each found by `route`."""
    return lambda call: _composite(call, route)


def _composite(call: Call, route: Router) -> Response:
    body = call.body()
    sent = body.get("__composite_requests")
    if not isinstance(sent, list) or not sent or not all(isinstance(item, dict) for item in sent):
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="__composite_requests", expected_data_type="jsonarray")
    if len(sent) > MAX_REQUESTS:
        raise ApiError(400, "LIMIT_EXCEEDED", "maximum number of sub requests exceeded", limit=MAX_REQUESTS)
    if body.get("rollback_on_fail") is True:
        raise ApiError(403, "FEATURE_NOT_SUPPORTED", "rollback_on_fail is not supported by this sandbox")
    call.credits = 0
    return answer({"__composite_requests": [_one(call, route, item, at) for at, item in enumerate(sent)]})


def _handled(call: Call, route: Router, request: Request) -> Response:
    handler, parts = route(request)
    if parts[0] == "__composite_requests":
        raise ApiError(400, "INVALID_DATA", "a composite request cannot hold another", api_name="uri")
    inner = Call(call.box, request, parts, call.base)
    response = handler(inner)
    call.credits += inner.credits
    return response


def _one(call: Call, route: Router, item: Doc, at: int) -> Doc:
    path, _, query = str(item.get("uri", "")).partition("?")
    params = item.get("params") if isinstance(item.get("params"), Mapping) else {}
    sent = item.get("headers") if isinstance(item.get("headers"), Mapping) else {}
    headers = {str(name).lower(): str(value) for name, value in (sent or {}).items()}
    body = JSON_OUT.encode(item["body"]) if item.get("body") is not None else b""
    request = Request(
        str(item.get("method", "GET")).upper(),
        path,
        path,
        {**dict(parse_qsl(query)), **{key: str(value) for key, value in (params or {}).items()}},
        headers,
        body,
    )
    try:
        response = _handled(call, route, request)
    except ApiError as error:
        response = error.response()
    call.request.written += request.written
    call.request.created += request.created
    call.request.operation = call.request.operation or request.operation
    details = {
        "sub_request_id": item.get("sub_request_id", str(at + 1)),
        "status_code": response.status,
        "headers": {"content-type": response.content_type},
        "response": JSON_IN.decode(response.body) if response.body and "json" in response.content_type else None,
    }
    return {"code": "SUCCESS", "details": details, "message": "composite sub request executed successfully", "status": "success"}

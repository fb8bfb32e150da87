"""The control door: the stand-in's records as a user of that system sees and edits them, its faults, and its log."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from sandbox.collector import spare_what_is_there, without_collector
from sandbox.core.faults import BadFault, parse
from sandbox.core.http import Request, Response, json_response
from sandbox.core.vendor import Rejected, UnknownStream, Vendor

PREFIX = "/_control/"


def answer(vendor: Vendor, request: Request) -> Response:
    """Answer one control call. Wrong calls get 400 or 404 with a reason, never a traceback."""
    parts = [unquote(part) for part in request.raw_path.split("?")[0][len(PREFIX) :].split("/") if part]
    try:
        return _route(vendor, request, parts)
    except UnknownStream as error:
        return json_response({"error": str(error.args[0])}, 404)
    except (BadFault, Rejected, msgspec.DecodeError, ValueError) as error:
        return json_response({"error": str(error)}, 400)


def _route(vendor: Vendor, request: Request, parts: list[str]) -> Response:
    if len(parts) in (2, 3) and parts[0] == "records":
        return _records(vendor, request, vendor.native(parts[1]), parts[2:])
    match (request.method, *parts):
        case (_, "faults"):
            return _faults(vendor, request)
        case ("GET", "log"):
            return json_response(vendor.log.after(int(request.query.get("after", "0") or 0)))
        case ("GET", "streams"):
            return json_response(dict(vendor.streams))
        case ("POST", "reset"):
            _reset(vendor)
            return json_response({"reset": True})
        case ("POST", "load"):
            with without_collector():
                return json_response({"loaded": _load(vendor, request)})
    return _unknown(request)


def _load(vendor: Vendor, request: Request) -> int:
    loaded = vendor.load(request.json())
    spare_what_is_there()
    return loaded


def _unknown(request: Request) -> Response:
    return json_response({"error": f"no control call {request.method} {request.path}"}, 404)


def _records(vendor: Vendor, request: Request, stream: str, key: list[str]) -> Response:
    if request.method == "GET" and not key:
        with without_collector():
            return Response(200, vendor.records_body(stream, request.query))
    if request.method == "POST" and not key:
        return _put(vendor, stream, request)
    if request.method == "DELETE" and key:
        gone = vendor.delete(stream, key[0])
        return json_response({"deleted": gone}, 200 if gone else 404)
    return _unknown(request)


def _faults(vendor: Vendor, request: Request) -> Response:
    if request.method == "POST":
        body = msgspec.json.decode(request.body)
        for item in body if isinstance(body, list) else [body]:
            vendor.faults.add(parse(item))
    elif request.method == "DELETE":
        vendor.faults.clear()
    elif request.method != "GET":
        return _unknown(request)
    return json_response(vendor.faults.listed())


def _reset(vendor: Vendor) -> None:
    vendor.faults.clear()
    vendor.reset()
    if vendor.reseed is not None:
        vendor.reseed()
    vendor.log.clear()


def _put(vendor: Vendor, stream: str, request: Request) -> Response:
    body = request.json()
    user = request.query.get("user", "user")
    if isinstance(body, list):
        return json_response([vendor.put(stream, doc, user) for doc in body])
    if not isinstance(body, dict):
        raise Rejected("a record is a JSON object, or a list of them")
    return json_response(vendor.put(stream, body, user))

"""The part that all stand-ins share: HTTP server, control door, faults, request log, storage.

A vendor's package subclasses :class:`~sandbox.core.vendor.Vendor` and runs it with :class:`~sandbox.core.server.Server`.
"""

from sandbox.core.events import Event, Events
from sandbox.core.faults import EXTRA_EFFECTS, Fault, Faults
from sandbox.core.http import JSON_IN, JSON_OUT, Request, Response, json_response, text_response
from sandbox.core.log import RequestLog
from sandbox.core.server import Server, serving
from sandbox.core.store import connect, transaction
from sandbox.core.vendor import Doc, Rejected, UnknownStream, Vendor

__all__ = [
    "EXTRA_EFFECTS",
    "JSON_IN",
    "JSON_OUT",
    "Doc",
    "Event",
    "Events",
    "Fault",
    "Faults",
    "Rejected",
    "Request",
    "RequestLog",
    "Response",
    "Server",
    "UnknownStream",
    "Vendor",
    "connect",
    "json_response",
    "serving",
    "text_response",
    "transaction",
]

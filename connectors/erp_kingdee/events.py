"""Events from a Kingdee server plug-in.

The WebAPI has none of its own, so this form is the hub's; docs/connectors/erp_kingdee.md tells how to write the plug-in.

A POST of `{"event_id", "form", "operation", "keys": [...]}` with the headers `X-Hub-Timestamp` (Unix seconds) and
`X-Hub-Signature`: `sha256=` and the hexadecimal HMAC-SHA256 of `<timestamp>.<body>` under the event secret.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

from connectors.base import EventAnswer, Hint, InboundRequest
from connectors.erp_kingdee.settings import KingdeeSettings
from connectors.erp_kingdee.streams import FORMS
from connectors.errors import Forged, Garbled
from connectors.transport import parse_json

SKEW_S = 300
BODY_AT_MOST = 1024 * 1024
_STREAM_OF = {form.form.lower(): name for name, form in FORMS.items()}


def read(settings: KingdeeSettings, request: InboundRequest, *, now: float | None = None) -> EventAnswer:
    """What an event hints at. Raises: Forged when the signature, its age or the size is wrong; nothing is parsed before."""
    _verify(settings, request, time.time() if now is None else now)
    try:
        event = parse_json("kingdee", request.body)
    except Garbled as error:
        return EventAnswer(400, error.why.encode())
    stream = _STREAM_OF.get(str(event.get("form") or "").lower()) if isinstance(event, dict) else None
    keys: Any = event.get("keys") if isinstance(event, dict) else None
    if stream is None or not isinstance(keys, list):
        return EventAnswer(200, b"ignored")
    identity, gone = str(event.get("event_id") or ""), str(event.get("operation") or "").lower() == "delete"
    hints = [Hint(stream, str(key), gone, f"{identity}:{key}" if identity else "") for key in keys if isinstance(key, str | int)]
    return EventAnswer(200, b"ok", hints=hints)


def _verify(settings: KingdeeSettings, request: InboundRequest, now: float) -> None:
    secret = settings.event_secret.get_secret_value().encode()
    stamp, given = request.headers.get("x-hub-timestamp", ""), request.headers.get("x-hub-signature", "")
    if not secret:
        raise Forged("no event secret is set, so no event is taken")
    if len(request.body) > BODY_AT_MOST:
        raise Forged("the event is too large")
    if not (stamp.isascii() and stamp.isdigit()) or abs(now - int(stamp)) > SKEW_S:
        raise Forged("the event's time is missing or too far from ours")
    due = "sha256=" + hmac.new(secret, stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(due.encode(), given.encode("utf-8", "replace")):
        raise Forged("the event's signature is wrong")

"""Notifications: callbacks from Zoho, verified and turned into hints; and the channel they need, which expires within a week.

The `token` that the channel was made with and that comes back in the body is the only proof of origin, and the order and number of
callbacks are promised by nobody: a hint is a reason to read, the increments stay the truth.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import EventAnswer, Finding, Hint, InboundRequest
from connectors.crm_zoho.answers import Row
from connectors.crm_zoho.client import ZohoClient
from connectors.crm_zoho.settings import ZohoSettings
from connectors.crm_zoho.streams import modules, moment
from connectors.errors import Forged, Garbled
from connectors.transport import parse_json

MAX_BODY = 1024 * 1024
MAX_IDS = 5000
LIFE = timedelta(days=6)
"""How long a channel is asked to live; a week is the most that Zoho grants (API v8, notifications)."""
RENEW_BEFORE = timedelta(days=2)


def events(settings: ZohoSettings, request: InboundRequest) -> EventAnswer:
    """Verify a callback, then say which records it hints at. Raises: Forged."""
    body = _proven(settings, request)
    streams = {module.api_name: name for name, module in modules(settings).items()}
    stream = streams.get(str(body.get("module") or ""))
    if stream is None or str(body.get("channel_id") or settings.channel_id) != settings.channel_id:
        return EventAnswer(200, b"ok")
    operation = str(body.get("operation") or "").lower()
    occasion = f"{body.get('channel_id') or ''}:{body.get('server_time') or ''}:{operation}" if body.get("server_time") else ""
    hints = [Hint(stream, key, operation == "delete", f"{occasion}:{key}" if occasion else "") for key in _ids(body)]
    return EventAnswer(200, b"ok", hints=hints)


def _proven(settings: ZohoSettings, request: InboundRequest) -> dict[str, Any]:
    if request.method.upper() != "POST":
        raise Forged("a callback is a POST")
    if len(request.body) > MAX_BODY:
        raise Forged("the callback is larger than 1 MiB")
    try:
        body = parse_json("zoho", request.body)
    except Garbled:
        raise Forged("the callback is not JSON") from None
    token = body.get("token") if isinstance(body, dict) else None
    secrets = [secret.get_secret_value() for secret in (settings.notification_token, settings.notification_token_previous) if secret]
    if not isinstance(token, str) or not token or not secrets:
        raise Forged("the callback carries no token, or none is set in the settings")
    if not any(hmac.compare_digest(token.encode(), secret.encode()) for secret in secrets if secret):
        raise Forged("the callback carries another token")
    found: dict[str, Any] = body
    return found


def _ids(body: Row) -> Sequence[str]:
    ids = body.get("ids")
    listed = ids if isinstance(ids, list) else []
    texts = [str(key) for key in listed[:MAX_IDS] if isinstance(key, str | int) and not isinstance(key, bool)]
    return list(dict.fromkeys(key for key in texts if key.isascii() and key.isdigit() and len(key) <= 20))


def renew(client: ZohoClient, settings: ZohoSettings, now: datetime) -> Sequence[Finding]:
    """Compare the channel that is there with the one that should be, and make, replace or prolong it.

    Time: `now` decides only whether to prolong; run it daily. Raises: CallFailed.
    """
    if not settings.notify_url or settings.notification_token is None:
        return [Finding("notifications", True, "switched off; increments keep up", "set notify_url and notification_token to use them")]
    wanted = {f"{module.api_name}.all" for module in modules(settings).values()}
    there = client.watches(settings.channel_id)
    have, ends, right = _present(there, settings)
    if right and wanted == have and ends is not None and ends - now > RENEW_BEFORE:
        return [Finding("notifications", True, f"{len(have)} modules are watched until {ends.isoformat()}")]
    until = (now + LIFE).astimezone(UTC).isoformat(timespec="seconds")
    watch: Row = {
        "channel_id": settings.channel_id,
        "events": sorted(wanted),
        "channel_expiry": until,
        "token": settings.notification_token.get_secret_value(),
        "notify_url": settings.notify_url,
        "return_affected_field_values": False,
    }
    answers = client.watch("PUT" if there else "POST", watch)
    bad = [answer for answer in answers if answer.get("code") != "SUCCESS"]
    if bad or not answers:
        said = "; ".join(f"{answer.get('code')}: {str(answer.get('message'))[:120]}" for answer in bad) or "no answer"
        return [Finding("notifications", False, f"the channel was not accepted: {said}", "check notify_url and the scope")]
    return [Finding("notifications", True, f"{len(wanted)} modules are watched until {until}")]


def _present(there: Sequence[Row], settings: ZohoSettings) -> tuple[set[str], datetime | None, bool]:
    """Events that are subscribed, the earliest end, and whether they go to the right address.

    An answer tells one event per row (`resource_name`), or a list of them, or both.
    """
    have: set[str] = set()
    ends: list[datetime] = []
    right = bool(there)
    for row in there:
        inner = [event for event in row.get("events") or () if isinstance(event, dict)]
        have |= {event for event in row.get("events") or () if isinstance(event, str)}
        for event in (row, *inner):
            if name := event.get("resource_name"):
                have.add(str(name) if "." in str(name) else f"{name}.all")
            if when := moment(str(event.get("channel_expiry") or "")):
                ends.append(when)
        right = right and row.get("notify_url", settings.notify_url) == settings.notify_url
    return have, min(ends, default=None), right


def renew_watch(session: Any) -> Sequence[Finding]:
    """Keep the notification channel of a session alive; call it at least daily. Raises: CallFailed."""
    found: Sequence[Finding] = session.renew_watch()
    return found

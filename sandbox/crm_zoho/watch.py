"""Notifications: channels that live at most a week, and a POST to their address after each change.

Source: reference notes on Zoho CRM v8, "Notifications". The callback names ids and the operation only; its `token` is all the proof.
Nothing is promised about order or repeated delivery; the faults `lose_event`, `duplicate_event` and `reorder_events` show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sandbox.core.events import Event
from sandbox.core.http import JSON_OUT, Response
from sandbox.crm_zoho.calls import Call, Sandbox, answer, integer, no_content
from sandbox.crm_zoho.clock import parse_moment, text_of
from sandbox.crm_zoho.errors import ApiError, RecordError, invalid, missing, param_missing
from sandbox.crm_zoho.metadata import Doc, metadata_id
from sandbox.crm_zoho.modules import MODULES

LONGEST = timedelta(weeks=1)
DEFAULT = timedelta(hours=1)
MAX_TOKEN = 50
OPERATIONS: Mapping[str, str] = {"create": "insert", "edit": "update", "delete": "delete"}
"""Word of an event (`Deals.edit`) and of the operation in its callback."""
_SUBSCRIBED = "Successfully subscribed for actions-watch of the given module"
_UNSUBSCRIBED = "Successfully unsubscribed from actions-watch of the given module"


def tell(box: Sandbox, module: str, operation: str, keys: Sequence[str], base: str) -> None:
    """Post a change to every live channel that listens for it."""
    if not box.channels:
        return
    now = box.clock.text()
    for channel in list(box.channels.values()):
        if channel["channel_expiry"] > now and any(_fits(event, module, operation) for event in channel["events"]):
            box.events.fire(module, _event(box, channel, module, operation, keys, base))


def watch(call: Call) -> Response:
    """`/actions/watch`: enable, replace, change, list and disable channels."""
    match call.request.method:
        case "POST" | "PUT":
            return _each(call, _subscribed, 201 if call.request.method == "POST" else 200)
        case "PATCH":
            return _each(call, _patched, 200)
        case "GET":
            return _listed(call)
    return _disabled(call)


def _event(box: Sandbox, channel: Doc, module: str, operation: str, keys: Sequence[str], base: str) -> Event:
    docs = box.store.tables[module].docs
    stamps = {key: docs[key]["Modified_Time"] for key in keys if key in docs}
    body = {
        "server_time": int(box.clock.time() * 1000),
        "affected_values": [{"record_id": key, "values": {"Modified_Time": stamp}} for key, stamp in stamps.items()],
        "affected_fields": [{key: ["Modified_Time"]} for key in keys],
        "query_params": {},
        "module": module,
        "resource_uri": f"{base}/crm/v8/{module}",
        "ids": list(keys),
        "operation": operation,
        "channel_id": channel["channel_id"],
        "token": channel.get("token"),
    }
    return Event(channel["notify_url"], JSON_OUT.encode(body), {"Content-Type": "application/json"})


def _fits(event: str, module: str, operation: str) -> bool:
    name, _, kind = event.partition(".")
    return name == module and (kind == "all" or OPERATIONS.get(kind) == operation)


def _each(call: Call, one: Callable[[Call, Doc, str], Doc], done: int) -> Response:
    sent = call.body().get("watch")
    if not isinstance(sent, list) or not sent or not all(isinstance(item, dict) for item in sent):
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="watch", json_path="$.watch", expected_data_type="jsonarray")
    call.request.operation = "watch"
    entries: list[Doc] = []
    good = 0
    for at, item in enumerate(sent):
        try:
            entries.append(one(call, item, f"$.watch[{at}]"))
            good += 1
        except RecordError as error:
            entries.append(error.entry())
    call.box.store.keep("watch", call.box.channels)
    return answer({"watch": entries}, done if good == len(entries) else 207 if good else 400)


def _subscribed(call: Call, item: Doc, path: str) -> Doc:
    key = _channel_id(item, path)
    url, token = _url(item, path), _token(item, path)
    events = _events(item, path)
    channel = {"channel_id": key, "events": events, "channel_expiry": _expiry(call, item, path), "token": token, "notify_url": url}
    for name in ("return_affected_field_values", "notify_on_related_action", "notification_condition"):
        channel[name] = item.get(name)
    call.box.channels[key] = channel
    return _entry(call, channel, _SUBSCRIBED)


def _patched(call: Call, item: Doc, path: str) -> Doc:
    channel = _known(call, _channel_id(item, path), f"{path}.channel_id")
    changed = dict(channel)
    if item.get("_delete_events") is True:
        gone = set(_events(item, path))
        changed["events"] = [event for event in channel["events"] if event not in gone]
    elif "events" in item:
        changed["events"] = list(dict.fromkeys((*channel["events"], *_events(item, path))))
    if "channel_expiry" in item:
        changed["channel_expiry"] = _expiry(call, item, path)
    if "token" in item:
        changed["token"] = _token(item, path)
    if "notify_url" in item:
        changed["notify_url"] = _url(item, path)
    call.box.channels[channel["channel_id"]] = changed
    return _entry(call, changed, _SUBSCRIBED)


def _listed(call: Call) -> Response:
    now = call.box.clock.text()
    wanted, module = call.query.get("channel_id"), call.query.get("module")
    page, per_page = integer(call, "page", 1, 1, 1_000_000), integer(call, "per_page", 200, 1, 200)
    found = [
        _shown(channel, event, call.base)
        for key, channel in call.box.channels.items()
        if channel["channel_expiry"] > now and wanted in (None, "", key)
        for event in channel["events"]
        if module in (None, "", event.partition(".")[0])
    ]
    rows = found[(page - 1) * per_page : page * per_page]
    if not rows:
        return no_content()
    info = {"per_page": per_page, "count": len(rows), "page": page, "more_records": len(found) > page * per_page}
    return answer({"watch": rows, "info": info})


def _disabled(call: Call) -> Response:
    keys = [key for key in call.query.get("channel_ids", "").split(",") if key]
    if not keys:
        raise param_missing("channel_ids")
    entries: list[Doc] = []
    good = 0
    for key in keys:
        try:
            channel = _known(call, key, "channel_ids")
            del call.box.channels[key]
            entries.append(_entry(call, channel, _UNSUBSCRIBED))
            good += 1
        except RecordError as error:
            entries.append(error.entry())
    call.box.store.keep("watch", call.box.channels)
    return answer({"watch": entries}, 200 if good == len(keys) else 207 if good else 400)


def _known(call: Call, key: str, path: str) -> Doc:
    channel = call.box.channels.get(key)
    if channel is None or channel["channel_expiry"] <= call.box.clock.text():
        raise RecordError("NOT_SUBSCRIBED", "Not subscribed for actions-watch of the given channel", channel_id=key, json_path=path)
    return channel


def _channel_id(item: Doc, path: str) -> str:
    key = item.get("channel_id")
    if key is None:
        raise missing(f"{path}.channel_id", "channel_id")
    text = str(key)
    if isinstance(key, bool) or not text.isdigit() or len(text) > 19:
        raise invalid(f"{path}.channel_id", "channel_id", "bigint")
    return text


def _url(item: Doc, path: str) -> str:
    url = item.get("notify_url")
    if not url:
        raise missing(f"{path}.notify_url", "notify_url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise invalid(f"{path}.notify_url", "notify_url", "website")
    return url


def _token(item: Doc, path: str) -> str | None:
    token = item.get("token")
    if token is not None and (not isinstance(token, str) or len(token) > MAX_TOKEN):
        raise invalid(f"{path}.token", "token", "text", maximum_length=MAX_TOKEN)
    return token


def _events(item: Doc, path: str) -> list[str]:
    events = item.get("events")
    if not isinstance(events, list) or not events:
        raise missing(f"{path}.events", "events")
    for at, event in enumerate(events):
        module, _, kind = str(event).partition(".")
        if module not in MODULES or kind not in ("all", *OPERATIONS):
            raise invalid(f"{path}.events[{at}]", "events", "text")
    return [str(event) for event in events]


def _expiry(call: Call, item: Doc, path: str) -> str:
    now = call.box.clock.now()
    if item.get("channel_expiry") is None:
        return text_of(now + DEFAULT)
    moment = parse_moment(item["channel_expiry"])
    if moment is None:
        raise invalid(f"{path}.channel_expiry", "channel_expiry", "datetime")
    if moment <= now or moment > now + LONGEST + timedelta(seconds=60):  # a minute of grace for a caller whose clock runs ahead
        raise invalid(f"{path}.channel_expiry", "channel_expiry", "datetime", info_message="the expiry lies within one week from now")
    return text_of(moment)


def _shown(channel: Doc, event: str, base: str) -> Doc:
    module = event.partition(".")[0]
    more: dict[str, Any] = {
        name: channel.get(name) for name in ("token", "notify_url", "return_affected_field_values", "notify_on_related_action")
    }
    return {
        "channel_id": channel["channel_id"],
        "channel_expiry": channel["channel_expiry"],
        "events": [event],
        "resource_uri": f"{base}/crm/v8/{module}",
        "resource_id": metadata_id(MODULES[module], 0),
        "resource_name": module,
        **more,
    }


def _entry(call: Call, channel: Doc, message: str) -> Doc:
    modules = dict.fromkeys(event.partition(".")[0] for event in channel["events"])
    events = [
        {
            "channel_expiry": channel["channel_expiry"],
            "resource_uri": f"{call.base}/crm/v8/{module}",
            "resource_id": metadata_id(MODULES[module], 0),
            "resource_name": module,
            "channel_id": channel["channel_id"],
        }
        for module in modules
    ]
    return {"code": "SUCCESS", "details": {"events": events}, "message": message, "status": "success"}

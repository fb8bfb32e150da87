"""Callbacks are believed only with the token, and then only as hints; the channel is kept alive."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as sized
from hypothesis import strategies as st

from connectors.base import InboundRequest
from connectors.crm_zoho import connector, renew_watch
from connectors.crm_zoho.settings import ZohoSettings
from connectors.errors import Forged
from tests.connectors.crm_zoho.scripted import Asked, Zoho
from tests.connectors.crm_zoho.stand_in import StandIn

TOKEN = "回调-令牌-2026"
KEYS = ["572576700001000001", "572576700001000002"]


def settings(**more: Any) -> ZohoSettings:
    return ZohoSettings(client_id="1000.X", client_secret="a", refresh_token="b", **{"notification_token": TOKEN, **more})


def callback(body: Any = None, **changed: Any) -> InboundRequest:
    told = {
        "server_time": 1767578400123,
        "module": "Accounts",
        "resource_uri": "https://www.zohoapis.com.cn/crm/v8/Accounts",
        "ids": KEYS,
        "operation": "update",
        "channel_id": "1000000068001",
        "token": TOKEN,
        **changed,
    }
    raw = body if isinstance(body, bytes) else json.dumps(told if body is None else body).encode()
    return InboundRequest("POST", "/v1/hooks/zoho", {}, {"content-type": "application/json"}, raw)


def test_a_callback_with_the_token_hints_at_each_of_its_records() -> None:
    answer = connector.events(settings(), callback())

    assert answer.status == 200
    assert [(hint.stream, hint.key, hint.deleted) for hint in answer.hints] == [("accounts", key, False) for key in KEYS]
    assert len({hint.event_id for hint in answer.hints}) == 2


def test_a_repeated_callback_has_the_same_event_ids_and_a_later_one_has_not() -> None:
    first, again = connector.events(settings(), callback()), connector.events(settings(), callback())
    later = connector.events(settings(), callback(server_time=1767578400124))

    assert [hint.event_id for hint in first.hints] == [hint.event_id for hint in again.hints]
    assert not {hint.event_id for hint in first.hints} & {hint.event_id for hint in later.hints}


def test_a_deletion_is_hinted_as_one() -> None:
    assert all(hint.deleted for hint in connector.events(settings(), callback(operation="delete")).hints)


def test_the_secret_before_the_last_change_is_still_good_until_it_is_removed() -> None:
    both = settings(notification_token="neu", notification_token_previous=TOKEN)

    assert len(connector.events(both, callback()).hints) == 2
    assert len(connector.events(both, callback(token="neu")).hints) == 2
    with pytest.raises(Forged):
        connector.events(settings(notification_token="neu"), callback())


@pytest.mark.parametrize(
    "request_",
    [
        callback(token="falsch"),
        callback(token=""),
        callback(token=None),
        callback(token=["x"]),
        callback([]),
        callback(b"{"),
        callback(b"\xff\xfe"),
        callback(b'{"token": NaN}'),
        callback(b"[" * 200_000),
        callback(body={"ids": KEYS, "module": "Accounts"}),
        callback(ids=["1" * 20] * 100_000),
        InboundRequest("GET", "/v1/hooks/zoho", {"token": TOKEN}, {}, b""),
    ],
    ids=["wrong", "empty", "null", "list", "array", "cut", "binary", "nan", "deep", "none", "large", "get"],
)
def test_a_callback_without_the_proof_is_refused(request_: InboundRequest) -> None:
    with pytest.raises(Forged) as caught:
        connector.events(settings(), request_)

    assert TOKEN not in str(caught.value)


def test_without_a_token_in_the_settings_no_callback_is_believed() -> None:
    with pytest.raises(Forged):
        connector.events(settings(notification_token=None), callback())


@sized(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=50).map(str.encode))
def test_law_whatever_comes_is_forged_or_an_answer(body: bytes) -> None:
    with pytest.raises(Forged):
        connector.events(settings(), callback(body))


def test_another_module_another_channel_and_ids_that_are_none_give_no_hint() -> None:
    assert connector.events(settings(), callback(module="Campaigns")).hints == ()
    assert connector.events(settings(), callback(channel_id="42")).hints == ()
    odd = callback(ids=["1 or 1=1", "../x", None, True, 3.5, "１２", KEYS[0], KEYS[0]])
    assert [hint.key for hint in connector.events(settings(), odd).hints] == [KEYS[0]]


def test_a_channel_is_made_once_and_prolonged_before_it_ends(sandbox: StandIn) -> None:
    session = sandbox.session(notify_url="https://hub.example.com/v1/hooks/zoho", notification_token="geheim")

    made = renew_watch(session)
    kept = renew_watch(session)

    assert [finding.ok for finding in [*made, *kept]] == [True, True]
    assert len(sandbox.log(method="POST", path="actions/watch")) == 1
    assert not sandbox.log(method="PUT", path="actions/watch")


def test_what_the_stand_in_posts_after_an_edit_is_believed_and_leads_to_the_record(sandbox: StandIn, server: Zoho) -> None:
    server.answer = lambda asked: (200, {})
    more = {"notify_url": f"{server.url}/v1/hooks/zoho", "notification_token": TOKEN}
    session = sandbox.session(**more)
    renew_watch(session)
    key = sandbox.put("accounts", Account_Name="杭州远航电子有限公司")["id"]
    sandbox.put("accounts", id=key, Phone="0571-8888")
    sandbox.drop("accounts", key)

    deadline = time.monotonic() + 10
    while len(server.calls) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    told = [
        connector.events(sandbox.settings(**more), InboundRequest(call.method, call.path, call.query, call.headers, call.body))
        for call in server.calls
    ]

    assert [(hint.stream, hint.key, hint.deleted) for answer in told for hint in answer.hints] == [
        ("accounts", key, False),
        ("accounts", key, False),
        ("accounts", key, True),
    ]
    assert len({hint.event_id for answer in told for hint in answer.hints}) == 3
    assert [record.deleted for record in session.get("accounts", [key])] == [True]


@pytest.mark.parametrize("wrong", ["soon", "modules", "address"])
def test_a_channel_that_ends_soon_or_watches_something_else_is_replaced(server: Zoho, wrong: str) -> None:
    ends = datetime.now(UTC) + (timedelta(hours=3) if wrong == "soon" else timedelta(days=5))
    names = [module.vendor_name for module in connector.streams(settings())]
    events = [f"{name}.all" for name in (names[:3] if wrong == "modules" else names)]
    address = "https://old.example.com" if wrong == "address" else "https://hub.example.com/v1/hooks/zoho"
    rows = [{"resource_name": name, "channel_expiry": ends.isoformat(), "notify_url": address, "events": events} for name in events]

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method == "GET":
            return 200, {"watch": rows, "info": {}}
        return 200, {"watch": [{"status": "success", "code": "SUCCESS", "details": {}}]}

    server.answer = answer

    (finding,) = renew_watch(server.session(notify_url="https://hub.example.com/v1/hooks/zoho", notification_token="geheim"))

    assert finding.ok
    (put,) = server.called("/actions/watch", "PUT")
    (watch,) = put.json()["watch"]
    assert set(watch["events"]) == {f"{name}.all" for name in names}
    assert datetime.fromisoformat(watch["channel_expiry"]) - datetime.now(UTC) < timedelta(days=7)


def test_a_channel_that_is_refused_is_a_finding_with_a_next_step(server: Zoho) -> None:
    refused = {"watch": [{"status": "error", "code": "INVALID_DATA", "message": "notify_url"}]}
    server.answer = lambda asked: (204, None) if asked.method == "GET" else (200, refused)

    (finding,) = renew_watch(server.session(notify_url="https://hub.example.com", notification_token="geheim"))

    assert not finding.ok
    assert finding.next_step
    assert "geheim" not in finding.detail


def test_notifications_can_be_off(server: Zoho) -> None:
    (finding,) = renew_watch(server.session())

    assert finding.ok
    assert not server.calls

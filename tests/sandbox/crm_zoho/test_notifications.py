"""Watch channels: subscribed, renewed, ended, expired; callbacks that come once, twice, late or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.sandbox.crm_zoho.conftest import READER, Zoho


@dataclass
class Receiver:
    """A hub's address for callbacks."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that keeps what is posted to it."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(READER.decode(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the tests' output quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join(5)


def _in(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat(timespec="seconds")


def _watch(zoho: Zoho, method: str = "POST", **fields: Any) -> Any:
    channel = {"channel_id": "1000000068001", "events": ["Accounts.all"], "token": "geheim", "channel_expiry": _in(days=1), **fields}
    return zoho.call(method, "/crm/v8/actions/watch", {"watch": [{name: value for name, value in channel.items() if value is not None}]})


def _heard(zoho: Zoho, receiver: Receiver) -> list[tuple[str, str, list[str]]]:
    zoho.vendor.box.events.release()
    zoho.vendor.box.events.wait()
    return [(body["module"], body["operation"], body["ids"]) for body in receiver.bodies]


def test_a_change_is_told_with_token_module_ids_and_operation(zoho: Zoho, receiver: Receiver) -> None:
    assert _watch(zoho, notify_url=receiver.url).status_code == 201
    one, two = zoho.insert("Accounts", {"Account_Name": "一"}, {"Account_Name": "二"})
    zoho.read("PUT", "/crm/v8/Accounts", {"data": [{"id": one, "Phone": "0755"}]})
    zoho.read("DELETE", f"/crm/v8/Accounts/{two}")

    assert _heard(zoho, receiver) == [
        ("Accounts", "insert", [one, two]),
        ("Accounts", "update", [one]),
        ("Accounts", "delete", [two]),
    ]
    body = receiver.bodies[0]
    assert (body["token"], body["channel_id"]) == ("geheim", "1000000068001")
    assert body["resource_uri"] == f"{zoho.url}/crm/v8/Accounts"
    assert isinstance(body["server_time"], int)
    assert "Account_Name" not in str(body["affected_values"])


def test_a_users_edit_is_told_as_well(zoho: Zoho, receiver: Receiver) -> None:
    _watch(zoho, notify_url=receiver.url, events=["Accounts.edit"])
    made = zoho.control("POST", "records/accounts", {"Account_Name": "华南"})
    zoho.control("POST", "records/accounts", {"id": made["id"], "Phone": "0755"})

    assert _heard(zoho, receiver) == [("Accounts", "update", [made["id"]])]


def test_other_modules_and_expired_channels_hear_nothing(zoho: Zoho, receiver: Receiver) -> None:
    _watch(zoho, notify_url=receiver.url, events=["Deals.all", "Accounts.delete"])
    zoho.insert("Accounts", {"Account_Name": "一"})
    zoho.vendor.box.clock.shift_s = 2 * 86_400
    zoho.sign_in()
    zoho.insert("Deals", {"Deal_Name": "项目", "Stage": "Qualification"})

    assert _heard(zoho, receiver) == []
    assert zoho.call("GET", "/crm/v8/actions/watch").status_code == 204


def test_lost_and_doubled_events(zoho: Zoho, receiver: Receiver) -> None:
    _watch(zoho, notify_url=receiver.url)
    zoho.fault("lose_event", times=1)
    zoho.insert("Accounts", {"Account_Name": "丢失"})
    zoho.fault("duplicate_event", times=1, match={"stream": "accounts"})
    (doubled,) = zoho.insert("Accounts", {"Account_Name": "重复"})

    assert _heard(zoho, receiver) == [("Accounts", "insert", [doubled])] * 2


def test_events_out_of_order(zoho: Zoho, receiver: Receiver) -> None:
    _watch(zoho, notify_url=receiver.url)
    zoho.fault("reorder_events", times=1)
    (key,) = zoho.insert("Accounts", {"Account_Name": "华南"})
    zoho.read("PUT", "/crm/v8/Accounts", {"data": [{"id": key, "Phone": "0755"}]})

    assert [operation for _, operation, _ in _heard(zoho, receiver)] == ["update", "insert"]


@pytest.mark.parametrize(
    ("fields", "api_name"),
    [
        ({"channel_expiry": _in(days=8)}, "channel_expiry"),
        ({"channel_expiry": _in(days=-1)}, "channel_expiry"),
        ({"channel_expiry": "tomorrow"}, "channel_expiry"),
        ({"events": ["Accounts.change"]}, "events"),
        ({"events": ["Nothing.all"]}, "events"),
        ({"events": []}, "events"),
        ({"token": "x" * 51}, "token"),
        ({"notify_url": "ftp://example.com"}, "notify_url"),
        ({"notify_url": None}, "notify_url"),
        ({"channel_id": "abc"}, "channel_id"),
        ({"channel_id": None}, "channel_id"),
    ],
    ids=(
        "for longer than a week", "over already", "no moment", "no such operation", "no such module", "nothing", "a long token",
        "no web address", "no address", "no number", "no channel",
    ),  # by name: two workers would write the moments above a second apart, and disagree on what there is to run
)  # fmt: skip
def test_a_wrong_subscription_is_refused_by_field(zoho: Zoho, fields: dict[str, Any], api_name: str) -> None:
    answer = _watch(zoho, **{"notify_url": "http://127.0.0.1:9/hook", **fields})
    assert answer.status_code == 400
    assert answer.json()["watch"][0]["details"]["api_name"] == api_name


def test_a_channel_is_listed_renewed_narrowed_and_ended(zoho: Zoho) -> None:
    _watch(zoho, notify_url="http://127.0.0.1:9/hook", events=["Accounts.all", "Deals.edit"], channel_expiry=None)
    listed = zoho.read("GET", "/crm/v8/actions/watch", params={"channel_id": "1000000068001"})["watch"]
    assert {event for row in listed for event in row["events"]} == {"Accounts.all", "Deals.edit"}
    first = listed[0]["channel_expiry"]

    assert _watch(zoho, "PATCH", events=["Deals.edit"], _delete_events=True, channel_expiry=_in(days=6), token=None).status_code == 200
    (left,) = zoho.read("GET", "/crm/v8/actions/watch")["watch"]
    assert (left["events"], left["token"]) == (["Accounts.all"], "geheim")
    assert left["channel_expiry"] > first

    assert zoho.call("DELETE", "/crm/v8/actions/watch?channel_ids=1000000068001").status_code == 200
    gone = zoho.call("DELETE", "/crm/v8/actions/watch?channel_ids=1000000068001")
    assert gone.json()["watch"][0]["code"] == "NOT_SUBSCRIBED"
    assert _watch(zoho, "PATCH", events=["Deals.edit"]).json()["watch"][0]["code"] == "NOT_SUBSCRIBED"


def test_a_receiver_that_is_away_stops_nothing(zoho: Zoho) -> None:
    _watch(zoho, notify_url="http://127.0.0.1:9/hook")
    zoho.insert("Accounts", {"Account_Name": "华南"})
    zoho.vendor.box.events.wait()

    assert len(zoho.vendor.box.events.lost) == 1
    assert zoho.call("GET", "/crm/v8/Accounts?fields=id").status_code == 200

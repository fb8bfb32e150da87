"""Events of the plug-in: verified before they are parsed."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from connectors.base import Hint, InboundRequest
from connectors.erp_kingdee import events
from connectors.erp_kingdee.settings import KingdeeSettings
from connectors.errors import Forged

NOW = 1_800_000_000
BODY = b'{"event_id":"e1","form":"SAL_SaleOrder","operation":"Audit","keys":["100123",100124]}'


def settings(secret: str = "abc") -> KingdeeSettings:
    given = {
        "server_url": "http://e/k3cloud/",
        "acct_id": "a",
        "user_name": "u",
        "sign_in": "password",
        "password": "p",
        "event_secret": secret,
    }
    return KingdeeSettings.model_validate(given)


def request(body: bytes = BODY, stamp: str = str(NOW), secret: str = "abc", headers: dict[str, str] | None = None) -> InboundRequest:
    signature = "sha256=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return InboundRequest("POST", "/v1/hooks/k", {}, {"x-hub-timestamp": stamp, "x-hub-signature": signature, **(headers or {})}, body)


def test_a_signed_event_hints_at_its_records() -> None:
    answer = events.read(settings(), request(), now=NOW)

    assert answer.status == 200
    assert answer.hints == [Hint("sales_orders", "100123", False, "e1:100123"), Hint("sales_orders", "100124", False, "e1:100124")]


def test_a_delete_is_marked() -> None:
    body = b'{"event_id":"e2","form":"bd_customer","operation":"Delete","keys":["5"]}'

    assert events.read(settings(), request(body), now=NOW).hints == [Hint("customers", "5", True, "e2:5")]


@pytest.mark.parametrize("at", range(0, len(BODY), 7))
def test_a_flipped_byte_is_noticed(at: int) -> None:
    sent = request()
    body = BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]

    with pytest.raises(Forged):
        events.read(settings(), InboundRequest("POST", sent.path, {}, sent.headers, body), now=NOW)


@pytest.mark.parametrize(
    "forged",
    [
        request(secret="other"),
        request(stamp=str(NOW - 301)),
        request(stamp=str(NOW + 301)),
        request(stamp="soon"),
        request(headers={"x-hub-signature": ""}),
        request(headers={"x-hub-signature": "ü"}),
        request(b" " * (1024 * 1024 + 1)),
    ],
    ids=["other-secret", "too-old", "too-new", "no-time", "unsigned", "not-ascii", "too-large"],
)
def test_what_is_not_proved_is_forged(forged: InboundRequest) -> None:
    with pytest.raises(Forged):
        events.read(settings(), forged, now=NOW)


def test_no_secret_means_no_events() -> None:
    with pytest.raises(Forged):
        events.read(settings(""), request(secret=""), now=NOW)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 200), (b'{"form":"BD_Nothing","keys":["1"]}', 200), (b'{"form":"BD_Customer","keys":{}}', 200)],
)
def test_a_proved_event_that_says_nothing_hints_at_nothing(body: bytes, status: int) -> None:
    answer: Any = events.read(settings(), request(body), now=NOW)

    assert (answer.status, list(answer.hints)) == (status, [])

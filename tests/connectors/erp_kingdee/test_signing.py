"""Signatures against a vector that the vendor's own SDK 8.2.0 produced on a loopback server with a frozen clock."""

from __future__ import annotations

import sys
import time
import types
from typing import Any

import pytest

from connectors.erp_kingdee.signing import client_secret, login_signature, signed_headers

APP_ID = "220001_MTI2MGM1Pj9qPDk/OT04KHMiKnd0IXMr"
PATH = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc"
URL = f"http://127.0.0.1:8931/k3cloud/{PATH}"


def headers(timestamp: int = 1_700_000_000) -> dict[str, str]:
    return dict(
        signed_headers(
            URL,
            acct_id="acct0001",
            user_name="Administrator",
            app_id=APP_ID,
            app_secret="appsecret0001",
            lcid=2052,
            org_number="100",
            timestamp=timestamp,
        )
    )


def test_the_client_secret_is_derived_from_the_app_id() -> None:
    assert client_secret(APP_ID) == "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
    assert client_secret("220001_short") == ""
    assert client_secret("220001_" + "!" * 32) == ""


def test_the_headers_are_those_of_the_vendors_sdk() -> None:
    signed = headers()

    assert signed["X-Api-Signature"] == "MTBkZjE4ZDA3YmJlZTliZjA5NTgxMzgyYmVhZjhhZDA1OTM2Y2VjMjJlOTYxZjIzMDRjMjQ5OTcwZjE0MTNkNw=="
    assert signed["X-Kd-Appdata"] == "YWNjdDAwMDEsQWRtaW5pc3RyYXRvciwyMDUyLDEwMA=="
    assert signed["X-Kd-Signature"] == "MDMyNzM4MDc0ZmFkNzY2YWQxMGQ2ZmUxYjIxYTRkZTE4MTViZGNmMmQ2MGM3NjdiMmFmNjk5Yzg0YjcwOTVhMg=="


def test_the_vendors_sdk_computes_the_same_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own code, its HTTP call intercepted, signs the same request at the same second."""
    from k3cloud_webapi_sdk.main import K3CloudApiSdk

    sent: dict[str, Any] = {}

    def post(url: str, **given: Any) -> Any:
        sent.update(given["headers"])
        return types.SimpleNamespace(
            status_code=200, text="[]", cookies={}, headers={}, ok=True, reason="OK", apparent_encoding="utf-8", encoding="utf-8"
        )

    client = K3CloudApiSdk("http://127.0.0.1:8931/k3cloud/")
    client.InitConfig("acct0001", "Administrator", APP_ID, "appsecret0001", "http://127.0.0.1:8931/k3cloud/", 2052, 100)
    monkeypatch.setattr(sys.modules["requests"], "post", post)
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    client.ExecuteBillQuery({"FormId": "SAL_SaleOrder"})

    ours = headers(1_800_000_000)
    assert {name: str(sent[name]) for name in ours} == ours


def test_a_login_signature_sorts_its_parts() -> None:
    made = login_signature(
        acct_id="acct0001", user_name="Administrator", app_id="220001_x", app_secret="appsecret0001", timestamp=1_700_000_000
    )

    assert made == "ad88fe626628d82a9df4e2a3243e7f8cb13d93bbab570181e5a1b04754015170"

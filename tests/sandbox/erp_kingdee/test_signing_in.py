"""Signing in: signed headers by the official SDK and its published vector, sessions by the three logins, and sessions lost."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import pytest
import requests

from sandbox.core import Request
from sandbox.erp_kingdee import make
from sandbox.erp_kingdee.sessions import Sessions, api_signature, client_secret, login_sign, signature
from sandbox.erp_kingdee.settings import Settings
from tests.sandbox.erp_kingdee.tenant import AUTH, SERVICE, Client, Tenant

APP_ID = "220001_MTI2MGM1Pj9qPDk/OT04KHMiKnd0IXMr"
PATH = "/k3cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc"


def test_published_vector_of_the_signatures() -> None:
    """Values made by the official SDK 8.2.0 with the clock held at 1700000000."""
    data = "acct0001,Administrator,2052,100"

    assert client_secret(APP_ID) == ("220001", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY")
    assert api_signature(PATH, "1700000000", "1700000000", APP_ID) == (
        "MTBkZjE4ZDA3YmJlZTliZjA5NTgxMzgyYmVhZjhhZDA1OTM2Y2VjMjJlOTYxZjIzMDRjMjQ5OTcwZjE0MTNkNw=="
    )
    assert signature("appsecret0001", APP_ID + data) == (
        "MDMyNzM4MDc0ZmFkNzY2YWQxMGQ2ZmUxYjIxYTRkZTE4MTViZGNmMmQ2MGM3NjdiMmFmNjk5Yzg0YjcwOTVhMg=="
    )


def test_sign_of_login_by_sign_is_the_sha256_of_the_sorted_texts() -> None:
    parts = ["acct0001", "Administrator", "220001_x", "appsecret0001", "1700000000"]

    assert login_sign(*parts) == hashlib.sha256("".join(sorted(parts)).encode()).hexdigest()
    assert login_sign(*parts) == "ad88fe626628d82a9df4e2a3243e7f8cb13d93bbab570181e5a1b04754015170"


def test_the_official_sdk_signs_in_and_keeps_one_session(tenant: Tenant) -> None:
    sdk = tenant.sdk()
    client = Client(sdk)

    client.query("BD_Currency", "FNumber")
    first = sdk.cookiesStore.SID
    client.query("BD_Currency", "FNumber")

    assert first
    assert first == sdk.cookiesStore.SID
    assert json.loads(sdk.GetDataCenters())[0]["Id"] == tenant.credentials["AcctId"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"AppSecret": "wrong"}, "签名验证失败"),
        ({"UserName": "nobody"}, "签名验证失败|不允许用户"),
        ({"AppId": APP_ID.replace("220001", "999999")}, "未授权"),
    ],
    ids=["wrong secret", "unknown user", "unknown app"],
)
def test_a_wrong_signature_is_refused_with_status_200(tenant: Tenant, changed: dict[str, str], why: str) -> None:
    rows = Client(tenant.sdk(**changed)).query("BD_Currency", "FNumber")

    message = rows[0][0]["Result"]["ResponseStatus"]["Errors"][0]["Message"]
    assert any(part in message for part in why.split("|"))


def test_either_signature_can_be_left_unchecked() -> None:
    settings = Settings()
    stamp = str(int(time.time()))
    data = f"{settings.account},{settings.user},2052,100"
    import base64

    headers = {
        "x-kd-appkey": settings.app_id,
        "x-kd-appdata": base64.b64encode(data.encode()).decode(),
        "x-api-timestamp": stamp,
        "x-api-nonce": stamp,
        "x-kd-signature": signature(settings.app_secret, settings.app_id + data),
        "x-api-signature": "nonsense",
    }
    request = Request("POST", PATH, PATH, {}, headers)

    assert isinstance(Sessions(settings).signed(request), str)
    settings.verify_api_signature = False
    assert Sessions(settings).signed(request) == (settings.user, "100")
    request.headers = {**headers, "x-kd-signature": "nonsense"}
    assert isinstance(Sessions(settings).signed(request), str)


def test_a_stale_timestamp_is_refused(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant.vendor.settings.clock_skew_s = 60
    real = time.time
    sdk = tenant.sdk()
    monkeypatch.setattr("k3cloud_webapi_sdk.core.webapi_client.time.time", lambda: real() - 3600)

    tenant.vendor.sessions._clock = real  # the server's own clock stays
    rows = Client(sdk).query("BD_Currency", "FNumber")

    assert "时间戳" in rows[0][0]["Result"]["ResponseStatus"]["Errors"][0]["Message"]


def logins(c: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    stamp = str(int(time.time()))
    sign = login_sign(c["AcctId"], c["UserName"], c["AppId"], c["AppSecret"], stamp)
    by_user = [c["AcctId"], c["UserName"], c["Password"], "2052"]
    return {
        "by user": ("ValidateUser", {"parameters": by_user}),
        "named": ("ValidateUser", {"acctid": c["AcctId"], "username": c["UserName"], "password": c["Password"], "lcid": 2052}),
        "enveloped": ("ValidateUser", {"format": 1, "useragent": "ApiClient", "rid": "1", "parameters": json.dumps(by_user), "v": "1.0"}),
        "by app secret": ("LoginByAppSecret", {"parameters": [c["AcctId"], c["UserName"], c["AppId"], c["AppSecret"], 2052]}),
        "by sign": ("LoginBySign", {"parameters": [c["AcctId"], c["UserName"], c["AppId"], stamp, sign, 2052]}),
    }


@pytest.mark.parametrize("how", ["by user", "named", "enveloped", "by app secret", "by sign"])
@pytest.mark.parametrize("carrier", ["header", "cookie"])
def test_every_login_opens_a_session_that_header_and_cookie_carry(tenant: Tenant, how: str, carrier: str) -> None:
    service, body = logins(tenant.credentials)[how]
    answer = tenant.post(f"{AUTH}.{service}", body)
    sid = answer.json()["KDSVCSessionId"]
    assert answer.cookies["kdservice-sessionid"] == sid
    assert "expires" not in answer.headers["Set-Cookie"].lower()

    headers = {"kdservice-sessionid": sid} if carrier == "header" else {"Cookie": f"Theme=standard;kdservice-sessionid={sid}"}
    rows = tenant.post(f"{SERVICE}.ExecuteBillQuery", {"data": {"FormId": "BD_Currency", "FieldKeys": "FNumber"}}, headers=headers).json()

    assert ["PRE001"] in rows


@pytest.mark.parametrize("how", ["by user", "by app secret", "by sign"])
def test_a_refused_login_is_status_200_with_a_reason(tenant: Tenant, how: str) -> None:
    service, body = logins({**tenant.credentials, "Password": "x", "AppSecret": "x"})[how]

    answer = tenant.post(f"{AUTH}.{service}", body)

    assert answer.status_code == 200
    assert answer.json()["LoginResultType"] == 0
    assert answer.json()["Message"]


def test_a_bare_list_as_body_is_refused(tenant: Tenant) -> None:
    answer = tenant.post(f"{AUTH}.ValidateUser", ["a", "b"])

    assert answer.status_code == 500
    assert "Additional text found in JSON string" in answer.text


def test_without_a_session_a_query_is_told_so_in_its_own_shape(tenant: Tenant) -> None:
    query = tenant.post(f"{SERVICE}.ExecuteBillQuery", {"data": {"FormId": "BD_Currency", "FieldKeys": "FNumber"}}).json()
    save = tenant.post(f"{SERVICE}.Save", {"formid": "BD_Customer", "data": {}}).json()

    assert query[0][0]["Result"]["ResponseStatus"]["MsgCode"] == 1
    assert save["Result"]["ResponseStatus"]["MsgCode"] == 1
    assert "会话信息已丢失" in save["Result"]["ResponseStatus"]["Errors"][0]["Message"]


def test_expired_sessions_answer_msgcode_1_and_signing_in_again_helps(tenant: Tenant) -> None:
    headers = tenant.login()
    asked = {"data": {"FormId": "BD_Currency", "FieldKeys": "FNumber"}}
    tenant.fault("expire_session")

    lost = tenant.post(f"{SERVICE}.BillQuery", asked, headers=headers).json()
    again = tenant.post(f"{SERVICE}.BillQuery", asked, headers=headers).json()
    found = tenant.post(f"{SERVICE}.BillQuery", asked, headers=tenant.login()).json()

    assert lost[0]["Result"]["ResponseStatus"]["MsgCode"] == 1
    assert again[0]["Result"]["ResponseStatus"]["MsgCode"] == 1
    assert {"FNumber": "PRE001"} in found


def test_a_signing_client_gets_a_new_session_after_the_old_one_died(tenant: Tenant, erp: Client) -> None:
    erp.query("BD_Currency", "FNumber")
    tenant.vendor.expire_sessions()

    lost = erp.query("BD_Currency", "FNumber")
    found = erp.query("BD_Currency", "FNumber")

    assert lost[0][0]["Result"]["ResponseStatus"]["MsgCode"] == 1
    assert ["PRE001"] in found


def test_sessions_end_when_unused_and_by_logout() -> None:
    now = [1000.0]
    sessions = Sessions(Settings(session_s=60), clock=lambda: now[0])
    session = sessions.open("hub", "100", 2052)
    request = Request("POST", PATH, PATH, {}, {"kdservice-sessionid": session.id})

    now[0] += 59
    assert sessions.find(request) == (session, True)
    now[0] += 61
    assert sessions.find(request) == (None, True)


def test_logout_and_switching_the_organisation(tenant: Tenant) -> None:
    headers = tenant.login()

    switched = tenant.post(f"{SERVICE}.SwitchOrg", {"data": {"OrgNumber": "200"}}, headers=headers).json()
    unknown = tenant.post(f"{SERVICE}.SwitchOrg", {"data": {"OrgNumber": "999"}}, headers=headers).json()
    tenant.post(f"{AUTH}.Logout", {"parameters": []}, headers=headers)
    after = tenant.post(f"{SERVICE}.Save", {"formid": "BD_Customer", "data": {}}, headers=headers).json()

    assert switched["Result"]["ResponseStatus"]["IsSuccess"] is True
    assert unknown["Result"]["ResponseStatus"]["IsSuccess"] is False
    assert after["Result"]["ResponseStatus"]["MsgCode"] == 1


@pytest.mark.parametrize(
    "form",
    ["object", "data as text", "inside data", "positional", "positional text", "enveloped", "form-encoded"],
)
def test_every_body_form_that_clients_send_is_understood(tenant: Tenant, form: str) -> None:
    asked = {"FormId": "BD_Currency", "FieldKeys": "FNumber", "FilterString": "FNumber='PRE001'"}
    text = json.dumps(asked)
    bodies: dict[str, Any] = {
        "object": {"FormId": "BD_Currency", "data": asked},
        "data as text": {"formId": "BD_Currency", "data": text},
        "inside data": {"data": asked},
        "positional": {"parameters": [asked]},
        "positional text": {"parameters": [text]},
        "enveloped": {
            "format": 1,
            "useragent": "ApiClient",
            "rid": "x",
            "parameters": json.dumps([text]),
            "timestamp": "2026-01-01 00:00:00",
            "v": "1.0",
        },
    }
    headers = tenant.login()
    if form == "form-encoded":
        answer = tenant.post(f"{SERVICE}.executebillquery", None, data={"data": text}, headers=headers)
    else:
        answer = tenant.post(f"{SERVICE}.executeBillQuery", bodies[form], headers=headers)

    assert answer.json() == [["PRE001"]]


def test_form_bound_services_take_position_and_text_too(tenant: Tenant) -> None:
    headers = tenant.login()
    data = json.dumps({"Number": "PRE001"})

    by_position = tenant.post(f"{SERVICE}.view", {"parameters": ["BD_Currency", data]}, headers=headers).json()
    by_text = tenant.post(f"{SERVICE}.View", {"formid": "BD_Currency", "data": data}, headers=headers).json()

    assert by_position["Result"]["Result"]["Number"] == "PRE001"
    assert by_text == by_position


def test_broken_json_and_unknown_services_answer_plain_text(tenant: Tenant) -> None:
    headers = tenant.login()

    broken = tenant.post(f"{SERVICE}.Save", None, data=b"{oops", headers=headers)
    unknown = tenant.post(f"{SERVICE}.Dance", {}, headers=headers)
    elsewhere = requests.get(tenant.server.url + "/k3cloud/", timeout=5)

    assert broken.text.startswith("response_error:")
    assert unknown.text.startswith("response_error:")
    assert elsewhere.status_code == 404


def test_credentials_are_named_as_in_the_console() -> None:
    assert set(make(1).credentials("http://127.0.0.1:1")) == {
        "ServerUrl",
        "AcctId",
        "UserName",
        "Password",
        "AppId",
        "AppSecret",
        "LCID",
        "OrgNum",
    }

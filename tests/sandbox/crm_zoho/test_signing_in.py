"""Sign-in, tokens, credits and wrong addresses."""

from __future__ import annotations

import requests

from tests.sandbox.crm_zoho.conftest import Zoho


def test_a_token_is_given_for_a_form_body_and_for_a_query_string(zoho: Zoho) -> None:
    given = zoho.vendor.credentials(zoho.url)
    form = {"grant_type": "refresh_token", **{name: given[name] for name in ("client_id", "client_secret", "refresh_token")}}
    by_form = zoho.sign_in()
    by_query = requests.post(f"{zoho.url}/oauth/v2/token", params=form, timeout=10).json()

    for body in (by_form, by_query):
        assert body["access_token"].startswith("1000.")
        assert (body["expires_in"], body["api_domain"], body["token_type"]) == (3600, zoho.url, "Bearer")
        assert "refresh_token" not in body


def test_a_wrong_client_and_a_wrong_refresh_token_are_errors_with_status_200(zoho: Zoho) -> None:
    assert zoho.sign_in(client_id="1000.WRONG")["error"] == "invalid_client"
    assert zoho.sign_in(client_secret="wrong")["error"] == "invalid_client_secret"
    assert zoho.sign_in(refresh_token="1000.other.data.centre")["error"] == "invalid_code"
    assert zoho.sign_in(grant_type="password")["error"] == "invalid_request"


def test_the_eleventh_token_in_ten_minutes_is_refused_until_the_window_passes(zoho: Zoho) -> None:
    for _ in range(10):
        assert "access_token" in zoho.sign_in()
    assert zoho.sign_in()["error"] == "access_denied"

    zoho.vendor.box.clock.shift_s = 601
    assert "access_token" in zoho.sign_in()


def test_a_token_is_good_for_an_hour(zoho: Zoho) -> None:
    zoho.sign_in()
    zoho.vendor.box.clock.shift_s = 3590
    assert zoho.call("GET", "/crm/v8/org").status_code == 200

    zoho.vendor.box.clock.shift_s = 3601
    answer = zoho.call("GET", "/crm/v8/org")
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_TOKEN")


def test_a_call_without_a_token_and_one_with_the_wrong_scheme_are_refused(zoho: Zoho) -> None:
    bare = requests.get(f"{zoho.url}/crm/v8/Accounts", timeout=10)
    zoho.sign_in()
    bearer = requests.get(f"{zoho.url}/crm/v8/Accounts", headers={"Authorization": f"Bearer {zoho.token}"}, timeout=10)

    assert (bare.status_code, bare.json()["code"], bare.json()["message"]) == (401, "AUTHENTICATION_FAILURE", "Authentication failed")
    assert (bearer.status_code, bearer.json()["code"]) == (401, "INVALID_TOKEN")


def test_revoking_ends_every_token(zoho: Zoho) -> None:
    zoho.sign_in()
    given = zoho.vendor.credentials(zoho.url)
    requests.post(f"{zoho.url}/oauth/v2/token/revoke", params={"token": given["refresh_token"]}, timeout=10)

    assert zoho.call("GET", "/crm/v8/org").status_code == 401
    assert zoho.sign_in()["error"] == "invalid_code"


def test_wrong_paths_verbs_and_modules_have_the_vendors_codes(zoho: Zoho) -> None:
    for method, path, status, code in (
        ("GET", "/crm/v9/Accounts", 404, "INVALID_URL_PATTERN"),
        ("GET", "/crm/v8/Accounts/1/actions/nothing", 404, "INVALID_URL_PATTERN"),
        ("PATCH", "/crm/v8/Accounts", 405, "INVALID_REQUEST_METHOD"),
        ("DELETE", "/crm/v8/settings/fields", 405, "INVALID_REQUEST_METHOD"),
        ("GET", "/crm/v8/coql", 405, "INVALID_REQUEST_METHOD"),
        ("GET", "/crm/v8/Nothing?fields=id", 400, "INVALID_MODULE"),
    ):
        answer = zoho.call(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
        assert answer.json()["status"] == "error"


def test_credits_are_told_after_half_is_used_and_then_run_out(zoho: Zoho) -> None:
    zoho.vendor.box.switches.credits = 20
    assert "X-API-CREDITS-REMAINING" not in zoho.call("GET", "/crm/v8/org").headers
    zoho.insert("Accounts", *({"Account_Name": f"客户{n}"} for n in range(95)))  # 95 records cost 10
    told = zoho.call("GET", "/crm/v8/org")
    assert told.headers["X-API-CREDITS-REMAINING"] == "8"
    for _ in range(8):
        zoho.call("GET", "/crm/v8/org")

    spent = zoho.call("GET", "/crm/v8/org")
    assert (spent.status_code, spent.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "Retry-After" not in spent.headers
    zoho.vendor.box.clock.shift_s = 86_500
    zoho.sign_in()
    assert zoho.call("GET", "/crm/v8/org").status_code == 200

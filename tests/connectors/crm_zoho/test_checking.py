"""`check` names what fails and what to do; `describe` tells the organisation's own fields."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Finding
from connectors.crm_zoho import connector
from connectors.crm_zoho.settings import ZohoSettings
from tests.connectors.crm_zoho.scripted import Asked, Zoho, failed
from tests.connectors.crm_zoho.stand_in import StandIn


def bad(findings: Any) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings if not finding.ok}


def test_the_stand_in_has_all_that_is_needed_and_checking_writes_nothing(sandbox: StandIn) -> None:
    findings = sandbox.session().check()

    assert bad(findings) == {}
    assert {
        "sign-in",
        "modules",
        "read Accounts",
        "fields Sales_Orders",
        "unique Accounts.Hub_Key",
        "query (COQL)",
        "write scope",
        "credits",
    } <= {finding.name for finding in findings}
    assert not [entry for entry in sandbox.log() if entry.get("operation") not in ("", None, "token")]


def test_every_declared_field_is_one_of_the_organisation(sandbox: StandIn) -> None:
    session = sandbox.session()
    for stream in connector.streams(sandbox.settings()):
        described = {info.name: info for info in session.describe(stream.name)}
        assert {info.name for info in stream.fields} <= set(described), stream.name
        for info in stream.fields:
            assert described[info.name].type == info.type or {described[info.name].type, info.type} <= {"text", "list", "decimal"}, (
                info.name
            )
    assert "核心" in {value for info in session.describe("accounts") if info.name == "Dealer_Level" for value in info.options}


def test_wrong_credentials_end_the_check_at_the_sign_in(sandbox: StandIn) -> None:
    findings = sandbox.session(refresh_token="falsch").check()

    assert [(finding.name, finding.ok) for finding in findings] == [("sign-in", False)]
    assert "refresh token" in findings[0].next_step
    assert "falsch" not in findings[0].detail


def test_an_address_that_nobody_answers_is_named(sandbox: StandIn) -> None:
    (finding,) = sandbox.session(accounts_url="http://127.0.0.1:9").check()

    assert not finding.ok
    assert "127.0.0.1" in finding.detail


def organisation(
    *, absent: str = "", unique: bool = True, places: int = 4, refused: tuple[str, int, str] | None = None, domain: str = ""
) -> Any:
    """An organisation that has everything but what a test takes away."""

    def answer(asked: Asked) -> tuple[int, Any]:
        if refused and refused[0] in asked.path:
            return refused[1], failed(refused[2])
        if asked.path.endswith("/settings/modules"):
            return 200, {"modules": [{"api_name": "Leads"}]}
        if asked.path.endswith("/settings/fields"):
            settings = ZohoSettings(client_id="1000.X", client_secret="a", refresh_token="b")
            stream = next(each for each in connector.streams(settings) if each.vendor_name == asked.query["module"])
            names = [info.name for info in stream.fields if "." not in info.name and info.name != absent]
            known: dict[str, dict[str, Any]] = {
                "Hub_Key": {"unique": {"casesensitive": False} if unique else {}},
                "Credit_Limit": {"decimal_place": places},
            }
            return 200, {"fields": [{"api_name": name, "data_type": "text", **known.get(name, {})} for name in names]}
        return 204, None

    return answer


@pytest.mark.parametrize(
    ("taken", "name", "words"),
    [
        ({"absent": "USCC"}, "fields Accounts", "create USCC in Zoho"),
        ({"unique": False}, "unique Accounts.Hub_Key", "Do not allow duplicate values"),
        ({"places": 1}, "scale Accounts.Credit_Limit", "lower the scale"),
        ({"refused": ("/coql", 401, "OAUTH_SCOPE_MISMATCH")}, "query (COQL)", "scopes"),
        ({"refused": ("/Accounts", 403, "NO_PERMISSION")}, "read Accounts", "Profiles"),
        ({"refused": ("/Accounts/deleted", 401, "OAUTH_SCOPE_MISMATCH")}, "deleted Accounts", "scopes"),
        ({"refused": ("/settings/modules", 403, "AUTHORIZATION_FAILED")}, "modules", "API access"),
    ],
    ids=["field", "unique", "places", "coql", "read", "deleted", "api-access"],
)
def test_what_is_missing_is_named_with_the_next_step(server: Zoho, taken: dict[str, Any], name: str, words: str) -> None:
    server.answer = organisation(**taken)

    found = bad(server.session(streams=["accounts"]).check())

    assert name in found
    assert words in found[name].next_step


def test_a_token_without_the_right_to_write_is_told_before_the_first_write(server: Zoho) -> None:
    server.answer = organisation()
    server.sign_in = lambda n: {"access_token": "t", "scope": "ZohoCRM.modules.READ ZohoCRM.modules.accounts.ALL ZohoCRM.coql.READ"}

    found = bad(server.session(streams=["accounts", "leads"]).check())

    assert set(found) == {"write scope"}
    assert found["write scope"].detail == "missing for Leads"


def test_another_data_centre_is_named(server: Zoho) -> None:
    server.answer = organisation()
    server.sign_in = lambda n: {"access_token": "t", "api_domain": "https://www.zohoapis.eu"}

    (finding,) = bad(server.session(streams=["accounts"]).check()).values()

    assert (finding.name, "zohoapis.eu" in finding.detail) == ("sign-in", True)


def test_few_credits_are_told(server: Zoho) -> None:
    server.answer = organisation()
    server.headers = {"X-API-CREDITS-REMAINING": "12"}

    assert "12 credits" in bad(server.session(streams=["accounts"]).check())["credits"].detail


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"streams": ["customers"]}, "there is no stream 'customers'"),
        ({"modules": {"orders": "X"}}, "there is no stream 'orders'"),
        ({"fields": {"accounts": {"Uscc": "X"}}}, "'Uscc' is not a field"),
    ],
)
def test_a_name_in_the_settings_that_does_not_exist_is_refused(wrong: dict[str, Any], words: str) -> None:
    settings = ZohoSettings(client_id="1000.X", client_secret="a", refresh_token="b", **wrong)

    with pytest.raises(ValueError, match=words):
        connector.streams(settings)


@pytest.mark.parametrize("url", ["zohoapis.com.cn", "ftp://x", "https://user@host", "https://host?x=1", "javascript:alert(1)", ""])
def test_an_address_that_is_none_is_refused_by_the_settings(url: str) -> None:
    with pytest.raises(ValueError, match="api_domain"):
        ZohoSettings(client_id="1000.X", client_secret="a", refresh_token="b", api_domain=url)


def test_streams_come_after_those_they_depend_on() -> None:
    settings = ZohoSettings(client_id="1000.X", client_secret="a", refresh_token="b")
    seen: set[str] = set()
    for stream in connector.streams(settings):
        assert set(stream.depends_on) <= seen
        assert stream.hub_key is not None
        seen.add(stream.name)
    assert len(seen) == 11

"""One access token for all workers; credentials that are refused are not tried again and again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connectors.base import Outcome
from connectors.errors import SignInRefused, Throttled
from connectors.transport import MemoryTokenStore
from tests.connectors.crm_zoho.scripted import Asked, Zoho, done, failed, listed, row, save

INVALID = (401, failed("INVALID_TOKEN", "invalid oauth token"))


def token_of(asked: Asked) -> str:
    return asked.headers["authorization"].removeprefix("Zoho-oauthtoken ")


def test_many_workers_share_one_token(server: Zoho) -> None:
    server.answer = lambda asked: listed(asked, row("1"))
    tokens = MemoryTokenStore()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: server.session(tokens=tokens).get("leads", ["1"]), range(8)))

    assert all(len(records) == 1 for records in found)
    assert server.sign_ins == 1


def test_a_token_that_expires_is_renewed_once_for_all_workers_and_the_call_repeated_once(server: Zoho) -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        return INVALID if token_of(asked) == "t1" else listed(asked, row("1"))

    server.answer = answer
    tokens = MemoryTokenStore()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: server.session(tokens=tokens).get("leads", ["1"]), range(8)))

    assert all(len(records) == 1 for records in found)
    assert server.sign_ins == 2
    assert len(server.calls) <= 16


def test_a_write_is_repeated_after_a_refused_token_because_nothing_was_done(server: Zoho) -> None:
    server.answer = lambda asked: INVALID if token_of(asked) == "t1" else (201, {"data": [done("77")]})

    receipts = server.session().write("leads", [save(1, Last_Name="王")])

    assert [(receipt.outcome, receipt.key) for receipt in receipts] == [(Outcome.WRITTEN, "77")]
    assert len(server.called("/Leads/upsert")) == 2


def test_a_fresh_token_that_is_refused_as_well_ends_it_without_a_login_loop(server: Zoho) -> None:
    server.answer = lambda asked: INVALID
    tokens = MemoryTokenStore()

    for _ in range(5):
        with pytest.raises(SignInRefused):
            server.session(tokens=tokens).get("leads", ["1"])

    assert server.sign_ins == 2


@pytest.mark.parametrize("error", ["invalid_code", "invalid_grant", "invalid_client", "access_denied"])
def test_refused_credentials_are_asked_about_once_and_the_error_says_what_to_do(server: Zoho, error: str) -> None:
    server.sign_in = lambda n: {"error": error}
    tokens = MemoryTokenStore()

    for _ in range(4):
        with pytest.raises(SignInRefused, match="refresh token") as caught:
            server.session(tokens=tokens).get("leads", ["1"])

    assert server.sign_ins == 1
    assert error in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert not server.calls


def test_new_credentials_are_tried_at_once_after_the_old_ones_were_refused(server: Zoho) -> None:
    server.sign_in = lambda n: {"error": "invalid_code"} if n == 1 else {"access_token": "t2", "expires_in": 3600}
    tokens = MemoryTokenStore()
    with pytest.raises(SignInRefused):
        server.session(tokens=tokens).get("leads", ["1"])

    server.session(tokens=tokens, refresh_token="geheim-neu").get("leads", ["1"])

    assert server.sign_ins == 2


@pytest.mark.parametrize("life", [{"expires_in": 30}, {"expires_in": 3600000, "expires_in_sec": 3600}, {"expires_in": "0"}, {}], ids=str)
def test_a_token_is_used_for_its_life_however_that_is_told(server: Zoho, life: dict[str, Any]) -> None:
    server.sign_in = lambda n: {"access_token": f"t{n}", **life}
    session = server.session()

    for _ in range(5):
        session.get("leads", ["1"])

    assert server.sign_ins == 1


def test_too_many_tokens_asks_to_wait_and_is_no_refusal(server: Zoho) -> None:
    server.sign_in = lambda n: {"error": "access_denied", "error_description": "You have made too many requests continuously."}

    with pytest.raises(Throttled) as caught:
        server.session().get("leads", ["1"])

    assert caught.value.after_s == 600


def test_secrets_stand_in_no_repr_of_the_settings(server: Zoho) -> None:
    assert "geheim" not in repr(server.settings())
    assert "geheim" not in server.settings().model_dump_json()

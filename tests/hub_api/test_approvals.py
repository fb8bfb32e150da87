"""Questions and their answers through the API: which key may answer what."""

from __future__ import annotations

from hub_api.answers import ANSWERED_BY
from sync.answering import ROOMS
from tests.hub_api.conftest import Api


def test_each_room_that_asks_says_which_scope_answers() -> None:
    assert set(ANSWERED_BY) == set(ROOMS), "a room without a scope would be answered by any key that answers something"


def test_a_dealers_key_answers_nothing_and_learns_nothing(api: Api) -> None:
    refused = api("dealer", "POST", "/v1/approvals/01931f5e-7c00-7000-8000-0000000000bb/answer", json={"decision": "approved"})

    assert (refused.status_code, refused.json()["code"]) == (403, "keys/scope-missing")


def test_how_long_questions_wait_is_told_to_our_own_people(api: Api) -> None:
    told = api("sales", "GET", "/v1/approval-times?until=2026-11-30&days=30")
    refused = api("dealer", "GET", "/v1/approval-times")

    assert (told.status_code, list(told.json())) == (200, ["items"])
    assert refused.status_code == 403

"""Vendors' callbacks: proven before anything else, kept as hints, answered without an echo that a browser would run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from hub_api.main import create_app
from hub_api.settings import ApiSettings
from sync.config import HubConfig
from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.hub_api.conftest import note_problem


@pytest.fixture
def hooked(database: str) -> Iterator[tuple[Any, Hub]]:
    """The API over a hub whose Zoho has a notification token."""
    raw = CONFIG.model_dump(mode="json", exclude_unset=True)
    raw["systems"]["zoho"]["settings"]["notification_token"] = "hub-token-1"
    with (
        Hub.open(HubConfig.model_validate(raw), database) as hub,
        TestClient(create_app(hub, settings=ApiSettings(), on_problem=note_problem)) as client,
    ):
        assert hub.streams
        yield client, hub


def hints(hub: Hub) -> list[tuple[str, bool]]:
    with hub.transaction() as db:
        db.execute("SELECT key, deleted FROM hint ORDER BY key")
        return [(row["key"], row["deleted"]) for row in db]


EVENT = {"module": "Accounts", "operation": "update", "ids": ["57257670000001"], "token": "hub-token-1", "channel_id": "1000000068001"}


def test_a_proven_callback_is_kept_as_a_hint_and_a_repeat_changes_nothing(hooked: tuple[Any, Hub]) -> None:
    client, hub = hooked
    for _ in range(2):
        assert client.post("/v1/hooks/zoho", json=EVENT).status_code == 200

    assert hints(hub) == [("57257670000001", False)]


@pytest.mark.parametrize("change", [{"token": "hub-token-2"}, {"token": ""}, {"token": None}, {"token": ["hub-token-1"]}])
def test_a_forged_callback_leaves_no_trace(hooked: tuple[Any, Hub], change: dict[str, Any]) -> None:
    client, hub = hooked
    answer = client.post("/v1/hooks/zoho", json=EVENT | change)

    assert (answer.status_code, answer.json()["code"]) == (401, "hooks/forged")
    assert hints(hub) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"<x>&e;</x>", b"null"])
def test_a_callback_that_is_no_message_is_unproven_not_our_failure(hooked: tuple[Any, Hub], body: bytes) -> None:
    client, hub = hooked
    for system in ("zoho", "kingdee"):
        assert client.post(f"/v1/hooks/{system}", content=body).status_code == 401
        assert client.get(f"/v1/hooks/{system}", params={"echostr": "<script>alert(1)</script>"}).status_code == 401
    assert hints(hub) == []


def test_an_unknown_system_has_no_hook(hooked: tuple[Any, Hub]) -> None:
    client, _ = hooked
    for name in ("nobody", "..%2f..%2fetc", "ZOHO"):
        assert client.post(f"/v1/hooks/{name}", json=EVENT).status_code == 404

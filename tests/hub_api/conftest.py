"""The API over a real PostgreSQL, filled once per session with a small channel; keys of every role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from hub_api import keys
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from ledger import postgres
from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.hub_api.world import World, fill


@pytest.fixture(scope="session")
def api_database(postgres_server: postgres.Server, template_database: str) -> Iterator[str]:
    """A filled database for all tests that only read."""
    url = postgres_server.url_of(f"api_{uuid4().hex[:12]}")
    postgres.clone(url, postgres.database_of(template_database))
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def hub(api_database: str) -> Iterator[Hub]:
    with Hub.open(CONFIG, api_database) as opened:
        yield opened


@pytest.fixture(scope="session")
def world(hub: Hub) -> World:
    assert hub.streams  # makes the rows of its streams
    with hub.transaction() as db:
        return fill(db)


@pytest.fixture(scope="session")
def tokens(hub: Hub, world: World) -> dict[str, str]:
    """One key for each role, `other_dealer` for the rival, and keys that do not work: expired, revoked, narrow."""
    made = {}
    with hub.transaction() as db:
        for role in ("it", "finance", "sales"):
            made[role] = keys.create(db, name=role, role=role, by="test").token
        made["dealer"] = keys.create(db, name="dealer", role="dealer", by="test", party=world.agent).token
        made["other_dealer"] = keys.create(db, name="rival", role="dealer", by="test", party=world.rival).token
        made["narrow"] = keys.create(db, name="narrow", role="it", by="test", scopes=["metrics:read"]).token
        made["expired"] = keys.create(db, name="old", role="it", by="test", expires_at=datetime.now(UTC) - timedelta(seconds=1)).token
        gone = keys.create(db, name="gone", role="it", by="test")
        keys.revoke(db, gone.id)
        made["revoked"] = gone.token
    return made


@pytest.fixture(scope="session")
def app(hub: Hub, world: World) -> FastAPI:
    return create_app(hub, settings=ApiSettings())


class Api:
    """A client that sends one role's key."""

    def __init__(self, client: TestClient, tokens: dict[str, str]) -> None:
        self.client, self.tokens = client, tokens

    def __call__(self, role: str | None, method: str, path: str, **more: Any) -> Any:
        headers = {**more.pop("headers", {})}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return self.client.request(method, path, headers=headers, **more)

    def get(self, role: str | None, path: str, **more: Any) -> Any:
        return self(role, "GET", path, **more)


@pytest.fixture(scope="session")
def api(app: FastAPI, tokens: dict[str, str]) -> Iterator[Api]:
    with TestClient(app, raise_server_exceptions=True) as client:
        yield Api(client, tokens)

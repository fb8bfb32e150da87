"""The API over a real PostgreSQL, filled once per session with a small channel; keys of every role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from hub_api import keys
from hub_api.main import create_app
from hub_api.problems import Problem
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


def make_tokens(hub: Hub, world: World) -> dict[str, str]:
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
def tokens(hub: Hub, world: World) -> dict[str, str]:
    return make_tokens(hub, world)


RAISED: set[tuple[str, str, int, str]] = set()
"""Every problem that a route answered in this session: method, path, status, code."""


def note_problem(scope: Any, problem: Problem) -> None:
    """Remember what was answered; refusals before a route was found are not a route's."""
    if (route := scope.get("route")) is not None and problem.code != "api/method-not-allowed":
        RAISED.add((scope["method"], route.path_format, problem.status, problem.code))


@pytest.fixture(scope="session", autouse=True)
def declared_problems() -> Iterator[None]:
    """After all tests: no route answered a problem that it does not declare."""
    yield
    from tests.hub_api.spec import OPENAPI

    undeclared = []
    for method, path, status, code in sorted(RAISED):
        declared = OPENAPI["paths"].get(path, {}).get(method.lower(), {}).get("responses", {}).get(str(status), {})
        codes = declared.get("content", {}).get("application/problem+json", {}).get("examples", {})
        if (code not in codes and not code.startswith("sync/")) or not declared:
            undeclared.append((method, path, status, code))
    assert undeclared == []


@pytest.fixture(scope="session")
def app(hub: Hub, world: World) -> FastAPI:
    return create_app(hub, settings=ApiSettings(), on_problem=note_problem)


class Api:
    """A client that sends one role's key."""

    def __init__(self, client: TestClient, tokens: dict[str, str]) -> None:
        self.client, self.tokens = client, tokens

    def __call__(self, role: str | None, method: str, path: str, **more: Any) -> Any:
        """One request with the role's key."""
        headers = {**more.pop("headers", {})}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return self.client.request(method, path, headers=headers, **more)

    def get(self, role: str | None, path: str, **more: Any) -> Any:
        """One GET with the role's key."""
        return self(role, "GET", path, **more)


@pytest.fixture(scope="session")
def api(app: FastAPI, tokens: dict[str, str]) -> Iterator[Api]:
    with TestClient(app, raise_server_exceptions=True) as client:
        yield Api(client, tokens)


@dataclass
class Fresh:
    """A database of one test's own, filled, with the API over it."""

    hub: Hub
    world: World
    api: Api

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a statement gives."""
        with self.hub.transaction() as db:
            db.execute(query.encode(), values)
            return db.fetchall()


@pytest.fixture
def fresh(database: str) -> Iterator[Fresh]:
    """For tests that change something."""
    with Hub.open(CONFIG, database) as hub:
        assert hub.streams
        with hub.transaction() as db:
            world = fill(db)
        with TestClient(create_app(hub, settings=ApiSettings(), on_problem=note_problem), raise_server_exceptions=True) as client:
            yield Fresh(hub, world, Api(client, make_tokens(hub, world)))

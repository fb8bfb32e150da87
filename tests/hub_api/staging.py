"""Worlds with planted markers and a dealer in front of them, who remembers everything that the API answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import Match

from hub_api.main import create_app
from hub_api.settings import ApiSettings
from sync.config import HubConfig
from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.hub_api.conftest import Api, Fresh, make_tokens, note_problem
from tests.hub_api.world import World, fill
from tests.pricing.test_papers import cells, text_of


class Recorder(Api):
    """A client that remembers what a dealer's key was answered, by operation."""

    def __init__(self, client: TestClient, tokens: dict[str, str]) -> None:
        super().__init__(client, tokens)
        self.heard: list[tuple[str, int, bytes]] = []

    def __call__(self, role: str | None, method: str, path: str, **more: Any) -> Any:
        """One request; a dealer's is remembered with everything that came back, papers as their text too."""
        answer = super().__call__(role, method, path, **more)
        if role == "dealer":
            raw = answer.content + str(answer.headers).encode()
            if answer.headers.get("content-type", "").startswith("application/pdf"):
                raw += text_of(answer.content).encode()
            elif "spreadsheet" in answer.headers.get("content-type", ""):
                raw += str(cells(answer.content)).encode()
            self.heard.append((self.operation(method, path), answer.status_code, raw))
        return answer

    def operation(self, method: str, path: str) -> str:
        """The operation that an address leads to, empty for none."""
        scope = {"type": "http", "method": method, "path": path.partition("?")[0]}
        assert isinstance(self.client.app, FastAPI)
        for route in self.client.app.routes:
            if route.matches(scope)[0] is Match.FULL:
                return str(getattr(route, "operation_id", None) or "")
        return ""


@dataclass
class Staged:
    """A world with markers, and a dealer in front of it."""

    api: Recorder
    hub: Hub
    markers: Mapping[str, str]
    more: dict[str, Any] = field(default_factory=dict)
    world: World | None = None
    """The small channel of the other tests, where it is that."""

    @property
    def fresh(self) -> Fresh:
        """As the other tests have the small channel."""
        assert self.world is not None
        return Fresh(self.hub, self.world, self.api)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """One request of the dealer."""
        return self.api("dealer", method, path, **more)


@dataclass(frozen=True)
class Room:
    """A part of the API, as a dealer meets it."""

    operations: frozenset[str]
    stage: Callable[[str], AbstractContextManager[Staged]]
    walk: Callable[[Staged], None]
    """Asks every operation, of its own and of others, well and badly."""
    ours: Callable[[Staged], bytes]
    """Where people of ours read all that was hidden."""


@contextmanager
def opened(
    database: str, markers: Mapping[str, str], plant: Callable[[Staged], None] | None = None, config: HubConfig = CONFIG
) -> Iterator[Staged]:
    """The small channel of the other tests, and what a room plants besides."""
    with Hub.open(config, database) as hub:
        assert hub.streams
        with hub.transaction() as db:
            world = fill(db)
        with TestClient(create_app(hub, settings=ApiSettings(), on_problem=note_problem), raise_server_exceptions=True) as client:
            api = Recorder(client, make_tokens(hub, world))
            staged = Staged(api, hub, dict(markers), world=world)
            if plant is not None:
                plant(staged)
            yield staged


def joined(raw: bytes, *answers: Any) -> bytes:
    """What was read, and what these answers hold."""
    return raw + b"".join(bytes(answer.content) for answer in answers)


def room(
    operations: str, stage: Callable[[str], AbstractContextManager[Staged]], walk: Callable[[Staged], None], ours: Callable[[Staged], bytes]
) -> Room:
    """A room; `operations` are words, `stage` opens its world over a database."""
    return Room(frozenset(operations.split()), stage, walk, ours)

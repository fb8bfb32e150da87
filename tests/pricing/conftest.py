"""A stocked ledger for the tests of prices: over a connection of its own (`db`, `made`), or as the engine opens it (`hub`)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.config import PricesConfig
from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.pricing.stocked import Db, Stocked, connected, stock


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    """A connection as the hub makes it; what is written is committed at the end."""
    with connected(database) as connection:
        yield connection


@pytest.fixture
def made(db: Db) -> Stocked:
    """The small channel."""
    return stock(db)


@pytest.fixture
def hub(database: str, request: pytest.FixtureRequest) -> Iterator[Hub]:
    """The engine over the ledger; a parameter says what stands under `prices` of hub.yaml."""
    said = PricesConfig(**getattr(request, "param", {}))
    with Hub.open(CONFIG.model_copy(update={"prices": said}), database) as opened:
        assert opened.streams
        yield opened

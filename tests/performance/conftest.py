"""A ledger with the documents of a small trade, for the scorecards that look at them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.performance.trade import Trade, filled


@pytest.fixture
def trade(database: str) -> Iterator[Trade]:
    """Six dealers of one peer group."""
    with Hub.open(CONFIG, database) as hub:
        assert hub.streams  # makes the rows of its streams
        yield filled(hub)

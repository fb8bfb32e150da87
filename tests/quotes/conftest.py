"""A hub of its own for each test, with the trade of `shop` in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.quotes.shop import Shop, fill, open_shop


@pytest.fixture
def shop(database: str) -> Iterator[Shop]:
    """The trade, open."""
    with open_shop(database) as hub:
        yield fill(hub)

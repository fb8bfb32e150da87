"""A ledger with documents, for the rebates that follow them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import SMALL, make_world
from tests.sync.stage import Pair, Stage, open_hub, stand_ins, still


@pytest.fixture(scope="module")
def small() -> Iterator[Pair]:
    """Two parties, three orders."""
    with still(), stand_ins(make_world(3, SMALL)) as pair:
        yield pair


@pytest.fixture
def stage(small: Pair, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Everything was read; nothing is written anywhere yet."""
    monkeypatch.setenv("HUB_SECRET_KEY", "a key for a test")
    small.reset()
    with open_hub(small, database, tmp_path / "home") as hub:
        made = Stage(small, hub)
        made.read()
        yield made

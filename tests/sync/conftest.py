"""Both stand-ins, started once per module; a database and a hub per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import MEDIUM, SMALL, make_world
from tests.sync.stage import Pair, Stage, open_hub, stand_ins, still


@pytest.fixture(scope="module", autouse=True)
def quiet_log() -> Iterator[None]:
    """Calls are not told one by one."""
    with still():
        yield


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", "a key for a test")
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def small() -> Iterator[Pair]:
    """Two parties, three orders, one accepted quote."""
    with stand_ins(make_world(3, SMALL)) as pair:
        yield pair


@pytest.fixture(scope="module")
def medium() -> Iterator[Pair]:
    """200 parties, 1,000 orders, doubtful pairs, a bad record, an unknown salesperson."""
    with stand_ins(make_world(7, MEDIUM)) as pair:
        yield pair


@pytest.fixture
def stage(small: Pair, database: str, tmp_path: Path) -> Iterator[Stage]:
    """A small stage where nothing has been read yet."""
    small.reset()
    with open_hub(small, database, tmp_path / "home") as hub:
        yield Stage(small, hub)


@pytest.fixture
def live(stage: Stage) -> Stage:
    """A small stage after go-live: both systems and the hub agree."""
    stage.go_live()
    return stage

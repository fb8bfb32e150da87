"""A ledger with documents, for the rebates that follow them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from channel.rebates.queries import Connection
from sandbox.world import SMALL, make_world
from sync import valuing
from tests.sync.stage import BOSS, Pair, Stage, open_hub, stand_ins, still


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


@pytest.fixture
def db(database: str) -> Iterator[Connection]:
    """A ledger without a document."""
    with psycopg.connect(database, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture
def live(stage: Stage) -> Stage:
    """Both systems and the hub agree, and finance has said which expense item a rebate is."""
    stage.go_live()
    valuing.set_value(stage.hub, "expense", "kingdee", "", "FYXM20", "rebate", by=BOSS)
    return stage

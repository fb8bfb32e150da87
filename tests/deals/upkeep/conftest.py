"""A hub without any other system: what it knows, people and rules have said to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sync.config import HubConfig
from sync.hub import Hub
from tests.deals.registration.conftest import db, east, west

__all__ = ["db", "east", "west"]

HUB = {"systems": {}, "owners": {"default": "hub"}}
CONFIG: dict[str, Any] = {
    "systems": {},
    "flows": dict.fromkeys(("party", "contact", "lead", "deal", "product", "order", "shipment"), HUB),
}


@pytest.fixture
def make_hub(database: str) -> Iterator[Callable[..., Hub]]:
    """Open a hub with more said in its hub.yaml."""
    made: list[Hub] = []

    def open_one(**more: Any) -> Hub:
        made.append(Hub.open(HubConfig.model_validate({**CONFIG, **more}), database))
        return made[-1]

    yield open_one
    for hub in made:
        hub.close()


@pytest.fixture
def hub(make_hub: Callable[..., Hub]) -> Hub:
    """The usual hub."""
    return make_hub()


def notices(db: psycopg.Connection[Any], kind: str | None = None, audience: str | None = None) -> list[dict[str, Any]]:
    """Notices in the order in which they were raised."""
    found = db.execute("SELECT doc::jsonb FROM notices ORDER BY id").fetchall()
    return [doc for (doc,) in found if kind in (None, doc["kind"]) and audience in (None, doc["audience"])]


def kinds(db: psycopg.Connection[Any], dealer: UUID) -> list[str]:
    """What a dealer was told."""
    return [doc["kind"] for doc in notices(db, audience=f"party:{dealer}")]


def today(db: psycopg.Connection[Any]) -> date:
    """The business day by the database's clock."""
    row = db.execute("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date").fetchone()
    assert row is not None
    found: date = row[0]
    return found

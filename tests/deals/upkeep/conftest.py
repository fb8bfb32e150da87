"""A hub whose systems never answer: what it knows, people and rules have said to it."""

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

CONFIG: dict[str, Any] = {
    "systems": {
        "kingdee": {
            "kind": "erp_kingdee",
            "settings": {
                "server_url": "https://erp.invalid", "acct_id": "1", "user_name": "u", "app_id": "client_" + "0" * 32, "app_secret": "s",
            },
        },
        "zoho": {
            "kind": "crm_zoho",
            "settings": {
                "accounts_url": "https://crm.invalid", "api_domain": "https://crm.invalid", "client_id": "c", "client_secret": "s",
                "refresh_token": "r",
            },
        },
    },
    "flows": {
        "party": {"owners": {"default": ["hub", "zoho"]}, "systems": {"zoho": {"stream": "accounts"}, "kingdee": {"stream": "customers"}}},
        "contact": {"owners": {"default": ["hub", "zoho"]}, "systems": {"zoho": {"stream": "contacts"}}},
        "lead": {"owners": {"default": ["hub", "zoho"]}, "systems": {"zoho": {"stream": "leads"}}},
        "deal": {"owners": {"default": ["hub", "zoho"]}, "systems": {"zoho": {"stream": "deals"}}},
        "product": {"owners": {"default": ["hub", "zoho"]}, "systems": {"zoho": {"stream": "products"}}},
        "order": {
            "owners": {"default": ["kingdee", "hub"]},
            "systems": {
                "kingdee": {"stream": "sales_orders", "create": True, "goal": "C", "mode": "write"},
                "zoho": {"stream": "sales_orders", "create": True, "mode": "write"},
            },
        },
        "shipment": {"owners": {"default": "kingdee"}, "systems": {"kingdee": {"stream": "shipments", "mode": "read"}}},
    },
}  # fmt: skip
"""Systems that nothing is ever asked of."""


@pytest.fixture
def make_hub(database: str) -> Iterator[Callable[..., Hub]]:
    """Open a hub with more said in its hub.yaml."""
    made: list[Hub] = []

    def open_one(**more: Any) -> Hub:
        made.append(Hub.open(HubConfig.model_validate({**CONFIG, **more}), database))
        assert made[-1].streams  # makes the rows of its streams
        return made[-1]

    yield open_one
    for hub in made:
        hub.close()


@pytest.fixture
def hub(make_hub: Callable[..., Hub]) -> Hub:
    """The usual hub."""
    return make_hub()


def messages(db: psycopg.Connection[Any], kind: str | None = None, audience: str | None = None) -> list[dict[str, Any]]:
    """Notices in the order in which they were raised."""
    found = db.execute("SELECT doc::jsonb FROM notices ORDER BY id").fetchall()
    return [doc for (doc,) in found if kind in (None, doc["kind"]) and audience in (None, doc["audience"])]


def kinds(db: psycopg.Connection[Any], dealer: UUID) -> list[str]:
    """What a dealer was told."""
    return [doc["kind"] for doc in messages(db, audience=f"party:{dealer}")]


def today(db: psycopg.Connection[Any]) -> date:
    """The business day by the database's clock."""
    row = db.execute("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date").fetchone()
    assert row is not None
    found: date = row[0]
    return found

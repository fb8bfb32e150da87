"""A database with dealers in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.deals.registration.helpers import add_dealer


@pytest.fixture
def db(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection where each use case is its own transaction, as at an API's edge."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def east(db: psycopg.Connection[Any]) -> UUID:
    """A dealer."""
    return add_dealer(db, "上海东方工业设备有限公司", channel_type="province_agent")


@pytest.fixture
def west(db: psycopg.Connection[Any]) -> UUID:
    """Another dealer."""
    return add_dealer(db, "成都西部机电有限公司", channel_type="city_agent")

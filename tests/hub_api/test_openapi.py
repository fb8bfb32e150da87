"""Schemathesis against the application over real PostgreSQL: what openapi.json says is what happens, for good data and bad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from hub_api import keys
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from ledger import postgres
from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.hub_api.conftest import note_problem
from tests.hub_api.world import fill

APP = create_app(settings=ApiSettings(), on_problem=note_problem)


def described(*, coverage: bool) -> Any:
    """The description as schemathesis reads it; `coverage` adds every boundary and every wrong type of every parameter."""
    config = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": coverage}}})
    return schemathesis.openapi.from_asgi("/openapi.json", APP, config=config)


schema = described(coverage=False)
thorough = described(coverage=True)


@pytest.fixture(scope="module")
def token(postgres_server: postgres.Server, template_database: str) -> Iterator[str]:
    """A database of its own behind the application, and a key that may do everything."""
    url = postgres_server.url_of(f"fuzz_{uuid4().hex[:12]}")
    postgres.clone(url, postgres.database_of(template_database))
    with Hub.open(CONFIG, url) as hub:
        assert hub.streams
        with hub.transaction() as db:
            fill(db)
            made = keys.create(db, name="schemathesis", role="it", by="test").token
        APP.state.engine.use(hub)
        yield made
    postgres.drop(url)


@schema.parametrize()  # type: ignore[untyped-decorator]  # schemathesis's own
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_description_is_true(case: Any, token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})


@pytest.mark.slow
@thorough.parametrize()  # type: ignore[untyped-decorator]  # schemathesis's own
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_description_is_true_at_every_boundary(case: Any, token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

"""Schemathesis against the application over real PostgreSQL: what openapi.json says is what happens, for good data and bad."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, assume, settings
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test

from hub_api import keys
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from ledger import postgres
from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.hub_api.conftest import note_problem
from tests.hub_api.spec import ROUTES, Route
from tests.hub_api.world import fill


@cache
def app() -> FastAPI:
    """The application, made when the first of these tests runs: every worker collects this file, few run it."""
    return create_app(settings=ApiSettings(), on_problem=note_problem)


@cache
def described(*, coverage: bool) -> Any:
    """The description as schemathesis reads it; `coverage` adds every boundary and every wrong type of every parameter."""
    config = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": coverage}}})
    return schemathesis.openapi.from_asgi("/openapi.json", app(), config=config)


def held_true(route: Route, token: str, how: settings, *, coverage: bool) -> None:
    """Send what the description of one operation allows and forbids, and hold the answers against it.

    As `schema.parametrize()` would, but built when it runs: that costs half a CPU second for each operation, in every worker.
    """

    @how
    def send(case: Any) -> None:
        assume([] not in (case.query or {}).values())  # it is sent as nothing, so what is forbidden about it is not sent either
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

    load_all_checks()
    schema = described(coverage=coverage)
    operation = schema[route.path][route.method]
    build_operation_test(config=schema.config, operation=operation, test_func=send, given_kwargs={}, feedback=FeedbackSources())()


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
        app().state.engine.use(hub)
        yield made
    postgres.drop(url)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_the_description_is_true(route: Route, token: str) -> None:
    how = settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    held_true(route, token, how, coverage=False)


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_the_description_is_true_at_every_boundary(route: Route, token: str) -> None:
    how = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    held_true(route, token, how, coverage=True)

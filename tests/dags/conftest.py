"""Airflow in this process, once: a home and a metadata database of its own, the repository's DAG folder, and a stage for the tasks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger import postgres
from sandbox.world import SMALL, make_world
from tests.sync.stage import Pair, Stage, open_hub, stand_ins

DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="session")
def airflow_settings(postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Airflow's settings in the environment, before Airflow is imported; gives the URL of its (still empty) database."""
    libpq = postgres_server.url_of("airflow_dags")
    postgres.ensure(libpq)
    url = "postgresql+psycopg://" + libpq.removeprefix("postgresql://")
    home = tmp_path_factory.mktemp("airflow")
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url,
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    yield url
    for name, value in before.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def airflow_database(airflow_settings: str) -> str:
    """Airflow's metadata database, with its schema."""
    from airflow import settings
    from airflow.utils.db import initdb

    settings.configure_orm()  # type: ignore[no-untyped-call]  # Airflow's own, untyped
    initdb()
    return airflow_settings


@pytest.fixture(scope="session")
def parsed(airflow_settings: str) -> Callable[[], Any]:
    """Parse the DAG folder as the DAG processor does."""

    def parse() -> Any:
        from airflow.dag_processing.dagbag import DagBag

        return DagBag(dag_folder=str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")

    return parse


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Both stand-ins with two parties and three orders."""
    with stand_ins(make_world(3, SMALL)) as both:
        yield both


@pytest.fixture
def stage(pair: Pair, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A hub over both stand-ins, as tasks find it: by HUB_CONFIG and HUB_DATABASE_URL."""
    pair.reset()
    home = tmp_path / "home"
    monkeypatch.setenv("HUB_SECRET_KEY", "a key for a test")
    monkeypatch.setenv("HUB_HOME", str(home))
    with open_hub(pair, database, home) as hub:
        monkeypatch.setenv("HUB_CONFIG", str(home / "hub.yaml"))
        monkeypatch.setenv("HUB_DATABASE_URL", database)
        yield Stage(pair, hub)

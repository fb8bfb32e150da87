"""Health and metrics, also while the database is away."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from fastapi.testclient import TestClient
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from hub_api.main import create_app
from hub_api.settings import ApiSettings
from sync.errors import BadConfig
from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.hub_api.conftest import Api


def nowhere() -> str:
    """A database address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"postgresql://hub@127.0.0.1:{probe.getsockname()[1]}/none"


def test_the_process_is_alive_and_the_hub_is_ready(api: Api) -> None:
    assert api.get(None, "/health/live").json() == {"status": "alive"}
    assert api.get(None, "/health/ready").json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/health/ready"), ("GET", "/v1/orders"), ("GET", "/metrics"), ("POST", "/v1/hooks/zoho")]
)
def test_without_its_database_it_is_alive_but_not_ready(method: str, path: str) -> None:
    url = nowhere()
    pool: Any = ConnectionPool(url, min_size=0, max_size=2, kwargs={"row_factory": dict_row}, open=True)
    with pool, TestClient(create_app(Hub(CONFIG, url, pool), settings=ApiSettings(pool_wait_s=0.3)), client=("127.0.0.1", 5)) as client:
        answer = client.request(method, path, headers={"Authorization": f"Bearer hub_{'a' * 12}_{'b' * 43}"} if "/v1/o" in path else {})

        assert client.get("/health/live").status_code == 200
    if "hooks" not in path:
        assert (answer.status_code, answer.json()["code"]) == (503, "api/unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    else:
        assert answer.status_code >= 500 or answer.status_code == 401


def test_a_mistake_in_the_configuration_is_our_failure_not_the_callers() -> None:
    def opener() -> Hub:
        raise BadConfig("no configuration is named")

    with TestClient(create_app(opener=opener, settings=ApiSettings())) as client:
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503


def test_metrics_tell_states_records_and_runs_by_system(api: Api) -> None:
    text = api.get("it", "/metrics").text

    assert 'hub_pairs{state="due",stream="sales_orders",system="zoho"} 1.0' in text
    assert 'hub_quarantine_open{stream="customers",system="kingdee"} 1.0' in text
    assert 'hub_open{kind="cases"} 2.0' in text
    assert 'hub_runs_total{kind="increment",status="done",system="zoho"} 1.0' in text


def test_metrics_are_open_on_the_machine_itself_only_without_a_proxy(api: Api, hub: Hub) -> None:
    with TestClient(create_app(hub, settings=ApiSettings()), client=("127.0.0.1", 50000)) as here:
        assert here.get("/metrics").status_code == 200
        assert here.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 401
    with TestClient(create_app(hub, settings=ApiSettings()), client=("10.1.2.3", 50000)) as elsewhere:
        assert elsewhere.get("/metrics").status_code == 401
    assert api.get("narrow", "/metrics").status_code == 200
    assert api.get("dealer", "/metrics").status_code == 403


def test_settings_come_from_the_environment_and_a_mistake_names_its_variable() -> None:
    assert ApiSettings.from_environment({"HUB_API_DOCS": "on", "HUB_API_POOL_WAIT_S": "1.5"}) == ApiSettings(docs=True, pool_wait_s=1.5)
    for variable, value in (("HUB_API_DOCS", "maybe"), ("HUB_API_BODY_LIMIT_BYTES", "1 MB"), ("HUB_API_BODY_LIMIT_BYTES", "-1")):
        with pytest.raises(ValueError, match=variable):
            ApiSettings.from_environment({variable: value})

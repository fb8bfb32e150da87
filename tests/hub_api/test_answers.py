"""How answers behave: ETags, parameters, headers, caps, the documented examples."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import anyio
import jsonschema_rs
import pytest
from fastapi.testclient import TestClient

from hub_api.known_errors import problem_of
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from sync.hub import Hub
from tests.hub_api.conftest import Api
from tests.hub_api.spec import OPENAPI, ROUTES, Route, resolved
from tests.hub_api.world import World


def test_an_answer_that_the_caller_has_is_not_sent_again(api: Api, world: World) -> None:
    path = f"/v1/orders/{world.mine['order']}"
    for role in ("it", "dealer"):
        first = api.get(role, path)
        again = api.get(role, path, headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})

        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert api.get(role, path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert api.get("it", path).headers["ETag"] != api.get("dealer", path).headers["ETag"]


def test_a_dealers_etag_tells_no_version(api: Api, world: World) -> None:
    assert not api.get("dealer", f"/v1/orders/{world.mine['order']}").headers["ETag"].startswith('"v')


@pytest.mark.parametrize(
    "query",
    [
        "cost_gt=1",
        "total_gt=abc",
        "total=1e5",
        "party=x",
        "ordered_on=2026-13-01",
        "limit=0",
        "limit=201",
        "sort=doc",
        "sort=total;drop",
        "retired=maybe",
        "ordered_on=0",
    ],
)
def test_an_unknown_or_wrong_parameter_is_a_400_that_repeats_no_value(api: Api, query: str) -> None:
    answer = api.get("it", f"/v1/orders?{query}")

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["code"] == "api/bad-parameters"


@pytest.mark.parametrize("text", ["' or 1=1--", "%", "_", "\\", "é%' UNION SELECT", "𠮷", "\x00", "%(id)s", "%s"])
def test_text_in_a_filter_is_only_ever_text(api: Api, text: str) -> None:
    assert api.get("it", "/v1/orders", params={"number": text}).json() == {"items": [], "next": None}
    found = api.get("it", "/v1/parties", params={"name_contains": text * 2})
    assert (found.status_code, found.json()["items"]) == (200, [])


def test_a_filter_finds_what_it_says(api: Api, world: World) -> None:
    assert [row["number"] for row in api.get("it", "/v1/parties", params={"name_contains": "恒信"}).json()["items"]] == ["C1", "C2"]
    assert (
        len(
            api.get(
                "it", "/v1/orders", params={"total_ge": "1130", "total_lt": "1130.01", "status": "open", "ordered_on": "2026-01-05"}
            ).json()["items"]
        )
        >= 3
    )
    assert api.get("it", "/v1/orders", params={"total_gt": "1130"}).json()["items"] == []


def test_lines_come_when_they_are_asked_for(api: Api) -> None:
    with_lines = api.get("dealer", "/v1/orders", params={"include": "lines"}).json()["items"]

    assert [len(row["lines"]) for row in with_lines] == [2, 2]
    assert "lines" not in api.get("dealer", "/v1/orders").json()["items"][0]


def test_one_name_of_an_entity_is_as_good_as_the_other(api: Api, world: World) -> None:
    assert api.get("it", f"/v1/order/{world.mine['order']}").content == api.get("it", f"/v1/orders/{world.mine['order']}").content


@pytest.mark.parametrize("path", ["/health/live", "/v1/me", "/v1/nothing", "/openapi.json", "/v1/hooks/nobody"])
def test_every_answer_carries_the_security_headers(api: Api, path: str) -> None:
    headers = api.get("it", path, headers={"Origin": "https://evil.example"}).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "access-control-allow-origin" not in headers
    assert headers["X-Request-Id"]


def test_a_request_id_is_kept_when_it_is_harmless(api: Api) -> None:
    assert api.get("it", "/v1/me", headers={"X-Request-Id": "a-1"}).headers["X-Request-Id"] == "a-1"
    assert api.get("it", "/v1/me", headers={"X-Request-Id": "a b<script>"}).headers["X-Request-Id"] != "a b<script>"


def test_the_interactive_page_is_off_unless_it_is_switched_on(api: Api, hub: Hub) -> None:
    assert api.get("it", "/docs").status_code == 404
    with TestClient(create_app(hub, settings=ApiSettings(docs=True))) as client:
        assert client.get("/docs").status_code == 200


def test_what_the_framework_refuses_is_a_problem_too(api: Api) -> None:
    for method, path, status in (
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/me", 405),
        ("PATCH", "/v1/cases/1", 405),
        ("GET", "/v1/orders/", 404),
    ):
        answer = api("it", method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path


class Chunks:
    """A body that is sent without its length."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __iter__(self) -> Any:
        for start in range(0, self.size, 65536):
            yield b"x" * min(65536, self.size - start)


_SMALL, _LARGE = ApiSettings().body_limit_bytes, ApiSettings().record_limit_bytes


@pytest.mark.parametrize(
    ("path", "role", "cap"),
    [
        ("/v1/hooks/zoho", None, _SMALL),
        ("/v1/values", "it", _SMALL),
        ("/v1/plans", "it", _SMALL),
        ("/v1/rebate-facts", "it", _LARGE),
        ("/v1/scorecards/facts", "it", _LARGE),
        ("/v1/scorecards/definitions", "it", _LARGE),
        ("/v1/price-rules", "it", _LARGE),
        ("/v1/programmes", "it", _LARGE),
        ("/v1/programmes/pumps-2026/simulate", "it", _LARGE),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_at_the_cap_is_read_and_one_byte_more_is_not(api: Api, path: str, role: str | None, cap: int, *, announced: bool) -> None:
    for size, taken in ((cap, True), (cap + 1, False)):
        content = b"x" * size if announced else Chunks(size)
        answer = api(role, "POST", path, content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code == 413) is not taken


def test_a_body_is_not_read_before_the_key_is_proved(api: Api) -> None:
    answer = api(None, "POST", "/v1/plans", content=b"x" * (ApiSettings().body_limit_bytes + 1))

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b'"x"', 422),
        (b"{}", 422),
        (b'{"kind": "nonsense"}', 422),
        (b"NaN", 422),
    ],
)
def test_a_body_that_cannot_be_read_is_told_from_one_of_the_wrong_shape(api: Api, body: bytes, status: int) -> None:
    path = "/v1/plans" if b"kind" in body else "/v1/values"

    assert api("it", "POST", path, content=body, headers={"Content-Type": "application/json"}).status_code == status


PAPERS = {"application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
"""Files for people: their example is the paper itself."""


def test_every_route_shows_an_example_of_its_answer_and_of_its_body() -> None:
    lacking = []
    for route in ROUTES:
        good = next(answer for status, answer in route.operation["responses"].items() if status.startswith("2"))
        kind, media = next(iter(good["content"].items()))
        if "example" not in media and kind not in PAPERS:
            lacking.append(f"{route.id} answer")
        if "requestBody" in route.operation and route.id != "receive_hook" and route.body() is None:
            lacking.append(f"{route.id} body")

    assert lacking == []


@pytest.mark.parametrize(
    "route",
    [
        route
        for route in ROUTES
        if "/v1/" in route.path and "hooks" not in route.path and ".pdf" not in route.path and ".xlsx" not in route.path
    ],
    ids=lambda route: route.id,
)
def test_an_example_is_what_the_schema_says(route: Route) -> None:
    good = next(answer for status, answer in route.operation["responses"].items() if status.startswith("2"))
    media = good["content"]["application/json"]
    schema = {"components": OPENAPI["components"], **media["schema"]}

    jsonschema_rs.validate(schema, json.loads(json.dumps(media["example"])))
    if route.body() is not None:
        content = route.operation["requestBody"]["content"]["application/json"]["schema"]
        jsonschema_rs.validate({"components": OPENAPI["components"], **content}, route.body())


def test_every_writable_payload_refuses_what_it_does_not_know() -> None:
    def open_objects(schema: dict[str, Any], place: str) -> list[str]:
        if "$ref" in schema:
            return open_objects(OPENAPI["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], place)
        if schema.get("type") == "object" and "properties" in schema:
            inner = [found for name, one in schema["properties"].items() for found in open_objects(one, f"{place}.{name}")]
            return inner + ([] if schema.get("additionalProperties") is False else [place])
        return []

    bodies = [
        (route, route.operation["requestBody"]["content"].get("application/json")) for route in ROUTES if "requestBody" in route.operation
    ]
    assert [found for route, content in bodies if content for found in open_objects(content["schema"], route.id)] == []
    assert len(bodies) > 30


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.method in {"POST", "PATCH"} and route.body() is not None], ids=lambda route: route.id
)
def test_no_field_can_be_slipped_in(api: Api, route: Route) -> None:
    known = resolved(route.operation["requestBody"]["content"]["application/json"]["schema"])["properties"]
    slipped = {
        "id": str(uuid4()), "hub_key": "H0123456789ABCDE", "version": 99, "retired": True, "approved_by": "me", "state": "approved",
        "decided_by": "me", "paid_amount": "1", "order_number": "X", "custom": {"a": 1}, "role": "it",
    }  # fmt: skip
    slipped = {name: value for name, value in slipped.items() if name not in known}
    answer = api("it", route.method, route.filled(), json={**route.body(), **slipped})

    assert (answer.status_code, answer.json()["code"]) == (422, "api/invalid-payload")
    assert {f"body.{name}" for name in slipped} <= {error["where"] for error in answer.json()["errors"]}


def test_a_client_that_sends_its_body_too_slowly_is_cut_off(hub: Hub, api: Api) -> None:
    app = create_app(hub, settings=ApiSettings(body_deadline_s=0.2))
    started: list[Any] = []

    async def dribble() -> dict[str, Any]:
        await anyio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def collect(message: Any) -> None:
        started.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/hooks/zoho", "raw_path": b"/v1/hooks/zoho", "query_string": b"", "headers": [],
        "client": ("10.0.0.1", 1), "server": ("test", 80), "scheme": "http", "http_version": "1.1", "root_path": "",
    }  # fmt: skip

    anyio.run(app, scope, dribble, collect)
    assert started[0]["status"] == 408


def test_a_statement_that_takes_too_long_is_our_failure_and_ends(hub: Hub) -> None:
    engine = create_app(hub, settings=ApiSettings(statement_timeout_s=0.05)).state.engine
    with pytest.raises(Exception, match="statement timeout") as caught, engine.reading() as db:
        db.execute("SELECT pg_sleep(5)")

    problem = problem_of(caught.value)
    assert (problem.status, problem.code, problem.headers()["Retry-After"]) == (503, "api/took-too-long", "5")


def test_a_reading_request_cannot_write(hub: Hub) -> None:
    engine = create_app(hub, settings=ApiSettings()).state.engine
    with pytest.raises(Exception, match="read-only"), engine.reading() as db:
        db.execute("DELETE FROM orders")


@pytest.mark.promise(13)
def test_what_was_sent_stands_in_no_log(api: Api, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "MK-BODY-7788"
    api("it", "PATCH", f"/v1/parties/{world.agent}", json={"name": secret, "nonsense": secret})
    api("it", "POST", f"/v1/values?x={secret}", json={"name": secret})
    api.get("it", "/v1/orders", params={"number": secret})
    api(None, "GET", "/v1/orders", headers={"Authorization": f"Bearer {secret}"})
    shown = "".join(capsys.readouterr())

    assert "request" in shown
    assert secret not in shown
    assert api.tokens["it"] not in shown

"""Every route against every kind of caller, from openapi.json and routes.yaml: by object, by function, and what a hidden record tells."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from hub_api.shapes import ENTITIES, plural
from tests.hub_api.conftest import Api
from tests.hub_api.spec import KEYED, RECORD_ROUTES, ROLES, ROUTES, SPEC, Route
from tests.hub_api.world import World

SEEN_BY_DEALER = [name for name in ENTITIES if SPEC["entities"][name]["dealer"] != "none"]


def _id(route: Route) -> str:
    return route.id


def _volatile(answer: Any) -> dict[str, str]:
    """Headers without those that differ between any two answers."""
    return {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "date"}}


def test_somebody_has_thought_about_who_may_use_each_route() -> None:
    named = {*SPEC["open"], *SPEC["guarded_by_itself"], *SPEC["proven_by_vendor"], *SPEC["everyone"], *SPEC["roles"]}
    unnamed = [route.id for route in ROUTES if route.id not in named and not route.entity]

    assert unnamed == []
    assert set(SPEC["entities"]) == set(ENTITIES)
    assert named <= {route.id for route in ROUTES}


@pytest.mark.promise(13)
@pytest.mark.parametrize("route", KEYED, ids=_id)
def test_nothing_is_answered_without_a_valid_key(api: Api, route: Route) -> None:
    headers = [None, f"Bearer {api.tokens['it'][:-1]}_"]
    if not route.entity:
        headers += ["Bearer", "Bearer nonsense", "Basic aHViOmh1Yg==", f"Bearer hub_{'a' * 12}_{'b' * 43}"]
    for header in headers:
        answer = api(None, route.method, route.filled(), json=route.body(), headers={"Authorization": header} if header else {})

        assert answer.status_code == 401, header
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for role in ("expired", "revoked"):
        assert api(role, route.method, route.filled(), json=route.body()).json()["code"] == "keys/expired"


@pytest.mark.parametrize("route", KEYED, ids=_id)
def test_a_role_without_the_scope_is_refused(api: Api, route: Route) -> None:
    refused = [role for role in ROLES if role not in route.roles()]
    if route.id not in SPEC["everyone"]:
        refused.append("narrow")

    for role in refused:
        answer = api(role, route.method, route.filled(), json=route.body())
        assert (answer.status_code, answer.json()["code"]) == (403, "keys/scope-missing"), role


@pytest.mark.parametrize("route", [route for route in KEYED if route.method == "GET"], ids=_id)
def test_a_role_with_the_scope_is_let_in(api: Api, route: Route) -> None:
    for role in sorted(route.roles()):
        assert api.get(role, route.filled()).status_code in {200, 404}, role


@pytest.mark.promise(13)
@pytest.mark.parametrize("route", [route for route in RECORD_ROUTES if "{record_id}" in route.path and route.method == "GET"], ids=_id)
def test_anothers_record_is_as_absent_as_one_that_never_was(api: Api, world: World, route: Route) -> None:
    hidden = world.theirs.get(route.entity)
    if hidden is None:
        assert SPEC["entities"][route.entity]["dealer"] == "shared"
        return
    theirs = api.get("dealer", route.filled(record_id=hidden))
    missing = api.get("dealer", route.filled(record_id=uuid4()))
    malformed = api.get("dealer", route.filled(record_id="not-an-id"))

    assert theirs.status_code == 404
    assert theirs.content == missing.content == malformed.content
    assert _volatile(theirs) == _volatile(missing)
    assert api.get("it", route.filled(record_id=hidden)).status_code == 200


@pytest.mark.parametrize("entity", SEEN_BY_DEALER)
def test_a_dealers_list_holds_its_own_and_what_is_below_it_and_no_more(api: Api, world: World, entity: str) -> None:
    own = [row["id"] for row in api.get("dealer", f"/v1/{plural(entity)}", params={"limit": 200}).json()["items"]]

    if SPEC["entities"][entity]["dealer"] == "own":
        assert set(own) == {str(world.mine[entity]), str(world.below[entity])}
    elif entity in world.theirs:
        assert str(world.theirs[entity]) not in own
        assert len(own) == 2  # the list for all, and the one that names the city agent
    else:
        assert len(own) == 1


def test_a_filter_by_the_rivals_party_finds_nothing(api: Api, world: World) -> None:
    for address, field in (
        ("orders", "party"),
        ("shipments", "party"),
        ("deals", "dealer"),
        ("quotes", "customer"),
        ("stock_levels", "holder"),
    ):
        answer = api.get("dealer", f"/v1/{address}", params={field: str(world.rival)})

        assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})


def test_a_cursor_of_another_key_or_query_is_refused(api: Api) -> None:
    cursor = api.get("other_dealer", "/v1/products", params={"limit": 1, "sort": "name"}).json()["next"]
    cursor = cursor or api.get("it", "/v1/orders", params={"limit": 1}).json()["next"]

    for role, path, more in (
        ("dealer", "/v1/orders", {}),
        ("it", "/v1/parties", {}),
        ("it", "/v1/orders", {"status": "open"}),
        ("finance", "/v1/orders", {}),
    ):
        answer = api.get(role, path, params={"after": cursor, "limit": 1} | more)
        assert (answer.status_code, answer.json()["code"]) == (404, "api/bad-cursor")
    flipped = cursor[:-4] + ("A" if cursor[-4] != "A" else "B") + cursor[-3:]
    assert api.get("it", "/v1/orders", params={"after": flipped, "limit": 1}).status_code == 404


@pytest.mark.parametrize("entity", ENTITIES)
def test_only_the_named_roles_may_edit(api: Api, world: World, entity: str) -> None:
    route = next(route for route in RECORD_ROUTES if route.id == f"edit_{entity}")
    record = world.mine.get(entity) or world.theirs.get(entity)
    path = route.filled(record_id=record) if record else route.filled()

    for role in ("it", "finance", "sales"):
        answer = api(role, "PATCH", path, json=route.body())
        if role not in SPEC["entities"][entity]["edit"]:
            assert answer.status_code in ({403} if record else {404}), role
        else:
            assert answer.status_code in {200, 404, 409}, role
    assert api("dealer", "PATCH", path, json=route.body()).status_code == 403

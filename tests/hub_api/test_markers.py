"""Planted markers: each hidden value is unlike anything else, so that a crawl over all routes finds a leak in the raw bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from hub_api.shapes import plural, shape
from tests.hub_api.conftest import Api
from tests.hub_api.spec import KEYED, RECORD_ROUTES
from tests.hub_api.world import FLOOR, HIDDEN_FROM_DEALERS, RIVAL, World

LONG_ENOUGH = 8


def forms(marker: str) -> list[bytes]:
    """The marker as text and, for an amount, in the ways that a number is written."""
    texts = [marker]
    if marker.replace(".", "").isdigit():
        number = Decimal(marker)
        texts += [f"{number:,}", str(number.normalize()), f"{number:.2f}", f"{number:E}", str(int(number)), str(int(number * 10000))]
    return [text.encode() for text in texts] + [text.encode().hex().encode() for text in texts]


def leaked(raw: bytes, marker: str) -> bool:
    return any(_stands_in(raw, form) for form in forms(marker))


def _stands_in(raw: bytes, form: bytes) -> bool:
    if len(form) >= LONG_ENOUGH:
        return form in raw
    # A few digits stand in some random identifier sooner or later; as an amount they stand alone.
    return re.search(rb"(?<![0-9A-Za-z_-])" + re.escape(form) + rb"(?![0-9A-Za-z_-])", raw) is not None


def crawl(api: Api, world: World, role: str) -> Iterator[tuple[str, bytes]]:
    """Every GET route, lists with everything that may be included and in both orders, own and foreign records, edits that are refused."""
    for route in KEYED:
        if route.method == "GET" and "record_id" not in route.path:
            yield route.id, api.get(role, route.filled()).content
    for route in RECORD_ROUTES:
        if route.id.startswith("list_"):
            sets = list(shape(route.entity).spec.sets)
            for sort in ("id", "-number", "number"):
                answer = api.get(role, route.path, params={"include": sets, "sort": sort, "limit": 200} if sets else {"sort": sort})
                yield f"{route.id} {sort}", answer.content + str(answer.headers).encode()
            first = api.get(role, route.path, params={"limit": 1})
            yield f"{route.id} page", first.content
        elif "record_id" in route.path:
            for owner in (world.mine, world.below, world.theirs):
                if route.entity in owner:
                    answer = api(role, route.method, route.filled(record_id=owner[route.entity]), json=route.body())
                    yield route.id, answer.content + str(answer.headers).encode()
    yield from _by_number(api, role)
    cursor = None
    for _ in range(20):
        feed = api.get(role, "/v1/changes", params={"limit": 7} | ({"after": cursor} if cursor else {}))
        yield "changes", feed.content
        if feed.status_code != 200 or feed.json()["next"] == cursor:
            break
        cursor = feed.json()["next"]


def _by_number(api: Api, role: str) -> Iterator[tuple[str, bytes]]:
    for number in (1, 2):
        for path in ("plans", "cases", "conflicts", "quarantine", "runs"):
            yield path, api.get(role, f"/v1/{path}/{number}").content
    yield "openapi", api.get(role, "/openapi.json").content


@pytest.mark.promise(13)
def test_a_dealer_sees_no_marker_on_any_route(api: Api, world: World) -> None:
    places = [
        (place, name)
        for place, raw in crawl(api, world, "dealer")
        for name, marker in {**HIDDEN_FROM_DEALERS, "rival": RIVAL}.items()
        if leaked(raw, marker)
    ]

    assert places == []


def test_the_crawl_can_find_every_marker(api: Api, world: World) -> None:
    raw = b"".join(raw for _, raw in crawl(api, world, "it"))

    assert [name for name, marker in {**HIDDEN_FROM_DEALERS, "rival": RIVAL}.items() if not leaked(raw, marker)] == []


@pytest.mark.promise(13)
@pytest.mark.parametrize(
    ("role", "markers"), [("sales", [HIDDEN_FROM_DEALERS["account"], HIDDEN_FROM_DEALERS["custom"]]), ("finance", ["13800000000"])]
)
def test_our_own_people_see_all_but_what_is_hidden_from_their_role(api: Api, world: World, role: str, markers: list[str]) -> None:
    found = [(place, marker) for place, raw in crawl(api, world, role) if place != "openapi" for marker in markers if leaked(raw, marker)]

    assert found == []


def test_sales_sees_no_floor_price(api: Api, world: World) -> None:
    lists = api.get("sales", f"/v1/{plural('price_list')}", params={"include": "lines"})

    assert len(lists.json()["items"]) == 3
    assert not leaked(lists.content, FLOOR)


@pytest.mark.promise(13)
@pytest.mark.parametrize("route", [route for route in RECORD_ROUTES if route.id.startswith("list_")], ids=lambda route: route.id)
def test_a_hidden_field_is_no_oracle(api: Api, route: object) -> None:
    """A dealer may filter and sort only by what it may see; else it is a 400, whatever the value."""
    from hub_api.permissions import Role, view
    from tests.hub_api.spec import Route

    assert isinstance(route, Route)
    seen = view(Role.DEALER, route.entity)
    if seen is None:
        assert api.get("dealer", route.path).status_code == 404
        return
    examples = {"uuid": "01931f5e-7c00-7000-8000-000000000000", "date": "2026-01-01"}
    tried = 0
    for parameter in route.operation["parameters"]:
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] != "query" or name in {"limit", "after", "include", "sort"}:
            continue
        field = name.rpartition("_")[0] if name.rpartition("_")[2] in {"ge", "le", "gt", "lt", "contains"} else name
        value = "true" if schema.get("type") == "boolean" else examples.get(schema.get("format", ""), "12")
        answer = api.get("dealer", route.path, params={name: value})
        assert answer.status_code == (200 if field in seen.filterable else 400), name
        tried += 1
    for sort in next(one for one in route.operation["parameters"] if one["name"] == "sort")["schema"]["enum"]:
        answer = api.get("dealer", route.path, params={"sort": sort})
        assert answer.status_code == (200 if sort.removeprefix("-") in seen.filterable else 400), sort
    for child in shape(route.entity).spec.sets:
        assert api.get("dealer", route.path, params={"include": child}).status_code == (200 if child in seen.sets else 400)
    assert tried > 2

"""Lists, single records, history."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.hub_api.conftest import Api
from tests.hub_api.world import HIDDEN_FROM_DEALERS, World


def test_it_sees_every_order_and_a_dealer_its_own_and_those_below(api: Api, world: World) -> None:
    every = {row["id"] for row in api.get("it", "/v1/orders").json()["items"]}
    own = {row["id"] for row in api.get("dealer", "/v1/orders").json()["items"]}

    assert {str(world.mine["order"]), str(world.theirs["order"])} <= every
    assert own == {str(world.mine["order"]), str(world.below["order"])}


def test_a_record_shows_its_lines_and_the_state_of_each_system(api: Api, world: World) -> None:
    order = api.get("it", f"/v1/orders/{world.mine['order']}").json()

    assert order["total"] == "1130"
    assert len(order["lines"]) == 2
    assert [(one["system"], one["state"]) for one in order["systems"]] == [("zoho", "due")]


def test_anothers_record_and_a_missing_one_give_the_same_bytes(api: Api, world: World) -> None:
    for entity, address in (("order", "orders"), ("party", "parties"), ("price_list", "price_lists")):
        hidden = api.get("dealer", f"/v1/{address}/{world.theirs[entity]}")
        missing = api.get("dealer", f"/v1/{address}/{uuid4()}")

        assert hidden.status_code == missing.status_code == 404
        assert hidden.content == missing.content


@pytest.mark.parametrize("sort", ["id", "-id", "total", "-total", "number", "-ordered_on", "changed_at", "-changed_at", "paid_amount"])
def test_pages_hold_every_record_once_in_order(api: Api, world: World, sort: str) -> None:
    whole = [row["id"] for row in api.get("it", "/v1/orders", params={"sort": sort}).json()["items"]]
    paged, cursor = [], None
    while True:
        page = api.get("it", "/v1/orders", params={"sort": sort, "limit": 1} | ({"after": cursor} if cursor else {})).json()
        paged += [row["id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert paged == whole
    assert len(set(paged)) == len(paged) >= 3


def test_fields_of_this_tenant_are_shown_to_those_who_may_see_them(api: Api, world: World) -> None:
    path = f"/v1/parties/{world.agent}"

    assert api.get("it", path).json()["custom"] == {"x": HIDDEN_FROM_DEALERS["custom"]}
    assert [role for role in ("sales", "dealer") if "custom" in api.get(role, path).json()] == []

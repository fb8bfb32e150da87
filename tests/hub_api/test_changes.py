"""The change feed: everything once, in order, nothing skipped, also while others write."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.hub_api.conftest import Fresh
from tests.hub_api.world import make, make_order


def follow(fresh: Fresh, role: str, cursor: str | None = None, **more: Any) -> tuple[list[dict[str, Any]], str | None]:
    """Everything from a cursor on, until there is no more."""
    items: list[dict[str, Any]] = []
    while True:
        answer = fresh.api.get(role, "/v1/changes", params=more | ({"after": cursor} if cursor else {})).json()
        items += answer["items"]
        cursor = answer["next"]
        if not answer["more"]:
            return items, cursor


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_the_feed_gives_every_change_once_whatever_the_page(fresh: Fresh, limit: int) -> None:
    items, _ = follow(fresh, "it", limit=limit)
    stored = fresh.rows("SELECT entity_id::text AS id, version FROM history ORDER BY at, seq")

    assert [(one["id"], one["version"]) for one in items] == [(row["id"], row["version"]) for row in stored]


def test_a_consumer_goes_on_where_it_was(fresh: Fresh) -> None:
    _, cursor = follow(fresh, "it")
    assert follow(fresh, "it", cursor)[0] == []
    with fresh.hub.transaction() as db:
        made = make_order(db, fresh.world.agent, number="SO-NEW")

    items, after = follow(fresh, "it", cursor)
    assert [(one["entity"], one["id"], one["created"]) for one in items] == [("order", str(made), True)]
    assert follow(fresh, "it", after)[0] == []


@pytest.mark.promise(1)
def test_a_change_that_commits_late_is_not_skipped(fresh: Fresh) -> None:
    _, cursor = follow(fresh, "it")
    with psycopg.connect(fresh.hub.database_url, row_factory=psycopg.rows.dict_row) as slow, slow.cursor() as late:
        first = make(late, "product", {"name": "先写后提交"})
        with fresh.hub.transaction() as db:
            second = make(db, "product", {"name": "后写先提交"})
        while_open, cursor = follow(fresh, "it", cursor)
        slow.commit()

    items, _ = follow(fresh, "it", cursor)
    assert {one["id"] for one in while_open + items} == {str(first), str(second)}
    assert str(first) in {one["id"] for one in items}


def test_a_dealer_follows_its_own_records_and_sees_names_of_fields_only(fresh: Fresh) -> None:
    items, _ = follow(fresh, "dealer")
    mine = {str(record) for owner in (fresh.world.mine, fresh.world.below) for record in owner.values()}
    changed = [one for one in items if not one["created"]]

    assert {one["id"] for one in items if one["entity"] not in {"product", "price_list", "company"}} == mine
    assert [one["changed"] for one in changed] == [["status"]]
    assert all(set(one) == {"entity", "id", "at", "created", "changed"} for one in items)


def test_one_kind_of_record_can_be_followed_alone(fresh: Fresh) -> None:
    items, _ = follow(fresh, "it", entity="order")

    assert {one["entity"] for one in items} == {"order"}
    assert fresh.api.get("dealer", "/v1/changes", params={"entity": "employee"}).json()["items"] == []


def test_a_personal_value_is_shown_from_where_it_can_be_erased(fresh: Fresh) -> None:
    contact = fresh.world.mine["contact"]
    reference = "01931f5e-7c00-7000-8000-0000000000ff"
    fresh.rows("INSERT INTO personal_value (id, entity_id, value) VALUES (%s, %s, %s) RETURNING 1", reference, contact, '"13911112222"')
    fresh.rows(
        "INSERT INTO history (entity, entity_id, version, cause, changed) VALUES ('contact', %s, 2, 'x', %s) RETURNING 1",
        contact,
        f'{{"mobile": [null, {{"personal": "{reference}"}}]}}',
    )
    path = f"/v1/contacts/{contact}/history"

    assert fresh.api.get("sales", path).json()["items"][0]["changed"] == {"mobile": [None, "13911112222"]}
    assert "13911112222" not in fresh.api.get("finance", path).text
    fresh.rows("UPDATE personal_value SET value = NULL RETURNING 1")
    assert fresh.api.get("sales", path).json()["items"][0]["changed"] == {"mobile": [None, None]}

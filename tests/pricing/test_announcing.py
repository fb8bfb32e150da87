"""Dealers are told what of their prices changes: from when, before and after, once, and nothing of others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from channel.pricing import service
from sync import prices
from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.pricing.stocked import Stocked, price_list, reprice, stock

NOW = datetime(2026, 3, 15, 4, tzinfo=UTC)


@pytest.fixture
def made(hub: Hub) -> Stocked:
    """The channel, whose first prices nobody is told of."""
    with hub.transaction() as db:
        found = stock(db.connection)
    assert prices.look_after(hub, now=NOW).counts.get("dealers_told", 0) == 0
    return found


def messages(hub: Hub, kind: str = "price_changed") -> dict[str, dict[str, Any]]:
    """What was told, by audience; each at most once."""
    with hub.transaction() as db:
        db.execute("SELECT doc FROM notices WHERE kind = %s ORDER BY id", [kind])
        found = [row["doc"] for row in db]
    assert len({doc["audience"] for doc in found}) == len(found)
    return {doc["audience"]: doc["facts"] for doc in found}


def test_a_changed_price_is_told_to_those_who_pay_it_once(hub: Hub, made: Stocked) -> None:
    with hub.transaction() as db:
        reprice(db.connection, made.lists["P-DLR"], made.pump, price="880")

    first = prices.look_after(hub, now=NOW)
    again = prices.look_after(hub, now=NOW)

    told = messages(hub)
    assert (first.counts["dealers_told"], again.counts.get("dealers_told", 0)) == (2, 0)
    assert set(told) == {f"party:{made.east}", f"party:{made.west}"}
    facts = told[f"party:{made.east}"]
    assert facts["changes"] == [
        {
            "item": "M001", "name": "离心泵", "unit": "pcs", "from": "2026-03-15", "company": "100",
            "before": {"unit_price": "900", "currency": "CNY", "tax_side": "excluded"},
            "after": {"unit_price": "880", "currency": "CNY", "tax_side": "excluded"},
        }
    ]  # fmt: skip
    assert (facts["zh"], facts["en"]) == (
        "价格变动: M001 离心泵 900 CNY → 880 CNY, 自 2026-03-15 起",
        "Prices change: M001 900 CNY → 880 CNY, from 2026-03-15",
    )
    assert "611.77" not in str(told), "a floor price"


def test_only_dealers_whose_own_price_changes_are_told(hub: Hub, made: Stocked) -> None:
    with hub.transaction() as db:
        reprice(db.connection, made.lists["P-STD"], made.pump, price="1100")  # dealers pay by the dealers' list
        price_list(db.connection, "P-EAST", "东海协议价", None, {"M001": (made.pump, "850")}, audience="listed", parties=[str(made.east)])

    prices.look_after(hub, now=NOW)

    told = messages(hub)
    assert set(told) == {f"party:{made.east}"}
    assert told[f"party:{made.east}"]["changes"][0]["after"]["unit_price"] == "850"


def test_a_price_of_next_month_is_told_with_its_day(hub: Hub, made: Stocked) -> None:
    with hub.transaction() as db:
        price_list(db.connection, "P-DLR2", "代理价 新", None, {"M001": (made.pump, "950")}, valid_from="2026-04-01")

    prices.look_after(hub, now=NOW)

    change = messages(hub)[f"party:{made.west}"]["changes"][0]
    assert (change["from"], change["before"]["unit_price"], change["after"]["unit_price"]) == ("2026-04-01", "900", "950")


def test_published_rules_and_what_is_no_longer_sold_are_told_too(hub: Hub, made: Stocked) -> None:
    with hub.transaction() as db:
        text = "adjustments:\n  - {id: AG, rung: agreement, percent: 10%, when: {dealers: D-WEST, lines: valves}}\n"
        service.publish(db.connection, "main", text, by="test")
        db.execute("UPDATE products SET status = 'blocked', version = version + 1 WHERE id = %s", [made.pump])

    prices.look_after(hub, now=NOW)

    told = messages(hub)
    by_item = {one["item"]: (one["before"] or {}).get("unit_price", "") + ">" + (one["after"] or {}).get("unit_price", "")
               for one in told[f"party:{made.west}"]["changes"]}  # fmt: skip
    assert by_item == {"M001": "900>", "M002": "45>40.5"}
    assert [one["item"] for one in told[f"party:{made.east}"]["changes"]] == ["M001"]


def test_a_change_that_changes_no_price_is_not_told(hub: Hub, made: Stocked) -> None:
    with hub.transaction() as db:
        reprice(db.connection, made.lists["P-DLR"], made.pump, floor_price="1")
        db.execute("UPDATE products SET name = '泵', doc = (doc::jsonb || '{\"name\": \"泵\"}')::json, version = version + 1")

    assert prices.look_after(hub, now=NOW).counts.get("dealers_told", 0) == 0
    assert messages(hub) == {}


@pytest.mark.promise(14)
def test_before_go_live_nobody_is_told_and_afterwards_not_of_what_was_before(database: str) -> None:
    with Hub.open(CONFIG.model_copy(update={"go_live": NOW.date().replace(day=20)}), database) as hub:
        with hub.transaction() as db:
            made = stock(db.connection)
        prices.look_after(hub, now=NOW)
        with hub.transaction() as db:
            reprice(db.connection, made.lists["P-DLR"], made.pump, price="880")
        prices.look_after(hub, now=NOW)
        prices.look_after(hub, now=NOW.replace(day=21))
        silent = messages(hub)
        with hub.transaction() as db:
            reprice(db.connection, made.lists["P-DLR"], made.pump, price="870")
        prices.look_after(hub, now=NOW.replace(day=21))

        assert silent == {}
        assert {facts["changes"][0]["before"]["unit_price"] for facts in messages(hub).values()} == {"880"}

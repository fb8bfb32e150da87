"""A list that asks less announces the price cut by itself: for the dealer alone, once, where a programme protects what it has."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from channel.funds import service as claims
from channel.funds.errors import NothingToPay
from channel.funds.handing import Handed
from channel.pricing import service
from channel.rebates import service as programmes
from sync import prices
from sync.hub import Hub
from tests.pricing.stocked import PROTECT, Stocked, price_list, reprice, stock

NOW = datetime(2026, 3, 15, 4, tzinfo=UTC)


def day(number: int) -> datetime:
    return NOW + timedelta(days=number)


@pytest.fixture
def made(hub: Hub) -> Stocked:
    """The channel; the eastern dealer has pumps, the western one nothing; the first day was looked at."""
    with hub.transaction() as db:
        found = stock(db.connection)
        db.execute("SELECT rebate_fact_month('2026-03-01')")
        db.execute(
            "INSERT INTO rebate_fact (date, id, revision, kind, dealer, quantity, product) "
            "VALUES ('2026-03-01', 'k1', 1, 'stock', 'D-EAST', 20, 'M001')"
        )
        programmes.publish(db.connection, PROTECT, by="test")
    assert prices.look_after(hub, now=NOW).counts.get("price_cuts", 0) == 0
    return found


def cuts(hub: Hub) -> list[tuple[Any, ...]]:
    with hub.transaction() as db:
        db.execute(
            "SELECT dealer, product, on_day::text AS on_day, old_price::text AS old, new_price::text AS new, by FROM price_cut ORDER BY id"
        )
        return [tuple(row.values()) for row in db]


def looked(hub: Hub, number: int) -> int:
    return prices.look_after(hub, now=day(number)).counts.get("price_cuts", 0)


def test_a_fall_is_announced_once_for_the_dealer_who_has_the_goods(hub: Hub, made: Stocked) -> None:
    with hub.transaction() as db:
        reprice(db.connection, made.lists["P-DLR"], made.pump, price="850")

    found = [looked(hub, number) for number in (0, 1, 1, 2)]

    assert found == [0, 1, 0, 0]
    ((dealer, product, _, old, new, by),) = cuts(hub)
    assert (dealer, product, old, new, by) == ("D-EAST", "M001", "900.0000", "850.0000", "rule:prices")
    with hub.transaction() as db:
        db.execute("SELECT doc FROM notices WHERE kind = 'price_cut'")
        (message,) = [row["doc"] for row in db]
    assert message["audience"] == f"party:{made.east}"
    assert "M001 离心泵 900 → 850 CNY (未税), 可申请价保" in message["facts"]["zh"]


def test_a_price_with_tax_falls_without_it_and_on_the_day_that_its_list_begins(hub: Hub, made: Stocked) -> None:
    with hub.transaction() as db:
        price_list(db.connection, "P-DLR2", "代理价 新", None, {"M001": (made.pump, "960.5")}, valid_from="2026-03-18", tax_included=True)

    found = [looked(hub, number) for number in (1, 5)]

    assert found == [0, 1]
    assert [row[:5] for row in cuts(hub)] == [("D-EAST", "M001", "2026-03-18", "900.0000", "850.0000")]


def test_what_is_mended_on_its_day_a_promotion_and_a_rise_are_no_cuts(hub: Hub, made: Stocked) -> None:
    with hub.transaction() as db:
        reprice(db.connection, made.lists["P-DLR"], made.pump, price="90")
    assert looked(hub, 0) == 0
    with hub.transaction() as db:
        reprice(db.connection, made.lists["P-DLR"], made.pump, price="901")
        service.publish(db.connection, "main", "adjustments:\n  - {id: S, rung: promotion, percent: 20}\n", by="test")

    assert looked(hub, 1) == 0
    assert cuts(hub) == []


OFF = {"announce_cuts": False}


@pytest.mark.parametrize(
    ("hub", "reason"),
    [({}, "by hand"), (OFF, "off"), ({}, "no programme"), ({}, "another currency")],
    indirect=["hub"],
    ids=str,
)
def test_where_it_is_not_for_the_hub_to_announce_it_does_not(hub: Hub, made: Stocked, reason: str) -> None:
    with hub.transaction() as db:
        reprice(db.connection, made.lists["P-DLR"], made.pump, price="850")
        if reason == "by hand":
            db.execute(
                "INSERT INTO price_cut (id, product, dealer, on_day, old_price, new_price, currency, by) "
                "VALUES ('PC-2026-000009', 'M001', '', '2026-03-16', 900, 850, 'CNY', 'finance')"
            )
        elif reason == "no programme":
            programmes.publish(
                db.connection, PROTECT.replace("version: 1", "version: 2").replace("to: 2027-01-01", "to: 2026-02-01"), by="t"
            )
        elif reason == "another currency":
            programmes.publish(db.connection, PROTECT.replace("version: 1", "version: 2").replace("CNY", "USD"), by="t")

    assert looked(hub, 1) == 0


@pytest.mark.parametrize("first", ["by the list", "by hand"])
def test_a_cut_by_hand_beside_that_of_the_list_protects_one_stock(hub: Hub, made: Stocked, first: str) -> None:
    with hub.transaction() as db:
        reprice(db.connection, made.lists["P-DLR"], made.pump, price="850")
    assert looked(hub, 1) == 1
    day = date(2026, 3, 16)
    with hub.transaction() as db:
        db.execute("SELECT id FROM price_cut")
        (own,) = [row["id"] for row in db]
        everybody = claims.announce_cut(db.connection, "M001", day, Decimal(900), Decimal(850), "CNY", by="finance")
        one, other = (own, everybody) if first == "by the list" else (everybody, own)
        handed = [Handed("protect-2026", day, cut=number, quantity=Decimal(20)) for number in (one, other)]
        paid = claims.submit(db.connection, made.east, handed[0], today=day, by="dealer")
        with pytest.raises(NothingToPay):
            claims.submit(db.connection, made.east, handed[1], today=day, by="dealer")

    assert paid["worth"] == Decimal("1000.00")

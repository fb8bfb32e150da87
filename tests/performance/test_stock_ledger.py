"""Dealers' stock on the ledger: told once, to the dealer its own, to the channel manager who could help whom."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from channel.performance import loads
from channel.performance.errors import BadFacts
from sync import performance
from tests.hub_api.world import make
from tests.performance.trade import Trade

EVENING = date(2026, 11, 5)
MORNING = datetime(2026, 11, 6, 1, 0, tzinfo=UTC)
LONG_AGO = "2026-08-08"
"""The first of the 90 days."""


def count(trade: Trade, dealer: str, quantity: int, on: str = "2026-11-05", **said: Any) -> None:
    row = {"dealer": dealer, "product": "P1", "quantity": str(quantity), "lead_days": "14", "cover_days": "30", "date": on, **said}
    with trade.writing() as db:
        loads.load_stock(db.connection, list(row), [(2, row)], EVENING, by="王芳")


def sold(trade: Trade, dealer: str, quantity: int, on: str = LONG_AGO) -> None:
    row = {"dealer": dealer, "product": "P1", "date": on, "quantity": str(quantity)}
    with trade.writing() as db:
        loads.load_sell_out(db.connection, list(row), [(2, row)], EVENING, by="王芳")


def look(trade: Trade, now: datetime = MORNING) -> dict[str, int]:
    return performance.stock(trade.hub, now=now).counts


def test_a_dealer_is_told_once_of_a_product_and_not_any_more_when_it_is_there(trade: Trade) -> None:
    count(trade, "D1", 10, region="330100")
    sold(trade, "D1", 180)

    first, again = look(trade), look(trade)
    (told,) = trade.notices("stock_out_warning")
    plans = trade.rows("SELECT count(*) AS plans FROM stock_plan")[0]["plans"]
    count(trade, "D1", 500, region="330100")
    look(trade)

    assert (first["warnings"], again["warnings"], plans) == (1, 1, 1)
    assert told["audience"] == f"party:{trade.dealers['D1']}"
    assert told["facts"]["zh"] == "1 个产品将在补货到达前断货（P1）；建议补货 1 个产品（P1 × 78）"
    assert trade.notices("stock_out_warning") == []


def test_who_could_help_whom_is_for_our_own_people_only(trade: Trade) -> None:
    count(trade, "D1", 10, region="330100")
    count(trade, "D2", 900, region="330102")
    sold(trade, "D1", 180)
    sold(trade, "D2", 90)
    look(trade)

    (proposed,) = trade.notices("transfer_proposed")
    (mine,) = trade.notices("stock_out_warning")

    assert proposed["audience"] == "role:channel_manager"
    assert proposed["facts"]["zh"] == "建议经销商间调拨 1 笔：P1 18 件：宁波东钱湖传动 → 杭州恒远机电"
    assert not any(name in str(mine) for name in ("宁波", str(trade.dealers["D2"]), "调拨"))


def test_what_is_on_its_way_from_our_orders_is_not_ordered_again(trade: Trade) -> None:
    count(trade, "D1", 10)
    sold(trade, "D1", 180)
    with trade.writing() as db:
        product = make(db, "product", {"name": "水泵", "status": "active"}, number="P1")
        head = {"party": str(trade.dealers["D1"]), "ordered_on": "2026-11-01", "currency": "CNY", "approval": "approved", "status": "open"}
        make(db, "order", head, number="SO-P1", lines=[{"product": str(product), "quantity": "100", "shipped_quantity": "20"}])

    counts = look(trade)

    assert (counts["warnings"], counts.get("restock", 0)) == (1, 0)
    assert trade.rows("SELECT doc->>'on_order' AS coming FROM stock_advice")[0]["coming"] == "80"


def test_a_count_that_a_system_tells_goes_on_the_day_on_which_it_changed(trade: Trade) -> None:
    sold(trade, "D1", 180)
    with trade.writing() as db:
        product = make(db, "product", {"name": "水泵", "status": "active"}, number="P1")
        level = {"holder": str(trade.dealers["D1"]), "product": str(product), "quantity": "12", "as_of": "2026-11-04T02:00:00Z"}
        make(db, "stock_level", level)
    sold(trade, "D1", 2, on="2026-11-05")

    counts = look(trade)

    # 12 counted on the 4th, 2 sold on the 5th.
    assert counts["looked_at"] == 1
    assert trade.rows("SELECT doc->>'on_hand' AS there FROM stock_advice")[0]["there"] == "10"


def test_an_unknown_dealer_is_refused_and_nothing_is_loaded(trade: Trade) -> None:
    with pytest.raises(BadFacts, match="D99"):
        count(trade, "D99", 1)

    assert look(trade) == {}

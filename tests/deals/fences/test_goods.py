"""Goods across regions (窜货): orders kept from the ERP, shipments told, and the report by address and serial."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from canonical.ids import new_hub_key, new_id
from channel.deals import fence_queries, fencing, guarding
from channel.deals.errors import BadFence, FenceNotFound
from channel.deals.fences import Fence
from ledger.bulk import json_text
from sync import answering, deals_upkeep, hub_records, notices, order_fencing
from sync.hub import Hub
from tests.deals.registration.helpers import add_party
from tests.deals.upkeep.conftest import messages, today

Db = psycopg.Connection[Any]
BOSS = "person:channel"
SUZHOU, CHENGDU = "江苏省苏州市工业园区星湖街328号", "四川省成都市高新区天府大道88号"
BLOCK = {"deals": {"orders_outside": "block"}}


def add_product(db: Db, line: str) -> str:
    product = str(new_id())
    db.execute(
        "INSERT INTO products (id, hub_key, doc, name, product_line) VALUES (%s, %s, %s, %s, %s)",
        [product, new_hub_key(), json_text({"name": line, "product_line": line}), line, line],
    )
    return product


def ship(db: Db, dealer: UUID, address: str, *serials: str, day: date | None = None, line: str = "水泵", **more: Any) -> str:
    """An approved shipment with one line, as merging would have stored it."""
    shipment, product = str(new_id()), add_product(db, line)
    on = day or today(db)
    number = more.get("number", f"XSCKD-{shipment[-4:]}")
    doc = {
        "shipped_on": on.isoformat(),
        "party": str(dealer),
        "delivery_address": address,
        "approval": "approved",
        "status": "open",
        **more,
    }
    db.execute(
        "INSERT INTO shipments (id, hub_key, number, doc, party_id, shipped_on, approval) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [shipment, new_hub_key(), number, json_text(doc), dealer, on, doc["approval"]],
    )
    db.execute(
        "INSERT INTO shipment_lines (parent_id, id, doc, product_id, quantity) VALUES (%s, %s, %s, %s, 1)",
        [shipment, str(new_id()), json_text({"product": product, "quantity": "1", "serials": list(serials)}), product],
    )
    return shipment


def order(hub: Hub, dealer: UUID, address: str, product: str, day: date, key: str = "a") -> str:
    """An order that the hub makes, as an accepted quote's."""
    line = str(new_id())
    fields = {"party": str(dealer), "ordered_on": day.isoformat(), "delivery_address": address, "currency": "CNY", "status": "open"}
    lines = {line: {"seq": 1, "product": product, "quantity": "10", "tax_price": "5"}}
    with hub.transaction() as cursor:
        return hub_records.put(hub, cursor, "order", f"test/{key}", fields, {"lines": lines}, cause="test").id


def pairs(hub: Hub, db: Db, which: str) -> dict[str, tuple[str, str, str]]:
    found = db.execute(
        "SELECT s.system, d.state, d.reason, d.detail FROM desired AS d JOIN stream AS s ON s.id = d.stream_id WHERE d.entity_id = %s",
        [which],
    ).fetchall()
    return {row[0]: row[1:] for row in found}


@pytest.fixture
def guarded(make_hub: Callable[..., Hub], db: Db) -> Hub:
    """A hub that keeps orders outside of fences from the ERP; its streams have been listed once."""
    hub = make_hub(**BLOCK)
    db.execute("UPDATE stream SET listed_at = now()")
    return hub


def test_an_order_outside_is_held_with_a_reason_until_a_person_agrees(guarded: Hub, db: Db, east: UUID) -> None:
    db.execute('UPDATE parties SET doc = (doc::jsonb || \'{"roles": ["dealer"]}\')::json')
    fencing.add(db, Fence(0, east, region="3205"), BOSS)
    pump = add_product(db, "水泵")

    inside = order(guarded, east, SUZHOU, pump, today(db), "inside")
    outside = order(guarded, east, CHENGDU, pump, today(db), "outside")

    assert pairs(guarded, db, inside)["kingdee"] == ("due", "create", "")
    state, reason, detail = pairs(guarded, db, outside)["kingdee"]
    assert (state, reason) == ("held", "fence")
    assert "超出该经销商自己的授权范围" in detail
    assert "5101" in detail
    assert pairs(guarded, db, outside)["zoho"][:2] == ("due", "create"), "where it is only shown, nothing is sold by it"
    (question,) = notices.open_approvals(guarded, kinds=["order_outside_area"])
    order(guarded, east, CHENGDU, pump, today(db), "outside")
    assert len(notices.open_approvals(guarded)) == 1, "said again, asked once"

    answering.answer(guarded, question["id"], "approved", BOSS, "项目在成都")

    assert pairs(guarded, db, outside)["kingdee"][:2] == ("due", "create")
    assert [(hit.state, hit.decided_by, hit.reason) for hit in fence_queries.hits(db, state=None)] == [("accepted", BOSS, "项目在成都")]


def test_a_refused_order_stays_held_and_says_so(guarded: Hub, db: Db, east: UUID, west: UUID) -> None:
    fencing.add(db, Fence(0, east, region="31", exclusive=True), BOSS)
    which = order(guarded, west, "上海市浦东新区世纪大道1号", add_product(db, "阀门"), today(db))
    (question,) = notices.open_approvals(guarded)

    answering.answer(guarded, question["id"], "rejected", BOSS, "东方独家")

    state, reason, detail = pairs(guarded, db, which)["kingdee"]
    assert (state, reason) == ("held", "fence")
    assert "refused by the channel manager" in detail


def test_a_hit_that_was_refused_on_its_own_closes_the_question_too(guarded: Hub, db: Db, east: UUID) -> None:
    fencing.add(db, Fence(0, east, region="3205"), BOSS)
    order(guarded, east, CHENGDU, add_product(db, "水泵"), today(db))
    (hit,) = fence_queries.hits(db)

    fencing.settle_hit(db, hit.id, "refused", BOSS, "不同意")
    deals_upkeep.look_after(guarded)

    assert notices.open_approvals(guarded) == []
    assert db.execute("SELECT doc->>'decision', doc->>'reason' FROM approvals").fetchall() == [("rejected", "不同意")]


def test_an_order_goes_its_way_when_the_fence_is_widened(guarded: Hub, db: Db, east: UUID) -> None:
    fencing.add(db, Fence(0, east, region="3205"), BOSS)
    which = order(guarded, east, CHENGDU, add_product(db, "水泵"), today(db))
    fencing.add(db, Fence(0, east, region="51"), BOSS)

    deals_upkeep.look_after(guarded)

    assert pairs(guarded, db, which)["kingdee"][:2] == ("due", "create")
    assert notices.open_approvals(guarded) == []
    assert fence_queries.hits(db) == []


def test_an_order_goes_its_way_behind_any_number_that_stay(guarded: Hub, db: Db, east: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that a fence keeps were looked at a page each time, always the same ones: what stood behind a page waited for ever."""
    monkeypatch.setattr(order_fencing, "PAGE", 2)
    fencing.add(db, Fence(0, east, region="3205"), BOSS)
    pump = add_product(db, "水泵")
    stay = [order(guarded, east, "上海市浦东新区世纪大道1号", pump, today(db), f"stays {number}") for number in range(4)]
    which = order(guarded, east, CHENGDU, pump, today(db), "goes")
    fencing.add(db, Fence(0, east, region="51"), BOSS)

    assert order_fencing.look(guarded, today(db))["orders_held"] == 5

    assert pairs(guarded, db, which)["kingdee"][:2] == ("due", "create")
    assert {pairs(guarded, db, one)["kingdee"][:2] for one in stay} == {("held", "fence")}


def test_a_flagging_fence_holds_nothing_and_tells(guarded: Hub, db: Db, east: UUID) -> None:
    fencing.add(db, Fence(0, east, region="3205", outside="flag"), BOSS)

    which = order(guarded, east, CHENGDU, add_product(db, "水泵"), today(db))

    assert pairs(guarded, db, which)["kingdee"][:2] == ("due", "create")
    assert [one["facts"]["code"] for one in messages(db, "goods_outside_area")] == ["outside_own_area"]


def test_an_order_to_nowhere_known_or_from_before_the_go_live_is_let_through(make_hub: Callable[..., Hub], db: Db, east: UUID) -> None:
    hub = make_hub(**BLOCK, go_live=today(db).isoformat())
    db.execute("UPDATE stream SET listed_at = now()")
    fencing.add(db, Fence(0, east, region="3205"), BOSS)
    pump = add_product(db, "水泵")

    unknown = order(hub, east, "老地方", pump, today(db), "unknown")
    order(hub, east, CHENGDU, pump, today(db) - timedelta(days=1), "old")

    assert pairs(hub, db, unknown)["kingdee"][:2] == ("due", "create")
    assert fence_queries.hits(db) == []


def test_without_the_setting_nothing_is_looked_at(hub: Hub, db: Db, east: UUID) -> None:
    db.execute("UPDATE stream SET listed_at = now()")
    fencing.add(db, Fence(0, east, region="3205"), BOSS)

    which = order(hub, east, CHENGDU, add_product(db, "水泵"), today(db))
    ship(db, east, CHENGDU)
    deals_upkeep.look_after(hub)

    assert pairs(hub, db, which)["kingdee"][:2] == ("due", "create")
    assert fence_queries.hits(db) == []


def test_shipments_outside_are_told_once_and_again_only_when_something_changed(make_hub: Callable[..., Hub], db: Db, east: UUID) -> None:
    hub = make_hub(deals={"orders_outside": "flag"})
    fence, _ = fencing.add(db, Fence(0, east, region="3205", product_line="水泵"), BOSS)
    inside, outside = ship(db, east, SUZHOU), ship(db, east, CHENGDU, "SN-1", number="XSCKD-9")
    other_line = ship(db, east, SUZHOU, line="阀门")
    ship(db, east, CHENGDU, day=today(db) - timedelta(days=200))

    first = deals_upkeep.look_after(hub)
    again = deals_upkeep.look_after(hub)

    assert (first.counts["goods_outside"], again.counts.get("goods_outside", 0)) == (2, 0)
    assert {hit.subject for hit in fence_queries.hits(db)} == {f"shipment:{outside}", f"shipment:{other_line}"}
    assert len(messages(db, "goods_outside_area")) == 2
    fencing.add(db, Fence(0, east, region="5101"), BOSS)
    deals_upkeep.look_after(hub)
    assert {hit.subject for hit in fence_queries.hits(db)} == {f"shipment:{other_line}"}, "the fence was widened: nobody need answer"
    fencing.end(db, fence.id, BOSS, last_day=today(db) - timedelta(days=1))
    deals_upkeep.look_after(hub)
    assert f"shipment:{inside}" in {hit.subject for hit in fence_queries.hits(db)}
    with pytest.raises(FenceNotFound):
        fencing.settle_hit(db, 10**6, "accepted", BOSS, "")


def test_the_report_names_address_serial_shipped_twice_and_serial_seen_elsewhere(
    make_hub: Callable[..., Hub], db: Db, east: UUID, west: UUID
) -> None:
    hub = make_hub(deals={"orders_outside": "flag"})
    day = today(db)
    fencing.add(db, Fence(0, east, region="3205"), BOSS)
    ship(db, east, CHENGDU, "SN-1", "SN-2", number="A")
    ship(db, east, SUZHOU, "SN-3", "SN-4", day=day - timedelta(days=9), number="B")
    ship(db, west, CHENGDU, "SN-3", number="C")
    ship(db, east, SUZHOU, "SN-5", number="D", approval="draft")
    at = datetime.now(UTC)
    assert guarding.note_seen(db, "SN-4", "510104", at, "warranty", BOSS)
    assert not guarding.note_seen(db, "SN-4", "510104", at, "warranty", BOSS)
    guarding.note_seen(db, "SN-3", "3205", at - timedelta(days=5), "scan", BOSS)
    guarding.note_seen(db, "SN-404", "51", at, "scan", BOSS)
    with pytest.raises(BadFence):
        guarding.note_seen(db, "SN-4", "成都", at, "scan", BOSS)
    deals_upkeep.look_after(hub)

    found = list(guarding.every_suspicion(db, day, day))

    assert [(one.kind, one.number, one.dealer_id, one.serials, one.region) for one in found] == [
        ("address", "A", east, ("SN-1", "SN-2"), "5101"),
        ("serial_twice", "C", west, ("SN-3",), ""),
        ("serial_elsewhere", "B", east, ("SN-4",), "510104"),
    ]
    assert found[1].facts == {"earlier": "B", "earlier_dealer": str(east)}
    assert all("、" not in text and text for one in found for text in one.sentence())
    assert guarding.suspicions(db, day + timedelta(days=1), day + timedelta(days=2)) == []


def test_the_report_is_read_page_by_page_and_by_dealer(make_hub: Callable[..., Hub], db: Db, east: UUID, west: UUID) -> None:
    hub = make_hub(deals={"orders_outside": "flag"})
    day = today(db)
    fencing.add(db, Fence(0, east, region="3205"), BOSS)
    for number in range(5):
        ship(db, east, CHENGDU if number % 2 else SUZHOU, f"SN-{number}", f"SN-{number}b", number=f"E{number}", day=day - timedelta(days=3))
        ship(db, west, CHENGDU, f"SN-{number}b", f"SN-{number}", number=f"W{number}", day=day - timedelta(days=1))
    for number in range(7):
        at = datetime.now(UTC) - timedelta(days=2, minutes=number)
        guarding.note_seen(db, f"SN-{number}", "5101" if number < 4 else "3205", at, "scan", BOSS)
    deals_upkeep.look_after(hub)
    window = (day - timedelta(days=9), day)
    whole = list(guarding.every_suspicion(db, *window))

    paged, after = [], None
    while page := guarding.suspicions(db, *window, after=after, limit=3):
        assert len(page) <= 3
        paged += [one for _, one in page]
        after = page[-1][0]

    assert paged == whole
    assert [one.kind for one in whole] == ["address"] * 2 + ["serial_twice"] * 10 + ["serial_elsewhere"] * 4
    for kind in guarding.KINDS:
        assert list(guarding.every_suspicion(db, *window, kind=kind)) == [one for one in whole if one.kind == kind]
    for dealer in (east, west):
        assert list(guarding.every_suspicion(db, *window, dealer=dealer)) == [one for one in whole if one.dealer_id == dealer]


def test_goods_that_came_back_may_go_to_somebody_else(db: Db, east: UUID, west: UUID) -> None:
    day = today(db)
    ship(db, east, SUZHOU, "SN-7", day=day - timedelta(days=9))
    later = ship(db, west, CHENGDU, "SN-7")
    product = db.execute("SELECT product_id FROM shipment_lines WHERE parent_id = %s", [later]).fetchone()
    assert product is not None
    back = str(new_id())
    db.execute(
        "INSERT INTO returns (id, hub_key, doc, party_id, returned_on, approval) VALUES (%s, %s, '{}', %s, %s, 'approved')",
        [back, new_hub_key(), east, day - timedelta(days=3)],
    )
    db.execute("INSERT INTO return_lines (parent_id, id, doc, product_id) VALUES (%s, %s, '{}', %s)", [back, str(new_id()), product[0]])

    assert guarding.suspicions(db, day, day) == []


def test_addresses_are_kept_by_their_hash_only(make_hub: Callable[..., Hub], db: Db, east: UUID) -> None:
    hub = make_hub(deals={"orders_outside": "flag"})
    fencing.add(db, Fence(0, east, region="3205"), BOSS)
    ship(db, east, CHENGDU)

    deals_upkeep.look_after(hub)

    places = db.execute("SELECT region FROM address_place").fetchall()
    assert places == [("5101",)]
    facts = db.execute("SELECT string_agg(facts::text, '') FROM fence_hit").fetchone()
    assert facts is not None
    assert "天府大道" not in facts[0] + str(messages(db))


def test_an_end_customer_who_buys_from_us_is_in_nobodys_fence(make_hub: Callable[..., Hub], db: Db, east: UUID) -> None:
    hub = make_hub(deals={"orders_outside": "flag"})
    buyer = add_party(db, "成都直供客户有限公司", roles=["end_customer"])
    fencing.add(db, Fence(0, east, region="5101", exclusive=True), BOSS)
    ship(db, buyer, CHENGDU)

    deals_upkeep.look_after(hub)

    assert fence_queries.hits(db) == []

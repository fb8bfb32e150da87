"""Price lists where there is room for one price a product: what goes there, what is put back, what is left alone, what the day turns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sync import holding, hub_records, reconciling, standing
from tests.sync.stage import Stage


def first_list(stage: Stage) -> dict[str, Any]:
    """A price list of the ERP."""
    return stage.kingdee.records("price_lists")[0]


def book_of(stage: Stage, doc: Mapping[str, Any]) -> dict[str, Any]:
    """Its price book."""
    (book,) = [book for book in stage.zoho.records("price_books") if book["ERP_Code"] == doc["FNumber"]]
    return book


def shown(stage: Stage, doc: Mapping[str, Any]) -> dict[str, Decimal]:
    """Prices in its book, by the number of the product."""
    codes = {row["id"]: row["Product_Code"] for row in stage.zoho.records("products")}
    return {codes[row["id"]]: row["list_price"] for row in book_of(stage, doc)["Products"]}


def change(stage: Stage, doc: Mapping[str, Any], at: int, **fields: Any) -> None:
    """The ERP changes a line."""
    rows = [{"FEntryID": row["FEntryID"], **(fields if number == at else {})} for number, row in enumerate(doc["FEntity"])]
    stage.kingdee.put("price_lists", {"FID": doc["FID"], "FEntity": rows})


def add(stage: Stage, doc: Mapping[str, Any], at: int, **fields: Any) -> None:
    """The ERP adds a line like another."""
    rows = [{"FEntryID": row["FEntryID"]} for row in doc["FEntity"]]
    more = {key: value for key, value in doc["FEntity"][at].items() if key != "FEntryID"} | fields
    stage.kingdee.put("price_lists", {"FID": doc["FID"], "FEntity": [*rows, more]})


def test_after_going_live_every_book_shows_the_prices_of_its_list(live: Stage) -> None:
    lists = live.kingdee.records("price_lists")

    assert lists
    for doc in lists:
        assert shown(live, doc) == {row["FMaterialId"]["FNumber"]: row["FPrice"] for row in doc["FEntity"]}
        assert book_of(live, doc)["Tax_Side"] == "含税"


def test_a_price_of_the_erp_goes_to_the_book_and_nothing_else_is_sent(live: Stage) -> None:
    doc, mark = first_list(live), live.zoho.mark()

    change(live, doc, 0, FPrice=Decimal("77.77"))
    live.sync()

    assert shown(live, doc)[doc["FEntity"][0]["FMaterialId"]["FNumber"]] == Decimal("77.77")
    sent = [line for line in live.zoho.log(mark) if line.get("keys")]
    assert [(line["operation"], line["keys"]) for line in sent] == [("relate", [book_of(live, doc)["id"]])]
    mark = live.zoho.mark()
    live.sync()
    assert [line for line in live.zoho.log(mark) if line.get("keys")] == []


def test_of_several_lines_of_a_product_the_book_shows_the_least_quantity_that_stands(live: Stage) -> None:
    doc = first_list(live)
    product, price = doc["FEntity"][0]["FMaterialId"]["FNumber"], doc["FEntity"][0]["FPrice"]

    add(live, doc, 0, FFromQty=10, FPrice=Decimal("1.01"))
    add(live, first_list(live), 0, FFromQty=0, FPrice=Decimal("2.02"), FEntryEffectiveDate="2099-01-01T00:00:00")
    live.sync()

    assert shown(live, doc)[product] == price
    kept = "SELECT count(*) FROM price_list_lines AS l JOIN price_lists AS h ON h.id = l.parent_id WHERE h.number = %s"
    assert live.one(kept, doc["FNumber"]) == len(doc["FEntity"]) + 2
    assert live.rows("SELECT 1 FROM desired WHERE state NOT IN ('in_sync', 'left')") == []


def test_a_line_that_is_blocked_or_gone_leaves_the_book(live: Stage) -> None:
    doc = first_list(live)
    blocked, gone = (row["FMaterialId"]["FNumber"] for row in doc["FEntity"][:2])

    change(live, doc, 0, FEntryForbidStatus="B")
    rows = [{"FEntryID": row["FEntryID"]} for row in doc["FEntity"] if row["FMaterialId"]["FNumber"] != gone]
    live.kingdee.put("price_lists", {"FID": doc["FID"], "FEntity": rows})
    live.sync()

    left = shown(live, doc)
    assert (blocked in left, gone in left) == (False, False)
    assert len(left) == len(doc["FEntity"]) - 2


def test_what_a_salesperson_does_to_a_books_prices_is_found_by_reconciling_and_put_back(live: Stage) -> None:
    doc = first_list(live)
    before, book = shown(live, doc), book_of(live, doc)
    first, second = (row["id"] for row in book["Products"][:2])
    other = live.zoho.put("products", {"Product_Name": "自制品", "Product_Code": "OWN-1"})["id"]
    rows = [{"id": first, "list_price": 1}, {"id": second, "_delete": None}, {"id": other, "list_price": 3}]
    live.hub.session("zoho")._transport.clock = lambda: time.time() + 60  # type: ignore[attr-defined]  # the overlap has passed

    live.zoho.put("price_books", {"id": book["id"], "Products": rows})
    live.sync()
    unseen = shown(live, doc)
    report = reconciling.reconcile(live.hub, "zoho", ["price_books"])
    live.sync()

    assert unseen != before  # no document says that a price moves its book's time: an increment does not see it
    assert report.streams[0].changed == 1
    assert shown(live, doc) == before
    assert live.one("SELECT count(*) FROM conflict WHERE entity = 'price_list' AND state = 'repaired'") >= 1


def test_what_turns_with_the_day_is_judged_by_the_daily_upkeep(live: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    doc = first_list(live)
    product, price = doc["FEntity"][0]["FMaterialId"]["FNumber"], doc["FEntity"][0]["FPrice"]
    change(live, doc, 0, FEntryExpiryDate="2027-01-31T00:00:00")
    add(
        live, first_list(live), 0, FPrice=Decimal("3.03"), FEntryEffectiveDate="2027-02-01T00:00:00", FEntryExpiryDate="2099-12-31T00:00:00"
    )
    live.sync()
    before = shown(live, doc)[product]

    monkeypatch.setattr(holding, "today", lambda: "2027-02-01")
    live.sync()
    idle = shown(live, doc)[product]
    judged = standing.judge_standing(live.hub, on=date(2027, 2, 1))
    live.sync()

    assert (before, idle, judged) == (price, price, 1)
    assert shown(live, doc)[product] == Decimal("3.03")


def test_a_product_that_gets_another_base_unit_is_judged_again(live: Stage) -> None:
    doc = first_list(live)
    product = doc["FEntity"][0]["FMaterialId"]["FNumber"]
    for material in live.kingdee.records("products"):
        if material["FNumber"] == product:
            other = {"FNumber": "box" if material["SubHeadEntity"]["FBaseUnitId"]["FNumber"] != "box" else "Pcs"}
            live.kingdee.put("products", {"FMATERIALID": material["FMATERIALID"], "SubHeadEntity": {"FBaseUnitId": other}})
    live.sync()

    standing.judge_standing(live.hub)
    live.sync()

    assert product not in shown(live, doc)


# lists that the hub makes

STEPS = {
    "one": {"from_quantity": "0", "price": "99.99", "floor_price": "80"},
    "ten": {"from_quantity": "10", "price": "88.885", "floor_price": "80"},
}


def make(stage: Stage, lines: Mapping[str, Mapping[str, Any]], name: str = "华南特价") -> None:
    """The hub makes a list, or changes the one it made under that name."""
    (company,) = [row["id"] for row in stage.rows("SELECT id::text AS id FROM companies WHERE number = '100'")]
    product = stage.one("SELECT id::text FROM products WHERE number = 'M00001'")
    rows = {key: {"product": product, "unit": "pcs", "status": "active", **line} for key, line in lines.items()}
    fields = {"name": name, "company": company, "currency": "CNY", "tax_included": True, "status": "active", "audience": "all",
              "valid_from": "2026-01-01", "valid_to": "2099-12-31"}  # fmt: skip
    with stage.hub.transaction() as db:
        hub_records.put(stage.hub, db, "price_list", f"list/{name}", fields, {"lines": rows}, cause="a test")


def held(stage: Stage, name: str = "华南特价") -> list[dict[str, Any]]:
    """What the ERP holds of it."""
    return [doc for doc in stage.kingdee.records("price_lists") if doc["FName"] == name]


@pytest.mark.promise(1, 5)
def test_a_list_that_the_hub_makes_is_created_once_audited_and_keeps_its_steps(live: Stage) -> None:
    make(live, STEPS)
    live.sync()
    mark = live.kingdee.mark(), live.zoho.mark()
    live.sync()

    (doc,) = held(live)
    assert doc["FDocumentStatus"] == "C"
    assert sorted((row["FFromQty"], row["FPrice"], row["FDownPrice"]) for row in doc["FEntity"]) == [
        (0, Decimal("99.99"), 80),
        (10, Decimal("88.885"), 80),
    ]
    assert shown(live, doc) == {"M00001": Decimal("99.99")}
    assert [line for door, at in zip((live.kingdee, live.zoho), mark, strict=True) for line in door.log(at) if line.get("keys")] == []


def test_a_price_that_the_hub_changes_goes_to_every_system_and_what_is_changed_there_is_put_back(live: Stage) -> None:
    make(live, STEPS)
    live.sync()
    make(live, {**STEPS, "one": {**STEPS["one"], "price": "95"}})
    live.sync()
    (doc,) = held(live)
    changed = shown(live, doc)

    change(live, doc, 0, FPrice=Decimal(1))
    live.sync()

    assert changed == shown(live, doc) == {"M00001": Decimal(95)}
    assert sorted(row["FPrice"] for row in held(live)[0]["FEntity"]) == [Decimal("88.885"), 95]


def test_lists_of_the_erp_are_never_written_over(live: Stage) -> None:
    before = live.kingdee.records("price_lists")

    change(live, before[0], 0, FPrice=Decimal("5.55"))
    live.sync()

    assert [line for line in live.kingdee.log() if line.get("stream") == "BD_SAL_PriceList" and line.get("keys")] == []
    assert live.kingdee.records("price_lists")[0]["FEntity"][0]["FPrice"] == Decimal("5.55")


@pytest.mark.promise(1)
def test_a_book_that_lost_its_prices_takes_none_from_a_list_of_the_hub(live: Stage) -> None:
    """As after a worker that died between the book and its prices: Zoho shows none, and they are written again."""
    make(live, STEPS)
    live.sync()
    (doc,) = held(live)
    book = book_of(live, doc)

    live.zoho.put("price_books", {"id": book["id"], "Description": "x", "Products": [{"id": book["Products"][0]["id"], "_delete": None}]})
    live.sync()

    assert shown(live, doc) == {"M00001": Decimal("99.99")}
    assert len(held(live)[0]["FEntity"]) == 2

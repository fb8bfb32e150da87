"""Price lists where there is room for one price a product: what goes there, what is put back, what is left alone, what the day turns."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.sync.stage import Stage

LINES = {"lines": "FEntity", "entry": "FEntryID"}


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

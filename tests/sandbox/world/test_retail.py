"""A real ledger becomes a world without a penny gained or lost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.world import World
from sandbox.world.retail import BadLedger, world_from_ledger
from tests.oracle import judge_evidence
from tests.oracle.evidence import indexed
from tests.toyhub.mirror import Mirror

LEDGER = Path("/work/shared/data/online_retail_week.csv")
HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


@pytest.fixture(scope="module")
def ledger() -> World:
    if not LEDGER.exists():
        pytest.skip(f"the ledger {LEDGER} is absent: it is no part of the project; see README for its public source")
    return world_from_ledger(LEDGER)


def test_source_is_what_kingdee_approved_and_what_is_set_aside_to_the_penny(ledger: World) -> None:
    told = ledger.truth["ledger"]
    source = told.pop("source")

    assert source == {"documents": 699, "lines": 14_594, "amount": "252979.77"}
    assert sum(part["lines"] for part in told.values()) == source["lines"]
    assert sum(Decimal(part["amount"]) for part in told.values()) == Decimal(source["amount"])
    assert sum(part["lines"] for kind, part in told.items() if "no customer" in kind or "without" in kind) == 4_265
    told["source"] = source


def test_documents_hold_exactly_the_ledgers_amounts(ledger: World) -> None:
    kingdee, told = ledger.data["kingdee"], ledger.truth["ledger"]
    approved = [doc for doc in kingdee["sales_orders"] if doc["FDocumentStatus"] == "C"]
    waiting = [doc for doc in kingdee["sales_orders"] if doc["FDocumentStatus"] == "A"]

    assert sum(doc["FBillAllAmount"] for doc in approved) == Decimal(told["order"]["amount"])
    assert sum(doc["FBillAllAmount"] for doc in waiting) == Decimal(told["order without a customer"]["amount"])
    assert all(not doc["FCustId"]["FNumber"] for doc in waiting)
    assert sum(doc["FALLAMOUNTFOR"] for doc in kingdee["receivables"]) == Decimal(told["order"]["amount"]) + Decimal(
        told["return"]["amount"]
    )
    returned = sum(row["FAllAmount"] for doc in kingdee["returns"] if doc["FDocumentStatus"] == "C" for row in doc["FEntity"])
    assert returned == -Decimal(told["return"]["amount"])


def test_the_same_product_twice_stays_two_lines_and_texts_keep_their_blanks(ledger: World) -> None:
    orders = ledger.data["kingdee"]["sales_orders"]
    twice = [doc for doc in orders if len({row["FMaterialId"]["FNumber"] for row in doc["FSaleOrderEntry"]}) < len(doc["FSaleOrderEntry"])]

    assert len(twice) > 50
    assert any(row["FEntryNote"].endswith(" ") for doc in orders for row in doc["FSaleOrderEntry"])
    assert {"POST", "D", "M", "BANK CHARGES"} <= {doc["FNumber"] for doc in ledger.data["kingdee"]["products"]}


def test_codes_that_differ_only_in_case_are_one_material(ledger: World) -> None:
    codes = [doc["FNumber"] for doc in ledger.data["kingdee"]["products"]]

    assert len({code.upper() for code in codes}) == len(codes)
    assert "85123A" in codes


def test_the_oracle_finds_the_whole_ledger_in_a_correct_copy_and_excuses_what_has_no_customer(ledger: World) -> None:
    mirror = Mirror(ledger)
    verdict = judge_evidence(indexed(mirror.kingdee, mirror.zoho), ledger.truth)

    assert verdict.ok, verdict.summary()
    assert verdict.counts["orders"] == verdict.counts["shipments"] == ledger.truth["ledger"]["order"]["documents"]
    shown = sum(Decimal(doc["Total_Amount"]) for doc in mirror.zoho["invoices"])
    assert shown == Decimal(ledger.truth["ledger"]["order"]["amount"]) + Decimal(ledger.truth["ledger"]["return"]["amount"])
    excused = [one for one in verdict.explained if one.stream == "sales_orders"]
    assert {one.what for one in excused} == {"order without a customer"}
    assert len(excused) == 53 + 45


def test_a_file_of_another_shape_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("A,B\n1,2\n")
    (tmp_path / "bad.csv").write_text(HEAD + "1,A,Mug,six,12/1/10 8:26,2.55,17850,United Kingdom\n")

    with pytest.raises(BadLedger, match="lacks the columns InvoiceNo"):
        world_from_ledger(tmp_path / "other.csv")
    with pytest.raises(BadLedger, match=r"bad\.csv line 2"):
        world_from_ledger(tmp_path / "bad.csv")


def test_a_small_ledger_becomes_an_order_a_shipment_a_return_and_a_document_to_set_aside(tmp_path: Path) -> None:
    (tmp_path / "tiny.csv").write_text(
        HEAD
        + "536365,85123A,WHITE LANTERN ,6,12/1/10 8:26,2.55,17850,United Kingdom\n"
        + "536365,85123A,WHITE LANTERN ,2,12/1/10 8:26,2.55,17850,United Kingdom\n"
        + "C536379,D,Discount,-1,12/1/10 9:41,27.50,17850,United Kingdom\n"
        + "536414,22139,,56,12/1/10 11:52,0,,United Kingdom\n"
    )
    world = world_from_ledger(tmp_path / "tiny.csv")

    assert {name: len(docs) for name, docs in world.data["kingdee"].items() if docs} == {
        "organizations": 1, "employees": 1, "customers": 1, "products": 3, "sales_orders": 2, "shipments": 1, "returns": 1, "receivables": 2
    }  # fmt: skip
    assert world.truth["ledger"]["source"]["amount"] == "-7.10"

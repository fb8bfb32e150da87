"""The seeded world holds what the story needs, and the same seed is the same world."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.world import DEMO, MEDIUM, SMALL, World, load_world, make_world, save_parts, save_world
from sandbox.world.names import USCC_ALPHABET, uscc_check


@pytest.fixture(scope="module")
def demo() -> World:
    return make_world(7, DEMO)


@pytest.fixture(scope="module")
def medium() -> World:
    return make_world(7, MEDIUM)


def test_the_demo_is_as_large_as_the_story_says(demo: World) -> None:
    counts = demo.counts()

    assert len(demo.truth["parties"]) >= 2_000
    assert counts["kingdee.customers"] == 2 * DEMO.parties
    assert counts["kingdee.products"] == 2 * DEMO.products >= 1_000
    assert counts["kingdee.sales_orders"] >= 20_000
    for stream in ("shipments", "receivables", "receipts"):
        assert counts[f"kingdee.{stream}"] > 18_000
    assert (
        min(counts[f"kingdee.{stream}"] for stream in ("returns", "refunds", "price_lists", "stock_levels", "departments", "employees")) > 0
    )
    days = [doc["FDate"][:10] for doc in demo.data["kingdee"]["sales_orders"]]
    assert (min(days)[:4], max(days)[:4]) == ("2023", "2026")
    assert len(demo.truth["doubtful"]) == 12


def test_making_the_demo_costs_at_most_six_seconds() -> None:
    started = time.process_time()
    make_world(8, DEMO)

    assert time.process_time() - started < 6


def test_one_seed_is_one_world_and_another_seed_another() -> None:
    first, again, other = make_world(5, SMALL), make_world(5, SMALL), make_world(6, SMALL)

    assert (first.data, first.truth) == (again.data, again.truth)
    assert first.data != other.data


def test_the_small_world_has_two_partners_and_three_orders() -> None:
    world = make_world(1, SMALL)

    assert len(world.truth["parties"]) == 2
    assert len(world.data["kingdee"]["sales_orders"]) == 3
    assert len(world.truth["story"]) == 1
    assert not world.truth["doubtful"]


@pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=lambda size: size.name)
def test_a_world_survives_its_file_to_the_last_digit(tmp_path: Path, size: object) -> None:
    world = make_world(3, MEDIUM if size is MEDIUM else SMALL)
    save_world(world, tmp_path / "world.json")

    assert load_world(tmp_path / "world.json") == world
    assert sorted(save_parts(world, tmp_path / "parts")) == ["kingdee", "truth", "zoho"]


def test_a_file_that_is_no_world_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("[1]")

    with pytest.raises(ValueError, match=r"other\.json holds no world"):
        load_world(tmp_path / "other.json")


def test_registration_codes_carry_the_check_character_of_the_standard(demo: World) -> None:
    assert uscc_check("91350100M000100Y4") == "3"  # the standard's own example

    codes = [doc["USCC"] for doc in demo.data["zoho"]["accounts"] if doc["USCC"]]
    codes += [doc["FSOCIALCRECODE"] for doc in demo.data["kingdee"]["customers"]]
    assert all(len(code) == 18 and set(code) <= set(USCC_ALPHABET) and uscc_check(code[:17]) == code[17] for code in codes)


def test_copies_of_a_customer_share_number_and_master_and_differ_in_id(demo: World) -> None:
    copies = defaultdict(list)
    for doc in demo.data["kingdee"]["customers"]:
        copies[doc["FNumber"]].append(doc)

    for docs in copies.values():
        assert [doc["FUseOrgId"]["FNumber"] for doc in docs] == ["100", "200"]
        assert len({doc["FMasterId"] for doc in docs}) == 1
        assert len({doc["FCUSTID"] for doc in docs}) == 2


def test_every_document_cites_what_exists(medium: World) -> None:
    kingdee = medium.data["kingdee"]
    customers = {doc["FNumber"] for doc in kingdee["customers"]}
    materials = {doc["FNumber"] for doc in kingdee["products"]}
    orders = {doc["FBillNo"]: {row["FEntryID"] for row in doc["FSaleOrderEntry"]} for doc in kingdee["sales_orders"]}

    assert all(doc["FCustId"]["FNumber"] in customers for doc in kingdee["sales_orders"])
    assert all(row["FMaterialId"]["FNumber"] in materials for doc in kingdee["sales_orders"] for row in doc["FSaleOrderEntry"])
    for doc in kingdee["shipments"]:
        assert all(row["FSOEntryId"] in orders[row["FSoorDerno"]] for row in doc["FEntity"])
    cited = {row["FSALEORDERNO"] for doc in kingdee["receipts"] for row in doc["FRECEIVEBILLENTRY"]} - {""}
    assert cited <= set(orders)


def test_amounts_of_a_document_add_up_to_the_fen(medium: World) -> None:
    for doc in medium.data["kingdee"]["sales_orders"]:
        rows = doc["FSaleOrderEntry"]
        assert doc["FBillAllAmount"] == sum(row["FAllAmount"] for row in rows) == doc["FBillAmount"] + doc["FBillTaxAmount"]
        for row in rows:
            assert row["FAllAmount"] == row["FQty"] * row["FTaxPrice"] - row["FDiscount"]
    billed: Counter[str] = Counter()
    for doc in medium.data["kingdee"]["receivables"]:
        assert doc["FALLAMOUNTFOR"] == sum(row["FALLAMOUNTFOR_D"] for row in doc["FEntityDetail"])
        if doc["FALLAMOUNTFOR"] > 0:
            for row in doc["FEntityDetail"]:
                billed[row["FORDERNUMBER"]] += row["FALLAMOUNTFOR_D"]
    whole = [doc for doc in medium.data["kingdee"]["sales_orders"] if doc["FCloseStatus"] == "B"]
    assert len(whole) > 500
    assert all(billed[doc["FBillNo"]] == doc["FBillAllAmount"] for doc in whole)


def test_some_orders_ship_in_two_batches_and_some_receipts_are_partial_or_bear_a_bank_charge(medium: World) -> None:
    batches = Counter(doc["FEntity"][0]["FSoorDerno"] for doc in medium.data["kingdee"]["shipments"])
    payments = Counter(row["FSALEORDERNO"] for doc in medium.data["kingdee"]["receipts"] for row in doc["FRECEIVEBILLENTRY"])
    charged = [row for doc in medium.data["kingdee"]["receipts"] for row in doc["FRECEIVEBILLENTRY"] if row["FHANDLINGCHARGEFOR"]]

    assert 2 in batches.values()
    assert 2 in payments.values()
    assert charged
    assert all(row["FRECAMOUNTFOR_E"] + row["FHANDLINGCHARGEFOR"] == row["FRECTOTALAMOUNTFOR"] for row in charged)


def test_accounts_know_a_sure_key_or_are_planted_as_doubtful_or_are_only_in_zoho(demo: World) -> None:
    numbers = {doc["FNumber"]: doc for doc in demo.data["kingdee"]["customers"]}
    codes = {doc["FSOCIALCRECODE"]: number for number, doc in numbers.items()}
    doubtful = {key for pair in demo.truth["doubtful"] for key in pair["zoho"]}
    linked = {key: seed["number"] for seed in demo.truth["parties"].values() if seed["number"] for key in seed["zoho"]}
    spelled_otherwise = 0
    for doc in demo.data["zoho"]["accounts"]:
        sure = {doc["ERP_Code"] or codes.get(doc["USCC"]), codes.get(doc["USCC"]) or doc["ERP_Code"]}
        if doc["id"] in linked:
            assert sure == {linked[doc["id"]]}
            spelled_otherwise += doc["Account_Name"] != numbers[linked[doc["id"]]]["FName"]
        elif doc["id"] not in doubtful:
            assert sure == {None}
    assert len(linked) == DEMO.zoho_linked
    assert spelled_otherwise > len(linked) // 2


def test_the_story_has_a_won_deal_with_an_accepted_quote_that_nobody_ordered(demo: World) -> None:
    zoho = {stream: {doc["id"]: doc for doc in docs} for stream, docs in demo.data["zoho"].items()}

    assert len(demo.truth["story"]) == DEMO.pending_quotes
    for told in demo.truth["story"]:
        deal, quote = zoho["deals"][told["deal"]], zoho["quotes"][told["quote"]]
        assert (deal["Stage"], quote["Quote_Stage"], quote["ERP_Order_No"]) == ("Closed Won", "Confirmed", None)
        assert demo.truth["parties"][told["party"]]["zoho"] == [told["account"]]
        assert quote["Grand_Total"] == sum(row["Total"] for row in quote["Quoted_Items"]) == Decimal(told["total"])
    assert {doc["Stage"] for doc in demo.data["zoho"]["deals"]} == {
        "Qualification", "Needs Analysis", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost"
    }  # fmt: skip


def test_the_planted_troubles_are_where_the_truth_says(demo: World) -> None:
    kingdee, truth = demo.data["kingdee"], demo.truth
    receipts = {str(doc["FID"]): doc for doc in kingdee["receipts"]}
    mapped = {row["vendor_value"] for row in truth["value_maps"] if row["map"] == "salesperson"}
    sellers = {doc["FSalerId"]["FNumber"] for doc in kingdee["sales_orders"]}

    [bad] = truth["bad_records"]
    assert receipts[bad["key"]]["FRECEIVEBILLENTRY"][0]["FRECTOTALAMOUNTFOR"].adjusted() == 29
    assert sellers - mapped == {truth["unknown_seller"]["code"]}
    assert len(truth["unknown_seller"]["orders"]) == DEMO.unknown_seller_orders
    assert truth["late_value"][0]["vendor_value"] == truth["unknown_seller"]["code"]
    month = truth["backfill_month"]
    assert any(doc["FDate"].startswith(month) for doc in kingdee["shipments"])


def test_no_phone_and_no_brand_is_shared_but_where_it_is_planted() -> None:
    world = make_world(2, dataclasses.replace(MEDIUM, orders=20))
    phones = Counter(doc["FTEL"] for doc in world.data["kingdee"]["customers"] if doc["FUseOrgId"]["FNumber"] == "100")

    assert max(phones.values()) == 1

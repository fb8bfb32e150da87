"""The judges of rebates and price lists pass what is right and find each thing that is wrong."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from sandbox.world import SMALL, make_world
from tests.oracle.prices import Books, Price, compare_price_lists, of_kingdee, on_show
from tests.oracle.rebates import Paid, Settled, Terms, earned, judge_memos, judge_paid, judge_settled, owed
from tests.oracle.values import Doc

TIERS = ((Decimal(0), Decimal("0.01")), (Decimal(1_000), Decimal("0.025")))
WHOLE = Terms("orders", "order", (("2026-01-01", "2027-01-01"),), TIERS, marginal=False, tax_rate=Decimal("0.13"))
STEPS = replace(WHOLE, programme="invoices", event="invoice", marginal=True, tax_rate=Decimal("0.06"))


@pytest.mark.parametrize(
    ("terms", "base", "reward"),
    [
        (WHOLE, "999.99", "10.00"),  # 9.9999
        (WHOLE, "1000", "25.00"),
        (WHOLE, "1000.20", "25.01"),  # 25.005 is rounded away from zero
        (STEPS, "1000", "10.00"),
        (STEPS, "3000", "60.00"),  # 1,000 at 1 % and 2,000 at 2.5 %
        (STEPS, "-5", "0"),
    ],
)
def test_tiers_pay_as_a_person_reckons(terms: Terms, base: str, reward: str) -> None:
    assert earned(terms, Decimal(base)) == Decimal(reward)


def test_only_approved_documents_of_the_period_count_and_red_ones_are_taken_off() -> None:
    def bill(on: str, amount: str, status: str = "C", void: str = "A", kind: str = "3") -> Doc:
        rows = [{"FNoTaxAmountFor_D": Decimal(amount)}]
        return {
            "FDATE": on, "FDocumentStatus": status, "FCancelStatus": void, "FSetAccountType": kind, "FCUSTOMERID": {"FNumber": "C1"},
            "FEntityDetail": rows,
        }  # fmt: skip

    documents = [
        bill("2026-01-01", "2000"), bill("2026-06-30", "-500"), bill("2025-12-31", "9"), bill("2026-02-01", "9", status="B"),
        bill("2026-02-01", "9", void="B"), bill("2026-02-01", "9", kind="2"), bill("2026-12-31", "9"),
    ]  # fmt: skip

    assert owed(STEPS, documents, "2026-11-21") == {"C1": Decimal("22.50")}


SETTLED = (
    Settled("C1", "orders", Decimal("1130.00"), Decimal(0)),
    Settled("C1", "invoices", Decimal("10.61"), Decimal(0)),
    Settled("C2", "orders", Decimal("-1.00"), Decimal("-3.00")),
)
PAID = (
    Paid("RP-1", "C1", Decimal("0.13"), Decimal("1130.00"), Decimal("130.00")),
    Paid("RP-2", "C1", Decimal("0.06"), Decimal("10.61"), Decimal("0.60")),
    Paid("RP-3", "C2", Decimal("0.13"), Decimal("2.00"), Decimal("0.23")),
)
RATES = {"orders": Decimal("0.13"), "invoices": Decimal("0.06")}
OWED = {"orders": {"C1": Decimal("1130.00"), "C2": Decimal("-1.00")}, "invoices": {"C1": Decimal("10.61")}}


def memo(payout: Paid, **other: object) -> Doc:
    """The memo that pays it."""
    line = {"FAMOUNTFOR_D": -payout.total, "FTAXAMOUNTFOR": -payout.tax}
    return {
        "FBillNo": f"QTYSD-{payout.id}", "F_HUB_PAYOUT": payout.id, "FDocumentStatus": "C", "FCancelStatus": "A",
        "FCONTACTUNIT": {"FNumber": payout.dealer}, "FCURRENCYID": {"FNumber": "PRE001"}, "FAMOUNTFOR": -payout.total, "FEntity": [line],
        **other,
    }  # fmt: skip


MEMOS = tuple(memo(payout) for payout in PAID)
FEN = Decimal("0.01")


def test_what_is_settled_paid_and_booked_as_owed_passes() -> None:
    assert judge_settled(OWED, SETTLED) == judge_paid(RATES, SETTLED, PAID) == judge_memos(MEMOS, PAID) == []


@pytest.mark.parametrize("other", [Decimal("1130.01"), Decimal("1129.99"), Decimal(0)])
def test_what_is_settled_to_a_fen_otherwise_is_found_by_dealer_and_in_total(other: Decimal) -> None:
    found = judge_settled(OWED, [replace(SETTLED[0], amount=other), *SETTLED[1:]])

    assert [(one.key, one.what) for one in found] == [("C1", "settled otherwise"), ("total", "settled otherwise")]


@pytest.mark.parametrize(
    ("settled", "paid", "what"),
    [
        pytest.param(SETTLED, PAID[1:], "paid otherwise", id="settled, and no payout"),
        pytest.param(SETTLED, [*PAID, replace(PAID[1], id="RP-4")], "paid otherwise", id="paid twice"),
        pytest.param(SETTLED, [replace(PAID[0], tax=PAID[0].tax + FEN), *PAID[1:]], "differs", id="tax to a fen"),
        pytest.param([replace(SETTLED[0], waiting=SETTLED[0].amount), *SETTLED[1:]], PAID[1:], "not paid", id="waits though it is due"),
    ],
)
def test_payouts_that_do_not_pay_what_was_settled_are_found(settled: list[Settled], paid: list[Paid], what: str) -> None:
    assert [one.what for one in judge_paid(RATES, settled, paid)] == [what]


@pytest.mark.parametrize(
    ("memos", "what"),
    [
        pytest.param([*MEMOS, memo(PAID[0], FBillNo="again")], "two memos of one payout", id="a second memo"),
        pytest.param(MEMOS[1:], "lost memo", id="a lost memo"),
        pytest.param([memo(PAID[0], FCancelStatus="B"), *MEMOS[1:]], "lost memo", id="a void memo"),
        pytest.param([*MEMOS, memo(replace(PAID[0], id="RP-9"))], "memo of no payout", id="a memo of no payout"),
        pytest.param([memo(PAID[0], FAMOUNTFOR=FEN - PAID[0].total), *MEMOS[1:]], "differs", id="a fen"),
        pytest.param([memo(PAID[0], FAMOUNTFOR=PAID[0].total), *MEMOS[1:]], "differs", id="black, not red"),
        pytest.param([memo(PAID[0], FCONTACTUNIT={"FNumber": "C2"}), *MEMOS[1:]], "differs", id="another dealer's"),
        pytest.param([memo(PAID[0], FDocumentStatus="A"), *MEMOS[1:]], "differs", id="not audited"),
    ],
)
def test_memos_that_do_not_pay_each_payout_once_are_found(memos: list[Doc], what: str) -> None:
    assert [one.what for one in judge_memos(memos, PAID)] == [what]


TODAY = "2026-11-21"
LISTS = make_world(3, SMALL).data["kingdee"]["price_lists"]
UNITS = {row["FMaterialId"]["FNumber"]: row["FUnitID"]["FNumber"] for doc in LISTS for row in doc["FEntity"]}
IDS = {product: f"57{place:016}" for place, product in enumerate(sorted(UNITS))}


def books(lists: list[Doc]) -> list[Doc]:
    """The price books that follow from price lists of one line a product."""
    return [
        {
            "id": str(at), "Hub_Key": f"H{at}", "ERP_Code": doc["FNumber"], "Price_Book_Name": doc["FName"], "Currency_Code": "CNY",
            "Valid_From": doc["FEffectiveDate"][:10], "Valid_To": doc["FExpiryDate"][:10], "Active": True, "Tax_Side": "含税",
            "Products": [{"id": IDS[row["FMaterialId"]["FNumber"]], "list_price": row["FPrice"]} for row in doc["FEntity"]],
        }
        for at, doc in enumerate(lists)
    ]  # fmt: skip


def wrong(lists: list[Doc], shown: list[Doc], said: dict[tuple[str, str], object] | None = None, **made: Counter[Price]) -> list[str]:
    """What the judge says, when the ledger says what the ERP does."""
    ledger = {head.number: prices for head, prices in map(of_kingdee, LISTS if made == {} else lists)}
    held = Books(shown, {key: product for product, key in IDS.items()})
    found = compare_price_lists(lists, held, ledger, said or {}, units=UNITS, today=TODAY, made=made)
    return [one.what for one in found]


def a_fen(lists: list[Doc], shown: list[Doc]) -> None:
    lists[0]["FEntity"][1]["FPrice"] += FEN
    shown[0]["Products"][1]["list_price"] += FEN


def a_line_less(lists: list[Doc], shown: list[Doc]) -> None:
    lists[0]["FEntity"].pop()
    shown[0]["Products"].pop()


def a_line_off(lists: list[Doc], shown: list[Doc]) -> None:
    lists[0]["FEntity"][0]["FEntryForbidStatus"] = "B"
    shown[0]["Products"].pop(0)


def renamed(_: list[Doc], shown: list[Doc]) -> None:
    shown[0]["Price_Book_Name"] = "别的"


def untaxed(_: list[Doc], shown: list[Doc]) -> None:
    shown[0]["Tax_Side"] = None


def twice(_: list[Doc], shown: list[Doc]) -> None:
    shown.append({**shown[0], "id": "twin"})


def gone(_: list[Doc], shown: list[Doc]) -> None:
    shown.pop()


def a_fen_in_the_book(_: list[Doc], shown: list[Doc]) -> None:
    shown[0]["Products"][0]["list_price"] += FEN


def a_price_less_in_the_book(_: list[Doc], shown: list[Doc]) -> None:
    shown[0]["Products"].pop()


def a_price_more_in_the_book(_: list[Doc], shown: list[Doc]) -> None:
    shown[0]["Products"].append({"id": "579999999999999999", "list_price": 1})


def two_prices_changed_places(_: list[Doc], shown: list[Doc]) -> None:
    first, second = shown[0]["Products"][:2]
    first["list_price"], second["list_price"] = second["list_price"], first["list_price"]


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (a_fen, "differs"),
        (a_line_less, "differs"),
        (a_line_off, "differs"),
        (renamed, "differs"),
        (untaxed, "differs"),
        (twice, "two of one price list"),
        (gone, "missing"),
        (a_fen_in_the_book, "differs"),
        (a_price_less_in_the_book, "differs"),
        (a_price_more_in_the_book, "differs"),
        (two_prices_changed_places, "differs"),
    ],
)
def test_price_lists_that_differ_in_a_line_or_head_are_found(spoil: Callable[[list[Doc], list[Doc]], None], what: str) -> None:
    lists, shown = copy.deepcopy(LISTS), copy.deepcopy(books(LISTS))
    assert wrong(lists, shown) == []

    spoil(lists, shown)

    assert wrong(lists, shown) == [what]


def test_a_price_of_the_erp_that_was_written_over_is_found() -> None:
    entry = str(LISTS[0]["FEntity"][0]["FEntryID"])

    assert wrong(LISTS, books(LISTS), {(LISTS[0]["FNumber"], entry): Decimal("0.01")}) == ["overwritten"]


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        pytest.param({"FFromQty": 10, "FPrice": 1}, False, id="a larger quantity"),
        pytest.param({"FFromQty": -1, "FPrice": 1}, True, id="a smaller quantity"),
        pytest.param({"FPrice": 1, "FEntryEffectiveDate": "2026-11-21T00:00:00"}, True, id="a later one that holds"),
        pytest.param({"FPrice": 1, "FEntryEffectiveDate": "2026-11-22T00:00:00"}, False, id="one of tomorrow"),
        pytest.param({"FFromQty": -1, "FPrice": 1, "FEntryExpiryDate": "2026-11-20T00:00:00"}, False, id="one of yesterday"),
        pytest.param({"FFromQty": -1, "FPrice": 1, "FEntryForbidStatus": "B"}, False, id="one that is off"),
        pytest.param({"FFromQty": -1, "FPrice": 1, "FUnitID": {"FNumber": "BOX"}}, False, id="another unit"),
        pytest.param({"FPrice": 1}, None, id="one that contradicts it"),
    ],
)
def test_of_several_lines_of_a_product_a_book_shows_one(more: Doc, shown: bool | None) -> None:  # noqa: FBT001  a case
    doc = {**LISTS[0], "FEntity": [LISTS[0]["FEntity"][0], {**LISTS[0]["FEntity"][0], **more}]}
    product, price = doc["FEntity"][0]["FMaterialId"]["FNumber"], doc["FEntity"][0]["FPrice"]

    assert on_show(doc, UNITS, TODAY) == ({} if shown is None else {(product, Decimal(1) if shown else price): 1})


def test_a_list_of_the_hub_that_the_erp_has_not_twice_or_otherwise_is_found() -> None:
    mine = copy.deepcopy(LISTS[0]) | {"FNumber": "XSJMB0999", "FName": "华南特价"}
    prices = of_kingdee(mine)[1]

    def judged(*docs: Doc) -> list[str]:
        return sorted(set(wrong([*LISTS, *docs], books([*LISTS, *docs]), 华南特价=prices)))

    assert judged(mine) == []
    assert judged() == ["missing"]
    assert judged(mine, mine | {"FNumber": "XSJMB0998"}) == ["two of one price list"]
    assert judged(mine | {"FEntity": mine["FEntity"][1:]}) == ["differs"]
    assert judged(mine | {"FDocumentStatus": "B"}) == ["differs"]

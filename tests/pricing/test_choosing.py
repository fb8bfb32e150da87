"""Which price a line gets: kinds in their order, validity, versions, what was known, units, currencies; and what is told of the others."""

from __future__ import annotations

import re
from typing import Any

import pytest

from channel.pricing.model import DEFAULT_ACCESS, KEY_FIELDS
from tests.docs.pages import text_of
from tests.pricing.documents import asked, document

ONE = [{"item": "A", "quantity": "1"}]


def line(text: str, at: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = asked(text)["lines"][at]
    return found


def reasons(told: dict[str, Any]) -> dict[str, str]:
    return {one["rule"]: one["reason"] for one in told["not_used"]}


BOOKS: list[dict[str, Any]] = [
    {"id": "std", "kind": "标准价", "prices": [{"item": "A", "price": "100"}]},
    {"id": "prj", "kind": "工程价", "prices": [{"item": "A", "price": "95"}]},
    {"id": "grd", "kind": "代理价", "prices": [{"item": "A", "grade": "G", "price": "90"}]},
    {"id": "lin", "kind": "产品线价", "prices": [{"dealer": "D", "line": "pumps", "formula": {"base": "standard", "percent": "15"}}]},
    {"id": "con", "kind": "合同价", "prices": [{"item": "A", "dealer": "D", "price": "80"}]},
]


DEAL = {"id": "T", "project": "P", "dealer": "D", "approver": "王总", "items": [{"item": "A", "price": "75"}]}


PEOPLE: dict[str, Any] = {
    "items": [{"id": "A", "line": "pumps"}],
    "dealers": [{"id": "D", "grade": "G"}, {"id": "E", "grade": "H"}],
    "registrations": [{"id": "P", "dealer": "D"}, {"id": "Q", "dealer": "E"}],
}


@pytest.mark.parametrize(
    ("without", "ask", "kind", "net"),
    [
        ([], {"dealer": "D", "project": "P"}, "deal", "75.00"),
        ([], {"dealer": "D"}, "contract", "80.00"),
        (["con"], {"dealer": "D"}, "line", "85.00"),
        (["con", "lin"], {"dealer": "D"}, "grade", "90.00"),
        (["con", "lin", "grd"], {"dealer": "D", "project": "P"}, "deal", "75.00"),
        ([], {"dealer": "E", "project": "Q"}, "project", "95.00"),
        ([], {"dealer": "E", "project": "P"}, "standard", "100.00"),
        ([], {"dealer": "E"}, "standard", "100.00"),
        ([], {}, "standard", "100.00"),
    ],
)
def test_the_kinds_stand_in_their_order(without: list[str], ask: dict[str, Any], kind: str, net: str) -> None:
    books = [book for book in BOOKS if book["id"] not in without]

    told = line(document(**PEOPLE, books=books, deal_prices=[DEAL], ask={**ask, "lines": ONE}))

    assert (told["price_kind"], told["net"]) == (kind, net)


def test_a_special_price_nobody_approved_is_not_used() -> None:
    told = line(document(**PEOPLE, books=BOOKS, deal_prices=[{**DEAL, "approver": ""}], ask={"dealer": "D", "project": "P"}))

    assert told["price_kind"] == "contract"
    assert reasons(told)["T"] == "not_approved"


def test_a_special_price_is_final_but_for_hand_and_freight() -> None:
    adjustments = [
        {"id": "promo", "rung": "promotion", "percent": "10"},
        {"id": "freight", "rung": "freight", "amount": "2", "surcharge": True},
    ]
    told = line(document(**PEOPLE, books=BOOKS, deal_prices=[DEAL], adjustments=adjustments, ask={"dealer": "D", "project": "P"}))

    assert told["net"] == "77.00"
    assert reasons(told)["promo"] == "final_price"


@pytest.mark.parametrize(
    ("consumed", "net", "kind"), [("0", "7500.00", "deal"), ("1", "8000.00", "contract"), ("100", "8000.00", "contract")]
)
def test_a_special_price_ends_by_quantity(consumed: str, net: str, kind: str) -> None:
    deal = {**DEAL, "items": [{"item": "A", "price": "75", "ceiling": "100", "consumed": consumed}]}

    told = line(
        document(
            **PEOPLE, books=BOOKS, deal_prices=[deal], ask={"dealer": "D", "project": "P", "lines": [{"item": "A", "quantity": "100"}]}
        )
    )

    assert (told["net"], told["price_kind"]) == (net, kind)


def test_a_special_price_may_refuse_what_is_over_its_ceiling() -> None:
    deal = {**DEAL, "over_ceiling": "refuse", "items": [{"item": "A", "price": "75", "ceiling": "10", "consumed": "4"}]}

    told = line(
        document(**PEOPLE, books=BOOKS, deal_prices=[deal], ask={"dealer": "D", "project": "P", "lines": [{"item": "A", "quantity": "7"}]})
    )

    assert told["refusal"]["code"] == "pricing/over-ceiling"
    assert told["refusal"]["facts"]["left"] == "6"


@pytest.mark.parametrize(
    ("day", "net"), [("2026-01-31", "100.00"), ("2026-02-01", "90.00"), ("2026-02-28", "90.00"), ("2026-03-01", "100.00")]
)
def test_a_validity_holds_its_first_day_and_not_its_last(day: str, net: str) -> None:
    books = [
        {"id": "std", "kind": "standard", "prices": [
            {"id": "a", "item": "A", "price": "100", "valid_to": "2026-02-01"},
            {"id": "b", "item": "A", "price": "90", "valid_from": "2026-02-01", "valid_to": "2026-03-01"},
            {"id": "c", "item": "A", "price": "100", "valid_from": "2026-03-01"},
        ]},
    ]  # fmt: skip

    told = line(document(books=books, ask={"date": day}))

    assert told["net"] == net
    assert set(reasons(told).values()) <= {"not_found", "expired", "not_yet_valid", "requirement_failed"}


def test_a_higher_version_replaces_a_book_whole() -> None:
    books = [
        {"id": "std", "version": "1", "kind": "standard", "prices": [{"item": "A", "price": "100"}, {"item": "B", "price": "5"}]},
        {"id": "std", "version": "2", "kind": "standard", "valid_from": "2026-06-01", "prices": [{"item": "A", "price": "110"}]},
    ]
    lines = [{"item": "A", "quantity": "1"}, {"item": "B", "quantity": "1"}]
    before, after = (
        asked(document(items=[{"id": "A"}, {"id": "B"}], books=books, ask={"date": day, "lines": lines}))
        for day in ("2026-05-31", "2026-06-01")
    )

    assert [one.get("net") for one in before["lines"]] == ["100.00", "5.00"]
    assert [one.get("net") for one in after["lines"]] == ["110.00", None]
    assert reasons(after["lines"][1])["std#2"] == "superseded"


def test_what_was_not_known_then_is_not_used() -> None:
    books = [
        {"id": "std", "version": "1", "kind": "standard", "prices": [{"item": "A", "price": "100"}]},
        {
            "id": "std",
            "version": "2",
            "kind": "standard",
            "recorded_at": "2026-01-10T09:00:00+08:00",
            "prices": [{"item": "A", "price": "95"}],
        },
    ]
    adjustments = [{"id": "late", "rung": "promotion", "percent": "10", "recorded_at": "2026-01-09T00:00:00+08:00"}]
    nets = [
        asked(document(books=books, adjustments=adjustments, ask={"known_at": known}))["net"]
        for known in ("2026-01-08T00:00:00+08:00", "2026-01-09T00:00:00+08:00", "2026-01-10T01:00:00Z", None)
        if known
    ]

    assert nets == ["100.00", "90.00", "85.50"]


def test_zero_is_a_price_and_none_is_a_refusal() -> None:
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "0"}]}]
    lines = [{"item": "A", "quantity": "3"}, {"item": "B", "quantity": "3"}]

    free, none = asked(document(items=[{"id": "A"}, {"id": "B"}], books=books, ask={"lines": lines}))["lines"]

    assert (free["net"], free["gross"]) == ("0.00", "0.00")
    assert none["refusal"]["code"] == "pricing/no-price"
    assert "net" not in none


def test_each_selling_company_may_search_in_its_own_order() -> None:
    order = [{"kind": "standard", "keys": [["item"]]}]
    access = [
        {"version": "own", "companies": ["200"], "order": order},
        {"version": "all", "order": [{"kind": "grade", "keys": [["grade", "item"]]}, *order]},
    ]
    books = [BOOKS[0], BOOKS[2]]
    nets = [
        asked(document(**PEOPLE, books=books, access=access, ask={"dealer": "D", "company": company}))["net"] for company in ("200", "100")
    ]

    assert nets == ["100.00", "90.00"]


def test_a_price_of_a_region_is_found_by_its_longest_prefix() -> None:
    access = [{"order": [{"kind": "standard", "keys": [["region", "item"], ["item"]]}]}]
    prices = [{"item": "A", "price": "100"}, {"item": "A", "region": "31", "price": "97"}, {"item": "A", "region": "3101", "price": "96"}]
    books = [{"id": "std", "kind": "standard", "prices": prices}]
    nets = [asked(document(access=access, books=books, ask={"ship_to": region}))["net"] for region in ("310115", "310200", "110101", "")]

    assert nets == ["96.00", "97.00", "100.00", "100.00"]


def test_a_price_in_the_carts_currency_goes_before_one_that_is_converted() -> None:
    books = [
        {"id": "cny", "kind": "standard", "prices": [{"item": "A", "price": "700"}]},
        {"id": "usd", "kind": "standard", "currency": "USD", "prices": [{"item": "A", "price": "101"}]},
    ]
    fx = [{"from": "USD", "to": "CNY", "rate": "7"}]
    rows = [asked(document(books=books, fx=fx, ask={"currency": currency}))["net"] for currency in ("CNY", "USD")]
    inverse = asked(document(books=books[:1], fx=fx, ask={"currency": "USD"}))

    assert rows == ["700.00", "101.00"]
    assert inverse["net"] == "100.00"


def test_without_a_rate_for_the_day_there_is_no_price() -> None:
    books = [{"id": "usd", "kind": "standard", "currency": "USD", "prices": [{"item": "A", "price": "101"}]}]
    fx = [{"from": "USD", "to": "CNY", "rate": "7", "valid_to": "2026-01-05"}]

    told = line(document(books=books, fx=fx))

    assert told["refusal"]["code"] == "pricing/no-rate"
    assert reasons(told)["usd#1"] == "no_rate"


def test_amounts_of_rules_are_converted_too() -> None:
    books = [{"id": "usd", "kind": "standard", "currency": "USD", "prices": [{"item": "A", "price": "100"}]}]
    adjustments = [
        {"id": "off", "rung": "promotion", "amount": "70", "currency": "CNY", "order": "1"},
        {"id": "big", "rung": "promotion", "percent": "10", "order": "2", "when": {"min_value": "630"}},
    ]
    fx = [{"from": "USD", "to": "CNY", "rate": "7"}]

    told = asked(document(books=books, adjustments=adjustments, fx=fx, ask={"currency": "USD"}))

    assert told["net"] == "81.00"  # 100 - 70/7 = 90; the line was worth 700 yuan when the rung began, so - 9


@pytest.mark.parametrize(("currency", "price", "net"), [("JPY", "100.5", "101"), ("KWD", "1.00045", "1.001"), ("CNY", "1.005", "1.01")])
def test_amounts_have_the_decimals_of_their_currency(currency: str, price: str, net: str) -> None:
    books = [{"id": "std", "kind": "standard", "currency": currency, "prices": [{"item": "A", "price": price}]}]

    assert asked(document(books=books, ask={"currency": currency}))["net"] == net


def test_a_price_per_hundred_keeps_its_small_decimals() -> None:
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "1.2345", "per": "100"}]}]

    told = line(document(books=books, ask={"lines": [{"item": "A", "quantity": "2500"}]}))

    assert (told["unit_price"], told["per"], told["net"]) == ("1.2345", "100", "30.86")  # 25 x 1.2345 = 30.8625


def test_scales_measure_base_units_whatever_unit_is_ordered() -> None:
    scale = {"method": "point", "tiers": [{"from": "1", "price": "10"}, {"from": "24", "price": "9"}]}
    items = [{"id": "A", "units": {"箱": "12"}}]
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "scale": scale}]}]

    told = line(document(items=items, books=books, ask={"lines": [{"item": "A", "quantity": "2", "unit": "箱"}]}))

    assert (told["unit_price"], told["net"]) == ("108.0000", "216.00")


def test_quantities_of_an_item_add_up_over_lines_where_a_scale_says_so() -> None:
    scale = {"method": "point", "over": "item", "tiers": [{"from": "1", "price": "10"}, {"from": "10", "price": "9"}]}
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "scale": scale}]}]

    told = asked(document(books=books, ask={"lines": [{"item": "A", "quantity": "6"}, {"item": "A", "quantity": "4"}]}))

    assert [one["net"] for one in told["lines"]] == ["54.00", "36.00"]


def test_a_fence_may_refuse_the_line() -> None:
    people = {**PEOPLE, "dealers": [{"id": "D", "grade": "G", "territory": ["31"]}]} | {"registrations": [{"id": "P", "dealer": "D"}]}
    text = document(**people, books=BOOKS, fences=[{"id": "F", "outside": "refuse"}], ask={"dealer": "D", "ship_to": "440300"})

    assert line(text)["refusal"]["code"] == "pricing/outside-territory"


def test_formulas_chain_and_keep_their_margins() -> None:
    formula = {"base": "standard", "percent": "20", "max_margin": "0", "min_margin": "0"}
    books = [
        {"id": "cost-plus", "kind": "standard", "prices": [{"item": "A", "formula": {"base": "cost", "factor": "1.5"}}]},
        {"id": "g", "kind": "grade", "prices": [{"item": "A", "grade": "G", "formula": formula}]},
    ]
    people = {"items": [{"id": "A", "cost": "60"}], "dealers": [{"id": "D", "grade": "G"}]}

    told = line(document(**people, books=books, ask={"dealer": "D"}))

    assert (told["list_price"], told["net"]) == ("90", "90.00")  # 60 x 1.5 = 90; - 20 % = 72, but at least base + 0


def test_the_keys_of_the_default_search_are_on_the_page() -> None:
    page = text_of("docs/pricing-base.md")

    for step in DEFAULT_ACCESS.order:
        row = next(row for row in page.splitlines() if row.startswith(f"| `{step.kind}` |"))
        assert {name for key in step.keys for name in key} == set(
            re.findall("|".join(sorted(KEY_FIELDS)), row.split("|")[2].replace("deal_prices", ""))
        ), row


@pytest.mark.parametrize(
    ("key", "net"), [({"item": "A"}, "80.00"), ({"line": "pumps"}, "80.00"), ({"all": True}, "80.00"), ({"line": "valves"}, "100.00")]
)
def test_a_grade_may_have_a_price_of_its_own_for_much_at_once(key: dict[str, Any], net: str) -> None:
    record = {**key, "grade": "G", "formula": {"base": "standard", "percent": "20"}}
    books = [BOOKS[0], {"id": "g", "kind": "代理价", "prices": [record]}]

    assert asked(document(**PEOPLE, books=books, ask={"dealer": "D"}))["net"] == net


def ceilings(*lines: tuple[str, str], **deal: Any) -> list[dict[str, Any]]:
    """The lines of a cart under a special price of A at 7 and B at 6, at most so much money."""
    told = asked(
        document(
            items=[{"id": "A"}, {"id": "B"}, {"id": "C"}],
            dealers=[{"id": "D"}],
            registrations=[{"id": "P", "dealer": "D"}],
            books=[{"id": "std", "kind": "standard", "prices": [{"item": item, "price": "9"} for item in "ABC"]}],
            deal_prices=[{"id": "T", "project": "P", "dealer": "D", "approver": "王总",
                          "items": [{"item": "A", "price": "7"}, {"item": "B", "price": "6"}, {"item": "C", "price": "0"}], **deal}],
            ask={"dealer": "D", "project": "P", "lines": [{"item": item, "quantity": quantity} for item, quantity in lines]},
        )
    )  # fmt: skip
    found: list[dict[str, Any]] = told["lines"]
    return found


def test_a_ceiling_of_money_is_one_for_all_items_of_a_special_price() -> None:
    lines = ceilings(("A", "10"), ("B", "5"), ("A", "1"), ("C", "99"), ceiling_amount="150", consumed_amount="50")

    assert [line["price_kind"] for line in lines] == ["deal", "deal", "standard", "deal"], "what costs nothing needs no money"
    assert [one["detail"] for one in lines[2]["not_used"] if one["rule"] == "T"] == ["0 left"]


def test_what_a_ceiling_of_money_still_buys_is_told_in_pieces() -> None:
    (line,) = ceilings(("A", "10"), ceiling_amount="65")

    assert (line["price_kind"], line["alternatives"][0]["quantity"]) == ("standard", "9")
    assert [one["detail"] for one in line["not_used"] if one["rule"] == "T"] == ["9.285714 left"]


def test_a_ceiling_of_money_refuses_where_it_is_said() -> None:
    (line,) = ceilings(("A", "10"), ceiling_amount="63", over_ceiling="refuse")

    assert line["refusal"]["code"] == "pricing/over-ceiling"
    assert line["refusal"]["facts"]["left"] == "9"


def test_what_is_left_of_a_special_price_is_offered_down_to_the_last_piece() -> None:
    offered = [
        [one["quantity"] for one in ceilings(("A", "3"), ceiling_amount=amount)[0]["alternatives"]] for amount in ("7", "6.99", "14")
    ]

    assert offered == [["1"], [], ["2"]]

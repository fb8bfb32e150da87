"""Who may grant what: on each line and the whole, with what was quoted before, and never by a rounded percent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pricing.documents import asked, document

BANDS: list[dict[str, Any]] = [
    {"id": "own", "level": "0", "role": "sales", "max_discount": "10", "min_margin": "20"},
    {"id": "own-pumps", "level": "0", "role": "sales", "lines": "pumps", "max_discount": "5", "min_margin": "20"},
    {"id": "region", "level": "1", "role": "区域经理", "max_discount": "20", "min_margin": "15"},
    {"id": "region-pumps", "level": "1", "role": "区域经理", "lines": "pumps", "max_discount": "20", "min_margin": "15"},
    {"id": "head", "level": "2", "role": "总部", "max_discount": "40", "min_margin": "0"},
]


def by_hand(percent: str, item: str = "A", quantity: str = "1") -> dict[str, Any]:
    return {"item": item, "quantity": quantity, "manual": {"percent": percent, "reason": "r", "text": "t", "by": "b"}}


def approval(*lines: dict[str, Any], **parts: Any) -> dict[str, Any]:
    items = [{"id": "A", "cost": "60"}, {"id": "B", "cost": "60", "line": "pumps"}, {"id": "C"}]
    books = [{"id": "std", "kind": "standard", "prices": [{"item": item, "price": "100"} for item in "ABC"]}]
    ask = {"role": "sales", "lines": list(lines), **parts.pop("ask", {})}
    found: dict[str, Any] = asked(document(items=items, books=books, authority=parts.pop("authority", BANDS), ask=ask, **parts))["approval"]
    return found


@pytest.mark.parametrize(
    ("percent", "result", "level"),
    [
        ("0", "auto", 0),
        ("10", "auto", 0),
        ("10.01", "approval", 1),
        ("20", "approval", 1),
        ("25", "approval", 2),
        ("40", "approval", 2),
        ("40.01", "refused", 0),
    ],
)
def test_the_level_follows_the_total_discount(percent: str, result: str, level: int) -> None:
    told = approval(by_hand(percent))

    assert (told["result"], told["level"]) == (result, level)


def test_a_narrower_band_goes_before_a_wider_one() -> None:
    assert approval(by_hand("6"))["result"] == "auto"
    assert approval(by_hand("6", "B"))["level"] == 1


def test_the_whole_quote_is_judged_too() -> None:
    lines = [by_hand("10") for _ in range(3)]
    order = {"percent": "5", "reason": "r", "text": "t", "by": "b"}

    told = approval(*lines, ask={"manual": order})

    assert told["result"] == "approval"
    assert {one["subject"]: one["level"] for one in told["needs"]} == {"line 1": 1, "line 2": 1, "line 3": 1, "quote": 1}


def test_a_band_that_grants_more_on_one_product_line_does_not_grant_it_on_the_whole() -> None:
    wide = {"id": "own-pumps", "level": "0", "role": "sales", "lines": "pumps", "max_discount": "20"}
    bands = [BANDS[0], wide, BANDS[-1]]

    alone = approval(by_hand("20", "B"), authority=bands)
    among = approval(by_hand("20", "B"), by_hand("0"), authority=bands)

    assert {one["subject"]: one["level"] for one in alone["needs"]} == {"line 1": 0, "quote": 2}
    assert among["result"] == "auto"  # 20 off 200


def test_a_margin_below_the_limit_needs_a_higher_level_and_is_no_word_for_sellers() -> None:
    items = {"authority": [{**band, "max_discount": "50"} for band in BANDS]}
    seller = approval(by_hand("28"), **items)  # (72 - 60) / 72 = 16.67 %: below 20 %, not below 15 %
    boss = approval(by_hand("28"), **items, ask={"role": "management"}, settings={"cost_roles": ["management"]})

    assert (seller["level"], seller["needs"][0]["why"]) == (1, "limits")
    assert boss["needs"][0]["why"] in ("no_band", "margin")


def test_an_item_without_a_cost_cannot_show_its_margin() -> None:
    assert approval(by_hand("0", "C"))["result"] == "refused"


def test_the_deals_size_chooses_the_band() -> None:
    bands = [
        {"id": "small", "level": "0", "max_discount": "10", "deal_to": "1000"},
        {"id": "large", "level": "0", "max_discount": "5", "deal_from": "1000"},
        {"id": "head", "level": "1", "role": "head", "max_discount": "30"},
    ]

    assert approval(by_hand("8", quantity="9"), authority=bands)["result"] == "auto"
    assert approval(by_hand("8", quantity="10"), authority=bands)["result"] == "approval"


PAST = {"id": "Q-1", "on": "2025-12-20", "lines": [{"list_amount": "900", "net_amount": "828", "cost": "540"}]}
SIZES = [
    {"id": "small", "level": "0", "max_discount": "10", "deal_to": "1000"},
    {"id": "large", "level": "0", "max_discount": "5", "deal_from": "1000"},
    {"id": "head", "level": "1", "role": "head", "max_discount": "30"},
]


@pytest.mark.parametrize(
    ("past", "ask", "result"),
    [
        ([], {}, "auto"),
        ([PAST], {}, "approval"),
        ([{**PAST, "on": "2025-12-07"}], {}, "approval"),
        ([{**PAST, "on": "2025-12-06"}], {}, "auto"),
        ([{**PAST, "deal": "X"}], {"deal": "Y"}, "auto"),
        ([{**PAST, "deal": "X"}], {"deal": "X"}, "approval"),
        ([{**PAST, "deal": "X"}], {}, "approval"),
        ([{**PAST, "customer": "c"}], {"customer": "d"}, "auto"),
    ],
    ids=["alone", "within 30 days", "day 29", "day 30", "another deal", "the same deal", "no deal named", "another customer"],
)
def test_what_was_quoted_in_thirty_days_counts_with_it(past: list[dict[str, Any]], ask: dict[str, Any], result: str) -> None:
    told = approval(by_hand("8", quantity="2"), authority=SIZES, ask={"past": past, **ask})

    assert told["result"] == result


def test_an_approved_special_price_is_not_judged_again_unless_by_hand() -> None:
    parts: dict[str, Any] = {
        "dealers": [{"id": "D"}],
        "registrations": [{"id": "P", "dealer": "D"}],
        "deal_prices": [{"id": "T", "project": "P", "dealer": "D", "approver": "王总", "items": [{"item": "A", "price": "50"}]}],
    }
    plain = approval({"item": "A", "quantity": "1"}, **parts, ask={"dealer": "D", "project": "P"})
    touched = approval(by_hand("1"), **parts, ask={"dealer": "D", "project": "P"})

    assert plain["result"] == "auto"
    assert touched["result"] == "refused"


def test_without_authority_everything_is_granted_and_the_needs_are_empty() -> None:
    assert approval(by_hand("50"), authority=[])["needs"] == []


@pytest.mark.parametrize(
    ("line", "bands", "result"),
    [
        ({"item": "A", "quantity": "1"}, BANDS, "auto"),
        (by_hand("3"), BANDS, "approval"),
        (
            {"item": "C", "quantity": "1"},
            [{"id": "dealers", "level": "0", "role": "dealer", "max_discount": "10", "min_margin": "5"}],
            "approval",  # nobody may, which a dealer does not read: the limit would tell the cost
        ),
    ],
    ids=["published prices", "a wish of his own", "a band speaks of dealers"],
)
def test_a_dealer_at_published_prices_needs_nobody(line: dict[str, Any], bands: list[dict[str, Any]], result: str) -> None:
    assert approval(line, authority=bands, ask={"role": "dealer"}) == {"result": result}


def test_the_approver_is_who_the_granting_band_names() -> None:
    bands = [
        {"id": "a", "level": "1", "role": "产品经理", "max_discount": "8"},
        {"id": "b", "level": "1", "role": "区域经理", "max_discount": "20"},
        {"id": "own", "level": "0", "role": "sales", "max_discount": "5"},
    ]

    assert approval(by_hand("15"), authority=bands)["role"] == "区域经理"


def test_the_allowed_range_is_the_askers_own() -> None:
    told = asked(document(authority=[{"id": "own", "level": "0", "role": "sales", "max_discount": "12.5"}], ask={"role": "sales"}))

    assert told["lines"][0]["allowed"] == {"lowest": "87.5000", "highest": "100.0000"}


def test_goods_given_on_top_are_part_of_the_cost_and_those_within_are_in_it_already() -> None:
    def margin(**free: Any) -> str:
        gift = {"id": "g", "rung": "promotion", "free": {"quantity": "1", "for_each": "10", **free}}
        told = asked(
            document(
                items=[{"id": "A", "cost": "60"}, {"id": "B", "cost": "30"}, {"id": "C"}],
                adjustments=[gift],
                ask={"role": "management", "lines": [{"item": "A", "quantity": "20"}]},
            )
        )
        found: str = told["profit"]["margin"]
        return found

    assert [margin(), margin(item="B"), margin(item="C"), margin(within=True)] == ["680.00", "740.00", "800.00", "600.00"]


def test_a_cost_in_another_currency_is_converted_by_the_rate_of_the_day() -> None:
    told = [
        asked(document(items=[{"id": "A", "cost": "10", "cost_currency": "USD"}], fx=fx, ask={"role": "management"}))["profit"]
        for fx in ([{"from": "USD", "to": "CNY", "rate": "7"}], [{"from": "CNY", "to": "USD", "rate": "0.125"}], [])
    ]

    assert [(one["cost"], one.get("margin")) for one in told] == [("70.00", "30.00"), ("80.00", "20.00"), (None, None)]


def test_a_box_costs_what_its_pieces_cost() -> None:
    items = [{"id": "A", "cost": "60", "units": {"箱": "12"}}]
    told = asked(document(items=items, ask={"role": "management", "lines": [{"item": "A", "quantity": "2", "unit": "箱"}]}))

    assert (told["net"], told["profit"]["cost"]) == ("2400.00", "1440.00")

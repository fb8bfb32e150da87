"""四舍五入 in every pricing path: 1.005, 2.675, 0.125, 0.135 and their negatives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from channel.pricing.compiled import Prices
from channel.pricing.views import answer
from tests.pricing.documents import asked, document, published

HALVES = [
    ("1.005", "1.01"),
    ("2.675", "2.68"),
    ("0.125", "0.13"),
    ("0.135", "0.14"),
    ("0.145", "0.15"),
    ("1.115", "1.12"),
    ("8.335", "8.34"),
]


def books(price: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": price}], **more}]


@pytest.mark.parametrize(("price", "rounded"), HALVES)
def test_a_price_rounds_up_at_the_half(price: str, rounded: str) -> None:
    assert asked(document(books=books(price)))["net"] == rounded


@pytest.mark.parametrize(("amount", "rounded"), HALVES)
def test_a_discount_of_the_order_rounds_away_from_zero(amount: str, rounded: str) -> None:
    rule = {"id": "o", "rung": "promotion", "scope": "order", "amount": amount, "per": "order"}

    step = next(one for one in asked(document(adjustments=[rule]))["lines"][0]["waterfall"] if one["rule"] == "o")

    assert step["value"] == f"-{rounded} of -{rounded}"


@pytest.mark.parametrize(("amount", "rounded"), HALVES)
def test_tax_rounds_up_at_the_half(amount: str, rounded: str) -> None:
    rate = str(Decimal(amount) / 10)  # of a net amount of 10.00

    told = asked(document(settings={"tax_rate": rate}, books=books("10")))

    assert told["tax"] == rounded


@pytest.mark.parametrize(("fee", "rounded"), HALVES)
def test_a_charge_and_a_fee_round_up_at_the_half(fee: str, rounded: str) -> None:
    rule = {"id": "f", "rung": "freight", "scope": "order", "amount": fee, "per": "order", "surcharge": True, "separate": True}
    items = [{"id": "A", "moq": "5", "small_order": "surcharge", "small_order_fee": fee}]

    assert asked(document(adjustments=[rule]))["charges"][0]["net"] == rounded
    assert asked(document(items=items, books=books("0")))["net"] == rounded


@pytest.mark.parametrize(("rate", "rounded"), HALVES)
def test_converted_amounts_round_once(rate: str, rounded: str) -> None:
    fx = [{"from": "USD", "to": "CNY", "rate": rate}]

    assert asked(document(books=books("1", currency="USD"), fx=fx))["net"] == rounded


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ({"places": "2"}, "2.68"), ({"places": "2", "mode": "half_even"}, "2.68"), ({"places": "2", "mode": "down"}, "2.67"),
        ({"places": "1", "mode": "up"}, "2.70"), ({"step": "0.05"}, "2.70"), ({"step": "0.05", "mode": "floor"}, "2.65"),
        ({"places": "0", "plus": "-0.01"}, "2.99"), ({"step": "0.10", "mode": "ceiling", "plus": "0.09"}, "2.79"),
    ],
)  # fmt: skip
def test_a_price_is_rounded_as_its_rule_says(rounding: dict[str, str], expected: str) -> None:
    made = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "2.675", "round": rounding}]}]

    assert asked(document(books=made))["net"] == expected


def test_prices_stay_exact_on_their_way_and_round_once() -> None:
    rules = [{"id": f"r{at}", "rung": "promotion", "percent": "3.3333", "order": str(at)} for at in range(3)]
    lines = [{"item": "A", "quantity": "1000"}]
    exact = asked(document(books=books("9.99"), adjustments=rules, ask={"lines": lines}))
    stepwise = asked(
        document(settings={"round_each_rung": True, "unit_places": "2"}, books=books("9.99"), adjustments=rules, ask={"lines": lines})
    )

    # 9.99 x 0.966667^3 = 9.02394…; in cents after the rung the same is 9.02
    assert (exact["lines"][0]["unit_price"], exact["net"]) == ("9.0239", "9023.90")
    assert stepwise["net"] == "9020.00"


def test_a_third_shared_over_lines_adds_up() -> None:
    lines = [{"item": "A", "quantity": "1"}] * 3
    rule = {"id": "o", "rung": "promotion", "scope": "order", "amount": "100", "per": "order"}

    told = asked(document(adjustments=[rule], ask={"lines": lines}))

    assert [one["net"] for one in told["lines"]] == ["66.66", "66.67", "66.67"]
    assert told["net"] == "200.00"


def test_total_first_keeps_tax_and_total_together() -> None:
    settings = {"rounding": "total", "tax_rate": "0.13"}
    lines = [{"item": "A", "quantity": "1"}] * 3

    told = asked(document(settings=settings, books=books("0.333"), ask={"lines": lines}))

    # 3 x 0.333 = 0.999 -> 1.00; with tax 1.12887 -> 1.13
    assert (told["net"], told["tax"], told["gross"]) == ("1.00", "0.13", "1.13")
    assert [one["net"] for one in told["lines"]] == ["0.34", "0.33", "0.33"]


QUARTERS = [{"item": "A", "quantity": "1"}] * 4
OF_ORDER: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    # four lines of 0.255 are 1.02, and not 4 x 0.26
    "an amount on top": ({"rung": "freight", "amount": "1", "surcharge": True}, "2.02", ["0.51", "0.51", "0.50", "0.50"]),
    "a percent": ({"rung": "promotion", "percent": "10"}, "0.92", ["0.23", "0.23", "0.23", "0.23"]),
    "a minimum": ({"rung": "freight", "at_least": "1.03"}, "1.03", ["0.27", "0.26", "0.25", "0.25"]),
    "a minimum that is there": ({"rung": "freight", "at_least": "1.02"}, "1.02", ["0.26", "0.26", "0.25", "0.25"]),
}


@pytest.mark.parametrize(("rule", "net", "lines"), OF_ORDER.values(), ids=OF_ORDER)
def test_total_first_holds_where_the_order_has_a_rule_too(rule: dict[str, Any], net: str, lines: list[str]) -> None:
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "0.255"}]}]
    told = asked(
        document(
            settings={"rounding": "total"},
            books=books,
            adjustments=[{"id": "o", "scope": "order", **rule}],
            ask={"lines": QUARTERS},
        )
    )

    assert (told["net"], [one["net"] for one in told["lines"]]) == (net, lines)


def test_a_price_of_nothing_has_its_decimals_too() -> None:
    (line,) = asked(document(adjustments=[{"id": "all", "rung": "promotion", "percent": "100"}]))["lines"]

    assert [line[name] for name in ("unit_price", "unit_price_net", "unit_price_gross", "net")] == ["0.0000", "0.0000", "0.0000", "0.00"]


def test_the_fee_of_a_small_order_is_in_the_currency_of_the_settings() -> None:
    item = {"id": "A", "moq": "10", "small_order": "surcharge", "small_order_fee": "70"}
    usd = [{"id": "usd", "kind": "standard", "currency": "USD", "prices": [{"item": "A", "price": "1"}]}]
    nets = [
        asked(document(items=[item], books=usd, fx=[rate], ask={"currency": "USD"}))["net"]
        for rate in ({"from": "USD", "to": "CNY", "rate": "7"}, {"from": "CNY", "to": "USD", "rate": "0.15"})
    ]

    assert nets == ["11.00", "11.50"]


def test_a_total_of_nothing_has_its_places_whichever_way_it_is_rounded() -> None:
    free = [{"id": "s", "kind": "standard", "prices": [{"item": "A", "price": "0"}]}]
    told = [asked(document(settings={"rounding": way}, books=free)) for way in ("line", "total")]

    assert [(one["net"], one["lines"][0]["net"], one["lines"][0]["gross"]) for one in told] == [("0.00", "0.00", "0.00")] * 2


def test_what_the_tax_differs_by_from_that_of_the_rounded_net_is_told() -> None:
    books = [{"id": "s", "kind": "standard", "tax": "含税", "prices": [{"item": "A", "price": "1"}]}]
    (line,) = asked(document(settings={"tax_rate": "0.13"}, books=books))["lines"]

    assert (line["net"], line["tax"], line["tax_difference"]) == ("0.88", "0.12", "0.01")  # 0.88 x 13 % is 0.1144


def test_figures_of_a_rung_are_plain_decimals() -> None:
    books = [{"id": "s", "kind": "standard", "prices": [{"item": "A", "price": "1000.00"}]}]
    rules = published(document(books=books, adjustments=[{"id": "r", "rung": "promotion", "percent": "33.3333333"}]))
    assert rules.ask is not None
    (line,) = answer(Prices(rules), rules.ask)["lines"]

    assert [str(line[name]) for name in ("list_price", "base_price")] == ["1000", "1000"]
    assert [str(step["after"]) for step in line["waterfall"][:2]] == ["1000", "666.666667"]

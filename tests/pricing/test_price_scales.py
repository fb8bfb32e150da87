"""What a price that was found makes of a line: its scale, its packs and units, its formula, its rounding."""

from __future__ import annotations

from typing import Any

from tests.pricing.documents import asked, document


def priced(quantity: str, price: dict[str, Any], unit: str = "") -> dict[str, Any]:
    """The line for so many of A, sold by the piece and by the box of twelve."""
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A"} | price]}]
    lines = [{"item": "A", "quantity": quantity, **({"unit": unit} if unit else {})}]
    found: dict[str, Any] = asked(document(items=[{"id": "A", "units": {"箱": "12"}}], books=books, ask={"lines": lines}))["lines"][0]
    return found


def test_the_bounds_of_a_scale_are_in_base_units_whatever_unit_its_prices_are_for() -> None:
    tiers = [{"up_to": "120", "price": "24"}, {"price": "22"}]
    point, parts = [{"unit": "箱", "scale": {"method": method, "tiers": tiers}} for method in ("point", "range")]

    assert [priced(quantity, point, "箱")["net"] for quantity in ("10", "11")] == ["240.00", "242.00"]
    assert priced("15", parts, "箱")["net"] == "350.00", "10 boxes at 24 and 5 at 22"
    assert priced("180", parts)["net"] == "350.00"


def test_every_pack_that_is_begun_counts_on_a_scale_too() -> None:
    tiers = [{"up_to": "10000", "price": "1"}, {"price": "0.8"}]  # docs.flexprice.io, packages in tiers
    packs: dict[str, Any] = {"per": "1000", "begun": True}
    volume, slabs = packs | {"scale": {"method": "volume", "tiers": tiers}}, packs | {"scale": {"method": "slab", "tiers": tiers}}

    assert [(line["net"], line["unit_price_exact"]) for line in (priced("4500", volume), priced("4000", volume))] == [
        ("5.00", False),
        ("4.00", True),
    ]
    assert priced("11500", slabs)["net"] == "11.60", "10 x 1 and 2 x 0.8"


def test_a_price_for_three_units_stays_a_price_of_a_unit() -> None:
    line = priced("10", {"price": "1", "per": "3"})

    assert (line["net"], line["unit_price"], line["unit_price_exact"]) == ("3.33", "1.0000", True)


def graded(formula: dict[str, Any], **std: Any) -> str:
    """What a dealer pays by a formula of the standard price of 113, which has tax of 13 % in it where nothing else is said."""
    told = asked(
        document(
            settings={"tax_rate": "0.13"},
            dealers=[{"id": "D", "grade": "G"}],
            books=[
                {"id": "std", "kind": "standard", "tax": "含税", "prices": [{"item": "A", "price": "113"} | std]},
                {
                    "id": "g",
                    "kind": "grade",
                    "tax": "未税",
                    "prices": [{"item": "A", "grade": "G", "formula": {"base": "standard", **formula}}],
                },
            ],
            ask={"dealer": "D"},
        )
    )
    net: str = told["net"]
    return net


def test_a_formula_takes_its_base_on_its_own_tax_side() -> None:
    assert graded({"percent": "10"}) == "90.00"


def test_a_formula_takes_its_base_as_that_one_is_rounded() -> None:
    assert graded({"factor": "1"}, price="112.44", round={"step": "1"}) == "99.12", "112 with tax are 99.12 without"


def test_a_price_is_rounded_by_its_own_rule_for_its_own_unit() -> None:
    line = priced("24", {"unit": "箱", "price": "24.44", "round": {"places": "1"}})

    assert (line["net"], line["waterfall"][0]["after"]) == ("48.80", "2.033333")
    assert priced("250", {"price": "3.36", "per": "100", "round": {"step": "0.5"}})["net"] == "8.75"


def test_the_rung_of_a_scale_says_price_and_fee() -> None:
    scale = {"method": "volume", "tiers": [{"up_to": "5", "price": "7", "flat": "5"}, {"price": "6.50"}]}

    assert [priced(quantity, {"scale": scale})["waterfall"][0]["value"] for quantity in ("5", "6")] == ["7 + 5", "6.50"]


def test_a_step_that_ends_is_not_reached_at_its_end() -> None:
    scale = {"method": "point", "tiers": [{"from": "1", "to": "10", "price": "7"}]}

    assert priced("9.999", {"scale": scale})["unit_price"] == "7.0000"
    assert priced("10", {"scale": scale})["refusal"]["code"] == "pricing/no-price"


def test_the_least_quantity_itself_is_enough_and_needs_no_fee() -> None:
    fee = {"small_order": "surcharge", "small_order_fee": "30"}
    nets = [
        asked(document(items=[{"id": "A", "moq": "10", **more}], ask={"lines": [{"item": "A", "quantity": "10"}]}))["net"]
        for more in ({}, fee)
    ]

    assert nets == ["1000.00", "1000.00"]
    few = asked(document(items=[{"id": "A", "moq": "10", **fee}], ask={"lines": [{"item": "A", "quantity": "9"}]}))["lines"][0]
    assert (few["net"], few["unit_price"], few["unit_price_exact"]) == ("930.00", "103.3333", False)


def test_a_line_without_price_or_rate_is_told_what_to_add() -> None:
    usd = [{"id": "usd", "kind": "standard", "currency": "USD", "prices": [{"item": "A", "price": "1"}]}]
    steps = [asked(document(books=books))["lines"][0]["refusal"]["next_step"] for books in ([], usd)]

    assert steps == ["add a price for this item and day", "add a price, or a rate for the day"]


def test_a_formula_whose_base_has_no_price_says_so() -> None:
    refused = priced("1", {"formula": {"base": "cost"}})

    assert refused["refusal"]["code"] == "pricing/no-price"
    assert [(one["reason"], one["detail"]) for one in refused["not_used"] if one["rule"] == "std#1"] == [
        ("requirement_failed", "what it is made from has no price")
    ]


def test_what_was_bought_before_counts_on_a_scale_of_prices_where_it_is_named() -> None:
    tiers = [{"from": "0", "price": "10"}, {"from": "20", "price": "9"}]

    def pays(quantity: str, **scale: str) -> str:
        books = [{"id": "s", "kind": "standard", "prices": [{"item": "A", "scale": {"method": "point", "tiers": tiers, **scale}}]}]
        ask = {"accumulated": {"year": "15"} if scale else {}, "lines": [{"item": "A", "quantity": quantity}]}
        found: str = asked(document(books=books, ask=ask))["net"]
        return found

    assert [pays("4", accumulated="year"), pays("5", accumulated="year"), pays("5")] == ["40.00", "45.00", "50.00"]


def test_a_sum_of_two_prices_is_unit_times_quantity_only_where_both_are() -> None:
    parts = {"method": "range", "tiers": [{"up_to": "1", "price": "7"}, {"price": "5"}]}
    books = [
        {"id": "s", "kind": "standard", "prices": [{"item": "A", "price": "100"}]},
        {"id": "x", "kind": "extra", "prices": [{"item": "A", "scale": parts}]},
    ]
    order = [{"kind": kind, "keys": [["item"]], "exclusive": False} for kind in ("standard", "extra")]
    told = asked(document(books=books, access=[{"version": "1", "order": order}], ask={"lines": [{"item": "A", "quantity": "3"}]}))

    assert (told["net"], told["lines"][0]["unit_price_exact"]) == ("317.00", False)

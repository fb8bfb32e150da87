"""Which rules are used together, in which order, over which lines; and that the publish check asks where the order is not said."""

from __future__ import annotations

from typing import Any

import pytest

from channel.pricing.errors import BadPricing
from tests.pricing.documents import TEN, TWENTY, asked, document, net, published, rule, unused

COMBINATIONS = {
    "compound runs on": ([rule("a", **TEN), rule("b", **TWENTY)], "72.00"),
    "original adds up": ([rule("a", "original", **TEN), rule("b", "original", **TWENTY)], "70.00"),
    "running then original": ([rule("a", order="1", **TEN), rule("b", "original", order="2", **TWENTY)], "70.00"),
    "original then running": ([rule("a", "original", order="1", **TWENTY), rule("b", order="2", **TEN)], "72.00"),
    "best alone against best alone": ([rule("a", "best", **TEN), rule("b", "best", **TWENTY)], "80.00"),
    "best loses against all compound together": ([rule("a", **TEN), rule("b", **TWENTY), rule("c", "best", percent="25")], "72.00"),
    "best wins against all compound together": ([rule("a", **TEN), rule("b", **TWENTY), rule("c", "best", percent="30")], "70.00"),
    "exclusive wins though it gives less": ([rule("a", "exclusive", percent="5"), rule("b", **TWENTY)], "95.00"),
    "the first exclusive wins": ([rule("a", "exclusive", order="2", **TWENTY), rule("b", "exclusive", order="1", **TEN)], "90.00"),
    "always stays beside an exclusive one": ([rule("a", "exclusive", **TEN), rule("b", "always", **TWENTY)], "72.00"),
    "groups do not meet": ([rule("a", "best", group="x", **TEN), rule("b", "best", group="y", **TWENTY)], "72.00"),
    "a percent then an amount": ([rule("a", order="1", **TEN), rule("b", order="2", amount="5")], "85.00"),
    "an amount then a percent": ([rule("a", order="2", **TEN), rule("b", order="1", amount="5")], "85.50"),
    "a fixed price": ([rule("a", fixed_price="88")], "88.00"),
    "a fixed price that would raise": ([rule("a", fixed_price="108", only_if_lower=True)], "100.00"),
    "a percent of the list price": ([rule("a", order="1", **TEN), rule("b", of="list", order="2", **TWENTY)], "70.00"),
    "a rung's percents of where it began": (
        [{"id": "v", "rung": "volume", "percent": "50"}, rule("a", of="rung", **TEN), rule("b", of="rung", **TWENTY)],
        "35.00",
    ),
    "a surcharge": ([rule("a", surcharge=True, **TEN)], "110.00"),
    "nothing is found and it is not an error": ([rule("a", when={"items": "A", "min_quantity": "5"}, **TEN)], "100.00"),
    "a rule of nothing is still found": ([rule("a", "exclusive", percent="0"), rule("b", **TWENTY)], "100.00"),
    "a price rounded by its rule": ([rule("a", percent="12.4", round={"step": "0.5"})], "87.50"),
}


@pytest.mark.parametrize(("rules", "expected"), COMBINATIONS.values(), ids=COMBINATIONS)
def test_rules_combine_as_their_modes_say(rules: list[dict[str, Any]], expected: str) -> None:
    assert net(*rules) == expected


def test_a_group_may_span_rungs() -> None:
    rules = [{"id": "v", "rung": "volume", "mode": "best", "group": "g", **TEN}, rule("p", "best", group="g", **TWENTY)]

    assert net(*rules) == "80.00"
    assert unused(*rules) == {"v": "beaten"}


EXCLUSIONS = {
    "best of all": ({"kind": "best", "groups": ["a", "b"]}, "80.00"),
    "least of all": ({"kind": "least", "groups": ["a", "b"]}, "95.00"),
    "the better group": ({"kind": "best_group", "groups": ["a", "b"]}, "80.00"),
    "the other group": ({"kind": "least_group", "groups": ["a", "b"]}, "85.50"),
    "any of the first and none of the second": ({"kind": "excludes", "groups": ["a", "b"]}, "85.50"),
    "any of the second and none of the first": ({"kind": "excludes", "groups": ["b", "a"]}, "80.00"),
}


@pytest.mark.parametrize(("exclusion", "expected"), EXCLUSIONS.values(), ids=EXCLUSIONS)
def test_groups_exclude_each_other(exclusion: dict[str, Any], expected: str) -> None:
    rules = [rule("a1", group="a", percent="5"), rule("a2", group="a", **TEN), rule("b1", group="b", **TWENTY)]

    assert net(*rules, exclusions=[{"id": "X", **exclusion}]) == expected


def test_a_rule_that_does_not_hold_excludes_nobody() -> None:
    rules = [rule("a1", group="a", when={"coupons": "VIP"}, percent="50"), rule("b1", group="b", **TWENTY)]
    exclusions = [{"id": "X", "kind": "excludes", "groups": ["a", "b"]}]

    assert net(*rules, exclusions=exclusions) == "80.00"
    assert net(*rules, exclusions=exclusions, ask={"coupons": ["VIP"]}) == "50.00"


TIES = {
    "two exclusive": ([rule("a", "exclusive", **TEN), rule("b", "exclusive", **TWENTY)], True),
    "two fixed prices": ([rule("a", fixed_price="90"), rule("b", fixed_price="80")], True),
    "a running and an original percent": ([rule("a", **TEN), rule("b", "original", **TWENTY)], True),
    "two running percents": ([rule("a", **TEN), rule("b", **TWENTY)], False),
    "two amounts": ([rule("a", amount="3"), rule("b", amount="4")], False),
    "best ones": ([rule("a", "best", **TEN), rule("b", "best", amount="4")], False),
    "never on one day": ([rule("a", fixed_price="90", valid_to="2026-02-01"), rule("b", fixed_price="80", valid_from="2026-02-01")], False),
    "never on one item": ([rule("a", fixed_price="90", when={"grades": "x"}), rule("b", fixed_price="80", when={"grades": "y"})], False),
    "never at one quantity": (
        [rule("a", fixed_price="90", when={"max_quantity": "10"}), rule("b", fixed_price="80", when={"min_quantity": "10"})],
        False,
    ),
    "at different rungs": ([rule("a", fixed_price="90"), {"id": "b", "rung": "volume", "fixed_price": "80"}], False),
}


@pytest.mark.parametrize(("rules", "tie"), TIES.values(), ids=TIES)
def test_a_tie_is_told_when_it_is_published(rules: list[dict[str, Any]], *, tie: bool) -> None:
    text = document(adjustments=rules)

    if tie:
        with pytest.raises(BadPricing, match="nothing says which goes first"):
            published(text)
    else:
        published(text)


CONDITIONS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "dealer": ({"items": "A", "dealers": "E"}, {}, "dealer"),
    "grade": ({"grades": "H"}, {}, "grade"),
    "channel": ({"channels": "市代"}, {"channel": "省代"}, "channel"),
    "customer": ({"customers": "X"}, {}, "customer"),
    "company": ({"companies": "200"}, {"company": "100"}, "company"),
    "region": ({"regions": "44"}, {"ship_to": "310115"}, "region"),
    "price kind": ({"price_kinds": "代理价"}, {}, "price_kind"),
    "currency": ({"currencies": "USD"}, {}, "currency"),
    "terms": ({"terms": "90天"}, {"terms": ["30天"]}, "terms"),
    "coupon": ({"coupons": "VIP"}, {}, "coupon"),
    "brand": ({"brands": "海川"}, {}, "brand"),
    "another item in the cart": ({"with_items": {"B": "2"}}, {}, "with 2 of B"),
    "least quantity": ({"min_quantity": "5"}, {}, "min_quantity 5"),
    "least value": ({"min_value": "500"}, {}, "min_value 500"),
    "most value": ({"max_value": "100"}, {}, "max_value 100"),
    "registration": ({"registered": "true"}, {}, "no registered project"),
}


@pytest.mark.parametrize(("when", "ask", "detail"), CONDITIONS.values(), ids=CONDITIONS)
def test_a_condition_that_fails_is_told(when: dict[str, Any], ask: dict[str, Any], detail: str) -> None:
    if "registered" in when:
        when = {"registered": True}
    people: dict[str, Any] = {"items": [{"id": "A"}, {"id": "B"}], "dealers": [{"id": "D", "grade": "G"}, {"id": "E", "grade": "H"}]}
    told = asked(document(**people, adjustments=[rule("r", when=when, **TEN)], ask={"dealer": "D", **ask}))

    assert told["net"] == "100.00"
    assert [one["detail"] for one in told["lines"][0]["not_used"] if one["rule"] == "r"] == [detail]


@pytest.mark.parametrize("missing", ["reason", "text", "by"])
def test_a_discount_by_hand_needs_code_words_and_name(missing: str) -> None:
    manual = {"percent": "5", "reason": "r", "text": "t", "by": "b"}
    manual.pop(missing)

    with pytest.raises(BadPricing, match=f"{missing} is missing"):
        published(document(ask={"lines": [{"item": "A", "quantity": "1", "manual": manual}]}))


def test_discounts_that_take_more_than_the_price_are_refused() -> None:
    told = asked(document(adjustments=[rule("a", amount="101")]))

    assert told["lines"][0]["refusal"]["code"] == "pricing/below-zero"


def test_alternatives_are_told_for_the_cart_as_it_is() -> None:
    scale = {"method": "point", "tiers": [{"from": "1", "percent": "1"}, {"from": "10", "percent": "5"}]}
    mix = {"id": "mix", "rung": "volume", "scope": "group", "scale": scale}
    freight = {"id": "f", "rung": "freight", "scope": "order", "amount": "9", "per": "order", "surcharge": True, "separate": True}
    few = asked(document(adjustments=[mix, freight], ask={"lines": [{"item": "A", "quantity": "2"}] * 2}))
    many = asked(document(adjustments=[mix, freight], ask={"lines": [{"item": "A", "quantity": "1"}] * 6}))

    # with 2 beside it, 10 are one too many to ask for: the next bound of this line alone is told, and it is true
    assert few["lines"][0]["alternatives"] == [
        {"quantity": "10", "unit": "pcs", "unit_price": "95.0000", "price_kind": "standard", "side": "excluded"}
    ]
    assert many["lines"][0]["alternatives"][0]["alone"] is True


def test_lines_without_a_number_are_counted_and_a_number_stands_once() -> None:
    with pytest.raises(BadPricing, match="line '2' stands twice"):
        asked(document(ask={"lines": [{"id": "2", "item": "A", "quantity": "1"}, {"item": "A", "quantity": "1"}]}))


def test_a_discount_by_hand_needs_its_rung() -> None:
    manual = {"percent": "5", "reason": "r", "text": "t", "by": "b"}

    with pytest.raises(BadPricing, match="no rung `manual`"):
        asked(document(settings={"waterfall": ["promotion"]}, ask={"lines": [{"item": "A", "quantity": "1", "manual": manual}]}))


BOXES = {
    "items": [{"id": "A", "units": {"箱": "12"}}],
    "ask": {"lines": [{"item": "A", "quantity": "2", "unit": "箱"}, {"item": "A", "quantity": "24"}]},
}


UNITS = {
    "an amount off each": ([rule("r", amount="10")], "2160.00"),
    "an amount off each box": ([rule("r", amount="60", unit="箱")], "2280.00"),
    "a fixed price of each": ([rule("r", fixed_price="90")], "2160.00"),
    "a fixed price of a box": ([rule("r", fixed_price="1080", unit="箱")], "2160.00"),
    "an amount of a scale": ([rule("r", scale={"method": "point", "tiers": [{"from": "10", "amount": "10"}]})], "2160.00"),
    "an amount of a part": ([rule("r", scale={"method": "range", "tiers": [{"up_to": "12", "amount": "20"}, {"amount": "0"}]})], "2160.00"),
}


@pytest.mark.parametrize(("rules", "expected"), UNITS.values(), ids=UNITS)
def test_two_boxes_of_twelve_and_twenty_four_pieces_pay_the_same(rules: list[dict[str, Any]], expected: str) -> None:
    lines = asked(document(adjustments=rules, **BOXES))["lines"]

    assert [line["net"] for line in lines] == [expected, expected]


def test_a_rule_for_a_unit_that_the_item_has_not_is_not_used() -> None:
    assert unused(rule("r", amount="60", unit="箱")) == {"r": "wrong_unit"}


def over(what: str) -> list[str]:
    """What lines of A, B, A (pumps) and C (a valve), each at 100, pay by a scale over some of them: from 3 on 10 % less."""
    steps = {"method": "point", "over": what, "tiers": [{"from": "3", "percent": "10"}]}
    told = asked(
        document(
            items=[{"id": "A", "line": "pumps"}, {"id": "B", "line": "pumps"}, {"id": "C", "line": "valves"}],
            books=[{"id": "std", "kind": "standard", "prices": [{"item": item, "price": "100"} for item in "ABC"]}],
            adjustments=[{"id": "v", "rung": "volume", "scale": steps}],
            ask={"lines": [{"item": item, "quantity": quantity} for item, quantity in zip("ABAC", "1121", strict=True)]},
        )
    )
    return [line["net"] for line in told["lines"]]


@pytest.mark.parametrize(
    ("what", "nets"),
    [
        ("line", ["100.00", "100.00", "200.00", "100.00"]),
        ("item", ["90.00", "100.00", "180.00", "100.00"]),
        ("product_line", ["90.00", "90.00", "180.00", "100.00"]),
        ("order", ["90.00", "90.00", "180.00", "90.00"]),
    ],
)
def test_a_scale_measures_what_it_says(what: str, nets: list[str]) -> None:
    assert over(what) == nets


def test_a_surcharge_by_parts_adds_to_each_part() -> None:
    parts = {"method": "range", "tiers": [{"up_to": "1", "percent": "10"}, {"percent": "20"}]}

    assert net(rule("s", surcharge=True, scale=parts), ask={"lines": [{"item": "A", "quantity": "2"}]}) == "230.00"


def test_a_block_price_of_a_rule_is_for_the_whole_line() -> None:
    scale = {"method": "block", "tiers": [{"up_to": "10", "fixed_price": "50"}, {"up_to": "20", "amount": "7"}, {"percent": "50"}]}
    nets = [net(rule("b", scale=scale), ask={"lines": [{"item": "A", "quantity": quantity}]}) for quantity in ("4", "12", "21")]

    assert nets == ["50.00", "1193.00", "1050.00"]


def test_a_fence_is_for_those_whom_it_names() -> None:
    def pays(**whom: Any) -> str:
        told = asked(
            document(
                dealers=[{"id": "D", "grade": "G", "territory": "31"}, {"id": "E"}],
                books=[
                    {"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "100"}]},
                    {"id": "g", "kind": "grade", "prices": [{"item": "A", "grade": "G", "price": "80"}]},
                ],
                fences=[{"id": "F", "price_kinds": ["grade"], **whom}],
                ask={"dealer": "D", "ship_to": "440300"},
            )
        )
        found: str = told["net"]
        return found

    assert [pays(), pays(dealers="D"), pays(dealers="E"), pays(grades="G"), pays(grades="H")] == [
        "100.00", "100.00", "80.00", "100.00", "80.00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {"amount": "10", "per": "weight"},
        {"amount": "10", "per": "line", "every": "1", "every_by": "volume"},
        {"scale": {"method": "point", "by": "weight", "tiers": [{"from": "0", "amount": "5"}]}},
    ],
)
def test_freight_by_what_nobody_weighed_or_measured_is_not_free_without_a_word(more: dict[str, Any]) -> None:
    freight = {"id": "f", "rung": "freight", "surcharge": True, **more}
    told = [one["detail"] for one in asked(document(adjustments=[freight]))["lines"][0]["not_used"] if one["rule"] == "f"]

    assert told in (["A has no weight"], ["A has no volume"])
    known = document(items=[{"id": "A", "weight": "1", "volume": "1"}], adjustments=[freight])
    assert asked(known)["net"] in ("110.00", "105.00")


def test_an_amount_by_hand_is_off_each_unit_of_its_line() -> None:
    manual = {"amount": "5", "reason": "r", "text": "t", "by": "b"}

    assert asked(document(ask={"lines": [{"item": "A", "quantity": "4", "manual": manual}]}))["net"] == "380.00"


def test_the_parts_of_a_range_are_told_with_what_each_does() -> None:
    parts = {"method": "range", "tiers": [{"up_to": "1", "fixed_price": "90"}, {"up_to": "3", "percent": "10"}, {"amount": "5"}]}
    told = asked(document(adjustments=[rule("r", scale=parts)], ask={"lines": [{"item": "A", "quantity": "4"}]}))

    step = next(one for one in told["lines"][0]["waterfall"] if one["rule"] == "r")
    assert (step["value"], told["net"]) == ("1: = 90 + 2: 10% + 1: 5", "365.00")


def test_one_of_several_regions_is_enough() -> None:
    near = rule("r", when={"regions": ["44", "3101"]}, **TEN)

    assert [net(near, ask={"ship_to": place}) for place in ("310115", "440300", "310200", "")] == ["90.00", "90.00", "100.00", "100.00"]


def test_what_was_bought_before_counts_on_a_scale_of_discounts() -> None:
    scale = {"method": "point", "accumulated": "year", "tiers": [{"from": "10", "percent": "10"}]}
    nets = [
        net(rule("v", scale=scale), ask={"accumulated": {"year": before}, "lines": [{"item": "A", "quantity": "3"}]})
        for before in ("6", "7")
    ]

    assert nets == ["300.00", "270.00"]


def test_a_range_by_value_leaves_a_price_of_nothing_as_it_is() -> None:
    free = [{"id": "s", "kind": "standard", "prices": [{"item": "A", "price": "0"}]}]
    parts = {"method": "range", "by": "value", "tiers": [{"up_to": "100", "percent": "5"}, {"percent": "10"}]}
    (line,) = asked(document(books=free, adjustments=[rule("r", scale=parts)]))["lines"]

    assert (line["net"], line["unit_price"], line["unit_price_exact"]) == ("0.00", "0.0000", True)

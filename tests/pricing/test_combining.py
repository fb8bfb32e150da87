"""Which rules are used together, in which order, over which lines; and that the publish check asks where the order is not said."""

from __future__ import annotations

from typing import Any

import pytest

from channel.pricing.errors import BadPricing
from tests.pricing.documents import asked, document, published


def rule(id: str, mode: str = "compound", **more: Any) -> dict[str, Any]:  # noqa: A002  the file's own word
    return {"id": id, "rung": "promotion", "mode": mode, **more}


def net(*rules: dict[str, Any], **parts: Any) -> str:
    found: str = asked(document(adjustments=list(rules), **parts))["net"]
    return found


def unused(*rules: dict[str, Any], **parts: Any) -> dict[str, str]:
    rows = asked(document(adjustments=list(rules), **parts))["lines"][0]["not_used"]
    return {one["rule"]: one["reason"] for one in rows if one["rung"] != "base"}


TEN = {"percent": "10"}
TWENTY = {"percent": "20"}

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


def test_an_order_discount_and_a_charge_of_the_order() -> None:
    items = [{"id": "A"}, {"id": "B"}]
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "33.33"}, {"item": "B", "price": "66.66"}]}]
    rules = [
        {"id": "order", "rung": "promotion", "scope": "order", "percent": "10"},
        {"id": "ship", "rung": "freight", "scope": "order", "amount": "10", "per": "order", "surcharge": True},
    ]

    told = asked(
        document(
            items=items, books=books, adjustments=rules, ask={"lines": [{"item": "A", "quantity": "1"}, {"item": "B", "quantity": "1"}]}
        )
    )

    # 99.99 less 10 % (10.00): 3.33 and 6.67; then 10 of freight over 30.00 and 59.99: 3.33 and 6.67
    assert told["net"] == "99.99"
    assert [one["net"] for one in told["lines"]] == ["33.33", "66.66"]


def test_order_rules_of_one_group_beat_each_other() -> None:
    rules = [
        {"id": "ten", "rung": "promotion", "scope": "order", "mode": "best", "percent": "10"},
        {"id": "five", "rung": "promotion", "scope": "order", "mode": "best", "amount": "5", "per": "order"},
    ]

    assert net(*rules) == "90.00"
    assert unused(*rules) == {"five": "beaten"}


def test_a_discount_by_hand_over_the_order_is_shared_and_named() -> None:
    manual = {"amount": "10", "reason": "goodwill", "text": "老客户", "by": "李雷"}

    told = asked(document(ask={"manual": manual, "lines": [{"item": "A", "quantity": "1"}, {"item": "A", "quantity": "2"}]}))

    assert [one["net"] for one in told["lines"]] == ["96.67", "193.33"]
    step = next(one for one in told["lines"][0]["waterfall"] if one["rung"] == "manual")
    assert (step["rule"], step["who"], step["note"], step["value"]) == ("manual/goodwill", "李雷", "老客户", "-3.33 of -10.00")


@pytest.mark.parametrize("missing", ["reason", "text", "by"])
def test_a_discount_by_hand_needs_code_words_and_name(missing: str) -> None:
    manual = {"percent": "5", "reason": "r", "text": "t", "by": "b"}
    manual.pop(missing)

    with pytest.raises(BadPricing, match=f"{missing} is missing"):
        published(document(ask={"lines": [{"item": "A", "quantity": "1", "manual": manual}]}))


def test_discounts_that_take_more_than_the_price_are_refused() -> None:
    told = asked(document(adjustments=[rule("a", amount="101")]))

    assert told["lines"][0]["refusal"]["code"] == "pricing/below-zero"


def test_lines_with_and_without_tax_do_not_meet_in_an_order_rule() -> None:
    items = [{"id": "A"}, {"id": "B"}]
    books = [
        {"id": "net", "kind": "standard", "tax": "未税", "prices": [{"item": "A", "price": "100"}]},
        {"id": "gross", "kind": "standard", "tax": "含税", "prices": [{"item": "B", "price": "113"}]},
    ]
    lines = [{"item": "A", "quantity": "1"}, {"item": "B", "quantity": "1"}]
    parts: dict[str, Any] = {"settings": {"tax_rate": "0.13"}, "items": items, "books": books, "ask": {"lines": lines}}
    order = [{"id": "o", "rung": "promotion", "scope": "order", "percent": "1"}]

    assert [one["gross"] for one in asked(document(**parts))["lines"]] == ["113.00", "113.00"]
    assert asked(document(**parts, adjustments=order))["refusal"]["code"] == "pricing/mixed-tax-sides"


def test_free_goods_have_their_thresholds() -> None:
    gift = {"id": "g", "rung": "promotion", "free": {"quantity": "1", "for_each": "10", "most": "3"}}
    counts = [
        [one["quantity"] for one in asked(document(adjustments=[gift], ask={"lines": [{"item": "A", "quantity": quantity}]}))["free_goods"]]
        for quantity in ("9", "10", "19.5", "100")
    ]

    assert counts == [[], ["1"], ["1"], ["3"]]


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


def test_an_amount_of_the_order_is_shared_by_quantity_where_no_line_has_a_price() -> None:
    free = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "0"}]}]
    freight = {"id": "f", "rung": "freight", "amount": "10", "per": "order", "surcharge": True}
    told = asked(
        document(books=free, adjustments=[freight], ask={"lines": [{"item": "A", "quantity": "1"}, {"item": "A", "quantity": "3"}]})
    )

    assert [line["net"] for line in told["lines"]] == ["2.50", "7.50"]


def test_what_nobody_weighed_is_shared_by_quantity() -> None:
    freight = {"id": "f", "rung": "freight", "scope": "order", "amount": "10", "surcharge": True, "share_by": "weight"}
    told = asked(document(adjustments=[freight], ask={"lines": [{"item": "A", "quantity": "1"}, {"item": "A", "quantity": "3"}]}))

    assert [line["net"] for line in told["lines"]] == ["102.50", "307.50"]
    assert [step["rounding"] for step in told["lines"][0]["waterfall"] if step["rule"] == "f"] == ["largest remainder by quantity"]


def test_a_minimum_value_is_reached_to_the_fen_and_not_asked_of_who_orders_more() -> None:
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "33.335"}]}]
    least = {"id": "m", "rung": "freight", "scope": "order", "at_least": "200", "separate": True}
    ask = {"lines": [{"item": "A", "quantity": "1"}] * 3}
    told = asked(document(books=books, adjustments=[least], ask=ask))

    assert ([line["net"] for line in told["lines"]], told["charges"][0]["net"], told["net"]) == (["33.34"] * 3, "99.98", "200.00")
    assert unused(least, ask={"lines": [{"item": "A", "quantity": "2"}]}) == {"m": "not_higher"}
    assert net(rule("line", at_least="150")) == "150.00"
    assert unused(rule("line", at_least="100")) == {"line": "not_higher"}


MISTAKEN = {
    "an order's amount for each line": (rule("r", scope="line", amount="1", per="order"), "an amount per order for each line"),
    "a share of nothing": (rule("r", amount="1", share_by="weight"), "nothing is shared out"),
    "a unit of an order": (rule("r", scope="order", amount="1", unit="箱"), "an order has no unit"),
    "amounts of parts of an order": (
        rule("r", scope="order", scale={"method": "range", "tiers": [{"amount": "1"}]}), "a range takes its amounts off each unit",
    ),
    "a share without a number": (rule("r", free={"quantity": "1", "method": "proportional"}), "nothing says for how many"),
    "a rounding of whole ones": (rule("r", free={"quantity": "1", "for_each": "9", "round": {"places": "0"}}), "only a proportional"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "told"), MISTAKEN.values(), ids=MISTAKEN)
def test_a_rule_that_contradicts_itself_is_told(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(BadPricing, match=told):
        published(document(adjustments=[wrong]))


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


def test_a_share_of_the_order_makes_the_unit_price_an_average() -> None:
    told = asked(document(adjustments=[rule("o", scope="order", amount="1")], ask={"lines": [{"item": "A", "quantity": "3"}]}))

    assert (told["net"], told["lines"][0]["unit_price"], told["lines"][0]["unit_price_exact"]) == ("299.00", "99.6667", False)


def test_a_gift_for_several_lines_together_is_given_once_and_one_for_each_line_for_each() -> None:
    lines = {"lines": [{"item": "A", "quantity": "6"}, {"item": "A", "quantity": "5"}]}
    together, each = (
        asked(document(adjustments=[rule("g", scope=scope, free={"quantity": "1", "for_each": most})], ask=lines))["free_goods"]
        for scope, most in (("group", "10"), ("line", "5"))
    )

    assert [(one["for_line"], one["quantity"]) for one in together] == [("1", "1")]
    assert [(one["for_line"], one["quantity"]) for one in each] == [("1", "1"), ("2", "1")]


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


def test_order_rules_that_run_on_are_weighed_as_they_run_on() -> None:
    chain = [rule("a", scope="order", amount="50", order="1"), rule("b", scope="order", percent="10", order="2")]

    assert net(*chain) == "45.00"
    assert net(*chain, rule("c", "best", scope="order", percent="57", order="3")) == "43.00"
    assert net(*chain, rule("c", "best", scope="order", percent="54", order="3")) == "45.00"


def vip(**more: Any) -> dict[str, Any]:
    return {"id": "vip", "rung": "agreement", "group": "vip", **TEN, **more}


def voucher(**more: Any) -> dict[str, Any]:
    return {"id": "voucher", "rung": "promotion", "group": "voucher", "scope": "order", "amount": "50", **more}


def excludes(*groups: str, kind: str = "excludes") -> list[dict[str, Any]]:
    return [{"id": "X", "kind": kind, "groups": list(groups)}]


def test_what_a_line_used_excludes_a_rule_of_the_order() -> None:
    assert net(vip(), voucher(), exclusions=excludes("vip", "voucher")) == "90.00"
    assert net(vip(when={"coupons": "VIP"}), voucher(), exclusions=excludes("vip", "voucher")) == "50.00"
    assert unused(vip(), voucher(), exclusions=excludes("vip", "voucher")) == {"voucher": "excluded"}


def test_what_the_order_used_excludes_a_later_rule_of_the_order() -> None:
    charge = {"amount": "30", "surcharge": True, "separate": True}
    express = voucher(id="express", group="express", **charge)
    freight = voucher(id="freight", rung="freight", **charge)

    assert net(express, freight, exclusions=excludes("express", "voucher")) == "130.00"
    assert net(voucher(amount="10"), voucher(id="late", rung="project", group="late"), exclusions=excludes("voucher", "late")) == "90.00"


UNDECIDED = {
    "the order before a line": ([vip(), voucher()], excludes("voucher", "vip"), "is not decided when the others are used"),
    "a later rung before an earlier one": (
        [voucher(), voucher(id="late", rung="project", group="late")], excludes("late", "voucher"), "is not decided",
    ),
    "the best of line and order": ([vip(), voucher()], excludes("vip", "voucher", kind="best"), "those of lines or of another rung"),
    "the best of two rungs of the order": (
        [voucher(), voucher(id="late", rung="project", group="late")], excludes("late", "voucher", kind="best"), "another rung",
    ),
    "a group of the order at two rungs": (
        [voucher(mode="best"), voucher(id="late", rung="project", mode="best")], [], "stand at several rungs",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "exclusions", "told"), UNDECIDED.values(), ids=UNDECIDED)
def test_what_cannot_be_weighed_is_refused_when_it_is_published(rules: Any, exclusions: Any, told: str) -> None:
    with pytest.raises(BadPricing, match=told):
        published(document(adjustments=rules, exclusions=exclusions))

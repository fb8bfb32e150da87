"""Rules of the whole order: one amount shared out to its lines, a minimum value, and what keeps such a rule out."""

from __future__ import annotations

from typing import Any

import pytest

from channel.pricing.errors import BadPricing
from tests.pricing.documents import TEN, asked, document, net, published, rule, unused


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


def test_a_share_of_the_order_makes_the_unit_price_an_average() -> None:
    told = asked(document(adjustments=[rule("o", scope="order", amount="1")], ask={"lines": [{"item": "A", "quantity": "3"}]}))

    assert (told["net"], told["lines"][0]["unit_price"], told["lines"][0]["unit_price_exact"]) == ("299.00", "99.6667", False)


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

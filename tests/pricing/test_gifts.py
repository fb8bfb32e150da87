"""赠品: goods given along, on top of what is ordered or as a part of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pricing.documents import asked, document, rule, unused


def test_free_goods_have_their_thresholds() -> None:
    gift = {"id": "g", "rung": "promotion", "free": {"quantity": "1", "for_each": "10", "most": "3"}}
    counts = [
        [one["quantity"] for one in asked(document(adjustments=[gift], ask={"lines": [{"item": "A", "quantity": quantity}]}))["free_goods"]]
        for quantity in ("9", "10", "19.5", "100")
    ]

    assert counts == [[], ["1"], ["1"], ["3"]]


def test_a_gift_for_several_lines_together_is_given_once_and_one_for_each_line_for_each() -> None:
    lines = {"lines": [{"item": "A", "quantity": "6"}, {"item": "A", "quantity": "5"}]}
    together, each = (
        asked(document(adjustments=[rule("g", scope=scope, free={"quantity": "1", "for_each": most})], ask=lines))["free_goods"]
        for scope, most in (("group", "10"), ("line", "5"))
    )

    assert [(one["for_line"], one["quantity"]) for one in together] == [("1", "1")]
    assert [(one["for_line"], one["quantity"]) for one in each] == [("1", "1"), ("2", "1")]


def within(free: dict[str, Any], *quantities: str, scope: str = "group") -> tuple[list[str], list[str]]:
    """What lines of A at 100 cost each, and how many are told to be free, where these are a part of the order."""
    lines = [{"item": "A", "quantity": one} for one in quantities]
    told = asked(document(adjustments=[rule("g", scope=scope, free={**free, "within": True})], ask={"lines": lines}))
    return [one["net"] for one in told["lines"]], [one["quantity"] for one in told["free_goods"]]


@pytest.mark.parametrize(
    ("free", "quantities", "expected"),
    [
        pytest.param({"quantity": "1", "for_each": "3"}, ["1", "8"], (["0.00", "600.00"], ["3"]), id="9 ordered: one and two of them"),
        pytest.param({"quantity": "1", "for_each": "3"}, ["2", "2"], (["100.00", "200.00"], ["1"]), id="4 ordered: one"),
        pytest.param({"quantity": "5"}, ["1", "1"], (["0.00", "0.00"], ["2"]), id="no more than are ordered"),
    ],
)
def test_goods_free_within_the_order_are_taken_off_its_lines_one_after_the_other(
    free: dict[str, str], quantities: list[str], expected: tuple[list[str], list[str]]
) -> None:
    assert within(free, *quantities) == expected


def test_what_is_free_within_a_line_is_no_more_than_the_line() -> None:
    assert within({"quantity": "3"}, "2", scope="line") == (["0.00"], ["2"])


def test_goods_that_nobody_orders_cannot_be_free_within_the_order() -> None:
    gift = rule("g", free={"item": "B", "quantity": "1", "within": True})

    assert unused(gift, items=[{"id": "A"}, {"id": "B"}]) == {"g": "requirement_failed"}

"""Cost, margin and other dealers' prices never appear in a dealer's answer, trace or error, nor costs in a seller's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from channel.pricing.compiled import Prices
from channel.pricing.errors import BadPricing
from channel.pricing.views import answer
from hub_cli.answers import plain
from tests.pricing.documents import document, published

COST = "61.4371"
FLOOR = "77.7123"
MARKERS = (COST, FLOOR, "GEHEIM", "83.1919", "17.5353", "other-dealer", "other-rule", "13.3737")
"""Planted: a cost, a floor, another dealer's name, contract price and discount, its records' numbers, a margin limit."""


def the_file(**ask: Any) -> str:
    return document(
        settings={"tax_rate": "0.13"},
        items=[{"id": "A", "line": "pumps", "cost": COST}, {"id": "B", "moq": "10", "cost": COST}],
        dealers=[{"id": "D", "grade": "G", "expected_rebate": "3"}, {"id": "GEHEIM", "grade": "TOP"}],
        registrations=[{"id": "P1", "dealer": "GEHEIM"}, {"id": "P2", "dealer": "D"}],
        books=[
            {
                "id": "std",
                "kind": "standard",
                "prices": [{"item": "A", "price": "100", "floor_price": FLOOR}, {"item": "B", "price": "10"}],
            },
            {"id": "other-dealer", "kind": "contract", "prices": [{"item": "A", "dealer": "GEHEIM", "price": "83.1919"}]},
            {"id": "other-grade", "kind": "grade", "prices": [{"item": "A", "grade": "TOP", "price": "83.1919"}]},
        ],
        deal_prices=[
            {"id": "other-rule-deal", "project": "P1", "dealer": "GEHEIM", "approver": "x", "items": [{"item": "A", "price": "83.1919"}]}
        ],
        adjustments=[
            {"id": "other-rule", "rung": "agreement", "percent": "17.5353", "when": {"dealers": "GEHEIM"}},
            {"id": "other-rule-2", "rung": "agreement", "percent": "17.5353", "when": {"items": "A", "dealers": "GEHEIM"}},
            {"id": "other-rule-3", "rung": "agreement", "percent": "17.5353", "when": {"grades": "TOP"}},
            {"id": "other-rule-4", "rung": "promotion", "scope": "order", "percent": "17.5353", "when": {"grades": "TOP"}},
            {"id": "other-rule-5", "rung": "project", "percent": "17.5353", "when": {"projects": "P1"}},
            {"id": "own", "rung": "promotion", "percent": "1"},
        ],
        authority=[
            {"id": "zero", "level": "0", "max_discount": "50", "min_margin": "13.3737"},
            {"id": "one", "level": "1", "role": "head", "max_discount": "60", "min_margin": "13.3737"},
        ],
        ask={"dealer": "D", "lines": [{"item": "A", "quantity": "2"}, {"item": "B", "quantity": "1"}], **ask},
    )


def told(**ask: Any) -> str:
    rules = published(the_file(**ask))
    assert rules.ask is not None
    return json.dumps(plain(answer(Prices(rules), rules.ask)), ensure_ascii=False)


CARTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "another project": {"project": "P1"},
    "own project": {"project": "P2"},
    "below cost": {"lines": [{"item": "A", "quantity": "2", "manual": {"percent": "45", "reason": "r", "text": "t", "by": "b"}}]},
    "refused": {"currency": "CNY", "lines": [{"item": "B", "quantity": "1"}, {"item": "A", "quantity": "1", "unit": "箱"}]},
}


@pytest.mark.parametrize("role", ["dealer", "portal"])
@pytest.mark.parametrize("cart", CARTS.values(), ids=CARTS)
def test_a_dealer_sees_no_marker(role: str, cart: dict[str, Any]) -> None:
    text = told(role=role, **cart)

    assert [marker for marker in MARKERS if marker in text] == []
    assert [word for word in ("cost", "margin", "profit", "floor", "rebate") if word in text] == []


@pytest.mark.parametrize("cart", CARTS.values(), ids=CARTS)
def test_a_seller_sees_no_cost(cart: dict[str, Any]) -> None:
    text = told(role="sales", **cart)

    assert [marker for marker in (COST, FLOOR, "13.3737", "122.8742", "122.87") if marker in text] == []
    assert [word for word in ("cost", "margin", "profit", "floor") if word in text] == []


def test_management_sees_cost_and_margin() -> None:
    data = json.loads(told(role="management", lines=[{"item": "A", "quantity": "2"}]), parse_float=str)

    # 2 x 99 = 198.00; cost 2 x 61.4371 = 122.8742; after a rebate of 3 % 192.06
    assert data["profit"]["cost"] == "122.87"
    assert data["profit"]["margin"] == "75.13"
    assert data["profit"]["margin_percent"] == "37.94"
    assert data["profit"]["margin_after_rebate"] == "69.19"
    assert data["profit"]["lines"][0]["floor_price"] == FLOOR


def test_another_dealers_price_is_refused_without_a_word_about_it() -> None:
    text = told(role="dealer", dealer="GEHEIM", asker_dealer="D")

    assert json.loads(text, parse_float=str)["refusal"]["code"] == "pricing/not-yours"
    assert "83.1919" not in text
    assert "17.5353" not in text


def test_the_hash_is_the_same_for_every_role_and_tells_no_cost() -> None:
    hashes = {json.loads(told(role=role), parse_float=str)["hash"] for role in ("dealer", "sales", "management")}
    rules = published(the_file().replace(COST, "50"))
    assert rules.ask is not None

    assert hashes == {answer(Prices(rules), rules.ask)["hash"]}


@pytest.mark.parametrize(("old", "new"), [(f"cost: '{COST}'", "cost: '-61.4371'"), (f"floor_price: '{FLOOR}'", "floor_price: 77.7123x")])
def test_a_mistake_in_a_secret_does_not_tell_it(old: str, new: str) -> None:
    text = the_file()
    assert old in text

    with pytest.raises(BadPricing) as refused:
        published(text.replace(old, new))

    assert "61.4371" not in str(refused.value) + str(refused.value.errors)
    assert "77.7123" not in str(refused.value) + str(refused.value.errors)
    assert "the value cannot be used" in refused.value.errors[0]["what"]

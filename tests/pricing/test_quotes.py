"""Quotes: versions, approvals that are pinned to what was seen, the copy to an order, lost ones, habits; and what keeps an order back."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from channel.pricing.authority import Verdict, judge
from channel.pricing.compiled import Prices
from channel.pricing.errors import BadQuote
from channel.pricing.habits import habits
from channel.pricing.ordering import Credit, Ordered, validate
from channel.pricing.pricing import Priced, price
from channel.pricing.quotes import Quote, accept, approve, begin, lose, order_of, revise, without_order
from tests.pricing.documents import document, published

MONDAY = date(2026, 1, 5)


def priced(percent: str = "0", *, dealer: str = "D", by: str = "李雷", reason: str = "competitor", **ask: Any) -> tuple[Priced, Verdict]:
    line: dict[str, Any] = {"item": "A", "quantity": "10"}
    if percent != "0":
        line["manual"] = {"percent": percent, "reason": reason, "text": "对手报价低", "by": by}
    text = document(
        settings={"tax_rate": "0.13"},
        items=[{"id": "A", "units": {"箱": "12"}}],
        dealers=[{"id": "D"}, {"id": "E"}],
        authority=[
            {"id": "own", "level": "0", "role": "sales", "max_discount": "5"},
            {"id": "one", "level": "1", "role": "经理", "max_discount": "20"},
        ],
        ask={"dealer": dealer, "lines": [line], **ask},
    )
    rules = published(text)
    assert rules.ask is not None
    made = price(Prices(rules), rules.ask)
    return made, judge(made)


def quote(percent: str = "0", name: str = "Q-1", **more: Any) -> Quote:
    return begin(name, *priced(percent, **more), on=MONDAY, by="李雷", valid_to=date(2026, 2, 1))


def test_versions_are_only_added() -> None:
    first = quote()

    second = revise(first, *priced("4"), on=date(2026, 1, 6), by="韩梅梅")

    assert [one.number for one in second.versions] == [1, 2]
    assert second.versions[0] == first.versions[0]
    assert (second.last.net, second.last.by) == (Decimal("960.00"), "韩梅梅")
    with pytest.raises(FrozenInstanceError):
        second.last.net = Decimal(1)  # type: ignore[misc]


def test_a_discount_by_hand_is_kept_with_code_words_and_name() -> None:
    discount = quote("4").last.discounts[0]

    assert (discount.reason, discount.text, discount.by, discount.amount) == ("competitor", "对手报价低", "李雷", Decimal(40))


def test_a_quote_beyond_the_band_goes_out_only_when_it_is_approved() -> None:
    waiting = quote("10")
    with pytest.raises(BadQuote, match="not approved"):
        accept(waiting, on=MONDAY)

    approved = approve(waiting, waiting.last.hash, level=1, by="王经理")

    assert accept(approved, on=MONDAY).state == "accepted"
    with pytest.raises(BadQuote, match="needs level 1"):
        approve(waiting, waiting.last.hash, level=0, by="李雷")


def test_an_approval_is_void_when_anything_changes() -> None:
    approved = approve(quote("10"), quote("10").last.hash, level=1, by="王经理")

    same = revise(approved, *priced("10"), on=MONDAY, by="李雷")
    changed = revise(approved, *priced("11"), on=MONDAY, by="李雷")

    assert same.last.may_go_out
    assert not changed.last.may_go_out
    with pytest.raises(BadQuote, match="changed since"):
        approve(changed, approved.last.hash, level=1, by="王经理")


def test_an_accepted_quote_is_copied_to_one_order() -> None:
    accepted = accept(quote("4"), on=MONDAY)

    order = order_of(accepted)

    assert order["key"] == "quote/Q-1/1"
    assert (order["net"], order["tax"], order["total"]) == (Decimal("960.00"), Decimal("124.80"), Decimal("1084.80"))
    assert order["lines"][0] | {"net": Decimal("960.00")} == order["lines"][0]
    with pytest.raises(BadQuote, match="is accepted"):
        revise(accepted, *priced(), on=MONDAY, by="x")
    with pytest.raises(BadQuote, match="is accepted"):
        lose(accepted, on=MONDAY, reason="price")


def test_a_quote_that_is_over_or_lost_becomes_no_order() -> None:
    lost = lose(quote(), on=MONDAY, reason="competitor", text="价格高 8 %")

    assert (lost.state, lost.lost_reason) == ("lost", "competitor")
    with pytest.raises(BadQuote, match="is lost"):
        order_of(lost)
    with pytest.raises(BadQuote, match="ended before"):
        accept(quote(), on=date(2026, 2, 1))
    with pytest.raises(BadQuote, match="no reason"):
        lose(quote(), on=MONDAY, reason="")


def test_a_cart_without_a_price_becomes_no_quote() -> None:
    with pytest.raises(BadQuote, match="no price"):
        quote(lines=[{"item": "A", "quantity": "1", "unit": "吨"}])


def test_quotes_without_an_order_are_listed_for_a_second_call() -> None:
    old, young = quote(), begin("Q-2", *priced(), on=date(2026, 1, 12), by="x", valid_to=date(2026, 2, 1))
    won, lost = accept(quote(name="Q-3"), on=MONDAY), lose(quote(name="Q-4"), on=MONDAY, reason="price")

    listed = without_order([young, won, old, lost], on=date(2026, 1, 15), after_days=7)

    assert [one.id for one in listed] == ["Q-1"]


def test_habits_tell_who_gives_how_much_and_whether_it_wins() -> None:
    quotes = [
        accept(quote("4"), on=MONDAY),
        lose(quote("5", name="Q-2"), on=MONDAY, reason="price"),
        quote("2", name="Q-3", by="韩梅梅", dealer="E", reason="volume"),
        quote(name="Q-4"),
    ]

    sellers, dealers, reasons = habits(quotes, "seller"), habits(quotes, "dealer"), habits(quotes, "reason")

    assert [(one.name, one.quotes, one.won, one.lost, one.discount, one.percent) for one in sellers] == [
        ("李雷", 2, 1, 1, Decimal(90), Decimal("4.50")),
        ("韩梅梅", 1, 0, 0, Decimal(20), Decimal("2.00")),
    ]
    assert [one.win_rate for one in sellers] == [Decimal("0.5000"), None]
    assert [one.name for one in dealers] == ["D", "E"]
    assert {one.name for one in reasons} == {"competitor", "volume"}


def problems(percent: str = "0", *, unit_price: str | None = None, ask: dict[str, Any] | None = None, **more: Any) -> list[str]:
    made, verdict = priced(percent, **(ask or {}))
    ordered = [Ordered("1", None if unit_price is None else Decimal(unit_price))]
    return [one.code for one in validate(made, verdict, ordered, **more)]


def test_an_order_as_it_was_priced_passes() -> None:
    credit = Credit("CNY", limit=Decimal(2000), used=Decimal(870))  # 1,130 left, which the order takes to the fen

    assert problems(unit_price="100", credit=credit, stock={"A": Decimal(10)}) == []


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({"unit_price": "99.9999"}, ["pricing/price-differs"]),
        ({"percent": "10"}, ["pricing/approval-missing"]),
        ({"percent": "10", "approved_hash": "old"}, ["pricing/approval-outdated"]),
        ({"percent": "50"}, ["pricing/refused-discount"]),
        ({"credit": Credit("CNY", limit=Decimal(2000), used=Decimal("870.01"))}, ["pricing/over-credit"]),
        ({"credit": Credit("CNY", limit=Decimal(9000), erp_available=Decimal(1129))}, ["pricing/over-credit"]),
        ({"credit": Credit("CNY")}, []),
        ({"credit": Credit("USD", limit=Decimal(9))}, ["pricing/credit-currency"]),
        ({"stock": {"A": Decimal("9.5")}}, ["pricing/short-of-stock"]),
        ({"stock": {"A": Decimal(11)}, "ask": {"lines": [{"item": "A", "quantity": "1", "unit": "箱"}]}}, ["pricing/short-of-stock"]),
        ({"ask": {"lines": [{"item": "A", "quantity": "1", "unit": "吨"}]}}, ["pricing/unknown-unit"]),
        ({"percent": "10", "stock": {"A": Decimal(1)}, "credit": Credit("CNY", limit=Decimal(1))},
         ["pricing/approval-missing", "pricing/over-credit", "pricing/short-of-stock"]),
    ],
)  # fmt: skip
def test_what_keeps_an_order_back_is_told_whole(given: dict[str, Any], codes: list[str]) -> None:
    assert problems(**given) == codes


def test_an_approval_of_the_same_hash_lets_the_order_pass() -> None:
    made, verdict = priced("10")

    assert validate(made, verdict, [Ordered("1", Decimal(90))], approved_hash=made.hash) == []

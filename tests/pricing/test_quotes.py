"""Discounts by hand as quotes keep them, the habits that they show, and what keeps an order back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from channel.pricing.authority import Verdict, judge
from channel.pricing.compiled import Prices
from channel.pricing.discounts import discounts_of
from channel.pricing.habits import Quoted, State, habits
from channel.pricing.ordering import Credit, Ordered, validate
from channel.pricing.pricing import Priced, price
from tests.pricing.documents import document, published


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


def quoted(percent: str = "0", name: str = "Q-1", state: State = "open", **more: Any) -> Quoted:
    made, _ = priced(percent, **more)
    listed = {line.id: line.list_net or Decimal(0) for line in made.lines}
    return Quoted(name, made.ask.dealer, made.currency, state, discounts_of(made), listed)


def test_a_discount_by_hand_is_kept_with_code_words_and_name() -> None:
    (discount,) = quoted("4").discounts

    assert (discount.reason, discount.text, discount.by, discount.amount) == ("competitor", "对手报价低", "李雷", Decimal(40))


def test_a_discount_of_the_whole_order_is_each_lines_share_of_it() -> None:
    manual = {"amount": "10", "reason": "goodwill", "text": "抹零", "by": "李雷"}
    found = quoted(manual=manual, lines=[{"item": "A", "quantity": "1"}, {"item": "A", "quantity": "2"}]).discounts

    assert [(one.line, one.amount) for one in found] == [("1", Decimal("3.33")), ("2", Decimal("6.67"))]


def test_habits_tell_who_gives_how_much_and_whether_it_wins() -> None:
    quotes = [
        quoted("4", state="accepted"),
        quoted("5", "Q-2", "lost"),
        quoted("2", "Q-3", by="韩梅梅", dealer="E", reason="volume"),
        quoted(name="Q-4"),
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

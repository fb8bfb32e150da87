"""What counts as a fall of a price, and until when a price of a file holds: without a ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from channel.pricing.changes import Buyer
from channel.pricing.compiled import Prices
from channel.pricing.cuts import falls, found_price
from channel.pricing.flat import rows
from tests.pricing.documents import document, published

DEALER = Buyer("D", "", None)
DAY = date(2026, 3, 15)


def prices(books: list[dict[str, Any]], **parts: Any) -> Prices:
    return Prices(published(document(books=books, dealers=[{"id": "D"}], **parts)))


def book(price: str, valid_from: str, valid_to: str | None = None, **more: Any) -> dict[str, Any]:
    said = {"id": f"from-{valid_from}", "kind": "standard", "valid_from": valid_from, "prices": [{"item": "A", "price": price}], **more}
    return said if valid_to is None else said | {"valid_to": valid_to}


def test_a_price_is_found_without_tax_and_for_one_unit_whatever_it_is_written_for() -> None:
    books = [{"id": "std", "kind": "standard", "tax": "included", "prices": [{"item": "A", "price": "113", "per": "100"}]}]
    found = found_price(prices(books, items=[{"id": "A", "tax_rate": "13 %", "moq": "250"}]), DEALER, "A", DAY)

    assert found is not None
    assert (found.net, found.currency) == (Decimal("1.0000"), "CNY")


@pytest.mark.parametrize(
    ("books", "expected"),
    [
        ([book("100", "2026-01-01", "2026-03-16"), book("90", "2026-03-16")], [("2026-03-16", "100", "90")]),
        ([book("100", "2026-01-01", "2026-03-16"), book("90", "2026-03-17")], []),
        ([book("100", "2026-01-01", "2026-03-16"), book("90", "2026-03-16", currency="USD")], []),
        (
            [book("100", "2026-01-01", "2026-03-16"), book("90", "2026-03-16", "2026-03-17", currency="USD"), book("80", "2026-03-17")],
            [],
        ),
    ],
    ids=["lower from the next day on", "no price for a day", "in another currency", "in another currency for a day"],
)
def test_a_fall_is_from_one_price_to_the_next_in_one_currency(books: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> None:
    made = prices(books)
    found = falls(made, DAY, made, DEALER, {"A": [date(2026, 3, 16), date(2026, 3, 17)]})

    assert [(str(fall.on), format(fall.old.normalize(), "f"), format(fall.new.normalize(), "f")) for fall in found] == expected


@pytest.mark.parametrize(
    ("own", "of_book", "told"),
    [
        (("2026-02-01", "2026-06-01"), ("2026-01-01", "2027-01-01"), ("2026-02-01", "2026-06-01")),
        (("2026-01-01", "2027-01-01"), ("2026-02-01", "2026-06-01"), ("2026-02-01", "2026-06-01")),
    ],
    ids=["the price's own days are fewer", "the book's are"],
)
def test_a_price_holds_on_days_of_its_own_and_of_its_book(own: tuple[str, str], of_book: tuple[str, str], told: tuple[str, str]) -> None:
    spec = {"item": "A", "price": "100", "valid_from": own[0], "valid_to": own[1]}
    made = prices([{"id": "std", "kind": "standard", "valid_from": of_book[0], "valid_to": of_book[1], "prices": [spec]}])

    assert [(str(row["valid_from"]), str(row["valid_to"])) for row in rows(made)] == [told]


def test_another_currency_than_at_the_last_look_is_no_fall() -> None:
    before, after = (prices([book(price, "2026-01-01")], settings={"currency": code}) for price, code in (("100", "CNY"), ("90", "USD")))

    assert falls(before, DAY, after, DEALER, {"A": [DAY]}) == []
    assert [fall.new for fall in falls(before, DAY, prices([book("90", "2026-01-01")]), DEALER, {"A": [DAY]})] == [Decimal("90.0000")]

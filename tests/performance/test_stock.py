"""Stock: who runs dry, what to order, and who nearby can help; each unit promised once."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from channel.performance.stock import Holding, SellOut, advise

DAY = date(2026, 10, 29)
LONG_AGO = date(2026, 8, 1)
"""The first of the 90 days."""


def holding(dealer: str, quantity: Any, **said: Any) -> Holding:
    plain = {"product": "P1", "lead_days": 14, "cover_days": 30, **said}
    return Holding(dealer=dealer, quantity=Decimal(quantity), **plain)


def sold(dealer: str, quantity: Any, on: date = LONG_AGO, **said: Any) -> SellOut:
    return SellOut(dealer, "P1", on, Decimal(quantity), **said)


def test_the_nearest_dealer_with_goods_to_spare_gives_first() -> None:
    plan = advise(
        [
            holding("D1", 0, region="310101"),
            holding("D2", 500, region="440300"),
            holding("D3", 60, region="310200"),
            holding("D4", 52, region="310115"),
        ],
        [sold("D1", 90), *(sold(one, 90) for one in ("D2", "D3", "D4"))],
        DAY,
    )

    assert [(one.giver, one.taker, one.quantity, one.common) for one in plan.transfers] == [("D4", "D1", 8, 4), ("D3", "D1", 6, 2)]
    assert sum(one.restock for one in plan.advice if one.holding.dealer == "D1") == 44 - 14


def test_no_sales_is_no_warning_and_no_guess() -> None:
    one = advise([holding("D1", 0)], [], DAY).advice[0]

    assert (one.cover_days, one.out_on, one.warning, one.restock, one.why) == (None, None, False, Fraction(0), "no_sales")


def test_a_threshold_orders_whatever_the_pace_in_whole_packs() -> None:
    at, above = (advise([holding("D1", on, restock_at=Decimal(20), multiple=Decimal(6))], [], DAY).advice[0] for on in (20, 21))

    assert (at.restock, at.why) == (Fraction(6), "at_threshold")
    assert (above.restock, above.why) == (Fraction(0), "no_sales")


def test_goods_that_come_the_day_they_are_ordered_are_ordered_when_nothing_is_left() -> None:
    some, none = (advise([holding("D1", on, lead_days=0)], [sold("D1", 180)], DAY).advice[0] for on in (1, 0))

    assert (some.restock, some.why) == (Fraction(0), "enough")
    assert (none.restock, none.why) == (Fraction(60), "at_threshold")  # 2 a day for 30 days


def test_the_published_reorder_point_of_35_a_day() -> None:
    # marginkit.app: 35 a day x 18 days of lead time + 220 of safety stock = 850
    at, above = (advise([holding("D1", on, lead_days=18, restock_at=Decimal(850))], [sold("D1", 3150)], DAY).advice[0] for on in (850, 851))

    assert (at.restock, above.restock) == (Fraction(35 * (18 + 30) - 850), Fraction(0))


def test_what_comes_already_is_not_ordered_again_but_does_not_hide_the_warning() -> None:
    one = advise([holding("D1", 10, on_order=Decimal(100))], [sold("D1", 90)], DAY).advice[0]

    assert (one.warning, one.restock, one.out_on) == (True, Fraction(0), date(2026, 11, 8))


def test_what_was_sold_since_the_count_is_taken_off_and_returns_are_net() -> None:
    sales = [sold("D1", 100), sold("D1", 20, date(2026, 10, 20), returned=Decimal(5)), sold("D1", 7, date(2026, 10, 10))]
    one = advise([holding("D1", 50, date=date(2026, 10, 10))], sales, DAY).advice[0]

    assert (one.on_hand, one.pace) == (Fraction(35), Fraction(122, 90))


def test_a_new_product_has_its_pace_from_14_days_at_least_and_later_sales_do_not_count() -> None:
    sales = [sold("D1", 28, date(2026, 10, 29)), sold("D1", 999, date(2026, 10, 30))]

    assert advise([holding("D1", 1)], sales, DAY).advice[0].pace == 2


def test_what_is_sold_without_a_count_is_listed() -> None:
    assert advise([], [sold("D9", 1)], DAY).uncounted == (("D9", "P1"),)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.sampled_from(["310101", "310115", "440300", ""])), max_size=8))
def test_law_nobody_gives_what_it_needs_and_nobody_gets_more_than_is_missing(dealers: list[tuple[int, int, str]]) -> None:
    held = [holding(f"D{at}", stock, region=region) for at, (stock, _, region) in enumerate(dealers)]
    sales = [sold(f"D{at}", amount) for at, (_, amount, _) in enumerate(dealers)]
    plan, again = advise(held, sales, DAY), advise(reversed(held), reversed(sales), DAY)
    given_away, got = Counter[str](), Counter[str]()
    for one in plan.transfers:
        given_away[one.giver] += one.quantity
        got[one.taker] += one.quantity

    assert plan == again
    assert not set(given_away) & set(got)
    for advice in plan.advice:
        dealer = advice.holding.dealer
        assert advice.restock >= 0
        assert not given_away[dealer] or advice.on_hand - given_away[dealer] >= advice.pace * 44
        assert got[dealer] < advice.pace * 14 - advice.on_hand + 1 or not got[dealer]

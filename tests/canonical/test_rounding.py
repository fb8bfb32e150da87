"""The one rounding function and the one way to share a total out, with the values that libraries disagree on."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.rounding import allocate, exact_half_up, exact_rounded, half_up, half_up_ratio, rounded

MONEY = st.decimals(min_value=-(10**12), max_value=10**12, places=2)
WEIGHTS = st.lists(st.decimals(min_value=0, max_value=10**9, places=4), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        ("1.005", 2, "1.01"),
        ("2.675", 2, "2.68"),
        ("0.125", 2, "0.13"),
        ("0.135", 2, "0.14"),
        ("-1.005", 2, "-1.01"),
        ("-2.675", 2, "-2.68"),
        ("-0.125", 2, "-0.13"),
        ("-0.135", 2, "-0.14"),
        ("0.004", 2, "0.00"),
        ("-0.004", 2, "0.00"),
        ("150", -2, "2E+2"),
        ("99999999999999999999999999999999.995", 2, "100000000000000000000000000000000.00"),
    ],
)
def test_half_is_away_from_zero_as_a_finance_person_expects(value: str, places: int, expected: str) -> None:
    assert str(half_up(Decimal(value), places)) == expected


@pytest.mark.parametrize(
    ("mode", "plus", "minus"),
    [
        ("half_even", "0.12", "-0.12"),
        ("down", "0.12", "-0.12"),
        ("up", "0.13", "-0.13"),
        ("floor", "0.12", "-0.13"),
        ("ceiling", "0.13", "-0.12"),
    ],
)
def test_other_modes_are_named(mode: str, plus: str, minus: str) -> None:
    assert str(rounded(Decimal("0.125"), 2, mode)) == plus  # type: ignore[arg-type] # a table of names
    assert str(rounded(Decimal("-0.125"), 2, mode)) == minus  # type: ignore[arg-type] # a table of names


@given(st.integers(-(10**18), 10**18), st.integers(-(10**9), 10**9).filter(bool))
def test_whole_numbers_round_as_decimals_do(top: int, bottom: int) -> None:
    assert half_up_ratio(top, bottom) == int(exact_half_up(Fraction(top, bottom), 0))
    assert abs(Fraction(top, bottom) - half_up_ratio(top, bottom)) <= Fraction(1, 2)
    assert half_up_ratio(-top, bottom) == -half_up_ratio(top, bottom)


@given(MONEY, st.sampled_from(["half_up", "half_even", "down", "up", "floor", "ceiling"]), st.integers(-2, 3))
def test_fractions_round_as_decimals_do_in_every_mode(value: Decimal, mode: str, places: int) -> None:
    assert exact_rounded(Fraction(value), places, mode) == rounded(value, places, mode)  # type: ignore[arg-type] # a table of names


@given(MONEY, WEIGHTS)
def test_parts_add_up_and_each_is_within_one_unit_of_its_exact_share(total: Decimal, weights: list[Decimal]) -> None:
    if not sum(weights):
        weights = [*weights, Decimal(1)]
    parts = allocate(total, weights, 2)
    whole = sum((Fraction(weight) for weight in weights), Fraction(0))

    assert sum(parts) == total
    assert all(
        abs(Fraction(part) - Fraction(total) * Fraction(weight) / whole) < Fraction(1, 100)
        for part, weight in zip(parts, weights, strict=True)
    )
    assert all(part == 0 or (part > 0) == (total > 0) for part in parts)
    assert allocate(-total, weights, 2) == [-part for part in parts]


@given(MONEY, st.lists(st.tuples(st.decimals(min_value=-(10**6), max_value=10**6, places=2), st.booleans()), min_size=1, max_size=20))
def test_returned_lines_keep_every_part_within_one_unit(total: Decimal, lines: list[tuple[Decimal, bool]]) -> None:
    weights, barred = [weight for weight, _ in lines], [bar for _, bar in lines]
    whole = sum((Fraction(weight) for weight in weights), Fraction(0))
    if not whole:
        return
    parts = allocate(total, weights, 2, bar=barred)

    assert sum(parts) == total
    assert all(
        abs(Fraction(part) - Fraction(total) * Fraction(weight) / whole) <= Fraction(1, 100)
        for part, weight in zip(parts, weights, strict=True)
    )


def test_equal_rests_go_by_document_date_then_line() -> None:
    order = [("2026-03-02", "b"), ("2026-03-02", "a"), ("2026-03-01", "z")]

    assert [str(part) for part in allocate(Decimal("0.02"), [Decimal(1)] * 3, 2, order=order)] == ["0.00", "0.01", "0.01"]


def test_a_returned_line_never_takes_the_unit_left_over() -> None:
    parts = allocate(Decimal("10.00"), [Decimal(100), Decimal(100), Decimal(-50)], 2, bar=[False, False, True])

    # 10 / 150 per unit of weight: 6.666…, 6.666…, -3.333…; the return is -3.33, the sales share 13.33
    assert [str(part) for part in parts] == ["6.67", "6.66", "-3.33"]


def test_last_line_takes_the_rest_is_a_named_way() -> None:
    weights = [Decimal(1)] * 3

    assert [str(part) for part in allocate(Decimal("100.00"), weights, 2, last_takes_rest=True)] == ["33.33", "33.33", "33.34"]
    assert [str(part) for part in allocate(Decimal("200.00"), weights, 2, last_takes_rest=True)] == ["66.67", "66.67", "66.66"]


@pytest.mark.parametrize(
    ("total", "weights", "why"),
    [("1.005", ["1"], "more than 2 decimals"), ("1.00", ["1", "-1"], "add up to zero"), ("1.00", [], "add up to zero")],
)
def test_what_cannot_be_shared_is_refused(total: str, weights: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        allocate(Decimal(total), [Decimal(weight) for weight in weights], 2)


def test_whole_unit_shares_of_a_published_test() -> None:
    # vendure-ecommerce/vendure prorate.spec.ts: 299 over 4300/1400/2300 is 161/52/86
    assert [int(part) for part in allocate(Decimal(299), [Decimal(4300), Decimal(1400), Decimal(2300)], 0)] == [161, 52, 86]

"""The published figures of section 6, by the functions that reckon them."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from canonical.rounding import exact_half_up
from channel.performance import kpis

DAY = date(2026, 12, 31)


@pytest.mark.parametrize(("sold", "target", "shown"), [(720, 800, "90.00"), (280, 500, "56.00"), (320, 300, "106.67")])
def test_target_completion_of_the_published_board(sold: int, target: int, shown: str) -> None:
    found = kpis.target_completion(Fraction(sold), Fraction(target), as_of=DAY)

    assert found.value is not None
    assert str(exact_half_up(found.value * 100, 2)) == shown
    assert (found.numerator, found.denominator, found.version, found.as_of) == (Fraction(sold), Fraction(target), 1, DAY)


@pytest.mark.parametrize("target", [Fraction(0), None])
def test_no_denominator_is_no_value_and_neither_0_nor_100_percent(target: Fraction | None) -> None:
    found = kpis.target_completion(Fraction(5), target, as_of=DAY)

    assert found.value is None
    assert found.note in ("no_denominator", "unknown")


def test_dso_of_the_published_example_is_27_days() -> None:
    assert kpis.dso(Fraction(18_000), Fraction(20_000), 30, as_of=DAY).value == 27


def test_counting_back_takes_the_newest_months_first() -> None:
    months = [kpis.Billed(Fraction(15_000), 31), kpis.Billed(Fraction(20_000), 28)]

    assert kpis.dso_count_back(Fraction(25_000), months, as_of=DAY).value == 31 + Fraction(14)  # 10,000 / 20,000 x 28
    assert kpis.dso_count_back(Fraction(35_000), months, as_of=DAY).value == 59
    assert kpis.dso_count_back(Fraction(35_001), months, as_of=DAY).value is None
    assert kpis.dso_count_back(Fraction(0), months, as_of=DAY).value == 0


def test_counting_back_of_the_published_quarter() -> None:
    # trymesha.com, countback: 212,000 owed, billed 100,000, 80,000 and 70,000 in months of 30 days
    months = [kpis.Billed(Fraction(amount), 30) for amount in (100_000, 80_000, 70_000)]
    found = kpis.dso_count_back(Fraction(212_000), months, as_of=DAY)

    assert found.value is not None
    assert str(exact_half_up(found.value, 1)) == "73.7"


def test_who_was_never_billed_has_no_days() -> None:
    found = kpis.dso_count_back(Fraction(0), [], as_of=DAY)

    assert (found.value, found.note) == (None, "no_denominator")


def test_days_to_pay_are_weighted_and_a_prepayment_counts_0_days() -> None:
    first = date(2026, 1, 1)
    paid = [
        (Fraction(100), first, first + timedelta(days=30)),
        (Fraction(300), first, first + timedelta(days=10)),
        (Fraction(100), first, first - timedelta(days=20)),
    ]

    assert kpis.days_to_pay(paid, as_of=DAY).value == Fraction(100 * 30 + 300 * 10, 500)


@pytest.mark.parametrize(
    ("late", "bucket"), [(0, None), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90"), (91, ">90")]
)
def test_ageing_buckets_begin_on_the_day_after_the_due_day(late: int, bucket: str | None) -> None:
    found = kpis.ageing([(Fraction(7), DAY - timedelta(days=late))], DAY)

    assert found.receivable == 7
    assert found.overdue == (7 if bucket else 0)
    assert {name for name, amount in found.buckets.items() if amount} == ({bucket} if bucket else set())


def test_squared_shares_of_the_published_example_are_3800() -> None:
    assert kpis.squared_shares([Fraction(20), Fraction(30), Fraction(50)]) == 3800


def test_concentration_below_five_projects_is_few_and_has_no_value() -> None:
    top, whole = kpis.concentration("project", [Fraction(20), Fraction(30), Fraction(50)], as_of=DAY)

    assert (top.value, top.note, whole.value, whole.note) == (None, "few", None, "few")
    assert (top.numerator, top.denominator, whole.numerator) == (Fraction(50), Fraction(100), Fraction(3800))
    even, index = kpis.concentration("project", [Fraction(1)] * 5, as_of=DAY)
    assert (even.value, index.value) == (Fraction(1, 5), Fraction(2000))


@pytest.mark.parametrize(("code", "of", "shown"), [("attended_of_invited", 120, "54.2"), ("attended_of_registered", 80, "81.3")])
def test_participation_of_the_published_activity(code: str, of: int, shown: str) -> None:
    found = kpis.ratio(code, Fraction(65), Fraction(of), DAY)

    assert found.value is not None
    assert str(exact_half_up(found.value * 100, 1)) == shown


def test_complaints_are_told_per_1000_units() -> None:
    assert kpis.complaints_per_1000(3, Fraction(1500), as_of=DAY).value == 2


def test_margin_is_after_rebate_protection_and_support_and_unknown_without_cost() -> None:
    sides = (Fraction(50), Fraction(20), Fraction(10))

    assert kpis.margin_amount(Fraction(1000), Fraction(700), *sides, as_of=DAY).value == 220
    assert kpis.margin_amount(Fraction(1000), None, *sides, as_of=DAY).value is None
    assert kpis.margin_rate(Fraction(220), Fraction(1000), as_of=DAY).value == Fraction(22, 100)
    assert kpis.margin_share(Fraction(220), Fraction(880), as_of=DAY).value == Fraction(1, 4)


def test_what_a_dealer_costs_and_what_comes_back_for_it() -> None:
    assert kpis.partner_cost_rate(Fraction(3000), Fraction(100_000), as_of=DAY).value == Fraction(3, 100)
    assert kpis.support_return(Fraction(100_000), Fraction(70_000), Fraction(3000), as_of=DAY).value == 10
    assert kpis.support_return(Fraction(1), Fraction(0), Fraction(0), as_of=DAY).note == "no_denominator"


def test_a_follow_up_is_in_time_on_its_due_day_and_what_is_not_due_does_not_count() -> None:
    tasks = [("a", DAY, DAY), ("b", DAY, DAY + timedelta(days=1)), ("c", DAY, None), ("d", DAY + timedelta(days=1), None)]
    found = kpis.in_time("follow_up_in_time", tasks, as_of=DAY)

    assert (found.numerator, found.denominator, found.evidence) == (Fraction(1), Fraction(3), ("b", "c"))

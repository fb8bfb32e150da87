"""Small turns of meaning, each on its own: which of two, from which day, before or after: a change in the rules, a test that falls."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from channel.rebates.payment import Rounding
from channel.rebates.rounding import together
from tests.rebates.making import PLAIN, one, programme, row, run

FLAT = [{"from": "0", "rate": "2 %"}]
QUARTER = date(2026, 3, 31)
HALF_YEAR = {"period": "year", "annualise": "months"}


# What is earned ------------------------------------------------------------------------------------------------------------------


def test_a_baseline_of_zero_is_none() -> None:
    growth = {"tier_on": "percent", "pays_on": "whole", "bands": "retroactive", "baseline": "given", "no_baseline": "first_tier"}
    rules = programme(method="growth", growth=growth, tiers=[{"from": "0", "rate": "3 %"}])

    assert str(one(rules, [row("1", 1000), row("b", 0, kind="baseline")]).earned) == "30.00"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"method": "growth", "tiers": [{"from": "20 %", "rate": "10 %"}],
             "growth": {"tier_on": "percent", "pays_on": "increment", "bands": "retroactive", "baseline": "given"}},
            "baseline",
        ),
        (
            {"method": "target", "tiers": [{"from": "120 %", "rate": "10 %"}],
             "target": {"pays_on": "increment", "bands": "retroactive"}},
            "target",
        ),
    ],
    ids=["growth", "target"],
)  # fmt: skip
def test_half_a_year_is_read_as_a_whole_one_and_paid_on_what_was_sold(changes: dict[str, Any], told: str) -> None:
    """600 by June make 1,200 a year, a fifth above 1,000; what is above half of that is 100."""
    rules = programme(calendar=HALF_YEAR, **changes)

    assert str(one(rules, [row("1", 600), row("t", 1000, kind=told)], as_of=date(2026, 6, 30)).earned) == "10.00"


@pytest.mark.parametrize(
    ("changes", "sold", "payable"),
    [
        ({"method": "target", "target": {"pays_on": "whole", "bands": "retroactive", "each": "1000"},
          "tiers": [{"from": "100 %", "rate": "2 %"}]}, 500, "10.00"),
        ({"pays_on": "above", "pays_above": "1000", "tiers": FLAT}, 800, "6.00"),
        ({"gates": [{"kind": "target", "target": "1000", "at_least": "1", "otherwise": "zero"}], "tiers": FLAT}, 500, "10.00"),
    ],
    ids=["a target", "what it pays above", "a gate's target"],
)  # fmt: skip
def test_half_a_period_asks_for_half(changes: dict[str, Any], sold: int, payable: str) -> None:
    rules = programme(valid={"from": "2026-02-15", "to": "2027-01-01"}, calendar={"period": "quarter", "prorate": "days"}, **changes)

    assert str(one(rules, [row("1", sold, date="2026-03-01")], as_of=QUARTER).payable) == payable


def test_a_member_who_leaves_has_lower_thresholds_too() -> None:
    rules = programme(
        participants={"members": [{"dealer": "D1", "to": "2026-02-15"}]}, calendar={"period": "quarter", "prorate": "days"},
        tiers=[{"from": "1000", "rate": "2 %"}],
    )  # fmt: skip

    assert str(one(rules, [row("1", 500)], as_of=QUARTER).earned) == "10.00"


def test_the_period_before_the_last_of_a_year_is_of_that_year() -> None:
    growth = {"tier_on": "percent", "pays_on": "increment", "bands": "retroactive", "baseline": "previous_period"}
    rules = programme(method="growth", growth=growth, tiers=[{"from": "10 %", "rate": "10 %"}])
    results = run(rules, [row("1", 100, date="2026-08-01"), row("2", 150, date="2026-11-01")]).results

    assert [(result.span.name, result.cell.baseline) for result in results] == [("2026Q3", None), ("2026Q4", 100)]


def test_of_two_that_give_the_same_the_first_in_order_is_the_best() -> None:
    best = {"base": "gross", "mode": "best_of", "group": "g"}
    rules = [programme(programme=name, tiers=FLAT, stacking={**best, "order": order}) for name, order in (("a", "2"), ("b", "1"))]

    assert {result.programme.programme: str(result.payable) for result in run(rules, [row("1", 1000)]).results} == {
        "a": "0.00",
        "b": "20.00",
    }


# Gates ---------------------------------------------------------------------------------------------------------------------------

COLLECTION = {"kind": "collection", "at_least": "80 %", "otherwise": "zero"}


def test_an_invoice_of_the_cut_off_day_is_looked_at() -> None:
    assert one(programme(gates=[COLLECTION]), [row("1", 1000, document="I1", date="2026-03-31")], as_of=QUARTER).payable == 0


def test_what_is_paid_too_much_on_one_invoice_pays_no_other() -> None:
    rows = [row("1", 1000, document="I1"), row("2", 1000, document="I2"), row("p", 2000, kind="payment", applies_to="I1")]

    assert one(programme(gates=[COLLECTION]), rows).due.gates.results[0].value == Decimal("0.5")


@pytest.mark.parametrize(("no_value", "payable"), [("pass", "40.00"), ("fail", "0.00")])
def test_an_invoice_is_due_when_its_last_line_is_and_nothing_due_means_what_is_said(no_value: str, payable: str) -> None:
    rows = [row("1", 1000, document="I1", due_date="2026-03-01"), row("2", 1000, document="I1", due_date="2026-04-30")]

    assert str(one(programme(tiers=FLAT, gates=[{**COLLECTION, "no_value": no_value}]), rows, as_of=QUARTER).payable) == payable


def test_a_scale_that_holds_holds_the_rest() -> None:
    scale = [{"from": "0", "to": "90 %", "share": "80 %"}, {"from": "90 %", "share": "1"}]
    rules = programme(tiers=FLAT, gates=[{"kind": "collection", "scale": scale, "otherwise": "hold"}])
    result = one(rules, [row("1", 1000, document="I1"), row("p", 850, kind="payment", applies_to="I1")])

    assert (str(result.payable), str(result.held)) == ("16.00", "4.00")


def test_a_complaint_may_stand_for_several() -> None:
    rules = programme(gates=[{"kind": "complaints", "at_most": "2", "otherwise": "zero"}])

    assert one(rules, [row("1", 1000), row("c", kind="complaint", quantity=3)]).due.gates.results[0].value == 3


# Bounds --------------------------------------------------------------------------------------------------------------------------

HOLD = {"kind": "minimum_amount", "at_least": "1000000", "otherwise": "hold"}


@pytest.mark.parametrize(
    ("tiers", "gates", "payable"),
    [
        (FLAT, [], "50.00"),
        (FLAT, [{**HOLD, "otherwise": "share", "share": "50 %"}], "10.00"),
        ([{"from": "0", "rate": "0 %"}], [], "0.00"),
    ],
    ids=["gates are open", "a gate is closed", "nothing is earned"],
)
def test_a_floor_is_for_who_earned_something_and_passed_every_gate(tiers: Any, gates: Any, payable: str) -> None:
    assert str(one(programme(tiers=tiers, gates=gates, limits={"floor": "50"}), [row("1", 1000)]).payable) == payable


def test_a_cap_leaves_of_what_is_held_only_what_room_is_left() -> None:
    scale = [{"from": "0", "share": "50 %"}]
    rules = programme(tiers=FLAT, gates=[{"kind": "minimum_amount", "scale": scale, "otherwise": "hold"}], limits={"cap": {"amount": "12"}})
    result = one(rules, [row("1", 1000)])

    assert (str(result.payable), str(result.held)) == ("10.00", "2.00")


def test_what_is_held_takes_room_of_a_cap_of_the_year() -> None:
    rules = programme(tiers=FLAT, gates=[HOLD], limits={"cap": {"amount": "30", "per": "year"}})
    results = run(rules, [row("1", 1000), row("2", 1000, date="2026-05-01")]).results

    assert [str(result.held) for result in results] == ["20.00", "10.00"]


def test_of_two_caps_the_lower_one_holds() -> None:
    rules = programme(tiers=FLAT, limits={"cap": {"amount": "15", "rate": "1 %"}})

    assert [str(result.payable) for result in run(rules, [row("1", 1000), row("2", 2000, dealer="D2")]).results] == ["10.00", "15.00"]


@pytest.mark.parametrize(("as_of", "paid"), [(date(2026, 3, 30), ["20.00"]), (QUARTER, ["50.00", "50.00"])])
def test_a_guarantee_is_also_for_who_sold_nothing_once_the_period_is_over(as_of: date, paid: list[str]) -> None:
    rules = programme(participants=["D1", "D2"], tiers=FLAT, limits={"guarantee": {"amount": "50"}})

    assert [str(result.payable) for result in run(rules, [row("1", 1000)], as_of=as_of).results] == paid


def test_a_cumulative_guarantee_counts_what_was_earned_above_it_in_every_period_before() -> None:
    rules = programme(tiers=FLAT, limits={"guarantee": {"amount": "50", "cumulative": True}})
    days = (("1", 4000, "2026-01-15"), ("2", 3500, "2026-04-15"), ("3", 500, "2026-07-15"))
    rows = [row(name, sold, date=on) for name, sold, on in days]
    results = run(rules, rows, as_of=date(2026, 9, 30)).results

    # 80 is 30 above 50; 70 are 20 more; 10 and the 50 from before are 60, ten above it.
    assert [str(result.payable) for result in results] == ["80.00", "70.00", "10.00"]


@pytest.mark.parametrize("share", ["pro_rata", "first_come"])
def test_a_budget_of_half_a_fen_more_gives_no_fen_more(share: str) -> None:
    rules = programme(tiers=FLAT, limits={"budget": {"amount": "10.005", "share": share}})

    assert sum(result.payable for result in run(rules, [row("1", 1000), row("2", 1000, dealer="D2")]).results) == Decimal("10.00")


@pytest.mark.parametrize(("per", "payable"), [("period", ["10.00", "10.00"]), ("life", ["5.00", "5.00"])])
def test_a_budget_is_for_each_period_or_for_all(per: str, payable: list[str]) -> None:
    rules = programme(tiers=FLAT, limits={"budget": {"amount": "10", "share": "pro_rata", "per": per}})

    assert [str(result.payable) for result in run(rules, [row("1", 1000), row("2", 1000, date="2026-05-01")]).results] == payable


def test_who_reaches_a_tier_exactly_has_reached_it() -> None:
    rules = programme(tiers=[{"from": "1000", "rate": "2 %"}], limits={"budget": {"amount": "20", "share": "first_come"}})
    rows = [row("1", 1000, dealer="D2"), row("2", 100, dealer="D2", date="2026-03-20"), row("3", 1000, dealer="D1", date="2026-02-01")]

    assert [(result.dealer, str(result.payable)) for result in run(rules, rows).results] == [("D1", "0.00"), ("D2", "20.00")]


def test_a_cap_holds_for_a_floor_too() -> None:
    assert str(one(programme(tiers=FLAT, limits={"floor": "50", "cap": {"rate": "1 %"}}), [row("1", 1000)]).payable) == "10.00"


# What is paid, and when ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accrual", "before", "after"),
    [
        ({"by": "rate", "rates": [{"from": "2026-01-01", "rate": "1 %"}, {"from": "2026-03-31", "rate": "3 %"}]}, "10.00", "30.00"),
        ({"by": "expected", "expected": [{"from": "2026-01-01", "base": "500"}, {"from": "2026-03-31", "base": "5000"}]}, "10.00", "50.00"),
    ],
    ids=["a rate", "an expected base"],
)
def test_an_accrual_turns_on_the_day_that_it_is_from(accrual: dict[str, Any], before: str, after: str) -> None:
    rules = programme(accrual=accrual)

    assert [str(one(rules, [row("1", 1000)], as_of=day).accrued) for day in (date(2026, 3, 30), QUARTER)] == [before, after]


@pytest.mark.parametrize(("as_of", "late", "posts_in"), [(date(2026, 4, 5), [], ""), (date(2026, 4, 6), ["2"], "2026Q2")])
def test_nothing_is_late_before_the_late_days_are_over(as_of: date, late: list[str], posts_in: str) -> None:
    rules = programme(tiers=FLAT, calendar={"period": "quarter", "late_days": "5"})
    rows = [row("1", 1000), row("2", 500, recorded_at="2026-04-06T08:00:00+08:00")]
    rows.append(row("s", 5, kind="settlement", programme="core", period="2026Q1", date=as_of))
    result = one(rules, rows, as_of=as_of)

    assert ([entry.fact for entry in result.late], result.posts_in) == (late, posts_in)
    assert str(result.booked.settled) == "5"


def test_lines_share_what_is_paid_now_beside_what_they_are_entitled_to() -> None:
    rows = [row("1", 700), row("2", 300), row("s", 5, kind="settlement", programme="core", period="2026Q1")]
    result = one(programme(tiers=FLAT), rows)

    assert [(str(share.entitled), str(share.pays)) for share in result.shares] == [("14.00", "10.50"), ("6.00", "4.50")]


def test_what_was_paid_too_much_is_set_off_against_the_next_period() -> None:
    rules = programme(tiers=FLAT, settlement={"claw_back": False})
    rows = [row("1", 1000), row("s", 26, kind="settlement", programme="core", period="2026Q1"), row("2", 1000, date="2026-05-01")]
    results = run(rules, rows).results

    told = [(str(result.open), str(result.payable), str(result.set_off)) for result in results]
    assert told == [("-6.00", "0", "0"), ("20.00", "14.00", "6.00")]


@pytest.mark.parametrize("kind", ["return", "price_change"])
def test_what_goes_back_is_rounded_by_itself_and_takes_no_fen_that_is_left_over(kind: str) -> None:
    """100 over 10, 10 and -5 are 66.67 each and -33.33, which is a fen too much; a sale gives it."""
    rules = programme(base={**PLAIN["base"], "net_of": [kind]}, method="fixed", tiers=[{"from": "0", "amount": "100"}])
    rows = [row("1", 10, date="2026-01-11"), row("2", 10, date="2026-01-12"), row("0", -5, kind=kind, product="P")]

    assert {share.line.fact.id: str(share.pays) for share in one(rules, rows).shares} == {"0": "-33.33", "1": "66.67", "2": "66.66"}


def test_a_customer_who_gave_everything_back_is_handed_nothing() -> None:
    rows = [row("1", 1000, customer="S1"), row("2", 300, customer="S2"), row("3", -300, kind="return", customer="S2")]
    rows.append(row("4", -100, kind="return", customer="S3"))

    assert {name: str(part) for name, part in one(programme(tiers=FLAT, pass_through={"rate": "50 %"}), rows).passed_on.items()} == {
        "S1": "9.00"
    }


def test_rounded_together_the_fen_left_over_goes_to_the_largest_rest() -> None:
    rules = programme(tiers=[{"from": "0", "rate": "1 %"}], grouping={"by": ["dealer", "product_line"]}, rounding={"per": "dealer"})
    rows = [row(line, amount, product_line=line) for line, amount in (("A", "33.10"), ("B", "33.60"), ("C", "33.30"))]

    assert {result.scope["product_line"]: str(result.earned) for result in run(rules, rows).results} == {
        "A": "0.33", "B": "0.34", "C": "0.33",
    }  # fmt: skip


def test_rounded_together_nobody_gets_more_than_its_bound() -> None:
    values, most = [Fraction(2, 100), Fraction(0), Fraction(0)], [Decimal("0.01"), Decimal(0), None]

    assert [str(part) for part in together(values, Rounding(), most)] == ["0.01", "0.00", "0.01"]

"""The last day, the exact figure, the first of a year: where a rule turns over, both sides of the edge."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.rounding import exact_half_up
from tests.rebates.making import earned, one, paid, programme, row, run

FLAT = [{"from": "0", "rate": "2 %"}]
QUARTER = date(2026, 3, 31)


def invoice(due: str, paid: int) -> list[dict[str, Any]]:
    """An invoice of 1,000 and what is paid on it."""
    return [
        row("1", 1000, document="I1", due_date=due),
        row("p", paid, kind="payment", applies_to="I1", date="2026-02-01"),
    ]


@pytest.mark.parametrize(("due", "payable"), [("2026-03-30", "0.00"), ("2026-03-31", "0.00"), ("2026-04-01", "20.00")])
def test_an_invoice_is_due_on_its_due_date(due: str, payable: str) -> None:
    rules = programme(tiers=FLAT, gates=[{"kind": "collection", "at_least": "50 %", "otherwise": "zero"}])

    assert f"{one(rules, invoice(due, 400), as_of=QUARTER).payable:f}" == payable


@pytest.mark.parametrize(
    ("due", "grace", "late"), [("2026-03-30", 0, 600), ("2026-03-31", 0, 0), ("2026-03-30", 1, 0), ("2026-03-29", 1, 600)]
)
def test_an_invoice_is_overdue_from_the_day_after_its_due_date_and_the_days_of_grace(due: str, grace: int, late: int) -> None:
    rules = programme(tiers=FLAT, gates=[{"kind": "overdue_amount", "at_most": "0", "otherwise": "zero", "grace_days": str(grace)}])

    assert one(rules, invoice(due, 400), as_of=QUARTER).due.gates.results[0].value == late


@pytest.mark.parametrize(("paid", "payable"), [("799.99", "0.00"), ("800", "16.00"), ("899.99", "16.00"), ("900", "20.00")])
def test_a_step_of_a_gates_scale_begins_at_its_from(paid: str, payable: str) -> None:
    scale = [{"from": "0", "to": "80 %", "share": "0"}, {"from": "80 %", "to": "90 %", "share": "80 %"}, {"from": "90 %", "share": "100 %"}]
    rules = programme(tiers=FLAT, gates=[{"kind": "collection", "scale": scale}])
    rows = [*invoice("2026-02-05", 0)[:1], row("p", paid, kind="payment", applies_to="I1", date="2026-02-01")]

    assert f"{one(rules, rows, as_of=QUARTER).payable:f}" == payable


def test_a_cap_of_a_year_is_of_the_fiscal_year() -> None:
    """From April: the quarter to March belongs to the year before."""
    rules = programme(
        tiers=FLAT, calendar={"period": "quarter", "fiscal_start": "4"}, limits={"cap": {"amount": "30", "per": "year"}},
        valid={"from": "2025-10-01", "to": "2026-10-01"},
    )  # fmt: skip
    rows = [row(str(at), 1000, date=day) for at, day in enumerate(("2025-11-01", "2026-02-01", "2026-05-01", "2026-08-01"))]

    assert [f"{result.payable:f}" for result in run(rules, rows, as_of=date(2026, 9, 30)).results] == ["20.00", "10.00", "20.00", "10.00"]


@pytest.mark.parametrize(("as_of", "payable"), [(date(2026, 3, 30), "20.00"), (QUARTER, "50.00")])
def test_a_guarantee_tops_up_on_the_last_day_of_its_period(as_of: date, payable: str) -> None:
    rules = programme(tiers=FLAT, limits={"guarantee": {"amount": "50"}})

    assert f"{one(rules, [row('1', 1000)], as_of=as_of).payable:f}" == payable


@pytest.mark.parametrize(("sold", "payable"), [(0, "0.00"), (1, "5.00"), (250, "5.00"), (251, "5.02")])
def test_a_floor_is_for_who_earned_something(sold: int, payable: str) -> None:
    rules = programme(tiers=FLAT, limits={"floor": "5"})

    assert f"{one(rules, [row('1', sold)]).payable:f}" == payable


@pytest.mark.parametrize(
    ("recorded", "late"),
    [("2026-04-05", []), ("2026-04-05T23:59:59.999999", []), ("2026-04-06T00:00:00", ["1"]), ("2026-04-05T16:00:00+00:00", ["1"])],
)
def test_a_line_is_late_after_the_last_moment_of_the_late_days(recorded: str, late: list[str]) -> None:
    rules = programme(tiers=FLAT, calendar={"period": "quarter", "late_days": "5"})
    result = one(rules, [row("1", 1000, recorded_at=recorded)], as_of=date(2026, 4, 30))

    assert [line.fact for line in result.late] == late
    assert result.posts_in == ("2026Q2" if late else "")


def test_a_budget_by_first_come_goes_by_the_day_on_which_the_tier_was_reached() -> None:
    """B reaches 1,000 on 10 February, A on 20 February though its first sale is earlier; of 50 B has its 24 and A what is left."""
    rules = programme(tiers=[{"from": "1000", "rate": "2 %"}], limits={"budget": {"amount": "50", "share": "first_come"}})
    rows = [
        row("1", 500, dealer="A", date="2026-01-05"),
        row("2", 1000, dealer="A", date="2026-02-20"),
        row("3", 1200, dealer="B", date="2026-02-10"),
    ]

    assert {result.dealer: f"{result.payable:f}" for result in run(rules, rows).results} == {"A": "26.00", "B": "24.00"}


@pytest.mark.parametrize(
    ("net_of", "mode", "second"), [("gross", "together", "20.00"), ("net_of_earlier", "together", "18.00"), ("gross", "exclusive", None)]
)
def test_what_an_earlier_programme_gave_is_taken_off_or_takes_the_line(net_of: str, mode: str, second: str | None) -> None:
    rules = [
        programme(programme="a", tiers=[{"from": "0", "rate": "10 %"}], stacking={"order": "1", "base": "gross"}),
        programme(programme="b", tiers=FLAT, stacking={"order": "2", "base": net_of, "mode": mode}),
    ]
    found = {result.programme.programme: f"{result.earned:f}" for result in run(rules, [row("1", 1000)]).results}

    assert found.get("b") == second


@pytest.mark.parametrize(("as_of", "payable"), [(QUARTER, "0.00"), (date(2026, 4, 20), "20.00")])
def test_a_return_after_the_cut_off_opens_no_gate(as_of: date, payable: str) -> None:
    gate = {"kind": "collection", "at_least": "100 %", "otherwise": "zero"}
    rules = programme(tiers=FLAT, gates=[gate])
    rows = [*invoice("2026-03-01", 800), row("r", -200, kind="return", document="I1", date="2026-04-20")]

    assert str(run(rules, rows, as_of=as_of).results[0].payable) == payable


@pytest.mark.parametrize(("back", "count"), [("-900", 2), ("-1000", 1)], ids=["most of it", "all of it"])
def test_a_product_line_that_came_back_whole_is_none_of_the_mix(back: str, count: int) -> None:
    mix = {"tier_on": "count", "count_of": "product_line", "pays_on": "whole", "bands": "retroactive"}
    counting = programme(method="mix", mix=mix, tiers=[{"from": "1", "rate": "1 %"}])
    gated = programme(tiers=FLAT, gates=[{"kind": "mix_count", "count_of": "product_line", "at_least": "2", "otherwise": "zero"}])
    rows = [row("1", 5000, product_line="泵"), row("2", 1000, product_line="阀", quantity=1)]
    rows.append(row("3", back, kind="return", product_line="阀"))

    assert one(counting, rows).cell.value == count
    assert one(gated, rows).due.gates.results[0].value == count


BY_LINE = {"tiers": [{"from": "0", "rate": "1 %"}], "grouping": {"by": ["dealer", "line"]}}
GATE = {"kind": "minimum_amount", "at_least": "1000000"}


@pytest.mark.parametrize(
    ("changes", "payable", "held"),
    [
        ({"gates": [{**GATE, "otherwise": "share", "share": "50 %"}]}, "0.50", "0"),
        ({"gates": [{**GATE, "otherwise": "hold"}]}, "0.00", "1.00"),
        ({"limits": {"cap": {"rate": "0.5 %"}}}, "0.50", "0"),
        ({"limits": {"budget": {"amount": "0.55", "share": "pro_rata"}}}, "0.55", "0"),
        ({"limits": {"budget": {"amount": "0.55", "share": "first_come"}}}, "0.55", "0"),
        ({"limits": {"budget": {"amount": "1.01", "share": "first_come"}}}, "1.00", "0"),
    ],
    ids=["half of it", "held", "capped", "a budget for all alike", "a budget by first come", "a budget that suffices"],
)
def test_what_lines_are_paid_is_rounded_once_for_their_dealer(changes: dict[str, Any], payable: str, held: str) -> None:
    """Eight lines earn 0.125 each. Rounded one by one, half of that would be 0.06 each, and all of it 1.04."""
    made = run(programme(**BY_LINE, **changes), [row(str(at), "12.50") for at in range(8)])

    assert earned(made) == Decimal("1.00")
    assert paid(made) == Decimal(payable)
    assert sum(result.held for result in made.results) == Decimal(held)
    assert all(result.payable + result.held <= result.earned for result in made.results)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3_000, 9_000), st.sampled_from("ABC")), min_size=1, max_size=8),
    st.integers(0, 100), st.sampled_from(["share", "hold"]),
)  # fmt: skip
def test_a_dealers_period_rounded_as_a_whole_adds_up_beside_returns_and_gates(sold: Any, share: int, otherwise: str) -> None:
    said = {"share": f"{share} %"} if otherwise == "share" else {}
    gates = [{"kind": "mix_amount", "focus": {"product_lines": ["A"]}, "at_least": "40", "otherwise": otherwise, **said}]
    rules = programme(
        tiers=[{"from": "0", "rate": "1.7 %"}], grouping={"by": ["dealer", "product_line"]}, gates=gates, rounding={"per": "dealer"},
        settlement={"negative": "allowed"},
    )  # fmt: skip
    rows = [
        row(str(at), Decimal(cents).scaleb(-2), kind="return" if cents < 0 else "sale", product_line=line)
        for at, (cents, line) in enumerate(sold)
    ]
    results = run(rules, rows).results

    for name, exact in (
        ("earned", [result.due.earned for result in results]),
        ("entitled", [result.due.pays for result in results]),
        ("held", [result.due.held for result in results]),
    ):
        told = [getattr(result, name) for result in results]
        whole = exact_half_up(sum(exact, Fraction(0)), 2)
        assert abs(sum(told, Decimal(0)) - whole) <= (Decimal("0.01") if name == "held" else 0)
        assert all(abs(Fraction(now) - was) < Fraction(2, 100) for now, was in zip(told, exact, strict=True))
    assert all(result.balanced for result in results)
    assert all(0 <= result.entitled <= result.entitled + result.held <= result.earned for result in results if result.due.earned >= 0)

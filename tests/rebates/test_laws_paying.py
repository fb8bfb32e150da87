"""The invariants of what is paid, handed on and shown as properties, each through the public door."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from canonical.rounding import exact_half_up
from channel.rebates.reporting import document, lines
from channel.rebates.settling import schedule
from tests.rebates.drawing import CASH, METHODS, QUICK, SALES, ladders, rows_of
from tests.rebates.making import YEAR_END, one, paid, programme, row, run, table

INVOICES = st.lists(st.tuples(st.decimals(min_value=1, max_value=5_000, places=2), st.integers(0, 100)), min_size=1, max_size=5)


@QUICK
@given(INVOICES, st.sampled_from(["zero", "hold", "share"]), st.integers(0, 100), CASH)
def test_7_payments_open_gates_and_never_lower_what_is_paid(invoices: Any, otherwise: str, least: int, more: Decimal) -> None:
    gate = {"kind": "collection", "at_least": f"{least} %", "otherwise": otherwise, **({"share": "40 %"} if otherwise == "share" else {})}
    rules = programme(gates=[gate])
    rows = [row(f"S{at}", amount, document=f"I{at}", due_date="2026-02-15") for at, (amount, _) in enumerate(invoices)]
    rows += [
        row(f"P{at}", (amount * part / 100).quantize(Decimal("0.01")), kind="payment", applies_to=f"I{at}", date="2026-03-01")
        for at, (amount, part) in enumerate(invoices)
    ]
    before = one(rules, rows)
    after = one(rules, [*rows, row("P", more, kind="payment", applies_to="I0", date="2026-03-02")])
    reversed_ = one(rules, [*rows, row("P", -more, kind="payment", applies_to="I0", date="2026-03-02")])

    assert before.payable <= before.earned
    assert after.payable >= before.payable >= reversed_.payable
    assert before.earned == after.earned == reversed_.earned
    closed = exact_half_up(before.cell.rated * Fraction(2, 5), 2) if otherwise == "share" else Decimal(0)
    assert before.due.gates.passed or before.payable == closed


@QUICK
@given(SALES, ladders(), st.integers(0, 200), st.integers(0, 400), st.integers(1, 500), st.sampled_from(["first_come", "pro_rata"]))
def test_8_what_is_paid_is_between_floor_and_cap_and_within_the_budget(
    sales: Any, tiers: Any, floor: int, cap: int, budget: int, share: str
) -> None:
    assume(floor <= cap)
    rows = rows_of(sales)
    bounded = run(programme(tiers=tiers, limits={"floor": str(floor), "cap": {"amount": str(cap)}}), rows)
    for result in bounded.results:
        assert result.payable <= cap
        assert result.payable >= floor or result.cell.rated == 0
        assert result.payable <= result.earned
    within = run(programme(tiers=tiers, limits={"budget": {"amount": str(budget), "share": share, "per": "life"}}), rows)
    assert paid(within) <= budget
    free = paid(run(programme(tiers=tiers), rows))
    assert paid(within) == min(free, Decimal(budget)) or share == "first_come"


@QUICK
@given(SALES, ladders(), METHODS)
def test_9_partial_settlements_and_the_final_one_add_up_to_what_is_earned(sales: Any, tiers: Any, method: str) -> None:
    rules, rows = programme(method=method, tiers=tiers, calendar={"period": "quarter", "settle": "month"}), rows_of(sales)
    told = schedule([rules], table(rows), YEAR_END)
    for result in run(rules, rows).results:
        mine = [Decimal(step["payable"]) for step in told if (step["dealer"], step["period"]) == (result.dealer, result.span.name)]
        assert sum(mine, Decimal(0)) == result.earned
        assert all(part >= 0 for part in mine)  # without returns nothing is taken back


@QUICK
@given(SALES, ladders(), st.booleans())
def test_9_without_claw_back_nothing_negative_is_paid_and_the_surplus_is_carried(sales: Any, tiers: Any, claw_back: bool) -> None:  # noqa: FBT001  hypothesis gives it
    base = {"event": "invoice", "measure": "amount", "tax": "exclusive", "net_of": ["return"], "returns_in": "original_period"}
    rules = programme(
        tiers=tiers,
        base=base,
        calendar={"period": "quarter"},
        settlement={"claw_back": "true" if claw_back else "false"} if claw_back else {"claw_back": False},
    )
    rows = [row(f"S{at}", sale[0], date="2026-02-01") for at, sale in enumerate(sales)]
    first = one(rules, rows, as_of=date(2026, 3, 31))
    rows.append(row("settled", first.payable, kind="settlement", programme="core", period="2026Q1", date="2026-04-10"))
    rows.append(row("R", -Decimal(rows[0]["amount"]), kind="return", returns_of="S0", date="2026-05-01"))
    rows.append(row("N", sales[0][0], date="2026-05-02"))
    results = {result.span.name: result for result in run(rules, rows, as_of=date(2026, 6, 30)).results}
    surplus = results["2026Q1"].open

    assert surplus <= 0
    if claw_back:
        assert results["2026Q1"].payable == surplus
    else:
        assert results["2026Q1"].payable == 0
        assert results["2026Q2"].payable == max(Decimal(0), results["2026Q2"].open + surplus)


@QUICK
@given(CASH, st.integers(0, 30), st.booleans())
def test_15_gross_is_net_and_tax(entered: Decimal, rate: int, with_tax: bool) -> None:  # noqa: FBT001  hypothesis gives it
    (fact,) = table([row("a", **{"gross" if with_tax else "amount": entered}, tax_rate=f"{rate} %")]).facts
    assert fact.amount is not None
    assert fact.gross is not None
    tax = fact.gross - fact.amount

    assert (fact.gross if with_tax else fact.amount) == entered
    assert abs(Fraction(tax) - Fraction(fact.amount) * Fraction(rate, 100)) <= Fraction(1, 100)


@QUICK
@given(SALES, st.integers(0, 100))
def test_16_the_second_levels_shares_add_up_to_what_is_handed_on(sales: Any, percent: int) -> None:
    rows = [{**one_row, "customer": f"S{at % 4}"} for at, one_row in enumerate(rows_of(sales))]
    for result in run(programme(pass_through={"rate": f"{percent} %"}), rows).results:
        if result.passed_on:
            handed = (result.entitled * percent / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP")
            assert sum(result.passed_on.values()) == handed


MARKERS = ("COST-7731", "MARGIN-4417", "OTHER-DEALER", "OTHER-CUSTOMER", "其他经销商", "98765.43")


@QUICK
@given(SALES, st.sampled_from(["none", "parent", "all"]))
def test_17_a_dealers_answers_have_no_cost_no_margin_and_no_other_party(sales: Any, group: str) -> None:
    mine = [
        {**one_row, "dealer": "D1", "dealer_parent": "OTHER-DEALER", "cost": "COST-7731", "margin": "MARGIN-4417", "cost_price": "98765.43"}
        for one_row in rows_of(sales)
    ]
    theirs = [row("X1", "98765.43", dealer="OTHER-DEALER", customer="OTHER-CUSTOMER", dealer_parent="OTHER-DEALER", cost="COST-7731")]
    theirs.append(row("X2", "500", dealer="其他经销商", dealer_parent="OTHER-DEALER"))
    rules = programme(
        grouping={"group": group},
        participants={"all": True, "exclude": ["OTHER-DEALER-2"]},
        scope={"attributes": {"cost": ["COST-7731", "COST-0"]}},
        gates=[{"kind": "collection", "at_least": "0", "otherwise": "zero"}],
        limits={"budget": {"amount": "98765.43", "share": "pro_rata"}},
        accrual={"by": "rate", "rate": "7.731 %"},
        pass_through={"rate": "10 %"},
    )
    calculation = run(rules, [*mine, *theirs])
    told = json.dumps([document(calculation, "dealer", "D1"), list(lines(calculation, "dealer", "D1"))], ensure_ascii=False)

    assert [marker for marker in MARKERS if marker in told] == []
    assert "accrued" not in told


@QUICK
@given(SALES, ladders(), METHODS, st.integers(0, 300), st.integers(0, 300), st.sampled_from(["zero", "hold"]))
def test_the_identity_holds_whatever_was_settled_disputed_or_written_off(
    sales: Any, tiers: Any, method: str, settled: int, disputed: int, otherwise: str
) -> None:
    rules = programme(
        method=method,
        tiers=tiers,
        gates=[{"kind": "minimum_amount", "at_least": "500", "otherwise": otherwise}],
        limits={"cap": {"amount": "700"}},
    )
    rows = rows_of(sales)
    rows.append(row("s", settled, kind="settlement", programme="core", period="2026Q1"))
    rows.append(row("d", disputed, kind="settlement", programme="core", period="2026Q1", status="disputed"))
    rows.append(row("w", 3, kind="settlement", programme="core", period="2026Q1", status="forfeited"))
    for result in run(rules, rows).results:
        assert result.balanced
        assert result.entitled == result.booked.settled + result.open + result.booked.disputed + result.booked.forfeited

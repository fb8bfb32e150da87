"""Rules one by one, with the arithmetic written out."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from canonical.values import SHANGHAI
from channel.rebates.claiming import Balance, Claim, claims, input_vat
from channel.rebates.loading import load
from channel.rebates.programme import Programme
from channel.rebates.selecting import Dealer, Dealers
from channel.rebates.settling import schedule
from tests.rebates.making import PLAIN, YEAR_END, one, paid, programme, row, run, table

TWO = [{"from": "0", "to": "1000", "rate": "1 %"}, {"from": "1000", "rate": "2 %"}]


def by_dealer(rules: Programme, rows: list[dict[str, Any]], **options: Any) -> dict[str, str]:
    return {result.dealer: f"{result.payable:f}" for result in run(rules, rows, **options).results}


def test_a_group_is_rated_together_and_each_member_paid_its_part() -> None:
    rules = programme(tiers=TWO, grouping={"by": ["dealer"], "group": "parent"})
    rows = [row("1", 700, dealer="HQ"), row("2", 400, dealer="A", dealer_parent="HQ"), row("3", 400, dealer="B")]

    # HQ and A together are 1,100: 2 %. B alone is 400: 1 %
    assert by_dealer(rules, rows) == {"HQ": "14.00", "A": "8.00", "B": "4.00"}


def test_the_head_of_a_group_can_be_paid_for_all() -> None:
    rules = programme(tiers=TWO, grouping={"by": ["dealer"], "group": "parent", "pays": "head"})
    dealers = Dealers([Dealer("HQ"), Dealer("A", parent="HQ")])

    assert by_dealer(rules, [row("1", 700, dealer="HQ"), row("2", 400, dealer="A")], dealers=dealers) == {"HQ": "22.00"}


def test_a_marginal_group_is_shared_by_what_each_brought() -> None:
    rules = programme(method="marginal", tiers=TWO, grouping={"by": ["dealer"], "group": "all"})

    # 1,500: 1,000 x 1 % + 500 x 2 % = 20; 900 and 600 of 1,500
    assert by_dealer(rules, [row("1", 900, dealer="A"), row("2", 600, dealer="B")]) == {"A": "12.00", "B": "8.00"}


def stacked(name: str, order: int, rate: int, **said: Any) -> Programme:
    return programme(programme=name, tiers=[{"from": "0", "rate": f"{rate} %"}], stacking={"order": str(order), "base": "gross", **said})


def test_best_of_pays_only_the_programme_that_gives_most_and_the_beaten_lowers_nobody() -> None:
    rules = [
        stacked("low", 1, 10, mode="best_of", group="g"),
        stacked("high", 2, 12, mode="best_of", group="g"),
        stacked("after", 3, 10, base="net_of_earlier"),
    ]
    results = {result.programme.programme: result for result in run(rules, [row("1", 1000)]).results}

    assert {name: f"{result.payable:f}" for name, result in results.items()} == {"low": "0.00", "high": "120.00", "after": "88.00"}
    assert results["low"].cell.beaten_by == "high@1"
    assert results["low"].forfeited == Decimal("100.00")


def test_exclusive_skips_lines_that_already_earned() -> None:
    rules = [
        programme(
            programme="first",
            scope={"product_lines": ["泵"]},
            tiers=[{"from": "0", "rate": "5 %"}],
            stacking={"order": "1", "base": "gross"},
        ),
        stacked("second", 2, 10, mode="exclusive"),
    ]
    calculation = run(rules, [row("1", 1000, product_line="泵"), row("2", 400, product_line="阀")])

    assert {result.programme.programme: f"{result.payable:f}" for result in calculation.results} == {"first": "50.00", "second": "40.00"}
    assert [(decision.fact.id, decision.failed, decision.saw) for decision in calculation.decisions["second@1"] if decision.failed] == [
        ("1", "exclusive", "first@1")
    ]


def test_a_net_base_loses_what_earlier_programmes_gave_for_returned_lines_too() -> None:
    rules = [stacked("first", 1, 10), stacked("second", 2, 10, base="net_of_earlier")]
    rows = [row("1", 1000), row("2", -200, kind="return")]

    # 800 x 10 % = 80; (800 - 80) x 10 % = 72
    assert {result.programme.programme: f"{result.payable:f}" for result in run(rules, rows).results} == {
        "first": "80.00",
        "second": "72.00",
    }


def test_thresholds_of_a_period_partly_covered_are_lowered() -> None:
    valid = {"from": "2026-02-01", "to": "2027-01-01"}
    rows = [row("1", 700, date="2026-02-10")]

    assert one(programme(tiers=TWO, valid=valid), rows).payable == Decimal("7.00")
    assert one(programme(tiers=TWO, valid=valid, calendar={"period": "quarter", "prorate": "months"}), rows).payable == Decimal(
        "14.00"
    )  # from 666.67
    assert one(programme(tiers=TWO, valid=valid, calendar={"period": "quarter", "prorate": "days"}), rows).payable == Decimal(
        "14.00"
    )  # 59 of 90 days


def test_a_member_for_part_of_a_period_has_lower_thresholds_and_counts_only_then() -> None:
    rules = programme(
        tiers=TWO, calendar={"period": "quarter", "prorate": "months"}, participants={"members": [{"dealer": "D1", "from": "2026-03-01"}]}
    )
    result = one(rules, [row("1", 5000, date="2026-02-10"), row("2", 400, date="2026-03-10")])

    assert result.cell.own.pay_amount == 400
    assert result.cell.factor == Fraction(1, 3)
    assert result.payable == Decimal("8.00")  # 400 is above 1,000 / 3


def test_lines_can_weigh_more_for_the_tier_and_not_for_the_money() -> None:
    base = {**PLAIN["base"], "weights": [{"product_lines": ["重点"], "weight": "1.5"}]}
    rows = [row("1", 700, product_line="重点")]

    assert one(programme(tiers=TWO, base=base), rows).payable == Decimal("14.00")  # read 1,050, pays on 700
    base["weights"][0]["pay"] = True
    assert one(programme(tiers=TWO, base=base), rows).payable == Decimal("21.00")


def test_the_tier_can_be_read_on_more_than_what_pays() -> None:
    rules = programme(tiers=TWO, scope={"product_lines": ["泵"]}, tier_scope={"product_lines": ["泵", "阀"]})
    result = one(rules, [row("1", 600, product_line="泵"), row("2", 500, product_line="阀"), row("3", 9000, product_line="管")])

    assert result.payable == Decimal("12.00")  # tier by 1,100, 2 % of 600
    assert [(share.line.fact.id, f"{share.pays:f}") for share in result.shares] == [("1", "12.00")]


def test_a_fiscal_year_from_april() -> None:
    rules = programme(tiers=TWO, valid={"from": "2026-04-01", "to": "2027-04-01"}, calendar={"period": "quarter", "fiscal_start": "4"})
    results = run(rules, [row("1", 100, date="2026-06-30"), row("2", 100, date="2027-01-01")], as_of=date(2027, 3, 31)).results

    assert [(result.span.name, result.span.start.isoformat()) for result in results] == [("2026Q1", "2026-04-01"), ("2026Q4", "2027-01-01")]


def test_growth_over_the_period_before() -> None:
    growth = {"tier_on": "amount", "pays_on": "increment", "bands": "retroactive", "baseline": "previous_period"}
    rules = programme(method="growth", growth=growth, tiers=[{"from": "100", "rate": "10 %"}])
    results = {
        result.span.name: result
        for result in run(rules, [row("0", 400, date="2025-11-01"), row("1", 1000), row("2", 1050, date="2026-04-01")]).results
    }

    assert results["2026Q1"].payable == Decimal("60.00")  # 600 more
    assert results["2026Q2"].payable == 0
    assert results["2026Q2"].cell.earned.to_next == 50


@pytest.mark.parametrize(
    ("negative", "first", "second"), [("zero", "0.00", "20.00"), ("allowed", "-2.00", "20.00"), ("carried", "0.00", "18.00")]
)
def test_a_negative_rebate_is_zeroed_allowed_or_carried(negative: str, first: str, second: str) -> None:
    rules = programme(tiers=TWO, settlement={"negative": negative})
    rows = [row("1", 100), row("2", -300, kind="return"), row("3", 1000, date="2026-04-01")]

    assert [f"{result.payable:f}" for result in run(rules, rows).results] == [first, second]


def test_a_cap_over_the_year_counts_what_earlier_periods_took() -> None:
    rules = programme(tiers=[{"from": "0", "rate": "10 %"}], limits={"cap": {"amount": "150", "per": "year"}})
    rows = [row("1", 1000), row("2", 1000, date="2026-04-01"), row("3", 1000, date="2026-07-01")]

    assert [f"{result.payable:f}" for result in run(rules, rows).results] == ["100.00", "50.00", "0.00"]


def test_a_cap_can_be_a_share_of_the_base() -> None:
    rules = programme(method="total", tiers=TWO, limits={"cap": {"rate": "2.5 %"}})

    assert one(rules, [row("1", 2000)]).payable == Decimal("50.00")  # 3 % would be 60


def test_gates_multiply_and_what_is_held_is_what_the_others_leave() -> None:
    gates = [
        {"kind": "minimum_amount", "at_least": "5000", "otherwise": "share", "share": "50 %"},
        {"kind": "complaints", "at_most": "1", "otherwise": "hold"},
    ]
    rules = programme(tiers=TWO, gates=gates)
    rows = [row("1", 2000), row("c1", kind="complaint"), row("c2", kind="complaint")]
    result = one(rules, rows)

    assert (result.earned, result.entitled, result.held, result.forfeited) == (Decimal(40), Decimal(0), Decimal(20), Decimal(20))


def test_overdue_and_scores_are_gates_too() -> None:
    rows = [
        row("1", 1000, document="I1", due_date="2026-02-01"),
        row("p", 400, kind="payment", applies_to="I1", date="2026-02-01"),
        row("m1", kind="measure", measure="score", quantity="79"),
        row("m2", kind="measure", measure="score", quantity="81", date="2026-03-01"),
    ]
    late = programme(gates=[{"kind": "overdue_share", "at_most": "10 %", "otherwise": "zero", "grace_days": "5"}])
    score = programme(gates=[{"kind": "measure", "measure": "score", "at_least": "80", "otherwise": "zero"}])

    assert one(late, rows, as_of=date(2026, 2, 6)).due.gates.passed  # five days of grace
    assert one(late, rows, as_of=date(2026, 2, 7)).due.gates.results[0].value == 1  # all that is owed is late
    assert one(score, rows).due.gates.passed
    assert not one(score, rows, as_of=date(2026, 2, 28)).due.gates.passed


@pytest.mark.parametrize(("pays", "payable"), [("head", ["0.00"]), ("member", ["12.00", "0.00"])])
def test_who_is_paid_for_a_group_answers_for_its_complaints(pays: str, payable: list[str]) -> None:
    gate = {"kind": "complaints", "at_most": "0", "otherwise": "zero"}
    rules = programme(tiers=[{"from": "0", "rate": "2 %"}], grouping={"group": "parent", "pays": pays}, gates=[gate])
    rows = [row("1", 600), row("2", 600, dealer="D2", dealer_parent="D1"), row("c", kind="complaint", dealer="D2", date="2026-02-01")]

    assert [str(result.payable) for result in run(rules, rows).results] == payable


def test_a_line_counts_on_the_day_of_the_programmes_event() -> None:
    rows = [row("1", 1000, date="", order_date="2026-03-30", delivery_date="2026-04-02", invoice_date="")]

    def period(event: str) -> list[str]:
        return [result.span.name for result in run(programme(base={**PLAIN["base"], "event": event}), rows).results]

    assert [period(event) for event in ("order", "delivery", "invoice")] == [["2026Q1"], ["2026Q2"], []]


def test_sell_out_programmes_count_sell_out_only() -> None:
    rows = [row("1", 1000), row("2", 300, kind="sell_out")]

    assert one(programme(base={**PLAIN["base"], "event": "sell_out"}), rows).cell.own.pay_amount == 300
    assert one(programme(), rows).cell.own.pay_amount == 1000


def test_special_prices_earn_nothing() -> None:
    rules = programme(base={**PLAIN["base"], "exclude_price_kinds": ["特价"]})

    assert one(rules, [row("1", 1000, price_kind="特价"), row("2", 300, price_kind="标准价")]).cell.own.pay_amount == 300


def test_a_correction_is_a_new_revision_and_a_void_takes_back() -> None:
    rows = [row("1", 1000), row("1", 300, revision=2), row("2", 50), row("2", 50, revision=2, status="void")]

    assert one(programme(), rows).cell.own.pay_amount == 300


def test_the_late_window_keeps_facts_in_their_statement() -> None:
    rules = programme(tiers=TWO, calendar={"period": "quarter", "late_days": "5", "settle": "month"})
    rows = [row("1", 1000, date="2026-03-30", recorded_at="2026-04-05"), row("2", 500, date="2026-03-31", recorded_at="2026-04-06")]
    told = schedule([rules], table(rows), date(2026, 6, 30))

    assert [(step["on"], step["period"], step["payable"]) for step in told if step["payable"] != "0.00"] == [
        ("2026-03-31", "2026Q1", "20.00"),
        ("2026-04-30", "2026Q1", "10.00"),  # what came too late is in the next settlement
    ]
    later = next(result for result in run(rules, rows, as_of=date(2026, 6, 30)).results if result.span.name == "2026Q1")
    assert [(late.fact, late.reason) for late in later.late] == [("2", "late_line")]
    assert later.posts_in == "2026Q2"


def test_the_same_knowledge_gives_the_same_statement_forever() -> None:
    rules = programme(tiers=TWO)
    rows = [row("1", 1000, recorded_at="2026-01-16"), row("1", 10, revision=2, recorded_at="2026-05-01")]

    then = one(rules, rows, as_of=date(2026, 3, 31), known_at=datetime(2026, 4, 1, tzinfo=SHANGHAI))
    assert then.payable == Decimal("20.00")
    assert one(rules, rows).payable == Decimal("0.10")


def test_rounding_is_once_for_a_dealer_where_lines_are_rated_one_by_one() -> None:
    rules = programme(tiers=[{"from": "0", "rate": "1 %"}], grouping={"by": ["dealer", "line"]})
    each = programme(tiers=[{"from": "0", "rate": "1 %"}], grouping={"by": ["dealer", "line"]}, rounding={"per": "result"})
    rows = [row(str(at), "0.50") for at in range(10)]

    assert paid(run(rules, rows)) == Decimal("0.05")
    assert paid(run(each, rows)) == Decimal("0.10")


@pytest.mark.parametrize(
    ("base", "expected"),
    [("100.50", "1.01"), ("267.50", "2.68"), ("12.50", "0.13"), ("13.50", "0.14"), ("-100.50", "-1.01"), ("-12.50", "-0.13")],
)
def test_a_rebate_rounds_as_a_finance_person_expects(base: str, expected: str) -> None:
    rules = programme(tiers=[{"from": "0", "rate": "1 %"}], settlement={"negative": "allowed"})
    kind = "return" if base.startswith("-") else "sale"

    assert f"{one(rules, [row('1', base, kind=kind)]).payable:f}" == expected


def test_shares_of_a_percentage_and_an_amount_per_unit_follow_both() -> None:
    rules = programme(tiers=[{"from": "0", "rate": "10 %", "per_unit": "1"}])
    result = one(rules, [row("1", 100, quantity=10), row("2", 300, quantity=2)])

    # 40 of the 52 follow the amount (10 and 30), 12 the units (10 and 2)
    assert [f"{share.pays:f}" for share in result.shares] == ["20.00", "32.00"]


def test_a_fixed_amount_on_lines_without_amounts_is_shared_by_quantity() -> None:
    base = {**PLAIN["base"], "measure": "quantity"}
    result = one(programme(base=base, method="fixed", tiers=[{"from": "1", "amount": "30"}]), [row("1", quantity=1), row("2", quantity=2)])

    assert [f"{share.pays:f}" for share in result.shares] == ["10.00", "20.00"]


def claimed(text: dict[str, Any], rows: list[dict[str, Any]], as_of: date = YEAR_END) -> tuple[list[Claim], list[Balance]]:
    head = {name: PLAIN[name] for name in ("programme", "version", "name", "currency", "valid", "participants")}
    rules = load(json.dumps({**head, **text}), "claims.json").programme
    return claims(rules, table(rows), as_of=as_of)  # type: ignore[arg-type] # the file says its type


def test_price_protection_of_stock_computed_from_purchases_and_sell_out() -> None:
    rows = [
        row("b", kind="sale", product="P1", quantity=100, date="2026-01-02"),
        row("o", kind="sell_out", product="P1", quantity=70, date="2026-01-20"),
        {"id": "c", "kind": "price_change", "date": "2026-02-01", "product": "P1", "old_price": "800", "new_price": "700"},
    ]
    found, _ = claimed({"type": "price_protection", "stock": "computed"}, rows)

    # 30 left x (800 - 700): IBM RC24577
    assert [(str(claim.quantity), claim.payable) for claim in found] == [("30", Decimal(3000))]


def test_price_protection_of_a_snapshot_with_a_rate_and_a_window() -> None:
    rows = [
        row("k", kind="stock", product="P1", quantity=150, date="2026-02-01"),
        row("b", kind="sale", product="P1", quantity=100, date="2026-01-15"),
        {"id": "c", "kind": "price_change", "date": "2026-02-01", "product": "P1", "old_price": "5000", "new_price": "4200"},
    ]
    whole, _ = claimed({"type": "price_protection", "stock": "snapshot"}, rows)
    within, _ = claimed({"type": "price_protection", "stock": "lower", "window_days": "30", "rate": "50 %"}, rows)

    assert whole[0].payable == Decimal("120000.00")  # 150 x 800: claimds.com
    assert (within[0].payable, within[0].why) == (Decimal("40000.00"), "window")  # 100 x 800 x 50 %


def test_ship_and_debit_by_contract_price_up_to_its_quantity() -> None:
    contracts = [{"product": "P1", "price": "80", "quantity": "10"}, {"product": "P1", "customer": "终端甲", "price": "70"}]
    rows = [
        row("k1", kind="claim", product="P1", quantity=8, cost_price=100),
        row("k2", kind="claim", product="P1", quantity=8, cost_price=100, date="2026-02-01"),
        row("k3", kind="claim", product="P1", quantity=1, cost_price=100, customer="终端甲"),
        row("k4", kind="claim", product="P9", quantity=1, cost_price=100),
    ]
    found, _ = claimed({"type": "ship_and_debit", "formula": "difference", "contracts": contracts}, rows)

    assert {claim.fact: (f"{claim.payable:f}", claim.why) for claim in found} == {
        "k1": ("160.00", ""),
        "k2": ("40.00", "ceiling"),
        "k3": ("30.00", ""),
        "k4": ("0", "no_contract"),
    }


def test_a_granted_fund_carries_what_is_left() -> None:
    text = {"type": "fund", "granted": "1000", "share": "100 %", "unused": "carried", "calendar": {"period": "half"}}
    rows = [row("k1", 600, kind="claim", status="approved"), row("k2", 1300, kind="claim", status="paid", date="2026-08-01")]
    found, balances = claimed(text, rows)

    assert [f"{claim.payable:f}" for claim in found] == ["600.00", "1300.00"]
    assert [(balance.span.name, balance.brought, balance.left) for balance in balances] == [
        ("2026H1", Decimal(0), Decimal("400.00")),
        ("2026H2", Decimal("400.00"), Decimal("100.00")),
    ]


def test_input_vat_of_a_rebate_received() -> None:
    assert input_vat(Decimal(113000), Decimal("0.13")) == Decimal("13000.00")

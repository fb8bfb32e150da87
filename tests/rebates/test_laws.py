"""The invariants of what is earned as properties, each through the public door. Of what is paid: test_laws_paying.py."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from canonical.values import SHANGHAI
from channel.rebates.errors import BadProgramme
from channel.rebates.reporting import document, lines
from channel.rebates.selecting import Dealer, Dealers
from tests.rebates.drawing import CASH, CENT, METHODS, NONFALLING, QUICK, SALES, ladders, rows_of
from tests.rebates.making import earned, one, programme, row, run, written


@QUICK
@given(SALES, ladders(), METHODS)
def test_1_the_same_inputs_give_the_same_bytes_and_twice_adds_nothing(sales: Any, tiers: Any, method: str) -> None:
    rules, rows = programme(method=method, tiers=tiers), rows_of(sales)
    first = json.dumps(document(run(rules, rows)), ensure_ascii=False)

    assert json.dumps(document(run(rules, rows)), ensure_ascii=False) == first
    assert json.dumps(document(run(rules, [*rows, *rows])), ensure_ascii=False) == first


@QUICK
@given(SALES, st.randoms())
def test_2_the_order_of_facts_and_of_files_changes_nothing(sales: Any, chance: Any) -> None:
    rules = [
        programme(programme="a", stacking={"order": "1", "base": "gross"}),
        programme(programme="b", method="marginal", stacking={"order": "2", "base": "net_of_earlier"}),
    ]
    rows = rows_of(sales)
    first = json.dumps([document(run(rules, rows)), list(lines(run(rules, rows)))])
    chance.shuffle(rows)

    assert json.dumps([document(run(rules[::-1], rows)), list(lines(run(rules[::-1], rows)))]) == first


@QUICK
@given(SALES, ladders(), METHODS, st.lists(st.integers(0, 11), max_size=3, unique=True))
def test_3_line_shares_add_up_each_within_a_cent_with_the_sign_of_the_payable(sales: Any, tiers: Any, method: str, back: list[int]) -> None:
    rows = rows_of(sales)
    returned = [
        {**rows[at], "id": f"R{at}", "kind": "return", "amount": str(-Decimal(rows[at]["amount"]) / 2)} for at in back if at < len(rows)
    ]
    for result in run(programme(method=method, tiers=tiers), [*rows, *returned]).results:
        whole = sum((line.line.amount for line in result.shares), Fraction(0))
        if not whole:
            continue
        assert sum((share.pays for share in result.shares), Decimal(0)) == result.payable
        for share in result.shares:
            exact = Fraction(result.payable) * share.line.amount / whole
            assert abs(Fraction(share.pays) - exact) <= CENT
            assert share.pays == 0 or share.line.amount < 0 or (share.pays > 0) == (result.payable > 0)


@QUICK
@given(SALES, ladders(), METHODS, CASH)
def test_4_another_sale_never_lowers_what_is_earned(sales: Any, tiers: Any, method: str, more: Decimal) -> None:
    rules, rows = programme(method=method, tiers=tiers), rows_of(sales)

    assert earned(run(rules, [*rows, row("more", more)])) >= earned(run(rules, rows))


@QUICK
@given(CASH, CASH, ladders())
def test_5_marginal_is_continuous(base: Decimal, more: Decimal, tiers: Any) -> None:
    rules = programme(method="marginal", tiers=tiers)
    top = max(Fraction(Decimal(tier["rate"].removesuffix(" %")).scaleb(-2)) for tier in tiers)
    before, after = one(rules, [row("a", base)]), one(rules, [row("a", base), row("b", more)])

    assert after.cell.rated - before.cell.rated <= top * Fraction(more)


@QUICK
@given(st.integers(1, 10_000), st.integers(0, 100), st.integers(0, 100))
def test_5_the_jump_at_a_retroactive_threshold_is_the_difference_of_rates_on_it(edge: int, low: int, high: int) -> None:
    assume(low <= high)
    rules = programme(tiers=[{"from": "0", "to": str(edge), "rate": f"{low} %"}, {"from": str(edge), "rate": f"{high} %"}])
    at, below = one(rules, [row("a", edge)]), one(rules, [row("a", Decimal(edge) - Decimal("0.01"))])

    jump = at.cell.rated - below.cell.rated - Fraction(low, 100) * CENT
    assert jump == Fraction(high - low, 100) * edge


@QUICK
@given(SALES, ladders(), METHODS, st.integers(0, 11), st.integers(1, 100))
def test_6_a_return_never_raises_what_is_earned(sales: Any, tiers: Any, method: str, at: int, percent: int) -> None:
    rules, rows = programme(method=method, tiers=tiers), rows_of(sales)
    sold = rows[at % len(rows)]
    back = (Decimal(sold["amount"]) * percent / 100).quantize(Decimal("0.01"))
    returned = {**sold, "id": "R", "kind": "return", "amount": str(-back)}

    assert earned(run(rules, [*rows, returned])) <= earned(run(rules, rows))


@QUICK
@given(SALES, ladders(), st.sampled_from([*NONFALLING, "fixed"]), st.integers(0, 11))
def test_6_a_full_return_is_as_if_the_line_had_never_been(sales: Any, tiers: Any, method: str, at: int) -> None:
    if method == "fixed":
        tiers = [{"from": tier["from"], "amount": str(place * 10)} for place, tier in enumerate(tiers, 1)]
    rows = rows_of(sales)
    sold = rows[at % len(rows)]
    returned = {**sold, "id": "R", "kind": "return", "amount": str(-Decimal(sold["amount"]))}
    others = [other for other in rows if other is not sold]
    rules = programme(method=method, tiers=tiers)

    assert earned(run(rules, [*rows, returned])) == earned(run(rules, others))


@QUICK
@given(SALES, ladders(), METHODS, st.integers(0, 11), st.integers(0, 364))
def test_6_across_periods_a_return_into_the_original_period_is_as_if_never_sold(
    sales: Any, tiers: Any, method: str, at: int, later: int
) -> None:
    base = {"event": "invoice", "measure": "amount", "tax": "exclusive", "net_of": ["return"], "returns_in": "original_period"}
    rules, rows = programme(method=method, tiers=tiers, base=base), rows_of(sales)
    sold = rows[at % len(rows)]
    day = max(date.fromisoformat(sold["date"]), date(2026, 1, 1) + timedelta(days=later))
    returned = {
        **sold,
        "id": "R",
        "kind": "return",
        "amount": str(-Decimal(sold["amount"])),
        "date": day.isoformat(),
        "returns_of": sold["id"],
    }

    assert earned(run(rules, [*rows, returned])) == earned(run(rules, [other for other in rows if other is not sold]))


@QUICK
@given(SALES, ladders(), st.sampled_from(["marginal", "retroactive"]))
def test_10_read_per_scope_the_scopes_add_up(sales: Any, tiers: Any, method: str) -> None:
    rows = rows_of(sales)
    together = run(programme(method=method, tiers=tiers, grouping={"by": ["dealer", "product_line"]}), rows)
    apart = [run(programme(method=method, tiers=tiers, scope={"product_lines": [line]}), rows) for line in ("泵", "阀")]

    assert earned(together) == sum((earned(part) for part in apart), Decimal(0))


@QUICK
@given(SALES, ladders(), METHODS, st.integers(2, 1000))
def test_11_amounts_and_thresholds_times_k_earn_k_times_as_much(sales: Any, tiers: Any, method: str, k: int) -> None:
    rows = rows_of(sales)
    bigger = [{**one_row, "amount": str(Decimal(one_row["amount"]) * k)} for one_row in rows]
    higher = [{**tier, "from": str(int(tier["from"]) * k)} for tier in tiers]
    plain, scaled = run(programme(method=method, tiers=tiers), rows), run(programme(method=method, tiers=higher), bigger)

    assert [result.cell.rated * k for result in plain.results] == [result.cell.rated for result in scaled.results]


@QUICK
@given(SALES, ladders(), METHODS)
def test_11_the_currency_and_the_unit_of_the_facts_do_not_matter(sales: Any, tiers: Any, method: str) -> None:
    rows = [{**one_row, "currency": "CNY", "unit": "件", "quantity": "24"} for one_row in rows_of(sales)]
    foreign = [
        {**one_row, "currency": "USD", "amount": str(Decimal(one_row["amount"]) / 8), "unit": "箱", "quantity": "2"} for one_row in rows
    ]
    base = {"event": "invoice", "measure": "amount", "tax": "exclusive", "net_of": ["return"], "unit": "件", "units": {"箱": "12"}}
    rules = programme(method=method, tiers=tiers, base=base, fx={"date": "fixed", "rates": [{"currency": "USD", "rate": "8"}]})

    def told(rows: Any) -> list[tuple[Any, ...]]:
        return [(result.cell.rated, result.cell.own.pay_quantity) for result in run(rules, rows).results]

    assert told(rows) == told(foreign)


@QUICK
@given(st.integers(1, 10_000))
def test_12_from_qualifies_and_to_does_not(edge: int) -> None:
    tiers = [{"from": str(edge), "to": str(edge * 2), "rate": "1 %"}, {"from": str(edge * 2), "rate": "2 %"}]
    at_least, above = programme(tiers=tiers), programme(tiers=tiers, boundary="above")
    cent = Decimal("0.01")

    assert [one(at_least, [row("a", value)]).cell.earned.tier for value in (edge - cent, edge, 2 * edge - cent, 2 * edge)] == [
        None,
        0,
        0,
        1,
    ]
    assert [one(above, [row("a", value)]).cell.earned.tier for value in (edge, edge + cent, 2 * edge, 2 * edge + cent)] == [None, 0, 0, 1]


@QUICK
@given(ladders(), st.integers(0, 4), st.sampled_from(["gap", "overlap", "falling_rate"]))
def test_12_ladders_that_leave_out_cover_twice_or_fall_are_refused(tiers: Any, at: int, what: str) -> None:
    assume(len(tiers) > 1)
    place = at % (len(tiers) - 1)
    tier, after = tiers[place], tiers[place + 1]
    width = int(after["from"]) - int(tier["from"])
    assume(width > 1)
    match what:
        case "gap":
            tier["to"] = str(int(after["from"]) - 1)
        case "overlap":
            tier["to"] = str(int(after["from"]) + 1)
        case "falling_rate":
            tier["rate"], after["rate"] = "99 %", "98 %"
    with pytest.raises(BadProgramme) as refused:
        programme(tiers=tiers)

    assert what in {flaw.code for flaw in refused.value.flaws}


@QUICK
@given(SALES, ladders(), METHODS, st.integers(0, 364))
def test_13_what_becomes_known_later_changes_nothing_of_what_was_known(sales: Any, tiers: Any, method: str, day: int) -> None:
    rules = programme(method=method, tiers=tiers)
    rows = [{**one_row, "recorded_at": one_row["date"]} for one_row in rows_of(sales)]
    moment = datetime(2026, 1, 1, 23, 59, 59, 999_999, SHANGHAI) + timedelta(days=day)
    early = [one_row for one_row in rows if date.fromisoformat(one_row["recorded_at"]) <= moment.date()]
    corrected = [{**one_row, "revision": "2", "amount": "1", "recorded_at": "2027-01-05"} for one_row in early]

    then = document(run(rules, early, known_at=moment))
    assert document(run(rules, [*rows, *corrected], known_at=moment)) == then


@QUICK
@given(SALES, ladders())
def test_14_a_new_version_changes_no_period_of_the_old_one(sales: Any, tiers: Any) -> None:
    old = programme(valid={"from": "2026-01-01", "to": "2026-07-01"})
    new = programme(version="2", tiers=tiers, valid={"from": "2026-07-01", "to": "2027-01-01"})
    rows = rows_of(sales)
    alone = document(run(old, rows))["results"]
    both = document(run([old, new], rows))["results"]

    assert [result for result in both if result["version"] == 1] == alone


def test_dealers_of_a_file_decide_who_takes_part_on_which_day() -> None:
    dealers = Dealers(
        [
            Dealer("D1", grade="核心", region="310115", valid_to=date(2026, 2, 1)),
            Dealer("D1", grade="普通", region="310115", valid_from=date(2026, 2, 1)),
        ]
    )
    rules = programme(participants={"grades": ["核心"], "regions": ["31"]})

    result = one(rules, [row("a", 2000), row("b", 9000, date="2026-02-01")], dealers=dealers)
    assert result.cell.own.pay_amount == 2000


def test_a_programme_of_the_tests_is_readable_as_it_stands() -> None:
    assert '"method": "retroactive"' in written()

"""The board: scores, places, views and tags, through the public door."""

from __future__ import annotations

import json
import random
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel.performance.measuring import measure, window
from channel.performance.ranking import Entry, Subject, places, quartiles
from channel.performance.reporting import dealer_view, document
from channel.performance.scorecard import Point
from channel.performance.scoring import points_at
from channel.performance.snapshots import snapshot
from tests.performance.making import LINE, YEAR_END, board, card, row, table, yearly

BOARD = [
    *yearly("D1", 800, 720),
    *yearly("D2", 500, 280),
    *yearly("D3", 300, 320),
    *(row(f"P-{dealer}-{at}", "project", dealer=dealer) for dealer, count in (("D1", 25), ("D2", 12), ("D3", 18)) for at in range(count)),
]


def test_the_published_board_of_three_dealers() -> None:
    rows = {row.subject.dealer: row for row in board(card(), BOARD).rows}

    assert [rows[one].measured.kpis["new_projects"].value for one in ("D1", "D2", "D3")] == [25, 12, 18]
    completion = [rows[one].measured.kpis["target_completion"].value for one in ("D1", "D2", "D3")]
    assert completion == [Fraction(9, 10), Fraction(56, 100), Fraction(320, 300)]
    assert [rows[one].place for one in ("D1", "D2", "D3")] == [2, 3, 1]


def test_the_published_score_of_two_equal_weights() -> None:
    # support.dsco.io, configuring a scorecard: half of 95 % and half of 99 % are 97 %
    straight = [{"at": "0 %", "points": "0"}, {"at": "100 %", "points": "100"}]
    rules = card(kpis=[{"kpi": code, "weight": "50", "curve": straight} for code in ("attended_of_invited", "training_passed")])
    rows = [row("A", "activity", invited=100, attended=95), row("T", "training", required=100, passed=99)]

    assert board(rules, rows).rows[0].score.total == 97


def test_a_target_is_spread_by_days_by_last_years_season_or_not_at_all() -> None:
    rows = [*yearly("D1", 365, 100), row("O1", "sale", 300, date="2025-02-01"), row("O2", "sale", 100, date="2025-11-01")]
    until = date(2026, 6, 30)

    def target(how: Any) -> Fraction | None:
        return measure(table(rows).facts, window("year", until), how).kpis["target_completion"].denominator

    assert target("even") == 181
    assert target("last_year") == Fraction(365 * 3, 4)
    assert target("none") == 365


def test_money_figures_of_an_account() -> None:
    rows = [
        row("I1", "invoice", 100, document="A", date="2026-05-01", due_date="2026-05-31"),
        row("I2", "invoice", 300, document="B", date="2026-06-01", due_date="2026-06-10"),
        row("I3", "invoice", 600, document="C", date="2026-06-20", due_date="2026-07-20"),
        row("P1", "payment", 100, applies_to="A", date="2026-05-21"),
        row("P2", "payment", 100, applies_to="B", date="2026-06-25"),
        row("P3", "payment", 200, applies_to="B", date="2026-07-25"),
        row("C1", "credit_note", 50, applies_to="C", date="2026-06-21"),
    ]
    found = measure(table(rows).facts, window("quarter", date(2026, 6, 30)))

    assert found.kpis["collection_rate"].value == Fraction(200, 400)
    assert found.kpis["days_to_pay"].value == 20
    assert (found.overdue.receivable, found.overdue.overdue, found.overdue.invoices) == (Fraction(750), Fraction(200), 1)
    assert {name for name, amount in found.overdue.buckets.items() if amount} == {"1-30"}
    assert found.kpis["overdue_share"].evidence == ("I2",)
    assert found.kpis["dso"].value == Fraction(750, 2) * 91 / 1000
    assert found.kpis["dso_count_back"].value == Fraction(750, 900) * 30


@pytest.mark.parametrize(
    ("as_of", "before", "day_after"),
    [("2026-05-10", "2025-05-10", "2025-05-11"), ("2028-02-28", "2027-02-28", "2027-03-01"), ("2028-02-29", "2027-02-28", "2027-03-01"),
     ("2029-02-28", "2028-02-29", "2028-03-01")],
)  # fmt: skip
def test_growth_is_against_the_same_days_of_last_year(as_of: str, before: str, day_after: str) -> None:
    rows = [row("S1", "sale", 150, date=as_of), row("S2", "sale", 100, date=before), row("S3", "sale", 900, date=day_after)]
    growth = measure(table(rows).facts, window("month", date.fromisoformat(as_of))).kpis["sales_growth"]

    assert (growth.numerator, growth.denominator) == (Fraction(50), Fraction(100))


def test_what_comes_after_the_cut_off_changes_nothing() -> None:
    until = date(2026, 6, 30)
    later = [
        row("L1", "sale", 5000, date="2026-07-01"),
        row("L2", "project", date="2026-07-01"),
        row("L3", "payment", 1, date="2026-07-01"),
    ]

    def told(rows: list[dict[str, str]]) -> Any:
        return {**document(board(card(), rows, as_of=until)), "facts_hash": ""}

    assert told(BOARD) == told([*BOARD, *later])


def test_more_than_30_percent_of_the_weight_without_a_value_is_not_ranked() -> None:
    def kpis(weight: str) -> list[dict[str, Any]]:
        return [
            {"kpi": "target_completion", "weight": str(100 - int(weight)), "curve": LINE},
            {"kpi": "collection_rate", "weight": weight, "curve": LINE},
        ]

    at_limit, beyond = (board(card(kpis=kpis(weight)), yearly("D1", 100, 100)).rows[0] for weight in ("30", "31"))

    assert (at_limit.score.ranked, at_limit.place, at_limit.score.total) == (True, 1, Fraction(80))
    assert (beyond.score.ranked, beyond.place) == (False, None)
    told = document(board(card(kpis=kpis("31")), yearly("D1", 100, 100)))["results"][0]
    assert "31 %" in told["why_unranked"]["zh"]
    assert "left out" in told["kpis"][1]["trace"]["en"]


def test_floor_and_deductions() -> None:
    rules = card(
        kpis=[{"kpi": "target_completion", "weight": "1", "curve": LINE, "zero_below": "60 %"}],
        deductions=[{"name": "窜货", "kpi": "cross_region", "each": "1", "points": "5", "most": "12"}],
    )
    crossed = [row(f"X{at}", "cross_region", status="confirmed") for at in range(3)]
    good, poor = (board(rules, [*yearly("D1", 100, sold), *crossed]).rows[0].score for sold in (100, 59))

    assert good.total == 80 - 12
    assert (poor.kpis[0].floored, poor.total) == (True, Fraction(0))


def test_ties_go_by_target_completion_then_margin_then_dealer() -> None:
    one = Fraction(1)
    entries = [
        Entry(("D4", ""), ("A",), one, None, one),
        Entry(("D3", ""), ("A",), one, one, one),
        Entry(("D2", ""), ("A",), one, one, one),
        Entry(("D1", ""), ("A",), one, one, None),
        Entry(("D5", ""), ("A",), one, one * 2, None),
        Entry(("D6", ""), ("A",), None, one * 9, None),
        Entry(("D7", ""), ("B",), Fraction(0), None, None),
    ]

    assert places(entries) == {("D5", ""): 1, ("D2", ""): 2, ("D3", ""): 3, ("D1", ""): 4, ("D4", ""): 5, ("D7", ""): 1}


FRACTIONS = st.fractions(min_value=-5, max_value=5, max_denominator=20)
CURVES = st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 100)), min_size=2, max_size=6, unique_by=lambda one: one[0]).map(
    lambda pairs: [
        Point(at=Decimal(at) / 10, points=Decimal(points))
        for at, points in zip(sorted(at for at, _ in pairs), sorted(points for _, points in pairs), strict=True)
    ]
)


@given(CURVES, FRACTIONS, FRACTIONS)
def test_law_a_rising_curve_is_monotone_and_capped(curve: list[Point], one: Fraction, other: Fraction) -> None:
    low, high = sorted((one, other))

    assert points_at(curve, low) <= points_at(curve, high)
    assert Fraction(curve[0].points) <= points_at(curve, low) <= Fraction(curve[-1].points)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)), max_size=12), st.randoms(use_true_random=False))
def test_law_places_do_not_depend_on_order_and_are_1_to_n(figures: list[tuple[int, int, int]], shuffler: random.Random) -> None:
    entries = [
        Entry((f"D{at:02}", ""), (str(at % 2),), Fraction(score), Fraction(completion), Fraction(margin))
        for at, (score, completion, margin) in enumerate(figures)
    ]
    shuffled = list(entries)
    shuffler.shuffle(shuffled)

    found = places(shuffled)
    assert found == places(entries)
    for group in ("0", "1"):
        mine = sorted(found[entry.key] for entry in entries if entry.group == (group,))
        assert mine == list(range(1, len(mine) + 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_law_a_board_does_not_depend_on_the_order_of_rows_and_scores_are_capped(sold: list[int], shuffler: random.Random) -> None:
    rows = [one for at, amount in enumerate(sold) for one in yearly(f"D{at}", 100, amount)]
    shuffled = list(rows)
    shuffler.shuffle(shuffled)

    assert document(board(card(), rows)) == document(board(card(), shuffled))
    assert all(0 <= (one.score.total or 0) <= 100 for one in board(card(), rows).rows)


MARKERS = ("731925846", "别家机密经销商", "SECRET-DOC-77", "918273645")


@pytest.mark.parametrize("scored", ["target_completion", "margin_rate"])
def test_a_dealers_view_holds_no_margin_no_cost_and_no_other_dealer(scored: str) -> None:
    rows = [
        *yearly("D1", 4000, 2000, cost=1357, project="P1"),
        row("R1", "rebate", 91),
        *(one for at in range(6) for one in yearly(f"{MARKERS[1]}{at}", MARKERS[0], MARKERS[3], cost=MARKERS[0])),
        row(MARKERS[2], "complaint", dealer=f"{MARKERS[1]}1", status="valid"),
    ]
    rules = card(
        kpis=[{"kpi": "target_completion", "weight": "9", "curve": LINE}, {"kpi": scored, "weight": "1", "curve": LINE}]
        if scored != "target_completion"
        else None or card().model_dump(mode="json", by_alias=True)["kpis"],
        tags=[
            {"tag": "t", "kind": "risk", "name": "x", "when": "any", "clean": "1", "conditions": [{"kpi": "sales_growth", "below": "0"}]}
        ],
    )
    made = board(rules, rows)
    raw = json.dumps(dealer_view(made, "D1"), ensure_ascii=False)

    assert "D1" in raw
    for marker in (*MARKERS, "margin", "毛利", "1357", "552", "0.276", "tags", made.facts_hash):
        assert marker not in raw
    told = dealer_view(made, "D1")["results"]
    assert [one["dealer"] for one in told] == ["D1"]
    assert (told[0]["place"], told[0]["of"]) == (7, 7)
    if rules.management:
        assert {"score", "quartiles", "driver", "parts"} & set(told[0]) == set()
        assert all("points" not in one for one in told[0]["kpis"])
    else:
        assert told[0]["quartiles"] == ["100", "100", "100"]


def test_quartiles_of_fewer_than_five_would_be_single_dealers() -> None:
    assert quartiles([Fraction(1)] * 4) is None
    assert quartiles([Fraction(one) for one in (10, 20, 30, 40, 50)]) == (Fraction(20), Fraction(30), Fraction(40))


def test_margin_share_is_of_all_dealers_and_unknown_when_one_is() -> None:
    rows = [*yearly("D1", 1, 100, cost=40), *yearly("D2", 1, 100, cost=80)]
    known = {one.subject.dealer: one.measured.kpis["margin_share"].value for one in board(card(), rows).rows}
    unknown = board(card(), [*rows, *yearly("D3", 1, 100)]).rows

    assert known == {"D1": Fraction(3, 4), "D2": Fraction(1, 4)}
    assert [one.measured.kpis["margin_share"].value for one in unknown] == [None] * 3


def test_a_line_for_which_a_dealer_is_not_on_the_board_is_told_to_count_nowhere() -> None:
    who = [Subject("D1", product_line="泵"), Subject("D2")]
    rows = [row("A", "sale", 5, product_line="阀"), row("B", "sale", 5), row("C", "sale", 5, dealer="D2", product_line="阀")]

    assert document(board(card(), rows, who))["uncounted"] == [{"dealer": "D1", "product_line": "阀", "facts": 1}]


def test_peer_groups_are_grade_region_and_product_line() -> None:
    who = [
        Subject("D1", grade="A", region="310101", product_line="阀门"),
        Subject("D1", grade="A", region="310101", product_line="泵"),
        Subject("D2", grade="A", region="310115", product_line="阀门"),
        Subject("D3", grade="B", region="310115", product_line="阀门"),
    ]
    rows = [
        *yearly("D1", 100, 90, product_line="阀门"), row("S9", "sale", 20, product_line="泵"),
        *yearly("D2", 100, 100), *yearly("D3", 100, 50),
    ]  # fmt: skip
    found = {one.subject.key: (one.group, one.place, one.of) for one in board(card(), rows, who).rows}

    assert found == {
        ("D1", "阀门"): (("A", "31", "阀门"), 2, 2),
        ("D2", "阀门"): (("A", "31", "阀门"), 1, 2),
        ("D1", "泵"): (("A", "31", "泵"), 1, 1),
        ("D3", "阀门"): (("B", "31", "阀门"), 1, 1),
    }


def test_the_driver_is_the_figure_whose_part_changed_most_and_last_places_stand_beside() -> None:
    projects = {"kpi": "new_projects", "weight": "10", "curve": [{"at": "0", "points": "0"}, {"at": "10", "points": "100"}]}
    rules = card(kpis=[{"kpi": "target_completion", "weight": "10", "curve": LINE}, projects], target="none")
    rows = [*yearly("D1", 800, 400, date="2026-03-01"), *yearly("D2", 800, 600, date="2026-03-01")]
    first = board(rules, rows, as_of=date(2026, 6, 30))
    before = snapshot(json.dumps(document(first)).encode(), rules, YEAR_END)
    later = [row("S2", "sale", 400, date="2026-08-01"), row("N1", "project", date="2026-08-01")]
    found = {one.subject.dealer: one for one in board(rules, [*rows, *later], previous=before).rows}

    assert (found["D1"].place, found["D1"].previous and found["D1"].previous.place) == (1, 2)
    assert found["D1"].driver is not None
    assert (found["D1"].driver.code, found["D1"].driver.change) == ("target_completion", Fraction(40))
    assert found["D2"].driver is None

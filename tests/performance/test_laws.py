"""Laws of tags and places: two limits never chatter, missing data moves nothing, and a better figure never costs a place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel.performance.kpis import Kpi, ratio
from channel.performance.ranking import Entry, driver, places, quartiles
from channel.performance.reporting import of_tag
from channel.performance.scorecard import TagRule
from channel.performance.snapshots import snapshot
from channel.performance.tags import Tag, step
from channel.rebates.periods import add_months
from tests.performance.making import card

FIRST = date(2020, 1, 31)
LEVELS = {"in": 11, "between": 9, "clean": 8, "unknown": None}
"""Overdue in per cent, against an in limit of 10 and an out limit of 8."""
Course = st.lists(st.sampled_from(sorted(LEVELS)), min_size=1, max_size=30)
Rules = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 4))


def rule(periods: int, clean: int, stay: int) -> TagRule:
    """A tag that comes after `periods` and goes after `clean` months; its evidence does not age here."""
    condition = {"kpi": "overdue_share", "above": "10 %", "clear": "8 %", "periods": str(periods)}
    plain = {"tag": "late", "kind": "risk", "name": "风险客户", "when": "any", "conditions": [condition], "expires": "60"}
    return TagRule.model_validate({**plain, "clean": str(clean), "stay": str(stay)})


def figure(level: str, at: date) -> Kpi:
    percent = LEVELS[level]
    return ratio("overdue_share", Fraction(percent) if percent is not None else None, Fraction(100), at, ["I1"])


def course(rules: TagRule, levels: Sequence[str]) -> list[Tag]:
    tag: Tag | None = None
    found = []
    for months, level in enumerate(levels):
        at = add_months(FIRST, months)
        tag = step(rules, tag, {"overdue_share": figure(level, at)}, {}, at)
        found.append(tag)
    return found


def told_by_hand(periods: int, clean: int, stay: int, levels: Sequence[str]) -> list[bool]:
    """The same from the words of the rule alone: a run of months in brings it, a run of clean ones takes it when it stayed long enough."""
    on, found, run_in, run_clean, stayed = False, [], 0, 0, 0
    for level in levels:
        run_in = run_in + 1 if level == "in" else run_in if level == "unknown" else 0
        run_clean = run_clean + 1 if level == "clean" else 0
        stayed += 1
        if not on and level == "in" and run_in >= periods:
            on, stayed, run_clean = True, 0, 0
        elif on and run_clean >= clean and stayed >= stay:
            on = False
        found.append(on)
    return found


@given(Rules, Course)
def test_law_a_tag_is_on_as_the_words_of_its_rule_say(numbers: tuple[int, int, int], levels: list[str]) -> None:
    assert [tag.on for tag in course(rule(*numbers), levels)] == told_by_hand(*numbers, levels)


@given(Rules, Course)
def test_law_between_the_limits_and_without_data_nothing_changes(numbers: tuple[int, int, int], levels: list[str]) -> None:
    found = course(rule(*numbers), levels)

    for at in range(1, len(levels)):
        if levels[at] in ("between", "unknown"):
            assert found[at].on == found[at - 1].on
        if found[at].on != found[at - 1].on:
            assert levels[at] == ("in" if found[at].on else "clean")


@given(Rules, Course)
def test_law_a_tag_changes_at_most_once_in_as_many_months_as_its_rule_names(numbers: tuple[int, int, int], levels: list[str]) -> None:
    periods, clean, stay = numbers
    on = [False, *(tag.on for tag in course(rule(*numbers), levels))]
    turns = [at for at in range(1, len(on)) if on[at] != on[at - 1]]

    for one, after in pairwise(turns):
        assert after - one >= (max(clean, stay) if on[one] else 1)
    assert not turns or turns[0] >= periods


@settings(max_examples=40)
@given(Rules, Course, st.integers(0, 29))
def test_law_a_tag_that_is_handed_on_in_a_document_goes_on_as_if_it_had_not_been(
    numbers: tuple[int, int, int], levels: list[str], cut: int
) -> None:

    rules, cut = rule(*numbers), min(cut, len(levels) - 1)
    whole = course(rules, levels)
    row: dict[str, Any] = {"dealer": "D1", "product_line": "", "place": 1, "score": "1", "parts": {}, "tags": [of_tag(whole[cut])]}
    told = {"scorecard": "health", "version": 1, "as_of": add_months(FIRST, cut).isoformat(), "results": [row]}
    kept = snapshot(json.dumps(told).encode(), card(), date(2030, 1, 1)).standings["D1", ""].tags["late"]

    tag = kept
    for months in range(cut + 1, len(levels)):
        at = add_months(FIRST, months)
        tag = step(rules, tag, {"overdue_share": figure(levels[months], at)}, {}, at)
    assert (tag.on, tag.since, tag.stayed, tag.clean, tag.streaks) == (
        whole[-1].on, whole[-1].since, whole[-1].stayed, whole[-1].clean, whole[-1].streaks,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "on"), [("risk", False), ("growth", True)])
def test_nothing_owed_is_clean_for_a_risk_and_says_nothing_of_growth(kind: str, on: bool) -> None:  # noqa: FBT001  pytest names it
    rules = rule(1, 2, 0).model_copy(update={"kind": kind})
    tag = step(rules, None, {"overdue_share": figure("in", FIRST)}, {}, FIRST)
    for months in (1, 2):
        at = add_months(FIRST, months)
        tag = step(rules, tag, {"overdue_share": ratio("overdue_share", Fraction(0), Fraction(0), at)}, {}, at)

    assert tag.on is on


Figures = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 5), st.integers(0, 3) | st.none()), min_size=1, max_size=12)


def entries(figures: Sequence[tuple[str, int, int | None]]) -> list[Entry]:
    return [
        Entry((f"D{at:02}", ""), (group,), Fraction(score), Fraction(completion) if completion is not None else None, None)
        for at, (group, score, completion) in enumerate(figures)
    ]


@given(Figures, st.integers(0, 11), st.integers(1, 5))
def test_law_a_better_score_never_costs_a_place_and_leaves_the_others_in_their_order(
    figures: list[tuple[str, int, int | None]], at: int, more: int
) -> None:
    at = min(at, len(figures) - 1)
    mine = f"D{at:02}", ""
    group, score, completion = figures[at]
    better = [*figures[:at], (group, score + more, completion), *figures[at + 1 :]]

    before, after = places(entries(figures)), places(entries(better))

    assert after[mine] <= before[mine]
    others = [one for one in before if one != mine and figures[int(one[0][1:])][0] == group]
    assert sorted(others, key=before.__getitem__) == sorted(others, key=after.__getitem__)
    assert all(before[one] == after[one] for one in before if figures[int(one[0][1:])][0] != group)


@given(st.lists(st.fractions(0, 100), max_size=20))
def test_law_quartiles_lie_in_order_within_their_group_and_tell_no_small_one(scores: list[Fraction]) -> None:
    found = quartiles(scores)

    assert (found is None) == (len(scores) < 5)
    if found is not None:
        assert min(scores) <= found[0] <= found[1] <= found[2] <= max(scores)


Parts = st.dictionaries(st.sampled_from(["a", "b", "c", "-d"]), st.fractions(-50, 50))


@given(Parts, Parts)
def test_law_the_driver_is_the_largest_change_and_none_only_where_nothing_changed(
    now: dict[str, Fraction], before: dict[str, Fraction]
) -> None:
    found = driver(now, before)
    changes = [abs(now.get(code, Fraction(0)) - before.get(code, Fraction(0))) for code in {*now, *before}]

    assert (found is None) == (not any(changes))
    assert found is None or abs(found.change) == max(changes)

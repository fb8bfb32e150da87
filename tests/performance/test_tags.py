"""Tags: hysteresis, a shortest stay, evidence, missing data; and those given by hand."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from canonical.values import BadValue
from channel.performance.kpis import Kpi, ratio
from channel.performance.reporting import document
from channel.performance.scorecard import TagRule
from channel.performance.snapshots import snapshot
from channel.performance.tags import ManualTag, Tag, step
from channel.rebates.periods import add_months
from tests.performance.making import board, card, row, yearly

FIRST = date(2026, 1, 31)


def rule(**changes: Any) -> TagRule:
    plain = {
        "tag": "late", "kind": "risk", "name": "风险客户", "when": "any", "clean": "3",
        "conditions": [{"kpi": "overdue_share", "above": "10 %", "clear": "8 %", "periods": "2"}],
    }  # fmt: skip
    return TagRule.model_validate({**plain, **changes})


def overdue(percent: int | None, at: date) -> Kpi:
    return ratio("overdue_share", Fraction(percent) if percent is not None else None, Fraction(100), at, ["I1"])


def course(rules: TagRule, percents: list[int | None]) -> list[bool]:
    """Whether the tag is on after each month end."""
    tag: Tag | None = None
    found = []
    for months, percent in enumerate(percents):
        at = add_months(FIRST, months)
        tag = step(rules, tag, {"overdue_share": overdue(percent, at)}, {}, at)
        found.append(tag.on)
    return found


@pytest.mark.parametrize(
    ("percents", "on"),
    [
        pytest.param([11, 9, 11], "000", id="two month ends in a row"),
        pytest.param([11, 11, 9, 9, 9, 9], "011111", id="between the limits nothing changes"),
        pytest.param([11, 11, 8, 8, 8], "01110", id="three clean months"),
        pytest.param([11, 11, 8, 8, 9, 8, 8, 8], "01111110", id="clean months in a row"),
        pytest.param([10, 10, 10], "000", id="at the limit is not above"),
        pytest.param([11, None, 11], "001", id="missing data holds the count"),
        pytest.param([11, 11, None, None, None, None], "011111", id="missing data takes no tag away"),
    ],
)  # fmt: skip
def test_a_tag_comes_and_goes_by_two_limits(percents: list[int | None], on: str) -> None:
    assert "".join("1" if one else "0" for one in course(rule(), percents)) == on


def test_a_tag_stays_for_its_shortest_stay() -> None:
    assert course(rule(clean="1", stay="3"), [11, 11, 0, 0, 0, 0]) == [False, True, True, True, False, False]


def test_evidence_that_is_not_found_again_expires() -> None:
    assert course(rule(expires="2"), [11, 11, 9, 9, 9]) == [False, True, True, False, False]


def test_a_tag_has_its_figure_limit_and_facts_as_evidence() -> None:
    at = add_months(FIRST, 1)
    first = step(rule(), None, {"overdue_share": overdue(20, FIRST)}, {}, FIRST)
    found = step(rule(), first, {"overdue_share": overdue(30, at)}, {}, at)

    assert (found.on, found.since) == (True, at)
    assert [(one.kpi.value, one.limit, one.facts) for one in found.evidence] == [(Fraction(3, 10), Fraction(1, 10), ("I1",))]


def test_above_peers_needs_five_of_them() -> None:
    rules = rule(conditions=[{"kpi": "overdue_share", "above_peer": "90 %"}])
    figures = {"overdue_share": overdue(50, FIRST)}
    peers = [Fraction(at, 100) for at in (1, 2, 3, 50)]

    assert not step(rules, None, figures, {"overdue_share": peers}, FIRST).on
    assert step(rules, None, figures, {"overdue_share": [*peers, Fraction(4, 100)]}, FIRST).on


def test_a_growth_tag_needs_all_its_conditions() -> None:
    growth = {
        "tag": "growing", "kind": "growth", "name": "重点扶持", "when": "all", "clean": "1",
        "conditions": [{"kpi": "sales_growth", "above": "20 %"}, {"kpi": "attended_of_invited", "above": "80 %"}],
    }  # fmt: skip
    rows = [*yearly("D1", 100, 150), row("O1", "sale", 100, date="2025-05-15")]
    keen = row("A1", "activity", invited=10, attended=9)
    lazy = row("A1", "activity", invited=10, attended=8)

    assert [board(card(tags=[growth]), [*rows, one]).rows[0].tags[0].on for one in (keen, lazy)] == [True, False]


def test_tags_go_on_from_the_document_of_the_last_cut_off() -> None:
    rules = card(tags=[rule().model_dump(mode="json", exclude_none=True)])
    rows = [row("I1", "invoice", 100, document="A", date="2026-01-01", due_date="2026-01-10")]
    first = board(rules, rows, as_of=FIRST)
    second = board(rules, rows, as_of=add_months(FIRST, 1), previous=snapshot(_raw(first), rules, add_months(FIRST, 1)))
    third = board(rules, rows[:1], as_of=add_months(FIRST, 2), previous=snapshot(_raw(second), rules, add_months(FIRST, 2)))

    assert [one.rows[0].tags[0].on for one in (first, second, third)] == [False, True, True]
    assert third.rows[0].tags[0].since == date(2026, 2, 28)
    assert third.rows[0].tags[0].evidence[0].facts == ("I1",)


def _raw(made: Any) -> bytes:
    return json.dumps(document(made)).encode()


@pytest.mark.parametrize("empty", ["reason", "owner", "tag", "dealer"])
def test_a_tag_given_by_hand_needs_a_reason_and_an_owner(empty: str) -> None:
    said = {"dealer": "D1", "tag": "watch", "reason": "诉讼", "owner": "王芳", empty: " "}

    with pytest.raises(BadValue, match=empty):
        ManualTag(**said, since=FIRST, expires=date(2026, 6, 1))
    with pytest.raises(BadValue, match="not after"):
        ManualTag("D1", "watch", "诉讼", "王芳", FIRST, FIRST)

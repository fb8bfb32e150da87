"""Scorecards, facts, stock and earlier results that cannot be: refused whole, with line and fix."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from channel.performance.errors import BadFacts, BadScorecard, Flaw
from channel.performance.loading import load
from channel.performance.snapshots import snapshot
from hub_cli.group import hub
from tests.performance.making import YEAR_END, board, card, row, table, yearly

GOOD = """\
scorecard: health
version: 1
name: {zh: 健康分, en: Health}
currency: CNY
valid: {from: 2026-01-01, to: 2027-01-01}
period: year
kpis:
  - kpi: target_completion
    weight: 50
    curve:
      - {at: 50 %, points: 0}
      - {at: 100 %, points: 80}
      - {at: 120 %, points: 100}
tags:
  - tag: late
    kind: risk
    name: 风险
    when: any
    clean: 3
    conditions:
      - {kpi: overdue_share, above: 10 %, clear: 8 %}
"""


def test_the_good_one_is_taken_and_its_hash_is_of_what_it_says() -> None:
    assert load(GOOD.encode()).hash == load("\ufeff" + GOOD.replace("50 %", "0.50") + "# a comment\n").hash
    assert load(GOOD).hash != load(GOOD.replace("weight: 50", "weight: 51")).hash


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("period: year\n", "", "missing", 1),
        ("period: year", "period: yearly", "unknown_word", 6),
        ("kpi: target_completion", "kpi: target_complete", "unknown_kpi", 8),
        ("weight: 50", "wieght: 50", "unknown_field", 9),
        ("weight: 50", "weight: 0", "bad_value", 9),
        ("weight: 50", "weight: 5e1", "bad_value", 9),
        ("points: 100", "points: 101", "bad_value", 13),
        ("at: 120 %", "at: 100 %", "order", 13),
        ("points: 100", "points: 70", "not_monotone", 10),
        ("    curve:", "    zero_above: 130 %\n    curve:", "contradiction", 8),
        ("from: 2026-01-01, to", "from: 0203-01-01, to", "bad_date", 5),
        ("{from: 2026-01-01, to: 2027-01-01}", "{to: 2027-01-01}", "no_validity", 5),
        ("above: 10 %, ", "", "no_condition", 21),
        ("clear: 8 %", "clear: 12 %", "no_hysteresis", 21),
        ("clear: 8 %", "periods: 0", "bad_value", 21),
        ("when: any", "when: some", "unknown_word", 18),
        ("currency: CNY\n", "currency: CNY\ncurrency: USD\n", "twice", 5),
        ("version: 1", "version: &a 1\nnote: *a", "alias", 2),
        ("tags:", "peers: [grade, grade]\ntags:", "twice", 14),
        ("period: year", "period: [", "syntax", 8),
    ],
)
def test_a_scorecard_that_is_not_clear_is_refused_with_line_and_fix(old: str, new: str, code: str, line: int) -> None:
    assert old in GOOD
    with pytest.raises(BadScorecard) as refused:
        load(GOOD.replace(old, new), "card.yaml")

    assert (code, line) in {(flaw.code, flaw.line) for flaw in refused.value.flaws}
    assert all(flaw.fix and flaw.file == "card.yaml" for flaw in refused.value.flaws)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (row("A", "sell", 1), "unknown_kind"),
        (row("A", "sale"), "missing"),
        (row("A", "sale", 1, dealer=""), "missing"),
        (row("A", "sale", -1), "negative"),
        (row("A", "return", 1), "positive"),
        (row("A", "sale", "1e3"), "bad_number"),
        (row("A", "sale", "NaN"), "bad_number"),
        (row("A", "sale", 1, date="0203-01-01"), "bad_date"),
        (row("A", "sale", 1, date="2026-02-30"), "bad_date"),
        (row("A", "sale", 1, above_authority="maybe"), "unknown_word"),
        (row("A", "sale", 1, colour="red"), "unknown_column"),
        (row("A", "target", 1, to="2026-05-15"), "bad_date"),
        (row("A", "complaint", status="perhaps"), "unknown_word"),
        (row("A", "training", required=1, passed=2), "contradiction"),
        (row("A", "activity", invited=1, attended=2), "contradiction"),
        (row("A", "payment", 1, applies_to="X"), "unknown_document"),
        (row("A", "project", withdrawn_date="2026-01-01"), "bad_date"),
    ],
)
def test_facts_that_cannot_be_are_refused_with_their_line(said: dict[str, str], code: str) -> None:
    with pytest.raises(BadFacts) as refused:
        table([row("G", "sale", 1), said])

    assert [(flaw.code, flaw.line) for flaw in refused.value.flaws] == [(code, 1 if code == "unknown_column" else 3)]
    assert all(flaw.fix for flaw in refused.value.flaws)


def test_an_id_twice_an_invoice_twice_and_an_unknown_dealer_are_refused() -> None:
    bill = {"document": "A", "due_date": "2026-06-01"}
    for rows, options, code in (
        ([row("A", "sale", 1), row("A", "sale", 1)], {}, "duplicate_id"),
        ([row("A", "invoice", 1, **bill), row("B", "invoice", 1, **bill)], {}, "duplicate_document"),
        ([row("G", "sale", 1), row("A", "sale", 1, dealer="D2")], {"dealers": ["D1"]}, "unknown_dealer"),
    ):
        with pytest.raises(BadFacts) as refused:
            table(rows, **options)
        assert [(flaw.code, flaw.line) for flaw in refused.value.flaws] == [(code, 3)]


def told(taken: Callable[[], object]) -> list[tuple[str, int | None]]:
    """What is wrong, by code and line; nothing when nothing is."""
    try:
        taken()
    except BadFacts as refused:
        return [(flaw.code, flaw.line) for flaw in refused.flaws]
    return []


YEAR = ("2026-01-01", "2027-01-01")
SPRING, SUMMER = ("2026-01-01", "2026-04-01"), ("2026-04-01", "2026-07-01")


@pytest.mark.parametrize(
    ("targets", "lines"),
    [
        pytest.param([(YEAR, ""), (SPRING, "")], [3], id="a year and its first quarter"),
        pytest.param([(SPRING, ""), (SUMMER, "")], [], id="two quarters"),
        pytest.param([(SUMMER, ""), (YEAR, "泵"), (SPRING, "阀")], [2], id="one line's year and a quarter of all lines"),
        pytest.param([(YEAR, "泵"), (YEAR, "阀")], [], id="two lines"),
        pytest.param([(YEAR, "泵"), (YEAR, "阀"), (SPRING, "泵")], [4], id="a line's year and its quarter"),
        pytest.param([(YEAR, "泵"), (SPRING, "")], [3], id="a line's year and a quarter of all lines"),
    ],
)
def test_targets_that_hold_for_the_same_days_are_refused(targets: list[tuple[tuple[str, str], str]], lines: list[int]) -> None:
    rows = [row(f"T{at}", "target", 100, date=days[0], to=days[1], product_line=line) for at, (days, line) in enumerate(targets)]
    another = row("T9", "target", 100, date=YEAR[0], to=YEAR[1], dealer="D2")

    assert told(lambda: table([*rows, another])) == [("overlap", line) for line in lines]


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"scorecard": "health", "as_of": "2026-01-01", "version": 1, "results": [{}]}',
     b'{"scorecard": "health", "as_of": "2026-12-31", "version": 1, "results": []}',
     b'{"scorecard": "other", "as_of": "2026-01-01", "version": 1, "results": []}'],
)  # fmt: skip
def test_a_file_that_is_no_earlier_board_is_refused(text: bytes) -> None:
    with pytest.raises(BadFacts) as refused:
        snapshot(text, card(), YEAR_END, "last.json")

    assert all(flaw.fix for flaw in refused.value.flaws)


def test_a_scorecard_that_is_not_in_force_is_refused() -> None:
    with pytest.raises(BadScorecard, match="not in force"):
        board(card(valid={"from": "2027-01-01"}), yearly("D1", 1, 1))


def hub_performance(place: Path, files: dict[str, str], *words: str) -> Result:
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    full = [str(place / word) if word.endswith((".yaml", ".csv", ".json")) else word for word in words]
    return CliRunner().invoke(hub, ["performance", *full])


SCORE = ("score", "--scorecard", "card.yaml", "--facts", "facts.csv", "--as-of", "2026-12-31")
FILES = {
    "card.yaml": GOOD,
    "facts.csv": "id,kind,dealer,date,to,amount\nT,target,D1,2026-01-01,2027-01-01,800\nS,sale,D1,2026-03-01,,720\n",
}

NO_REASON = "dealer,tag,reason,owner,from,to\nD1,watch,,王芳,2026-01-01,2026-02-01\n"


def test_the_command_writes_its_result_whole_and_reads_it_again(tmp_path: Path) -> None:
    assert hub_performance(tmp_path, FILES, *SCORE, "--out", "first.json").exit_code == 0
    early = [word if word != "2026-12-31" else "2026-06-30" for word in SCORE]
    hub_performance(tmp_path, FILES, *early, "--out", "first.json")
    told = hub_performance(tmp_path, FILES, *SCORE, "--previous", "first.json", "--json")

    assert json.loads(told.output)["results"][0]["previous_place"] == 1
    text = hub_performance(tmp_path, FILES, *SCORE, "--previous", "first.json").output
    assert "1/1" in text
    assert "90.00 %" in text


@pytest.mark.parametrize(
    ("files", "words", "code", "line"),
    [
        ({**FILES, "facts.csv": FILES["facts.csv"] + "X,sale,D1,2026-03-01,,-5\n"}, SCORE, "negative", 4),
        ({**FILES, "facts.csv": FILES["facts.csv"] + "X,sale\n"}, SCORE, "cells", 4),
        ({**FILES, "dealers.csv": "id,grade\nD2,A\n"}, (*SCORE, "--dealers", "dealers.csv"), "unknown_dealer", 2),
        ({**FILES, "dealers.csv": "id,grad\nD1,A\n"}, (*SCORE, "--dealers", "dealers.csv"), "unknown_column", 1),
        ({**FILES, "tags.csv": NO_REASON}, (*SCORE, "--tags", "tags.csv"), "bad_tag", 2),
        (FILES, (*SCORE, "--previous", "none.json"), "unreadable", None),
        (
            {"stock.csv": "dealer,product,quantity,lead_days,cover_days\nD1,P1,-1,7,7\n", "sold.csv": "dealer,product,date,quantity\n"},
            ("stock", "--stock", "stock.csv", "--sellout", "sold.csv", "--as-of", "2026-12-31"), "negative", 2,
        ),
    ],
)  # fmt: skip
def test_the_command_refuses_a_bad_file_with_exit_code_2(files: Any, words: Any, code: str, line: int | None, tmp_path: Path) -> None:
    found = hub_performance(tmp_path, files, *words, "--out", "out.json", "--json")

    assert found.exit_code == 2, found.output
    assert (code, line) in [(flaw["code"], flaw["line"]) for flaw in json.loads(found.output)["error"]["errors"]]
    assert not (tmp_path / "out.json").exists()


def test_a_dealer_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    assert hub_performance(tmp_path, FILES, *SCORE, "--dealer", "D9").exit_code == 6
    assert hub_performance(tmp_path, FILES, *SCORE, "--view", "dealer").exit_code == 2


WORDS = re.split(r"(\s+|[{},:\[\]])", GOOD)
STRANGE = ("-1", "x", "[]", "{}", "null", "1e9", "99 %", "true", "0", "2026-01-01", "\t", "")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WORDS) - 1), st.sampled_from((*STRANGE, *WORDS))), min_size=1, max_size=3))
def test_law_any_change_of_a_good_scorecard_is_used_or_refused_with_a_fix(changes: list[tuple[int, str]]) -> None:
    words = list(WORDS)
    for at, word in changes:
        words[at] = word
    flaws: tuple[Flaw, ...] = ()
    try:
        board(load("".join(words)), yearly("D1", 100, 90))
    except BadScorecard as refused:
        flaws = refused.flaws

    assert all(flaw.fix for flaw in flaws)

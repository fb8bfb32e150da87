"""A verb about things that can be listed lists them when no word follows."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run
from tests.cli.running import answer


@pytest.mark.parametrize("verb", ["plan", "conflicts", "cases", "quarantine", "values", "key"])
def test_without_a_word_a_verb_lists(filled: Run, verb: str) -> None:
    told = [filled(verb, *words) for words in (["--json"], ["list", "--json"], ["--json", "list"])]

    assert [done.returncode in (0, 4) for done in told] == [True] * 3, told[0].stderr
    assert isinstance(answer(told[0]), list)
    assert answer(told[0]) == answer(told[1]) == answer(told[2])
    assert filled(verb).stdout == filled(verb, "list").stdout


def test_an_option_of_the_list_needs_no_word_either(filled: Run) -> None:
    assert answer(filled("plan", "--state", "rejected", "--json")) == []
    assert [one["state"] for one in answer(filled("plan", "--json", "--state", "open"))] == ["open"]


def test_json_before_the_word_is_the_words(filled: Run) -> None:
    assert answer(filled("plan", "--json", "show", "1"))["id"] == 1
    assert filled("plan", "--json", "show", "99").returncode == 6
    assert filled("plan", "nonsense").returncode == 2
    assert "approve" in filled("plan", "--help").stdout


def test_a_plan_and_a_difference_are_told_by_name_field_by_field(filled: Run) -> None:
    shown = filled("plan", "show", "1").stdout
    differing = filled("diff", "--entity", "order").stdout

    assert "update order" in shown
    assert "in zoho.sales_orders" in shown
    assert "Total_Amount                 1 → 2" in shown
    assert "Total_Amount" in differing
    assert "→ 1130" in differing

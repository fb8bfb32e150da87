"""The house rules hold in the whole tree, and each of them bites."""

from __future__ import annotations

import re
import tokenize

import pytest

from tests.checks.house import REPOSITORY, ROOMS, Rule, modules
from tests.checks.rules import RULES

EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@EACH
def test_the_rule_lets_a_good_case_pass(rule: Rule) -> None:
    assert rule.findings(rule.good) == []


@EACH
def test_the_rule_bites(rule: Rule) -> None:
    assert rule.findings(rule.bad)


@EACH
def test_an_exception_needs_a_reason(rule: Rule) -> None:
    without = "\n".join(f"{line}  # allow: {rule.name}" for line in rule.bad.splitlines())
    with_one = "\n".join(f"{line}  # allow: {rule.name}, seconds are no money" for line in rule.bad.splitlines())

    assert rule.findings(without)
    assert rule.findings(with_one) == []


@EACH
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    assert rule.look.__doc__, "a rule says what went wrong once"
    wrong = [f"{path}:{found}" for path in modules(rule.where) for found in rule.findings((REPOSITORY / path).read_text(encoding="utf-8"))]

    assert not wrong, "\n".join(wrong)


REASONED = re.compile(r"(type: ignore\[[a-z-, ]+\]|noqa: [A-Z0-9, ]+)\s+(# )?\S+")
BARE = re.compile(r"#\s*(type: ignore|noqa)\b")


def unexplained(text: str) -> list[str]:
    """Comments that switch a check off without naming the rule and the reason."""
    comments = [
        token for token in tokenize.generate_tokens(iter(text.splitlines(keepends=True)).__next__) if token.type == tokenize.COMMENT
    ]
    return [f"{token.start[0]}: {token.string}" for token in comments if BARE.search(token.string) and not REASONED.search(token.string)]


def test_an_ignore_names_its_rule_and_its_reason() -> None:
    assert unexplained("x = 1  # type: ignore\n")
    assert unexplained("x = 1  # noqa: S101\n")
    assert not unexplained("x = 1  # noqa: S101  an upsert always gives a row\n")
    wrong = [
        f"{path}:{found}"
        for path in modules(lambda path: path.parts[0] in ROOMS)
        for found in unexplained((REPOSITORY / path).read_text(encoding="utf-8"))
    ]

    assert not wrong, "\n".join(wrong)

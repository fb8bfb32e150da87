"""The quality scale: every rule is proved by a test that exists, or answered for by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from connectors.registry import IN_TREE
from tests.contract.declaring import Declaring
from tests.contract.failing import Failing
from tests.contract.reading import Reading
from tests.contract.writing import Writing

ROOT = Path(__file__).parents[2]
GRADES = ("bronze", "silver", "gold", "platinum")
BUILT = [kind for kind in IN_TREE if (ROOT / "connectors" / kind / "__init__.py").exists()]


def rules() -> dict[str, tuple[str, str]]:
    """Rule -> (grade, test that proves it; empty: by hand), from the tables of QUALITY.md."""
    found: dict[str, tuple[str, str]] = {}
    grade = ""
    for line in (ROOT / "connectors/QUALITY.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            grade = line[3:].partition(":")[0].lower()
        elif match := re.fullmatch(r"\| `([a-z-]+)` \| .+ \| (?:`(test_\w+)`|by hand) \|", line):
            assert match[1] not in found, match[1]
            found[match[1]] = (grade, match[2] or "")
    return found


def answers(kind: str) -> dict[str, dict[str, str]]:
    """What a connector answers for by hand."""
    loaded: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((ROOT / "connectors" / kind / "quality.yaml").read_text("utf-8")) or {}
    return loaded.get("rules", {})


def grade_of(kind: str) -> str:
    """The highest grade whose rules, and those below, are all proved, done or exempt."""
    given, reached = answers(kind), "none"
    for grade in GRADES:
        open_rules = [name for name, (of, test) in rules().items() if of == grade and not _met(given.get(name), test)]
        if open_rules:
            return reached
        reached = grade
    return reached


def _met(answer: dict[str, str] | None, test: str) -> bool:
    return bool(test) if answer is None else answer["status"] in ("done", "exempt")


def test_every_rule_is_proved_by_a_test_that_exists() -> None:
    here = globals()
    tests = {name for part in (Declaring, Reading, Writing, Failing) for name in vars(part)} | set(here)

    assert len(rules()) > 30
    assert {test for _, test in rules().values() if test} - tests == set()
    assert {grade for grade, _ in rules().values()} == set(GRADES)


@pytest.mark.parametrize("kind", BUILT)
def test_what_is_answered_by_hand_has_a_status_and_a_reason(kind: str) -> None:
    for name, answer in answers(kind).items():
        assert answer["status"] in ("todo", "exempt", "done"), name
        assert len(answer["reason"]) > 10, name
        assert not (rules().get(name, ("", ""))[1] and answer["status"] == "done"), f"{name} is proved by a test, not by hand"


@pytest.mark.parametrize("kind", BUILT)
def test_every_connector_has_a_page(kind: str) -> None:
    page = (ROOT / f"docs/connectors/{kind}.md").read_text("utf-8")

    titles = " ".join(re.findall(r"^## (.+)$", page, re.MULTILINE))
    assert all(word in titles for word in ("Prepare", "Settings", "What flows", "Traps"))


@pytest.mark.parametrize("kind", BUILT)
def test_every_connector_is_gold_at_least(kind: str) -> None:
    assert GRADES.index(grade_of(kind)) >= GRADES.index("gold")

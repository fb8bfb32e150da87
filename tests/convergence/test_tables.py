"""docs/promises.md and docs/faults.md name tests that exist, and the promises' tests carry the mark."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def marked(path: Path) -> dict[str, set[int]]:
    """By test: the promises that it, or its class, is marked with."""
    found: dict[str, set[int]] = {}

    def walk(node: ast.AST, above: set[int]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                marks = above | {number for mark in child.decorator_list for number in _numbers(mark)}
                found[child.name] = marks
                walk(child, marks)

    walk(ast.parse(path.read_text(encoding="utf-8")), set())
    return found


def _numbers(mark: ast.expr) -> Iterator[int]:
    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.promise":
        yield from (argument.value for argument in mark.args if isinstance(argument, ast.Constant) and isinstance(argument.value, int))


def rows(page: str) -> list[list[str]]:
    """The rows of a page's tables, without their heads."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    cells = [
        [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        for line in lines
        if line.startswith("|") and not line.startswith("|-")
    ]
    return [row for row in cells if row[0] not in ("n", "fault", "threat")]


def test_every_promise_has_a_row_with_tests_that_carry_its_mark() -> None:
    table = {int(row[0]): row[2] for row in rows("promises.md")}

    assert sorted(table) == list(range(1, 15))
    for number, cell in table.items():
        named = NAMED.findall(cell)
        assert named, f"promise {number} names no test"
        for path, test in named:
            marks = marked(ROOT / path)
            carried = marks.get(test, set()) if test else set().union(*marks.values())
            assert number in carried, f"promise {number}: {path}::{test} does not carry its mark"


def test_every_marked_test_is_in_its_promises_row() -> None:
    table = {int(row[0]): {path for path, _ in NAMED.findall(row[2])} for row in rows("promises.md")}
    for path in (ROOT / "tests").rglob("*.py"):
        for number in set().union(*marked(path).values(), set()):
            assert str(path.relative_to(ROOT)) in table[number], f"promise {number} does not name {path.name}"


@pytest.mark.parametrize("page", ["promises.md", "faults.md"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    for path, test in NAMED.findall((ROOT / "docs" / page).read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path
        assert not test or test in marked(ROOT / path), f"{path}::{test}"


def test_every_fault_is_shown_by_a_test_or_named_open() -> None:
    for row in rows("faults.md"):
        assert NAMED.search(row[-1]) or "open" in row[-1] or "does not arise" in row[-1], row[0]

"""What it takes to hold a rule of the house by a machine: walk the code, find, and let a reasoned exception stand.

An exception is a comment on the line, or on the one above: `# allow: RULE, reason`. Without a reason it does not count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("canonical", "channel", "connectors", "dags", "hub_api", "hub_cli", "ledger", "mappings", "sandbox", "sync")

Finding = tuple[int, str]
"""Line and what is wrong there."""

Check = Callable[[ast.Module], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule: where it holds, what it looks for, and a case of each kind."""

    name: str
    where: Callable[[Path], bool]
    """Given the path inside the repository."""
    look: Check
    good: str
    bad: str

    def findings(self, text: str) -> list[str]:
        """`line: what` for each breach in a module's text that no exception covers."""
        lines = text.splitlines()
        return [f"{line}: {what}" for line, what in self.look(ast.parse(text)) if not self._allowed(lines, line)]

    def _allowed(self, lines: list[str], line: int) -> bool:
        pattern = re.compile(rf"# allow: {re.escape(self.name)}, \S+")
        return any(pattern.search(lines[number - 1]) for number in (line, line - 1) if 0 < number <= len(lines))


def modules(where: Callable[[Path], bool]) -> list[Path]:
    """The Python files of the rooms that a rule speaks of, by path inside the repository."""
    found = [path.relative_to(REPOSITORY) for room in (*ROOMS, "tests") for path in sorted((REPOSITORY / room).rglob("*.py"))]
    return [path for path in found if where(path)]


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such an expression, else an empty text."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return node.id if isinstance(node, ast.Name) else ""

"""The text of a pricing file as plain values that know their lines. Numbers stay text, so no amount ever passes through a binary float.

YAML and JSON are read alike: a scalar is a text, `true`/`false`, or None. Everything else (`0012`, `1.10`, `2026-01-05`, `no`) is the
text that was typed; its meaning is the field's.

>>> tree = read('{"price": 1.10, "item": "0012"}', "x.json")
>>> tree["price"], tree["item"], tree.lines["item"]
('1.10', '0012', 1)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from json import JSONDecodeError, decoder
from typing import Any

import yaml

from canonical.nesting import LOADER, too_deep
from channel.pricing.errors import BadPricing, Mistake

_JSON_SPACE = re.compile(r"[ \t\n\r]*")
_JSON_PLAIN = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null")
DEEPEST = 40
"""Nested deeper than this is no pricing file."""


class Table(dict[str, Any]):
    """A mapping with the line of each key."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Rows(list[Any]):
    """A list with the line of each entry."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def read(text: str, file: str) -> Table:
    """The tree of a YAML or JSON text. Raises: BadPricing naming line and fix; also for a key that stands twice."""
    mistakes: list[Mistake] = []
    tree = _json(text, file, mistakes) if text.lstrip("\ufeff \t\r\n").startswith("{") else _yaml(text, file, mistakes)
    if not mistakes and not isinstance(tree, Table):
        mistakes.append(Mistake(f"{file}:1", "the file is no mapping of names to values", "begin with `ask:` or `books:`"))
    if mistakes:
        raise BadPricing(mistakes)
    assert isinstance(tree, Table)  # noqa: S101  said above
    return tree


def line_of(tree: Any, path: Iterable[str | int]) -> int:
    """The line where a path stands, or of the nearest part of it that is there."""
    line = int(getattr(tree, "line", 1))
    for step in path:
        if isinstance(tree, Table) and isinstance(step, str):
            line, tree = tree.lines.get(step, line), tree.get(step, tree)
        elif isinstance(tree, Rows) and isinstance(step, int) and step < len(tree):
            line, tree = tree.lines[step], tree[step]
    return line


def _put(table: Table, key: str, value: Any, line: int, file: str, mistakes: list[Mistake]) -> None:
    if key in table:
        mistakes.append(Mistake(f"{file}:{line}", f"{key!r} stands twice", f"keep one; the first is on line {table.lines[key]}"))
    table[key] = value
    table.lines[key] = line


def _yaml(text: str, file: str, mistakes: list[Mistake]) -> Any:
    try:
        if (deep := too_deep(text, DEEPEST + 1)) is not None:
            mistakes.append(Mistake(f"{file}:{deep}", "it is nested too deep", "a pricing file is not"))
            return None
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        mistakes.append(Mistake(f"{file}:{line}", str(wrong.problem), "mend the YAML there"))
        return None
    except (yaml.YAMLError, RecursionError) as wrong:
        mistakes.append(Mistake(f"{file}:1", f"it cannot be read: {wrong}", "save it as UTF-8 text"))
        return None
    return _node(root, file, mistakes, 0, {}) if root is not None else None


def _node(node: yaml.Node, file: str, mistakes: list[Mistake], depth: int, made: dict[int, Any]) -> Any:
    line = node.start_mark.line + 1
    if depth > DEEPEST:
        mistakes.append(Mistake(f"{file}:{line}", "it is nested too deep", "a pricing file is not"))
        return None
    if id(node) in made:  # an alias: the same value again
        return made[id(node)]
    if isinstance(node, yaml.MappingNode):
        table = made[id(node)] = Table(line)
        for key, value in node.value:
            _put(table, str(key.value), _node(value, file, mistakes, depth + 1, made), key.start_mark.line + 1, file, mistakes)
        return table
    if isinstance(node, yaml.SequenceNode):
        rows = made[id(node)] = Rows(line)
        for value in node.value:
            rows.append(_node(value, file, mistakes, depth + 1, made))
            rows.lines.append(value.start_mark.line + 1)
        return rows
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if node.tag == "tag:yaml.org,2002:null":
        return None
    if node.tag == "tag:yaml.org,2002:bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _json(text: str, file: str, mistakes: list[Mistake]) -> Any:
    reader = _Json(text.removeprefix("\ufeff"), file, mistakes)
    try:
        value = reader.value(0)
        reader.space()
        if reader.at < len(reader.text):
            raise JSONDecodeError("something follows the end", reader.text, reader.at)  # noqa: TRY301  told like the reader's own
    except JSONDecodeError as wrong:
        mistakes.append(Mistake(f"{file}:{wrong.lineno}", wrong.msg, "mend the JSON there"))
        return None
    return value


class _Json:
    """JSON with lines: the library's own reader does not tell where a value stood."""

    def __init__(self, text: str, file: str, mistakes: list[Mistake]) -> None:
        self.text, self.file, self.mistakes = text, file, mistakes
        self.at, self.line, self.seen = 0, 1, 0

    def here(self) -> int:
        """The line that has been reached."""
        self.line += self.text.count("\n", self.seen, self.at)
        self.seen = self.at
        return self.line

    def space(self) -> str:
        """Skip white space; the character that follows, empty at the end."""
        self.at = _JSON_SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches always
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Any:
        """The value that begins here."""
        first = self.space()
        if depth > DEEPEST:
            raise JSONDecodeError("it is nested too deep", self.text, self.at)
        if first == "{":
            return self.table(depth)
        if first == "[":
            return self.rows(depth)
        if first == '"':
            return self.string()
        found = _JSON_PLAIN.match(self.text, self.at)
        if found is None:
            raise JSONDecodeError("a value is missing", self.text, self.at)
        self.at = found.end()
        return {"true": True, "false": False, "null": None}.get(found[0], found[0])

    def string(self) -> str:
        """The text that begins here."""
        value, self.at = decoder.scanstring(self.text, self.at + 1)  # type: ignore[attr-defined]  # public in fact, absent in typeshed
        return str(value)

    def table(self, depth: int) -> Table:
        """The object that begins here."""
        table = Table(self.here())
        self.at += 1
        if self.space() == "}":
            self.at += 1
            return table
        while True:
            if self.space() != '"':
                raise JSONDecodeError("a name in quotes is missing", self.text, self.at)
            line = self.here()
            key = self.string()
            if self.space() != ":":
                raise JSONDecodeError("a colon is missing", self.text, self.at)
            self.at += 1
            _put(table, key, self.value(depth + 1), line, self.file, self.mistakes)
            if self.another("}"):
                return table

    def rows(self, depth: int) -> Rows:
        """The list that begins here."""
        rows = Rows(self.here())
        self.at += 1
        if self.space() == "]":
            self.at += 1
            return rows
        while True:
            self.space()
            rows.lines.append(self.here())
            rows.append(self.value(depth + 1))
            if self.another("]"):
                return rows

    def another(self, end: str) -> bool:
        """Pass the comma, or the end; True at the end."""
        mark = self.space()
        if mark not in (",", end):
            raise JSONDecodeError(f"a comma or {end} is missing", self.text, self.at)
        self.at += 1
        return mark == end

"""The filter language of queries: a tokeniser and a recursive parser; text and list form both become one tree.

The language is SQL-like: comparisons, `like`, `in (…)`, `is null`, `between`, `not`, `and`, `or`, brackets; texts in single quotes, a
quote inside doubled. Values never reach SQL as text: the tree is compiled to parameters or to a function.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MAX_DEPTH = 200
MAX_LENGTH = 1_000_000

_TOKEN = re.compile(
    r"""\s+|(?P<text>N?'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<word>[A-Za-z_][\w.]*)|(?P<op><=|>=|<>|!=|=|<|>)|(?P<mark>[(),])""",
    re.ASCII,
)
_WORDS = {"and", "or", "not", "in", "like", "is", "null", "between"}


class BadFilter(ValueError):
    """The filter cannot be parsed; the text is what the ERP answers."""


@dataclass(frozen=True, slots=True)
class Key:
    """A field, named on the right of a comparison."""

    name: str


@dataclass(frozen=True, slots=True)
class Test:
    """One condition on one field."""

    key: str
    op: str
    """One of = <> < <= > >= like in null."""
    value: Any = None
    """Text, number or Key; a list for `in`; nothing for `null`."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


Node = Test | All | Some | Not


def tokens(text: str) -> list[tuple[str, str]]:
    """(kind, text) pairs. Raises BadFilter."""
    if len(text) > MAX_LENGTH:
        raise BadFilter("过滤条件过长")
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadFilter(f"过滤条件解析错误：“{text[at : at + 20]}”附近有语法错误")
        at = match.end()
        kind = match.lastgroup
        if kind is not None:
            word = match.group()
            lower = word.lower()
            found.append((lower if kind == "word" and lower in _WORDS else kind, word))
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._or()
        if self._at < len(self._tokens):
            raise self._wrong()
        return node

    def _wrong(self) -> BadFilter:
        near = self._tokens[self._at][1] if self._at < len(self._tokens) else "结尾"
        return BadFilter(f"过滤条件解析错误：“{near[:40]}”附近有语法错误")

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _mark(self) -> str:
        return self._tokens[self._at][1] if self._peek() == "mark" else ""

    def _take(self, kind: str) -> str:
        if self._peek() != kind:
            raise self._wrong()
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _expect(self, mark: str) -> None:
        if self._mark() != mark:
            raise self._wrong()
        self._at += 1

    def _or(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadFilter("过滤条件嵌套过深")
        parts = [self._and()]
        while self._peek() == "or":
            self._at += 1
            parts.append(self._and())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _and(self) -> Node:
        parts = [self._one()]
        while self._peek() == "and":
            self._at += 1
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Node:
        if self._peek() == "not":
            self._at += 1
            return Not(self._one())
        if self._mark() == "(":
            self._at += 1
            node = self._or()
            self._expect(")")
            return node
        return self._test()

    def _test(self) -> Node:
        if self._peek() in ("number", "text"):
            return self._constant()
        key = self._take("word")
        if self._mark() == "(":
            raise BadFilter(f"过滤条件解析错误：不支持函数“{key}”")
        negated = self._peek() == "not"
        if negated:
            self._at += 1
        match self._peek():
            case "op" if not negated:
                op = self._take("op")
                return Test(key, "<>" if op == "!=" else op, self._value())
            case "like":
                self._at += 1
                return Test(key, "like", self._text(), negated)
            case "in":
                self._at += 1
                return Test(key, "in", self._list(), negated)
            case "between":
                self._at += 1
                low = self._value()
                self._take("and")
                both = All((Test(key, ">=", low), Test(key, "<=", self._value())))
                return Not(both) if negated else both
            case "is" if not negated:
                self._at += 1
                empty = self._peek() == "not"
                self._at += empty
                self._take("null")
                return Test(key, "null", None, empty)
        raise self._wrong()

    def _constant(self) -> Node:
        """`1=1` and `'a'<>'b'`: what SQL lets one write, so what an injection would use."""
        left = self._literal()
        op = self._take("op")
        right = self._literal()
        return Test("", "<>" if op == "!=" else op, (left, right))

    def _literal(self) -> Any:
        if self._peek() == "number":
            word = self._take("number")
            return Decimal(word) if "." in word else int(word)
        return self._text()

    def _text(self) -> str:
        word = self._take("text")
        return word[word.index("'") + 1 : -1].replace("''", "'")

    def _value(self) -> Any:
        return Key(self._take("word")) if self._peek() == "word" else self._literal()

    def _list(self) -> list[Any]:
        self._expect("(")
        values = [self._literal()]
        while self._mark() == ",":
            self._at += 1
            values.append(self._literal())
        self._expect(")")
        return values


def parse_text(text: str) -> Node | None:
    """The tree of a text filter; None for an empty one. Raises BadFilter."""
    return _Parser(text).parse() if text.strip() else None


_COMPARE = {"0": "and", "1": "or", "and": "and", "or": "or", "": "and"}


def parse_list(items: Sequence[Any]) -> Node | None:
    """The tree of a list filter: `{"Left","FieldName","Compare","Value","Right","Logic"}` each. Raises BadFilter.

    `Logic` joins a condition to the one after it; 0 is AND, 1 is OR.
    """
    words: list[str] = []
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            raise BadFilter("过滤条件列表的元素必须是对象")
        given = {str(key).lower(): value for key, value in item.items()}
        name, compare = str(given.get("fieldname") or ""), str(given.get("compare") or "").strip().lower()
        if not re.fullmatch(r"[A-Za-z_][\w.]*", name, re.ASCII):
            raise BadFilter(f"过滤条件的字段“{name[:40]}”无效")
        left, right = str(given.get("left") or ""), str(given.get("right") or "")
        if left.strip("( ") or right.strip(") "):
            raise BadFilter("过滤条件的括号无效")
        words += [left, _condition(name, compare, given.get("value")), right]
        if number + 1 < len(items):
            logic = str(given.get("logic") if given.get("logic") is not None else "").strip().lower()
            if logic not in _COMPARE:
                raise BadFilter(f"过滤条件的逻辑“{logic[:10]}”无效")
            words.append(_COMPARE[logic])
    return parse_text(" ".join(words))


def _condition(name: str, compare: str, value: Any) -> str:
    if compare in ("is null", "isnull", "is not null", "isnotnull"):
        return f"{name} is {'not ' if 'not' in compare else ''}null"
    if compare in ("in", "not in"):
        values = value if isinstance(value, list) else str(value).split(",")
        return f"{name} {compare} ({','.join(_quoted(str(v).strip()) for v in values)})"
    if compare in ("=", "==", "<>", "!=", "<", "<=", ">", ">=", "like", "not like"):
        return f"{name} {'=' if compare == '==' else compare} {_quoted('' if value is None else str(value))}"
    raise BadFilter(f"过滤条件的比较符“{compare[:20]}”无效")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def parse(given: Any) -> Node | None:
    """The tree of a FilterString in either form. Raises BadFilter."""
    if given is None or given == "":
        return None
    if isinstance(given, list):
        return parse_list(given)
    if isinstance(given, str):
        return parse_text(given)
    raise BadFilter("过滤条件必须是文本或列表")

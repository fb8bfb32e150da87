"""COQL as the real one reads it: a tokenizer and a recursive-descent parser; nothing of a query is ever executed as text.

Source: reference notes on Zoho CRM v8, "COQL" (limits: 50 columns, 25 criteria, 50 values of `in`, 2,000 rows, offset 100,000).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.crm_zoho.conditions import Compare, Group, Node, Path, criteria
from sandbox.crm_zoho.errors import ApiError

MAX_QUERY = 30_000
MAX_COLUMNS, MAX_CRITERIA, MAX_IN, MAX_ORDER, MAX_GROUP, MAX_AGGREGATES = 50, 25, 50, 10, 4, 5
MAX_LIMIT, DEFAULT_LIMIT, MAX_OFFSET = 2_000, 200, 100_000
MAX_DEPTH = 30
AGGREGATES = ("count", "sum", "min", "max", "avg")

_TOKEN = re.compile(
    r"""\s+
    | (?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<name>[A-Za-z_][\w]*(?:\.[A-Za-z_][\w]*)*)
    | (?P<op><=|>=|!=|<>|=|<|>)
    | (?P<mark>[(),*])""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_WORDS = frozenset(
    (
        *("select", "from", "where", "and", "or", "not", "in", "is", "null", "like", "between"),
        *("order", "group", "by", "limit", "offset", "asc", "desc", "as", "true", "false"),
    )
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query and where it stands (from 1)."""

    kind: str
    """text, number, name, word, op, mark or end."""
    text: str
    value: Any
    at: int


@dataclass(frozen=True, slots=True)
class Column:
    """One selected column, plain or aggregated."""

    path: Path
    aggregate: str = ""
    alias: str = ""

    @property
    def key(self) -> str:
        """Its key in the answer."""
        plain = ".".join(self.path)
        return self.alias or (f"{self.aggregate.upper()}({plain})" if self.aggregate else plain)


@dataclass(slots=True)
class Query:
    """A parsed query."""

    columns: list[Column]
    module: str
    where: Node
    group: list[Path] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    """(column or alias, descending)."""
    limit: int = DEFAULT_LIMIT
    offset: int = 0


def parse(query: object, *, pairs: bool = True) -> Query:
    """The query as a tree. `pairs`: more than two criteria on one level need brackets. Raises ApiError with the vendor's codes."""
    if not isinstance(query, str):
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="select_query", expected_data_type="text")
    if len(query) > MAX_QUERY:
        raise ApiError(400, "LIMIT_EXCEEDED", "the query is too long", limit=MAX_QUERY)
    return _Parser(_tokens(query), pairs=pairs).query()


def _tokens(query: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None:
            raise _syntax(at, query[at : at + 20])
        if match.lastgroup is not None:
            tokens.append(_token(match.lastgroup, match.group(), at))
        at = match.end()
    tokens.append(Token("end", "", None, len(query)))
    return tokens


def _token(kind: str, text: str, at: int) -> Token:
    if kind == "text":
        return Token(kind, text, re.sub(r"\\(.)", r"\1", text[1:-1].replace("''", "'"), flags=re.DOTALL), at)
    if kind == "number":
        if len(text) > 40:
            raise _syntax(at, text[:20])
        return Token(kind, text, Decimal(text) if "." in text else int(text), at)
    if kind == "name" and text.lower() in _WORDS:
        return Token("word", text.lower(), text, at)
    return Token(kind, "!=" if text == "<>" else text, text, at)


def _syntax(at: int, near: str) -> ApiError:
    return ApiError(400, "SYNTAX_ERROR", "error occured while parsing the query", line=1, column=at + 1, near=near)


def _limit(what: str, limit: int) -> ApiError:
    return ApiError(400, "LIMIT_EXCEEDED", f"{what} limit exceeded", by=what, limit=limit)


class _Parser:
    def __init__(self, tokens: Sequence[Token], *, pairs: bool) -> None:
        self._tokens, self._at, self._pairs = tokens, 0, pairs

    def query(self) -> Query:
        self._need("select")
        columns = self._columns()
        self._need("from")
        module = self._name()
        if not self._word("where"):
            raise ApiError(400, "SYNTAX_ERROR", "missing clause", line=1, column=self._now.at + 1, near=self._now.text, clause="where")
        where = self._condition(0)
        if criteria(where) > MAX_CRITERIA:
            raise _limit("criteria", MAX_CRITERIA)
        query = Query(columns, module, where)
        self._group(query)
        self._order(query)
        self._window(query)
        if self._now.kind != "end":
            raise self._wrong()
        return query

    def _columns(self) -> list[Column]:
        columns = [self._column()]
        while self._mark(","):
            columns.append(self._column())
        if len(columns) > MAX_COLUMNS:
            raise _limit("select", MAX_COLUMNS)
        if sum(1 for column in columns if column.aggregate) > MAX_AGGREGATES:
            raise _limit("aggregate", MAX_AGGREGATES)
        return columns

    def _column(self) -> Column:
        name = self._name()
        aggregate, path = "", name
        if name.lower() in AGGREGATES and self._mark("("):
            aggregate = name.lower()
            path = "id" if aggregate == "count" and self._mark("*") else self._name()
            self._close()
        alias = self._name() if self._word("as") else ""
        return Column(tuple(path.split(".")), aggregate, alias)

    def _condition(self, depth: int) -> Node:
        """Criteria of one level. `and` binds tighter than `or`; mixing or chaining three wants brackets in the real one."""
        if depth > MAX_DEPTH:
            raise self._wrong()
        start = self._at
        ors: list[Node] = []
        ands = [self._criterion(depth)]
        joined = 0
        while True:
            if self._word("and"):
                ands.append(self._criterion(depth))
            elif self._word("or"):
                ors.append(_joined("and", ands))
                ands = [self._criterion(depth)]
            else:
                break
            joined += 1
        if self._pairs and joined > 1:
            first = self._tokens[start]
            raise ApiError(400, "SYNTAX_ERROR", "put criteria in brackets by pairs", line=1, column=first.at + 1, near=first.text)
        ors.append(_joined("and", ands))
        return _joined("or", ors)

    def _criterion(self, depth: int) -> Node:
        if self._mark("("):
            node = self._condition(depth + 1)
            self._close()
            return node
        path = tuple(self._name().split("."))
        token = self._take()
        if token.kind == "op":
            return Compare(path, token.text, (self._value(),))
        if token.kind != "word":
            raise self._wrong(token)
        if token.text == "is":
            negated = self._word("not")
            self._need("null")
            return Compare(path, "is not null" if negated else "is null")
        negated = token.text == "not"
        word = self._take() if negated else token
        return self._worded(path, word, "not " if negated else "")

    def _worded(self, path: Path, word: Token, prefix: str) -> Node:
        if word.kind == "word" and word.text == "in":
            return Compare(path, f"{prefix}in", self._list())
        if word.kind == "word" and word.text == "like":
            return Compare(path, f"{prefix}like", (self._value(),))
        if word.kind == "word" and word.text == "between":
            low = self._value()
            self._need("and")
            return Compare(path, f"{prefix}between", (low, self._value()))
        raise self._wrong(word)

    def _list(self) -> tuple[Any, ...]:
        if not self._mark("("):
            raise self._wrong()
        values = [self._value()]
        while self._mark(","):
            values.append(self._value())
        self._close()
        if len(values) > MAX_IN:
            raise _limit("in", MAX_IN)
        return tuple(values)

    def _value(self) -> Any:
        token = self._take()
        if token.kind in ("text", "number"):
            return token.value
        if token.kind == "word" and token.text in ("true", "false"):
            return token.text == "true"
        raise self._wrong(token)

    def _group(self, query: Query) -> None:
        if not self._word("group"):
            return
        self._need("by")
        query.group.append(tuple(self._name().split(".")))
        while self._mark(","):
            query.group.append(tuple(self._name().split(".")))
        if len(query.group) > MAX_GROUP:
            raise _limit("group by", MAX_GROUP)

    def _order(self, query: Query) -> None:
        if not self._word("order"):
            return
        self._need("by")
        while True:
            name = self._name()
            down = self._word("desc")
            if not down:
                self._word("asc")
            query.order.append((name, down))
            if not self._mark(","):
                break
        if len(query.order) > MAX_ORDER:
            raise _limit("order by", MAX_ORDER)

    def _window(self, query: Query) -> None:
        """`limit n`, `limit offset, n`, `limit n offset m`."""
        if self._word("limit"):
            query.limit = self._count()
            if self._mark(","):
                query.offset, query.limit = query.limit, self._count()
        if self._word("offset"):
            query.offset = self._count()
        if not 1 <= query.limit <= MAX_LIMIT:
            raise _limit("limit", MAX_LIMIT)
        if query.offset > MAX_OFFSET:
            raise _limit("offset", MAX_OFFSET)

    def _count(self) -> int:
        token = self._take()
        if token.kind != "number" or not isinstance(token.value, int) or token.value < 0:
            raise self._wrong(token)
        return token.value

    # tokens

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._now
        if token.kind != "end":
            self._at += 1
        return token

    def _word(self, word: str) -> bool:
        if self._now.kind == "word" and self._now.text == word:
            self._at += 1
            return True
        return False

    def _mark(self, mark: str) -> bool:
        if self._now.kind == "mark" and self._now.text == mark:
            self._at += 1
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._word(word):
            raise self._wrong()

    def _close(self) -> None:
        if not self._mark(")"):
            raise self._wrong()

    def _name(self) -> str:
        token = self._take()
        if token.kind != "name":
            raise self._wrong(token)
        return token.text

    def _wrong(self, token: Token | None = None) -> ApiError:
        token = token or self._now
        return _syntax(token.at, token.text[:40])


def _joined(op: str, parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Group(op, tuple(parts))

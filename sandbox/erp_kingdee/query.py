"""ExecuteBillQuery and BillQuery: rows of chosen fields, filtered, ordered and paged as the ERP does it.

What a filter says about columns of the table goes to SQLite as parameters and uses its indexes; the rest is a function over rows.
Asking for any field of an entry entity turns the answer into a row per line, with the head repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sandbox.erp_kingdee.answers import MsgCode, Refused
from sandbox.erp_kingdee.filters import All, BadFilter, Key, Node, Not, Test, parse
from sandbox.erp_kingdee.forms import FORMS, Field, Form, form_of
from sandbox.erp_kingdee.matching import bare, both, checker, compare, converter, of_raw, sort_key
from sandbox.erp_kingdee.settings import Settings
from sandbox.erp_kingdee.store import Store

Row = list[Any]
Predicate = Callable[[Row], bool]
MAX_SQL_IDS = 20_000


@dataclass(frozen=True, slots=True)
class Column:
    """A resolved key: where its value stands, and how a property of a reference is looked up."""

    field: Field
    prop: str = ""
    """Lower-case property path behind the first dot."""
    look_up: Callable[[Any], Any] | None = None
    kind: str = "t"
    """Kind of what comes out."""


@dataclass(slots=True)
class Layout:
    """Builds source rows: head, looked-up head values, line, looked-up line values, in one list."""

    form: Form
    entity: int = 0
    head_extra: list[tuple[int, Callable[[Any], Any]]] = field(default_factory=list)
    line_extra: list[tuple[int, Callable[[Any], Any]]] = field(default_factory=list)
    known: dict[tuple[bool, int, str], int] = field(default_factory=dict)

    def place(self, column: Column) -> tuple[bool, int, bool]:
        """(of a line, position, looked up) of a column; registers the look-up."""
        line = column.field.entity > 0
        if column.look_up is None:
            return line, column.field.at, False
        extra = self.line_extra if line else self.head_extra
        known = (line, column.field.at, column.prop)
        if known not in self.known:
            self.known[known] = len(extra)
            extra.append((column.field.at, of_raw(column.look_up)))
        return line, self.known[known], True

    def position(self, place: tuple[bool, int, bool]) -> int:
        """Where a placed column stands in a source row. Final once every column is placed."""
        line, at, extra = place
        width = len(self.form.entities[0])
        if not line:
            return width + at if extra else at
        start = width + len(self.head_extra)
        return start + (len(self.form.entities[self.entity]) + at if extra else at)

    def head(self, document: Any) -> Row:
        """The head part of a document's source rows."""
        head: Row = document[0]
        return head + [look_up(head[at]) for at, look_up in self.head_extra] if self.head_extra else head

    def sources(self, document: Any, head: Row) -> list[Row]:
        """The source rows of one document: one, or one per line."""
        if not self.entity:
            return [head]
        lines = document[self.entity]
        extra = self.line_extra
        if not lines:
            return [head + [None] * (len(self.form.entities[self.entity]) + len(extra))]
        if not extra:
            return [head + line for line in lines]
        return [head + line + [look_up(line[at]) for at, look_up in extra] for line in lines]


@dataclass(slots=True)
class Asked:
    """A query as it came, keys lower-cased."""

    form: Form
    keys: list[str]
    filter: Any
    order: str
    start: int
    limit: int
    top: int


class Querying:
    """Runs queries over a store."""

    def __init__(self, store: Store, settings: Settings, hidden: Callable[[Form, Any], bool]) -> None:
        self.store, self.settings, self.hidden = store, settings, hidden

    def run(self, data: dict[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The asked keys and the rows. Raises Refused."""
        asked = self._asked(data)
        columns = [self.column(asked.form, key) for key in asked.keys]
        try:
            tree = parse(asked.filter)
        except BadFilter as error:
            raise Refused(str(error), MsgCode.EXCEPTION) from error
        order = [(self.column(asked.form, key), descending) for key, descending in _order(asked.order)]
        tested = [self.column(asked.form, name) for name in _names(tree)]
        layout = Layout(asked.form, _one_entity([*columns, *tested, *(c for c, _ in order)]))
        end = asked.start + asked.limit
        if asked.top > 0:
            end = min(end, asked.top)
        if end <= asked.start:
            return asked.keys, []
        return asked.keys, self._rows(asked, layout, columns, tree, order, end)

    def _asked(self, data: dict[str, Any]) -> Asked:
        given = {str(key).lower(): value for key, value in data.items()}
        form_id = str(given.get("formid") or "")
        if not form_id:
            raise Refused("FormId不能为空", MsgCode.NO_FORM)
        form = form_of(form_id)
        if form is None:
            raise Refused(f"业务对象不存在：{form_id[:60]}", MsgCode.NO_FORM)
        wanted = given.get("fieldkeys") or ""
        keys = [str(k).strip() for k in (wanted if isinstance(wanted, list) else str(wanted).split(",")) if str(k).strip()]
        if not keys:
            raise Refused("FieldKeys不能为空", MsgCode.BAD_PARAMETER)
        start, limit, top = (_whole(given.get(name)) for name in ("startrow", "limit", "toprowcount"))
        limit = min(limit if limit > 0 else self.settings.default_limit, self.settings.max_limit)
        return Asked(form, keys, given.get("filterstring"), str(given.get("orderstring") or ""), max(0, start), limit, top)

    # keys

    def column(self, form: Form, key: str) -> Column:
        """The column that a query key names. Raises Refused."""
        head, _, prop = key.strip().partition(".")
        found = form.by_query.get(head.lower())
        if found is None:
            raise Refused(f"元数据中标识为{head[:60]}的字段不存在", MsgCode.NO_FIELD)
        if not prop:
            return Column(found, kind="i" if found.kind == "r" else found.kind)
        if found.kind != "r":
            raise Refused(f"元数据中标识为{key[:60]}的字段不存在", MsgCode.NO_FIELD)
        look_up, kind = self._look_up(FORMS[found.form], prop.lower(), key)
        return Column(found, prop.lower(), look_up, kind)

    def _look_up(self, form: Form, prop: str, key: str) -> tuple[Callable[[Any], Any], str]:
        numbers = self.store.numbers[form.id]
        if prop in ("fnumber", "fstaffnumber", form.number.lower()):
            return numbers.number.get, "t"
        if prop == "fname":
            return numbers.name.get, "t"
        first, _, rest = prop.partition(".")
        found = form.by_query.get(first)
        if found is None or found.entity or (rest and found.kind != "r"):
            raise Refused(f"元数据中标识为{key[:60]}的字段不存在", MsgCode.NO_FIELD)
        inner, kind = self._look_up(FORMS[found.form], rest, key) if rest else (None, found.kind)

        def through(reference: Any) -> Any:
            doc = self.store.get(form, reference) if reference else None
            value = doc.head[found.at] if doc is not None else None
            return inner(value) if inner is not None else value

        return through, "i" if kind == "r" else kind

    # rows

    def _rows(
        self, asked: Asked, layout: Layout, columns: list[Column], tree: Node | None, order: list[tuple[Column, bool]], end: int
    ) -> list[tuple[Any, ...]]:
        places = [layout.place(c) for c in columns]
        sql, parameters, rest = self._split(asked.form, tree)
        tests = [_Residual(self, layout, node) for node in rest]
        sorts = [(layout.place(column), descending) for column, descending in order]
        order_sql, inner = _sql_order(asked.form, order)
        predicates = [(test.build(), test.of_lines) for test in tests]
        pick = _picker([layout.position(place) for place in places])
        where = self._permitted(asked.form, sql, parameters)
        if order_sql is None:
            keys = [(layout.position(place), descending) for place, descending in sorts]
            found = _sorted(list(self._sources(asked, layout, where, parameters, predicates, None)), keys)[asked.start : end]
            return [pick(row) for row in found]
        inner_keys = [(layout.position(place), descending) for place, descending in sorts[inner:]]
        pages = self._sources(asked, layout, where + order_sql, parameters, predicates, (asked.start, end), inner_keys)
        return [pick(row) for row in pages]

    def _sources(
        self,
        asked: Asked,
        layout: Layout,
        sql: str,
        parameters: list[Any],
        predicates: list[tuple[Predicate, bool]],
        page: tuple[int, int] | None,
        inner: list[tuple[int, bool]] | None = None,
    ) -> Iterator[Row]:
        """Matching source rows; with `page` only those in [start, end), skipping whole documents without reading them where it can."""
        form, hidden, sources, decode = asked.form, self.hidden, layout.sources, self.store.raw_decoder(asked.form)
        of_heads = [test for test, line in predicates if not line]
        of_rows = [test for test, line in predicates if line]
        at, (start, end) = 0, page or (0, -1)
        for key, lines, text in self.store.rows(form, sql, parameters):
            if hidden(form, key):
                continue
            count = max(1, lines) if layout.entity == 1 else 1
            if not predicates and at + count <= start and layout.entity < 2:
                at += count
                continue
            document = decode(text)
            head = layout.head(document)
            if of_heads and not all(test(head) for test in of_heads):
                continue
            rows = sources(document, head)
            if of_rows:
                rows = [row for row in rows if all(test(row) for test in of_rows)]
            if inner and len(rows) > 1:
                rows = _sorted(rows, inner)
            for row in rows:
                if at == end:
                    return
                if at >= start:
                    yield row
                at += 1
            if at == end:
                return

    def _permitted(self, form: Form, sql: str, parameters: list[Any]) -> str:
        if self.settings.visible_orgs and form.org in form.columns:
            orgs = [key for key, number in self.store.numbers["ORG_Organizations"].number.items() if number in self.settings.visible_orgs]
            sql = f'({sql}) AND "{form.org}" IN ({",".join("?" * len(orgs))})' if sql else f'"{form.org}" IN ({",".join("?" * len(orgs))})'
            parameters.extend(orgs)
        return f"WHERE {sql}" if sql else ""

    # filters to SQL

    def _split(self, form: Form, tree: Node | None) -> tuple[str, list[Any], list[Node]]:
        """What SQLite can do of a filter, its parameters, and the parts left to a function."""
        parts: list[str] = []
        parameters: list[Any] = []
        rest: list[Node] = []
        for node in tree.parts if isinstance(tree, All) else [tree] if tree is not None else []:
            made = self._sql(form, node)
            if made is None:
                rest.append(node)
            else:
                parts.append(made[0])
                parameters.extend(made[1])
        return " AND ".join(parts), parameters, rest

    def _sql(self, form: Form, node: Node) -> tuple[str, list[Any]] | None:
        if isinstance(node, Test):
            return self._sql_test(form, node)
        if isinstance(node, Not):
            return None  # SQL's three-valued not differs from a plain one; rare enough for the function
        made = [self._sql(form, part) for part in node.parts]
        if any(part is None for part in made):
            return None
        word = " AND " if isinstance(node, All) else " OR "
        whole = [part for part in made if part is not None]
        return f"({word.join(part[0] for part in whole)})", [value for part in whole for value in part[1]]

    def _sql_test(self, form: Form, test: Test) -> tuple[str, list[Any]] | None:
        if not test.key or isinstance(test.value, Key):
            return None
        column = self.column(form, test.key)
        f = column.field
        name = "id" if f.key == form.pk else f'"{f.key}"'
        if f.entity or not (f.key in form.columns or f.key in (form.pk, form.number)):
            return None
        if column.look_up is not None:
            return self._sql_reference(column, test, name)
        convert = converter(column.kind, test)
        sign = "NOT " if test.negated else ""
        if test.op == "null":
            return (f"{name} IS {sign}NULL", [])
        if test.op == "in":
            values = [convert(value) for value in test.value]
            return (f"{name} {sign}IN ({','.join('?' * len(values))})", values) if len(values) <= MAX_SQL_IDS else None
        if test.op == "like":
            return (f"{name} {sign}LIKE ?", [str(test.value)]) if "[" not in str(test.value) and column.kind == "t" else None
        return (f"{name} {test.op} ?", [convert(test.value)])

    def _sql_reference(self, column: Column, test: Test, name: str) -> tuple[str, list[Any]] | None:
        if column.prop not in ("fnumber", "fname", "fstaffnumber") or test.op == "null":
            return None
        numbers = self.store.numbers[column.field.form]
        holds = checker(column.kind, test)
        table = numbers.name if column.prop == "fname" else numbers.number
        if test.op in ("=", "in") and not test.negated and table is numbers.number:
            wanted = test.value if test.op == "in" else [test.value]
            ids = [key for value in wanted for key in numbers.ids.get(str(value).strip().upper(), ())]
        else:
            ids = [key for key, text in table.items() if holds(text)]
        return (f"{name} IN ({','.join('?' * len(ids))})", ids) if len(ids) <= MAX_SQL_IDS else None


class _Residual:
    """A part of a filter that is tested row by row."""

    def __init__(self, querying: Querying, layout: Layout, node: Node) -> None:
        self.querying, self.layout, self.node = querying, layout, node
        self._places = {name: (layout.place(c), c.kind) for name in _names(node) for c in [querying.column(layout.form, name)]}

    @property
    def of_lines(self) -> bool:
        """Whether it looks at fields of lines."""
        return any(line for (line, _, _), _ in self._places.values())

    def build(self) -> Predicate:
        """The test over source rows. Call it when every column of the layout is placed."""
        return self._build(self.node)

    def _build(self, node: Node) -> Predicate:
        if isinstance(node, Test):
            return self._test(node)
        if isinstance(node, Not):
            inner = self._build(node.part)
            return lambda row: not inner(row)
        parts = [self._build(part) for part in node.parts]
        if isinstance(node, All):
            return lambda row: all(part(row) for part in parts)
        return lambda row: any(part(row) for part in parts)

    def _test(self, test: Test) -> Predicate:
        if not test.key:
            left, right = test.value
            same = str(left).lower() == str(right).lower()
            fixed = {"=": same, "<>": not same}.get(test.op)
            held = fixed if fixed is not None else compare(str(left), test.op, str(right))
            return lambda _: held
        place, kind = self._places[test.key]
        at = self.layout.position(place)
        if isinstance(test.value, Key):
            other, _ = self._places[test.value.name]
            beside, op = self.layout.position(other), test.op
            return lambda row: both(bare(row[at]), op, bare(row[beside]))
        holds = checker(kind, test)
        return lambda row: holds(row[at])


def _names(node: Node | None) -> list[str]:
    if node is None:
        return []
    if isinstance(node, Test):
        right = [node.value.name] if isinstance(node.value, Key) else []
        return ([node.key] if node.key else []) + right
    if isinstance(node, Not):
        return _names(node.part)
    return [name for part in node.parts for name in _names(part)]


def _one_entity(columns: list[Column]) -> int:
    entities = {c.field.entity for c in columns if c.field.entity}
    if len(entities) > 1:
        raise Refused("不支持同时查询多个单据体的字段", MsgCode.BAD_PARAMETER)
    return entities.pop() if entities else 0


def _order(text: str) -> list[tuple[str, bool]]:
    terms: list[tuple[str, bool]] = []
    for part in filter(None, map(str.strip, text.split(","))):
        words = part.split()
        if len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
            raise Refused(f"排序条件“{part[:60]}”有语法错误", MsgCode.EXCEPTION)
        terms.append((words[0], len(words) == 2 and words[1].lower() == "desc"))
    return terms


def _sql_order(form: Form, order: list[tuple[Column, bool]]) -> tuple[str | None, int]:
    """(ORDER BY, number of terms in it). None when rows must be sorted by a function; terms behind the document's id sort its lines."""
    terms: list[str] = []
    for number, (column, descending) in enumerate(order):
        f = column.field
        if f.entity or column.look_up is not None or (f.key not in form.columns and f.key not in (form.pk, form.number)):
            return (None, 0) if terms[-1:] not in (["id"], ["id DESC"]) else (" ORDER BY " + ", ".join(terms), number)
        terms.append(("id" if f.key == form.pk else f'"{f.key}"') + (" DESC" if descending else ""))
        if f.key == form.pk:
            return " ORDER BY " + ", ".join(terms), number + 1
    return " ORDER BY " + ", ".join([*terms, "id"]), len(order)


def _sorted(rows: list[Row], keys: list[tuple[int, bool]]) -> list[Row]:
    for at, descending in reversed(keys):
        rows = sorted(rows, key=lambda row: sort_key(bare(row[at])), reverse=descending)
    return rows


def _picker(positions: list[int]) -> Callable[[Row], tuple[Any, ...]]:
    if len(positions) == 1:
        only = positions[0]
        return lambda row: (row[only],)
    return itemgetter(*positions)


def _whole(value: Any) -> int:
    try:
        return int(str(value if value is not None else 0).strip() or 0)
    except ValueError as error:
        raise Refused(f"参数值“{str(value)[:40]}”不是有效的整数", MsgCode.BAD_PARAMETER) from error

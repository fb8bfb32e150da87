"""Runs a COQL query: narrows the records by an index where the conditions allow it, judges them, orders, counts, pages."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any

from sandbox.core.http import Response
from sandbox.crm_zoho import coql
from sandbox.crm_zoho.calls import Call, answer, module_named, no_content
from sandbox.crm_zoho.clock import parse_moment, text_of
from sandbox.crm_zoho.conditions import BadCondition, Compare, Getter, Node, getter, resolve, test_of
from sandbox.crm_zoho.errors import ApiError
from sandbox.crm_zoho.metadata import Doc, Module
from sandbox.crm_zoho.store import Store, Table


def run(call: Call) -> Response:
    """`POST /coql`."""
    query = coql.parse(call.body().get("select_query"), pairs=call.box.switches.coql_pairs)
    module = module_named(query.module)
    call.request.stream = module.name
    call.credits = 1 if query.limit <= 200 else 2 if query.limit <= 1000 else 3
    try:
        rows, more = _rows(call.box.store, module, query, call.box.hidden(module.name))
    except BadCondition as error:
        raise ApiError(400, "INVALID_QUERY", error.why, **error.details) from error
    except TypeError as error:  # a value that cannot be compared with what the column holds
        raise ApiError(400, "INVALID_QUERY", "value given seems to be invalid for the column") from error
    if not rows:
        return no_content()
    return answer({"data": rows, "info": {"count": len(rows), "more_records": more}})


def _rows(store: Store, module: Module, query: coql.Query, hidden: frozenset[str]) -> tuple[list[Doc], bool]:
    _check_columns(module, query)
    test = test_of(store, module, query.where)
    table = store.tables[module.name]
    candidates, ordered = _candidates(table, query)
    found = (doc for key in candidates if key not in hidden and test(doc := table.docs[key]))
    if query.group or any(column.aggregate for column in query.columns):
        rows = _aggregated(store, module, query, found)
        return rows[query.offset : query.offset + query.limit], len(rows) > query.offset + query.limit
    docs = _paged(found, query) if ordered else _sorted(store, module, query, found)
    more = len(docs) > query.limit
    return _selected(store, module, query, docs[: query.limit]), more


def _check_columns(module: Module, query: coql.Query) -> None:
    keys = {column.key for column in query.columns}
    if len(keys) < len(query.columns):
        raise BadCondition("duplicate alias or column", clause="select")
    for column in query.columns:
        spec, _ = resolve(module, column.path)
        if spec.type in ("subform", "pricing", "linetax"):
            raise BadCondition("column given is not supported", column_name=".".join(column.path), clause="select")
    for name, _ in query.order:
        if name not in keys:
            resolve(module, tuple(name.split(".")))
    grouped = set(query.group)
    for column in query.columns:
        if grouped and not column.aggregate and column.path not in grouped:
            raise BadCondition("column given is neither grouped nor aggregated", column_name=".".join(column.path), clause="group by")


def _bounds(node: Node) -> Iterable[Compare]:
    """Criteria that every record found must meet."""
    if isinstance(node, Compare):
        yield node
    elif node.op == "and":
        for part in node.parts:
            yield from _bounds(part)


def _candidates(table: Table, query: coql.Query) -> tuple[Sequence[str] | Iterable[str], bool]:
    """Ids worth judging, and whether they come in the order asked for already."""
    bounds = list(_bounds(query.where))
    for bound in bounds:
        keys = _looked_up(table, bound)
        if keys is not None:
            return keys, False
    order = [(name, down) for name, down in query.order] or [("id", False)]
    rows = _modified_range(table, bounds)
    if order[0][0] == "id":
        ids = _id_range(table, bounds)
        if len(rows) < len(ids):
            ids = sorted(key for _, key in rows)
        return (reversed(ids) if order[0][1] else ids), True
    if order in ([("Modified_Time", False)], [("Modified_Time", False), ("id", False)]):
        return (key for _, key in rows), True
    if order in ([("Modified_Time", True)], [("Modified_Time", True), ("id", True)]):
        return (key for _, key in reversed(rows)), True
    return [key for _, key in rows], False


def _looked_up(table: Table, bound: Compare) -> list[str] | None:
    """Ids by an index of values, when the criterion can use one."""
    if bound.op not in ("=", "in") or len(bound.path) != 1:
        return None
    name = bound.path[0]
    if name == "id":
        return [key for value in bound.values if (key := str(value)) in table.docs]
    if name not in table.module.indexed or not all(isinstance(value, str) for value in bound.values):
        return None
    return list(dict.fromkeys(key for value in bound.values for key in table.find(name, value)))


def _id_range(table: Table, bounds: Iterable[Compare]) -> Sequence[str]:
    low, high = 0, len(table.ids)
    for bound in bounds:
        if bound.path != ("id",) or bound.op not in (">", ">=", "<", "<="):
            continue
        value = str(bound.values[0])
        at = bisect_right(table.ids, value) if bound.op in (">", "<=") else bisect_left(table.ids, value)
        low, high = (max(low, at), high) if bound.op[0] == ">" else (low, min(high, at))
    return table.ids[low:high]


def _modified_range(table: Table, bounds: Iterable[Compare]) -> Sequence[tuple[str, str]]:
    low, high = 0, len(table.modified)
    for bound in bounds:
        if bound.path != ("Modified_Time",) or bound.op not in ("=", ">", ">=", "<", "<=", "between"):
            continue
        texts = [text_of(moment) for value in bound.values if (moment := parse_moment(value)) is not None]
        if len(texts) != len(bound.values):
            continue  # the test of the condition refuses it with its reason
        if bound.op in ("=", ">", ">=", "between"):
            low = max(low, bisect_left(table.modified, (texts[0], "")))
        if bound.op in ("=", "<", "<=", "between"):
            high = min(high, bisect_right(table.modified, (texts[-1], "\uffff")))
    return table.modified[low:high]


def _paged(found: Iterable[Doc], query: coql.Query) -> list[Doc]:
    """Rows of the page and one more, without looking at the rest."""
    docs: list[Doc] = []
    skip = query.offset
    for doc in found:
        if skip:
            skip -= 1
            continue
        docs.append(doc)
        if len(docs) > query.limit:
            break
    return docs


def _sorted(store: Store, module: Module, query: coql.Query, found: Iterable[Doc]) -> list[Doc]:
    docs = sorted(found, key=lambda doc: str(doc["id"]))
    aliases = {column.key: column.path for column in query.columns}
    for name, down in reversed(query.order):
        _sort(docs, getter(store, module, aliases.get(name, tuple(name.split(".")))), down=down)
    return docs[query.offset : query.offset + query.limit + 1]


def _sort(docs: list[Doc], read: Getter, *, down: bool) -> None:
    docs.sort(key=lambda doc: _sort_key(read(doc)), reverse=down)


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, "")
    if isinstance(value, dict):
        return (1, str(value.get("name")))
    return (1, value)


def _selected(store: Store, module: Module, query: coql.Query, docs: Sequence[Doc]) -> list[Doc]:
    readers: list[tuple[str, Getter]] = [(column.key, getter(store, module, column.path)) for column in query.columns]
    if all(len(column.path) == 1 for column in query.columns):
        pairs = [(column.key, column.path[0]) for column in query.columns]
        return [{**{key: doc.get(name) for key, name in pairs}, "id": doc["id"]} for doc in docs]
    return [{**{key: read(doc) for key, read in readers}, "id": doc["id"]} for doc in docs]


def _aggregated(store: Store, module: Module, query: coql.Query, found: Iterable[Doc]) -> list[Doc]:
    grouped = [getter(store, module, path) for path in query.group]
    buckets: dict[tuple[Any, ...], list[Doc]] = {}
    for doc in found:
        key = tuple(_sort_key(read(doc)) for read in grouped)
        buckets.setdefault(key, []).append(doc)
    if not buckets and not query.group:
        buckets[()] = []
    rows = [{column.key: _figure(store, module, column, docs) for column in query.columns} for docs in buckets.values()]
    for name, down in reversed(query.order):
        _sort(rows, itemgetter(name), down=down)
    return rows


def _figure(store: Store, module: Module, column: coql.Column, docs: Sequence[Doc]) -> Any:
    read = getter(store, module, column.path)
    values = [value for doc in docs if (value := read(doc)) is not None]
    if not column.aggregate:
        return values[0] if values else None
    if column.aggregate == "count":
        return len(values)
    if not values:
        return None
    if column.aggregate in ("min", "max"):
        return min(values) if column.aggregate == "min" else max(values)
    if not all(isinstance(value, int | Decimal) for value in values):
        raise BadCondition("column given cannot be added up", column_name=".".join(column.path))
    total = sum(values, Decimal(0))
    return total if column.aggregate == "sum" else (total / len(values)).quantize(Decimal("0.01"))

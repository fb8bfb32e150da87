"""Conditions on records: the tree that COQL, search and bulk read share, and its compiler to one function.

Text is compared as the real one does it, without regard to case; numbers exactly; moments as moments, whatever their offset; a
lookup by its id. Null fits no comparison but `is null` and `!=`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.crm_zoho.clock import is_date, parse_moment, text_of
from sandbox.crm_zoho.metadata import Doc, Field, Module
from sandbox.crm_zoho.modules import MODULES
from sandbox.crm_zoho.store import Store, folded

Path = tuple[str, ...]
Test = Callable[[Doc], bool]
Getter = Callable[[Doc], Any]


class BadCondition(Exception):
    """A condition that cannot be asked of this module."""

    def __init__(self, why: str, **details: Any) -> None:
        super().__init__(why)
        self.why, self.details = why, details


@dataclass(frozen=True, slots=True)
class Compare:
    """One criterion. `op` is one of = != < > <= >= in, not in, like, not like, between, not between, is null, is not null."""

    path: Path
    op: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Criteria joined by `and` or by `or`."""

    op: str
    parts: tuple[Compare | Group, ...]


Node = Compare | Group

ID_FIELD = Field("id", "bigint", 20)
LOOKUP_NAME = Field("name", "text", 255)
_TEXTS = {"text", "email", "phone", "website", "picklist", "bigint", "textarea"}
_NUMBERS = {"integer", "double", "currency", "percent"}
_REFUSED = {"subform", "textarea", "pricing", "linetax", "discount"}
"""Types that cannot be filtered or selected by COQL (multi-line text can be selected)."""


def criteria(node: Node) -> int:
    """How many criteria a tree holds."""
    return 1 if isinstance(node, Compare) else sum(criteria(part) for part in node.parts)


def resolve(module: Module, path: Path) -> tuple[Field, list[str]]:
    """The field at the end of a dotted path, and the modules that its lookups lead through. Raises BadCondition."""
    if len(path) > 3:
        raise BadCondition("lookups can be joined over two levels", column_name=".".join(path))
    here = module
    through: list[str] = []
    for at, name in enumerate(path):
        spec = here.fields.get(name)
        if spec is None:
            raise BadCondition("column given seems to be invalid", column_name=".".join(path))
        if at == len(path) - 1:
            return spec, through
        if spec.type == "ownerlookup" and path[at + 1 :] in (("id",), ("name",), ("email",)):
            return (ID_FIELD if path[-1] == "id" else LOOKUP_NAME), [*through, "Users"]
        if spec.type != "lookup":
            raise BadCondition("column given is not a lookup", column_name=".".join(path))
        here = MODULES[spec.module]
        through.append(here.name)
    raise BadCondition("column given seems to be invalid", column_name="")


def getter(store: Store, module: Module, path: Path) -> Getter:
    """Reads the value at a dotted path; None where a lookup on the way is empty or its record gone. Raises BadCondition."""
    _, through = resolve(module, path)
    if not through:
        name = path[0]
        return lambda doc: doc.get(name)
    if through[-1] == "Users":
        first, last = path[-2], path[-1]
        inner = getter(store, module, path[:-1]) if len(path) > 2 else (lambda doc: doc.get(first))
        return lambda doc: (inner(doc) or {}).get(last)
    tables = [store.tables[name].docs for name in through]

    def read(doc: Doc) -> Any:
        for name, docs in zip(path[:-1], tables, strict=True):
            reference = doc.get(name)
            found = docs.get(reference["id"]) if reference else None
            if found is None:
                return None
            doc = found
        return doc.get(path[-1])

    return read


def test_of(store: Store, module: Module, node: Node) -> Test:
    """A function that judges a record. Raises BadCondition."""
    if isinstance(node, Compare):
        return _compare(store, module, node)
    tests = [test_of(store, module, part) for part in node.parts]
    if node.op == "and":
        return lambda doc: all(test(doc) for test in tests)
    return lambda doc: any(test(doc) for test in tests)


def _compare(store: Store, module: Module, node: Compare) -> Test:
    spec, _ = resolve(module, node.path)
    if spec.type in _REFUSED:
        raise BadCondition("column given is not supported in criteria", column_name=".".join(node.path))
    read = getter(store, module, node.path)
    if node.op == "is null":
        return lambda doc: read(doc) in (None, "")
    if node.op == "is not null":
        return lambda doc: read(doc) not in (None, "")
    shown = _shown(spec)
    if node.op in ("like", "not like"):
        return _like(node, spec, read)
    values = [wanted(spec, value, node) for value in node.values]
    judge = _judge(node.op, values)
    absent = node.op in {"!=", "not in"}

    def test(doc: Doc) -> bool:
        value = read(doc)
        return absent if value is None else judge(shown(value))

    return test


def _judge(op: str, values: Sequence[Any]) -> Callable[[Any], bool]:
    first = values[0]
    many = frozenset(values) if op in ("in", "not in") else frozenset()
    last = values[-1]
    judges: Mapping[str, Callable[[Any], bool]] = {
        "=": lambda value: bool(value == first),
        "!=": lambda value: bool(value != first),
        "<": lambda value: bool(value < first),
        ">": lambda value: bool(value > first),
        "<=": lambda value: bool(value <= first),
        ">=": lambda value: bool(value >= first),
        "in": lambda value: value in many,
        "not in": lambda value: value not in many,
        "between": lambda value: bool(first <= value <= last),
        "not between": lambda value: not first <= value <= last,
    }
    return judges[op]


def _like(node: Compare, spec: Field, read: Getter) -> Test:
    if spec.type not in _TEXTS or not isinstance(node.values[0], str):
        raise BadCondition("like needs a text column and a text", column_name=".".join(node.path))
    parts = re.split("%+", folded(node.values[0]))
    wanted_match = node.op == "like"

    def test(doc: Doc) -> bool:
        value = read(doc)
        return value is not None and _fits(parts, folded(value)) == wanted_match

    return test


def _fits(parts: Sequence[str], text: str) -> bool:
    """True when the parts stand in the text in this order, the first at its start and the last at its end. Linear, unlike a regex."""
    if len(parts) == 1:
        return text == parts[0]
    first, *middle, last = parts
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _shown(spec: Field) -> Callable[[Any], Any]:
    """How a stored value is compared."""
    if spec.type in ("lookup", "ownerlookup"):
        return lambda value: value["id"]
    if spec.type in _TEXTS:
        return folded
    return lambda value: value


def wanted(spec: Field, value: Any, node: Compare) -> Any:
    """A value of a query in the form that stored values are compared in. Raises BadCondition when it is of another type."""
    name = ".".join(node.path)
    if value is None:
        raise BadCondition("null is compared by is null", column_name=name)
    if spec.type == "datetime":
        moment = parse_moment(value)
        if moment is None:
            raise BadCondition("a moment is written YYYY-MM-DDThh:mm:ss+hh:mm", column_name=name, expected_data_type="datetime")
        return text_of(moment)
    if spec.type == "date":
        if not is_date(value):
            raise BadCondition("a date is written YYYY-MM-DD", column_name=name, expected_data_type="date")
        return value
    if spec.type == "boolean":
        if str(value).lower() not in ("true", "false"):
            raise BadCondition("a boolean is true or false", column_name=name, expected_data_type="boolean")
        return str(value).lower() == "true"
    if spec.type in _NUMBERS:
        return _number(value, name)
    if spec.type in ("lookup", "ownerlookup"):
        return str(value)
    return folded(value)


def _number(value: Any, name: str) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,20}(\.\d{1,10})?", value):
        return Decimal(value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    raise BadCondition("a number is expected", column_name=name, expected_data_type="double")

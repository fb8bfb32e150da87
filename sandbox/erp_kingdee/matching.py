"""Testing values against what a filter says: conversion by kind, comparison without case, SQL's patterns."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.erp_kingdee.answers import MsgCode, Refused
from sandbox.erp_kingdee.filters import Test
from sandbox.erp_kingdee.forms import BadValue
from sandbox.erp_kingdee.values import date_text, flag


def converter(kind: str, test: Test) -> Callable[[Any], Any]:
    """How a filter's literal becomes a value of the column's kind. It raises Refused."""

    def convert(value: Any) -> Any:
        try:
            if kind in ("d", "dt"):
                return date_text(value, day=False) or ""
            if kind == "n":
                return Decimal(str(value))
            if kind == "i":
                return int(str(value).strip() or 0)
            if kind == "b":
                return int(flag(value))
        except (BadValue, ArithmeticError, ValueError) as error:
            raise Refused(f"过滤条件错误：字段“{test.key}”的值“{str(value)[:40]}”类型转换失败", MsgCode.EXCEPTION) from error
        return str(value)

    return convert


def checker(kind: str, test: Test) -> Callable[[Any], bool]:
    """A test of one value against the literals of `test`; an empty value passes only `is null`."""
    if test.op == "null":
        negated = test.negated
        return lambda value: (bare(value) is None) is not negated
    convert = converter(kind, test)
    wanted: Callable[[Any], bool]
    if test.op == "like":
        pattern = _like(str(test.value))
        wanted = lambda value: pattern.fullmatch(str(value)) is not None  # noqa: E731  three shapes of one test
    elif test.op == "in":
        values = {folded(convert(value)) for value in test.value}
        wanted = lambda value: folded(value) in values  # noqa: E731  three shapes of one test
    else:
        literal, op = folded(convert(test.value)), test.op
        wanted = lambda value: compare(folded(value), op, literal)  # noqa: E731  three shapes of one test
    negated = test.negated

    def holds(cell: Any) -> bool:
        value = bare(cell)
        return value is not None and wanted(value) is not negated

    return holds


_CELL = msgspec.json.Decoder(float_hook=Decimal)


def bare(value: Any) -> Any:
    """A cell's value; cells of documents come as pieces of JSON."""
    return _CELL.decode(value) if isinstance(value, msgspec.Raw) else value


def of_raw(look_up: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A look-up by a cell of a document. The few references of a page repeat, so what they mean is kept for the length of the query."""
    seen: dict[bytes, Any] = {}

    def through(cell: msgspec.Raw) -> Any:
        key = bytes(cell)
        try:
            return seen[key]
        except KeyError:
            value = seen[key] = look_up(_CELL.decode(key))
            return value

    return through


def folded(value: Any) -> Any:
    """A text as the database compares it: without case and blanks at the end; anything else as it is."""
    return value.upper().rstrip(" ") if isinstance(value, str) else value


def compare(left: Any, op: str, right: Any) -> bool:
    """Whether the comparison holds; values of unlike kinds never compare."""
    try:
        if op == "=":
            return bool(left == right)
        if op == "<>":
            return bool(left != right)
        if op == "<":
            return bool(left < right)
        if op == "<=":
            return bool(left <= right)
        return bool(left > right) if op == ">" else bool(left >= right)
    except TypeError:
        return False


def both(left: Any, op: str, right: Any) -> bool:
    """Whether two fields compare so; empty ones never do."""
    return left is not None and right is not None and compare(folded(left), op, folded(right))


def _like(pattern: str) -> re.Pattern[str]:
    made = []
    for part in re.findall(r"%|_|\[[^\]]*\]|.", pattern, re.DOTALL):
        if part == "%":
            made.append(".*")
        elif part == "_":
            made.append(".")
        elif len(part) > 2 and part[0] == "[":
            made.append("[" + part[1:-1].replace("\\", "\\\\").replace("[", "\\[") + "]")
        else:
            made.append(re.escape(part))
    return re.compile("".join(made), re.IGNORECASE | re.DOTALL)


def sort_key(value: Any) -> tuple[bool, Any]:
    """Sorts empty values first, as the database does."""
    return value is not None, folded(value)

"""An earlier board, read back from the document that was written then: places, parts of the score, and how the tags stood."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, TypeVar

from canonical.values import BadValue
from channel.performance.board import Snapshot, Standing
from channel.performance.definitions import DEFINITIONS
from channel.performance.errors import BadFacts, Flaw
from channel.performance.kpis import Kpi
from channel.performance.ranking import Key
from channel.performance.scorecard import Scorecard
from channel.performance.tags import Evidence, Tag
from channel.rebates.values import day, exact

T = TypeVar("T")
FIX = "give the file that `hub performance score --out` wrote"


class _Wrong(Exception):
    def __init__(self, where: str, what: str, fix: str = FIX) -> None:
        self.where, self.what, self.fix = where, what, fix
        super().__init__(what)


def snapshot(text: bytes, card: Scorecard, before: date, file: str = "") -> Snapshot:
    """An earlier result of the same scorecard, any version. Raises: BadFacts for another file, scorecard, or a day not before `before`."""
    try:
        told = json.loads(text.decode("utf-8-sig"), parse_float=str)
    except UnicodeDecodeError as wrong:
        raise BadFacts([Flaw("encoding", "file", "the file is not UTF-8", FIX, None, file)]) from wrong
    except json.JSONDecodeError as wrong:
        raise BadFacts([Flaw("syntax", "file", wrong.msg, FIX, wrong.lineno, file)]) from wrong
    except RecursionError as wrong:
        raise BadFacts([Flaw("too_deep", "file", "it is nested too deep", FIX, None, file)]) from wrong
    try:
        return _snapshot(told, card, before)
    except _Wrong as wrong:
        raise BadFacts([Flaw("not_a_board", wrong.where, wrong.what, wrong.fix, None, file)]) from wrong


def _snapshot(told: Any, card: Scorecard, before: date) -> Snapshot:
    said = _map(told, "file")
    if said.get("scorecard") != card.scorecard:
        raise _Wrong(
            "scorecard", f"it is of {str(said.get('scorecard'))[:40]!r}, not {card.scorecard!r}", "give a result of this scorecard"
        )
    as_of = _read(day, said, "as_of", "")
    if as_of >= before:
        raise _Wrong("as_of", f"{as_of} is not before {before}", "give an earlier result")
    standings: dict[Key, Standing] = {}
    for at, row in enumerate(_list(said, "results", "")):
        where = f"results[{at}]"
        one = _map(row, where)
        key = (_text(one, "dealer", where), _text(one, "product_line", where))
        if key in standings:
            raise _Wrong(where, f"{key[0]} stands twice")
        standings[key] = Standing(
            _count(one, "place", where) if one.get("place") is not None else None,
            _maybe(one, "score", where),
            {
                code: _read(_fraction, parts, code, f"{where}.parts")
                for parts in [_map(one.get("parts"), f"{where}.parts")]
                for code in parts
            },
            {tag.tag: tag for number, told in enumerate(_list(one, "tags", where)) for tag in [_tag(told, f"{where}.tags[{number}]")]},
        )
    return Snapshot(as_of, _count(said, "version", ""), standings)


def _tag(told: Any, where: str) -> Tag:
    said = _map(told, where)
    if not isinstance(said.get("on"), bool):
        raise _Wrong(f"{where}.on", "it is neither true nor false")
    streaks = _map(said.get("streaks"), f"{where}.streaks")
    return Tag(
        _text(said, "tag", where),
        said["on"],
        _read(day, said, "since", where) if said.get("since") is not None else None,
        _read(day, said, "expires", where) if said.get("expires") is not None else None,
        _count(said, "stayed", where),
        _count(said, "clean", where),
        {name: _count(streaks, name, f"{where}.streaks") for name in streaks},
        tuple(_evidence(one, f"{where}.evidence[{at}]") for at, one in enumerate(_list(said, "evidence", where))),
    )


def _evidence(told: Any, where: str) -> Evidence:
    said = _map(told, where)
    code = _text(said, "kpi", where)
    if code not in DEFINITIONS:
        raise _Wrong(f"{where}.kpi", f"{code[:40]!r} is no figure")
    facts = tuple(str(one) for one in _list(said, "facts", where))
    top, bottom, value = (_maybe(said, name, where) for name in ("numerator", "denominator", "value"))
    kpi = Kpi(code, _count(said, "definition", where), _read(day, said, "as_of", where), top, bottom, value, "", facts)
    return Evidence(kpi, _read(_fraction, said, "limit", where), facts)


def _fraction(value: Any) -> Fraction:
    return Fraction(exact(value))


def _maybe(said: Mapping[str, Any], name: str, where: str) -> Fraction | None:
    return None if said.get(name) is None else _read(_fraction, said, name, where)


def _read(reader: Callable[[Any], T], said: Mapping[str, Any], name: str, where: str) -> T:
    try:
        return reader(said.get(name))
    except BadValue as wrong:
        raise _Wrong(f"{where}.{name}".lstrip("."), str(wrong)) from wrong


def _count(said: Mapping[str, Any], name: str, where: str) -> int:
    value = said.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _Wrong(f"{where}.{name}".lstrip("."), f"{str(value)[:40]!r} is no whole number")
    return value


def _text(said: Mapping[str, Any], name: str, where: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise _Wrong(f"{where}.{name}", "it is no text")
    return value


def _map(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(where, "it is no object")
    return value


def _list(said: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = said.get(name)
    if not isinstance(value, list):
        raise _Wrong(f"{where}.{name}".lstrip("."), "it is no list")
    return value

"""Scorecard files into scorecards: every flaw with its line and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from channel.performance.definitions import DEFINITIONS
from channel.performance.errors import BadScorecard, Flaw, Refused
from channel.performance.scorecard import Condition, Deduction, Point, Scorecard, Scored, TagRule
from channel.performance.tags import condition_name
from channel.rebates.reading import Path, Source, dotted, read
from channel.rebates.values import Name, Span

PARTS: Final[dict[str, type[BaseModel]]] = {
    "kpis": Scored, "curve": Point, "deductions": Deduction, "tags": TagRule, "conditions": Condition,
    "valid": Span, "name": Name, "note": Name,
}  # fmt: skip


def load(text: str | bytes, file: str = "") -> Scorecard:
    """A scorecard from YAML or JSON. Raises: BadScorecard with each flaw, its line and its fix."""
    try:
        source = read(text, file)
    except Refused as wrong:
        raise BadScorecard([replace(flaw, fix=flaw.fix.replace("programme", "scorecard")) for flaw in wrong.flaws]) from wrong
    if not isinstance(source.data, dict):
        raise BadScorecard([Flaw("syntax", "scorecard", "the file is no list of fields", "write field: value, line by line", 1, file)])
    try:
        card = Scorecard.model_validate(source.data)
    except ValidationError as wrong:
        raise BadScorecard([_flaw(dict(error), source) for error in wrong.errors(include_url=False)]) from wrong
    flaws = [Flaw(code, dotted(path), what, fix, source.line(path), file) for path, code, what, fix in check(card)]
    if flaws:
        raise BadScorecard(flaws)
    return card


Found = tuple[Path, str, str, str]


def check(card: Scorecard) -> Iterator[Found]:
    """What two people could read in two ways: place, code, what, fix."""
    if card.valid.from_ is None:
        yield ("valid",), "no_validity", "no first day", "add valid: {from: YYYY-MM-DD}"
    yield from _twice([one.kpi for one in card.kpis], ("kpis",))
    yield from _twice([one.tag for one in card.tags], ("tags",))
    yield from _twice(list(card.peers), ("peers",))
    for at, scored in enumerate(card.kpis):
        yield from _curve(scored, ("kpis", at))
    for at, tag in enumerate(card.tags):
        yield from _twice([condition_name(one) for one in tag.conditions], ("tags", at, "conditions"))
        for place, condition in enumerate(tag.conditions):
            yield from _condition(condition, ("tags", at, "conditions", place))


def _twice(names: list[str], path: Path) -> Iterator[Found]:
    for at, name in enumerate(names):
        if name in names[:at]:
            yield (*path, at), "twice", f"{name} stands twice", "keep one"


def _curve(scored: Scored, path: Path) -> Iterator[Found]:
    for at, (one, after) in enumerate(pairwise(scored.curve), start=1):
        if after.at <= one.at:
            yield (
                (*path, "curve", at),
                "order",
                f"{after.at} comes after {one.at}",
                "write the points from the lowest figure to the highest",
            )
    steps = [after.points - one.points for one, after in pairwise(scored.curve)]
    if any(step > 0 for step in steps) and any(step < 0 for step in steps):
        yield (*path, "curve"), "not_monotone", "points rise and fall again", "let the curve rise only, or fall only"
    if not any(steps):
        yield (*path, "curve"), "flat", "every value gets the same points", "let the curve rise or fall, or take the figure out"
    rises, falls = any(step > 0 for step in steps), any(step < 0 for step in steps)
    if (rises and scored.zero_above is not None) or (falls and scored.zero_below is not None):
        yield (
            path,
            "contradiction",
            "the floor is on the good side of the curve",
            "zero_below for a rising curve, zero_above for a falling one",
        )


def _condition(condition: Condition, path: Path) -> Iterator[Found]:
    limits = [name for name in ("above", "below", "above_peer") if getattr(condition, name) is not None]
    if len(limits) != 1:
        yield path, "no_condition", f"{len(limits)} limits", "write one of above, below, above_peer"
        return
    limit = getattr(condition, limits[0])
    if condition.clear is not None and (condition.clear < limit if limits[0] == "below" else condition.clear > limit):
        side = "not below" if limits[0] == "below" else "not above"
        yield (
            (*path, "clear"),
            "no_hysteresis",
            f"the out limit {condition.clear} is inside the in limit {limit}",
            f"let clear be {side} it",
        )


def _flaw(error: dict[str, Any], source: Source) -> Flaw:
    path: Path = tuple(part for part in error["loc"] if isinstance(part, int | str) and part != "[key]")
    name, line, where, kind = str(path[-1]) if path else "scorecard", source.line(path), dotted(path), error["type"]
    if kind == "missing":
        return Flaw("missing", where, "it is not said", f"add {name}", line, source.file)
    if kind == "extra_forbidden":
        near = get_close_matches(name, _fields(path), n=1)
        return Flaw(
            "unknown_field", where, "there is no such field", f"did you mean {near[0]}?" if near else "take it out", line, source.file
        )
    given = str(error.get("input"))[:40]
    if kind == "literal_error":
        return Flaw("unknown_word", where, f"{given!r} is not known", f"one of {error['ctx']['expected']}", line, source.file)
    if name == "kpi":
        near = get_close_matches(given, DEFINITIONS, n=1)
        fix = f"did you mean {near[0]}?" if near else f"one of {', '.join(DEFINITIONS)}"
        return Flaw("unknown_kpi", where, f"{given!r} is no figure", fix, line, source.file)
    message = str(error["msg"]).removeprefix("Value error, ")
    code = "bad_date" if "no day" in message or "is the year right" in message or "is not before to" in message else "bad_value"
    return Flaw(code, where, message, "correct the value", line, source.file)


def _fields(path: Path) -> list[str]:
    holder = next((str(part) for part in reversed(path[:-1]) if isinstance(part, str)), "")
    model = PARTS.get(holder, Scorecard)
    return [field.alias or name for name, field in model.model_fields.items()]

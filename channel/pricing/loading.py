"""A pricing file from its text: every mistake with file, line and fix, all at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, overload

from pydantic import BaseModel, ValidationError

from channel.pricing import source
from channel.pricing.asking import PricingFile
from channel.pricing.errors import BadPricing, Mistake

F = TypeVar("F", bound=BaseModel)
SECRET = ("cost", "floor_price", "min_margin")
"""Fields whose values are told in no message."""

SHAPES = {
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "names with values",
    "model_type": "names with values",
    "model_attributes_type": "names with values",
    "string_type": "a text",
    "bool_type": "true or false",
}


@overload
def load(text: str, file: str) -> tuple[PricingFile, source.Table]: ...


@overload
def load(text: str, file: str, kind: type[F]) -> tuple[F, source.Table]: ...


def load(text: str, file: str, kind: type[BaseModel] = PricingFile) -> tuple[BaseModel, source.Table]:
    """The file and its tree, which knows the lines. Raises: BadPricing that tells every mistake."""
    tree = source.read(text, file)
    try:
        return kind.model_validate(tree), tree
    except ValidationError as wrong:
        raise BadPricing(
            [_mistake(problem, tree, file, kind) for problem in wrong.errors(include_url=False, include_context=False)]
        ) from None  # the library's own text holds values


def place(tree: source.Table, file: str, path: tuple[str | int, ...]) -> str:
    """`file:line` of a path."""
    return f"{file}:{source.line_of(tree, path)}"


def _mistake(problem: Mapping[str, Any], tree: source.Table, file: str, kind_of_file: type[BaseModel]) -> Mistake:
    path: tuple[str | int, ...] = tuple(problem["loc"])
    name = ".".join(str(step) for step in path)
    kind, given = str(problem["type"]), problem["input"]
    where = place(tree, file, path)
    if kind == "missing":
        return Mistake(where, f"{name} is missing", f"write {path[-1]}")
    if kind == "extra_forbidden":
        return Mistake(where, f"{name} is no name that is known here", _nearest(str(path[-1]), _known_at(kind_of_file, path[:-1])))
    if kind == "value_error":
        what, _, fix = str(problem["msg"]).removeprefix("Value error, ").partition(" | ")
        if any(step in SECRET for step in path):
            what = "the value cannot be used"
        return Mistake(where, f"{name}: {what}" if path else what, fix or "mend it")
    if kind == "literal_error":
        words = str(problem["msg"]).removeprefix("Input should be ").replace("'", "")
        return Mistake(where, f"{name}: {str(given)[:40]!r} is none of the words that are known here", f"write {words}")
    if isinstance(given, dict | list) or kind.endswith("_type"):
        shape = SHAPES.get(kind, "another kind of value")
        return Mistake(where, f"{name} is not {shape}", f"write {shape}")
    return Mistake(where, f"{name}: {str(problem['msg']).lower()}", "mend it")


def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}" if known else "leave it out"


def _known_at(kind: type[BaseModel], path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The names that are known at a place of the file."""
    model: type[BaseModel] | None = kind
    for step in path:
        if isinstance(step, int) or model is None:
            continue
        found = next((info for name, info in model.model_fields.items() if step in (name, info.alias)), None)
        model = _model_in(found.annotation) if found else None
    return tuple(info.alias or name for name, info in model.model_fields.items()) if model else ()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)

"""docs/pricing-format.md, made from the models themselves: `python -m tests.pricing.format_page` writes it anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from channel.pricing.asking import PricingFile
from channel.pricing.words import BYS, KINDS, METHODS, MODES, RUNGS, SIDES

PAGE = Path(__file__).parents[2] / "docs" / "pricing-format.md"

HEAD = """\
# The format of a pricing file

Every name that a pricing file may hold, made from the models by `python -m tests.pricing.format_page`. How the parts work together,
with examples: [Prices](pricing.md). YAML or JSON; numbers may stand with or without quotes and are never read through a binary float;
unknown names are mistakes. `required` has to be there. Percents are written `10` or `10%`; rates are fractions (`0.13`, or `13%`). A
validity is half-open: `valid_from` is the first day, `valid_to` the day after the last. A list of one may be written without brackets.
"""


MARKS = {
    "dict": "names with values",
    "bool": "`true`, `false`",
    "datetime.datetime": "time with zone",
    "datetime.date": "day",
    "Decimal": "number",
    "int": "whole number",
}


def models(model: type[BaseModel], seen: dict[type[BaseModel], str] | None = None, name: str = "The file") -> dict[type[BaseModel], str]:
    """Every model of a file in the order in which they are met, with the name under which it is met first."""
    found = {} if seen is None else seen
    if model in found:
        return found
    found[model] = name
    for field, info in model.model_fields.items():
        for part in _models_in(info.annotation):
            models(part, found, info.alias or field)
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _kind(annotation: Any) -> str:
    inner = list(_models_in(annotation))
    many = get_origin(annotation) is tuple or any(get_origin(part) is tuple for part in get_args(annotation))
    if inner:
        return f"{'list of ' if many else ''}[{inner[0].__name__}](#{inner[0].__name__.lower()})"
    text = str(annotation)
    if "Literal" in text:
        return " ".join(f"`{word}`" for word in _words(annotation))
    for mark, told in MARKS.items():
        if mark in text:
            return told
    return "list of texts" if many else "text"


def _words(annotation: Any) -> list[str]:
    if isinstance(annotation, str):
        return [annotation]
    return [word for part in get_args(annotation) if isinstance(part, str) or get_args(part) for word in _words(part)]


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, BaseModel):
        return ""
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for model, name in models(PricingFile).items():
        about = " ".join((model.__doc__ or "").split())
        lines += [f"## {model.__name__}", "", f"{about} Written under `{name}`." if name != "The file" else about, ""]
        lines += ["| name | what | default | meaning |", "| --- | --- | --- | --- |"]
        for field, info in model.model_fields.items():
            told = (info.description or "").replace("|", "\\|")
            default = "" if info.default_factory else _default(info.default)
            lines.append(f"| `{info.alias or field}` | {_kind(info.annotation)} | {default} | {told} |")
        lines.append("")
    lines += ["## Words", "", "Usual words, in Chinese or English, that are read as ours:", "", "| written | read as |", "| --- | --- |"]
    lines += [f"| `{word}` | `{ours}` |" for table in (KINDS, SIDES, METHODS, MODES, BYS, RUNGS) for word, ours in table.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")

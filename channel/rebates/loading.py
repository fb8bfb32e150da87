"""Programme files into programmes: every flaw of the form with its line and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from channel.rebates.checking import check, check_claims, check_together
from channel.rebates.claims import Claimed, ClaimProgramme, Fund, PriceProtection, ShipAndDebit
from channel.rebates.errors import BadProgramme, Flaw
from channel.rebates.hints import WRITTEN, meant
from channel.rebates.programme import Programme
from channel.rebates.reading import Path, Source, dotted, read

CODES: Final = {"method": "no_method", "base": "no_base", "tiers": "no_tiers", "participants": "no_participants", "valid": "no_validity"}
CLAIMS: Final[dict[str, type[Claimed]]] = {"price_protection": PriceProtection, "ship_and_debit": ShipAndDebit, "fund": Fund}
FIXES: Final = {
    "method": "name the method: retroactive, marginal, fixed, per_unit, growth, target, mix, rolling, total, …",
    "base": "add base: {event, measure, tax, net_of}",
    "net_of": "say what lowers the base: [return, credit], or nothing",
    "participants": "write all, or name dealers, grades, regions or channels",
    "valid": "add valid: {from: YYYY-MM-DD, to: YYYY-MM-DD}; the last day is not included",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A programme and the file it came from."""

    programme: Programme | Claimed
    source: Source


def load(text: str | bytes, file: str = "") -> Loaded:
    """A programme of any type from YAML or JSON, checked as for publishing. Raises: BadProgramme with each flaw, its line and its fix."""
    loaded = parse(text, file)
    found = check(loaded.programme) if isinstance(loaded.programme, Programme) else check_claims(loaded.programme)
    flaws = place(found, loaded.source)
    if flaws:
        raise BadProgramme(flaws)
    return loaded


def load_all(texts: Sequence[tuple[str | bytes, str]]) -> list[Loaded]:
    """Several programmes, checked each and together (stacking order, versions). Raises: BadProgramme."""
    flaws: list[Flaw] = []
    loaded: list[Loaded] = []
    for text, file in texts:
        try:
            loaded.append(load(text, file))
        except BadProgramme as wrong:
            flaws += wrong.flaws
    if not flaws:
        rebates = [(at, one.programme) for at, one in enumerate(loaded) if isinstance(one.programme, Programme)]
        for at, flaw in check_together([programme for _, programme in rebates]):
            flaws += place([flaw], loaded[rebates[at][0]].source)
    if flaws:
        raise BadProgramme(flaws)
    return loaded


SHAPES: Final = {
    "tuple_type": "write a list: [a, b]", "model_type": "write its fields: {field: value}, or a word that docs/rebates-programme.md names",
    "dict_type": "write its fields: {field: value}", "model_attributes_type": "write its fields: {field: value}",
    "bool_type": "write true or false", "bool_parsing": "write true or false", "int_type": "write a whole number",
    "int_parsing": "write a whole number", "string_type": "write a text",
}  # fmt: skip
"""What to write where a value has another shape."""


def parse(text: str | bytes, file: str = "") -> Loaded:
    """A programme as written, not yet checked for clearness. Raises: BadProgramme for what is no programme at all."""
    source = read(text, file)
    if not isinstance(source.data, dict):
        raise BadProgramme([Flaw("syntax", "programme", "the file is no list of fields", "write field: value, line by line", 1, file)])
    try:
        if source.data.get("type", "rebate") in CLAIMS:
            return Loaded(TypeAdapter[Claimed](ClaimProgramme).validate_python(source.data), source)
        return Loaded(Programme.model_validate(source.data), source)
    except ValidationError as wrong:
        raise BadProgramme([_flaw(dict(error), source) for error in wrong.errors(include_url=False)]) from wrong


def place(flaws: list[tuple[Path, Flaw]] | list[Flaw], source: Source) -> list[Flaw]:
    """The same flaws with the line of the file where each is to be mended."""
    placed = []
    for item in flaws:
        path, flaw = item if isinstance(item, tuple) else ((), item)
        placed.append(Flaw(flaw.code, flaw.where or dotted(path), flaw.what, flaw.fix, source.line(path), source.file))
    return placed


def _flaw(error: dict[str, Any], source: Source) -> Flaw:
    path: Path = tuple(part for part in error["loc"] if isinstance(part, int | str) and part != "[key]")
    path = path[1:] if path and path[0] in CLAIMS else path  # pydantic names the kind of claim first
    name = str(path[-1]) if path else "programme"
    kind = error["type"]
    line, where = source.line(path), dotted(path)
    if kind == "missing":
        code = CODES.get(name, "missing") if len(path) == 1 else "missing"
        return Flaw(code, where, "it is not said", FIXES.get(name, f"add {name}"), line, source.file)
    if kind == "extra_forbidden":
        near = get_close_matches(name, _fields(path[:-1], str(source.data.get("type", "rebate"))), n=1)
        fix = f"did you mean {near[0]}?" if near else "take it out"
        if name.isdecimal():
            fix = "write numbers without a comma for thousands: 10000"
        return Flaw("unknown_field", where, "there is no such field", fix, line, source.file)
    if kind in ("literal_error", "enum"):
        said = str(error.get("input"))[:40]
        return Flaw("unknown_word", where, f"{said!r} is not known", meant(said, str(error["ctx"]["expected"])), line, source.file)
    if kind in SHAPES:
        fix = WRITTEN.get(name, SHAPES[kind])
        return Flaw("bad_value", where, f"{str(error.get('input'))[:40]!r} is not what stands here", fix, line, source.file)
    message = str(error["msg"]).removeprefix("Value error, ")
    code = "bad_date" if "no day" in message or "is the year right" in message or "is not before to" in message else "bad_value"
    fix = "correct the value"
    if "do not go together" in message:
        code, fix = "no_method_part", "name the method that the part belongs to, or take the part out"
    return Flaw(code, where, message, fix, line, source.file)


def _fields(path: Path, kind: str) -> list[str]:
    """The fields that are known at a place of a programme."""
    model: type[BaseModel] | None = CLAIMS.get(kind, Programme)
    for part in path:
        if isinstance(part, int) or model is None:
            continue
        found = next((field for name, field in model.model_fields.items() if part in (name, field.alias)), None)
        model = _model(found.annotation) if found is not None else None
    return [field.alias or name for name, field in model.model_fields.items()] if model is not None else []


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _model(part)) is not None), None)

"""What every aggregate has in common, and how the rest of the hub asks a model about its fields."""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from canonical.values import DerivedByHub, Personal, Ref


class Part(BaseModel):
    """A row of a child set. Known by its `id`, never by its position."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID | None = Field(default=None, description="The hub's identifier of this row.")


class Aggregate(BaseModel):
    """One canonical record: a root with child sets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entity: ClassVar[str]
    """Its name everywhere: tables, mappings, API, CLI."""
    title: ClassVar[str]
    """For people, Chinese and English."""

    id: UUID | None = Field(default=None, description="The hub's identifier (UUIDv7).")
    hub_key: str = Field(default="", description="16 characters, base32 with a check character; written on records that the hub creates.")
    number: str = Field(default="", description="Business number: what people call it; its numbering authority is set per entity.")
    version: int = Field(default=0, description="Counts changes of this record.")
    retired: bool = Field(default=False, description="True when its owner deleted it or it was merged into another.")
    custom: dict[str, Any] = Field(default_factory=dict, description="Fields of this tenant, by name.")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of an aggregate or of one of its child sets."""

    name: str
    kind: str
    """text, decimal, integer, boolean, date, moment, reference, list, map"""
    refers_to: str = ""
    """Entity that a reference points to."""
    personal: bool = False
    derived: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class EntitySpec:
    """The shape of an aggregate: its own fields, and its child sets by name."""

    name: str
    title: str
    fields: dict[str, FieldSpec]
    sets: dict[str, dict[str, FieldSpec]]
    model: type[Aggregate]


_KINDS = {
    "str": "text",
    "Decimal": "decimal",
    "int": "integer",
    "bool": "boolean",
    "date": "date",
    "datetime": "moment",
    "UUID": "reference",
}
_OWN = {"id", "hub_key", "version", "retired", "custom"}


def _unwrap(annotation: Any, marks: list[Any]) -> Any:
    origin = get_origin(annotation)
    if origin is Annotated:
        marks.extend(annotation.__metadata__)
        return _unwrap(get_args(annotation)[0], marks)
    if origin in (Union, types.UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _unwrap(inner[0], marks)
    return annotation


def _field_spec(name: str, annotation: Any, metadata: list[Any], description: str) -> FieldSpec:
    marks = list(metadata)
    bare = _unwrap(annotation, marks)
    origin = get_origin(bare)
    kind = "list" if origin in (list, tuple) else "map" if origin is dict else _KINDS.get(getattr(bare, "__name__", ""), "text")
    refers_to = next((mark.entity for mark in marks if isinstance(mark, Ref)), "")
    if kind == "list":
        inner: list[Any] = []
        _unwrap(get_args(bare)[0], inner)
        refers_to = next((mark.entity for mark in inner if isinstance(mark, Ref)), "")
    return FieldSpec(
        name=name,
        kind=kind,
        refers_to=refers_to,
        personal=any(isinstance(mark, Personal) or mark is Personal for mark in marks),
        derived=any(isinstance(mark, DerivedByHub) or mark is DerivedByHub for mark in marks),
        description=description,
    )


def _set_model(annotation: Any) -> type[Part] | None:
    bare = _unwrap(annotation, [])
    if get_origin(bare) is list:
        inner = _unwrap(get_args(bare)[0], [])
        if isinstance(inner, type) and issubclass(inner, Part):
            return inner
    return None


@cache
def spec_of(model: type[Aggregate]) -> EntitySpec:
    """The shape of an aggregate, read from its model: the one definition of every field."""
    fields: dict[str, FieldSpec] = {}
    sets: dict[str, dict[str, FieldSpec]] = {}
    for name, info in model.model_fields.items():
        if name in _OWN:
            continue
        part = _set_model(info.annotation)
        if part is None:
            fields[name] = _field_spec(name, info.annotation, info.metadata, info.description or "")
            continue
        sets[name] = {
            child: _field_spec(child, inner.annotation, inner.metadata, inner.description or "")
            for child, inner in part.model_fields.items()
            if child != "id"
        }
    return EntitySpec(model.entity, model.title, fields, sets, model)

"""What a module and a field are in the stand-in, and how the settings calls describe them.

Source: reference notes on Zoho CRM v8, "Metadata" (keys kept by the field, module and layout calls).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Doc = dict[str, Any]
"""A record in the shape of the API: text, int, Decimal, bool, None, lookups as {"id", "name"}, subforms as lists."""

JSON_TYPES: Mapping[str, str] = {
    "integer": "integer",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "boolean": "boolean",
    "lookup": "jsonobject",
    "ownerlookup": "jsonobject",
    "userlookup": "jsonobject",
    "subform": "jsonarray",
    "multiselectpicklist": "jsonarray",
    "bigint": "string",
}
"""JSON type of a data type where it is not text. A bigint is text: JavaScript cannot hold its 18 digits."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a module, or one column of a subform."""

    name: str
    """API name: never changes, whatever the label."""
    type: str = "text"
    length: int = 255
    """Longest text in characters, or most digits of a number."""
    places: int = 2
    """Decimal places kept of a number; more are rounded half-up."""
    required: bool = False
    unique: bool = False
    custom: bool = False
    read_only: bool = False
    external: bool = False
    """The value may stand in for the record's id in a path (header X-EXTERNAL)."""
    choices: tuple[str, ...] = ()
    closed: bool = False
    """A picklist that refuses a value it does not know; the others take any text, as the real one does."""
    module: str = ""
    """Module that a lookup points to."""
    rows: tuple[Field, ...] = ()
    """Columns of a subform."""
    label: str = ""

    @property
    def json_type(self) -> str:
        """JSON type as the field call names it."""
        return JSON_TYPES.get(self.type, "string")


@dataclass(frozen=True)
class Module:
    """One module: its fields by API name, and which of them names a record."""

    name: str
    label: str
    singular: str
    prefix: str
    """Three digits that its metadata ids carry."""
    title: str
    """Field shown as the record's name in lookups and in the list of deleted records."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    system_duplicates: tuple[str, ...] = ()
    """Fields that an upsert compares when the request names none."""
    custom: bool = False
    lines: str = ""
    """The subform whose rows are priced, if any."""

    @cached_property
    def subforms(self) -> dict[str, dict[str, Field]]:
        """Columns by name of every subform, by the subform's name."""
        return {f.name: {row.name: row for row in f.rows} for f in self.fields.values() if f.type == "subform"}

    @cached_property
    def unique(self) -> tuple[str, ...]:
        """Fields whose value no two records may share."""
        return tuple(f.name for f in self.fields.values() if f.unique)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Fields without which nothing is created."""
        return tuple(f.name for f in self.fields.values() if f.required)

    @cached_property
    def lookups(self) -> dict[str, str]:
        """Target module by lookup field."""
        return {f.name: f.module for f in self.fields.values() if f.type == "lookup"}

    @cached_property
    def indexed(self) -> tuple[str, ...]:
        """Fields looked up by value: unique ones, those that an upsert compares, and codes of other systems."""
        codes = [f.name for f in self.fields.values() if f.custom and f.name.startswith("ERP_")]
        return tuple(dict.fromkeys((*self.unique, *self.system_duplicates, *codes)))


def metadata_id(module: Module, number: int) -> str:
    """Id of a module (0), its layout (1), pipeline (2) or the n-th field, below the range that records use."""
    return f"572576700{module.prefix}{number:06d}"


def describe_field(module: Module, spec: Field, number: int) -> Doc:
    """One entry of `GET /settings/fields`."""
    changeable = not spec.read_only
    return {
        "id": metadata_id(module, 100 + number),
        "api_name": spec.name,
        "field_label": spec.label or spec.name.replace("_", " "),
        "display_label": spec.label or spec.name.replace("_", " "),
        "data_type": spec.type,
        "json_type": spec.json_type,
        "length": spec.length,
        "decimal_place": spec.places if spec.type in {"double", "currency", "percent"} else None,
        "system_mandatory": spec.required,
        "read_only": spec.read_only,
        "field_read_only": spec.read_only,
        "visible": True,
        "custom_field": spec.custom,
        "virtual_field": False,
        "operation_type": {"api_create": changeable, "api_update": changeable, "web_create": changeable, "web_update": changeable},
        "unique": {"casesensitive": False} if spec.unique else {},
        "external": {"type": "org", "show": True} if spec.external else None,
        "pick_list_values": [_choice(module, number, at, value) for at, value in enumerate(spec.choices)],
        "lookup": _lookup(spec),
        "associated_module": None,
        "subform": {"module": spec.name, "id": metadata_id(module, 900 + number)} if spec.type == "subform" else None,
        "auto_number": {},
        "formula": {},
        "currency": {"precision": spec.places, "rounding_option": "normal"} if spec.type == "currency" else {},
        "history_tracking": None,
        "blueprint_supported": spec.type == "picklist",
        "created_source": "default",
        "mass_update": changeable,
    }


def _choice(module: Module, field_number: int, at: int, value: str) -> Doc:
    return {
        "id": metadata_id(module, 10_000 + field_number * 100 + at),
        "display_value": value,
        "actual_value": value,
        "reference_value": value,
        "sequence_number": at + 1,
        "type": "used",
    }


def _lookup(spec: Field) -> Doc:
    if spec.type != "lookup":
        return {}
    return {"api_name": spec.name, "display_label": spec.module, "module": {"api_name": spec.module, "id": None}}

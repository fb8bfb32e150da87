"""What the hub publishes about its own shapes: the JSON Schema of hub.yaml for editors, and the data dictionary.

Both are generated: `python -m sync.schema_export` writes them into docs/, and a test checks that they are fresh. The models stay the one
definition.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from canonical.base import Aggregate, EntitySpec, FieldSpec
from canonical.models import MODELS, entity
from connectors.registry import IN_TREE
from connectors.registry import load as load_connector
from ledger.tables import TABLES
from sync.config import HubConfig, SecretRef, differs_by_company
from sync.config_settings import names_of

DOCS = Path(__file__).parents[1] / "docs"
SCHEMA_FILE, DICTIONARY_FILE = DOCS / "hub.schema.json", DOCS / "data-model.md"

Schema = dict[str, Any]


# hub.yaml ------------------------------------------------------------------------------------------------------------------


def hub_schema() -> Schema:
    """The JSON Schema (2020-12) of hub.yaml, with the settings of the connectors in this tree and the fields of every entity."""
    schema = HubConfig.model_json_schema()
    definitions = schema["$defs"]
    definitions["SecretRef"] = {
        **SecretRef.model_json_schema(),
        "oneOf": [{"required": [place]} for place in ("env", "file", "airflow_connection")],
    }
    owners = definitions["Flow"]["properties"]
    _one_or_many(owners["owners"])
    _one_or_many(owners["owners_by_company"]["additionalProperties"])
    definitions["SystemConfig"]["properties"]["kind"]["examples"] = list(IN_TREE)
    definitions["SystemConfig"]["allOf"] = [
        {"if": {"properties": {"kind": {"const": kind}}}, "then": {"properties": {"settings": {"$ref": f"#/$defs/{kind}"}}}}
        for kind in IN_TREE
    ]
    for kind in IN_TREE:
        definitions |= _settings(kind)
    schema["properties"]["flows"] |= {"properties": {name: _flow(entity(name)) for name in MODELS}, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hub.yaml",
        "description": "Configuration of Channel Hub; docs/configuration.md explains it.",
        **{name: value for name, value in schema.items() if name not in ("title", "description")},
    }


def _one_or_many(owners: Schema) -> None:
    """One owner may be written without a list."""
    owners["additionalProperties"] = {"anyOf": [{"type": "string"}, owners["additionalProperties"]]}


def _flow(spec: EntitySpec) -> Schema:
    own = list(spec.fields)
    of_sets = [f"{child}.{field}" for child, fields in spec.sets.items() for field in fields]
    names = [*own, *spec.sets, *of_sets]
    owned = [name for name in names if name != "number"]  # `number_from` says who numbers
    lists = {key: {"items": {"enum": names}} for key in ("empty_yields", "required")}
    return {
        "description": spec.title,
        "$ref": "#/$defs/Flow",
        "properties": {
            "owners": {"propertyNames": {"anyOf": [{"enum": ["default", *owned]}, {"pattern": r"^custom\."}]}},
            "owners_by_company": _by_company(spec),
            "rules": {"propertyNames": {"enum": names}},
            **lists,
        },
    }


def _by_company(spec: EntitySpec) -> Schema | bool:
    allowed = differs_by_company(spec)
    if not allowed:
        return False
    places: list[Schema] = [{"enum": sorted(allowed)}, *([{"pattern": r"^custom\."}] if "default" in allowed else [])]
    return {"additionalProperties": {"propertyNames": {"anyOf": places}}}


def _settings(kind: str) -> Schema:
    """A connector's settings as hub.yaml takes them: every value may also be a reference to where it stands."""
    model = load_connector(kind).settings
    schema = model.model_json_schema(ref_template=f"#/$defs/{kind}.{{model}}")
    found = {f"{kind}.{name}": inner for name, inner in schema.pop("$defs", {}).items()}
    properties: Schema = {}
    needed: list[Schema] = []
    for name, info in model.model_fields.items():
        names = names_of(name, info)
        typed = next(schema["properties"][one] for one in names if one in schema["properties"])
        for one in names:
            properties[one] = _referable(typed)
        if info.is_required():
            needed.append({"anyOf": [{"required": [one]} for one in names]})
    settings = {"type": "object", "title": model.__name__, "description": schema.get("description", ""), "additionalProperties": False}
    return {kind: {**settings, "properties": properties, "allOf": needed}, **found}


def _referable(typed: Schema) -> Schema:
    outside: Schema = {key: typed[key] for key in ("title", "description", "default", "examples") if key in typed}
    if typed.get("secret"):
        return {**outside, "$ref": "#/$defs/SecretRef"}
    inside = {key: value for key, value in typed.items() if key not in outside and key != "secret"}
    return {**outside, "anyOf": [inside, {"$ref": "#/$defs/SecretRef"}]}


# The data dictionary ---------------------------------------------------------------------------------------------------------

_HEAD = """\
# Data model

Every kind of record that the hub keeps, field by field. Generated from `canonical/` by `python -m sync.schema_export`; do not edit it here.

- **Names** are those of hub.yaml (`owners`, `rules`), of mappings, of the API and of `hub why`. A field of a list is `list.field`:
  `lines.quantity`.
- **Types.** decimal: an exact number, written as text in documents and answers, never a float. moment: a point in time, in UTC. date: a
  business day of Asia/Shanghai. reference: the hub's id of another record.
- **Marks.** *derived*: computed by the hub from documents; no system's value counts, and only the hub owns it. *personal*: about a natural
  person; history holds a reference, the value stands in an erasable table. Every other field belongs to the systems that `owners` in
  hub.yaml names for it; for `number`, the business number, `number_from` does.
- Each record also has `id` (UUIDv7), `hub_key` (16 characters, written on records that the hub creates), `version`, `retired` (deleted by
  its owner, or merged into another) and `custom` (fields of this tenant: `custom.NAME` in `owners` and mappings).
- Absent, null, empty and zero are four different values.
"""


def data_dictionary() -> str:
    """The page docs/data-model.md."""
    contents = "\n".join(f"- [{spec.title}](#{_anchor(spec.title)})" for spec in map(entity, MODELS))
    return "\n".join([_HEAD, contents, "", *(_entity_page(name) for name in MODELS)])


def _anchor(title: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return "".join(char for char in title.lower().replace(" ", "-") if char.isalnum() or char in "-_")


def _entity_page(name: str) -> str:
    spec = entity(name)
    model = MODELS[name]
    parts = [f"## {spec.title}", f"{_first_line(model)} In hub.yaml: `{name}`; table `{TABLES[name].name}`.", _table(spec.fields, model)]
    for child, fields in spec.sets.items():
        part = _part_of(model, child)
        about = model.model_fields[child].description or ""
        parts += [f"### {name}: `{child}`", f"{about} {_first_line(part)} Table `{TABLES[name].sets[child].name}`.", _table(fields, part)]
    return "\n\n".join(parts) + "\n"


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _part_of(model: type[Aggregate], child: str) -> type[BaseModel]:
    annotation = get_args(model.model_fields[child].annotation)[0]
    part: type[BaseModel] = annotation
    return part


def _table(fields: Mapping[str, FieldSpec], model: type[BaseModel]) -> str:
    lines = ["| field | type | what it is |", "| --- | --- | --- |"]
    for name, field in fields.items():
        kind = f"{field.kind} → {field.refers_to}" if field.refers_to else field.kind
        unit = _unit(model.model_fields[name])
        marks = [mark for mark, holds in (("derived", field.derived), ("personal", field.personal)) if holds]
        about = field.description + (f" Unit: {unit}." if unit and "`" not in field.description else "")
        lines.append(f"| `{name}` | {kind} | {' '.join([*(f'*{mark}*.' for mark in marks), about])} |")
    return "\n".join(lines)


def _unit(info: FieldInfo) -> str:
    """The unit that a field's type names; empty for one that has none."""
    for mark in (*info.metadata, *_marks(info.annotation)):
        extra = mark.json_schema_extra if isinstance(mark, FieldInfo) else None
        if isinstance(extra, dict) and "unit" in extra:
            return str(extra["unit"])
    extra = info.json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) and "unit" in extra else ""


def _marks(annotation: Any) -> Iterator[Any]:
    if hasattr(annotation, "__metadata__"):
        yield from annotation.__metadata__
        yield from _marks(get_args(annotation)[0])
    elif get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        for part in get_args(annotation):
            yield from _marks(part)


def texts() -> dict[Path, str]:
    """Every generated file with what it should hold."""
    return {SCHEMA_FILE: json.dumps(hub_schema(), ensure_ascii=False, indent=1) + "\n", DICTIONARY_FILE: data_dictionary()}


def main() -> None:
    """Write the generated pages."""
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()

"""Builds the next version of a record from what a client or a user sent: each value judged, lines joined by id, totals computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.crm_zoho.errors import RecordError, invalid, missing
from sandbox.crm_zoho.metadata import Doc, Field, Module, metadata_id
from sandbox.crm_zoho.modules import BLUEPRINT_PIPELINE, PIPELINES
from sandbox.crm_zoho.store import Store
from sandbox.crm_zoho.totals import derive, price_line
from sandbox.crm_zoho.values import COERCE, id_of, tags

MAX_ROWS = 500
"""Most rows of one subform."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and when."""

    user: Mapping[str, Any]
    stamp: str
    """Created and modified time, in the records' own words."""
    guided: bool = True
    """A blueprint may stop this write; false for the blueprint's own transitions and for users, who click them."""


def build(store: Store, module: Module, given: Mapping[str, Any], old: Doc | None, author: Author, path: str) -> Doc:
    """The record as it will be. Nothing is stored yet. Raises RecordError."""
    doc: Doc = dict(old) if old is not None else {"id": "", **_birth(author)}
    for name, value in given.items():
        spec = module.fields.get(name)
        if spec is None or spec.read_only:
            continue  # the real one passes over names that it does not know or does not let be written
        doc[name] = _value(store, module, spec, value, doc.get(name), f"{path}.{name}")
    for name in module.required:
        if not doc.get(name):
            raise missing(f"{path}.{name}", name)
    if module.name == "Deals":
        _check_deal(doc, old, author, path)
    _check_unique(store, module, doc, path)
    doc["Modified_By"], doc["Modified_Time"] = author.user, author.stamp
    derive(module, doc, given)
    if old is None:
        doc["id"] = store.new_id()
    return doc


def save(store: Store, module: Module, doc: Doc) -> None:
    """Put a built record in its place."""
    store.tables[module.name].put(doc)
    store.rename(module.name, doc)


def tombstone(doc: Doc, module: Module, author: Author) -> Doc:
    """What the list of deleted records says of a record."""
    return {
        "id": doc["id"],
        "display_name": doc.get(module.title),
        "type": "recycle",
        "deleted_time": author.stamp,
        "deleted_by": {key: author.user[key] for key in ("name", "id")},
        "created_by": {key: doc["Created_By"][key] for key in ("name", "id")},
    }


def complete(store: Store, module: Module, author: Author, raw: Doc) -> Doc:
    """A record of a world that is loaded: kept as given, with what is absent filled in."""
    doc: Doc = {"id": "", **_birth(author), "Modified_By": author.user, "Modified_Time": author.stamp, **raw}
    doc["id"] = str(doc["id"] or store.new_id())
    if "Modified_Time" not in raw:
        doc["Modified_Time"] = doc["Created_Time"]
    for name, columns in module.subforms.items():
        rows = doc.get(name)
        if rows:
            doc[name] = [_complete_row(store, columns, row, at) for at, row in enumerate(rows, 1)]
    if module.name == "Deals":
        doc.setdefault("Pipeline", next(iter(PIPELINES)))
    derive(module, doc, raw)
    return doc


def _birth(author: Author) -> Doc:
    return {"Owner": author.user, "Created_By": author.user, "Created_Time": author.stamp}


def _value(store: Store, module: Module, spec: Field, value: Any, old: Any, path: str) -> Any:
    if spec.type == "subform":
        return _rows(store, module.subforms[spec.name], spec, value, old or [], path)
    if value is None:
        return None
    if spec.name == "Tag":
        return tags(value, path)
    return COERCE[spec.type](store, spec, value, path)


def _rows(store: Store, columns: Mapping[str, Field], spec: Field, given: Any, old: list[Doc], path: str) -> list[Doc]:
    """Rows with an id are changed, without are added, with `_delete` are removed; those not named stay as they are."""
    if given is None:
        return old
    if not isinstance(given, list):
        raise invalid(path, spec.name, "jsonarray")
    rows: dict[str, Doc] = {row["id"]: row for row in old}
    for at, sent in enumerate(given):
        here = f"{path}[{at}]"
        if not isinstance(sent, dict):
            raise invalid(here, spec.name, "jsonobject")
        key = id_of(sent)
        if sent.get("id") is not None and key not in rows:
            raise RecordError("INVALID_DATA", "the id given seems to be invalid", api_name="id", json_path=f"{here}.id")
        if key is not None and "_delete" in sent:
            del rows[key]
            continue
        row = _row(store, columns, sent, rows[key] if key is not None else None, len(rows), here)
        rows[row["id"]] = row
    if len(rows) > MAX_ROWS:
        raise RecordError("LIMIT_EXCEEDED", "maximum number of subform rows exceeded", api_name=spec.name, json_path=path, limit=MAX_ROWS)
    return list(rows.values())


def _row(store: Store, columns: Mapping[str, Field], sent: Mapping[str, Any], old: Doc | None, before: int, path: str) -> Doc:
    row: Doc = dict(old) if old is not None else dict.fromkeys(columns)
    for name, value in sent.items():
        column = columns.get(name)
        if column is None or column.read_only:
            continue
        row[name] = None if value is None else COERCE[column.type](store, column, value, f"{path}.{name}")
    for name, column in columns.items():
        if column.required and row[name] is None:
            raise missing(f"{path}.{name}", name)
    if old is None:
        row["id"] = store.new_id()
        row["Sequence_Number"] = row["Sequence_Number"] or before + 1
    if row["List_Price"] is None:
        row["List_Price"] = store.tables["Products"].docs[row["Product_Name"]["id"]].get("Unit_Price")
    if row["Quantity"] is None:
        row["Quantity"] = 1
    price_line(row)
    return row


def _complete_row(store: Store, columns: Mapping[str, Field], raw: Doc, at: int) -> Doc:
    row = {**dict.fromkeys(columns), **raw}
    row["id"] = str(row["id"] or store.new_id())
    row["Sequence_Number"] = row["Sequence_Number"] or at
    price_line(row)
    return row


def _check_deal(doc: Doc, old: Doc | None, author: Author, path: str) -> None:
    pipeline = doc.get("Pipeline")
    if pipeline is None:
        pipeline = doc["Pipeline"] = next(iter(PIPELINES))
    if pipeline not in PIPELINES:
        raise RecordError("MAPPING_MISMATCH", "Layout doesn't contain the Pipeline", api_name="Pipeline", json_path=f"{path}.Pipeline")
    if doc["Stage"] not in PIPELINES[pipeline]:
        raise RecordError("MAPPING_MISMATCH", "Pipeline doesn't contain the Stage", api_name="Stage", json_path=f"{path}.Stage")
    if author.guided and old is not None and old.get("Pipeline") == BLUEPRINT_PIPELINE and doc["Stage"] != old["Stage"]:
        raise RecordError("RECORD_IN_BLUEPRINT", "The record is in blue print", api_name="Stage", json_path=f"{path}.Stage")


def _check_unique(store: Store, module: Module, doc: Doc, path: str) -> None:
    table = store.tables[module.name]
    for name in module.unique:
        value = doc.get(name)
        if value is None:
            continue
        for other in table.find(name, value):
            if other != doc["id"]:
                raise duplicate(table.docs[other], module, name, f"{path}.{name}")


def duplicate(other: Doc, module: Module, name: str, path: str) -> RecordError:
    """The refusal of a value that another record has."""
    owner = {key: other["Owner"][key] for key in ("name", "id")}
    record = {"id": other["id"], "module": {"api_name": module.name, "id": metadata_id(module, 0)}, "Owner": owner}
    return RecordError("DUPLICATE_DATA", "duplicate data", api_name=name, json_path=path, duplicate_record=record)

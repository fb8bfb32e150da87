"""Insert, update, upsert and delete: batches of at most 100 records, one result for each in the order they came.

Source: reference notes on Zoho CRM v8, "Writing". Where sources disagree there is a switch (`calls.Switches`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.core.http import Response
from sandbox.crm_zoho.calls import Call, answer, no_content
from sandbox.crm_zoho.clock import parse_moment, text_of
from sandbox.crm_zoho.errors import ApiError, RecordError, param_missing, wrong_method
from sandbox.crm_zoho.metadata import Doc, Module
from sandbox.crm_zoho.org import API_USER
from sandbox.crm_zoho.reading import find
from sandbox.crm_zoho.records import Author, build, duplicate, save, tombstone
from sandbox.crm_zoho.values import id_of

MAX_BATCH = 100
MAX_KEYS = 10
_BRIEF_USER = {key: API_USER[key] for key in ("name", "id")}


def insert(call: Call) -> Response:
    """`POST /{module}`."""
    module, sent = call.module(), batch(call)

    def one(record: Doc, at: int) -> Doc:
        return _created(call, module, record, at)

    return results(call, sent, one, "insert", 201)


def update(call: Call) -> Response:
    """`PUT /{module}` (each record with its id) and `PUT /{module}/{id}`."""
    module, sent = call.module(), batch(call)
    if len(call.parts) > 1:
        sent = [{**record, "id": _path_key(call, module)} for record in sent[:1]]
    table = call.box.store.tables[module.name].docs
    _check_unmodified(call, [doc for record in sent if (doc := table.get(id_of(record) or "")) is not None])

    def one(record: Doc, at: int) -> Doc:
        key = id_of(record)
        if record.get("id") is None:
            raise RecordError("MANDATORY_NOT_FOUND", "required field not found", api_name="id", json_path=f"$.data[{at}].id")
        if key is None or key not in table:
            raise RecordError("INVALID_DATA", "the id given seems to be invalid", api_name="id", json_path=f"$.data[{at}].id", id=key)
        return _changed(call, module, record, table[key], at)

    return results(call, sent, one, "update", 200)


def upsert(call: Call) -> Response:
    """`POST /{module}/upsert`: the first key field with a match decides between update and insert."""
    module = call.module()
    body = call.body()
    sent = batch(call, body)
    keys = _duplicate_keys(module, body.get("duplicate_check_fields"))
    matched = [_match(call, module, record, keys) for record in sent]
    table = call.box.store.tables[module.name].docs
    _check_unmodified(call, [table[found] for found, _, _ in matched if found is not None])
    fresh: set[str] = set()

    def one(record: Doc, at: int) -> Doc:
        key, name, many = matched[at] if matched[at][0] else _match(call, module, record, keys)
        if record.get("id") is not None and key != id_of(record):
            raise RecordError("INVALID_DATA", "the id given seems to be invalid", api_name="id", json_path=f"$.data[{at}].id")
        if many:
            raise RecordError(
                "AMBIGUITY_DURING_PROCESSING", "more than one record matches", api_name=name, json_path=f"$.data[{at}].{name}"
            )
        if key is not None and key in table:
            if key in fresh and not call.box.switches.second_in_batch_updates:
                raise duplicate(table[key], module, name or "id", f"$.data[{at}].{name}")
            return {**_changed(call, module, record, table[key], at), "action": "update", "duplicate_field": name}
        entry = {**_created(call, module, record, at), "action": "insert", "duplicate_field": None}
        fresh.add(entry["details"]["id"])
        return entry

    return results(call, sent, one, "upsert", 200)


def delete(call: Call) -> Response:
    """`DELETE /{module}?ids=a,b` and `DELETE /{module}/{id}`: into the recycle bin."""
    module = call.module()
    named = _path_key(call, module) if len(call.parts) > 1 else call.query.get("ids", "")
    keys = [key for key in named.split(",") if key]
    if not keys:
        raise param_missing("ids")
    if len(keys) > MAX_BATCH:
        raise ApiError(400, "LIMIT_EXCEEDED", "maximum number of ids exceeded", param_name="ids", limit=MAX_BATCH)
    table = call.box.store.tables[module.name]

    def one(record: Doc, _: int) -> Doc:
        doc = table.docs.get(record["id"])
        if doc is None:
            raise RecordError("INVALID_DATA", "the id given seems to be invalid", id=record["id"])
        remove(call, module, doc)
        return {"code": "SUCCESS", "details": {"id": record["id"]}, "message": "record deleted", "status": "success"}

    return results(call, [{"id": key} for key in keys], one, "delete", 200)


def remove(call: Call, module: Module, doc: Doc) -> None:
    """Move a record to the recycle bin and note it."""
    author = Author(API_USER, call.box.clock.text())
    call.box.store.tables[module.name].remove(doc["id"], tombstone(doc, module, author))
    call.request.written.append(doc["id"])
    note(call, module, "delete", doc["id"])


def note(call: Call, module: Module, operation: str, key: str) -> None:
    """Remember a change of this call for the watchers; one event tells of all ids of one operation."""
    for name, done, keys in call.box.changed:
        if name == module.name and done == operation:
            keys.append(key)
            return
    call.box.changed.append((module.name, operation, [key]))


def stamp(call: Call, module: Module) -> str:
    """The modified time of the next row: now, or in the past where a fault says that it commits late."""
    if not call.box.faults.active:
        return call.box.clock.text()
    late = call.box.faults.take("late_row", stream=module.name, method=call.request.method, path=call.request.path)
    return call.box.clock.text(late.seconds(60) if late is not None else 0.0)


def store_new(call: Call, module: Module, record: Doc, path: str) -> Doc:
    """Build and store a new record. Raises RecordError."""
    doc = build(call.box.store, module, record, None, Author(API_USER, stamp(call, module)), path)
    save(call.box.store, module, doc)
    call.request.created.append(doc["id"])
    _written(call, module, doc, "insert")
    return doc


def store_change(call: Call, module: Module, record: Doc, old: Doc, path: str, *, guided: bool = True) -> Doc:
    """Build and store the next version of a record. Raises RecordError."""
    doc = build(call.box.store, module, record, old, Author(API_USER, stamp(call, module), guided), path)
    save(call.box.store, module, doc)
    _written(call, module, doc, "update")
    return doc


def mark(call: Call, module: Module, doc: Doc) -> None:
    """Store a record that the system itself changed."""
    save(call.box.store, module, doc)
    _written(call, module, doc, "update")


def mark_related(call: Call, module: Module, doc: Doc) -> None:
    """Store a record of which a relation changed. By a switch it counts as modified; else nobody is told."""
    if not call.box.switches.prices_move_books:
        save(call.box.store, module, doc)
        if doc["id"] not in call.request.written:
            call.request.written.append(doc["id"])
        return
    save(call.box.store, module, {**doc, "Modified_By": API_USER, "Modified_Time": stamp(call, module)})
    if doc["id"] not in call.request.written:
        _written(call, module, doc, "update")


def take_back(call: Call) -> None:
    """Undo what the present call created, for calls that do all or nothing."""
    for name, operation, keys in call.box.changed:
        if operation == "insert":
            for key in keys:
                call.box.store.tables[name].forget(key)
    call.box.changed.clear()
    call.request.created.clear()
    call.request.written.clear()


def _written(call: Call, module: Module, doc: Doc, operation: str) -> None:
    call.request.written.append(doc["id"])
    lag = call.request.effects.get("index_lag", False)
    if lag is not False:
        call.box.lagging[module.name, doc["id"]] = call.box.clock.time() + float(lag or 5.0)
    note(call, module, operation, doc["id"])


def _created(call: Call, module: Module, record: Doc, at: int) -> Doc:
    return _success(store_new(call, module, record, f"$.data[{at}]"), "record added")


def _changed(call: Call, module: Module, record: Doc, old: Doc, at: int) -> Doc:
    return _success(store_change(call, module, record, old, f"$.data[{at}]"), "record updated")


def _success(doc: Doc, message: str) -> Doc:
    details = {
        "id": doc["id"],
        "Created_Time": doc["Created_Time"],
        "Modified_Time": doc["Modified_Time"],
        "Created_By": {key: doc["Created_By"][key] for key in ("name", "id")},
        "Modified_By": _BRIEF_USER,
        "$approval_state": "approved",
    }
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}


def _path_key(call: Call, module: Module) -> str:
    """The id that a path names, also by an external field."""
    doc = find(call, module, call.parts[1])
    return str(doc["id"]) if doc is not None else call.parts[1]


def batch(call: Call, body: Doc | None = None) -> list[Doc]:
    """The records of a call, at most 100. Raises ApiError."""
    body = call.body() if body is None else body
    call.request.notes["quiet"] = body.get("trigger") == []  # without the key every workflow and approval would run
    data = body.get("data")
    if data is None:
        raise ApiError(400, "MANDATORY_NOT_FOUND", "required field not found", api_name="data", json_path="$.data")
    if not isinstance(data, list) or not all(isinstance(record, dict) for record in data):
        raise ApiError(400, "INVALID_DATA", "invalid data", expected_data_type="jsonarray", api_name="data", json_path="$.data")
    if not data:
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="data", json_path="$.data", minimum_length=1)
    if len(data) > MAX_BATCH:
        raise ApiError(400, "LIMIT_EXCEEDED", "maximum number of records exceeded", api_name="data", json_path="$.data", limit=MAX_BATCH)
    call.credits = (len(data) + 9) // 10
    return data


def _duplicate_keys(module: Module, asked: Any) -> Sequence[str]:
    if asked is None or asked == []:
        return (*module.system_duplicates, *module.unique)
    if not isinstance(asked, list) or len(asked) > MAX_KEYS:
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="duplicate_check_fields", maximum_length=MAX_KEYS)
    allowed = {*module.system_duplicates, *module.unique}
    for name in asked:
        if name not in allowed:
            raise ApiError(
                400, "INVALID_DATA", "the field cannot be used to find duplicates", api_name="duplicate_check_fields", field=str(name)[:60]
            )
    return asked


def _match(call: Call, module: Module, record: Doc, keys: Sequence[str]) -> tuple[str | None, str | None, bool]:
    """(id found, field that found it, more than one found)."""
    table = call.box.store.tables[module.name]
    own = id_of(record)
    if own is not None and own in table.docs:
        return own, None, False
    for name in keys:
        value = record.get(name)
        if value is None or value == "":
            continue
        found = table.find(name, value.rstrip() if isinstance(value, str) else value)
        if found:
            return found[0], name, len(found) > 1
    return None, None, False


def _check_unmodified(call: Call, docs: Sequence[Doc]) -> None:
    """`If-Unmodified-Since`: refuse the whole call when a record changed after that moment."""
    header = call.header("if-unmodified-since")
    if header is None:
        return
    moment = parse_moment(header)
    if moment is None:
        raise ApiError(400, "INVALID_DATA", "invalid header value", header="If-Unmodified-Since")
    limit = text_of(moment)
    for doc in docs:
        if doc["Modified_Time"] > limit:
            raise ApiError(412, "RECORD_MODIFIED", "The record has been modified", id=doc["id"])


def results(call: Call, sent: Sequence[Doc], one: Callable[[Doc, int], Doc], operation: str, done: int) -> Response:
    """One answer a record, in their order. `done`: the HTTP status when all went well."""
    call.request.operation = operation
    refused = _refused_by_fault(call, len(sent))
    entries: list[Doc] = []
    good = 0
    for at, record in enumerate(sent):
        if at in refused:
            entries.append(RecordError(refused[at], "internal error occurred", json_path=f"$.data[{at}]").entry())
            continue
        try:
            entries.append(one(record, at))
            good += 1
        except RecordError as error:
            entries.append(error.entry())
    if "shuffle_batch" in call.request.effects:
        random.Random(len(entries)).shuffle(entries)
    return answer({"data": entries}, _status(call, good, len(entries), done))


def _status(call: Call, good: int, everything: int, done: int) -> int:
    if not call.box.switches.partial_status:
        return 200
    if good == everything:
        return done
    return 207 if good else 400


def _refused_by_fault(call: Call, size: int) -> dict[int, str]:
    """Positions that the fault `partial_batch` refuses, with the code: the last ones of the batch, half of it when nothing is said."""
    if "partial_batch" not in call.request.effects:
        return {}
    value = call.request.effects["partial_batch"]
    code = "INTERNAL_ERROR"
    if isinstance(value, dict):
        value, code = value.get("count", 0.5), str(value.get("code", code))
    wanted = 0.5 if value is None else float(value)
    count = max(1, round(size * wanted)) if wanted < 1 else int(wanted)
    return dict.fromkeys(range(max(0, size - count), size), code)


def purge(call: Call) -> Response:
    """`DELETE /settings/recycle_bin`: what was deleted is gone for good; the list of deleted records says so."""
    if call.parts[1:] != ("recycle_bin",):
        raise wrong_method()
    for table in call.box.store.tables.values():
        for key, entry in table.bin.items():
            table.bury(key, {**entry, "type": "permanent", "display_name": None})
    return no_content()

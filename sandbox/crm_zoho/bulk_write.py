"""Bulk write: a CSV in a ZIP is uploaded, then a job inserts, updates or upserts its rows and leaves a CSV of results.

Source: reference notes on Zoho CRM v8, "Bulk write": at most 25,000 rows and 200 columns, 500 credits a job. Its changes tell no watcher.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.core.http import Response
from sandbox.crm_zoho.bulk_read import STEP_S, zipped
from sandbox.crm_zoho.calls import Call, answer, module_named, named, no_content
from sandbox.crm_zoho.errors import ApiError, RecordError, missing
from sandbox.crm_zoho.metadata import Doc, Field, Module
from sandbox.crm_zoho.org import API_USER, ORG_ID
from sandbox.crm_zoho.writing import store_change, store_new

MAX_ROWS, MAX_COLUMNS, MAX_ZIP, MAX_CSV = 25_000, 200, 25 * 1024 * 1024, 256 * 1024 * 1024
STATES = ("ADDED", "INPROGRESS", "COMPLETED")
_BRIEF_USER = {key: API_USER[key] for key in ("id", "name")}
Row = list[str]


@dataclass(slots=True)
class WriteJob:
    """One bulk write; its rows were written when it was added, only its states take their time."""

    key: str
    operation: str
    module: str
    file_id: str
    created: float
    created_text: str
    counts: dict[str, int]
    results: list[Row]
    polls: int = 0

    def state(self, now: float) -> str:
        """The state at a moment."""
        return STATES[min(max(self.polls, int((now - self.created) / STEP_S)), len(STATES) - 1)]


def upload(call: Call) -> Response:
    """`POST /upload`: multipart with one part named `file`."""
    if call.header("feature") != "bulk-write":
        raise ApiError(400, "INVALID_DATA", "invalid header value", header="feature")
    if call.header("x-crm-org") != ORG_ID:
        raise ApiError(400, "INVALID_DATA", "invalid header value", header="X-CRM-ORG")
    packed = _part(call)
    if len(packed) > MAX_ZIP:
        raise ApiError(400, "FILE_SIZE_EXCEEDED", "the file is too large", limit=MAX_ZIP)
    _unpacked(packed)
    key = call.box.store.new_id()
    call.box.files[key] = packed
    details = {"file_id": key, "created_time": call.box.clock.text()}
    return answer({"status": "success", "code": "FILE_UPLOAD_SUCCESS", "message": "file uploaded.", "details": details})


def start(call: Call) -> Response:
    """`POST /bulk/v8/write`."""
    body = call.body()
    operation, resources = body.get("operation"), body.get("resource")
    if operation not in ("insert", "update", "upsert"):
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="operation", allowed_values=["insert", "update", "upsert"])
    if not isinstance(resources, list) or len(resources) != 1 or not isinstance(resources[0], dict):
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="resource", expected_data_type="jsonarray", maximum_length=1)
    resource = resources[0]
    packed = call.box.files.get(str(resource.get("file_id")))
    if packed is None:
        raise ApiError(400, "INVALID_DATA", "the file id given seems to be invalid", api_name="file_id")
    module = module_named(named(resource.get("module")))
    call.request.operation, call.request.stream, call.credits = f"bulk_{operation}", module.name, 500
    counts, results = _work(call, module, operation, resource, _unpacked(packed))
    call.box.changed.clear()  # a bulk write tells no watcher
    key = call.box.store.new_id()
    call.box.jobs[key] = WriteJob(
        key, operation, module.name, str(resource["file_id"]), call.box.clock.time(), call.box.clock.text(), counts, results
    )
    return answer({"status": "success", "code": "SUCCESS", "message": "success", "details": {"id": key, "created_by": _BRIEF_USER}}, 201)


def poll(call: Call) -> Response:
    """`GET /bulk/v8/write/{job}` and `GET …/{job}/result`."""
    job = call.box.jobs.get(call.parts[1]) if len(call.parts) > 1 else None
    if not isinstance(job, WriteJob):
        raise ApiError(404, "RESOURCE_NOT_FOUND", "the resource is not found", id=call.parts[1] if len(call.parts) > 1 else None)
    now = call.box.clock.time()
    if len(call.parts) > 2:
        return zipped(f"{job.key}.csv", job.results) if job.state(now) == "COMPLETED" else no_content()
    job.polls += 1
    state = job.state(now)
    file: Doc = {"status": state, "name": f"{job.module}.csv", **(job.counts if state == "COMPLETED" else {})}
    entry: Doc = {
        "id": job.key,
        "status": state,
        "operation": job.operation,
        "character_encoding": "UTF-8",
        "created_by": _BRIEF_USER,
        "created_time": job.created_text,
        "resource": [{"status": state, "type": "data", "module": {"api_name": job.module}, "file_id": job.file_id, "file": file}],
    }
    if state == "COMPLETED":
        entry["result"] = {"download_url": f"/crm/bulk/v8/write/{job.key}/result"}
    return answer(entry)


def _part(call: Call) -> bytes:
    match = re.search(r'boundary="?([^";,]+)"?', call.header("content-type") or "")
    if match is None:
        raise ApiError(400, "INVALID_DATA", "a multipart body is expected", api_name="file")
    for part in call.request.body.split(b"--" + match.group(1).encode()):
        head, found, content = part.partition(b"\r\n\r\n")
        if found and b'name="file"' in head:
            return content.removesuffix(b"\r\n")
    raise ApiError(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", param_name="file")


def _unpacked(packed: bytes) -> list[Row]:
    """Rows of the one CSV in a ZIP."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            names = [info for info in archive.infolist() if info.filename.lower().endswith(".csv")]
            if len(names) != 1 or names[0].file_size > MAX_CSV:
                raise ApiError(400, "INVALID_FILE_FORMAT", "the ZIP holds one CSV of bounded size", limit=MAX_CSV)
            text = archive.read(names[0]).decode("utf-8-sig")
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise ApiError(400, "INVALID_FILE_FORMAT", "a ZIP with one CSV in UTF-8 is expected") from error
    rows = list(csv.reader(io.StringIO(text)))
    if len(rows) - 1 > MAX_ROWS or (rows and len(rows[0]) > MAX_COLUMNS):
        raise ApiError(400, "LIMIT_EXCEEDED", "too many rows or columns", rows=MAX_ROWS, columns=MAX_COLUMNS)
    return rows


def _work(call: Call, module: Module, operation: str, resource: Mapping[str, Any], rows: Sequence[Row]) -> tuple[dict[str, int], list[Row]]:
    header = rows[0] if rows else []
    columns = _columns(module, resource.get("field_mappings"), header)
    find_by = str(resource.get("find_by") or "id")
    counts = {"added_count": 0, "updated_count": 0, "skipped_count": 0, "total_count": max(0, len(rows) - 1)}
    results: list[Row] = [["STATUS", "RECORD_ID", "ERRORS", *header]]
    for at, row in enumerate(rows[1:]):
        try:
            record = _record(columns, row, ignore_empty=bool(resource.get("ignore_empty", False)))
            status, key = _write(call, module, operation, find_by, record, at)
            counts["added_count" if status == "ADDED" else "updated_count"] += 1
            results.append([status, key, "", *row])
        except RecordError as error:
            counts["skipped_count"] += 1
            results.append(["SKIPPED", "", f"{error.code}-{error.details.get('api_name', '')}", *row])
    return counts, results


def _columns(module: Module, mappings: Any, header: Row) -> list[tuple[int, Field]]:
    if mappings is None:
        return [(at, module.fields[name]) for at, name in enumerate(header) if name in module.fields]
    try:
        return [(int(item["index"]), module.fields[item["api_name"]]) for item in mappings]
    except (KeyError, TypeError, ValueError) as error:
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="field_mappings") from error


def _record(columns: Sequence[tuple[int, Field]], row: Row, *, ignore_empty: bool) -> Doc:
    record: Doc = {}
    for at, spec in columns:
        text = row[at] if at < len(row) else ""
        if text or not ignore_empty:
            record[spec.name] = _value(spec, text)
    return record


def _value(spec: Field, text: str) -> Any:
    """A cell as the JSON API would have it."""
    if text == "":
        return None
    if spec.type in ("lookup", "ownerlookup"):
        return {"id": text}
    if spec.type == "boolean":
        return text.lower() == "true"
    if spec.type in ("integer", "double", "currency", "percent"):
        return Decimal(text) if re.fullmatch(r"-?\d{1,30}(\.\d{1,20})?", text) else text
    return text


def _write(call: Call, module: Module, operation: str, find_by: str, record: Doc, at: int) -> tuple[str, str]:
    table, path = call.box.store.tables[module.name], f"$.row[{at}]"
    old: Doc | None = None
    if operation != "insert":
        value = record.get(find_by)
        if value is None and operation == "update":
            raise missing(f"{path}.{find_by}", find_by)
        if find_by != "id" and find_by not in module.unique and find_by not in module.system_duplicates:
            raise RecordError("INVALID_DATA", "the field cannot be used to find records", api_name=find_by)
        found = [] if value is None else [value] if find_by == "id" else table.find(find_by, value)
        old = table.docs.get(found[0]) if found else None
        if old is None and operation == "update":
            raise RecordError("INVALID_DATA", "no such record", api_name=find_by)
    if old is None:
        return "ADDED", str(store_new(call, module, record, path)["id"])
    return "UPDATED", str(store_change(call, module, record, old, path)["id"])

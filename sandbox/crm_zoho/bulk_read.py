"""Bulk read: a job that goes ADDED → QUEUED → IN PROGRESS → COMPLETED and ends in a ZIP with one CSV, 200,000 rows to a page.

A job moves on with each poll, and by itself after a moment. Besides modules, the rows of a subform can be read by the subform's name,
with `Parent_Id`.
Source: reference notes on Zoho CRM v8, "Bulk read".
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.core.events import Event
from sandbox.core.http import JSON_OUT, Response
from sandbox.crm_zoho.calls import Call, answer, module_named, named, no_content
from sandbox.crm_zoho.conditions import BadCondition, Compare, Group, Node, getter, test_of
from sandbox.crm_zoho.errors import ApiError
from sandbox.crm_zoho.metadata import Doc, Module
from sandbox.crm_zoho.modules import MODULES
from sandbox.crm_zoho.org import API_USER
from sandbox.crm_zoho.store import Store

PER_PAGE = 200_000
STATES = ("ADDED", "QUEUED", "IN PROGRESS", "COMPLETED")
STEP_S = 0.25
"""After so long a job is one state further even if nobody asks."""
COMPARATORS: Mapping[str, str] = {
    "equal": "=",
    "not_equal": "!=",
    "in": "in",
    "not_in": "not in",
    "less_than": "<",
    "less_equal": "<=",
    "greater_than": ">",
    "greater_equal": ">=",
    "between": "between",
    "not_between": "not between",
    "contains": "like",
    "starts_with": "like",
    "ends_with": "like",
}
SUBFORMS: Mapping[str, Module] = {name: module for module in MODULES.values() for name in module.subforms}
"""The module whose records hold a subform, by the subform's name."""
_BRIEF_USER = {key: API_USER[key] for key in ("id", "name")}


@dataclass(slots=True)
class Job:
    """One bulk read."""

    key: str
    query: Doc
    created: float
    created_text: str
    rows: list[list[str]]
    """Header and rows of this page."""
    page: int
    more: bool
    polls: int = 0

    def state(self, now: float) -> str:
        """The state at a moment."""
        by_time = int((now - self.created) / STEP_S)
        return STATES[min(max(self.polls, by_time), len(STATES) - 1)]


def start(call: Call) -> Response:
    """`POST /bulk/v8/read`."""
    body = call.body()
    query = body.get("query")
    if not isinstance(query, dict):
        raise ApiError(400, "MANDATORY_NOT_FOUND", "required field not found", api_name="query", json_path="$.query")
    name = named(query.get("module"))
    page = query.get("page", 1)
    if not isinstance(page, int) or isinstance(page, bool) or page < 1:
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="page", json_path="$.query.page", expected_data_type="integer")
    header, rows = _table(call.box.store, name, query)
    first = (page - 1) * PER_PAGE
    key = call.box.store.new_id()
    job = Job(
        key,
        query,
        call.box.clock.time(),
        call.box.clock.text(),
        [header, *rows[first : first + PER_PAGE]],
        page,
        len(rows) > first + PER_PAGE,
    )
    call.box.jobs[key] = job
    call.request.operation = "bulk_read"
    _call_back(call, body.get("callback"), job, name)
    details = {"id": key, "operation": "read", "state": "ADDED", "created_by": _BRIEF_USER, "created_time": job.created_text}
    entry = {"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully.", "details": details}
    return answer({"data": [entry], "info": {}}, 201)


def poll(call: Call) -> Response:
    """`GET /bulk/v8/read/{job}` and `GET …/{job}/result`."""
    job = call.box.jobs.get(call.parts[1]) if len(call.parts) > 1 else None
    if not isinstance(job, Job):
        raise ApiError(404, "RESOURCE_NOT_FOUND", "the resource is not found", id=call.parts[1] if len(call.parts) > 1 else None)
    if len(call.parts) > 2:
        return _result(call, job)
    job.polls += 1
    state = job.state(call.box.clock.time())
    entry: Doc = {
        "id": job.key,
        "operation": "read",
        "state": state,
        "query": job.query,
        "file_type": "csv",
        "created_by": _BRIEF_USER,
        "created_time": job.created_text,
    }
    if state == "COMPLETED":
        entry["result"] = {
            "page": job.page,
            "per_page": PER_PAGE,
            "count": len(job.rows) - 1,
            "download_url": f"/crm/bulk/v8/read/{job.key}/result",
            "more_records": job.more,
            "next_page_token": None,
        }
    return answer({"data": [entry]})


def _result(call: Call, job: Job) -> Response:
    if job.state(call.box.clock.time()) != "COMPLETED":
        return no_content()
    return zipped(f"{job.key}.csv", job.rows)


def zipped(name: str, rows: Iterable[Sequence[str]]) -> Response:
    """A ZIP that holds one CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, text.getvalue().encode("utf-8"))
    disposition = f'attachment; filename="{name.removesuffix(".csv")}.zip"'
    return Response(200, packed.getvalue(), "application/zip", [("Content-Disposition", disposition)])


def _call_back(call: Call, callback: Any, job: Job, module: str) -> None:
    """Tell the address in the call that the job is done; sent at once, for the rows are ready."""
    url = callback.get("url") if isinstance(callback, dict) else None
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        job.polls = len(STATES)
        body = JSON_OUT.encode({"job_id": job.key, "operation": "read", "state": "COMPLETED"})
        call.box.events.fire(module, Event(url, body, {"Content-Type": "application/json"}))


def _table(store: Store, name: str, query: Doc) -> tuple[list[str], list[list[str]]]:
    """Header and all rows of a read."""
    owner = SUBFORMS.get(name)
    module = owner or module_named(name)
    asked = query.get("fields")
    fields = [str(field) for field in asked] if isinstance(asked, list) and asked else None
    try:
        node = _condition(query.get("criteria"))
        docs: Iterable[Doc] = (store.tables[module.name].docs[key] for key in store.tables[module.name].ids)
        if node is not None:
            test = test_of(store, module, node)
            docs = (doc for doc in docs if test(doc))
        return _subform(module, name, fields, docs) if owner else _records(store, module, fields, docs)
    except (BadCondition, TypeError) as error:
        raise ApiError(400, "INVALID_QUERY", str(error), json_path="$.query") from error


def _records(store: Store, module: Module, asked: list[str] | None, docs: Iterable[Doc]) -> tuple[list[str], list[list[str]]]:
    plain = [name for name, spec in module.fields.items() if spec.type != "subform"]
    names = [name for name in (plain if asked is None else asked) if name != "id"]
    if any(name in module.subforms for name in names):
        raise BadCondition("a subform is read by its own name")
    readers = [getter(store, module, tuple(name.split("."))) for name in names]
    return ["Id", *names], [[doc["id"], *(_cell(read(doc)) for read in readers)] for doc in docs]


def _subform(module: Module, name: str, asked: list[str] | None, docs: Iterable[Doc]) -> tuple[list[str], list[list[str]]]:
    columns = module.subforms[name]
    names = [column for column in (asked or columns) if column not in ("id", "Parent_Id")]
    unknown = [column for column in names if column not in columns]
    if unknown:
        raise BadCondition(f"the subform has no column {unknown[0]}")
    rows = [[row["id"], doc["id"], *(_cell(row.get(column)) for column in names)] for doc in docs for row in doc.get(name) or ()]
    return ["Id", "Parent_Id", *names], rows


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return str(value.get("id", ""))
    if isinstance(value, list):
        return ";".join(str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _condition(criteria: Any) -> Node | None:
    if criteria is None:
        return None
    if not isinstance(criteria, dict):
        raise BadCondition("criteria is an object")
    if "group" in criteria:
        parts = tuple(node for item in criteria["group"] if (node := _condition(item)) is not None)
        op = str(criteria.get("group_operator", "and")).lower()
        if op not in ("and", "or") or not parts:
            raise BadCondition("a group joins criteria by and, or")
        return Group(op, parts)
    field, op = criteria.get("field"), str(criteria.get("comparator"))
    name = field.get("api_name") if isinstance(field, dict) else None
    if name is None or op not in COMPARATORS:
        raise BadCondition("a criterion has a field, a comparator and a value")
    return _compare(tuple(str(name).split(".")), op, criteria.get("value"))


def _compare(path: tuple[str, ...], op: str, value: Any) -> Node:
    if value in ("${EMPTY}", None) and op in ("equal", "not_equal"):
        return Compare(path, "is null" if op == "equal" else "is not null")
    if op in ("contains", "starts_with", "ends_with"):
        text = str(value).replace("%", "")
        value = f"{'' if op == 'starts_with' else '%'}{text}{'' if op == 'ends_with' else '%'}"
    values = tuple(value) if isinstance(value, list) else (value,)
    if (op in ("between", "not_between") and len(values) != 2) or not values:
        raise BadCondition("between takes two values, in at least one")
    return Compare(path, COMPARATORS[op], values)

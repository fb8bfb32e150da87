"""Bulk read: a whole module as one CSV file per job, for the first load of modules without lines.

Lookups come as bare ids and are told as `{"id": ...}`; names of lookups are missing until the record is read again.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.base import FieldInfo
from connectors.crm_zoho.answers import Row
from connectors.crm_zoho.client import ZohoClient
from connectors.crm_zoho.streams import Module
from connectors.errors import Garbled, Unavailable
from connectors.transport import Transport

ROWS = 1000
"""Rows handed on at a time."""
MAX_CSV_BYTES = 1024 * 1024 * 1024
FIRST_WAIT_S, LONGEST_WAIT_S, GIVE_UP_S = 1.0, 30.0, 1800.0


def rows(client: ZohoClient, transport: Transport, module: Module) -> Iterator[list[Row]]:
    """All records of a module, by ascending id, as the list call would give them.

    Raises: Unavailable when a job fails or takes longer than half an hour; Garbled for a file that is not understood.
    """
    page: Mapping[str, Any] = {"page": 1}
    while True:
        query = {"module": {"api_name": module.api_name}, "fields": ["id", *module.columns], "file_type": "csv", **page}
        job = client.bulk_start(query)
        result = _wait(client, transport, job)
        yield from _parse(client.system, client.bulk_result(job), module)
        if result.get("more_records") is not True:
            return
        token = result.get("next_page_token")
        page = {"page_token": token} if token else {"page": int(result.get("page") or 1) + 1}


def _wait(client: ZohoClient, transport: Transport, job: str) -> Mapping[str, Any]:
    waited, pause = 0.0, FIRST_WAIT_S
    while waited < GIVE_UP_S:
        found = client.bulk_state(job)
        state = str(found.get("state") or found.get("status") or "").upper()
        if state == "COMPLETED":
            result = found.get("result")
            return result if isinstance(result, dict) else {}
        if state in ("FAILURE", "FAILED"):
            raise Unavailable(client.system, "the bulk read job failed", next_step="set first_load: list in the settings")
        transport.pause(pause)
        waited, pause = waited + pause, min(pause * 2, LONGEST_WAIT_S)
    raise Unavailable(client.system, "the bulk read job did not end within half an hour", next_step="set first_load: list in the settings")


def _parse(system: str, archive: bytes, module: Module) -> Iterator[list[Row]]:
    casts = {module.outward.get(info.name, info.name): _cast(info) for info in module.stream.fields if "." not in info.name}
    casts["id"] = str
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = [entry for entry in opened.infolist() if not entry.is_dir()]
            if len(names) != 1 or names[0].file_size > MAX_CSV_BYTES:
                raise Garbled(system, "the bulk read archive does not hold one CSV file of a sensible size")
            with opened.open(names[0]) as raw:
                yield from _batches(system, csv.DictReader(io.TextIOWrapper(raw, "utf-8-sig", newline="")), casts)
    except (zipfile.BadZipFile, csv.Error, UnicodeDecodeError) as error:
        raise Garbled(system, f"the bulk read file is not understood ({type(error).__name__})") from None


def _batches(system: str, reader: csv.DictReader[str], casts: Mapping[str, Callable[[str], Any]]) -> Iterator[list[Row]]:
    names: Sequence[str] = reader.fieldnames or ()
    key = next((name for name in names if name.lower() == "id"), None)
    if key is None:
        raise Garbled(system, "the bulk read file has no id column")
    batch: list[Row] = []
    for line in reader:
        if None in line or None in line.values():
            raise Garbled(system, f"line {reader.line_num} of the bulk read file has not as many cells as the header")
        batch.append(
            {("id" if name == key else name): casts.get("id" if name == key else name, _text)(cell) for name, cell in line.items()}
        )
        if len(batch) == ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _text(cell: str) -> str | None:
    return cell or None


def _cast(info: FieldInfo) -> Callable[[str], Any]:
    return {"decimal": _number, "integer": _number, "boolean": _flag, "reference": _link, "list": _several}.get(info.type, _text)


def _number(cell: str) -> Any:
    """A number as JSON would give it; what is none stays text, and the mapping refuses that record by itself."""
    if not cell:
        return None
    try:
        value = Decimal(cell)
    except InvalidOperation:
        return cell
    return int(cell) if cell.lstrip("-").isdigit() else value


def _flag(cell: str) -> Any:
    return {"true": True, "false": False, "": None}.get(cell.lower(), cell)


def _link(cell: str) -> Any:
    return {"id": cell} if cell else None


def _several(cell: str) -> Any:
    return cell.split(";") if cell else None

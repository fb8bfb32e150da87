"""Deletes, only from proof: a system's own event, or absence from a complete listing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ledger.bulk import json_text
from sync import scope, store
from sync.decide import Canonical
from sync.hub import Cursor
from sync.streams import StreamState

if TYPE_CHECKING:
    from sync.observing import Observed, Seen


def retire(db: Cursor, state: StreamState, gone: Sequence[Seen], result: Observed, run_id: int | None) -> dict[str, Canonical]:
    """The canonical records after proven deletes.

    An owner's delete retires the canonical record once no other record of that owner is left; anybody else's is a conflict.
    Links stay, as tombstones. Nothing cascades.
    """
    keys = [item.record.key for item in gone]
    db.execute("UPDATE link SET role = 'gone' WHERE stream_id = %s AND key = ANY(%s)", [state.id, keys])
    ids = sorted({str(item.entity_id) for item in gone})
    records = store.load(db, state.table, ids, lock=True)
    numbers = scope.company_numbers(db) if state.policy.by_company else {}
    owned = {number: record for number, record in records.items() if _owns(state, record, numbers)}
    others = [item for item in gone if item.entity_id not in owned]
    if others:
        for item in others:
            db.execute(
                "INSERT INTO conflict (entity, entity_id, field, stream_id, key, ours, theirs, rule) "
                "VALUES (%s, %s, '(record)', %s, %s, %s, %s, %s)",
                [
                    state.entity,
                    item.entity_id,
                    state.id,
                    item.record.key,
                    json_text("there"),
                    json_text("deleted"),
                    f"{state.system} does not own these records",
                ],
            )
        result.conflicts += len(others)
    if not owned:
        return records
    db.execute(
        "SELECT DISTINCT entity_id::text AS id FROM link WHERE entity_id = ANY(%s::uuid[]) AND stream_id = %s AND role <> 'gone'",
        [ids, state.id],
    )
    still = {row["id"] for row in db}
    retired = [
        replace(record, retired=True, version=record.version + 1)
        for record in owned.values()
        if record.id not in still and not record.retired
    ]
    store.update(db, state.table, records, retired)
    store.write_history(
        db,
        state.policy,
        run_id,
        f"deleted in {state.system}",
        [(record.id, record.version, {"retired": [False, True]}) for record in retired],
    )
    return {**records, **{record.id: record for record in retired}}


def _owns(state: StreamState, record: Canonical, numbers: Mapping[str, str]) -> bool:
    """Whether the system decides that the record is there: it is the first to number it."""
    return state.policy.of_record(record.doc, numbers).owners["number"][0] == state.system

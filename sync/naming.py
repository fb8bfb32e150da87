"""What people call records: the business number and the name, for lists that would else show identifiers."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.bulk import array_text
from ledger.tables import TABLES
from sync.hub import Cursor


def called(db: Cursor, records: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By id: number and name of canonical records, given as (entity, id); what has neither is not there."""
    by_entity: dict[str, set[str]] = {}
    for entity, record in records:
        by_entity.setdefault(entity, set()).add(record)
    found: dict[str, str] = {}
    for entity, ids in by_entity.items():
        db.execute(
            "SELECT id::text AS id, concat_ws(' ', nullif(number, ''), coalesce(doc->>'name', doc->>'company_name')) AS called "
            f"FROM {TABLES[entity].name} WHERE id = ANY(%s::uuid[])",
            [array_text(sorted(ids))],
        )
        found |= {row["id"]: row["called"] for row in db if row["called"]}
    return found

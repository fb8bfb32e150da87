"""One record: how it is found, what it holds and why, where it is linked, how it came about. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from canonical.ids import LENGTH, is_hub_key
from ledger.bulk import from_json
from ledger.tables import TABLES
from sync import holding, store
from sync.decide import Canonical, explain_fields, policy_of
from sync.decide_sets import explain_rows
from sync.errors import NotFound
from sync.hub import Cursor, Hub
from sync.listing import conflicts, drift, links
from sync.scope import company_numbers
from sync.sources import sources_of

GIVE = "give its id, hub key, number, or the key it has in a system"


def find_record(hub: Hub, entity: str, name: str) -> UUID:
    """The id of a record by its id, hub key (also in small letters), business number, or a system's own key. Raises: NotFound."""
    table = TABLES.get(entity)
    if table is None:
        raise NotFound(f"there is no kind of record {entity!r}", next_step=f"use one of {', '.join(TABLES)}")
    try:
        wanted: UUID | None = UUID(name)
    except ValueError:
        wanted = None
    ids = [state.id for state in hub.streams_for(entity)]
    told = name.strip().upper()
    with hub.transaction() as db:
        db.execute(
            f"SELECT id FROM {table.name} WHERE id = %(id)s OR hub_key = %(key)s OR (number = %(name)s AND %(name)s <> '') "
            "UNION SELECT entity_id FROM hub_key_alias WHERE hub_key = %(key)s AND entity = %(entity)s "
            "UNION SELECT entity_id FROM link WHERE stream_id = ANY(%(ids)s) AND (key = %(name)s OR number = %(name)s)",
            {"id": wanted, "key": told if is_hub_key(told) else name, "name": name, "entity": entity, "ids": ids},
        )
        found = [row["id"] for row in db]
    if not found:
        mistyped = len(told) == LENGTH and told.startswith("H") and not is_hub_key(told)
        fix = "if it is a hub key, a character of it is mistyped: its check character does not fit" if mistyped else GIVE
        raise NotFound(f"there is no {entity} {name!r}", next_step=fix)
    if len(found) > 1:
        raise NotFound(
            f"{len(found)} records of kind {entity} are called {name!r}", next_step="give the id: " + ", ".join(map(str, found[:5]))
        )
    return UUID(str(found[0]))


@dataclass(frozen=True, slots=True)
class FieldReason:
    """Why one field has its value."""

    field: str
    value: Any
    winner_system: str
    rule: str
    losers: Sequence[tuple[str, Any]]
    since: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


def _canonical(db: Cursor, entity: str, entity_id: str) -> Canonical:
    found = store.load(db, TABLES[entity], [entity_id])
    if entity_id not in found:
        raise NotFound(f"there is no {entity} {entity_id}", next_step="name its id, number or hub key")
    return found[entity_id]


def why(hub: Hub, entity: str, entity_id: UUID, field: str | None = None) -> list[FieldReason]:
    """For each field: its value, who decided it, by which rule, and what the others say. Raises: NotFound."""
    policy = hub.policies[entity]
    with hub.transaction() as db:
        canonical = _canonical(db, entity, str(entity_id))
        sources = sources_of(hub, db, entity, str(entity_id))
        parts = holding.parts(hub, db, entity, [sources], [canonical])
        numbers = company_numbers(db) if policy.by_company or (field and "." in field) else {}
        db.execute(
            "SELECT DISTINCT ON (path) path, at FROM history, json_object_keys(changed) AS path "
            "WHERE entity = %s AND entity_id = %s AND changed IS NOT NULL ORDER BY path, version DESC",
            [entity, entity_id],
        )
        since = {row["path"]: row["at"] for row in db}
        db.execute("SELECT min(at) AS at FROM history WHERE entity = %s AND entity_id = %s", [entity, entity_id])
        born = (db.fetchone() or {"at": None})["at"]
    roots = [path for path in policy.owners if "." not in path and path not in policy.owners_of_sets]
    paths = [field] if field else roots
    unknown = [path for path in paths if path not in policy.owners]
    if unknown:
        raise NotFound(f"{entity} has no field {unknown[0]!r}", next_step=f"use one of {', '.join(roots)}")
    current = {**canonical.doc, "number": canonical.number}
    policy = policy_of(policy, sources, current, numbers)
    name = field.partition(".")[0] if field else ""
    if field and name in canonical.sets and "." in field:
        reasons = explain_rows(policy, field, sources, canonical.sets[name], numbers, hub.natural_keys(entity, name), parts.get(name, {}))
    else:
        reasons = explain_fields(policy, paths, sources, current)
    return [
        FieldReason(reason.field, reason.value, reason.system, reason.rule, reason.losers, since.get(reason.field, born))
        for reason in reasons
    ]


@dataclass
class RecordView:
    """One record with everything about it."""

    entity: str
    id: str
    hub_key: str
    number: str
    version: int
    retired: bool
    doc: dict[str, Any]
    sets: dict[str, list[dict[str, Any]]]
    links: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]
    cases: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


def record(hub: Hub, entity: str, entity_id: UUID) -> RecordView:
    """One record: its values, where it is linked, and the state of each system. Raises: NotFound."""
    with hub.transaction() as db:
        canonical = _canonical(db, entity, str(entity_id))
        sets = {name: [{"id": row.id, **row.doc} for row in rows.values()] for name, rows in canonical.sets.items()}
        found_links = links(hub, entity=entity, entity_id=entity_id, limit=200)
        pairs = drift(hub, entity_id=entity_id, limit=200, all_states=True)
        cases = _cases_of(db, str(entity_id))
    found_conflicts = conflicts(hub, entity_id=entity_id, limit=200)
    return RecordView(
        entity=entity,
        id=canonical.id,
        hub_key=canonical.hub_key,
        number=canonical.number,
        version=canonical.version,
        retired=canonical.retired,
        doc=canonical.doc,
        sets=sets,
        links=found_links,
        pairs=pairs,
        conflicts=found_conflicts,
        cases=cases,
    )


def _cases_of(db: Cursor, entity_id: str) -> list[dict[str, Any]]:
    db.execute(
        "SELECT id, kind, state, left_id::text AS left_id, right_id::text AS right_id, evidence FROM review_case "
        "WHERE %s IN (left_id, right_id)",
        [entity_id],
    )
    return [dict(row) for row in db]


def history(hub: Hub, entity: str, entity_id: UUID, *, after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
    """Versions of a record, newest first, with what changed and why; personal values are put back where they have not been erased."""
    with hub.transaction() as db:
        db.execute(
            "SELECT version, at, cause, run_id, changed::text AS changed FROM history WHERE entity = %(entity)s AND entity_id = %(id)s "
            "AND (%(after)s = 0 OR version < %(after)s) ORDER BY version DESC LIMIT %(limit)s",
            {"entity": entity, "id": entity_id, "after": after, "limit": limit},
        )
        rows = [{**row, "changed": from_json(row["changed"] or "null")} for row in db]
        db.execute("SELECT id::text AS id, value FROM personal_value WHERE entity_id = %s", [entity_id])
        personal = {row["id"]: from_json(row["value"]) if row["value"] else None for row in db}
    return [{**row, "changed": _filled(row["changed"], personal)} for row in rows]


def _filled(value: Any, personal: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"personal"}:
            return personal.get(value["personal"])
        return {name: _filled(part, personal) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, personal) for part in value]
    return value

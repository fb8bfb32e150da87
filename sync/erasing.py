"""Erasing what was kept of a person: old values, what was sent, records set aside; what happened when, and through whom, stays.

What a record holds now is its owner's to change: the value is emptied in the owning system, and comes here as any edit does.
"""

from __future__ import annotations

from uuid import UUID

import structlog

from ledger.tables import TABLES
from sync.errors import NotFound
from sync.hub import Cursor, Hub

log = structlog.get_logger("sync.erasing")

KEPT_DAYS = 90
"""Payloads of records set aside, and rows of plans, are kept so long after they were closed; docs/operations.md tells it."""

RETENTION: dict[str, str] = {
    "quarantine_payloads": "UPDATE quarantine SET raw = NULL, payload = NULL WHERE state <> 'open' "
    f"AND last_at < now() - interval '{KEPT_DAYS} days' AND (raw IS NOT NULL OR payload IS NOT NULL)",
    "plan_changes": "UPDATE plan_row r SET changes = NULL FROM plan p WHERE p.id = r.plan_id AND r.changes IS NOT NULL "
    f"AND p.state NOT IN ('open', 'approved') AND coalesce(p.decided_at, p.expires_at) < now() - interval '{KEPT_DAYS} days'",
}
"""What the daily upkeep empties of everybody, by the figure that counts it."""

_OF_RECORD: dict[str, str] = {
    "values of the history": "DELETE FROM personal_value WHERE entity_id = ANY(%(ids)s)",
    "conflicts": "UPDATE conflict SET ours = NULL, theirs = NULL WHERE entity_id = ANY(%(ids)s) AND field = ANY(%(personal)s) "
    "AND state <> 'open' AND (ours IS NOT NULL OR theirs IS NOT NULL)",
    "what was sent": "UPDATE delivery_attempt SET fields = NULL WHERE entity_id = ANY(%(ids)s) AND fields IS NOT NULL",
    "pairs of sent and came back": "UPDATE desired SET accepted = NULL WHERE entity_id = ANY(%(ids)s) AND accepted IS NOT NULL",
    "plans": "UPDATE plan_row SET changes = NULL WHERE entity_id = ANY(%(ids)s) AND changes IS NOT NULL",
    "evidence of cases": "UPDATE review_case SET evidence = '[]' WHERE evidence <> '[]' "
    "AND (left_id = ANY(%(ids)s) OR right_id = ANY(%(ids)s))",
    "records as they were before a merge": "UPDATE merge_before b SET record = NULL FROM merge_event m WHERE m.id = b.merge_id "
    "AND b.record IS NOT NULL AND (m.keep_id = ANY(%(ids)s) OR m.drop_id = ANY(%(ids)s))",
    # Of an open entry too: what its system says now stands in observed, and is what is replayed.
    "records set aside": "UPDATE quarantine q SET raw = NULL, payload = NULL, why = CASE state WHEN 'open' THEN why ELSE 'erased' END "
    "FROM link l WHERE l.entity_id = ANY(%(ids)s) AND (l.stream_id, l.key) = (q.stream_id, q.key) "
    "AND (q.raw IS NOT NULL OR q.payload IS NOT NULL OR (q.state <> 'open' AND q.why <> 'erased'))",
    "answers kept for repeats": "DELETE FROM idempotent_request WHERE EXISTS "
    "(SELECT 1 FROM unnest(%(ids)s::uuid[]) id WHERE position(convert_to(id::text, 'UTF8') IN body) > 0)",
}
"""What is erased of one record, by what it is."""


def erase_personal(hub: Hub, entity: str, entity_id: UUID, by: str) -> int:
    """Erase what was kept of a record's personal values, and of records merged into it, apart from what it holds now. Returns how many.

    Raises: NotFound.
    """
    with hub.transaction() as db:
        db.execute("SELECT coalesce(max(version), 0) AS version FROM history WHERE entity = %s AND entity_id = %s", [entity, entity_id])
        version = (db.fetchone() or {"version": 0})["version"]
        if not version:
            raise NotFound(f"there is no {entity} {entity_id}", next_step="name it by id, number or hub key: `hub why` shows it")
        personal = sorted(hub.policies[entity].personal) if entity in hub.policies else []
        ids = [entity_id, *_merged_into(db, entity, entity_id)]
        db.execute("SET LOCAL hub.erasing = 'on'")  # the one session whose values of attempts may go
        counts = {}
        for what, statement in _OF_RECORD.items():
            db.execute(statement.encode(), {"ids": ids, "personal": personal})
            counts[what] = db.rowcount
        counts["retired records"] = _empty_retired(db, entity, ids, personal)
        erased = sum(counts.values())
        if erased:  # who did it stays; what it was does not
            db.execute(
                "INSERT INTO history (entity, entity_id, version, cause, changed) VALUES (%s, %s, %s, %s, '{}')",
                [entity, entity_id, version, f"erase:{by}"],
            )
    log.info("personal values erased", entity=entity, id=str(entity_id), by=by, **{what.replace(" ", "_"): n for what, n in counts.items()})
    return erased


def _merged_into(db: Cursor, entity: str, entity_id: UUID) -> list[UUID]:
    """Records that were merged into this one, and those merged into them."""
    table, found, asked = TABLES[entity].name, list[UUID](), [entity_id]
    while asked:
        db.execute(
            f"SELECT r.id FROM hub_key_alias a JOIN {table} r ON r.hub_key = a.hub_key WHERE a.entity_id = ANY(%s)".encode(), [asked]
        )
        asked = [row["id"] for row in db if row["id"] not in (entity_id, *found)]
        found += asked
    return found


def _empty_retired(db: Cursor, entity: str, ids: list[UUID], personal: list[str]) -> int:
    """A retired record has no owner any more who could empty it."""
    table = TABLES[entity]
    own = [path for path in personal if "." not in path]
    columns = "".join(f", {column.name} = NULL" for column in table.columns if column.field in own)
    db.execute(
        f"UPDATE {table.name} SET doc = (doc::jsonb - %(own)s::text[])::json{columns} "
        "WHERE id = ANY(%(ids)s) AND retired AND doc::jsonb ?| %(own)s::text[]".encode(),
        {"own": own, "ids": ids},
    )
    erased = db.rowcount
    for child, rows in table.sets.items():
        of_rows = [path.removeprefix(f"{child}.") for path in personal if path.startswith(f"{child}.")]
        columns = "".join(f", {column.name} = NULL" for column in rows.columns if column.field in of_rows)
        db.execute(
            f"UPDATE {rows.name} c SET doc = (c.doc::jsonb - %(own)s::text[])::json{columns} FROM {table.name} r "
            "WHERE r.id = c.parent_id AND r.id = ANY(%(ids)s) AND r.retired AND c.doc::jsonb ?| %(own)s::text[]".encode(),
            {"own": of_rows, "ids": ids},
        )
        erased += db.rowcount
    return erased

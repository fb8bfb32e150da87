"""Cases: questions that the hub asks a person, and what the answer does. Source records are never merged, only their links."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger.tables import TABLES
from sync import deriving, observing, pairing, store
from sync.decide import Canonical
from sync.errors import NotFound, WrongState
from sync.hub import Cursor, Hub
from sync.inspecting import sources_of


def list_cases(hub: Hub, *, state: str | None = "open", entity: str | None = None, after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
    """Cases with both sides' names and where they are known."""
    with hub.transaction() as db:
        db.execute(
            "SELECT id, kind, entity, left_id::text AS left_id, right_id::text AS right_id, evidence, state, opened_at, "
            "decided_at, decided_by, reason FROM review_case WHERE (%(state)s::text IS NULL OR state = %(state)s) "
            "AND (%(entity)s::text IS NULL OR entity = %(entity)s) AND id > %(after)s ORDER BY id LIMIT %(limit)s",
            {"state": state, "entity": entity, "after": after, "limit": limit},
        )
        rows = [dict(row) for row in db]
        for row in rows:
            sides = store.load(db, TABLES[row["entity"]], [row["left_id"], row["right_id"]])
            for side in ("left", "right"):
                row[side] = _side(hub, db, sides[row[f"{side}_id"]])
    return rows


def _side(hub: Hub, db: Cursor, canonical: Canonical) -> dict[str, Any]:
    db.execute("SELECT stream_id, key, number FROM link WHERE entity_id = %s AND role <> 'gone' ORDER BY 1, 2", [canonical.id])
    known = [f"{hub.by_id[row['stream_id']].label} {row['number'] or row['key']}" for row in db if row["stream_id"] in hub.by_id]
    shown = {name: canonical.doc[name] for name in ("name", "uscc", "phone", "province", "city") if canonical.doc.get(name)}
    return {"id": canonical.id, "number": canonical.number, "known_in": known, **shown}


def decide(hub: Hub, case_id: int, answer: str, by: str, reason: str = "") -> str:
    """Id of the surviving record. `same`: the younger record's links move to the older one; `different`: they are told apart for good.

    What was held for the case goes on by itself. Raises: NotFound, WrongState.
    """
    if answer not in ("same", "different"):
        raise WrongState(f"a case cannot be answered by {answer!r}", next_step="answer same or different")
    with hub.transaction() as db:
        db.execute(
            "SELECT entity, left_id::text AS left_id, right_id::text AS right_id, state FROM review_case WHERE id = %s FOR UPDATE",
            [case_id],
        )
        row = db.fetchone()
        if row is None:
            raise NotFound(f"there is no case {case_id}", next_step="see `hub cases list`")
        if row["state"] != "open":
            raise WrongState(f"case {case_id} was decided: {row['state']}")
        db.execute(
            "UPDATE review_case SET state = %s, decided_at = now(), decided_by = %s, reason = %s WHERE id = %s",
            [answer, by, reason, case_id],
        )
        pair = sorted([row["left_id"], row["right_id"]])
        if answer == "same":
            merge(hub, db, row["entity"], pair[0], pair[1], f"case {case_id}: same, by {by}")
            return str(pair[0])
        pairing.judge_pairs(hub, db, row["entity"], store.load(db, TABLES[row["entity"]], pair, lock=True), observing.Observed())
        return str(row["left_id"])


def merge(hub: Hub, db: Cursor, name: str, keep: str, drop: str, cause: str) -> None:
    """Move every link of one record to another and recompute both, and whatever cites them, from their sources."""
    table = TABLES[name]
    records = store.load(db, table, [keep, drop], lock=True)
    db.execute("SELECT stream_id, org FROM link WHERE entity_id = %s AND role = 'primary'", [keep])
    taken = {(row["stream_id"], row["org"]) for row in db}
    db.execute("SELECT stream_id, key, org, role FROM link WHERE entity_id = %s", [drop])
    for row in list(db):
        role = "alias" if row["role"] == "primary" and (row["stream_id"], row["org"]) in taken else row["role"]
        db.execute(
            "UPDATE link SET entity_id = %s, role = %s, how = %s WHERE stream_id = %s AND key = %s",
            [keep, role, f"person:{cause}"[:200], row["stream_id"], row["key"]],
        )
    db.execute("INSERT INTO hub_key_alias (hub_key, entity, entity_id) VALUES (%s, %s, %s)", [records[drop].hub_key, name, keep])
    db.execute("DELETE FROM desired WHERE entity_id = %s", [drop])
    db.execute(
        "UPDATE review_case SET left_id = %(keep)s WHERE left_id = %(drop)s AND right_id <> %(keep)s AND state = 'open'",
        {"keep": keep, "drop": drop},
    )
    db.execute(
        "UPDATE review_case SET right_id = %(keep)s WHERE right_id = %(drop)s AND left_id <> %(keep)s AND state = 'open'",
        {"keep": keep, "drop": drop},
    )
    retired = replace(records[drop], retired=True, version=records[drop].version + 1)
    store.update(db, table, records, [retired])
    store.write_history(db, hub.policies[name], None, cause, [(drop, retired.version, {"merged_into": [None, keep]})])
    remerge(hub, db, name, [keep], cause)
    for other in hub.policies:
        _remerge_citing(hub, db, other, drop, cause)


def _remerge_citing(hub: Hub, db: Cursor, name: str, dropped: str, cause: str) -> None:
    table = TABLES[name]
    db.execute(f"SELECT id::text AS id FROM {table.name} WHERE doc::text LIKE %s AND NOT retired", [f"%{dropped}%"])
    ids = [row["id"] for row in db]
    for child in table.sets.values():
        db.execute(f"SELECT DISTINCT parent_id::text AS id FROM {child.name} WHERE doc::text LIKE %s", [f"%{dropped}%"])
        ids += [row["id"] for row in db]
    remerge(hub, db, name, sorted(set(ids)), cause)


def remerge(hub: Hub, db: Cursor, name: str, ids: list[str], cause: str) -> None:
    """Compute records anew from what their systems last said, and judge their pairs."""
    if not ids:
        return
    state = hub.streams_for(name)[0]
    existing = store.load(db, state.table, ids, lock=True)
    result = observing.Observed()
    sources = {entity_id: sources_of(hub, db, name, entity_id) for entity_id in existing}
    merged = observing.merge_entities(
        hub, db, state, {key: value for key, value in sources.items() if value}, existing, result, None, cause
    )
    deriving.enqueue(db, name, list(merged.values()), existing)
    pairing.judge_pairs(hub, db, name, merged, result)

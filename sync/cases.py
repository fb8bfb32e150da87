"""Cases: questions that the hub asks a person, and what the answer does. Source records are never merged, only their links."""

from __future__ import annotations

from typing import Any

from channel.deals.errors import ProtectionsOverlap
from ledger.tables import TABLES
from sync import golden, merging, observing, pairing, store
from sync.decide import Canonical
from sync.errors import NotFound, WrongState
from sync.hub import Cursor, Hub


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

    What was held for the case goes on by itself. Raises: NotFound; WrongState, also when two dealers hold the two: the case says who was
    first, and answering `same` once more lets him keep it.
    """
    if answer not in ("same", "different"):
        raise WrongState(f"a case cannot be answered by {answer!r}", next_step="answer same or different")
    try:
        return _decide(hub, case_id, answer, by, reason)
    except ProtectionsOverlap as overlap:
        with hub.transaction() as db:
            db.execute("SELECT entity, left_id::text AS left_id, right_id::text AS right_id FROM review_case WHERE id = %s", [case_id])
            row = db.fetchone() or {}
            golden.overlap_case(db, row["entity"], row["left_id"], row["right_id"])
        raise WrongState(
            f"case {case_id}: {overlap.what}", next_step="answer same again: the protection that was first stays, the other is taken back"
        ) from overlap


def _decide(hub: Hub, case_id: int, answer: str, by: str, reason: str) -> str:
    with hub.transaction() as db:
        db.execute(
            "SELECT kind, entity, left_id::text AS left_id, right_id::text AS right_id, state, evidence "
            "FROM review_case WHERE id = %s FOR UPDATE",
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
            if row["kind"] == golden.TWO_PROTECTIONS:
                golden.settle_protections(db, pair[0], pair[1], by)
            edges = [{"left": pair[0], "right": pair[1], "evidence": row["evidence"], "case": case_id}]
            merging.merge(hub, db, row["entity"], pair[0], pair[1], f"case {case_id}: same, by {by}", by=by, edges=edges)
            return str(pair[0])
        pairing.judge_pairs(hub, db, row["entity"], store.load(db, TABLES[row["entity"]], pair, lock=True), observing.Observed())
        return str(row["left_id"])

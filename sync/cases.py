"""Cases: questions that the hub asks a person, and what the answer does. Source records are never merged, only their links."""

from __future__ import annotations

from typing import Any

from ledger.tables import TABLES
from sync import golden, observing, pairing, store
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
    """Id of the record that stays. `same`: the younger record's links move to the older one; `different`: they are told apart for good.

    What was held for the case goes on by itself. When two dealers hold the two, `same` joins nothing yet: the case stays open as
    `two_protections`, says who was first, and answering it `same` lets him keep the customer.
    Raises: NotFound; WrongState when it was decided already, when a person told the two apart, or when their valid codes differ.
    """
    if answer not in ("same", "different"):
        raise WrongState(f"a case cannot be answered by {answer!r}", next_step="answer same or different")
    return hub.settle(lambda db: decided(hub, db, case_id, answer, by, reason))


def decided(hub: Hub, db: Cursor, case_id: int, answer: str, by: str, reason: str = "") -> str:
    """The same inside the caller's transaction. Raises: NotFound; WrongState."""
    db.execute(
        "SELECT kind, entity, left_id::text AS left_id, right_id::text AS right_id, state, evidence "
        "FROM review_case WHERE id = %s FOR UPDATE",
        [case_id],
    )
    row = db.fetchone()
    if row is None:
        raise NotFound(f"there is no case {case_id}", next_step="see `hub cases list`")
    if row["state"] != "open":
        raise WrongState(f"case {case_id} was decided: {row['state']}", next_step="list what is open: `hub cases`")
    pair = sorted([row["left_id"], row["right_id"]])
    if answer == "same":
        if row["kind"] == golden.TWO_PROTECTIONS:
            golden.settle_protections(db, pair[0], pair[1], by)
        edges = [{"left": pair[0], "right": pair[1], "evidence": row["evidence"], "case": case_id}]
        cause = f"case {case_id}: same, by {by}"
        golden.joined(hub, db, row["entity"], *pair, by=by, cause=cause, reason=reason, edges=edges)
        return str(pair[0])
    db.execute(
        "UPDATE review_case SET state = 'different', decided_at = now(), decided_by = %s, reason = %s WHERE id = %s",
        [by, reason, case_id],
    )
    pairing.judge_pairs(hub, db, row["entity"], store.load(db, TABLES[row["entity"]], pair, lock=True), observing.Observed())
    return str(row["left_id"])


def left_open(hub: Hub, case_id: int) -> str:
    """The kind of a case that is open; empty for one that is decided. Raises: NotFound."""
    with hub.transaction() as db:
        db.execute("SELECT kind, state FROM review_case WHERE id = %s", [case_id])
        row = db.fetchone()
    if row is None:
        raise NotFound(f"there is no case {case_id}", next_step="see `hub cases list`")
    return str(row["kind"]) if row["state"] == "open" else ""

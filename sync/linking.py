"""Links, for people: accept one, undo one, bring a list of known ones along from an older integration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from canonical.ids import new_hub_key, new_id_text
from sync import cases, store
from sync.decide import Canonical
from sync.errors import NotFound, WrongState
from sync.hub import Cursor, Hub


def _linked(hub: Hub, db: Cursor, system: str, stream: str, key: str) -> tuple[str, str]:
    state = hub.streams.get((system, stream))
    if state is None:
        raise NotFound(f"there is no stream {system}.{stream}")
    db.execute(
        "SELECT entity_id::text AS id FROM link WHERE stream_id = %s AND (key = %s OR number = %s) ORDER BY (key = %s) DESC LIMIT 1",
        [state.id, key, key, key],
    )
    row = db.fetchone()
    if row is None:
        raise NotFound(f"{system}.{stream} has no linked record {key!r}", next_step="read the stream first, or check the key")
    return state.entity, row["id"]


def accept(hub: Hub, left: tuple[str, str, str], right: tuple[str, str, str], by: str) -> str:
    """Two records, each (system, stream, key or number), are one: link them. Returns the surviving record's id.

    Raises: NotFound; WrongState for records of different kinds.
    """
    with hub.transaction() as db:
        kind, one = _linked(hub, db, *left)
        other_kind, other = _linked(hub, db, *right)
        if kind != other_kind:
            raise WrongState(f"{'.'.join(left[:2])} holds {kind}, {'.'.join(right[:2])} holds {other_kind}")
        if one == other:
            return one
        keep, drop = sorted([one, other])
        cases.merge(hub, db, kind, keep, drop, f"linked by {by}")
        db.execute(
            "UPDATE review_case SET state = 'same', decided_at = now(), decided_by = %s "
            "WHERE state = 'open' AND least(left_id, right_id) = %s AND greatest(left_id, right_id) = %s",
            [by, keep, drop],
        )
        return keep


def unlink(hub: Hub, system: str, stream: str, key: str, by: str) -> str:
    """Take one record away from its canonical record; it gets one of its own, and the two are told apart for good. Returns the new id.

    Raises: NotFound; WrongState when it is the only record of its canonical one.
    """
    with hub.transaction() as db:
        kind, entity_id = _linked(hub, db, system, stream, key)
        state = hub.streams[system, stream]
        db.execute(
            "SELECT count(*) AS others FROM link WHERE entity_id = %s AND NOT (stream_id = %s AND key = %s)", [entity_id, state.id, key]
        )
        if (db.fetchone() or {"others": 0})["others"] == 0:
            raise WrongState(f"{system}.{stream} {key} is the only record of its {kind}", next_step="there is nothing to take apart")
        fresh = Canonical(new_id_text(), new_hub_key(), "", 1, {}, {child: {} for child in state.table.sets})
        store.insert(db, state.table, [fresh])
        db.execute(
            "UPDATE link SET entity_id = %s, role = 'primary', how = %s WHERE stream_id = %s AND key = %s",
            [fresh.id, f"person:{by}", state.id, key],
        )
        db.execute("DELETE FROM desired d WHERE d.entity_id = %s AND d.stream_id = %s", [entity_id, state.id])
        db.execute(
            "INSERT INTO review_case (kind, entity, left_id, right_id, state, decided_at, decided_by, reason) "
            "VALUES ('same_record', %s, %s, %s, 'different', now(), %s, 'unlinked') ON CONFLICT DO NOTHING",
            [kind, entity_id, fresh.id, by],
        )
        cases.remerge(hub, db, kind, [entity_id, fresh.id], f"unlinked by {by}")
        return fresh.id


def import_links(hub: Hub, rows: Sequence[Mapping[str, Any]], by: str) -> dict[str, int]:
    """Bring along links that are known already: rows with system, stream, key and other_system, other_stream, other_key.

    Raises: NotFound naming the row that has no record; what was linked before it stays.
    """
    done = {"linked": 0, "same": 0}
    for number, row in enumerate(rows, 1):
        left = (row["system"], row["stream"], row["key"])
        right = (row["other_system"], row["other_stream"], row["other_key"])
        try:
            with hub.transaction() as db:
                same = _linked(hub, db, *left)[1] == _linked(hub, db, *right)[1]
            if not same:
                accept(hub, left, right, by)
        except NotFound as wrong:
            raise NotFound(wrong.what, where=f"row {number}", next_step=wrong.next_step) from wrong
        done["same" if same else "linked"] += 1
    return done

"""Links, for people: accept one, undo one, bring a list of known ones along from an older integration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from canonical.ids import new_hub_key, new_id_text
from ledger.bulk import array_text
from sync import golden, merging, store
from sync.citing import Citations
from sync.decide import Canonical
from sync.errors import NotFound, SyncError, WrongState
from sync.hub import Cursor, Hub

Place = tuple[str, str, str]
"""System, stream, and key or number of a record there."""
IMPORT_COLUMNS = ("system", "stream", "key", "other_system", "other_stream", "other_key")
"""What a row of an import of links says."""


class BadLinkRows(SyncError):
    """Rows of an import of links that cannot stand; `errors` names each by its row."""

    code = "sync/bad-link-rows"

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        self.errors = [dict(error) for error in errors]
        first = self.errors[0]
        more = f", and {len(self.errors) - 1} more" if len(self.errors) > 1 else ""
        super().__init__(f"{first['where']}: {first['what']}{more}", next_step="mend these rows; nothing was imported")


def _linked(hub: Hub, db: Cursor, system: str, stream: str, key: str) -> tuple[str, str]:
    state = hub.streams.get((system, stream))
    if state is None:
        raise NotFound(f"there is no stream {system}.{stream}", next_step="see `hub status`")
    db.execute(
        "SELECT DISTINCT entity_id::text AS id, key = %s AS exact FROM link WHERE stream_id = %s AND (key = %s OR number = %s) "
        "ORDER BY exact DESC LIMIT 2",
        [key, state.id, key, key],
    )
    rows = db.fetchall()
    if not rows:
        raise NotFound(f"{system}.{stream} has no linked record {key!r}", next_step="read the stream first, or check the key")
    if len(rows) > 1 and not rows[0]["exact"]:
        raise WrongState(f"{system}.{stream} has several records of the number {key!r}", next_step="name one by its key")
    return state.entity, rows[0]["id"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of linking two records. `entity_id`: their canonical record; with `case_id` two dealers hold them, and a person decides."""

    entity_id: str
    case_id: int | None = None
    new: bool = True
    """False when they were one already."""


def accept(hub: Hub, left: Place, right: Place, by: str) -> Accepted:
    """Two records, each (system, stream, key or number), are one: link them. When two dealers hold them, a case asks who stays.

    Raises: NotFound; WrongState for records of different kinds, a number that several records have, a pair that a person told apart, or two
    parties whose valid codes differ.
    """
    return hub.settle(lambda db: _accept(hub, db, left, right, by, f"linked by {by}"))


def _accept(
    hub: Hub, db: Cursor, left: Place, right: Place, by: str, cause: str, citations: Mapping[str, Citations] | None = None
) -> Accepted:
    kind, one = _linked(hub, db, *left)
    other_kind, other = _linked(hub, db, *right)
    if kind != other_kind:
        raise WrongState(
            f"{'.'.join(left[:2])} holds {kind}, {'.'.join(right[:2])} holds {other_kind}", next_step="name two streams of one kind"
        )
    if one == other:
        return Accepted(one, new=False)
    made = golden.joined(hub, db, kind, one, other, by=by, cause=cause, citations=(citations or {}).get(kind))
    return Accepted(min(one, other), made.case_id)


def _citations(hub: Hub, db: Cursor, rows: Sequence[Mapping[str, Any]]) -> dict[str, Citations]:
    """Who cites any of the records that the rows name, by kind: asked once for all rows."""
    asked: dict[tuple[int, str], set[str]] = {}
    for row in rows:
        for place in (IMPORT_COLUMNS[:3], IMPORT_COLUMNS[3:]):
            system, stream, key = (str(row.get(name, "")).strip() for name in place)
            if (state := hub.streams.get((system, stream))) is not None:
                asked.setdefault((state.id, state.entity), set()).add(key)
    named: dict[str, set[str]] = {}
    for (stream_id, kind), keys in asked.items():
        db.execute(
            "SELECT DISTINCT entity_id::text AS id FROM link WHERE stream_id = %(stream)s "
            "AND (key = ANY(%(keys)s::text[]) OR number = ANY(%(keys)s::text[]))",
            {"stream": stream_id, "keys": array_text(sorted(keys))},
        )
        named.setdefault(kind, set()).update(row["id"] for row in db)
    return {kind: Citations(hub, db, kind, ids) for kind, ids in named.items()}


def unlink(hub: Hub, system: str, stream: str, key: str, by: str) -> str:
    """Take one record away from its canonical record; it gets one of its own, and the two are told apart for good. Returns the new id.

    Raises: NotFound; WrongState when it is the only record of its canonical one.
    """

    def unlinked(db: Cursor) -> str:
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
        merging.remerge(hub, db, kind, [entity_id, fresh.id], f"unlinked by {by}")
        return fresh.id

    return hub.settle(unlinked)


def import_links(hub: Hub, rows: Sequence[Mapping[str, Any]], by: str, *, dry_run: bool = False) -> dict[str, int]:
    """Bring along links that are known already: all rows, or none; returns how many were linked, were one already, or became cases.

    A row has the text of :data:`IMPORT_COLUMNS`, where a key may be a number, and may have `row`, its place in a file; else rows are
    counted from 1. With `dry_run` the same is done and taken back. A row whose two parties are held by two dealers becomes a case.
    Raises: BadLinkRows naming every row that cannot be linked, and why.
    """
    done, errors = hub.settle(lambda db: _import(hub, db, rows, by, dry_run=dry_run))
    if errors:
        raise BadLinkRows(errors)
    return done


def _import(
    hub: Hub, db: Cursor, rows: Sequence[Mapping[str, Any]], by: str, *, dry_run: bool
) -> tuple[dict[str, int], list[dict[str, str]]]:
    done, errors = {"linked": 0, "same": 0, "cases": 0}, []
    with db.connection.transaction():
        citations = _citations(hub, db, rows)
        for number, row in enumerate(rows, 1):
            try:
                told = _told(row)
                made = _accept(hub, db, told[:3], told[3:], by, f"imported by {by}", citations)
            except (NotFound, WrongState) as wrong:
                errors.append({"where": f"row {row.get('row', number)}", "what": wrong.what, "next_step": wrong.next_step})
            else:
                done["cases" if made.case_id else "linked" if made.new else "same"] += 1
        if dry_run or errors:
            raise psycopg.Rollback
    return done, errors


def _told(row: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    empty = [name for name in IMPORT_COLUMNS if not isinstance(row.get(name), str) or not row[name].strip()]
    if empty:
        raise WrongState(f"{', '.join(empty)} is empty", next_step="fill it in, as text")
    system, stream, key, other_system, other_stream, other_key = (row[name].strip() for name in IMPORT_COLUMNS)
    return system, stream, key, other_system, other_stream, other_key

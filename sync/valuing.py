"""Value maps: what a system's code means in canonical words; edited by people, with audit; filling one in releases what waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from sync import observing, pairing, store
from sync.errors import SyncError
from sync.hub import Cursor, Hub
from sync.parked import PAGE, retry_parked


class BadValueRow(SyncError):
    """A row of a value map that cannot stand."""

    code = "sync/bad-value-row"


def missing(hub: Hub) -> list[dict[str, Any]]:
    """The inbox: values that records wait for, with an example of each."""
    with hub.transaction() as db:
        db.execute(
            "SELECT m.name, m.system, m.company, m.direction, m.value, m.records, m.first_at, s.name AS stream, m.example_key "
            "FROM value_missing m LEFT JOIN stream s ON s.id = m.example_stream ORDER BY m.records DESC, m.name, m.value"
        )
        return [dict(row) for row in db]


def rows(hub: Hub, name: str | None = None, system: str | None = None) -> list[dict[str, Any]]:
    """The maps as they stand."""
    with hub.transaction() as db:
        db.execute(
            "SELECT name, system, company, vendor_value, canonical_value, nullif(valid_from, '-infinity') AS valid_from, "
            "nullif(valid_to, 'infinity') AS valid_to, note, edited_by, edited_at FROM value_map "
            "WHERE (%(name)s::text IS NULL OR name = %(name)s) AND (%(system)s::text IS NULL OR system = %(system)s) "
            "ORDER BY name, system, company, vendor_value, valid_from",
            {"name": name, "system": system},
        )
        return [dict(row) for row in db]


def set_value(
    hub: Hub,
    name: str,
    system: str,
    company: str,
    vendor_value: str,
    canonical_value: str,
    by: str,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> int:
    """Fill one value in, or change it; returns how many records that released. Raises: BadValueRow for overlapping validity."""
    with hub.transaction() as db:
        _set(db, name, system, company, vendor_value, canonical_value, by, valid_from, valid_to)
    return release(hub)


def release(hub: Hub) -> int:
    """Let go what waited for values that are there now: records in quarantine, and pairs held because a value had no counterpart."""
    released = retry_parked(hub).counts.get("released", 0)

    def let_go(db: Cursor) -> int:
        db.execute(
            "UPDATE desired SET state = 'due', reason = 'value_came', due_at = now(), changed_at = now() "
            "WHERE state = 'held' AND reason = 'value' RETURNING stream_id, entity_id::text AS entity_id"
        )
        woken: dict[str, set[str]] = {}
        for row in db:
            woken.setdefault(hub.by_id[row["stream_id"]].entity, set()).add(row["entity_id"])
        pairs = db.rowcount
        db.execute(
            "DELETE FROM value_missing m WHERE EXISTS (SELECT 1 FROM value_map v WHERE v.name = m.name AND v.system = m.system "
            "AND v.company IN ('', m.company) AND CASE m.direction WHEN 'in' THEN v.vendor_value ELSE v.canonical_value END = m.value)"
        )
        # Judged anew, so that it is held for a plan where the mode says so; what still lacks a value goes back to the inbox.
        for name, ids in woken.items():
            _judge(hub, db, name, sorted(ids))
        return pairs

    return released + hub.settle(let_go)


def _judge(hub: Hub, db: Cursor, name: str, ids: Sequence[str]) -> None:
    table = hub.kind(name).table
    for start in range(0, len(ids), PAGE):
        pairing.judge_pairs(hub, db, name, store.load(db, table, ids[start : start + PAGE], lock=True), observing.Observed())


def _set(
    db: Cursor,
    name: str,
    system: str,
    company: str,
    vendor_value: str,
    canonical_value: str,
    by: str,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> None:
    key = {"name": name, "system": system, "company": company, "vendor": vendor_value}
    db.execute(
        "SELECT id, canonical_value FROM value_map WHERE name = %(name)s AND system = %(system)s AND company = %(company)s "
        "AND vendor_value = %(vendor)s AND valid_from = coalesce(%(start)s, '-infinity'::date)",
        {**key, "start": valid_from},
    )
    old = db.fetchone()
    try:
        if old is not None:
            db.execute(
                "UPDATE value_map SET canonical_value = %s, valid_to = coalesce(%s, 'infinity'::date), "
                "edited_by = %s, edited_at = now() WHERE id = %s",
                [canonical_value, valid_to, by, old["id"]],
            )
        else:
            db.execute(
                "INSERT INTO value_map (name, system, company, vendor_value, canonical_value, valid_from, valid_to, edited_by) "
                "VALUES (%(name)s, %(system)s, %(company)s, %(vendor)s, %(canonical)s, coalesce(%(start)s, '-infinity'::date), "
                "coalesce(%(end)s, 'infinity'::date), %(by)s)",
                {**key, "canonical": canonical_value, "start": valid_from, "end": valid_to, "by": by},
            )
    except psycopg.errors.ExclusionViolation as wrong:
        raise BadValueRow(
            f"{name}: {vendor_value!r} has another row that is valid on the same days",
            where=f"value map {name} of {system}",
            next_step="end that one first",
        ) from wrong
    db.execute(
        "INSERT INTO value_map_edit (by, name, system, company, vendor_value, before, after) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [by, name, system, company, vendor_value, old["canonical_value"] if old else None, canonical_value],
    )


@dataclass(frozen=True, slots=True)
class Applied:
    """What an import did, or would do."""

    added: int
    changed: int
    same: int
    released: int = 0


def apply_rows(hub: Hub, wanted: Sequence[Mapping[str, Any]], by: str, *, dry_run: bool = False) -> Applied:
    """Take rows in: name, system, company, vendor_value, canonical_value, valid_from, valid_to. All of them, or none.

    Raises: BadValueRow.
    """
    known = {
        (row["name"], row["system"], row["company"], row["vendor_value"], row["valid_from"]): (row["canonical_value"], row["valid_to"])
        for row in rows(hub)
    }
    added = changed = same = 0
    with hub.transaction() as db:
        for row in wanted:
            key = (row["name"], row["system"], row.get("company") or "", row["vendor_value"], row.get("valid_from"))
            if known.get(key) == (row["canonical_value"], row.get("valid_to")):
                same += 1
                continue
            added, changed = (added, changed + 1) if key in known else (added + 1, changed)
            if not dry_run:
                _set(db, key[0], key[1], key[2], key[3], row["canonical_value"], by, row.get("valid_from"), row.get("valid_to"))
    return Applied(added, changed, same, 0 if dry_run or not (added or changed) else release(hub))

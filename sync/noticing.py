"""Notices: messages for people, as records in the ledger; whatever channel is connected carries them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from canonical.ids import new_hub_key, new_id_text
from canonical.values import utc_text
from ledger.bulk import json_text
from ledger.tables import TABLES
from sync import store
from sync.decide import Canonical
from sync.hub import Hub


def raise_notice(hub: Hub, kind: str, *, audience: str, about: str, facts: Mapping[str, Any]) -> str:
    """Put a message on record; one that is still open about the same thing takes the new facts instead of being repeated. Returns its id.

    The fact `times` tells how often it was raised, `last_at` when it was raised last.
    """
    now = utc_text(datetime.now(UTC))
    with hub.transaction() as db:
        # Two tasks may fail at once about the same thing: the lock makes them one notice.
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"notice {kind} {about}"])
        db.execute(
            "SELECT id::text AS id, coalesce((doc->'facts'->>'times')::int, 1) AS times FROM notices "
            "WHERE kind = %s AND state = 'open' AND doc->>'about' = %s",
            [kind, about],
        )
        row = db.fetchone()
        if row is not None:
            again = {**facts, "times": row["times"] + 1, "last_at": now}
            db.execute(
                "UPDATE notices SET version = version + 1, doc = jsonb_set(doc::jsonb, '{facts}', %s::jsonb) WHERE id = %s",
                [json_text(again), row["id"]],
            )
            return str(row["id"])
        doc = {"kind": kind, "audience": audience, "about": about, "facts": dict(facts), "raised_at": now, "state": "open"}
        notice = Canonical(new_id_text(), new_hub_key(), "", 1, doc, {})
        store.insert(db, TABLES["notice"], [notice])
        return notice.id


def withdraw_notice(hub: Hub, kind: str, *, about: str) -> bool:
    """The thing came right: its open notice needs nobody any more. Says whether there was one."""
    with hub.transaction() as db:
        db.execute(
            "UPDATE notices SET version = version + 1, state = 'withdrawn', doc = jsonb_set(doc::jsonb, '{state}', '\"withdrawn\"') "
            "WHERE kind = %s AND state = 'open' AND doc->>'about' = %s",
            [kind, about],
        )
        return db.rowcount > 0


def open_notices(hub: Hub, kind: str | None = None) -> list[dict[str, Any]]:
    """Notices that nobody has dealt with, newest first."""
    with hub.transaction() as db:
        db.execute(
            "SELECT id::text AS id, doc FROM notices WHERE state = 'open' AND (%s::text IS NULL OR kind = %s) ORDER BY id DESC",
            [kind, kind],
        )
        return [{"id": row["id"], **row["doc"]} for row in db]

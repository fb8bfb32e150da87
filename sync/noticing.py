"""Notices: messages for people, as records in the ledger; whatever channel is connected carries them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from canonical.ids import new_hub_key, new_id_text
from canonical.values import utc_text
from ledger.tables import TABLES
from sync import store
from sync.decide import Canonical
from sync.hub import Hub


def raise_notice(hub: Hub, kind: str, *, audience: str, about: str, facts: Mapping[str, Any]) -> str:
    """Put a message on record; one that is still open about the same thing is not repeated. Returns its id."""
    table = TABLES["notice"]
    with hub.transaction() as db:
        db.execute("SELECT id::text AS id FROM notices WHERE kind = %s AND state = 'open' AND doc->>'about' = %s", [kind, about])
        row = db.fetchone()
        if row is not None:
            return str(row["id"])
        doc = {"kind": kind, "audience": audience, "about": about, "facts": dict(facts), "raised_at": utc_text(datetime.now(UTC)), "state": "open"}
        notice = Canonical(new_id_text(), new_hub_key(), "", 1, doc, {})
        store.insert(db, table, [notice])
        return notice.id

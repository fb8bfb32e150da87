"""Parties that are new or have changed, noted for whoever keeps customers and their match keys (:func:`sync.deals.refresh_customers`)."""

from __future__ import annotations

from collections.abc import Sequence

from sync.decide import Canonical
from sync.hub import Cursor


def note_parties(db: Cursor, name: str, changed: Sequence[Canonical]) -> None:
    """Parties or contacts are new or have changed: their match keys are to follow. New parties of a page are one row."""
    if name == "contact":
        again = {one.doc["party"] for one in changed if one.doc.get("party")}
    else:
        again = {one.id for one in changed if not one.fresh}
    fresh = sorted(one.id for one in changed if one.fresh) if name == "party" else []
    ranges = [(one, one, 1) for one in sorted(again)] + ([(fresh[0], fresh[-1], len(fresh))] if fresh else [])
    if ranges:
        db.execute(
            "INSERT INTO party_due (low, high, parties) SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[])",
            [list(column) for column in zip(*ranges, strict=True)],
        )

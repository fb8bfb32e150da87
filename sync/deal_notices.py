"""Deals as people hear of them: each decision and reminder is a notice or an approval in the ledger, raised once.

Events of registrations wait in `deal_untold`. Who takes one out raises its notice in the same transaction: killed before the commit,
nothing was told and nothing was taken; after it, both are done. Answers are in :mod:`sync.deal_answers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channel.deals.telling import Happened, consequences, is_old
from sync import notices
from sync.hub import Cursor, Hub

PAGE = 500


def tell(hub: Hub) -> dict[str, int]:
    """Raise what waits to be told; figures by kind. Safe to run by several at once and after every action; those take turns."""
    counts: dict[str, int] = {}
    while True:
        with hub.transaction() as db:
            taken = tell_page(hub, db, counts)
        if taken < PAGE:
            return counts


def tell_page(hub: Hub, db: Cursor, counts: dict[str, int]) -> int:
    """The same for one page in the caller's transaction; how many events were taken."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended('deals tell', 0))")
    db.execute(
        "WITH taken AS (DELETE FROM deal_untold WHERE event_id IN (SELECT event_id FROM deal_untold ORDER BY event_id LIMIT %s) "
        "RETURNING event_id) SELECT e.id, e.registration_id, e.action, e.after, e.actor, e.cause, e.at, e.facts, r.dealer_id, "
        "coalesce(nullif(r.claim->>'name', ''), r.claim->>'uscc', '') AS customer, r.product_line, r.submitted_at, "
        "CASE WHEN r.status = e.after THEN r.reason ELSE coalesce(e.facts->>'reason', '') END AS reason, upper(r.protected) AS ends "
        "FROM taken JOIN registration_event AS e ON e.id = taken.event_id JOIN registration AS r ON r.id = e.registration_id ORDER BY e.id",
        [PAGE],
    )
    rows = db.fetchall()
    starts = notices.go_live(hub, "deal")
    told = [one for one in map(_happened, rows) if not is_old(one, starts)]
    notices.count(counts, {"before_go_live": len(rows) - len(told)})
    notices.follow(db, [follows for one in told for follows in consequences(one)], counts)
    return len(rows)


def _happened(row: Mapping[str, Any]) -> Happened:
    days = (row["facts"] or {}).get("days")
    return Happened(
        row["id"],
        row["registration_id"],
        row["action"],
        row["after"],
        row["actor"],
        row["cause"],
        row["at"],
        row["dealer_id"],
        row["customer"],
        row["product_line"],
        row["reason"],
        row["ends"],
        days if row["action"] == "remind" else None,
        row["submitted_at"],
    )

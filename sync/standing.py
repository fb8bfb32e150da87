"""What stands today: records of which a stream has room only for rows that stand are judged again when rows begin or end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from canonical.values import business_day
from ledger.tables import TABLES
from sync import observing, pairing, store
from sync.hub import Cursor, Hub

LOOK_BACK = timedelta(days=31)
"""What began or ended in these days is judged again: a hub that stood still for so long misses nothing."""
PAGE = 20
"""Records judged in one transaction: such a record may have thousands of rows."""


def judge_standing(hub: Hub, *, on: date | None = None) -> int:
    """Judge anew records with rows that began or ended of late, or that point to a record of which a fact changed; returns how many.

    `on`: the business day, today when not said. Safe to repeat: what differs from what a system holds becomes due once.
    """
    day = on or business_day(datetime.now(UTC))
    judged = 0
    for name in hub.policies:
        held = [(child, info.holds) for state in hub.streams_for(name) for child, info in state.mapping.sets.items() if info.holds]
        values: dict[str, Any] = {"since": (day - LOOK_BACK).isoformat(), "day": day.isoformat(), "page": PAGE}
        tests: set[str] = set()
        for child, holds in held:
            rows = f"EXISTS (SELECT FROM {TABLES[name].sets[child].name} AS c WHERE c.parent_id = t.id AND c.doc->>"
            tests |= {f"{rows}'{dated}' BETWEEN %(since)s AND %(day)s)" for dated in holds.says.standing}
            for _, to, entity, wanted in holds.asks:
                values[f"{entity}_{wanted}"] = _changed(hub, entity, wanted, values["since"])
                tests.add(f"{rows}'{to}' = ANY(%({entity}_{wanted})s))")
        if tests:
            judged += _judge(hub, name, " OR ".join(sorted(tests)), values)
    return judged


def _changed(hub: Hub, entity: str, name: str, since: str) -> list[str]:
    """Records of which a field has changed since a day."""
    with hub.transaction() as db:
        db.execute(
            "SELECT DISTINCT entity_id::text AS id FROM history WHERE entity = %s AND at >= %s::date AND changed->%s IS NOT NULL",
            [entity, since, name],
        )
        return [row["id"] for row in db]


def _judge(hub: Hub, name: str, turned: str, values: Mapping[str, Any]) -> int:
    table, judged, last = TABLES[name], 0, "00000000-0000-0000-0000-000000000000"

    def page(db: Cursor) -> list[str]:
        db.execute(
            f"SELECT t.id::text AS id FROM {table.name} AS t WHERE t.id > %(last)s::uuid AND NOT t.retired AND ({turned}) "
            "ORDER BY t.id LIMIT %(page)s",
            {**values, "last": last},
        )
        ids = [row["id"] for row in db]
        pairing.judge_pairs(hub, db, name, store.load(db, table, ids, lock=True), observing.Observed())
        return ids

    while ids := hub.settle(page):
        last, judged = ids[-1], judged + len(ids)
    return judged

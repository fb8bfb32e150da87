"""What stands today: records of which a stream has room only for rows that stand are judged again when rows begin or end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from canonical.values import business_day
from ledger.tables import TABLES
from sync.hub import Hub
from sync.judging import judge_records

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
        values: dict[str, Any] = {"since": (day - LOOK_BACK).isoformat(), "day": day.isoformat()}
        tests: set[str] = set()
        for child, holds in held:
            rows = f"EXISTS (SELECT FROM {TABLES[name].sets[child].name} AS c WHERE c.parent_id = t.id AND c.doc->>"
            tests |= {f"{rows}'{dated}' BETWEEN %(since)s AND %(day)s)" for dated in holds.says.standing}
            for _, to, entity, wanted in holds.asks:
                values[f"{entity}_{wanted}"] = _changed(hub, entity, wanted, values["since"])
                tests.add(f"{rows}'{to}' = ANY(%({entity}_{wanted})s))")
        if tests:
            judged += judge_records(hub, name, " OR ".join(sorted(tests)), values, page=PAGE)
    return judged


def _changed(hub: Hub, entity: str, name: str, since: str) -> list[str]:
    """Records of which a field has changed since a day."""
    with hub.transaction() as db:
        db.execute(
            "SELECT DISTINCT entity_id::text AS id FROM history WHERE entity = %s AND at >= %s::date AND changed->%s IS NOT NULL",
            [entity, since, name],
        )
        return [row["id"] for row in db]

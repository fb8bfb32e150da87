"""Judging pairs of many records anew, a page a transaction, whatever they hold now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync import observing, pairing, store
from sync.hub import Cursor, Hub

_FIRST = "00000000-0000-0000-0000-000000000000"


def judge_records(hub: Hub, name: str, where: str = "true", values: Mapping[str, Any] | None = None, *, page: int = 500) -> int:
    """Judge every pair of records that are not retired, also those of systems that lack the record; how many records.

    `where`: a condition of ours over the record's row `t`, with `values` as its parameters. `page`: records a transaction.
    """
    table, judged, last = hub.kind(name).table, 0, _FIRST

    def one_page(db: Cursor) -> list[str]:
        db.execute(
            f"SELECT t.id::text AS id FROM {table.name} AS t WHERE t.id > %(last)s::uuid AND NOT t.retired AND ({where}) "
            "ORDER BY t.id LIMIT %(page)s",
            {**(values or {}), "last": last, "page": page},
        )
        ids = [row["id"] for row in db]
        pairing.judge_pairs(hub, db, name, store.load(db, table, ids, lock=True), observing.Observed())
        return ids

    while ids := hub.settle(one_page):
        last, judged = ids[-1], judged + len(ids)
    return judged

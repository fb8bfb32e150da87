"""How long people take to answer: hours by kind of question."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from canonical.ids import new_hub_key, new_id
from ledger.bulk import json_text
from sync.answer_times import AnswerTimes, times_of
from sync.hub import Hub

Db = psycopg.Connection[Any]
MORNING = datetime(2026, 11, 20, 1, tzinfo=UTC)


def asked(db: Db, kind: str, decision: str, hours: float | None = None, at: datetime = MORNING) -> None:
    """A question, and its answer after so many hours."""
    doc = {"kind": kind, "asked_at": at.isoformat(), "decision": decision}
    if hours is not None:
        doc["decided_at"] = (at + timedelta(hours=hours)).isoformat()
    db.execute(
        "INSERT INTO approvals (id, hub_key, doc, kind, decision) VALUES (%s, %s, %s, %s, %s)",
        [new_id(), new_hub_key(), json_text(doc), kind, decision],
    )


def test_hours_are_told_by_kind_and_what_was_withdrawn_counts_nowhere(hub: Hub, db: Db) -> None:
    for hours in (1, 2, 30):
        asked(db, "quote_approval", "approved", hours)
    asked(db, "quote_approval", "rejected", 4)
    asked(db, "quote_approval", "withdrawn", 500)
    asked(db, "deal_appeal", "withdrawn", 3)

    quotes, appeals = sorted(times_of(hub, date(2026, 11, 20), date(2026, 11, 20)), key=lambda one: one.kind, reverse=True)

    assert quotes == AnswerTimes("quote_approval", 3, 1, 0, Decimal("2.00"), Decimal("30.00"), None)
    assert appeals == AnswerTimes("deal_appeal", 0, 0, 0, None, None, None)


def test_what_still_waits_is_told_with_how_long_and_days_are_those_of_shanghai(hub: Hub, db: Db) -> None:
    late = datetime(2026, 11, 20, 17, tzinfo=UTC)  # 01:00 on the 21st in Shanghai
    asked(db, "special_price", "open", at=late)

    [waits] = times_of(hub, date(2026, 11, 21), date(2026, 11, 21))

    assert (waits.open, waits.median) == (1, None)
    assert waits.waiting is not None
    assert waits.waiting > 0
    assert times_of(hub, date(2026, 11, 20), date(2026, 11, 20)) == []

"""What time does to registrations: reminders, expiry, pull-back, late questions.

None of it is needed for a decision to be right: a range ends by itself. Upkeep changes the status, writes the event, and says whom to tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg

from channel.deals import review_queries
from channel.deals import upkeep_queries as queries
from channel.deals.acting import clear
from channel.deals.protection import days_left, due_reminder

Connection = psycopg.Connection[Any]
Kind = Literal["expiring", "expired", "idle", "held_late", "approval_late", "appeal_late"]


@dataclass(frozen=True, slots=True)
class Due:
    """One registration that time has caught up with. `days`: until the end (expiring), idle or waiting days otherwise."""

    kind: Kind
    registration_id: UUID
    dealer_id: UUID | None
    product_line: str
    days: int
    ends: datetime | None
    reminder: int | None = None
    """The reminder that this is, in days before the end."""


def due(db: Connection, now: datetime) -> list[Due]:
    """Everything that is due at `now`, nothing done yet. Days are business days of Asia/Shanghai.

    Expiring: the nearest reminder of the policy that was not given for the present end. Idle: without activity for longer than the policy
    allows. Late: waiting for a person for longer than the policy's review days.
    """
    return [*_expiring(db, now), *expired(db, now), *idle(db, now), *_late(db, now)]


def _expiring(db: Connection, now: datetime) -> list[Due]:
    found = []
    for registration_id, dealer_id, line, ends, given, reminders in queries.ending(db, now):
        left = days_left(ends, now)
        if reminder := due_reminder(left, reminders, given):
            found.append(Due("expiring", registration_id, dealer_id, line, left, ends, reminder))
    return found


def expired(db: Connection, now: datetime) -> list[Due]:
    """Protections that are over and still say `protected` or `converted`."""
    return [Due("expired", *row) for row in queries.over(db, now)]


def idle(db: Connection, now: datetime) -> list[Due]:
    """Protections without activity for longer than their policy allows."""
    return [Due("idle", *row) for row in queries.idle(db, now)]


def _late(db: Connection, now: datetime) -> list[Due]:
    kinds: dict[str, Kind] = {"held": "held_late", "submitted": "approval_late", "appealed": "appeal_late"}
    return [
        Due(kinds[status], registration_id, dealer, line, days, None)
        for registration_id, dealer, line, days, status in queries.late(db, now)
    ]


def note_reminded(db: Connection, given: list[Due]) -> int:
    """Remember reminders that were given, so that none is given twice; how many."""
    reminders = [(one.registration_id, one.reminder) for one in given if one.reminder is not None]
    return queries.note_reminded(db, reminders) if reminders else 0


def expire(db: Connection, now: datetime) -> list[UUID]:
    """Protections that are over are `expired`, set-based; who waited for them is let in. The expired ones."""
    ended = queries.end_many(db, [one.registration_id for one in expired(db, now)], "expire", "expired", "rule:expiry", "its time is over")
    _let_in(db, [customer for _, customer in ended])
    return [registration_id for registration_id, _ in ended]


def pull_back(db: Connection, now: datetime) -> list[UUID]:
    """Idle protections are taken back, set-based; who waited for them is let in. Those taken back."""
    which = [one.registration_id for one in idle(db, now)]
    ended = queries.end_many(db, which, "take_back", "taken_back", "rule:inactivity", "no activity for longer than the policy allows")
    _let_in(db, [customer for _, customer in ended])
    return [registration_id for registration_id, _ in ended]


def _let_in(db: Connection, customers: list[int]) -> None:
    for waiting in review_queries.waiting_for_any(db, customers):
        clear(db, waiting)

"""Time passes: reminders, expiry, pull-back, questions that wait too long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from channel.deals import acting, queries, upkeep
from channel.deals.service import register
from tests.deals.registration.helpers import HUAYI, LANSI, LANSI_AGAIN, UNSURE, YADU, add_policy, shift

Db = psycopg.Connection[Any]


def kinds(db: Db, days: int) -> list[tuple[str, int, int | None]]:
    """What is due so many days from now."""
    return [(one.kind, one.days, one.reminder) for one in upkeep.due(db, queries.now(db) + timedelta(days=days))]


def test_reminders_come_fourteen_seven_and_one_day_before_the_end_each_once(db: Db, east: UUID) -> None:
    made = register(db, east, HUAYI)

    assert kinds(db, 75) == []
    assert kinds(db, 76) == [("expiring", 14, 14)]
    upkeep.note_reminded(db, upkeep.due(db, queries.now(db) + timedelta(days=76)))
    assert kinds(db, 80) == []
    assert kinds(db, 83) == [("expiring", 7, 7)]
    assert kinds(db, 89) == [("expiring", 1, 1)]

    assert queries.events(db, made.id)[-1].facts == {"days": 14}


def test_an_extension_brings_the_reminders_again(db: Db, east: UUID) -> None:
    made = register(db, east, HUAYI)
    shift(db, made.id, 89)
    upkeep.note_reminded(db, upkeep.due(db, queries.now(db)))

    acting.extend(db, made.id, f"dealer:{east}", ["样品单"])

    assert kinds(db, 17) == [("expiring", 14, 14)]


def test_expiry_changes_the_status_and_lets_in_who_waited(db: Db, east: UUID, west: UUID) -> None:
    made = register(db, east, LANSI)
    held = register(db, west, LANSI_AGAIN, rules=UNSURE)
    shift(db, made.id, 95)

    (due,) = [one for one in upkeep.due(db, queries.now(db)) if one.kind == "expired"]
    expired = upkeep.expire(db, queries.now(db))

    assert (due.registration_id, due.dealer_id) == (made.id, east)
    assert expired == [made.id]
    assert upkeep.expire(db, queries.now(db)) == []
    assert acting.found(db, made.id).status == "expired"
    assert acting.found(db, held.id).status == "protected"
    assert queries.events(db, made.id)[-1].actor == "rule:expiry"


def test_idle_protections_are_pulled_back_by_policy_only(db: Db, east: UUID) -> None:
    add_policy(db, product_line="水泵", inactive_days=30)
    idle = register(db, east, replace(HUAYI, product_line="水泵"))
    busy = register(db, east, replace(YADU, product_line="水泵"))
    other = register(db, east, LANSI)
    for one in (idle, busy, other):
        shift(db, one.id, 40)
    acting.note_activity(db, busy.id, "拜访客户", f"dealer:{east}")

    assert [one.registration_id for one in upkeep.idle(db, queries.now(db))] == [idle.id]
    assert upkeep.pull_back(db, queries.now(db)) == [idle.id]
    assert [acting.found(db, one.id).status for one in (idle, busy, other)] == ["taken_back", "protected", "protected"]


def test_questions_that_wait_too_long_are_named(db: Db, east: UUID, west: UUID) -> None:
    register(db, east, LANSI)
    register(db, west, LANSI_AGAIN, rules=UNSURE)
    add_policy(db, product_line="水泵", approval="person", review_days=5)
    register(db, west, replace(HUAYI, product_line="水泵"))

    assert kinds(db, 2) == []
    assert [kind for kind, _, _ in kinds(db, 3)] == ["held_late"]
    assert [kind for kind, _, _ in kinds(db, 6)] == ["held_late", "approval_late"]


def test_direct_customers_and_open_questions_never_expire(db: Db, east: UUID, west: UUID) -> None:
    made = register(db, east, LANSI)
    register(db, west, LANSI_AGAIN, rules=UNSURE)
    customer = acting.found(db, made.id).customer_id
    acting.release(db, made.id, f"dealer:{east}")
    later = queries.now(db) + timedelta(days=4000)

    acting.protect_direct(db, customer, "person:sales", "直供", product_line="水泵")

    assert {one.kind for one in upkeep.due(db, later)} == {"expired"}
    assert len(upkeep.due(db, later)) == 1, "the second dealer's own protection"

"""Every statement about what time does to registrations. Days are business days of Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from channel.deals.queries import Connection, rows, run

_DAY = "(%(now)s::timestamptz AT TIME ZONE 'Asia/Shanghai')::date"


def ending(db: Connection, at: datetime) -> list[tuple[UUID, UUID, str, datetime, int | None, list[int]]]:
    """Dealers' protections that end within the reminders of their policy: id, dealer, line, end, reminder given, reminders."""
    query = (
        "SELECT r.id, r.dealer_id, r.product_line, upper(r.protected), r.reminded_days, p.reminders FROM registration AS r "
        "CROSS JOIN LATERAL (SELECT coalesce((SELECT reminders FROM deal_policy WHERE id = r.policy_id), '{14,7,1}') AS reminders) AS p "
        "WHERE r.status IN ('protected', 'converted') AND r.dealer_id IS NOT NULL AND upper(r.protected) > %(now)s::timestamptz "
        "AND upper(r.protected) <= %(now)s::timestamptz + make_interval(days => "
        "(SELECT coalesce(max(day), 14) + 2 FROM deal_policy, unnest(reminders) AS day)) ORDER BY upper(r.protected), r.id"
    )
    return rows(db, query, {"now": at})


def over(db: Connection, at: datetime) -> list[tuple[Any, ...]]:
    """Dealers' protections that are over: id, dealer, line, days since, end."""
    query = (
        f"SELECT id, dealer_id, product_line, {_DAY} - (upper(protected) AT TIME ZONE 'Asia/Shanghai')::date, upper(protected) "
        "FROM registration WHERE status IN ('protected', 'converted') AND dealer_id IS NOT NULL "
        "AND upper(protected) <= %(now)s::timestamptz ORDER BY upper(protected), id"
    )
    return rows(db, query, {"now": at})


def idle(db: Connection, at: datetime) -> list[tuple[Any, ...]]:
    """Dealers' protections, not yet over, that lie idle for longer than their policy allows: id, dealer, line, idle days, end."""
    query = (
        f"SELECT r.id, r.dealer_id, r.product_line, {_DAY} - (r.active_at AT TIME ZONE 'Asia/Shanghai')::date, upper(r.protected) "
        "FROM registration AS r JOIN deal_policy AS p ON p.id = r.policy_id WHERE r.status = 'protected' AND r.dealer_id IS NOT NULL "
        "AND upper(r.protected) > %(now)s::timestamptz AND p.inactive_days IS NOT NULL "
        f"AND {_DAY} - (r.active_at AT TIME ZONE 'Asia/Shanghai')::date > p.inactive_days ORDER BY r.active_at, r.id"
    )
    return rows(db, query, {"now": at})


def late(db: Connection, at: datetime) -> list[tuple[UUID, UUID, str, int, str]]:
    """What waits for a person for longer than its policy allows: id, dealer, line, days of waiting, status."""
    query = (
        f"SELECT r.id, r.dealer_id, r.product_line, {_DAY} - (since.at AT TIME ZONE 'Asia/Shanghai')::date, r.status "
        "FROM registration AS r LEFT JOIN deal_policy AS p ON p.id = r.policy_id CROSS JOIN LATERAL ("
        "SELECT CASE WHEN r.status = 'appealed' THEN r.changed_at ELSE r.submitted_at END AS at) AS since "
        "WHERE r.status IN ('submitted', 'held', 'appealed') "
        f"AND {_DAY} - (since.at AT TIME ZONE 'Asia/Shanghai')::date > coalesce(p.review_days, 2) ORDER BY since.at, r.id"
    )
    return rows(db, query, {"now": at})


def note_reminded(db: Connection, reminders: Sequence[tuple[UUID, int]]) -> int:
    """Remember reminders, with an event each; how many."""
    query = (
        "WITH given AS (UPDATE registration SET reminded_days = new.days, version = version + 1, changed_at = clock_timestamp() "
        "FROM unnest(%s::uuid[], %s::int[]) AS new(id, days) WHERE registration.id = new.id "
        "AND (reminded_days IS NULL OR reminded_days > new.days) RETURNING registration.id, status, new.days) "
        "INSERT INTO registration_event (registration_id, action, actor, before, after, facts) "
        "SELECT id, 'remind', 'rule:reminder', status, status, json_build_object('days', days) FROM given"
    )
    return run(db, query, [[one for one, _ in reminders], [days for _, days in reminders]])


def end_many(db: Connection, which: Sequence[UUID], action: str, status: str, actor: str, cause: str) -> list[tuple[UUID, int]]:
    """End protections at once, each with its event; ids and customers. What somebody else works on just now is left for the next time."""
    query = (
        "WITH chosen AS (SELECT id, status FROM registration WHERE id = ANY(%(ids)s::uuid[]) AND status IN ('protected', 'converted') "
        "ORDER BY id FOR UPDATE SKIP LOCKED), ended AS (UPDATE registration SET status = %(status)s, reason = %(status)s, "
        "protected = tstzrange(lower(protected), greatest(least(upper(protected), clock_timestamp()), "
        "lower(protected) + interval '1 microsecond')), decided_at = clock_timestamp(), version = version + 1, "
        "changed_at = clock_timestamp() FROM chosen WHERE registration.id = chosen.id "
        "RETURNING registration.id, registration.customer_id, chosen.status AS before), "
        "told AS (INSERT INTO registration_event (registration_id, action, actor, cause, before, after) "
        "SELECT id, %(action)s, %(actor)s, %(cause)s, before, %(status)s FROM ended) SELECT id, customer_id FROM ended ORDER BY id"
    )
    return rows(db, query, {"ids": list(which), "status": status, "action": action, "actor": actor, "cause": cause})

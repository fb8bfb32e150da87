"""Statements about registrations as they stand: reading and changing them, their events, the policies that they follow.

Each parameter that meets a bigint is cast: a Python int travels as int2, int4 or int8, and the constraint's index serves int8 only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row, tuple_row
from psycopg.types.json import set_json_loads

from channel.deals.policies import Policy
from channel.deals.protection import LIVE
from channel.deals.registrations import FenceVerdict
from ledger.bulk import from_json, json_text

Connection = psycopg.Connection[Any]
Tuples = psycopg.Cursor[tuple[Any, ...]]
"""A cursor that is used for several statements: making one costs half as much as the round trip."""

LIVE_LIST = "('" + "', '".join(LIVE) + "')"


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration as it is stored. For our own people: it names customer and dealer."""

    id: UUID
    customer_id: int
    claimed_as: int
    product_line: str
    dealer_id: UUID | None
    starts: datetime
    ends: datetime | None
    status: str
    reason: str
    submitted_at: datetime
    decided_at: datetime | None
    days: int
    policy_id: int | None
    region: str
    industry: str
    amount: Decimal | None
    currency: str
    claim: dict[str, Any]
    extended_at: datetime | None
    active_at: datetime
    reminded_days: int | None
    deal_id: UUID | None
    previous_id: UUID | None
    claim_hash: bytes | None
    version: int


_COLUMNS = (
    "id, customer_id, claimed_as, product_line, dealer_id, lower(protected) AS starts, upper(protected) AS ends, status, reason, "
    "submitted_at, decided_at, days, policy_id, region, industry, amount, currency, claim, extended_at, active_at, reminded_days, deal_id, "
    "previous_id, claim_hash, version"
)


def rows(db: Connection | Tuples, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """All rows as tuples, whatever the connection's own way; always as a prepared statement, since all of these come often."""
    if isinstance(db, psycopg.Cursor):
        return db.execute(query, values, prepare=True).fetchall()
    with db.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, values, prepare=True).fetchall()


def run(db: Connection | Tuples, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Run a statement; the number of rows it touched."""
    if isinstance(db, psycopg.Cursor):
        return db.execute(query, values, prepare=True).rowcount
    with db.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, values, prepare=True).rowcount


def array(numbers: Iterable[int]) -> str:
    """Numbers as PostgreSQL writes an array: a driver takes six times as long for a list."""
    return f"{{{','.join(map(str, numbers))}}}"


def _registrations(db: Connection, query: str, values: Sequence[Any] | Mapping[str, Any]) -> list[Registration]:
    with db.cursor(row_factory=class_row(Registration)) as cursor:
        set_json_loads(from_json, cursor)
        return cursor.execute(query, values, prepare=True).fetchall()


# Policies, dealers ----------------------------------------------------------------------------------------------------


def dealer(db: Connection, dealer_id: UUID) -> tuple[str, str] | None:
    """Channel type and status of an unretired party; None when there is none."""
    found = rows(db, "SELECT coalesce(channel_type, ''), coalesce(status, '') FROM parties WHERE id = %s AND NOT retired", [dealer_id])
    return (found[0][0], found[0][1]) if found else None


POLICY = (
    "id, product_line, region, channel_type, min_amount, currency, days, extension_days, extend_within_days, approval, inactive_days, "
    "review_days, reminders, greatest(valid_from, '0001-01-01') AS valid_from, least(valid_to, '9999-12-31') AS valid_to"
)


def policy(db: Connection, policy_id: int | None) -> Policy:
    """The policy of a registration, or the general one when it is gone."""
    with db.cursor(row_factory=class_row(Policy)) as cursor:
        found = cursor.execute(f"SELECT {POLICY} FROM deal_policy WHERE id = %s::bigint", [policy_id], prepare=True).fetchone()
    return found or Policy()


# Writing --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a decision was made from, so that it can be made again: prepared texts of the claim and, by id, of customers; common keys."""

    prepared: str
    candidates: Mapping[int, str]
    frequency: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Firm:
    """A customer that only this claim has named so far: made with its registration, under the id and with the texts that that has."""

    name: str
    norm_version: str
    keys: Sequence[int]


_FIRM = (
    "firm AS (INSERT INTO customer (id, name, given, prepared, norm_version) VALUES (%(customer_id)s::bigint, %(name)s, %(claim)s, "
    "%(prepared)s, %(norm_version)s)), "
    "keyed AS (INSERT INTO match_key (key, customer_id) SELECT key, %(customer_id)s::bigint FROM unnest(%(keys)s::bigint[]) AS key), "
)


def add_registration(
    db: Connection | Tuples, values: Mapping[str, Any], event: Mapping[str, Any], inputs: Inputs | None = None, firm: Firm | None = None
) -> None:
    """A registration, its first event, what it was decided from, and its customer where that is new, in one statement."""
    query = (
        f"WITH {_FIRM if firm else ''}"
        "made AS (INSERT INTO registration (id, customer_id, claimed_as, product_line, dealer_id, protected, status, reason, "
        "submitted_at, decided_at, days, policy_id, region, industry, amount, currency, claim, active_at, previous_id, idempotency_key, "
        "claim_hash, deal_id, extended_at) VALUES (%(id)s, %(customer_id)s::bigint, %(claimed_as)s::bigint, %(product_line)s, "
        "%(dealer_id)s, tstzrange(%(starts)s::timestamptz, %(ends)s::timestamptz), %(status)s, %(reason)s, %(submitted_at)s, "
        "%(decided_at)s, %(days)s::int, %(policy_id)s::bigint, %(region)s, %(industry)s, %(amount)s::numeric, %(currency)s, %(claim)s, "
        "%(submitted_at)s, %(previous_id)s, %(idempotency_key)s, %(claim_hash)s, %(deal_id)s, %(extended_at)s) RETURNING id) "
        ", kept AS (INSERT INTO decision_input (registration_id, prepared, candidates, frequency) "
        "SELECT id, %(prepared)s, %(candidates)s, %(frequency)s FROM made WHERE %(prepared)s::text IS NOT NULL) "
        "INSERT INTO registration_event (registration_id, action, actor, cause, after, facts, decision) "
        "SELECT id, %(action)s, %(actor)s, %(cause)s, %(status)s, %(facts)s, %(decision)s FROM made"
    )
    blank = dict.fromkeys(("previous_id", "idempotency_key", "claim_hash", "deal_id", "extended_at"))
    blank |= {"claimed_as": values["customer_id"], "cause": ""}
    encoded = {
        "claim": json_text(values["claim"]),
        "facts": json_text(event.get("facts") or {}),
        "decision": json_text(event["decision"]) if event.get("decision") else None,
        "prepared": inputs.prepared if inputs else None,
        "candidates": json_text({str(key): text for key, text in inputs.candidates.items()}) if inputs else None,
        "frequency": json_text({str(key): count for key, count in inputs.frequency.items()}) if inputs else None,
    }
    new = {"name": firm.name, "norm_version": firm.norm_version, "keys": array(firm.keys)} if firm else {}
    given = {**blank, **values, **event, **encoded, **new}
    # As text whatever it is, so that an absent value makes no other statement, to be planned anew.
    run(db, query, {name: value if value is None or isinstance(value, str | bytes) else str(value) for name, value in given.items()})


def add_fence_hit(db: Connection, subject: str, dealer_id: UUID, verdict: FenceVerdict) -> None:
    """A claim or document outside of where the dealer may sell."""
    query = "INSERT INTO fence_hit (subject, dealer_id, fence_id, effect, code, facts) VALUES (%s, %s, %s::bigint, %s, %s, %s)"
    run(db, query, [subject, dealer_id, verdict.fence_id, verdict.effect, verdict.code, json_text(verdict.facts)])


def add_event(
    db: Connection, registration_id: UUID, action: str, actor: str, before: str, after: str, *, cause: str = "", facts: Any = None
) -> None:
    """What was done to a registration, by whom and why."""
    query = (
        "INSERT INTO registration_event (registration_id, action, actor, cause, before, after, facts) VALUES (%s, %s, %s, %s, %s, %s, %s)"
    )
    run(db, query, [registration_id, action, actor, cause, before, after, json_text(facts or {})])


SETTABLE = frozenset({"status", "reason", "decided_at", "extended_at", "active_at", "deal_id", "customer_id", "reminded_days", "days"})


def change(
    db: Connection, registration_id: UUID, values: Mapping[str, Any], window: tuple[datetime, datetime | None] | None = None
) -> None:
    """Change a locked registration; `window` sets what it protects, from and to (None: without end).

    An end before the start becomes the shortest possible protection: ranges are closed, never emptied.
    """
    if unknown := set(values) - SETTABLE:
        raise ValueError(f"registration has no column to set named {', '.join(sorted(unknown))}")
    parts = [f"{column} = %({column})s" for column in values]
    if window is not None:
        parts.append(
            "protected = tstzrange(%(starts)s::timestamptz, CASE WHEN %(ends)s::timestamptz IS NOT NULL THEN "
            "greatest(%(ends)s::timestamptz, %(starts)s::timestamptz + interval '1 microsecond') END)"
        )
    starts, ends = window or (None, None)
    query = f"UPDATE registration SET {', '.join([*parts, 'version = version + 1', 'changed_at = clock_timestamp()'])} WHERE id = %(id)s"
    run(db, query, {**values, "id": registration_id, "starts": starts, "ends": ends})


# Reading --------------------------------------------------------------------------------------------------------------


def now(db: Connection) -> datetime:
    """The database's clock."""
    moment: datetime = rows(db, "SELECT clock_timestamp()")[0][0]
    return moment


def registration(db: Connection, registration_id: UUID, *, lock: bool = False) -> Registration | None:
    """A registration, locked for change when asked."""
    query = f"SELECT {_COLUMNS} FROM registration WHERE id = %s" + (" FOR UPDATE" if lock else "")
    return next(iter(_registrations(db, query, [registration_id])), None)


def by_idempotency_key(db: Connection, dealer_id: UUID, key: str) -> Registration | None:
    """The registration that an earlier request with this key made."""
    query = f"SELECT {_COLUMNS} FROM registration WHERE dealer_id = %s AND idempotency_key = %s"
    return next(iter(_registrations(db, query, [dealer_id, key])), None)


def registrations(
    db: Connection,
    *,
    dealer_id: UUID | None = None,
    statuses: Collection[str] = (),
    customer_id: int | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Registration]:
    """Registrations, newest first, from the one after `before` (its submission and id) on."""
    query = (
        f"SELECT {_COLUMNS} FROM registration WHERE (%(dealer)s::uuid IS NULL OR dealer_id = %(dealer)s) "
        "AND (%(statuses)s::text[] IS NULL OR status = ANY(%(statuses)s::text[])) "
        "AND (%(customer)s::bigint IS NULL OR customer_id = %(customer)s::bigint) "
        "AND (%(at)s::timestamptz IS NULL OR (submitted_at, id) < (%(at)s::timestamptz, %(after)s::uuid)) "
        "ORDER BY submitted_at DESC, id DESC LIMIT %(limit)s::int"
    )
    at, after = before or (None, None)
    values = {
        "dealer": dealer_id,
        "statuses": list(statuses) or None,
        "customer": customer_id,
        "at": at,
        "after": after,
        "limit": limit,
    }
    return _registrations(db, query, values)


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a registration's history."""

    id: int
    at: datetime
    action: str
    actor: str
    cause: str
    before: str
    after: str
    facts: dict[str, Any]
    decision: dict[str, Any] | None


def events(db: Connection, registration_id: UUID) -> list[Event]:
    """The history of a registration, oldest first."""
    query = (
        "SELECT id, at, action, actor, cause, before, after, facts, decision FROM registration_event WHERE registration_id = %s ORDER BY id"
    )
    with db.cursor(row_factory=class_row(Event)) as cursor:
        set_json_loads(from_json, cursor)
        return cursor.execute(query, [registration_id]).fetchall()


def stored_inputs(db: Connection, registration_id: UUID) -> Inputs | None:
    """What the decision was made from; None when it was erased."""
    query = "SELECT prepared, candidates::text, frequency::text FROM decision_input WHERE registration_id = %s"
    for prepared, candidates, frequency in rows(db, query, [registration_id]):
        texts, counts = ({int(key): value for key, value in from_json(text).items()} for text in (candidates, frequency))
        return Inputs(prepared, texts, counts)
    return None

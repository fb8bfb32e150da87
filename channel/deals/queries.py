"""Every statement about registrations: looking customers up, holding them, events, review, upkeep.

Each parameter that meets a bigint is cast: a Python int travels as int2, int4 or int8, and the constraint's index serves int8 only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row, tuple_row
from psycopg.types.json import set_json_loads
from psycopg.types.numeric import Int8

from channel.deals.policies import Policy
from channel.deals.protection import LIVE
from channel.deals.registrations import FenceVerdict, Hold, Likely
from ledger.bulk import from_json, json_text

Connection = psycopg.Connection[Any]

_LIVE = "('" + "', '".join(LIVE) + "')"


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


def rows(db: Connection, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """All rows as tuples, whatever the connection's own way; always as a prepared statement, since all of these come often."""
    with db.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, values, prepare=True).fetchall()


def run(db: Connection, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Run a statement; the number of rows it touched."""
    with db.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, values, prepare=True).rowcount


def _registrations(db: Connection, query: str, values: Sequence[Any] | Mapping[str, Any]) -> list[Registration]:
    with db.cursor(row_factory=class_row(Registration)) as cursor:
        set_json_loads(from_json, cursor)
        return cursor.execute(query, values, prepare=True).fetchall()


# Looking up -----------------------------------------------------------------------------------------------------------


def lock_keys(db: Connection, keys: Sequence[int]) -> str:
    """Lock all keys of a claim, ascending, until the transaction ends; the transaction's isolation level."""
    query = (
        "SELECT current_setting('transaction_isolation'), count(pg_advisory_xact_lock(key)) "
        "FROM (SELECT key FROM unnest(%s::bigint[]) AS key ORDER BY key OFFSET 0) AS ordered"
    )
    return str(rows(db, query, [list(keys)])[0][0])


def look_up(db: Connection, keys: Sequence[int], weights: Sequence[int], cap: int, limit: int) -> list[tuple[int, str, int]]:
    """Customers that share keys with a claim, those with the weightiest keys first: id, prepared text, what it is merged into or itself.

    `weights` go with `keys`; whole numbers, so that equal sums are equal. At most `cap` customers of a key are looked at, the oldest.
    """
    query = (
        "SELECT met.customer_id, customer.prepared, coalesce(customer.root, customer.id) FROM ("
        "SELECT one.customer_id, sum(asked.weight) AS points FROM unnest(%s::bigint[], %s::int[]) AS asked(key, weight), LATERAL ("
        "SELECT customer_id FROM match_key WHERE match_key.key = asked.key ORDER BY customer_id LIMIT %s::int) AS one "
        "GROUP BY one.customer_id ORDER BY points DESC, one.customer_id LIMIT %s::int) AS met "
        "JOIN customer ON customer.id = met.customer_id ORDER BY met.points DESC, met.customer_id"
    )
    return rows(db, query, [list(keys), list(weights), cap, limit])


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision needs besides candidates. `now` is the database's clock, read after the locks."""

    now: datetime
    version: str | None
    """Of the stored keys."""
    hot: dict[int, int]
    """How many customers share the claim's common keys."""
    dealer: tuple[str, str] | None
    """Channel type and status of the dealer; None when he is no party."""
    earlier: bool
    """True when a registration with this idempotency key is there."""
    fenced: bool
    """True when there are fences at all."""
    left: dict[str, int]
    """What is left of the counted limits; less than was asked for when one is spent."""


_QUOTA = (
    "INSERT INTO check_quota AS quota (dealer_id, kind, starts_at, used) "
    "SELECT %(dealer)s::uuid, kind, date_trunc(unit, clock_timestamp(), 'Asia/Shanghai'), 1 "
    "FROM unnest(%(kinds)s::text[], %(units)s::text[]) AS asked(kind, unit) "
    "WHERE set_config('synchronous_commit', CASE WHEN %(durable)s THEN current_setting('synchronous_commit') ELSE 'off' END, true) <> '' "
    "AND NOT EXISTS (SELECT FROM unnest(%(kinds)s::text[], %(units)s::text[]) AS one(kind, unit) JOIN check_quota AS spent "
    "ON spent.dealer_id = %(dealer)s::uuid AND spent.kind = one.kind WHERE spent.used >= (%(limits)s::jsonb ->> one.kind)::int "
    "AND spent.starts_at >= date_trunc(one.unit, clock_timestamp(), 'Asia/Shanghai')) ORDER BY kind "
    "ON CONFLICT (dealer_id, kind) DO UPDATE SET starts_at = excluded.starts_at, "
    "used = CASE WHEN quota.starts_at < excluded.starts_at THEN 1 ELSE quota.used + 1 END "
    "WHERE quota.starts_at < excluded.starts_at OR quota.used < (%(limits)s::jsonb ->> quota.kind)::int RETURNING kind, used"
)
_STANDING = (
    "SELECT clock_timestamp(), (SELECT version FROM match_state), hot.keys, hot.counts, "
    "(SELECT ARRAY[coalesce(channel_type, ''), coalesce(status, '')] FROM parties WHERE id = %(dealer)s AND NOT retired), "
    "EXISTS (SELECT FROM registration WHERE dealer_id = %(dealer)s AND idempotency_key = %(idempotency)s::text), "
    "EXISTS (SELECT FROM fence), {left} FROM ("
    "SELECT array_agg(key) AS keys, array_agg(customers) AS counts FROM hot_key WHERE key = ANY(%(keys)s::bigint[])) AS hot"
)
Quota = Mapping[str, tuple[int, str]]
"""Name of a counter -> (limit, unit of time as date_trunc names it, in Asia/Shanghai)."""


def standing(
    db: Connection,
    dealer_id: UUID,
    keys: Sequence[int],
    *,
    idempotency_key: str | None = None,
    quota: Quota | None = None,
    durable: bool = True,
) -> Standing:
    """All that is asked once for a claim, in one statement; with `quota` it counts one use of each as well.

    Not `durable`: when nothing else is in the transaction, its commit does not wait for the disk.
    """
    values = {"dealer": dealer_id, "keys": list(keys), "idempotency": idempotency_key}
    query = _STANDING.format(left="NULL, NULL")
    if quota is not None:
        left = "(SELECT array_agg(kind) FROM counted), (SELECT array_agg(used) FROM counted)"
        query = f"WITH counted AS ({_QUOTA}) {_STANDING.format(left=left)}"
        values |= _counted(quota, durable=durable)
    now, version, hot, counts, dealer, earlier, fenced, kinds, used = rows(db, query, values)[0]
    told = {kind: (quota or {})[kind][0] - count for kind, count in zip(kinds or (), used or (), strict=True)}
    who = (dealer[0], dealer[1]) if dealer else None
    return Standing(now, version, dict(zip(hot or (), counts or (), strict=True)), who, earlier, fenced, told)


def _counted(quota: Quota, *, durable: bool) -> dict[str, Any]:
    return {
        "kinds": list(quota),
        "units": [unit for _, unit in quota.values()],
        "limits": json_text({kind: limit for kind, (limit, _) in quota.items()}),
        "durable": durable,
    }


def use_quota(db: Connection, dealer_id: UUID, quota: Quota) -> dict[str, int]:
    """Count one use of each kind, or of none when one is spent; what is left by kind, empty when one is spent."""
    used = rows(db, _QUOTA, {"dealer": dealer_id, **_counted(quota, durable=True)})
    return {kind: quota[kind][0] - count for kind, count in used}


def wait_for_quota(db: Connection, dealer_id: UUID, quota: Quota) -> int:
    """Seconds until none of these is spent any more."""
    query = (
        "SELECT coalesce(max(ceil(extract(epoch FROM date_trunc(unit, clock_timestamp(), 'Asia/Shanghai') + ('1 ' || unit)::interval "
        "- clock_timestamp()))), 1)::int FROM unnest(%(kinds)s::text[], %(units)s::text[]) AS one(kind, unit) JOIN check_quota AS spent "
        "ON spent.dealer_id = %(dealer)s::uuid AND spent.kind = one.kind WHERE spent.used >= (%(limits)s::jsonb ->> one.kind)::int "
        "AND spent.starts_at >= date_trunc(one.unit, clock_timestamp(), 'Asia/Shanghai')"
    )
    values = _counted(quota, durable=True)
    return int(rows(db, query, {"dealer": dealer_id, "kinds": values["kinds"], "units": values["units"], "limits": values["limits"]})[0][0])


_USUAL = 10
"""PostgreSQL plans `= ANY` of an unknown list for so many: shorter lists would be planned anew each time, at three times the price."""


def _ids(customers: Sequence[int]) -> list[Int8]:
    """Customer ids as one type whatever their size, and never so few that a plan of their own looks better; -1 is nobody."""
    return [Int8(one) for one in (*customers, *([-1] * (_USUAL - len(customers))))]


def lock_customers(db: Connection, customers: Sequence[int]) -> bool:
    """Lock these customers in order: claims that share no key but mean the same customers decide one after another.

    False when one of them has been merged into another meanwhile: whoever looked it up has to look again.
    """
    query = "SELECT root FROM customer WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
    return all(root is None for (root,) in rows(db, query, [_ids(customers)]))


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds some customers, now, and which of them a person has told apart."""

    now: datetime
    holds: list[Hold]
    apart: set[frozenset[int]]


def holds(db: Connection, customers: Sequence[int], product_line: str) -> Held:
    """The clock, live registrations of these customers in the product line (an empty one: in any), earliest first, and pairs told apart.

    Only the end of a range is compared with the clock: what has begun a moment after our clock was read holds all the same.
    """
    query = (
        "SELECT clock_timestamp(), (SELECT array_agg(ARRAY[low, high]) FROM customers_apart "
        "WHERE low = ANY(%(ids)s::bigint[]) AND high = ANY(%(ids)s::bigint[])), r.id, r.customer_id, r.dealer_id, r.status "
        f"FROM (SELECT 1) AS always LEFT JOIN registration AS r ON r.customer_id = ANY(%(ids)s::bigint[]) AND r.status IN {_LIVE} "
        "AND r.lines && line_range(%(line)s::text) AND (upper_inf(r.protected) OR upper(r.protected) > clock_timestamp()) "
        "ORDER BY r.submitted_at, r.id"
    )
    found = rows(db, query, {"ids": _ids(customers), "line": product_line})
    return Held(found[0][0], [Hold(*row[2:]) for row in found if row[2] is not None], {frozenset(pair) for pair in found[0][1] or ()})


def keep_apart(db: Connection, one: int, other: int, by: str, reason: str) -> None:
    """These two are never taken for one firm again."""
    query = (
        "INSERT INTO customers_apart (low, high, by, reason) "
        "VALUES (least(%s::bigint, %s::bigint), greatest(%s::bigint, %s::bigint), %s, %s) ON CONFLICT DO NOTHING"
    )
    run(db, query, [one, other, one, other, by, reason])


def begin_keys(db: Connection, version: str) -> None:
    """An empty hub needs no build: its first customer is the first claim's."""
    query = (
        "INSERT INTO match_state (version, built_at, customers) SELECT %s, clock_timestamp(), 0 "
        "WHERE NOT EXISTS (SELECT FROM customer) ON CONFLICT DO NOTHING"
    )
    run(db, query, [version])


# Policies, dealers ----------------------------------------------------------------------------------------------------


def dealer(db: Connection, dealer_id: UUID) -> tuple[str, str] | None:
    """Channel type and status of an unretired party; None when there is none."""
    found = rows(db, "SELECT coalesce(channel_type, ''), coalesce(status, '') FROM parties WHERE id = %s AND NOT retired", [dealer_id])
    return (found[0][0], found[0][1]) if found else None


_POLICY = (
    "id, product_line, region, channel_type, min_amount, currency, days, extension_days, extend_within_days, approval, inactive_days, "
    "review_days, reminders, greatest(valid_from, '0001-01-01') AS valid_from, least(valid_to, '9999-12-31') AS valid_to"
)


def _policies(db: Connection, query: str, values: Sequence[Any]) -> list[Policy]:
    with db.cursor(row_factory=class_row(Policy)) as cursor:
        return cursor.execute(query, values, prepare=True).fetchall()


def policies(db: Connection, product_line: str, on: date) -> list[Policy]:
    """Policies of that day that could hold for the product line."""
    query = f"SELECT {_POLICY} FROM deal_policy WHERE product_line IN ('', %s) AND %s::date BETWEEN valid_from AND valid_to"
    return _policies(db, query, [product_line, on])


def policy(db: Connection, policy_id: int | None) -> Policy:
    """The policy of a registration, or the general one when it is gone."""
    return next(iter(_policies(db, f"SELECT {_POLICY} FROM deal_policy WHERE id = %s::bigint", [policy_id])), Policy())


# Limits on asking -----------------------------------------------------------------------------------------------------


def note_check(db: Connection, dealer_id: UUID, asked: bytes, answer: str, *, durable: bool) -> None:
    """Remember that the dealer asked, and what he was told; not what he asked for. Not `durable`: the commit does not wait for the disk."""
    query = (
        "INSERT INTO claim_check (dealer_id, claim_hash, answer) SELECT %s, %s, %s "
        "WHERE set_config('synchronous_commit', CASE WHEN %s THEN current_setting('synchronous_commit') ELSE 'off' END, true) IS NOT NULL"
    )
    run(db, query, [dealer_id, asked, answer, durable])


# Writing --------------------------------------------------------------------------------------------------------------


def add_customer(db: Connection, name: str, given: Mapping[str, Any], prepared: str, version: str, keys: Sequence[int]) -> int:
    """A customer that only a claim has named so far, with its keys; its id."""
    query = (
        "WITH made AS (INSERT INTO customer (name, given, prepared, norm_version) VALUES (%s, %s, %s, %s) RETURNING id), "
        "keyed AS (INSERT INTO match_key (key, customer_id) SELECT key, made.id FROM made, unnest(%s::bigint[]) AS key) "
        "SELECT id FROM made"
    )
    return int(rows(db, query, [name, json_text(given), prepared, version, list(keys)])[0][0])


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a decision was made from, so that it can be made again: prepared texts of the claim and, by id, of customers; common keys."""

    prepared: str
    candidates: Mapping[int, str]
    frequency: Mapping[int, int]


def add_registration(db: Connection, values: Mapping[str, Any], event: Mapping[str, Any], inputs: Inputs | None = None) -> None:
    """A registration, its first event, and what it was decided from, in one statement."""
    query = (
        "WITH made AS (INSERT INTO registration (id, customer_id, claimed_as, product_line, dealer_id, protected, status, reason, "
        "submitted_at, decided_at, days, policy_id, region, industry, amount, currency, claim, active_at, previous_id, idempotency_key, "
        "claim_hash, deal_id, extended_at) VALUES (%(id)s, %(customer_id)s::bigint, %(customer_id)s::bigint, %(product_line)s, "
        "%(dealer_id)s, tstzrange(%(starts)s::timestamptz, %(ends)s::timestamptz), %(status)s, %(reason)s, %(submitted_at)s, "
        "%(decided_at)s, %(days)s::int, %(policy_id)s::bigint, %(region)s, %(industry)s, %(amount)s::numeric, %(currency)s, %(claim)s, "
        "%(submitted_at)s, %(previous_id)s, %(idempotency_key)s, %(claim_hash)s, %(deal_id)s, %(extended_at)s) RETURNING id) "
        ", kept AS (INSERT INTO decision_input (registration_id, prepared, candidates, frequency) "
        "SELECT id, %(prepared)s, %(candidates)s, %(frequency)s FROM made WHERE %(prepared)s::text IS NOT NULL) "
        "INSERT INTO registration_event (registration_id, action, actor, cause, after, facts, decision) "
        "SELECT id, %(action)s, %(actor)s, %(cause)s, %(status)s, %(facts)s, %(decision)s FROM made"
    )
    blank = {"previous_id": None, "idempotency_key": None, "claim_hash": None, "deal_id": None, "extended_at": None, "cause": ""}
    encoded = {
        "claim": json_text(values["claim"]),
        "facts": json_text(event.get("facts") or {}),
        "decision": json_text(event["decision"]) if event.get("decision") else None,
        "prepared": inputs.prepared if inputs else None,
        "candidates": json_text({str(key): text for key, text in inputs.candidates.items()}) if inputs else None,
        "frequency": json_text({str(key): count for key, count in inputs.frequency.items()}) if inputs else None,
    }
    run(db, query, {**blank, **values, **event, **encoded})


def add_doubts(db: Connection, registration_id: UUID, doubts: Sequence[Likely], reasons: Mapping[int, Any]) -> None:
    """Customers that the claim may mean, for a person to compare."""
    query = (
        "INSERT INTO registration_doubt (registration_id, customer_id, p, reasons) "
        "SELECT %s, * FROM unnest(%s::bigint[], %s::numeric[], %s::json[]) ON CONFLICT DO NOTHING"
    )
    values = [
        registration_id,
        [one.customer_id for one in doubts],
        [one.p for one in doubts],
        [json_text(reasons.get(one.customer_id, [])) for one in doubts],
    ]
    run(db, query, values)


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


# Review ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question for a person: does this registration mean that customer? For our own people."""

    registration_id: UUID
    customer_id: int
    customer_name: str
    p: Decimal
    reasons: list[Any]
    state: str
    opened_at: datetime
    status: str
    claim: dict[str, Any]
    dealer_id: UUID | None
    waits: bool
    """True while the claim is held because of it."""


def doubts(
    db: Connection, *, state: str = "open", registration_id: UUID | None = None, waiting_only: bool = False, limit: int = 100
) -> list[Doubt]:
    """Questions to people, oldest first, those that somebody waits for before the rest."""
    query = (
        "SELECT d.registration_id, d.customer_id, c.name AS customer_name, d.p, d.reasons, d.state, d.opened_at, r.status, r.claim, "
        "r.dealer_id, r.status = 'held' AS waits FROM registration_doubt AS d JOIN registration AS r ON r.id = d.registration_id "
        "JOIN customer AS c ON c.id = d.customer_id WHERE d.state = %(state)s "
        f"AND (r.status IN {_LIVE} OR d.state <> 'open') AND (NOT %(waiting)s OR r.status = 'held') "
        "AND (%(id)s::uuid IS NULL OR d.registration_id = %(id)s) ORDER BY r.status <> 'held', d.opened_at, d.registration_id, d.p DESC "
        "LIMIT %(limit)s::int"
    )
    with db.cursor(row_factory=class_row(Doubt)) as cursor:
        set_json_loads(from_json, cursor)
        return cursor.execute(query, {"state": state, "id": registration_id, "waiting": waiting_only, "limit": limit}).fetchall()


def close_doubt(db: Connection, registration_id: UUID, customer_id: int, state: str, by: str, reason: str) -> bool:
    """Answer an open question; False when there is none."""
    query = (
        "UPDATE registration_doubt SET state = %s, decided_at = clock_timestamp(), decided_by = %s, reason = %s "
        "WHERE registration_id = %s AND customer_id = %s::bigint AND state = 'open'"
    )
    return run(db, query, [state, by, reason, registration_id, customer_id]) > 0


def note_doubt(db: Connection, registration_id: UUID, customer_id: int, by: str, reason: str) -> bool:
    """Put a person's words beside a question that stays open; False when there is none."""
    query = (
        "UPDATE registration_doubt SET decided_by = %s, reason = %s "
        "WHERE registration_id = %s AND customer_id = %s::bigint AND state = 'open'"
    )
    return run(db, query, [by, reason, registration_id, customer_id]) > 0


def doubtful_holds(db: Connection, registration_id: UUID) -> list[Hold]:
    """Registrations of others, earlier than this one, of customers that it may still mean: what a held claim waits for."""
    query = (
        "SELECT other.id, other.customer_id, other.dealer_id, other.status FROM registration AS mine "
        "JOIN registration_doubt AS d ON d.registration_id = mine.id AND d.state = 'open' "
        "JOIN registration AS other ON other.customer_id = d.customer_id AND other.id <> mine.id "
        f"WHERE mine.id = %s AND other.status IN {_LIVE} AND other.lines && mine.lines "
        "AND (upper_inf(other.protected) OR upper(other.protected) > clock_timestamp()) "
        "AND other.dealer_id IS DISTINCT FROM mine.dealer_id AND (other.dealer_id IS NULL OR other.submitted_at < mine.submitted_at) "
        "ORDER BY other.submitted_at, other.id"
    )
    return [Hold(*row) for row in rows(db, query, [registration_id])]


def waiting_for(db: Connection, customer_id: int) -> list[UUID]:
    """Held claims that may mean this customer, or are held on it, in the order in which they came."""
    query = (
        "SELECT r.id FROM registration AS r JOIN registration_doubt AS d ON d.registration_id = r.id AND d.state = 'open' "
        "WHERE d.customer_id = %s::bigint AND r.status = 'held' ORDER BY r.submitted_at, r.id"
    )
    return [row[0] for row in rows(db, query, [customer_id])]


def waiting_for_any(db: Connection, customers: Sequence[int]) -> list[UUID]:
    """The same for several customers."""
    query = (
        "SELECT r.id FROM registration AS r WHERE r.status = 'held' AND EXISTS (SELECT FROM registration_doubt AS d "
        "WHERE d.registration_id = r.id AND d.state = 'open' AND d.customer_id = ANY(%s::bigint[])) ORDER BY r.submitted_at, r.id"
    )
    return [row[0] for row in rows(db, query, [list(customers)])]


def is_party(db: Connection, customer_id: int) -> bool:
    """True for a customer that some system knows as a party."""
    return bool(rows(db, "SELECT 1 FROM customer WHERE id = %s::bigint AND party_id IS NOT NULL", [customer_id]))

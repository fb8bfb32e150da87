"""Statements that decide a claim: keys locked, customers looked up, who holds them, how much was asked, and a new customer.

Each parameter that meets a bigint is cast: a Python int travels as int2, int4 or int8, and the constraint's index serves int8 only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.numeric import Int8

from channel.deals.queries import LIVE_LIST, Connection, rows, run
from channel.deals.registrations import Hold
from ledger.bulk import json_text


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
        f"FROM (SELECT 1) AS always LEFT JOIN registration AS r ON r.customer_id = ANY(%(ids)s::bigint[]) AND r.status IN {LIVE_LIST} "
        "AND r.lines && line_range(%(line)s::text) AND (upper_inf(r.protected) OR upper(r.protected) > clock_timestamp()) "
        "ORDER BY r.submitted_at, r.id"
    )
    found = rows(db, query, {"ids": _ids(customers), "line": product_line})
    return Held(found[0][0], [Hold(*row[2:]) for row in found if row[2] is not None], {frozenset(pair) for pair in found[0][1] or ()})


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


def add_customer(db: Connection, name: str, given: Mapping[str, Any], prepared: str, version: str, keys: Sequence[int]) -> int:
    """A customer that only a claim has named so far, with its keys; its id."""
    query = (
        "WITH made AS (INSERT INTO customer (name, given, prepared, norm_version) VALUES (%s, %s, %s, %s) RETURNING id), "
        "keyed AS (INSERT INTO match_key (key, customer_id) SELECT key, made.id FROM made, unnest(%s::bigint[]) AS key) "
        "SELECT id FROM made"
    )
    return int(rows(db, query, [name, json_text(given), prepared, version, list(keys)])[0][0])


def begin_keys(db: Connection, version: str) -> None:
    """An empty hub needs no build: its first customer is the first claim's."""
    query = (
        "INSERT INTO match_state (version, built_at, customers) SELECT %s, clock_timestamp(), 0 "
        "WHERE NOT EXISTS (SELECT FROM customer) ON CONFLICT DO NOTHING"
    )
    run(db, query, [version])


# Limits on asking -----------------------------------------------------------------------------------------------------


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


def note_check(db: Connection, dealer_id: UUID, asked: bytes, answer: str, *, durable: bool) -> None:
    """Remember that the dealer asked, and what he was told; not what he asked for. Not `durable`: the commit does not wait for the disk."""
    query = (
        "INSERT INTO claim_check (dealer_id, claim_hash, answer) SELECT %s, %s, %s "
        "WHERE set_config('synchronous_commit', CASE WHEN %s THEN current_setting('synchronous_commit') ELSE 'off' END, true) IS NOT NULL"
    )
    run(db, query, [dealer_id, asked, answer, durable])

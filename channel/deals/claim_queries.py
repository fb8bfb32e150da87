"""Statements that decide a claim: keys locked, customers looked up, who holds them, how much was asked, and a new customer.

Each parameter that meets a bigint is cast: a Python int travels as int2, int4 or int8, and the constraint's index serves int8 only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from channel.deals import matching
from channel.deals.policies import Policy
from channel.deals.queries import LIVE_LIST, POLICY, Connection, Tuples, array, rows, run
from channel.deals.registrations import Hold
from ledger.bulk import json_text


def lock_keys(db: Connection | Tuples, keys: Sequence[int]) -> str:
    """Lock all keys of a claim, ascending, until the transaction ends; the transaction's isolation level."""
    query = (
        "SELECT current_setting('transaction_isolation'), count(pg_advisory_xact_lock(key)) "
        "FROM (SELECT key FROM unnest(%s::bigint[]) AS key ORDER BY key OFFSET 0) AS ordered"
    )
    return str(rows(db, query, [array(keys)])[0][0])


_MET = (
    "SELECT one.customer_id, sum(asked.weight) AS points FROM unnest(%(keys)s::bigint[], %(weights)s::int[]) AS asked(key, weight), "
    "LATERAL ("
    "SELECT customer_id FROM match_key WHERE match_key.key = asked.key ORDER BY customer_id LIMIT %(cap)s::int) AS one "
    "GROUP BY one.customer_id ORDER BY points DESC, one.customer_id LIMIT %(limit)s::int"
)


def look_up(db: Connection, keys: Sequence[int], weights: Sequence[int], cap: int, limit: int) -> list[tuple[int, str, int]]:
    """Customers that share keys with a claim, those with the weightiest keys first: id, prepared text, what it is merged into or itself.

    `weights` go with `keys`; whole numbers, so that equal sums are equal. At most `cap` customers of a key are looked at, the oldest.
    """
    query = (
        f"SELECT met.customer_id, customer.prepared, coalesce(customer.root, customer.id) FROM ({_MET}) AS met "
        "JOIN customer ON customer.id = met.customer_id ORDER BY met.points DESC, met.customer_id"
    )
    return rows(db, query, {"keys": array(keys), "weights": array(weights), "cap": str(cap), "limit": str(limit)})


_USUAL = 10
"""PostgreSQL plans `= ANY` of an unknown list for so many: shorter lists would be planned anew each time, at three times the price."""


def _padded(numbers: Sequence[int]) -> list[int]:
    """Ids or keys, never so few that a plan of their own looks better; -1 is nobody's."""
    return [*numbers, *([-1] * (_USUAL - len(numbers)))]


def lock_customers(db: Connection | Tuples, customers: Sequence[int]) -> bool:
    """Lock these customers in order: claims that share no key but mean the same customers decide one after another.

    False when one of them has been merged into another meanwhile: whoever looked it up has to look again.
    """
    query = "SELECT root FROM customer WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
    return all(root is None for (root,) in rows(db, query, [array(_padded(customers))]))


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds some customers, now, and which of them a person has told apart."""

    now: datetime
    holds: list[Hold]
    apart: set[frozenset[int]]


def holds(db: Connection | Tuples, customers: Sequence[int], product_line: str) -> Held:
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
    found = rows(db, query, {"ids": array(_padded(customers)), "line": product_line})
    return Held(found[0][0], [Hold(*row[2:]) for row in found if row[2] is not None], {frozenset(pair) for pair in found[0][1] or ()})


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
Quota = Mapping[str, tuple[int, str]]
"""Name of a counter -> (limit, unit of time as date_trunc names it, in Asia/Shanghai)."""


@dataclass(frozen=True, slots=True)
class Look:
    """All that is asked once for a claim: how things stand, and the customers that share keys with it."""

    now: datetime
    """The database's clock; read after the locks, where there are any."""
    version: str | None
    """Of the stored keys."""
    dealer: tuple[str, str] | None
    """Channel type and status of the dealer; None when he is no party."""
    fenced: bool
    """True when there are fences at all."""
    customers: list[int]
    """Those that share keys with the claim, in no order."""
    roots: dict[int, int]
    """What each of them is merged into, or itself."""
    texts: str
    """Their prepared texts in the order of `customers`, joined by commas."""
    hot: dict[int, int]
    """How many customers share the claim's common keys, of those that a decision counts."""


_LOOK = (
    "SELECT clock_timestamp(), (SELECT version FROM match_state), "
    "(SELECT ARRAY[coalesce(channel_type, ''), coalesce(status, '')] FROM parties WHERE id = %(dealer)s::uuid AND NOT retired), "
    "EXISTS (SELECT FROM fence), found.ids, found.roots, found.texts, hot.keys, hot.counts, {more} FROM ("
    "SELECT array_agg(key) AS keys, array_agg(customers) AS counts FROM hot_key WHERE key = ANY(%(counted)s::bigint[])) AS hot, ("
    "SELECT array_agg(customer.id) AS ids, array_agg(coalesce(customer.root, customer.id)) AS roots, "
    f"string_agg(customer.prepared, ',') AS texts FROM ({_MET}) AS met JOIN customer ON customer.id = met.customer_id) AS found"
)
_CHECKING = f"WITH counted AS ({_QUOTA}) " + _LOOK.format(
    more="(SELECT array_agg(kind) FROM counted), (SELECT array_agg(used) FROM counted)"
)
_REGISTERING = _LOOK.format(
    more="EXISTS (SELECT FROM registration WHERE dealer_id = %(dealer)s::uuid AND idempotency_key = %(idempotency)s::text), "
    f"nextval('customer_id_seq'), (SELECT json_agg(policy) FROM (SELECT {POLICY} FROM deal_policy WHERE product_line IN ('', %(line)s) "
    "AND valid_from <= (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date + 1 "
    "AND valid_to >= (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date) AS policy)::text"
)
_POLICIES: Final = msgspec.json.Decoder(list[Policy])


def checking(db: Connection | Tuples, dealer_id: UUID, keys: Sequence[int], quota: Quota, *, durable: bool) -> tuple[Look, dict[str, int]]:
    """The look of a check, which counts one use of each kind of `quota`; and what is left of each, less of them when one is spent.

    Not `durable`: when nothing else is in the transaction, its commit does not wait for the disk.
    """
    row = rows(db, _CHECKING, {**_looking(dealer_id, keys), **_counted(quota, durable=durable)})[0]
    kinds, used = row[9:]
    return _look(row), {kind: quota[kind][0] - count for kind, count in zip(kinds or (), used or (), strict=True)}


@dataclass(frozen=True, slots=True)
class Aside:
    """What only a registration needs to know."""

    earlier: bool
    """True when a registration with this idempotency key is there."""
    spare: int
    """The id of the customer that may have to be made."""
    policies: list[Policy]
    """Policies of today and tomorrow that could hold for the product line."""


def registering(
    db: Connection | Tuples, dealer_id: UUID, keys: Sequence[int], product_line: str, idempotency_key: str | None
) -> tuple[Look, Aside]:
    """The look of a registration."""
    row = rows(db, _REGISTERING, {**_looking(dealer_id, keys), "line": product_line, "idempotency": idempotency_key})[0]
    earlier, spare, policies = row[9:]
    return _look(row), Aside(earlier, spare, _POLICIES.decode(policies) if policies else [])


def _looking(dealer_id: UUID, keys: Sequence[int]) -> dict[str, Any]:
    points = [matching.POINTS[key & 31] for key in keys]
    return {
        "dealer": str(dealer_id),
        "counted": array(_padded(matching.counted_keys(keys))),
        "keys": array(keys),
        "weights": array(points),
        "cap": str(matching.CAP),
        "limit": str(matching.WEIGHED),
    }


def _look(row: tuple[Any, ...]) -> Look:
    now, version, dealer, fenced, ids, roots, texts, keys, counts = row[:9]
    who = (dealer[0], dealer[1]) if dealer else None
    merged = dict(zip(ids or (), roots or (), strict=True))
    return Look(now, version, who, fenced, ids or [], merged, texts or "", dict(zip(keys or (), counts or (), strict=True)))


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
        "kinds": f"{{{','.join(quota)}}}",
        "units": f"{{{','.join(unit for _, unit in quota.values())}}}",
        "limits": json_text({kind: limit for kind, (limit, _) in quota.items()}),
        "durable": durable,
    }


def use_quota(db: Connection | Tuples, dealer_id: UUID, quota: Quota) -> dict[str, int]:
    """Count one use of each kind, or of none when one is spent; what is left by kind, empty when one is spent."""
    used = rows(db, _QUOTA, {"dealer": str(dealer_id), **_counted(quota, durable=True)})
    return {kind: quota[kind][0] - count for kind, count in used}


def wait_for_quota(db: Connection, dealer_id: UUID, quota: Quota) -> int:
    """Seconds until none of these is spent any more."""
    query = (
        "SELECT coalesce(max(ceil(extract(epoch FROM date_trunc(unit, clock_timestamp(), 'Asia/Shanghai') + ('1 ' || unit)::interval "
        "- clock_timestamp()))), 1)::int FROM unnest(%(kinds)s::text[], %(units)s::text[]) AS one(kind, unit) JOIN check_quota AS spent "
        "ON spent.dealer_id = %(dealer)s::uuid AND spent.kind = one.kind WHERE spent.used >= (%(limits)s::jsonb ->> one.kind)::int "
        "AND spent.starts_at >= date_trunc(one.unit, clock_timestamp(), 'Asia/Shanghai')"
    )
    return int(rows(db, query, {"dealer": str(dealer_id), **_counted(quota, durable=True)})[0][0])

"""Statements about what a merge had done to registrations, for the un-merge that takes it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from channel.deals.queries import Connection, rows, run


def ended_just_now(db: Connection, customers: Sequence[int]) -> list[UUID]:
    """Registrations of these customers that this transaction has refused or taken back: for the sake of a merge that comes next in it."""
    query = (
        "SELECT id FROM registration WHERE customer_id = ANY(%s::bigint[]) AND status IN ('rejected', 'taken_back') "
        "AND decided_at >= transaction_timestamp() ORDER BY submitted_at, id"
    )
    return [row[0] for row in rows(db, query, [list(customers)])]


def turned_away(db: Connection, customers: Sequence[int], since: datetime, ended: Collection[UUID]) -> list[UUID]:
    """Claims on these customers that were refused because somebody held them, or taken back, by the merge or since; in their order."""
    query = (
        "SELECT id FROM registration WHERE customer_id = ANY(%(customers)s::bigint[]) AND dealer_id IS NOT NULL "
        "AND (status IN ('rejected', 'appealed') AND reason IN ('protected', 'direct_customer') "
        "AND (decided_at >= %(since)s::timestamptz OR id = ANY(%(ended)s::uuid[])) "
        "OR status = 'taken_back' AND reason = 'merged' AND id = ANY(%(ended)s::uuid[])) ORDER BY submitted_at, id"
    )
    return [row[0] for row in rows(db, query, {"customers": list(customers), "since": since, "ended": list(ended)})]


def said_again(db: Connection, customers: Sequence[int], since: datetime) -> list[UUID]:
    """Registrations whose dealers registered the same customer once more since: under which of the names is not on record."""
    query = (
        "SELECT DISTINCT r.id FROM registration AS r JOIN registration_event AS e ON e.registration_id = r.id "
        "WHERE r.customer_id = ANY(%s::bigint[]) AND e.action = 'registered_again' AND e.at >= %s::timestamptz ORDER BY r.id"
    )
    return [row[0] for row in rows(db, query, [list(customers), since])]


def name_by_deals(db: Connection, party: UUID, customer: int, since: datetime) -> None:
    """What a system's deals registered since is meant for the customer that they name now."""
    query = (
        "UPDATE registration SET claimed_as = %s::bigint FROM deal_claim AS c JOIN deals AS d ON d.id = c.deal_id "
        "WHERE c.registration_id = registration.id AND d.customer_id = %s AND registration.submitted_at >= %s::timestamptz "
        "AND registration.claimed_as <> %s::bigint"
    )
    run(db, query, [customer, party, since, customer])


def roots(db: Connection, customers: Collection[int]) -> dict[int, int]:
    """What customers are merged into in the end, or themselves."""
    return dict(rows(db, "SELECT id, coalesce(root, id) FROM customer WHERE id = ANY(%s::bigint[])", [list(customers)]))


def last_event(db: Connection, registration_id: UUID) -> tuple[str, str | None]:
    """The status before a registration ended, and the end that its protection had then, as text."""
    query = (
        "SELECT before, facts->>'until' FROM registration_event WHERE registration_id = %s AND action = 'take_back' "
        "ORDER BY id DESC LIMIT 1"
    )
    return next(((row[0], row[1]) for row in rows(db, query, [registration_id])), ("protected", None))


def moved_doubts(db: Connection, back: Sequence[int], kept: int, since: datetime) -> list[UUID]:
    """Ask again what the merge had closed or moved: does this registration mean the customer that is there again? Whose questions."""
    query = (
        "UPDATE registration_doubt AS d SET state = 'open', decided_at = NULL, decided_by = NULL FROM registration AS r "
        "WHERE r.id = d.registration_id AND d.customer_id = ANY(%s::bigint[]) AND d.state = 'same' AND d.decided_by = 'rule:merge' "
        "AND d.decided_at >= %s::timestamptz AND r.customer_id <> d.customer_id RETURNING d.registration_id"
    )
    asked = [row[0] for row in rows(db, query, [list(back), since])]
    query = (
        "DELETE FROM registration_doubt WHERE customer_id = %s::bigint AND registration_id = ANY(%s::uuid[]) AND state = 'open' "
        "AND opened_at >= %s::timestamptz"
    )
    run(db, query, [kept, asked, since])
    return asked


def asked_since(db: Connection, customers: Sequence[int], since: datetime) -> list[UUID]:
    """Live registrations made since with an open question about one of these customers, in their order."""
    query = (
        "SELECT r.id FROM registration AS r WHERE r.status IN ('submitted', 'held', 'protected', 'converted') "
        "AND r.submitted_at >= %s::timestamptz AND EXISTS (SELECT FROM registration_doubt AS d WHERE d.registration_id = r.id "
        "AND d.state = 'open' AND d.customer_id = ANY(%s::bigint[])) ORDER BY r.submitted_at, r.id"
    )
    return [row[0] for row in rows(db, query, [since, list(customers)])]


def drop_doubts(db: Connection, registration_id: UUID, customers: Collection[int]) -> None:
    """Take open questions back: the registration means none of these customers."""
    query = "DELETE FROM registration_doubt WHERE registration_id = %s AND customer_id = ANY(%s::bigint[]) AND state = 'open'"
    run(db, query, [registration_id, list(customers)])


def forget_names(db: Connection, customer: int, names_of: Sequence[int], since: datetime) -> None:
    """Names that a customer came by through the merge, because its record showed the other one's, are none of its own."""
    query = (
        "DELETE FROM customer_alias AS a WHERE a.customer_id = %(kept)s::bigint AND a.given_by = 'rule:refresh' "
        "AND a.since >= %(since)s::timestamptz AND (EXISTS (SELECT FROM customer WHERE id = ANY(%(others)s::bigint[]) AND name = a.name) "
        "OR EXISTS (SELECT FROM customer_alias AS o WHERE o.customer_id = ANY(%(others)s::bigint[]) AND o.name = a.name))"
    )
    run(db, query, {"kept": customer, "others": list(names_of), "since": since})


def dealers_things(db: Connection, dealer: UUID) -> dict[str, list[str]]:
    """What is a dealer's own, by table: ids as text."""
    return {
        table: [str(row[0]) for row in rows(db, f"SELECT {key} FROM {table} WHERE {owner} = %s ORDER BY 1", [dealer])]
        for table, (owner, key) in _OWNED.items()
    }


_OWNED: Final = {
    "registration": ("dealer_id", "id"),
    "fence": ("dealer_id", "id"),
    "deal_claim": ("dealer_id", "deal_id"),
    "api_key": ("party_id", "id"),
}
"""What belongs to a dealer: table -> (column that names the dealer, key)."""


def hand_over(db: Connection, things: Mapping[str, Sequence[str]], giver: UUID, taker: UUID, by: str) -> None:
    """Two dealers are one, or two again: make one's things the other's, where they are still the one's. The clock of none changes."""
    for table, ids in things.items():
        values = {"taker": taker, "giver": giver, "ids": list(ids), "by": by}
        owner, key = _OWNED[table]
        run(db, _REGISTRATIONS if table == "registration" else _THINGS.format(table=table, owner=owner, key=key), values)


_THINGS: Final = "UPDATE {table} SET {owner} = %(taker)s WHERE {key}::text = ANY(%(ids)s::text[]) AND {owner} = %(giver)s"
_REGISTRATIONS: Final = (
    "WITH given AS (UPDATE registration AS r SET dealer_id = %(taker)s, version = version + 1, changed_at = clock_timestamp(), "
    "idempotency_key = CASE WHEN NOT EXISTS (SELECT FROM registration AS o WHERE o.dealer_id = %(taker)s "
    "AND o.idempotency_key = r.idempotency_key) THEN idempotency_key END "
    "WHERE id::text = ANY(%(ids)s::text[]) AND dealer_id = %(giver)s RETURNING id, status) "
    "INSERT INTO registration_event (registration_id, action, actor, cause, before, after) "
    "SELECT id, 'dealer_merged', %(by)s, 'its dealer is another record now', status, status FROM given"
)


def hand_over_by_deals(db: Connection, giver: UUID, taker: UUID, since: datetime) -> None:
    """What deals of a system have registered since for one dealer, and name the other one now, is the other one's."""
    query = (
        "UPDATE registration AS r SET dealer_id = %s, version = r.version + 1, changed_at = clock_timestamp() FROM deal_claim AS c "
        "JOIN deals AS d ON d.id = c.deal_id WHERE c.registration_id = r.id AND r.dealer_id = %s AND d.dealer_id = %s "
        "AND r.submitted_at >= %s::timestamptz"
    )
    run(db, query, [taker, giver, taker, since])
    query = "UPDATE deal_claim AS c SET dealer_id = %s FROM deals AS d WHERE d.id = c.deal_id AND c.dealer_id = %s AND d.dealer_id = %s"
    run(db, query, [taker, giver, taker])

"""Every statement about customers and their match keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from ledger.bulk import copy_text, from_json

Connection = psycopg.Connection[Any]

_SOURCE = (
    "SELECT {id}, {party}, {version}, {name}, {prepared}, {norm}, {given}::text, p.doc::text, contact.doc::text, "
    "(SELECT array_agg(name ORDER BY name) FROM customer_alias WHERE customer_id = {id})"
)
_CONTACT = (
    "LEFT JOIN LATERAL (SELECT doc FROM contacts WHERE contacts.party_id = p.id AND NOT contacts.retired ORDER BY contacts.id LIMIT 1) "
    "AS contact ON true"
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a customer's names are made from: a party's record and its first contact, or what a claim said."""

    customer_id: int | None
    party_id: UUID | None
    party_version: int
    name: str | None
    prepared: str | None
    norm_version: str | None
    given: dict[str, Any] | None
    party: dict[str, Any] | None
    contact: dict[str, Any] | None
    aliases: tuple[str, ...]


def _source(row: tuple[Any, ...]) -> Source:
    customer_id, party_id, version, name, prepared, norm_version, *texts, aliases = row
    given, party, contact = (from_json(text) if text else None for text in texts)
    return Source(customer_id, party_id, version, name, prepared, norm_version, given, party, contact, tuple(aliases or ()))


def rows(db: Connection, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows as tuples, whatever the connection's own way."""
    with db.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, values).fetchall()


def run(db: Connection, query: str, values: Sequence[Any] = ()) -> int:
    """Run a statement; the number of rows it touched."""
    with db.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, values).rowcount


def changed_parties(db: Connection, after: UUID, limit: int) -> list[Source]:
    """Parties that are not customers yet, or have changed since they were prepared; by id, from the one after `after` on."""
    query = (
        _SOURCE.format(
            id="c.id", party="p.id", version="p.version", name="c.name", prepared="c.prepared", norm="c.norm_version", given="c.given"
        )
        + f" FROM parties AS p LEFT JOIN customer AS c ON c.party_id = p.id {_CONTACT} WHERE p.id > %s "
        "AND (c.id IS NULL AND NOT p.retired OR c.party_version <> p.version OR c.retired <> p.retired) "
        "AND coalesce(p.doc ->> 'internal', 'false') = 'false' ORDER BY p.id LIMIT %s"
    )
    return [_source(row) for row in rows(db, query, [after, limit])]


def due(db: Connection) -> list[tuple[int, UUID, UUID]]:
    """Ranges of parties that are noted as changed: number of the note, first and last party."""
    return [(row[0], row[1], row[2]) for row in rows(db, "SELECT id, low, high FROM party_due ORDER BY id")]


def done(db: Connection, notes: Sequence[int]) -> None:
    """These notes are worked off."""
    run(db, "DELETE FROM party_due WHERE id = ANY(%s::bigint[])", [list(notes)])


def changed_within(db: Connection, ranges: Sequence[tuple[UUID, UUID]], limit: int) -> list[Source]:
    """The same of parties in these ranges of ids."""
    query = (
        _SOURCE.format(
            id="c.id", party="p.id", version="p.version", name="c.name", prepared="c.prepared", norm="c.norm_version", given="c.given"
        )
        + " FROM (SELECT DISTINCT parties.id FROM unnest(%s::uuid[], %s::uuid[]) AS due(low, high) JOIN parties "
        "ON parties.id BETWEEN due.low AND due.high) AS noted JOIN parties AS p ON p.id = noted.id "
        f"LEFT JOIN customer AS c ON c.party_id = p.id {_CONTACT} WHERE (c.id IS NOT NULL OR NOT p.retired) "
        "AND coalesce(p.doc ->> 'internal', 'false') = 'false' ORDER BY p.id LIMIT %s"
    )
    return [_source(row) for row in rows(db, query, [[low for low, _ in ranges], [high for _, high in ranges], limit])]


def one_at_a_time(db: Connection) -> bool:
    """Refresh alone, until the transaction ends; False when somebody else does."""
    return bool(rows(db, "SELECT pg_try_advisory_xact_lock(hashtextextended('customers refresh', 0))")[0][0])


def sources(db: Connection, *, after: int = 0, limit: int = 10_000, only: Sequence[int] | None = None) -> list[Source]:
    """Customers with what their names are made from, by id."""
    query = (
        _SOURCE.format(
            id="c.id",
            party="c.party_id",
            version="coalesce(p.version, 0)",
            name="c.name",
            prepared="c.prepared",
            norm="c.norm_version",
            given="c.given",
        )
        + f" FROM customer AS c LEFT JOIN parties AS p ON p.id = c.party_id {_CONTACT} "
        "WHERE c.id > %s::bigint AND (%s::bigint[] IS NULL OR c.id = ANY(%s::bigint[])) ORDER BY c.id LIMIT %s"
    )
    return [_source(row) for row in rows(db, query, [after, only, only, limit])]


@dataclass(frozen=True, slots=True)
class Made:
    """A customer with its names prepared and its keys computed."""

    customer_id: int
    party_id: UUID | None
    party_version: int
    name: str
    prepared: str
    keys: Sequence[int]


def new_ids(db: Connection, count: int) -> list[int]:
    """Fresh customer ids."""
    query = "SELECT nextval(pg_get_serial_sequence('customer', 'id')) FROM generate_series(1, %s)"
    return [row[0] for row in rows(db, query, [count])]


def copy_customers(db: Connection, made: Iterable[Made], norm_version: str) -> None:
    """Append customers of parties."""
    lines = [
        f"{one.customer_id}\t{one.party_id}\t{one.party_version}\t{copy_text(one.name)}\t{copy_text(one.prepared)}\t{norm_version}\n"
        for one in made
    ]
    with db.cursor() as cursor, cursor.copy("COPY customer (id, party_id, party_version, name, prepared, norm_version) FROM STDIN") as copy:
        copy.write("".join(lines))


def copy_keys(db: Connection, made: Iterable[Made], table: str = "match_key") -> None:
    """Append keys."""
    lines = [f"{key}\t{one.customer_id}\n" for one in made for key in one.keys]
    statement = sql.SQL("COPY {} (key, customer_id) FROM STDIN").format(sql.Identifier(table))
    with db.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("".join(lines))


def update_customers(db: Connection, made: Sequence[Made], norm_version: str) -> None:
    """Names, prepared texts and versions of customers that are there; a party that is retired leaves its customer retired."""
    query = (
        "UPDATE customer SET name = new.name, prepared = new.prepared, party_version = new.party_version, norm_version = %s, "
        "retired = coalesce((SELECT retired FROM parties WHERE parties.id = customer.party_id), customer.retired) "
        "FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::integer[]) AS new(id, name, prepared, party_version) "
        "WHERE customer.id = new.id"
    )
    columns = [[getattr(one, name) for one in made] for name in ("customer_id", "name", "prepared", "party_version")]
    run(db, query, [norm_version, *columns])


def remove_keys(db: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """Remove these (key, customer)."""
    query = (
        "DELETE FROM match_key USING unnest(%s::bigint[], %s::bigint[]) AS gone(key, customer_id) "
        "WHERE match_key.key = gone.key AND match_key.customer_id = gone.customer_id"
    )
    run(db, query, [[key for key, _ in pairs], [customer for _, customer in pairs]])


def insert_keys(db: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """Add these (key, customer)."""
    query = "INSERT INTO match_key (key, customer_id) SELECT * FROM unnest(%s::bigint[], %s::bigint[]) ON CONFLICT DO NOTHING"
    run(db, query, [[key for key, _ in pairs], [customer for _, customer in pairs]])


def add_aliases(db: Connection, aliases: Sequence[tuple[int, str, str]], by: str) -> None:
    """Names that customers are known by besides: (customer, name, kind)."""
    query = (
        "INSERT INTO customer_alias (customer_id, name, kind, given_by) SELECT new.*, %s "
        "FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS new(customer_id, name, kind) ON CONFLICT DO NOTHING"
    )
    run(db, query, [by, *([one[place] for one in aliases] for place in range(3))])


# The set of keys as a whole -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """What the stored keys are."""

    version: str
    built_at: datetime
    customers: int


def state(db: Connection) -> State | None:
    """What the stored keys are; None before the first build."""
    return next((State(*row) for row in rows(db, "SELECT version, built_at, customers FROM match_state")), None)


def set_state(db: Connection, version: str) -> None:
    """The stored keys are of this version, from now on."""
    query = (
        "INSERT INTO match_state (version, built_at, customers) SELECT %s, clock_timestamp(), count(*) FROM customer "
        "ON CONFLICT (only_one) DO UPDATE SET version = excluded.version, built_at = excluded.built_at, "
        "customers = excluded.customers"
    )
    run(db, query, [version])


def nobody_yet(db: Connection) -> bool:
    """True when there is no customer at all."""
    return not rows(db, "SELECT 1 FROM customer LIMIT 1")


def stop_changes(db: Connection) -> None:
    """Registrations that would add a customer wait from here to the end of the transaction; checks go on."""
    run(db, "LOCK TABLE customer IN SHARE ROW EXCLUSIVE MODE")


def drop_key_index(db: Connection) -> None:
    """Before a first load: an index is cheaper to build than to grow."""
    run(db, "ALTER TABLE match_key DROP CONSTRAINT match_key_pkey")


def build_key_index(db: Connection) -> None:
    """After it."""
    run(db, "SET LOCAL maintenance_work_mem = '512MB'")
    run(db, "ALTER TABLE match_key ADD CONSTRAINT match_key_pkey PRIMARY KEY (key, customer_id)")


def begin_new_keys(db: Connection) -> None:
    """A table beside the one in use."""
    run(db, "CREATE TABLE match_key_new (key bigint NOT NULL, customer_id bigint NOT NULL)")


def swap_keys(db: Connection) -> None:
    """The new keys take the place of the old; checks wait for the moment that this takes."""
    run(db, "SET LOCAL maintenance_work_mem = '512MB'")
    run(db, "ALTER TABLE match_key_new ADD CONSTRAINT match_key_new_pkey PRIMARY KEY (key, customer_id)")
    run(db, "DROP TABLE match_key")
    run(db, "ALTER TABLE match_key_new RENAME TO match_key")
    run(db, "ALTER TABLE match_key RENAME CONSTRAINT match_key_new_pkey TO match_key_pkey")
    comment = "About twenty keys a customer, computed from customer.prepared; no trigram and no text is compared when a claim comes."
    run(db, f"COMMENT ON TABLE match_key IS '{comment}'")  # allow: sql-value, a constant of ours


def count_hot(db: Connection, cap: int) -> int:
    """Count anew the keys that more than `cap` customers share; how many there are."""
    run(db, "DELETE FROM hot_key")
    return run(db, "INSERT INTO hot_key SELECT key, count(*) FROM match_key GROUP BY key HAVING count(*) > %s", [cap])


# Merge and un-merge ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two dealers hold what would be one customer."""

    keep_registration: UUID
    lose_registration: UUID
    keep_dealer: UUID | None
    lose_dealer: UUID | None


def lock(db: Connection, customers: Sequence[int]) -> dict[int, tuple[str, int | None]]:
    """Lock customers in order; name and what they are merged into, by id."""
    query = "SELECT id, name, merged_into FROM customer WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
    return {row[0]: (row[1], row[2]) for row in rows(db, query, [list(customers)])}


def over(db: Connection, customers: Sequence[int]) -> list[UUID]:
    """Registrations of these customers that are over and still say that they hold."""
    query = (
        "SELECT id FROM registration WHERE customer_id = ANY(%s::bigint[]) AND status IN ('protected', 'converted') "
        "AND upper(protected) <= clock_timestamp()"
    )
    return [row[0] for row in rows(db, query, [list(customers)])]


def overlaps(db: Connection, keep: int, lose: int, live: Sequence[str]) -> list[Overlap]:
    """Live registrations of the two that could not stand on one customer, earliest first."""
    query = (
        "SELECT k.id, l.id, k.dealer_id, l.dealer_id FROM registration AS k JOIN registration AS l "
        "ON l.customer_id = %s::bigint AND l.status = ANY(%s::text[]) AND l.lines && k.lines AND l.protected && k.protected "
        "WHERE k.customer_id = %s::bigint AND k.status = ANY(%s::text[]) ORDER BY least(k.submitted_at, l.submitted_at), k.id, l.id"
    )
    return [Overlap(*row) for row in rows(db, query, [lose, list(live), keep, list(live)])]


def move_registrations(db: Connection, from_customer: int, to_customer: int, *, only_claimed_as: Sequence[int] | None = None) -> list[UUID]:
    """Registrations go to another customer; which ones did."""
    query = (
        "UPDATE registration SET customer_id = %s::bigint, version = version + 1, changed_at = clock_timestamp() "
        "WHERE customer_id = %s::bigint AND (%s::bigint[] IS NULL OR claimed_as = ANY(%s::bigint[])) RETURNING id"
    )
    claimed = list(only_claimed_as) if only_claimed_as is not None else None
    return [row[0] for row in rows(db, query, [to_customer, from_customer, claimed, claimed])]


def move_doubts(db: Connection, from_customer: int, to_customer: int) -> None:
    """Open questions about the one become questions about the other, where that is not asked already or pointless."""
    query = (
        "INSERT INTO registration_doubt (registration_id, customer_id, p, reasons) SELECT d.registration_id, %s::bigint, d.p, d.reasons "
        "FROM registration_doubt AS d JOIN registration AS r ON r.id = d.registration_id "
        "WHERE d.customer_id = %s::bigint AND d.state = 'open' AND r.customer_id <> %s::bigint ON CONFLICT DO NOTHING"
    )
    run(db, query, [to_customer, from_customer, to_customer])
    query = (
        "UPDATE registration_doubt SET state = 'same', decided_at = clock_timestamp(), decided_by = 'rule:merge' "
        "WHERE customer_id = %s::bigint AND state = 'open'"
    )
    run(db, query, [from_customer])


_UNDER = "WITH RECURSIVE under AS (SELECT %s::bigint AS id UNION SELECT c.id FROM customer AS c JOIN under ON c.merged_into = under.id) "


def under(db: Connection, customer: int) -> list[int]:
    """A customer and all that is merged into it, directly or not."""
    return [row[0] for row in rows(db, _UNDER + "SELECT id FROM under ORDER BY id", [customer])]


def party_of(db: Connection, customer: int) -> UUID | None:
    """The party that a customer is; None for one that only claims have named."""
    found: UUID | None = next((row[0] for row in rows(db, "SELECT party_id FROM customer WHERE id = %s::bigint", [customer])), None)
    return found


def set_party(db: Connection, customer: int, party: UUID) -> bool:
    """Say which party a customer is; False for one that is a party already or merged into another."""
    query = "UPDATE customer SET party_id = %s::uuid, party_version = 0 WHERE id = %s::bigint AND party_id IS NULL AND merged_into IS NULL"
    return run(db, query, [party, customer]) > 0


def are_apart(db: Connection, one: int, other: int) -> bool:
    """True when a person has told two customers apart."""
    low, high = sorted([one, other])
    return bool(rows(db, "SELECT 1 FROM customers_apart WHERE low = %s::bigint AND high = %s::bigint", [low, high]))


def set_merged(db: Connection, customer: int, into: int | None) -> None:
    """Say what a customer is merged into; None: nothing. What is merged into it follows."""
    run(db, "UPDATE customer SET merged_into = %s::bigint, root = %s::bigint WHERE id = %s::bigint", [into, into, customer])
    query = _UNDER + "UPDATE customer SET root = %s::bigint FROM under WHERE customer.id = under.id AND customer.id <> %s::bigint"
    run(db, query, [customer, into if into is not None else customer, customer])


def root_of(db: Connection, customer: int) -> int:
    """What a customer is merged into in the end, or itself."""
    return int(rows(db, "SELECT coalesce(root, id) FROM customer WHERE id = %s::bigint", [customer])[0][0])


def of_party(db: Connection, party_id: UUID) -> int | None:
    """The customer that a party is, through its merges; None when it is none yet."""
    return next((row[0] for row in rows(db, "SELECT coalesce(root, id) FROM customer WHERE party_id = %s", [party_id])), None)


# Direct customers -----------------------------------------------------------------------------------------------------


def add_direct(db: Connection, live: Sequence[str]) -> tuple[list[UUID], list[UUID]]:
    """Protect every party that is marked as our direct customer and is held by nobody; the new registrations, and those in the way.

    Marked: role `direct_customer`, or channel type `direct`.
    """
    marked = (
        "SELECT c.id FROM customer AS c JOIN parties AS p ON p.id = c.party_id WHERE NOT p.retired AND c.merged_into IS NULL "
        "AND (p.channel_type = 'direct' OR (p.doc -> 'roles')::jsonb ? 'direct_customer') "
        "AND NOT EXISTS (SELECT FROM registration AS d WHERE d.customer_id = c.id AND d.dealer_id IS NULL AND d.status = 'protected' "
        "AND upper_inf(d.protected))"
    )
    held = (
        "FROM registration AS r WHERE r.customer_id = marked.id AND r.status = ANY(%s::text[]) "
        "AND (upper_inf(r.protected) OR upper(r.protected) > clock_timestamp())"
    )
    query = f"SELECT r.id FROM ({marked}) AS marked, LATERAL (SELECT r.id {held}) AS r"
    in_the_way = [row[0] for row in rows(db, query, [list(live)])]
    query = (
        f"WITH marked AS ({marked}), made AS (INSERT INTO registration (id, customer_id, claimed_as, protected, status, reason, "
        "submitted_at, decided_at, days, claim, active_at) SELECT gen_random_uuid(), id, id, tstzrange(clock_timestamp(), NULL), "
        "'protected', "
        "'direct_customer', clock_timestamp(), clock_timestamp(), 1, '{}', clock_timestamp() FROM marked "
        f"WHERE NOT EXISTS (SELECT {held}) RETURNING id), "
        "told AS (INSERT INTO registration_event (registration_id, action, actor, cause, after) "
        "SELECT id, 'protect_direct', 'rule:direct', 'the party is marked as a direct customer', 'protected' FROM made) SELECT id FROM made"
    )
    return [row[0] for row in rows(db, query, [list(live)])], in_the_way


def customer_names(db: Connection, customers: Sequence[int]) -> dict[int, str]:
    """Names for our own people, by id."""
    return dict(rows(db, "SELECT id, name FROM customer WHERE id = ANY(%s::bigint[])", [list(customers)]))

"""A hub with many customers for the deal benchmarks: synthetic firms by the shard, prepared in parallel, loaded by COPY."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from benchmarks import matching_data
from canonical.ids import new_hub_key, new_id
from channel.deals import matching
from channel.deals.customers import queries as customers
from channel.deals.matching import Claim
from ledger.bulk import copy_text, json_text

SHARD = 10_000
SEED = 20261121
DEALERS = 200
PREPARING = ("codes", "contacts", "keys", "names", "prepared", "regions", "tables", "text", "words")
"""Modules of the matcher that what is loaded follows from."""
CLAIMS_PER_SHARD = 400
"""Claims that are made of each of the first shards' firms."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard's customers as COPY text without ids, and claims about them."""

    customers: list[tuple[str, tuple[int, ...]]]
    claims: list[Claim]


def make_shard(number: int, size: int, claims: int) -> Shard:
    """The shard of this number: always the same one."""
    world = matching_data.world(SEED + number, size, claims)
    rows = []
    for row in world.rows[:size]:
        prepared = matching.prepare(row.claim)
        given = json_text(asdict(row.claim))
        text = f"{copy_text(row.claim.name)}\t{copy_text(given)}\t{copy_text(prepared.dump())}\t{matching.VERSION}"
        rows.append((text, tuple(matching.keys_of(prepared))))
    return Shard(rows, [query.claim for query in world.queries])


def _shards(count: int, claims: int) -> Iterator[Shard]:
    sizes = [min(SHARD, count - start) for start in range(0, count, SHARD)]
    asked = [CLAIMS_PER_SHARD if number * CLAIMS_PER_SHARD < claims else 0 for number in range(len(sizes))]
    if len(sizes) * CLAIMS_PER_SHARD < claims:
        asked = [claims // len(sizes) + 1] * len(sizes)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(make_shard, range(len(sizes)), sizes, asked)


def stamp(count: int) -> str:
    """A name for so many customers as this code makes and prepares them: other code or data, another name."""
    root = Path(__file__).parents[1]
    matcher = root / "channel" / "deals" / "matching"
    made_by = [*(matcher / f"{name}.py" for name in PREPARING), *matcher.glob("data/*.txt"), Path(__file__), Path(matching_data.__file__)]
    made_by += root.glob("ledger/migrations/versions/*.py")
    made_by += root.glob("ledger/migrations/versions/*.sql")
    found = sha256()
    for path in sorted(made_by):
        found.update(path.read_bytes())
    return f"deals_{count}_{found.hexdigest()[:12]}"


def warm(db: psycopg.Connection[Any]) -> None:
    """Read keys and customers once, so that the first claims do not pay for a server that has just been started."""
    with db.transaction():
        db.execute("SET LOCAL enable_seqscan = off")
        db.execute("SET LOCAL enable_bitmapscan = off")
        db.execute("SELECT count(key) FROM match_key WHERE key > -9223372036854775808")
        db.execute("SELECT count(prepared) FROM customer WHERE id > 0")


@dataclass(frozen=True, slots=True)
class Hub:
    """What was loaded."""

    dealers: list[UUID]
    claims: list[Claim]
    keys: int


def load(db: psycopg.Connection[Any], count: int, claims: int) -> Hub:
    """Load `count` customers; a tenth is held by dealers, a fiftieth is direct. `db` must be in autocommit."""
    dealers = [new_id() for _ in range(DEALERS)]
    with db.cursor() as cursor:
        for number, dealer in enumerate(dealers):
            cursor.execute(
                "INSERT INTO parties (id, hub_key, doc, name, channel_type, status) VALUES (%s, %s, '{}', %s, 'city_agent', 'active')",
                [dealer, new_hub_key(), f"经销商 {number}"],
            )
        asked: list[Claim] = []
        first, keys = 1, 0
        customers.drop_key_index(db)
        for shard in _shards(count, claims):
            with cursor.copy("COPY customer (id, name, given, prepared, norm_version) FROM STDIN") as copy:
                copy.write("".join(f"{first + place}\t{text}\n" for place, (text, _) in enumerate(shard.customers)))
            with cursor.copy("COPY match_key (key, customer_id) FROM STDIN") as copy:
                copy.write("".join(f"{key}\t{first + place}\n" for place, (_, own) in enumerate(shard.customers) for key in own))
            first += len(shard.customers)
            keys += sum(len(own) for _, own in shard.customers)
            asked += shard.claims
        with db.transaction():
            customers.build_key_index(db)
            customers.set_state(db, matching.VERSION)
            customers.count_hot(db, matching.CAP)
            cursor.execute("SELECT setval(pg_get_serial_sequence('customer', 'id'), max(id)) FROM customer")
            _hold(cursor, dealers)
        cursor.execute("VACUUM ANALYZE customer, match_key, hot_key, registration")
        cursor.execute("CHECKPOINT")
    return Hub(dealers, asked[:claims], keys)


def _hold(cursor: psycopg.Cursor[Any], dealers: list[UUID]) -> None:
    columns = (
        "id, customer_id, claimed_as, dealer_id, protected, status, reason, submitted_at, decided_at, days, policy_id, claim, active_at"
    )
    cursor.execute(
        f"INSERT INTO registration ({columns}) SELECT gen_random_uuid(), id, id, (%s::uuid[])[1 + id %% %s], "
        "tstzrange(now(), now() + interval '90 days'), 'protected', 'free', now(), now(), 90, 1, given, now() "
        "FROM customer WHERE id %% 10 = 3",
        [dealers, len(dealers)],
    )
    cursor.execute(
        f"INSERT INTO registration ({columns}) SELECT gen_random_uuid(), id, id, NULL, tstzrange(now(), NULL), 'protected', "
        "'direct_customer', now(), now(), 1, NULL, '{}', now() FROM customer WHERE id % 50 = 7"
    )

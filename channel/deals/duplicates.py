"""Customers that are there twice: the nightly scan over match keys, and who somebody means by a few words.

The scan pairs customers that share a key that says much (code, organisation code, phone, name but for one character) with few
others, and decides each pair as a claim would be decided. It changes nothing: its report is for people, who merge or tell apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.types.json import Json

from channel.deals import claim_queries, matching, queries
from channel.deals.matching import Claim, Known
from channel.deals.matching.keys import CODE, EDIT, EDIT_LONG, ORGANISATION, PHONE
from channel.deals.queries import rows, run

Connection = psycopg.Connection[Any]

TELLING: Final = (CODE, ORGANISATION, PHONE, EDIT, EDIT_LONG)
"""Kinds of keys that pair customers."""
SHARED_BY: Final = 6
"""A key that more customers share pairs nobody: a book-keeper's phone, a common name."""
PAGE: Final = 2000


@dataclass(frozen=True, slots=True)
class Report:
    """What a scan found. `new`: pairs that no scan had found before."""

    customers: int = 0
    compared: int = 0
    duplicates: int = 0
    doubtful: int = 0
    new: int = 0

    def as_dict(self) -> dict[str, int]:
        """As figures."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two customers that may be one firm. For our own people."""

    low: int
    high: int
    low_name: str
    high_name: str
    p: Decimal
    verdict: str
    reasons: list[dict[str, str]]
    found_at: datetime


def scan(db: Connection) -> Report:
    """Compare all customers with those that share a telling key; what is found stands in `duplicate_pair`. In one transaction.

    Keys of another version than the matcher's are not compared: the report is empty until they are rebuilt.
    """
    version = rows(db, "SELECT version FROM match_state")
    if not version or version[0][0] != matching.VERSION:
        return Report()
    hot = dict(rows(db, "SELECT key, customers FROM hot_key"))
    now = queries.now(db)
    counted = int(rows(db, "SELECT count(*) FROM customer WHERE NOT retired AND merged_into IS NULL")[0][0])
    compared = duplicates = doubtful = new = 0
    for page in _pairs(db):
        found: list[tuple[int, int, Decimal, str, Json]] = []
        for low, high, low_text, high_text in page:
            compared += 1
            decision = matching.decide(matching.load_prepared(low_text), [Known(high, matching.load_prepared(high_text))], hot)
            if decision.verdict == "new" or decision.rid is None:
                continue
            duplicates += decision.verdict == "duplicate"
            doubtful += decision.verdict == "review"
            reasons = [{"feature": one.feature, "zh": one.zh, "en": one.en} for one in decision.reasons]
            found.append((low, high, Decimal(str(decision.p)), decision.verdict, Json(reasons)))
        new += _store(db, found, now)
    return Report(counted, compared, duplicates, doubtful, new)


def _pairs(db: Connection) -> Iterator[list[tuple[int, int, str, str]]]:
    """Pairs by the page, through a cursor of the server: a million customers give more than memory should hold."""
    query = (
        "WITH near AS (SELECT array_agg(m.customer_id ORDER BY m.customer_id) AS ids FROM match_key AS m "
        "JOIN customer AS c ON c.id = m.customer_id AND NOT c.retired AND c.merged_into IS NULL "
        "WHERE (m.key & 31) = ANY(%s::bigint[]) GROUP BY m.key HAVING count(*) BETWEEN 2 AND %s::int), "
        "pairs AS (SELECT DISTINCT low, high FROM near, unnest(ids) AS low, unnest(ids) AS high WHERE low < high) "
        "SELECT p.low, p.high, a.prepared, b.prepared FROM pairs AS p "
        "JOIN customer AS a ON a.id = p.low JOIN customer AS b ON b.id = p.high "
        "WHERE NOT EXISTS (SELECT FROM customers_apart AS x WHERE (x.low, x.high) = (p.low, p.high)) ORDER BY p.low, p.high"
    )
    # All rows are wanted, not the first few quickly; and the groups of keys fit into memory.
    run(db, "SELECT set_config('cursor_tuple_fraction', '1', true), set_config('work_mem', '128MB', true)")
    with db.cursor(name="duplicates", row_factory=psycopg.rows.tuple_row) as cursor:
        cursor.execute(query, [list(TELLING), SHARED_BY])
        while page := cursor.fetchmany(PAGE):
            yield page


def _store(db: Connection, found: list[tuple[int, int, Decimal, str, Json]], now: datetime) -> int:
    if not found:
        return 0
    query = (
        "INSERT INTO duplicate_pair AS d (low, high, p, verdict, reasons, found_at, seen_at) "
        "SELECT *, %s::timestamptz, %s::timestamptz FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::text[], %s::json[]) "
        "ON CONFLICT (low, high) DO UPDATE SET p = excluded.p, verdict = excluded.verdict, reasons = excluded.reasons, "
        "seen_at = excluded.seen_at RETURNING d.found_at = d.seen_at"
    )
    columns = [list(column) for column in zip(*found, strict=True)]
    return sum(fresh for (fresh,) in rows(db, query, [now, now, *columns]))


def list_pairs(db: Connection, *, verdict: str | None = None, after: tuple[int, int] = (0, 0), limit: int = 100) -> list[Pair]:
    """What the newest scan found and nobody has merged or told apart since, in the order of ids."""
    query = (
        "SELECT d.low, d.high, a.name, b.name, d.p, d.verdict, d.reasons, d.found_at FROM duplicate_pair AS d "
        "JOIN customer AS a ON a.id = d.low AND a.merged_into IS NULL JOIN customer AS b ON b.id = d.high AND b.merged_into IS NULL "
        "WHERE d.seen_at = (SELECT max(seen_at) FROM duplicate_pair) AND (%(verdict)s::text IS NULL OR d.verdict = %(verdict)s) "
        "AND (d.low, d.high) > (%(low)s::bigint, %(high)s::bigint) "
        "AND NOT EXISTS (SELECT FROM customers_apart AS x WHERE (x.low, x.high) = (d.low, d.high)) "
        "ORDER BY d.low, d.high LIMIT %(limit)s::int"
    )
    found = rows(db, query, {"verdict": verdict, "low": after[0], "high": after[1], "limit": limit})
    return [Pair(*row) for row in found]


def is_open(db: Connection, low: int, high: int) -> bool:
    """True for a pair that a scan has found and nobody has merged or told apart since."""
    query = (
        "SELECT 1 FROM duplicate_pair AS d JOIN customer AS a ON a.id = d.low AND a.merged_into IS NULL "
        "JOIN customer AS b ON b.id = d.high AND b.merged_into IS NULL WHERE d.low = %s::bigint AND d.high = %s::bigint "
        "AND NOT EXISTS (SELECT FROM customers_apart AS x WHERE (x.low, x.high) = (d.low, d.high))"
    )
    return bool(rows(db, query, [low, high]))


@dataclass(frozen=True, slots=True)
class Nightly:
    """The newest scan's report. Units: pairs. `open`: those that nobody has answered yet."""

    scanned_at: datetime | None
    duplicate: int = 0
    review: int = 0
    new: int = 0
    open: int = 0


def nightly(db: Connection) -> Nightly:
    """What the newest scan that found anything found, and how much of it waits for a person."""
    query = (
        "SELECT max(d.seen_at), count(*) FILTER (WHERE d.verdict = 'duplicate'), count(*) FILTER (WHERE d.verdict = 'review'), "
        "count(*) FILTER (WHERE d.found_at = d.seen_at), count(*) FILTER (WHERE a.merged_into IS NULL AND b.merged_into IS NULL "
        "AND NOT EXISTS (SELECT FROM customers_apart AS x WHERE (x.low, x.high) = (d.low, d.high))) FROM duplicate_pair AS d "
        "JOIN customer AS a ON a.id = d.low JOIN customer AS b ON b.id = d.high "
        "WHERE d.seen_at = (SELECT max(seen_at) FROM duplicate_pair)"
    )
    return Nightly(*rows(db, query)[0])


def forget(db: Connection, before: datetime) -> int:
    """Drop pairs that no scan has found since a moment; how many."""
    return run(db, "DELETE FROM duplicate_pair WHERE seen_at < %s", [before])


@dataclass(frozen=True, slots=True)
class Meant:
    """Who is meant by a few words. `verdict` as matching gives it; `party_id` None for a customer that only claims have named."""

    verdict: str
    customer_id: int | None = None
    party_id: UUID | None = None
    name: str = ""


def who(db: Connection, claim: Claim, *, but: int | None = None) -> Meant:
    """The known customer that a claim means; not the one that `but` is. Without keys, or with keys of another version, nobody is known."""
    prepared = matching.prepare(claim)
    keys = matching.keys_of(prepared)
    version = rows(db, "SELECT version FROM match_state")
    if not keys or not version or version[0][0] != matching.VERSION:
        return Meant("new")
    weights = [int(1000 * matching.WEIGHTS[key & 31]) for key in keys]
    found = [row for row in claim_queries.look_up(db, keys, weights, matching.CAP, matching.WEIGHED) if row[2] != but]
    hot: Mapping[int, int] = dict(rows(db, "SELECT key, customers FROM hot_key WHERE key = ANY(%s::bigint[])", [keys]))
    roots = {row[0]: row[2] for row in found}
    decision = matching.decide(prepared, [Known(row[0], matching.load_prepared(row[1])) for row in found], hot)
    if decision.verdict == "new" or decision.rid is None:
        return Meant("new")
    root = roots[int(decision.rid)]
    party, name = rows(db, "SELECT party_id, name FROM customer WHERE id = %s::bigint", [root])[0]
    return Meant(decision.verdict, root, party, name)

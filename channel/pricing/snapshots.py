"""What was known of who asks, kept beside a version of prices: with both, a question gets the answer it got, whatever has changed since.

A snapshot is named in every answer: the version of prices, and the id of the facts, which follows from what they say. Facts that no answer
has named for long are forgotten, unless a version of a quote pins them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import tuple_row

from channel.pricing.asker_queries import Party, Project, Special

Connection = psycopg.Connection[Any]
NAMING: Final = ("dealer", "customer", "company", "project", "deal")
"""Parts of a question that name somebody, or what is asked about."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger knew of who asks."""

    said: Mapping[str, str]
    """How the question named them: dealer, customer, company, project, deal."""
    dealer: Party | None
    customer: str
    company: str
    projects: tuple[Project, ...]
    """Every registration of the project, whoever's it is."""
    specials: tuple[Special, ...]
    """The dealer's special prices for it, with what was used of them."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A version of prices, and what was known of who asked."""

    version: int
    asker: UUID
    facts: Facts

    @property
    def name(self) -> str:
        """How answers call it."""
        return name_of(self.version, self.asker)


def name_of(version: int, asker: UUID) -> str:
    """How answers call the snapshot of a version of prices and of facts."""
    return f"{version}.{asker.hex}"


def taken(version: int, facts: Facts) -> Snapshot:
    """The snapshot of a version of prices and of facts: the same ones give the same."""
    return Snapshot(version, UUID(bytes=hashlib.sha256(_text(facts)).digest()[:16]), facts)


def keep(db: Connection, snapshot: Snapshot) -> None:
    """Keep it, within the caller's transaction, as named today; one that was named today already is not written again."""
    db.execute(_KEEP.encode(), {"id": snapshot.asker, "facts": _text(snapshot.facts).decode()}, prepare=True)


_TODAY: Final = "(now() AT TIME ZONE 'Asia/Shanghai')::date"
_KEEP: Final = f"""
INSERT INTO price_asker (id, facts, named_on) SELECT %(id)s, %(facts)s::json, {_TODAY}
WHERE NOT EXISTS (SELECT FROM price_asker WHERE id = %(id)s AND named_on >= {_TODAY})
ON CONFLICT (id) DO UPDATE SET named_on = excluded.named_on WHERE price_asker.named_on < excluded.named_on
"""


def forget(db: Connection, before: date, *, most: int = 10_000) -> int:
    """Forget, within the caller's transaction, what no answer has named since a business day and no version of a quote pins; how many.

    The database refuses what was named in the last 30 days. `most`: so many at a time, the oldest first.
    """
    query = (
        "DELETE FROM price_asker WHERE id IN (SELECT a.id FROM price_asker AS a WHERE a.named_on < %s "
        "AND NOT EXISTS (SELECT FROM quote_version AS v WHERE v.asker = a.id) ORDER BY a.named_on LIMIT %s FOR UPDATE SKIP LOCKED)"
    )
    return db.execute(query, [before, most]).rowcount


def named(db: Connection, name: str) -> Snapshot | None:
    """The snapshot that an answer named; None where there is none."""
    version, _, asker = name.partition(".")
    if not (version.isascii() and version.isdigit() and len(version) <= 18):
        return None
    try:
        facts = UUID(hex=asker)
    except ValueError:
        return None
    found = of(db, int(version), facts)
    return found if found is not None and found.name == name else None


def of(db: Connection, version: int, asker: UUID) -> Snapshot | None:
    """The snapshot of a version of prices and of facts that were kept."""
    with db.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute("SELECT facts::text FROM price_asker WHERE id = %s", [asker]).fetchone()
    return None if row is None else Snapshot(version, asker, msgspec.json.decode(row[0], type=Facts))


def _text(facts: Facts) -> bytes:
    return msgspec.json.encode(facts)

"""Statements about scorecards as published, months as they stood, and plans for dealers' stock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from channel.performance.fact_queries import Connection, Row, one, rows
from channel.performance.scorecard import Scorecard
from channel.performance.stock import Plan
from ledger.bulk import json_text

# Scorecards ------------------------------------------------------------------------------------------------------------------


def versions(db: Connection, scorecard: str | None = None) -> list[Row]:
    """What was published, of one scorecard or of all; oldest first."""
    query = (
        "SELECT scorecard, version, hash, published_at, published_by, reason, doc FROM scorecard_version "
        "WHERE %(name)s::text IS NULL OR scorecard = %(name)s ORDER BY scorecard, version"
    )
    return rows(db, query, {"name": scorecard})


def add_version(db: Connection, card: Scorecard, by: str, reason: str) -> None:
    """Publish a version."""
    db.execute(
        "INSERT INTO scorecard_version (scorecard, version, hash, doc, published_by, reason) VALUES (%s, %s, %s, %s, %s, %s)",
        [card.scorecard, card.version, card.hash, json_text(card.model_dump(mode="json", by_alias=True, exclude_none=True)), by, reason],
    )


def card_of(row: Row) -> Scorecard:
    """A scorecard from its stored document."""
    return Scorecard.model_validate(row["doc"])


# Months ----------------------------------------------------------------------------------------------------------------------

_MONTH: Final = (
    "SELECT m.id, m.scorecard, m.version, m.hash, m.as_of, m.revision, m.known_at, m.facts_hash, m.previous_id, m.last_year_id, m.reason, "
    "m.doc, m.made_at, m.by FROM scorecard_month AS m"
)


def month(db: Connection, scorecard: str, as_of: date | None = None, revision: int | None = None) -> Row | None:
    """A month as it stands: its newest revision, or one of them; the newest month where none is named."""
    query = (
        f"{_MONTH} WHERE scorecard = %(name)s AND (%(as_of)s::date IS NULL OR as_of = %(as_of)s) "
        "AND (%(revision)s::int IS NULL OR revision = %(revision)s) ORDER BY as_of DESC, revision DESC LIMIT 1"
    )
    return one(db, query, {"name": scorecard, "as_of": as_of, "revision": revision})


def months(db: Connection, scorecard: str) -> list[Row]:
    """Every revision of every month, oldest first."""
    return rows(db, f"{_MONTH} WHERE scorecard = %s ORDER BY as_of, revision", [scorecard])


def month_before(db: Connection, scorecard: str, as_of: date) -> Row | None:
    """The month that was kept last before a day, as it stands."""
    return one(db, f"{_MONTH} WHERE scorecard = %s AND as_of < %s ORDER BY as_of DESC, revision DESC LIMIT 1", [scorecard, as_of])


def results(db: Connection, month_id: int, dealer_id: UUID | None = None) -> list[Row]:
    """The results of a month by group and place; of one dealer, or of all."""
    query = (
        "SELECT r.month_id, r.dealer_id, r.dealer, r.product_line, r.place, r.ranked, r.score, r.doc, r.own FROM scorecard_result AS r "
        "WHERE r.month_id = %(month)s AND (%(dealer)s::uuid IS NULL OR r.dealer_id = %(dealer)s) "
        "ORDER BY r.doc->>'group', r.place NULLS LAST, r.dealer, r.product_line"
    )
    return rows(db, query, {"month": month_id, "dealer": dealer_id})


def trend(db: Connection, scorecard: str, dealer_id: UUID) -> list[Row]:
    """The results of one dealer in the newest revision of each month, oldest first."""
    query = (
        "SELECT m.as_of, m.revision, r.product_line, r.doc FROM scorecard_result AS r JOIN scorecard_month AS m ON m.id = r.month_id "
        "WHERE m.scorecard = %s AND r.dealer_id = %s AND NOT EXISTS (SELECT FROM scorecard_month AS n WHERE n.scorecard = m.scorecard "
        "AND n.as_of = m.as_of AND n.revision > m.revision) ORDER BY m.as_of, r.product_line"
    )
    return rows(db, query, [scorecard, dealer_id])


def add_month(db: Connection, values: Mapping[str, Any]) -> int:
    """Keep a month's head; its id. `doc` is JSON text."""
    names = ", ".join(values)
    places = ", ".join(f"%({name})s" for name in values)
    query = (
        f"INSERT INTO scorecard_month ({names}, revision) VALUES ({places}, (SELECT coalesce(max(revision), 0) + 1 FROM scorecard_month "
        "WHERE scorecard = %(scorecard)s AND as_of = %(as_of)s)) RETURNING id"
    )
    made = one(db, query, values)
    assert made is not None  # noqa: S101  an insert returns its row
    return int(made["id"])


_RESULT: Final = ("month_id", "dealer_id", "product_line", "dealer", "place", "ranked", "score", "doc", "own")
_TAG: Final = ("month_id", "dealer_id", "product_line", "tag", "kind", "since", "new", "doc")


def add_results(db: Connection, found: Iterable[Sequence[Any]], tags: Iterable[Sequence[Any]]) -> None:
    """Keep a month's results, and the tags that are on; in the order of their columns, documents as JSON text."""
    for table, columns, lines in (("scorecard_result", _RESULT, found), ("scorecard_tag", _TAG, tags)):
        with db.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
            for line in lines:
                copy.write_row(line)


def tags(db: Connection, month_id: int) -> list[Row]:
    """Tags that are on in a month."""
    query = (
        "SELECT t.dealer_id, r.dealer, t.product_line, t.tag, t.kind, t.since, t.new, t.doc FROM scorecard_tag AS t "
        "JOIN scorecard_result AS r USING (month_id, dealer_id, product_line) WHERE t.month_id = %s ORDER BY t.kind DESC, t.tag, r.dealer"
    )
    return rows(db, query, [month_id])


def dealers(db: Connection, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Code and name of parties."""
    query = (
        "SELECT id, coalesce(nullif(number, ''), hub_key) AS code, coalesce(nullif(doc->>'short_name', ''), name, '') AS name FROM parties "
        "WHERE id = ANY(%s::uuid[])"
    )
    return {row["id"]: row for row in rows(db, query, [list(ids)])}


# Stock -----------------------------------------------------------------------------------------------------------------------


def add_plan(db: Connection, plan: Plan, ids: Mapping[str, UUID], head: Mapping[str, Any], documents: Iterable[Mapping[str, Any]]) -> int:
    """Keep a plan with what is to be done; its id. `documents`: what is said of each advice, in their order."""
    made = one(
        db,
        "INSERT INTO stock_plan (as_of, revision, known_at, window_days, looked_at, uncounted, by) VALUES (%(as_of)s, (SELECT "
        "coalesce(max(revision), 0) + 1 FROM stock_plan WHERE as_of = %(as_of)s), %(known_at)s, %(window_days)s, %(looked_at)s, "
        "%(uncounted)s, %(by)s) RETURNING id",
        head,
    )
    assert made is not None  # noqa: S101  an insert returns its row
    number = int(made["id"])
    with db.cursor() as cursor:
        with cursor.copy("COPY stock_advice (plan_id, dealer_id, product, warning, restock, out_on, doc) FROM STDIN") as copy:
            for advice, said in zip(plan.advice, documents, strict=True):
                if advice.warning or advice.restock:
                    held, packs = advice.holding, Decimal(advice.restock.numerator) / advice.restock.denominator
                    copy.write_row((number, ids[held.dealer], held.product, advice.warning, packs, advice.out_on, json_text(said)))
        with cursor.copy("COPY stock_transfer (plan_id, giver_id, taker_id, product, quantity, common_digits) FROM STDIN") as copy:
            for one_move in plan.transfers:
                copy.write_row((number, ids[one_move.giver], ids[one_move.taker], one_move.product, one_move.quantity, one_move.common))
    return number


def plan_of(db: Connection, as_of: date | None = None) -> Row | None:
    """The newest plan up to a day, or of all."""
    return one(db, "SELECT * FROM stock_plan WHERE %(day)s::date IS NULL OR as_of <= %(day)s ORDER BY as_of DESC, revision DESC LIMIT 1", {
        "day": as_of,
    })  # fmt: skip


def advice(db: Connection, plan_id: int, dealer_id: UUID | None = None) -> list[Row]:
    """What is to be done, most urgent first; for one dealer, or for all."""
    query = (
        "SELECT dealer_id, product, warning, restock, out_on, doc FROM stock_advice WHERE plan_id = %(plan)s "
        "AND (%(dealer)s::uuid IS NULL OR dealer_id = %(dealer)s) ORDER BY warning DESC, out_on NULLS LAST, product, dealer_id"
    )
    return rows(db, query, {"plan": plan_id, "dealer": dealer_id})


def transfers(db: Connection, plan_id: int) -> list[Row]:
    """Goods proposed to go from one dealer to another."""
    columns = "giver_id, taker_id, product, quantity, common_digits"
    return rows(db, f"SELECT {columns} FROM stock_transfer WHERE plan_id = %s ORDER BY product, taker_id, giver_id", [plan_id])


def transaction_moment(db: Connection) -> datetime:
    """When this transaction began: what it records is known from then on."""
    row = one(db, "SELECT transaction_timestamp() AS at")
    assert row is not None  # noqa: S101  a SELECT without FROM gives a row
    moment: datetime = row["at"]
    return moment

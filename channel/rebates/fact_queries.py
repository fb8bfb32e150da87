"""Facts from the canonical documents: one statement a kind compares what the documents say now with the newest revision of each fact.

Documents are read from the watermark of the last refresh on, with an hour's overlap: a transaction that began earlier may commit later.
Days are business days (Asia/Shanghai); amounts are in the document's currency. Only approved documents that are not void count; a line that
is not there any more becomes a revision of zero, so that what was known before can still be reckoned.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row, tuple_row

from channel.rebates.facts import Fact

Connection = psycopg.Connection[Any]

SOURCES: Final = ("order", "shipment", "return", "receivable", "receipt")
"""Kinds of record that facts are made from."""
OVERLAP: Final = "interval '1 hour'"
_TABLE: Final = {"order": "orders", "shipment": "shipments", "return": "returns", "receivable": "receivables", "receipt": "receipts"}
_DEALER: Final = (
    "coalesce(nullif(b.number, ''), b.hub_key) AS dealer, b.id AS dealer_id, coalesce(b.level, '') AS dealer_grade, "
    "coalesce((SELECT t.region FROM territorys AS t WHERE t.party_id = b.id AND NOT t.retired AND t.region <> '' "
    "AND (t.valid_from IS NULL OR t.valid_from <= d.day) AND (t.valid_to IS NULL OR t.valid_to >= d.day) ORDER BY t.region LIMIT 1), "
    "b.province, '') AS dealer_region, coalesce(b.channel_type, '') AS dealer_channel, "
    "coalesce((SELECT coalesce(nullif(u.number, ''), u.hub_key) FROM parties AS u WHERE u.id = b.parent_id), '') AS dealer_parent, "
    "coalesce((SELECT c.number FROM companies AS c WHERE c.id = d.company_id), '') AS company"
)
_PRODUCT: Final = "coalesce(p.number, '') AS product, coalesce(p.product_line, '') AS product_line, coalesce(p.doc->>'brand', '') AS brand"
_ORDER: Final = (
    "coalesce((SELECT q.number FROM deals AS q WHERE q.id = o.deal_id), '') AS project, "
    "coalesce((SELECT l.tier FROM price_lists AS l WHERE l.id = nullif(o.doc->>'price_list', '')::uuid), '') AS price_kind"
)
_COUNTS: Final = "NOT d.retired AND d.approval = 'approved' AND coalesce(d.status, '') <> 'void' AND d.party_id IS NOT NULL"


def _lines(
    entity: str, day: str, prefix: str, event: str, *, figures: str, extra: str = "true", joins: str = "", due: str = "NULL::date"
) -> str:
    """The lines of one kind of document as facts. `figures` gives quantity, amount, gross of line `l` under head `d`.

    `prefix` and `event` are SQL texts, quotes and all.
    """
    table = _TABLE[entity]
    return (
        f"SELECT {prefix} || l.id AS id, d.id AS document_id, d.day AS date, f.quantity, f.amount, f.gross, {event} AS event, "
        f"d.number AS document, {due} AS due_date, coalesce(d.currency, '') AS currency, coalesce(l.doc->>'unit', '') AS unit, "
        f"{_DEALER}, {_PRODUCT}, {_ORDER}, '' AS applies_to "
        f"FROM (SELECT h.*, h.{day} AS day FROM {table} AS h WHERE h.id = ANY(%(touched)s::uuid[])) AS d "
        f"JOIN {entity}_lines AS l ON l.parent_id = d.id JOIN parties AS b ON b.id = d.party_id {joins} "
        f"CROSS JOIN LATERAL (SELECT {figures}) AS f LEFT JOIN products AS p ON p.id = nullif(l.doc->>'product', '')::uuid "
        f"WHERE {_COUNTS} AND d.day IS NOT NULL AND {extra}"
    )


def _doc(name: str) -> str:
    return f"(l.doc->>'{name}')::numeric"


_OWN_ORDER: Final = "LEFT JOIN orders AS o ON o.id = d.id"
_LINE_ORDER: Final = (
    "LEFT JOIN orders AS o ON o.id = coalesce(nullif(l.doc->>'order', '')::uuid, d.order_id) "
    "LEFT JOIN order_lines AS ol ON ol.parent_id = o.id AND ol.id = nullif(l.doc->>'order_line', '')::uuid"
)
_SHARE: Final = "{sign} * round({quantity} * (ol.doc->>'{name}')::numeric / nullif((ol.doc->>'quantity')::numeric, 0), 2)"
"""Goods have no amount of their own: they are worth their share of the order line that they fulfil (numeric rounds half away from zero)."""


def _by_price(sign: int) -> str:
    net, total = (_SHARE.format(sign=sign, quantity=_doc("quantity"), name=name) for name in ("net", "total"))
    return f"{sign} * {_doc('quantity')} AS quantity, {net} AS amount, {total} AS gross"


_FACTS: Final[Mapping[str, str]] = {
    "order": _lines(
        "order", "ordered_on", "'order:'", "'order'",
        figures=f"{_doc('quantity')} AS quantity, {_doc('net')} AS amount, {_doc('total')} AS gross",
        extra="coalesce(l.doc->>'status', '') <> 'void'", joins=_OWN_ORDER,
    ),
    "shipment": _lines(
        "shipment", "shipped_on", "'delivery:'", "'delivery'", figures=_by_price(1), joins=_LINE_ORDER
    ).replace("coalesce(d.currency, '')", "coalesce(o.currency, '')"),
    "return": _lines(
        "return", "returned_on", "'returned:'", "'delivery'", figures=_by_price(-1), joins=_LINE_ORDER
    ).replace("coalesce(d.currency, '')", "coalesce(o.currency, d.doc->>'currency', '')"),
    "receivable": _lines(
        "receivable", "billed_on", "'invoice:'", "'invoice'",
        figures=f"{_doc('quantity')} AS quantity, {_doc('net')} AS amount, {_doc('total')} AS gross",
        extra="d.doc->>'kind' = 'financial'", joins=_LINE_ORDER, due="d.due_on",
    ),
}  # fmt: skip

_PAID: Final = f"""
WITH touched AS (SELECT DISTINCT id FROM unnest(%(orders)s::uuid[]) AS id),
bills AS (
    SELECT r.id, r.number, l.order_id, sum((l.doc->>'total')::numeric) AS total,
        sum(sum((l.doc->>'total')::numeric)) OVER (PARTITION BY l.order_id ORDER BY r.billed_on, r.number, r.id) AS upto
    FROM receivable_lines AS l JOIN receivables AS r ON r.id = l.parent_id
    WHERE l.order_id IN (SELECT id FROM touched) AND NOT r.retired AND r.approval = 'approved' AND coalesce(r.status, '') <> 'void'
        AND r.doc->>'kind' = 'financial' AND r.total > 0
    GROUP BY r.id, r.number, r.billed_on, l.order_id
),
money AS (
    SELECT c.id AS document_id, l.id AS line, l.order_id, c.received_on, c.party_id, c.company_id, coalesce(c.currency, '') AS currency,
        c.number, l.amount, sum(l.amount) OVER (PARTITION BY l.order_id ORDER BY c.received_on, c.number, l.id) AS upto
    FROM receipt_lines AS l JOIN receipts AS c ON c.id = l.parent_id
    WHERE l.order_id IN (SELECT id FROM touched) AND NOT c.retired AND c.approval = 'approved' AND coalesce(c.status, '') <> 'void'
        AND l.amount > 0 AND c.received_on IS NOT NULL AND c.party_id IS NOT NULL
),
paid AS (
    SELECT m.*, b.id AS bill, b.number AS bill_number, least(m.upto, b.upto) - greatest(m.upto - m.amount, b.upto - b.total) AS part
    FROM money AS m JOIN bills AS b ON b.order_id = m.order_id AND m.upto > b.upto - b.total AND m.upto - m.amount < b.upto
)
SELECT 'payment:' || d.line || ':' || d.bill AS id, d.document_id, d.received_on AS date, 0::numeric AS quantity, NULL::numeric AS amount,
    d.part AS gross, 'payment' AS event, d.number AS document, NULL::date AS due_date, d.currency, '' AS unit, {_DEALER},
    '' AS product, '' AS product_line, '' AS brand, '' AS project, '' AS price_kind, d.bill_number AS applies_to
FROM (SELECT *, received_on AS day FROM paid) AS d JOIN parties AS b ON b.id = d.party_id
"""
"""A receipt that names an order pays that order's receivables, the oldest first."""

_CARRIED: Final = (
    "due_date, document, product, product_line, brand, company, project, price_kind, unit, applies_to, "
    "dealer_grade, dealer_region, dealer_channel, dealer_parent"
)
"""Columns that a fact takes over as they are."""
_SAID: Final = f"date, kind, dealer, dealer_id, currency, quantity, amount, gross, order_date, delivery_date, invoice_date, {_CARRIED}"
_KIND: Final = (
    "CASE WHEN event = 'payment' THEN 'payment' WHEN coalesce(gross, amount, quantity, 0) >= 0 THEN 'sale' "
    "WHEN coalesce(quantity, 0) < 0 THEN 'return' ELSE 'credit' END"
)
_STAGE: Final = (
    f"CREATE TEMP TABLE fact_now ON COMMIT DROP AS SELECT id, document_id, {_SAID}, md5(row({_SAID})::text)::uuid AS fingerprint "
    f"FROM (SELECT id, document_id, date, {_KIND} AS kind, dealer, dealer_id, currency, "
    f"CASE WHEN {_KIND} IN ('credit', 'payment') THEN 0 ELSE coalesce(quantity, 0) END AS quantity, amount, gross, "
    "CASE event WHEN 'order' THEN date END AS order_date, CASE event WHEN 'delivery' THEN date END AS delivery_date, "
    f"CASE event WHEN 'invoice' THEN date END AS invoice_date, {_CARRIED} FROM ("
)
_NEWS: Final = (
    "CREATE TEMP TABLE fact_news ON COMMIT DROP AS SELECT n.*, coalesce(h.revision, 0) + 1 AS revision, false AS gone FROM fact_now AS n "
    "LEFT JOIN rebate_fact_head AS h ON h.id = n.id WHERE h.id IS NULL OR h.gone OR h.fingerprint <> n.fingerprint"
)
_VANISHED: Final = (
    "INSERT INTO fact_news SELECT h.id, h.document_id, o.date, o.kind, o.dealer, o.dealer_id, o.currency, 0, "
    "CASE WHEN o.amount IS NOT NULL THEN 0 END, 0, o.order_date, o.delivery_date, o.invoice_date, "
    + ", ".join(f"o.{name}" for name in _CARRIED.split(", "))
    + ", md5('gone')::uuid, h.revision + 1, true "
    "FROM rebate_fact_head AS h JOIN rebate_fact AS o ON o.date = h.date AND o.id = h.id AND o.revision = h.revision "
    "WHERE h.document_id = ANY(%(touched)s::uuid[]) AND NOT h.gone AND NOT EXISTS (SELECT FROM fact_now AS n WHERE n.id = h.id)"
)
_COLUMNS: Final = f"id, revision, {_SAID}"
_APPEND: Final = f"INSERT INTO rebate_fact ({_COLUMNS}) SELECT {_COLUMNS} FROM fact_news ORDER BY date, id"
_HEADS: Final = (
    "INSERT INTO rebate_fact_head (id, revision, date, document_id, fingerprint, gone) "
    "SELECT id, revision, date, document_id, fingerprint, gone FROM fact_news "
    "ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, date = excluded.date, document_id = excluded.document_id, "
    "fingerprint = excluded.fingerprint, gone = excluded.gone"
)


def lock(db: Connection) -> None:
    """One refresh at a time: it is what makes revisions grow one by one."""
    db.execute("SELECT pg_advisory_xact_lock(hashtext('rebate_fact'))")


def changed_since_last(db: Connection, entity: str) -> tuple[list[UUID], datetime]:
    """Documents of a kind that changed since they were last read, and the moment up to which this look reaches."""
    found = db.execute(
        f"SELECT id FROM {_TABLE[entity]} WHERE changed_at > coalesce((SELECT read_to - {OVERLAP} FROM rebate_fact_source "
        "WHERE entity = %s), '-infinity') ORDER BY id".encode(),
        [entity],
    ).fetchall()
    moment = db.execute("SELECT transaction_timestamp() AS at").fetchone()
    assert moment is not None  # noqa: S101  a SELECT without FROM gives a row
    return [_first(row) for row in found], _first(moment)


def note_read(db: Connection, entity: str, moment: datetime) -> None:
    """Changes up to the moment were read."""
    db.execute(
        "INSERT INTO rebate_fact_source (entity, read_to) VALUES (%s, %s) ON CONFLICT (entity) DO UPDATE SET read_to = excluded.read_to",
        [entity, moment],
    )


def refresh_documents(db: Connection, entity: str, ids: Sequence[UUID]) -> int:
    """New revisions for the lines of these documents, where they say something else than before; how many."""
    return _refresh(db, _FACTS[entity], {"touched": list(ids)})


def refresh_payments(db: Connection, orders: Sequence[UUID], receipts: Sequence[UUID]) -> int:
    """The same for what was paid on these orders, and by these receipts."""
    query = "SELECT DISTINCT parent_id AS id FROM receipt_lines WHERE order_id = ANY(%s::uuid[]) UNION SELECT unnest(%s::uuid[])"
    touched = [_first(row) for row in db.execute(query, [list(orders), list(receipts)]).fetchall()]
    return _refresh(db, _PAID, {"orders": list(orders), "touched": touched})


def orders_of(db: Connection, entity: str, ids: Sequence[UUID]) -> list[UUID]:
    """Orders that lines of these receivables or receipts name."""
    query = f"SELECT DISTINCT order_id FROM {entity}_lines WHERE parent_id = ANY(%s::uuid[]) AND order_id IS NOT NULL"
    return [_first(row) for row in db.execute(query.encode(), [list(ids)]).fetchall()]


# What is loaded ----------------------------------------------------------------------------------------------------------------


def dealers_named(db: Connection, codes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Dealers by the number or hub key that a table names them by: id, and what they are now, as facts of documents say it."""
    query = (
        "SELECT DISTINCT ON (n.code) n.code, b.id, coalesce(b.level, '') AS dealer_grade, coalesce(b.province, '') AS dealer_region, "
        "coalesce(b.channel_type, '') AS dealer_channel, coalesce((SELECT coalesce(nullif(u.number, ''), u.hub_key) FROM parties AS u "
        "WHERE u.id = b.parent_id), '') AS dealer_parent FROM unnest(%s::text[]) AS n (code) "
        "JOIN parties AS b ON b.number = n.code OR b.hub_key = n.code WHERE NOT b.retired ORDER BY n.code, b.number = n.code DESC, b.id"
    )
    with db.cursor(row_factory=dict_row) as cursor:
        return {row.pop("code"): row for row in cursor.execute(query.encode(), [list(codes)])}


def add_loaded(db: Connection, columns: Sequence[str], facts: Iterable[tuple[str, str, tuple[Any, ...]]]) -> int:
    """Append loaded facts (id, fingerprint, their columns) as new revisions where they say something else than before; how many."""
    names = ", ".join(columns)
    db.execute("DROP TABLE IF EXISTS fact_now, fact_news")
    db.execute(
        f"CREATE TEMP TABLE fact_now ON COMMIT DROP AS SELECT id, NULL::uuid AS document_id, NULL::uuid AS fingerprint, {names} "
        "FROM rebate_fact WITH NO DATA".encode()
    )
    with db.cursor() as cursor, cursor.copy(f"COPY fact_now (id, fingerprint, {names}) FROM STDIN".encode()) as copy:
        for identity, fingerprint, values in facts:
            copy.write_row((identity, fingerprint, *values))
    db.execute(_NEWS)
    db.execute("SELECT rebate_fact_month(month) FROM (SELECT DISTINCT date_trunc('month', date)::date AS month FROM fact_news) AS m")
    done = db.execute(
        f"INSERT INTO rebate_fact (id, revision, {names}) SELECT id, revision, {names} FROM fact_news ORDER BY date, id".encode()
    )
    db.execute(_HEADS)
    return done.rowcount


def _refresh(db: Connection, facts: str, parameters: Mapping[str, Any]) -> int:
    db.execute("DROP TABLE IF EXISTS fact_now, fact_news")
    db.execute(f"{_STAGE}{facts}) AS n) AS f".encode(), parameters)
    db.execute("ANALYZE fact_now")
    db.execute(_NEWS)
    db.execute(_VANISHED, parameters)
    db.execute("SELECT rebate_fact_month(month) FROM (SELECT DISTINCT date_trunc('month', date)::date AS month FROM fact_news) AS m")
    done = db.execute(_APPEND).rowcount
    db.execute(_HEADS)
    return done


def _first(row: Any) -> Any:
    return next(iter(row.values())) if isinstance(row, Mapping) else row[0]


# Reading -----------------------------------------------------------------------------------------------------------------------

READ: Final = tuple(
    "id kind dealer date revision quantity amount gross currency recorded_at order_date delivery_date invoice_date sell_out_date due_date "
    "document product product_line brand region channel customer company project price_kind unit returns_of applies_to "
    "dealer_grade dealer_region dealer_channel dealer_parent".split()
)
"""The columns that every fact has."""
_MORE: Final = frozenset(one.name for one in fields(Fact)) - set(READ) - {"row", "attributes"}
_NUMBERS: Final = frozenset({"old_price", "new_price", "sell_price", "cost_price", "contract_price"})


def later_revisions(db: Connection, *, known_at: datetime | None = None, ids: Sequence[str] | None = None) -> dict[str, int]:
    """The newest revision, known at a moment, of facts that have more than one; of those named, or of all.

    A fact whose day or dealer was corrected is then not taken where it was before.
    """
    query = (
        "SELECT id, max(revision) FROM rebate_fact WHERE revision > 1 AND (%(known)s::timestamptz IS NULL OR recorded_at <= %(known)s) "
        f"{'' if ids is None else 'AND id = ANY(%(ids)s) '}GROUP BY id"
    )
    with db.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(query.encode(), {"known": known_at, "ids": None if ids is None else list(ids)}))


def facts(
    db: Connection, start: date, end: date, *, known_at: datetime | None = None, dealers: Sequence[str] | None = None
) -> Iterator[Fact]:
    """The newest revision of each fact dated in `[start, end)`, as it was known at a moment; of some dealers, or of all."""
    query = (
        f"SELECT {', '.join(READ)}, more::text FROM rebate_fact WHERE date >= %(start)s AND date < %(end)s "
        "AND (%(known)s::timestamptz IS NULL OR recorded_at <= %(known)s) AND (%(dealers)s::text[] IS NULL OR dealer = ANY(%(dealers)s))"
    )
    values = {"start": start, "end": end, "known": known_at, "dealers": None if dealers is None else list(dealers)}
    later = later_revisions(db, known_at=known_at)
    with db.cursor(row_factory=tuple_row) as cursor:
        for *plain, more in cursor.execute(query.encode(), values):
            fact = fact_of(dict(zip(READ, plain, strict=True)), more)
            if later.get(fact.id, fact.revision) == fact.revision:
                yield fact


def fact_of(said: dict[str, Any], more: str | None) -> Fact:
    """A fact from its columns, and what few facts have besides as JSON text."""
    if more:
        besides = json.loads(more, parse_float=Decimal)
        said |= {name: Decimal(str(value)) if name in _NUMBERS else value for name, value in besides.items() if name in _MORE}
        if besides.get("attributes"):
            said["attributes"] = besides["attributes"]
    return Fact(**said)

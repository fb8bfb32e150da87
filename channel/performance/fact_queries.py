"""Facts of performance on the ledger: what the documents say becomes revisions, a set a statement; and facts as they were once known.

What was sold stands in the facts of rebates already; here it is only summed up, by day, dealer, product line, project and customer. The
rest (invoices, advances, projects, follow-ups, targets, who the dealers are) is compared with what was known and kept where it differs.
Days are business days (Asia/Shanghai). Only approved documents that are not void count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
Event = Literal["invoice", "delivery", "order"]
RULE: Final = "rule:performance"
"""Who records what follows from documents; its facts go when the documents do."""


def rows(db: Connection, query: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> list[Row]:
    """All rows of a query, by name."""
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def one(db: Connection, query: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> Row | None:
    """The first row, None if there is none."""
    found = rows(db, query, parameters)
    return found[0] if found else None


# From the documents ------------------------------------------------------------------------------------------------------------

_DAY: Final = "({moment} AT TIME ZONE 'Asia/Shanghai')::date"
_COUNTS: Final = "NOT {d}.retired AND {d}.approval = 'approved' AND coalesce({d}.status, '') <> 'void' AND {d}.party_id IS NOT NULL"


def _number(sql: str) -> str:
    return f"trim_scale({sql})::text"


def _doc(**columns: str) -> str:
    """A document of columns; a column without a value is absent, so that equal facts are equal bytes."""
    return "jsonb_strip_nulls(jsonb_build_object(" + ", ".join(f"'{name}', {sql}" for name, sql in columns.items()) + "))"


_DEALERS: Final = (
    "SELECT 'dealer:' || p.id AS id, 'dealer' AS kind, p.id AS dealer_id, date '2000-01-01' AS date, "
    + _doc(
        code="coalesce(nullif(p.number, ''), p.hub_key)",
        name="coalesce(nullif(p.doc->>'short_name', ''), p.name)",
        grade="p.level",
        region=(
            "coalesce((SELECT t.region FROM territorys AS t WHERE t.party_id = p.id AND NOT t.retired AND t.region <> '' "
            "AND (t.valid_from IS NULL OR t.valid_from <= %(as_of)s) AND (t.valid_to IS NULL OR t.valid_to >= %(as_of)s) "
            "ORDER BY t.region LIMIT 1), p.province)"
        ),
        lines="nullif((p.doc->'product_lines')::jsonb, '[]')",
    )
    + " AS doc FROM parties AS p WHERE NOT p.retired AND (p.doc->'roles')::jsonb @> '[\"dealer\"]' "
    "AND coalesce(p.doc->>'internal', 'false') <> 'true'"
)
_INVOICES: Final = (
    "SELECT CASE WHEN r.total > 0 THEN 'invoice:' ELSE 'credit_note:' END || r.id, "
    "CASE WHEN r.total > 0 THEN 'invoice' ELSE 'credit_note' END, r.party_id, r.billed_on, "
    + _doc(
        amount=_number("abs(r.total)"),
        currency="r.currency",
        document="r.number",
        due_date="CASE WHEN r.total > 0 THEN greatest(r.due_on, r.billed_on)::text END",
        applies_to=(
            "CASE WHEN r.total <= 0 THEN (SELECT b.number FROM receivables AS b WHERE b.order_id = r.order_id AND b.party_id = r.party_id "
            "AND b.total > 0 AND b.billed_on <= r.billed_on AND b.doc->>'kind' = 'financial' AND "
            + _COUNTS.format(d="b")
            + " ORDER BY b.billed_on DESC, b.number DESC LIMIT 1) END"
        ),
    )
    + " FROM receivables AS r WHERE r.doc->>'kind' = 'financial' AND r.billed_on IS NOT NULL AND r.total <> 0 AND "
    + _COUNTS.format(d="r")
)
_MATCHED: Final = (
    "SELECT 'payment:' || m.id, 'payment', c.party_id, c.received_on, "
    + _doc(amount=_number("m.amount"), currency="c.currency", document="c.number", applies_to="b.number")
    + " FROM receipt_matchings AS m JOIN receipts AS c ON c.id = m.parent_id JOIN receivables AS b ON b.id = m.receivable_id "
    "WHERE c.received_on IS NOT NULL AND m.amount IS NOT NULL AND " + _COUNTS.format(d="c")
)
"""A receipt that the ERP matched with receivables pays these."""
_ADVANCES: Final = (
    "SELECT 'advance:' || c.id, 'payment', c.party_id, c.received_on, "
    + _doc(amount=_number("c.amount - coalesce(a.applied, 0)"), currency="c.currency", document="c.number")
    + " FROM receipts AS c LEFT JOIN ("
    "SELECT parent_id AS id, sum(amount) AS applied FROM receipt_matchings WHERE receivable_id IS NOT NULL GROUP BY 1 UNION ALL "
    "SELECT h.document_id, sum(f.gross) FROM rebate_fact_head AS h JOIN rebate_fact AS f ON f.date = h.date AND f.id = h.id "
    "AND f.revision = h.revision WHERE f.kind = 'payment' AND NOT h.gone AND NOT EXISTS (SELECT FROM receipt_matchings AS m "
    "WHERE m.parent_id = h.document_id AND m.receivable_id IS NOT NULL) GROUP BY 1) AS a ON a.id = c.id "
    "WHERE c.received_on IS NOT NULL AND c.amount > coalesce(a.applied, 0) AND " + _COUNTS.format(d="c")
)
"""What no receivable is paid with yet."""
_PROJECTS: Final = (
    "SELECT 'project:' || r.id, 'project', r.dealer_id, e.accepted, "
    + _doc(
        product_line="nullif(r.product_line, '')",
        converted_date="greatest(e.converted, e.accepted)::text",
        withdrawn_date="CASE WHEN r.status IN ('rejected', 'released', 'transferred', 'taken_back') "
        "THEN greatest(e.ended, e.accepted)::text END",
    )
    + " FROM registration AS r JOIN LATERAL (SELECT "
    + ", ".join(
        f"{_DAY.format(moment=f'{way}(at) FILTER (WHERE after = ANY({stages}))')} AS {name}"
        for name, way, stages in (
            ("accepted", "min", "'{protected}'"),
            ("converted", "min", "'{converted}'"),
            ("ended", "max", "'{rejected,released,transferred,taken_back}'"),
        )
    )
    + " FROM registration_event WHERE registration_id = r.id) AS e ON true WHERE r.dealer_id IS NOT NULL AND e.accepted IS NOT NULL"
)
"""By the day on which the protection began; expired is not withdrawn."""
_FOLLOW_UPS: Final = (
    "SELECT DISTINCT ON (1) 'follow_up:' || f.deal_id || ':' || f.due, 'follow_up', f.dealer_id, least(f.due, f.done), "
    + _doc(due_date="f.due::text", done_date="f.done::text", project="nullif(f.number, '')", product_line="nullif(f.line, '')")
    + " FROM (SELECT id AS deal_id, dealer_id, number, doc->>'product_line' AS line, "
    "(doc->>'next_action_on')::date AS due, NULL::date AS done FROM deals WHERE NOT retired "
    "AND coalesce(stage_kind, '') NOT IN ('lost', 'paid', 'review') UNION ALL "
    "SELECT d.id, d.dealer_id, d.number, d.doc->>'product_line', (h.changed->'next_action_on'->>0)::date, "
    + _DAY.format(moment="h.at")
    + " FROM history AS h JOIN deals AS d ON d.id = h.entity_id WHERE h.entity = 'deal' AND h.changed->'next_action_on' IS NOT NULL"
    ") AS f WHERE f.dealer_id IS NOT NULL AND f.due IS NOT NULL ORDER BY 1, f.done NULLS FIRST"
)
"""A deal's next action is done when it makes room for the next one."""
_CROSSED: Final = (
    "SELECT 'cross_region:' || h.id, 'cross_region', h.dealer_id, "
    + _DAY.format(moment="h.at")
    + ", "
    + _doc(status="CASE h.state WHEN 'open' THEN 'suspected' WHEN 'refused' THEN 'confirmed' ELSE 'rejected' END", document="h.subject")
    + " FROM fence_hit AS h WHERE h.subject LIKE 'shipment:%%' OR h.subject LIKE 'order:%%'"
)
_TARGETS: Final = (
    "SELECT 'target:agreement:' || a.id, 'target', a.party_id, a.valid_from, "
    + _doc(amount=_number("(a.doc->>'target')::numeric"), currency="a.doc->>'currency'", to="(a.valid_to + 1)::text", source="'agreement'")
    + " FROM agreements AS a WHERE NOT a.retired AND a.doc->>'status' <> 'draft' AND (a.doc->>'target')::numeric > 0 "
    "AND a.party_id IS NOT NULL AND a.valid_from <= a.valid_to UNION ALL "
    "SELECT 'target:party:' || p.id || ':' || extract(year FROM %(as_of)s::date), 'target', p.id, "
    "date_trunc('year', %(as_of)s::date)::date, "
    + _doc(
        amount=_number("(p.doc->>'annual_target')::numeric"),
        currency="'CNY'",
        to="(date_trunc('year', %(as_of)s::date) + interval '1 year')::date::text",
        source="'party'",
    )
    + " FROM parties AS p WHERE NOT p.retired AND (p.doc->>'annual_target')::numeric > 0"
)
_CLAIMS: Final = (
    "SELECT 'claim:' || c.id, CASE c.type WHEN 'fund' THEN 'support' ELSE 'price_protection' END, c.dealer_id, e.day, "
    + _doc(amount=_number("c.allowed"), currency="c.currency", document="c.id")
    + " FROM fund_claim AS c JOIN LATERAL (SELECT "
    + _DAY.format(moment="min(at)")
    + " AS day FROM fund_claim_event WHERE claim_id = c.id AND what = 'approved') AS e ON true "
    "WHERE c.state IN ('approved', 'paid') AND e.day IS NOT NULL"
)
"""What was granted out of funds, and against price cuts, by the day of the approval."""
_STOCK: Final = (
    "SELECT 'stock:' || s.holder_id || ':' || s.product || ':' || s.day, 'stock', s.holder_id, s.day, "
    + _doc(product="s.product", quantity=_number("s.quantity"))
    + " FROM (SELECT s.holder_id, p.number AS product, sum(s.quantity) AS quantity, "
    + _DAY.format(moment="max(coalesce((s.doc->>'as_of')::timestamptz, s.changed_at))")
    + " AS day FROM stock_levels AS s JOIN products AS p ON p.id = s.product_id WHERE s.holder_id IS NOT NULL AND NOT s.retired "
    "AND s.quantity >= 0 AND p.number <> '' GROUP BY 1, 2) AS s"
)
"""What lies at dealers where a system tells it, of the day on which it last changed; each such day is a fact of its own."""
_NOW: Final = (
    "CREATE TEMP TABLE performance_now ON COMMIT DROP AS SELECT * FROM ("
    + " UNION ALL ".join(f"SELECT * FROM ({one}) AS {name}" for name, one in (
        ("d", _DEALERS), ("i", _INVOICES), ("m", _MATCHED), ("a", _ADVANCES), ("p", _PROJECTS), ("f", _FOLLOW_UPS), ("c", _CROSSED),
        ("t", _TARGETS), ("g", _CLAIMS), ("s", _STOCK),
    ))
    + ") AS n"
)  # fmt: skip
_KNOWN_NOW: Final = (
    "CREATE TEMP TABLE performance_known ON COMMIT DROP AS SELECT DISTINCT ON (id) id, revision, recorded_by, kind, dealer_id, date, gone, "
    "doc FROM performance_fact ORDER BY id, revision DESC"
)
_NEWS: Final = (
    "INSERT INTO performance_fact (id, revision, recorded_by, kind, dealer_id, date, gone, doc) "
    "SELECT n.id, coalesce(k.revision, 0) + 1, %(rule)s, n.kind, n.dealer_id, n.date, false, n.doc FROM performance_now AS n "
    "LEFT JOIN performance_known AS k ON k.id = n.id WHERE k.id IS NULL OR k.gone OR (k.kind, k.dealer_id, k.date, k.doc) "
    "IS DISTINCT FROM (n.kind, n.dealer_id, n.date, n.doc) UNION ALL "
    "SELECT k.id, k.revision + 1, %(rule)s, k.kind, k.dealer_id, k.date, true, k.doc FROM performance_known AS k "
    "WHERE k.recorded_by = %(rule)s AND NOT k.gone AND k.kind <> 'stock' AND NOT (k.id LIKE 'target:party:%%' "
    "AND k.date < date_trunc('year', %(as_of)s::date)) AND NOT EXISTS (SELECT FROM performance_now AS n WHERE n.id = k.id)"
)
"""A count of stock stays what was counted that day, and last year's target what it was."""


def lock(db: Connection) -> None:
    """One at a time: it is what makes revisions grow one by one."""
    db.execute("SELECT pg_advisory_xact_lock(hashtext('performance'))")


def refresh(db: Connection, as_of: date) -> int:
    """New revisions of what the documents say otherwise than before; how many. Within the caller's transaction, under the lock."""
    said = {"as_of": as_of, "rule": RULE}
    db.execute("DROP TABLE IF EXISTS performance_now, performance_known")
    db.execute(_NOW.encode(), said)
    db.execute(_KNOWN_NOW)
    db.execute("ANALYZE performance_now, performance_known")
    return db.execute(_NEWS.encode(), said).rowcount


def add(db: Connection, facts: Sequence[tuple[str, str, UUID, date, str]], by: str) -> int:
    """Facts that somebody loads: id, kind, dealer, day and JSON text of the rest; how many are new or say something else than before."""
    db.execute("DROP TABLE IF EXISTS performance_now")
    db.execute("CREATE TEMP TABLE performance_now (id text, kind text, dealer_id uuid, date date, doc jsonb) ON COMMIT DROP")
    with db.cursor() as cursor, cursor.copy("COPY performance_now FROM STDIN") as copy:
        for fact in facts:
            copy.write_row(fact)
    query = (
        "INSERT INTO performance_fact (id, revision, recorded_by, kind, dealer_id, date, doc) "
        "SELECT n.id, coalesce(k.revision, 0) + 1, %(by)s, n.kind, n.dealer_id, n.date, n.doc FROM performance_now AS n "
        "LEFT JOIN LATERAL (SELECT * FROM performance_fact AS f WHERE f.id = n.id ORDER BY revision DESC LIMIT 1) AS k ON true "
        "WHERE k.id IS NULL OR k.gone OR (k.kind, k.dealer_id, k.date, k.doc) IS DISTINCT FROM (n.kind, n.dealer_id, n.date, n.doc)"
    )
    return db.execute(query, {"by": by}).rowcount


def end(db: Connection, identity: str, by: str) -> bool:
    """A fact that somebody loaded is not so any more; False where there is none."""
    query = (
        "INSERT INTO performance_fact (id, revision, recorded_by, kind, dealer_id, date, gone, doc) "
        "SELECT id, revision + 1, %s, kind, dealer_id, date, true, doc FROM (SELECT * FROM performance_fact WHERE id = %s "
        "ORDER BY revision DESC LIMIT 1) AS f WHERE NOT gone AND recorded_by <> %s"
    )
    return db.execute(query.encode(), [by, identity, RULE]).rowcount == 1


def dealer_ids(db: Connection, codes: Sequence[str]) -> dict[str, UUID]:
    """Parties by number or hub key."""
    query = (
        "SELECT DISTINCT ON (n.code) n.code, p.id FROM unnest(%s::text[]) AS n (code) "
        "JOIN parties AS p ON p.number = n.code OR p.hub_key = n.code WHERE NOT p.retired ORDER BY n.code, p.number = n.code DESC, p.id"
    )
    return {row["code"]: row["id"] for row in rows(db, query, [list(codes)])}


def is_dealer(db: Connection, party: UUID) -> bool:
    """True for a dealer."""
    query = "SELECT 1 AS yes FROM parties WHERE id = %s AND NOT retired AND (doc->'roles')::jsonb @> '[\"dealer\"]'"
    return one(db, query, [party]) is not None


# As they were known ------------------------------------------------------------------------------------------------------------

_KNOWN: Final = (
    "SELECT DISTINCT ON (id) id, kind, dealer_id, date, gone, recorded_by, doc FROM performance_fact WHERE recorded_at <= %(known)s "
    "AND kind = ANY(%(kinds)s::text[]) ORDER BY id, revision DESC"
)


def facts(db: Connection, kinds: Sequence[str], until: date, known_at: datetime) -> list[Row]:
    """Facts of some kinds dated up to a day, as they were known at a moment."""
    query = f"SELECT id, kind, dealer_id, date, recorded_by, doc FROM ({_KNOWN}) AS f WHERE NOT gone AND date <= %(until)s ORDER BY id"
    return rows(db, query, {"kinds": list(kinds), "until": until, "known": known_at})


def named(db: Connection, ids: Sequence[str], known_at: datetime) -> list[Row]:
    """Single facts by their ids, as they were known at a moment."""
    query = (
        "SELECT DISTINCT ON (id) id, kind, date, doc FROM performance_fact WHERE id = ANY(%s::text[]) AND recorded_at <= %s "
        "ORDER BY id, revision DESC"
    )
    return rows(db, query, [list(ids), known_at])


_LINES: Final = (
    "SELECT DISTINCT ON (id) id, kind, dealer_id, date, currency, quantity, amount, gross, product, product_line, project, applies_to, "
    "document, order_date, delivery_date, invoice_date FROM rebate_fact WHERE date >= %(start)s AND recorded_at <= %(known)s "
    "ORDER BY id, revision DESC"
)
"""Without an upper bound: a line that was moved to a later day is not counted on its old one."""


def sold(db: Connection, event: Event, start: date, end: date, known_at: datetime) -> list[Row]:
    """What was sold and came back in `[start, end)` by the day of an event: sums by day, dealer, product line, project and currency.

    Lines whose tax is not known count with it.
    """
    summed = (
        "SELECT CASE WHEN f.kind = 'sale' THEN 'sale' ELSE 'return' END AS kind, f.dealer_id, f.date, f.currency, f.product_line, "
        f"f.project, sum(coalesce(f.amount, f.gross, 0)) AS amount, sum(f.quantity) AS quantity FROM ({_LINES}) AS f "
        f"WHERE f.date < %(end)s AND f.{event}_date IS NOT NULL AND f.kind IN ('sale', 'return', 'credit') AND f.dealer_id IS NOT NULL "
        "GROUP BY 1, 2, 3, 4, 5, 6"
    )
    customers = (
        "SELECT DISTINCT ON (d.number) d.number, coalesce(nullif(c.number, ''), c.hub_key) AS customer "
        "FROM deals AS d JOIN parties AS c ON c.id = d.customer_id WHERE d.number <> '' ORDER BY d.number, d.id"
    )
    query = (
        f"SELECT s.*, coalesce(c.customer, '') AS customer FROM ({summed}) AS s LEFT JOIN ({customers}) AS c ON c.number = s.project "
        "ORDER BY s.kind, s.dealer_id, s.date, s.currency, s.product_line, s.project"
    )
    return rows(db, query, {"start": start, "end": end, "known": known_at})


def shipped(db: Connection, start: date, end: date, known_at: datetime) -> list[Row]:
    """Units that went out in `[start, end)`, by month, dealer and product line."""
    query = (
        "SELECT f.dealer_id, date_trunc('month', f.date)::date AS date, f.product_line, sum(f.quantity) AS quantity "
        f"FROM ({_LINES}) AS f WHERE f.date < %(end)s AND f.delivery_date IS NOT NULL AND f.kind = 'sale' AND f.dealer_id IS NOT NULL "
        "GROUP BY 1, 2, 3 HAVING sum(f.quantity) > 0 ORDER BY 1, 2, 3"
    )
    return rows(db, query, {"start": start, "end": end, "known": known_at})


def paid(db: Connection, end: date, known_at: datetime) -> list[Row]:
    """What receipts paid of the receivables of the order that they name, before a day; not of receipts that the ERP matched itself."""
    query = (
        "SELECT f.id, f.dealer_id, f.date, f.currency, f.document, f.applies_to, f.gross AS amount FROM ("
        "SELECT DISTINCT ON (id) * FROM rebate_fact WHERE kind = 'payment' AND recorded_at <= %(known)s ORDER BY id, revision DESC) AS f "
        "LEFT JOIN rebate_fact_head AS h ON h.id = f.id WHERE f.date < %(end)s AND f.gross > 0 AND f.dealer_id IS NOT NULL "
        "AND NOT EXISTS (SELECT FROM receipt_matchings AS m WHERE m.parent_id = h.document_id AND m.receivable_id IS NOT NULL) "
        "ORDER BY f.id"
    )
    return rows(db, query, {"end": end, "known": known_at})


def rebated(db: Connection, start: date, end: date, known_at: datetime) -> list[Row]:
    """Rebates that arose for dealers in `[start, end)`: accrued, and settled beyond what was accrued. A night books the day before."""
    query = (
        "SELECT dealer_id, (at AT TIME ZONE 'Asia/Shanghai')::date - 1 AS date, currency, sum(amount) AS amount FROM rebate_entry "
        "WHERE cause IN ('accrual', 'settlement') AND account IN ('accrued', 'available') AND dealer_id IS NOT NULL AND at <= %(known)s "
        "GROUP BY 1, 2, 3 HAVING sum(amount) <> 0"
    )
    return rows(db, f"SELECT * FROM ({query}) AS b WHERE date >= %(start)s AND date < %(end)s ORDER BY 1, 2, 3", {
        "start": start, "end": end, "known": known_at,
    })  # fmt: skip


def sell_out(db: Connection, start: date, end: date, known_at: datetime) -> list[Row]:
    """What dealers sold on in `[start, end)`, by dealer, product and day; as loaded here, else as loaded for rebates."""
    query = (
        f"WITH own AS (SELECT dealer_id, doc->>'product' AS product, date, (doc->>'quantity')::numeric AS quantity, "
        f"coalesce((doc->>'returned')::numeric, 0) AS returned FROM ({_KNOWN}) AS f WHERE NOT gone AND date >= %(start)s "
        "AND date < %(end)s) SELECT dealer_id, product, date, sum(quantity) AS quantity, sum(returned) AS returned "
        "FROM (SELECT * FROM own UNION ALL "
        f"SELECT dealer_id, product, date, quantity, 0 FROM ({_LINES}) AS f WHERE f.kind = 'sell_out' AND f.date < %(end)s "
        "AND f.dealer_id IS NOT NULL AND f.dealer_id NOT IN (SELECT dealer_id FROM own)) AS s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    return rows(db, query, {"start": start, "end": end, "known": known_at, "kinds": ["sell_out"]})


def on_order(db: Connection) -> list[Row]:
    """What dealers ordered and did not get yet, by dealer and product, now."""
    query = (
        "SELECT o.party_id AS dealer_id, p.number AS product, "
        "sum((l.doc->>'quantity')::numeric - coalesce((l.doc->>'shipped_quantity')::numeric, 0)) AS quantity "
        "FROM orders AS o JOIN order_lines AS l ON l.parent_id = o.id JOIN products AS p ON p.id = l.product_id "
        "WHERE coalesce(o.status, 'open') = 'open' AND coalesce(l.doc->>'status', 'open') = 'open' AND " + _COUNTS.format(d="o")
        + " AND (l.doc->>'quantity')::numeric > coalesce((l.doc->>'shipped_quantity')::numeric, 0) AND p.number <> '' GROUP BY 1, 2"
    )  # fmt: skip
    return rows(db, query)

"""Statements about who asks for a price: the dealer with its grade, regions and lists, its projects, its special prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row, tuple_row

Connection = psycopg.Connection[Any]
Names = Mapping[UUID, str]
"""Items by product."""

_NAME: Final = "coalesce(nullif({0}.number, ''), {0}.hub_key)"


@dataclass(frozen=True, slots=True)
class Party:
    """A party as prices look at it. Days are business days."""

    id: UUID
    name: str
    """Its number, else its hub key."""
    title: str
    grade: str
    channel: str
    discount_rate: Decimal | None
    """协议折扣 that stands on the party itself; a fraction."""
    companies: tuple[str, ...]
    """Companies of ours that it deals with."""
    currencies: tuple[str, ...]
    """Currency of trade in each of them; empty: not said."""
    lists: tuple[str, ...]
    """Price lists that it is bound to in those companies: `company:list`."""
    territory: tuple[str, ...]
    agreements: tuple[tuple[str, str, Decimal], ...]
    """Agreements valid on the day: number, company (empty: all), discount."""


def party(db: Connection, name: str, on: date) -> Party | None:
    """A party by number, hub key or id; its number goes first."""
    found = _rows(db, _PARTY + _BY_NAME, {"name": name, "id": _uuid(name), "day": on})
    return _party(found[0]) if found else None


def sells_to(db: Connection, dealer: UUID, customer: UUID) -> bool:
    """Whether a dealer has a deal with a customer, or is the customer itself."""
    if dealer == customer:
        return True
    query = "SELECT id FROM deals WHERE dealer_id = %s AND customer_id = %s AND NOT retired LIMIT 1"
    return bool(_rows(db, query, [dealer, customer]))


def dealers(db: Connection, on: date, after: UUID | None = None, limit: int = 500) -> list[Party]:
    """The dealers that may be sold to, by id, a page at a time."""
    values = {"day": on, "after": after, "limit": limit}
    return [_party(row) for row in _rows(db, _PARTY + _ALL_DEALERS, values)]


def _party(row: dict[str, Any]) -> Party:
    return Party(
        row["id"], row["name"], row["title"], row["grade"], row["channel"], row["discount_rate"], tuple(row["companies"]),
        tuple(row["currencies"]),
        tuple(row["lists"]),
        () if "" in row["territory"] else tuple(row["territory"]),
        tuple((number, company, rate) for number, company, rate in zip(row["a_numbers"], row["a_companies"], row["a_rates"], strict=True)),
    )  # fmt: skip


def _rows(db: Connection, query: str, values: Any) -> list[dict[str, Any]]:
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), values, prepare=True).fetchall()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


_PARTY: Final = f"""
SELECT p.id, {_NAME.format("p")} AS name, coalesce(p.name, '') AS title, coalesce(p.level, '') AS grade,
    coalesce(p.channel_type, '') AS channel,
    nullif(p.doc->>'discount_rate', '')::numeric AS discount_rate,
    c.companies, c.currencies,
    ARRAY(SELECT coalesce(o.number, '') || ':' || {_NAME.format("l")} FROM party_companies AS c
        JOIN price_lists AS l ON l.id = nullif(c.doc->>'price_list', '')::uuid LEFT JOIN companies AS o ON o.id = c.company_id
        WHERE c.parent_id = p.id ORDER BY 1) AS lists,
    ARRAY(SELECT DISTINCT coalesce(t.region, '') FROM territorys AS t WHERE t.party_id = p.id AND NOT t.retired
        AND (t.valid_from IS NULL OR t.valid_from <= %(day)s) AND (t.valid_to IS NULL OR t.valid_to >= %(day)s)
        UNION SELECT f.region FROM fence AS f WHERE f.dealer_id = p.id AND %(day)s::date BETWEEN f.valid_from AND f.valid_to) AS territory,
    a.a_numbers, a.a_companies, a.a_rates
FROM parties AS p CROSS JOIN LATERAL (
    SELECT coalesce(array_agg({_NAME.format("g")} ORDER BY g.id), '{{}}') AS a_numbers,
        coalesce(array_agg(coalesce(o.number, '') ORDER BY g.id), '{{}}') AS a_companies,
        coalesce(array_agg((g.doc->>'discount_rate')::numeric ORDER BY g.id), '{{}}') AS a_rates
    FROM agreements AS g LEFT JOIN companies AS o ON o.id = g.company_id
    WHERE g.party_id = p.id AND NOT g.retired AND coalesce(g.doc->>'discount_rate', '') <> '' AND g.doc->>'status' = 'active'
        AND (g.valid_from IS NULL OR g.valid_from <= %(day)s) AND (g.valid_to IS NULL OR g.valid_to >= %(day)s)) AS a
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(t.number ORDER BY t.number), '{{}}') AS companies,
        coalesce(array_agg(t.currency ORDER BY t.number), '{{}}') AS currencies
    FROM (SELECT o.number, coalesce(max(c.doc->>'currency'), '') AS currency FROM party_companies AS c
        JOIN companies AS o ON o.id = c.company_id WHERE c.parent_id = p.id AND o.number <> '' GROUP BY o.number) AS t) AS c
"""
_BY_NAME: Final = """
WHERE (p.number = %(name)s OR p.hub_key = %(name)s OR p.id = %(id)s) AND NOT p.retired AND %(name)s <> ''
ORDER BY p.number = %(name)s DESC, p.id LIMIT 1
"""
_ALL_DEALERS: Final = """
WHERE NOT p.retired AND coalesce(p.status, 'active') = 'active' AND (%(after)s::uuid IS NULL OR p.id > %(after)s::uuid)
    AND EXISTS (SELECT FROM json_array_elements_text(CASE WHEN json_typeof(p.doc->'roles') = 'array' THEN p.doc->'roles' ELSE '[]' END) AS r
        WHERE r = 'dealer') ORDER BY p.id LIMIT %(limit)s
"""


AS_OF_NOW: Final = ("regions", "lists", "agreements", "projects")
"""What is known of a dealer that nothing tells of an earlier moment."""


def then(db: Connection, party: Party, known_at: datetime) -> Party:
    """A party as it was known at a moment, as far as its history tells: grade, channel and the discount that stands on itself."""
    query = (
        "SELECT DISTINCT ON (f.path) f.path, h.changed->f.path->>0 AS before FROM history AS h "
        "CROSS JOIN unnest(ARRAY['level', 'channel_type', 'discount_rate']) AS f (path) WHERE h.entity = 'party' AND h.entity_id = %s "
        "AND h.at > %s AND h.changed->f.path IS NOT NULL ORDER BY f.path, h.seq"
    )
    before = {row["path"]: row["before"] or "" for row in _rows(db, query, [party.id, known_at])}
    rate = before.get("discount_rate")
    return replace(
        party, grade=before.get("level", party.grade), channel=before.get("channel_type", party.channel),
        discount_rate=party.discount_rate if rate is None else Decimal(rate) if rate else None,
    )  # fmt: skip


def companies(db: Connection) -> list[str]:
    """Numbers of our companies."""
    return [
        row["number"] for row in _rows(db, "SELECT DISTINCT number FROM companies WHERE NOT retired AND number <> '' ORDER BY number", [])
    ]


def product(db: Connection, name: str, names: Names) -> str | None:
    """The item of a product that is named by its hub key or id: as `names` has it, else its number of now."""
    query = "SELECT id, number FROM products WHERE (hub_key = %(name)s OR id = %(id)s) AND NOT retired AND number <> '' LIMIT 1"
    found = _rows(db, query, {"name": name, "id": _uuid(name)})
    return names.get(found[0]["id"], found[0]["number"]) if found else None


@dataclass(frozen=True, slots=True)
class Project:
    """A registration of a project, as prices look at it; `dealer` and `customer` by name. Days are business days, half-open."""

    id: UUID
    deal_id: UUID | None
    dealer: str
    customer: str
    live: bool
    line: str
    starts: date
    ends: date | None


_PROJECT: Final = f"""
SELECT r.id, r.deal_id, {_NAME.format("d")} AS dealer, coalesce((SELECT {_NAME.format("q")} FROM customer AS c JOIN customer AS t
        ON t.id = coalesce(c.root, c.id) JOIN parties AS q ON q.id = t.party_id WHERE c.id = r.customer_id), '') AS customer,
    r.status IN ('protected', 'converted') AS live, r.product_line AS line,
    (lower(r.protected) AT TIME ZONE 'Asia/Shanghai')::date AS starts,
    CASE WHEN NOT upper_inf(r.protected) THEN (upper(r.protected) AT TIME ZONE 'Asia/Shanghai')::date END AS ends
FROM registration AS r JOIN parties AS d ON d.id = r.dealer_id
"""


def projects(db: Connection, name: str) -> list[Project]:
    """The registrations of a project: by the registration's id, or by its deal's number, hub key or id; live ones first, newest first."""
    query = _PROJECT + (
        "WHERE r.id = %(id)s OR r.deal_id IN (SELECT e.id FROM deals AS e WHERE (e.number = %(name)s OR e.hub_key = %(name)s "
        "OR e.id = %(id)s) AND %(name)s <> '') ORDER BY r.status IN ('protected', 'converted') DESC, r.submitted_at DESC, r.id LIMIT 50"
    )
    with db.cursor(row_factory=class_row(Project)) as cursor:
        return cursor.execute(query.encode(), {"name": name, "id": _uuid(name)}).fetchall()


@dataclass(frozen=True, slots=True)
class Special:
    """An item of a special price, with what is used of it."""

    id: str
    item: str
    price: Decimal
    ceiling: Decimal | None
    consumed: Decimal
    left_amount: Decimal | None
    currency: str
    tax_included: bool
    approver: str
    over_ceiling: str
    valid_from: date | None
    valid_to: date | None
    company: str


_SPECIAL: Final = f"""
SELECT s.id, {_NAME.format("p")} AS item, i.price, i.ceiling, {{consumed}} AS consumed, s.ceiling_amount - {{amount}} AS left_amount,
    s.currency, s.tax_included, CASE {{state}} WHEN 'approved' THEN 'approved' ELSE '' END AS approver, s.over_ceiling,
    s.valid_from, s.valid_to,
    coalesce((SELECT o.number FROM companies AS o WHERE o.id = s.company_id), '') AS company
FROM special_price AS s JOIN special_price_item AS i ON i.special_id = s.id JOIN products AS p ON p.id = i.product_id
WHERE s.dealer_id = %(dealer)s AND {{state}} IN ('asked', 'approved')
    AND (s.registration_id = ANY(%(registrations)s::uuid[]) OR s.deal_id = ANY(%(deals)s::uuid[])) ORDER BY s.id, i.product_id
"""
_EVENTS: Final = "FROM special_price_event AS e WHERE e.special_id = s.id AND e.at <= %(known_at)s AND e.what"
_NOW: Final = {"state": "s.state", "consumed": "i.consumed", "amount": "s.consumed_amount"}
_THEN: Final = {
    "state": f"(SELECT e.what {_EVENTS} <> 'used' ORDER BY e.id DESC LIMIT 1)",
    "consumed": f"coalesce((SELECT sum(e.quantity) {_EVENTS} = 'used' AND e.product_id = i.product_id), 0)",
    "amount": f"coalesce((SELECT sum(e.amount) {_EVENTS} = 'used'), 0)",
}


def specials(
    db: Connection, dealer: UUID, registrations: Sequence[UUID], deals: Sequence[UUID], *, known_at: datetime | None = None
) -> list[Special]:
    """Special prices of a dealer for a project, approved or waiting, with what is used of them; as it was known at a moment, when said."""
    values = {"dealer": dealer, "registrations": list(registrations), "deals": list(deals), "known_at": known_at}
    query = _SPECIAL.format(**(_NOW if known_at is None else _THEN))
    with db.cursor(row_factory=class_row(Special)) as cursor:
        return cursor.execute(query.encode(), values).fetchall()


def stock(db: Connection, items: Sequence[str], company: str) -> dict[str, Decimal]:
    """Free base units of our own stock, by item, as the systems last said; items that no system speaks of are not named."""
    query = (
        "SELECT n.name, sum(coalesce(s.available, s.quantity)) FROM unnest(%s::text[]) AS n (name) JOIN products AS p ON p.number = n.name "
        "JOIN stock_levels AS s ON s.product_id = p.id LEFT JOIN companies AS o ON o.id = s.company_id "
        "WHERE NOT s.retired AND s.holder_id IS NULL AND (%s = '' OR o.number IS NULL OR o.number = %s) GROUP BY n.name"
    )
    with db.cursor(row_factory=tuple_row) as cursor:
        return {name: free for name, free in cursor.execute(query.encode(), [list(items), company, company]) if free is not None}

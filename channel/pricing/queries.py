"""Statements about what prices are made of: versions of lists, lines and products, published rules.

Days are business days (Asia/Shanghai). A price list's `valid_to` is its last day, as systems keep it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row, tuple_row

from channel.pricing.lists import Head, Row
from channel.pricing.model import Item
from ledger.bulk import from_json

Connection = psycopg.Connection[Any]
Named = dict[str, Any]


def rows(db: Connection, query: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> list[Named]:
    """All rows of a query, by name."""
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def one(db: Connection, query: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> Named | None:
    """The first row, None if there is none."""
    found = rows(db, query, parameters)
    return found[0] if found else None


def lock(db: Connection) -> None:
    """Versions of prices are made one after another, until the end of the transaction that makes one."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended('price version', 0))")


# Versions --------------------------------------------------------------------------------------------------------------------


def state(db: Connection) -> tuple[int, bool]:
    """The newest version (0: none yet), and whether something has been written since. One index look-up each."""
    with db.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(
            "SELECT coalesce((SELECT max(id) FROM price_version), 0), EXISTS (SELECT FROM price_touch)", prepare=True
        ).fetchone()
    return found or (0, False)


def visible(db: Connection, versions: Sequence[int]) -> list[int]:
    """Those of some versions that are there, as this transaction sees it; oldest first."""
    return [row["id"] for row in rows(db, "SELECT id FROM price_version WHERE id = ANY(%s::bigint[]) ORDER BY id", [list(versions)])]


def version_at(db: Connection, moment: datetime) -> int | None:
    """The version that counted at a moment; None before the first."""
    found = one(db, "SELECT max(id) AS id FROM price_version WHERE made_at <= %s", [moment])
    return None if found is None else found["id"]


def new_version(db: Connection, cause: str) -> int:
    """The number of a new version."""
    found = one(db, "INSERT INTO price_version (cause) VALUES (%s) RETURNING id", [cause])
    assert found is not None  # noqa: S101  an insert returns its row
    return int(found["id"])


def untouch(db: Connection) -> set[str]:
    """Take what was noted of writes: the tables that were written. What is written from here on is noted anew."""
    return {row["what"] for row in rows(db, "DELETE FROM price_touch RETURNING what")}


_NAMES: Final = "ARRAY(SELECT coalesce(nullif(p.number, ''), p.hub_key) FROM parties AS p WHERE p.id = ANY({0}.parties) ORDER BY 1)"
"""How price rules call the parties that a list is for."""
_LIST: Final = (
    f"SELECT x.*, {_NAMES.format('x')} AS names FROM ("
    "SELECT l.id AS price_list_id, l.version AS record_version, coalesce(nullif(l.number, ''), l.hub_key) AS number, "
    "coalesce(l.doc->>'name', '') AS name, l.company_id, coalesce(c.number, '') AS company, coalesce(l.currency, '') AS currency, "
    "coalesce((l.doc->>'tax_included')::boolean, true) AS tax_included, coalesce(l.tier, '') AS tier, "
    "coalesce(nullif(l.doc->>'audience', ''), 'all') AS audience, "
    "ARRAY(SELECT p::uuid FROM json_array_elements_text(CASE WHEN json_typeof(l.doc->'parties') = 'array' "
    "THEN l.doc->'parties' ELSE '[]' END) AS p) AS parties, l.valid_from, l.valid_to, "
    "NOT l.retired AND coalesce(l.status, 'active') = 'active' "
    "AND coalesce(l.doc->>'approval', '') IN ('', 'approved') AS usable "
    "FROM price_lists AS l LEFT JOIN companies AS c ON c.id = l.company_id WHERE l.id = ANY(%(lists)s::uuid[])) AS x"
)
_LINE: Final = (
    "SELECT r.parent_id AS price_list_id, r.id AS line_id, r.seq, r.product_id, coalesce(r.doc->>'unit', '') AS unit, "
    "nullif(r.doc->>'from_quantity', '')::numeric AS from_quantity, nullif(r.doc->>'to_quantity', '')::numeric AS to_quantity, r.price, "
    "nullif(r.doc->>'floor_price', '')::numeric AS floor_price, nullif(r.doc->>'valid_from', '')::date AS valid_from, "
    "nullif(r.doc->>'valid_to', '')::date AS valid_to, coalesce(nullif(r.doc->>'status', ''), 'active') = 'active' AS active "
    "FROM price_list_lines AS r WHERE r.parent_id = ANY(%(lists)s::uuid[])"
)
_ITEM: Final = (
    "SELECT p.id AS product_id, coalesce(nullif(p.number, ''), p.hub_key) AS number, coalesce(p.name, '') AS name, "
    "coalesce(p.doc->>'specification', '') AS model, coalesce(p.doc->>'brand', '') AS brand, coalesce(p.product_line, '') AS line, "
    "coalesce(p.category, '') AS category, coalesce(p.doc->>'base_unit', '') AS unit, nullif(p.doc->>'tax_rate', '')::numeric AS tax_rate, "
    "coalesce((SELECT json_object_agg(u.doc->>'unit', u.doc->>'factor' ORDER BY u.doc->>'unit') FROM product_units AS u "
    "WHERE u.parent_id = p.id AND coalesce(u.doc->>'unit', '') <> '' AND coalesce(u.doc->>'factor', '') <> '')::text, '{}') AS units, "
    "NOT p.retired AND coalesce(p.status, 'active') = 'active' AND coalesce((p.doc->>'sellable')::boolean, true) AS sold "
    "FROM products AS p"
)


def _taken(table: str, keys: Sequence[str], source: str, columns: Sequence[str], among: str = "") -> tuple[str, str]:
    """Two statements: end the rows that say something else now, or are there no more; add what is new. `%(version)s` is the new version."""
    same = " AND ".join(f"n.{key} = h.{key}" for key in keys)
    print_of = f"md5(row({', '.join(f'n.{name}' for name in columns)})::text)::uuid"
    now = f"(SELECT n.*, {print_of} AS fingerprint FROM ({source}) AS n)"
    end = (
        f"WITH now AS MATERIALIZED {now} UPDATE {table} AS h SET until = %(version)s WHERE h.until IS NULL{among} "
        f"AND NOT EXISTS (SELECT FROM now AS n WHERE {same} AND n.fingerprint = h.fingerprint)"
    )
    names = ", ".join([*keys, *columns])
    cast = ", ".join(f"n.{name}{'::json' if name == 'units' else ''}" for name in [*keys, *columns])
    add = (
        f"INSERT INTO {table} (version, fingerprint, {names}) SELECT %(version)s, n.fingerprint, {cast} FROM {now} AS n "
        f"WHERE NOT EXISTS (SELECT FROM {table} AS h WHERE {same} AND h.until IS NULL)"
    )
    return end, add


_HEADS: Final = ("record_version", "number", "name", "company_id", "currency", "tax_included", "tier", "audience", "parties", "valid_from",
                 "valid_to", "usable", "company", "names")  # fmt: skip
_LINES: Final = ("seq", "product_id", "unit", "from_quantity", "to_quantity", "price", "floor_price", "valid_from", "valid_to", "active")
_ITEMS: Final = ("number", "name", "model", "brand", "line", "category", "unit", "tax_rate", "units", "sold")
_MOVED: Final = (
    "SELECT l.id FROM price_lists AS l LEFT JOIN price_list_at AS h ON h.price_list_id = l.id AND h.until IS NULL "
    "LEFT JOIN companies AS c ON c.id = l.company_id WHERE h.price_list_id IS NULL OR h.record_version <> l.version "
    f"OR h.company IS DISTINCT FROM coalesce(c.number, '') OR h.names IS DISTINCT FROM {_NAMES.format('h')}"
)


MANY: Final = 2000
"""After so many new rows the planner is told of them at once: a comparison row by row would take minutes."""


def take(db: Connection, version: int, written: Collection[str]) -> tuple[int, int, int]:
    """Keep what lists, lines and products say now, where it is not what they said before. Returns how many rows of each are new.

    `written`: tables that were written since; products are only compared when they were.
    """
    moved = [row["id"] for row in rows(db, _MOVED)]
    values = {"version": version, "lists": moved}
    added = []
    products = bool({"products", "migration"} & set(written))
    these = " AND h.price_list_id = ANY(%(lists)s::uuid[])"
    for table, keys, source, columns, among in (
        ("price_list_at", ["price_list_id"], _LIST, _HEADS, these),
        ("price_line_at", ["price_list_id", "line_id"], _LINE, _LINES, these),
        ("price_item_at", ["product_id"], _ITEM, _ITEMS, ""),
    ):
        if not (products if table == "price_item_at" else moved):
            added.append(0)
            continue
        end, add = _taken(table, keys, source, columns, among)
        ended = db.execute(end.encode(), values).rowcount
        added.append(max(db.execute(add.encode(), values).rowcount, ended))
        if added[-1] > MANY:
            db.execute(f"ANALYZE {table}".encode())
    db.execute("UPDATE price_version SET lists = %s, lines = %s, items = %s WHERE id = %s", [*added, version])
    return added[0], added[1], added[2]


def drop_version(db: Connection, version: int) -> None:
    """A version that brought nothing."""
    db.execute("DELETE FROM price_version WHERE id = %s", [version])


# What a version is made of ---------------------------------------------------------------------------------------------------

_AT: Final = "h.version <= %(version)s AND (h.until IS NULL OR h.until > %(version)s)"


def heads(db: Connection, version: int) -> list[Head]:
    """The price lists of a version, the oldest validity first, so that the newest wins where two say a price."""
    query = (
        "SELECT h.price_list_id, h.number, h.record_version, h.name, coalesce(h.company, c.number, ''), h.currency, h.tax_included, "
        f"h.tier, h.audience, coalesce(h.names, {_NAMES.format('h')}), "
        "h.valid_from, h.valid_to, h.usable FROM price_list_at AS h LEFT JOIN companies AS c ON c.id = h.company_id "
        f"WHERE {_AT} ORDER BY h.valid_from NULLS FIRST, h.number DESC, h.price_list_id"
    )
    values = {"version": version}
    with db.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(query.encode(), values)
        return [
            Head(
                id=row[0], number=row[1], version=row[2], name=row[3], company=row[4], currency=row[5], tax_included=row[6], tier=row[7],
                audience=row[8], parties=tuple(row[9]), valid_from=row[10], valid_to=row[11], usable=row[12],
            )
            for row in cursor
        ]  # fmt: skip


def lines(db: Connection, version: int, lists: Sequence[UUID], items: Mapping[UUID, str]) -> dict[UUID, list[Row]]:
    """The lines of some lists in a version, in their order. `items`: names by product."""
    query = (
        "SELECT h.price_list_id, h.product_id, h.version, h.unit, h.from_quantity, h.to_quantity, h.price, h.floor_price, h.valid_from, "
        f"h.valid_to, h.active FROM price_line_at AS h WHERE h.price_list_id = ANY(%(lists)s::uuid[]) AND {_AT} "
        "ORDER BY h.price_list_id, h.seq, h.line_id"
    )
    found: dict[UUID, list[Row]] = {name: [] for name in lists}
    with db.cursor(row_factory=tuple_row, binary=True) as cursor:
        for row in cursor.execute(query.encode(), {"version": version, "lists": list(lists)}):
            found[row[0]].append(Row(items.get(row[1], ""), *row[2:]))
    return found


def items(db: Connection, version: int) -> tuple[dict[UUID, str], dict[str, Item], list[str]]:
    """The products of a version: names by product, items by name, and numbers that several products have.

    Prices go by number: products that share one share its prices, and the first that is sold tells the facts.
    """
    query = (
        "SELECT h.product_id, h.number, h.name, h.model, h.brand, h.line, h.category, h.unit, h.tax_rate, h.units::text, h.sold "
        f"FROM price_item_at AS h WHERE {_AT} ORDER BY h.sold DESC, h.product_id"
    )
    names: dict[UUID, str] = {}
    made: dict[str, Item] = {}
    twice = []
    with db.cursor(row_factory=tuple_row) as cursor:
        for product, number, name, model, brand, line, category, unit, tax_rate, units, sold in cursor.execute(
            query.encode(), {"version": version}
        ):
            names[product] = number
            if not sold:
                continue
            if number in made:
                twice.append(number)
                continue
            factors = {} if units == "{}" else {code: Decimal(str(factor)) for code, factor in from_json(units).items()}
            made[number] = Item.model_construct(
                id=number, name=name, brand=brand, model=model, line=line, category=category, unit=unit or "pcs",
                units={code: factor for code, factor in factors.items() if code != unit and factor > 0}, tax_rate=tax_rate,
            )  # fmt: skip
    return names, made, twice


def changed_lists(db: Connection, after: int, upto: int) -> set[UUID]:
    """Lists of which something changed after one version, up to another."""
    query = (
        "SELECT price_list_id AS id FROM price_line_at WHERE version > %(after)s AND version <= %(upto)s UNION "
        "SELECT price_list_id FROM price_line_at WHERE until > %(after)s AND until <= %(upto)s UNION "
        "SELECT price_list_id FROM price_list_at WHERE (version > %(after)s AND version <= %(upto)s) "
        "OR (until > %(after)s AND until <= %(upto)s)"
    )
    return {row["id"] for row in rows(db, query, {"after": after, "upto": upto})}


def items_changed(db: Connection, after: int, upto: int) -> bool:
    """Whether products changed after one version, up to another."""
    query = "SELECT coalesce(sum(items), 0) > 0 AS changed FROM price_version WHERE id > %s AND id <= %s"
    found = one(db, query, [after, upto])
    return bool(found and found["changed"])


# Rules -----------------------------------------------------------------------------------------------------------------------


def rules(db: Connection, version: int) -> list[Named]:
    """The newest version of each document that counts in a version of prices, by name."""
    query = (
        "SELECT DISTINCT ON (document) document, version, hash, text FROM price_rules WHERE price_version <= %s "
        "ORDER BY document, version DESC"
    )
    return rows(db, query, [version])


def rule_versions(db: Connection, document: str | None = None, *, text: bool = False) -> list[Named]:
    """What was published, of one document or of all, oldest first."""
    columns = "document, version, hash, price_version, published_at, published_by, reason" + (", text" if text else "")
    query = f"SELECT {columns} FROM price_rules WHERE %(name)s::text IS NULL OR document = %(name)s ORDER BY document, version"
    return rows(db, query, {"name": document})


def add_rules(db: Connection, document: str, version: int, digest: str, text: str, price_version: int, by: str, reason: str) -> None:
    """Publish a version of a document."""
    db.execute(
        "INSERT INTO price_rules (document, version, hash, text, price_version, published_by, reason) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [document, version, digest, text, price_version, by, reason],
    )


def known_dealers(db: Connection, named: Sequence[str]) -> list[str]:
    """Those of some names that parties have as number or hub key."""
    query = "SELECT DISTINCT n AS name FROM unnest(%s::text[]) AS n JOIN parties AS p ON p.number = n OR p.hub_key = n WHERE NOT p.retired"
    return [row["name"] for row in rows(db, query, [list(named)])]


def list_numbers(db: Connection, version: int) -> set[str]:
    """Numbers of all price lists of a version, used or not."""
    return {row["number"] for row in rows(db, f"SELECT h.number FROM price_list_at AS h WHERE {_AT}", {"version": version})}


# What was announced ----------------------------------------------------------------------------------------------------------


def unannounced(db: Connection) -> list[int]:
    """Versions that nobody was told of yet, oldest first; locked, so that two runs tell it once."""
    query = "SELECT id FROM price_version WHERE announced_at IS NULL ORDER BY id FOR UPDATE"
    return [row["id"] for row in rows(db, query)]


def announced(db: Connection, upto: int) -> None:
    """These versions, and those before them, have been told, or nobody had to be."""
    db.execute("UPDATE price_version SET announced_at = clock_timestamp() WHERE announced_at IS NULL AND id <= %s", [upto])


def last_announced(db: Connection, before: int) -> int | None:
    """The newest version before another that has been told of."""
    query = "SELECT max(id) AS id FROM price_version WHERE announced_at IS NOT NULL AND id < %s"
    found = one(db, query, [before])
    return None if found is None else found["id"]


def bounds(db: Connection, version: int, after: date, upto: date) -> dict[UUID, list[date]]:
    """Products of which a price begins or has just ended in a version, on days after one and up to another, with those days."""
    query = (
        "SELECT product_id, array_agg(DISTINCT day) AS days FROM (SELECT h.product_id, unnest(ARRAY[h.valid_from, h.valid_to + 1, "
        "l.valid_from, l.valid_to + 1]) AS day FROM price_line_at AS h JOIN price_list_at AS l ON l.price_list_id = h.price_list_id "
        f"AND {_AT.replace('h.', 'l.')} WHERE {_AT} AND h.product_id IS NOT NULL AND h.active AND l.usable) AS x "
        "WHERE day > %(after)s AND day <= %(day)s GROUP BY product_id"
    )
    return {row["product_id"]: row["days"] for row in rows(db, query, {"version": version, "after": after, "day": upto})}


def made_on(db: Connection, after: int, upto: int) -> date | None:
    """The business day on which the first version after one, up to another, was made; None without any."""
    query = "SELECT min((made_at AT TIME ZONE 'Asia/Shanghai')::date) AS day FROM price_version WHERE id > %s AND id <= %s"
    found = one(db, query, [after, upto])
    return found["day"] if found else None


def cut_point(db: Connection) -> tuple[date, int] | None:
    """The business day, and the version of prices, up to which falls of prices were looked for; locked. None: never."""
    found = one(db, "SELECT day, version FROM price_cut_point FOR UPDATE")
    return (found["day"], found["version"]) if found else None


def set_cut_point(db: Connection, day: date, version: int) -> None:
    """Falls of prices were looked for up to here."""
    db.execute(
        "INSERT INTO price_cut_point (day, version) VALUES (%s, %s) ON CONFLICT (one) DO UPDATE "
        "SET day = excluded.day, version = excluded.version",
        [day, version],
    )


def changed_items(db: Connection, after: int, upto: int) -> dict[UUID, list[date]]:
    """Products whose lines, lists or own facts changed after one version, up to another, with the days on which those begin and end."""
    query = """
WITH lists AS (SELECT DISTINCT price_list_id FROM price_list_at WHERE (version > %(after)s AND version <= %(upto)s)),
heads AS (
    SELECT a.price_list_id, a.valid_from, a.valid_to, b.price_list_id IS NULL OR row(a.number, a.company_id, a.currency, a.tax_included,
        a.tier, a.audience, a.parties, a.valid_from, a.valid_to, a.usable, a.name) IS DISTINCT FROM row(b.number, b.company_id, b.currency,
        b.tax_included, b.tier, b.audience, b.parties, b.valid_from, b.valid_to, b.usable, b.name) AS moved,
        b.valid_from AS old_from, b.valid_to AS old_to
    FROM price_list_at AS a LEFT JOIN price_list_at AS b ON b.price_list_id = a.price_list_id AND b.version <= %(after)s
        AND (b.until IS NULL OR b.until > %(after)s)
    WHERE a.price_list_id IN (SELECT price_list_id FROM lists) AND a.version <= %(upto)s AND (a.until IS NULL OR a.until > %(upto)s)
),
touched AS (
    SELECT l.product_id, unnest(ARRAY[l.valid_from, l.valid_to + 1]) AS day FROM price_line_at AS l
    WHERE (l.version > %(after)s AND l.version <= %(upto)s) OR (l.until > %(after)s AND l.until <= %(upto)s)
    UNION ALL
    SELECT l.product_id, unnest(ARRAY[h.valid_from, h.valid_to + 1, h.old_from, h.old_to + 1, l.valid_from, l.valid_to + 1])
    FROM heads AS h JOIN price_line_at AS l ON l.price_list_id = h.price_list_id WHERE h.moved AND l.version <= %(upto)s
        AND (l.until IS NULL OR l.until > %(after)s)
    UNION ALL
    SELECT i.product_id, NULL FROM price_item_at AS i WHERE i.version > %(after)s AND i.version <= %(upto)s
)
SELECT product_id, array_remove(array_agg(DISTINCT day), NULL) AS days FROM touched WHERE product_id IS NOT NULL GROUP BY product_id
"""
    return {row["product_id"]: row["days"] for row in rows(db, query, {"after": after, "upto": upto})}

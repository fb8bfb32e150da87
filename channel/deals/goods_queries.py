"""Every statement about where goods go. Set-based over orders and shipments; days are business days of Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from channel.deals.goods import READER, Goods
from channel.deals.queries import Connection, rows, run

_ADDRESS = (
    "coalesce(nullif(d.doc->>'delivery_address', ''), (SELECT concat(p.doc->>'province', p.doc->>'city', p.doc->>'address') "
    "FROM parties AS p WHERE p.id = nullif(d.doc->>'ship_to', '')::uuid AND p.id IS DISTINCT FROM d.party_id), '')"
)
"""Where a document's goods go, as text; empty where nothing is said, or when they go to the dealer himself."""
_DOCUMENTS = (
    "SELECT 'order' AS kind, d.id, d.version, d.party_id, d.ordered_on AS day, d.number, d.doc FROM orders AS d "
    "WHERE d.ordered_on >= %(since)s::date AND NOT d.retired AND d.status IS DISTINCT FROM 'void' AND d.party_id IS NOT NULL UNION ALL "
    "SELECT 'shipment', d.id, d.version, d.party_id, d.shipped_on, d.number, d.doc FROM shipments AS d "
    "WHERE d.shipped_on >= %(since)s::date AND NOT d.retired AND d.status IS DISTINCT FROM 'void' AND d.party_id IS NOT NULL"
)
_TO_JUDGE = (
    f"WITH wanted AS (SELECT d.*, {_ADDRESS} AS address FROM ({_DOCUMENTS}) AS d JOIN parties AS buyer ON buyer.id = d.party_id "
    "LEFT JOIN goods_judged AS j ON j.subject = d.kind || ':' || d.id "
    "WHERE (j.version, j.fences) IS DISTINCT FROM (d.version, %(fences)s::bytea) AND (buyer.doc->'roles')::jsonb @> '[\"dealer\"]') "
)


def unplaced(db: Connection, since: date, fences: bytes, limit: int) -> list[str]:
    """Addresses of documents to be judged whose place is not known yet."""
    query = _TO_JUDGE + (
        "SELECT DISTINCT address FROM wanted WHERE address <> '' AND NOT EXISTS (SELECT FROM address_place AS a "
        "WHERE a.address = sha256(convert_to(wanted.address, 'UTF8')) AND a.version = %(reader)s) LIMIT %(limit)s::int"
    )
    return [row[0] for row in rows(db, query, {"since": since, "fences": fences, "reader": READER, "limit": limit})]


def add_places(db: Connection, places: Mapping[bytes, str]) -> None:
    """Remember which division these addresses (by hash) name."""
    query = (
        "INSERT INTO address_place (address, region, version) SELECT *, %s FROM unnest(%s::bytea[], %s::text[]) "
        "ON CONFLICT (address) DO UPDATE SET region = excluded.region, version = excluded.version"
    )
    run(db, query, [READER, list(places), list(places.values())])


def to_judge(db: Connection, since: date, fences: bytes, limit: int) -> list[Goods]:
    """Documents of dealers, dated since a day, that were not judged yet by these fences as they are now."""
    query = _TO_JUDGE + (
        "SELECT w.kind || ':' || w.id, w.version, w.party_id, w.day, coalesce(a.region, ''), "
        "CASE w.kind WHEN 'order' THEN (SELECT array_agg(DISTINCT coalesce(pr.product_line, '') ORDER BY coalesce(pr.product_line, '')) "
        "FROM order_lines AS l LEFT JOIN products AS pr ON pr.id = l.product_id WHERE l.parent_id = w.id) "
        "ELSE (SELECT array_agg(DISTINCT coalesce(pr.product_line, '') ORDER BY coalesce(pr.product_line, '')) "
        "FROM shipment_lines AS l LEFT JOIN products AS pr ON pr.id = l.product_id WHERE l.parent_id = w.id) END, w.number "
        "FROM wanted AS w LEFT JOIN address_place AS a ON a.address = sha256(convert_to(w.address, 'UTF8')) ORDER BY w.day, w.id "
        "LIMIT %(limit)s::int"
    )
    found = rows(db, query, {"since": since, "fences": fences, "limit": limit})
    return [
        Goods(subject, version, dealer, day, region, tuple(lines or ()), number)
        for subject, version, dealer, day, region, lines, number in found
    ]


def note_judged(db: Connection, goods: Sequence[Goods], fences: bytes) -> None:
    """Remember in which version documents were judged, and by which fences."""
    query = (
        "INSERT INTO goods_judged (subject, version, fences) SELECT *, %s FROM unnest(%s::text[], %s::int[]) "
        "ON CONFLICT (subject) DO UPDATE SET version = excluded.version, fences = excluded.fences"
    )
    run(db, query, [fences, [one.subject for one in goods], [one.version for one in goods]])


def inside_again(db: Connection, subjects: Sequence[str]) -> int:
    """Documents that are inside of the fences now need nobody's answer any more; how many hits were closed."""
    query = (
        "UPDATE fence_hit SET state = 'accepted', decided_by = 'rule:inside_again', decided_at = clock_timestamp() "
        "WHERE subject = ANY(%s::text[]) AND state = 'open'"
    )
    return run(db, query, [list(subjects)])


def dealers_below(db: Connection) -> list[UUID]:
    """Parties with somebody above them in the channel."""
    return [row[0] for row in rows(db, "SELECT id FROM parties WHERE parent_id IS NOT NULL AND NOT retired")]


def dealers_among(db: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Of these parties, the dealers."""
    found = rows(db, "SELECT id FROM parties WHERE id = ANY(%s::uuid[]) AND (doc->'roles')::jsonb @> '[\"dealer\"]'", [list(ids)])
    return {row[0] for row in found}


def product_lines(db: Connection, products: Sequence[UUID]) -> dict[UUID, str]:
    """Product lines of products."""
    return dict(rows(db, "SELECT id, coalesce(product_line, '') FROM products WHERE id = ANY(%s::uuid[])", [list(products)]))


def addresses(db: Connection, parties: Sequence[UUID]) -> dict[UUID, str]:
    """Where parties are, as text."""
    query = "SELECT id, concat(doc->>'province', doc->>'city', doc->>'address') FROM parties WHERE id = ANY(%s::uuid[])"
    return dict(rows(db, query, [list(parties)]))


# The report, page by page: each list begins after a place (day or moment, id, and what tells rows of one id apart) ----------------

_AFTER_NOTHING: Final = ("-infinity", "00000000-0000-0000-0000-000000000000")
Place = tuple[str, str, str]
"""Where a page of a list ended: day or moment, id of the shipment or sight, serial or number of the hit; as text."""
_GOOD = "s.approval = 'approved' AND s.status IS DISTINCT FROM 'void' AND NOT s.retired"
_SHIPPED = (
    "SELECT * FROM (SELECT s.id, s.number, s.shipped_on AS day, s.party_id, coalesce(pr.product_line, '') AS line "
    "FROM shipment_lines AS l JOIN shipments AS s ON s.id = l.parent_id LEFT JOIN products AS pr ON pr.id = l.product_id "
    f"WHERE l.doc->'serials' IS NOT NULL AND serials_of(l.doc) @> ARRAY[{{serial}}] AND {_GOOD} AND s.party_id IS NOT NULL AND {{before}} "
    "OFFSET 0) AS shipped ORDER BY day DESC, id DESC, line LIMIT 1"
)
"""The newest shipment of a serial before another moment: one look into the index of serials. OFFSET 0 keeps the planner from walking
through all shipments from the newest on until one has the serial."""


def outside_shipments(
    db: Connection, since: date, until: date, dealer: UUID | None, after: Place | None, limit: int
) -> list[tuple[Any, ...]]:
    """Shipments dated in the window that were found outside: place, subject, number, day, dealer, name, code, facts, state, serials, lines.

    In the order of day and shipment, from the one after `after` on.
    """
    day, shipment, hit = after or (*_AFTER_NOTHING, "0")
    query = (
        "SELECT ARRAY[s.shipped_on::text, s.id::text, h.id::text], h.subject, s.number, s.shipped_on, s.party_id, coalesce(p.name, ''), "
        "h.code, h.facts, h.state, (SELECT array_agg(DISTINCT serial ORDER BY serial) FROM shipment_lines AS l, "
        "unnest(serials_of(l.doc)) AS serial WHERE l.parent_id = s.id), "
        "(SELECT array_agg(DISTINCT pr.product_line) FROM shipment_lines AS l JOIN products AS pr ON pr.id = l.product_id "
        "WHERE l.parent_id = s.id AND pr.product_line <> '') "
        "FROM shipments AS s JOIN fence_hit AS h ON h.subject = 'shipment:' || s.id LEFT JOIN parties AS p ON p.id = s.party_id "
        "WHERE s.shipped_on BETWEEN %(since)s::date AND %(until)s::date AND NOT s.retired "
        "AND (%(dealer)s::uuid IS NULL OR s.party_id = %(dealer)s) "
        "AND (s.shipped_on, s.id) >= (%(day)s::date, %(shipment)s::uuid) "
        "AND (s.shipped_on, s.id, h.id) > (%(day)s::date, %(shipment)s::uuid, %(hit)s::bigint) "
        "ORDER BY s.shipped_on, s.id, h.id LIMIT %(limit)s::int"
    )
    values = {"since": since, "until": until, "dealer": dealer, "day": day, "shipment": shipment, "hit": hit, "limit": limit}
    return rows(db, query, values)


def serials_twice(db: Connection, since: date, until: date, dealer: UUID | None, after: Place | None, limit: int) -> list[tuple[Any, ...]]:
    """Serials that went to two dealers, the later time in the window, with no return of that product from the first in between.

    Place, serial, then of the later shipment: id, number, day, dealer, name; of the earlier one: number, dealer. In the order of day,
    shipment and serial, from the one after `after` on.
    """
    day, shipment, serial = after or (*_AFTER_NOTHING, "")
    before = "(s.shipped_on, s.id) < (later.shipped_on, later.id)"
    query = (
        "SELECT ARRAY[later.shipped_on::text, later.id::text, one.serial], one.serial, later.id, later.number, later.shipped_on, "
        "later.party_id, coalesce(p.name, ''), earlier.number, earlier.party_id FROM shipments AS later "
        "CROSS JOIN LATERAL (SELECT DISTINCT serial FROM shipment_lines AS l, unnest(serials_of(l.doc)) AS serial "
        "WHERE l.parent_id = later.id) AS one "
        f"CROSS JOIN LATERAL ({_SHIPPED.format(serial='one.serial', before=before)}) AS earlier "
        "LEFT JOIN parties AS p ON p.id = later.party_id "
        "WHERE later.shipped_on BETWEEN %(since)s::date AND %(until)s::date AND later.party_id IS NOT NULL "
        f"AND {_GOOD.replace('s.', 'later.')} AND (%(dealer)s::uuid IS NULL OR later.party_id = %(dealer)s) "
        "AND (later.shipped_on, later.id) >= (%(day)s::date, %(shipment)s::uuid) "
        'AND (later.shipped_on, later.id, one.serial COLLATE "C") > (%(day)s::date, %(shipment)s::uuid, %(serial)s::text) '
        "AND earlier.party_id <> later.party_id "
        "AND NOT EXISTS (SELECT FROM returns AS r JOIN return_lines AS rl ON rl.parent_id = r.id JOIN shipment_lines AS sl "
        "ON sl.parent_id = later.id AND sl.product_id = rl.product_id WHERE r.party_id = earlier.party_id AND r.approval = 'approved' "
        "AND r.returned_on BETWEEN earlier.day AND later.shipped_on) "
        'ORDER BY later.shipped_on, later.id, one.serial COLLATE "C" LIMIT %(limit)s::int'
    )
    values = {"since": since, "until": until, "dealer": dealer, "day": day, "shipment": shipment, "serial": serial, "limit": limit}
    return rows(db, query, values)


def serials_seen(
    db: Connection, since: datetime, until: datetime, dealer: UUID | None, after: Place | None, limit: int
) -> list[tuple[Any, ...]]:
    """Serials seen somewhere in the window, with the newest shipment of each before that.

    Place, serial, region, when, source, shipment id, number, day, dealer, name, product line. In the order of the sights, from the one
    after `after` on.
    """
    moment, sight, _ = after or ("-infinity", "0", "")
    before = "s.shipped_on <= (seen.seen_at AT TIME ZONE 'Asia/Shanghai')::date"
    query = (
        "SELECT ARRAY[seen.seen_at::text, seen.id::text, ''], seen.serial, seen.region, seen.seen_at, seen.source, s.id, s.number, s.day, "
        "s.party_id, coalesce(p.name, ''), s.line FROM serial_seen AS seen "
        f"CROSS JOIN LATERAL ({_SHIPPED.format(serial='seen.serial', before=before)}) AS s LEFT JOIN parties AS p ON p.id = s.party_id "
        "WHERE seen.seen_at >= %(since)s::timestamptz AND seen.seen_at < %(until)s::timestamptz "
        "AND (seen.seen_at, seen.id) > (%(moment)s::timestamptz, %(sight)s::bigint) "
        "AND (%(dealer)s::uuid IS NULL OR s.party_id = %(dealer)s) ORDER BY seen.seen_at, seen.id LIMIT %(limit)s::int"
    )
    return rows(db, query, {"since": since, "until": until, "dealer": dealer, "moment": moment, "sight": sight, "limit": limit})


def note_seen(db: Connection, serial: str, region: str, at: datetime, source: str, note: str, by: str) -> bool:
    """Remember where a serial was seen; False when that is known."""
    query = (
        "INSERT INTO serial_seen (serial, region, seen_at, source, note, noted_by) VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
    )
    return run(db, query, [serial, region, at, source, note, by]) > 0

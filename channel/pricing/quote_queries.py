"""Statements about quotes: offers, their versions, their events, and the parties and products that they name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from channel.pricing.queries import Connection, one, rows

Row = dict[str, Any]
COLUMNS: Final = (
    "id, number, dealer_id, customer_id, deal_id, company_id, version, sent_version, state, valid_to, currency, total, salesperson, "
    "by_dealer, made_by, made_at, sent_on, closed_on, lost_reason, lost_text, order_id, copied_from"
)
MENTION: Final = "coalesce(nullif(number, ''), hub_key)"
"""How price rules call a party: its number, else its hub key."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Where a quote stands."""

    id: UUID
    number: str
    dealer_id: UUID | None
    customer_id: UUID | None
    deal_id: UUID | None
    company_id: UUID | None
    version: int
    sent_version: int | None
    state: str
    valid_to: date
    """Last day."""
    currency: str
    total: Decimal
    """With tax, of the version that counts."""
    salesperson: str
    by_dealer: bool
    """The dealer began it himself."""
    made_by: str
    made_at: datetime
    sent_on: date | None
    closed_on: date | None
    lost_reason: str
    lost_text: str
    order_id: UUID | None
    copied_from: UUID | None

    @property
    def buyer(self) -> UUID:
        """Who would order: the dealer, or a customer of our own."""
        found = self.dealer_id or self.customer_id
        assert found is not None  # noqa: S101  the table holds it
        return found


@dataclass(frozen=True, slots=True)
class Kept:
    """A version, word for word."""

    quote_id: UUID
    number: int
    made_at: datetime
    made_by: str
    by_dealer: bool
    asked: Mapping[str, Any]
    price_version: int
    asker: UUID | None
    """What counted of the buyer besides; None: kept before that was pinned."""
    hash: str
    valid_to: date
    delivery_date: date | None
    """Wished."""
    lead_days: int
    """The longest lead time of its items."""
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    listed: Decimal
    lines: Sequence[Mapping[str, Any]]
    discounts: Sequence[Mapping[str, Any]]
    judged: Sequence[Mapping[str, Any]]
    answers: Mapping[str, Any]


def json_of(value: Any) -> str:
    """JSON text in which decimals and days are text."""
    return msgspec.json.encode(value).decode()


def as_kept(value: Any) -> Any:
    """A document as it would be read back."""
    return msgspec.json.decode(json_of(value))


# Offers ------------------------------------------------------------------------------------------------------------------------


def add(db: Connection, offer: Mapping[str, Any]) -> None:
    """A new offer."""
    names = ", ".join(offer)
    marks = ", ".join(["%s"] * len(offer))
    db.execute(f"INSERT INTO quote_offer ({names}) VALUES ({marks})".encode(), list(offer.values()))


def next_number(db: Connection, year: int) -> str:
    """`QT-2026-000001`: never given twice; one that a broken transaction took is left out."""
    found = one(db, "SELECT nextval('quote_number') AS n")
    assert found is not None  # noqa: S101  a sequence gives
    return f"QT-{year}-{found['n']:06d}"


def find(db: Connection, named: str | UUID, *, lock: bool = False) -> Offer | None:
    """The offer of a number or id."""
    number: UUID | None
    try:
        number = named if isinstance(named, UUID) else UUID(named.strip())
    except ValueError:
        number = None
    where = "number = upper(%(named)s)" if number is None else "id = %(named)s"
    value = named.strip() if isinstance(named, str) and number is None else number
    found = one(db, f"SELECT {COLUMNS} FROM quote_offer WHERE {where}" + (" FOR UPDATE" if lock else ""), {"named": value})
    return Offer(**found) if found else None


def change(db: Connection, quote: UUID, **fields: Any) -> None:
    """Set fields of an offer."""
    said = ", ".join(f"{name} = %s" for name in fields)
    db.execute(f"UPDATE quote_offer SET {said} WHERE id = %s".encode(), [*fields.values(), quote])


def listed(
    db: Connection,
    *,
    dealer: UUID | None = None,
    states: Collection[str] = (),
    customer: UUID | None = None,
    deal: UUID | None = None,
    limit: int = 100,
) -> list[Offer]:
    """Offers, newest first."""
    found = rows(
        db,
        f"SELECT {COLUMNS} FROM quote_offer WHERE (%(dealer)s::uuid IS NULL OR dealer_id = %(dealer)s) "
        "AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s) AND (%(deal)s::uuid IS NULL OR deal_id = %(deal)s) "
        "AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s)) ORDER BY number DESC LIMIT %(limit)s",
        {"dealer": dealer, "customer": customer, "deal": deal, "states": list(states) or None, "limit": limit},
    )
    return [Offer(**row) for row in found]


def over(db: Connection, today: date, states: Collection[str]) -> list[Offer]:
    """Offers in these states whose last day has passed, locked, in the order of their ids; those that somebody works on are left out."""
    found = rows(
        db,
        f"SELECT {COLUMNS} FROM quote_offer WHERE valid_to < %s AND state = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED",
        [today, list(states)],
    )
    return [Offer(**row) for row in found]


def in_state(db: Connection, state: str, *, sent_to: date | None = None, closed_to: date | None = None) -> list[Offer]:
    """Offers in a state, sent or closed on these days or before, the oldest first."""
    found = rows(
        db,
        f"SELECT {COLUMNS} FROM quote_offer WHERE state = %(state)s AND (%(sent)s::date IS NULL OR sent_on <= %(sent)s) "
        "AND (%(closed)s::date IS NULL OR closed_on <= %(closed)s) ORDER BY coalesce(sent_on, closed_on), number",
        {"state": state, "sent": sent_to, "closed": closed_to},
    )
    return [Offer(**row) for row in found]


# Versions ----------------------------------------------------------------------------------------------------------------------

_KEPT: Final = (
    "quote_id, number, made_at, made_by, by_dealer, asked::text AS asked, price_version, asker, hash, valid_to, "
    "delivery_date, lead_days, currency, net, tax, gross, "
    "listed, lines::text AS lines, discounts::text AS discounts, judged::text AS judged, answers::text AS answers"
)
_DOCUMENTS: Final = ("asked", "lines", "discounts", "judged", "answers")


def add_version(db: Connection, quote: UUID, number: int, made: Mapping[str, Any]) -> None:
    """Keep a version; it never changes."""
    given = {name: json_of(value) if name in _DOCUMENTS else value for name, value in made.items()}
    names = ", ".join(["quote_id", "number", *given])
    marks = ", ".join(["%s"] * (len(given) + 2))
    db.execute(f"INSERT INTO quote_version ({names}) VALUES ({marks})".encode(), [quote, number, *given.values()])


def version(db: Connection, quote: UUID, number: int) -> Kept | None:
    """One version."""
    found = one(db, f"SELECT {_KEPT} FROM quote_version WHERE quote_id = %s AND number = %s", [quote, number])
    return _kept(found) if found else None


def versions(db: Connection, quotes: Sequence[UUID]) -> dict[UUID, list[Kept]]:
    """All versions of these quotes, oldest first."""
    found: dict[UUID, list[Kept]] = {quote: [] for quote in quotes}
    for row in rows(db, f"SELECT {_KEPT} FROM quote_version WHERE quote_id = ANY(%s) ORDER BY quote_id, number", [list(quotes)]):
        found[row["quote_id"]].append(_kept(row))
    return found


_EXPONENT: Final = re.compile(r'("(?:before|after|amount_before|amount_after|list_price|base_price)":)"(-?[0-9.]+E[+-]?[0-9]+)"')


def _kept(row: Row) -> Kept:
    """A row as it is read. Versions that were kept with a figure as 1E+3 have it as 1000, as every other."""
    plain = {**row, "answers": _EXPONENT.sub(lambda found: f'{found[1]}"{Decimal(found[2]):f}"', row["answers"])}
    return Kept(**{name: msgspec.json.decode(value) if name in _DOCUMENTS else value for name, value in plain.items()})


def sent_versions(db: Connection, quote: UUID) -> set[int]:
    """The versions that went out."""
    return {row["version"] for row in rows(db, "SELECT version FROM quote_event WHERE quote_id = %s AND action = 'send'", [quote])}


def heads_shown(db: Connection, quotes: Sequence[UUID]) -> dict[UUID, Row]:
    """By quote, the newest version that its dealer may read: number, total, currency, last day. A quote without one is left out."""
    found = rows(
        db,
        "SELECT DISTINCT ON (v.quote_id) v.quote_id, v.number AS version, v.gross AS total, v.currency, v.valid_to FROM quote_version AS v "
        "WHERE v.quote_id = ANY(%s) AND (v.by_dealer OR EXISTS (SELECT FROM quote_event AS e WHERE e.quote_id = v.quote_id "
        "AND e.version = v.number AND e.action = 'send')) ORDER BY v.quote_id, v.number DESC",
        [list(quotes)],
    )
    return {row.pop("quote_id"): row for row in found}


# Events ------------------------------------------------------------------------------------------------------------------------


def note(
    db: Connection, offer: Offer, action: str, actor: str, after: str, cause: str = "", facts: Mapping[str, Any] | None = None
) -> None:
    """What was done to the version that counts, by whom and why."""
    db.execute(
        "INSERT INTO quote_event (quote_id, version, action, actor, cause, before, after, facts) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [offer.id, offer.version, action, actor, cause, "" if action == "draft" else offer.state, after, json_of(facts or {})],
    )


def events(db: Connection, quote: UUID) -> list[Row]:
    """What was done to a quote, in its order."""
    return rows(
        db, "SELECT id, version, at, action, actor, cause, before, after, facts FROM quote_event WHERE quote_id = %s ORDER BY id", [quote]
    )


def asked_by(db: Connection, quote: UUID, number: int) -> str:
    """Who submitted a version last."""
    found = one(
        db,
        "SELECT actor FROM quote_event WHERE quote_id = %s AND version = %s AND action = 'submit' ORDER BY id DESC LIMIT 1",
        [quote, number],
    )
    return str(found["actor"]) if found else ""


def approved_level(db: Connection, quote: UUID, result_hash: str) -> int | None:
    """The highest level at which an approver granted what this hash stands for; None when nobody did."""
    found = one(
        db,
        "SELECT max((facts->>'level')::int) AS level FROM quote_event WHERE quote_id = %s AND action = 'approve' AND facts->>'hash' = %s",
        [quote, result_hash],
    )
    return found["level"] if found else None


# Authority over the whole deal ---------------------------------------------------------------------------------------------------


def was_approved(db: Connection, dealer: UUID, result_hash: str) -> bool:
    """Whether an approver granted what this hash stands for, on a quote of the dealer."""
    query = (
        "SELECT EXISTS (SELECT FROM quote_offer AS o JOIN quote_event AS e ON e.quote_id = o.id "
        "WHERE o.dealer_id = %s AND e.action = 'approve' AND e.facts->>'hash' = %s) AS found"
    )
    return bool(rows(db, query, [dealer, result_hash])[0]["found"])


def lock_buyer(db: Connection, buyer: UUID) -> None:
    """Quotes of one buyer are judged one after another: of two at one instant, the second sees the first."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"quotes of {buyer}"])


def counted(db: Connection, offer: Offer, since: date, states: Collection[str]) -> list[Row]:
    """What the same buyer was quoted since a day: the version that counts of every other quote in these states."""
    return rows(
        db,
        "SELECT o.number, o.deal_id, v.made_at, v.currency, v.asked::text AS asked, v.judged::text AS judged "
        "FROM quote_offer AS o JOIN quote_version AS v ON v.quote_id = o.id AND v.number = o.version "
        "WHERE o.id <> %(id)s AND o.state = ANY(%(states)s) AND o.dealer_id IS NOT DISTINCT FROM %(dealer)s "
        "AND (%(dealer)s::uuid IS NOT NULL OR o.customer_id = %(customer)s) "
        "AND (v.made_at AT TIME ZONE 'Asia/Shanghai')::date >= %(since)s ORDER BY o.number",
        {"id": offer.id, "states": list(states), "dealer": offer.dealer_id, "customer": offer.customer_id, "since": since},
    )


def latest_sent(db: Connection, dealer: UUID | None, customer: UUID | None, limit: int) -> list[Row]:
    """What a buyer was offered last: number, day, deal and judged lines of quotes that went out, newest first."""
    found = rows(
        db,
        "SELECT o.number, o.sent_on AS \"on\", coalesce(o.deal_id::text, '') AS deal, v.judged::text AS judged FROM quote_offer AS o "
        "JOIN quote_version AS v ON v.quote_id = o.id AND v.number = o.sent_version WHERE o.dealer_id IS NOT DISTINCT FROM %(dealer)s "
        "AND (%(dealer)s::uuid IS NOT NULL OR o.customer_id = %(customer)s) ORDER BY o.sent_on DESC, o.number DESC LIMIT %(limit)s",
        {"dealer": dealer, "customer": customer, "limit": limit},
    )
    return [{**row, "judged": msgspec.json.decode(row["judged"])} for row in found]


def offered(db: Connection, item: str, limit: int) -> list[Row]:
    """The lines of an item in versions that went out, newest first."""
    return rows(
        db,
        "SELECT o.number, o.sent_on, coalesce(o.dealer_id, o.customer_id) AS buyer, o.state, o.lost_reason, v.currency, "
        "l->>'quantity' AS quantity, l->>'unit' AS unit, l->>'price' AS price FROM quote_offer AS o "
        "JOIN quote_version AS v ON v.quote_id = o.id AND v.number = o.sent_version CROSS JOIN LATERAL json_array_elements(v.lines) AS l "
        "WHERE l->>'item' = %s AND l->>'kind' = 'item' ORDER BY o.sent_on DESC, o.number DESC LIMIT %s",
        [item, limit],
    )


# Parties, deals, products --------------------------------------------------------------------------------------------------------


def now(db: Connection) -> datetime:
    """The database's clock."""
    found = one(db, "SELECT clock_timestamp() AS now")
    assert found is not None  # noqa: S101  it gives one row
    moment: datetime = found["now"]
    return moment


def record(db: Connection, entity: str, named: str) -> Row | None:
    """A party, deal or company by id, hub key or number: its id, how price rules call it, its document; None for none, or several."""
    table = {"party": "parties", "deal": "deals", "company": "companies"}[entity]
    try:
        number = UUID(named.strip())
    except ValueError:
        number = None
    found = rows(
        db,
        f"SELECT id, {MENTION} AS mention, doc::text AS doc FROM {table} WHERE NOT retired "
        "AND (id = %(id)s::uuid OR hub_key = upper(%(text)s) OR number = %(text)s) LIMIT 2",
        {"text": named.strip(), "id": number},
    )
    return {**found[0], "doc": msgspec.json.decode(found[0]["doc"])} if len(found) == 1 else None


def salesperson(db: Connection, party: UUID, company: UUID | None) -> str:
    """Who looks after a party in one of our companies; empty where nobody does, or the company is not known."""
    found = one(
        db,
        "SELECT doc->>'salesperson' AS code FROM party_companies WHERE parent_id = %s AND company_id = %s "
        "AND coalesce(doc->>'salesperson', '') <> '' LIMIT 1",
        [party, company],
    )
    return found["code"] if found else ""


def names(db: Connection, parties: Collection[UUID]) -> dict[UUID, str]:
    """Names of parties."""
    found = rows(db, "SELECT id, coalesce(doc->>'name', '') AS name FROM parties WHERE id = ANY(%s)", [list(parties)])
    return {row["id"]: row["name"] for row in found}


def products(db: Connection, items: Collection[str]) -> dict[str, UUID]:
    """Products by the name that price rules have for them: their number, else their hub key; of two with one number the older one."""
    found = rows(
        db,
        "SELECT n AS item, (SELECT p.id FROM products AS p WHERE NOT p.retired AND (p.number = n OR p.hub_key = n OR p.id::text = n) "
        "ORDER BY coalesce(p.status, 'active') = 'active' DESC, p.id LIMIT 1) AS id FROM unnest(%s::text[]) AS n",
        [sorted(items)],
    )
    return {row["item"]: row["id"] for row in found if row["id"] is not None}

"""A ledger with a small channel to price: two companies, products, price lists as the ERP keeps them, dealers, a registered project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from canonical.ids import new_id
from channel.pricing.asking import Ask, AskLine
from ledger.bulk import from_json, json_text
from tests.hub_api.world import make

DAY = date(2026, 3, 15)
PROTECT = """
type: price_protection
programme: protect-2026
version: 1
name: 价保
currency: CNY
valid: {from: 2026-01-01, to: 2027-01-01}
participants: all
stock: snapshot
"""
"""A programme that protects what every dealer has in stock."""
Db = psycopg.Connection[Any]


@contextmanager
def connected(url: str) -> Iterator[Db]:
    """A connection as the hub makes it."""
    with psycopg.connect(url, row_factory=dict_row) as db:
        set_json_loads(from_json, db)
        yield db


@dataclass(frozen=True)
class Stocked:
    """What was made."""

    east: UUID
    """A core dealer (核心) of company 100, bound to nothing."""
    west: UUID
    """A normal dealer."""
    customer: UUID
    pump: UUID
    valve: UUID
    project: UUID
    """East's live registration of the customer."""
    lists: Mapping[str, UUID]


def stock(db: Db) -> Stocked:
    """Make it; in the caller's transaction."""
    with db.cursor() as cursor:
        companies = {
            number: make(cursor, "company", {"name": f"公司{number}", "status": "active"}, number=number) for number in ("100", "200")
        }
        products = {
            number: make(
                cursor, "product",
                {"name": name, "product_line": line, "base_unit": "pcs", "tax_rate": "0.13", "status": "active", "sellable": True},
                number=number, units=[{"unit": "box", "factor": "12"}],
            )
            for number, name, line in (("M001", "离心泵", "pumps"), ("M002", "球阀", "valves"))
        }  # fmt: skip
        dealers = {
            number: make(cursor, "party", {"name": name, "roles": ["dealer"], "level": level, "status": "active"}, number=number,
                         companies=[{"company": str(companies["100"])}])
            for number, name, level in (("D-EAST", "东海机电", "核心"), ("D-WEST", "西山机电", "普通"))
        }  # fmt: skip
        customer = make(cursor, "party", {"name": "华东水务", "roles": ["end_customer"], "status": "active"}, number="C-1")
        found = {
            number: price_list(db, number, name, companies["100"], {"M001": (products["M001"], price), "M002": (products["M002"], half)})
            for number, name, price, half in (("P-STD", "标准价 100", "1000", "50"), ("P-DLR", "代理价 100", "900", "45"))
        }
        registration = new_id()
        cursor.execute(
            "INSERT INTO customer (party_id, name, prepared, norm_version) VALUES (%s, '华东水务', '', '1') RETURNING id", [customer]
        )
        row = cursor.fetchone()
        assert row is not None
        cursor.execute(
            "INSERT INTO registration (id, customer_id, claimed_as, dealer_id, protected, status, submitted_at, days, claim, active_at) "
            "VALUES (%s, %s, %s, %s, tstzrange('2026-01-01', '2027-01-01'), 'protected', '2026-01-01', 90, '{}', '2026-01-01')",
            [registration, row["id"], row["id"], dealers["D-EAST"]],
        )
    return Stocked(dealers["D-EAST"], dealers["D-WEST"], customer, products["M001"], products["M002"], registration, found)


def price_list(db: Db, number: str, name: str, company: UUID | None, prices: Mapping[str, tuple[UUID, str]], **head: Any) -> UUID:
    """A price list in CNY without tax, valid from 2026 on; `prices`: product and price by name of the line."""
    doc = {
        "name": name, "company": None if company is None else str(company), "currency": "CNY", "tax_included": False, "audience": "all",
        "valid_from": "2026-01-01", "valid_to": "2099-12-31", "approval": "approved", "status": "active", **head,
    }  # fmt: skip
    rows = [line(product, price) for product, price in prices.values()]
    with db.cursor() as cursor:
        return make(cursor, "price_list", doc, number=number, lines=rows)


def line(product: UUID, price: str, **more: Any) -> dict[str, Any]:
    """A line of a price list."""
    return {"product": str(product), "unit": "pcs", "price": price, "floor_price": "611.77", "status": "active", **more}


def reprice(db: Db, list_id: UUID, product: UUID, **changes: Any) -> None:
    """Change a line, as the engine does: the line's row, and its record's version."""
    db.execute(
        "UPDATE price_list_lines SET doc = (doc::jsonb || %(doc)s::jsonb)::json, price = CASE WHEN %(doc)s::jsonb ? 'price' "
        "THEN (%(doc)s::jsonb->>'price')::numeric ELSE price END WHERE (parent_id, product_id) = (%(list)s, %(product)s)",
        {"doc": json_text(changes), "list": list_id, "product": product},
    )
    db.execute("UPDATE price_lists SET version = version + 1 WHERE id = %s", [list_id])


def ask(*lines: tuple[str, int | str], **more: Any) -> Ask:
    """A question of D-EAST, if nobody else is named."""
    asked: Sequence[AskLine] = tuple(AskLine(item=item, quantity=Decimal(quantity)) for item, quantity in lines or (("M001", 1),))
    return Ask(lines=tuple(asked), **{"date": DAY, "dealer": "D-EAST", "alternatives": False, **more})

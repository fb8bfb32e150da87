"""Where each aggregate is stored: one table for the roots, one for each child set; typed columns for what rules and reports read.

Every root table has `id, hub_key, number, version, retired, doc, changed_at` and typed copies of some fields of `doc`; every set
table has `parent_id, id, seq, doc, links` likewise. `doc` holds the record in document form (canonical/values.py); as `json`, because it is
written far more often than looked into, and what is looked into has typed columns. `links` says which vendor line a row is, by stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from canonical.models import MODELS, entity


@dataclass(frozen=True, slots=True)
class Column:
    """A typed copy of a field."""

    name: str
    field: str
    sql_type: str


@dataclass(frozen=True)
class SetTable:
    """Where a child set is stored."""

    name: str
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True)
class EntityTable:
    """Where an aggregate is stored."""

    entity: str
    name: str
    columns: tuple[Column, ...]
    sets: dict[str, SetTable]

    @cached_property
    def fields(self) -> frozenset[str]:
        """Names of the aggregate's own fields that stand in `doc`."""
        return frozenset(entity(self.entity).fields) - {"number"}


def _uuid(*fields: str) -> tuple[Column, ...]:
    return tuple(Column(f"{field}_id", field, "uuid") for field in fields)


def _text(*fields: str) -> tuple[Column, ...]:
    return tuple(Column(field, field, "text") for field in fields)


def _number(*fields: str) -> tuple[Column, ...]:
    return tuple(Column(field, field, "numeric") for field in fields)


def _day(*fields: str) -> tuple[Column, ...]:
    return tuple(Column(field, field, "date") for field in fields)


_PLURALS = {"company": "companies", "party": "parties"}

_ROOT_COLUMNS: dict[str, tuple[Column, ...]] = {
    "company": _text("name", "status"),
    "department": _text("name") + _uuid("company"),
    "employee": _text("status"),
    "party": _text("name", "uscc", "level", "channel_type", "province", "city", "status") + _uuid("parent"),
    "contact": _uuid("party"),
    "agreement": _uuid("party", "company") + _day("valid_from", "valid_to"),
    "territory": _uuid("party") + _text("region") + _day("valid_from", "valid_to"),
    "product": _text("name", "category", "product_line", "status"),
    "price_list": _uuid("company") + _text("currency", "tier", "status") + _day("valid_from", "valid_to"),
    "stock_level": _uuid("company", "holder", "product") + _text("warehouse") + _number("quantity", "available"),
    "lead": _text("company_name", "status") + _uuid("dealer"),
    "deal": _uuid("customer", "dealer") + _text("stage_kind", "currency") + _number("expected_amount") + _day("expected_close"),
    "quote": _uuid("deal", "customer", "order") + _text("stage", "currency") + _number("total"),
    "order": _uuid("company", "party", "quote", "deal")
    + _day("ordered_on")
    + _text("currency", "approval", "status", "payment_state")
    + _number("total", "paid_amount"),
    "shipment": _uuid("company", "party", "order") + _day("shipped_on") + _text("approval", "status"),
    "return": _uuid("company", "party", "order") + _day("returned_on") + _text("approval", "status"),
    "receivable": _uuid("company", "party", "order")
    + _day("billed_on", "due_on")
    + _text("currency", "approval", "status")
    + _number("total"),
    "receipt": _uuid("company", "party", "order") + _day("received_on") + _text("currency", "approval", "status") + _number("amount"),
    "refund": _uuid("company", "party", "order") + _day("refunded_on") + _text("currency", "approval", "status") + _number("amount"),
    "credit_memo": _uuid("company", "party")
    + _day("issued_on")
    + _text("purpose", "payout", "currency", "approval", "status")
    + _number("total"),
    "approval": _text("kind", "decision"),
    "notice": _text("kind", "state"),
}

_SET_COLUMNS: dict[str, tuple[Column, ...]] = {
    "order.lines": _uuid("product"),
    "shipment.lines": _uuid("product", "order", "order_line") + _number("quantity"),
    "return.lines": _uuid("product", "order", "order_line") + _number("quantity"),
    "receivable.lines": _uuid("order") + _number("total"),
    "receipt.lines": _uuid("order") + _number("amount"),
    "receipt.matchings": _uuid("order", "receivable") + _number("amount"),
    "refund.lines": _uuid("order") + _number("amount"),
    "quote.lines": _uuid("product") + _number("quantity", "total"),
    "price_list.lines": _uuid("product") + _number("price"),
    "party.companies": _uuid("company"),
}


def _table(name: str) -> EntityTable:
    spec = entity(name)
    sets = {child: SetTable(f"{name}_{child}", _SET_COLUMNS.get(f"{name}.{child}", ())) for child in spec.sets}
    return EntityTable(name, _PLURALS.get(name, f"{name}s"), _ROOT_COLUMNS[name], sets)


TABLES: dict[str, EntityTable] = {name: _table(name) for name in MODELS}
"""Every aggregate's tables, by entity name."""


def create_statements() -> list[str]:
    """The DDL of all aggregate tables, as the first migration runs it."""
    statements = []
    for table in TABLES.values():
        typed = "".join(f", {column.name} {column.sql_type}" for column in table.columns)
        statements.append(
            f"CREATE TABLE {table.name} (id uuid PRIMARY KEY, hub_key text NOT NULL, number text NOT NULL DEFAULT '', "
            "version integer NOT NULL DEFAULT 1, retired boolean NOT NULL DEFAULT false, doc json NOT NULL, "
            f"changed_at timestamptz NOT NULL DEFAULT now(){typed})"
        )
        statements.append(f"CREATE UNIQUE INDEX {table.name}_hub_key ON {table.name} (hub_key)")
        statements.append(f"CREATE INDEX {table.name}_number ON {table.name} (number)")
        for child in table.sets.values():
            typed = "".join(f", {column.name} {column.sql_type}" for column in child.columns)
            statements.append(
                f"CREATE TABLE {child.name} (parent_id uuid NOT NULL, id uuid NOT NULL, seq integer NOT NULL DEFAULT 0, "
                f"doc json NOT NULL, links json{typed}, PRIMARY KEY (parent_id, id))"
            )
    return statements

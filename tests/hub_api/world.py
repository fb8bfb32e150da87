"""A small channel for tests of the API: a province agent with a city agent below it, a rival, and records of each, written with plain SQL.

Every value that a role may not see carries a marker of its own, so that a scan of raw bytes finds a leak.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from canonical.ids import new_hub_key, new_id
from ledger.tables import TABLES

Cursor = psycopg.Cursor[dict[str, Any]]

HIDDEN_FROM_DEALERS = {
    "credit": "7391.4687",
    "floor": "5127.9043",
    "custom": "MK-CUSTOM-81c2",
    "salesperson": "MK-SALES-55d0",
    "description": "MK-REMARK-19ab",
    "rule": "MK-TERMS-70fe",
    "account": "MK-ACCOUNT-aa31",
    "vendor": "MK-VENDOR-KEY-2207",
    "cause": "MK-CAUSE-9e9e",
    "reason": "MK-WHY-0b17",
}
"""What is planted on dealer A's own records, and A must never see."""
RIVAL = "MK-RIVAL-c0de"
"""Stands in every text of dealer B's records; A must never see it."""
FLOOR = HIDDEN_FROM_DEALERS["floor"]


def make(
    db: Cursor,
    entity: str,
    doc: Mapping[str, Any],
    *,
    number: str = "",
    custom: Mapping[str, Any] | None = None,
    **sets: Sequence[Mapping[str, Any]],
) -> UUID:
    """One record as the engine would store it. `sets`: rows of child sets."""
    table, made = TABLES[entity], new_id()
    doc = {**doc, **{f"custom.{name}": value for name, value in (custom or {}).items()}}
    typed = {column.name: doc.get(column.field) for column in table.columns}
    names = ["id", "hub_key", "number", "doc", "version", *typed]
    values = [made, new_hub_key(), number, Jsonb(doc), 1, *typed.values()]
    db.execute(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})", values)
    for child, rows in sets.items():
        for seq, row in enumerate(rows):
            _row(db, table.sets[child], made, seq, row)
    db.execute(
        "INSERT INTO history (entity, entity_id, version, cause, changed) VALUES (%s, %s, 1, %s, NULL)",
        [entity, made, HIDDEN_FROM_DEALERS["cause"]],
    )
    return made


def _row(db: Cursor, table: Any, parent: UUID, seq: int, row: Mapping[str, Any]) -> None:
    typed = {column.name: row.get(column.field) for column in table.columns}
    names = ["parent_id", "id", "seq", "doc", *typed]
    values = [parent, new_id(), seq, Jsonb(row), *typed.values()]
    db.execute(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})", values)


def make_party(db: Cursor, name: str, *, parent: UUID | None = None, number: str = "", **more: Any) -> UUID:
    """A dealer with terms that it may not see."""
    doc = {"name": name, "roles": ["dealer"], "status": "active", "level": "core", "province": "江苏省", **more}
    if parent:
        doc["parent"] = str(parent)
    terms = {
        "code": HIDDEN_FROM_DEALERS["rule"],
        "credit_limit": HIDDEN_FROM_DEALERS["credit"],
        "salesperson": HIDDEN_FROM_DEALERS["salesperson"],
    }
    return make(
        db,
        "party",
        doc,
        number=number,
        companies=[terms],
        addresses=[{"label": "仓库", "address": f"{name}路1号"}],
        custom={"x": HIDDEN_FROM_DEALERS["custom"]},
    )


def make_order(db: Cursor, party: UUID, *, number: str, total: str = "1130", note: str = "", lines: int = 2, **more: Any) -> UUID:
    """An approved order."""
    doc = {
        "party": str(party), "ordered_on": "2026-01-05", "currency": "CNY", "total": total, "status": "open", "approval": "approved",
        "salesperson": HIDDEN_FROM_DEALERS["salesperson"], "note": note or HIDDEN_FROM_DEALERS["description"], **more,
    }  # fmt: skip
    rows = [{"seq": seq + 1, "quantity": "10", "total": "565", "note": HIDDEN_FROM_DEALERS["description"]} for seq in range(lines)]
    return make(db, "order", doc, number=number, lines=rows)


@dataclass
class World:
    """The identifiers of everything that was made, by owner and entity."""

    agent: UUID
    city: UUID
    rival: UUID
    mine: dict[str, UUID] = field(default_factory=dict)
    """Records of dealer A, by entity."""
    below: dict[str, UUID] = field(default_factory=dict)
    """Records of the city agent below A."""
    theirs: dict[str, UUID] = field(default_factory=dict)
    """Records of the rival B, one of every kind."""


def _documents(party: UUID, mark: str) -> dict[str, dict[str, Any]]:
    """One document of each kind for a party; `mark` stands in a text of each."""
    who = str(party)
    return {
        "contact": {"party": who, "name": f"李明{mark}", "mobile": "13800000000", "status": "active"},
        "agreement": {"party": who, "mode": f"agency{mark}", "discount_rate": HIDDEN_FROM_DEALERS["credit"], "target": "100"},
        "territory": {"party": who, "region": f"32{mark}"},
        "stock_level": {"holder": who, "warehouse": f"W{mark}", "quantity": "7"},
        "lead": {"dealer": who, "company_name": f"无锡精工{mark}", "status": "new"},
        "deal": {
            "dealer": who,
            "customer": who,
            "name": f"产线改造{mark}",
            "salesperson": HIDDEN_FROM_DEALERS["salesperson"],
            "expected_amount": "100000",
        },
        "quote": {"customer": who, "subject": f"报价{mark}", "discount_reason": HIDDEN_FROM_DEALERS["reason"], "total": "99"},
        "shipment": {"party": who, "carrier": f"顺丰{mark}", "note": HIDDEN_FROM_DEALERS["description"], "shipped_on": "2026-02-01"},
        "return": {"party": who, "reason": f"quality{mark}", "note": HIDDEN_FROM_DEALERS["description"]},
        "receivable": {"party": who, "kind": f"financial{mark}", "total": "1130", "note": HIDDEN_FROM_DEALERS["description"]},
        "receipt": {"party": who, "amount": "500", "status": f"open{mark}", "note": HIDDEN_FROM_DEALERS["description"]},
        "refund": {"party": who, "amount": "5", "status": f"open{mark}", "note": HIDDEN_FROM_DEALERS["description"]},
        "credit_memo": {"party": who, "total": "7", "purpose": f"rebate{mark}", "note": HIDDEN_FROM_DEALERS["description"]},
    }


def fill(db: Cursor) -> World:
    """The whole channel."""
    agent = make_party(db, "苏州恒信机电有限公司", number="C1", description=HIDDEN_FROM_DEALERS["description"])
    city = make_party(db, "昆山恒信机电有限公司", parent=agent, number="C2")
    rival = make_party(db, f"杭州{RIVAL}传动有限公司", number="C3", city=RIVAL)
    world = World(agent, city, rival, {"party": agent}, {"party": city}, {"party": rival})
    for owner, found, mark in ((agent, world.mine, ""), (city, world.below, ""), (rival, world.theirs, RIVAL)):
        found["order"] = make_order(db, owner, number=f"SO-{mark}-{owner.hex[-4:]}", customer_reference=mark)
        for entity, doc in _documents(owner, mark).items():
            sets: dict[str, Any] = {}
            if entity == "receipt":
                sets["lines"] = [{"amount": "500", "account": HIDDEN_FROM_DEALERS["account"], "note": HIDDEN_FROM_DEALERS["description"]}]
            found[entity] = make(db, entity, doc, number=f"{entity}-{mark}-{owner.hex[-4:]}", **sets)
    _shared(db, world)
    _internals(db, world)
    return world


def _shared(db: Cursor, world: World) -> None:
    price = {"price": "100", "floor_price": FLOOR, "status": "active"}
    make(
        db,
        "price_list",
        {"name": "标准价", "audience": "all", "status": "active", "tier": HIDDEN_FROM_DEALERS["rule"]},
        number="P-ALL",
        lines=[price],
    )
    world.theirs["price_list"] = make(
        db,
        "price_list",
        {"name": f"特批{RIVAL}", "audience": "listed", "parties": [str(world.rival)], "status": "active"},
        number="P-B",
        lines=[price],
    )
    make(
        db,
        "price_list",
        {"name": "代理价", "audience": "listed", "parties": [str(world.city), str(world.rival)]},
        number="P-A",
        lines=[price],
    )
    make(db, "product", {"name": "伺服电机", "list_price": FLOOR, "status": "active"}, number="M001")
    make(db, "company", {"name": "东方机电股份有限公司", "uscc": HIDDEN_FROM_DEALERS["rule"], "status": "active"}, number="100")
    for entity, doc in {
        "department": {"name": f"销售部{RIVAL}"}, "employee": {"name": f"王五{RIVAL}", "status": "active"},
        "approval": {"kind": f"plan{RIVAL}"}, "notice": {"kind": f"order_shipped{RIVAL}"},
    }.items():  # fmt: skip
        world.theirs[entity] = make(db, entity, doc)


def _internals(db: Cursor, world: World) -> None:
    """Links, states, history, conflicts, cases, quarantine, plans and runs that only IT may see."""
    db.execute("SELECT id, system, name FROM stream")
    ids = {(row["system"], row["name"]): row["id"] for row in db.fetchall()}
    orders, customers = ids["zoho", "sales_orders"], ids["kingdee", "customers"]
    order, now = world.mine["order"], datetime.now(UTC)
    vendor, why = HIDDEN_FROM_DEALERS["vendor"], HIDDEN_FROM_DEALERS["reason"]
    db.execute("INSERT INTO link (stream_id, key, number, entity_id, how) VALUES (%s, %s, 'SO1', %s, 'created')", [orders, vendor, order])
    db.execute(
        "INSERT INTO desired (stream_id, entity_id, state, reason, canonical_version, differs) VALUES (%s, %s, 'due', %s, 1, %s)",
        [orders, order, why, Jsonb({"Total_Amount": [why, "1130"]})],
    )
    for version, changed in enumerate(({"salesperson": [vendor, why]}, {"status": ["open", "closed"], "note": [why, vendor]}), 2):
        db.execute(
            "INSERT INTO history (entity, entity_id, version, cause, changed, at) VALUES ('order', %s, %s, %s, %s, %s)",
            [order, version, HIDDEN_FROM_DEALERS["cause"], Jsonb(changed), now],
        )
    db.execute(
        "INSERT INTO conflict (entity, entity_id, field, stream_id, key, ours, theirs, rule) VALUES ('order', %s, "
        "'status', %s, %s, %s, %s, 'owner')",
        [order, orders, vendor, Jsonb("open"), Jsonb(why)],
    )
    db.execute(
        "INSERT INTO conflict (entity, entity_id, field, stream_id, key, ours, theirs, rule) VALUES ('price_list', %s, "
        "'lines.floor_price', %s, 'x', %s, %s, 'owner')",
        [world.theirs["price_list"], orders, Jsonb(FLOOR), Jsonb("1")],
    )
    db.execute(
        "INSERT INTO review_case (kind, entity, left_id, right_id, evidence) VALUES ('same_record', 'party', %s, %s, %s)",
        [world.agent, world.rival, Jsonb([["name", "恒信"]])],
    )
    db.execute(
        "INSERT INTO review_case (kind, entity, left_id, right_id, evidence) VALUES ('same_record', 'contact', %s, %s, %s)",
        [world.mine["contact"], world.theirs["contact"], Jsonb([["phone", "13800000000"]])],
    )
    db.execute(
        "INSERT INTO observed (stream_id, key, fingerprint, payload) VALUES (%s, 'bad', '\\x00', %s)",
        [customers, '{"FNumber": "X", "F_HUB_CREDIT": 12.50}'],
    )
    db.execute(
        "INSERT INTO quarantine (stream_id, key, cause, why, next_step) VALUES (%s, 'bad', 'field', 'FName is missing', 'mend it')",
        [customers],
    )
    db.execute(
        "INSERT INTO plan (kind, summary, expires_at) VALUES ('first_load', %s, now() + interval '1 day') RETURNING id",
        [Jsonb({"zoho.sales_orders": {"create": 0, "update": 1, "fields": {"Total_Amount": 1}}})],
    )
    plan = db.fetchone()
    assert plan is not None
    db.execute(
        "INSERT INTO plan_row (plan_id, stream_id, entity_id, action, changes, canonical_version) VALUES (%s, %s, %s, 'update', %s, 1)",
        [plan["id"], orders, order, Jsonb({"Total_Amount": ["1", "2"]})],
    )
    db.execute(
        "INSERT INTO run (kind, system, status, counts, ended_at) VALUES ('increment', 'zoho', 'done', %s, now())", [Jsonb({"read": 3})]
    )
    attempt = new_id()
    db.execute(
        "INSERT INTO delivery_attempt (id, stream_id, entity_id, hub_key, key, step, fields) VALUES (%s, %s, %s, 'H', %s, 'save', %s)",
        [attempt, orders, order, vendor, Jsonb({"Status": why})],
    )
    db.execute("INSERT INTO delivery_receipt (attempt_id, outcome, key, why) VALUES (%s, 'rejected', %s, %s)", [attempt, vendor, why])
    db.execute("INSERT INTO value_missing (name, system, direction, value) VALUES ('salesperson', 'kingdee', 'in', 'XS099')")

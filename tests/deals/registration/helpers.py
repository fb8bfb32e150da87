"""What tests of registrations build on: dealers, firms, claims that are sure, doubtful or new whatever the weights are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg

from canonical.ids import new_hub_key, new_id
from channel.deals import matching
from channel.deals.matching import Claim
from channel.deals.service import Rules
from ledger.bulk import json_text

HUAYI = Claim(name="上海华谊机械设备有限公司", uscc="91310000132200944J", phone="021-58881234", city="上海市")
LANSI = Claim(name="深圳市蓝思电子科技有限公司", phone="13800138000", city="深圳市")
YADU = Claim(name="北京亚都环保科技有限公司", phone="13911112222", city="北京市")
"""Three firms that have nothing in common."""

HUAYI_AGAIN = Claim(name="华谊机械设备（上海）有限公司", uscc="91310000132200944J", city="上海")
"""The first one under another spelling, sure because of its code."""
LANSI_AGAIN = replace(LANSI, name="蓝思电子科技", city="深圳")

UNSURE = Rules(thresholds=replace(matching.DEFAULT, duplicate=1.1, duplicate_name_only=1.1))
"""Nothing is sure: what would be a duplicate is a question for a person."""


def add_party(db: psycopg.Connection[Any], name: str, **fields: Any) -> UUID:
    """A canonical party, as merging would have stored it."""
    party = new_id()
    doc = {"name": name, **{key: value for key, value in fields.items() if value is not None}}
    db.execute(
        "INSERT INTO parties (id, hub_key, doc, name, uscc, channel_type, status) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [party, new_hub_key(), json_text(doc), name, fields.get("uscc"), fields.get("channel_type"), fields.get("status", "active")],
    )
    return party


def change_party(db: psycopg.Connection[Any], party: UUID, **fields: Any) -> None:
    """A change of a party, with its version."""
    db.execute(
        "UPDATE parties SET doc = (doc::jsonb || %s::jsonb)::json, name = coalesce(%s, name), version = version + 1 WHERE id = %s",
        [json_text(fields), fields.get("name"), party],
    )


def add_dealer(db: psycopg.Connection[Any], name: str, **fields: Any) -> UUID:
    """A dealer who may register."""
    return add_party(db, name, roles=["dealer"], **fields)


def add_policy(db: psycopg.Connection[Any], **fields: Any) -> int:
    """A policy, as somebody would enter it; its id."""
    values = {"edited_by": "person:policy", **fields}
    columns = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    row = db.execute(f"INSERT INTO deal_policy ({columns}) VALUES ({marks}) RETURNING id", list(values.values())).fetchone()
    assert row is not None
    return int(row[0])


def count(db: psycopg.Connection[Any], query: str, *values: Any) -> int:
    """The number that a query gives."""
    row = db.execute(query, values).fetchone()
    assert row is not None
    return int(row[0])


def holders(db: psycopg.Connection[Any]) -> int:
    """Registrations that hold a customer now."""
    return count(
        db, "SELECT count(*) FROM registration WHERE status IN ('submitted', 'held', 'protected', 'converted') AND dealer_id IS NOT NULL"
    )


def shift(db: psycopg.Connection[Any], registration: UUID, days: int) -> None:
    """Let a registration have been made so many days earlier."""
    db.execute(
        "UPDATE registration SET protected = tstzrange(lower(protected) - %(by)s::interval, upper(protected) - %(by)s::interval), "
        "submitted_at = submitted_at - %(by)s::interval, active_at = active_at - %(by)s::interval WHERE id = %(id)s",
        {"by": f"{days} days", "id": registration},
    )

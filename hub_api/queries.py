"""Every statement that reads records for the API. Row permission is part of each: a hidden row is as absent as a missing one.

Identifiers in the statements come from the table registry and from allow lists; every value is a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from hub_api.permissions import View
from ledger.tables import TABLES, EntityTable

Cursor = psycopg.Cursor[dict[str, Any]]
Row = dict[str, Any]

_OWN = {"id": "uuid", "hub_key": "text", "number": "text", "retired": "boolean", "changed_at": "timestamptz", "version": "integer"}
_OPERATORS = {"": "=", "ge": ">=", "le": "<=", "gt": ">", "lt": "<"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter: `field operator value`. The operator is empty (equals), ge, le, gt, lt or contains."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Tree:
    """A dealer's own party and all below it; empty for our own people."""

    ids: Sequence[UUID] = ()

    def parameters(self) -> dict[str, Any]:
        """For row conditions."""
        return {"tree": list(self.ids), "tree_text": [str(one) for one in self.ids]}


@dataclass(slots=True)
class _Where:
    parts: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, text: str, **values: Any) -> None:
        self.parts.append(text)
        self.values |= values

    def sql(self) -> str:
        return " WHERE " + " AND ".join(self.parts) if self.parts else ""


def party_tree(db: Cursor, party: UUID | None) -> Tree:
    """A party and all below it. A cycle in the data ends the walk, it does not hang it."""
    if party is None:
        return Tree()
    db.execute(
        "WITH RECURSIVE below (id) AS (SELECT %s::uuid UNION SELECT p.id FROM parties p JOIN below ON p.parent_id = "
        "below.id) SELECT id FROM below",
        [party],
    )
    return Tree([row["id"] for row in db])


def page(
    db: Cursor, view: View, tree: Tree, conditions: Sequence[Condition], *, sort: str, after: tuple[Any, UUID] | None, limit: int
) -> list[Row]:
    """One page of records, one more than `limit` when there are more. Each row has `sort_value`, what it was ordered by."""
    table = TABLES[view.entity]
    where = _visible(view, tree)
    for index, condition in enumerate(conditions):
        _filter(where, table, condition, f"f{index}")
    name, down = sort.removeprefix("-"), sort.startswith("-")
    column, kind = _column(table, name)
    if after is not None:
        _beyond(where, column, kind, after, down=down)
    direction = "DESC" if down else "ASC"
    order = f"r.id {direction}" if column == "id" else f"r.{column} {direction} NULLS LAST, r.id"
    db.execute(
        f"{_SELECT}, r.{column}::text AS sort_value FROM {table.name} r{where.sql()} ORDER BY {order} LIMIT {int(limit) + 1}",
        where.values,
    )
    return db.fetchall()


def one(db: Cursor, view: View, tree: Tree, record: UUID) -> Row | None:
    """One record, if there is such a one in sight."""
    table = TABLES[view.entity]
    where = _visible(view, tree)
    where.add("r.id = %(id)s", id=record)
    db.execute(f"{_SELECT} FROM {table.name} r{where.sql()}", where.values)
    return db.fetchone()


def rows_of(db: Cursor, view: View, child: str, parents: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The rows of a child set, by record, in their order."""
    found: dict[UUID, list[Row]] = {parent: [] for parent in parents}
    db.execute(
        f"SELECT parent_id, id, seq, doc FROM {TABLES[view.entity].sets[child].name} WHERE parent_id = ANY(%s) ORDER BY parent_id, seq, id",
        [list(parents)],
    )
    for row in db:
        found[row["parent_id"]].append(row)
    return found


def systems_of(db: Cursor, record: UUID) -> list[Row]:
    """How each system holds a record: its links, and what is desired of each."""
    db.execute(
        "SELECT s.system, s.name AS stream, l.key, l.number, coalesce(l.org, d.org) AS org, l.role, d.state, "
        "coalesce(d.reason, '') AS reason, "
        "d.changed_at AS since FROM (SELECT * FROM link WHERE entity_id = %(id)s) l "
        "FULL JOIN (SELECT * FROM desired WHERE entity_id = %(id)s) d ON d.stream_id = l.stream_id AND d.org = l.org "
        "JOIN stream s ON s.id = coalesce(l.stream_id, d.stream_id) ORDER BY s.system, s.name, org, l.key",
        {"id": record},
    )
    return db.fetchall()


def history(db: Cursor, view: View, record: UUID, *, before: int | None, limit: int) -> list[Row]:
    """Versions of a record, newest first; one more than `limit` when there are more."""
    db.execute(
        "SELECT seq, at, version, cause, changed FROM history WHERE entity_id = %(id)s AND entity = %(entity)s "
        "AND (%(before)s::bigint IS NULL OR seq < %(before)s) ORDER BY seq DESC LIMIT %(limit)s",
        {"id": record, "entity": view.entity, "before": before, "limit": limit + 1},
    )
    return db.fetchall()


def personal_values(db: Cursor, references: Sequence[str]) -> dict[str, Any]:
    """The personal values that history refers to, by reference; an erased one is absent."""
    if not references:
        return {}
    db.execute("SELECT id::text AS id, value FROM personal_value WHERE id = ANY(%s::uuid[]) AND value IS NOT NULL", [list(references)])
    return {row["id"]: msgspec.json.decode(row["value"]) for row in db}


def visible_ids(db: Cursor, view: View, tree: Tree, records: Sequence[UUID]) -> set[UUID]:
    """Which of these records are in sight."""
    where = _visible(view, tree)
    where.add("r.id = ANY(%(ids)s)", ids=list(records))
    db.execute(f"SELECT r.id FROM {TABLES[view.entity].name} r{where.sql()}", where.values)
    return {row["id"] for row in db}


_SELECT = "SELECT r.id, r.hub_key, r.number, r.version, r.retired, r.changed_at, r.doc"


def _visible(view: View, tree: Tree) -> _Where:
    where = _Where()
    if view.rows:
        where.add(f"({view.rows})", **tree.parameters())
    return where


def _column(table: EntityTable, name: str) -> tuple[str, str]:
    if name in _OWN:
        return name, _OWN[name]
    found = next(column for column in table.columns if column.field == name)
    return found.name, found.sql_type


def _filter(where: _Where, table: EntityTable, condition: Condition, name: str) -> None:
    column, kind = _column(table, condition.field)
    if isinstance(condition.value, str) and "\0" in condition.value:  # no stored text has one, and the driver would refuse it
        where.add("false")
        return
    if condition.operator == "contains":
        literal = str(condition.value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        where.add(f"r.{column} ILIKE %({name})s", **{name: f"%{literal}%"})
        return
    where.add(f"r.{column} {_OPERATORS[condition.operator]} %({name})s::{kind}", **{name: condition.value})


def _beyond(where: _Where, column: str, kind: str, after: tuple[Any, UUID], *, down: bool) -> None:
    value, record = after
    where.values |= {"after_id": record, "after": value}
    sign = "<" if down else ">"
    if column == "id":
        where.add(f"r.id {sign} %(after_id)s")
    elif value is None:
        where.add(f"(r.{column} IS NULL AND r.id > %(after_id)s)")
    else:
        at = f"%(after)s::{kind}"
        where.add(f"(r.{column} {sign} {at} OR r.{column} IS NULL OR (r.{column} = {at} AND r.id > %(after_id)s))")

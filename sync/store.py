"""Canonical records in and out of the ledger, by the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from canonical.ids import new_id_text
from ledger import binary
from ledger.binary import copy_binary
from ledger.bulk import (
    JSON_ARRAY,
    array_text,
    copy_json,
    copy_lines,
    joined_json,
    joined_texts,
)
from ledger.tables import Column, EntityTable, SetTable
from sync.decide import Canonical, Fields, Row, Rows
from sync.hub import Cursor
from sync.policy import EntityPolicy

Changes = Mapping[str, Sequence[Any]]


def load(db: Cursor, table: EntityTable, ids: Iterable[str], *, lock: bool = False) -> dict[str, Canonical]:
    """Canonical records with their child sets, by id. With `lock`, in the order of ids, so that two workers never wait for each other."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    db.execute(
        f"SELECT id::text, hub_key, number, version, retired, doc FROM {table.name} WHERE id = ANY(%s::uuid[]) ORDER BY id"
        + (" FOR UPDATE" if lock else ""),
        [array_text(wanted)],
    )
    found = {
        row["id"]: Canonical(
            row["id"],
            row["hub_key"],
            row["number"],
            row["version"],
            row["doc"],
            {child: {} for child in table.sets},
            row["retired"],
        )
        for row in db
    }
    for child, place in table.sets.items():
        db.execute(
            f"SELECT parent_id::text, id::text, seq, doc, links FROM {place.name} "
            "WHERE parent_id = ANY(%s::uuid[]) ORDER BY parent_id, seq",
            [array_text(list(found))],
        )
        for row in db:
            found[row["parent_id"]].sets[child][row["id"]] = Row(row["id"], row["doc"], row["links"] or {}, row["seq"])
    return found


def _typed(columns: Sequence[Column], docs: Sequence[Fields]) -> dict[str, binary.Parts]:
    """The typed copies of fields; a column that no document fills is left out."""
    made = {}
    for column in columns:
        field = column.field
        values = [doc.get(field) for doc in docs]
        if any(values) or values.count(None) < len(values):
            made[column.name] = _TYPED[column.sql_type](values)
    return made


def _texts(values: Sequence[Any]) -> binary.Parts:
    return binary.nullable(values if _all_texts(values) else [None if value is None else str(value) for value in values], binary.texts)


def _of_type(column: Callable[[Sequence[str]], binary.Parts]) -> Callable[[Sequence[Any]], binary.Parts]:
    """Numbers, days and identifiers: empty is null."""

    def parts(values: Sequence[Any]) -> binary.Parts:
        given = all(values) and _all_texts(values)
        return (
            column(values) if given else binary.nullable([None if value is None or value == "" else str(value) for value in values], column)
        )

    return parts


_TYPED: dict[str, Callable[[Sequence[Any]], binary.Parts]] = {
    "text": _texts,
    "uuid": _of_type(binary.references),
    "date": _of_type(binary.days),
    "numeric": _of_type(binary.numbers),
}


def _all_texts(values: Sequence[Any]) -> bool:
    return set(map(type, values)) == {str}


def insert(db: Cursor, table: EntityTable, records: Sequence[Canonical]) -> None:
    """Add new canonical records with their lines."""
    docs = [record.doc for record in records]
    (ids,) = binary.uuids([record.id for record in records])
    copy_binary(
        db,
        table.name,
        len(records),
        {},
        {
            "id": (ids,),
            "hub_key": binary.texts([record.hub_key for record in records]),
            "number": binary.texts([record.number for record in records]),
            **_typed(table.columns, docs),
            "doc": binary.documents(docs),
        },
    )
    for child, place in table.sets.items():
        parents: list[bytes] = []
        rows: list[Row] = []
        for parent, record in zip(ids, records, strict=True):
            if held := record.sets.get(child):
                parents += [parent] * len(held)
                rows += held.values()
        _insert_rows(db, place, parents, rows)


def _insert_rows(db: Cursor, place: SetTable, parents: Sequence[bytes], rows: Sequence[Row]) -> None:
    """Add rows. `parents`: the identifiers as :func:`ledger.binary.uuids` gives them."""
    if not rows:
        return
    docs = [row.doc for row in rows]
    copy_binary(
        db,
        place.name,
        len(rows),
        {},
        {
            "parent_id": (parents,),
            "id": binary.uuids([row.id for row in rows]),
            "seq": binary.integers([row.seq for row in rows]),
            **_typed(place.columns, docs),
            "doc": binary.documents(docs),
            "links": binary.nullable([row.links or None for row in rows], binary.documents),
        },
    )


def _array(docs: Sequence[Fields], column: Column) -> Any:
    if column.sql_type == "text":
        return [None if (value := doc.get(column.field)) is None else str(value) for doc in docs]
    return joined_texts(None if (value := doc.get(column.field)) is None or value == "" else str(value) for doc in docs)


def _array_sql(columns: Sequence[Column]) -> str:
    return "".join(", %s::text[]" if column.sql_type == "text" else f", {JSON_ARRAY}::{column.sql_type}[]" for column in columns)


def update(db: Cursor, table: EntityTable, before: Mapping[str, Canonical], after: Sequence[Canonical]) -> None:
    """Store changed records; of their lines only what changed."""
    if not after:
        return
    docs = [record.doc for record in after]
    extra = "".join(f", {column.name} = v.{column.name}" for column in table.columns)
    names = "".join(f", {column.name}" for column in table.columns)
    arrays = _array_sql(table.columns)
    db.execute(
        f"UPDATE {table.name} t SET number = v.number, version = v.version, retired = v.retired, doc = v.doc::json, "
        f"changed_at = now(){extra} "
        f"FROM unnest({JSON_ARRAY}::uuid[], %s::text[], %s::int[], %s::bool[], {JSON_ARRAY}{arrays}) "
        f"AS v(id, number, version, retired, doc{names}) WHERE t.id = v.id",
        [
            joined_texts(record.id for record in after),
            [record.number for record in after],
            [record.version for record in after],
            [record.retired for record in after],
            joined_json(docs),
            *(_array(docs, column) for column in table.columns),
        ],
    )
    for child, place in table.sets.items():
        _update_set(db, place, [(record.id, before[record.id].sets.get(child, {}), record.sets.get(child, {})) for record in after])


def _update_set(db: Cursor, place: SetTable, sets: Sequence[tuple[str, Rows, Rows]]) -> None:
    gone = [(parent, row_id) for parent, old, new in sets for row_id in old.keys() - new.keys()]
    fresh = [(parent, row) for parent, old, new in sets for row_id, row in new.items() if row_id not in old]
    moved = [(parent, row) for parent, old, new in sets for row_id, row in new.items() if row_id in old and not _same(old[row_id], row)]
    if gone:
        db.execute(
            f"DELETE FROM {place.name} t USING unnest(%s::uuid[], %s::uuid[]) v(parent_id, id) "
            "WHERE (t.parent_id, t.id) = (v.parent_id, v.id)",
            [[parent for parent, _ in gone], [row_id for _, row_id in gone]],
        )
    if moved:
        docs = [row.doc for _, row in moved]
        extra = "".join(f", {column.name} = v.{column.name}" for column in place.columns)
        names = "".join(f", {column.name}" for column in place.columns)
        arrays = _array_sql(place.columns)
        db.execute(
            f"UPDATE {place.name} t SET seq = v.seq, doc = v.doc::json, links = v.links::json{extra} "
            f"FROM unnest({JSON_ARRAY}::uuid[], {JSON_ARRAY}::uuid[], %s::int[], {JSON_ARRAY}, {JSON_ARRAY}{arrays}) "
            f"AS v(parent_id, id, seq, doc, links{names}) "
            "WHERE t.parent_id = v.parent_id AND t.id = v.id",
            [
                joined_texts(parent for parent, _ in moved),
                joined_texts(row.id for _, row in moved),
                [row.seq for _, row in moved],
                joined_json(docs),
                joined_json(row.links or None for _, row in moved),
                *(_array(docs, column) for column in place.columns),
            ],
        )
    _insert_rows(db, place, binary.uuids([parent for parent, _ in fresh])[0], [row for _, row in fresh])


def _same(old: Row, new: Row) -> bool:
    return old.doc == new.doc and old.links == new.links and old.seq == new.seq


def write_history(
    db: Cursor, policy: EntityPolicy, run_id: int | None, cause: str, entries: Iterable[tuple[str, int, Changes | None]]
) -> None:
    """Append one row per changed record version: (entity id, version, changed fields or None for a new record).

    Personal values go to an erasable table; history holds their references.
    """
    personal: list[str] = []
    rows = list(entries)
    changes = [
        _by_reference(policy, entity_id, changed, personal) if changed is not None and policy.personal else changed
        for entity_id, _, changed in rows
    ]
    copy_lines(db, "personal_value", ["id", "entity_id", "value"], personal)
    copy_binary(
        db,
        "history",
        len(rows),
        {
            "entity": policy.entity.encode(),
            "cause": cause.encode(),
            **({"run_id": binary.bigint(run_id)} if run_id is not None else {}),
        },
        {
            "entity_id": binary.uuids([entity_id for entity_id, _, _ in rows]),
            "version": binary.integers([version for _, version, _ in rows]),
            **({"changed": binary.nullable(changes, binary.documents)} if any(changes) else {}),
        },
    )


def _by_reference(policy: EntityPolicy, entity_id: str, changes: Changes, personal: list[str]) -> dict[str, Any]:
    def refer(value: Any) -> Any:
        if value in (None, ""):
            return value
        reference = new_id_text()
        personal.append("\t".join([reference, entity_id, copy_json(value)]))
        return {"personal": reference}

    kept: dict[str, Any] = {}
    for path, pair in changes.items():
        parts = path.split("/")
        general = path if len(parts) == 1 else f"{parts[0]}.{parts[2]}" if len(parts) == 3 else ""
        if general in policy.personal:
            kept[path] = [refer(value) for value in pair]
        elif len(parts) == 2 and any(name.startswith(f"{parts[0]}.") for name in policy.personal):
            kept[path] = [_refer_row(policy, parts[0], row, refer) for row in pair]
        else:
            kept[path] = list(pair)
    return kept


def _refer_row(policy: EntityPolicy, child: str, row: Any, refer: Callable[[Any], Any]) -> Any:
    if not isinstance(row, dict):
        return row
    return {field: refer(value) if f"{child}.{field}" in policy.personal else value for field, value in row.items()}

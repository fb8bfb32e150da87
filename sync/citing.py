"""Who names whom: the records that cite others, in a field or in a line, found for many at once.

Only fields that the model declares as references to that kind of record are looked at, and a tenant's own fields, of which the model knows
nothing. Each table that has such a field is looked through once, however many records are asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from canonical.base import FieldSpec
from canonical.models import entity
from ledger.bulk import array_text
from ledger.tables import TABLES, Column
from sync.hub import Cursor, Hub

FEW = 4
"""Up to so many it is cheaper to look for their ids in the text of a document than to take it apart."""


class Citations:
    """Who cites some records of one kind, as it stood when it was asked, and as merges have moved it since."""

    def __init__(self, hub: Hub, db: Cursor, name: str, ids: Iterable[str]) -> None:
        self._entities = list(hub.policies)
        self._citing: dict[str, dict[str, set[str]]] = {}
        wanted = sorted(set(ids))
        few = len(wanted) <= FEW
        asked = {"ids": array_text(wanted), "parts": array_text([f"%{cited}%" for cited in wanted[:FEW]])}
        for place in _places(hub, name) if wanted else ():
            for statement in place.statements(few=few):
                db.execute(statement.encode(), asked)
                for row in db:
                    self._citing.setdefault(row["cited"], {}).setdefault(place.entity, set()).add(row["id"])

    def of(self, cited: str) -> dict[str, list[str]]:
        """Ids of the records that cite it, by kind; a kind without any has an empty list."""
        found = self._citing.get(cited, {})
        return {name: sorted(found.get(name, ())) for name in self._entities}

    def moved(self, drop: str, keep: str) -> None:
        """What cited the one cites the other now. Saying it twice does no harm."""
        for name, ids in self._citing.get(drop, {}).items():
            self._citing.setdefault(keep, {}).setdefault(name, set()).update(ids)


@dataclass(frozen=True, slots=True)
class _Place:
    """A table with fields that may cite."""

    entity: str
    table: str
    row_id: str
    live: str
    """What tells a live row, as a condition."""
    columns: Sequence[str]
    """Typed columns that hold a reference."""
    fields: Sequence[str]
    """Fields of `doc` that hold one and have no typed column."""
    lists: Sequence[str]
    """Fields of `doc` that hold a list of them."""

    def statements(self, *, few: bool) -> Iterator[str]:
        """Each gives rows of `id`, the citing record, and `cited`. `few`: a look at the text first spares taking most documents apart."""
        text = " AND doc::text LIKE ANY(%(parts)s::text[])" if few else ""
        for column in self.columns:
            yield (
                f"SELECT {self.row_id}::text AS id, {column}::text AS cited FROM {self.table} "
                f"WHERE {column} = ANY(%(ids)s::uuid[]) AND {self.live}"
            )
        if self.fields:
            values = ", ".join(f"(v.f{place})" for place in range(len(self.fields)))
            parsed = ", ".join(f"doc->>{_quoted(field)} AS f{place}" for place, field in enumerate(self.fields))
            yield (
                f"SELECT v.id::text AS id, n.cited FROM (SELECT {self.row_id} AS id, {parsed} FROM {self.table} "
                f"WHERE {self.live}{text}) AS v CROSS JOIN LATERAL (VALUES {values}) AS n(cited) WHERE n.cited = ANY(%(ids)s::text[])"
            )
        for field in self.lists:
            yield (
                f"SELECT {self.row_id}::text AS id, v.cited FROM {self.table} CROSS JOIN LATERAL json_array_elements_text("
                f"CASE json_typeof(doc->{_quoted(field)}) WHEN 'array' THEN doc->{_quoted(field)} ELSE '[]' END) AS v(cited) "
                f"WHERE v.cited = ANY(%(ids)s::text[]) AND {self.live}{text}"
            )


def _quoted(field: str) -> str:
    """The name of a field of the model as an SQL text. Names are our own, of letters and dots."""
    return "'" + field.replace("'", "''") + "'"


def _places(hub: Hub, cited: str) -> Iterator[_Place]:
    for name in hub.policies:
        table, spec = TABLES[name], entity(name)
        yield from _place(name, table.name, "id", "NOT retired", table.columns, spec.fields, _own_fields(hub, name, ""), cited)
        for child, place in table.sets.items():
            own = _own_fields(hub, name, f"{child}.")
            yield from _place(name, place.name, "parent_id", "true", place.columns, spec.sets[child], own, cited)


def _place(
    name: str,
    table: str,
    row_id: str,
    live: str,
    typed: Sequence[Column],
    fields: Mapping[str, FieldSpec],
    own: Sequence[str],
    cited: str,
) -> Iterator[_Place]:
    named = [field for field, spec in fields.items() if spec.refers_to == cited]
    columns = {column.field: column.name for column in typed}
    lists = [field for field in named if fields[field].kind == "list"]
    untyped = [field for field in named if field not in columns and field not in lists]
    found = _Place(name, table, row_id, live, [columns[field] for field in named if field in columns], [*untyped, *own], lists)
    if found.columns or found.fields or found.lists:
        yield found


def _own_fields(hub: Hub, name: str, prefix: str) -> list[str]:
    """Fields of a tenant's own that some mapping fills; any may hold a reference."""
    read = {path.removeprefix(prefix) for state in hub.streams_for(name) for path in state.mapping.reads if path.startswith(prefix)}
    return sorted(path.replace("'", "''").replace("%", "%%") for path in read if path.startswith("custom."))

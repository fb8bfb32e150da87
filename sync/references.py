"""What records cite, looked up by the page: a vendor's key or number on one side, a canonical id on the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.bulk import array_text
from ledger.tables import TABLES
from mappings.errors import Cite
from mappings.model import Target
from sync.hub import Cursor, Hub

MOST = 100_000
"""How many look-ups are remembered at most."""


class References:
    """Look-ups of one run, remembered. Drop it when the transaction that filled it was rolled back."""

    def __init__(self, hub: Hub, system: str) -> None:
        self.hub, self.system = hub, system
        self.known: dict[Cite, str] = {}

    def bound(self) -> None:
        """Keep the memory small: too many look-ups are forgotten together."""
        if len(self.known) > MOST:
            self.known.clear()

    def resolve(self, db: Cursor, cites: Iterable[Cite]) -> dict[Cite, str]:
        """Canonical ids of the cited records that the hub knows. Asks the database only for what it has not seen yet."""
        asked = {cite for cite in cites if cite not in self.known}
        by_place: dict[str, set[str]] = {}
        for cite in asked:
            by_place.setdefault(cite[0], set()).add(cite[1])
        for place, keys in by_place.items():
            wanted = [key for key in keys if (place, key) not in self.known]
            if wanted:
                self._ask(db, place, wanted)
        self._ask_lines(db, [cite for cite in asked if len(cite) == 4])
        return self.known

    def learn(self, stream: str, key: str, number: str, entity_id: str) -> None:
        """A record that was just linked."""
        self.known[stream, key] = entity_id
        if number:
            self.known[f"{stream}#number", number] = entity_id

    def _ask(self, db: Cursor, place: str, keys: list[str]) -> None:
        if place.startswith("="):
            table = TABLES[place[1:]].name
            db.execute(
                f"SELECT number AS name, id::text AS id FROM {table} WHERE number = ANY(%s::text[]) AND NOT retired", [array_text(keys)]
            )
            self._keep_unique(place, db)
            return
        stream, _, by_number = place.partition("#")
        state = self.hub.streams.get((self.system, stream))
        if state is None:
            return
        column = "number" if by_number else "key"
        db.execute(
            f"SELECT {column} AS name, entity_id::text AS id FROM link WHERE stream_id = %s AND {column} = ANY(%s::text[])",
            [state.id, array_text(keys)],
        )
        self._keep_unique(place, db)

    def _keep_unique(self, place: str, db: Cursor) -> None:
        found: dict[str, set[str]] = {}
        for row in db:
            found.setdefault(row["name"], set()).add(row["id"])
        for name, ids in found.items():
            if len(ids) == 1:  # a number that two records share points at neither
                self.known[place, name] = next(iter(ids))

    def _ask_lines(self, db: Cursor, cites: list[Any]) -> None:
        groups: dict[tuple[str, str], list[Any]] = {}
        for cite in cites:
            if (cite[0], cite[1]) in self.known:
                groups.setdefault((cite[0].partition("#")[0], cite[2]), []).append(cite)
        for (stream, child), group in groups.items():
            state = self.hub.streams[self.system, stream]
            place = state.table.sets[child].name
            parents = list({self.known[cite[0], cite[1]] for cite in group})
            db.execute(
                f"SELECT parent_id::text AS parent, id::text AS id, links->>%s AS key FROM {place} WHERE parent_id = ANY(%s::uuid[])",
                [str(state.id), parents],
            )
            lines = {(row["parent"], row["key"]): row["id"] for row in db if row["key"]}
            for cite in group:
                line = lines.get((self.known[cite[0], cite[1]], cite[3]))
                if line:
                    self.known[cite] = line


def targets(hub: Hub, db: Cursor, system: str, needs: Iterable[tuple[str, str]], org: str = "") -> dict[tuple[str, str], Target]:
    """Where the canonical records that a document points at stand in a system: (stream, canonical id) -> key and number there.

    Of several copies, the one of organisation `org` is taken, else the first.
    """
    found: dict[tuple[str, str], Target] = {}
    by_stream: dict[str, set[str]] = {}
    for stream, entity_id in needs:
        by_stream.setdefault(stream, set()).add(entity_id)
    for stream, ids in by_stream.items():
        if stream.startswith("="):
            table = TABLES[stream[1:]].name
            db.execute(f"SELECT id::text AS id, number FROM {table} WHERE id = ANY(%s::uuid[])", [list(ids)])
            found.update({(stream, row["id"]): Target(row["id"], row["number"]) for row in db})
            continue
        state = hub.streams.get((system, stream))
        if state is None:
            continue
        db.execute(
            "SELECT DISTINCT ON (entity_id) entity_id::text AS id, key, number FROM link "
            "WHERE stream_id = %s AND entity_id = ANY(%s::uuid[]) AND role <> 'gone' "
            "ORDER BY entity_id, (org = %s) DESC, role DESC, org, key",
            [state.id, list(ids), org],
        )
        found.update({(stream, row["id"]): Target(row["key"], row["number"]) for row in db})
    return found

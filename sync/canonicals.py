"""Canonical records: computed from what all sources say, stored when they changed, with their history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from canonical.ids import new_id_text
from sync import deriving, holding, scope, store
from sync.decide import Canonical, Rows, Source, changed_fields, merge_fields, policy_of
from sync.decide_sets import Parts, merge_rows_by_company, merge_set
from sync.hub import Cursor, Hub
from sync.policy import EntityPolicy
from sync.streams import Kind

if TYPE_CHECKING:
    from sync.observing import Observed


def merge_entities(
    hub: Hub,
    db: Cursor,
    state: Kind,
    by_entity: Mapping[str, Sequence[Source]],
    existing: Mapping[str, Canonical],
    result: Observed,
    run_id: int | None,
    cause: str,
    fresh: Mapping[str, str] | None = None,
    begun: Mapping[str, Canonical] | None = None,
) -> dict[str, Canonical]:
    """Merge what all systems say into the canonical records; store what changed, with its history.

    `fresh`: hub keys of records that are new. `begun`: new records whose canonical form is known already.
    """
    present = dict(begun or {})
    new = list(present.values())
    changed: list[Canonical] = []
    history: list[tuple[str, int, Mapping[str, Sequence[Any]] | None]] = [(entity_id, 1, None) for entity_id in present]
    merging = _merging(hub, db, state, by_entity.values(), existing.values())
    for entity_id, sources in by_entity.items():
        before = existing.get(entity_id)
        merged = merging.one(entity_id, sources, before, (fresh or {}).get(entity_id, ""))
        present[entity_id] = merged
        if before is None:
            new.append(merged)
            history.append((entity_id, 1, None))
            continue
        changes = changed_fields(before, merged.doc, merged.sets, merged.number)
        if changes or _links_moved(before, merged):
            if changes:
                merged.version = before.version + 1
                history.append((entity_id, merged.version, changes))
            changed.append(merged)
    store.insert(db, state.table, new)
    store.update(db, state.table, existing, changed)
    store.write_history(db, state.policy, run_id, cause, history)
    result.merged += len(history)
    result.touched |= {entity_id for entity_id, _, _ in history}
    if history:
        deriving.enqueue(db, state.entity, [present[entity_id] for entity_id, _, _ in history], existing)
    return present


def _paths(policy: EntityPolicy) -> list[str]:
    """Fields of the record itself that somebody decides; those of its sets are merged row by row."""
    own = [path for path in policy.owners if "." not in path and path not in policy.owners_of_sets]
    return own + [path for path in policy.owners if path.startswith("custom.")]


@dataclass(frozen=True, slots=True)
class _Merging:
    """What it takes to merge records of one entity, looked up once for all of them."""

    state: Kind
    paths: Sequence[str]
    natural: Mapping[str, Sequence[str]]
    """By child set, the fields that tell a row whatever the system."""
    parts: Mapping[str, Parts]
    """By child set, streams that have room for a part of its rows."""
    numbers: Mapping[str, str] | None
    """Of our companies by id, where owners differ by company."""

    def one(self, entity_id: str, sources: Sequence[Source], before: Canonical | None, hub_key: str = "") -> Canonical:
        """The canonical record that follows from all sources. `hub_key`: of a new one."""
        now = before or Canonical(entity_id, hub_key, "", 1, {}, {}, fresh=True)
        policy = self.state.policy if self.numbers is None else policy_of(self.state.policy, sources, now.doc, self.numbers)
        doc = merge_fields(policy, self.paths, sources, now.doc)
        number = doc.pop("number", None) or next((source.number for source in sources if source.number), now.number)
        sets = {name: self._rows(policy, name, sources, now.sets.get(name, {})) for name in self.state.table.sets}
        merged = Canonical(entity_id, now.hub_key, number, now.version, doc, sets, now.retired, now.fresh)
        return merged if before else deriving.begin(self.state.entity, merged)

    def _rows(self, policy: EntityPolicy, name: str, sources: Sequence[Source], rows: Rows) -> Rows:
        natural, parts = self.natural[name], self.parts.get(name, {})
        if self.numbers is not None and name in policy.company_of_rows:
            return merge_rows_by_company(policy, name, sources, rows, new_id_text, self.numbers, natural, parts)
        return merge_set(policy, name, sources, rows, new_id_text, natural, parts)


def _merging(hub: Hub, db: Cursor, state: Kind, sources: Iterable[Sequence[Source]], records: Iterable[Canonical]) -> _Merging:
    return _Merging(
        state,
        _paths(state.policy),
        {name: hub.natural_keys(state.entity, name) for name in state.table.sets},
        holding.parts(hub, db, state.entity, sources, records),
        scope.company_numbers(db) if state.policy.by_company else None,
    )


def computed(hub: Hub, db: Cursor, state: Kind, before: Canonical, sources: Sequence[Source]) -> Canonical:
    """What a record would be by these sources; nothing is stored."""
    return _merging(hub, db, state, [sources], [before]).one(before.id, sources, before)


def _links_moved(before: Canonical, after: Canonical) -> bool:
    return any(
        row.links != (old.links if (old := before.sets.get(name, {}).get(row_id)) else None)
        for name, rows in after.sets.items()
        for row_id, row in rows.items()
    )

"""Canonical records: computed from what all sources say, stored when they changed, with their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from canonical.ids import new_id_text
from sync import deriving, holding, scope, store
from sync.decide import Canonical, Source, changed_fields, merge_fields, policy_of
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
    paths = _paths(state.policy)
    numbers = scope.company_numbers(db) if state.policy.by_company else None
    parts = holding.parts(hub, db, state.entity, by_entity.values(), existing.values())
    for entity_id, sources in by_entity.items():
        before = existing.get(entity_id)
        merged = merge_one(hub, state, entity_id, sources, before, paths, (fresh or {}).get(entity_id, ""), numbers, parts)
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


def merge_one(
    hub: Hub,
    state: Kind,
    entity_id: str,
    sources: Sequence[Source],
    before: Canonical | None,
    paths: Sequence[str],
    hub_key: str,
    numbers: Mapping[str, str] | None = None,
    parts: Mapping[str, Parts] | None = None,
) -> Canonical:
    """The canonical record that follows from all sources.

    `numbers`: of our companies by id, where owners differ by company. `parts`: by child set, streams that have room for a part of its rows.
    """
    policy, parts = state.policy, parts or {}
    if numbers is not None:
        return _merge_by_company(hub, state, entity_id, sources, before, paths, hub_key, numbers, parts)
    doc = merge_fields(policy, paths, sources, before.doc if before else {})
    number = doc.pop("number", None) or next((source.number for source in sources if source.number), before.number if before else "")
    sets = {
        name: merge_set(
            policy,
            name,
            sources,
            before.sets.get(name, {}) if before else {},
            new_id_text,
            hub.natural_keys(state.entity, name),
            parts.get(name, {}),
        )
        for name in state.table.sets
    }
    if before is None:
        return deriving.begin(state.entity, Canonical(entity_id, hub_key, number, 1, doc, sets, fresh=True))
    return Canonical(entity_id, before.hub_key, number, before.version, doc, sets, before.retired)


def computed(hub: Hub, db: Cursor, state: Kind, before: Canonical, sources: Sequence[Source]) -> Canonical:
    """What a record would be by these sources; nothing is stored."""
    paths = _paths(state.policy)
    numbers = scope.company_numbers(db) if state.policy.by_company else None
    return merge_one(hub, state, before.id, sources, before, paths, "", numbers, holding.parts(hub, db, state.entity, [sources], [before]))


def _merge_by_company(
    hub: Hub,
    state: Kind,
    entity_id: str,
    sources: Sequence[Source],
    before: Canonical | None,
    paths: Sequence[str],
    hub_key: str,
    numbers: Mapping[str, str],
    parts: Mapping[str, Parts],
) -> Canonical:
    current = before or Canonical(entity_id, hub_key, "", 1, {}, {}, fresh=True)
    policy = policy_of(state.policy, sources, current.doc, numbers)
    doc = merge_fields(policy, paths, sources, current.doc)
    number = doc.pop("number", None) or next((source.number for source in sources if source.number), current.number)
    sets = {}
    for name in state.table.sets:
        natural = hub.natural_keys(state.entity, name)
        rows = current.sets.get(name, {})
        sets[name] = (
            merge_rows_by_company(policy, name, sources, rows, new_id_text, numbers, natural, parts.get(name, {}))
            if name in policy.company_of_rows
            else merge_set(policy, name, sources, rows, new_id_text, natural, parts.get(name, {}))
        )
    merged = replace(current, number=number, doc=doc, sets=sets)
    return merged if before else deriving.begin(state.entity, merged)


def _links_moved(before: Canonical, after: Canonical) -> bool:
    return any(
        row.links != (old.links if (old := before.sets.get(name, {}).get(row_id)) else None)
        for name, rows in after.sets.items()
        for row_id, row in rows.items()
    )

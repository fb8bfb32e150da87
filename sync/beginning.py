"""Records that are new, and known to one system only: nearly every document of a first load.

There is nothing to weigh and nothing to find them among, so their canonical form is what the mapping made, less the fields that the system
does not decide. It equals what merging makes of the same (tests/sync/test_new_records.py), at a third of the price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from canonical.ids import new_id_text
from sync import deriving
from sync.decide import Canonical, Rows
from sync.decide_sets import begin_rows
from sync.hub import Hub
from sync.streams import StreamState

if TYPE_CHECKING:
    from sync.observing import Seen


def alone(hub: Hub, state: StreamState, linked: Iterable[Seen], fresh: Mapping[str, str]) -> list[Seen]:
    """The records that are each the only word on an entity of their own; none where rows of several records may be one."""
    if not fresh or state.policy.by_company or hub.has_natural_keys(state.entity):
        return []
    new = [item for item in linked if item.entity_id in fresh]
    return new if len(new) == len(fresh) else []


def begin(state: StreamState, items: Iterable[Seen], hub_keys: Mapping[str, str]) -> dict[str, Canonical]:
    """Their canonical records, by id. They take over what the mapping made: a candidate is spent afterwards."""
    policy, stream = state.policy, str(state.id)
    allowed = policy.fields_of.get(state.system, frozenset())
    owned = [(name, policy.derived_of(name)) for name in state.table.sets if state.system in policy.owners[name]]
    begun: dict[str, Canonical] = {}
    for item in items:
        candidate, entity_id = item.candidate, item.entity_id
        assert candidate is not None  # noqa: S101  reading saw to it
        assert entity_id is not None  # noqa: S101  linking saw to it
        doc = candidate.fields
        if not doc.keys() <= allowed:
            doc = {path: value for path, value in doc.items() if path in allowed}
        number = doc.pop("number", None) or candidate.number
        sets: dict[str, Rows] = {name: {} for name in state.table.sets}
        for name, derived in owned:
            if said := candidate.sets.get(name):
                sets[name] = begin_rows(said, derived, stream, new_id_text)
        begun[entity_id] = deriving.begin(state.entity, Canonical(entity_id, hub_keys[entity_id], number, 1, doc, sets, fresh=True))
    return begun

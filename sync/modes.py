"""Modes: off, read, plan, write; what hub.yaml says, and what a person switched since."""

from __future__ import annotations

from collections.abc import Sequence

from sync.hub import Hub
from sync.streams import StreamState


def set_mode(hub: Hub, mode: str, by: str, *, entity: str | None = None, system: str | None = None) -> int:
    """Switch flows to a mode; returns how many. What is held for a plan stays held until an approved plan is applied.

    A flow that only reads begins to write when it is named by entity and system; a sweeping switch leaves it as it is.
    """
    named = entity is not None and system is not None
    matching = [state for state in hub.streams.values() if entity in (None, state.entity) and system in (None, state.system)]
    with hub.transaction() as db:
        overrides = hub.mode_overrides(db)
        chosen = [state for state in matching if named or mode in ("off", "read") or hub.mode(state, overrides) in ("plan", "write")]
        for state in chosen:
            db.execute(
                "INSERT INTO flow_mode (entity, system, mode, set_by) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (entity, system) DO UPDATE SET mode = excluded.mode, set_by = excluded.set_by, set_at = now()",
                [state.entity, state.system, mode, by],
            )
    return len(chosen)


def modes(hub: Hub) -> Sequence[tuple[StreamState, str]]:
    """Every flow with the mode in force."""
    with hub.transaction() as db:
        overrides = hub.mode_overrides(db)
    return [(state, hub.mode(state, overrides)) for state in hub.streams.values()]

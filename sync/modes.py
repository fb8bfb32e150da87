"""Modes: off, read, plan, write; what hub.yaml says, and what a person switched since."""

from __future__ import annotations

from collections.abc import Sequence

from sync.hub import Hub, StreamState


def set_mode(hub: Hub, mode: str, by: str, *, entity: str | None = None, system: str | None = None) -> int:
    """Switch flows to a mode; returns how many. What is held for a plan stays held until an approved plan is applied."""
    chosen = [state for state in hub.streams.values() if entity in (None, state.entity) and system in (None, state.system)]
    with hub.transaction() as db:
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

"""Where the API calls the engine: one short function for each use, with the engine's results as plain JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from sync.hub import Hub


def lineage(hub: Hub, entity: str, record: UUID) -> list[dict[str, Any]]:
    """Why each field of a record has its value."""
    return []


def edit(hub: Hub, entity: str, record: UUID, changes: dict[str, Any], *, by: str) -> None:
    """Edit a record as the hub's own."""
    raise NotImplementedError

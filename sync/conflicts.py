"""Conflicts: a person may let a difference stand, or have it repaired."""

from __future__ import annotations

from sync.errors import NotFound, WrongState
from sync.hub import Hub


def settle(hub: Hub, conflict_id: int, how: str, by: str) -> None:
    """`leave`: the other system keeps its value until either side changes; `repair`: the owner's value goes there.

    Raises: NotFound; WrongState for a conflict that is closed, or another word.
    """
    if how not in ("leave", "repair"):
        raise WrongState(f"a conflict cannot be settled by {how!r}", next_step="use leave or repair")
    with hub.transaction() as db:
        db.execute("SELECT stream_id, entity_id, state FROM conflict WHERE id = %s FOR UPDATE", [conflict_id])
        row = db.fetchone()
        if row is None:
            raise NotFound(f"there is no conflict {conflict_id}", next_step="see `hub conflicts list`")
        if row["state"] in ("repaired", "accepted"):
            raise WrongState(f"conflict {conflict_id} is {row['state']}", next_step="list what is open: `hub conflicts`")
        stand, reason, closed = ("left", "settled", "accepted") if how == "leave" else ("due", "repair", "open")
        db.execute(
            "UPDATE desired SET state = %s, reason = %s, detail = %s, due_at = CASE WHEN %s = 'due' THEN now() END, changed_at = now(), "
            "accepted = CASE WHEN %s = 'due' THEN NULL ELSE accepted END "
            "WHERE stream_id = %s AND entity_id = %s AND state IN ('due', 'left')",
            [stand, reason, f"by {by}", stand, stand, row["stream_id"], row["entity_id"]],
        )
        db.execute(
            "UPDATE conflict SET state = %s, closed_at = CASE WHEN %s = 'accepted' THEN now() END "
            "WHERE stream_id = %s AND entity_id = %s AND state IN ('open', 'left')",
            [closed, closed, row["stream_id"], row["entity_id"]],
        )

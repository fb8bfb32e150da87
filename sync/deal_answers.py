"""Questions about registrations, answered: approvals, appeals, doubts whether two customers are one."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from channel.deals import acting, review_queries
from channel.deals import fence_queries as fences
from sync import deal_notices, reviewing
from sync.errors import WrongState
from sync.hub import Cursor, Hub
from sync.notices import Asked

Answer = Literal["approved", "rejected"]


def registration(hub: Hub, db: Cursor, asked: Asked, decision: Answer, by: str, reason: str, how: str) -> None:
    """A registration goes on or is refused, and whoever waits is told.

    `how` decides an appeal that is granted while somebody holds the customer: `other_firm` or `end_holder`.
    Raises: WrongState when nobody waits any more; ChannelError of the action itself.
    """
    _act(hub, db, asked.kind, UUID(asked.number), decision, by, reason, how)
    while deal_notices.tell_page(hub, db, {}) == deal_notices.PAGE:
        pass


def _act(hub: Hub, db: Cursor, kind: str, registration: UUID, decision: Answer, by: str, reason: str, how: str) -> None:
    connection = db.connection
    yes = decision == "approved"
    if kind == "deal_conflict":
        _answer_conflict(hub, db, registration, by, reason, same=not yes)
    elif kind == "deal_appeal":
        if yes:
            acting.grant_appeal(connection, registration, by, reason, other_firm=how == "other_firm", end_holder=how == "end_holder")
        else:
            acting.deny_appeal(connection, registration, by, reason)
    elif yes:
        acting.approve(connection, registration, by, reason)
    else:
        acting.reject(connection, registration, by, reason)
    if kind == "deal_outside_area":
        fences.settle(connection, f"registration:{registration}", "accepted" if yes else "refused", by, reason)


def _answer_conflict(hub: Hub, db: Cursor, registration: UUID, by: str, reason: str, *, same: bool) -> None:
    """Approved: another firm than each that it might be. Rejected: the same as the likeliest one that somebody holds."""
    held = {hold.customer_id for hold in review_queries.doubtful_holds(db.connection, registration)}
    doubts = [one for one in review_queries.doubts(db.connection, registration_id=registration) if one.customer_id in held]
    if not doubts:
        raise WrongState(f"registration {registration} waits for nobody any more", next_step="list what is open")
    for doubt in doubts[:1] if same else doubts:
        reviewing.decided(hub, db, registration, doubt.customer_id, "same" if same else "different", by, reason)

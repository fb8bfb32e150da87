"""Questions answered: the room that asked does what follows, and the question is closed with it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

from ledger.tables import TABLES
from sync import deal_answers, funds, notices, order_fencing, prices, quotes, store
from sync.errors import NotFound, WrongState
from sync.hub import Cursor, Hub
from sync.notices import Asked

Answer = Literal["approved", "rejected"]


class Follows(Protocol):
    """What a room does when its question is answered, in the caller's transaction. Its ChannelError ends the answer: nothing is kept."""

    def __call__(self, hub: Hub, db: Cursor, asked: Asked, decision: Answer, by: str, reason: str, how: str) -> None:
        """Do what follows from the answer."""


ROOMS: Final[Mapping[str, Follows]] = {
    "registration": deal_answers.registration,
    "order": order_fencing.answered,
    "quote": quotes.answered,
    "special_price": prices.answered,
    "claim": funds.answered,
}
"""By what questions are about: the word before the colon."""


def answer(hub: Hub, approval_id: str, decision: Answer, by: str, reason: str = "", *, how: str = "") -> dict[str, Any]:
    """Answer a question that waits. `how` says more where a plain yes is not enough, in the words of the room that asked.

    Raises: NotFound; WrongState when it is answered already or no room takes answers of its kind; ChannelError of what follows.
    """
    with hub.transaction() as db:
        asked = waiting(db, approval_id)
        ROOMS[asked.entity](hub, db, asked, decision, by, reason, how)
        notices.close(db, asked.about, decision, by, reason)
        return {**store.load(db, TABLES["approval"], [approval_id])[approval_id].doc, "id": approval_id}


def waiting(db: Cursor, approval_id: str) -> Asked:
    """A question that nobody has answered, locked until the transaction ends. Raises: NotFound, WrongState as for `answer`."""
    db.execute("SELECT doc FROM approvals WHERE id = %s FOR UPDATE", [approval_id])
    row = db.fetchone()
    if row is None:
        raise NotFound(f"there is no approval {approval_id}", next_step="list what is open: `hub approvals`")
    doc = row["doc"]
    if doc["decision"] != "open":
        raise WrongState(f"approval {approval_id} is {doc['decision']} already", next_step="list what is open")
    asked = Asked(doc["kind"], doc.get("about") or "", doc.get("facts") or {})
    if asked.entity not in ROOMS:
        raise WrongState(f"approval {approval_id} is about {asked.about or 'nothing'}", next_step="answer it where it was asked")
    return asked

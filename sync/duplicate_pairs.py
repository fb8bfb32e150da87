"""Customers that the nightly scan found twice: what a person's answer does to the two."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from channel.deals import duplicates, review_queries
from channel.deals.customers import queries as customer_queries
from channel.deals.customers import service as customers
from sync import cases, golden
from sync.errors import NotFound
from sync.hub import Cursor, Hub
from sync.identifying import open_case


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a pair. `merge`: of two parties, an event that can be undone; `case`: two dealers hold them, and a person decides."""

    low: int
    high: int
    answer: str
    merge: int | None = None
    case: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


def decide(hub: Hub, low: int, high: int, answer: Literal["same", "different"], by: str, reason: str = "") -> Decided:
    """Same: the two customers are one, and so are their parties. Different: they are never paired or merged again, nor are their parties.

    Raises: NotFound for a pair that no scan has found, or that was answered; WrongState when a person told the parties apart or their valid
    codes differ; ProtectionsOverlap when both are held and one of them is no party, so that no case can ask about it.
    """
    with hub.transaction() as db:
        if not duplicates.is_open(db.connection, low, high):
            raise NotFound(f"nobody asks whether customers {low} and {high} are one", next_step="see `hub deals duplicates`")
        one, other = (customer_queries.party_of(db.connection, customer) for customer in (low, high))
        parties = [str(one), str(other)] if one is not None and other is not None else []
        if answer == "different":
            review_queries.keep_apart(db.connection, low, high, by, reason)
            if parties:
                _tell_apart(hub, db, parties, by, reason)
            return Decided(low, high, answer)
        if parties:
            cause = f"customers {low} and {high}: same, by {by}"
            edges = [{"left": parties[0], "right": parties[1], "evidence": ["found by the nightly scan"]}]
            made = golden.joined(hub, db, "party", *parties, by=by, cause=cause, reason=reason, edges=edges)
            return Decided(low, high, answer, made.merge_id, made.case_id)
        keep, lose = (high, low) if other is not None else (low, high)
        customers.merge(db.connection, keep, lose)
        return Decided(low, high, answer)


def _tell_apart(hub: Hub, db: Cursor, parties: list[str], by: str, reason: str) -> None:
    left, right = sorted(parties)
    open_case(db, "party", left, right, "found by the nightly scan")
    db.execute(
        "SELECT id FROM review_case WHERE entity = 'party' AND state = 'open' AND least(left_id, right_id) = %s::uuid "
        "AND greatest(left_id, right_id) = %s::uuid",
        [left, right],
    )
    if (row := db.fetchone()) is not None:
        cases.decided(hub, db, row["id"], "different", by, reason)

"""A person's answer whether a claim means a customer, where customers are parties too: the same firm is one party from then on."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from channel.deals import review
from channel.deals.customers import queries as customer_queries
from channel.deals.registrations import Registered
from sync import golden
from sync.hub import Cursor, Hub


def decide(hub: Hub, registration: UUID, customer: int, answer: Literal["same", "different"], by: str, cause: str = "") -> Registered:
    """The registration as it stands after the answer. Of two parties that are one firm, the links move to the older one.

    When two dealers hold the two parties, nothing is merged and a case asks who keeps the customer.
    Raises: RegistrationNotFound; WrongStatus when nothing is asked; WrongState when a person told the parties apart or their valid codes
    differ; ProtectionsOverlap when both are held and one of them is no party.
    """
    with hub.transaction() as db:
        return decided(hub, db, registration, customer, answer, by, cause)


def decided(
    hub: Hub, db: Cursor, registration: UUID, customer: int, answer: Literal["same", "different"], by: str, cause: str = ""
) -> Registered:
    """The same inside the caller's transaction."""

    def unite(connection: review.Connection, claimed: int, other: int) -> None:
        parties = [customer_queries.party_of(connection, one) for one in (claimed, other)]
        if parties[0] is None or parties[1] is None or claimed == other:
            review.unite_customers(connection, claimed, other)
            return
        why = f"registration {registration}: same customer, by {by}"
        golden.joined(hub, db, "party", str(parties[0]), str(parties[1]), by=by, cause=why, reason=cause)

    return review.decide(db.connection, registration, customer, answer, by, cause, unite=unite)

"""Questions to people: does this claim mean that customer? Their answers, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

import psycopg

from channel.deals import claim_queries, queries, review_queries
from channel.deals.acting import clear, found, reject
from channel.deals.customers import service as customers
from channel.deals.errors import CustomerNotFound, WrongStatus
from channel.deals.queries import Registration
from channel.deals.registrations import Registered
from channel.deals.review_queries import Doubt
from channel.deals.service import retried, shown

Connection = psycopg.Connection[Any]


def list_open(db: Connection, *, waiting_only: bool = False, limit: int = 100) -> list[Doubt]:
    """Open questions, those that a dealer waits for first, then by age. For our own people."""
    return review_queries.doubts(db, waiting_only=waiting_only, limit=limit)


Unite = Callable[[Connection, int, int], None]
"""Makes the claimed customer and another one; who calls from where parties are merged (sync/reviewing.py) brings his own."""


def unite_customers(db: Connection, claimed: int, customer_id: int) -> None:
    """What only claims have named becomes the customer that it is.

    Raises: CustomerNotFound for two parties, which are merged where parties are; ProtectionsOverlap when both are held.
    """
    if claimed == customer_id:
        return
    keep, lose = (claimed, customer_id) if review_queries.is_party(db, claimed) else (customer_id, claimed)
    if review_queries.is_party(db, lose):
        raise CustomerNotFound("both are parties", next_step="merge the parties; their customers follow")
    customers.merge(db, keep, lose)


def decide(
    db: Connection,
    registration_id: UUID,
    customer_id: int,
    answer: Literal["same", "different"],
    by: str,
    cause: str = "",
    *,
    unite: Unite = unite_customers,
) -> Registered:
    """A person's answer. Same: the two are one customer, and the claim is refused when somebody holds it. Different: kept apart for ever.

    Raises: RegistrationNotFound; WrongStatus when nothing is asked; ProtectionsOverlap when both are held and the claim waits no longer.
    """
    return retried(db, lambda: _decide(db, registration_id, customer_id, answer, by, cause, unite))


def _decide(db: Connection, registration_id: UUID, customer_id: int, answer: str, by: str, cause: str, unite: Unite) -> Registered:
    registration = found(db, registration_id, lock=True)
    if not review_queries.close_doubt(db, registration_id, customer_id, answer, by, cause):
        raise WrongStatus(
            f"nobody asks whether registration {registration_id} means customer {customer_id}", next_step="list the questions"
        )
    facts = {"customer": customer_id}
    queries.add_event(db, registration_id, f"found_{answer}", by, registration.status, registration.status, cause=cause, facts=facts)
    if answer == "different":
        review_queries.keep_apart(db, registration.customer_id, customer_id, by, cause)
        clear(db, registration_id, by)
        return shown(found(db, registration_id))
    return _same(db, registration, customer_id, by, cause, unite)


def _same(db: Connection, registration: Registration, customer_id: int, by: str, cause: str, unite: Unite) -> Registered:
    claim_queries.lock_customers(db, [registration.customer_id, customer_id])
    held = claim_queries.holds(db, [customer_id], registration.product_line)
    others = [hold for hold in held.holds if hold.dealer_id != registration.dealer_id]
    if registration.status == "held" and others:
        direct = any(hold.dealer_id is None for hold in others)
        told = reject(db, registration.id, by, cause, reason="direct_customer" if direct else "protected")
    else:
        told = shown(registration)
    unite(db, registration.customer_id, customer_id)
    if told.status == "held":
        clear(db, registration.id, by)
    return shown(found(db, registration.id))


def hold(db: Connection, registration_id: UUID, customer_id: int, by: str, cause: str = "") -> Registered:
    """Somebody has looked and cannot say yet: the question stays open, with his words beside it.

    Raises: RegistrationNotFound; WrongStatus when nothing is asked.
    """
    registration = found(db, registration_id, lock=True)
    if not review_queries.note_doubt(db, registration_id, customer_id, by, cause):
        raise WrongStatus(
            f"nobody asks whether registration {registration_id} means customer {customer_id}", next_step="list the questions"
        )
    return shown(registration)

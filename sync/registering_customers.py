"""The customer of a registration as a record of the hub: the party that is known, or one made from what the dealer's claim says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from channel.deals import duplicates
from channel.deals.customers import queries as customer_queries
from channel.deals.customers import service as customers
from channel.deals.customers.service import claim_from
from channel.deals.errors import ProtectionsOverlap
from channel.deals.matching import codes
from channel.deals.queries import Registration
from sync import golden, hub_records
from sync.errors import NotAllowed
from sync.hub import Cursor, Hub
from sync.identifying import open_case


def party_of(hub: Hub, db: Cursor, registration: Registration, cause: str) -> UUID:
    """The party of a registration's customer. A firm that only claims have named becomes the party that it surely is, or a new one.

    A new one that may be another party, or that another dealer holds under that party's name, is a case for a person; nothing is created in
    a system before that is answered.
    Raises: NotAllowed where a party has to be made and hub.yaml does not let the hub make any.
    """
    known = customer_queries.party_of(db.connection, registration.customer_id)
    if known is not None:
        return known
    meant = duplicates.who(db.connection, claim_from(registration.claim), but=registration.customer_id)
    other, apart = meant.party_id, False
    if other is not None and meant.customer_id is not None:
        apart = customer_queries.are_apart(db.connection, registration.customer_id, meant.customer_id)
        if meant.verdict == "duplicate" and not apart and _joined(db, meant.customer_id, registration.customer_id):
            return other
    made = _made(hub, db, registration, cause)
    customers.adopt(db.connection, registration.customer_id, UUID(made))
    if other is not None and not apart:
        if meant.verdict == "duplicate":
            golden.overlap_case(db, "party", *sorted([made, str(other)]))
        else:
            open_case(db, "party", made, str(other), f"made from the claim of registration {registration.id}, which may mean it")
    return UUID(made)


def _joined(db: Cursor, party_customer: int, claimed: int) -> bool:
    """Let the claimed firm be the party's customer; False when another dealer holds that one."""
    try:
        with db.connection.transaction():
            customers.merge(db.connection, party_customer, claimed)
    except ProtectionsOverlap:
        return False
    return True


def _made(hub: Hub, db: Cursor, registration: Registration, cause: str) -> str:
    policy = hub.policies.get("party")
    if policy is None or not policy.may_decide("hub", "name"):
        raise NotAllowed(
            f"the customer of registration {registration.id} is no party yet, and the hub may not make one",
            where="flows.party.owners",
            next_step="name hub among its owners in hub.yaml, or enter the customer in a system of yours and convert then",
        )
    claim = registration.claim
    code = codes.normalise(claim.get("uscc") or "")
    said: dict[str, Any] = {
        "name": claim.get("name") or claim.get("uscc") or claim.get("phone"),
        "uscc": code if codes.valid(code) else None,
        "phone": claim.get("phone"),
        "city": claim.get("city"),
        "address": claim.get("address"),
        "industry": registration.industry,
        "roles": ["end_customer"],
        "status": "active",
    }
    fields = {name: value for name, value in said.items() if value and policy.may_decide("hub", name)}
    return hub_records.put(hub, db, "party", f"registration/{registration.id}", fields, {}, cause=cause).id


def contact_of(hub: Hub, db: Cursor, registration: Registration, party: UUID, cause: str) -> str | None:
    """The person that a claim names, as a contact of the customer that was made from it; None where nobody is named or none may be made."""
    policy = hub.policies.get("contact")
    name = registration.claim.get("contact")
    db.execute("SELECT 1 FROM link WHERE stream_id = %s AND key = %s", [hub.hub_streams["party"], f"registration/{registration.id}"])
    if not name or db.fetchone() is None or policy is None or not policy.may_decide("hub", "name"):
        return None
    fields = {"name": name, "mobile": registration.claim.get("phone"), "party": str(party), "status": "active"}
    said = {field: value for field, value in fields.items() if value}
    return hub_records.put(hub, db, "contact", f"registration/{registration.id}", said, {}, cause=cause).id

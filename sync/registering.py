"""A registration becomes a deal of the pipeline, with what it holds already; both go from one dealer to another together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from canonical.values import business_day
from channel.deals import acting
from channel.deals.protection import after
from channel.deals.queries import Registration
from channel.deals.registrations import Registered
from ledger.tables import TABLES
from sync import deal_pipeline, hub_records, registering_customers, scope, store
from sync.errors import NotAllowed, NotFound, WrongState
from sync.hub import Cursor, Hub


def to_deal(hub: Hub, registration_id: UUID, by: str, *, deal: UUID | None = None, dealer: UUID | None = None) -> str:
    """The deal that a registration is from now on: `deal`, or one made of what it holds, in the first stage. Twice gives the same deal.

    A deal that is made has a customer: a firm that only the claim has named so far becomes a party with it (sync/registering_customers.py).
    With `dealer`, a registration or deal of anybody else is as absent as a missing one.
    Raises: RegistrationNotFound, WrongStatus; NotFound for a deal that there is not; WrongState for one of another dealer; NotAllowed where
    hub.yaml does not let the hub make deals, or parties where the customer is none yet.
    """
    with hub.transaction() as db:
        registration = acting.found(db.connection, registration_id, dealer, lock=True)
        if registration.status == "converted" and registration.deal_id is not None and deal in (None, registration.deal_id):
            return str(registration.deal_id)
        made = _checked(db, deal, registration, dealer) if deal is not None else _made(hub, db, registration, by)
        acting.convert(db.connection, registration_id, UUID(made), by, dealer)
        return made


def transfer(hub: Hub, registration_id: UUID, to_dealer: UUID, by: str, cause: str) -> Registered:
    """Hand a registration to another dealer for the time that is left, and with it the deal that it became; the new registration.

    One transaction: no crash leaves the registration with one dealer and the deal with the other. A deal whose dealer the hub may not
    decide stays what its owner says: change it there.
    Raises: RegistrationNotFound, UnknownDealer, WrongStatus.
    """

    def handed(db: Cursor) -> Registered:
        giver = acting.found(db.connection, registration_id).dealer_id
        told = acting.transfer(db.connection, registration_id, to_dealer, by, cause)
        deal_id = acting.found(db.connection, told.id).deal_id
        if deal_id is not None:
            _hand_over(hub, db, str(deal_id), giver, to_dealer, by)
        return told

    return hub.settle(handed)


def _hand_over(hub: Hub, db: Cursor, deal_id: str, giver: UUID | None, to_dealer: UUID, by: str) -> None:
    """The deal goes along where it is the giver's still and the hub may decide whose it is."""
    deal = store.load(db, TABLES["deal"], [deal_id]).get(deal_id)
    if deal is None or deal.doc.get("dealer") != str(giver):
        return
    policy = hub.policies.get("deal")
    if policy is not None and "hub" in policy.of_record(deal.doc, scope.company_numbers(db)).owners["dealer"]:
        hub_records.edited(hub, db, "deal", deal.id, {"dealer": str(to_dealer)}, by)


def _checked(db: Cursor, deal: UUID, registration: Registration, dealer: UUID | None) -> str:
    found = store.load(db, TABLES["deal"], [str(deal)]).get(str(deal))
    whose = found.doc.get("dealer") if found is not None else None
    mine = str(registration.dealer_id)
    if found is None or found.retired or (dealer is not None and whose != mine):
        raise NotFound(f"there is no deal {deal}", next_step="name a deal of the registration's dealer, or none to make one")
    if whose not in (None, mine):
        raise WrongState(f"deal {deal} belongs to another dealer than the registration", next_step="transfer one of them first")
    return str(deal)


def _made(hub: Hub, db: Cursor, registration: Registration, by: str) -> str:
    policy = hub.policies.get("deal")
    if policy is None or not policy.may_decide("hub", "name"):
        raise NotAllowed(
            "the hub may not make a deal", where="flows.deal.owners", next_step="name hub among its owners in hub.yaml, or give the deal"
        )
    if registration.status != "protected":  # before anything is made of it
        after("convert", registration.status)
    every = deal_pipeline.pipelines(hub)
    pipeline = every.every[every.default]
    start, spelled = deal_pipeline.beginning(hub, pipeline)
    cause = f"registration {registration.id} converted by {by}"
    party = registering_customers.party_of(hub, db, registration, cause)
    fields: dict[str, Any] = acting.deal_fields(registration, party)
    if contact := registering_customers.contact_of(hub, db, registration, party, cause):
        fields["contact"] = contact
    fields |= {"pipeline": pipeline.name, "stage": spelled, "stage_kind": start.kind, "probability": format(start.probability, "f")}
    if start.next_action is not None:
        day = business_day(datetime.now(UTC)) + timedelta(days=start.next_action.in_days)
        fields |= {"next_action": start.next_action.what, "next_action_on": day.isoformat()}
    allowed = {name: value for name, value in fields.items() if policy.may_decide("hub", name)}
    return hub_records.put(hub, db, "deal", f"registration/{registration.id}", allowed, {}, cause=cause).id

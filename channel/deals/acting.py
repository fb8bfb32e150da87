"""What is done to a registration after it was made: approve, reject, appeal, extend, release, transfer, take back, convert.

Each action locks the registration, asks the rule (channel/deals/protection.py), changes it, and writes an event with actor and cause.
With a dealer's own `dealer_id` a registration of anybody else is as absent as a missing one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from canonical.ids import new_id
from channel.deals import claim_queries, fence_queries, matching, queries, review_queries
from channel.deals.customers.service import claim_from
from channel.deals.errors import CustomerNotFound, RegistrationNotFound, StillHeld, UnknownDealer, WrongStatus
from channel.deals.protection import Window, after, extended_end, window_end
from channel.deals.queries import Registration
from channel.deals.registrations import Registered
from channel.deals.service import retried, shown

Connection = psycopg.Connection[Any]


def found(db: Connection, registration_id: UUID, dealer_id: UUID | None = None, *, lock: bool = False) -> Registration:
    """A registration; with `dealer_id` only one of that dealer's own. Raises: RegistrationNotFound."""
    registration = queries.registration(db, registration_id, lock=lock)
    if registration is None or (dealer_id is not None and registration.dealer_id != dealer_id):
        raise RegistrationNotFound(f"there is no registration {registration_id}", next_step="look with `hub deals list`")
    return registration


def approve(db: Connection, registration_id: UUID, by: str, cause: str = "") -> Registered:
    """Approve what waits for it: protected for the days of its policy, counted from now; its place in the queue stays.

    Raises: RegistrationNotFound, WrongStatus.
    """
    return retried(db, lambda: _protect(db, found(db, registration_id, lock=True), "approve", by, cause))


def _protect(db: Connection, registration: Registration, action: str, by: str, cause: str) -> Registered:
    now = queries.now(db)
    values = {"status": after(action, registration.status), "reason": "granted", "decided_at": now, "active_at": now}
    return changed(db, registration, action, by, cause, values, (registration.starts, window_end(now, registration.days)))


def reject(db: Connection, registration_id: UUID, by: str, cause: str, reason: str = "by_person") -> Registered:
    """Refuse what waits; the customer is free again. Raises: RegistrationNotFound, WrongStatus."""
    return retried(db, lambda: _end(db, found(db, registration_id, lock=True), "reject", by, cause, reason))


def release(db: Connection, registration_id: UUID, by: str, cause: str = "", dealer_id: UUID | None = None) -> Registered:
    """Give a customer up. Its range is closed, never deleted. Raises: RegistrationNotFound, WrongStatus."""
    return retried(db, lambda: _end(db, found(db, registration_id, dealer_id, lock=True), "release", by, cause, "released"))


def take_back(db: Connection, registration_id: UUID, by: str, cause: str, reason: str = "by_person") -> Registered:
    """Take a customer away from a dealer. Raises: RegistrationNotFound, WrongStatus."""
    return retried(db, lambda: _end(db, found(db, registration_id, lock=True), "take_back", by, cause, reason))


def _end(db: Connection, registration: Registration, action: str, by: str, cause: str, reason: str) -> Registered:
    now = queries.now(db)
    if registration.dealer_id is None and action == "expire":
        raise WrongStatus("the protection of a direct customer does not expire", next_step="release it when it is one no more")
    ends = min(now, registration.ends) if registration.ends else now
    values = {"status": after(action, registration.status), "reason": reason, "decided_at": now}
    facts = {"until": registration.ends.isoformat()} if registration.ends else {}
    ended = changed(db, registration, action, by, cause, values, (registration.starts, ends), facts)
    clear_waiting(db, registration.customer_id)
    return ended


def appeal(db: Connection, registration_id: UUID, dealer_id: UUID, cause: str) -> Registered:
    """A refused dealer asks a person to look again; once. Raises: RegistrationNotFound, WrongStatus."""
    registration = found(db, registration_id, dealer_id, lock=True)
    if registration.reason == "appeal_denied":
        raise WrongStatus("this appeal was decided already", next_step="register again when something has changed")
    values = {"status": after("appeal", registration.status)}
    return changed(db, registration, "appeal", f"dealer:{dealer_id}", cause, values)


def deny_appeal(db: Connection, registration_id: UUID, by: str, cause: str) -> Registered:
    """The refusal stands. Raises: RegistrationNotFound, WrongStatus."""
    registration = found(db, registration_id, lock=True)
    values = {"status": after("deny_appeal", registration.status), "reason": "appeal_denied", "decided_at": queries.now(db)}
    return changed(db, registration, "deny_appeal", by, cause, values)


def grant_appeal(
    db: Connection, registration_id: UUID, by: str, cause: str, *, other_firm: bool = False, end_holder: bool = False
) -> Registered:
    """The refusal was wrong: protected from now on.

    `other_firm`: the claim means another firm than the one that is held; the two are kept apart for ever. `end_holder`: the customer is
    taken back from who holds it. Raises: RegistrationNotFound, WrongStatus; StillHeld when somebody holds it and neither is said.
    """
    return retried(db, lambda: _grant(db, registration_id, by, cause, other_firm=other_firm, end_holder=end_holder))


def _grant(db: Connection, registration_id: UUID, by: str, cause: str, *, other_firm: bool, end_holder: bool) -> Registered:
    registration = found(db, registration_id, lock=True)
    becomes = after("grant_appeal", registration.status)
    customer_id = registration.customer_id
    if other_firm:
        customer_id = _as_another_firm(db, registration, by, cause)
    claim_queries.lock_customers(db, [customer_id])
    held = claim_queries.holds(db, [customer_id], registration.product_line)
    now = held.now
    for hold in held.holds:
        if not end_holder or hold.dealer_id is None:
            raise StillHeld(
                "the customer is held by another registration", next_step="say that it is another firm, or that its holder ends"
            )
        _end(db, found(db, hold.registration_id, lock=True), "take_back", by, cause, "appeal_of_another")
        now = queries.now(db)
    values = {"status": becomes, "reason": "appeal_granted", "decided_at": now, "active_at": now, "customer_id": customer_id}
    return changed(db, registration, "grant_appeal", by, cause, values, (now, window_end(now, registration.days)))


def _as_another_firm(db: Connection, registration: Registration, by: str, cause: str) -> int:
    claim = claim_from(registration.claim)
    prepared = matching.prepare(claim)
    keys = matching.keys_of(prepared)
    claim_queries.lock_keys(db, keys)
    customer_id = claim_queries.add_customer(db, claim.name or claim.uscc, asdict(claim), prepared.dump(), matching.VERSION, keys)
    review_queries.keep_apart(db, customer_id, registration.customer_id, by, cause)
    return customer_id


def extend(db: Connection, registration_id: UUID, by: str, evidence: Sequence[str], dealer_id: UUID | None = None) -> Registered:
    """Protect for longer: once, near the end, with evidence, by the days of the policy.

    Raises: NotExtendable, RegistrationNotFound, WrongStatus.
    """
    return retried(db, lambda: _extend(db, registration_id, by, evidence, dealer_id))


def _extend(db: Connection, registration_id: UUID, by: str, evidence: Sequence[str], dealer_id: UUID | None) -> Registered:
    registration = found(db, registration_id, dealer_id, lock=True)
    now = queries.now(db)
    if registration.ends is None:
        raise WrongStatus("this protection has no end", next_step="nothing: it lasts until it is released")
    policy = queries.policy(db, registration.policy_id)
    window = Window(registration.status, registration.starts, registration.ends, registration.extended_at is not None)
    ends = extended_end(window, now, days=policy.extension_days, within_days=policy.extend_within_days, evidence=evidence)
    values = {"extended_at": now, "active_at": now, "reminded_days": None}
    facts = {"evidence": list(evidence), "days": policy.extension_days, "policy": policy.id}
    return changed(db, registration, "extend", by, "", values, (registration.starts, ends), facts)


def transfer(db: Connection, registration_id: UUID, to_dealer: UUID, by: str, cause: str) -> Registered:
    """Hand a customer to another dealer for the time that is left; the new registration.

    Raises: RegistrationNotFound, UnknownDealer, WrongStatus.
    """
    return retried(db, lambda: _transfer(db, registration_id, to_dealer, by, cause))


def _transfer(db: Connection, registration_id: UUID, to_dealer: UUID, by: str, cause: str) -> Registered:
    registration = found(db, registration_id, lock=True)
    becomes = after("transfer", registration.status)
    who = queries.dealer(db, to_dealer)
    if who is None or who[1] == "blocked":
        raise UnknownDealer("the new dealer is no active party of ours", next_step="look the dealer up among the parties")
    if to_dealer == registration.dealer_id or registration.ends is None or registration.dealer_id is None:
        raise WrongStatus("a registration goes to another dealer, and has an end", next_step="name another dealer than its own")
    now = queries.now(db)
    values: dict[str, Any] = {"status": becomes, "reason": "transferred", "decided_at": now}
    changed(db, registration, "transfer", by, cause, values, (registration.starts, now))
    kept = (
        "customer_id",
        "claimed_as",
        "product_line",
        "days",
        "policy_id",
        "region",
        "industry",
        "amount",
        "currency",
        "deal_id",
        "extended_at",
    )
    new = {name: getattr(registration, name) for name in kept} | {
        "id": new_id(), "dealer_id": to_dealer, "starts": now, "ends": registration.ends, "status": registration.status,
        "reason": "transferred", "submitted_at": now, "decided_at": now, "claim": registration.claim,
        "previous_id": registration.id,
    }  # fmt: skip
    facts = {"from": str(registration.id)}
    queries.add_registration(db, new, {"action": "receive", "actor": by, "cause": cause, "facts": facts, "decision": None})
    return Registered(new["id"], registration.status, "transferred", now, registration.ends)


def convert(db: Connection, registration_id: UUID, deal_id: UUID, by: str, dealer_id: UUID | None = None) -> Registered:
    """It became a deal of the pipeline; the customer stays protected until the range ends. Raises: RegistrationNotFound, WrongStatus."""
    registration = found(db, registration_id, dealer_id, lock=True)
    now = queries.now(db)
    values = {"status": after("convert", registration.status), "deal_id": deal_id, "active_at": now}
    return changed(db, registration, "convert", by, "", values, facts={"deal": str(deal_id)})


def deal_fields(registration: Registration, customer_party: UUID | None) -> dict[str, Any]:
    """What a deal takes over from a registration, so that nobody types it again; in document form."""
    claim = registration.claim
    fields: dict[str, Any] = {
        "name": claim.get("project") or claim.get("name"),
        "dealer": str(registration.dealer_id) if registration.dealer_id else None,
        "customer": str(customer_party) if customer_party else None,
        "currency": registration.currency or None,
        "expected_amount": format(registration.amount, "f") if registration.amount is not None else None,
        "source": "registration",
        "stage_kind": "qualify",
    }
    return {name: value for name, value in fields.items() if value}


def note_activity(db: Connection, registration_id: UUID, what: str, by: str) -> None:
    """Work was done for it (a visit, a quote, a new stage): it is not idle. Raises: RegistrationNotFound, WrongStatus."""
    registration = found(db, registration_id, lock=True)
    after("note_activity", registration.status)
    changed(db, registration, "note_activity", by, what, {"active_at": queries.now(db)})


def protect_direct(db: Connection, customer_id: int, by: str, cause: str, product_line: str = "") -> UUID:
    """Protect a customer for ourselves, without end. Raises: CustomerNotFound; StillHeld while a dealer holds it."""

    def work() -> UUID:
        claim_queries.lock_customers(db, [customer_id])
        held = claim_queries.holds(db, [customer_id], product_line)
        now = held.now
        if held.holds:
            raise StillHeld("the customer is held", next_step="take it back or wait until it ends")
        new = {
            "id": new_id(), "customer_id": customer_id, "product_line": product_line, "dealer_id": None, "starts": now, "ends": None,
            "status": "protected", "reason": "direct_customer", "submitted_at": now, "decided_at": now, "days": 1, "policy_id": None,
            "region": "", "industry": "", "amount": None, "currency": "", "claim": {},
        }  # fmt: skip
        event = {"action": "protect_direct", "actor": by, "cause": cause, "decision": None}
        queries.add_registration(db, new, event)
        return UUID(str(new["id"]))

    try:
        return retried(db, work)
    except psycopg.errors.ForeignKeyViolation as wrong:
        raise CustomerNotFound(f"there is no customer {customer_id}", next_step="name a party, or the number of a customer") from wrong


def clear_waiting(db: Connection, customer_id: int) -> list[UUID]:
    """Claims that waited only for this customer's holder hold their own now, in the order in which they came; which ones."""
    return [waiting for waiting in review_queries.waiting_for(db, customer_id) if clear(db, waiting)]


def clear(db: Connection, registration_id: UUID, by: str = "rule:nobody_earlier") -> bool:
    """Let a held claim hold its customer when nobody earlier holds what it may mean; False while somebody does."""
    registration = found(db, registration_id, lock=True)
    if registration.status != "held" or review_queries.doubtful_holds(db, registration_id):
        return False
    policy = queries.policy(db, registration.policy_id)
    outside = bool(fence_queries.hits(db, subject=f"registration:{registration_id}", limit=1))
    if policy.approval == "person" or outside:
        reason = "area_to_check" if outside else "approval"
        values = {"status": after("clear_for_approval", registration.status), "reason": reason}
        changed(db, registration, "clear_for_approval", by, "", values)
    else:
        _protect(db, registration, "clear", by, "")
    return True


def changed(
    db: Connection,
    registration: Registration,
    action: str,
    by: str,
    cause: str,
    values: dict[str, Any],
    window: tuple[datetime, datetime | None] | None = None,
    facts: dict[str, Any] | None = None,
) -> Registered:
    """Change a locked registration, with its event; what its dealer is told of it now."""
    queries.change(db, registration.id, values, window)
    becomes = values.get("status", registration.status)
    queries.add_event(db, registration.id, action, by, registration.status, becomes, cause=cause, facts=facts)
    return shown(found(db, registration.id))

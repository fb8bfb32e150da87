"""What was asked and what was seen for a ruling on a claim, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from channel.deals import matching
from channel.deals.claim_queries import Held
from channel.deals.matching import Claim, Decision, Prepared
from channel.deals.policies import Policy
from channel.deals.registrations import FenceVerdict, Likely, Ruling


@dataclass(frozen=True, slots=True)
class Request:
    """A claim with all that came with it."""

    dealer_id: UUID
    claim: Claim
    prepared: Prepared
    keys: list[int]
    region: str
    industry: str
    idempotency_key: str | None = None
    amount: Decimal | None = None
    currency: str = ""
    actor: str = ""
    party_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was looked at for a ruling."""

    ruling: Ruling
    decision: Decision
    likely: list[Likely]
    known: dict[int, Prepared]
    hot: dict[int, int]
    held: Held
    fence: FenceVerdict
    policy: Policy
    unclear: bool
    """True for a claim that meets nobody and still may not simply be taken."""


def record(ask: Request, seen: Seen, customer_id: int) -> dict[str, Any]:
    """What is kept of a decision for ever: by what it was made, not whom it is about."""
    ruling = seen.ruling
    return {
        **seen.decision.as_record(),
        "keys": [str(key) for key in ask.keys],
        "keys_met": [str(key) for key in _met(ask, seen)],
        "hot": {str(key): count for key, count in seen.hot.items()},
        "ruling": {"outcome": ruling.outcome, "reason": ruling.reason, "customer": customer_id, "new": ruling.customer_id is None},
        "met": str(ruling.met.registration_id) if ruling.met else None,
        "holds": [
            {"registration": str(hold.registration_id), "customer": hold.customer_id, "status": hold.status} for hold in seen.held.holds
        ],
        "policy": seen.policy.id,
        "fence": {"effect": seen.fence.effect, "code": seen.fence.code},
    }


def _met(ask: Request, seen: Seen) -> list[int]:
    """The claim's keys that the customer it means has as well."""
    if seen.decision.rid is None:
        return []
    return matching.common_keys(ask.prepared, seen.known[int(seen.decision.rid)])


def facts(seen: Seen) -> dict[str, Any]:
    """What the event of a registration says besides."""
    return {"reason": seen.ruling.reason, "policy": seen.policy.id, "days": seen.policy.days}


def reasons(seen: Seen) -> dict[int, Any]:
    """Reasons by customer, for the one that scoring explains."""
    if seen.decision.rid is None or not seen.likely:
        return {}
    return {
        seen.likely[0].customer_id: [{"zh": reason.zh, "en": reason.en, "weight": str(reason.weight)} for reason in seen.decision.reasons]
    }

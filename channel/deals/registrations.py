"""What becomes of a claim, given the customers it may mean and who holds them: a pure decision.

First registered, first protected. A claim that surely means a customer who is held is refused; one that perhaps does waits (`held`) until a
person has looked; any other holds from now on. A customer whom nobody holds is never a reason to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from channel.deals.policies import Policy

Outcome = Literal["protected", "submitted", "held", "rejected", "already_yours"]
Free = Literal["yes", "no", "maybe"]


@dataclass(frozen=True, slots=True)
class Likely:
    """A customer that a claim may mean."""

    customer_id: int
    p: Decimal
    """Probability that it is the same firm."""
    same: bool
    """True when that is sure enough to decide without a person."""
    named: int | None = None
    """Of a customer that others were merged into: the one of them whose name met the claim best. An un-merge goes by it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A live registration of a customer in the product line asked for. `dealer_id` None: a direct customer of ours."""

    registration_id: UUID
    customer_id: int
    dealer_id: UUID | None
    status: str


@dataclass(frozen=True, slots=True)
class FenceQuestion:
    """What a fence is asked about. Region by GB/T 2260, industry by GB/T 4754, any of them empty when not known."""

    dealer_id: UUID
    product_line: str
    region: str
    industry: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FenceVerdict:
    """Whether a dealer may sell there: `block` refuses, `flag` asks a person. `facts` are for our own people."""

    effect: Literal["allow", "flag", "block"] = "allow"
    code: str = ""
    fence_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


FenceJudge = Callable[[FenceQuestion], FenceVerdict]
"""Asked after identity and before the hold; the caller binds it to fences (channel/deals/fences.py)."""


def open_field(_question: FenceQuestion) -> FenceVerdict:
    """No fences at all."""
    return FenceVerdict()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of a claim. `customer_id` None: a firm not known so far."""

    outcome: Outcome
    reason: str
    """direct_customer, protected, outside_area, doubtful, area_to_check, approval, free, already_yours."""
    customer_id: int | None
    met: Hold | None = None
    """The registration that decided it, for our own people."""
    doubts: tuple[Likely, ...] = ()
    """Customers that it may be, for a person to compare."""

    @property
    def free(self) -> Free:
        """The answer to "is this customer free?"."""
        if self.outcome in ("rejected", "already_yours"):
            return "no"
        return "maybe" if self.reason == "doubtful" else "yes"


def judge(
    dealer_id: UUID,
    likely: Sequence[Likely],
    holds: Collection[Hold],
    apart: Collection[frozenset[int]],
    fence: FenceVerdict,
    approval: Literal["rule", "person"],
) -> Ruling:
    """The ruling on a claim of `dealer_id`.

    `likely` are the customers it may mean, best first; `holds` their live registrations in its product line; `apart` the pairs of customers
    that a person has told apart: what is apart from the one meant is not meant.
    """
    meant = next((one for one in likely if one.same), None)
    if meant is not None:
        likely = [one for one in likely if frozenset((meant.customer_id, one.customer_id)) not in apart]
    customer_id = meant.customer_id if meant else None
    same = {one.customer_id for one in likely if one.same}
    others = [hold for hold in holds if hold.dealer_id != dealer_id]
    # Ours before a dealer's: that the customer is direct is a reason that can be told in full.
    if block := min((hold for hold in others if hold.customer_id in same), key=lambda hold: hold.dealer_id is not None, default=None):
        return Ruling("rejected", "direct_customer" if block.dealer_id is None else "protected", block.customer_id, block)
    if own := next((hold for hold in holds if hold.customer_id in same), None):
        return Ruling("already_yours", "already_yours", own.customer_id, own)
    if fence.effect == "block":
        return Ruling("rejected", "outside_area", customer_id)
    doubts = tuple(one for one in likely if not one.same)
    if (held := {hold.customer_id: hold for hold in others}) and (near := next((one for one in doubts if one.customer_id in held), None)):
        return Ruling("held", "doubtful", customer_id, held[near.customer_id], doubts)
    if fence.effect == "flag":
        return Ruling("submitted", "area_to_check", customer_id, doubts=doubts)
    if approval == "person":
        return Ruling("submitted", "approval", customer_id, doubts=doubts)
    return Ruling("protected", "free", customer_id, doubts=doubts)


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a dealer learns from asking whether a customer is free."""

    free: Free
    yours: bool = False
    """True when the dealer himself holds it."""
    left_this_hour: int = 0
    """How many more questions are answered within the hour."""


@dataclass(frozen=True, slots=True)
class Registered:
    """All that a dealer learns about a registration of his own: no customer id, no name but the one he gave, nothing of anybody else.

    `protected_until` is the first moment not covered; None while a person has to decide, and when nothing is protected.
    """

    id: UUID
    status: str
    reason: str
    submitted_at: datetime
    protected_until: datetime | None
    repeated: bool = False
    """True when this request, or one for the same customer, had come before."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a registration is granted, and by which policy."""

    policy: Policy
    starts: datetime
    ends: datetime | None
    """None: until a person has decided."""

"""Which protection policy applies to a claim: policies are data, the most specific one wins, always the same one.

>>> everyone = Policy(id=1)
>>> pumps = Policy(id=2, product_line="pumps", days=120)
>>> east = Policy(id=3, region="31", days=60)
>>> choose([everyone, pumps, east], Facts(product_line="pumps", region="310115")).id
2
>>> choose([everyone, pumps, east], Facts(product_line="valves", region="310115")).days
60
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Policy:
    """What a registration is granted. An empty condition holds for everything.

    Units: days are business days (Asia/Shanghai); `min_amount` is in `currency`, never converted.
    """

    id: int = 0
    product_line: str = ""
    region: str = ""
    """GB/T 2260 prefix: 2, 4 or 6 digits."""
    channel_type: str = ""
    """Of the dealer, as the party's field of that name."""
    min_amount: Decimal | None = None
    currency: str = ""
    days: int = 90
    extension_days: int = 30
    extend_within_days: int = 14
    approval: Literal["rule", "person"] = "rule"
    inactive_days: int | None = None
    review_days: int = 2
    reminders: tuple[int, ...] = (14, 7, 1)
    valid_from: date = date.min
    valid_to: date = date.max


@dataclass(frozen=True, slots=True)
class Facts:
    """What a policy's conditions look at."""

    product_line: str = ""
    region: str = ""
    channel_type: str = ""
    amount: Decimal | None = None
    currency: str = ""
    on: date | None = None
    """Business day of the registration; None: any day."""


def applies(policy: Policy, facts: Facts) -> bool:
    """True when every condition of the policy holds."""
    return (
        policy.product_line in ("", facts.product_line)
        and facts.region.startswith(policy.region)
        and policy.channel_type in ("", facts.channel_type)
        and (
            policy.min_amount is None
            or (facts.amount is not None and facts.currency == policy.currency and facts.amount >= policy.min_amount)
        )
        and (facts.on is None or policy.valid_from <= facts.on <= policy.valid_to)
    )


def _rank(policy: Policy) -> tuple[int, bool, int, bool, bool, Decimal, date, int]:
    size = policy.min_amount is not None
    conditions = bool(policy.product_line) + bool(policy.region) + bool(policy.channel_type) + size
    return (
        conditions,
        bool(policy.product_line),
        len(policy.region),
        bool(policy.channel_type),
        size,
        policy.min_amount or Decimal(0),
        policy.valid_from,
        -policy.id,
    )


def choose(policies: Iterable[Policy], facts: Facts) -> Policy:
    """The policy with the most conditions that hold.

    Among equals: product line before region (a longer code first) before channel type before deal size (a larger one first); then the one
    valid since the latest day, then the oldest. Without any policy: 90 days, extended once by 30, granted by rule.
    """
    return max((policy for policy in policies if applies(policy, facts)), key=_rank, default=Policy())

"""How long a customer is protected, and what may become of a registration.

A protection of N days ends with the Nth business day after the one it began on (Asia/Shanghai): whoever is told a day may act on all of it.

>>> from datetime import datetime
>>> start = datetime(2026, 11, 21, 10, 0, tzinfo=SHANGHAI)
>>> window_end(start, 90).isoformat()
'2027-02-20T00:00:00+08:00'
>>> days_left(window_end(start, 90), start)
90
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from canonical.values import SHANGHAI, business_day
from channel.deals.errors import NotExtendable, WrongStatus

LIVE: Final = ("submitted", "held", "protected", "converted")
"""While a registration is one of these and its range lasts, nobody else may hold the customer: the constraint's WHERE says the same."""

WAITING: Final = ("submitted", "held")
"""Waits for a person; the range has no end until then."""

ACTIONS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "approve": (("submitted",), "protected"),
    "reject": (("submitted", "held"), "rejected"),
    "clear": (("held",), "protected"),
    "clear_for_approval": (("held",), "submitted"),
    "appeal": (("rejected",), "appealed"),
    "grant_appeal": (("appealed",), "protected"),
    "deny_appeal": (("appealed",), "rejected"),
    "extend": (("protected", "converted"), ""),
    "release": (("submitted", "held", "protected", "converted"), "released"),
    "transfer": (("protected", "converted"), "transferred"),
    "expire": (("protected", "converted"), "expired"),
    "take_back": (("protected", "converted", "submitted", "held"), "taken_back"),
    "convert": (("protected",), "converted"),
    "judge_again": (("rejected", "appealed"), ""),
    "restore": (("taken_back",), ""),
    "note_activity": (("protected", "converted"), ""),
    "remind": (("protected", "converted"), ""),
}
"""Action -> (statuses it may start from, status after it; empty: unchanged, or decided anew by the action)."""


def after(action: str, status: str) -> str:
    """The status that an action leads to.

    Raises: WrongStatus when the action may not start from `status`.
    """
    allowed, becomes = ACTIONS[action]
    if status not in allowed:
        raise WrongStatus(
            f"{action.replace('_', ' ')} is not possible for a registration that is {status.replace('_', ' ')}",
            next_step=f"it is possible while it is {' or '.join(one.replace('_', ' ') for one in allowed)}",
        )
    return becomes or status


def window_end(start: datetime, days: int) -> datetime:
    """First moment that a protection of `days` days from `start` no longer covers: a midnight in Shanghai."""
    return datetime.combine(business_day(start) + timedelta(days=days + 1), time(), SHANGHAI)


def days_left(end: datetime, now: datetime) -> int:
    """Business days until the last protected day: 0 on that day itself, negative afterwards."""
    return (business_day(end - timedelta(microseconds=1)) - business_day(now)).days


def due_reminder(left: int, reminders: Collection[int], given: int | None) -> int | None:
    """The reminder to give now, in days before the end; None when none is due or a nearer one was given.

    A run that was missed is not made up for: with 5 days left the 7-day reminder is due, the 14-day one is not.

    >>> steps = (14, 7, 1)
    >>> due_reminder(5, steps, None), due_reminder(5, steps, 7), due_reminder(0, steps, 7), due_reminder(20, steps, None)
    (7, None, 1, None)
    """
    reached = min((days for days in reminders if 0 <= left <= days), default=None)
    if reached is None or (given is not None and given <= reached):
        return None
    return reached


@dataclass(frozen=True, slots=True)
class Window:
    """The facts about a protection that an extension depends on."""

    status: str
    starts: datetime
    ends: datetime
    extended: bool


def extended_end(window: Window, now: datetime, *, days: int, within_days: int, evidence: Sequence[str]) -> datetime:
    """The new end: `days` more than the old one. Once, near the end, for a protection that lasts, with evidence of work.

    Units: days are business days of Asia/Shanghai.
    Raises: WrongStatus, NotExtendable.
    """
    after("extend", window.status)
    if days <= 0:
        raise NotExtendable("the policy of this registration allows no extension")
    if window.extended:
        raise NotExtendable("it was extended once already", next_step="let it run out and register again, or ask for a transfer decision")
    if not [text for text in evidence if text.strip()]:
        raise NotExtendable("an extension needs evidence of work", next_step="name a visit, quote, sample or tender")
    left = days_left(window.ends, now)
    if left < 0 or window.ends <= now:
        raise NotExtendable("the protection is over", next_step="register again")
    if left > within_days:
        raise NotExtendable(f"there are {left} days left", next_step=f"ask within the last {within_days} days")
    return datetime.combine(business_day(window.ends) + timedelta(days=days), time(), SHANGHAI)

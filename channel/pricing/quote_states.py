"""What may become of a quote: from which states each action may start, and where it leads. The database holds the same (migration 0016)."""

from __future__ import annotations

from typing import Final

from channel.pricing.errors import WrongQuoteState

OPEN: Final = ("draft", "submitted", "refused", "approved", "sent")
"""Nothing has come of it yet."""
COUNTED: Final = ("submitted", "approved", "sent", "accepted")
"""Counts for authority over the whole deal: what somebody has asked for or granted, and was not taken back."""

ACTIONS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "revise": ((*OPEN, "expired"), "draft"),
    "submit": (("draft",), ""),
    "approve": (("submitted",), "approved"),
    "refuse": (("submitted",), "refused"),
    "send": (("approved",), "sent"),
    "accept": (("sent",), "accepted"),
    "lose": ((*OPEN, "expired"), "lost"),
    "expire": (OPEN, "expired"),
    "order": (("accepted",), "accepted"),
    "void": (("accepted",), "voided"),
}
"""Action -> (states it may start from, state after it; empty: authority decides)."""

_FIRST: Final = {
    "submit": "make a new version, or copy it",
    "approve": "look whether it was changed since",
    "send": "submit it first; a quote goes out when authority or an approver says so",
    "accept": "send it first; a customer accepts what was sent to him",
}


def after(action: str, state: str, number: str) -> str:
    """The state that an action leads to. Raises: WrongQuoteState when it may not start from `state`."""
    allowed, becomes = ACTIONS[action]
    if state not in allowed:
        raise WrongQuoteState(
            f"{action} is not possible for quote {number}, which is {state}",
            next_step=_FIRST.get(action, f"it is possible while it is {' or '.join(allowed)}"),
        )
    return becomes

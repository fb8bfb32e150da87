"""Messages to people and questions for them, as the rules of any room make them. Pure; `sync.notices` raises them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

MANAGER: Final = "role:channel_manager"
"""Audience of what our own people decide about dealers and deals."""
FINANCE: Final = "role:finance"
"""Audience of what finance looks at."""


def to_party(party: UUID | str) -> str:
    """The audience of one dealer: whoever has a key of this party reads it."""
    return f"party:{party}"


@dataclass(frozen=True, slots=True)
class Message:
    """A notice to raise. `facts` holds `zh` and `en`, the sentence as people read it, and what it was made of."""

    kind: str
    audience: str
    about: str
    """Entity and identifier: `registration:<id>`, `payout:<id>`."""
    facts: dict[str, Any]

    def __post_init__(self) -> None:
        """Refuse a message that nobody could read: a mistake of the rule that made it, found by its first test."""
        if not (self.facts.get("zh") and self.facts.get("en")):
            raise ValueError(f"{self.kind}: a message needs its sentence in both languages")


@dataclass(frozen=True, slots=True)
class Question:
    """An approval to ask for."""

    kind: str
    subject: str
    about: str
    asked_by: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """Open questions about something are decided."""

    about: str
    decision: Literal["approved", "rejected", "withdrawn"]
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Moot:
    """Open messages of a kind about something are of no use any more."""

    kind: str
    about: str


Consequence = Message | Question | Answered | Moot

"""What the performance room refuses: always the place and what to do about it."""

from __future__ import annotations

from typing import ClassVar

from channel.flaws import Flaw, Refused

__all__ = ["BadFacts", "BadScorecard", "Flaw", "Refused"]


class BadScorecard(Refused):
    """A scorecard by which no two people would reckon the same score."""

    code: ClassVar[str] = "performance/bad-scorecard"


class BadFacts(Refused):
    """Facts, dealers, stock or an earlier result that cannot be what they should be."""

    code: ClassVar[str] = "performance/bad-facts"

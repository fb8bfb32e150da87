"""What the rebate room refuses: always the place and what to do about it."""

from __future__ import annotations

from typing import ClassVar

from channel.errors import ChannelError
from channel.flaws import Flaw, Refused

__all__ = ["AccountState", "BadFacts", "BadProgramme", "Flaw", "NotEnough", "NotFoundHere", "Refused", "VersionTaken", "WrongState"]


class BadProgramme(Refused):
    """A programme that is not clear enough to pay money by."""

    code: ClassVar[str] = "rebates/bad-programme"


class BadFacts(Refused):
    """Facts that cannot be what they should be."""

    code: ClassVar[str] = "rebates/bad-facts"


class VersionTaken(ChannelError):
    """This version was published, and says something else; or a later one was."""

    code: ClassVar[str] = "rebates/version-taken"


class NotFoundHere(ChannelError):
    """There is no such programme, statement or payout."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "rebates/not-found"


class WrongState(ChannelError):
    """The statement has been signed or resolved already."""

    code: ClassVar[str] = "rebates/wrong-state"


class AccountState(ChannelError):
    """The order is void, closed, in another currency or worth less, or its line has used another sum."""

    code: ClassVar[str] = "rebates/account-state"


class NotEnough(ChannelError):
    """The dealer's account does not hold so much."""

    code: ClassVar[str] = "rebates/not-enough"

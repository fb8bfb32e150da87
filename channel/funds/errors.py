"""What a fund or a claim refuses."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from channel.errors import ChannelError


class NoSuchClaim(ChannelError):
    """There is no such claim, fund, price cut or dealer."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "funds/not-found"


class Incomplete(ChannelError):
    """Something is missing that a claim of this programme must say or bring."""

    code: ClassVar[str] = "funds/incomplete"


class NotTakingPart(ChannelError):
    """The programme is not for this dealer, these goods or this day."""

    code: ClassVar[str] = "funds/not-taking-part"


class TooLate(ChannelError):
    """The last day for handing it in is over."""

    code: ClassVar[str] = "funds/too-late"


class NothingToPay(ChannelError):
    """The claim is worth nothing: no contract, no drop, no stock, or nothing is left of the fund."""

    code: ClassVar[str] = "funds/nothing-to-pay"


class AlreadyClaimed(ChannelError):
    """The same invoice, unit or activity was claimed before. Who may see the earlier claim is told its number."""

    code: ClassVar[str] = "funds/already-claimed"

    def __init__(self, what: str, *, claim: str, dealer_id: UUID) -> None:
        self.thing, self.claim, self.dealer_id = what, claim, dealer_id
        super().__init__(f"{what} was claimed already", next_step="take it out, or withdraw the earlier claim first")

    def named(self) -> AlreadyClaimed:
        """The same with the earlier claim's number, for its own dealer and our own people."""
        told = AlreadyClaimed(self.thing, claim=self.claim, dealer_id=self.dealer_id)
        told.what = f"{self.thing} was claimed already with {self.claim}"
        told.args = (f"{told.what}. Next: {told.next_step}",)
        return told


class WrongClaimState(ChannelError):
    """The claim was decided, withdrawn or paid already."""

    code: ClassVar[str] = "funds/wrong-state"


class BadAmount(ChannelError):
    """More than the claim is worth, nothing, or less than nothing."""

    code: ClassVar[str] = "funds/bad-amount"

"""What a price list, a rule or a question about a price is refused for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from channel.errors import ChannelError


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: where it stands, what is wrong, what to write instead."""

    where: str
    """`file:line`, or the path of the field when there is no file."""
    what: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} ({self.next_step})"


class BadPricing(ChannelError):
    """Prices, rules or a cart that cannot be used; `errors` has every mistake with its line and its fix, and nothing was priced."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "pricing/bad-file"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        self.errors = [asdict(one) for one in self.mistakes]
        first = str(self.mistakes[0]) if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__(first, next_step="mend these lines")


class QuoteNotFound(ChannelError):
    """There is no such quote, or not for who asks."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "quotes/not-found"


class WrongQuoteState(ChannelError):
    """The quote is not in a state that allows this step."""

    code: ClassVar[str] = "quotes/wrong-state"


class QuoteRefused(ChannelError):
    """Nobody may grant this discount or margin."""

    code: ClassVar[str] = "quotes/nobody-may-grant"


class NotApprover(ChannelError):
    """Who answers may not decide about this quote."""

    kind: ClassVar[str] = "forbidden"
    code: ClassVar[str] = "quotes/not-approver"


class BadOffer(ChannelError):
    """What was asked for cannot be offered: an unknown party or product, a day that is over, a charge that no order can carry."""

    code: ClassVar[str] = "quotes/bad-offer"

    def __init__(self, what: str, *, next_step: str = "", errors: Sequence[dict[str, str]] = ()) -> None:
        self.errors = list(errors)
        super().__init__(what, next_step=next_step)

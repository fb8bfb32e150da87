"""What funds and claims can answer besides the API's own problems; the rules' errors are in channel/funds."""

from __future__ import annotations

from hub_api.known_errors import know
from hub_api.problems import Problem, RecordNotFound, WrongState


class ClaimNotFound(RecordNotFound):
    """No such claim, fund, price cut or dealer, or one of another dealer: the two give the same bytes."""

    code = "funds/not-found"
    title = "No such claim, fund or price cut"
    detail = "There is no such claim, programme, price cut or dealer, or this key may not see it."
    says_no_more = True


class ClaimIncomplete(WrongState):
    """Something is missing that a claim of this programme must say or bring."""

    code = "funds/incomplete"
    title = "The claim is not complete"
    detail = "Something is missing that a claim of this programme must say or bring."


class NotTakingPart(WrongState):
    """The programme is not for this dealer, these goods or this day."""

    code = "funds/not-taking-part"
    title = "The programme does not hold here"
    detail = "The programme is not for this dealer, these goods or this day."


class TooLate(WrongState):
    """The last day for handing it in is over."""

    code = "funds/too-late"
    title = "The claim comes too late"
    detail = "The last day for handing it in is over."


class NothingToPay(WrongState):
    """The claim is worth nothing."""

    code = "funds/nothing-to-pay"
    title = "The claim is worth nothing"
    detail = "No contract price, no fall of the price, no stock, or nothing is left of the fund."


class AlreadyClaimed(WrongState):
    """The same thing was claimed before."""

    code = "funds/already-claimed"
    title = "It was claimed already"
    detail = "The same invoice, unit or activity was claimed before. A dealer reads the earlier claim's number when it is its own."


class WrongClaimState(WrongState):
    """The claim was decided, withdrawn or paid already."""

    code = "funds/wrong-state"
    title = "The claim is not in this state"
    detail = "The claim is not, or no longer, in a state that allows this. Read it again."


class BadAmount(WrongState):
    """More than the claim is worth, or nothing."""

    code = "funds/bad-amount"
    title = "The amount cannot be used"
    detail = "It is more than the claim is worth, nothing, or no fall of a price."


ALL: tuple[type[Problem], ...] = (
    ClaimNotFound, ClaimIncomplete, NotTakingPart, TooLate, NothingToPay, AlreadyClaimed, WrongClaimState, BadAmount,
)  # fmt: skip
"""Each becomes what its code says."""

know(*ALL)

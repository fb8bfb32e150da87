"""What programmes and statements can answer besides the API's own problems; the rules' errors are in channel/rebates."""

from __future__ import annotations

from hub_api.known_errors import know
from hub_api.problems import Problem, RecordNotFound, WrongState


class RebateNotFound(RecordNotFound):
    """No such programme, period or statement, or one of another dealer: the two give the same bytes."""

    code = "rebates/not-found"
    title = "No such programme, period or statement"
    detail = "There is no such programme, period or statement, or this key may not see it."
    says_no_more = True


class BadProgramme(WrongState):
    """The text is no programme that money can be paid by; `errors` names each flaw."""

    code = "rebates/bad-programme"
    title = "The programme is not clear"
    detail = "The programme could be read in two ways; each flaw is named with its line and its fix."


class VersionTaken(WrongState):
    """What is published never changes."""

    code = "rebates/version-taken"
    title = "The version is published"
    detail = "What is published never changes: write the next version number."


class StatementState(WrongState):
    """The statement was signed or resolved already."""

    code = "rebates/wrong-state"
    title = "The statement is not in this state"
    detail = "The statement is not, or no longer, in a state that allows this. Read it again."


class AccountState(WrongState):
    """The order, or its line, does not allow this."""

    code = "rebates/account-state"
    title = "The order does not allow this"
    detail = "The order is void, closed, in another currency or worth less, or its line has used another sum."


class NotEnough(WrongState):
    """The account does not hold so much."""

    code = "rebates/not-enough"
    title = "The account does not hold so much"
    detail = "Less than that is available, or frozen for this order. What a memo pays is not for orders."


class RebateFacts(WrongState):
    """Facts that cannot be, or a figure that a formula needs is missing."""

    code = "rebates/bad-facts"
    title = "The facts cannot be reckoned"
    detail = "A fact cannot be, or a figure that the programme's formula needs is missing; `detail` names it."


ALL: tuple[type[Problem], ...] = (
    RebateNotFound, BadProgramme, VersionTaken, StatementState, AccountState, NotEnough, RebateFacts,
)  # fmt: skip
"""Each becomes what its code says."""

know(*ALL)

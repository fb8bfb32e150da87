"""What scorecards can answer besides the API's own problems; the rules' errors are in channel/performance."""

from __future__ import annotations

from hub_api.known_errors import know
from hub_api.problems import Problem, RecordNotFound, WrongState


class ScorecardNotFound(RecordNotFound):
    """No such scorecard or month, or the dealer is not on it, or it is another dealer's: all give the same bytes."""

    code = "performance/not-found"
    title = "No such scorecard"
    detail = "There is no such scorecard, month or dealer on it, or this key may not see it."
    says_no_more = True


class BadScorecard(WrongState):
    """The text is no scorecard by which two people would reckon the same; `errors` names each flaw."""

    code = "performance/bad-scorecard"
    title = "The scorecard is not clear"
    detail = "The scorecard could be read in two ways; each flaw is named with its line and its fix."


class BadFacts(WrongState):
    """Rows that cannot be what they should be; `errors` names each flaw. Nothing of them was used."""

    code = "performance/bad-facts"
    title = "The rows cannot be so"
    detail = "Some rows cannot be what they should be; each flaw is named with its fix, and nothing was loaded."


class ScorecardTaken(WrongState):
    """What is published never changes."""

    code = "performance/version-taken"
    title = "The version is published"
    detail = "What is published never changes: write the next version number."


class MonthNotOver(WrongState):
    """The month is not over yet."""

    code = "performance/not-over"
    title = "The month is not over"
    detail = "Only a month that is over is kept."


class ReasonNeeded(WrongState):
    """A month that was kept is reckoned again for a reason only."""

    code = "performance/no-reason"
    title = "A reason is needed"
    detail = "The month was kept already: say why it is reckoned again."


ALL: tuple[type[Problem], ...] = (ScorecardNotFound, BadScorecard, BadFacts, ScorecardTaken, MonthNotOver, ReasonNeeded)
"""Each becomes what its code says."""

know(*ALL)

"""What quotes can answer besides the API's own problems; the rules' errors are in channel/pricing/errors.py."""

from __future__ import annotations

from hub_api.known_errors import know
from hub_api.problems import Forbidden, Problem, RecordNotFound, WrongState


class QuoteNotFound(RecordNotFound):
    """No such quote, or one of another dealer, or one that was not sent to this one: the three give the same bytes."""

    code = "quotes/not-found"
    title = "No such quote"
    detail = "There is no such quote, or this key may not see it."
    says_no_more = True


class WrongQuoteState(WrongState):
    """The quote is not in a state that allows this step."""

    code = "quotes/wrong-state"
    title = "The quote is not in this state"
    detail = "The quote is not, or no longer, in a state that allows this. Read it again."


class BadOffer(WrongState):
    """What was asked for cannot be offered; `errors` names each line."""

    code = "quotes/bad-offer"
    title = "This cannot be offered"
    detail = "A name that nobody has, a day that is over, or something without a price; see errors."


class QuoteRefused(WrongState):
    """Nobody may grant this."""

    code = "quotes/nobody-may-grant"
    title = "Nobody may grant this"
    detail = "The discounts are beyond what anybody may grant."


class NotApprover(Forbidden):
    """Who answers may not decide about this quote."""

    code = "quotes/not-approver"
    title = "Not yours to decide"
    detail = "Somebody else decides about this quote."


ALL: tuple[type[Problem], ...] = (QuoteNotFound, WrongQuoteState, BadOffer, QuoteRefused, NotApprover)
"""Each becomes what its code says."""

know(*ALL)

"""What prices, their rules and special prices can answer besides the API's own problems; the rules' errors are in channel/pricing."""

from __future__ import annotations

from hub_api.known_errors import know
from hub_api.problems import Problem, RecordNotFound, WrongState


class BadPricing(WrongState):
    """A cart names what nobody has, or rules are ambiguous; `errors` has each mistake with its fix."""

    code = "pricing/bad-file"
    title = "The cart or the rules cannot be used"
    detail = "Names that nobody has, or rules that could be read in two ways; see errors."


class PriceNotFound(RecordNotFound):
    """No such document of rules, version of prices, or snapshot."""

    code = "pricing/not-found"
    title = "No such document, version or snapshot of prices"
    detail = "There is no such document of price rules, or no such version or snapshot of prices."


class PriceVersionTaken(WrongState):
    """What is published never changes."""

    code = "pricing/version-taken"
    title = "The version is published"
    detail = "What is published never changes: publish the next version."


class SpecialNotFound(RecordNotFound):
    """No such special price, or one of another dealer: the two give the same bytes."""

    code = "pricing/special-not-found"
    title = "No such special price"
    detail = "There is no such special price, or this key may not see it."
    says_no_more = True


class SpecialState(WrongState):
    """The special price was decided already, or is not approved."""

    code = "pricing/special-state"
    title = "The special price is not in this state"
    detail = "The special price is not, or no longer, in a state that allows this. Read it again."


class OverCeiling(WrongState):
    """Less is left of a special price than a line wants."""

    code = "pricing/over-ceiling"
    title = "The special price is used up"
    detail = "Less is left of the special price than the line wants."


ALL: tuple[type[Problem], ...] = (BadPricing, PriceNotFound, PriceVersionTaken, SpecialNotFound, SpecialState, OverCeiling)
"""Each becomes what its code says."""

know(*ALL)

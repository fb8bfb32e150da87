"""What registrations, fences and merges can answer besides the API's own problems; the rules' errors are in channel/deals/errors.py."""

from __future__ import annotations

from typing import Any

from hub_api.known_errors import know
from hub_api.problems import Forbidden, InvalidPayload, Problem, RecordNotFound, WrongState


class RegistrationNotFound(RecordNotFound):
    """No such registration, or one of another dealer: the two give the same bytes."""

    code = "deals/registration-not-found"
    title = "No such registration"
    detail = "There is no such registration, or this key may not see it."
    says_no_more = True


class WrongStatus(WrongState):
    """The registration is not in a status that allows this."""

    code = "deals/wrong-status"
    title = "Not in this status"
    detail = "The registration is not in a status that allows this. Read it again."


class RegistrationRefused(Problem):
    """The claim was put on record and refused; `registration` is that record, with the reason, and may be appealed."""

    kind = "conflict"
    code = "deals/refused"
    title = "The customer cannot be registered"
    detail = "The claim is on record and refused; `registration` tells why. It may be appealed."

    def __init__(self, detail: str = "", *, registration: dict[str, Any] | None = None, errors: Any = ()) -> None:
        self.registration = registration
        super().__init__(detail, errors=errors)

    def body(self) -> dict[str, Any]:
        """With the record of the refusal."""
        return super().body() | ({"registration": self.registration} if self.registration else {})


class StillHeld(WrongState):
    """Somebody holds the customer."""

    code = "deals/still-held"
    title = "The customer is held"
    detail = "The customer is held by another registration; that one must end first."


class NotExtendable(WrongState):
    """The rule allows no extension."""

    code = "deals/not-extendable"
    title = "No extension"
    detail = "It was extended already, it is too early or over, or evidence of work is missing."


class TooManyChecks(Problem):
    """The dealer asked too much."""

    kind = "throttled"
    code = "deals/too-many-checks"
    title = "Too many questions"
    detail = "No more questions are answered for now; see Retry-After. Register the customers that you work on."


class BadClaim(InvalidPayload):
    """The claim names no company."""

    code = "deals/bad-claim"
    title = "The claim cannot be used"
    detail = "The claim names no company: give its name, its 统一社会信用代码 or a phone number."


class UnknownDealer(Forbidden):
    """The dealer is no active party."""

    code = "deals/unknown-dealer"
    title = "No such dealer"
    detail = "The dealer is no active party of ours."


class ClaimKeyReused(WrongState):
    """The Idempotency-Key came before with another claim, longer ago than answers are kept."""

    code = "deals/key-reused"
    title = "The Idempotency-Key belongs to another claim"
    detail = "This Idempotency-Key came before with another claim. Use a fresh one."


class Contended(WrongState):
    """Others kept changing the same customers."""

    code = "deals/contended"
    title = "Others were faster, several times"
    detail = "Others kept changing the same customers; nothing was done. Send the same request again."


class KeysOutdated(Problem):
    """The stored match keys are of another version."""

    kind = "unavailable"
    code = "deals/keys-outdated"
    title = "The match keys are being renewed"
    detail = "The match keys were made by another version; the operator rebuilds them with `hub deals rebuild`."
    says_no_more = True

    def __init__(self, detail: str = "", *, errors: Any = ()) -> None:
        super().__init__(detail, errors=errors, retry_after_s=60)


class CustomerNotFound(RecordNotFound):
    """No such customer."""

    code = "deals/customer-not-found"
    title = "No such customer"
    detail = "There is no such customer."


class AliasRefused(WrongState):
    """The name stands for no firm."""

    code = "deals/alias-refused"
    title = "The name stands for no firm"
    detail = "The name stands for no firm, such as 有限公司 alone. Give the name that people call it by."


class AliasNotFound(RecordNotFound):
    """Nobody gave the customer this name."""

    code = "deals/alias-not-found"
    title = "No such name"
    detail = "No person gave the customer this name; names that it had before stay."


class ProtectionsOverlap(WrongState):
    """Two customers that would become one are held by different dealers."""

    code = "deals/protections-overlap"
    title = "Two protections overlap"
    detail = "The two customers are held by different dealers at the same time; end or transfer one of them first."


class PipelineNotFound(RecordNotFound):
    """No such stage."""

    code = "deals/pipeline-not-found"
    title = "No such stage"
    detail = "The pipeline has no such stage."


class LeadNotConvertible(WrongState):
    """The lead cannot become a deal now."""

    code = "deals/lead-not-convertible"
    title = "The lead cannot be converted"
    detail = "The lead is lost, names no company, or may mean a customer who is known: name that party, or say that it is a new one."


class EngineMissing(Problem):
    """The machine lacks what resolving needs."""

    kind = "unavailable"
    code = "parties/engine-missing"
    title = "Resolving is not installed here"
    detail = "The machine of the hub lacks Splink and DuckDB; its operator installs the extra `resolve`."


class MoveRefused(WrongState):
    """The deal may not go there now."""

    code = "deals/move-refused"
    title = "The deal may not go there"
    detail = "A stage is passed over, a field is missing, or it needs a reason."


class BadFence(InvalidPayload):
    """A fence that says no place."""

    code = "deals/bad-fence"
    title = "The fence cannot be used"
    detail = "It names a region, trade or time that does not exist."


class EndsBeforeItBegins(WrongState):
    """The last day is before the first one."""

    code = "deals/ends-before-it-begins"
    title = "It would end before it begins"
    detail = "The last day is before the first one."


class FenceNotFound(RecordNotFound):
    """No such fence."""

    code = "deals/fence-not-found"
    title = "No such fence"
    detail = "There is no such fence, or it is over."


class BadPolicy(WrongState):
    """A policy that says no place."""

    code = "deals/bad-policy"
    title = "The policy cannot be used"
    detail = "It names a region, time or size that does not exist, or a size without its currency."


class PolicyOverlaps(WrongState):
    """A later one has the same conditions."""

    code = "deals/policy-overlaps"
    title = "A later policy is in the way"
    detail = "Another policy with the same conditions begins later; end that one, or end this one before it."


class PolicyNotFound(RecordNotFound):
    """No such policy."""

    code = "deals/policy-not-found"
    title = "No such policy"
    detail = "There is no such policy, or it is over."


ALL: tuple[type[Problem], ...] = (
    RegistrationNotFound, WrongStatus, RegistrationRefused, StillHeld, NotExtendable, TooManyChecks, BadClaim, UnknownDealer,
    ClaimKeyReused, Contended, KeysOutdated, CustomerNotFound, ProtectionsOverlap, PipelineNotFound, MoveRefused, BadFence,
    FenceNotFound, BadPolicy, PolicyOverlaps, PolicyNotFound, LeadNotConvertible, EngineMissing, EndsBeforeItBegins,
    AliasRefused, AliasNotFound,
)  # fmt: skip
"""Each becomes what its code says."""

know(*ALL)

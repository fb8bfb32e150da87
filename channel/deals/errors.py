"""What a registration can be refused for, in the trade's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from channel.errors import ChannelError


class RegistrationNotFound(ChannelError):
    """No such registration, or none that this dealer may see: the two give the same answer."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "deals/registration-not-found"


class WrongStatus(ChannelError):
    """The registration is not in a status that allows this."""

    code: ClassVar[str] = "deals/wrong-status"


class StillHeld(ChannelError):
    """The customer is still held by an earlier registration; a person has to end that one first."""

    code: ClassVar[str] = "deals/still-held"


class NotExtendable(ChannelError):
    """The rule allows no extension: done once already, too early, over, or without evidence."""

    code: ClassVar[str] = "deals/not-extendable"


class TooManyChecks(ChannelError):
    """A dealer has asked for more customers than the limit allows; the text says when the next question is answered."""

    kind: ClassVar[str] = "forbidden"
    code: ClassVar[str] = "deals/too-many-checks"

    def __init__(self, what: str, *, next_step: str = "", retry_after_s: int = 0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(what, next_step=next_step)


class BadClaim(ChannelError):
    """A claim that says nothing to match by, or more than any company's papers hold."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "deals/bad-claim"


class UnknownDealer(ChannelError):
    """The dealer is no active party."""

    kind: ClassVar[str] = "forbidden"
    code: ClassVar[str] = "deals/unknown-dealer"


class KeyReused(ChannelError):
    """The idempotency key came before with another claim."""

    code: ClassVar[str] = "deals/key-reused"


class Contended(ChannelError):
    """Others kept changing the same customers; nothing was done and the same request may be sent again."""

    code: ClassVar[str] = "deals/contended"


class KeysOutdated(ChannelError):
    """The stored match keys were made by another version of the matcher; deciding by them would miss customers."""

    code: ClassVar[str] = "deals/keys-outdated"


class WrongIsolation(ChannelError):
    """The caller's transaction keeps one snapshot: what others committed before the locks would stay unseen."""

    code: ClassVar[str] = "deals/wrong-isolation"


class CustomerNotFound(ChannelError):
    """No such customer."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "deals/customer-not-found"


class AliasRefused(ChannelError):
    """A further name for a customer that names no firm: everybody's claims would be about that customer."""

    code: ClassVar[str] = "deals/alias-refused"


class AliasNotFound(ChannelError):
    """No person gave the customer this name; names that it had before stay."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "deals/alias-not-found"


class ProtectionsOverlap(ChannelError):
    """The two customers are held by different dealers at the same time; a person decides which protection stays."""

    code: ClassVar[str] = "deals/protections-overlap"


class BadPipeline(ChannelError):
    """A pipeline's file cannot be used; the text names file, line and fix of each mistake."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "deals/bad-pipeline"


class PipelineNotFound(ChannelError):
    """No such pipeline, or no such stage in it."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "deals/pipeline-not-found"


class MoveRefused(ChannelError):
    """The deal may not go to that stage now: a stage is passed over, a field is missing, or it needs a reason."""

    code: ClassVar[str] = "deals/move-refused"


class BadFence(ChannelError):
    """A fence that says no place, line of trade or time that exists."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "deals/bad-fence"


class EndsBeforeItBegins(ChannelError):
    """A fence or a policy whose last day is before its first one."""

    code: ClassVar[str] = "deals/ends-before-it-begins"


class FenceNotFound(ChannelError):
    """No such fence, or no such question about one."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "deals/fence-not-found"


class LeadNotConvertible(ChannelError):
    """The lead is lost, names no company, or may mean a customer that somebody has to compare first."""

    code: ClassVar[str] = "deals/lead-not-convertible"


class BadPolicy(ChannelError):
    """A policy that says no place, time or size that exists."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "deals/bad-policy"


class PolicyOverlaps(ChannelError):
    """Another policy with the same conditions begins later than this one would: end that one first."""

    code: ClassVar[str] = "deals/policy-overlaps"


class PolicyNotFound(ChannelError):
    """No such policy, or it is over already."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "deals/policy-not-found"


class BadRows(ChannelError):
    """Rows of an import that cannot stand, so none was taken; `errors` names each with what to mend."""

    code: ClassVar[str] = "deals/bad-rows"

    def __init__(self, errors: Sequence[dict[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__(f"{len(self.errors)} rows cannot be taken in, so none was", next_step="mend them, then import the file again")

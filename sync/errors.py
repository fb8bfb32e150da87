"""What can go wrong in the engine, in words for the person who mends it."""

from __future__ import annotations


class SyncError(Exception):
    """Something the engine could not do. `code` is stable and documented; the text names the place and the next step."""

    code = "sync/error"

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        self.what, self.where, self.next_step = what, where, next_step
        text = f"{where}: {what}" if where else what
        super().__init__(text + (f". Next: {next_step}" if next_step else ""))


class BadConfig(SyncError):
    """hub.yaml, or a mapping it names, cannot be used."""

    code = "sync/bad-config"


class NotFound(SyncError):
    """No such record, case, plan or stream."""

    code = "sync/not-found"


class Busy(SyncError):
    """Another worker holds the lease of this stream; nothing was done."""

    code = "sync/busy"


class Overtaken(SyncError):
    """Another worker took over while this one worked; what this one had not committed is dropped and will be read again."""

    code = "sync/overtaken"


class WrongState(SyncError):
    """The plan, case or record is not in a state that allows this."""

    code = "sync/wrong-state"


class PlanExpired(WrongState):
    """The plan is older than its term; make a new one."""

    code = "sync/plan-expired"


class Stale(WrongState):
    """The record has changed since the version that the caller saw."""

    code = "sync/stale"


class NotAllowed(SyncError):
    """The mode of the flow does not allow it."""

    code = "sync/not-allowed"

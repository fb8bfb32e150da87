"""How a whole call can fail, named by what to do next. Outcomes of single records are receipts, not exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class CallFailed(Exception):
    """A call to a system failed as a whole. `code` is stable and documented; the text holds no secret and no payload."""

    code = "connectors/call-failed"

    def __init__(self, system: str, why: str, *, vendor_code: str = "", next_step: str = "") -> None:
        self.system, self.why, self.vendor_code, self.next_step = system, why, vendor_code, next_step
        shown = f" [{vendor_code}]" if vendor_code else ""
        super().__init__(f"{system}: {why}{shown}" + (f". Next: {next_step}" if next_step else ""))


class SignInExpired(CallFailed):
    """The session or token is gone; sign in once more and repeat the call once."""

    code = "connectors/sign-in-expired"


class SignInRefused(CallFailed):
    """Credentials are wrong or revoked. Never repeated by itself: it would lock the account."""

    code = "connectors/sign-in-refused"


class Throttled(CallFailed):
    """The system asks to wait. `after_s` is how long."""

    code = "connectors/throttled"

    def __init__(self, system: str, why: str, *, after_s: float, vendor_code: str = "") -> None:
        self.after_s = after_s
        super().__init__(system, why, vendor_code=vendor_code, next_step=f"wait {after_s:g} s")


class Unavailable(CallFailed):
    """Not reachable, or failing by itself. Certainly nothing was written."""

    code = "connectors/unavailable"


class Refused(CallFailed):
    """The system understood and said no: a right, a licence, an unknown field. A person must act."""

    code = "connectors/refused"


class Uncertain(CallFailed):
    """A write may or may not have been done. Look before anything is repeated."""

    code = "connectors/uncertain"


class SchemaChanged(CallFailed):
    """A field or a stream that the hub reads is not there any more."""

    code = "connectors/schema-changed"


class Garbled(CallFailed):
    """The answer could not be understood: not JSON, cut off, too large, wrongly encoded."""

    code = "connectors/garbled"


class Forged(Exception):
    """A callback whose proof of origin fails."""

    code = "connectors/forged"


class Do(StrEnum):
    """What a vendor's error code asks for."""

    RETRY = "retry"
    WAIT = "wait"
    REFRESH = "refresh"
    BLOCK = "block"
    REJECT = "reject"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """One row of a vendor's error table."""

    code: str
    do: Do
    words: str
    source: str


def error_table(*rows: tuple[str, Do, str, str]) -> Mapping[str, ErrorRule]:
    """A vendor's error table by code.

    A code not listed: a read is tried again within its budget, then fails; a write is `uncertain`, never simply repeated.
    Raises: ValueError if a code stands twice.
    """
    table: dict[str, ErrorRule] = {}
    for code, do, words, source in rows:
        if code in table:
            raise ValueError(f"error code {code!r} stands twice in the table")
        table[code] = ErrorRule(code, do, words, source)
    return table

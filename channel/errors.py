"""What a rule of the channel refuses, in the trade's words."""

from __future__ import annotations

from typing import ClassVar


class ChannelError(Exception):
    """A use case that cannot be done. `code` is stable and documented; `kind` is one of invalid, not_found, forbidden, conflict, gone."""

    kind: ClassVar[str] = "conflict"
    code: ClassVar[str] = "channel/error"

    def __init__(self, what: str, *, next_step: str = "") -> None:
        self.what, self.next_step = what, next_step
        super().__init__(what + (f". Next: {next_step}" if next_step else ""))

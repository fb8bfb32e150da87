"""What resolving can be refused for."""

from __future__ import annotations

from typing import ClassVar

from channel.errors import ChannelError


class BadRecords(ChannelError):
    """The file of records cannot be read; `where` is file and line."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "parties/bad-records"

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        self.where = where
        super().__init__(what, next_step=next_step)


class EngineMissing(ChannelError):
    """Resolving needs libraries (or, on Spark, Java) that this machine lacks."""

    kind: ClassVar[str] = "gone"
    code: ClassVar[str] = "parties/engine-missing"

"""Flaws of a file or table: always the place, what is wrong there, and what to write instead; a file with one is refused whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from channel.errors import ChannelError


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong in a file."""

    code: str
    """Stable: gap, overlap, falling_rate, missing, unknown_field, …"""
    where: str
    """The field or column, as a person finds it: `tiers[1].from`."""
    what: str
    fix: str
    line: int | None = None
    """Line of the file, from 1."""
    file: str = ""

    def __str__(self) -> str:
        place = ":".join(part for part in (self.file, str(self.line) if self.line else "") if part)
        return f"{place + ': ' if place else ''}{self.where}: {self.what}. Fix: {self.fix} [{self.code}]"


class Refused(ChannelError):
    """A file that is not taken, with all its flaws; nothing of it was used."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "channel/refused"

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        self.flaws = tuple(flaws)
        count = len(self.flaws)
        super().__init__(
            f"{count} flaw{'s' if count != 1 else ''}: {self.flaws[0].where}: {self.flaws[0].what}" if count else "refused",
            next_step="correct the file; nothing of it was used",
        )

    @property
    def errors(self) -> list[dict[str, object]]:
        """Every flaw as data: where (file, line and field), what, next_step, code, file, line, field."""
        return [
            {
                "where": ":".join(part for part in (flaw.file, str(flaw.line or ""), f" {flaw.where}") if part).strip(),
                "what": flaw.what, "next_step": flaw.fix, "code": flaw.code, "file": flaw.file, "line": flaw.line, "field": flaw.where,
            }
            for flaw in self.flaws
        ]  # fmt: skip

    def __str__(self) -> str:
        return "; ".join(str(flaw) for flaw in self.flaws)

"""What the oracle found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, or, among the explained, one thing that may be so."""

    what: str
    """In a few words: `differs`, `missing`, `two of one`, `overwritten`, or the reason for an explained one."""
    system: str
    """Where it shows."""
    stream: str
    key: str
    """Identifier or number of the record there; of the owner's record when the target has none."""
    field: str = ""
    expected: str = ""
    found: str = ""
    owner: tuple[str, str, str] = ("", "", "")
    """System, stream and key of the record that decides."""

    def __str__(self) -> str:
        values = f": expected {self.expected!r}, found {self.found!r}" if self.field else f" {self.expected}"
        return f"{self.system}.{self.stream} {self.key} {self.field} {self.what}{values}".replace("  ", " ")


@dataclass(slots=True)
class Verdict:
    """The oracle's answer."""

    drift: list[Finding] = field(default_factory=list)
    """Target values that differ from what the owner's records say, and target records that are missing."""
    duplicates: list[Finding] = field(default_factory=list)
    """Two records of one seed party, document or hub key in one system and organisation."""
    lost: list[Finding] = field(default_factory=list)
    """An owner's record or accepted edit whose last value is not in every target."""
    explained: list[Finding] = field(default_factory=list)
    """Held by a planted doubtful pair, a missing value, a bad record: no fault of the hub."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many records of each kind were compared, so that an empty comparison is seen."""

    @property
    def held(self) -> list[Finding]:
        """The planted doubtful pairs that no person has decided."""
        return [one for one in self.explained if one.what.startswith("doubtful pair")]

    @property
    def ok(self) -> bool:
        """True when there is no drift, no duplicate and nothing lost."""
        return not (self.drift or self.duplicates or self.lost)

    def as_dict(self) -> dict[str, Any]:
        """For a report in JSON."""
        return asdict(self)

    def summary(self, limit: int = 20) -> str:
        """For people: the three numbers, and the first findings of each kind."""
        counts = {"drift": self.drift, "duplicates": self.duplicates, "lost": self.lost, "held": self.held, "excused": self.explained}
        lines = [", ".join(f"{name} {len(found)}" for name, found in counts.items())]
        for title, found in (("drift", self.drift), ("duplicate", self.duplicates), ("lost", self.lost)):
            lines += [f"  {title}: {one}" for one in found[:limit]]
            if len(found) > limit:
                lines.append(f"  {title}: and {len(found) - limit} more")
        return "\n".join(lines)

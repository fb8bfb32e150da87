"""Pipelines as data: stages in their order, each of a canonical kind, with what it needs and how long a deal may stay.

A tenant has as many pipelines as it likes; rules and reports look at kinds and groups, which are the same in all of them.

>>> GROUPS["negotiate"], GROUPS["paid"], rank("propose") < rank("won")
('offer', 'delivery', True)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Final

KINDS: Final = ("lead", "qualify", "propose", "negotiate", "won", "contract", "deliver", "paid", "review")
"""Canonical kinds in the order in which a deal passes them; `lost` stands beside."""
LOST: Final = "lost"
GROUPS: Final[Mapping[str, str]] = {
    "lead": "early", "qualify": "early", "propose": "offer", "negotiate": "offer", "won": "won", "contract": "won",
    "deliver": "delivery", "paid": "delivery", "review": "after", "lost": "lost",
}  # fmt: skip
"""Kind -> group: what pipelines of different length have in common."""
OPEN_KINDS: Final = ("lead", "qualify", "propose", "negotiate")
"""Kinds in which a deal is not decided."""


def rank(kind: str) -> int:
    """Place of a kind in the order; `lost` is after all. An unknown kind is -1."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS) if kind == LOST else -1


@dataclass(frozen=True, slots=True)
class NextAction:
    """What is to be done when a deal reaches a stage. Units: `in_days` counts business days of Asia/Shanghai."""

    what: str
    in_days: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `probability` is a fraction, of winning; `needs` are the deal's fields that must have a value to enter."""

    name: str
    en: str
    kind: str
    probability: Decimal = Decimal(0)
    stuck_days: int | None = None
    """A deal that is there for longer is stuck; None: it may stay for ever."""
    needs: tuple[str, ...] = ()
    next_action: NextAction | None = None
    also: tuple[str, ...] = ()
    """Other names of it, such as those of a connected CRM."""


@dataclass(frozen=True)
class Pipeline:
    """A way of stages, and the ways out of it."""

    name: str
    zh: str
    en: str
    stages: tuple[Stage, ...]
    lost: tuple[Stage, ...] = ()
    close_reasons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """`won` and `lost` -> code -> text."""

    @cached_property
    def places(self) -> dict[str, int]:
        """Stage name, or another name of it -> its place; ways out have the place after the last stage."""
        found = {}
        for place, stage in [*enumerate(self.stages), *((len(self.stages), stage) for stage in self.lost)]:
            for name in (stage.name, *stage.also):
                found[name] = place
        return found

    def stage(self, name: str, kind: str = "") -> Stage | None:
        """The stage of a name; else the first of the kind; None when neither is there."""
        every = (*self.stages, *self.lost)
        by_name = next((stage for stage in every if name and name in (stage.name, *stage.also)), None)
        return by_name or next((stage for stage in every if kind and stage.kind == kind), None)


@dataclass(frozen=True)
class Pipelines:
    """All pipelines of a tenant."""

    every: Mapping[str, Pipeline]
    default: str

    def of(self, pipeline: str, stage: str) -> Pipeline:
        """The pipeline of a deal: the one it names, else the only one that knows its stage's name, else the default one."""
        if pipeline in self.every:
            return self.every[pipeline]
        knowing = [one for one in self.every.values() if stage in one.places]
        if len(knowing) == 1 or (knowing and self.default not in {one.name for one in knowing}):
            return knowing[0]
        return self.every[self.default]

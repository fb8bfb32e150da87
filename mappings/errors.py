"""What can go wrong with a mapping: a mistake in its file, or a record that it cannot map.

A tree to catch by: `MappingError` > `BadFile` (a person mends the file) and `RecordError` (this record waits, the rest goes on) >
`MissingParent`, `MissingValue`, `BadField`. A `RecordError` carries *all* that is wrong with the record: one look tells the whole repair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

Cite = tuple[str, str] | tuple[str, str, str, str]
"""A record that another record cites: `(stream, key)`, by number `(stream + "#number", number)`, by canonical number in whatever system
`("=entity", number)`; a line of it: the same two, the name of the set, the vendor's key of the line."""


class WantedValue(NamedTuple):
    """A value that its value map does not know."""

    map: str
    value: str
    company: str
    """Number of our company that the record belongs to; empty where it says none."""
    direction: str
    """`in`: the vendor's value is known, the canonical one is asked for; `out`: the other way round."""


class Wrong(NamedTuple):
    """A field whose value cannot be mapped."""

    path: str
    why: str


class MappingError(Exception):
    """Base of everything that mappings raise."""

    code = "mappings/error"


@dataclass(eq=False)
class BadFile(MappingError):
    """A mistake in a mapping file."""

    file: str
    line: int
    field: str
    why: str
    fix: str

    code = "mappings/bad-file"

    def __post_init__(self) -> None:
        super().__init__(self.file, self.line, self.field, self.why, self.fix)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        what = f" {self.field}:" if self.field else ""
        return f"{place}:{what} {self.why}. {self.fix}"


@dataclass(eq=False)
class RecordError(MappingError):
    """A record that cannot be mapped now. The record is set aside or held; the rest goes on."""

    mapping: str
    cites: Sequence[Cite] = ()
    """Parents that the hub does not know yet."""
    values: Sequence[WantedValue] = ()
    """Values that wait in the inbox of the value maps."""
    wrong: Sequence[Wrong] = ()
    """Fields with values that cannot be what they should be."""

    code = "mappings/record"

    def __post_init__(self) -> None:
        super().__init__(self.mapping, self.cites, self.values, self.wrong)

    @property
    def waits_for(self) -> list[str]:
        """What would release the record, as texts to index by: `parent:stream:key`, `value:map:value`."""
        parents = [f"parent:{':'.join(cite)}" for cite in self.cites]
        return parents + [f"value:{want.map}:{want.value}" for want in self.values]

    def __str__(self) -> str:
        parts = [f"field {path}: {why}" for path, why in self.wrong]
        parts += [f"cites {' '.join(cite)}, which the hub does not know yet" for cite in self.cites]
        parts += [f"value map {want.map} has no entry for {want.value!r}{_of(want.company)}" for want in self.values]
        return f"{self.mapping}: {'; '.join(parts)}"


class BadField(RecordError):
    """A value is of the wrong type, out of range, or not in its table. Mend the record or the mapping, then replay."""

    code = "mappings/bad-field"

    @property
    def path(self) -> str:
        """The first field concerned."""
        return self.wrong[0].path

    @property
    def why(self) -> str:
        """What is wrong with it."""
        return self.wrong[0].why


class MissingParent(RecordError):
    """The record cites others that have not been read. It goes by itself when they come."""

    code = "mappings/missing-parent"


class MissingValue(RecordError):
    """A value map lacks an entry. The record goes by itself when somebody fills it in."""

    code = "mappings/missing-value"


def _of(company: str) -> str:
    return f" of company {company}" if company else ""


def refuse(mapping: str, problems: Sequence[tuple[str, object]]) -> RecordError:
    """The error for what was found wrong with one record: what a person must mend comes before what may come by itself."""
    cites = list(dict.fromkeys(fact for kind, fact in problems if kind == "parent"))
    values = list(dict.fromkeys(fact for kind, fact in problems if kind == "value"))
    wrong = [fact for kind, fact in problems if kind == "bad"]
    error = BadField if wrong else MissingParent if cites else MissingValue
    return error(mapping, cites, values, wrong)  # type: ignore[arg-type]  # the kind tells the type of the fact

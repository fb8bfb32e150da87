"""The rules of a mapping as data: what a file says, checked, before it becomes functions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from mappings.functions import FUNCTIONS

SEMANTICS = 1
"""Raised when the compiler gives the same file another meaning."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something is said."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """How one canonical field and its vendor keys become each other."""

    name: str
    """Canonical field; `custom.x` for a tenant's own."""
    kind: str
    place: Place
    reads: tuple[str, ...] = ()
    """Vendor keys, the first that is there and not empty counts; a function gets them all."""
    writes: tuple[str, ...] = ()
    """Vendor keys; a function fills them all, and an empty one, which this installation lacks, is left out."""
    direction: str = "both"
    """both, read_only, write_only"""
    creates_only: bool = False
    """Written only with the whole document, as at its creation."""
    stream: str = ""
    """What a reference points at; `=entity` for a canonical number whatever the system."""
    by: str = "key"
    """key, number: how the vendor cites when it is read."""
    write_as: str = "key"
    """key, number, lookup: what the vendor wants written."""
    line_set: str = ""
    """For a reference to a line: its set; `stream` and `by` then tell the parent, whose key or number stands in the first vendor key."""
    table: tuple[tuple[Any, Any], ...] = ()
    """Of an enum: (vendor value, canonical value)."""
    otherwise: Any = None
    """Canonical value for a vendor value that the table lacks; None refuses it."""
    map: str = ""
    function: str = ""
    extra: tuple[Any, ...] = ()
    """What a function gets behind the vendor's values."""
    constant: Any = None
    places: int | None = None
    form: str = "plain"
    """Of a day: plain, midnight. Of a moment: local, offset."""
    empty: str = "keep"
    """keep: empty text and null are two values; null: the system cannot tell them apart."""
    nothing: Any = None
    """What to write for a text that is empty, when `empty` is null."""
    default: Any = None
    """Canonical value assumed when a whole document is written and does not say."""
    source: str = ""
    """Of sum and common: `set.field`."""
    when: str = ""
    when_read: str = ""
    when_write: str = ""

    @property
    def is_read(self) -> bool:
        """True when reading fills the field."""
        return self.direction != "write_only"

    @property
    def is_written(self) -> bool:
        """True when writing uses the field."""
        return self.direction != "read_only"


@dataclass(frozen=True, slots=True)
class Holds:
    """Which rows of a child set a stream has room for, where it has not for all."""

    one_for: tuple[str, ...]
    """Fields of which it holds one row for each value."""
    least: str = ""
    """Of several rows for one place, that with the least number here."""
    standing: tuple[str, ...] = ()
    """First and last day of a row: it must stand today. Empty: rows have no days."""
    needs: tuple[str, ...] = ()
    """Fields without which a row cannot be held."""
    same: tuple[tuple[str, str], ...] = ()
    """(field, `reference.field`): must be equal where both say something, e.g. the unit and the base unit of the row's product."""
    when: str = ""
    """Condition over `line`."""


@dataclass(frozen=True, slots=True)
class SetRule:
    """How a child set and a list of the vendor's record become each other."""

    name: str
    place: Place
    path: str
    """Key of the list; empty when a record is one row."""
    key: str
    """Key of the row's identifier in the row; of the record when it is one row; empty for a row of a fixed key."""
    fixed: str = ""
    """Key of the one row, where the file gives it."""
    integer_keys: bool = False
    hub_key: str = ""
    """Writable text of a row that can carry the canonical line id."""
    natural: tuple[str, ...] = ()
    key_of: str = ""
    """Reference of the row whose key there is the row's key, too; empty where rows have identifiers of their own."""
    holds: Holds | None = None
    rules: tuple[Rule, ...] = ()
    constants: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRule:
    """One sure or weak key of a record."""

    kind: str
    place: Place
    field: str = ""
    """Canonical field it is made from, or"""
    path: str = ""
    """the vendor's key."""
    normaliser: str = ""


@dataclass(frozen=True, slots=True)
class MappingRules:
    """Everything one mapping says."""

    system_kind: str
    stream: str
    entity: str
    zone: str
    company: str
    """Canonical reference that tells the company for value maps; empty: none."""
    rules: tuple[Rule, ...]
    sets: tuple[SetRule, ...]
    constants: tuple[tuple[str, Any], ...]
    identity: tuple[KeyRule, ...]
    likeness: tuple[KeyRule, ...]

    def version(self) -> str:
        """Hash of the meaning: 16 hexadecimal digits that comments, layout and order of the file do not change."""
        meaning = json.dumps([SEMANTICS, _meaning(self)], ensure_ascii=False, sort_keys=True, default=str)
        return hashlib.sha256(meaning.encode()).hexdigest()[:16]


_ORDERED = {"identity", "likeness", "reads", "writes", "table", "extra", "natural", "standing"}


def _meaning(value: Any, name: str = "") -> Any:
    if isinstance(value, Place):
        return None
    if hasattr(value, "__dataclass_fields__"):
        said = {field.name: _meaning(getattr(value, field.name), field.name) for field in fields(value)}
        if isinstance(value, Rule) and value.function in FUNCTIONS:
            said["function_version"] = FUNCTIONS[value.function].version
        return {key: part for key, part in said.items() if part not in (None, "", [], False)}
    if isinstance(value, tuple | list):
        parts = [_meaning(part) for part in value]
        return (
            parts
            if name in _ORDERED or not all(isinstance(part, dict) for part in parts)
            else sorted(parts, key=lambda part: json.dumps(part, sort_keys=True, default=str))
        )
    return value

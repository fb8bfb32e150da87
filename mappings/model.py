"""What a mapping is to the engine: one compiled pair of functions per stream, and the words they speak in.

A mapping turns a vendor's record into a :class:`Candidate` (canonical document form, see canonical/values.py) and a canonical document
into the vendor's payload. It is compiled once from YAML (mappings/compiler.py), is immutable, and does no I/O: references and value maps
come in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mappings.errors import Cite
from mappings.holding import Holding

Json = Any
"""A value of canonical document form: text, int, bool, None, list or dict of these."""

Document = dict[str, Json]
Sets = Map[str, Map[str, Document]]
"""Child sets of a canonical record: set name → canonical line id → fields, in the order to show."""

Payload = dict[str, Any]
"""A vendor's record in the stream's declared shape; numbers with a fraction are `Decimal`."""


@dataclass(slots=True)
class Candidate:
    """What one system's record says, in canonical words."""

    fields: Document
    """Only what the record says: an absent key is not said, None is said to be empty. References are canonical ids."""
    sets: dict[str, dict[str, Document]] = field(default_factory=dict)
    """Set name → vendor's line key → fields, in the vendor's order."""
    number: str = ""
    """Business number in that system; also in `fields` where the mapping fills it."""
    identity: list[tuple[str, str]] = field(default_factory=list)
    """Sure keys: (kind, normalised value), e.g. `("uscc", "91310000…")`. A key that is not valid is left out."""
    likeness: list[tuple[str, str]] = field(default_factory=list)
    """Weak keys for doubtful pairs: (kind, normalised value), e.g. `("name", "东方智控")`."""


class Target(NamedTuple):
    """A record in the system to write to, as something that others can point at."""

    key: str
    number: str = ""


class ValueRow(NamedTuple):
    """One row of a value map, valid now."""

    name: str
    vendor_value: str
    canonical_value: str
    company: str = ""
    """Number of our company; empty: every company without a row of its own."""


class Values:
    """The value maps of one system.

    Where two vendor values mean one canonical value, the row that comes first is the one written.
    """

    __slots__ = ("_in", "_merged", "_out")

    def __init__(self, rows: Iterable[ValueRow] = ()) -> None:
        self._in: dict[tuple[str, str], dict[str, str]] = {}
        self._out: dict[tuple[str, str], dict[str, str]] = {}
        self._merged: dict[tuple[str, str, bool], Map[str, str]] = {}
        for row in rows:
            self._in.setdefault((row.name, row.company), {}).setdefault(row.vendor_value, row.canonical_value)
            self._out.setdefault((row.name, row.company), {}).setdefault(row.canonical_value, row.vendor_value)

    def table_in(self, name: str, company: str) -> Map[str, str]:
        """Vendor value → canonical value, as it holds for one company."""
        known = self._merged.get((name, company, True))
        return self._merge(name, company, inward=True) if known is None else known

    def table_out(self, name: str, company: str) -> Map[str, str]:
        """Canonical value → vendor value, as it holds for one company."""
        known = self._merged.get((name, company, False))
        return self._merge(name, company, inward=False) if known is None else known

    def _merge(self, name: str, company: str, *, inward: bool) -> Map[str, str]:
        tables = self._in if inward else self._out
        merged = {**tables.get((name, ""), {}), **tables.get((name, company), {})}
        self._merged[name, company, inward] = merged
        return merged


class SetInfo(NamedTuple):
    """What the engine must know about a mapped child set."""

    path: str
    """Key of the list in the payload; empty when the record itself is one row of the set (a copy per organisation)."""
    key: str
    """Key of the row's identifier inside the row, or of the record when `path` is empty."""
    natural: tuple[str, ...] = ()
    """Canonical fields that tell which row it is whatever the system: rows of two systems that agree on them are one row."""
    holds: Holding | None = None
    """Which rows the stream has room for; None: for all."""


Reader = Callable[[Payload, Map[Cite, str], Values], Candidate]
Writer = Callable[[Document, Sets, Map[tuple[str, str], Target], Values, Map[str, Map[str, str]], str], Payload]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A stream's mapping, compiled. Safe to share between threads."""

    name: str
    """`erp_kingdee/sales_orders`"""
    system_kind: str
    stream: str
    entity: str
    version: str
    """Hash of what the file means; the same for two files that differ only in comments or layout."""
    reads: frozenset[str]
    """Canonical fields it fills; of a set as `lines.quantity`."""
    writes: Map[str, str]
    """Vendor path → canonical field that it carries (`FSaleOrderEntry.FQty` → `lines.quantity`); a constant → empty text."""
    sets: Map[str, SetInfo]
    value_maps: frozenset[str]
    """Names of the value maps it looks into."""
    cited: frozenset[str]
    """Streams it may cite when reading, without `#number`; `=entity` for a canonical number."""
    needed: frozenset[str]
    """Streams (or `=entity`) that it may need links in when writing."""
    _cites: Callable[[Payload], list[Cite]] = field(repr=False)
    _reader: Reader = field(repr=False)
    _writer_for: Callable[[frozenset[str] | None, bool], tuple[Callable[[Document, Sets], list[tuple[str, str]]], Writer]] = field(
        repr=False
    )

    def cites(self, payload: Payload) -> list[Cite]:
        """References to look up before the record can be read; may name one twice."""
        return self._cites(payload)

    def read(self, payload: Payload, refs: Map[Cite, str], values: Values) -> Candidate:
        """The record in canonical words.

        `refs` holds the canonical id of each record that `cites` named and the hub knows.
        Raises: BadField, MissingParent, MissingValue, each with all that is wrong with the record.
        """
        return self._reader(payload, refs, values)

    def needs(self, doc: Document, sets: Sets, *, only: frozenset[str] | None = None, create: bool | None = None) -> list[tuple[str, str]]:
        """Links needed before the document can be written, as (stream, canonical id).

        `=company` as stream asks for the canonical number of that company. `only` and `create` as for `write`.
        """
        return self._writer_for(only, only is None if create is None else create)[0](doc, sets)

    def write(
        self,
        doc: Document,
        sets: Sets,
        targets: Map[tuple[str, str], Target],
        values: Values,
        *,
        lines: Map[str, Map[str, str]] | None = None,
        org: str = "",
        only: frozenset[str] | None = None,
        create: bool | None = None,
    ) -> Payload:
        """The vendor's payload in the stream's declared shape, holding only what `doc` says.

        `doc["number"]` is the business number. `targets` answers `needs`.
        `lines`: set → canonical line id → vendor line key, for lines that are linked.
        `org`: number of the organisation whose copy is written, for sets of which a record is one row.
        `only`: the canonical fields to write; of a set as `lines.quantity`, or `lines` for all of it.
        `create`: whether the record is new, so that constants, defaults and fields that are written once belong to it. By default a
        whole document is new and a selection is not.
        Raises: BadField, MissingParent, MissingValue.
        """
        return self._writer_for(only, only is None if create is None else create)[1](doc, sets, targets, values, lines or {}, org)

"""Streams of connected systems, each with everything that works on it: declaration, mapping, owners, flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from connectors.base import Connector, LineSet, Stream
from ledger.tables import EntityTable
from mappings.model import Mapping
from sync.config import FlowSystem
from sync.errors import BadConfig
from sync.policy import EntityPolicy


class Kind(Protocol):
    """What merging needs to know of a kind of record; every stream of it tells that, and the hub itself where no system has it."""

    @property
    def id(self) -> int:
        """The stream's number in the database."""

    @property
    def entity(self) -> str:
        """Its name."""

    @property
    def policy(self) -> EntityPolicy:
        """Its owners."""

    @property
    def table(self) -> EntityTable:
        """Where it is stored."""


@dataclass(frozen=True, slots=True)
class HubStream:
    """The hub's own stream of a kind of record."""

    id: int
    entity: str
    policy: EntityPolicy
    table: EntityTable


@dataclass(frozen=True)
class StreamState:
    """One stream of one connected system, with everything that works on it."""

    id: int
    system: str
    name: str
    entity: str
    decl: Stream
    mapping: Mapping
    policy: EntityPolicy
    flow: FlowSystem
    connector: Connector
    table: EntityTable
    _written: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def label(self) -> str:
        """`kingdee.sales_orders`, as people and errors name it."""
        return f"{self.system}.{self.name}"

    @cached_property
    def decides(self) -> bool:
        """True when its records can decide a canonical field."""
        return bool(self.mapping.reads & self.policy.decided_by(self.system))

    @cached_property
    def written_fields(self) -> frozenset[str]:
        """Canonical fields that the hub may write into an existing record there, in some company: those it does not decide itself."""
        return frozenset().union(*(self.written_in(policy.company) for policy in self.policy.everywhere))

    def written_in(self, company: str) -> frozenset[str]:
        """The same for records of one company, by its number."""
        known = self._written.get(company)
        if known is None:
            carried = {path for path in self.mapping.writes.values() if path and path not in self.policy.owners_of_sets}
            known = self._written[company] = self.policy.in_company(company).foreign(self.system, carried)
        return known

    @cached_property
    def number_path(self) -> str:
        """Key of the payload that carries the canonical business number; empty where none does."""
        return next((path for path, name in self.mapping.writes.items() if name == "number"), "")

    @cached_property
    def line_marks(self) -> dict[str, LineSet]:
        """By child set: where its lines carry the hub's line keys; only sets whose lines do."""
        declared = {lines.field: lines for lines in self.decl.lines if lines.hub_key}
        return {name: declared[info.path] for name, info in self.mapping.sets.items() if info.path in declared}


def refuse_unfit(policy: EntityPolicy, system: str, decl: Stream, mapping: Mapping) -> None:
    """Refuse owners that a stream cannot follow. Raises: BadConfig."""
    _refuse_untold_times(policy, system, decl)
    _refuse_listed_companies(policy, system, mapping)


def _refuse_untold_times(policy: EntityPolicy, system: str, decl: Stream) -> None:
    """The rule `most_recent` needs a change time per record, of a second or finer, of every system that may decide the field."""
    if decl.modified_resolution_s is not None and decl.modified_resolution_s <= 1:
        return
    wrong = [path for path, rule in policy.rules.items() if rule == "most_recent" and policy.may_decide(system, path)]
    if wrong:
        raise BadConfig(
            f"rule most_recent: {system}.{decl.name} tells no change time per record that can be trusted",
            where=f"flows.{policy.entity}.rules.{wrong[0]}",
            next_step="use rule owner, or take the system out of the field's owners",
        )


def _refuse_listed_companies(policy: EntityPolicy, system: str, mapping: Mapping) -> None:
    """A record that lists the rows of several companies is written whole; it cannot follow each company's owners."""
    listed = [child for child, info in mapping.sets.items() if info.path and child in policy.company_of_rows]
    if policy.by_company and listed:
        raise BadConfig(
            f"{mapping.name} holds the {listed[0]} of all companies in one record, so they have one order of owners",
            where=f"flows.{policy.entity}.owners_by_company",
            next_step=f"take {system} out of this flow, or say it in owners",
        )

"""Who decides each field of an entity, compiled once from hub.yaml. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from canonical.base import EntitySpec, FieldSpec
from canonical.models import entity
from sync.config import HUB, Flow, HubConfig


@dataclass(frozen=True)
class EntityPolicy:
    """The owners of one entity's fields.

    `owners` holds systems in order for every field, set (its membership) and `set.field`. `by_company` holds, by company number, the
    whole policy of a company that has owners of its own; empty where no company has.
    """

    entity: str
    owners: dict[str, tuple[str, ...]]
    rules: dict[str, str] = field(default_factory=dict)
    empty_yields: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    company: str = ""
    """Number of the company whose policy this is; empty for what holds in all others."""
    own: frozenset[str] = frozenset()
    """Fields for which that company has owners of its own."""
    by_company: dict[str, EntityPolicy] = field(default_factory=dict)
    _derived_of: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    _others: dict[tuple[str, str], dict[str, tuple[str, ...]]] = field(default_factory=dict, compare=False, repr=False)

    def first_owner(self, path: str) -> str:
        """The system that decides a field when it holds the record."""
        return self.owners[path][0] if path in self.owners else ""

    def may_decide(self, system: str, path: str) -> bool:
        """True when the system stands anywhere in the field's order, in whatever company."""
        return any(system in policy.owners.get(path, ()) for policy in self.everywhere)

    def in_company(self, number: str) -> EntityPolicy:
        """What holds in one of our companies."""
        return self.by_company.get(number, self)

    def of_record(self, doc: Mapping[str, object], numbers: Mapping[str, str]) -> EntityPolicy:
        """What holds for a record as a whole: that of the company it belongs to. `numbers`: by company id."""
        if not self.by_company or self.company_of_rows:
            return self
        return self.in_company(numbers.get(str(doc.get("company") or ""), ""))

    @cached_property
    def company_of_rows(self) -> frozenset[str]:
        """Child sets whose rows belong to companies, of a record that belongs to none itself."""
        spec = entity(self.entity)
        return frozenset() if "company" in spec.fields else frozenset(child for child, fields in spec.sets.items() if "company" in fields)

    @cached_property
    def everywhere(self) -> tuple[EntityPolicy, ...]:
        """What holds in general, then in each company with owners of its own."""
        return (self, *self.by_company.values())

    def decided_by(self, system: str) -> frozenset[str]:
        """The fields that a system may decide, in whatever company."""
        return frozenset().union(*(policy.fields_of.get(system, frozenset()) for policy in self.everywhere))

    def told_company(self, path: str) -> str:
        """` in company 200` where that company has owners of its own for the field, else nothing."""
        return f" in company {self.company}" if path in self.own else ""

    @cached_property
    def deciding_systems(self) -> frozenset[str]:
        """Systems that decide at least one field, in whatever place."""
        return frozenset(system for owners in self.owners.values() for system in owners)

    @cached_property
    def fields_of(self) -> dict[str, frozenset[str]]:
        """By system: the fields it may decide."""
        return {system: frozenset(path for path, owners in self.owners.items() if system in owners) for system in self.deciding_systems}

    @cached_property
    def owners_of_sets(self) -> frozenset[str]:
        """Names of the child sets."""
        return frozenset(entity(self.entity).sets)

    @cached_property
    def by_time(self) -> bool:
        """True when the most recent value of some field wins."""
        return "most_recent" in self.rules.values()

    def derived_of(self, name: str) -> tuple[str, ...]:
        """Fields of a set's rows that the hub derives."""
        known = self._derived_of.get(name)
        if known is None:
            prefix = f"{name}."
            known = self._derived_of[name] = tuple(path.removeprefix(prefix) for path in sorted(self.derived) if path.startswith(prefix))
        return known

    def set_others(self, name: str, owner: str) -> dict[str, tuple[str, ...]]:
        """Fields of a set's rows that another system than `owner` decides first, with their owners."""
        known = self._others.get((name, owner))
        if known is None:
            prefix = f"{name}."
            known = {
                path.removeprefix(prefix): owners for path, owners in self.owners.items() if path.startswith(prefix) and owners[0] != owner
            }
            self._others[name, owner] = known
        return known

    def foreign(self, system: str, paths: Iterable[str]) -> frozenset[str]:
        """Of these fields, those that the system does not decide itself: what the hub may write into an existing record there."""
        return frozenset(path for path in paths if path and self.first_owner(path) != system and self.rules.get(path) != "most_recent")


def _custom_paths(flow: Flow) -> Iterable[str]:
    return (path for path in flow.owners if path.startswith("custom."))


def compile_policy(config: HubConfig, name: str) -> EntityPolicy:
    """The policy of one entity. A derived field is always the hub's."""
    flow = config.flows[name]
    fields = dict(_described(entity(name)))
    derived = frozenset(path for path, info in fields.items() if info.derived)
    personal = frozenset(path for path, info in fields.items() if info.personal)
    rules: dict[str, str] = dict(flow.rules)
    rest = (rules, frozenset(flow.empty_yields), derived, personal)
    general = _owners(name, flow, derived, {})
    by_company = {}
    for number, said in flow.owners_by_company.items():
        owners = _owners(name, flow, derived, said)
        own = frozenset(path for path, systems in owners.items() if systems != general[path])
        by_company[number] = EntityPolicy(name, owners, *rest, number, own)
    return EntityPolicy(name, general, *rest, by_company=by_company)


def _described(spec: EntitySpec) -> Iterable[tuple[str, FieldSpec]]:
    yield from spec.fields.items()
    for child, fields in spec.sets.items():
        yield from ((f"{child}.{path}", info) for path, info in fields.items())


def _owners(name: str, flow: Flow, derived: frozenset[str], company: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Systems in order for every path. What names a field goes before a default, and what names a company before what does not."""

    def of(path: str, otherwise: Sequence[str]) -> tuple[str, ...]:
        return (HUB,) if path in derived else tuple(company.get(path) or flow.owners.get(path) or otherwise)

    spec = entity(name)
    default = company.get("default") or flow.owners["default"]
    owners = {path: of(path, default) for path in spec.fields}
    for child, fields in spec.sets.items():
        owners[child] = of(child, default)
        owners |= {f"{child}.{path}": of(f"{child}.{path}", owners[child]) for path in fields}
    owners |= {path: of(path, default) for path in _custom_paths(flow)}
    if "company" in spec.fields:
        owners["company"] = tuple(flow.owners.get("company") or flow.owners["default"])  # it tells the company, so no company has its own
    if flow.number_from:
        owners["number"] = (flow.number_from, *(system for system in owners["number"] if system != flow.number_from))
    for path, rule in flow.rules.items():
        if rule == "hub":
            owners[path] = (HUB, *(system for system in owners[path] if system != HUB))
    return owners

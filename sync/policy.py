"""Who decides each field of an entity, compiled once from hub.yaml. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from canonical.models import entity
from sync.config import HUB, Flow, HubConfig


@dataclass(frozen=True)
class EntityPolicy:
    """The owners of one entity's fields.

    `owners` holds systems in order for every field, set (its membership) and `set.field`.
    """

    entity: str
    owners: dict[str, tuple[str, ...]]
    rules: dict[str, str] = field(default_factory=dict)
    empty_yields: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    _derived_of: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    _others: dict[tuple[str, str], dict[str, tuple[str, ...]]] = field(default_factory=dict, compare=False, repr=False)

    def first_owner(self, path: str) -> str:
        """The system that decides a field when it holds the record."""
        return self.owners[path][0] if path in self.owners else ""

    def may_decide(self, system: str, path: str) -> bool:
        """True when the system stands anywhere in the field's order."""
        return system in self.owners.get(path, ())

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
    spec = entity(name)
    default = tuple(flow.owners["default"])
    owners: dict[str, tuple[str, ...]] = {}
    derived, personal = set(), set()
    for path, info in spec.fields.items():
        owners[path] = (HUB,) if info.derived else tuple(flow.owners.get(path, default))
        derived |= {path} if info.derived else set()
        personal |= {path} if info.personal else set()
    for child, fields in spec.sets.items():
        member = tuple(flow.owners.get(child, default))
        owners[child] = member
        for path, info in ((f"{child}.{name}", info) for name, info in fields.items()):
            owners[path] = (HUB,) if info.derived else tuple(flow.owners.get(path, member))
            derived |= {path} if info.derived else set()
            personal |= {path} if info.personal else set()
    for path in _custom_paths(flow):
        owners[path] = tuple(flow.owners[path])
    if flow.number_from:
        owners["number"] = (flow.number_from, *(system for system in owners["number"] if system != flow.number_from))
    for path, rule in flow.rules.items():
        if rule == "hub":
            owners[path] = (HUB, *(system for system in owners[path] if system != HUB))
    return EntityPolicy(name, owners, dict(flow.rules), frozenset(flow.empty_yields), frozenset(derived), frozenset(personal))

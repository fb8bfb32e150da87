"""A mapping where an installation lacks fields that the file writes: nothing is written there, and no link is waited for on their account.

Reading stays as it is: a key that is not there says nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from mappings.rules import MappingRules, Rule, SetRule


def without(rules: MappingRules, absent: Collection[str]) -> MappingRules:
    """The rules, less what they write into `absent` fields; those of rows are named `lines.field`.

    A rule that writes several fields stays while one of them is there: the connector leaves the others out.
    """
    if not absent:
        return rules
    summed = {rule.source.partition(".")[0] for rule in rules.rules}
    return replace(
        rules,
        rules=tuple(_silent(rule, absent) for rule in rules.rules),
        sets=tuple(_set(child, absent) for child in rules.sets if child.path not in absent or child.name in summed),
        constants=tuple((key, value) for key, value in rules.constants if key not in absent),
    )


def _set(child: SetRule, absent: Collection[str]) -> SetRule:
    prefix = f"{child.path}."
    names = {name.removeprefix(prefix) for name in absent if name.startswith(prefix)} if child.path else set(absent)
    return replace(
        child,
        hub_key="" if child.hub_key in names else child.hub_key,
        rules=tuple(_silent(rule, names) for rule in child.rules),
        constants=tuple((key, value) for key, value in child.constants if key not in names),
    )


def _silent(rule: Rule, absent: Collection[str]) -> Rule:
    if not rule.writes or not set(rule.writes) <= set(absent):
        return rule
    return replace(rule, writes=(), direction="read_only")

"""A mapping where an installation lacks fields that the file writes: nothing is written there, and no link is waited for on their account.

Reading stays as it is: a key that is not there says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from mappings.rules import MappingRules, Rule, SetRule


def without(rules: MappingRules, absent: Collection[str]) -> MappingRules:
    """The rules, less what they write into `absent` fields; those of rows are named `lines.field`."""
    if not absent:
        return rules
    summed = {rule.source.partition(".")[0] for rule in rules.rules}
    return replace(
        rules,
        rules=tuple(_less(rules.rules, absent)),
        sets=tuple(_set(child, absent) for child in rules.sets if child.path not in absent or child.name in summed),
        constants=tuple((key, value) for key, value in rules.constants if key not in absent),
    )


def _set(child: SetRule, absent: Collection[str]) -> SetRule:
    own = {*(key for rule in child.rules for key in rule.writes), *(key for key, _ in child.constants), child.hub_key}
    if not child.path:
        gone = own & set(absent)
    elif child.path in absent:  # it is kept for a sum that reads it
        gone = own
    else:
        gone = {key for key in own if f"{child.path}.{key}" in absent}
    return replace(
        child,
        hub_key="" if child.hub_key in gone else child.hub_key,
        rules=tuple(_less(child.rules, gone)),
        constants=tuple((key, value) for key, value in child.constants if key not in gone),
    )


def _less(rules: Sequence[Rule], absent: Collection[str]) -> Iterator[Rule]:
    """The rules with an empty key for each that is gone; one that writes nowhere any more only reads, or goes."""
    for rule in rules:
        writes = tuple("" if key in absent else key for key in rule.writes)
        if not writes or writes[0] or (rule.kind == "function" and any(writes)):
            yield replace(rule, writes=writes)
        elif rule.is_read:
            yield replace(rule, writes=(), direction="read_only")

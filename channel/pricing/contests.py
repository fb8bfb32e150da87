"""Which of the rules that hold is used: modes inside a group, and what holds between groups.

Inside a group: the first exclusive one alone; else the lowest of each `best` alone against all compound and original ones together;
else all of these. `always` stays whatever wins. 10 % and 20 % off 100: compound 72, original 70, best 80.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from channel.pricing.adjustments import Exclusion
from channel.pricing.compiled import Rule

Run = Callable[[Sequence[Rule]], Decimal]
"""The amount after these rules, one after the other."""

Lost = dict[int, tuple[str, str]]
"""Place of a rule -> why it is not used."""


def inside(members: Sequence[Rule], run: Run) -> Lost:
    """Who loses inside a group. `members` hold now, and stand in their order."""
    compete = [rule for rule in members if rule.spec.mode != "always"]
    if len(compete) < 2:
        return {}
    exclusive = [rule for rule in compete if rule.spec.mode == "exclusive"]
    if exclusive:
        return _all_but([exclusive[0]], compete, f"by {exclusive[0].spec.id}, which is exclusive")
    single = [rule for rule in compete if rule.spec.mode == "best"]
    if not single:
        return {}
    chain = [rule for rule in compete if rule.spec.mode in ("compound", "original")]
    options = [[rule] for rule in single] + ([chain] if chain else [])
    winner = min(options, key=lambda option: (run(option), option[0].ranks))
    return _all_but(winner, compete, "by " + " and ".join(rule.spec.id for rule in winner))


def between(exclusion: Exclusion, members: Sequence[Rule], run: Run) -> Lost:
    """Who loses by an exclusion between groups. `members` hold now."""
    groups = exclusion.groups
    touched = [rule for rule in members if rule.group in groups]
    if len(touched) < 2:
        return {}
    why = f"by exclusion {exclusion.id}"
    if exclusion.kind == "excludes":
        first = [rule for rule in touched if rule.group == groups[0]]
        return _marked(_all_but(first, touched, why)) if first else {}
    if exclusion.kind in ("best", "least"):
        keep = _pick(([rule] for rule in touched), run, least=exclusion.kind == "least")
    else:
        parted = ([rule for rule in touched if rule.group == group] for group in groups)
        keep = _pick((part for part in parted if part), run, least=exclusion.kind == "least_group")
    return _marked(_all_but(keep, touched, why))


def _pick(options: Iterable[Sequence[Rule]], run: Run, *, least: bool) -> Sequence[Rule]:
    """The option with the lowest amount (the highest with `least`); among equals the first in order."""
    return min(options, key=lambda option: (-run(option) if least else run(option), option[0].ranks))


def _all_but(keep: Sequence[Rule], members: Sequence[Rule], why: str) -> Lost:
    stay = {rule.at for rule in keep}
    return {rule.at: ("beaten", why) for rule in members if rule.at not in stay}


def _marked(lost: Lost) -> Lost:
    return {at: ("excluded", told) for at, (_, told) in lost.items()}

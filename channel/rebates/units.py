"""Units of facts (单位): quantities of two units are never added up where the programme does not say how many of one the other is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from channel.rebates.errors import BadFacts, Flaw
from channel.rebates.programme import Programme
from channel.rebates.results import Calculation

_BY_QUANTITY: Final = frozenset(("minimum_quantity", "mix_quantity"))


def counts_quantity(programme: Programme) -> bool:
    """True when money depends on quantities."""
    return (
        programme.base.measure == "quantity"
        or any(tier.per_unit is not None for tier in programme.tiers)
        or (programme.mix is not None and programme.mix.tier_on == "quantity")
        or any(gate.kind in _BY_QUANTITY for gate in programme.gates)
        or (programme.pass_through is not None and programme.pass_through.by == "quantity")
    )


def refuse_mixed(calculation: Calculation, programmes: Iterable[Programme], file: str = "") -> None:
    """Raises: BadFacts, with the first line that is in another unit than the lines before it, for each programme without `base.unit`."""
    flaws = []
    for programme in programmes:
        if programme.base.unit is not None or not counts_quantity(programme):
            continue
        counted = [one.fact for one in calculation.decisions[programme.key] if one.counts and one.fact.unit and one.fact.quantity]
        first = min(counted, key=lambda fact: (fact.row, fact.id), default=None)
        other = min((fact for fact in counted if first and fact.unit != first.unit), key=lambda fact: (fact.row, fact.id), default=None)
        if first is not None and other is not None:
            what = f"{other.id}: {other.unit!r}, but {first.id} is in {first.unit!r}, and {programme.key} does not say which it counts in"
            fix = f"add base.unit: {first.unit} and base.units: {{{other.unit}: how many {first.unit} it is}}"
            flaws.append(Flaw("wrong_unit", "unit", what, fix, other.row or None, file))
    if flaws:
        raise BadFacts(flaws)

"""What somebody probably meant who wrote something else into a programme: the words of other products, and parts as a bare value."""

from __future__ import annotations

from typing import Final

WRITTEN: Final = {
    "participants": "write all, or a list: [D1, D2], or {grades: [A]}",
    "calendar": "write {period: year}",
    "valid": "write {from: YYYY-MM-DD, to: YYYY-MM-DD}",
    "cap": "write {amount: 500}",
    "budget": "write {amount: 10000, share: pro_rata}",
    "guarantee": "write {amount: 500}",
    "rounding": "write {places: 2, mode: half_up}",
    "base": "write {event: invoice, measure: amount, tax: exclusive, net_of: [return, credit]}",
    "settlement": "write {ways: [credit_note]}",
    "stacking": "write {order: 1, base: gross}",
    "accrual": "write {by: rate, rate: 2 %}",
    "pass_through": "write {rate: 80 %}",
}
"""How a part is written, where a bare value stands instead."""
ELSEWHERE: Final = {
    "stepped": "marginal", "graduated": "marginal", "progressive": "marginal", "prospective": "marginal", "超额累进": "marginal",
    "tiered": "marginal, or retroactive", "slab": "retroactive, or marginal", "incremental": "marginal, or increment",
    "cumulative": "retroactive", "retrospective": "retroactive", "all_units": "retroactive", "volume": "retroactive",
    "percent": "retroactive", "追溯": "retroactive", "flat": "retroactive with one tier from 0", "lump_sum": "fixed",
    "同比": "growth", "achievement": "target", "达成率": "target", "bankers": "half_even",
    "week": "custom with periods: [{name, from, to}]", "semiannual": "half", "annual": "year", "lifetime": "life",
    "inclusive": "at_least", "exclusive": "above",
}  # fmt: skip
"""What other products, contracts and people call a word of ours."""


def meant(said: str, known: str) -> str:
    """What to write instead of a word that is not known. known: the words there are, each in quotes."""
    instead = ELSEWHERE.get(said.lower().replace("-", "_").replace(" ", "_"), "")
    word = instead.partition(",")[0].partition(" ")[0]
    return f"did you mean {instead}? One of {known}" if word and f"'{word}'" in known else f"one of {known}"

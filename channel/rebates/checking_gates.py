"""What is unclear in a gate: no condition, no outcome, a rate that cannot be, a scale that leaves values out."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Final

from channel.rebates.payment import Gate

MOST_SHARE: Final = Decimal(10)
"""A threshold of a growth or an achievement above 1,000 % was meant as percent."""
SHARES: Final = frozenset(("collection", "overdue_share", "mix_share"))
"""Gates whose value is a part of a whole."""


def flaws_of(gate: Gate) -> Iterator[tuple[str, str, str, str]]:
    """Field, code, what and fix of everything unclear in a gate."""
    if bool(gate.scale) == (gate.at_least is not None or gate.at_most is not None):
        yield "", "no_condition", "a gate needs a condition, or a scale", "write at_least or at_most, or a scale"
    if not gate.scale and gate.otherwise is None:
        yield "", "no_outcome", "it is not said what happens if it is not met", "otherwise: zero, share or hold"
    if (gate.otherwise == "share") != (gate.share is not None):
        yield "share", "no_share", "otherwise: share and a share go together", "give both or neither"
    if (gate.kind == "measure") != (gate.measure is not None):
        yield "measure", "missing", "kind: measure and the measure's name go together", "give both or neither"
    if gate.kind in ("mix_share", "mix_amount", "mix_quantity") and gate.focus.empty:
        yield "focus", "missing", "no line is in focus", "say which products or lines"
    bounds = [("at_least", gate.at_least), ("at_most", gate.at_most), *(("scale", step.from_) for step in gate.scale)]
    for field, value in bounds:
        most = MOST_SHARE if gate.kind == "target" else Decimal(1) if gate.kind in SHARES else None
        if value is not None and most is not None and value > most:
            yield field, "bad_rate", f"a rate of {value * 100:f} %", f"write {value:f} % or a fraction"
        if value is not None and value < 0 and gate.kind != "measure":
            yield field, "bad_value", f"{gate.kind} of {value:f}", "write it from 0 on"
    yield from _scale(gate)


def _scale(gate: Gate) -> Iterator[tuple[str, str, str, str]]:
    """A scale says what is paid for every value there can be."""
    for before, after in pairwise(gate.scale):
        if before.to != after.from_:
            code = "gap" if before.to is not None and after.from_ > before.to else "overlap"
            yield "scale", code, f"{before.to} and {after.from_} do not meet", f"from: {before.to}"
    for step in gate.scale:
        if step.to is not None and step.to <= step.from_:
            yield "scale", "empty_tier", f"{step.from_} to {step.to} is nothing", "to must be above from"
    if gate.scale and gate.scale[0].from_ > 0:
        yield "scale", "gap", f"nothing is said below {gate.scale[0].from_}", f"begin with {{from: 0, to: {gate.scale[0].from_}, share: 0}}"
    if gate.scale and gate.scale[-1].to is not None:
        yield "scale", "open_top", f"nothing is said from {gate.scale[-1].to} on", "leave the last to out, or add one more"

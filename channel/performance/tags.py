"""Risk and growth tags: got and lost by rule, with an out limit beside the in limit, a shortest stay, and evidence; or given by hand.

A figure without a value is neither in nor clean: nobody loses a risk tag because data is missing, and nobody gets one. Nothing owed, due or
shipped is no missing data: 0 of 0 is clean for a risk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final, Literal

from canonical.values import BadValue
from channel.performance.kpis import Kpi, percentile
from channel.performance.ranking import LEAST_PEERS
from channel.performance.scorecard import Condition, TagRule
from channel.rebates.periods import add_months

State = Literal["in", "between", "clean", "unknown"]
MOST_EVIDENCE: Final = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a condition is in: the figure, its limit, and the facts to look at."""

    kpi: Kpi
    limit: Fraction
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tag:
    """A dealer's standing under one rule, to be handed on to the next cut-off."""

    tag: str
    on: bool
    since: date | None = None
    expires: date | None = None
    """Its evidence is too old from this day on, unless it is found again."""
    stayed: int = 0
    """Cut-offs since it came."""
    clean: int = 0
    """Clean cut-offs in a row."""
    streaks: Mapping[str, int] = field(default_factory=dict)
    """For each condition, cut-offs in a row with its in limit passed."""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class ManualTag:
    """A tag that a person gave."""

    dealer: str
    tag: str
    reason: str
    owner: str
    since: date
    expires: date

    def __post_init__(self) -> None:
        """Refuse one that nobody answers for. Raises: BadValue."""
        for name in ("dealer", "tag", "reason", "owner"):
            if not getattr(self, name).strip():
                raise BadValue(f"a tag given by hand needs a {name}")
        if self.expires <= self.since:
            raise BadValue(f"{self.expires} is not after {self.since}: a tag given by hand ends some day")

    def holds(self, on: date) -> bool:
        """True for a day on which it is in force."""
        return self.since <= on < self.expires


def step(rule: TagRule, before: Tag | None, figures: Mapping[str, Kpi], peers: Mapping[str, Sequence[Fraction]], as_of: date) -> Tag:
    """The standing at the next cut-off. peers: the values of each figure in the dealer's group, its own included."""
    past = before or Tag(rule.tag, on=False)
    seen = [(one, condition_name(one), *_state(rule, one, figures[one.kpi], peers.get(one.kpi, ()))) for one in rule.conditions]
    streaks = {name: past.streaks.get(name, 0) + 1 if state == "in" else 0 for _, name, state, _ in seen}
    for _, name, state, _ in seen:
        if state == "unknown":
            streaks[name] = past.streaks.get(name, 0)
    full = [state == "in" and streaks[name] >= one.periods for one, name, state, _ in seen]
    clean = past.clean + 1 if _is_clean(rule, [state for _, _, state, _ in seen]) else 0
    evidence = tuple(
        Evidence(figures[one.kpi], limit, figures[one.kpi].evidence[:MOST_EVIDENCE])
        for one, _, state, limit in seen
        if state == "in" and limit is not None
    )
    entered = any(full) if rule.when == "any" else all(full)
    fresh = add_months(as_of, rule.expires)
    if not past.on:
        if entered:
            return Tag(rule.tag, on=True, since=as_of, expires=fresh, streaks=streaks, evidence=evidence)
        return Tag(rule.tag, on=False, streaks=streaks)
    stayed = past.stayed + 1
    aged = not entered and past.expires is not None and as_of >= past.expires
    if aged or (clean >= rule.clean and stayed >= rule.stay):
        return Tag(rule.tag, on=False, streaks=streaks)
    return Tag(rule.tag, True, past.since, fresh if entered else past.expires, stayed, clean, streaks, evidence or past.evidence)


def _is_clean(rule: TagRule, states: Sequence[State]) -> bool:
    """Of `any` every condition must be clear; a tag that needs all goes when one is clear for good."""
    return all(state == "clean" for state in states) if rule.when == "any" else any(state == "clean" for state in states)


def condition_name(condition: Condition) -> str:
    """What tells a condition from the others of its tag."""
    kind = "below" if condition.below is not None else "above" if condition.above is not None else "above_peer"
    return f"{condition.kpi}:{kind}"


def _state(rule: TagRule, condition: Condition, kpi: Kpi, peers: Sequence[Fraction]) -> tuple[State, Fraction | None]:
    """Where a figure stands, and the in limit."""
    value = kpi.value
    if value is None:
        nothing = kpi.note == "no_denominator" and not kpi.numerator and not kpi.denominator
        return ("clean" if nothing and rule.kind == "risk" else "unknown"), None
    if condition.below is not None:
        limit, clear = Fraction(condition.below), Fraction(condition.clear if condition.clear is not None else condition.below)
        return ("in" if value < limit else "clean" if value >= clear else "between"), limit
    if condition.above is not None:
        limit, clear = Fraction(condition.above), Fraction(condition.clear if condition.clear is not None else condition.above)
        return ("in" if value > limit else "clean" if value <= clear else "between"), limit
    if condition.above_peer is None or len(peers) < LEAST_PEERS:
        return "unknown", None
    high = percentile(peers, Fraction(condition.above_peer))
    low = percentile(peers, Fraction(condition.clear if condition.clear is not None else condition.above_peer))
    if high is None or low is None:
        return "unknown", None
    return ("in" if value > high else "clean" if value <= low else "between"), high

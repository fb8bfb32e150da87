"""What a system should hold: the state of one pair of record and system. Pure, as :mod:`sync.decide`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.decide import Json


@dataclass(frozen=True, slots=True)
class PairFacts:
    """Everything that decides the state of one pair of record and system."""

    mode: str
    exists: bool
    """A live record of this entity is linked there."""
    gone: bool
    """It was linked there, and the system deleted it."""
    may_create: bool
    wanted: bool
    """In scope: company, date, condition."""
    listed: bool
    """The stream's first complete listing is linked."""
    in_case: bool
    differs: Mapping[str, Sequence[Json]]
    """path -> [theirs, ours], after normalising and after what was accepted."""
    edited: bool
    """Some of what differs was changed there since the last reading, and not by us: a non-owner's edit."""
    writable: bool
    """The write class allows it in the record's present state."""
    on_conflict: str = "repair"
    next_step: str | None = None
    """The next step towards the goal, when nothing differs but the document stands too low."""
    settled: bool = False
    """A person said that this difference may stay."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state a pair gets, and why."""

    state: str
    reason: str = ""
    conflict: bool = False


def judge(facts: PairFacts) -> Verdict | None:
    """The state of one pair, or None when there is nothing to hold about it (no record there, and none wanted)."""
    if facts.mode in ("off", "read"):
        return None
    if facts.gone:
        return Verdict("left", "deleted_there")
    if not facts.exists:
        return _judge_missing(facts)
    if not facts.differs:
        if facts.next_step:
            return _or_held(facts, Verdict("due", facts.next_step))
        return Verdict("in_sync")
    conflict = facts.edited
    if facts.settled or (conflict and facts.on_conflict == "leave"):
        return Verdict("left", "conflict_left", conflict)
    if not facts.writable:
        return Verdict("left", "not_writable_there", conflict)
    return _or_held(facts, Verdict("due", "repair" if conflict else "update", conflict))


def _judge_missing(facts: PairFacts) -> Verdict | None:
    if not facts.may_create or not facts.wanted:
        return None
    if not facts.listed:
        return Verdict("held", "first_listing")
    return _or_held(facts, Verdict("due", "create"))


def _or_held(facts: PairFacts, verdict: Verdict) -> Verdict:
    if facts.in_case:
        return Verdict("held", "open_case", verdict.conflict)
    if facts.mode == "plan":
        return Verdict("held", "plan", verdict.conflict)
    return verdict

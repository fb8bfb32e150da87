"""Who is who: which canonical record a new record of a system is. Pure, as :mod:`sync.decide`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """What a new, unlinked record says about its identity."""

    stream_id: int
    key: str
    org: str
    sure: Sequence[tuple[str, str]]
    weak: Sequence[tuple[str, str]] = ()
    hub_key_owner: str | None = None
    """Entity id whose hub key the record carries."""


@dataclass(frozen=True, slots=True)
class Known:
    """A linked record that shares a key with a claim."""

    entity_id: str
    stream_id: int
    key: str
    org: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a record is: an entity it belongs to, or a new one, and whom it might be."""

    entity_id: str | None
    how: str
    doubts: Sequence[tuple[str, str]] = ()
    """(entity id, why) of possible doubles: each becomes a case."""
    alias: bool = False


def identify(
    claim: Claim,
    matches: Mapping[tuple[str, str], Sequence[Known]],
    sure_of: Mapping[str, Mapping[str, set[str]]],
    present: Mapping[str, set[tuple[int, str]]],
) -> Identity:
    """Which entity a new record is.

    Sure keys link only when all that match name one entity, nothing sure disagrees, and the entity has no other record in the same
    stream and organisation; else the record gets an entity of its own and a case for a person. Weak keys never link.

    `matches`: by (kind, value), linked records that carry it. `sure_of`: by entity and kind, its sure values.
    `present`: by entity, the (stream, organisation) it already has a primary record in.
    """
    if claim.hub_key_owner is not None:
        taken = (claim.stream_id, claim.org) in present.get(claim.hub_key_owner, set())
        return Identity(claim.hub_key_owner, "hub_key", alias=taken)
    named: dict[str, str] = {}
    for kind, value in claim.sure:
        for known in matches.get((kind, value), ()):
            named.setdefault(known.entity_id, kind)
    if len(named) == 1:
        entity_id, kind = next(iter(named.items()))
        quarrel = _disagreement(claim, sure_of.get(entity_id, {}))
        if (claim.stream_id, claim.org) in present.get(entity_id, set()):
            return Identity(None, "new", [(entity_id, f"{kind} is the same, and it already has a record here")])
        if quarrel is None:
            return Identity(entity_id, f"sure:{kind}")
        return Identity(None, "new", [(entity_id, f"{kind} is the same but {quarrel} differs")])
    if named:
        return Identity(None, "new", [(entity_id, f"{kind} points here, another sure key elsewhere") for entity_id, kind in named.items()])
    return Identity(None, "new", _weak_doubts(claim, matches, sure_of, present))


def _disagreement(claim: Claim, theirs: Mapping[str, set[str]]) -> str | None:
    for kind, value in claim.sure:
        if theirs.get(kind) and value not in theirs[kind]:
            return kind
    return None


def _weak_doubts(
    claim: Claim,
    matches: Mapping[tuple[str, str], Sequence[Known]],
    sure_of: Mapping[str, Mapping[str, set[str]]],
    present: Mapping[str, set[tuple[int, str]]],
) -> list[tuple[str, str]]:
    doubts: dict[str, str] = {}
    for kind, value in claim.weak:
        for known in matches.get((kind, value), ()):
            if known.entity_id in doubts or (claim.stream_id, claim.org) in present.get(known.entity_id, set()):
                continue
            if _disagreement(claim, sure_of.get(known.entity_id, {})) is not None:
                continue
            doubts[known.entity_id] = f"same {kind}"
    return list(doubts.items())

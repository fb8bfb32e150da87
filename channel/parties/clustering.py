"""From scored pairs to firms: the strongest joins first, and never against a proof.

Plain connected components let one wrong edge join two firms whole. Here clusters grow one join at a time, the best first; a join counts
half by its best pair and half by the mean over all pairs of the two sides (a pair without an edge counts against it), so that one weak
bridge between two sides carries nothing. Two organisation codes, or a branch and its parent, never come together. A record that two
firms claim alike stays apart: that is a question for a person.

>>> cluster([(9.0, 1, 2), (8.0, 2, 3)], {1: "A", 3: "B"}, {}, Rules(0.0))
([[1, 2]], [(8.0, 2, 3)])
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Edge = tuple[float, int, int]
"""Bits, and two records, the lower id first."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Thresholds of joining, in bits."""

    join: float
    missing: float = -4.0
    """What a pair without an edge counts."""
    sure: float = 6.0
    """From here a join needs no look at rivals."""
    lead: float = 1.5
    """Below `sure`, so much better than a rival with another code the join must be."""


@dataclass(slots=True)
class _Side:
    """A cluster that grows."""

    members: list[int]
    org: str | None
    branch: str
    apart: set[int]
    """Records that a person said are others."""
    links: dict[int, tuple[float, int, float]] = field(default_factory=dict)
    """By root of a neighbour: sum of bits, number of pairs, best pair."""


def cluster(
    edges: Sequence[Edge], orgs: Mapping[int, str], branches: Mapping[int, str], rules: Rules, apart: Iterable[tuple[int, int]] = ()
) -> tuple[list[list[int]], list[Edge]]:
    """(clusters of two or more, each ascending; edges at or above `join` that were not used), whatever the order of the edges.

    `orgs`: organisation code where one is valid. `branches`: place of a branch where it is one. `apart`: pairs that are never together.
    """
    kept: dict[int, set[int]] = {}
    for one, other in apart:
        kept.setdefault(one, set()).add(other)
        kept.setdefault(other, set()).add(one)
    ordered = sorted(edges, key=lambda edge: (-edge[0], edge[1], edge[2]))
    clusters: list[list[int]] = []
    refused: list[Edge] = []
    for component in _components(ordered, rules.join - rules.lead):
        made = _Growth(component, orgs, branches, kept, rules).clusters()
        clusters += made
        place = {member: number for number, members in enumerate(made) for member in members}
        refused += [edge for edge in component if edge[0] >= rules.join and place.get(edge[1], -1) != place.get(edge[2], -2)]
    return sorted(clusters), refused


def _components(edges: Sequence[Edge], least: float) -> list[list[Edge]]:
    """Edges that hang together by edges of `least` bits; weaker ones only where both ends are in one component."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while parent.setdefault(node, node) != node:
            parent[node] = node = parent[parent[node]]
        return node

    for bits, one, other in edges:
        if bits >= least:
            left, right = root(one), root(other)
            if left != right:
                parent[max(left, right)] = min(left, right)
    found: dict[int, list[Edge]] = {}
    for edge in edges:
        if edge[1] in parent and edge[2] in parent and root(edge[1]) == root(edge[2]):
            found.setdefault(root(edge[1]), []).append(edge)
    return [found[number] for number in sorted(found)]


class _Growth:
    """Joins within one component."""

    def __init__(
        self, edges: Sequence[Edge], orgs: Mapping[int, str], branches: Mapping[int, str], apart: Mapping[int, set[int]], rules: Rules
    ) -> None:
        self.rules = rules
        self.sides: dict[int, _Side] = {}
        for bits, one, other in edges:
            for node in (one, other):
                if node not in self.sides:
                    self.sides[node] = _Side([node], orgs.get(node), branches.get(node, ""), apart.get(node, set()))
            self.sides[one].links[other] = self.sides[other].links[one] = (bits, 1, bits)
        self.heap = [(-edge[0], edge[1], edge[2]) for edge in edges if edge[0] >= rules.join]
        heapq.heapify(self.heap)

    def clusters(self) -> list[list[int]]:
        """Grow until nothing may join."""
        while self.heap:
            told, one, other = heapq.heappop(self.heap)
            left, right = self.sides.get(one), self.sides.get(other)
            if left is None or right is None or other not in left.links or not _allowed(left, right):
                continue
            bits = self._bits(left, right, other)
            if abs(bits + told) > 1e-9:  # it has grown since; a newer entry may stand elsewhere
                if bits >= self.rules.join:
                    heapq.heappush(self.heap, (-bits, one, other))
                continue
            if bits < self.rules.sure and (self._contested(left, other, bits) or self._contested(right, one, bits)):
                continue
            self._join(one, other)
        return [sorted(side.members) for side in self.sides.values() if len(side.members) > 1]

    def _bits(self, left: _Side, right: _Side, other: int) -> float:
        total, pairs, best = left.links[other]
        whole = len(left.members) * len(right.members)
        return 0.5 * best + 0.5 * (total + (whole - pairs) * self.rules.missing) / whole

    def _contested(self, side: _Side, chosen: int, bits: float) -> bool:
        """Whether a firm with another code claims the same record nearly as much."""
        org = self.sides[chosen].org
        if org is None:
            return False
        for number in side.links:
            rival = self.sides[number]
            if (
                number != chosen
                and rival.org not in (None, org)
                and _allowed(side, rival)
                and self._bits(side, rival, number) >= bits - self.rules.lead
            ):
                return True
        return False

    def _join(self, keep: int, drop: int) -> None:
        """The lower number stays, so that nothing depends on the order of input."""
        if drop < keep:
            keep, drop = drop, keep
        kept, gone = self.sides[keep], self.sides.pop(drop)
        kept.members += gone.members
        kept.org = kept.org or gone.org
        kept.apart = kept.apart | gone.apart if gone.apart else kept.apart
        del kept.links[drop]
        for number, link in gone.links.items():
            if number == keep:
                continue
            neighbour = self.sides[number]
            del neighbour.links[drop]
            before = kept.links.get(number)
            whole = link if before is None else (before[0] + link[0], before[1] + link[1], max(before[2], link[2]))
            kept.links[number] = neighbour.links[keep] = whole
        for number in kept.links:
            side = self.sides[number]
            if _allowed(kept, side):
                bits = self._bits(kept, side, number)
                if bits >= self.rules.join:
                    heapq.heappush(self.heap, (-bits, min(keep, number), max(keep, number)))


def _allowed(left: _Side, right: _Side) -> bool:
    if left.org and right.org and left.org != right.org:
        return False
    if left.branch != right.branch:
        return False
    return not (left.apart and not left.apart.isdisjoint(right.members)) and not (right.apart and not right.apart.isdisjoint(left.members))

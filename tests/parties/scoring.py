"""How good clusters are, pair by pair."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Score:
    """Pairwise, 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def _pairs(labels: Iterable[Hashable]) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(labels).values())


def score(truth: Mapping[str, Hashable], found: Mapping[str, Hashable]) -> Score:
    """Of all pairs of records: how many that were put together belong together, and how many that belong together were."""
    both = _pairs((truth[rid], found[rid]) for rid in truth)
    return Score(both / max(_pairs(found.values()), 1), both / max(_pairs(truth.values()), 1))


def read_clusters(path: Path) -> dict[str, str]:
    """Rid -> cluster, of the file that `hub deals resolve` writes."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["rid"]: row["cluster"] for row in csv.DictReader(file)}

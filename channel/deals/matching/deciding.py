"""Is this claim a customer we know? Additive log-odds per feature, firms weighed against each other, thresholds, reasons.

Each candidate gets a sum of weights (log-odds against "a stranger"). Firms compete: the probability of firm i is
exp(s_i) / (1 + sum of exp(s_j) over the firms met), so a brand alone that five firms share is certain for none of them, yet the claim
is surely about one: review. Rules come first: one valid credit code in both is the same firm, two valid codes are two firms.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from rapidfuzz.distance import Levenshtein

from channel.deals.matching.comparing import Levels, code_level, compare
from channel.deals.matching.explaining import sentence
from channel.deals.matching.keys import CANDIDATES, PHONE, key
from channel.deals.matching.prepared import VERSION, Prepared

Verdict = Literal["duplicate", "review", "new"]
Hot = Mapping[int, int]
"""How many customers share a key, for keys that more than CAP share."""
Frequencies = Hot

SCORED = 24
"""Candidates that are compared feature by feature; a cheap comparison picks them."""


@dataclass(frozen=True, slots=True)
class Known:
    """A customer that the look-up found."""

    rid: str | int
    prepared: Prepared
    direct: bool = False
    """Whether the manufacturer serves it itself."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a probability becomes a verdict, and what policy says of branches and wrong codes."""

    duplicate: float = 0.9
    review: float = 0.1
    duplicate_name_only: float = 0.9
    """For claims that give nothing but a name."""
    branch: Verdict = "review"
    """A branch whose parent is known, or the reverse."""
    wrong_code: Verdict = "review"
    """A claim whose credit code fails its check and that would otherwise be new."""


DEFAULT = Thresholds()


@dataclass(frozen=True, slots=True)
class Reason:
    """One feature's part in the decision."""

    feature: str
    value: str
    weight: float
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict and everything that led to it."""

    verdict: Verdict
    p: float
    """Probability that the claim is about `rid`'s firm; for `new`, of the nearest."""
    rid: str | int | None
    relation: str
    """same, branch_of, parent_of, sibling_branch, or "" where none was met."""
    direct: bool
    reasons: tuple[Reason, ...]
    candidates: tuple[tuple[str | int, float], ...]
    any: float = 0.0
    """Probability that the claim is about any of the firms met."""
    version: str = VERSION
    thresholds: Thresholds = field(default_factory=Thresholds)

    def as_record(self) -> dict[str, Any]:
        """The decision as JSON values; :func:`replay` reads it."""
        return {
            "verdict": self.verdict,
            "p": self.p,
            "any": self.any,
            "rid": self.rid,
            "relation": self.relation,
            "direct": self.direct,
            "version": self.version,
            "reasons": [
                {"feature": one.feature, "value": one.value, "weight": one.weight, "zh": one.zh, "en": one.en} for one in self.reasons
            ],
            "candidates": [[rid, p] for rid, p in self.candidates],
            "thresholds": {name: getattr(self.thresholds, name) for name in Thresholds.__slots__},
        }


@cache
def weights() -> dict[str, dict[str, float]]:
    """The fitted weights: feature, level, log-odds."""
    return dict(json.loads(files(__package__).joinpath("data").joinpath("weights.json").read_text("utf-8"))["weights"])


def score(levels: Levels) -> float:
    """The sum of the weights of these levels."""
    table = weights()
    total = table["base"]["all"]
    for feature, level in levels.items():
        total += table[feature].get(level, 0.0)
    return total


def decide(
    prepared: Prepared, candidates: Sequence[Known], frequency: Frequencies | None = None, thresholds: Thresholds = DEFAULT
) -> Decision:
    """The verdict on a claim, given the customers that share match keys with it. The order of `candidates` does not matter."""
    shared = _shared_phones(prepared, candidates, frequency or {})
    near = _nearest(prepared, candidates)
    scored = [(known, *_judge(prepared, known, shared)) for known in near]
    firms = _firms(scored)
    total = 1.0 + math.fsum(math.exp(min(one[1], 30.0)) for one in firms.values())
    ranked = sorted(scored, key=lambda one: (-one[1], str(one[0].rid)))
    listed = tuple((known.rid, round(math.exp(min(points, 30.0)) / total, 6)) for known, points, _ in ranked)
    far = {known.rid for known in near}
    rest = tuple(
        (known.rid, 0.0)
        for known in sorted(candidates, key=lambda one: (-_quick(prepared, one.prepared), str(one.rid)))
        if known.rid not in far
    )
    listed = (*listed, *rest)[:CANDIDATES]
    return _verdict(prepared, ranked, listed, 1.0 - 1.0 / total, thresholds)


def _shared_phones(asked: Prepared, candidates: Sequence[Known], hot: Hot) -> dict[str, int]:
    shared: dict[str, int] = {}
    for phone in asked.phones:
        firms = {
            (one.prepared.names[0].sound[:2] if one.prepared.names else one.prepared.code)
            for one in candidates
            if phone in one.prepared.phones
        }
        shared[phone] = max(len(firms), hot.get(key(PHONE, phone), 0))
    return shared


def _nearest(asked: Prepared, candidates: Sequence[Known]) -> list[Known]:
    if len(candidates) <= SCORED:
        return list(candidates)
    return sorted(candidates, key=lambda one: (-_quick(asked, one.prepared), str(one.rid)))[:SCORED]


def _quick(asked: Prepared, known: Prepared) -> float:
    """A cheap likeness for choosing whom to compare in full."""
    points = 0.0
    if asked.names and known.names:
        one = asked.names[0].sound
        points = max(_alike(one, other.sound) for other in known.names)
        if len(asked.names) > 1:
            points = max(points, *(_alike(alias.sound, other.sound) for alias in asked.names[1:] for other in known.names))
        if asked.names[0].region and asked.names[0].region[:4] == known.names[0].region[:4]:
            points += 0.15
    if asked.code and known.code:
        points += 2.0 if asked.code == known.code else 1.0 if known.code in asked.mended or asked.code[8:17] == known.code[8:17] else 0.0
    if asked.phones and not set(asked.phones).isdisjoint(known.phones):
        points += 0.5
    if asked.contact and asked.contact == known.contact:
        points += 0.25
    if asked.city and asked.city == known.city:
        points += 0.1
    if asked.street and asked.street == known.street:
        points += 0.25
    return points


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.2
    size = min(len(one), len(other))
    return max(Levenshtein.normalized_similarity(one, other), 0.9 * Levenshtein.normalized_similarity(one[:size], other[:size]))


def _judge(asked: Prepared, known: Known, shared: dict[str, int]) -> tuple[float, Levels]:
    levels = compare(asked, known.prepared, shared)
    if levels["code"] == "same":
        return 30.0, levels
    if levels["code"] == "differ" and levels["branch"] in {"none", "same"}:
        return -30.0, levels
    return score(levels), levels


def _firms(scored: list[tuple[Known, float, Levels]]) -> dict[str, tuple[Known, float]]:
    """One entry per firm: rows of several systems that are plainly one firm do not compete with each other."""
    firms: dict[str, tuple[Known, float]] = {}
    by_name: dict[str, str] = {}
    for known, points, _ in sorted(scored, key=lambda one: (not one[0].prepared.code_valid, str(one[0].rid))):
        name = known.prepared.names[0] if known.prepared.names else None
        said = f"{name.sound}/{name.region[:4] or known.prepared.city[:4]}/{name.branch}" if name else f"#{known.rid}"
        firm = known.prepared.code if known.prepared.code_valid else by_name.get(said, said)
        by_name.setdefault(said, firm)
        if firm not in firms or firms[firm][1] < points:
            firms[firm] = (known, points)
    return firms


def _verdict(
    asked: Prepared,
    ranked: list[tuple[Known, float, Levels]],
    listed: tuple[tuple[str | int, float], ...],
    total: float,
    thresholds: Thresholds,
) -> Decision:
    if not ranked:
        verdict: Verdict = _unmet(asked, thresholds)
        return Decision(verdict, 0.0, None, "", False, _problems(asked), (), 0.0, VERSION, thresholds)
    known, _, levels = ranked[0]
    p = listed[0][1]
    limit = thresholds.duplicate if asked.code or asked.phones or asked.contact or asked.street else thresholds.duplicate_name_only
    verdict = "duplicate" if p >= limit else "review" if total >= thresholds.review else "new"
    relation = "same" if verdict != "new" else ""
    if verdict != "new" and levels["branch"] in {"of", "sibling"}:
        relation = _relation(asked, levels)
        verdict = thresholds.branch if code_level(asked, known.prepared) != "same" else verdict
    if verdict == "new":
        verdict = _unmet(asked, thresholds)
    reasons = (*_reasons(levels), *_problems(asked))
    rid = known.rid if verdict != "new" else None
    return Decision(verdict, p, rid, relation, known.direct and rid is not None, reasons, listed, round(total, 6), VERSION, thresholds)


def _unmet(asked: Prepared, thresholds: Thresholds) -> Verdict:
    if "nothing" in asked.problems:
        return "review"  # nothing to go by: a person must ask
    return thresholds.wrong_code if asked.code and not asked.code_valid else "new"


def _relation(asked: Prepared, levels: Levels) -> str:
    if levels["branch"] == "sibling":
        return "sibling_branch"
    return "branch_of" if asked.names and asked.names[0].branch else "parent_of"


def _reasons(levels: Levels) -> tuple[Reason, ...]:
    table = weights()
    return tuple(
        Reason(feature, level, round(table[feature].get(level, 0.0), 4), *sentence(feature, level)) for feature, level in levels.items()
    )


def _problems(asked: Prepared) -> tuple[Reason, ...]:
    return tuple(Reason("problem", one, 0.0, *sentence("problem", one)) for one in asked.problems)

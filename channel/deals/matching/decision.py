"""What a decision is made of, and how a verdict follows from it: the same steps the first time and when it is replayed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from msgspec import Struct

from channel.deals.matching.explaining import sentence
from channel.deals.matching.prepared import VERSION

Verdict = Literal["duplicate", "review", "new"]
Rid = str | int

SURE = 30.0
"""Points of a rule that decides alone: one valid credit code in both."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a probability becomes a verdict, and what policy says of branches and wrong codes."""

    duplicate: float = 0.85
    """A firm as probable as this blocks."""
    review: float = 0.45
    """If any firm met is meant with this probability, a person looks."""
    duplicate_name_only: float = 0.95
    """`duplicate` for claims that give nothing but a name, or a name and a city."""
    review_name_only: float = 0.1
    """`review` for such claims."""
    branch: Verdict = "review"
    """For a branch whose parent is known, or the reverse, or two branches of one firm. They are never merged, whatever this says."""
    wrong_code: Verdict = "review"
    """For a claim whose credit code fails its check and that would otherwise be new."""


DEFAULT = Thresholds()


class Reason(Struct, frozen=True, gc=False):
    """One feature's part in the decision: what was found, its log-odds, and a sentence in either language."""

    feature: str
    value: str
    weight: float
    zh: str
    en: str


class Score(Struct, frozen=True, gc=False):
    """A candidate's points (log-odds), and which firm it is a row of."""

    rid: Rid
    points: float
    firm: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict follows from, besides the thresholds."""

    scores: tuple[Score, ...]
    """Best first."""
    relation: str = ""
    """Of the claim to the best: same, branch_of, parent_of, sibling_branch; "" without candidates."""
    same_code: bool = False
    direct: bool = False
    """Whether the best is served by the manufacturer itself."""
    name_only: bool = False
    caution: str = ""
    """Why the best is not blocked whatever its probability: no_name, other_name, no_trade, other_trade, other_place; "" for none."""
    wrong_code: bool = False
    nothing: bool = False
    """Whether the claim has nothing to compare."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict and everything that led to it."""

    verdict: Verdict
    p: float
    """Probability that the claim is about the firm of the best candidate."""
    any: float
    """Probability that the claim is about any of the firms met."""
    rid: Rid | None
    """The customer met; None if the verdict is new, or nothing was met."""
    relation: str
    direct: bool
    reasons: tuple[Reason, ...]
    candidates: tuple[tuple[Rid, float], ...]
    """Customers and their probabilities, best first, at most fifty."""
    evidence: Evidence
    thresholds: Thresholds = DEFAULT
    version: str = VERSION

    def as_record(self) -> dict[str, Any]:
        """The decision as JSON values; :func:`replay` reads it. Reasons stand there without their sentences, which follow from them."""
        evidence = {name: getattr(self.evidence, name) for name in Evidence.__slots__ if name != "scores"}
        return {
            "version": self.version,
            "verdict": self.verdict,
            "p": self.p,
            "any": self.any,
            "rid": self.rid,
            "relation": self.relation,
            "direct": self.direct,
            "reasons": [{"feature": one.feature, "value": one.value, "weight": one.weight} for one in self.reasons],
            "candidates": [list(one) for one in self.candidates],
            "evidence": {**evidence, "scores": [[one.rid, one.points, one.firm] for one in self.evidence.scores]},
            "thresholds": {name: getattr(self.thresholds, name) for name in Thresholds.__slots__},
        }


def conclude(
    evidence: Evidence, reasons: tuple[Reason, ...], rest: tuple[Rid, ...], thresholds: Thresholds, version: str = VERSION
) -> Decision:
    """The decision that follows. `rest`: candidates that were not scored, best first."""
    best: dict[str, float] = {}
    for one in evidence.scores:
        best[one.firm] = max(best.get(one.firm, -math.inf), one.points)
    total = 1.0 + math.fsum(math.exp(points) for points in sorted(best.values()))
    shares = [(one.rid, round(math.exp(one.points) / total, 6)) for one in evidence.scores]
    p, anyone = (shares[0][1] if shares else 0.0), round(1.0 - 1.0 / total, 6)
    verdict = _verdict(evidence, p, anyone, thresholds)
    met = verdict != "new" and bool(shares) and anyone >= min(thresholds.review, thresholds.review_name_only)
    return Decision(
        verdict=verdict,
        p=p,
        any=anyone,
        rid=shares[0][0] if met else None,
        relation=evidence.relation if met else "",
        direct=evidence.direct and met,
        reasons=reasons,
        candidates=(*shares, *((rid, 0.0) for rid in rest)),
        evidence=evidence,
        thresholds=thresholds,
        version=version,
    )


def _verdict(evidence: Evidence, p: float, anyone: float, thresholds: Thresholds) -> Verdict:
    block, look = (
        (thresholds.duplicate_name_only, thresholds.review_name_only) if evidence.name_only else (thresholds.duplicate, thresholds.review)
    )
    if evidence.scores and anyone >= look:
        if evidence.relation != "same" and not evidence.same_code:
            return thresholds.branch
        return "duplicate" if p >= block and not evidence.caution else "review"
    if evidence.nothing:
        return "review"  # nothing to go by: a person must ask
    return thresholds.wrong_code if evidence.wrong_code else "new"


def replay(record: Mapping[str, Any]) -> Decision:
    """The decision of a record, concluded anew from its evidence and thresholds; nothing else is consulted.

    Raises: KeyError or TypeError if this is no record of :meth:`Decision.as_record`.
    """
    kept = dict(record["evidence"])
    scores = tuple(Score(rid, float(points), firm) for rid, points, firm in kept.pop("scores"))
    scored = {one.rid for one in scores}
    return conclude(
        Evidence(scores=scores, **kept),
        tuple(Reason(one["feature"], one["value"], one["weight"], *sentence(one["feature"], one["value"])) for one in record["reasons"]),
        tuple(rid for rid, _ in record["candidates"] if rid not in scored),
        Thresholds(**record["thresholds"]),
        cast("str", record["version"]),
    )


def reason(feature: str, level: str, weight: float) -> Reason:
    """A reason with its sentences."""
    return Reason(feature, level, round(weight, 4), *sentence(feature, level))

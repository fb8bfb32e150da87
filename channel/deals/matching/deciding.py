"""Is this claim a customer we know? Additive log-odds per feature, firms weighed against each other, thresholds, reasons.

Each candidate gets a sum of weights (log-odds against "a stranger"). Firms compete: the probability of firm i is
exp(s_i) / (1 + sum of exp(s_j) over the firms met), so a brand alone that five firms share is certain for none of them, yet the claim
is surely about one: review. Rules come first: one valid credit code in both is the same firm, two valid codes are two firms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rapidfuzz.distance import Levenshtein

from channel.deals.matching.comparing import Levels, compare
from channel.deals.matching.decision import DEFAULT, SURE, Decision, Evidence, Reason, Rid, Score, Thresholds, conclude, reason
from channel.deals.matching.keys import CANDIDATES, PHONE, key
from channel.deals.matching.prepared import Prepared

Hot = Mapping[int, int]
"""How many customers share a key, for keys that more than CAP share."""
Frequencies = Hot

SCORED = 20
"""Candidates that are compared feature by feature; a cheap comparison picks them."""


@dataclass(frozen=True, slots=True)
class Known:
    """A customer that the look-up found."""

    rid: Rid
    prepared: Prepared
    direct: bool = False
    """Whether the manufacturer serves it itself."""


Scored = tuple[Known, float, Levels]


@cache
def weights() -> dict[str, dict[str, float]]:
    """The fitted weights: feature, level, log-odds."""
    return dict(json.loads(files(__package__).joinpath("data").joinpath("weights.json").read_text("utf-8"))["weights"])


def decide(
    prepared: Prepared, candidates: Sequence[Known], frequency: Frequencies | None = None, thresholds: Thresholds = DEFAULT
) -> Decision:
    """The verdict on a claim, given the customers that share match keys with it.

    The order of `candidates` does not matter. `frequency`: how many customers share a key, for keys above CAP; it makes a phone of many
    firms say less. Two customers may be rows of one firm from two systems; they do not compete.
    """
    shared = shared_phones(prepared, candidates, frequency or {})
    near, rest = nearest(prepared, candidates)
    scored = [_judge(prepared, known, shared) for known in near]
    ranked = sorted(scored, key=lambda one: (-one[1], str(one[0].rid)))
    firms = _firms(ranked)
    evidence = _evidence(prepared, ranked, firms)
    return conclude(evidence, _reasons(prepared, ranked), tuple(known.rid for known in rest)[: CANDIDATES - len(near)], thresholds)


def shared_phones(asked: Prepared, candidates: Sequence[Known], hot: Hot) -> dict[str, int]:
    """By how many firms each phone of the claim is used: among the candidates, or as the look-up counted."""
    shared: dict[str, int] = {}
    for phone in asked.phones:
        having = [one.prepared for one in candidates if phone in one.prepared.phones]
        firms = {one.names[0].sound[:2] if one.names else one.code for one in having}
        shared[phone] = max(len(firms), hot.get(key(PHONE, phone), 0))
    return shared


def nearest(asked: Prepared, candidates: Sequence[Known]) -> tuple[list[Known], list[Known]]:
    """The candidates worth a full comparison, and the others, best first."""
    ordered = sorted(candidates, key=lambda one: (-_quick(asked, one.prepared), str(one.rid)))
    return ordered[:SCORED], ordered[SCORED:]


def _quick(asked: Prepared, known: Prepared) -> float:
    """A cheap likeness for choosing whom to compare in full."""
    points = 0.0
    if asked.names and known.names:
        points = max(_alike(one.sound, other.sound) for one in asked.names for other in known.names)
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


def _judge(asked: Prepared, known: Known, shared: dict[str, int]) -> Scored:
    levels = compare(asked, known.prepared, shared)
    if levels["code"] == "same":
        return known, SURE, levels
    if levels["code"] == "differ" and levels["branch"] in {"none", "same"}:
        return known, -SURE, levels
    table = weights()
    points = table["base"]["all"] + sum(table[feature].get(level, 0.0) for feature, level in levels.items())
    return known, round(min(max(points, -SURE), SURE), 6), levels


def _firms(ranked: list[Scored]) -> dict[Rid, str]:
    """Which firm each candidate is a row of: by valid code, else by name and place; rows of one firm do not compete."""
    by_name: dict[str, str] = {}
    firms: dict[Rid, str] = {}
    for known, _, _ in sorted(ranked, key=lambda one: (not one[0].prepared.code_valid, str(one[0].rid))):
        one = known.prepared
        name = one.names[0] if one.names else None
        said = f"{name.sound}/{name.region[:4] or one.city[:4]}/{name.branch}" if name else f"#{known.rid}"
        firms[known.rid] = one.code if one.code_valid else by_name.get(said, said)
        by_name.setdefault(said, firms[known.rid])
    return firms


def _evidence(asked: Prepared, ranked: list[Scored], firms: dict[Rid, str]) -> Evidence:
    best = ranked[0] if ranked else None
    labels = {firm: str(place) for place, firm in enumerate(dict.fromkeys(firms[known.rid] for known, _, _ in ranked))}
    return Evidence(
        scores=tuple(Score(known.rid, points, labels[firms[known.rid]]) for known, points, _ in ranked),
        relation=_relation(asked, best[2]) if best else "",
        same_code=best is not None and best[2]["code"] == "same",
        direct=bool(best and best[0].direct),
        name_only=not (asked.code or asked.phones or asked.contact or asked.street),
        caution=_caution(best[2]) if best else "",
        wrong_code=bool(asked.code) and not asked.code_valid,
        nothing="nothing" in asked.problems,
    )


def _caution(levels: Levels) -> str:
    """Why only a person should say that these are one firm: sisters of one brand differ in place or trade."""
    if levels["brand"] in {"missing", "far", "edit2"} and levels["code"] != "same":
        return "no_name" if levels["brand"] == "missing" else "other_name"
    if levels["code"] in {"same", "same_wrong", "typo", "organisation"} or levels["address"] == "same":
        return ""
    if levels["trade"] in {"differ", "overlap"}:
        return "other_trade"
    elsewhere = {"differ", "province"}
    if levels["region"] in elsewhere or (levels["region"] in {"missing", "both_missing"} and levels["city"] in elsewhere):
        return "other_place"
    if levels["brand"] == levels["region"] == levels["form"] == "same" and levels["trade"] == "both_none":
        return ""  # one registered name in one place, letter for letter: no registry gives it twice
    agrees = (
        levels["phone"] in {"same", "same_2", "typo", "tail"} or levels["contact"] in {"same", "sound"} or levels["address"] == "number"
    )
    return "" if agrees or levels["trade"] in {"same", "sound", "near", "short"} else "no_trade"


def _relation(asked: Prepared, levels: Levels) -> str:
    match levels["branch"]:
        case "of":
            return "branch_of" if asked.names and asked.names[0].branch else "parent_of"
        case "sibling":
            return "sibling_branch"
    return "same"


def _reasons(asked: Prepared, ranked: list[Scored]) -> tuple[Reason, ...]:
    problems = tuple(reason("problem", one, 0.0) for one in asked.problems)
    if not ranked:
        return problems
    table, levels = weights(), ranked[0][2]
    caution = _caution(levels)
    return (
        *(reason(feature, level, table[feature].get(level, 0.0)) for feature, level in levels.items()),
        reason("base", "all", table["base"]["all"]),
        *((reason("caution", caution, 0.0),) if caution else ()),
        *problems,
    )

"""Is this claim a customer we know? Additive log-odds per feature, firms weighed against each other, thresholds, reasons.

Each candidate gets a sum of weights (log-odds against "a stranger"). Firms compete: the probability of firm i is
exp(s_i) / (1 + sum of exp(s_j) over the firms met), so a brand alone that five firms share is certain for none of them, yet the claim
is surely about one: review. Rules come first: one valid credit code in both is the same firm, two valid codes are two firms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from msgspec import Struct
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import extract

from channel.deals.matching.comparing import Levels, compare, two_firms
from channel.deals.matching.decision import DEFAULT, SURE, Decision, Evidence, Reason, Rid, Score, Thresholds, conclude, reason
from channel.deals.matching.keys import PHONE, key
from channel.deals.matching.prepared import Prepared

Hot = Mapping[int, int]
"""How many customers share a key, for keys that more than CAP share."""
Frequencies = Hot

SCORED = 12
"""Candidates that are compared feature by feature; a cheap comparison picks them. Twenty found 0.02 % more and cost 1.4 times as much."""


class Known(Struct, frozen=True, gc=False):
    """A customer that the look-up found."""

    rid: Rid
    prepared: Prepared
    direct: bool = False
    """Whether the manufacturer serves it itself."""


Scored = tuple[Known, float, Levels | None]
"""Levels are None where two valid codes told the firms apart before anything was compared."""


@cache
def weights() -> dict[str, dict[str, float]]:
    """The fitted weights: feature, level, log-odds."""
    return dict(json.loads(files(__package__).joinpath("data").joinpath("weights.json").read_text("utf-8"))["weights"])


class _Flat(dict[tuple[str, str], float]):
    """A level without a weight says nothing."""

    def __missing__(self, _: tuple[str, str]) -> float:
        return 0.0


@cache
def _flat_weights() -> Mapping[tuple[str, str], float]:
    return _Flat({(feature, level): weight for feature, levels in weights().items() for level, weight in levels.items()})


def decide(
    prepared: Prepared, candidates: Sequence[Known], frequency: Frequencies | None = None, thresholds: Thresholds = DEFAULT
) -> Decision:
    """The verdict on a claim, given the customers that share match keys with it.

    At most WEIGHED `candidates`; their order does not matter. `frequency`: how many customers share a key, for keys above CAP; it makes a
    phone of many firms say less. Two customers may be rows of one firm from two systems; they do not compete.
    """
    shared = shared_phones(prepared, candidates, frequency or {})
    near, rest = nearest(prepared, candidates)
    table = _flat_weights()
    ranked = sorted([_judge(prepared, known, shared, table) for known in near], key=lambda one: (-one[1], str(one[0].rid)))
    levels = (ranked[0][2] or compare(prepared, ranked[0][0].prepared, shared)) if ranked else None
    evidence = _evidence(prepared, ranked, _firms(ranked), levels)
    return conclude(evidence, _reasons(prepared, levels), tuple(known.rid for known in rest), thresholds)


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
    points = _quick(asked, candidates)
    ordered = sorted((-likeness, str(one.rid), place) for place, (likeness, one) in enumerate(zip(points, candidates, strict=True)))
    best = [candidates[place] for _, _, place in ordered]
    return best[:SCORED], best[SCORED:]


def _quick(asked: Prepared, candidates: Sequence[Known]) -> list[float]:
    """A cheap likeness of each, for choosing whom to compare in full. Fifty at a time: what is asked is taken apart once."""
    sounds = [name.sound for name in asked.names]
    region = asked.names[0].region[:4] if asked.names else ""
    code, organisation, mended = asked.code, asked.code[8:17], asked.mended
    phones, contact, city, street = frozenset(asked.phones), asked.contact, asked.city, asked.street
    found = []
    for one, likeness in zip(candidates, _alike(sounds, candidates), strict=True):
        known, points = one.prepared, likeness
        if region and known.names and region == known.names[0].region[:4]:
            points += 0.15
        if code and known.code:
            points += 2.0 if code == known.code else 1.0 if known.code in mended or organisation == known.code[8:17] else 0.0
        if phones and not phones.isdisjoint(known.phones):
            points += 0.5
        if contact and contact == known.contact:
            points += 0.25
        if city and city == known.city:
            points += 0.1
        if street and street == known.street:
            points += 0.25
        found.append(points)
    return found


def _alike(sounds: Sequence[str], candidates: Sequence[Known]) -> list[float]:
    """How alike the names of each sound at best: as a whole, or (for a little less) where the shorter one ends."""
    best = [0.0] * len(candidates)
    others = [(place, name.sound) for place, one in enumerate(candidates) for name in one.prepared.names]
    heard = [sound for _, sound in others]
    for sound in sounds:
        size = len(sound)
        for other, whole, number in extract(sound, heard, scorer=Levenshtein.normalized_similarity, processor=None, limit=None):
            likeness: float = whole
            if other == sound:
                likeness = 1.2
            elif (length := len(other)) != size:
                end = min(length, size)
                likeness = max(whole, 0.9 * Levenshtein.normalized_similarity(sound[:end], other[:end]))
            place = others[number][0]
            best[place] = max(best[place], likeness)
    return best


def _judge(asked: Prepared, known: Known, shared: dict[str, int], table: Mapping[tuple[str, str], float]) -> Scored:
    if two_firms(asked, known.prepared):
        return known, -SURE, None
    levels = compare(asked, known.prepared, shared)
    if levels["code"] == "same":
        return known, SURE, levels
    if levels["code"] == "differ" and levels["branch"] in {"none", "same"}:
        return known, -SURE, levels
    points = table["base", "all"] + sum(map(table.__getitem__, levels.items()))
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


def _evidence(asked: Prepared, ranked: list[Scored], firms: dict[Rid, str], levels: Levels | None) -> Evidence:
    labels = {firm: str(place) for place, firm in enumerate(dict.fromkeys(firms[known.rid] for known, _, _ in ranked))}
    return Evidence(
        scores=tuple(Score(known.rid, points, labels[firms[known.rid]]) for known, points, _ in ranked),
        relation=_relation(asked, levels) if levels else "",
        same_code=levels is not None and levels["code"] == "same",
        direct=bool(ranked) and ranked[0][0].direct,
        name_only=not (asked.code or asked.phones or asked.contact or asked.street),
        caution=_caution(levels) if levels else "",
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


def _reasons(asked: Prepared, levels: Levels | None) -> tuple[Reason, ...]:
    problems = tuple(reason("problem", one, 0.0) for one in asked.problems)
    if levels is None:
        return problems
    table = weights()
    caution = _caution(levels)
    return (
        *(reason(feature, level, table[feature].get(level, 0.0)) for feature, level in levels.items()),
        reason("base", "all", table["base"]["all"]),
        *((reason("caution", caution, 0.0),) if caution else ()),
        *problems,
    )

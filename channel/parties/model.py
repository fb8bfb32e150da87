"""How alike two records are: the comparisons, and their frozen weights. One settings object for DuckDB and Spark.

A weight is the evidence of one level, in bits (log2 of the odds it multiplies), learnt once from labelled pairs and kept in
`data/model.json` with its version; nothing is estimated while records are resolved, so that the same input gives the same clusters.
`python -m benchmarks.resolve_model` says how the weights were learnt. Splink takes a level as a pair (m, u): only their ratio counts here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from channel.parties import blocking

if TYPE_CHECKING:
    from splink import SettingsCreator
    from splink.internals.comparison_level_creator import ComparisonLevelCreator

NOTHING = "nothing"
"""The level of a pair of which one side says nothing: no evidence, weight 0."""
ELSE = "ELSE"
Levels = Sequence[tuple[str, str]]

_EDIT = "levenshtein(snd_l, snd_r)"
_SHORT = "least(units_l, units_r)"
_FRONT = "(starts_with(snd_l, snd_r) OR starts_with(snd_r, snd_l))"
_FRONT_WRITTEN = "(starts_with(chr_l, chr_r) OR starts_with(chr_r, chr_l))"
_HEAD = "head_l = head_r"
_HERE = "city_l = city_r"
_REGISTERED = "core_l = core_r AND region_l = region_r AND registered_l = 1 AND registered_r = 1"
_ELSEWHERE = "city_l <> city_r"
_LATIN = "latin_l + latin_r = 1"
_BRAND = "brand_l = brand_r"
_BAG = "bag_l = bag_r AND units_l >= 3"
_INSIDE = f"{_SHORT} >= 3 AND (contains(snd_l, snd_r) OR contains(snd_r, snd_l))"
_NO_NAME = "snd_l IS NULL OR snd_r IS NULL"
_KIN = {"2": 2, "3": 3, "6": 6, "more": None}
_OTHER_FIRST = "first_kin_l > 1 AND units_l = units_r AND substr(snd_l, 3) = substr(snd_r, 3)"
_OTHER_SECOND = (
    "second_kin_l > 1 AND units_l = units_r AND substr(snd_l, 5) = substr(snd_r, 5) AND substr(snd_l, 1, 2) = substr(snd_r, 1, 2)"
)
_ALIKE = f"({_FRONT} OR {_EDIT} <= 2 OR {_BAG})"


def _by(column: str, cuts: Mapping[str, int | None], name: str, condition: str) -> list[tuple[str, str]]:
    """One level for each band of how many share it."""
    return [(f"{name}_{band}", condition if cut is None else f"{condition} AND {column} <= {cut}") for band, cut in cuts.items()]


COMPARISONS: Mapping[str, Levels] = {
    "name": (
        (NOTHING, _NO_NAME),
        *_by("core_firms_l", {"1": 1, "3": 3, "more": None}, "registered", _REGISTERED),
        *_by("core_firms_l", {"1": 1, "2": 2, "5": 5, "15": 15, "more": None}, "core", "core_l = core_r"),
        *_by("core_firms_l", {"2": 2, "8": 8, "more": None}, "one_homophone", "snd_l = snd_r AND levenshtein(chr_l, chr_r) <= 2"),
        *_by("core_firms_l", {"2": 2, "more": None}, "homophones", "snd_l = snd_r"),
        *_by("head_records_l", {"6": 6, "more": None}, "latin_brand3", f"{_LATIN} AND {_BRAND} AND length(brand_l) >= 6"),
        *_by("head_records_l", {"6": 6, "25": 25, "more": None}, "latin_brand", f"{_LATIN} AND {_BRAND}"),
        *_by("head_records_l", {"6": 6, "more": None}, "latin_head", f"{_LATIN} AND {_HEAD}"),
        ("swapped", _BAG),
        ("edit_long_head", f"{_EDIT} <= 2 AND {_SHORT} >= 5 AND {_HEAD}"),
        ("edit_long_rare", f"{_EDIT} <= 2 AND {_SHORT} >= 5 AND least(head_records_l, head_records_r) <= 3"),
        ("edit_long", f"{_EDIT} <= 2 AND {_SHORT} >= 5"),
        ("edit_short_head_rare", f"{_EDIT} <= 2 AND {_HEAD} AND head_records_l <= 6"),
        ("edit_short_head", f"{_EDIT} <= 2 AND {_HEAD}"),
        ("edit_four", f"{_EDIT} <= 2 AND {_SHORT} >= 4"),
        ("edit_short", f"{_EDIT} <= 2"),
        *_by("head_records_l", {"6": 6, "40": 40, "more": None}, "front4", f"{_FRONT_WRITTEN} AND {_SHORT} >= 4"),
        *_by("head_records_l", {"6": 6, "40": 40, "more": None}, "front3", f"{_FRONT_WRITTEN} AND {_SHORT} = 3"),
        *_by("head_records_l", {"3": 3, "8": 8, "25": 25, "80": 80, "more": None}, "front2", _FRONT_WRITTEN),
        *_by("head_records_l", {"6": 6, "40": 40, "more": None}, "front_heard", _FRONT),
        ("inside", _INSIDE),
        ("two_edits_head", f"{_EDIT} <= 4 AND {_SHORT} >= 5 AND {_HEAD}"),
        ("two_edits", f"{_EDIT} <= 4 AND {_SHORT} >= 5"),
        ("head_tail", f"{_HEAD} AND tail_l = tail_r"),
        *_by("head_records_l", {"6": 6, "more": None}, "brand3", f"{_BRAND} AND length(brand_l) >= 6"),
        *_by("head_records_l", {"6": 6, "40": 40, "more": None}, "head", _HEAD),
        ("latin_other", _LATIN),
        ("tail", "tail_l = tail_r"),
        ("other", ELSE),
    ),
    "place": (
        (NOTHING, "prov_l IS NULL OR prov_r IS NULL"),
        ("same", _HERE),
        ("named", "city_l = town_r OR town_l = city_r OR town_l = town_r"),
        ("same_province", "prov_l = prov_r AND (city_l IS NULL OR city_r IS NULL)"),
        ("other_city", "prov_l = prov_r"),
        ("other", ELSE),
    ),
    "name_place": (
        (NOTHING, f"{_NO_NAME} OR prov_l IS NULL OR prov_r IS NULL"),
        ("same_here", f"snd_l = snd_r AND {_HERE}"),
        ("same_elsewhere", f"snd_l = snd_r AND {_ELSEWHERE}"),
        ("front_here", f"{_FRONT} AND {_HERE}"),
        ("front_elsewhere", f"{_FRONT} AND {_ELSEWHERE}"),
        ("edit_here", f"({_EDIT} <= 2 OR {_BAG}) AND {_HERE}"),
        ("edit_elsewhere", f"({_EDIT} <= 2 OR {_BAG}) AND {_ELSEWHERE}"),
        ("head_here", f"{_HEAD} AND {_HERE}"),
        ("head_elsewhere", f"{_HEAD} AND {_ELSEWHERE}"),
        ("other", ELSE),
    ),
    "kin": (
        (NOTHING, f"{_NO_NAME} OR city_l IS NULL OR city_r IS NULL OR {_ELSEWHERE}"),
        ("same", "snd_l = snd_r"),
        *_by("greatest(first_kin_l, first_kin_r)", _KIN, "first", _OTHER_FIRST),
        *_by("greatest(second_kin_l, second_kin_r)", _KIN, "second", _OTHER_SECOND),
        *_by("here_orgs_l", {"1": 1, "2": 2, "more": None}, "front", f"{_FRONT} AND {_HEAD}"),
        *_by("here_orgs_l", {"1": 1, "2": 2, "more": None}, "latin", f"{_LATIN} AND {_HEAD}"),
        *_by("here_orgs_l", {"1": 1, "2": 2, "more": None}, "head", _HEAD),
        ("other", ELSE),
    ),
    "code": (
        (NOTHING, "code_l IS NULL OR code_r IS NULL"),
        ("same", "org_l = org_r"),
        ("mistyped", "(org_l IS NULL OR org_r IS NULL) AND levenshtein(code_l, code_r) <= 2"),
        ("other", ELSE),
    ),
    "phone": (
        (NOTHING, "phone_l IS NULL OR phone_r IS NULL"),
        *_by("phone_firms_l", {"1": 1, "2": 2, "4": 4, "10": 10, "more": None}, "same", "phone_l = phone_r"),
        ("mistyped", "levenshtein(phone_l, phone_r) <= 1"),
        ("tail", "right(phone_l, 7) = right(phone_r, 7)"),
        ("other", ELSE),
    ),
    "phone_name": (
        (NOTHING, f"phone_l IS NULL OR phone_r IS NULL OR {_NO_NAME}"),
        ("front", f"phone_l = phone_r AND (snd_l = snd_r OR {_FRONT})"),
        ("edit", f"phone_l = phone_r AND {_EDIT} <= 4"),
        ("head", f"phone_l = phone_r AND {_HEAD}"),
        ("only", "phone_l = phone_r"),
        ("other", ELSE),
    ),
    "contact": (
        (NOTHING, "surname_l IS NULL OR surname_r IS NULL"),
        *_by("contact_firms_l", {"3": 3, "30": 30, "more": None}, "same", "contact_l = contact_r"),
        ("heard", "heard_l = heard_r"),
        ("mistyped", "length(heard_l) >= 6 AND length(heard_r) >= 6 AND levenshtein(heard_l, heard_r) <= 2"),
        ("surname", "surname_l = surname_r AND (contact_l IS NULL OR contact_r IS NULL)"),
        ("other", ELSE),
    ),
    "contact_name": (
        (NOTHING, f"contact_l IS NULL OR contact_r IS NULL OR heard_l <> heard_r OR {_NO_NAME}"),
        ("alike", f"snd_l = snd_r OR {_ALIKE}"),
        ("head", _HEAD),
        ("other", ELSE),
    ),
    "street": (
        (NOTHING, "road_l IS NULL OR road_r IS NULL"),
        ("room", "room_l = room_r"),
        ("door", "door_l = door_r"),
        ("road", "road_l = road_r"),
        ("other", ELSE),
    ),
}  # fmt: skip
"""Comparison -> its levels in order, the first that holds counts. Expressions of DuckDB that Splink's SQL translator brings to Spark."""

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """The frozen numbers."""

    version: str
    prior: float
    """Bits for a proposed pair before anything is compared."""
    weights: Weights
    """`comparison.level` -> bits."""
    join: float
    """Bits at which records may join; frozen beforehand, like the weights."""
    doubt: float
    """Bits from which a pair that did not join is a question for a person."""


@cache
def frozen() -> Model:
    """The model that is shipped."""
    told = json.loads(files(__package__).joinpath("data").joinpath("model.json").read_text("utf-8"))
    return Model(told["version"], told["prior"], told["weights"], told["join"], told["doubt"])


def settings(weights: Weights, *, levels_shown: bool = False) -> SettingsCreator:
    """Splink's settings, for whichever engine. `levels_shown` adds the level of each comparison to the answer, for learning."""
    from splink import SettingsCreator  # noqa: PLC0415  an optional library
    from splink.blocking_rule_library import CustomRule  # noqa: PLC0415  an optional library
    from splink.comparison_library import CustomComparison  # noqa: PLC0415  an optional library

    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        probability_two_random_records_match=0.5,  # the prior is added to the sum of the weights, as one more of them
        blocking_rules_to_generate_predictions=[CustomRule(rule) for rule in blocking.rules()],
        comparisons=[
            CustomComparison(output_column_name=name, comparison_levels=[_level(name, level, sql, weights) for level, sql in levels])
            for name, levels in COMPARISONS.items()
        ],
        retain_matching_columns=levels_shown,
        retain_intermediate_calculation_columns=False,
    )


def _level(comparison: str, level: str, sql: str, weights: Weights) -> ComparisonLevelCreator:
    from splink.comparison_level_library import CustomLevel, ElseLevel  # noqa: PLC0415  an optional library

    if level == NOTHING:
        return CustomLevel(sql, level, base_dialect_str="duckdb").configure(is_null_level=True)
    made = ElseLevel() if sql == ELSE else CustomLevel(sql, level, base_dialect_str="duckdb")
    bits = weights.get(f"{comparison}.{level}", 0.0)
    most = min(0.5, 0.5 * 2.0**bits)
    return made.configure(m_probability=most, u_probability=most / 2.0**bits)


def shown_levels(comparison: str) -> list[str]:
    """The levels by Splink's number: its column `gamma_…` holds the place in this list; -1 is :data:`NOTHING`."""
    return [level for level, _ in COMPARISONS[comparison] if level != NOTHING][::-1]

"""A second look at proposed pairs: two names laid on each other as the matcher lays a claim on a customer, beside what else is alike.

The first score adds up levels that a database can see: equal heads, edit distances. It does not know where a brand ends, so a wrong sound
in the brand and one in the trade weigh the same. Here brand meets brand and trade meets trade, with crossed weights: a wrong character says
one thing where the street is the same and another where nothing else is known. The weights are learnt once (`benchmarks/resolve_second.py`)
and frozen in `data/second_look.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec
from rapidfuzz.distance import OSA

from channel.deals.matching.comparing import name_levels
from channel.deals.matching.parts import Name
from channel.deals.matching.tables import surprise

if TYPE_CHECKING:
    from channel.parties.engines import Engine

LEAST, MOST = -6.0, 12.0
"""Bits of the first score between which a pair is looked at again: below, hardly anything would bring it back; above, nothing
is in doubt. The weights were learnt from -8 on."""

COUNTS = ("units", "head_records", "here_orgs", "core_firms", "first_kin", "second_kin")
"""How many share what, of both sides (`blocking.COUNTED`)."""

Level = str | int
Levels = tuple[Level, ...]

MAINS = (
    "bits", "brand", "trade", "region", "form", "rarity", "heard", "written", "latin", "full", "sure", "note", "brand_least", "brand_most",
    "surprise", "units", "longer", "heads_most", "heads_least", "here_most", "here_least", "cores_most", "cores_least", "first_kin",
    "second_kin", "phone", "contact", "street", "place",
)  # fmt: skip
"""The features of a pair, in the order of :func:`levels`."""

CROSSED = tuple(
    tuple(pair.split("*"))
    for pair in """
    brand*trade brand*region trade*region brand*written trade*written brand*units brand*longer brand*rarity brand*surprise brand*full
    trade*full brand*latin trade*latin brand*brand_most brand_least*brand_most brand*heads_most brand*here_most trade*here_most
    brand*first_kin brand*second_kin heard*first_kin heard*second_kin heard*written heard*units written*units form*trade
    cores_most*heads_most brand*place trade*place brand*street trade*street brand*phone trade*phone brand*contact trade*contact
    phone*street phone*contact
    contact*street phone*place region*place bits*brand bits*trade bits*written bits*here_most
    """.split()
)
"""Pairs of features whose levels weigh together."""

_NO_NAME: Levels = ("none", "none", "none", "none", "none", -1, -1, -1, -1, -1, -1, -1, -1, -1)
_decoded = msgspec.json.Decoder(Name).decode
_SURPRISES = (0.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 34.0)


def said(name: Name) -> str | None:
    """A name in parts as one line of text, for :func:`levels`; None for a name that says nothing."""
    return msgspec.json.encode(name).decode() if name.core else None


def looked(engine: Engine, table: str, prior: float) -> Iterator[tuple[int, int, float, Levels]]:
    """The pairs of `table` worth a second look: both ids, bits of the first score, levels. Drops `records`."""
    bits = f"match_weight + ({prior})"
    engine.make("doubted", f"SELECT id_l, id_r, {bits} AS bits FROM {table} WHERE {bits} >= {LEAST} AND {bits} < {MOST}")
    kept = ", ".join(f"records.{name}" for name in ("id", *COUNTS, *_FIELDS))
    engine.make("met", "SELECT id_l AS id FROM doubted UNION SELECT id_r FROM doubted")
    engine.make(
        "sides",
        f"SELECT {kept}, names.said FROM records JOIN met ON met.id = records.id LEFT JOIN names ON names.rid = records.rid",
    )
    engine.drop("records")
    engine.drop("met")
    counts = ", ".join(f"coalesce(a.{name}, 0), coalesce(b.{name}, 0)" for name in COUNTS)
    both = "FROM doubted JOIN sides a ON a.id = id_l JOIN sides b ON b.id = id_r"
    query = f"SELECT id_l, id_r, bits, a.said, b.said, {_MEETING}, {counts} {both}"
    for row in engine.rows(query):
        bits = round(row[2], 3)
        yield row[0], row[1], bits, levels(bits, row[3], row[4], row[5:9], row[9:])


def _meeting(column: str, *steps: tuple[str, str]) -> str:
    """How two fields meet: neither says it, one does, or the first step that holds, else `differ`."""
    told = " ".join(f"WHEN {condition} THEN '{level}'" for level, condition in steps)
    return (
        f"CASE WHEN a.{column} IS NULL AND b.{column} IS NULL THEN 'none' WHEN a.{column} IS NULL OR b.{column} IS NULL THEN 'one' "
        f"{told} ELSE 'differ' END"
    )


_FIELDS = ("phone", "contact", "heard", "surname", "road", "door", "room", "city", "town")
_MEETING = ", ".join(
    (
        _meeting("phone", ("same", "a.phone = b.phone")),
        _meeting(
            "surname",
            ("same", "a.contact = b.contact"),
            ("heard", "a.heard = b.heard"),
            ("surname", "a.surname = b.surname AND (a.contact IS NULL OR b.contact IS NULL)"),
        ),
        _meeting("road", ("room", "a.room = b.room"), ("door", "a.door = b.door"), ("road", "a.road = b.road")),
        _meeting("city", ("same", "a.city = b.city"), ("named", "a.city = b.town OR a.town = b.city")),
    )
)


def levels(bits: float, one: str | None, other: str | None, meeting: Sequence[str], counts: Sequence[int]) -> Levels:
    """The level of each of :data:`MAINS`. `counts`: each of :data:`COUNTS` of both sides, in pairs."""
    named = _NO_NAME if one is None or other is None else _named(_decoded(one), _decoded(other))
    units, units_other, heads, heads_other, here, here_other, cores, cores_other, first, first_other, second, second_other = counts
    return (
        max(-6, min(8, int(bits // 1.5))),
        *named,
        min(units, units_other, 7),
        min(abs(units - units_other), 4),
        _band(max(heads, heads_other)),
        _band(min(heads, heads_other)),
        _band(max(here, here_other), 5),
        _band(min(here, here_other), 5),
        _band(max(cores, cores_other), 6),
        _band(min(cores, cores_other), 6),
        _band(max(first, first_other), 5),
        _band(max(second, second_other), 5),
        *meeting,
    )


def _band(count: int, most: int = 9) -> int:
    """0, 1, 2, 3-4, 5-8, ...: how often it doubled."""
    return min(most, (count - 1).bit_length() + 1) if count > 0 else 0


def _named(one: Name, other: Name) -> Levels:
    met = name_levels(one, other)
    small, large = (one, other) if one.brand <= other.brand else (other, one)
    longer = one.core if len(one.core) >= len(other.core) else other.core
    rare = surprise(longer[: large.brand])
    return (
        met["brand"],
        met["trade"],
        met["region"],
        met["form"],
        "r" + met["rarity"],
        min(4, OSA.distance(one.sound, other.sound, score_cutoff=4)),
        min(5, OSA.distance(one.core, other.core, score_cutoff=5)),
        one.latin + other.latin,
        one.full + other.full,
        one.sure + other.sure,
        bool(one.note) + bool(other.note),
        min(5, small.brand),
        min(5, large.brand),
        sum(rare >= step for step in _SURPRISES),
    )


@dataclass(frozen=True, slots=True)
class Table:
    """The frozen weights, ready to be added up."""

    version: str
    base: float
    mains: tuple[Mapping[Level, float], ...]
    crossed: tuple[tuple[int, int, Mapping[tuple[Level, Level], float]], ...]

    def bits(self, seen: Levels) -> float:
        """What the second look adds to the first score, in bits."""
        total = self.base
        for table, level in zip(self.mains, seen, strict=True):
            total += table.get(level, 0.0)
        for one, other, pairs in self.crossed:
            total += pairs.get((seen[one], seen[other]), 0.0)
        return total


@cache
def frozen() -> Table:
    """The weights that are shipped."""
    told = json.loads(files(__package__).joinpath("data").joinpath("second_look.json").read_text("utf-8"))
    return table_of(told)


def table_of(told: Mapping[str, Any]) -> Table:
    """The weights as :mod:`benchmarks.resolve_second` writes them: `feature` -> level -> bits, `one*other` -> `level|level` -> bits."""
    weights: Mapping[str, Mapping[str, float]] = told["weights"]
    place = {name: number for number, name in enumerate(MAINS)}
    return Table(
        told["version"],
        told["base"],
        tuple({_level(level): bits for level, bits in weights.get(name, {}).items()} for name in MAINS),
        tuple(
            (place[one], place[other], {_pair(levels): bits for levels, bits in weights.get(f"{one}*{other}", {}).items()})
            for one, other in CROSSED
        ),
    )


def _pair(text: str) -> tuple[Level, Level]:
    one, _, other = text.partition("|")
    return _level(one), _level(other)


def _level(text: str) -> Level:
    return int(text) if text.removeprefix("-").isdigit() else text

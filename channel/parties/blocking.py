"""Which pairs of records are compared: columns that must be equal, without values that too many share. SQL that DuckDB and Spark both run.

A firm may be known by half of its name only, so the keys need no split of brand and trade: heads, tails and middles of the sounds,
with and without the place, beside code, phone, person and door. A value above its cap (a brand that hundreds have, an agency's phone)
proposes nobody.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One blocking column: an expression over the prepared record, and how many records may share a value."""

    name: str
    sql: str
    cap: int


_FIRST, _SECOND, _THIRD = "substr(snd, 1, 2)", "substr(snd, 3, 2)", "substr(snd, 5, 2)"
_HEAD = "substr(snd, 1, 4)"
_TAIL, _TAIL3 = "substr(snd, length(snd) - 3, 4)", "substr(snd, length(snd) - 5, 6)"
KEYS = (
    Key("b_org", "org", 80),
    Key("b_phone", "phone", 50),
    Key("b_sound", "snd", 50),
    Key("b_sound_here", "concat(snd, city)", 80),
    Key("b_head3", "CASE WHEN units >= 3 THEN substr(snd, 1, 6) END", 40),
    Key("b_head_here", f"concat({_HEAD}, city)", 80),
    Key("b_head_tail", f"CASE WHEN units >= 4 THEN concat({_HEAD}, {_TAIL}) END", 50),
    Key("b_first_tail_here", f"CASE WHEN units >= 4 THEN concat({_FIRST}, {_TAIL}, city) END", 80),
    Key("b_second_tail_here", f"CASE WHEN units >= 4 THEN concat({_SECOND}, {_TAIL}, city) END", 80),
    Key("b_tail3_here", f"CASE WHEN units >= 4 THEN concat({_TAIL3}, city) END", 40),
    Key("b_middle_here", "CASE WHEN units >= 4 THEN concat(substr(snd, 3, 4), city) END", 80),
    Key("b_skip_here", f"CASE WHEN units >= 3 THEN concat({_FIRST}, {_THIRD}, city) END", 60),
    Key("b_rest_around", f"CASE WHEN units >= 4 THEN concat({_FIRST}, substr(snd, 5), prov) END", 30),
    Key("b_bag", "CASE WHEN units >= 3 THEN bag END", 40),
    Key("b_head_around", f"concat({_HEAD}, prov)", 30),
    Key("b_head", _HEAD, 20),
    Key("b_person_first", f"concat(heard, {_FIRST})", 50),
    Key("b_person_second", f"concat(heard, {_SECOND})", 50),
    Key("b_person_here", "concat(heard, city)", 50),
    Key("b_surname_tail_here", f"concat(surname, {_TAIL}, city)", 40),
    Key("b_door_here", "concat(door, city)", 80),
    Key("b_door_surname", "concat(door, surname)", 20),
    Key("b_room", "room", 12),
    Key("b_number", "substr(phone, length(phone) - 6, 7)", 30),
    Key("b_code_front", "CASE WHEN length(code) = 18 THEN substr(code, 9, 5) END", 80),
    Key("b_code_back", "CASE WHEN length(code) = 18 THEN substr(code, 13, 6) END", 80),
)  # fmt: skip

COUNTED = f"""
WITH
    cores AS (SELECT snd, greatest(count(DISTINCT org), count(DISTINCT city)) AS firms FROM raw WHERE snd IS NOT NULL GROUP BY snd),
    heads AS (SELECT {_HEAD} AS head, count(*) AS records FROM raw WHERE snd IS NOT NULL GROUP BY 1),
    here AS (
        SELECT {_HEAD} AS head, city, greatest(count(DISTINCT org), 1) AS orgs FROM raw
        WHERE snd IS NOT NULL AND city IS NOT NULL GROUP BY 1, 2
    ),
    firsts AS (
        SELECT substr(snd, 3) AS rest, city, count(DISTINCT snd) AS kin FROM raw WHERE length(snd) >= 6 AND city IS NOT NULL GROUP BY 1, 2
    ),
    seconds AS (
        SELECT concat({_FIRST}, substr(snd, 5)) AS rest, city, count(DISTINCT snd) AS kin FROM raw
        WHERE length(snd) >= 6 AND city IS NOT NULL GROUP BY 1, 2
    ),
    phones AS (SELECT phone, count(DISTINCT {_HEAD}) AS firms FROM raw WHERE phone IS NOT NULL GROUP BY phone),
    persons AS (SELECT contact, count(DISTINCT {_HEAD}) AS firms FROM raw WHERE contact IS NOT NULL GROUP BY contact)
SELECT
    raw.*, CAST(length(raw.snd) / 2 AS INT) AS units, substr(raw.snd, 1, 4) AS head, substr(raw.snd, length(raw.snd) - 3, 4) AS tail,
    coalesce(cores.firms, 0) AS core_firms, coalesce(heads.records, 0) AS head_records, coalesce(here.orgs, 0) AS here_orgs,
    coalesce(firsts.kin, 0) AS first_kin, coalesce(seconds.kin, 0) AS second_kin,
    coalesce(phones.firms, 0) AS phone_firms, coalesce(persons.firms, 0) AS contact_firms
FROM raw
    LEFT JOIN cores ON cores.snd = raw.snd
    LEFT JOIN heads ON heads.head = substr(raw.snd, 1, 4)
    LEFT JOIN here ON here.head = substr(raw.snd, 1, 4) AND here.city = raw.city
    LEFT JOIN firsts ON firsts.rest = substr(raw.snd, 3) AND firsts.city = raw.city AND length(raw.snd) >= 6
    LEFT JOIN seconds
        ON seconds.rest = concat(substr(raw.snd, 1, 2), substr(raw.snd, 5)) AND seconds.city = raw.city AND length(raw.snd) >= 6
    LEFT JOIN phones ON phones.phone = raw.phone
    LEFT JOIN persons ON persons.contact = raw.contact
"""
"""`counted` from `raw`: how many firms share a core, a phone, a person; how many records share a head; how many firms of the place have
the head (`here_orgs`), and how many names of the place differ in nothing but the first or the second sound (`first_kin`, `second_kin`).
What many share says little."""


def keyed(hashed: str) -> str:
    """`keyed` from `counted`: the blocking columns. Branches of one place meet each other, firms meet firms.

    They are numbers by the engine's function `hashed`, so that a million records fit in little memory.
    """
    columns = ", ".join(
        f"CASE WHEN {key.sql} IS NOT NULL AND {_whole(key)} THEN {hashed}(concat({key.sql}, branch)) END AS {key.name}" for key in KEYS
    )
    return f"SELECT id, {columns} FROM counted"


def _whole(key: Key) -> str:
    """`concat` skips what is NULL in DuckDB and makes all NULL in Spark: here a key lives only when each of its parts does."""
    parts = [name for name in ("snd", "city", "prov", "heard", "surname", "door") if name in key.sql]
    return " AND ".join(f"{part} IS NOT NULL" for part in parts) or "TRUE"


def shared(key: Key) -> str:
    """The values of a key that two records or more share, and no more than its cap."""
    return f"SELECT {key.name} FROM keyed WHERE {key.name} IS NOT NULL GROUP BY {key.name} HAVING count(*) BETWEEN 2 AND {key.cap}"


def blocked() -> str:
    """`records` from `counted`, `keyed` and one table `shared_…` for each key: what the linker takes."""
    columns = ", ".join(f"shared_{key.name}.{key.name}" for key in KEYS)
    joins = " ".join(f"LEFT JOIN shared_{key.name} ON shared_{key.name}.{key.name} = keyed.{key.name}" for key in KEYS)
    return f"SELECT counted.*, {columns} FROM counted JOIN keyed ON keyed.id = counted.id {joins}"


def rules() -> list[str]:
    """The blocking rules, in order: two valid codes of different organisations never meet, so that no chain of edges joins them."""
    return [f"l.{key.name} = r.{key.name} AND (l.org IS NULL OR r.org IS NULL OR l.org = r.org)" for key in KEYS]

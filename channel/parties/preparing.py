"""A record made ready for batch resolution: plain columns that DuckDB and Spark can block and compare.

Names, codes, phones and addresses are normalised by the matcher's own code (`channel.deals.matching`), so that batch and single claims
see a firm alike. Sounds and characters become two ASCII signs each: an edit distance then counts the same in an engine that measures
bytes (DuckDB) and in one that measures characters (Spark), and one changed character costs at most two.
"""

from __future__ import annotations

import re
from functools import lru_cache

from channel.deals.matching import codes, contacts, names, regions, text
from channel.deals.matching.parts import Name
from channel.deals.matching.tables import FIRST
from channel.parties.second_look import said

COLUMNS = (
    "core", "snd", "chr", "bag", "brand", "latin", "region", "registered", "branch", "city", "prov", "town",
    "code", "org", "phone", "contact", "heard", "surname", "road", "door", "room",
)  # fmt: skip
"""What :func:`prepare` gives, in order; None where the record says nothing. Behind them stands the name in parts (`second_look.said`)."""

_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE = 60
_MIX = 2_654_435_761
_BRANCH_TAILS = ("分公司", "支公司", "子公司", "办事处", "分厂", "分店", "营业部", "代表处")

_DISTRICT = re.compile("[\u4e00-\u9fff]{1,4}?(?<![社园景小校地库])(?:区|镇|街道)")
_STREET_IN = re.compile("^.*(?:区|县|镇|市|省)(?=..)")

Row = tuple[str | int | None, ...]


class _Pairs(dict[int, str]):
    """From a code point to two signs."""

    def __init__(self, *, sounds: bool) -> None:
        super().__init__()
        self._sounds = sounds

    def __missing__(self, point: int) -> str:
        if self._sounds and FIRST <= point < FIRST + _BASE * _BASE // 2:
            place = point - FIRST
        elif point < 128:
            place = _BASE * _BASE - 128 + point
        else:  # a character without a sound, or any when characters are compared: near enough to one's own number
            place = (point * _MIX >> 7) % (_BASE * _BASE // 2 - 128) + _BASE * _BASE // 2
        made = self[point] = _SIGNS[place // _BASE] + _SIGNS[place % _BASE]
        return made


_SOUND = _Pairs(sounds=True)
_CHARACTER = _Pairs(sounds=False)


@lru_cache(maxsize=50_000)
def _place(field: str) -> str:
    return regions.lookup(text.clean(field, 40))


def prepare(name: str, uscc: str, phone: str, contact: str, city: str, addr: str) -> Row:
    """The record's columns, in the order of COLUMNS. Never fails; deterministic."""
    parsed = names.parse(name)
    code, org = _code(uscc)
    numbers = contacts.phones(phone)
    person = contacts.contact(contact)
    place, street, digits = contacts.address(addr)
    region = parsed.region
    towns = _where(_place(city) if city else "", parsed.branch_region, region, place)
    core, heard = _without_district(parsed) if region else (parsed.core, parsed.sound)
    sound = heard.translate(_SOUND)
    street = _STREET_IN.sub("", street)
    return (
        core or None,
        sound or None,
        core.translate(_CHARACTER) or None,
        "".join(sorted(sound[at : at + 2] for at in range(0, len(sound), 2))) or None,
        sound[: 2 * max(parsed.brand - len(parsed.core) + len(core), 1)] or None,
        1 if parsed.latin else 0,
        region or None,
        1 if parsed.full and region else 0,
        _branch(parsed.branch),
        *towns,
        code,
        org,
        numbers[0] if numbers else None,
        person if len(person) > 1 else None,
        text.sound_of(person).translate(_SOUND) if len(person) > 1 else None,
        person[:1] or None,
        street or None,
        f"{street} {digits.split('.', 1)[0]}" if street and digits else None,
        f"{street} {digits}" if street and "." in digits else None,
        said(parsed),
    )


def _without_district(parsed: Name) -> tuple[str, str]:
    """Core and sound without a district that no table knows, such as 高新区 or 经开区 behind the city."""
    found = _DISTRICT.match(parsed.core)
    cut = found.end() if found and len(parsed.core) - found.end() >= 2 else 0
    return parsed.core[cut:], parsed.sound[cut:]


def _where(*places: str) -> tuple[str | None, str | None, str | None]:
    """Prefecture and province: of the first place that tells a prefecture, else of the first that tells a province; and another prefecture.

    Some records name two: a firm of 杭州 whose row says 南宁.
    """
    towns = list(dict.fromkeys(town for town in map(regions.prefecture, filter(None, places)) if town))
    if towns:
        return towns[0], towns[0][:2], towns[1] if len(towns) > 1 else None
    return None, next((place[:2] for place in places if place), None), None


def _code(raw: str) -> tuple[str | None, str | None]:
    """The code as text, and its organisation part when the check signs hold. Nine characters alone are an organisation code."""
    if not raw:
        return None, None
    code = codes.normalise(raw)
    if codes.valid(code):
        return code, codes.organisation(code)
    if len(code) == 9 and _organisation_holds(code):
        return "-" * 8 + code + "-", code
    return (code, None) if len(code) >= 9 else (None, None)


def _organisation_holds(code: str) -> bool:
    """GB 11714: weights 3 7 9 10 5 8 4 2; 10 is X, 11 is 0."""
    if not code.isalnum() or not code.isascii():
        return False
    left = 11 - sum(int(sign, 36) * weight for sign, weight in zip(code, (3, 7, 9, 10, 5, 8, 4, 2), strict=False)) % 11
    return code[8] == ("X" if left == 10 else "0" if left == 11 else str(left))


def _branch(branch: str) -> str:
    """The branch's own place, `-` when it names none, empty for a firm itself."""
    if not branch:
        return ""
    for tail in _BRANCH_TAILS:
        branch = branch.removesuffix(tail)
    return branch.removesuffix("市").removesuffix("区") or "-"

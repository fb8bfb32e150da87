"""Match keys: hashes that two spellings of one firm share. Boundary-free: none but `BRAND…` rests on the split into brand and trade.

The lowest five bits of a key are its kind, so that whoever counts the keys that met can weigh them: `WEIGHTS[key & 31]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from channel.deals.matching import regions
from channel.deals.matching.parts import Name, split
from channel.deals.matching.prepared import Prepared
from channel.deals.matching.tables import letters
from channel.deals.matching.text import sound_of

CAP = 64
"""Customers of one key that a look-up reads; a key with more is hot and says little."""
CANDIDATES = 50
"""Customers that a list of candidates names at most."""
WEIGHED = 32
"""Of them, those that a decision weighs. Among 340,000 firms the right one stood in the first 24 for 99.9 of 100 claims that met it."""

CODE, ORGANISATION, PHONE, PERSON, STREET = 0, 1, 2, 3, 4
EDIT, PAIR_CITY, HEAD3_CITY, TAIL_AROUND = 5, 6, 7, 8
HEAD2, HEAD3, HEAD4, ENDS, MIDDLE, LATER = 10, 11, 12, 13, 14, 15
BRAND, BRAND_EDIT, LATIN = 16, 17, 19
EDIT_LONG, HEADS_CITY = 20, 21

WEIGHTS: tuple[float, ...] = (
    9.0, 8.0, 5.0, 2.5, 2.5,
    0.8, 1.5, 1.0, 3.0, 0.0,
    0.8, 0.3, 2.0, 3.0, 2.0, 0.3,
    0.6, 0.5, 1.0, 0.6,
    2.5, 2.0,
    *([0.0] * 10),
)  # fmt: skip
"""What a shared key of each kind is worth when candidates are ranked for the cut at CANDIDATES; the index is the kind."""


POINTS: tuple[int, ...] = tuple(int(1000 * weight) for weight in WEIGHTS)
"""The same as whole numbers, so that equal sums are equal, in whatever order a database adds."""


def counted_keys(keys: Sequence[int]) -> list[int]:
    """Those of a claim's keys whose frequency a decision asks for: a phone that many firms have says little."""
    return [one for one in keys if one & 31 == PHONE]


def key(kind: int, part: str) -> int:
    """One key: 59 bits of a hash, five bits of kind, as a signed number that a `bigint` holds."""
    number = int.from_bytes(blake2b(f"{kind}{part}".encode(), digest_size=8).digest(), "big", signed=True)
    return (number & ~31) | kind


def keys_of(prepared: Prepared) -> list[int]:
    """The distinct match keys of a claim, ascending, so that everybody takes their locks in one order."""
    return sorted({key(kind, part) for kind, part in _parts(prepared)})


def common_keys(one: Prepared, other: Prepared) -> list[int]:
    """The match keys that two claims share, ascending."""
    return sorted({key(kind, part) for kind, part in _parts(one) & _parts(other)})


def _parts(prepared: Prepared) -> set[tuple[int, str]]:
    """What keys are made from: kind and text."""
    parts: set[tuple[int, str]] = set()
    _code_keys(prepared, parts)
    parts.update((PHONE, phone) for phone in prepared.phones)
    cities = _cities(prepared)
    around = sorted({code[:2] for code in cities or (prepared.city, prepared.place, *(name.region for name in prepared.names)) if code})[:2]
    for name in prepared.names:
        _name_keys(name, cities, parts)
        if len(name.sound) > 3:
            parts.update((TAIL_AROUND, one + name.sound[-2:] + place) for one in name.sound[:2] for place in around)
    first = cities[0] if cities else ""
    if first and len(prepared.contact_sound) >= 2:
        parts.add((PERSON, prepared.contact_sound + first))
    if prepared.street and prepared.numbers:
        parts.add((STREET, f"{prepared.street}.{prepared.numbers.split('.', 1)[0]}.{first}"))
    return parts


def _code_keys(prepared: Prepared, parts: set[tuple[int, str]]) -> None:
    code = prepared.code
    if not code:
        return
    parts.add((CODE, code))
    parts.update((CODE, other) for other in prepared.mended)
    if len(code) == 18:
        parts.add((ORGANISATION, code[8:17]))
    elif len(code) == 9:
        parts.add((ORGANISATION, code))


def _cities(prepared: Prepared) -> list[str]:
    codes = [prepared.city, prepared.place, *(name.region for name in prepared.names)]
    return list(dict.fromkeys(city for city in map(regions.prefecture, codes) if city))[:2]


def _name_keys(name: Name, cities: list[str], parts: set[tuple[int, str]]) -> None:
    _core_keys(name.core, name.sound, cities, parts)
    if name.spare:
        heard = sound_of(name.spare)
        _core_keys(name.spare, heard, cities[:1], parts)
        parts.add((BRAND, heard[: split(heard)[0]]))
    brand = name.sound[: name.brand]
    parts.add((BRAND, brand))
    if 3 <= len(brand) <= 4:
        parts.update((BRAND_EDIT, brand[:place] + brand[place + 1 :]) for place in range(len(brand)))
    table = letters()
    parts.add((LATIN, "".join(table.get(one, one.lower()) for one in brand)))


def _core_keys(core: str, sound: str, cities: list[str], parts: set[tuple[int, str]]) -> None:
    size = len(sound)
    parts.add((_edit(sound), sound))
    parts.add((HEAD2, core[:2]))
    if size > 2:
        parts.update((_edit(sound[1:]), sound[:place] + sound[place + 1 :]) for place in range(min(size, 9)))
        parts.add((HEAD3, sound[:3]))
    if size > 3:
        parts.add((HEAD4, sound[:4]))
        parts.add((ENDS, sound[:2] + sound[-2:]))
        parts.add((LATER, sound[1:4]))
    for city in cities:
        parts.add((PAIR_CITY, sound[:2] + city))
        parts.add((HEADS_CITY, "".join(sorted(sound[:2])) + city))
        if size > 2:
            parts.add((HEADS_CITY, "".join(sorted(sound[:3])) + city))
            parts.add((HEAD3_CITY, sound[:3] + city))
            parts.add((PAIR_CITY, sound[1:3] + city))  # of one kind, so that a sound too many in front meets the head without it
            parts.add((PAIR_CITY, sound[0] + sound[2] + city))


def _edit(left: str) -> int:
    """The kind of a core without one sound: what is left of a long core says much more."""
    return EDIT_LONG if len(left) >= 5 else EDIT

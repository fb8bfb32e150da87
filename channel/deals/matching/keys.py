"""Match keys: hashes that two spellings of one firm share. Boundary-free: none rests on the split into brand and trade alone.

The lowest five bits of a key are its kind, so that whoever counts the keys that met can weigh them: `WEIGHTS[key & 31]`.
"""

from __future__ import annotations

from hashlib import blake2b

from channel.deals.matching import regions
from channel.deals.matching.names import Name
from channel.deals.matching.prepared import Prepared
from channel.deals.matching.tables import letters

CAP = 64
"""Customers of one key that a look-up reads; a key with more is hot and says little."""
CANDIDATES = 50
"""Customers a look-up hands on to scoring."""

(
    CODE,
    ORGANISATION,
    PHONE,
    WHOLE,
    EDIT,
    HEAD2_CITY,
    HEAD3_CITY,
    HEAD3,
    HEAD4,
    HEAD2,
    ENDS,
    MIDDLE,
    SECOND,
    SKIP,
    THIRD,
    BRAND,
    LATIN,
    PERSON,
    STREET,
    TEXT,
    BRAND_CITY,
) = range(21)

WEIGHTS: tuple[float, ...] = (
    9.0, 8.0, 4.0, 4.0, 1.0, 2.0, 1.5, 1.2, 1.2, 0.6, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 2.0, 2.0, 2.0, 1.0,
    *([0.0] * 11),
)  # fmt: skip
"""What a shared key of each kind is worth when candidates are ranked for the cut at CANDIDATES."""


def _key(kind: int, part: str) -> int:
    number = int.from_bytes(blake2b(part.encode("utf-8", "surrogatepass"), digest_size=8, salt=bytes((kind,))).digest(), "big", signed=True)
    return (number & ~31) | kind


def keys_of(prepared: Prepared) -> list[int]:
    """The distinct match keys of a claim, ascending (so that locks are taken in one order by everybody). Signed, 64 bits."""
    found: set[int] = set()
    add = found.add
    if prepared.code:
        add(_key(CODE, prepared.code))
        if len(prepared.code) == 18:
            add(_key(ORGANISATION, prepared.code[8:17]))
        for other in prepared.mended:
            add(_key(CODE, other))
        if not prepared.code_valid:
            add(_key(CODE, prepared.code[:9]))
    for phone in prepared.phones:
        add(_key(PHONE, phone))
    cities = _cities(prepared)
    for name in prepared.names:
        _name_keys(name, cities, add)
    if prepared.contact_sound and len(prepared.contact_sound) >= 2:
        for city in cities[:1]:
            add(_key(PERSON, prepared.contact_sound + city))
    if prepared.street and prepared.numbers:
        add(_key(STREET, prepared.street + "." + prepared.numbers.split(".", 1)[0] + "." + (cities[0] if cities else "")))
    return sorted(found)


def _cities(prepared: Prepared) -> list[str]:
    codes = [prepared.city, prepared.place, *(name.region for name in prepared.names)]
    return list(dict.fromkeys(city for city in map(regions.prefecture, codes) if city))[:2]


def _name_keys(name: Name, cities: list[str], add: object) -> None:
    put = add  # type: ignore[assignment]
    for sound in _sounds_of(name):
        size = len(sound)
        put(_key(EDIT, sound))  # type: ignore[operator]
        for place in range(min(size, 9) if size > 2 else 0):
            put(_key(EDIT, sound[:place] + sound[place + 1 :]))  # type: ignore[operator]
        for city in cities:
            put(_key(HEAD2_CITY, sound[:2] + city))  # type: ignore[operator]
            if size > 2:
                put(_key(HEAD3_CITY, sound[:3] + city))  # type: ignore[operator]
                put(_key(SECOND, sound[1:3] + city))  # type: ignore[operator]
                put(_key(SKIP, sound[0] + sound[2] + city))  # type: ignore[operator]
        put(_key(HEAD2, name.core[:2]))  # type: ignore[operator]
        if size > 2:
            put(_key(HEAD3, sound[:3]))  # type: ignore[operator]
        if size > 3:
            put(_key(HEAD4, sound[:4]))  # type: ignore[operator]
            put(_key(ENDS, sound[:2] + sound[-2:]))  # type: ignore[operator]
            put(_key(MIDDLE, sound[:2] + sound[2:4]))  # type: ignore[operator]
    put(_key(BRAND, name.sound[: name.brand]))  # type: ignore[operator]
    for spelled in _spelled(name):
        put(_key(LATIN, spelled))  # type: ignore[operator]


def _sounds_of(name: Name) -> list[str]:
    from channel.deals.matching.text import sound_of

    return [name.sound, *([sound_of(name.spare)] if name.spare else [])]


def _spelled(name: Name) -> list[str]:
    table = letters()
    brand = name.sound[: name.brand]
    return ["".join(table.get(one, one.lower()) for one in brand)] if brand else []

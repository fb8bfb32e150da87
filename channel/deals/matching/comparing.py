"""What two prepared claims have in common: one level per feature. The levels are what weights are fitted for and sentences are written for."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz.distance import OSA, Levenshtein

from channel.deals.matching import codes, regions
from channel.deals.matching.names import Name
from channel.deals.matching.prepared import Prepared
from channel.deals.matching.tables import look_alike, surprise

Levels = dict[str, str]


def compare(asked: Prepared, known: Prepared, shared_phone: dict[str, int]) -> Levels:
    """The level of each feature. `shared_phone`: by how many firms each phone is used, as far as known."""
    levels = _names(asked, known)
    levels["code"] = code_level(asked, known)
    levels["phone"] = _phone(asked, known, shared_phone)
    levels["contact"] = _contact(asked, known)
    levels["address"] = _address(asked, known)
    levels["city"] = _city(asked, known)
    return levels


def _names(asked: Prepared, known: Prepared) -> Levels:
    if not asked.names or not known.names:
        return {
            "brand": "missing",
            "trade": "missing",
            "rarity": "none",
            "region": "missing",
            "form": "missing",
            "branch": "none",
            "name": "missing",
        }
    if len(asked.names) == 1 and len(known.names) == 1:
        return name_levels(asked.names[0], known.names[0])
    best: tuple[int, Levels] | None = None
    for one in asked.names:
        for other in known.names:
            levels = name_levels(one, other)
            rank = _BRAND_RANK[levels["brand"]] * 10 + _TRADE_RANK[levels["trade"]]
            if best is None or rank < best[0]:
                best = rank, levels
    assert best is not None  # noqa: S101  both have names
    return best[1]


_BRAND_RANK = {
    level: rank for rank, level in enumerate(("same", "sound", "look", "swap", "edit", "longer", "edit2", "letters", "far", "missing"))
}
_TRADE_RANK = {
    level: rank for rank, level in enumerate(("same", "sound", "near", "short", "dropped", "both_none", "overlap", "differ", "missing"))
}


def name_levels(one: Name, other: Name) -> Levels:
    """The levels of two names: of brand, trade, region, form and branch."""
    longer, shorter = (one, other) if (len(one.core), one.full, one.text) >= (len(other.core), other.full, other.text) else (other, one)
    brand, trade, size = _split_levels(longer, shorter)
    if brand == "far" and (longer.spare or shorter.spare):
        brand, trade, size = _with_spare(longer, shorter)
    if (one.latin or other.latin) and trade in {"differ", "overlap"}:
        trade = "english"  # a translated trade is a loose one
    telling = "none"
    if brand != "far":
        telling = str(min(int(surprise(longer.core[:size])) // 6, 5)) + ("+" if size > 2 else "")
    return {
        "brand": brand,
        "trade": trade,
        "name": f"{brand}/{trade}",
        "rarity": telling,
        "region": region_level(one.region, other.region),
        "form": _form(one, other),
        "branch": _branch(one, other),
    }


def _with_spare(longer: Name, shorter: Name) -> tuple[str, str, int]:
    from channel.deals.matching.names import split
    from channel.deals.matching.text import sound_of

    best = "far", "differ", 2
    for a in {longer.core, longer.spare or longer.core}:
        for b in {shorter.core, shorter.spare or shorter.core}:
            x, y = (a, b) if len(a) >= len(b) else (b, a)
            sound = sound_of(x)
            level = heads(x, sound, *split(sound), y, sound_of(y))
            if _BRAND_RANK[level[0]] * 10 + _TRADE_RANK[level[1]] < _BRAND_RANK[best[0]] * 10 + _TRADE_RANK[best[1]]:
                best = level
    return best


def _split_levels(longer: Name, shorter: Name) -> tuple[str, str, int]:
    return heads(longer.core, longer.sound, longer.brand, longer.sure, shorter.core, shorter.sound)


@lru_cache(maxsize=16384)
def heads(core: str, sound: str, size: int, sure: bool, other: str, other_sound: str) -> tuple[str, str, int]:  # noqa: FBT001  cached by position
    """Brand and trade level of two cores, and how many units the brand has. `core` is the longer, `size` its brand."""
    if core == other:
        return "same", "same" if len(core) > size else "both_none", size
    if sound == other_sound:
        return "sound", "same" if core[size:] == other[size:] else "sound", size
    if len(core) == len(other) and len(core) >= 3 and OSA.distance(sound, other_sound, score_cutoff=1) == 1:
        return _one_edit(core, sound, size, other, other_sound)
    if not sure and 2 <= len(other) < size and sound.startswith(other_sound):  # the guess took too much for brand
        return ("same" if core.startswith(other) else "sound"), "dropped", len(other)
    brand, taken = _brand(core[:size], sound[:size], other, other_sound)
    return brand, _trade(core[size:], sound[size:], other[taken:], other_sound[taken:]) if brand != "far" else "differ", size


def _one_edit(core: str, sound: str, size: int, other: str, other_sound: str) -> tuple[str, str, int]:
    places = [place for place in range(len(core)) if sound[place] != other_sound[place]]
    inside = places[0] < size
    if len(places) == 2:
        level = "swap"
    else:
        level = "look" if look_alike(core[places[0]], other[places[0]]) else "edit" if size >= 3 else "edit2"
    if inside:
        return level, "same" if core[size:] == other[size:] else "sound", size
    return ("same" if core[:size] == other[:size] else "sound"), "near", size


def _brand(brand: str, sound: str, other: str, other_sound: str) -> tuple[str, int]:
    """How the brand meets the head of the other core, and how many units of the other it takes."""
    size = len(brand)
    if other.startswith(brand):
        return "same", size
    if other_sound.startswith(sound):
        return "sound", size
    head, head_sound = other[:size], other_sound[:size]
    if len(head) == size:
        places = [place for place in range(size) if sound[place] != head_sound[place]]
        if len(places) == 1:
            alike = look_alike(brand[places[0]], head[places[0]])
            return ("look" if alike else "edit" if size >= 3 else "edit2"), size
        if (
            len(places) == 2
            and places[1] == places[0] + 1
            and sound[places[0]] == head_sound[places[1]]
            and sound[places[1]] == head_sound[places[0]]
        ):
            return "swap", size
    if size >= 3 and Levenshtein.distance(sound, other_sound[: size - 1], score_cutoff=1) == 1:
        return "longer", size - 1
    if len(other_sound) > size and Levenshtein.distance(sound, other_sound[: size + 1], score_cutoff=1) == 1:
        return "longer", size + 1
    if brand in other and size >= 2:
        return "longer", other.index(brand) + size
    if size > 3 and Levenshtein.distance(sound, head_sound, score_cutoff=2) <= 2:
        return "edit2", size
    return "far", 0


def _trade(trade: str, sound: str, other: str, other_sound: str) -> str:
    """How two trades meet; either may be empty."""
    if not trade or not other:
        return "both_none" if not trade and not other else "dropped"
    if trade == other:
        return "same"
    if sound == other_sound:
        return "sound"
    small, large = (other_sound, sound) if len(other_sound) <= len(sound) else (sound, other_sound)
    if len(small) >= 3 and OSA.distance(small, large, score_cutoff=1) == 1:
        return "near"
    if large.startswith(small) or large.endswith(small) or _inside(small, large):
        return "short"
    if set(small) & set(large):
        return "overlap"
    return "differ"


def _inside(small: str, large: str) -> bool:
    rest = iter(large)
    return all(one in rest for one in small)


@lru_cache(maxsize=65536)
def region_level(one: str, other: str) -> str:
    """How two divisions lie to each other."""
    if not one or not other:
        return "both_missing" if not one and not other else "missing"
    if one == other:
        return "same"
    if regions.within(one, other) or regions.within(other, one):
        return "within"
    if regions.prefecture(one) and regions.prefecture(one) == regions.prefecture(other):
        return "city"
    return "province" if one[:2] == other[:2] else "differ"


def _form(one: Name, other: Name) -> str:
    if not one.form or not other.form:
        return "missing"
    if one.form != other.form:
        return "differ"
    return "group" if one.group != other.group else "same"


def _branch(one: Name, other: Name) -> str:
    if not one.branch and not other.branch:
        return "none"
    if not one.branch or not other.branch:
        return "of"
    return "same" if one.branch == other.branch or (one.branch_region and one.branch_region == other.branch_region) else "sibling"


def code_level(asked: Prepared, known: Prepared) -> str:
    """How two credit codes meet; valid ones decide alone."""
    one, other = asked.code, known.code
    if not one or not other:
        return "missing"
    if one == other:
        return "same" if asked.code_valid else "same_wrong"
    if asked.code_valid and known.code_valid:
        return "organisation" if codes.organisation(one) == codes.organisation(other) else "differ"
    if other in asked.mended or one in known.mended:
        return "typo"
    apart = OSA.distance(one, other, score_cutoff=3)
    if apart <= 1:
        return "typo"
    if apart == 2 or (len(one) >= 9 and len(one) != 18 and (one in other or other in one)):
        return "near"
    if codes.organisation(one) and codes.organisation(one) == codes.organisation(other):
        return "near"
    return "differ_wrong"


def _phone(asked: Prepared, known: Prepared, shared: dict[str, int]) -> str:
    if not asked.phones or not known.phones:
        return "missing"
    common = [phone for phone in asked.phones if phone in known.phones]
    if common:
        count = min(shared.get(phone, 1) for phone in common)
        return "same" if count <= 1 else "same_2" if count == 2 else "same_few" if count <= 5 else "same_many"
    for one in asked.phones:
        for other in known.phones:
            if (len(one) < len(other) and other.endswith(one) and len(one) >= 7) or (
                len(other) < len(one) and one.endswith(other) and len(other) >= 7
            ):
                return "tail"
            if len(one) >= 8 and OSA.distance(one, other, score_cutoff=1) <= 1:
                return "typo"
    return "differ"


def _contact(asked: Prepared, known: Prepared) -> str:
    one, other = asked.contact, known.contact
    if not one or not other:
        return "missing"
    if one == other:
        return "same" if len(one) > 1 else "surname"
    if asked.contact_sound == known.contact_sound:
        return "sound"
    if (len(one) == 1 or len(other) == 1) and one[0] == other[0]:
        return "surname"
    if len(one) >= 3 and OSA.distance(asked.contact_sound, known.contact_sound, score_cutoff=1) <= 1:
        return "near"
    return "differ"


def _address(asked: Prepared, known: Prepared) -> str:
    if not asked.street or not known.street:
        return "missing"
    street = asked.street == known.street or asked.street.endswith(known.street) or known.street.endswith(asked.street)
    if not street and len(asked.street) >= 3:
        street = OSA.distance(asked.street, known.street, score_cutoff=1) <= 1
    if not asked.numbers or not known.numbers:
        return "street" if street else "differ"
    first = asked.numbers.split(".", 1)[0] == known.numbers.split(".", 1)[0]
    if street:
        return "same" if asked.numbers == known.numbers else "number" if first else "street"
    return "numbers" if asked.numbers == known.numbers and "." in asked.numbers else "differ"


def _city(asked: Prepared, known: Prepared) -> str:
    """City and address fields together; a place in a name stands in where the fields say nothing."""
    one = asked.place or asked.city
    other = known.place or known.city
    if not one and asked.names:
        one = asked.names[0].region
    if not other and known.names:
        other = known.names[0].region
    if asked.city and known.city and region_level(asked.city, known.city) in {"same", "within"}:
        return "same"
    level = region_level(one, other)
    return {"same": "same", "city": "same", "within": "within", "both_missing": "missing"}.get(level, level)

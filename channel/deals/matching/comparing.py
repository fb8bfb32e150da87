"""What two prepared claims have in common: one level per feature.

The levels are what weights are fitted for and sentences are written for.
"""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz.distance import OSA

from channel.deals.matching import codes, regions
from channel.deals.matching.aligning import BRANDS, TRADES, align
from channel.deals.matching.parts import Name
from channel.deals.matching.prepared import Prepared
from channel.deals.matching.tables import surprise

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


def two_firms(asked: Prepared, known: Prepared) -> bool:
    """Whether two valid codes alone tell these apart: then nothing else needs to be compared. False where names have a say as well."""
    if not (asked.code_valid and known.code_valid) or codes.organisation(asked.code) == codes.organisation(known.code):
        return False
    if not asked.names or not known.names:
        return True
    one, other = asked.names, known.names
    return len(one) == len(other) == 1 and _branch(one[0], other[0]) in {"none", "same"}


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
            rank = BRANDS[levels["brand"]] + TRADES.get(levels["trade"], 6)
            if best is None or rank < best[0]:
                best = rank, levels
    assert best is not None  # noqa: S101  both have names
    return best[1]


def name_levels(one: Name, other: Name) -> Levels:
    """The levels of two names: of brand, trade, region, form and branch."""
    brand, trade, head = align(one, other)
    region = region_level(one.region, other.region)
    if region in {"differ", "province"} and (one.latin or other.latin) and regions.sound_alike(one.region, other.region):
        region = "same"
    return {
        "brand": brand,
        "trade": trade,
        "name": f"{brand}/{trade}",
        "rarity": "none" if brand == "far" else _rarity(head),
        "region": region,
        "form": _form(one, other),
        "branch": _branch(one, other),
    }


@lru_cache(maxsize=32768)
def _rarity(brand: str) -> str:
    if any("\ue000" <= char <= "\uf8ff" for char in brand):
        return "latin"
    return str(min(int(surprise(brand)) // 6, 5)) + ("+" if len(brand) > 2 else "")


@lru_cache(maxsize=65536)
def region_level(one: str, other: str) -> str:
    """How two divisions lie to each other."""
    if not one or not other:
        return "both_missing" if not one and not other else "missing"
    if one == other:
        return "same"
    if one[:2] != other[:2]:
        return "differ"
    if regions.within(one, other) or regions.within(other, one):
        return "within"
    if regions.prefecture(one) and regions.prefecture(one) == regions.prefecture(other):
        return "city"
    return "province"


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

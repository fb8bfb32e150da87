"""How two names lie on each other: brand against brand, trade against trade, whatever the guess of the split says."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz.distance import OSA, Levenshtein

from channel.deals.matching.parts import Name, split
from channel.deals.matching.tables import letters, look_alike
from channel.deals.matching.text import sound_of, syllables_of

BRANDS = {"same": 0, "sound": 2, "look": 3, "swap": 4, "head": 4, "longer": 5, "edit": 6, "edit2": 9, "far": 20}
"""How two brands meet, and what each costs when the better of two ways to lay the names on each other is sought."""

TRADES = {"same": 0, "sound": 1, "near": 2, "short": 2, "dropped": 4, "told": 4, "both_none": 3, "overlap": 7, "differ": 10}
"""The same for trades."""

Fit = tuple[str, str, int]
"""Brand level, trade level, units of the first core that are brand."""


def align(one: Name, other: Name) -> tuple[str, str, str]:
    """Brand level, trade level, and the brand as the longer name writes it."""
    if not (one.spare or other.spare) and one.latin == other.latin:  # nine in ten: one way to read either
        best, head = _fit((one.core, one.sound, one.brand, one.sure), (other.core, other.sound, other.brand, other.sure))
    else:
        best, head = _best_fit(one, other)
    brand, trade, _ = best
    if trade == "dropped" and _says_all(one, other):
        trade = "told"
    if (one.latin or other.latin) and trade in {"differ", "overlap"}:
        trade = "english"
    return brand, trade, head


def _best_fit(one: Name, other: Name) -> tuple[Fit, str]:
    """The best of all ways to read two names."""
    best: Fit = ("far", "differ", 0)
    head = ""
    cost = 31
    for first in _forms(one):
        for second in _forms(other):
            if one.latin != other.latin:
                first, second = (_respelled(first, second), second) if one.latin else (first, _respelled(second, first))  # noqa: PLW2901  the same name, read again
            fit, brand = _fit(first, second)
            worth = BRANDS[fit[0]] + TRADES[fit[1]]
            if worth < cost:
                best, head, cost = fit, brand, worth
    return best, head


def _says_all(one: Name, other: Name) -> bool:
    """Whether the name without a trade is a whole registered name: then it may be a firm that has none."""
    shorter = one if len(one.core) <= len(other.core) else other
    return shorter.full and bool(shorter.region)


Form = tuple[str, str, int, bool]
"""Core, sound, units of brand, whether the split is sure."""


def _forms(name: Name) -> list[Form]:
    forms = [(name.core, name.sound, name.brand, name.sure)]
    if name.spare:
        forms.append(_spare(name.spare))
    return forms


@lru_cache(maxsize=8192)
def _spare(spare: str) -> Form:
    sound = sound_of(spare)
    return (spare, sound, *split(sound))


@lru_cache(maxsize=1024)
def _spelled(core: str) -> tuple[int, str]:
    """How many units at the head of a core are pinyin, and their letters."""
    size = next((place for place, char in enumerate(core) if not "\ue000" <= char <= "\uf8ff"), len(core))
    table = letters()
    return size, "".join(table.get(char, "") for char in core[:size])


def _respelled(latin: Form, other: Form) -> Form:
    """A pinyin name with its syllables parted as the other name has them: JINAN is ji-nan or jin-an."""
    core, sound, _, _ = latin
    size, left = _spelled(core)
    table, taken = letters(), 0
    for heard in other[1]:
        spelled = table.get(heard, "")
        if not spelled or not left.startswith(spelled):
            break
        left, taken = left[len(spelled) :], taken + 1
    if taken < 2 or sound.startswith(other[1][:taken]):
        return latin
    rest = syllables_of(left) if left else ""
    if rest is None:
        return latin
    read = other[1][:taken] + rest
    return (read + core[size:], read + sound[size:], *split(read + sound[size:]))


def _fit(first: Form, second: Form) -> tuple[Fit, str]:
    longer, shorter = (first, second) if (len(first[0]), first[3], first[0]) >= (len(second[0]), second[3], second[0]) else (second, first)
    fit = lay(longer[0], longer[1], longer[2], shorter[0], shorter[1])
    if longer[2] != shorter[2] and fit[0] not in {"same", "sound"}:  # the other's split may be the better guess
        turned = lay(shorter[0], shorter[1], shorter[2], longer[0], longer[1])
        if BRANDS[turned[0]] + TRADES[turned[1]] < BRANDS[fit[0]] + TRADES[fit[1]] and (shorter[3] or not longer[3]):
            return turned, shorter[0][: turned[2]]
    return fit, longer[0][: fit[2]]


@lru_cache(maxsize=32768)
def lay(core: str, sound: str, size: int, other: str, other_sound: str) -> Fit:
    """The levels of two cores, taking the first `size` units of the first for its brand.

    >>> lay("蓝思科技", sound_of("蓝思科技"), 2, "兰思科技", sound_of("兰思科技"))
    ('sound', 'same', 2)
    """
    if core == other:
        return "same", "same" if len(core) > size else "both_none", size
    if sound == other_sound:
        return "sound", "same" if core[size:] == other[size:] else "sound", size
    if len(core) == len(other) and len(core) >= 3 and OSA.distance(sound, other_sound, score_cutoff=1) == 1:
        return _one_edit(core, sound, size, other, other_sound)
    if len(other) < size and sound.startswith(other_sound) and len(other) >= 2:
        return ("longer" if size - len(other) == 1 else "head"), "dropped" if len(core) > size else "both_none", len(other)
    best: Fit = ("far", "differ", size)
    for brand, taken in _brands(core[:size], sound[:size], other, other_sound):
        trade = _trade(core[size:], sound[size:], other[taken:], other_sound[taken:])
        if BRANDS[brand] + TRADES[trade] < BRANDS[best[0]] + TRADES[best[1]]:
            best = brand, trade, size
    return best


def _one_edit(core: str, sound: str, size: int, other: str, other_sound: str) -> Fit:
    places = [place for place in range(len(core)) if sound[place] != other_sound[place]]
    if places[0] >= size:
        return (
            ("same" if core[:size] == other[:size] else "sound"),
            _trade(core[size:], sound[size:], other[size:], other_sound[size:]),
            size,
        )
    brand = "swap" if len(places) == 2 else _mistaken(core[places[0]], other[places[0]], size)
    return brand, "same" if core[size:] == other[size:] else "sound", size


def _mistaken(one: str, other: str, size: int) -> str:
    """One other character in a brand: of a short brand that is half of it."""
    return "look" if look_alike(one, other) else "edit" if size >= 3 else "edit2"


def _brands(brand: str, sound: str, other: str, other_sound: str) -> list[tuple[str, int]]:
    """The ways in which a brand meets the head of the other core, each with the units it takes there."""
    size = len(brand)
    if other.startswith(brand):
        ways = [("same", size)]
    elif other_sound.startswith(sound):
        ways = [("sound", size)]
    else:
        ways = _changed(brand, sound, other[:size], other_sound[:size])
    if size >= 3 and Levenshtein.distance(sound, other_sound[: size - 1], score_cutoff=1) == 1:
        ways.append(("longer", size - 1))
    if len(other_sound) > size and Levenshtein.distance(sound, other_sound[: size + 1], score_cutoff=1) == 1:
        ways.append(("longer", size + 1))
    place = other_sound.find(sound, 1)
    if 0 < place <= 3:
        ways.append(("longer", place + size))
    return ways


def _changed(brand: str, sound: str, head: str, head_sound: str) -> list[tuple[str, int]]:
    size = len(brand)
    if len(head) < size:
        return []
    places = [place for place in range(size) if sound[place] != head_sound[place]]
    if len(places) == 1:
        return [(_mistaken(brand[places[0]], head[places[0]], size), size)]
    if len(places) == 2:
        first, second = places
        if second == first + 1 and sound[first] == head_sound[second] and sound[second] == head_sound[first]:
            return [("swap", size)]
        if size > 3:
            return [("edit2", size)]
    return []


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
    if large.startswith(small) or large.endswith(small) or (len(small) >= 2 and _inside(small, large)):
        return "short"
    return "overlap" if set(small) & set(large) else "differ"


def _inside(small: str, large: str) -> bool:
    rest = iter(large)
    return all(one in rest for one in small)

"""What a name consists of, and the guess where its brand ends."""

from __future__ import annotations

from functools import cache

import msgspec

from channel.deals.matching import text, words

LONGEST = 40
"""Units of a core that count."""


class Name(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One name in its parts. `core` and `sound` are equally long: a unit is a character, a pinyin syllable or a Latin letter."""

    text: str
    """The cleaned name, for exact comparison."""
    core: str = ""
    sound: str = ""
    brand: int = 0
    """How many units at the head of the core are the brand, by guess."""
    region: str = ""
    """GB/T 2260 code of the lowest division named, "" for none."""
    form: str = ""
    """The legal form's class: company, small, ""."""
    branch: str = ""
    """What makes it a branch, with its own place: 广州分公司."""
    branch_region: str = ""
    group: bool = False
    spare: str = ""
    """The core with a division's short name left on, where that may be the brand (金牛, 黄河)."""
    latin: bool = False
    note: str = ""
    full: bool = False
    """Whether it looks like a registered name: it says its legal form."""
    sure: bool = False
    """Whether only trade words follow the brand; else the split is a worse guess."""


@cache
def _trade_sounds() -> dict[str, tuple[str, ...]]:
    """Trade words as sounds, by their first sound, the longest first."""
    table: dict[str, set[str]] = {}
    for word in (*words.TRADES, "国际", "中国", "用品", "制品", "企业", "产品"):
        sound = text.sound_of(word)
        table.setdefault(sound[0], set()).add(sound)
    return {first: tuple(sorted(group, key=lambda one: (-len(one), one))) for first, group in table.items()}


def split(sound: str) -> tuple[int, bool]:
    """How many units of the core are brand, and whether that is sure: only trade words follow it.

    >>> split(text.sound_of("蓝思科技")), split(text.sound_of("利博优美网络服务"))
    ((2, True), (4, True))
    """
    size = len(sound)
    if size <= 2:
        return size, False
    trades = _trade_sounds()
    whole = [False] * (size + 1)
    whole[size] = True
    first = 0
    for start in range(size - 2, 1, -1):
        for word in trades.get(sound[start], ()):
            if sound.startswith(word, start):
                first = start
                if whole[start + len(word)]:
                    whole[start] = True
                    break
    for start in range(2, size):
        if whole[start]:
            return start, True
    if 2 <= first < 7:
        return first, False
    return (min(size, 4)), False

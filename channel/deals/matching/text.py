"""Text as it came, made comparable: one form for width, script, brackets and marks."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from channel.deals.matching import tables

LONGEST = 160
"""Characters of a name that count; a registered name has at most about 60. What is behind is cut, and the claim says so."""

_OPEN = "(（[【{〔〈《「『<〖﹙［｛"
_CLOSE = ")）]】}〕〉》」』>〗﹚］｝"
_KEEP_CATEGORY = {"Lu", "Ll", "Lo", "Nd", "Lm", "Nl", "Lt"}


def _one(char: str) -> str:
    """What one character becomes; "" for what is dropped, " " for what parts words."""
    if char in _OPEN:
        return "("
    if char in _CLOSE:
        return ")"
    if char in "&＆+＋":
        return " "
    point = ord(char)
    if 0xD800 <= point <= 0xF8FF or point >= 0xF0000:
        return ""  # lone surrogates and private characters
    kind = unicodedata.category(char)
    if kind.startswith("Z") or char in "\t\r\n,，;；/／\\|丨、:：":
        return " "
    if kind not in _KEEP_CATEGORY:
        return ""
    upper = char.upper()
    return "".join(chr(tables.simplified().get(ord(one), ord(one))) for one in upper)


class _Map(dict[int, str]):
    def __missing__(self, point: int) -> str:
        made = _one(chr(point))
        if len(self) < 60_000:
            self[point] = made
        return made


_MAP = _Map()


def clean(text: str, longest: int = LONGEST) -> str:
    """The text simplified, upper-case, half-width; brackets are ( and ); dots, dashes, signs, emoji and control characters are gone.

    Words stay parted by single spaces. Never longer than `longest` characters, whatever came.

    >>> clean("　深圳市藍思·科技（集團）ＡＢＣ")
    '深圳市蓝思科技(集团)ABC'
    """
    if not text:
        return ""
    cut = text[: 4 * longest]
    if not cut.isascii():
        cut = unicodedata.normalize("NFKC", cut)
    plain = cut.translate(_MAP)
    if " " in plain:
        plain = " ".join(plain.split())
    return plain[:longest]


def is_han(char: str) -> bool:
    """Whether this is a Chinese character."""
    return "\u3400" <= char <= "\u9fff" or char >= "\U00020000"


def sound_of(core: str) -> str:
    """The sound of every character of a text; what has no sound stands for itself."""
    return core.translate(tables.sounds())


@lru_cache(maxsize=4096)
def syllables_of(word: str) -> str | None:
    """A Latin word as sounds if it is pinyin throughout, else None. Longest first, with steps back.

    >>> syllables_of("LANSI") == sound_of("蓝思"), syllables_of("HKTDC")
    (True, None)
    """
    known = tables.syllables()
    lower = word.lower()
    if not lower.isascii() or not lower.isalpha() or len(lower) > 60:
        return None
    best: list[str | None] = [None] * (len(lower) + 1)
    best[len(lower)] = ""
    for start in range(len(lower) - 1, -1, -1):
        for end in range(min(start + 6, len(lower)), start, -1):
            rest = best[end]
            if rest is not None and lower[start:end] in known and (end - start > 1 or lower[start:end] in "aoe"):
                candidate = known[lower[start:end]] + rest
                held = best[start]
                if held is None or len(candidate) < len(held):
                    best[start] = candidate
    return best[0]

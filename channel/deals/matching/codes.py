"""统一社会信用代码 (GB 32100-2015): normalised, checked, and compared for typing errors."""

from __future__ import annotations

from functools import cache
from operator import mul

from channel.deals.matching import text

SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {symbol: value for value, symbol in enumerate(SYMBOLS)}
_ALLOWED = frozenset(SYMBOLS)
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_NEVER = str.maketrans("OIZSV", "0125Y")
"""The letters that a code never has, as the symbols that people mean."""


def normalise(raw: str) -> str:
    """A code without marks, upper-case; 18 characters if it is whole."""
    if not raw:
        return ""
    cleaned = text.clean(raw, 64).replace(" ", "").replace("(", "").replace(")", "")
    return "".join(char for char in cleaned if char.isascii())[:32]


def valid(code: str) -> bool:
    """Whether 18 characters keep both check rules of the standard.

    >>> valid("91350100M000100Y43"), valid("91350100M000100Y44")
    (True, False)
    """
    if len(code) != 18 or not _ALLOWED.issuperset(code):
        return False
    total = sum(map(mul, _WEIGHTS, map(_VALUE.__getitem__, code)))
    return SYMBOLS[(31 - total % 31) % 31] == code[17]


def organisation(code: str) -> str:
    """The nine characters of the organisation inside a code; "" if the code is not whole."""
    return code[8:17] if len(code) == 18 else ""


@cache
def _alike() -> frozenset[frozenset[str]]:
    return frozenset(
        frozenset(pair)
        for pair in ("0O", "0D", "0Q", "1I", "1L", "1T", "2Z", "5S", "8B", "6G", "UV", "UW", "VY", "MN", "17", "38", "69", "EF", "CG")
    )


def mended(code: str) -> tuple[str, ...]:
    """Valid codes that a wrong one may stand for by a look-alike letter, or by a single symbol taken for a look-alike. Few, ascending.

    >>> mended("9135O1OOMOOO1OOY43")
    ('91350100M000100Y43',)
    """
    if len(code) != 18:
        return ()
    swapped = code.translate(_NEVER)
    if valid(swapped):
        return (swapped,)
    found = set()
    for place, char in enumerate(swapped):
        for pair in _alike():
            if char in pair:
                (other,) = pair - {char}
                trial = swapped[:place] + other + swapped[place + 1 :]
                if other in _VALUE and valid(trial):
                    found.add(trial)
    for place in range(17):
        trial = swapped[:place] + swapped[place + 1] + swapped[place] + swapped[place + 2 :]
        if trial != swapped and valid(trial):
            found.add(trial)
    return tuple(sorted(found))[:6]

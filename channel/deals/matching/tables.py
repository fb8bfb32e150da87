"""The frozen tables: simplified characters, sounds, look-alikes, how common a word is. Loaded once, on first use.

A *sound* is one private character for one folded syllable, so that the sound of a name is a text as long as the name: zh/z, ch/c, sh/s,
n/l and -ng/-n are one, tones are gone, and the same character always gives the same sound (no reading by context: keys must not depend
on neighbours). `benchmarks/matching_tables.py` says where each table comes from.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

FIRST = 0xE000
"""The first private character; user text never has one (`text.py` drops them)."""


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath("data").joinpath(f"{name}.txt").read_text("utf-8").splitlines()


def fold(syllable: str) -> str:
    """A syllable with the sounds folded that people confuse.

    >>> fold("zhang"), fold("lan"), fold("nan"), fold("qiong")
    ('zan', 'lan', 'lan', 'qion')
    """
    for wide, narrow in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if syllable.startswith(wide):
            syllable = narrow + syllable[2:]
    if syllable[0] == "n" and len(syllable) > 1:
        syllable = "l" + syllable[1:]
    return syllable.removesuffix("g").replace("v", "u") if syllable.endswith("ng") else syllable.replace("v", "u")


@cache
def simplified() -> dict[int, int]:
    """From the code point of a traditional character to its simplified one."""
    return {ord(line[0]): ord(line[1]) for line in _lines("simplified")}


@cache
def syllables() -> dict[str, str]:
    """From a plain syllable (`zhang`) to its sound."""
    known: dict[str, str] = {}
    codes: dict[str, str] = {}
    for line in _lines("readings"):
        syllable = line.split(" ", 1)[0]
        folded = fold(syllable)
        known[syllable] = codes.setdefault(folded, chr(FIRST + len(codes)))
        known.setdefault(folded, codes[folded])
    return known


@cache
def sounds() -> dict[int, str]:
    """From a character's code point to its sound; second readings do not count."""
    codes, table = syllables(), {}
    for line in _lines("readings"):
        syllable, chars, _ = line.split(" ")
        for char in chars:
            if char != "-":
                table[ord(char)] = codes[syllable]
    for char, syllable in (("厦", "xia"), ("都", "du"), ("葉", "ye"), ("行", "xing"), ("乐", "le"), ("长", "chang"), ("重", "chong")):
        table[ord(char)] = codes[syllable]
    return table


@cache
def spellings() -> dict[str, str]:
    """From a character to its plain pinyin, not folded."""
    table: dict[str, str] = {}
    for line in _lines("readings"):
        syllable, chars, _ = line.split(" ")
        table.update(dict.fromkeys(chars, syllable))
    return table | {"厦": "xia", "都": "du", "佛": "fo", "长": "chang", "重": "chong"}


@cache
def other_sounds() -> dict[str, str]:
    """From a character to the sounds of its second readings, as one text."""
    codes, first, table = syllables(), sounds(), dict[str, str]()
    for line in _lines("readings"):
        syllable, _, chars = line.split(" ")
        for char in chars:
            if char != "-" and codes[syllable] != first.get(ord(char)):
                table[char] = table.get(char, "") + codes[syllable]
    for char, syllable in (("厦", "sha"), ("都", "dou"), ("长", "zhang"), ("重", "zhong")):
        table[char] = table.get(char, "") + codes[syllable]
    table["行"] = codes["hang"]
    table["乐"] = codes["yue"]
    return table


@cache
def letters() -> dict[str, str]:
    """From a sound to its folded letters: for comparing with a name written in Latin letters."""
    return {code: fold(syllable) for syllable, code in syllables().items()}


@cache
def shapes() -> dict[str, str]:
    """From a character to those that look like it."""
    return {line[0]: line[1:] for line in _lines("shapes")}


def look_alike(one: str, other: str) -> bool:
    """Whether two characters are easily taken for each other by the eye."""
    table = shapes()
    return other in table.get(one, "") or one in table.get(other, "")


@cache
def common_words() -> dict[str, int]:
    """From a word of running text to log2 of its count there."""
    return {word: int(level) for level, _, words in (line.partition(" ") for line in _lines("words")) for word in words.split(" ")}


@cache
def common_characters() -> dict[str, int]:
    """From a character to log2 of its count in running text."""
    return {char: int(level) for level, chars in (line.split(" ") for line in _lines("characters")) for char in chars}


def surprise(brand: str) -> float:
    """How telling a brand is, in bits: a common word says little, two rare characters say much. 6 to 40.

    >>> surprise("阳光") < surprise("琏升")
    True
    """
    single = common_characters()
    bits = sum(max(21.0 - single.get(char, 8), 2.0) for char in brand[:4])
    said = common_words().get(brand)
    if said is not None:
        bits = min(bits, 24.0 - said)
    return max(6.0, min(bits, 40.0))

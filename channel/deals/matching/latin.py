"""Names in English or pinyin: taken apart so that they sound like the Chinese name they stand for."""

from __future__ import annotations

import re
from functools import cache

from channel.deals.matching import regions, text, words
from channel.deals.matching.parts import LONGEST, Name, split
from channel.deals.matching.tables import syllables

_WORD = re.compile("[A-Z]+|[0-9]+|[^A-Z0-9 ()]+")


def read(cleaned: str, body: str, region: str, note: str, *, headed: bool, group: bool) -> Name:
    """An English or pinyin name: `SHENZHEN LANSI TECHNOLOGY CO LTD` sounds like 蓝思科技 of 深圳.

    `body`: without brackets, notes and a place at its head; `headed`: there was one, `region`: where.
    """
    parts: list[str] = []
    form, branch, trade_seen = "", "", False
    place_said, taken, before, branded = headed, "", region, False
    found = _rejoined(_WORD.findall(body))
    for word in found:
        if word in words.ENGLISH_FORMS:
            form = "company" if parts else form
        elif word in words.ENGLISH_GROUPS:
            group = True
        elif word in words.ENGLISH_BRANCH:
            branch = "分公司"
        elif word in words.ENGLISH_TRADES:
            parts.append(words.ENGLISH_TRADES[word])
            trade_seen = True
        elif word in {"CITY", "PROVINCE", "CHINA"} and (region or word == "CHINA"):
            continue
        elif word in {"SHI", "SHENG", "QU"} and place_said and not parts:
            place_said = False  # what kind of place it was; further on it is a brand: MEI SHENG
        else:
            place = regions.latin().get(word) or regions.latin().get(text.syllables_of(word) or "-", "")
            if (
                place
                and (not region or regions.within(place, region) or regions.within(region, place))
                and (trade_seen if parts else place != region)  # XIAN XIAN TRADING: the second one is the brand
            ):
                before, region, place_said, taken = region, place, True, word
                continue
            parts.append(word)
            branded = True
    if taken and not branded:  # LINDE TRADING: what sounds like a place is the brand
        parts, region = [taken, *parts], before
    core, sound = _latin_units(parts)
    told = sum(len(words.ENGLISH_TRADES.get(word, "")) for word in found) if trade_seen else 0
    core, sound, region, spare = _glued_region(core, sound, region, told)
    for tail in _glued_forms():
        if sound.endswith(tail) and len(sound) - len(tail) >= 2:
            core, sound, form = core[: -len(tail)], sound[: -len(tail)], "company"
            spare = spare[: -len(tail)]
    brand, sure = split(sound)
    return Name(
        cleaned, core[:LONGEST], sound[:LONGEST], brand, region, form, branch, "", group, spare[:LONGEST], True, note, bool(form), sure
    )


def _rejoined(found: list[str]) -> list[str]:
    """The words of a name, those whole again that a mark had cut: DONGGU AN, LANS IKEJI."""
    whole: list[str] = []
    for word in found:
        if whole and word.isascii() and word.isalpha() and whole[-1].isalpha() and word not in words.ENGLISH_FORMS:
            last = whole[-1]
            if last.isascii() and last not in words.ENGLISH_TRADES and word not in words.ENGLISH_TRADES and _torn(last, word, len(whole)):
                whole[-1] += word
                continue
        whole.append(word)
    return whole


def _torn(last: str, word: str, place: int) -> bool:
    """Whether two words are pinyin or a place only together."""
    if place == 1 and last + word in regions.latin() and last not in regions.latin():
        return True
    whole = text.syllables_of(last) and text.syllables_of(word)
    return not whole and len(last) + len(word) > 4 and bool(text.syllables_of(last + word))


def _latin_units(parts: list[str]) -> tuple[str, str]:
    made = []
    for part in parts:
        spelled = text.syllables_of(part) if part.isascii() and part.isalpha() and len(part) >= 2 else None
        made.append(spelled or part)
    core = "".join(made)
    return core, text.sound_of(core)


@cache
def _glued_forms() -> tuple[str, ...]:
    return tuple(text.sound_of(one) for one in ("股份有限公司", "有限责任公司", "有限公司", "公司", "集团"))


def _glued_region(core: str, sound: str, region: str, trades: int) -> tuple[str, str, str, str]:
    """SHENZHENSHILANSIKEJI: the place and its kind written as one word with the rest.

    Core, sound, place; and the core with the last place left on, since it may be the brand: YUNLINGGUO is not of 云林. A place is only
    cut inside of the one said before, and where more is left than the `trades` units that English words gave: LINDE TRADING is a brand.
    """
    if not sound or sound[0] not in syllables().values():
        return core, sound, region, ""
    kinds = {text.sound_of(kind) for kind in ("市", "省")}
    spare = ""
    for _ in range(2):
        for length in (4, 3, 2):
            code = regions.latin().get(sound[:length])
            if code and len(sound) - length - trades >= 2 and (not region or (code != region and regions.within(code, region))):
                step = length + (1 if sound[length] in kinds and len(sound) - length >= 3 else 0)
                spare, core, sound, region = core[length if step > length else 0 :], core[step:], sound[step:], code
                break
        else:
            break
    return core, sound, region, spare

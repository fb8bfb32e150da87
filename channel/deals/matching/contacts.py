"""Phones, contacts and addresses, made comparable."""

from __future__ import annotations

import re
import unicodedata

from channel.deals.matching import regions, text

_EXTENSION = re.compile(r"(?:转|分机|EXT|#|\bX)\D{0,2}(\d{1,6})\s*$", re.IGNORECASE)
_MOBILE = re.compile(r"(?<!\d)(?:0|\+?86|0086)?(1[3-9]\d{9})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(?:\+?86|0086)?(0(?:10|2[0-9]|[3-9]\d{2}))(\d{7,8})(?!\d)")
_NO_ZERO = re.compile(r"(?:0086|86)?((?:10|2[0-9])\d{8}|[3-9]\d{2}\d{8})")
_SERVICE = re.compile(r"(?<!\d)([48]00\d{7})(?!\d)")
_BARE = re.compile(r"(?<!\d)([2-8]\d{6,7})(?!\d)")
_SEPARATORS = re.compile(r"[,，;；/、|]| {2,}")
_TITLES = re.compile(
    "(总经理|副总|经理|主任|部长|科长|处长|厂长|老师|先生|女士|小姐|总监|工程师|主管|会计|助理|师傅|董事长|董|总|工|姐|哥|老板|MR|MS|MRS|MISS)$"
)


def phones(raw: str) -> tuple[str, ...]:
    """Numbers in a field, national form, without extension; at most four. `0755-26781234转801` is 075526781234.

    >>> phones("+86 138-0013-8000；(0755)26781234-801"), phones("abc")
    (('13800138000', '075526781234'), ())
    """
    if not raw:
        return ()
    found: dict[str, None] = {}
    for part in _SEPARATORS.split(_digits(raw[:200])):
        one = _one_phone(part)
        if one:
            found[one] = None
    if not found:
        one = _one_phone(_digits(raw[:200]).replace(" ", ""))
        if one:
            found[one] = None
    return tuple(found)[:4]


def _digits(raw: str) -> str:
    return raw if raw.isascii() else unicodedata.normalize("NFKC", raw)


def _one_phone(part: str) -> str:
    part = _EXTENSION.sub("", part)
    bare = re.sub(r"[^\d]", "", part)
    if not bare:
        return ""
    for pattern in (_MOBILE, _SERVICE):
        found = pattern.search(bare)
        if found:
            return found.group(1)
    pieces = re.findall(r"\d+", part)
    if len(pieces) > 1 and len(pieces[-1]) <= 5 and len("".join(pieces[:-1])) >= 10:
        bare = "".join(pieces[:-1])  # a trailing -801 is an extension
    found = _LANDLINE.search(bare)
    if found:
        return found.group(1) + found.group(2)
    found = _NO_ZERO.fullmatch(bare)
    if found:
        return "0" + found.group(1)
    found = _BARE.fullmatch(bare)
    if found:
        return found.group(1)
    return bare if 7 <= len(bare) <= 15 else ""


def contact(raw: str) -> str:
    """A person's name without title and marks: 张伟经理 is 张伟, 张总 is 张.

    >>> contact("张伟 经理"), contact("李总")
    ('张伟', '李')
    """
    if not raw:
        return ""
    cleaned = re.sub(r"\([^)]*\)?|\d+", "", text.clean(raw, 40)).replace(" ", "")
    while True:
        shorter = _TITLES.sub("", cleaned)
        if shorter == cleaned or not shorter:
            return cleaned[:20]
        cleaned = shorter


_STREET = re.compile(r"([\u3400-\u9fff0-9A-Z]{1,10}?(?:路|街|大道|道|巷|弄|胡同|大街|环路|公路))")
_CHINESE_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")


def address(raw: str) -> tuple[str, str, str]:
    """Division code, street, and the numbers joined by dots: what of an address is worth comparing.

    >>> address("深圳市南山区科技园路12号3栋501室")
    ('440305', '科技园路', '12.3.501')
    """
    if not raw:
        return "", "", ""
    cleaned = text.clean(raw, 120).replace(" ", "").replace("(", "").replace(")", "")
    end, code, _ = regions.walk(cleaned)
    rest = cleaned[end:]
    found = _STREET.search(rest)
    street = found.group(1)[-8:] if found else rest[:6]
    numbers = re.findall(r"\d+", rest[found.end() :] if found else rest)
    return code, street, ".".join(numbers[:4])

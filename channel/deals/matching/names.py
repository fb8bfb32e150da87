"""A company name taken apart: region, core (brand and trade), legal form, branch, notes. Nothing here guesses with chance.

The split of the core into brand and trade is a guess (about seven in ten are exact), so keys and scores never rest on it alone.
"""

from __future__ import annotations

import re
from functools import cache

from channel.deals.matching import latin, regions, text, words
from channel.deals.matching.parts import LONGEST, Name, split

_ANCHOR = re.compile(
    "("
    + "|".join(map(re.escape, ("有限责任公司", "股份有限公司", "有限公司", "股份公司", "集团公司", "总公司")))
    + ")(?!.*(?:有限责任公司|有限公司))"
)
_COMPANY_END = re.compile("公司")
_BRANCH = re.compile("^(.{0,14}?)(" + "|".join(sorted(map(re.escape, words.BRANCH), key=len, reverse=True)) + ")")
_SURE = re.compile("(" + "|".join(sorted(map(re.escape, words.SURE_BRANCH), key=len, reverse=True)) + ")$")
_BRACKET = re.compile(r"\(([^()]*)\)?")
_BARE_NOTE = re.compile("(" + "|".join(sorted((re.escape(one.upper()) for one in words.BARE_NOTES), key=len, reverse=True)) + ")$")
_DEPARTMENT = re.compile("(?<=部|店|厂|行|社|坊)(" + "|".join(sorted(words.DEPARTMENTS, key=len, reverse=True)) + ")$")
_NUMERALS = str.maketrans("0123456789〇", "零一二三四五六七八九零")
_WIDE = ("中国", "国际", "全国", "中华", "实业", "高新")
_PERSON = re.compile("^[\u3400-\u9fff]{1,3}?(?:总|工|经理|先生|女士|主任|老师|老板|介绍|厂长|部长|科长)$")
_NOTE_WORDS = frozenset(one.upper() for one in words.NOTES)
_PERIOD = re.compile("^第?[一二三四五六七八九十0-9]{1,3}(期|部|厂|区|号楼?|标段?|线|批)")
_DIGITS = re.compile("[0-9]{5,}")
_FLAGS = {"集团", "控股", "中国", "有限", "股份", "国际"}
_TOWNSHIP = re.compile("^[\u3400-\u9fff]{1,3}?(?:镇|乡|街道)(?=..)")
_SHOPS = ("书店", "药店", "酒店", "饭店", "花店", "商店", "网店", "粮店", "旅店", "大药房")
_HEAD_NOTE = re.compile("^(客户|公司名称?|单位|名称|甲方|项目|最终用户|终端)(?= )")
_LATIN = re.compile("[0-9A-Z]")
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")


def parse(raw: str) -> Name:
    """The parts of a name. Never fails: an empty or odd name has an empty core."""
    cleaned = text.clean(raw)
    if not cleaned:
        return Name("")
    cleaned = _HEAD_NOTE.sub("", cleaned).strip()
    if _LATIN.search(cleaned) and (not _HAN.search(cleaned) or _mostly_latin(cleaned)):
        body, region, group, note = _brackets(cleaned)
        end, head, _ = regions.walk(body)
        return latin.read(cleaned, _cut_notes(body[end:]), head or region, note, headed=bool(head), group=group)
    return _chinese(cleaned)


def _mostly_latin(cleaned: str) -> bool:
    letters = sum(1 for char in cleaned if "A" <= char <= "Z")
    return letters >= 10 and letters > 2 * sum(1 for char in cleaned if text.is_han(char))


def _chinese(cleaned: str) -> Name:
    body, region, group, note = _brackets(cleaned)
    body, note = _spaced(body, note)
    body, branch, tail = _branch(body)
    note = note or tail
    branch_region = regions.walk(branch)[1] if branch else ""
    if not branch:
        body = _cut_notes(body)
    end, own, said = regions.walk(body)
    if not end and len(body) >= 6:  # 州广市: the first two characters swapped
        swapped = body[1] + body[0] + body[2:]
        end, own, said = regions.walk(swapped)
        end, own, said = (end, own, said) if said else (0, "", False)
        body = swapped if end else body
    spare = ""
    if end and len(body) - end < 2:
        end, own = 0, ""
    elif end and not said and (regions.level(own) == 3 or len(body) - end <= 3):
        spare = body[_last_said(body, end) :]
    rest = body[end:]
    township = _TOWNSHIP.match(rest) if end else None
    if township:
        rest = rest[township.end() :]
    rest, form, grouped = _form(rest)
    if end and len(rest) < 2:  # the place was the brand: 金牛公司
        rest, form, grouped = _form(body)
        own, spare = "", ""
    elif spare:
        spare = _form(spare)[0]
    rest, own = _tail_region(rest, own)
    if rest.startswith(_WIDE) and len(rest) >= 4:
        spare, rest = rest, rest[2:]
    if own and region and not regions.within(region, own):
        region = own  # the bracket tells a site; the head tells the seat
    return _finish(cleaned, rest, spare, region or own, form, branch, branch_region, group=group or grouped, note=note)


def _last_said(body: str, end: int) -> int:
    """Where the last division began that was cut by its short name."""
    start, code = 0, ""
    while True:
        further, lower, _ = regions.prefix(body, start, code)
        if further >= end or further == start:
            return start
        start, code = further, lower


def _finish(
    cleaned: str,
    core: str,
    spare: str,
    region: str,
    form: str,
    branch: str,
    branch_region: str,
    *,
    group: bool,
    note: str,
) -> Name:
    if "集团" in core and len(core) > 4 and not core.startswith("集团"):
        core, group = core.replace("集团", "", 1), True
    core, sound = units(core)
    brand, sure = split(sound)
    if spare:
        spare = units(spare)[0]
    return Name(
        cleaned,
        core[:LONGEST],
        sound[:LONGEST],
        brand,
        region,
        form,
        branch,
        branch_region,
        group,
        spare[:LONGEST] if spare != core else "",
        latin=False,
        note=note,
        full=bool(form),
        sure=sure,
    )


def units(core: str) -> tuple[str, str]:
    """A core as units and their sounds: pinyin inside it becomes sounds, other Latin letters stay letters."""
    if core.isascii() or any("A" <= char <= "Z" for char in core):
        made = []
        for run in re.findall("[A-Z]+|[^A-Z]+", core.replace(" ", "")):
            spelled = text.syllables_of(run) if run[0].isascii() and run[0].isalpha() and len(run) >= 2 else None
            made.append(spelled if spelled and len(spelled) <= len(run) // 2 + 1 else run)
        core = "".join(made)
    else:
        core = core.replace(" ", "")
    core = core.translate(_NUMERALS)
    return core, text.sound_of(core)


def _brackets(cleaned: str) -> tuple[str, str, bool, str]:
    """The name without its brackets, the place that one of them named, whether one said 集团, and the notes."""
    if "(" not in cleaned and ")" not in cleaned:
        return cleaned, "", False, ""
    region, group, notes = "", False, []
    out, last = [], 0
    for found in _BRACKET.finditer(cleaned):
        out.append(cleaned[last : found.start()])
        last = found.end()
        inside = found.group(1).strip()
        end, code, _ = regions.walk(inside)
        if code and end == len(inside):
            region = region or code
        elif inside in _FLAGS:
            group = group or inside in {"集团", "控股"}
        elif _SURE.search(inside) and not out[-1].endswith(")"):
            out.append(inside)
        elif (found.start() == 0 and not _is_note(inside)) or inside:
            notes.append(inside)
    out.append(cleaned[last:].replace(")", " "))
    body = "".join(out).strip()
    if len(body) < 2 and notes:
        return notes[0], region, group, ""
    return body, region, group, " ".join(notes)


def _is_note(part: str) -> bool:
    return part in _NOTE_WORDS or bool(_PERIOD.match(part) or _DIGITS.search(part) or _PERSON.match(part))


def _spaced(body: str, note: str) -> tuple[str, str]:
    """Spaces parted by people: behind a legal form comes a note; else the parts belong together."""
    if " " not in body:
        return body, note
    parts = body.split(" ")
    while len(parts) > 1 and _is_note(parts[-1]):
        note = note or parts[-1]
        parts.pop()
    while len(parts) > 1 and _is_note(parts[0]):
        parts.pop(0)
    for place, part in enumerate(parts[:-1]):
        if (
            part.endswith(("公司", "集团", "厂"))
            and not _BRANCH.match("".join(parts[place + 1 :]))
            and len("".join(parts[: place + 1])) >= 6
        ):
            return "".join(parts[: place + 1]), note or " ".join(parts[place + 1 :])
    latin = any(part.isascii() for part in parts)
    return (" ".join(parts) if latin else "".join(parts)), note


def _branch(body: str) -> tuple[str, str, str]:
    """The parent's part, the branch, a note: what stands behind the legal form is one or the other."""
    found = _ANCHOR.search(body)
    if found and found.end() < len(body):
        tail = body[found.end() :].strip()
        branch = _BRANCH.match(tail)
        if branch:
            return body[: found.end()], branch.group(0), tail[branch.end() :]
        return body[: found.end()], "", tail
    sure = _SURE.search(body)
    if sure and sure.start() >= 4:
        head = body[: sure.start()]
        for start in range(max(len(head) - 11, 2), len(head) - 1):
            end, code, _ = regions.walk(head, start)
            if code and len(head) - end <= 2:
                return head[:start], head[start:] + sure.group(0), ""
        parted = head.rfind("公司")
        if parted > 2:
            return head[: parted + 2], head[parted + 2 :] + sure.group(0), ""
        return head, sure.group(0), ""
    return body, "", ""


def _cut_notes(body: str) -> str:
    for _ in range(3):
        found = _BARE_NOTE.search(body) or _DEPARTMENT.search(body)
        if not found or found.start() < 4:
            return body
        body = body[: found.start()].strip()
    return body


@cache
def _by_last(forms: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {}
    for form in sorted(forms, key=len, reverse=True):
        table.setdefault(form[-1], []).append(form)
    return {last: tuple(group) for last, group in table.items()}


@cache
def _limited() -> str:
    return text.sound_of("有限公司")


def _form(rest: str) -> tuple[str, str, bool]:
    """The name without its legal form, the form's class, and whether it is a group."""
    form, group = "", False
    if len(rest) >= 6 and text.sound_of(rest[-4:]) == _limited():
        rest = rest[:-4] + "有限公司"  # 有线公司, 有限公思
    companies, small = _by_last(words.COMPANY), _by_last(words.SMALL)
    for _ in range(3):
        one = next((one for one in companies.get(rest[-1:], ()) if rest.endswith(one) and len(rest) - len(one) >= 2), "")
        if not one:
            break
        group = group or "集团" in one or "控股" in one
        rest, form = rest[: -len(one)].strip(), "company"
    if form:
        return rest, form, group
    for one in small.get(rest[-1:], ()):
        if rest.endswith(one) and len(rest) - len(one) >= (2 if len(one) > 1 else 3) and not (len(one) == 1 and rest.endswith(_SHOPS)):
            return rest[: -len(one)].strip(), "small", group
    return rest, form, group


def _tail_region(rest: str, own: str) -> tuple[str, str]:
    """环球国际航运青岛: a place between trade and legal form."""
    for length in (3, 2):
        if len(rest) - length < 4:
            continue
        codes = regions.by_name().get(rest[-length:])
        if codes and regions.level(codes[0]) <= 2 and not own:
            return rest[:-length], codes[0]
    return rest, own

"""Administrative divisions (GB/T 2260) by name: at the head of a company name, in a bracket, in a city field, in an address."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files

from channel.deals.matching import text
from channel.deals.matching.tables import other_sounds, sounds, spellings

_ENGLISH = {
    "HONGKONG": "810000",
    "HK": "810000",
    "MACAU": "820000",
    "MACAO": "820000",
    "TAIWAN": "710000",
    "TIBET": "540000",
    "INNERMONGOLIA": "150000",
    "PEKING": "110000",
    "CANTON": "440100",
    "HARBIN": "230100",
    "URUMQI": "650100",
    "TSINGTAO": "370200",
    "LHASA": "540100",
    "HOHHOT": "150100",
    "SHAANXI": "610000",
}
"""Places whose English name is not their pinyin."""
MUNICIPALITIES = ("11", "12", "31", "50")
_PEOPLES = re.compile(
    "(?:壮族|回族|维吾尔|蒙古族?|藏族|羌族|彝族|苗族|侗族|布依族|土家族|哈尼族|傣族|白族|景颇族|傈僳族|朝鲜族|哈萨克|柯尔克孜|满族|瑶族|土族|撒拉族|黎族|畲族|各族|仡佬族|水族|纳西族|拉祜族"
    "|佤族|布朗族|独龙族|怒族|普米族|裕固族|东乡族|保安族|仫佬族|毛南族|达斡尔族?|鄂温克族?|鄂伦春|锡伯|塔吉克|俄罗斯族?|羌)+"
)
_KINDS = ("特别行政区", "自治区", "自治州", "自治县", "自治旗", "新区", "矿区", "林区", "地区", "省", "市", "区", "县", "盟", "旗", "州")


def short_name(name: str) -> str:
    """A division's name without its kind.

    >>> short_name("广西壮族自治区"), short_name("凉山彝族自治州"), short_name("深圳市"), short_name("矿区")
    ('广西', '凉山', '深圳', '矿区')
    """
    for kind in _KINDS:
        if name.endswith(kind) and len(name) > len(kind) + 1:
            bare = name[: -len(kind)]
            if kind.startswith("自治"):
                found = _PEOPLES.search(bare)
                bare = bare[: found.start()] if found and found.start() >= 2 else bare
            return bare
    return name


@lru_cache(maxsize=8192)
def level(code: str) -> int:
    """1 province, 2 prefecture, 3 county."""
    return 1 if code.endswith("0000") else 2 if code.endswith("00") else 3


@cache
def by_name() -> dict[str, tuple[str, ...]]:
    """From a name, full or short, to its codes, the highest level first."""
    found: dict[str, dict[str, None]] = {}
    for line in files(__package__).joinpath("data").joinpath("regions.txt").read_text("utf-8").splitlines():
        code, name = line.split(" ", 1)
        if name in ("市辖区", "县", "郊区", "矿区", "城区", "市区") or len(name) < 2:
            continue
        found.setdefault(name, {})[code] = None
        short = short_name(name)
        if len(short) >= 2 and short != name:
            found.setdefault(short, {})[code] = None
            if level(code) == 2:
                found.setdefault(short + "市", {})[code] = None
                if name.endswith("自治州"):
                    found.setdefault(short + "州", {})[code] = None
    for name, code in (("内蒙", "150000"), ("粤", "440000")):
        if len(name) > 1:
            found.setdefault(name, {})[code] = None
    for name, code in (
        ("雄安新区", "130600"),
        ("浦东", "310115"),
        ("浦东新区", "310115"),
        ("滨海新区", "120116"),
        ("两江新区", "500000"),
        ("前海", "440305"),
    ):
        found.setdefault(name, {})[code] = None
    return {name: tuple(sorted(codes, key=lambda code: (level(code), code))) for name, codes in found.items()}


@cache
def _by_head() -> dict[str, tuple[tuple[str, tuple[str, ...], bool], ...]]:
    """From the first two characters to the names that begin so, the longest first: name, codes, whether it says its kind."""
    heads: dict[str, list[tuple[str, tuple[str, ...], bool]]] = {}
    for name, codes in by_name().items():
        heads.setdefault(name[:2], []).append((name, codes, name.endswith(_KINDS) and short_name(name) != name))
    return {head: tuple(sorted(names, key=lambda one: (-len(one[0]), one[0]))) for head, names in heads.items()}


def prefix(name: str, start: int, parent: str) -> tuple[int, str, bool]:
    """The longest division name at `start`: its end, its code, and whether it says its kind (市, 县…). End == start: none.

    `parent` is the code found before ("" for none): it decides between divisions of one name, and allows districts without 区.
    """
    for division, codes, said in _by_head().get(name[start : start + 2], ()):
        if not name.startswith(division, start):
            continue
        code = choose(codes, parent)
        if not code or (parent and not within(code, parent)):
            continue
        if not parent and not said and level(code) == 3 and 1 <= int(code[4:]) <= 20:
            continue  # 福田, 朝阳: a district's short name alone is as often a brand
        return start + len(division), code, said
    return start, "", False


def choose(codes: tuple[str, ...], parent: str) -> str:
    """The code meant: inside the parent where there is one, else the highest level."""
    if parent:
        return next((code for code in codes if within(code, parent) and code != parent), "" if parent not in codes else parent)
    return codes[0]


@lru_cache(maxsize=65536)
def within(code: str, parent: str) -> bool:
    """Whether a division lies in another, or is it."""
    if level(parent) == 1:
        return code[:2] == parent[:2]
    if level(parent) == 2:
        return code[:4] == parent[:4]
    return code == parent


@lru_cache(maxsize=8192)
def prefecture(code: str) -> str:
    """The code of the prefecture (or municipality) that a division lies in; "" for a province or nothing."""
    if not code:
        return ""
    if code[:2] in MUNICIPALITIES:
        return code[:2] + "0000"
    return "" if level(code) == 1 else code[:4] + "00"


def walk(name: str, start: int = 0) -> tuple[int, str, bool]:
    """Up to three divisions in a row from `start`: where they end, the lowest one's code, whether the last says its kind.

    A second one outside of the first (佛山市广东…, 北京黑龙江…) goes too, where it says its kind or is no county: the
    nearer to the brand counts, unless it only holds the first.
    """
    end, code, said = start, "", False
    for _ in range(3):
        further, lower, says = prefix(name, end, code)
        if further == end and code:
            further, lower, says = prefix(name, end, "")
            if further > end and (len(name) - further < 4 or (level(lower) == 3 and not says)):
                break
            if further > end and within(code, lower):
                lower = code
        if further == end:
            break
        end, code, said = further, lower, says
    return end, code, said


@lru_cache(maxsize=65536)
def lookup(field: str) -> str:
    """The code of a place written alone, such as a city field; "" if it is none known."""
    code = walk(field)[1]
    if code:
        return code
    codes = by_name().get(field)
    if codes:
        return codes[0]
    word = field.replace(" ", "")
    return latin().get(word) or latin().get(text.syllables_of(word) or "", "")


@cache
def latin() -> dict[str, str]:
    """From pinyin (`SHENZHEN`, `GUANGDONG`) to the code: provinces, prefectures and cities of county level."""
    table: dict[str, str] = {}
    for name, codes in by_name().items():
        code = codes[0]
        if name != short_name(name) or (level(code) == 3 and int(code[4:]) <= 80):
            continue
        if all(ord(char) in sounds() for char in name):
            table.setdefault(text.sound_of(name), code)
            table.setdefault("".join(spellings()[char] for char in name).upper(), code)
            for place, char in enumerate(name):  # 佛山, 厦门: a place keeps its own reading
                for other in other_sounds().get(char, ""):
                    key = text.sound_of(name[:place]) + other + text.sound_of(name[place + 1 :])
                    table.setdefault(key, code)
    return table | _ENGLISH


@cache
def _one_sound() -> dict[str, str]:
    """From a prefecture's code to the sound of its short name."""
    return {codes[0]: text.sound_of(name) for name, codes in by_name().items() if level(codes[0]) <= 2 and name == short_name(name)}


def sound_alike(one: str, other: str) -> bool:
    """Whether two divisions cannot be told apart in pinyin: 福州, 抚州."""
    table = _one_sound()
    heard = {table.get(code) for code in (one, prefecture(one)) if code} - {None}
    return bool(heard & {table.get(code) for code in (other, prefecture(other)) if code})

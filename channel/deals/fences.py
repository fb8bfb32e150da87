"""Fences: where, in which trade and with which products a dealer may sell, and where nobody but he may. Pure.

A dealer without fences sells everywhere, except inside another's exclusive fence. A dealer with fences sells inside of them: each is one
allowed area. What is not known about a place or a trade is a question for a person, never a yes.

>>> from uuid import UUID
>>> east, west = UUID(int=1), UUID(int=2)
>>> shanghai = Fence(1, east, region="31", exclusive=True)
>>> judge(Place(west, region="310115"), [shanghai]).effect, judge(Place(east, region="310115"), [shanghai]).effect
('block', 'allow')
>>> judge(Place(east, region="320500"), [shanghai]).code
'outside_own_area'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal
from uuid import UUID

from channel.deals.registrations import FenceVerdict

Effect = Literal["block", "flag"]
Cover = Literal["no", "maybe", "yes"]
_ORDER: Final = {"allow": 0, "flag": 1, "block": 2}

SECTIONS: Final = (
    ("A", 1, 5), ("B", 6, 12), ("C", 13, 43), ("D", 44, 46), ("E", 47, 50), ("F", 51, 52), ("G", 53, 60), ("H", 61, 62), ("I", 63, 65),
    ("J", 66, 69), ("K", 70, 70), ("L", 71, 72), ("M", 73, 75), ("N", 76, 79), ("O", 80, 82), ("P", 83, 83), ("Q", 84, 85), ("R", 86, 90),
    ("S", 91, 96), ("T", 97, 97),
)  # fmt: skip
"""Sections of GB/T 4754-2017 by their divisions, first and last."""


@dataclass(frozen=True, slots=True)
class Fence:
    """One allowed area of a dealer. An empty condition holds for everything.

    `outside`: what becomes of a claim or order of this dealer beyond his areas and, when `exclusive`, of anybody else's inside this one.
    Time: `valid_from` and `valid_to` are business days (Asia/Shanghai), both inclusive.
    """

    id: int
    dealer_id: UUID
    region: str = ""
    """GB/T 2260 prefix: 2, 4 or 6 digits."""
    industry: str = ""
    """GB/T 4754 prefix: `C`, `C34`, `34`, `3441`."""
    product_line: str = ""
    exclusive: bool = False
    outside: Effect = "block"
    valid_from: date = date.min
    valid_to: date = date.max


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody would sell. Empty means not known, and for the product line: every line."""

    dealer_id: UUID
    region: str = ""
    industry: str = ""
    product_line: str = ""
    on: date | None = None
    """Business day; None: whatever the day."""
    above: tuple[UUID, ...] = ()
    """The dealers above him in the channel, nearest first: he may sell where they may, and uses their areas when he has none of his own."""
    doubt: Literal["ask", "trust"] = "ask"
    """What is not known: ask a person (a claim), or take it for fine (goods on the road, of which nobody told the trade)."""


def industry_path(code: str) -> str:
    """A GB/T 4754 code with its section: what a prefix can be compared with.

    >>> industry_path("3441"), industry_path("c34"), industry_path("C"), industry_path("通用设备")
    ('C3441', 'C34', 'C', '')
    """
    code = code.strip().upper()
    if len(code) == 1 and "A" <= code <= "T":
        return code
    letter, digits = (code[0], code[1:]) if code[:1].isalpha() else ("", code)
    if not (digits.isascii() and digits.isdigit() and 2 <= len(digits) <= 4):
        return ""
    section = next((name for name, first, last in SECTIONS if first <= int(digits[:2]) <= last), "")
    return section + digits if section and letter in ("", section) else ""


def _prefix(wanted: str, known: str) -> Cover:
    """Whether what is known lies under the prefix: `maybe` when it is less precise than the prefix, or not known."""
    if known.startswith(wanted):
        return "yes"
    return "maybe" if wanted.startswith(known) else "no"


def division(code: str) -> str:
    """A GB/T 2260 code as a prefix: 310000 and 31 are the same place.

    >>> division("310000"), division("320500"), division("310115"), division("上海")
    ('31', '3205', '310115', '')
    """
    if not (code.isascii() and code.isdigit() and len(code) in (2, 4, 6)):
        return ""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def cover(fence: Fence, place: Place) -> Cover:
    """Whether the fence's area holds the place."""
    if place.on is not None and not fence.valid_from <= place.on <= fence.valid_to:
        return "no"
    parts = [
        _prefix(division(fence.region), division(place.region)),
        _prefix(industry_path(fence.industry), industry_path(place.industry)),
        "yes" if fence.product_line in ("", place.product_line) else "maybe" if not place.product_line else "no",
    ]
    return "no" if "no" in parts else "maybe" if "maybe" in parts else "yes"


def judge(place: Place, fences: Iterable[Fence]) -> FenceVerdict:
    """Whether the dealer may sell there, by all these fences.

    The strictest answer counts: another's exclusive area before one's own. A fence of anybody else never frees.
    """
    standing = [fence for fence in fences if place.on is None or fence.valid_from <= place.on <= fence.valid_to]
    friends = (place.dealer_id, *place.above)
    own = next((mine for who in friends if (mine := [fence for fence in standing if fence.dealer_id == who])), [])
    verdicts = [_inside_own(place, own)]
    # Who holds the area himself, alone or under the dealer above him, is no stranger in it.
    at_home = any(fence.exclusive and fence.dealer_id in friends and cover(fence, place) == "yes" for fence in standing)
    if not at_home:
        verdicts += [_another(place, fence) for fence in standing if fence.exclusive and fence.dealer_id not in friends]
    return max(verdicts, key=lambda one: (_ORDER[one.effect], -(one.fence_id or 0)))


def _inside_own(place: Place, own: Sequence[Fence]) -> FenceVerdict:
    if not own:
        return FenceVerdict()
    covers = [cover(fence, place) for fence in own]
    if "yes" in covers:
        return FenceVerdict()
    if "maybe" in covers:
        return (
            FenceVerdict()
            if place.doubt == "trust"
            else FenceVerdict("flag", "place_unknown", own[covers.index("maybe")].id, _facts(place))
        )
    strictest = max(own, key=lambda fence: (_ORDER[fence.outside], -fence.id))
    return FenceVerdict(strictest.outside, "outside_own_area", strictest.id, _facts(place))


def _another(place: Place, fence: Fence) -> FenceVerdict:
    found = cover(fence, place)
    if found == "yes":
        return FenceVerdict(fence.outside, "exclusive_of_another", fence.id, _facts(place))
    if found == "maybe" and place.doubt == "ask":
        return FenceVerdict("flag", "perhaps_exclusive", fence.id, _facts(place))
    return FenceVerdict()


def _facts(place: Place) -> dict[str, str]:
    return {"region": place.region, "industry": place.industry, "product_line": place.product_line}


def contradictions(fences: Sequence[Fence]) -> list[tuple[Fence, Fence]]:
    """Pairs of two dealers' exclusive fences that hold one place at one time: each promises it to one dealer alone."""
    found = []
    only = [fence for fence in fences if fence.exclusive]
    for number, one in enumerate(only):
        for other in only[number + 1 :]:
            if one.dealer_id == other.dealer_id or one.valid_from > other.valid_to or other.valid_from > one.valid_to:
                continue
            places = (
                (division(one.region), division(other.region)),
                (industry_path(one.industry), industry_path(other.industry)),
            )
            near = all(left.startswith(right) or right.startswith(left) for left, right in places)
            if near and ("" in (one.product_line, other.product_line) or one.product_line == other.product_line):
                found.append((one, other))
    return found


SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "outside_own_area": ("不在贵司的授权范围内", "It is outside of the area, trade or product line that you may sell in"),
    "exclusive_of_another": ("不在贵司的授权范围内", "It is outside of the area, trade or product line that you may sell in"),
    "place_unknown": (
        "地区、行业或产品线不明, 需由渠道经理确认",
        "Its place, trade or product line is not clear; the channel manager looks at it",
    ),
    "perhaps_exclusive": (
        "地区、行业或产品线不明, 需由渠道经理确认",
        "Its place, trade or product line is not clear; the channel manager looks at it",
    ),
}
"""What a dealer is told. That somebody holds an area exclusively is nothing he may learn: both reasons give the same words."""

INSIDE: Final[Mapping[str, tuple[str, str]]] = {
    "outside_own_area": ("超出该经销商自己的授权范围", "outside of the dealer's own areas"),
    "exclusive_of_another": ("进入其他经销商的独家范围", "inside of another dealer's exclusive area"),
    "place_unknown": ("无法判断是否在授权范围内", "it is not known whether it is inside of the dealer's areas"),
    "perhaps_exclusive": ("可能进入其他经销商的独家范围", "perhaps inside of another dealer's exclusive area"),
}
"""What our own people are told."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A dealer for a lead, and how well his fence fits."""

    dealer_id: UUID
    fence: Fence
    open_leads: int = 0
    why: tuple[str, str] = field(default=("", ""))


def suggest(place: Place, fences: Sequence[Fence], open_leads: Mapping[UUID, int]) -> list[Suggestion]:
    """Dealers who may get a lead, best first: an exclusive fence before others, the narrower first, then who has fewer open leads.

    `place.dealer_id` counts for nothing here. Only fences that surely hold the place count.
    """
    best: dict[UUID, Fence] = {}
    for fence in fences:
        known = best.get(fence.dealer_id)
        if cover(fence, place) == "yes" and (known is None or _fit(fence) > _fit(known)):
            best[fence.dealer_id] = fence
    allowed = [fence for dealer, fence in best.items() if judge(_as(place, dealer), fences).effect == "allow"]
    ordered = sorted(
        allowed, key=lambda fence: (*(-part for part in _fit(fence)), open_leads.get(fence.dealer_id, 0), str(fence.dealer_id))
    )
    return [Suggestion(fence.dealer_id, fence, open_leads.get(fence.dealer_id, 0), _why(fence)) for fence in ordered]


def _as(place: Place, dealer: UUID) -> Place:
    return Place(dealer, place.region, place.industry, place.product_line, place.on)


def _fit(fence: Fence) -> tuple[int, int, int, int]:
    return int(fence.exclusive), len(division(fence.region)), int(bool(fence.product_line)), len(industry_path(fence.industry))


def _why(fence: Fence) -> tuple[str, str]:
    zh = "、".join(
        part
        for part in (f"地区 {fence.region}" if fence.region else "", f"行业 {fence.industry}" if fence.industry else "", fence.product_line)
        if part
    )
    en = ", ".join(
        part
        for part in (
            f"region {fence.region}" if fence.region else "",
            f"trade {fence.industry}" if fence.industry else "",
            fence.product_line,
        )
        if part
    )
    alone = ("独家" if fence.exclusive else "授权", "exclusive" if fence.exclusive else "authorised")
    return f"{alone[0]}: {zh or '不限'}", f"{alone[1]}: {en or 'everywhere'}"

"""What people make of a firm's name: short forms, other words, homophones, pinyin, notes, marks. One seed, one outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from benchmarks.matching_firms import BRAND_CHARS, Firm, Firms
from channel.deals.matching import tables
from channel.deals.matching.regions import short_name

_SYNONYMS = {
    "科技": ["技术", "高科", "信息技术"],
    "贸易": ["商贸", "经贸"],
    "商贸": ["贸易"],
    "机械设备": ["机械"],
    "电子科技": ["电子"],
    "实业": ["工贸"],
    "信息技术": ["信息科技", "信息"],
    "建筑工程": ["建筑", "建设工程"],
}
_NOTES = (
    "（二期）",
    "(老客户)",
    "-采购部",
    "采购部",
    " 设备科",
    "二期",
    "（张工）",
    "（已报备）",
    "三期项目",
    "（改造）",
    "/李经理",
    "技改项目",
    "【重点】",
    " 新厂",
    "(2026年)",
    "工程部",
    "-1",
    "（停用）",
)
_MARKS = "·-. 、*_~　|/—"


@dataclass(slots=True)
class Said:
    """A name while it is being spoiled."""

    brand: str
    trade: str
    form: str
    region: str = "city"
    """What became of the place in it: the trick's name, `bracket` or `region_none`."""
    whole: str = ""
    """pinyin or english: all of it."""
    after: list[str] = field(default_factory=list)
    """Tricks on the finished name, in their order."""


_MILD = "no_form region_none region_province region_short bracket marks note full_width traditional trade_short form_change".split()
_STRONG = """
homophone look wrong swap missing_char extra_char trade_none brand_alone pinyin_brand pinyin english trade_synonym trade_homophone branch
    region_changed
""".split()
_AFTER = {"marks", "note", "full_width", "traditional", "branch"}


class Namer(Firms):
    """Makes firms, and spoils their names."""

    def spoil_name(self, firm: Firm, times: int, *, hard: bool = False) -> tuple[str, list[str]]:
        """The name of a firm as somebody wrote it, and what was done to it."""
        r, tags, said = self.r, [], Said(firm.brand, firm.trade, firm.form)
        for turn in range(times):
            one = r.choice(_STRONG) if hard and turn == 0 else r.choice([*_MILD, *(_STRONG if r.random() < 0.4 else [])])
            tags.append(one)
            trick = getattr(self, f"_{one}", None)
            if one.startswith("region_") or one == "bracket":
                said.region = one
            elif one in {"pinyin", "english"}:
                said.whole = one
            elif one in _AFTER:
                said.after.append(one)
            elif trick:
                trick(said)
        name = self._latin_name(firm, said.whole) if said.whole else self._assembled(firm, said)
        for one in said.after:
            name = self._touched(name, one)
        return name, tags

    def _no_form(self, said: Said) -> None:
        said.form = ""

    def _form_change(self, said: Said) -> None:
        said.form = self.r.choice(["公司", "有限责任公司", "有限公司", "集团", "股份有限公司", "集团有限公司"])

    def _trade_short(self, said: Said) -> None:
        said.trade = said.trade[:2] if self.r.random() < 0.7 else said.trade[-2:]

    def _trade_synonym(self, said: Said) -> None:
        said.trade = self.r.choice(_SYNONYMS.get(said.trade, [said.trade]))

    def _trade_none(self, said: Said) -> None:
        said.trade = ""

    def _brand_alone(self, said: Said) -> None:
        said.trade, said.form, said.region = "", "", "region_none"

    def _homophone(self, said: Said) -> None:
        said.brand = self.at(said.brand, lambda char: self.r.choice(self.alike.get(char) or char))

    def _trade_homophone(self, said: Said) -> None:
        said.trade = self.at(said.trade, lambda char: self.r.choice(self.alike.get(char) or char))

    def _look(self, said: Said) -> None:
        said.brand = self.at(said.brand, lambda char: self.r.choice(tables.shapes().get(char) or char))

    def _wrong(self, said: Said) -> None:
        said.brand = self.at(said.brand, lambda _: self.r.choice(BRAND_CHARS))

    def _swap(self, said: Said) -> None:
        full, size = said.brand + said.trade, len(said.brand)
        place = self.r.randrange(max(len(full) - 1, 1))
        full = full[:place] + full[place : place + 2][::-1] + full[place + 2 :]
        said.brand, said.trade = full[:size], full[size:]

    def _missing_char(self, said: Said) -> None:
        if len(said.brand) > 2 or self.r.random() < 0.2:
            said.brand = self.at(said.brand, lambda _: "")
        elif len(said.trade) > 1:
            said.trade = self.at(said.trade, lambda _: "")

    def _extra_char(self, said: Said) -> None:
        place = self.r.randrange(len(said.brand) + 1)
        said.brand = said.brand[:place] + self.r.choice(BRAND_CHARS) + said.brand[place:]

    def _pinyin_brand(self, said: Said) -> None:
        said.brand = self.pinyin(said.brand, "") or said.brand

    def at(self, word: str, change: Callable[[str], str]) -> str:
        """The word with one character changed."""
        if not word:
            return word
        place = self.r.randrange(len(word))
        return word[:place] + change(word[place]) + word[place + 1 :]

    def pinyin(self, word: str, joint: str) -> str:
        """A word in pinyin, without tones."""
        return joint.join(tables.spellings().get(char, "") for char in word)

    def _latin_name(self, firm: Firm, kind: str) -> str:
        r = self.r
        city = self.pinyin(short_name(firm.city), "").capitalize()
        if kind == "pinyin":
            form = self.pinyin(firm.form, "") if r.random() < 0.5 else ""
            return (city if r.random() < 0.6 else "") + self.pinyin(firm.brand, "") + self.pinyin(firm.trade, "") + form
        brand = self.pinyin(firm.brand, r.choice(["", " "])).title()
        trade = {
            "科技": "Technology",
            "贸易": "Trading",
            "商贸": "Trading",
            "电子": "Electronics",
            "机械": "Machinery",
            "实业": "Industrial",
            "食品": "Food",
            "物流": "Logistics",
        }.get(firm.trade[:2], r.choice(["Technology", "Industrial", "Trading", "Enterprise"]))
        return " ".join(
            one for one in (city if r.random() < 0.7 else "", brand, trade, r.choice(["Co., Ltd.", "Co.,Ltd", "Limited", "Inc", ""])) if one
        )

    def _assembled(self, firm: Firm, said: Said) -> str:
        short, brand, tail = short_name(firm.city), said.brand, said.trade + said.form
        match said.region:
            case "region_none":
                return brand + tail
            case "region_province":
                return short_name(firm.province) + brand + tail
            case "region_short":
                return short + brand + tail
            case "bracket":
                return f"{brand}({short}){tail}"
            case "region_changed":
                return short_name(self.r.choice(self.cities)[1]) + brand + tail
        return replace(firm, brand=brand, trade=said.trade, form=said.form).name

    def _touched(self, name: str, one: str) -> str:
        r = self.r
        match one:
            case "marks":
                place = r.randrange(1, max(len(name), 2))
                return name[:place] + r.choice(_MARKS) + name[place:]
            case "note":
                return name + r.choice(_NOTES)
            case "full_width":
                return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in name).replace("(", "（")
            case "traditional":
                return name.translate(_traditional())
            case "branch":
                return name + short_name(r.choice(self.cities)[1]) + r.choice(["分公司", "办事处"])
        return name


@cache
def _traditional() -> dict[int, int]:
    return {new: old for old, new in tables.simplified().items()}

"""Claims that people write by haste or on purpose, about firms with real names. For judging the matcher.

It shares neither code nor word tables with the matcher: homophones come from pypinyin, traditional forms from OpenCC, and English names and
look-alikes are lists of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.deals.matching.game_firms import SYMBOLS, Firm, Registry, words

LOOKS = """
    己已巳 未末 土士 日曰 天夫 大太犬 王玉主 人入八 千干于 木本术 田由甲申 刀力 贝见 乌鸟 兔免 戊戌戍 今令 几凡 侯候 历厉 陈阵 晴睛
    拔拨 折拆 微徽 崇祟 茶荼 博搏 铭铬 锋峰烽 翔祥详 瑞端 康庚 鑫森 盛威 荣蓉 源原 浩洁 凯剀 晨震 昊吴 泰秦 奥粤 佳住 嘉喜 宏宠
    洋泽 澳奥 蓝篮 兰三 科料 恒桓 众从 万方 亿忆 通诵 达迖 辉挥 创仓 信伫 远运 新析 诚城 锦绵 悦锐 冠寇 丰韦 安女 鸿鸣 升井 飞气
    龙尤 华毕 星皇 金全 美羊 利和 友反 爱受 宇字 宝玉 建健 富当
""".split()

NOTES = [
    "(二期)",
    "（老客户）",
    "采购部",
    "-工程部",
    "（重要）",
    "三期",
    "（新）",
    " 王总",
    "一期工程",
    "(报备中)",
    "研发中心",
    "设备科",
    "（苏州厂区）",
    "、财务",
    "【急】",
    "（陈工介绍）",
    "#2",
    "技改",
    "(已签)",
    "后勤处",
]
ENGLISH = {
    "科技": "Technology",
    "技术": "Technology",
    "贸易": "Trading",
    "商贸": "Commerce",
    "电子": "Electronics",
    "机械": "Machinery",
    "食品": "Foods",
    "服饰": "Garment",
    "物流": "Logistics",
    "化工": "Chemical",
    "建材": "Building Materials",
    "医疗器械": "Medical Instrument",
    "包装": "Packaging",
    "家具": "Furniture",
    "环保": "Environmental Protection",
    "广告": "Advertising",
}


@cache
def _sounds() -> dict[str, list[str]]:
    from pypinyin import Style, pinyin

    common = sorted({char for word in words("brand_words.txt") for char in word if "\u4e00" <= char <= "\u9fff"})
    table: dict[str, list[str]] = {}
    for char in common:
        table.setdefault(pinyin(char, style=Style.NORMAL)[0][0], []).append(char)
    return table


def pinyin_of(text: str) -> list[str]:
    """The syllables of a text, read with its neighbours."""
    from pypinyin import lazy_pinyin

    return [one for one in lazy_pinyin(text) if one.isascii() and one.isalpha()]


class Writer(Registry):
    """Writes claims about firms, from the same seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.looks = {char: [one for one in group if one != char] for group in LOOKS for char in group}

    def homophone(self, char: str) -> str:
        """Another character of the same sound."""
        table = _sounds()
        heard = pinyin_of(char)
        others = [one for one in table.get(heard[0], []) if one != char] if heard else []
        return self.r.choice(others) if others else char

    def at(self, word: str, change: Callable[[str], str]) -> str:
        """A word with one place changed."""
        if not word:
            return word
        place = self.r.randrange(len(word))
        return word[:place] + change(word[place]) + word[place + 1 :]

    def rename(self, firm: Firm, tag: str, name: str) -> str:  # noqa: C901, PLR0911, PLR0912  a table of tricks
        """The name after one trick more."""
        r, brand, trade = self.r, firm.brand, firm.trade
        short = firm.city[:-1]
        match tag:
            case "width":
                return "".join(
                    chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in name.replace("（", "(").replace("）", ")")
                )
            case "traditional":
                return _traditional(name)
            case "marks":
                place = r.randrange(1, len(name)) if len(name) > 1 else 0
                return name[:place] + r.choice(["·", "-", " ", ".", "、", "*", "\u200b", "　", "_", "，", "'", "®"]) + name[place:]
            case "bracket":
                return f"{brand}（{short}）{trade}{firm.form}"
            case "no_region":
                return name.removeprefix(firm.city).removeprefix(short) if len(name) > len(firm.city) + 2 else name
            case "province":
                return self.provinces.get(firm.region[:2], "").rstrip("省市") + self.rename(firm, "no_region", name)
            case "district":
                return (
                    firm.city
                    + r.choice(self.districts.get(firm.region[:4], [""])).replace("市辖区", "")
                    + self.rename(firm, "no_region", name)
                )
            case "no_form":
                return name.removesuffix(firm.form) if firm.form else name
            case "other_form":
                return name.removesuffix(firm.form) + r.choice(["公司", "有限责任公司", "股份有限公司", "集团", "有限公司", "集团有限公司"])
            case "note":
                return name + r.choice(NOTES)
            case "homophone":
                return name.replace(brand, self.at(brand, self.homophone), 1)
            case "look":
                changed = [place for place, char in enumerate(brand) if char in self.looks]
                if not changed:
                    return name.replace(brand, self.at(brand, self.homophone), 1)
                place = r.choice(changed)
                return name.replace(brand, brand[:place] + r.choice(self.looks[brand[place]]) + brand[place + 1 :], 1)
            case "wrong":
                return name.replace(brand, self.at(brand, lambda _: r.choice(r.choice(self.brands))), 1)
            case "swap":
                place = name.find(brand)
                at = place + r.randrange(max(len(brand) - 1, 1)) if place >= 0 else 0
                return name[:at] + name[at : at + 2][::-1] + name[at + 2 :]
            case "missing":
                core = brand + trade
                return name.replace(core, self.at(core, lambda _: ""), 1)
            case "doubled":
                core = brand + trade
                return name.replace(core, self.at(core, lambda char: char * 2), 1)
            case "inserted":
                return name.replace(brand, self.at(brand, lambda char: char + r.choice(r.choice(self.brands))), 1)
            case "trade_dropped":
                return name.replace(brand + trade, brand, 1)
            case "trade_short":
                return name.replace(trade, trade[: max(2, len(trade) // 2)], 1) if trade else name
            case "brand_alone":
                return brand
            case "brand_city":
                return short + brand
            case "pinyin_brand":
                spelled = "".join(pinyin_of(brand))
                return name.replace(brand, r.choice([spelled.upper(), spelled.title(), spelled]), 1)
            case "pinyin":
                body = "".join(pinyin_of(short)).title() + " " + "".join(pinyin_of(brand)).title() + " " + "".join(pinyin_of(trade)).title()
                return body.strip() if r.random() < 0.7 else body.replace(" ", "").lower()
            case "english":
                word = next((english for chinese, english in ENGLISH.items() if chinese in trade), "Industrial")
                head = f"{''.join(pinyin_of(short)).title()} {''.join(pinyin_of(brand)).title()}"
                return f"{head} {word} {r.choice(['Co., Ltd.', 'Co.,Ltd', 'CO LTD', 'Limited'])}"
            case "branch":
                return name + r.choice(self.cities)[1][:-1] + r.choice(["分公司", "办事处", "分厂"])
            case "trade_changed":
                return name.replace(trade, r.choice(self.trades), 1) if trade and trade in name else name
            case "generic":
                word = r.choice(["国际", "中国", "集团", "实业", "高新", "新"])
                return name.replace(brand, r.choice([word + brand, brand + word]), 1)
            case "wrong_region":
                return r.choice(self.cities)[1][:-1] + self.rename(firm, "no_region", name)
        raise AssertionError(tag)

    LIGHT = ("width", "traditional", "marks", "bracket", "no_region", "province", "district", "no_form", "other_form", "note")
    HARD = tuple(
        """
        homophone look wrong swap missing doubled inserted trade_dropped trade_short brand_alone brand_city pinyin_brand pinyin
        english branch wrong_region trade_changed generic
        """.split()
    )

    def claim(self, firm: Firm, kind: str) -> tuple[dict[str, str], tuple[str, ...]]:
        """What one of three kinds of people writes about a firm."""
        r = self.r
        tags = {
            "light": lambda: r.choices(self.LIGHT, k=r.choice([0, 1, 1, 2])),
            "dealer": lambda: [*r.choices(self.LIGHT, k=1), *([r.choice(self.HARD)] if r.random() < 0.45 else [])],
            "game": lambda: [
                r.choice(self.HARD),
                *r.choices(self.LIGHT, k=r.choice([0, 1])),
                *([r.choice(("homophone", "look", "marks", "note"))] if r.random() < 0.3 else []),
            ],
        }[kind]()
        tags = sorted(
            dict.fromkeys(tags),
            key=lambda tag: (
                (tag in {"brand_alone", "brand_city", "pinyin", "english"}) * -1
                + (tag in {"note", "marks", "width", "traditional", "branch"}) * 1
            ),
        )
        name = firm.name
        for tag in tags:
            name = self.rename(firm, tag, name)
        share = {"light": (0.65, 0.85, 0.8, 0.7), "dealer": (0.35, 0.7, 0.65, 0.5), "game": (0.08, 0.45, 0.45, 0.35)}[kind]
        fields = {
            "name": name,
            "uscc": firm.fields["uscc"] if r.random() < share[0] else "",
            "phone": firm.fields["phone"] if r.random() < share[1] else r.choice([self.phone(), ""]),
            "contact": firm.fields["contact"] if r.random() < share[2] else r.choice([self.person(), ""]),
            "city": r.choices([firm.city, firm.city[:-1], "", r.choice(self.cities)[1]], [70, 18, 10, 2])[0],
            "addr": firm.fields["addr"] if r.random() < share[3] else r.choice([self.addr(firm.region, firm.city), "", ""]),
        }
        return self.smudge(fields, tags)

    def smudge(self, fields: dict[str, str], tags: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
        """The other fields as people write them."""
        r = self.r
        if fields["uscc"] and r.random() < 0.08:
            place = r.randrange(18)
            fields["uscc"] = (
                fields["uscc"][:place] + r.choice([one for one in SYMBOLS if one != fields["uscc"][place]]) + fields["uscc"][place + 1 :]
            )
            tags = [*tags, "code_typo"]
        elif fields["uscc"] and r.random() < 0.15:
            fields["uscc"] = r.choice([fields["uscc"].lower(), fields["uscc"][:6] + " " + fields["uscc"][6:]])
        if fields["phone"] and r.random() < 0.25:
            fields["phone"] = r.choice(["+86 {}", "{}转8003", "0086{}", "{}-802", "（{}）", "{} "]).format(fields["phone"])
        elif fields["phone"] and r.random() < 0.04:
            fields["phone"] = fields["phone"][:-1] + r.choice("0123456789")
        if fields["contact"] and r.random() < 0.25:
            fields["contact"] = r.choice(["{}总", "{}经理", "{}工", "{}先生"]).format(fields["contact"][0])
        elif fields["contact"] and r.random() < 0.08:
            fields["contact"] = self.at(fields["contact"], self.homophone)
        if fields["addr"] and r.random() < 0.3:
            fields["addr"] = r.choice([fields["addr"][3:], re.sub(r"\d+楼.*", "", fields["addr"]), fields["addr"].replace("号", "")])
        return fields, tuple(tags)


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("s2t")


def _traditional(name: str) -> str:
    return str(_converter().convert(name))

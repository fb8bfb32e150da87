"""The other side: claims that people write by haste or on purpose, about firms with real names. For judging the matcher.

It shares neither code nor word tables with the matcher or with the generator that its weights are fitted on: brands, trades, forms,
divisions and English names are read from the shared data folder, homophones come from pypinyin, traditional forms from OpenCC, and the
look-alikes are a list of its own.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path("/work/shared/data")
"""Real names; not part of the project. Without it the judging tests say so and stop."""

FIELDS = ("name", "uscc", "phone", "contact", "city", "addr")

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
SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
STREETS = [
    "人民路",
    "中山大道",
    "工业园路",
    "科技南路",
    "解放街",
    "滨河西路",
    "创新大道",
    "学院路",
    "兴隆巷",
    "港口路",
    "航天路",
    "文昌街",
    "松山湖大道",
    "纬三路",
    "经五路",
]
FAMILY = "王李张刘陈杨黄赵周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN = "建国志强明辉丽华秀英晓东海燕文博俊杰雨桐子涵立新春生玉梅小红国庆永康家豪思远一鸣天佑若曦婷婷凤霞振宇"


def present() -> bool:
    """Whether the shared data are on this machine."""
    return (DATA / "brand_words.txt").exists()


@dataclass(slots=True)
class Firm:
    """A firm as registered."""

    number: int
    city: str
    region: str
    brand: str
    trade: str
    form: str
    name: str
    fields: dict[str, str]
    english: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A customer row."""

    rid: str
    firm: int
    source: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Query:
    """A claim; `firm` is None where it is nobody's customer yet."""

    qid: str
    firm: int | None
    kind: str
    tags: tuple[str, ...]
    fields: dict[str, str]


@dataclass(slots=True)
class Game:
    """Customers and claims."""

    rows: list[Row] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    firms: list[Firm] = field(default_factory=list)


def _read(name: str) -> list[str]:
    return [line.strip() for line in (DATA / name).read_text("utf-8").splitlines() if line.strip()]


@cache
def _sounds() -> dict[str, list[str]]:
    from pypinyin import Style, pinyin

    common = sorted({char for word in _read("brand_words.txt") for char in word if "\u4e00" <= char <= "\u9fff"})
    table: dict[str, list[str]] = {}
    for char in common:
        table.setdefault(pinyin(char, style=Style.NORMAL)[0][0], []).append(char)
    return table


def pinyin_of(text: str) -> list[str]:
    """The syllables of a text, read with its neighbours."""
    from pypinyin import lazy_pinyin

    return [one for one in lazy_pinyin(text) if one.isascii() and one.isalpha()]


class Player:
    """Makes one game from one seed."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(f"game {seed}")
        self.brands = [one for one in _read("brand_words.txt") if 2 <= len(one) <= 4 and all("\u4e00" <= char <= "\u9fff" for char in one)]
        self.trades = [one for one in _read("trade_words.txt") if 2 <= len(one) <= 6]
        codes = list(csv.DictReader((DATA / "adcodes.csv").open(encoding="utf-8")))
        self.provinces = {row["adcode"][:2]: row["name"] for row in codes if row["adcode"].endswith("0000")}
        self.cities = [
            (row["adcode"], row["name"])
            for row in codes
            if row["adcode"].endswith("00") and not row["adcode"].endswith("0000") and row["name"].endswith("市") and len(row["name"]) < 6
        ]
        self.cities += [
            (code, name)
            for code, name in (("110000", "北京市"), ("310000", "上海市"), ("120000", "天津市"), ("500000", "重庆市"))
            for _ in range(15)
        ]
        self.cities += [
            one for one in self.cities if one[1] in {"深圳市", "广州市", "东莞市", "苏州市", "杭州市", "佛山市"} for _ in range(15)
        ]
        self.districts: dict[str, list[str]] = {}
        for row in codes:
            if not row["adcode"].endswith("00"):
                self.districts.setdefault(row["adcode"][:4], []).append(row["name"])
        self.labelled = [(row["name"], row["brand"]) for row in csv.DictReader((DATA / "company_names_brand.csv").open(encoding="utf-8"))]
        self.listed = [(row["name_zh"], row["name_en"]) for row in csv.DictReader((DATA / "listed_zh_en.csv").open(encoding="utf-8"))]
        self.agency = [f"0{self.r.choice(['20', '755', '571'])}{self.r.randint(2, 8)}{self.r.randint(10**6, 10**7 - 1)}" for _ in range(60)]
        self.looks = {char: [one for one in group if one != char] for group in LOOKS for char in group}

    # -- firms ----------------------------------------------------------------------------------------------------------------------

    def uscc(self, region: str) -> str:
        """A code that keeps the check rule."""
        body = self.r.choice(["91", "91", "92"]) + region + "".join(self.r.choice(SYMBOLS) for _ in range(9))
        rest = sum(SYMBOLS.index(char) * 3**place for place, char in enumerate(body)) % 31
        return body + SYMBOLS[-rest % 31]

    def phone(self) -> str:
        """A number of somebody."""
        if self.r.random() < 0.6:
            return f"1{self.r.choice('35789')}{self.r.randint(10**8, 10**9 - 1)}"
        return f"{self.r.choice(['010', '021', '0755', '0769', '0571', '0512', '028'])}-{self.r.randint(2 * 10**7, 9 * 10**7)}"

    def person(self) -> str:
        """Somebody's name."""
        return self.r.choice(FAMILY) + "".join(self.r.sample(GIVEN, self.r.choice([1, 2, 2])))

    def addr(self, code: str, city: str) -> str:
        """An address in that city."""
        district = self.r.choice(self.districts.get(code[:4], [""]))
        return f"{city}{district if district not in ('市辖区', '县') else ''}{self.r.choice(STREETS)}{self.r.randint(1, 888)}号" + (
            f"{self.r.randint(1, 30)}楼{self.r.randint(1, 30):02d}室" if self.r.random() < 0.5 else ""
        )

    def register(self, number: int, sister: Firm | None = None) -> Firm:
        """A firm; a sister has the brand of another, but another city or trade, and is another legal person."""
        r = self.r
        code, city = r.choice(self.cities)
        brand = sister.brand if sister else r.choice(self.brands)
        trade = r.choice(self.trades) + (r.choice(self.trades) if r.random() < 0.15 else "")
        if sister:
            if r.random() < 0.5:
                code, city = sister.region, sister.city
                while trade[:2] == sister.trade[:2]:
                    trade = r.choice(self.trades)
            else:
                trade = sister.trade if r.random() < 0.6 else trade
                while city == sister.city:
                    code, city = r.choice(self.cities)
        form = r.choices(["有限公司", "有限责任公司", "股份有限公司", "集团有限公司", "厂", "商行", "经营部"], [70, 8, 5, 4, 5, 4, 4])[0]
        place = r.choices(
            [city, city[:-1], self.provinces.get(code[:2], city).rstrip("省市"), city + r.choice(self.districts.get(code[:4], [""]))],
            [50, 35, 9, 6],
        )[0].replace("市辖区", "")
        name = f"{place}{brand}{trade}{form}" if r.random() < 0.93 else f"{brand}（{city[:-1]}）{trade}{form}"
        owner = r.random() < 0.05  # the same person runs both
        phone = (
            r.choice(self.agency)
            if r.random() < 0.05
            else sister.fields["phone"]
            if sister and (owner or r.random() < 0.08)
            else self.phone()
        )
        contact = sister.fields["contact"] if sister and (owner or r.random() < 0.08) else self.person()
        return Firm(
            number,
            city,
            code,
            brand,
            trade,
            form,
            name,
            {"name": name, "uscc": self.uscc(code), "phone": phone, "contact": contact, "city": city, "addr": self.addr(code, city)},
        )

    def real(self, number: int, name: str, brand: str) -> Firm:
        """A firm with a registered name from the labelled list."""
        code, city = next(((code, city) for code, city in self.cities if name.startswith(city[:-1])), self.r.choice(self.cities))
        after = name.partition(brand)[2]
        form = next((one for one in ("有限责任公司", "有限公司", "公司", "商行", "店", "厂") if after.endswith(one)), "")
        others = {"uscc": self.uscc(code), "phone": self.phone(), "contact": self.person(), "city": city, "addr": self.addr(code, city)}
        return Firm(number, city, code, brand, after.removesuffix(form), form, name, {"name": name, **others})

    def firms(self, count: int) -> list[Firm]:
        """Labelled names first, then brands of the list, a third of them in families."""
        made = [
            self.real(place, name, brand)
            for place, (name, brand) in enumerate((name, brand) for name, brand in self.labelled if len(brand) >= 2 and brand in name)
        ]
        while len(made) < count:
            made.append(self.register(len(made)))
            if self.r.random() < 0.12:
                head = made[-1]
                made += [self.register(len(made) + place, head) for place in range(self.r.choice([1, 1, 2, 4]))]
        return made[:count] if count < len(made) else made

    def customers(self, firms: list[Firm]) -> list[Row]:
        """One row per firm, for one in eight a second from another system, with gaps."""
        rows: list[Row] = []
        for firm in firms:
            for source in ("kingdee", "zoho") if self.r.random() < 0.125 else ("kingdee",):
                fields = dict(firm.fields)
                if source == "zoho" and self.r.random() < 0.4:
                    fields["name"] = firm.name.replace("有限公司", "").replace("市", "", 1)
                for name, share in (("uscc", 0.3), ("phone", 0.1), ("contact", 0.15), ("city", 0.1), ("addr", 0.2)):
                    if self.r.random() < share:
                        fields[name] = ""
                rows.append(Row(f"R{len(rows) + 1}", firm.number, source, fields))
        return rows

    # -- claims ---------------------------------------------------------------------------------------------------------------------

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

    def stranger(self, firms: list[Firm]) -> tuple[str, dict[str, str], tuple[str, ...]]:
        """A claim about a firm that is nobody's customer; four in ten are sisters of one that is."""
        kind = self.r.choices(["new", "sister", "agency", "neighbour"], [48, 40, 7, 5])[0]
        like = self.r.choice(firms)
        firm = self.register(-1, like if kind == "sister" else None)
        if kind == "agency":
            firm.fields["phone"] = self.r.choice(self.agency)
        if kind == "neighbour":
            firm.fields |= {"addr": like.fields["addr"], "city": like.city}
        fields, tags = self.claim(firm, self.r.choices(["light", "dealer"], [70, 30])[0])
        return kind, fields, tags

    def play(self, firms: int, queries: int, *, only: tuple[str, ...] = FIELDS) -> Game:
        """Customers and claims; half of the claims are duplicates. `only`: the fields that claims give."""
        game = Game(firms=self.firms(firms))
        game.rows = self.customers(game.firms)
        for number in range(queries):
            if self.r.random() < 0.5:
                firm = self.r.choice(game.firms)
                kind = self.r.choices(["light", "dealer", "game"], [40, 35, 25])[0]
                fields, tags = self.claim(firm, kind)
                about: int | None = firm.number
            else:
                kind, fields, tags = self.stranger(game.firms)
                about = None
            game.queries.append(Query(f"Q{number + 1}", about, kind, tags, {name: fields[name] if name in only else "" for name in FIELDS}))
        return game


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("s2t")


def _traditional(name: str) -> str:
    return str(_converter().convert(name))

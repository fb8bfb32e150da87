"""Firms with real names, and the rows that two systems keep of them. For judging the matcher.

It shares neither code nor word tables with the matcher or with the generator that its weights are fitted on: brands, trades, forms and
divisions are read from the shared data folder.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

DATA = Path("/work/shared/data")
"""Real names; not part of the project. Without it the judging tests say so and stop."""
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
    """Division code of the city, 440300."""
    brand: str
    trade: str
    form: str  # 有限公司 and the like; empty where the name has none
    fields: dict[str, str]

    @property
    def name(self) -> str:
        """As it is registered."""
        return self.fields["name"]


@dataclass(frozen=True, slots=True)
class Row:
    """A customer row."""

    rid: str
    firm: int
    source: str
    fields: dict[str, str]


def words(name: str) -> list[str]:
    """The lines of one of the shared lists."""
    return [line.strip() for line in (DATA / name).read_text("utf-8").splitlines() if line.strip()]


class Registry:
    """Registers firms, from one seed."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(f"game {seed}")
        self.brands = [one for one in words("brand_words.txt") if 2 <= len(one) <= 4 and all("\u4e00" <= char <= "\u9fff" for char in one)]
        self.trades = [one for one in words("trade_words.txt") if 2 <= len(one) <= 6]
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
            {"name": name, "uscc": self.uscc(code), "phone": phone, "contact": contact, "city": city, "addr": self.addr(code, city)},
        )

    def real(self, number: int, name: str, brand: str) -> Firm:
        """A firm with a registered name from the labelled list."""
        code, city = next(((code, city) for code, city in self.cities if name.startswith(city[:-1])), self.r.choice(self.cities))
        after = name.partition(brand)[2]
        form = next((one for one in ("有限责任公司", "有限公司", "公司", "商行", "店", "厂") if after.endswith(one)), "")
        others = {"uscc": self.uscc(code), "phone": self.phone(), "contact": self.person(), "city": city, "addr": self.addr(code, city)}
        return Firm(number, city, code, brand, after.removesuffix(form), form, {"name": name, **others})

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

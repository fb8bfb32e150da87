"""Synthetic customers and claims for matching: the same seed makes the same world. For fitting weights and for speed; never for judging.

What weights are judged on is another generator with other words and other code (`tests/deals/matching/game.py`) on real names.

Firms come in families (one brand; other cities, trades and legal persons), some share the phone of a book-keeping agency, some stand in
several systems. Claims are light (a tidy person), dealer (in a hurry) or game (somebody wants the customer to look new).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from channel.deals.matching import Claim, tables
from channel.deals.matching.codes import SYMBOLS
from channel.deals.matching.regions import by_name, level, short_name

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金"
    "石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红玲鹏飞雪梅兰晶燕志建国海峰宇浩然子轩雨欣怡佳俊凯博文思源晨曦永春秋东南北林森"
)
_BRAND = (
    "华中国金新天恒宏鑫隆盛泰安康达通利兴旺福顺丰瑞祥和永久长远东方海洋山川江河星月光明亮辉煌龙凤麒麟鹏程万里博雅文思维智慧创优美"
    "佳良信诚德仁义正大同联合众力强科技诺亚迪卡尔斯特莱克蓝青绿紫红白云雨雪春夏秋冬梅兰竹菊松柏森林木石玉珠宝银铜铁鼎鸿运启航领先"
    "锋锐捷迅速飞翔翼腾跃升起晟昊晨曦昕旭阳景润泽霖沐沛淼源泉溪涵浩瀚博渊凯旋胜赢冠杰英豪雄威武振扬弘毅建业立成功凌云志远卓越拓展"
    "奥普欧派贝朗巴赫菲尼圣洛可米多乐嘉禾丰谷百千亿万禧吉庆颐养怡"
)
_TRADES = """
    科技:3 贸易:3 商贸:3 电子:2 电子科技:2 机械:2 机械设备 机电设备 实业:2 建材 建筑工程:2 装饰工程 建设工程 信息技术:2 网络科技
    文化传媒 广告 食品:2 餐饮管理 物流:2 供应链管理 国际贸易 进出口 服饰 纺织 家具 塑料制品 五金制品 金属制品 化工 新材料 环保科技
    环境工程 医疗器械:2 医药 生物科技:2 农业科技 农业发展 汽车销售 汽车配件 房地产开发 物业管理 投资管理 企业管理咨询 教育科技
    人力资源 包装材料 印刷 自动化设备:2 智能科技:2 电气:2 电力设备 仪器仪表 照明 光电科技 半导体 新能源科技 精密制造 模具 水处理
    消防设备 安防科技 软件:2 通信设备 数码科技 办公设备 酒店管理 旅游 园林绿化 钢材 石化 矿业 纸业 陶瓷 玻璃 橡塑
"""
_FORMS = "有限公司:30 有限责任公司:3 股份有限公司:3 集团有限公司:2 厂 商行 经营部 中心"
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
_STREETS = (
    "人民 中山 解放 建设 科技 工业 创业 迎宾 长江 黄河 滨海 学府 光明 新华 和平 胜利 友谊 东风 文化 高新 振兴 富强 兴业 龙腾 金田".split()
)
_MARKS = "·-. 、*_~　|/—"


def _weighted(text: str) -> tuple[list[str], list[int]]:
    pairs = [one.split(":") for one in text.split()]
    return [one[0] for one in pairs], [int(one[1]) if len(one) > 1 else 1 for one in pairs]


_TRADE_CHOICE, _FORM_CHOICE = _weighted(_TRADES), _weighted(_FORMS)


@dataclass(slots=True)
class Firm:
    """A legal person as it is."""

    firm: int
    brand: str
    trade: str
    form: str
    city: str
    """Name of a prefecture, 深圳市."""
    district: str
    uscc: str
    phone: str
    contact: str
    address: str
    shown: str = "city"
    """How the registered name says its region: city, short, province, district, bracket."""
    province: str = ""

    @property
    def name(self) -> str:
        """The registered name."""
        short = short_name(self.city)
        tail = self.trade + self.form
        match self.shown:
            case "short":
                return short + self.brand + tail
            case "province":
                return short_name(self.province) + self.brand + tail
            case "district":
                return self.city + self.district + self.brand + tail
            case "bracket":
                return f"{self.brand}（{short}）{tail}"
        return self.city + self.brand + tail

    def claim(self) -> Claim:
        """All of it, tidy."""
        return Claim(name=self.name, uscc=self.uscc, phone=self.phone, contact=self.contact, city=self.city, address=self.address)


@dataclass(frozen=True, slots=True)
class Row:
    """A customer row of some system."""

    rid: str
    firm: int
    source: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Query:
    """A claim and the firm it is about; `firm` is None for a firm that nobody knows yet."""

    qid: str
    firm: int | None
    kind: str
    """light, dealer, game; for strangers: stranger, sister, agency."""
    tags: tuple[str, ...]
    claim: Claim


@dataclass(slots=True)
class World:
    """Customers and claims."""

    rows: list[Row]
    queries: list[Query]
    firms: list[Firm] = field(default_factory=list)


@dataclass(slots=True)
class Said:
    """A name while it is being spoiled."""

    brand: str
    trade: str
    form: str
    region: str = "city"
    whole: str = ""
    """pinyin or english: all of it."""
    after: list[str] = field(default_factory=list)


_MILD = "no_form region_none region_province region_short bracket marks note full_width traditional trade_short form_change".split()
_STRONG = """
homophone look wrong swap missing_char extra_char trade_none brand_alone pinyin_brand pinyin english trade_synonym trade_homophone branch
    region_changed
""".split()
_AFTER = {"marks", "note", "full_width", "traditional", "branch"}


class Maker:
    """Makes firms and claims from one seed."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        places = by_name()
        self.cities = sorted(
            {
                (code, name)
                for name, codes in places.items()
                for code in codes[:1]
                if level(code) == 2 and name.endswith("市") and len(name) >= 3
            }
        )
        self.cities += [
            (code, name)
            for name, code in (("北京市", "110000"), ("上海市", "310000"), ("天津市", "120000"), ("重庆市", "500000"))
            for _ in range(12)
        ]
        self.cities += [
            (places[name][0], name)
            for name in ("深圳市", "广州市", "苏州市", "杭州市", "东莞市", "佛山市", "宁波市", "青岛市", "无锡市", "成都市", "武汉市")
            for _ in range(10)
        ]
        provinces = {code[:2]: name for name, codes in places.items() for code in codes if level(code) == 1 and name != short_name(name)}
        self.province_of = {code: provinces.get(code[:2], "") for code, _ in self.cities}
        districts: dict[str, list[str]] = {}
        for name, codes in places.items():
            for code in codes:
                if level(code) == 3 and name.endswith(("区", "县")):
                    districts.setdefault(code[:4], []).append(name)
        self.districts = districts
        self.agencies = [self.landline() for _ in range(400)]
        self.alike: dict[str, str] = {}
        for line in tables._lines("readings"):  # noqa: SLF001  the same file, not the folded table
            syllable, chars, _ = line.split(" ")
            del syllable
            common = [char for char in chars if tables.common_characters().get(char, 0) >= 11]
            for char in common:
                self.alike[char] = "".join(one for one in common if one != char)

    def landline(self) -> str:
        """A number with area code."""
        area = self.r.choice(["10", "20", "21", "755", "571", "512", "769", "574", "532"])
        return f"0{area}-{self.r.randint(2, 8)}{self.r.randint(1000000, 9999999)}"

    def mobile(self) -> str:
        """A mobile number."""
        return f"1{self.r.choice('3578')}{self.r.randint(0, 9)}{self.r.randint(10_000_000, 99_999_999)}"

    def person(self) -> str:
        """Somebody's name."""
        return self.r.choice(_SURNAMES) + "".join(self.r.choice(_GIVEN) for _ in range(self.r.choice([1, 2, 2])))

    def code(self, region: str) -> str:
        """A valid credit code of that division."""
        weights = [pow(3, place, 31) for place in range(17)]
        organisation = "".join(self.r.choice(SYMBOLS) for _ in range(9))
        body = "91" + (region or "440300") + organisation
        return body + SYMBOLS[(31 - sum(w * SYMBOLS.index(c) for w, c in zip(weights, body, strict=True)) % 31) % 31]

    def address(self, city: str, district: str) -> str:
        """An address in that city."""
        street = f"{self.r.choice(_STREETS)}{self.r.choice(['路', '大道', '街', '二路', '东路'])}{self.r.randint(1, 999)}号"
        return city + district + street + (f"{self.r.randint(1, 20)}栋{self.r.randint(101, 2500)}室" if self.r.random() < 0.5 else "")

    def firm(self, number: int, like: Firm | None = None) -> Firm:
        """A firm of its own, or a sister of `like`: the same brand, another city or trade, another legal person."""
        r = self.r
        code, city = r.choice(self.cities)
        trade = r.choices(*_TRADE_CHOICE)[0]
        brand = like.brand if like else "".join(r.choice(_BRAND) for _ in range(r.choices([2, 3, 4], [70, 24, 6])[0]))
        shown = r.choices(["city", "short", "province", "district", "bracket"], [50, 26, 12, 6, 6])[0]
        if like:
            kind = r.random()
            if kind < 0.4:  # the same city, another trade
                code, city = next((one for one in self.cities if one[1] == like.city), (code, city))
                while trade == like.trade:
                    trade = r.choices(*_TRADE_CHOICE)[0]
            elif kind < 0.75:  # the same trade, another city
                trade = like.trade
                while city == like.city:
                    code, city = r.choice(self.cities)
                shown = r.choice(["city", "short"])
        district = r.choice(self.districts.get(code[:4], ["新城区"]))
        boss = like is not None and r.random() < 0.08  # one owner answers for both
        phone = r.choice([self.mobile, self.landline])()
        if r.random() < 0.04:
            phone = r.choice(self.agencies)
        elif like and (boss or r.random() < 0.1):
            phone = like.phone
        contact = like.contact if like and (boss or r.random() < 0.1) else self.person()
        return Firm(
            number, brand, trade, r.choices(*_FORM_CHOICE)[0], city, district, self.code(code), phone, contact,
            self.address(city, district), shown, self.province_of.get(code, ""),
        )  # fmt: skip

    def firms(self, count: int) -> list[Firm]:
        """`count` firms, about a third of them in families."""
        made: list[Firm] = []
        while len(made) < count:
            head = self.firm(len(made))
            made.append(head)
            if self.r.random() < 0.16:
                for _ in range(self.r.choices([1, 2, 3, 6], [50, 25, 15, 10])[0]):
                    made.append(self.firm(len(made), head))
        return made[:count]

    def rows(self, firms: list[Firm]) -> Iterator[Row]:
        """A row per firm, for some a second one of another system; fields are missing as they are in life."""
        number = 0
        for firm in firms:
            for source in ("erp", "crm") if self.r.random() < 0.12 else ("erp",):
                tidy = firm.claim()
                drop = self.r.random
                claim = replace(
                    tidy,
                    name=tidy.name if source == "erp" or drop() < 0.6 else self.spoil_name(firm, 1)[0],
                    uscc=tidy.uscc if drop() < 0.7 else "",
                    phone=tidy.phone if drop() < 0.88 else "",
                    contact=tidy.contact if drop() < 0.85 else "",
                    city=tidy.city if drop() < 0.9 else "",
                    address=tidy.address if drop() < 0.8 else "",
                )
                number += 1
                yield Row(f"C{number}", firm.firm, source, claim)

    # -- claims -------------------------------------------------------------------------------------------------------

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
        said.brand = self.at(said.brand, lambda _: self.r.choice(_BRAND))

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
        said.brand = said.brand[:place] + self.r.choice(_BRAND) + said.brand[place:]

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
        table = getattr(self, "_plain", None)
        if table is None:
            table = {char: line.split(" ")[0] for line in tables._lines("readings") for char in line.split(" ")[1]}  # noqa: SLF001  as above
            self._plain = table
        return joint.join(table.get(char, "") for char in word)

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
                back = getattr(self, "_back", None)
                if back is None:
                    back = {new: chr(old) for old, new in tables.simplified().items()}
                    self._back = back
                return "".join(back.get(ord(char), char) for char in name)
            case "branch":
                return name + short_name(r.choice(self.cities)[1]) + r.choice(["分公司", "办事处"])
        return name

    def typo(self, text: str) -> str:
        """One symbol of a code or number mistaken."""
        if len(text) < 3:
            return text
        place = self.r.randrange(len(text) - 1)
        if self.r.random() < 0.3:
            return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        if self.r.random() < 0.3:
            return text.replace("0", "O", 1) if "0" in text else text[:-1]
        return text[:place] + self.r.choice(SYMBOLS if not text.isdigit() else "0123456789") + text[place + 1 :]

    def claim(self, firm: Firm, kind: str) -> tuple[Claim, list[str]]:
        """A claim about a firm, of one of three kinds of people."""
        r = self.r
        times, hard, keep = {
            "light": (r.choice([0, 1, 1]), False, 0.75),
            "dealer": (r.choice([1, 2]), r.random() < 0.35, 0.6),
            "game": (r.choice([1, 2, 3]), True, 0.4),
        }[kind]
        name, tags = self.spoil_name(firm, times, hard=hard)
        chance = r.random
        uscc = firm.uscc if chance() < {"light": 0.6, "dealer": 0.35, "game": 0.06}[kind] else ""
        if uscc and chance() < 0.12:
            uscc, tags = self.typo(uscc), [*tags, "code_typo"]
        phone = firm.phone if chance() < keep else r.choice([self.mobile, self.landline])() if chance() < 0.65 else ""
        if phone and chance() < 0.3:
            phone = r.choice(["+86 ", "86-", "", "(", "电话"]) + phone + r.choice(["", "转801", "-8012", " "])
        if phone and chance() < 0.05:
            phone, tags = self.typo(phone), [*tags, "phone_typo"]
        contact = firm.contact if chance() < keep else self.person() if chance() < 0.6 else ""
        if contact and chance() < 0.3:
            contact = (
                contact[0] + r.choice(["总", "经理", "工", "先生"])
                if chance() < 0.6
                else self.at(contact, lambda char: r.choice(self.alike.get(char) or char))
            )
        city = (
            firm.city
            if chance() < 0.85
            else short_name(firm.city)
            if chance() < 0.5
            else ""
            if chance() < 0.7
            else r.choice(self.cities)[1]
        )
        address = firm.address if chance() < keep - 0.1 else self.address(firm.city, firm.district) if chance() < 0.4 else ""
        if address and chance() < 0.3:
            address = address[len(firm.city) :] if chance() < 0.5 else address[: len(firm.city) + 8]
        return Claim(name=name, uscc=uscc, phone=phone, contact=contact, city=city, address=address), tags

    def only_some(self, claim: Claim) -> Claim:
        """The claim with only some of its fields: name alone, name and city, name and phone."""
        kept = self.r.choice([(), ("city",), ("phone",), ("contact", "phone"), ("city", "address")])
        return Claim(name=claim.name, **{name: getattr(claim, name) for name in kept})

    def queries(self, firms: list[Firm], count: int, *, partial: float = 0.0) -> list[Query]:
        """Claims: half about known firms, half about strangers, a good part of which are sisters of known firms."""
        r, made = self.r, []
        for number in range(count):
            if r.random() < 0.5:
                firm = r.choice(firms)
                kind = r.choices(["light", "dealer", "game"], [40, 35, 25])[0]
                claim, tags = self.claim(firm, kind)
                about: int | None = firm.firm
            else:
                kind = r.choices(["stranger", "sister", "agency"], [55, 38, 7])[0]
                like = r.choice(firms) if kind == "sister" else None
                other = self.firm(-1, like)
                if kind == "agency":
                    other.phone = r.choice(self.agencies)
                claim, tags = self.claim(other, r.choices(["light", "dealer"], [60, 40])[0])
                about = None
            if partial and r.random() < partial:
                claim = self.only_some(claim)
            made.append(Query(f"Q{number + 1}", about, kind, tuple(tags), claim))
        return made


def world(seed: int, customers: int, queries: int, *, partial: float = 0.0) -> World:
    """A world of about this many customer rows and exactly this many claims."""
    maker = Maker(seed)
    firms = maker.firms(int(customers / 1.12))
    return World(list(maker.rows(firms)), maker.queries(firms, queries, partial=partial), firms)

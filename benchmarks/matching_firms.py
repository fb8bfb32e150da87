"""Synthetic firms: names as they are registered, codes that pass their check, phones and addresses. The same seed makes the same firms."""

from __future__ import annotations

import random
from dataclasses import dataclass

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
BRAND_CHARS = (
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
_STREETS = (
    "人民 中山 解放 建设 科技 工业 创业 迎宾 长江 黄河 滨海 学府 光明 新华 和平 胜利 友谊 东风 文化 高新 振兴 富强 兴业 龙腾 金田".split()
)


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


class Firms:
    """Makes firms from one seed."""

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
        common = [char for char in tables.spellings() if tables.common_characters().get(char, 0) >= 11]
        same: dict[str, list[str]] = {}
        for char in common:
            same.setdefault(tables.spellings()[char], []).append(char)
        self.alike = {char: "".join(one for one in same[tables.spellings()[char]] if one != char) for char in common}
        """From a common character to the others that sound exactly so."""

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
        brand = like.brand if like else "".join(r.choice(BRAND_CHARS) for _ in range(r.choices([2, 3, 4], [70, 24, 6])[0]))
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

"""Natural Chinese names for the seeded world: companies, people, addresses, and registration codes with their check characters.

Every company gets a brand (字号) of its own, so that two names are alike only where the world plants it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: digits and letters without I, O, S, V, Z."""

_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class City:
    """A city with what its addresses and numbers begin with."""

    province: str
    name: str
    district_code: str
    """Six digits, GB/T 2260."""
    postcode: str
    area_code: str
    districts: tuple[str, ...]


def _cities() -> tuple[City, ...]:
    rows = """
    上海市 上海 310115 200120 021 浦东新区 闵行区 嘉定区
    北京市 北京 110108 100080 010 海淀区 朝阳区 丰台区
    天津市 天津 120116 300450 022 滨海新区 津南区 北辰区
    重庆市 重庆 500112 401120 023 渝北区 巴南区 沙坪坝区
    浙江省 杭州 330108 310051 0571 滨江区 余杭区 萧山区
    浙江省 宁波 330203 315100 0574 鄞州区 北仑区 镇海区
    浙江省 温州 330302 325000 0577 鹿城区 瓯海区 龙湾区
    浙江省 台州 331004 318050 0576 路桥区 椒江区 黄岩区
    江苏省 苏州 320505 215011 0512 虎丘区 吴中区 相城区
    江苏省 南京 320114 210012 025 雨花台区 江宁区 浦口区
    江苏省 无锡 320214 214028 0510 新吴区 锡山区 惠山区
    江苏省 常州 320412 213161 0519 武进区 新北区 天宁区
    江苏省 南通 320612 226300 0513 通州区 崇川区 海门区
    广东省 广州 440106 510630 020 天河区 黄埔区 番禺区
    广东省 深圳 440306 518101 0755 宝安区 龙岗区 南山区
    广东省 东莞 441900 523000 0769 长安镇 虎门镇 松山湖
    广东省 佛山 440605 528200 0757 南海区 顺德区 禅城区
    广东省 中山 442000 528400 0760 小榄镇 火炬开发区 古镇镇
    福建省 厦门 350206 361006 0592 湖里区 集美区 同安区
    福建省 泉州 350503 362000 0595 丰泽区 晋江市 石狮市
    福建省 福州 350104 350007 0591 仓山区 马尾区 晋安区
    山东省 青岛 370214 266109 0532 城阳区 黄岛区 即墨区
    山东省 济南 370112 250100 0531 历城区 章丘区 长清区
    山东省 烟台 370612 264100 0535 牟平区 福山区 莱山区
    河南省 郑州 410105 450003 0371 金水区 中原区 惠济区
    河南省 洛阳 410311 471023 0379 洛龙区 涧西区 西工区
    湖北省 武汉 420111 430070 027 洪山区 江夏区 东西湖区
    湖北省 襄阳 420606 441000 0710 樊城区 襄州区 襄城区
    湖南省 长沙 430104 410006 0731 岳麓区 雨花区 望城区
    湖南省 株洲 430211 412007 0733 天元区 荷塘区 石峰区
    四川省 成都 510107 610041 028 武侯区 双流区 龙泉驿区
    四川省 绵阳 510703 621000 0816 涪城区 游仙区 安州区
    陕西省 西安 610113 710061 029 雁塔区 未央区 长安区
    安徽省 合肥 340104 230031 0551 蜀山区 包河区 庐阳区
    安徽省 芜湖 340207 241000 0553 鸠江区 弋江区 镜湖区
    河北省 石家庄 130104 050091 0311 桥西区 长安区 裕华区
    河北省 保定 130606 071000 0312 莲池区 竞秀区 清苑区
    辽宁省 沈阳 210112 110168 024 浑南区 铁西区 于洪区
    辽宁省 大连 210211 116021 0411 甘井子区 金州区 旅顺口区
    吉林省 长春 220104 130012 0431 朝阳区 绿园区 宽城区
    黑龙江省 哈尔滨 230103 150001 0451 南岗区 香坊区 松北区
    江西省 南昌 360111 330029 0791 青山湖区 新建区 红谷滩区
    云南省 昆明 530111 650217 0871 官渡区 五华区 呈贡区
    广西壮族自治区 南宁 450108 530031 0771 江南区 青秀区 良庆区
    """
    cities = []
    for row in rows.split("\n"):
        if row.strip():
            province, name, code, post, area, *districts = row.split()
            cities.append(City(province, name, code, post, area, tuple(districts)))
    return tuple(cities)


CITIES = _cities()

_FIRST = "华鼎恒瑞盛泰宏锐科正凯博远卓诚联汇龙金安东信和立新天海嘉昌富力德广永明元亿中顺兴旭星佳万百方高力通奥迈慧捷程翔飞雷朗润泽源"
_SECOND = "达隆丰威腾邦业利欣辉耀宇创晟峰铭涛航驰旺茂升尔特宝格尼康健杰森克斯拓展益美普思维能智动控源瑞泽林岳岩川浩洋帆舟桥"
_TRADES = (
    "机电设备",
    "自动化设备",
    "电气",
    "电子科技",
    "工业科技",
    "智能装备",
    "机械",
    "精密机械",
    "仪器仪表",
    "控制技术",
    "传动设备",
    "液压机械",
    "气动元件",
    "五金机电",
    "电力设备",
    "工控设备",
    "物资",
    "贸易",
    "商贸",
    "供应链管理",
    "工程技术",
    "系统集成",
    "节能科技",
    "环保设备",
    "包装机械",
    "数控设备",
    "机器人",
    "模具",
    "轴承",
    "电缆",
    "照明电器",
    "暖通设备",
    "水务科技",
    "医疗器械",
    "汽车零部件",
    "新能源科技",
    "光电科技",
    "塑胶制品",
    "化工设备",
    "冶金设备",
)
_FORMS = (
    "有限公司",
    "有限公司",
    "有限公司",
    "有限公司",
    "有限公司",
    "有限责任公司",
    "股份有限公司",
    "集团有限公司",
)
_STREETS = (
    "科技路",
    "创业路",
    "工业大道",
    "人民路",
    "中山路",
    "建设路",
    "解放路",
    "迎宾大道",
    "金桥路",
    "新园路",
    "长江路",
    "黄河路",
    "滨江大道",
    "兴业路",
    "软件园路",
    "学府路",
    "文化路",
    "和平路",
    "环城东路",
    "高新大道",
)
_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖"
    "石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙史陶黎贺顾毛郝龚邵万覃武钱戴严莫孔向常"
)
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞鹏浩宇轩梓涵欣怡佳琪志国建文海燕晓红婷雪梅宁博俊峰凯航思远子豪雨辰嘉诚"
_JOBS = (
    "采购经理",
    "总经理",
    "设备主管",
    "财务经理",
    "项目经理",
    "电气工程师",
    "采购员",
    "副总经理",
    "技术总监",
    "仓库主管",
)


@dataclass(frozen=True, slots=True)
class CompanyName:
    """The parts of a registered name, so that its other spellings can be written."""

    city: City
    brand: str
    trade: str
    form: str
    bracketed: bool
    """True: `品牌行业(城市)有限公司` instead of `城市品牌行业有限公司`."""

    @property
    def full(self) -> str:
        """The registered name."""
        if self.bracketed:
            return f"{self.brand}{self.trade}({self.city.name}){self.form}"
        return f"{self.city.name}{self.brand}{self.trade}{self.form}"

    @property
    def short(self) -> str:
        """What the trade calls it."""
        return f"{self.city.name}{self.brand}"


SPELLINGS = (
    "same",
    "wide_brackets",
    "no_form",
    "brand_first",
    "spaced",
    "coded",
    "region_in_brackets",
    "wide_letters",
)
"""The ways in which the other system may have typed a name."""


def spelled(name: CompanyName, spelling: str, code: str) -> str:
    """The name as a clerk of the other system typed it.

    Raises: KeyError for an unknown spelling.
    """
    city, brand, trade, form = name.city.name, name.brand, name.trade, name.form
    return {
        "same": name.full,
        "wide_brackets": f"{brand}{trade}（{city}）{form}",
        "no_form": name.full.removesuffix(form),
        "brand_first": f"{brand}{trade}",
        "spaced": f" {city} {brand}{trade}{form} ",
        "coded": f"{city}{brand}{trade} {code}",
        "region_in_brackets": f"{city}（{brand}）{trade}{form}",
        "wide_letters": f"{city}{brand}{trade}{form}　ＨＺ",
    }[spelling]


def brands(rng: Random, count: int) -> list[str]:
    """`count` different brands of two syllables, in random order.

    Raises: ValueError when more are wanted than there are.
    """
    every = sorted({a + b for a in _FIRST for b in _SECOND if a != b})
    return rng.sample(every, count)


def company_name(rng: Random, brand: str) -> CompanyName:
    """A registered name around a brand."""
    return CompanyName(
        city=CITIES[int(rng.random() * len(CITIES))],
        brand=brand,
        trade=_TRADES[int(rng.random() * len(_TRADES))],
        form=_FORMS[int(rng.random() * len(_FORMS))],
        bracketed=rng.random() < 0.12,
    )


def uscc_check(body: str) -> str:
    """The 18th character of a 统一社会信用代码. Source: GB 32100-2015, weights 3^i mod 31.

    >>> uscc_check("91350100M000100Y4")
    '3'
    """
    total = sum(USCC_ALPHABET.index(char) * pow(3, i, 31) for i, char in enumerate(body))
    return USCC_ALPHABET[-total % 31]


def _organisation_check(body: str) -> str:
    total = sum(_ORGANISATION_ALPHABET.index(char) * weight for char, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def uscc(rng: Random, district_code: str, serial: int) -> str:
    """A 统一社会信用代码 of a company: correct in both check characters, unique by its serial.

    Source: GB 32100-2015; the organisation code inside it by GB 11714-1997.
    """
    letters = "ABCDEFGHJKLMNPQRTUWXY"
    organisation = f"MA{rng.choice(letters)}{rng.choice(letters)}{serial:04d}"[-8:]
    body = f"91{district_code}{organisation}{_organisation_check(organisation)}"
    return body + uscc_check(body)


def person(rng: Random) -> tuple[str, str]:
    """A surname and a given name."""
    given = rng.choice(_GIVEN) + (rng.choice(_GIVEN) if rng.random() < 0.8 else "")
    return rng.choice(_SURNAMES), given


def job(rng: Random) -> str:
    """A job title."""
    return rng.choice(_JOBS)


def mobile(serial: int) -> str:
    """A mobile number that no one else in the world has."""
    return f"1{('38', '39', '58', '86', '77')[serial % 5]}{serial * 7919 % 100_000_000:08d}"


def phone(city: City, serial: int) -> str:
    """A switchboard number that no other company has."""
    return f"{city.area_code}-{50_000_000 + serial * 4099 % 39_999_983:08d}"


def street(rng: Random, city: City) -> str:
    """A street address in the city."""
    return f"{city.name}市{rng.choice(city.districts)}{rng.choice(_STREETS)}{rng.randint(1, 2999)}号{rng.randint(1, 28)}幢"

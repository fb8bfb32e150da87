"""Base data of Kingdee: organisations, people, parties, products, price lists, stock. Native Save shape with system fields."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from sandbox.world.calendar import Days
from sandbox.world.model import Doc, Size
from sandbox.world.names import (
    CompanyName,
    brands,
    company_name,
    mobile,
    person,
    phone,
    street,
    uscc,
)

ORGANISATIONS = (
    ("100", "东方智控科技（上海）有限公司"),
    ("200", "东方智控华南销售有限公司"),
)
WAREHOUSES = {"100": ("CK01", "CK02"), "200": ("CK11",)}
TERMS = ("SKTJ01_SYS", "SKTJ03_SYS", "SKTJ05_SYS", "SKTJ02_SYS")
SETTLEMENTS = ("JSFS04_SYS", "JSFS01_SYS", "JSFS06_SYS")
GROUPS = ("DLR-A", "DLR-B", "KEY", "END")
LEVELS = ("核心", "普通", "潜在")
CHANNELS = ("省代", "市代", "二级")
DAYS_TO_PAY = {"SKTJ01_SYS": 0, "SKTJ02_SYS": 0, "SKTJ03_SYS": 22, "SKTJ05_SYS": 44}
"""Working days."""
UNITS = (
    ("Pcs", "pcs", "Piece"),
    ("box", "box", "Box"),
    ("set", "set", "Set"),
    ("kg", "kg", "kg"),
    ("m", "m", "Meter"),
)
_PRODUCT_KINDS = (
    ("可编程控制器", "PLC", "Pcs"),
    ("变频器", "VFD", "Pcs"),
    ("伺服电机", "SVM", "Pcs"),
    ("伺服驱动器", "SVD", "Pcs"),
    ("人机界面", "HMI", "Pcs"),
    ("光电传感器", "PHS", "Pcs"),
    ("接近开关", "PXS", "Pcs"),
    ("交流接触器", "ACC", "Pcs"),
    ("塑壳断路器", "MCB", "Pcs"),
    ("继电器", "RLY", "box"),
    ("开关电源", "PSU", "Pcs"),
    ("气缸", "CYL", "Pcs"),
    ("电磁阀", "SOV", "Pcs"),
    ("减速机", "RDC", "set"),
    ("直线导轨", "LGR", "m"),
    ("控制电缆", "CBL", "m"),
    ("端子排", "TRM", "box"),
    ("工业交换机", "ISW", "Pcs"),
    ("编码器", "ENC", "Pcs"),
    ("温控表", "TMP", "Pcs"),
)


def number(text: str) -> Doc:
    """A reference as Save takes it."""
    return {"FNumber": text}


@dataclass(slots=True)
class PartySeed:
    """One company of the seeded world, before any system typed it."""

    serial: int
    name: CompanyName
    uscc: str
    phone: str
    address: str
    seller: int
    """Index of its salesperson."""
    weight: float
    """How much it buys."""
    customer_number: str = ""
    customer_ids: dict[str, int] = field(default_factory=dict)
    """Its copies in Kingdee: organisation -> FCUSTID."""
    terms: str = "SKTJ03_SYS"
    level: str = ""
    channel: str = ""

    @property
    def seed_id(self) -> str:
        """Its name in `World.truth`."""
        return f"P{self.serial:05d}"


@dataclass(slots=True)
class ProductSeed:
    """One product of the seeded world."""

    serial: int
    number: str
    name: str
    specification: str
    unit: str
    price_fen: int
    """List price including tax, in fen."""
    ids: dict[str, int]


@dataclass(slots=True)
class Seller:
    """A salesperson under the three codes that are in use."""

    canonical: str
    kingdee: str
    zoho: str
    name: str


def parties(rng: Random, size: Size) -> list[PartySeed]:
    """The companies: first those that Kingdee has, then those that only Zoho has; each with a brand and a phone of its own."""
    count = size.parties + size.zoho_only
    made = []
    for serial, brand in enumerate(brands(rng, count), 1):
        name = company_name(rng, brand)
        seed = PartySeed(
            serial=serial,
            name=name,
            uscc=uscc(rng, name.city.district_code, serial),
            phone=phone(name.city, serial),
            address=street(rng, name.city),
            seller=int(rng.random() * size.salespeople),
            weight=rng.paretovariate(1.3),
            terms=rng.choice(TERMS),
            level=rng.choice(LEVELS),
            channel=rng.choice(CHANNELS),
        )
        made.append(seed)
    for index, seed in enumerate(made[: size.parties]):
        seed.customer_number = f"CUST{seed.serial:05d}"
        seed.customer_ids = {"100": 200_001 + index * 2, "200": 200_002 + index * 2}
    return made


def customers(rng: Random, seeds: list[PartySeed], sellers: list[Seller], days: Days) -> list[Doc]:
    """BD_Customer: a copy for each organisation, sharing number and FMasterId; credit, terms and seller differ by copy."""
    docs = []
    for seed in seeds:
        at = rng.randrange(max(1, days.last // 8))
        common = {
            "FNumber": seed.customer_number,
            "FName": seed.name.full,
            "FShortName": seed.name.short,
            "FCreateOrgId": number("100"),
            "FMasterId": seed.customer_ids["100"],
            "FGroup": number(GROUPS[seed.serial % 4]),
            "FSOCIALCRECODE": seed.uscc,
            "FTAXREGISTERCODE": seed.uscc,
            "FCOUNTRY": "China",
            "FPROVINCIAL": seed.name.city.province,
            "FADDRESS": seed.address,
            "FZIP": seed.name.city.postcode,
            "FTEL": seed.phone,
            "FWEBSITE": "",
            "FTRADINGCURRID": number("PRE001"),
            "FDescription": "",
            "FDocumentStatus": "C",
            "FForbidStatus": "B" if seed.serial % 97 == 0 else "A",
            "FCreateDate": days.stamp(at, seed.serial * 37),
            "F_HUB_KEY": "",
            "F_HUB_LEVEL": seed.level,
            "F_HUB_CHANNEL": seed.channel,
            "F_HUB_EMAIL": "",
        }
        for copy, (org, key) in enumerate(seed.customer_ids.items()):
            docs.append(
                {
                    "FCUSTID": key,
                    **common,
                    "FUseOrgId": number(org),
                    "FRECCONDITIONID": number(seed.terms),
                    "FSETTLETYPEID": number(SETTLEMENTS[seed.serial % 3]),
                    "FPRICELISTID": number(f"XSJMB{1 + 4 * copy + seed.serial % 3:04d}"),
                    "FSELLER": number(sellers[(seed.seller + copy) % len(sellers)].kingdee),
                    "F_HUB_CREDIT": Decimal(5 * (1 + seed.serial * 13 % 60) * (2 - copy)) * 10_000,
                    "FModifyDate": days.stamp(at + rng.randrange(days.last - at), seed.serial * 101 + copy),
                }
            )
    return docs


def sellers(rng: Random, size: Size) -> list[Seller]:
    """The salespeople, each with a code of Kingdee, one of Zoho and the canonical one."""
    pinyin = (
        "wang",
        "li",
        "zhang",
        "liu",
        "chen",
        "yang",
        "huang",
        "zhao",
        "zhou",
        "wu",
        "xu",
        "sun",
    )
    given = ("lei", "min", "tao", "jing", "hao", "na", "bin")
    made = []
    for index in range(size.salespeople):
        surname, name = person(rng)
        code = f"{pinyin[index % 12]}.{given[(index // 12 + index) % 7]}"
        made.append(Seller(f"S{index + 1:03d}", f"{1001 + index}_GW000002_1", code, surname + name))
    return made


def departments(days: Days) -> list[Doc]:
    """BD_Department: three for each organisation."""
    names = ("销售一部", "销售二部", "渠道管理部")
    return [
        {
            "FDEPTID": 110_001 + 3 * o + n,
            "FNumber": f"BM{3 * o + n + 1:06d}",
            "FName": name,
            "FUseOrgId": number(org),
            "FParentID": number(""),
            "FDocumentStatus": "C",
            "FForbidStatus": "A",
            "FModifyDate": days.stamp(0, 60 * n),
        }
        for o, (org, _) in enumerate(ORGANISATIONS)
        for n, name in enumerate(names)
    ]


def employees(people: list[Seller], days: Days) -> list[Doc]:
    """BD_Empinfo: the salespeople."""
    return [
        {
            "FID": 120_001 + n,
            "FNumber": seller.kingdee,
            "FName": seller.name,
            "FMobile": mobile(900_000 + n),
            "FEmail": f"{seller.zoho}@dongfang-zhikong.example",
            "FUseOrgId": number("100"),
            "FDocumentStatus": "C",
            "FForbidStatus": "A",
            "FModifyDate": days.stamp(0, 60 * n),
        }
        for n, seller in enumerate(people)
    ]


def organisations() -> list[Doc]:
    """ORG_Organizations."""
    return [
        {
            "FOrgID": int(code) * 1000 + 1,
            "FNumber": code,
            "FName": name,
            "FDocumentStatus": "C",
            "FForbidStatus": "A",
        }
        for code, name in ORGANISATIONS
    ]


def products(rng: Random, size: Size) -> list[ProductSeed]:
    """The products: kinds, series and ratings of a maker of automation parts."""
    made = []
    for index in range(size.products):
        kind, code, unit = _PRODUCT_KINDS[index % len(_PRODUCT_KINDS)]
        series, rating = (
            "ABCDEFGH"[index // 20 % 8],
            (index // 160 + 1) * 10 + index % 7,
        )
        model = f"{code}-{series}{rating}"
        made.append(
            ProductSeed(
                serial=index + 1,
                number=f"M{index + 1:05d}",
                name=f"{kind} {model}",
                specification=f"{model} / {rng.choice(('DC24V', 'AC220V', 'AC380V'))} / IP{rng.choice((20, 54, 65, 67))}",
                unit=unit,
                price_fen=rng.randrange(900, 480_000),
                ids={"100": 300_001 + index * 2, "200": 300_002 + index * 2},
            )
        )
    return made


def materials(seeds: list[ProductSeed], days: Days) -> list[Doc]:
    """BD_MATERIAL: a copy for each organisation."""
    return [
        {
            "FMATERIALID": key,
            "FNumber": seed.number,
            "FName": seed.name,
            "FSpecification": seed.specification,
            "FMaterialGroup": number(f"WLFZ{1 + seed.serial % 20:02d}"),
            "FCreateOrgId": number("100"),
            "FUseOrgId": number(org),
            "FMasterId": seed.ids["100"],
            "FDescription": "",
            "FDocumentStatus": "C",
            "FForbidStatus": "B" if seed.serial % 83 == 0 else "A",
            "FCreateDate": days.stamp(0, seed.serial),
            "FModifyDate": days.stamp(seed.serial * 7 % max(1, days.last), seed.serial * 53),
            "SubHeadEntity": {
                "FBARCODE": f"69{seed.serial * 104_729 % 10_000_000_000:010d}",
                "FBaseUnitId": number(seed.unit),
                "FTaxRateId": number("SL01_SYS"),
                "FIsSale": True,
            },
            "SubHeadEntity2": {"FSaleUnitId": number(seed.unit)},
            "F_HUB_KEY": "",
            "F_HUB_LISTPRICE": Decimal(seed.price_fen).scaleb(-2),
        }
        for seed in seeds
        for org, key in seed.ids.items()
    ]


def price_lists(seeds: list[ProductSeed], days: Days) -> list[Doc]:
    """BD_SAL_PriceList: standard, dealer, project and promotion price of each organisation."""
    kinds = (("标准价", 100), ("代理价", 82), ("工程价", 76), ("促销价", 90))
    docs: list[Doc] = []
    entry = 800_000
    for o, (org, _) in enumerate(ORGANISATIONS):
        for k, (title, percent) in enumerate(kinds):
            lines = []
            for seed in seeds[:: 1 if k == 0 else 2]:
                entry += 1
                price = Decimal(seed.price_fen * percent // 100).scaleb(-2)
                lines.append(
                    {
                        "FEntryID": entry,
                        "FMaterialId": number(seed.number),
                        "FUnitID": number(seed.unit),
                        "FFromQty": 0,
                        "FToQty": 0,
                        "FPrice": price,
                        "FDownPrice": Decimal(seed.price_fen * percent // 110).scaleb(-2),
                        "FEntryEffectiveDate": days.midnights[0],
                        "FEntryExpiryDate": "2099-12-31T00:00:00",
                        "FEntryForbidStatus": "A",
                        "FRowAuditStatus": "A",
                    }
                )
            docs.append(
                {
                    "FID": 130_001 + 4 * o + k,
                    "FNumber": f"XSJMB{4 * o + k + 1:04d}",
                    "FName": f"{title} {org}",
                    "FCreateOrgId": number(org),
                    "FCurrencyId": number("PRE001"),
                    "FIsIncludedTax": True,
                    "FEffectiveDate": days.midnights[0],
                    "FExpiryDate": "2099-12-31T00:00:00",
                    "FLimitCustomer": "",
                    "FDescription": "",
                    "FAuditStatus": "A",
                    "FDocumentStatus": "C",
                    "FForbidStatus": "A",
                    "FModifyDate": days.stamp(0, 90 * k),
                    "FEntity": lines,
                }
            )
    return docs


def stock(rng: Random, seeds: list[ProductSeed], days: Days) -> list[Doc]:
    """STK_Inventory: a row for each warehouse and product, some with lots."""
    docs = []
    for org, houses in WAREHOUSES.items():
        for house in houses:
            for seed in seeds:
                quantity = int(rng.random() * 900)
                docs.append(
                    {
                        "FID": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
                        "FStockOrgId": number(org),
                        "FStockId": number(house),
                        "FMaterialId": number(seed.number),
                        "FLot": number(f"L{seed.serial % 12 + 1:02d}" if seed.serial % 9 == 0 else ""),
                        "FStockUnitId": number(seed.unit),
                        "FQty": quantity,
                        "FAVBQty": quantity - quantity // 10,
                        "FUpdateTime": days.stamp(days.last - seed.serial % 30, seed.serial * 11),
                    }
                )
    return docs

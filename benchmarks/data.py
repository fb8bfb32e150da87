"""The made-up orders that every contender loads: 25 fields each, 1 to 5 lines of 8 fields (3 on average), Chinese names, exact amounts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

SEED = 20260101
COMPANIES = 3
PARTIES = 2_000
PRODUCTS = 500
SALESPEOPLE = 40
UNITS = ("pcs", "box", "kg", "m")
START = datetime(2025, 1, 1, tzinfo=UTC)
STEP_S = 30

_CITIES = "上海 北京 广州 深圳 苏州 杭州 成都 武汉 西安 青岛 宁波 厦门".split()
_TRADES = "智控 机电 自动化 五金 电气 仪表 贸易 科技 工业 装备".split()
_WORDS = "东方 华夏 恒通 万隆 鑫达 瑞丰 国泰 博远 联创 金鼎 中科 利德".split()
_TYPES = ("standard", "consignment", "cash")
_CURRENCIES = ("CNY", "CNY", "CNY", "USD")


def stamp(index: int) -> str:
    """Change time of the record at this place of the listing, in UTC."""
    return (START + timedelta(seconds=STEP_S * index)).strftime("%Y-%m-%dT%H:%M:%SZ")


def companies() -> list[dict[str, Any]]:
    """Our own organisations."""
    return [
        {"id": index, "code": f"{index}00", "name": f"{_CITIES[index]}销售公司", "updated_at": stamp(index)}
        for index in range(1, COMPANIES + 1)
    ]


def parties() -> list[dict[str, Any]]:
    """Who orders."""
    chance = random.Random(SEED + 1)
    return [
        {
            "id": index,
            "code": f"CUST{index:06}",
            "name": f"{chance.choice(_CITIES)}{chance.choice(_WORDS)}{chance.choice(_TRADES)}有限公司{index}",
            "city": chance.choice(_CITIES),
            "phone": f"021-{chance.randrange(10**7, 10**8)}",
            "updated_at": stamp(index),
        }
        for index in range(1, PARTIES + 1)
    ]


def products() -> list[dict[str, Any]]:
    """What is ordered."""
    chance = random.Random(SEED + 2)
    return [
        {
            "id": index,
            "code": f"M{index:05}",
            "name": f"{chance.choice(_TRADES)}组件 {index}",
            "unit": chance.choice(UNITS),
            "updated_at": stamp(index),
        }
        for index in range(1, PRODUCTS + 1)
    ]


def orders(count: int) -> Iterator[dict[str, Any]]:
    """`count` orders, oldest change first."""
    chance = random.Random(SEED)
    for index in range(count):
        yield _order(chance, index)


def _order(chance: random.Random, index: int) -> dict[str, Any]:
    lines = [_line(chance, index, place) for place in range(1, chance.randint(1, 5) + 1)]
    cents = sum(round(line["total"] * 100) for line in lines)
    net = round(cents / 1.13)
    party = chance.randint(1, PARTIES)
    ordered = date(2025, 1, 1) + timedelta(days=index * 365 // 400_000)
    return {
        "id": 1_000_000 + index,
        "number": f"XSDD{index:08}",
        "order_type": chance.choice(_TYPES),
        "ordered_on": ordered.isoformat(),
        "company_code": f"{chance.randint(1, COMPANIES)}00",
        "customer_id": party,
        "customer_name": f"{chance.choice(_CITIES)}{chance.choice(_WORDS)}{chance.choice(_TRADES)}有限公司",
        "ship_to_id": party,
        "salesperson": f"S{chance.randint(1, SALESPEOPLE):03}",
        "currency": chance.choice(_CURRENCIES),
        "exchange_rate": 7.1,
        "tax_included": True,
        "payment_terms": chance.choice(("T30", "T60", "CASH")),
        "settlement_method": chance.choice(("bank", "draft")),
        "net": net / 100,
        "tax": (cents - net) / 100,
        "total": cents / 100,
        "delivery_address": f"{chance.choice(_CITIES)}市{chance.choice(_WORDS)}路{chance.randint(1, 999)}号{chance.randint(1, 30)}栋",
        "customer_reference": f"PO-{chance.randrange(10**8):08}",
        "note": chance.choice(("", "", "尽快发货", "随货带发票", "客户自提")),
        "approval": "approved",
        "status": chance.choice(("open", "closed")),
        "created_at": stamp(index),
        "updated_at": stamp(index),
        "lines": lines,
    }


def _line(chance: random.Random, index: int, place: int) -> dict[str, Any]:
    quantity, cents = chance.randint(1, 200), chance.randint(100, 500_000)
    return {
        "line_id": index * 10 + place,
        "seq": place,
        "product_id": chance.randint(1, PRODUCTS),
        "quantity": quantity,
        "unit": chance.choice(UNITS),
        "price": cents / 100,
        "tax_rate": 0.13,
        "total": quantity * cents / 100,
    }


def changed(order: dict[str, Any], index: int) -> dict[str, Any]:
    """The same order after somebody worked on it: another note, one more piece on the first line, later change time."""
    first, *rest = order["lines"]
    cents = round(first["price"] * 100)
    line = {**first, "quantity": first["quantity"] + 1, "total": round(first["total"] * 100 + cents) / 100}
    return {
        **order,
        "note": f"改 {index}",
        "total": round(order["total"] * 100 + cents) / 100,
        "updated_at": stamp(index),
        "lines": [line, *rest],
    }

"""A small trade for tests of quotes: two dealers, an end customer, pumps and freight, published prices with an authority table.

Cost and floor prices carry markers that no dealer may ever see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from canonical.values import business_day
from channel.pricing import service
from channel.pricing.quote_asking import Actor
from channel.pricing.wanted import Wanted
from sync import hub_records
from sync.config import HubConfig
from sync.hub import Hub

COST = "713.8463"
"""Cost of a pump; in no dealer's answer."""
FLOOR = "699.4271"
"""Lowest price of a pump; in no dealer's answer."""
VALVE_COST = "151.2837"
MARKERS = {"cost": COST, "floor": FLOOR, "valve's cost": VALVE_COST}

RULES = f"""
settings:
  tax: excluded
  tax_rate: "0.13"
  reasons: {{competitor: 竞争对手, volume: 批量, project: 工程项目}}
items:
  - {{id: PUMP-50, name: 离心泵 50, brand: 恒流, model: HL-50, line: 水泵, cost: "{COST}", moq: 1,
     lead_time: {{days: 14, source: 排产计划}}}}
  - {{id: VALVE-80, name: 闸阀 DN80, brand: 恒流, line: 阀门, cost: "{VALVE_COST}"}}
books:
  - id: 标准价2026
    kind: 标准价
    prices:
      - {{item: PUMP-50, price: "1000", floor_price: "{FLOOR}"}}
      - {{item: VALVE-80, price: "200"}}
adjustments:
  - {{id: freight, name: 运费, rung: freight, scope: order, surcharge: true, separate: true, amount: "300", per: order, tax_rate: "0.09",
     when: {{terms: 送货}}}}
authority:
  - {{id: own, level: 0, role: sales, max_discount: 5, deal_to: "100000"}}
  - {{id: own-large, level: 0, role: sales, max_discount: 2, deal_from: "100000"}}
  - {{id: region, level: 1, role: 区域经理, max_discount: 15, min_margin: 10}}
  - {{id: head, level: 2, role: 总部, max_discount: 25, min_margin: 2}}
  - {{id: dealer, level: 0, role: dealer, max_discount: 0}}
"""

CONFIG: dict[str, Any] = {
    "companies": [{"number": "100", "name": "华东销售公司", "default": True}],
    "systems": {},
    "flows": {
        name: {"owners": {"default": "hub"}, "systems": {}}
        for name in ("company", "party", "contact", "product", "price_list", "deal", "quote", "order")
    },
}


@dataclass
class Shop:
    """A hub with the trade in it."""

    hub: Hub
    company: str = ""
    east: str = ""
    """Dealer 苏州恒信."""
    west: str = ""
    """Dealer 成都天府."""
    mill: str = ""
    """End customer."""
    products: dict[str, str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The business day."""
        return business_day(datetime.now(UTC))

    @property
    def seller(self) -> Actor:
        """李雷, of our sales."""
        return Actor("api:李雷")

    @property
    def boss(self) -> Actor:
        """Somebody who may see cost."""
        return Actor("api:王总", role="management", costs=True)

    @property
    def dealer(self) -> Actor:
        """The eastern dealer."""
        return Actor(f"dealer:{self.east}", role="dealer", dealer=UUID(self.east))

    def put(self, name: str, key: str, fields: Mapping[str, Any], **sets: Mapping[str, Any]) -> str:
        """A record of the hub's own; its id."""
        with self.hub.transaction() as db:
            return hub_records.put(self.hub, db, name, key, fields, sets, cause="a test").id

    def deal(self, name: str = "三号泵站", *, stage: str = "propose", dealer: str = "", customer: str = "", key: str = "1") -> str:
        """A deal of the eastern dealer with the mill."""
        fields = {
            "name": name, "dealer": dealer or self.east, "customer": customer or self.mill, "stage": stage, "stage_kind": stage,
            "company": self.company, "salesperson": "XS001", "currency": "CNY",
        }  # fmt: skip
        return self.put("deal", f"deal/{key}", fields)

    def publish(self, text: str = RULES) -> None:
        """Publish price rules."""
        with self.hub.transaction() as db:
            service.publish(db.connection, "trade", text, by="finance")

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What the ledger says."""
        with self.hub.transaction() as db:
            db.execute(query.encode(), list(values))
            return db.fetchall()

    def one(self, query: str, *values: Any) -> Any:
        """The first column of the first row."""
        return next(iter(self.rows(query, *values)[0].values()))


def open_shop(database: str, quotes: Mapping[str, Any] | None = None) -> Hub:
    """A hub whose records are all its own."""
    return Hub.open(HubConfig.model_validate(CONFIG | {"quotes": dict(quotes or {})}), database)


def fill(hub: Hub) -> Shop:
    """Companies, parties, products and prices."""
    shop = Shop(hub)
    shop.company = shop.put("company", "c", {"number": "100", "name": "华东销售公司", "currency": "CNY", "status": "active"})
    dealer = {"roles": ["dealer"], "status": "active"}
    shop.east = shop.put("party", "east", {"number": "D-EAST", "name": "苏州恒信机电有限公司", **dealer})
    shop.west = shop.put("party", "west", {"number": "D-WEST", "name": "成都天府阀门有限公司", **dealer})
    shop.mill = shop.put("party", "mill", {"number": "C-MILL", "name": "无锡第三自来水厂", "roles": ["customer"], "status": "active"})
    for number, name, unit in (("PUMP-50", "离心泵 50", "台"), ("VALVE-80", "闸阀 DN80", "个"), ("freight", "运费", "次")):
        fields = {"number": number, "name": name, "base_unit": unit, "tax_rate": "0.13", "status": "active", "sellable": True}
        shop.products[number] = shop.put("product", number, fields)
    shop.publish()
    return shop


def by_hand(percent: str, reason: str = "competitor", text: str = "对手报价低 5 个点") -> dict[str, str]:
    """A discount by hand."""
    return {"percent": percent, "reason": reason, "text": text}


def wanted(*lines: tuple[str, str] | tuple[str, str, str], dealer: str = "D-EAST", customer: str = "", **more: Any) -> Wanted:
    """Lines of item, quantity and percent by hand."""
    made: list[dict[str, Any]] = []
    for item, quantity, *percent in lines or [("PUMP-50", "10")]:
        made.append({"item": item, "quantity": quantity, **({"manual": by_hand(percent[0])} if percent else {})})
    return Wanted.model_validate({"dealer": dealer, "customer": customer, "lines": made, **more})


def pumps(quantity: str = "10", percent: str = "") -> Sequence[tuple[str, ...]]:
    """One line of pumps."""
    return [("PUMP-50", quantity, percent)] if percent else [("PUMP-50", quantity)]

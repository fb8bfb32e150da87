"""Money of rebates for tests: a programme on orders, a market fund, and what the ERP has booked of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from channel.funds.handing import Handed
from channel.rebates import service
from sync import funds, valuing
from tests.sync.stage import BOSS, Stage

AS_OF = date(2026, 11, 21)
PROGRAMME = """
programme: orders-2026
version: {version}
name: {{zh: 年度订货返利, en: Order rebate of the years}}
currency: CNY
valid: {{from: 2020-01-01, to: 2027-01-01}}
participants: all
base: {{event: order, measure: amount, tax: exclusive, net_of: [returns, credits]}}
calendar:
  period: custom
  periods:
    - {{name: 2020-2026, from: 2020-01-01, to: 2026-11-01}}
    - {{name: open, from: 2026-11-01, to: 2027-01-01}}
method: retroactive
boundary: at_least
tiers:
  - {{from: 0, rate: {rate}}}
accrual: {{by: earned}}
settlement: {{ways: [credit_note], tax_rate: 13 %}}
"""


def publish(stage: Stage, version: int = 1, rate: str = "2 %") -> None:
    """Publish a version of the programme."""
    with stage.hub.transaction() as db:
        service.publish(db.connection, PROGRAMME.format(version=version, rate=rate), by=BOSS)


def more_of_the_first_line(stage: Stage, quantity: int) -> str:
    """Somebody corrects an old order: the first line's quantity. Gives the dealer's number."""
    doc = next(doc for doc in stage.kingdee.records("sales_orders") if doc["FDocumentStatus"] == "C" and doc["FDate"] < "2026-11-01")
    line = doc["FSaleOrderEntry"][0]
    stage.kingdee.put(
        "sales_orders", {"FID": doc["FID"], "FSaleOrderEntry": [{"FEntryID": line["FEntryID"], "FQty": line["FQty"] + quantity}]}
    )
    stage.read()
    return str(doc["FCustId"]["FNumber"])


def booked(stage: Stage) -> list[dict[str, Any]]:
    """The ERP's memos that carry a payout's number."""
    return [doc for doc in stage.kingdee.records("other_receivables") if doc.get("F_HUB_PAYOUT")]


MDF = """
type: fund
programme: mdf-2026
version: 1
name: {zh: 市场费用, en: MDF}
currency: CNY
valid: {from: 2026-01-01, to: 2027-01-01}
participants: all
granted: 10000
calendar: {period: year}
share: 50 %
unused: carried
settlement: {ways: [credit_note], tax_rate: 6 %}
"""


def publish_fund(stage: Stage) -> None:
    """The market fund may be claimed from, and the ERP knows what its memos are booked on."""
    valuing.set_value(stage.hub, "expense", "kingdee", "", "FYXM21", "fund", by=BOSS)
    with stage.hub.transaction() as db:
        service.publish(db.connection, MDF, by=BOSS)


def approved_claim(stage: Stage, activity: str = "苏州泵业展会") -> str:
    """A claim of 1,234.57 on the fund that was agreed to; its number."""
    dealer = stage.rows("SELECT party_id FROM orders WHERE approval = 'approved' AND status <> 'void' LIMIT 1")[0]["party_id"]
    told = Handed("mdf-2026", date(2026, 11, 12), activity=activity, amount=Decimal("1234.57"))
    claim = funds.submit(stage.hub, dealer, told, by=BOSS, on=AS_OF)
    funds.approve(stage.hub, claim["id"], by=BOSS)
    return str(claim["id"])

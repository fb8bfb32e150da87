"""Money in a convergence run: two programmes over the world's documents, what a night does with them, and what the ledger says of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from channel.rebates import service
from sync import hub_records, rebates, valuing
from sync.errors import NotFound
from sync.hub import Cursor, Hub
from tests.oracle.prices import Price, judge_price_lists, price
from tests.oracle.rebates import Paid, Settled, Terms, judge_rebates
from tests.oracle.verdict import Finding
from tests.sync.stage import BOSS, Stage

AS_OF = "2026-11-21"
NIGHT = datetime.fromisoformat("2026-11-22T01:00:00+08:00")
"""The night after the last business day of the world: fixed, so that the run pays the same on any day."""
_PERIODS = (("2020-01-01", "2026-11-01"), ("2026-11-01", "2026-11-22"))
TERMS = (
    Terms(
        "orders", "order", _PERIODS, marginal=False, tax_rate=Decimal("0.13"),
        tiers=((Decimal(0), Decimal("0.01")), (Decimal(12_000), Decimal("0.0235")), (Decimal(30_000), Decimal("0.031"))),
    ),
    Terms(
        "invoices", "invoice", _PERIODS, marginal=True, tax_rate=Decimal("0.06"),
        tiers=((Decimal(0), Decimal("0.005")), (Decimal(10_000), Decimal("0.0175"))),
    ),
)  # fmt: skip
_PROGRAMMES = (
    """
programme: orders
version: 1
name: {zh: 订货返利, en: Order rebate}
currency: CNY
valid: {from: 2020-01-01, to: 2026-11-22}
participants: all
base: {event: order, measure: amount, tax: exclusive, net_of: nothing}
calendar: {period: custom, periods: [{name: past, from: 2020-01-01, to: 2026-11-01}, {name: now, from: 2026-11-01, to: 2026-11-22}]}
method: retroactive
boundary: at_least
tiers: [{from: 0, rate: 1 %}, {from: 12000, rate: 2.35 %}, {from: 30000, rate: 3.1 %}]
stacking: {order: 1, base: gross}
accrual: {by: earned}
settlement: {ways: [credit_note], tax_rate: 13 %}
""",
    """
programme: invoices
version: 1
name: {zh: 开票返利, en: Rebate on what was billed}
currency: CNY
valid: {from: 2020-01-01, to: 2026-11-22}
participants: all
base: {event: invoice, measure: amount, tax: exclusive, net_of: [return, credit]}
calendar: {period: custom, periods: [{name: past, from: 2020-01-01, to: 2026-11-01}, {name: now, from: 2026-11-01, to: 2026-11-22}]}
method: marginal
boundary: at_least
tiers: [{from: 0, to: 10000, rate: 0.5 %}, {from: 10000, rate: 1.75 %}]
stacking: {order: 2, base: gross}
accrual: {by: earned}
settlement: {ways: [credit_note], tax_rate: 6 %}
""",
)


def agree(hub: Hub) -> None:
    """The programmes are published, and finance has said which expense item a rebate is."""
    for text in _PROGRAMMES:
        with hub.transaction() as db:
            service.publish(db.connection, text, by=BOSS)
    valuing.set_value(hub, "expense", "kingdee", "", "FYXM20", "rebate", by=BOSS)


def night(hub: Hub) -> None:
    """The nightly run: accrue, settle, pay, reconcile."""
    rebates.nightly(hub, now=NIGHT)


def wrong_money(stage: Stage) -> list[Finding]:
    """What the judge of rebates has against the ledger and the ERP."""
    return judge_rebates(stage.kingdee.url, TERMS, settled(stage), paid(stage), AS_OF)


def wrong_prices(stage: Stage, said: Mapping[tuple[str, str], object], made: Mapping[str, Counter[Price]] | None = None) -> list[Finding]:
    """What the judge of price lists has against the ERP, the CRM and the ledger. `made`: name -> lines of lists made in the hub."""
    return judge_price_lists(stage.kingdee.url, stage.zoho.url, priced(stage), said, made)


def make_list(hub: Hub, name: str, prices: Mapping[Decimal, Decimal]) -> Counter[Price]:
    """A person makes a price list in the hub, or changes the one of that name: prices of one product by least quantity. Returns its lines.

    Raises: NotFound while the hub has read no company or product.
    """

    def put(db: Cursor) -> Counter[Price]:
        db.execute("SELECT id::text AS id FROM companies WHERE number = '100'")
        company = db.fetchone()
        db.execute("SELECT id::text AS id, number, doc->>'base_unit' AS unit FROM products WHERE number <> '' ORDER BY number LIMIT 1")
        product = db.fetchone()
        if company is None or product is None:
            raise NotFound("nothing is read yet")
        lines = {
            f"from {start}": {
                "product": product["id"], "unit": product["unit"], "from_quantity": f"{start}", "to_quantity": "0", "price": f"{amount}",
                "floor_price": "0.5", "status": "active",
            }
            for start, amount in prices.items()
        }  # fmt: skip
        fields = {
            "name": name, "company": company["id"], "currency": "CNY", "tax_included": True, "audience": "all", "status": "active",
            "valid_from": "2026-01-01", "valid_to": "2099-12-31",
        }  # fmt: skip
        hub_records.put(hub, db, "price_list", f"list/{name}", fields, {"lines": lines}, cause=f"made by {BOSS}")
        return Counter(price(product["number"], start, "0", amount, "0.5") for start, amount in prices.items())

    return hub.settle(put)


def priced(stage: Stage) -> dict[str, Counter[Price]]:
    """Lines of the ledger's price lists, by the list's number."""
    found: dict[str, Counter[Price]] = defaultdict(Counter)
    for row in stage.rows(
        "SELECT h.number, p.number AS product, l.doc FROM price_lists AS h JOIN price_list_lines AS l ON l.parent_id = h.id "
        "LEFT JOIN products AS p ON p.id = (l.doc->>'product')::uuid WHERE NOT h.retired"
    ):
        said = row["doc"]
        amounts = [said.get(name) for name in ("from_quantity", "to_quantity", "price", "floor_price")]
        found[row["number"]][price(row["product"], *amounts, active=said.get("status") != "blocked")] += 1
    return found


def settled(stage: Stage) -> list[Settled]:
    """What the ledger settled, and how much of it waits for a payout."""
    return [
        Settled(**row)
        for row in stage.rows(
            "SELECT s.dealer, s.programme, sum(s.amount) AS amount, "
            "coalesce(sum(s.amount) FILTER (WHERE i.settlement_id IS NULL), 0) AS waiting FROM rebate_settlement AS s "
            "LEFT JOIN rebate_payout_item AS i ON i.settlement_id = s.id GROUP BY s.dealer, s.programme"
        )
    ]


def paid(stage: Stage) -> list[Paid]:
    """The statement of payouts."""
    return [Paid(**row) for row in stage.rows("SELECT id, dealer, tax_rate, total, tax FROM rebate_payout ORDER BY id")]

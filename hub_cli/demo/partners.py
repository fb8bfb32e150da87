"""Ten partners side by side: what the hub, Kingdee and Zoho each hold of their orders and payments."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub_cli.demo.documents import status_of
from hub_cli.demo.doors import Door
from sync.hub import Hub


def ten_partners(hub: Hub, kingdee: Door, zoho: Door) -> list[tuple[Any, ...]]:
    """Ten partners that both systems hold, those with the latest orders first: three rows each, as hub, Kingdee and Zoho hold them."""
    with hub.transaction() as db:
        db.execute(
            "SELECT p.id::text AS id, p.name, count(*) AS orders, sum(o.total) AS total, sum(o.paid_amount) AS paid FROM parties p "
            "JOIN orders o ON o.party_id = p.id WHERE NOT o.retired AND EXISTS (SELECT 1 FROM link l JOIN stream s ON s.id = l.stream_id "
            "WHERE l.entity_id = p.id AND s.system = 'zoho' AND s.name = 'accounts') "
            "GROUP BY 1, 2 ORDER BY max(o.ordered_on) DESC, 1 LIMIT 10"
        )
        ours = list(db)
        db.execute(
            "SELECT l.entity_id::text AS id, s.system, l.key, l.number FROM link l JOIN stream s ON s.id = l.stream_id "
            "WHERE l.entity_id = ANY(%s::uuid[]) AND s.name IN ('customers', 'accounts') AND s.system <> 'hub'",
            [[row["id"] for row in ours]],
        )
        names = {(row["system"], row["number"] if row["system"] == "kingdee" else row["key"]): row["id"] for row in db}
    erp = _totals(
        (
            (names.get(("kingdee", doc["FCustId"]["FNumber"])), Decimal(str(doc["FBillAllAmount"] or 0)))
            for doc in kingdee.records("sales_orders", field="FCustId", values=_of("kingdee", names))
        ),
    )
    received = _totals(_receipts(kingdee, names))
    theirs = [
        (names.get(("zoho", _id(doc["Account_Name"]))), Decimal(str(doc["Total_Amount"] or 0)), Decimal(str(doc["Paid_Amount"] or 0)))
        for doc in zoho.records("sales_orders", field="Account_Name", values=_of("zoho", names))
    ]
    crm, paid = _totals((who, total) for who, total, _ in theirs), _totals((who, paid) for who, _, paid in theirs)
    nothing = (0, Decimal(0))
    rows: list[tuple[Any, ...]] = []
    for row in ours:
        key = row["id"]
        rows.append((row["name"], "hub", row["orders"], _money(row["total"]), _money(row["paid"])))
        rows.append(("", "Kingdee", *_shown(erp, key), _money(received.get(key, nothing)[1])))
        rows.append(("", "Zoho", *_shown(crm, key), _money(paid.get(key, nothing)[1])))
    return rows


def _of(system: str, names: Mapping[tuple[str, str], str]) -> list[str]:
    return [name for owner, name in names if owner == system]


def _receipts(kingdee: Door, names: Mapping[tuple[str, str], str]) -> list[tuple[str | None, Decimal]]:
    """Approved receipts and refunds that name an order, by party; those on account do not pay an order."""
    rows: list[tuple[str | None, Decimal]] = []
    for stream, entry, amount, order, sign in (
        ("receipts", "FRECEIVEBILLENTRY", "FRECTOTALAMOUNTFOR", "FSALEORDERNO", 1),
        ("refunds", "FREFUNDBILLENTRY", "FREFUNDAMOUNTFOR", "FSALEORDERNUMBER", -1),
    ):
        for doc in kingdee.records(stream, field="FCONTACTUNIT", values=_of("kingdee", names)):
            if status_of(doc) == "C" and doc.get("FCancelStatus", "A") == "A":
                who = names.get(("kingdee", doc["FCONTACTUNIT"]["FNumber"]))
                rows += [(who, sign * Decimal(str(line[amount]))) for line in doc[entry] if line.get(order)]
    return rows


def _totals(rows: Any) -> dict[str, tuple[int, Decimal]]:
    found: dict[str, tuple[int, Decimal]] = {}
    for key, amount in rows:
        if key is not None:
            number, total = found.get(key, (0, Decimal(0)))
            found[key] = (number + 1, total + amount)
    return found


def _shown(totals: Mapping[str, tuple[int, Decimal]], key: str) -> tuple[int, str]:
    number, total = totals.get(key, (0, Decimal(0)))
    return number, _money(total)


def _money(amount: Any) -> str:
    return f"{Decimal(amount or 0):,.2f}"


def _id(lookup: Any) -> str:
    return str(lookup["id"]) if isinstance(lookup, dict) else str(lookup or "")

"""A small trade on the ledger: dealers, what they were billed for, what they paid; each amount is one that a reader can follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from canonical.ids import new_id
from sync.hub import Cursor, Hub
from tests.hub_api.world import make

NAMES = ("杭州恒远机电", "宁波东钱湖传动", "温州瓯江泵业", "嘉兴南湖自动化", "湖州太湖液压", "绍兴鉴湖电气")
NOW = datetime(2026, 11, 6, 1, 0, tzinfo=UTC)
"""The moment of the monthly run: 6 November in Shanghai, October is over."""


@dataclass
class Trade:
    """A hub with dealers whose documents a test writes."""

    hub: Hub
    dealers: dict[str, UUID] = field(default_factory=dict)
    """By code: D1, D2 and so on."""

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        """A transaction."""
        with self.hub.transaction() as db:
            yield db

    def dealer(self, code: str, name: str, *, target: str = "", **more: Any) -> UUID:
        """A dealer of the first grade in Zhejiang."""
        doc = {"name": name, "short_name": name, "roles": ["dealer"], "status": "active", "level": "core", "province": "浙江省", **more}
        with self.writing() as db:
            self.dealers[code] = make(db, "party", doc | ({"annual_target": target} if target else {}), number=code)
        return self.dealers[code]

    def invoice(
        self, code: str, number: str, net: str, billed: str, *, due: str = "", paid: str = "", line: str = "", currency: str = "CNY"
    ) -> UUID:
        """An order, its bill with 13 % tax, and its receipt where a day of payment is named. Its id."""
        whose, total = str(self.dealers[code]), str(int(net) * 113 // 100)
        head = {"party": whose, "currency": currency, "approval": "approved", "status": "open"}
        with self.writing() as db:
            row = {"quantity": "10", "net": net, "total": total, **({"product": str(self._product(db, line))} if line else {})}
            order = make(db, "order", head | {"ordered_on": billed, "total": total}, number=f"SO-{number}", lines=[row])
            bill = make(
                db, "receivable", head | {"kind": "financial", "billed_on": billed, "due_on": due or billed, "total": total,
                                    "order": str(order)},
                number=number, lines=[row | {"order": str(order)}],
            )  # fmt: skip
            if paid:
                receipt = head | {"received_on": paid, "amount": total, "order": str(order)}
                make(db, "receipt", receipt, number=f"SK-{number}", lines=[{"order": str(order), "amount": total}])
        return bill

    def _product(self, db: Cursor, line: str) -> UUID:
        return make(db, "product", {"name": f"{line}产品", "product_line": line, "status": "active"}, number=f"P-{new_id().hex[-8:]}")

    def project(self, code: str, accepted: datetime, *, status: str = "protected") -> None:
        """A registration of an end customer's project that was accepted at a moment."""
        with self.writing() as db:
            db.execute("INSERT INTO customer (name, given, prepared, norm_version) VALUES ('终端', '{}', '', '') RETURNING id")
            customer = (db.fetchone() or {})["id"]
            one = new_id()
            db.execute(
                "INSERT INTO registration (id, customer_id, claimed_as, dealer_id, protected, status, submitted_at, days, claim, "
                "active_at) VALUES (%s, %s, %s, %s, tstzrange(%s, %s), %s, %s, 90, '{}', %s)",
                [
                    one,
                    customer,
                    customer,
                    self.dealers[code],
                    accepted,
                    accepted.replace(year=accepted.year + 1),
                    status,
                    accepted,
                    accepted,
                ],
            )
            for at, after in ((accepted, "protected"), *(((accepted, status),) if status != "protected" else ())):
                db.execute(
                    "INSERT INTO registration_event (registration_id, at, action, actor, after) VALUES (%s, %s, 'test', 'person:test', %s)",
                    [one, at, after],
                )

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What the ledger says."""
        with self.writing() as db:
            db.execute(query.encode(), list(values))
            return db.fetchall()

    def notices(self, kind: str) -> list[dict[str, Any]]:
        """Messages of a kind that are open, oldest first."""
        return [row["doc"] for row in self.rows("SELECT doc FROM notices WHERE kind = %s AND state = 'open' ORDER BY id", kind)]


def filled(hub: Hub) -> Trade:
    """Six dealers with a target of 120,000 each, billed 60,000, 72,000 and so on up to 120,000 in May 2026, paid in June."""
    trade = Trade(hub)
    for at, name in enumerate(NAMES):
        trade.dealer(f"D{at + 1}", name, target="120000")
        trade.invoice(f"D{at + 1}", f"AR26-{at + 1}", str(60000 + at * 12000), "2026-05-15", due="2026-06-15", paid="2026-06-10")
    return trade


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)

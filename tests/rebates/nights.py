"""Nights on the ledger for tests: a programme that accrues, what happens to some dealers day by day, and a night as the DAG does it."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from canonical.values import SHANGHAI
from channel.rebates import service
from channel.rebates.queries import Connection
from tests.rebates.making import written
from tests.sync.stage import BOSS

DEALERS = ["甲", "乙", "丙", "丁"]
PARENTS = {"乙": "甲", "丙": "甲"}
FIRST = date(2025, 1, 1)
ACCRUED = {"by": "earned"}
EARLIER = {"from": "2025-01-01", "to": "2027-01-01"}
QUARTERS = {"period": "quarter"}
AS_OF = date(2025, 12, 20)


def plan(**changes: Any) -> dict[str, Any]:
    """A programme that accrues and settles by quarter, and one thing about it."""
    return {"valid": EARLIER, "calendar": QUARTERS, "accrual": ACCRUED, **changes}


class History:
    """What happens to some dealers, day by day."""

    def __init__(self, db: Connection, seed: int) -> None:
        self.db, self.rng = db, random.Random(seed)
        self.day = FIRST
        self.known: dict[str, dict[str, Any]] = {}
        self.usd = False

    def some_days(self, most: int) -> None:
        """Time passes, and things happen."""
        self.day += timedelta(days=self.rng.randint(10, most))
        for _ in range(self.rng.randint(3, 14)):
            self.rng.choice([self.sale, self.sale, self.sale, self.sale, self.back, self.corrected, self.corrected, self.told])()

    def sale(self) -> None:
        """Now, late, or dated ahead."""
        late = self.rng.random() < 0.3
        on = self.day - timedelta(days=self.rng.randint(0, 200 if late else 15))
        if self.rng.random() < 0.05:
            on = self.day + timedelta(days=self.rng.randint(1, 40))  # dated ahead
        self.line(
            "sale", max(on, FIRST - timedelta(days=300)), self.rng.choice(DEALERS), self.rng.randint(1, 200_000), self.rng.randint(1, 60)
        )

    def back(self) -> None:
        """A return, or a credit."""
        kind = self.rng.choice(["return", "credit"])
        sales = [one for one in self.known.values() if one["kind"] == "sale"]
        sold = self.rng.choice(sales) if sales else None
        dealer = sold["dealer"] if sold else self.rng.choice(DEALERS)
        quantity = -self.rng.randint(1, 10) if kind == "return" else 0
        self.line(
            kind,
            self.day - timedelta(days=self.rng.randint(0, 40)),
            dealer,
            -self.rng.randint(1, 60_000),
            quantity,
            sold["id"] if sold else "",
        )

    def line(self, kind: str, on: date, dealer: str, fen: int, quantity: int, of: str = "") -> None:
        """One line of an invoice."""
        amount = Decimal(fen).scaleb(-2)
        product = self.rng.randint(1, 4)
        self.put(
            id=f"L{len(self.known)}", kind=kind, date=on, dealer=dealer, currency="USD" if self.usd and self.rng.random() < 0.3 else "CNY",
            quantity=quantity, amount=amount, gross=amount + amount * 13 // 100, invoice_date=on,
            document=f"B{self.rng.randint(1, 8)}{dealer}",
            product=f"P{product}", product_line="泵" if product < 3 else "阀", region=self.rng.choice(["3101", "4403"]), returns_of=of,
            unit=self.rng.choice(["件", "箱"]), dealer_parent=PARENTS.get(dealer, ""), due_date=on + timedelta(days=30),
        )  # fmt: skip

    def corrected(self) -> None:
        """A line is corrected: its amount, its day or its dealer; or it is not there any more."""
        lines = [one for one in self.known.values() if one["kind"] in ("sale", "return", "credit")]
        if not lines:
            return
        one = {**self.rng.choice(lines)}
        one["revision"] += 1
        match self.rng.randint(1, 4):
            case 1:
                one["amount"] = one["gross"] = one["amount"] / 2
            case 2:
                one["date"] = one["invoice_date"] = one["date"] + timedelta(days=self.rng.randint(-100, 100))
            case 3:
                one["dealer"] = self.rng.choice(DEALERS)
                one["dealer_parent"] = PARENTS.get(one["dealer"], "")
            case _:
                one["amount"] = one["gross"] = Decimal(0)
                one["quantity"] = 0
        self.put(**one)

    def told(self) -> None:
        """A payment, a target or a complaint."""
        kind = self.rng.choice(["payment", "payment", "payment", "target", "complaint"])
        dealer = self.rng.choice(DEALERS)
        amount = Decimal(self.rng.randint(1, 300_000)).scaleb(-2)
        more = {"amount": amount, "gross": amount} if kind != "complaint" else {}
        self.put(id=f"K{len(self.known)}", kind=kind, date=self.day, dealer=dealer, currency="CNY", quantity=1,
                 applies_to=f"B{self.rng.randint(1, 8)}{dealer}" if kind == "payment" else "", **more)  # fmt: skip

    def put(self, **said: Any) -> None:
        """One revision of a fact, known this evening."""
        said.setdefault("revision", 1)
        said.setdefault("recorded_at", datetime.combine(self.day, time(20, self.rng.randint(0, 59)), SHANGHAI))
        self.known[said["id"]] = said
        self.db.execute("SELECT rebate_fact_month(date_trunc('month', %s::date)::date)", [said["date"]])
        query = f"INSERT INTO rebate_fact ({', '.join(said)}) VALUES ({', '.join(['%s'] * len(said))})"
        self.db.execute(query.encode(), list(said.values()))
        self.db.commit()


def full_finds_nothing(db: Connection, as_of: date) -> None:
    """Everything read again, line by line, has nothing to book and nothing to settle; then it is undone."""
    with db.transaction(force_rollback=True):
        again = service.accrue(db, as_of, by=BOSS, full=True)
        settled = service.settle(db, as_of, by=BOSS, full=True)
    assert (dict(again.booked), list(again.units), list(again.problems)) == ({}, [], [])
    assert (list(settled.units), list(settled.problems)) == ([], [])


def publish(db: Connection, **changes: Any) -> None:
    """Publish such a programme."""
    with db.transaction():
        service.publish(db, written(**plan(**changes)), by=BOSS)


def night(db: Connection, as_of: date = AS_OF, sample: int = 0) -> tuple[service.Done, service.Done]:
    """Accrue, then settle: what each did."""
    with db.transaction():
        accrued = service.accrue(db, as_of, by=BOSS, sample=sample)
    with db.transaction():
        settled = service.settle(db, as_of, by=BOSS)
    return accrued, settled


def sale(history: History, on: date, yuan: int, dealer: str = "甲", **more: Any) -> None:
    """Something is sold and invoiced on a day, or whatever else `more` makes of it."""
    plain = {
        "id": f"X{len(history.known)}", "kind": "sale", "date": on, "dealer": dealer, "currency": "CNY", "quantity": 1,
        "amount": Decimal(yuan), "gross": Decimal(yuan), "invoice_date": on,
    }  # fmt: skip
    history.put(**plain | more)


def settlements(db: Connection, period: str) -> list[tuple[str, Decimal, str]]:
    """What a period was settled with: kind, amount, reason."""
    query = "SELECT kind, amount, reason FROM rebate_settlement WHERE period = %s ORDER BY id"
    return [(row["kind"], row["amount"], row["reason"]) for row in db.execute(query, [period])]

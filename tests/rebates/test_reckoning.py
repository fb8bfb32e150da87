"""Night by night from kept sums is what reading everything gives: any programme, any history of sales, corrections and late lines."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

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
GROWTH = {"tier_on": "percent", "pays_on": "increment", "bands": "retroactive", "baseline": "same_period_last_year"}
STEPS = [{"from": "0", "to": "50 %", "rate": "1 %"}, {"from": "50 %", "rate": "4 %"}]


def plan(**changes: Any) -> dict[str, Any]:
    """A programme that accrues and settles by quarter, and one thing about it."""
    return {"valid": EARLIER, "calendar": QUARTERS, "accrual": ACCRUED, **changes}


def stacked(order: int, **changes: Any) -> dict[str, Any]:
    return plan(programme=f"p{order}", stacking={"order": order, "base": "gross", **changes.pop("stack", {})}, **changes)


SHAPES: Mapping[str, list[dict[str, Any]]] = {
    "retroactive": [plan()],
    "marginal by product line": [plan(method="marginal", grouping={"by": ["dealer", "product_line"]})],
    "fixed, of a region": [plan(method="fixed", tiers=[{"from": "1000", "amount": "50"}], scope={"regions": ["31"]})],
    "per unit, in boxes": [
        plan(
            method="per_unit",
            base={**json.loads(written())["base"], "measure": "quantity", "unit": "件", "units": {"箱": "12"}},
            tiers=[{"from": "10", "to": "100", "per_unit": "0.5"}, {"from": "100", "per_unit": "0.75"}],
        )
    ],
    "growth over last year": [plan(method="growth", growth=GROWTH, tiers=STEPS, calendar={"period": "quarter", "late_days": "10"})],
    "growth over the last period": [
        plan(method="growth", growth={**GROWTH, "baseline": "previous_period", "pays_on": "whole"}, tiers=STEPS)
    ],
    "target": [plan(method="target", target={"pays_on": "whole", "bands": "retroactive", "each": "3000"}, tiers=STEPS)],
    "mix share": [
        plan(
            method="mix",
            mix={"focus": {"product_lines": ["泵"]}, "tier_on": "share", "pays_on": "focus", "bands": "retroactive"},
            tiers=STEPS,
        )
    ],
    "mix count": [
        plan(
            method="mix",
            mix={"tier_on": "count", "count_of": "product", "pays_on": "whole", "bands": "retroactive"},
            tiers=[{"from": "1", "to": "3", "rate": "1 %"}, {"from": "3", "rate": "2 %"}],
        )
    ],
    "weights, tiers of a wider scope": [
        plan(
            scope={"product_lines": ["泵"]},
            tier_scope={"product_lines": ["泵", "阀"]},
            base={**json.loads(written())["base"], "weights": [{"products": ["P1"], "weight": "2", "pay": True}]},
        )
    ],
    "members for some of the time": [
        plan(
            participants={"members": [{"dealer": "甲", "from": "2025-02-10", "to": "2025-08-20"}, {"dealer": "丁"}]},
            calendar={"period": "half", "prorate": "days"},
        )
    ],
    "a group under its head": [plan(grouping={"by": ["dealer"], "group": "parent"})],
    "all together": [plan(grouping={"by": ["dealer"], "group": "all"}, calendar={"period": "half", "settle": "quarter"})],
    "annualised": [plan(calendar={"period": "year", "annualise": "months"})],
    "negative carried": [plan(settlement={"negative": "carried"})],
    "no claw-back": [plan(settlement={"claw_back": False})],
    "cap by year": [plan(limits={"cap": {"amount": "60", "per": "year"}})],
    "floor behind a measure": [plan(limits={"floor": "30"}, gates=[{"kind": "complaints", "at_most": "2", "otherwise": "zero"}])],
    "guarantee": [
        plan(
            limits={"guarantee": {"amount": "40", "cumulative": True}},
            participants={"dealers": DEALERS[:3]},
            settlement={"claw_back": True},
        )
    ],
    "budget pro rata": [plan(limits={"budget": {"amount": "100", "share": "pro_rata"}})],
    "budget, first come": [plan(limits={"budget": {"amount": "100", "share": "first_come"}})],
    "collection gate": [plan(gates=[{"kind": "collection", "at_least": "60 %", "otherwise": "hold"}])],
    "paid": [plan(base={**json.loads(written())["base"], "event": "payment", "tax": "inclusive"})],
    "returns where the sale was": [plan(base={**json.loads(written())["base"], "returns_in": "original_period"})],
    "document by document": [plan(grouping={"by": ["dealer", "document"]}, method="marginal")],
    "line by line": [plan(grouping={"by": ["dealer", "line"]})],
    "accrued by rates": [
        plan(
            accrual={"by": "rate", "rate": "1 %", "rates": [{"from": "2025-05-01", "rate": "1.5 %"}, {"from": "2025-11-01", "rate": "2 %"}]}
        )
    ],
    "accrued as expected": [
        plan(accrual={"by": "expected", "expected_base": "6000"}, calendar={"period": "half", "settle": "quarter", "late_days": "5"})
    ],
    "dollars": [
        plan(
            fx={
                "date": "event",
                "rates": [
                    {"currency": "USD", "rate": "7.1", "from": "2025-01-01"},
                    {"currency": "USD", "rate": "7.3", "from": "2025-05-15"},
                ],
            }
        )
    ],
    "half even, by dealer": [plan(rounding={"mode": "half_even", "per": "dealer"}, grouping={"by": ["dealer", "product_line"]})],
    "net of an earlier one": [stacked(1, calendar={"period": "half"}), stacked(2, stack={"base": "net_of_earlier"}, method="marginal")],
    "exclusive": [stacked(1, scope={"product_lines": ["泵"]}), stacked(2, stack={"mode": "exclusive"})],
    "best of two": [
        stacked(1, stack={"mode": "best_of", "group": "g"}),
        stacked(2, stack={"mode": "best_of", "group": "g"}, method="total"),
    ],
}


@pytest.fixture
def db(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, row_factory=dict_row) as connection:
        yield connection


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


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", [2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)])
def test_incremental_is_full(db: Connection, shape: str, seed: int) -> None:
    for rules in SHAPES[shape]:
        service.publish(db, written(**rules), by=BOSS)
    db.commit()
    history = History(db, seed)
    history.usd = shape == "dollars"

    booked = 0
    for _ in range(6):
        history.some_days(110)
        as_of = history.day
        with db.transaction():
            accrued = service.accrue(db, as_of, by=BOSS)
        with db.transaction():
            settled = service.settle(db, as_of, by=BOSS)
        booked += len(accrued.units) + len(settled.units)
        assert (list(accrued.problems), list(settled.problems)) == ([], [])
        full_finds_nothing(db, as_of)
    assert booked > 1

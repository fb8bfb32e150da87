"""Night by night from kept sums is what reading everything gives: any programme, any history of sales, corrections and late lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from channel.rebates import service
from channel.rebates.queries import Connection
from tests.rebates.making import written
from tests.rebates.nights import DEALERS, History, full_finds_nothing, plan
from tests.sync.stage import BOSS

GROWTH = {"tier_on": "percent", "pays_on": "increment", "bands": "retroactive", "baseline": "same_period_last_year"}
STEPS = [{"from": "0", "to": "50 %", "rate": "1 %"}, {"from": "50 %", "rate": "4 %"}]


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
    "half of it, line by line": [
        plan(
            grouping={"by": ["dealer", "line"]},
            gates=[{"kind": "minimum_amount", "at_least": "900", "otherwise": "share", "share": "50 %"}],
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

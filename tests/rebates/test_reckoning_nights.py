"""Nights on the ledger: sums that went wrong, facts that cannot be, versions and closed periods."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from canonical.values import SHANGHAI
from channel.rebates import service
from channel.rebates.errors import BadFacts, BadProgramme
from channel.rebates.queries import Connection
from tests.rebates.making import written
from tests.rebates.nights import EARLIER, History, full_finds_nothing, night, publish, sale, settlements
from tests.sync.stage import BOSS


def test_a_sum_that_went_wrong_is_found_told_and_made_anew(db: Connection) -> None:
    publish(db)
    history = History(db, 5)
    history.some_days(40)
    night(db, history.day)
    db.execute("UPDATE rebate_sum SET amount = amount + 100 WHERE lines > 0")
    db.commit()

    first, _ = night(db, history.day, sample=100)
    again, _ = night(db, history.day, sample=100)

    assert first.differs
    assert "by its lines" in first.differs[0]
    assert again.differs == []
    full_finds_nothing(db, history.day)


@pytest.mark.parametrize(
    ("accrual", "gates"),
    [
        ({"by": "earned"}, []),
        ({"by": "rate", "rate": "3 %"}, []),
        ({"by": "earned"}, [{"kind": "minimum_amount", "at_least": "2500", "otherwise": "zero"}]),
    ],
    ids=["as earned", "by a rate of our own", "behind a gate"],
)
def test_the_night_after_a_settlement_looks_at_nothing(db: Connection, accrual: dict[str, str], gates: list[dict[str, str]]) -> None:
    publish(db, accrual=accrual, gates=gates, settlement={"negative": "allowed"})
    history = History(db, 1)
    history.day = date(2025, 4, 10)
    for at, dealer in enumerate(["甲", "乙", "丙"]):
        sale(history, date(2025, 2, 1 + at), 1000 * (at + 1), dealer)
    first, settled = night(db, date(2025, 4, 10))
    again, nothing = night(db, date(2025, 4, 11))
    history.put(**history.known["X2"] | {"revision": 2, "amount": Decimal(-500), "gross": Decimal(-500), "kind": "return"})
    corrected, taken_back = night(db, date(2025, 4, 12))
    last, none_left = night(db, date(2025, 4, 13))

    assert (first.results, len(settled.units)) == (3, 3)
    assert (again.results, again.booked, nothing.results, nothing.units) == (0, {}, 0, [])
    assert (corrected.results, taken_back.units) == (1, ["core|丙||2025Q1"])
    assert (last.results, last.booked, none_left.results) == (0, {}, 0)
    full_finds_nothing(db, date(2025, 4, 13))


def told(db: Connection, as_of: date, *, full: bool) -> list[Any]:
    """What a settlement says: to the dealer, in the books, and to the second level; then it is undone."""
    with db.transaction(force_rollback=True):
        service.settle(db, as_of, by=BOSS, full=full)
        return [
            db.execute("SELECT dealer, period, doc FROM rebate_statement ORDER BY dealer, period, doc::text").fetchall(),
            db.execute("SELECT unit, kind, amount, reason FROM rebate_settlement ORDER BY unit, id").fetchall(),
            db.execute("SELECT unit, dealer, amount FROM rebate_passed_on ORDER BY unit, dealer, amount").fetchall(),
            db.execute(
                "SELECT unit, doc FROM rebate_result WHERE calculation_id = (SELECT max(id) FROM rebate_calculation) ORDER BY unit"
            ).fetchall(),
        ]


@pytest.mark.parametrize(
    "changes",
    [
        {"grouping": {"by": ["dealer", "product_line"]}, "pass_through": {"rate": "80 %"}},
        {"grouping": {"by": ["dealer"], "group": "all"}, "gates": [{"kind": "minimum_amount", "at_least": "10", "otherwise": "zero"}]},
        {"gates": [{"kind": "overdue_amount", "at_most": "10000", "otherwise": "hold"}]},
        {"calendar": {"period": "half", "settle": "quarter", "late_days": "5"}, "settlement": {"claw_back": False}},
    ],
    ids=["from sums", "all together, from sums", "from lines", "in parts, carried"],
)
def test_a_correction_says_the_same_from_what_is_kept_as_from_everything(db: Connection, changes: dict[str, Any]) -> None:
    publish(db, **changes)
    history = History(db, 11)
    for on in (date(2025, 2, 3), date(2025, 5, 6)):
        for dealer in ("甲", "乙", "丙"):
            history.day = on
            sale(history, on, 1000, dealer, product_line="泵", customer="二级1")
            sale(history, on, 900, dealer, product_line="阀", customer="二级2")
    night(db, date(2025, 7, 20))
    history.day = date(2025, 7, 22)
    known = {"recorded_at": datetime.now(SHANGHAI)}
    sale(history, date(2025, 2, 20), 400, "甲", product_line="泵", customer="二级1", **known)
    history.put(**history.known["X3"] | {"revision": 2, "amount": Decimal(1500), "gross": Decimal(1500)} | known)
    history.put(**history.known["X4"] | {"revision": 2, "dealer": "丁"} | known)
    sale(history, date(2025, 5, 20), -300, "丙", product_line="泵", customer="二级1", **known | {"kind": "return"})

    whole, kept = told(db, date(2025, 7, 23), full=True), told(db, date(2025, 7, 23), full=False)

    assert kept == whole
    assert {reason for *_, reason in (row.values() for row in kept[1])} > {""}
    night(db, date(2025, 7, 23))
    full_finds_nothing(db, date(2025, 7, 23))


@pytest.mark.parametrize(
    "changes",
    [
        {"gates": [{"kind": "collection", "at_least": "60 %", "otherwise": "hold"}]},
        {"base": {**json.loads(written())["base"], "event": "payment", "tax": "inclusive"}},
        {"base": {**json.loads(written())["base"], "paid_invoices_only": True}},
        {"limits": {"budget": {"amount": "100", "share": "pro_rata"}}},
        {"grouping": {"by": ["dealer", "line"]}},
    ],
    ids=["collection gate", "paid", "paid invoices only", "budget", "line by line"],
)
def test_a_programme_that_needs_its_lines_reads_whom_the_news_are_about(db: Connection, changes: dict[str, Any]) -> None:
    publish(db, **changes)
    history = History(db, 11)
    for on in (date(2025, 2, 3), date(2025, 5, 6)):
        for at, dealer in enumerate(("甲", "乙", "丙")):
            history.day = on
            sale(history, on, 1000 + at, dealer, document=f"B{on.month}{dealer}", due_date=on)
    night(db, date(2025, 7, 20))

    nothing = night(db, date(2025, 7, 21))
    history.day = date(2025, 7, 22)
    history.put(
        id="PAY", kind="payment", date=date(2025, 7, 21), dealer="丁", currency="CNY", quantity=0, amount=Decimal(1000),
        gross=Decimal(1000), applies_to="B5甲",
    )  # fmt: skip
    accrued, settled = night(db, date(2025, 7, 22))

    assert [done.results for done in nothing] == [0, 0]
    looked_at = {unit.split("|")[1] for unit in [*accrued.units, *settled.units]}
    assert looked_at <= {"甲"}
    assert accrued.results + settled.results <= 3
    full_finds_nothing(db, date(2025, 7, 22))


def test_a_fact_that_cannot_be_stops_only_the_programmes_that_count_it(db: Connection) -> None:
    publish(db, stacking={"order": 1, "base": "gross"})
    publish(db, programme="other", scope={"brands": ["B"]}, stacking={"order": 2, "base": "gross"}, participants=["乙"])
    history = History(db, 3)
    history.day = date(2025, 3, 1)
    sale(history, date(2025, 2, 1), 2000)
    sale(history, date(2025, 2, 1), 3000, "乙", brand="B")
    night(db, date(2025, 3, 1))
    history.put(
        id="USD1",
        kind="sale",
        date=date(2025, 2, 3),
        dealer="甲",
        currency="USD",
        quantity=1,
        amount=Decimal(5),
        invoice_date=date(2025, 2, 3),
    )
    sale(history, date(2025, 2, 5), 100, "乙", brand="B")

    accrued, settled = night(db, date(2025, 4, 10))

    assert (
        [str(problem) for problem in accrued.problems]
        == [str(problem) for problem in accrued.problems if "USD1: USD" in str(problem)]
        != []
    )
    assert isinstance(settled.problems[0], BadFacts)
    assert {unit.split("|")[0] for unit in [*accrued.units, *settled.units]} == {"other"}


@pytest.mark.parametrize("by", [["dealer"], ["dealer", "line"]], ids=["from sums", "from lines"])
def test_quantities_in_two_units_are_not_added_up_by_night_or_in_full(db: Connection, by: list[str]) -> None:
    per_unit = {"method": "per_unit", "tiers": [{"from": "0", "per_unit": "2"}], "scope": {"product_lines": ["泵"]}, "grouping": {"by": by}}
    publish(db, **per_unit, base={**json.loads(written())["base"], "measure": "quantity"}, stacking={"order": 1, "base": "gross"})
    publish(db, programme="other", stacking={"order": 2, "base": "gross"})
    history = History(db, 1)
    history.day = date(2025, 2, 20)
    sale(history, date(2025, 2, 1), 1000, "甲", product_line="泵", unit="件", quantity=5)
    sale(history, date(2025, 2, 1), 1000, "甲", product_line="阀", unit="套", quantity=5)
    first, _ = night(db, date(2025, 2, 20))
    sale(history, date(2025, 2, 3), 1000, "乙", product_line="泵", unit="箱", quantity=1)

    mixed, refused = night(db, date(2025, 4, 10))
    with db.transaction(force_rollback=True):
        whole = service.accrue(db, date(2025, 4, 10), by=BOSS, full=True)
    history.put(**history.known["X2"] | {"revision": 2, "unit": "件", "quantity": 12})
    _, right = night(db, date(2025, 4, 11))

    assert first.problems == []
    told = [[str(problem) for problem in done.problems] for done in (mixed, refused, whole)]
    assert all(len(problems) == 1 and "X2: '箱', but X0 is in '件'" in problems[0] for problems in told), told
    assert {unit.split("|")[0] for unit in refused.units} == {"other"}
    assert (right.problems, right.booked) == ([], {"CNY": Decimal(34)})
    full_finds_nothing(db, date(2025, 4, 11))


def test_a_closed_period_stays_with_its_version_and_late_lines_post_at_once(db: Connection) -> None:
    publish(db, tiers=[{"from": "0", "rate": "2 %"}])
    history = History(db, 1)
    history.day = date(2025, 7, 10)
    sale(history, date(2025, 1, 15), 1000)
    sale(history, date(2025, 5, 15), 1000)
    night(db, date(2025, 7, 5))
    with db.transaction():
        assert service.close(db, "core", "2025Q1", as_of=date(2025, 7, 5), by=BOSS)
    publish(db, version="2", tiers=[{"from": "0", "rate": "3 %"}])
    before = db.execute("SELECT id, doc::text FROM rebate_statement ORDER BY id").fetchall()
    _, revised = night(db, date(2025, 7, 6))
    sale(history, date(2025, 2, 15), 500, recorded_at=datetime.now(SHANGHAI))

    _, late = night(db, date(2025, 7, 11))

    assert revised.units == ["core|甲||2025Q2"]
    assert late.units == ["core|甲||2025Q1"]
    assert settlements(db, "2025Q1") == [("final", Decimal("20.00"), ""), ("correction", Decimal("10.00"), "late_line; posts in 2025Q3")]
    assert [amount for _, amount, _ in settlements(db, "2025Q2")] == [Decimal("20.00"), Decimal("10.00")]
    assert db.execute("SELECT id, doc::text FROM rebate_statement ORDER BY id").fetchall()[: len(before)] == before
    full_finds_nothing(db, date(2025, 7, 11))


def test_a_version_that_cuts_closed_days_otherwise_is_refused(db: Connection) -> None:
    publish(db)
    history = History(db, 1)
    history.day = date(2025, 7, 10)
    sale(history, date(2025, 1, 15), 1000)
    with db.transaction():
        service.close(db, "core", "2025Q1", as_of=date(2025, 7, 5), by=BOSS)

    with pytest.raises(
        BadProgramme, match=r"2025Q1 is closed, and its days would count again in 2025. Fix: let the version hold from 2025-04-01"
    ):
        publish(db, version="2", calendar={"period": "year"})
    publish(db, version="2", calendar={"period": "year"}, valid={"from": "2025-04-01", "to": "2027-01-01"})


def test_an_older_version_goes_on_ruling_its_own_year(db: Connection) -> None:
    publish(db, tiers=[{"from": "0", "rate": "2 %"}], valid={"from": "2025-01-01", "to": "2026-01-01"})
    history = History(db, 1)
    history.day = date(2026, 1, 20)
    sale(history, date(2025, 11, 15), 1000)
    night(db, date(2026, 1, 5))
    publish(db, version="2", tiers=[{"from": "0", "rate": "3 %"}], valid={"from": "2026-01-01", "to": "2027-01-01"})
    sale(history, date(2025, 12, 1), 500)
    sale(history, date(2026, 1, 10), 100)

    accrued, late = night(db, date(2026, 1, 21))

    assert late.units == ["core|甲||2025Q4"]
    assert settlements(db, "2025Q4")[1][1] == Decimal("10.00")
    assert accrued.booked == {"CNY": Decimal("13.00")}
    full_finds_nothing(db, date(2026, 1, 21))


def test_what_is_not_read_again_gives_the_same_when_a_day_before_is_asked(db: Connection) -> None:
    publish(db, valid=EARLIER)
    history = History(db, 9)
    for _ in range(3):
        history.some_days(60)
    night(db, history.day)

    with db.transaction(force_rollback=True):
        back = service.accrue(db, date(2025, 2, 1), by=BOSS)
        forth = service.accrue(db, history.day, by=BOSS)

    assert back.units
    assert {currency: -amount for currency, amount in back.booked.items()} == forth.booked

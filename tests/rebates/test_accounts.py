"""The dealer's rebate account and the systems: a void order gives back, a closed one what its lines left, what is not used expires."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from canonical.ids import new_id
from channel.rebates import account_queries, accounts, queries, service
from channel.rebates.accounts import Account
from channel.rebates.errors import BadProgramme
from sync import rebate_accounts, rebates
from tests.rebates.money import AS_OF, PROGRAMME
from tests.sync.stage import BOSS, Pair, Stage, open_hub

TERMS = "settlement: {ways: [credit_note], tax_rate: 13 %}"


def publish(stage: Stage, settlement: str, version: int = 1) -> None:
    text = PROGRAMME.format(version=version, rate="2 %").replace(TERMS, settlement)
    with stage.hub.transaction() as db:
        service.publish(db.connection, text, by=BOSS)


def settled(stage: Stage, settlement: str) -> dict[str, Any]:
    """An open order of a dealer who has another one, and whose rebate stands on its account: 2 % of what was ordered."""
    for number in ("XSDD000001", "XSDD000002"):
        put(stage, number, FCloseStatus="A")
    publish(stage, settlement)
    rebates.settle(stage.hub, AS_OF)
    return stage.rows(
        "SELECT o.id, o.number, o.party_id, b.dealer, b.available FROM orders AS o JOIN rebate_balance AS b ON b.dealer_id = o.party_id "
        "WHERE o.number = 'XSDD000001'"
    )[0]


@pytest.fixture
def order(stage: Stage) -> dict[str, Any]:
    return settled(stage, "settlement: {ways: [offset]}")


@pytest.fixture
def expiring(stage: Stage) -> dict[str, Any]:
    """Its rebate can be used for 60 days after 21 November 2026: until 20 January 2027."""
    return settled(stage, "settlement: {ways: [offset], expires_days: 60}")


def put(stage: Stage, number: str, **fields: str) -> None:
    """Somebody changes an order in the ERP, and it is read."""
    doc = next(doc for doc in stage.kingdee.records("sales_orders") if doc["FBillNo"] == number)
    stage.kingdee.put("sales_orders", {"FID": doc["FID"], **fields})
    stage.read()


def on(order: dict[str, Any]) -> Account:
    return Account(order["dealer"], "orders-2026", "CNY")


def standing(stage: Stage, dealer: str) -> dict[str, Decimal]:
    with stage.hub.transaction() as db:
        found = account_queries.balances(db.connection, dealer)
    return {row["account"]: row["amount"] for row in found if row["account"] != "accrued"}


def freeze(stage: Stage, order: dict[str, Any], amount: Any, name: str = "") -> None:
    with stage.hub.transaction() as db:
        accounts.freeze(db.connection, on(order), Decimal(amount), order=name or order["number"], by=BOSS)


def use(stage: Stage, order: dict[str, Any], amount: str, line: str = "1") -> None:
    with stage.hub.transaction() as db:
        accounts.use(db.connection, on(order), Decimal(amount), order=order["number"], line=line, by=BOSS)


def test_what_an_order_froze_is_free_for_another_as_soon_as_the_erp_has_cancelled_it(stage: Stage, order: dict[str, Any]) -> None:
    freeze(stage, order, order["available"])
    put(stage, order["number"], FCancelStatus="B")

    freeze(stage, order, order["available"], name="XSDD000002")

    moved = stage.rows("SELECT reference, cause, amount FROM rebate_entry WHERE account = 'frozen' ORDER BY id")
    assert [(row["reference"], row["cause"], row["amount"]) for row in moved] == [
        (order["number"], "freeze", order["available"]), (order["number"], "release", -order["available"]),
        ("XSDD000002", "freeze", order["available"]),
    ]  # fmt: skip
    assert rebate_accounts.follow_orders(stage.hub) == []
    assert standing(stage, order["dealer"]) == {"frozen": order["available"]}


def test_a_closed_order_gives_back_what_its_lines_left_and_finance_is_asked_where_no_line_said(stage: Stage, order: dict[str, Any]) -> None:
    freeze(stage, order, "10")
    put(stage, order["number"], FCloseStatus="B")
    rebate_accounts.follow_orders(stage.hub)
    rebate_accounts.follow_orders(stage.hub)
    asked = stage.rows("SELECT doc FROM notices WHERE kind = 'rebate_hold_doubtful'")
    held = standing(stage, order["dealer"])["frozen"]
    put(stage, order["number"], FCloseStatus="A")
    use(stage, order, "3")
    put(stage, order["number"], FCloseStatus="B")
    given = rebate_accounts.follow_orders(stage.hub)

    assert held == 10
    assert [row["doc"]["facts"]["zh"] for row in asked] == [
        f"订单 {order['number']} 已关闭, 仍冻结返利 10 CNY, 没有行说明是否使用: 请登记使用或释放"
    ]
    assert [(one.amount, one.why) for one in given] == [(Decimal(7), "closed")]
    assert standing(stage, order["dealer"]) == {"available": order["available"] - 3, "used": Decimal(3)}


def test_what_a_void_orders_line_has_used_is_a_question_for_finance(stage: Stage, order: dict[str, Any]) -> None:
    freeze(stage, order, "10")
    use(stage, order, "4")
    put(stage, order["number"], FCancelStatus="B")

    rebate_accounts.follow_orders(stage.hub)

    told = stage.rows("SELECT doc FROM notices WHERE kind = 'rebate_hold_doubtful'")
    assert [row["doc"]["facts"]["used"] for row in told] == ["4"]
    assert standing(stage, order["dealer"]) == {"available": order["available"] - 4, "used": Decimal(4)}


def test_what_an_order_froze_comes_back_when_it_is_cancelled_in_a_crm_that_decides_it(
    small: Pair, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", "a key for a test")
    small.reset()
    decides = [("quote_revision: [hub, kingdee]}", "quote_revision: [hub, kingdee], status: [zoho, kingdee]}")]
    with open_hub(small, database, tmp_path / "home", decides) as hub:
        stage = Stage(small, hub)
        stage.go_live()
        order = settled(stage, "settlement: {ways: [offset]}")
        doc = next(doc for doc in stage.zoho.records("sales_orders") if doc.get("ERP_Order_No") == order["number"])
        stage.zoho.put("sales_orders", {"id": doc["id"], "Business_Status": "open"})
        stage.read()
        freeze(stage, order, "10")
        stage.zoho.put("sales_orders", {"id": doc["id"], "Business_Status": "void"})
        stage.read()

        given = rebate_accounts.follow_orders(hub)

        assert [(one.reference, one.amount, one.why) for one in given] == [(order["number"], Decimal(10), "void")]
        assert standing(stage, order["dealer"]) == {"available": order["available"]}


# What expires ------------------------------------------------------------------------------------------------------------------


def test_what_is_not_used_in_time_expires_once_and_what_an_order_holds_does_not(stage: Stage, expiring: dict[str, Any]) -> None:
    freeze(stage, expiring, "20")
    early = rebate_accounts.expire(stage.hub, date(2027, 1, 19))
    lost = rebate_accounts.expire(stage.hub, date(2027, 1, 20))
    again = rebate_accounts.expire(stage.hub, date(2027, 1, 21))

    mine = [one for one in lost if one.account.dealer == expiring["dealer"]]
    assert (early, again) == ([], [])
    assert [one.amount for one in mine] == [expiring["available"] - 20]
    assert standing(stage, expiring["dealer"]) == {"frozen": Decimal(20), "expired": expiring["available"] - 20}


def test_what_a_void_order_gives_back_after_the_last_day_expires_the_next_night(stage: Stage, expiring: dict[str, Any]) -> None:
    freeze(stage, expiring, "20")
    rebate_accounts.nightly(stage.hub, date(2027, 1, 20))
    put(stage, expiring["number"], FCancelStatus="B")

    rebate_accounts.nightly(stage.hub, date(2027, 1, 21))

    assert standing(stage, expiring["dealer"]) == {"expired": expiring["available"]}


def test_a_dealer_hears_once_a_month_before_what_expires(stage: Stage, expiring: dict[str, Any]) -> None:
    for night in (date(2026, 12, 20), date(2026, 12, 21), date(2026, 12, 22), date(2027, 1, 19)):
        rebate_accounts.nightly(stage.hub, night)

    told = stage.rows("SELECT doc FROM notices WHERE kind = 'rebate_expiring' AND doc->>'audience' = %s", f"party:{expiring['party_id']}")
    facts = told[0]["doc"]["facts"]
    assert len(told) == 1
    assert (facts["on"], facts["days"], facts["amount"]) == ("2027-01-20", 30, format(expiring["available"].normalize(), "f"))
    assert facts["zh"].startswith("年度订货返利: 返利 ")


def test_orders_use_first_what_expires_first(stage: Stage, expiring: dict[str, Any]) -> None:
    publish(stage, "settlement: {ways: [offset], expires_on: 2027-06-30}", version=2)
    with stage.hub.transaction() as db:
        queries.book(
            db.connection, expiring["dealer"], "orders-2026", "CNY", {"available": Decimal(100)}, cause="settlement", reference="later",
            booking=new_id(), by=BOSS, expires_on=date(2027, 6, 30),
        )  # fmt: skip
    freeze(stage, expiring, "30")

    with stage.hub.transaction() as db:
        found = [(one.on, one.amount) for one in accounts.coming(db.connection, dealers=[expiring["dealer"]])]

    assert found == [(date(2027, 1, 20), expiring["available"] - 30), (date(2027, 6, 30), Decimal(100))]


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ("settlement: {ways: [credit_note], expires_days: 60}", "contradiction"),
        ("settlement: {ways: [offset], expires_days: 60, expires_on: 2027-06-30}", "contradiction"),
        ("settlement: {ways: [offset], expires_on: 2026-06-30}", "bad_value"),
    ],
)
def test_a_last_day_that_cannot_be_meant_is_refused(stage: Stage, terms: str, code: str) -> None:
    with pytest.raises(BadProgramme) as refused:
        publish(stage, terms)

    assert [flaw["code"] for flaw in refused.value.errors] == [code]

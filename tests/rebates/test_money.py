"""From documents to money: accruals catch up, settlements pay the difference, statements stay, payouts are booked once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from canonical.ids import new_id
from channel.funds.handing import Handed
from channel.rebates import account_queries, payouts, queries, service
from sync import funds, rebates, valuing
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
    with stage.hub.transaction() as db:
        service.publish(db.connection, PROGRAMME.format(version=version, rate=rate), by=BOSS)


def ordered(stage: Stage, before: str = "2026-11-01") -> dict[str, Decimal]:
    """Net sales of approved orders by dealer, as the orders say."""
    found = stage.rows(
        "SELECT p.number, sum((l.doc->>'net')::numeric) AS net FROM orders AS o JOIN order_lines AS l ON l.parent_id = o.id "
        "JOIN parties AS p ON p.id = o.party_id WHERE o.approval = 'approved' AND o.status <> 'void' AND o.ordered_on < %s "
        "AND coalesce(l.doc->>'status', '') <> 'void' GROUP BY p.number",
        date.fromisoformat(before),
    )
    return {row["number"]: row["net"] for row in found}


def settled(stage: Stage) -> dict[str, Decimal]:
    return {
        row["dealer"]: row["amount"] for row in stage.rows("SELECT dealer, sum(amount) AS amount FROM rebate_settlement GROUP BY dealer")
    }


def part(net: Decimal, rate: str) -> Decimal:
    return (net * Decimal(rate)).quantize(Decimal("0.01"), "ROUND_HALF_UP")


def accounts(stage: Stage, dealer: str) -> dict[str, Decimal]:
    with stage.hub.transaction() as db:
        return {row["account"]: row["amount"] for row in account_queries.balances(db.connection, dealer)}


def more_of_the_first_line(stage: Stage, quantity: int) -> str:
    """Somebody corrects an old order: the first line's quantity. Gives the dealer's number."""
    doc = next(doc for doc in stage.kingdee.records("sales_orders") if doc["FDocumentStatus"] == "C" and doc["FDate"] < "2026-11-01")
    line = doc["FSaleOrderEntry"][0]
    stage.kingdee.put(
        "sales_orders", {"FID": doc["FID"], "FSaleOrderEntry": [{"FEntryID": line["FEntryID"], "FQty": line["FQty"] + quantity}]}
    )
    stage.read()
    return str(doc["FCustId"]["FNumber"])


def test_what_is_settled_is_the_rate_of_what_the_orders_say(stage: Stage) -> None:
    publish(stage)

    done = rebates.settle(stage.hub, AS_OF)

    expected = {dealer: part(net, "0.02") for dealer, net in ordered(stage).items()}
    assert {dealer: amount for dealer, amount in settled(stage).items() if amount} == expected
    assert sum(done.booked.values()) == sum(expected.values())
    assert len(done.statements) == len(expected)


def test_settling_again_settles_nothing(stage: Stage) -> None:
    publish(stage)
    rebates.settle(stage.hub, AS_OF)

    again = rebates.settle(stage.hub, AS_OF)

    assert (again.units, again.statements) == ([], [])


def test_a_part_is_settled_once_for_each_day_that_the_calendar_names(stage: Stage) -> None:
    text = PROGRAMME.format(version=1, rate="2 %")
    start = text.index("calendar:")
    end = text.index("method:")
    with stage.hub.transaction() as db:
        service.publish(db.connection, f"{text[:start]}calendar: {{period: life, settle: year}}\n{text[end:]}", by=BOSS)

    first = rebates.settle(stage.hub, AS_OF)
    more_of_the_first_line(stage, 5)
    again = rebates.settle(stage.hub, AS_OF)

    assert {row["kind"] for row in stage.rows("SELECT kind FROM rebate_settlement")} == {"partial"}
    assert first.units
    assert again.units == []


def test_what_comes_late_is_settled_as_the_difference_and_the_old_statement_stays(stage: Stage) -> None:
    publish(stage)
    rebates.settle(stage.hub, AS_OF)
    before = stage.rows("SELECT id, doc::text AS doc FROM rebate_statement ORDER BY id")

    dealer = more_of_the_first_line(stage, 10)
    rebates.settle(stage.hub, AS_OF)

    kinds = stage.rows("SELECT kind, reason FROM rebate_settlement WHERE dealer = %s ORDER BY id", dealer)
    assert [row["kind"] for row in kinds] == ["final", "correction"]
    assert kinds[1]["reason"] == "correction; posts in open"
    assert settled(stage)[dealer] == part(ordered(stage)[dealer], "0.02")
    assert stage.rows("SELECT id, doc::text AS doc FROM rebate_statement ORDER BY id")[: len(before)] == before


def test_accruals_catch_up_and_are_used_by_the_settlement(stage: Stage) -> None:
    publish(stage)
    rebates.accrue(stage.hub, AS_OF)
    dealer, net = next(iter(ordered(stage).items()))
    first = accounts(stage, dealer)["accrued"]

    assert rebates.accrue(stage.hub, AS_OF).units == []
    publish(stage, version=2, rate="3 %")
    rebates.accrue(stage.hub, AS_OF)
    second = accounts(stage, dealer)["accrued"]
    rebates.settle(stage.hub, AS_OF)

    later = ordered(stage, "2027-01-01")[dealer] - net
    assert (first, second) == (part(net, "0.02") + part(later, "0.02"), part(net, "0.03") + part(later, "0.03"))
    left = {name: amount for name, amount in accounts(stage, dealer).items() if amount}
    assert left["available"] == part(net, "0.03")
    assert left.get("accrued", Decimal(0)) == part(later, "0.03")


def test_a_version_that_was_published_is_never_changed(stage: Stage) -> None:
    publish(stage)
    publish(stage)

    with pytest.raises(service.VersionTaken, match="write version: 2"):
        publish(stage, rate="5 %")
    with stage.hub.transaction() as db, pytest.raises(psycopg.errors.RestrictViolation):
        db.execute("UPDATE programme_version SET reason = 'other'")


def test_a_dealer_signs_or_disputes_and_we_answer(stage: Stage) -> None:
    publish(stage)
    first, second = rebates.settle(stage.hub, AS_OF).statements[:2]

    with stage.hub.transaction() as db:
        service.sign(db.connection, first, by="dealer:1")
        service.dispute(db.connection, second, by="dealer:2", reason="第 3 行的数量不对")
        service.resolve(db.connection, second, by=BOSS, answer="已更正")
        with pytest.raises(service.WrongState):
            service.dispute(db.connection, first, by="dealer:1", reason="x")

    assert [row["what"] for row in stage.rows("SELECT what FROM rebate_statement_event WHERE statement_id = %s ORDER BY id", second)] == [
        "issued", "disputed", "resolved",
    ]  # fmt: skip
    with stage.hub.transaction() as db, pytest.raises(psycopg.errors.RestrictViolation):
        db.execute("UPDATE rebate_statement SET doc = '{}'")


def test_a_move_between_accounts_that_makes_money_is_refused_by_the_database(stage: Stage) -> None:
    publish(stage)
    rebates.settle(stage.hub, AS_OF)
    dealer = next(iter(ordered(stage)))

    def make_money() -> None:
        with stage.hub.transaction() as db:
            moves = {"available": Decimal(-1), "used": Decimal(2)}
            queries.book(db.connection, dealer, "orders-2026", "CNY", moves, cause="use", reference="SO1", booking=new_id(), by=BOSS)

    with pytest.raises(psycopg.errors.CheckViolation, match="makes or loses money"):
        make_money()


@pytest.fixture
def live(stage: Stage) -> Stage:
    """Both systems and the hub agree, and finance has said which expense item a rebate is."""
    stage.go_live()
    valuing.set_value(stage.hub, "expense", "kingdee", "", "FYXM20", "rebate", by=BOSS)
    return stage


def booked(stage: Stage) -> list[dict[str, Any]]:
    return [doc for doc in stage.kingdee.records("other_receivables") if doc.get("F_HUB_PAYOUT")]


@pytest.mark.parametrize("effect", ["", "drop_after"])
def test_each_payout_is_one_memo_in_the_erp_and_is_matched_by_its_number(live: Stage, effect: str) -> None:
    publish(live)
    rebates.settle(live.hub, AS_OF)
    if effect:
        live.kingdee.fault(effect=effect, times=1, match={"path": ".save"})

    paid = rebates.pay_due(live.hub)
    missing = [row["state"] for row in rebates.reconcile(live.hub)]
    assert rebates.pay_due(live.hub) == []
    live.sync()
    live.sync()

    assert sorted(doc["F_HUB_PAYOUT"] for doc in booked(live)) == sorted(payout.id for payout in paid)
    assert {doc["F_HUB_PAYOUT"]: -doc["FAMOUNTFOR"] for doc in booked(live)} == {payout.id: payout.total for payout in paid}
    assert set(missing) == {"missing_in_erp"}
    assert {row["state"] for row in rebates.reconcile(live.hub)} == {"matched"}
    assert len(live.rows("SELECT id FROM notices WHERE kind = 'rebate_credited'")) == len(paid)


def test_a_memo_that_finance_changed_is_found_and_told(live: Stage) -> None:
    publish(live)
    rebates.settle(live.hub, AS_OF)
    rebates.pay_due(live.hub)
    live.sync()
    doc = booked(live)[0]
    line = {**doc["FEntity"][0], "F_HUB_LINE": ""}
    copy = {
        key: doc[key] for key in ("FDATE", "FENDDATE_H", "FCONTACTUNITTYPE", "FCONTACTUNIT", "FCURRENCYID", "FSETTLEORGID", "F_HUB_PAYOUT")
    }
    live.kingdee.put("other_receivables", {**copy, "FDocumentStatus": "C", "FEntity": [{k: v for k, v in line.items() if k != "FEntryID"}]})
    live.sync()

    states = {row["payout"]: row["state"] for row in rebates.reconcile(live.hub)}

    assert states[doc["F_HUB_PAYOUT"]] == "posted_twice"
    assert [row["doc"]["facts"]["state"] for row in live.rows("SELECT doc FROM notices WHERE kind = 'payout_differs'")] == ["posted_twice"]


def set_back(stage: Stage) -> None:
    """The ledger was restored to the state before its payouts."""
    with stage.hub.transaction() as db:
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute("DELETE FROM rebate_payout_item")
        db.execute("DELETE FROM rebate_payout")
        db.execute("UPDATE rebate_balance SET available = available + paid_out, paid_out = 0")
        db.execute("DELETE FROM rebate_entry WHERE cause = 'payout'")


def test_a_ledger_that_was_set_back_pays_by_the_same_numbers_and_books_nothing_twice(live: Stage) -> None:
    publish(live)
    rebates.settle(live.hub, AS_OF)
    first = rebates.pay_due(live.hub)
    live.sync()
    set_back(live)

    again = rebates.pay_due(live.hub)
    live.sync()

    assert again == first
    assert sorted(doc["F_HUB_PAYOUT"] for doc in booked(live)) == sorted(payout.id for payout in first)
    assert {row["state"] for row in rebates.reconcile(live.hub)} == {"matched"}


def test_two_payouts_of_one_dealer_do_not_wait_for_each_other_in_a_ledger_that_was_set_back(live: Stage) -> None:
    both = PROGRAMME.format(version=1, rate="1 %") + "stacking: {order: 1, base: gross, lowers_later: false}\n"
    other = both.replace("programme: orders-2026", "programme: more-2026").replace("order: 1", "order: 2").replace("13 %", "9 %")
    with live.hub.transaction() as db:
        service.publish(db.connection, both, by=BOSS)
        service.publish(db.connection, other, by=BOSS)
    rebates.settle(live.hub, AS_OF)
    first = rebates.pay_due(live.hub)
    live.sync()
    set_back(live)

    again = rebates.pay_due(live.hub)
    live.sync()

    assert len({payout.dealer_id for payout in first}) < len(first), "one dealer has two"
    assert again == first
    assert {row["state"] for row in rebates.reconcile(live.hub)} == {"matched"}


def test_a_ledger_that_was_set_back_does_not_pay_a_dealer_whose_memo_it_does_not_know(live: Stage) -> None:
    publish(live)
    rebates.settle(live.hub, AS_OF)
    first = rebates.pay_due(live.hub)
    live.sync()
    set_back(live)
    dealer = more_of_the_first_line(live, 10)
    rebates.settle(live.hub, AS_OF)

    again = rebates.pay_due(live.hub)
    live.sync()

    party = live.rows("SELECT id FROM parties WHERE number = %s", dealer)[0]["id"]
    assert [payout.id for payout in again] == [payout.id for payout in first if payout.dealer_id != party]
    assert sorted(doc["F_HUB_PAYOUT"] for doc in booked(live)) == sorted(payout.id for payout in first)
    states = {row["payout"]: row["state"] for row in rebates.reconcile(live.hub)}
    assert states == {payout.id: "unknown_in_hub" if payout.dealer_id == party else "matched" for payout in first}


def forgotten(stage: Stage) -> None:
    """The ledger was restored to the state before anything was settled, stated, claimed or paid; its counters as well."""
    tables = (
        "fund_claim_key, fund_claim_event, fund_payout_item, fund_entry, fund_balance, fund_claim, rebate_payout_item, rebate_payout, "
        "rebate_statement_event, rebate_statement, rebate_entry, rebate_balance, rebate_settlement, rebate_settled_span, rebate_family, "
        "rebate_sum, rebate_touched, rebate_passed_on, rebate_hold"
    )
    with stage.hub.transaction() as db:
        db.execute(f"TRUNCATE {tables}".encode())
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute("DELETE FROM rebate_fact WHERE kind = 'settlement'")
        db.execute("ALTER SEQUENCE rebate_number RESTART; ALTER SEQUENCE claim_number RESTART")


def test_a_statements_number_that_was_signed_is_never_another_ones(live: Stage) -> None:
    publish(live)
    rebates.settle(live.hub, AS_OF)
    signed = live.rows("SELECT id, dealer, doc::text FROM rebate_statement ORDER BY id")
    forgotten(live)
    dealer = more_of_the_first_line(live, 10)

    rebates.settle(live.hub, AS_OF)

    again = live.rows("SELECT id, dealer, doc::text FROM rebate_statement ORDER BY id")
    assert [re.fullmatch(r"RS-\d{4}-\d{6}-[0-9A-Z]{6}", row["id"]) is not None for row in again] == [True] * len(signed)
    assert [row for row in again if row["dealer"] != dealer] == [row for row in signed if row["dealer"] != dealer]
    changed = [row["id"] for row in again if row["dealer"] == dealer]
    assert changed
    assert not set(changed) & {row["id"] for row in signed}


def test_a_payouts_number_is_made_of_what_it_pays() -> None:
    due = payouts.Due("CUST1", new_id(), "rebate", "credit_note", "CNY", Decimal("0.13"), Decimal(10), "", ["u|1|4", "v|1|6"])
    others = [
        replace(due, dealer="CUST2"),
        replace(due, parts=["u|2|4", "v|1|6"]),
        replace(due, currency="USD"),
        replace(due, purpose="fund"),
    ]

    assert re.fullmatch("RP-[0-9A-Z]{6}-[0-9A-Z]{6}", due.number)
    assert replace(due, parts=["v|1|6", "u|1|4"], dealer_id=new_id()).number == due.number
    assert len({due.number, *(other.number for other in others)}) == 5


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


def test_an_approved_claim_is_one_memo_in_the_erp_and_is_matched_by_its_number(live: Stage) -> None:
    valuing.set_value(live.hub, "expense", "kingdee", "", "FYXM21", "fund", by=BOSS)
    dealer = live.rows("SELECT party_id FROM orders WHERE approval = 'approved' AND status <> 'void' LIMIT 1")[0]["party_id"]
    with live.hub.transaction() as db:
        service.publish(db.connection, MDF, by=BOSS)
    told = Handed("mdf-2026", date(2026, 11, 12), activity="苏州泵业展会", amount=Decimal("1234.57"))
    claim = funds.submit(live.hub, dealer, told, by=BOSS, on=AS_OF)
    funds.approve(live.hub, claim["id"], by=BOSS)

    paid = funds.pay_due(live.hub)
    assert funds.pay_due(live.hub) == []
    live.sync()
    live.sync()

    assert [(one.purpose, one.total, one.net) for one in paid] == [("fund", Decimal("617.29"), Decimal("582.35"))]  # x 50 %, / 1.06
    assert [(doc["F_HUB_PAYOUT"], -doc["FAMOUNTFOR"]) for doc in booked(live)] == [(paid[0].id, Decimal("617.29"))]
    assert {row["state"] for row in rebates.reconcile(live.hub)} == {"matched"}


@pytest.mark.parametrize("activity", ["苏州泵业展会", "无锡展会"], ids=["the same claim again", "another one"])
def test_a_claim_that_a_restored_ledger_forgot_is_neither_paid_twice_nor_taken_for_another(live: Stage, activity: str) -> None:
    valuing.set_value(live.hub, "expense", "kingdee", "", "FYXM21", "fund", by=BOSS)
    dealer = live.rows("SELECT party_id FROM orders WHERE approval = 'approved' AND status <> 'void' LIMIT 1")[0]["party_id"]
    with live.hub.transaction() as db:
        service.publish(db.connection, MDF, by=BOSS)
    told = Handed("mdf-2026", date(2026, 11, 12), activity="苏州泵业展会", amount=Decimal("1234.57"))
    claim = funds.submit(live.hub, dealer, told, by=BOSS, on=AS_OF)
    funds.approve(live.hub, claim["id"], by=BOSS)
    first = funds.pay_due(live.hub)
    live.sync()
    forgotten(live)

    again = funds.submit(live.hub, dealer, replace(told, activity=activity), by=BOSS, on=AS_OF)
    funds.approve(live.hub, again["id"], by=BOSS)
    paid = funds.pay_due(live.hub)
    live.sync()

    same = activity == told.activity
    assert re.fullmatch(r"FC-\d{4}-\d{6}-[0-9A-Z]{6}", again["id"])
    assert (again["id"] == claim["id"], paid == first) == (same, same)
    assert [doc["F_HUB_PAYOUT"] for doc in booked(live)] == [first[0].id]
    assert {row["state"] for row in rebates.reconcile(live.hub)} == {"matched" if same else "unknown_in_hub"}

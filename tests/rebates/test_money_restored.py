"""A ledger that was restored to an earlier state pays nothing twice, and gives no number that somebody signed to anything else."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from canonical.ids import new_id
from channel.rebates import payouts, service
from sync import funds, rebates
from tests.rebates.money import AS_OF, PROGRAMME, approved_claim, booked, more_of_the_first_line, publish, publish_fund
from tests.sync.stage import BOSS, Stage


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


@pytest.mark.parametrize("activity", ["苏州泵业展会", "无锡展会"], ids=["the same claim again", "another one"])
def test_a_claim_that_a_restored_ledger_forgot_is_neither_paid_twice_nor_taken_for_another(live: Stage, activity: str) -> None:
    publish_fund(live)
    claim = approved_claim(live)
    first = funds.pay_due(live.hub)
    live.sync()
    forgotten(live)

    again = approved_claim(live, activity)
    paid = funds.pay_due(live.hub)
    live.sync()

    same = activity == "苏州泵业展会"
    assert re.fullmatch(r"FC-\d{4}-\d{6}-[0-9A-Z]{6}", again)
    assert (again == claim, paid == first) == (same, same)
    assert [doc["F_HUB_PAYOUT"] for doc in booked(live)] == [first[0].id]
    assert {row["state"] for row in rebates.reconcile(live.hub)} == {"matched" if same else "unknown_in_hub"}

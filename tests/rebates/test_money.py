"""From documents to money: accruals catch up, settlements pay the difference, statements stay, payouts are booked once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import psycopg
import pytest

from canonical.ids import new_id
from channel.rebates import account_queries, queries, service
from sync import funds, rebates
from tests.rebates.money import AS_OF, PROGRAMME, approved_claim, booked, more_of_the_first_line, publish, publish_fund
from tests.sync.stage import BOSS, Stage


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


def test_an_approved_claim_is_one_memo_in_the_erp_and_is_matched_by_its_number(live: Stage) -> None:
    publish_fund(live)
    approved_claim(live)

    paid = funds.pay_due(live.hub)
    assert funds.pay_due(live.hub) == []
    live.sync()
    live.sync()

    assert [(one.purpose, one.total, one.net) for one in paid] == [("fund", Decimal("617.29"), Decimal("582.35"))]  # x 50 %, / 1.06
    assert [(doc["F_HUB_PAYOUT"], -doc["FAMOUNTFOR"]) for doc in booked(live)] == [(paid[0].id, Decimal("617.29"))]
    assert {row["state"] for row in rebates.reconcile(live.hub)} == {"matched"}

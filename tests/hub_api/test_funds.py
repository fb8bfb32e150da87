"""Market funds and claims over the API: frozen, used, freed; never overdrawn; each thing once; a dealer sees its own and no more."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from canonical.ids import new_id
from channel.funds import queries
from sync import funds as engine
from tests.hub_api.conftest import Fresh
from tests.hub_api.world import RIVAL
from tests.pricing.stocked import PROTECT

MDF = """
type: fund
programme: mdf-2026
version: 1
name: {zh: 市场费用, en: MDF}
currency: CNY
valid: {from: 2026-01-01, to: 2027-01-01}
participants: all
granted: 10000
calendar: {period: quarter}
share: 50 %
unused: forfeited
claim_most: 8000
evidence: [invoice]
claim_days: 400
budget: 17000
"""
DEBIT = """
type: ship_and_debit
programme: debit-2026
version: 1
name: 特价补差
currency: CNY
valid: {from: 2026-01-01, to: 2027-01-01}
participants: all
formula: difference
contracts: [{product: HC-100, customer: 江南水务, price: 900, quantity: 10}]
approval: {automatic_up_to: 300, finance_above: 500}
"""
INVOICE = "25312000000012345678"


def publish(fresh: Fresh, *texts: str) -> None:
    for text in texts:
        answer = fresh.api("finance", "POST", "/v1/programmes", json={"text": text, "reason": "2026 年度政策"})
        assert answer.status_code == 200, answer.text


def expo(invoice: str = INVOICE, amount: str = "12000", **more: Any) -> dict[str, Any]:
    evidence = [{"kind": "invoice", "reference": invoice}]
    return {"programme": "mdf-2026", "on": "2026-11-12", "activity": "苏州泵业展会", "amount": amount, "evidence": evidence} | more


def submit(fresh: Fresh, body: Mapping[str, Any], role: str = "dealer") -> Any:
    return fresh.api(role, "POST", "/v1/claims", json=dict(body))


def fund(fresh: Fresh, dealer: str = "C1") -> dict[str, str]:
    found = fresh.api.get("finance", "/v1/funds", params={"period": "2026Q4"}).json()["items"]
    return next({name: one[name] for name in ("available", "frozen", "used")} for one in found if one["dealer"] == dealer)


def test_a_claim_freezes_is_used_when_approved_and_freed_when_refused(fresh: Fresh) -> None:
    publish(fresh, MDF)

    first = submit(fresh, expo()).json()
    frozen = fund(fresh)
    approved = fresh.api("finance", "POST", f"/v1/claims/{first['id']}/approve", json={"amount": "5000", "note": "场地费不含"}).json()
    used = fund(fresh)
    second = submit(fresh, expo("25312000000099999999", "4000", activity="门店路演")).json()
    refused = fresh.api("finance", "POST", f"/v1/claims/{second['id']}/refuse", json={"reason": "缺少照片"}).json()

    assert (first["state"], first["worth"]) == ("submitted", "6000")  # 12,000 x 50 %
    assert frozen == {"available": "4000", "frozen": "6000", "used": "0"}
    assert (approved["state"], approved["allowed"]) == ("approved", "5000")
    assert used == {"available": "5000", "frozen": "0", "used": "5000"}
    assert refused["state"] == "rejected"
    assert fund(fresh) == used
    told = [row["facts"]["zh"] for row in fresh.api.get("dealer", "/v1/messages").json()["items"]]
    assert any("已批准: 5000 CNY" in one for one in told)
    assert any("缺少照片" in one for one in told)


def test_an_approval_answers_the_question_and_the_other_way_round(fresh: Fresh) -> None:
    publish(fresh, MDF)
    claim = submit(fresh, expo()).json()
    asked = [row for row in fresh.api.get("finance", "/v1/approvals").json()["items"] if row.get("about") == f"claim:{claim['id']}"]

    answered = fresh.api("finance", "POST", f"/v1/approvals/{asked[0]['id']}/answer", json={"decision": "approved", "reason": "属实"})
    again = fresh.api("finance", "POST", f"/v1/claims/{claim['id']}/approve", json={})

    assert answered.status_code == 200, answered.text
    assert fresh.api.get("dealer", f"/v1/claims/{claim['id']}").json()["state"] == "approved"
    assert (again.status_code, again.json()["code"]) == (409, "funds/wrong-state")


def test_two_claims_at_one_instant_never_overdraw_the_fund(fresh: Fresh) -> None:
    publish(fresh, MDF)
    bodies = [expo(f"2531200000001000000{at}", "16000", activity=f"路演 {at}") for at in range(4)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: submit(fresh, body), bodies))

    worth = sorted(Decimal(one.json()["worth"]) for one in answers if one.status_code == 200)
    assert worth == [2000, 8000]  # 10,000 in all: the second gets what is left, the others nothing
    assert {one.json()["code"] for one in answers if one.status_code != 200} == {"funds/nothing-to-pay"}
    assert fund(fresh) == {"available": "0", "frozen": "10000", "used": "0"}


def test_the_database_itself_refuses_what_a_fund_does_not_hold(fresh: Fresh) -> None:
    publish(fresh, MDF)
    submit(fresh, expo())
    key = {"programme": "mdf-2026", "dealer": "C1", "dealer_id": fresh.world.agent, "currency": "CNY"}

    def book(moves: dict[str, Decimal], cause: str) -> None:
        with fresh.hub.transaction() as db:
            queries.book(db.connection, key, "2026Q4", moves, cause=cause, booking=new_id(), by="test")

    with pytest.raises(psycopg.errors.CheckViolation):
        book({"available": Decimal(-4001), "frozen": Decimal(4001)}, "freeze")
    with pytest.raises(psycopg.errors.CheckViolation, match="makes or loses money"):
        book({"available": Decimal(-1), "used": Decimal(2)}, "use")


def test_the_budget_of_all_dealers_bounds_each(fresh: Fresh) -> None:
    publish(fresh, MDF)
    submit(fresh, expo(amount="16000"))
    submit(fresh, expo("25312000000011111111", "16000"), "other_dealer")

    third = submit(fresh, expo("25312000000022222222", "16000", activity="展厅")).json()

    assert (third["worth"], third["why"]["code"]) == ("1000", "budget")  # 17,000 - 2 x 8,000


def test_the_same_invoice_is_claimed_once_and_only_its_own_dealer_reads_with_what(fresh: Fresh) -> None:
    publish(fresh, MDF)
    first = submit(fresh, expo()).json()

    mine = submit(fresh, expo(activity="另一次活动")).json()
    theirs = submit(fresh, expo(f" {INVOICE[:4]} {INVOICE[4:]}"), "other_dealer")
    ours = submit(fresh, expo(activity="第三次", dealer=str(fresh.world.rival)), "finance").json()

    assert mine["code"] == theirs.json()["code"] == ours["code"] == "funds/already-claimed"
    assert first["id"] in mine["detail"]
    assert first["id"] in ours["detail"]
    assert first["id"] not in theirs.text
    assert fresh.rows("SELECT count(*) AS claims FROM fund_claim")[0]["claims"] == 1, "a refused claim left nothing"

    fresh.api("dealer", "POST", f"/v1/claims/{first['id']}/withdraw")
    assert submit(fresh, expo(activity="另一次活动")).status_code == 200, "what was withdrawn may be claimed again"


def test_a_special_price_is_made_good_up_to_the_contracts_quantity(fresh: Fresh) -> None:
    publish(fresh, DEBIT)
    sale = {"programme": "debit-2026", "on": "2026-11-02", "product": "HC-100", "customer": "江南水务", "cost_price": "1000"}

    small = submit(fresh, sale | {"quantity": "2", "document": "S-1"}).json()
    next_one = submit(fresh, sale | {"quantity": "2", "document": "S-2"}).json()
    rest = submit(fresh, sale | {"quantity": "9", "serials": [f"SN{at}" for at in range(9)]}).json()
    double = submit(fresh, sale | {"quantity": "1", "serials": ["sn3"]}, "other_dealer").json()
    dear = submit(fresh, sale | {"quantity": "1"}).json()

    assert (small["worth"], small["state"]) == ("200", "approved")  # (1,000 - 900) x 2, within what the rule may agree to
    assert next_one["state"] == "submitted", "claiming in parts gains nothing"
    assert (rest["worth"], rest["why"]["code"]) == ("600", "ceiling")  # 10 - 2 - 2 units are left
    assert double["code"] in ("funds/already-claimed", "funds/nothing-to-pay")
    assert (dear["code"], "document or serials" in dear["detail"]) == ("funds/incomplete", True)
    kinds = {row.get("about"): row["kind"] for row in fresh.api.get("finance", "/v1/approvals").json()["items"]}
    assert (kinds[f"claim:{next_one['id']}"], kinds[f"claim:{rest['id']}"]) == ("claim", "claim_large")


def test_stock_is_protected_once_against_a_price_cut(fresh: Fresh) -> None:
    publish(fresh, PROTECT)
    told = {"product": "LP1", "on": "2026-11-05", "old_price": "500", "new_price": "450", "currency": "CNY"}
    cut = fresh.api("finance", "POST", "/v1/price-cuts", json=told).json()["id"]
    with fresh.hub.transaction() as db:
        db.execute("SELECT rebate_fact_month('2026-11-01')")
        db.execute(
            "INSERT INTO rebate_fact (date, id, revision, kind, dealer, quantity, product) "
            "VALUES ('2026-11-01', 'k1', 1, 'stock', 'C1', 20, 'LP1')"
        )
    claim = {"programme": "protect-2026", "on": "2026-11-05", "cut": cut}

    first = submit(fresh, claim | {"quantity": "15"}).json()
    second = submit(fresh, claim | {"quantity": "15"}).json()
    third = submit(fresh, claim | {"quantity": "1"}).json()

    assert (first["worth"], second["worth"], second["why"]["code"]) == ("750", "250", "stock")  # 50 x 15, then 50 x 5
    assert third["code"] == "funds/nothing-to-pay"
    assert fresh.api("finance", "POST", "/v1/price-cuts", json=told).json()["id"] == cut


def announced(fresh: Fresh, on: str, old: str, new: str, dealer: str = "") -> str:
    """A cut that is announced, by hand or by the prices; its number."""
    with fresh.hub.transaction() as db:
        values = {
            "product": "LP1",
            "dealer": dealer,
            "on": on,
            "old": Decimal(old),
            "new": Decimal(new),
            "currency": "CNY",
            "note": "",
            "by": "x",
        }
        return queries.add_cut(db.connection, values)


def stocked(fresh: Fresh, *facts: tuple[str, str, int]) -> None:
    """Counts and movements of C1's stock: (day, kind, quantity)."""
    with fresh.hub.transaction() as db:
        db.execute("SELECT rebate_fact_month('2026-11-01')")
        for at, (on, kind, quantity) in enumerate(facts):
            db.execute(
                "INSERT INTO rebate_fact (date, id, revision, kind, dealer, quantity, product) VALUES (%s, %s, 1, %s, 'C1', %s, 'LP1')",
                [on, f"s{at}", kind, quantity],
            )


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        (("2026-11-05", "500", "450", ""), ("2026-11-05", "480", "430", "C1"), "0"),
        (("2026-11-05", "480", "430", "C1"), ("2026-11-05", "500", "450", ""), "0"),
        (("2026-11-05", "500", "450", "C1"), ("2026-11-06", "500", "450", ""), "0"),
        (("2026-11-06", "500", "450", ""), ("2026-11-05", "490", "440", "C1"), "0"),
        (("2026-11-05", "500", "450", ""), ("2026-11-12", "450", "400", "C1"), "20"),
    ],
    ids=["by hand, then by the prices", "by the prices, then by hand", "a day later", "a day before", "a further fall"],
)
def test_stock_is_protected_once_whatever_numbers_a_fall_was_announced_under(
    fresh: Fresh, first: tuple[str, ...], second: tuple[str, ...], left: str
) -> None:
    publish(fresh, PROTECT)
    stocked(fresh, ("2026-11-01", "stock", 20))
    one, two = announced(fresh, *first), announced(fresh, *second)
    claim = {"programme": "protect-2026", "on": "2026-11-05", "quantity": "20"}

    before = submit(fresh, claim | {"cut": one}).json()
    again = submit(fresh, claim | {"cut": two})

    assert before["worth"] == "1000"
    assert (again.json()["code"] if left == "0" else again.json()["worth"]) == ("funds/nothing-to-pay" if left == "0" else "1000")


def test_what_was_bought_after_a_claim_is_other_stock(fresh: Fresh) -> None:
    publish(fresh, PROTECT)
    stocked(fresh, ("2026-11-01", "stock", 20), ("2026-11-07", "sell_out", 12), ("2026-11-08", "sale", 10))
    first, second = announced(fresh, "2026-11-05", "500", "450"), announced(fresh, "2026-11-10", "480", "460", "C1")
    claim = {"programme": "protect-2026", "on": "2026-11-05", "quantity": "20"}

    submit(fresh, claim | {"cut": first})
    again = submit(fresh, claim | {"cut": second}).json()

    assert (again["worth"], again["why"]["code"]) == ("200", "stock")  # 18 on hand, of which 8 were claimed before: 10 x 20


def test_the_database_itself_refuses_stock_that_is_protected(fresh: Fresh) -> None:
    publish(fresh, PROTECT)
    stocked(fresh, ("2026-11-01", "stock", 20))
    first, second = announced(fresh, "2026-11-05", "500", "450"), announced(fresh, "2026-11-05", "480", "430", "C1")
    submit(fresh, {"programme": "protect-2026", "on": "2026-11-05", "quantity": "15", "cut": first})
    told = dict(fresh.rows("SELECT * FROM fund_claim")[0])
    judged = {"quantity": "6", "stock": "20", "gone": "0", "payable": "300"}

    def insert(quantity: str) -> None:
        with fresh.hub.transaction() as db:
            values = {**told, "id": f"FC-{quantity}", "asked": {**told["asked"], "cut": second}, "judged": {**judged, "quantity": quantity}}
            queries.add_claim(db.connection, values)

    with pytest.raises(psycopg.errors.CheckViolation, match="is protected already"):
        insert("6")
    insert("5")


@pytest.mark.parametrize("day", ["0203-11-12", "9999-12-31"])
def test_a_day_with_a_slip_of_the_pen_is_told(fresh: Fresh, day: str) -> None:
    publish(fresh, MDF)

    told = submit(fresh, expo(on=day, evidence=[], plan=True))

    assert (told.status_code, told.json()["code"]) == (409, "funds/incomplete")
    assert f"{day}: is the year right?" in told.json()["detail"]


def test_a_plan_keeps_the_money_and_pays_no_more_than_was_agreed(fresh: Fresh) -> None:
    publish(fresh, MDF)
    plan = submit(fresh, expo(amount="8000", evidence=[], plan=True)).json()
    agreed = fresh.api("finance", "POST", f"/v1/claims/{plan['id']}/approve", json={}).json()

    handed = fresh.api("dealer", "POST", f"/v1/claims/{plan['id']}/hand-in", json=expo(amount="15000")).json()
    approved = fresh.api("finance", "POST", f"/v1/claims/{plan['id']}/approve", json={}).json()

    assert (plan["state"], agreed["state"], agreed["worth"]) == ("planned", "agreed", "4000")
    assert (handed["state"], handed["worth"], handed["why"]["code"]) == ("submitted", "4000", "agreed")
    assert approved["allowed"] == "4000"
    assert fund(fresh) == {"available": "6000", "frozen": "0", "used": "4000"}


def test_a_dealer_sees_its_own_claims_and_funds_and_nothing_of_ours(fresh: Fresh) -> None:
    publish(fresh, MDF)
    mine = submit(fresh, expo()).json()["id"]
    theirs = submit(fresh, expo("25312000000011111111", activity=RIVAL, note=RIVAL), "other_dealer").json()["id"]
    fresh.api("finance", "POST", f"/v1/claims/{mine}/approve", json={})
    with fresh.hub.transaction() as db:
        db.execute("UPDATE fund_claim SET state = 'paid' WHERE id = %s", [mine])

    answers = [
        fresh.api.get("dealer", path)
        for path in ("/v1/claims", "/v1/funds", f"/v1/claims/{mine}", f"/v1/claims/{theirs}", "/v1/price-cuts", "/v1/messages")
    ]
    foreign = fresh.api("dealer", "POST", f"/v1/claims/{theirs}/withdraw")
    missing = fresh.api("dealer", "POST", "/v1/claims/FC-2026-999999/withdraw")
    for_rival = submit(fresh, expo("1", dealer=str(fresh.world.rival)))

    raw = "".join(one.text for one in answers)
    assert (RIVAL in raw, theirs in raw, "budget" in raw, "17000" in raw, "automatic" in raw, '"by"' in raw) == (False,) * 6
    assert [one["id"] for one in answers[0].json()["items"]] == [mine]
    assert (
        (foreign.status_code, foreign.json()["detail"])
        == (missing.status_code, missing.json()["detail"])
        == (404, foreign.json()["detail"])
    )
    assert for_rival.status_code == 404
    assert fresh.api("dealer", "POST", f"/v1/claims/{mine}/approve", json={}).status_code == 403
    assert RIVAL in fresh.api.get("it", f"/v1/claims/{theirs}").text


def test_the_night_forfeits_what_was_not_claimed_and_lapses_plans(fresh: Fresh) -> None:
    publish(fresh, MDF.replace("claim_days: 400", "claim_days: 10"))
    plan = submit(fresh, expo(on="2026-12-28", evidence=[], plan=True)).json()
    fresh.api("finance", "POST", f"/v1/claims/{plan['id']}/approve", json={})

    engine.nightly(fresh.hub, date(2027, 1, 8))
    engine.nightly(fresh.hub, date(2027, 1, 12))
    engine.nightly(fresh.hub, date(2027, 1, 12))

    assert fresh.api.get("dealer", f"/v1/claims/{plan['id']}").json()["state"] == "lapsed"
    row = next(one for one in fresh.api.get("dealer", "/v1/funds", params={"period": "2026Q4"}).json()["items"] if one["dealer"] == "C1")
    assert (row["available"], row["frozen"], row["expired"]) == ("0", "0", "10000")

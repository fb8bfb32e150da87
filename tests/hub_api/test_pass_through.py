"""Pass-through to the second level (二级), from publishing to the statements of both levels: each reads its own, and the parts add up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from canonical.values import SHANGHAI
from channel.rebates import service
from sync import rebates
from tests.hub_api.conftest import Fresh
from tests.hub_api.world import RIVAL
from tests.pricing.test_papers import text_of

PASS = """
programme: pass-2026
version: 1
name: {zh: 二级返利, en: Pass-through}
currency: CNY
valid: {from: 2026-01-01, to: 2027-01-01}
participants: [C1]
base: {event: sell_out, measure: amount, tax: exclusive, net_of: [return]}
calendar: {period: quarter}
method: retroactive
boundary: at_least
tiers: [{from: 0, rate: 1 %}]
accrual: {by: earned}
pass_through: {rate: 80 %}
settlement: {ways: [offset]}
"""
LINE = {"kind": "sell_out", "dealer": "C1", "product": "P1", "currency": "CNY"}
SOLD = [
    LINE | {"id": "1", "date": "2026-01-10", "customer": "C2", "amount": "10000"},
    LINE | {"id": "2", "date": "2026-01-11", "customer": "C3", "amount": "10000"},
    LINE | {"id": "3", "date": "2026-01-12", "customer": "S9", "amount": "9999"},
]
APRIL = datetime(2026, 4, 2, 3, 0, tzinfo=SHANGHAI)


def load(fresh: Fresh, *rows: dict[str, str]) -> Any:
    return fresh.api("finance", "POST", "/v1/rebate-facts", json={"rows": list(rows)})


@pytest.fixture
def settled(fresh: Fresh) -> Fresh:
    """Published, loaded, accrued in March, settled in April by the night's entry point."""
    assert fresh.api("finance", "POST", "/v1/programmes", json={"text": PASS}).status_code == 200
    assert load(fresh, *SOLD).json() == {"facts": 3}
    rebates.nightly(fresh.hub, now=datetime(2026, 3, 1, 3, 0, tzinfo=SHANGHAI))
    rebates.nightly(fresh.hub, now=APRIL)
    return fresh


def statements(fresh: Fresh, role: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fresh.api.get(role, "/v1/statements").json()["items"]
    return list(reversed(found))


def test_each_level_has_its_statement_and_the_parts_add_up_to_what_is_handed_on(settled: Fresh) -> None:
    ours = statements(settled, "finance")
    parts = settled.rows("SELECT dealer, amount FROM rebate_passed_on ORDER BY dealer")

    assert [(one["dealer"], one["doc"]["kind"], one["doc"]["payable"]) for one in ours] == [
        ("C1", "final", "299.99"), ("C2", "passed_on", "80.00"), ("C3", "passed_on", "80.00"),
    ]  # fmt: skip
    assert ours[0]["doc"]["passed_on"] == {"C2": "80.00", "C3": "80.00", "S9": "79.99"}
    assert sum(part["amount"] for part in parts) == Decimal("239.99")  # 80 % of 299.99 is 239.992
    assert ours[1]["doc"]["sentences"][0]["zh"] == "2026Q1按本店计入的 10000，转付返利累计 80.00 CNY。"


def test_what_comes_late_is_handed_on_as_the_difference(settled: Fresh) -> None:
    assert load(settled, LINE | {"id": "4", "date": "2026-02-02", "customer": "C3", "amount": "20001"}).json() == {"facts": 1}
    back = {"id": "5", "kind": "return", "dealer": "C1", "date": "2026-02-03", "customer": "C2", "amount": "-10000", "currency": "CNY"}
    assert load(settled, back | {"sell_out_date": "2026-02-03"}).json() == {"facts": 1}

    rebates.nightly(settled.hub, now=datetime(2026, 4, 3, 3, 0, tzinfo=SHANGHAI))
    rebates.nightly(settled.hub, now=datetime(2026, 4, 4, 3, 0, tzinfo=SHANGHAI))

    later = statements(settled, "finance")[3:]
    assert [(one["dealer"], one["doc"]["settled"], one["doc"]["payable"]) for one in later] == [
        ("C1", "299.99", "100.01"), ("C2", "80.00", "-80.00"), ("C3", "80.00", "160.01"),
    ]  # fmt: skip
    assert settled.rows("SELECT sum(amount) AS amount FROM rebate_passed_on")[0]["amount"] == Decimal("320.00")


def handed_on(fresh: Fresh) -> dict[Any, Decimal]:
    """What each party, or else code, was handed on in all."""
    query = "SELECT coalesce(dealer_id::text, dealer) AS who, sum(amount) AS amount FROM rebate_passed_on GROUP BY 1"
    return {row["who"]: row["amount"] for row in fresh.rows(query)}


def adds_up(fresh: Fresh) -> bool:
    """The parts of each settlement are 80 % of what was received with it, to the fen of what was received to date."""
    query = (
        "SELECT s.unit, sum(s.amount) AS received, (SELECT sum(p.amount) FROM rebate_passed_on AS p WHERE p.unit = s.unit) AS handed "
        "FROM rebate_settlement AS s GROUP BY 1"
    )
    return all((row["received"] * Decimal("0.8")).quantize(Decimal("0.01"), ROUND_HALF_UP) == row["handed"] for row in fresh.rows(query))


@pytest.mark.parametrize("told_again", [[], SOLD[:1]], ids=["a late line", "and the old line under the new number"])
def test_a_second_level_dealer_that_is_renumbered_keeps_its_account(settled: Fresh, told_again: list[dict[str, str]]) -> None:
    with settled.hub.transaction() as db:
        db.execute("UPDATE parties SET number = 'C2-NEW' WHERE number = 'C2'")
    load(settled, LINE | {"id": "4", "date": "2026-02-02", "customer": "C2-NEW", "amount": "10000"})
    for row in told_again:
        load(settled, row | {"customer": "C2-NEW"})

    rebates.nightly(settled.hub, now=datetime(2026, 4, 3, 3, 0, tzinfo=SHANGHAI))
    rebates.nightly(settled.hub, now=datetime(2026, 4, 4, 3, 0, tzinfo=SHANGHAI))

    later = statements(settled, "finance")[3:]
    assert [(one["dealer"], one["doc"]["settled"], one["doc"]["payable"]) for one in later if one["dealer"] != "C1"] == [
        ("C2-NEW", "80.00", "80.00"),
    ]  # fmt: skip
    assert later[0]["doc"]["passed_on"] == {"C2-NEW": "160.00", "C3": "80.00", "S9": "79.99"}
    assert handed_on(settled)[str(settled.world.city)] == Decimal("160.00")
    assert adds_up(settled)


def test_a_second_level_dealer_that_moves_to_another_first_level_is_handed_nothing_twice(fresh: Fresh) -> None:
    assert fresh.api("finance", "POST", "/v1/programmes", json={"text": PASS.replace("[C1]", "[C1, C3]")}).status_code == 200
    load(fresh, LINE | {"id": "1", "date": "2026-01-10", "customer": "C2", "amount": "10000"})
    load(fresh, LINE | {"id": "2", "date": "2026-02-11", "customer": "C2", "amount": "20000"})
    load(fresh, LINE | {"id": "3", "date": "2026-03-12", "dealer": "C3", "customer": "C2", "amount": "40000"})
    rebates.nightly(fresh.hub, now=APRIL)
    both = handed_on(fresh)

    load(fresh, LINE | {"id": "2", "date": "2026-02-11", "dealer": "C3", "customer": "C2", "amount": "20000"})  # it had moved before
    rebates.nightly(fresh.hub, now=datetime(2026, 4, 3, 3, 0, tzinfo=SHANGHAI))
    rebates.nightly(fresh.hub, now=datetime(2026, 4, 4, 3, 0, tzinfo=SHANGHAI))

    assert both == handed_on(fresh) == {str(fresh.world.city): Decimal("560.00")}
    parts = fresh.rows("SELECT unit, sum(amount) AS amount FROM rebate_passed_on GROUP BY 1 ORDER BY 1")
    assert [(row["unit"].split("|")[1], row["amount"]) for row in parts] == [("C1", Decimal("80.00")), ("C3", Decimal("480.00"))]
    assert adds_up(fresh)


def test_a_second_level_dealer_finds_nothing_of_the_first_level_or_of_another(settled: Fresh) -> None:
    seen = settled.api.get("other_dealer", "/v1/statements")
    number = seen.json()["items"][0]["id"]
    paper = text_of(settled.api.get("other_dealer", f"/v1/statements/{number}/paper.pdf", params={"lang": "en"}).content)
    terms = settled.api.get("other_dealer", "/v1/programmes")
    told = settled.api.get("other_dealer", "/v1/messages", params={"kind": "rebate_statement_ready"})
    upstream = settled.api.get("dealer", "/v1/statements")

    assert [one["dealer"] for one in seen.json()["items"]] == ["C3"]
    for text in (seen.text, paper, told.text):
        assert [mark for mark in ("299.99", "C1", "C2", "S9", "苏州恒信", "29999", "1 %") if mark in text] == []
    assert "80.00" in paper
    assert terms.json()["items"] == []
    assert len(told.json()["items"]) == 1
    assert RIVAL not in upstream.text  # the code of its own customer, not what our people know of it


def test_the_first_level_signs_and_reads_whom_it_hands_on_to(settled: Fresh) -> None:
    mine = next(one for one in statements(settled, "dealer") if one["dealer"] == "C1")

    signed = settled.api("dealer", "POST", f"/v1/statements/{mine['id']}/sign")
    paper = text_of(settled.api.get("dealer", f"/v1/statements/{mine['id']}/paper.pdf", params={"lang": "en"}).content)

    assert signed.json()["state"] == "signed"
    assert "Handed on to the second level" in paper


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"kind": "sale"}, "from_documents"),
        ({"kind": "return", "amount": "-1"}, "from_documents"),
        ({"invoice_date": "2026-01-10"}, "from_documents"),
        ({"dealer": "C77"}, "unknown_dealer"),
        ({"currency": ""}, "bad_currency"),
        ({"amount": "-5"}, "negative"),
        ({"date": "0203-01-10"}, "bad_date"),
    ],
)
def test_facts_that_cannot_be_are_refused_whole(fresh: Fresh, row: dict[str, str], code: str) -> None:
    told = load(fresh, SOLD[0] | {"id": "good"}, SOLD[0] | row)

    assert (told.status_code, told.json()["code"]) == (409, "rebates/bad-facts")
    assert fresh.rows("SELECT id FROM rebate_fact") == []
    assert code in str(told.json())


def test_the_same_row_again_changes_nothing_and_another_one_is_the_next_revision(fresh: Fresh) -> None:
    target = {"id": "T1", "kind": "target", "dealer": "C1", "date": "2026-01-01", "amount": "300000"}
    first, again = load(fresh, target), load(fresh, target)
    corrected, void = load(fresh, target | {"amount": "320000"}), load(fresh, target | {"amount": "320000", "status": "void"})

    assert [one.json()["facts"] for one in (first, again, corrected, void)] == [1, 0, 1, 1]
    found = fresh.rows("SELECT revision, amount, dealer_id FROM rebate_fact WHERE id = 'loaded:T1' ORDER BY revision")
    assert [(row["revision"], row["amount"]) for row in found] == [(1, 300000), (2, 320000), (3, 0)]
    assert {row["dealer_id"] for row in found} == {fresh.world.agent}
    assert date(2026, 1, 1) == fresh.rows("SELECT date FROM rebate_fact")[0]["date"]


def test_loads_at_one_time_and_during_a_night_lose_nothing(fresh: Fresh) -> None:
    assert fresh.api("finance", "POST", "/v1/programmes", json={"text": PASS}).status_code == 200
    months = ["2026-01-10", "2026-02-10", "2026-03-10", "2025-12-10"]  # a month's partition is made by whoever comes first

    def loads(at: int) -> int:
        own = [LINE | {"id": f"{at}-{n}", "date": months[(at + n) % 4], "customer": "C2", "amount": "100"} for n in range(20)]
        shared = LINE | {"id": "shared", "date": "2026-01-11", "customer": "C3", "amount": str(1000 + at)}
        told = load(fresh, *own, shared)
        return int(told.json()["facts"]) if told.status_code == 200 else -1

    with ThreadPoolExecutor(8) as pool:
        nights = [pool.submit(rebates.nightly, fresh.hub, now=APRIL) for _ in range(2)]
        done = list(pool.map(loads, range(6)))
        results = [one.result().status for one in nights]

    assert (min(done), set(results)) == (21, {"done"})
    facts = fresh.rows(
        "SELECT id, array_agg(revision ORDER BY revision) AS revisions FROM rebate_fact WHERE id LIKE 'loaded:%%' GROUP BY 1"
    )
    assert len(facts) == 121
    assert {row["id"]: row["revisions"] for row in facts}["loaded:shared"] == [1, 2, 3, 4, 5, 6]
    rebates.nightly(fresh.hub, now=APRIL)
    newest = fresh.rows("SELECT amount FROM rebate_fact WHERE id = 'loaded:shared' ORDER BY revision DESC LIMIT 1")[0]["amount"]
    counted = sum(100 for at in range(6) for n in range(20) if months[(at + n) % 4] > "2026") + newest
    settled = fresh.rows("SELECT sum(amount) AS amount FROM rebate_settlement")[0]["amount"]
    assert settled == (counted / 100).quantize(Decimal("0.01"))
    assert adds_up(fresh)
    with fresh.hub.transaction() as db:
        again = service.settle(db.connection, date(2026, 4, 1), by="x", full=True)
    assert list(again.units) == []

"""The dealer's rebate account through the API: its own dealer reads it, finance moves it, and no two orders get the same money."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from canonical.ids import new_id
from channel.rebates import queries
from tests.hub_api.conftest import Fresh
from tests.hub_api.test_rebates import PROGRAMME
from tests.hub_api.world import RIVAL, make_order

OFFSET = PROGRAMME + "settlement: {ways: [offset], expires_days: 400}\naccrual: {by: earned}\n"
PATH = "/v1/rebate-accounts"


def publish(fresh: Fresh, text: str = OFFSET) -> None:
    told = fresh.api("finance", "POST", "/v1/programmes", json={"text": text})
    assert told.status_code == 200, told.text


def settle(fresh: Fresh, dealer: str, amount: str, *, expires_on: date | None = None, accrued: str = "0") -> None:
    """What a settlement books: it becomes available; what is accrued beside it."""
    moves = {"available": Decimal(amount), "accrued": Decimal(accrued)}
    with fresh.hub.transaction() as db:
        queries.book(
            db.connection, dealer, "pumps-2026", "CNY", moves, cause="settlement", reference=f"pumps-2026|{dealer}||2026Q1",
            booking=new_id(), by="rule:rebates", expires_on=expires_on,
        )  # fmt: skip


def body(fresh: Fresh, amount: str, **more: Any) -> dict[str, Any]:
    """A move for the agent's order of 1,130 CNY."""
    number = fresh.rows("SELECT number FROM orders WHERE id = %s", fresh.world.mine["order"])[0]["number"]
    return {"dealer": str(fresh.world.agent), "programme": "pumps-2026", "order": number, "amount": amount} | more


def move(fresh: Fresh, what: str, told: dict[str, Any], role: str = "finance") -> Any:
    return fresh.api(role, "POST", f"{PATH}/{what}", json=told)


def test_an_order_freezes_a_line_uses_and_each_sum_names_them(fresh: Fresh) -> None:
    publish(fresh)
    settle(fresh, "C1", "500", expires_on=date(2027, 5, 1), accrued="7391.4687")
    frozen = move(fresh, "freeze", body(fresh, "300"))
    order = body(fresh, "1")["order"]
    used = move(fresh, "use", body(fresh, "100", line="1"))
    again = move(fresh, "use", body(fresh, "100", line=f"{order}/1"))
    other = move(fresh, "use", body(fresh, "120", line="1"))
    released = move(fresh, "release", {name: value for name, value in body(fresh, "1").items() if name != "amount"})
    back = {name: value for name, value in body(fresh, "1", line=f"{order}-1", reason="ERP 行已作废").items() if name != "amount"}
    taken = move(fresh, "take-back", back)
    moved = fresh.api.get("finance", f"{PATH}/movements", params={"order_id": str(fresh.world.mine["order"])}).json()["items"]

    assert [(one["available"], one["frozen"], one["used"]) for one in (r.json() for r in (frozen, used, again, released, taken))] == [
        ("200", "300", "0"), ("200", "200", "100"), ("200", "200", "100"), ("400", "0", "100"), ("500", "0", "0"),
    ]  # fmt: skip
    assert (other.status_code, other.json()["code"]) == (409, "rebates/account-state")
    assert frozen.json()["expires"] == [{"on": "2027-05-01", "amount": "200"}]
    assert frozen.json()["accrued"] == "7391.4687"
    assert [(one["cause"], one["account"], one["amount"], one["line"]) for one in reversed(moved)] == [
        ("freeze", "available", "-300", ""), ("freeze", "frozen", "300", ""), ("use", "frozen", "-100", "1"),
        ("use", "used", "100", "1"), ("release", "frozen", "-200", ""), ("release", "available", "200", ""),
        ("release", "used", "-100", "1"), ("release", "available", "100", "1"),
    ]  # fmt: skip
    assert {one["note"] for one in moved} == {"", "ERP 行已作废"}


def test_a_line_is_one_of_the_orders_own_where_the_hub_knows_them(fresh: Fresh) -> None:
    publish(fresh)
    settle(fresh, "C1", "500")
    with fresh.hub.transaction() as db:
        make_order(db, fresh.world.agent, number="SO-NO-LINES", lines=0)
    move(fresh, "freeze", body(fresh, "100"))
    move(fresh, "freeze", body(fresh, "100") | {"order": "SO-NO-LINES"})

    unknown = move(fresh, "use", body(fresh, "10", line="3"))
    own = move(fresh, "use", body(fresh, "10", line="2"))
    free_text = move(fresh, "use", body(fresh, "10", line="AR-77/3") | {"order": "SO-NO-LINES"})

    assert (unknown.status_code, unknown.json()["code"]) == (409, "rebates/account-state")
    assert "is no line of it" in unknown.text
    assert "name one of its lines: 1, 2" in unknown.text
    assert (own.status_code, free_text.status_code) == (200, 200)
    lines = fresh.rows("SELECT line FROM rebate_entry WHERE account = 'used' ORDER BY id")
    assert [row["line"] for row in lines] == ["2", "AR-77/3"]


def test_two_orders_at_one_instant_cannot_freeze_the_same_money(fresh: Fresh) -> None:
    publish(fresh)
    settle(fresh, "C1", "500")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda amount: move(fresh, "freeze", body(fresh, amount)), ["300", "300", "300", "300"]))

    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"rebates/not-enough"}
    assert fresh.api.get("finance", PATH).json()["items"][0]["frozen"] == "300"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"order": "SO-unknown"}, 404, "rebates/not-found"),
        ({"programme": "fans-2026"}, 404, "rebates/not-found"),
        ({"dealer": "01931f5e-7c00-7000-8000-00000000000a"}, 404, "rebates/not-found"),
        ({"currency": "USD"}, 409, "rebates/account-state"),
        ({"amount": "501"}, 409, "rebates/not-enough"),
        ({"amount": "0"}, 409, "rebates/not-enough"),
        ({"amount": "-1"}, 422, "api/invalid-payload"),
    ],
)
def test_what_cannot_be_frozen_is_refused_and_nothing_moves(fresh: Fresh, changes: dict[str, str], status: int, code: str) -> None:
    publish(fresh)
    settle(fresh, "C1", "500")

    told = move(fresh, "freeze", body(fresh, "100") | changes)

    assert (told.status_code, told.json()["code"]) == (status, code)
    assert fresh.api.get("finance", PATH).json()["items"][0]["frozen"] == "0"


def test_an_order_holds_no_more_than_it_is_worth_and_not_another_dealers_money(fresh: Fresh) -> None:
    publish(fresh)
    settle(fresh, "C1", "5000")
    settle(fresh, "C2", "5000")

    whole = move(fresh, "freeze", body(fresh, "1130"))
    more = move(fresh, "freeze", body(fresh, "0.01"))
    foreign = move(fresh, "freeze", body(fresh, "1", dealer=str(fresh.world.city)))

    assert whole.status_code == 200
    assert (more.status_code, more.json()["code"]) == (409, "rebates/account-state")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "rebates/not-found")


def test_a_dealer_reads_its_own_accounts_without_accruals_and_moves_nothing(fresh: Fresh) -> None:
    publish(fresh)
    settle(fresh, "C1", "500", accrued="7391.4687")
    settle(fresh, "C2", "40")
    settle(fresh, "C3", "77341")
    move(fresh, "freeze", body(fresh, "300"))

    seen = fresh.api.get("dealer", PATH)
    moved = fresh.api.get("dealer", f"{PATH}/movements")
    theirs = fresh.api.get("dealer", PATH, params={"dealer": str(fresh.world.rival)})

    assert [(one["dealer"], one["available"], one["frozen"]) for one in seen.json()["items"]] == [("C1", "200", "300"), ("C2", "40", "0")]
    assert "accrued" not in seen.json()["items"][0]
    assert {"by", "note"} & set(moved.json()["items"][0]) == set()
    assert theirs.json()["items"] == []
    assert [text for text in ("77341", "7391", RIVAL) if text in seen.text + moved.text] == []
    assert move(fresh, "freeze", body(fresh, "1"), "dealer").status_code == 403


def test_what_a_memo_will_pay_is_not_for_orders(fresh: Fresh) -> None:
    publish(fresh, PROGRAMME)
    unit = "pumps-2026|C1||2026Q1"
    with fresh.hub.transaction() as db:
        db.execute(
            "INSERT INTO rebate_calculation (purpose, programmes, hashes, as_of, known_at, facts_hash, engine, by) "
            "VALUES ('settlement', '{}', '{}', '2026-04-01', now(), '', '1', 'test') RETURNING id"
        )
        made = (db.fetchone() or {})["id"]
        db.execute(
            "INSERT INTO rebate_result "
            "(calculation_id, unit, programme, version, dealer, dealer_id, period, currency, earned, payable, doc) VALUES "
            "(%s, %s, 'pumps-2026', 1, 'C1', %s, '2026Q1', 'CNY', 500, 500, '{}')",
            [made, unit, fresh.world.agent],
        )
        db.execute(
            "INSERT INTO rebate_settlement (calculation_id, unit, kind, programme, version, dealer, dealer_id, period, currency, earned, "
            "settled_before, amount, by) VALUES (%s, %s, 'final', 'pumps-2026', 1, 'C1', %s, '2026Q1', 'CNY', 500, 0, 500, 'test')",
            [made, unit, fresh.world.agent],
        )
    settle(fresh, "C1", "500")

    told = move(fresh, "freeze", body(fresh, "1"))

    assert (told.status_code, told.json()["code"]) == (409, "rebates/not-enough")
    assert fresh.api.get("finance", PATH).json()["items"][0]["for_orders"] == "0"


@pytest.mark.parametrize(("moves", "cause"), [({"available": -501, "frozen": 501}, "freeze"), ({"frozen": -1, "available": 1}, "release")])
def test_the_database_refuses_what_would_fall_below_zero(fresh: Fresh, moves: dict[str, int], cause: str) -> None:
    publish(fresh)
    settle(fresh, "C1", "500")

    def book() -> None:
        told = {name: Decimal(amount) for name, amount in moves.items()}
        with fresh.hub.transaction() as db:
            queries.book(db.connection, "C1", "pumps-2026", "CNY", told, cause=cause, reference="SO", booking=new_id(), by="test")

    def edit() -> None:
        with fresh.hub.transaction() as db:
            db.execute("UPDATE rebate_balance SET available = 0")

    with pytest.raises(psycopg.errors.CheckViolation):
        book()
    with pytest.raises(psycopg.errors.RestrictViolation):
        edit()


def test_a_movement_that_has_a_name_is_booked_once(fresh: Fresh) -> None:
    publish(fresh)
    settle(fresh, "C1", "500")
    order: UUID = fresh.world.mine["order"]

    def book() -> None:
        moves = {"available": Decimal(-10), "frozen": Decimal(10)}
        with fresh.hub.transaction() as db:
            queries.book(
                db.connection, "C1", "pumps-2026", "CNY", moves, cause="freeze", reference="SO", booking=new_id(), by="test",
                order_id=order, move="freeze|1",
            )  # fmt: skip

    book()
    with pytest.raises(psycopg.errors.UniqueViolation):
        book()

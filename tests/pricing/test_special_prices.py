"""特批价 on the ledger: approved, used up to a ceiling that holds whoever comes at the same moment, given back when a line is voided."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channel.pricing import service, special_service
from channel.pricing.errors import BadPricing
from channel.pricing.service import View
from channel.pricing.special_service import OverCeiling, SpecialItem, SpecialState, Wanted
from tests.pricing.stocked import DAY, Db, Stocked, ask, connected, stock


def grant(db: Db, made: Stocked, *, ceiling: str | None = "100", approve: bool = True, **more: Any) -> str:
    wanted = Wanted(
        "D-EAST", str(made.project), (SpecialItem("M001", Decimal(700), None if ceiling is None else Decimal(ceiling)),), **more
    )
    number = special_service.ask(db, wanted, by="sales", today=DAY)
    if approve:
        special_service.decide(db, number, "approved", by="王总")
    return number


def kind(db: Db, made: Stocked, quantity: int, **more: object) -> tuple[str, str]:
    told = service.price(db, ask(("M001", quantity), project=str(made.project), **more), view=View())
    return told["lines"][0]["price_kind"], str(told["lines"][0]["unit_price"])


def consumed(db: Db, number: str) -> Decimal:
    return Decimal(special_service.show(db, number)["items"][0]["consumed"])


def test_an_approved_special_price_prices_its_project_until_it_is_used_up(db: Db, made: Stocked) -> None:
    number = grant(db, made, approve=False)
    assert kind(db, made, 10) == ("grade", "900.0000")
    special_service.decide(db, number, "approved", by="王总")
    assert kind(db, made, 10) == ("deal", "700.0000")
    assert kind(db, made, 10, dealer="D-WEST") == ("grade", "900.0000")

    left = special_service.consume(db, number, "order:SO-1/1", Decimal(95), by="test")

    assert left == 5
    assert kind(db, made, 5) == ("deal", "700.0000")
    assert kind(db, made, 6) == ("grade", "900.0000")
    special_service.give_back(db, "order:SO-1/1", by="test")
    assert kind(db, made, 100) == ("deal", "700.0000")


def test_a_line_uses_it_once_changes_what_it_uses_and_gives_it_back_once(db: Db, made: Stocked) -> None:
    number = grant(db, made)
    for quantity in (30, 30, 40):
        special_service.consume(db, number, "quote:Q-1/1", Decimal(quantity), by="test")
    assert consumed(db, number) == 40
    with pytest.raises(OverCeiling):
        special_service.consume(db, number, "quote:Q-1/2", Decimal(61), by="test")
    assert consumed(db, number) == 40, "what is refused takes nothing"

    assert [special_service.give_back(db, "quote:Q-1/1", by="test") for _ in range(2)] == [1, 0]
    assert consumed(db, number) == 0
    told = special_service.show(db, number)
    moves = db.execute("SELECT quantity FROM special_price_event WHERE special_id = %s AND what = 'used' ORDER BY id", [number]).fetchall()
    assert told["uses"] == []
    assert [row["quantity"] for row in moves] == [30, 10, -40]


def test_a_ceiling_of_money_holds_over_all_items(db: Db, made: Stocked) -> None:
    number = grant(db, made, ceiling=None, ceiling_amount=Decimal(7000))

    assert kind(db, made, 10) == ("deal", "700.0000")
    assert kind(db, made, 11) == ("grade", "900.0000")
    special_service.consume(db, number, "order:1", Decimal(9), by="test")
    with pytest.raises(OverCeiling):
        special_service.consume(db, number, "order:2", Decimal(2), by="test")


def test_a_cart_is_told_of_a_ceiling_of_money_what_its_acceptance_will_be_told(db: Db, made: Stocked) -> None:
    items = (SpecialItem("M001", Decimal(700)), SpecialItem("M002", Decimal(600)))
    number = special_service.ask(db, Wanted("D-EAST", str(made.project), items, ceiling_amount=Decimal(10000)), by="test", today=DAY)
    special_service.decide(db, number, "approved", by="test")
    asked = ask(("M001", 10), ("M002", 5), ("M001", 1), project=str(made.project))
    told = service.price(db, asked, view=View())

    # 7,000 and 3,000 are the whole of 10,000: nothing is left for the third line
    assert [line["price_kind"] for line in told["lines"]] == ["deal", "deal", "grade"]
    assert [one["detail"] for one in told["lines"][2]["not_used"] if one["rule"] == number] == ["0 left"]
    for at, line in enumerate(asked.lines[:2], 1):
        special_service.consume(db, number, f"order:1/{at}", line.quantity, by="test", item=line.item)
    with pytest.raises(OverCeiling):
        special_service.consume(db, number, "order:1/3", Decimal(1), by="test", item="M001")


def test_only_what_is_approved_and_holds_on_the_day_is_used(db: Db, made: Stocked) -> None:
    waiting = grant(db, made, approve=False)
    with pytest.raises(SpecialState):
        special_service.consume(db, waiting, "order:1", Decimal(1), by="test")
    special_service.decide(db, waiting, "rejected", by="王总", reason="毛利不足")
    with pytest.raises(SpecialState):
        special_service.decide(db, waiting, "approved", by="王总")
    over = grant(db, made, valid_to=DAY)
    with pytest.raises(SpecialState):
        special_service.consume(db, over, "order:1", Decimal(1), by="test", on=DAY)
    with pytest.raises(BadPricing) as refused:
        special_service.ask(db, Wanted("D-WEST", str(made.project), (SpecialItem("M009", Decimal(1)),)), by="x", today=DAY)
    assert [one.where for one in refused.value.mistakes] == ["project", "items.0.item"]


def test_the_database_keeps_the_ceiling_and_the_terms_whoever_writes(db: Db, made: Stocked) -> None:
    number = grant(db, made)
    special_service.consume(db, number, "order:1", Decimal(1), by="test")
    for statement in (
        "UPDATE special_price_item SET consumed = 0",
        "UPDATE special_price_item SET ceiling = 1000000",
        "UPDATE special_price SET consumed_amount = 0",
        "DELETE FROM special_price_use",
        "DELETE FROM special_price_event",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation), db.transaction():
            db.execute(statement.encode())
    with pytest.raises(psycopg.errors.CheckViolation), db.transaction():
        db.execute("UPDATE special_price_use SET quantity = 101")
    assert consumed(db, number) == 1


def test_two_at_the_same_moment_never_take_more_than_there_is(database: str, db: Db, made: Stocked) -> None:
    number = grant(db, made, ceiling="10")
    db.commit()
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def take(worker: int) -> None:
        with connected(database) as own:
            start.wait()
            for at in range(8):
                try:
                    special_service.consume(own, number, f"order:{worker}/{at}", Decimal(1), by=f"worker {worker}")
                    own.commit()
                    outcomes.append("taken")
                except OverCeiling:
                    own.rollback()
                    outcomes.append("refused")

    threads = [threading.Thread(target=take, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert (outcomes.count("taken"), outcomes.count("refused")) == (10, 22)
    assert consumed(db, number) == 10


def test_the_second_waits_for_the_first_and_takes_what_a_rollback_leaves(database: str, db: Db, made: Stocked) -> None:
    number = grant(db, made, ceiling="10")
    db.commit()
    special_service.consume(db, number, "order:1", Decimal(10), by="first")
    got: list[Decimal | None] = []

    def second() -> None:
        with connected(database) as own:
            got.append(special_service.consume(own, number, "order:2", Decimal(10), by="second"))

    waiting = threading.Thread(target=second)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive(), "it decided before the first did"
    db.rollback()
    waiting.join(20)

    assert got == [Decimal(0)]


MOVES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_law_what_is_consumed_is_the_sum_of_its_uses_and_within_the_ceiling(db: Db, moves: list[tuple[int, int]]) -> None:
    with db.transaction(force_rollback=True):
        number = grant(db, stock(db), ceiling="20")
        held: dict[str, int] = {}
        for line, quantity in moves:
            name = f"order:{line}"
            fits = sum(held.values()) - held.get(name, 0) + quantity <= 20
            try:
                special_service.consume(db, number, name, Decimal(quantity), by="law")
                assert fits
                held[name] = quantity
            except OverCeiling:
                assert not fits

            assert consumed(db, number) == sum(held.values())
